using System;
using System.Collections;
using System.Collections.Generic;
using System.ComponentModel;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace Faultbook
{
    /// <summary>
    /// Reads the facts of an exception and what it wraps. Types of packages are known by their names, so that none of them
    /// is needed; a property that is missing, of another kind or throws is an unknown fact.
    /// </summary>
    internal sealed class ExceptionReader
    {
        /// <summary>Exceptions that are sent from the outside; of more, the engine looks at these and the innermost.</summary>
        private const int MaxSent = 32;

        /// <summary>Exceptions that are visited to find the innermost.</summary>
        private const int MaxVisited = 4096;

        private const int MaxAncestors = 32;
        private const int MaxNumbers = 256;
        private const int MaxAttributes = 256;
        private const int MaxAttributeLength = 1024;
        private const int MaxHead = 128 * 1024;
        private const int MaxTail = 64 * 1024;

        private readonly List<Found> _found = new List<Found>();
        private readonly List<string> _codes = new List<string>();
        private readonly SortedDictionary<string, object> _attributes =
            new SortedDictionary<string, object>(StringComparer.Ordinal);
        private int? _status;

        private sealed class Found
        {
            public Exception Exception;
            public int Parent;
            public string Message;
        }

        /// <summary>One failure as a line of JSON.</summary>
        public static string Write(Exception exception, ClassifyOptions options, out Stated stated)
        {
            options = options ?? new ClassifyOptions();
            var reader = new ExceptionReader();
            stated = new Stated { Id = IdOf(options.Id), Message = options.Message };
            if (exception != null)
            {
                reader.Walk(exception);
            }
            foreach (Found found in reader._found)
            {
                stated.Message = string.IsNullOrWhiteSpace(stated.Message) ? found.Message : stated.Message;
            }
            if (string.IsNullOrWhiteSpace(stated.Message))
            {
                stated.Message = options.Text;
            }
            return reader.Json(exception, options);
        }

        /// <summary>The message for a decision when not even the exception can be read.</summary>
        public static Stated StatedBy(Exception exception, ClassifyOptions options)
        {
            return new Stated
            {
                Id = options == null ? null : IdOf(options.Id),
                Message = options != null && options.Message != null || exception == null ? options?.Message : MessageOf(exception),
            };
        }

        private static string IdOf(string id)
        {
            if (string.IsNullOrEmpty(id) || id.Length > 64)
            {
                return null;
            }
            foreach (char c in id)
            {
                bool isPlain = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9';
                if (!isPlain && c != '.' && c != '_' && c != '-')
                {
                    return null;
                }
            }
            return id;
        }

        /// <summary>
        /// From the outermost to the innermost, branch by branch; an exception that was seen before is not seen again, so
        /// that chains which bite their tails end.
        /// </summary>
        private void Walk(Exception outermost)
        {
            var seen = new HashSet<Exception>(Identity.Instance);
            var open = new Stack<KeyValuePair<Exception, int>>();
            open.Push(new KeyValuePair<Exception, int>(outermost, -1));
            Exception innermost = null;
            while (open.Count > 0 && seen.Count < MaxVisited)
            {
                KeyValuePair<Exception, int> next = open.Pop();
                if (!seen.Add(next.Key))
                {
                    continue;
                }
                int index = _found.Count;
                if (index < MaxSent)
                {
                    _found.Add(new Found { Exception = next.Key, Parent = next.Value, Message = MessageOf(next.Key) });
                    Facts(next.Key);
                    innermost = null;
                }
                else
                {
                    innermost = next.Key;
                }
                List<Exception> inner = InnerOf(next.Key);
                for (int i = inner.Count - 1; i >= 0; i--)
                {
                    open.Push(new KeyValuePair<Exception, int>(inner[i], index));
                }
            }
            if (innermost != null)
            {
                _found.Add(new Found { Exception = innermost, Parent = MaxSent - 1, Message = MessageOf(innermost) });
                Facts(innermost);
            }
        }

        private static List<Exception> InnerOf(Exception exception)
        {
            var inner = new List<Exception>();
            try
            {
                if (exception is AggregateException aggregate)
                {
                    foreach (Exception one in aggregate.InnerExceptions)
                    {
                        if (one != null && inner.Count < MaxVisited)
                        {
                            inner.Add(one);
                        }
                    }
                }
                else if (exception.InnerException != null)
                {
                    inner.Add(exception.InnerException);
                }
            }
            catch (Exception)
            {
                // What it wraps is unknown.
            }
            return inner;
        }

        private static string MessageOf(Exception exception)
        {
            try
            {
                return exception.Message;
            }
            catch (Exception)
            {
                return null;
            }
        }

        private static string StackTraceOf(Exception exception)
        {
            try
            {
                return exception.StackTrace;
            }
            catch (Exception)
            {
                return null;
            }
        }

        /// <summary>What the exception knows beside its type and message.</summary>
        private void Facts(Exception exception)
        {
            // The outermost that has one; of several beside each other the first, which is also what `await` throws.
            _status = _status ?? StatusOf(exception);
            string code = CodeOf(exception);
            if (!string.IsNullOrWhiteSpace(code) && code.Length <= MaxAttributeLength && !_codes.Contains(code))
            {
                _codes.Add(code);
            }
            Data(exception);
        }

        private static int? StatusOf(Exception exception)
        {
            if (exception is WebException web)
            {
                try
                {
                    return web.Response is HttpWebResponse response ? Status((int)response.StatusCode) : null;
                }
                catch (Exception)
                {
                    return null;
                }
            }
            string property =
                Is(exception, "Microsoft.Kiota.Abstractions.ApiException") ? "ResponseStatusCode"
                : Is(exception, "Azure.RequestFailedException") ? "Status"
                : Is(exception, "System.Net.Http.HttpRequestException")
                || Is(exception, "Microsoft.Identity.Client.MsalServiceException")
                || Is(exception, "Microsoft.IdentityModel.Clients.ActiveDirectory.AdalServiceException")
                || Is(exception, "Microsoft.Graph.ServiceException")
                || Is(exception, "Microsoft.OData.Client.DataServiceClientException") ? "StatusCode"
                : null;
            return property == null ? null : Status(Whole(Property(exception, property)));
        }

        private static int? Status(long? status)
        {
            return status >= 100 && status <= 599 ? (int?)status : null;
        }

        /// <summary>The code of the remote side.</summary>
        private static string CodeOf(Exception exception)
        {
            if (Is(exception, "Microsoft.Identity.Client.MsalException")
                || Is(exception, "Microsoft.IdentityModel.Clients.ActiveDirectory.AdalException")
                || Is(exception, "Azure.RequestFailedException"))
            {
                return Property(exception, "ErrorCode") as string;
            }
            if (Is(exception, "Microsoft.Graph.Models.ODataErrors.ODataError")
                || Is(exception, "Microsoft.Graph.Beta.Models.ODataErrors.ODataError")
                || Is(exception, "Microsoft.Graph.ServiceException"))
            {
                object error = Property(exception, "Error");
                return error == null ? null : Property(error, "Code") as string;
            }
            return null;
        }

        /// <summary>Numbers of SQL Server and of Windows, also for sockets: those of other systems mean something else.</summary>
        private static List<long> NumbersOf(Exception exception)
        {
            var numbers = new List<long>();
            try
            {
                if (exception is SocketException socket)
                {
                    numbers.Add((int)socket.SocketErrorCode);
                }
                else if (exception is Win32Exception win32)
                {
                    numbers.Add(win32.NativeErrorCode);
                }
                else if (Is(exception, "Microsoft.Data.SqlClient.SqlException")
                    || Is(exception, "System.Data.SqlClient.SqlException"))
                {
                    Add(numbers, Whole(Property(exception, "Number")));
                    if (Property(exception, "Errors") is IEnumerable errors)
                    {
                        foreach (object error in errors)
                        {
                            Add(numbers, error == null ? null : Whole(Property(error, "Number")));
                        }
                    }
                }
            }
            catch (Exception)
            {
                // The rest of the numbers is unknown.
            }
            return numbers;
        }

        private static void Add(List<long> numbers, long? number)
        {
            if (number.HasValue && numbers.Count < MaxNumbers && !numbers.Contains(number.Value))
            {
                numbers.Add(number.Value);
            }
        }

        /// <summary>Entries of Data with a text as key and a plain value; those of the outer exceptions win.</summary>
        private void Data(Exception exception)
        {
            try
            {
                foreach (DictionaryEntry entry in exception.Data)
                {
                    Attribute(entry.Key as string, entry.Value, false);
                }
            }
            catch (Exception)
            {
                // The rest of the entries is unknown.
            }
        }

        private void Attribute(string name, object value, bool wins)
        {
            object plain = value is bool ? value : Whole(value);
            plain = plain ?? (value is Enum || value is Guid ? value.ToString() : value as string);
            if (string.IsNullOrWhiteSpace(name) || name.Length > 256 || plain == null
                || plain is string text && text.Length > MaxAttributeLength)
            {
                return;
            }
            bool isThere = _attributes.ContainsKey(name);
            if (isThere ? wins : _attributes.Count < MaxAttributes)
            {
                _attributes[name] = plain;
            }
        }

        /// <summary>Whether the exception is of a type with this full name, or of one derived from it.</summary>
        private static bool Is(Exception exception, string fullName)
        {
            for (Type type = exception.GetType(); type != null && type != typeof(Exception); type = type.BaseType)
            {
                if (type.FullName == fullName)
                {
                    return true;
                }
            }
            return false;
        }

        private static object Property(object of, string name)
        {
            try
            {
                for (Type type = of.GetType(); type != null; type = type.BaseType)
                {
                    const BindingFlags Own = BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly;
                    PropertyInfo property = type.GetProperty(name, Own);
                    if (property != null && property.GetIndexParameters().Length == 0)
                    {
                        return property.GetValue(of, null);
                    }
                }
            }
            catch (Exception)
            {
                // Unknown.
            }
            return null;
        }

        private static long? Whole(object value)
        {
            if (value is int || value is long || value is short || value is byte || value is sbyte || value is ushort
                || value is uint || value is HttpStatusCode)
            {
                return Convert.ToInt64(value);
            }
            return null;
        }

        private string Json(Exception outermost, ClassifyOptions options)
        {
            var json = new JsonWriter();
            json.Begin('{');
            Text(json, "id", options.Id);
            Text(json, "connector", options.Connector);
            Text(json, "operation", options.Operation);
            Text(json, "phase", options.Phase);
            if (_found.Count > 0)
            {
                json.Name("exceptions");
                json.Begin('[');
                for (int i = 0; i < _found.Count; i++)
                {
                    Exception(json, _found[i], i);
                }
                json.End(']');
            }
            Text(json, "message", options.Message);
            int? status = options.HttpStatus ?? _status;
            if (status.HasValue)
            {
                json.Name("http_status");
                json.Number(status.Value);
            }
            if (options.ProviderCodes != null)
            {
                _codes.InsertRange(0, options.ProviderCodes);
            }
            if (_codes.Count > 0)
            {
                json.Name("provider_codes");
                Texts(json, _codes);
            }
            if (options.Attributes != null)
            {
                foreach (KeyValuePair<string, object> attribute in options.Attributes)
                {
                    Attribute(attribute.Key, attribute.Value, true);
                }
            }
            if (_attributes.Count > 0)
            {
                json.Name("attributes");
                json.Begin('{');
                foreach (KeyValuePair<string, object> attribute in _attributes)
                {
                    json.Name(attribute.Key);
                    Plain(json, attribute.Value);
                }
                json.End('}');
            }
            if (options.IncludeStackTrace && outermost != null)
            {
                Text(json, "stack_trace", StackTraceOf(outermost));
            }
            Text(json, "text", options.Text);
            json.End('}');
            return json.ToString();
        }

        private static void Exception(JsonWriter json, Found found, int index)
        {
            json.Begin('{');
            Type type = found.Exception.GetType();
            Text(json, "type", type.ToString());
            Text(json, "message", found.Message);
            var ancestors = new List<string>();
            for (Type up = type.BaseType; up != null && up != typeof(object) && ancestors.Count < MaxAncestors; up = up.BaseType)
            {
                ancestors.Add(up.ToString());
            }
            if (ancestors.Count > 0)
            {
                json.Name("ancestors");
                Texts(json, ancestors);
            }
            List<long> numbers = NumbersOf(found.Exception);
            if (numbers.Count > 0)
            {
                json.Name("error_numbers");
                json.Begin('[');
                foreach (long number in numbers)
                {
                    json.Number(number);
                }
                json.End(']');
            }
            if (found.Parent >= 0 && found.Parent != index - 1)
            {
                json.Name("parent");
                json.Number(found.Parent);
            }
            json.End('}');
        }

        private static void Plain(JsonWriter json, object value)
        {
            if (value is bool truth)
            {
                json.Truth(truth);
            }
            else if (value is long number)
            {
                json.Number(number);
            }
            else
            {
                json.Text((string)value);
            }
        }

        private static void Texts(JsonWriter json, List<string> texts)
        {
            json.Begin('[');
            foreach (string text in texts)
            {
                json.Text(text);
            }
            json.End(']');
        }

        /// <summary>A text, when there is one. The engine looks at head and tail of long ones, so more is not sent.</summary>
        private static void Text(JsonWriter json, string name, string text)
        {
            if (string.IsNullOrEmpty(text))
            {
                return;
            }
            if (text.Length > MaxHead + MaxTail)
            {
                text = text.Substring(0, MaxHead) + text.Substring(text.Length - MaxTail);
            }
            json.Name(name);
            json.Text(text);
        }

        /// <summary>Exceptions are told apart by what they are, whatever their Equals says.</summary>
        private sealed class Identity : IEqualityComparer<Exception>
        {
            public static readonly Identity Instance = new Identity();

            public bool Equals(Exception one, Exception other)
            {
                return ReferenceEquals(one, other);
            }

            public int GetHashCode(Exception exception)
            {
                return RuntimeHelpers.GetHashCode(exception);
            }
        }
    }
}
