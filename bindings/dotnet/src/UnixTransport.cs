using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Faultbook
{
    /// <summary>
    /// HTTP/1.1 over a Unix domain socket, which HttpClient of netstandard2.0 cannot: one request at a time on a
    /// connection that is kept for the next one.
    /// </summary>
    internal sealed class UnixTransport : ITransport
    {
        private const int MaxHead = 64 * 1024;
        private const int MaxIdle = 64;
        private readonly UnixEndPoint _endPoint;
        private readonly string _head;
        private readonly ConcurrentBag<Socket> _idle = new ConcurrentBag<Socket>();
        private volatile bool _isDisposed;

        public UnixTransport(string socket, string path, string token)
        {
            _endPoint = new UnixEndPoint(socket);
            _head = "POST " + path + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                + (token == null ? "" : "Authorization: Bearer " + token + "\r\n") + "Content-Length: ";
        }

        public Reply Post(byte[] body, TimeSpan timeout)
        {
            if (_isDisposed)
            {
                throw new ObjectDisposedException(nameof(FaultbookClient));
            }
            var deadline = new Deadline(timeout);
            string head = _head + body.Length.ToString(CultureInfo.InvariantCulture) + "\r\n\r\n";
            var request = new byte[head.Length + body.Length];
            Encoding.ASCII.GetBytes(head, 0, head.Length, request, 0);
            Buffer.BlockCopy(body, 0, request, head.Length, body.Length);
            Socket kept;
            while (_idle.TryTake(out kept))
            {
                // The service may have closed a connection that was idle; then another one is tried.
                var exchange = new Exchange(kept, deadline);
                try
                {
                    return Finish(exchange, request);
                }
                catch (Exception fault) when (!exchange.HasReply && (fault is SocketException || fault is IOException))
                {
                    deadline.Check();
                }
            }
            var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            try
            {
                // Connecting waits as well, where as many are waiting as may.
                socket.SendTimeout = deadline.Milliseconds();
                socket.Connect(_endPoint);
            }
            catch (Exception)
            {
                socket.Dispose();
                deadline.Check();
                throw;
            }
            return Finish(new Exchange(socket, deadline), request);
        }

        public void Dispose()
        {
            _isDisposed = true;
            Socket socket;
            while (_idle.TryTake(out socket))
            {
                socket.Dispose();
            }
        }

        private Reply Finish(Exchange exchange, byte[] request)
        {
            bool isKept = false;
            try
            {
                Reply reply = exchange.Run(request);
                isKept = exchange.IsReusable && !_isDisposed && _idle.Count < MaxIdle;
                if (isKept)
                {
                    _idle.Add(exchange.Socket);
                }
                return reply;
            }
            finally
            {
                if (!isKept)
                {
                    exchange.Socket.Dispose();
                }
            }
        }

        /// <summary>One request and its reply.</summary>
        private sealed class Exchange
        {
            private readonly Deadline _deadline;
            private readonly byte[] _buffer = new byte[16 * 1024];
            private int _start;
            private int _end;

            public Exchange(Socket socket, Deadline deadline)
            {
                Socket = socket;
                _deadline = deadline;
            }

            public Socket Socket { get; }

            /// <summary>Whether any byte of a reply has come.</summary>
            public bool HasReply { get; private set; }

            /// <summary>Whether the next request may use the connection.</summary>
            public bool IsReusable { get; private set; }

            public Reply Run(byte[] request)
            {
                for (int sent = 0; sent < request.Length;)
                {
                    Socket.SendTimeout = _deadline.Milliseconds();
                    sent += Timed(() => Socket.Send(request, sent, request.Length - sent, SocketFlags.None));
                }
                string line = Line();
                while (line.StartsWith("HTTP/1.1 1", StringComparison.Ordinal))
                {
                    while (Line().Length > 0)
                    {
                    }
                    line = Line();
                }
                int status;
                if (!line.StartsWith("HTTP/1.", StringComparison.Ordinal) || line.Length < 12
                    || !int.TryParse(line.Substring(9, 3), NumberStyles.None, CultureInfo.InvariantCulture, out status))
                {
                    throw new InvalidDataException("the service does not speak HTTP/1.1");
                }
                bool isOpen = line.StartsWith("HTTP/1.1 ", StringComparison.Ordinal);
                int length = -1;
                bool isChunked = false;
                int read = line.Length;
                for (line = Line(); line.Length > 0; line = Line())
                {
                    read += line.Length;
                    if (read > MaxHead)
                    {
                        throw new InvalidDataException("the head of the reply has more than " + MaxHead + " bytes");
                    }
                    int colon = line.IndexOf(':');
                    string name = colon < 0 ? line : line.Substring(0, colon);
                    string value = colon < 0 ? "" : line.Substring(colon + 1).Trim();
                    if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase)
                        && !int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out length))
                    {
                        throw new InvalidDataException("the length of the reply is no number");
                    }
                    isChunked |= name.Equals("Transfer-Encoding", StringComparison.OrdinalIgnoreCase);
                    isOpen &= !(name.Equals("Connection", StringComparison.OrdinalIgnoreCase)
                        && value.Equals("close", StringComparison.OrdinalIgnoreCase));
                }
                byte[] body = isChunked ? Chunks() : length >= 0 ? Bytes(length) : Rest();
                IsReusable = isOpen && _start == _end && (isChunked || length >= 0);
                return new Reply { Status = status, Body = body };
            }

            private byte[] Chunks()
            {
                var body = new MemoryStream();
                while (true)
                {
                    string size = Line().Split(';')[0].Trim();
                    int length;
                    if (!int.TryParse(size, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out length) || length < 0)
                    {
                        throw new InvalidDataException("a part of the reply has no length");
                    }
                    byte[] chunk = Bytes(length);
                    body.Write(chunk, 0, chunk.Length);
                    if (body.Length > TcpTransport.MaxReply)
                    {
                        throw TooLong();
                    }
                    // The line end behind the part; behind the last one, lines up to an empty one.
                    while (Line().Length > 0)
                    {
                        if (length > 0)
                        {
                            throw new InvalidDataException("a part of the reply is longer than it says");
                        }
                    }
                    if (length == 0)
                    {
                        return body.ToArray();
                    }
                }
            }

            private byte[] Bytes(int length)
            {
                if (length > TcpTransport.MaxReply)
                {
                    throw TooLong();
                }
                var bytes = new byte[length];
                int done = 0;
                while (done < length)
                {
                    if (_start == _end && !Fill())
                    {
                        throw Ended();
                    }
                    int more = Math.Min(length - done, _end - _start);
                    Buffer.BlockCopy(_buffer, _start, bytes, done, more);
                    _start += more;
                    done += more;
                }
                return bytes;
            }

            private byte[] Rest()
            {
                var body = new MemoryStream();
                do
                {
                    body.Write(_buffer, _start, _end - _start);
                    _start = _end;
                    if (body.Length > TcpTransport.MaxReply)
                    {
                        throw TooLong();
                    }
                }
                while (Fill());
                return body.ToArray();
            }

            private string Line()
            {
                var line = new StringBuilder();
                while (true)
                {
                    if (_start == _end && !Fill())
                    {
                        throw Ended();
                    }
                    char c = (char)_buffer[_start++];
                    if (c == '\n')
                    {
                        return line.ToString().TrimEnd('\r');
                    }
                    line.Append(c);
                    if (line.Length > MaxHead)
                    {
                        throw new InvalidDataException("a line of the reply has more than " + MaxHead + " bytes");
                    }
                }
            }

            private bool Fill()
            {
                Socket.ReceiveTimeout = _deadline.Milliseconds();
                _start = 0;
                _end = 0;
                _end = Timed(() => Socket.Receive(_buffer));
                HasReply |= _end > 0;
                return _end > 0;
            }

            private int Timed(Func<int> wait)
            {
                try
                {
                    return wait();
                }
                catch (SocketException)
                {
                    _deadline.Check();
                    throw;
                }
            }

            private static IOException Ended()
            {
                return new IOException("the service closed the connection");
            }

            private static InvalidDataException TooLong()
            {
                return new InvalidDataException("the reply has more than " + TcpTransport.MaxReply + " bytes");
            }
        }

        /// <summary>The moment when the answer has to be there, whatever is waited for.</summary>
        private sealed class Deadline
        {
            private readonly Stopwatch _time = Stopwatch.StartNew();
            private readonly TimeSpan _timeout;

            public Deadline(TimeSpan timeout)
            {
                _timeout = timeout;
            }

            /// <summary>What is left, at least a millisecond: none at all would be for ever.</summary>
            public int Milliseconds()
            {
                Check();
                return Math.Max(1, (int)(_timeout - _time.Elapsed).TotalMilliseconds);
            }

            public void Check()
            {
                if (_time.Elapsed + TimeSpan.FromMilliseconds(2) >= _timeout)
                {
                    throw new TimeoutException("the service did not answer within " + _timeout.TotalMilliseconds + " ms");
                }
            }
        }
    }

    /// <summary>The address of a Unix domain socket, which netstandard2.0 does not have.</summary>
    internal sealed class UnixEndPoint : EndPoint
    {
        /// <summary>Bytes of a path; the system's addresses have no place for more.</summary>
        private const int MaxPath = 107;

        private readonly byte[] _path;

        public UnixEndPoint(string path)
        {
            _path = Encoding.UTF8.GetBytes(path ?? "");
            if (_path.Length == 0 || _path.Length > MaxPath || Array.IndexOf(_path, (byte)0) >= 0)
            {
                throw new ArgumentException("the path of a socket has 1 to " + MaxPath + " bytes", nameof(path));
            }
        }

        public override AddressFamily AddressFamily
        {
            get { return AddressFamily.Unix; }
        }

        public override string ToString()
        {
            return Encoding.UTF8.GetString(_path);
        }

        public override SocketAddress Serialize()
        {
            // The family, the path, and NUL.
            var address = new SocketAddress(AddressFamily.Unix, 2 + _path.Length + 1);
            for (int i = 0; i < _path.Length; i++)
            {
                address[2 + i] = _path[i];
            }
            address[2 + _path.Length] = 0;
            return address;
        }

        public override EndPoint Create(SocketAddress address)
        {
            return this;
        }
    }
}
