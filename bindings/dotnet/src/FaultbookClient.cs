using System;
using System.Collections.Generic;
using System.Text;

namespace Faultbook
{
    /// <summary>How the HTTP service is asked.</summary>
    public sealed class FaultbookClientOptions
    {
        /// <summary>How long one answer may take before it is given locally: 1 s unless told.</summary>
        public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(1);

        /// <summary>The bearer token, where the service wants one.</summary>
        public string Token { get; set; }
    }

    /// <summary>
    /// Asks the HTTP service (<c>faultbook serve</c>). Make one and keep it: it keeps connections open, and any number of
    /// threads may use it at the same time. When the service is down, slow or answers nonsense, the answer is DSUNK001 with
    /// the message as it was, <see cref="Decision.UnknownReason"/> <c>unavailable</c>, and the reason in
    /// <see cref="Decision.Error"/>.
    /// </summary>
    public sealed class FaultbookClient : IFaultbook
    {
        private const string Path = "/v1/classify";
        private static readonly UTF8Encoding Utf8 = new UTF8Encoding(false);
        private readonly ITransport _transport;
        private readonly TimeSpan _timeout;

        /// <summary>A client for the service at an address, for example <c>http://127.0.0.1:8321</c>.</summary>
        /// <exception cref="ArgumentException">The address is no http or https address, or an option is out of its limits.</exception>
        public FaultbookClient(string address, FaultbookClientOptions options = null)
        {
            options = Checked(options);
            Uri uri;
            if (!Uri.TryCreate(address, UriKind.Absolute, out uri) || uri.Scheme != "http" && uri.Scheme != "https")
            {
                throw new ArgumentException("not an http or https address: " + address, nameof(address));
            }
            _timeout = options.Timeout;
            _transport = new TcpTransport(new Uri(uri, uri.AbsolutePath.TrimEnd('/') + Path), options.Token);
        }

        private FaultbookClient(ITransport transport, TimeSpan timeout)
        {
            _transport = transport;
            _timeout = timeout;
        }

        /// <summary>A client for the service at a Unix domain socket, for example <c>/run/faultbook.sock</c>.</summary>
        /// <exception cref="ArgumentException">The path is empty or too long for a socket, or an option is out of its limits.</exception>
        public static FaultbookClient OverUnixSocket(string path, FaultbookClientOptions options = null)
        {
            options = Checked(options);
            return new FaultbookClient(new UnixTransport(path, Path, options.Token), options.Timeout);
        }

        /// <inheritdoc/>
        public Decision Classify(Exception exception, ClassifyOptions options = null)
        {
            Stated stated = default(Stated);
            try
            {
                return Ask(Utf8.GetBytes(ExceptionReader.Write(exception, options, out stated)), ref stated);
            }
            catch (Exception fault)
            {
                return Decision.Local(stated.Message == null ? ExceptionReader.StatedBy(exception, options) : stated, "unavailable", Why(fault));
            }
        }

        /// <inheritdoc/>
        public Decision ClassifyJson(string failure)
        {
            return ClassifyJson(failure == null ? null : Utf8.GetBytes(failure));
        }

        /// <inheritdoc/>
        public Decision ClassifyJson(byte[] failure)
        {
            Stated stated = default(Stated);
            try
            {
                if (IsList(failure))
                {
                    // The service would answer each of its items.
                    return Decision.Local(stated, "unreadable", "expected an object, found a list");
                }
                return Ask(failure ?? new byte[0], ref stated);
            }
            catch (Exception fault)
            {
                return Decision.Local(StatedBy(failure), "unavailable", Why(fault));
            }
        }

        /// <summary>Closes the connections. Later calls are answered with DSUNK001.</summary>
        public void Dispose()
        {
            _transport.Dispose();
        }

        private Decision Ask(byte[] failure, ref Stated stated)
        {
            Reply reply = _transport.Post(failure, _timeout);
            string body = Utf8.GetString(reply.Body);
            if (reply.Status == 200)
            {
                try
                {
                    return Decision.Read(body.TrimEnd('\r', '\n'));
                }
                catch (FormatException fault)
                {
                    throw new InvalidOperationException("the service answered with something else than a decision: " + fault.Message);
                }
            }
            stated = stated.Message == null ? StatedBy(failure) : stated;
            return Refused(reply.Status, body) ?? Decision.Local(stated, "unavailable", Problem(reply.Status, body));
        }

        /// <summary>The decision on a failure that the service could not read; none when it says something else.</summary>
        private static Decision Refused(int status, string body)
        {
            if (status < 400 || status > 499)
            {
                return null;
            }
            try
            {
                string decision = JsonReader.ReadRaw(body, "decision");
                return decision == null ? null : Decision.Read(decision);
            }
            catch (FormatException)
            {
                return null;
            }
        }

        /// <summary>What a problem document says, in one line.</summary>
        private static string Problem(int status, string body)
        {
            string said = "the service answered HTTP " + status;
            try
            {
                if (JsonReader.Read(body) is Dictionary<string, object> problem)
                {
                    string why = problem.Text("detail") ?? problem.Text("title");
                    return why == null ? said : said + ": " + why;
                }
            }
            catch (FormatException)
            {
                // No problem document; the status says it all.
            }
            return said;
        }

        private static bool IsList(byte[] failure)
        {
            foreach (byte b in failure ?? new byte[0])
            {
                if (b != ' ' && b != '\t' && b != '\r' && b != '\n')
                {
                    return b == '[';
                }
            }
            return false;
        }

        /// <summary>What a failure says that is JSON, as far as it can be read.</summary>
        private static Stated StatedBy(byte[] failure)
        {
            var stated = default(Stated);
            try
            {
                if (JsonReader.Read(Utf8.GetString(failure ?? new byte[0])) is Dictionary<string, object> members)
                {
                    stated.Message = members.Text("message");
                    if (stated.Message == null && members.Get("exceptions") is List<object> exceptions)
                    {
                        foreach (object exception in exceptions)
                        {
                            stated.Message = stated.Message ?? (exception as Dictionary<string, object>)?.Text("message");
                        }
                    }
                    stated.Message = stated.Message ?? members.Text("text");
                }
            }
            catch (FormatException)
            {
                // It says nothing.
            }
            return stated;
        }

        private static FaultbookClientOptions Checked(FaultbookClientOptions options)
        {
            options = options ?? new FaultbookClientOptions();
            if (options.Timeout <= TimeSpan.Zero || options.Timeout > TimeSpan.FromHours(1))
            {
                throw new ArgumentException("a timeout is more than nothing and at most an hour", nameof(options));
            }
            foreach (char c in options.Token ?? "")
            {
                if (c <= ' ' || c > '~')
                {
                    throw new ArgumentException("a bearer token holds printable ASCII without spaces", nameof(options));
                }
            }
            return options;
        }

        private static string Why(Exception fault)
        {
            while (fault.InnerException != null)
            {
                fault = fault.InnerException;
            }
            return fault is ObjectDisposedException ? "the client is disposed" : fault.Message;
        }
    }

    /// <summary>A way to the service.</summary>
    internal interface ITransport : IDisposable
    {
        /// <summary>One request, one reply, within the time; else it throws.</summary>
        Reply Post(byte[] body, TimeSpan timeout);
    }

    internal struct Reply
    {
        public int Status;
        public byte[] Body;
    }
}
