using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text;

namespace Faultbook
{
    /// <summary>Writes JSON. netstandard2.0 has no writer of its own, and the package has no dependencies.</summary>
    internal sealed class JsonWriter
    {
        private readonly StringBuilder _text = new StringBuilder(512);
        private bool _needsComma;

        public override string ToString()
        {
            return _text.ToString();
        }

        public void Begin(char bracket)
        {
            Separate();
            _text.Append(bracket);
            _needsComma = false;
        }

        public void End(char bracket)
        {
            _text.Append(bracket);
            _needsComma = true;
        }

        public void Name(string name)
        {
            Separate();
            Quote(name);
            _text.Append(':');
            _needsComma = false;
        }

        public void Text(string value)
        {
            if (value == null)
            {
                Raw("null");
                return;
            }
            Separate();
            Quote(value);
            _needsComma = true;
        }

        public void Number(long value)
        {
            Raw(value.ToString(CultureInfo.InvariantCulture));
        }

        public void Truth(bool value)
        {
            Raw(value ? "true" : "false");
        }

        public void Raw(string value)
        {
            Separate();
            _text.Append(value);
            _needsComma = true;
        }

        private void Separate()
        {
            if (_needsComma)
            {
                _text.Append(',');
            }
        }

        private void Quote(string value)
        {
            _text.Append('"');
            for (int i = 0; i < value.Length; i++)
            {
                char c = value[i];
                if (c == '"' || c == '\\')
                {
                    _text.Append('\\').Append(c);
                }
                else if (c < ' ')
                {
                    _text.Append("\\u").Append(((int)c).ToString("x4", CultureInfo.InvariantCulture));
                }
                else if (!char.IsSurrogate(c))
                {
                    _text.Append(c);
                }
                else if (char.IsHighSurrogate(c) && i + 1 < value.Length && char.IsLowSurrogate(value[i + 1]))
                {
                    _text.Append(c).Append(value[++i]);
                }
                else
                {
                    // Half a pair is no text; readers of JSON refuse it.
                    _text.Append('\ufffd');
                }
            }
            _text.Append('"');
        }
    }

    /// <summary>
    /// Reads JSON: objects as dictionaries, arrays as lists, texts, whole numbers as long, others as double, truth values
    /// and null.
    /// </summary>
    internal sealed class JsonReader
    {
        private const int MaxDepth = 64;
        private readonly string _text;
        private int _at;

        private JsonReader(string text)
        {
            _text = text;
        }

        /// <exception cref="FormatException">The text is no JSON.</exception>
        public static object Read(string text)
        {
            var reader = new JsonReader(text);
            object value = reader.Value(0);
            reader.White();
            if (reader._at < text.Length)
            {
                throw reader.Unexpected();
            }
            return value;
        }

        /// <summary>The value of a member of an object, as it is written; null when there is none, or it is null.</summary>
        /// <exception cref="FormatException">The text is no JSON object.</exception>
        public static string ReadRaw(string text, string member)
        {
            var reader = new JsonReader(text);
            reader.White();
            reader.Expect('{');
            do
            {
                reader.White();
                string name = reader.String();
                reader.White();
                reader.Expect(':');
                reader.White();
                int start = reader._at;
                object value = reader.Value(0);
                if (name == member)
                {
                    return value == null ? null : text.Substring(start, reader._at - start);
                }
                reader.White();
            }
            while (reader.Take(','));
            return null;
        }

        private object Value(int depth)
        {
            White();
            if (_at >= _text.Length || depth > MaxDepth)
            {
                throw Unexpected();
            }
            switch (_text[_at])
            {
                case '{':
                    return Object(depth);
                case '[':
                    return Array(depth);
                case '"':
                    return String();
                case 't':
                    return Word("true", true);
                case 'f':
                    return Word("false", false);
                case 'n':
                    return Word("null", null);
                default:
                    return Number();
            }
        }

        private Dictionary<string, object> Object(int depth)
        {
            var members = new Dictionary<string, object>(StringComparer.Ordinal);
            _at++;
            White();
            if (Take('}'))
            {
                return members;
            }
            do
            {
                White();
                string name = String();
                White();
                Expect(':');
                members[name] = Value(depth + 1);
                White();
            }
            while (Take(','));
            Expect('}');
            return members;
        }

        private List<object> Array(int depth)
        {
            var items = new List<object>();
            _at++;
            White();
            if (Take(']'))
            {
                return items;
            }
            do
            {
                items.Add(Value(depth + 1));
                White();
            }
            while (Take(','));
            Expect(']');
            return items;
        }

        private string String()
        {
            Expect('"');
            int start = _at;
            StringBuilder unescaped = null;
            while (_at < _text.Length && _text[_at] != '"')
            {
                if (_text[_at] != '\\')
                {
                    _at++;
                    continue;
                }
                unescaped = unescaped ?? new StringBuilder();
                unescaped.Append(_text, start, _at - start);
                _at++;
                unescaped.Append(Escape());
                start = _at;
            }
            Expect('"');
            int length = _at - 1 - start;
            return unescaped == null ? _text.Substring(start, length) : unescaped.Append(_text, start, length).ToString();
        }

        private char Escape()
        {
            char c = _at < _text.Length ? _text[_at++] : '\0';
            switch (c)
            {
                case '"':
                case '\\':
                case '/':
                    return c;
                case 'b':
                    return '\b';
                case 'f':
                    return '\f';
                case 'n':
                    return '\n';
                case 'r':
                    return '\r';
                case 't':
                    return '\t';
                case 'u':
                    ushort unit;
                    if (_at + 4 <= _text.Length && ushort.TryParse(
                        _text.Substring(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out unit))
                    {
                        _at += 4;
                        return (char)unit;
                    }
                    throw Unexpected();
                default:
                    throw Unexpected();
            }
        }

        private object Number()
        {
            int start = _at;
            while (_at < _text.Length && (char.IsDigit(_text[_at]) || "+-.eE".IndexOf(_text[_at]) >= 0))
            {
                _at++;
            }
            string number = _text.Substring(start, _at - start);
            long whole;
            if (long.TryParse(number, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out whole))
            {
                return whole;
            }
            double real;
            if (double.TryParse(number, NumberStyles.Float, CultureInfo.InvariantCulture, out real))
            {
                return real;
            }
            throw Unexpected();
        }

        private object Word(string word, object value)
        {
            if (string.CompareOrdinal(_text, _at, word, 0, word.Length) != 0)
            {
                throw Unexpected();
            }
            _at += word.Length;
            return value;
        }

        private void White()
        {
            while (_at < _text.Length && " \t\r\n".IndexOf(_text[_at]) >= 0)
            {
                _at++;
            }
        }

        private bool Take(char c)
        {
            bool isThere = _at < _text.Length && _text[_at] == c;
            _at += isThere ? 1 : 0;
            return isThere;
        }

        private void Expect(char c)
        {
            if (!Take(c))
            {
                throw Unexpected();
            }
        }

        private FormatException Unexpected()
        {
            return new FormatException("no JSON from character " + (_at + 1).ToString(CultureInfo.InvariantCulture) + " on");
        }
    }

    /// <summary>Members of an object that was read; what is missing or of another kind is null.</summary>
    internal static class Members
    {
        public static object Get(this Dictionary<string, object> members, string name)
        {
            object value;
            return members.TryGetValue(name, out value) ? value : null;
        }

        public static string Text(this Dictionary<string, object> members, string name)
        {
            return members.Get(name) as string;
        }

        public static bool Truth(this Dictionary<string, object> members, string name)
        {
            return members.Get(name) is bool truth && truth;
        }

        public static long? Number(this Dictionary<string, object> members, string name)
        {
            return members.Get(name) as long?;
        }
    }
}
