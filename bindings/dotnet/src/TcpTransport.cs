using System;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Threading;
using System.Threading.Tasks;

namespace Faultbook
{
    /// <summary>HTTP over TCP, by HttpClient.</summary>
    internal sealed class TcpTransport : ITransport
    {
        /// <summary>Bytes of a reply that are read; a decision has some kilobytes.</summary>
        internal const int MaxReply = 4 * 1024 * 1024;

        private static readonly TimeSpan Slack = TimeSpan.FromMilliseconds(100);
        private readonly HttpClient _client;
        private readonly Uri _address;
        private volatile bool _isDisposed;

        public TcpTransport(Uri address, string token)
        {
            var handler = new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false };
            if (address.IsLoopback)
            {
                // A proxy of the environment has nothing to do with a service on this machine.
                handler.UseProxy = false;
            }
            try
            {
                // Two connections are the rule on .NET Framework: all other threads would wait for them.
                handler.MaxConnectionsPerServer = 256;
            }
            catch (Exception missing) when (missing is NotSupportedException || missing is NotImplementedException)
            {
                // Then it is as many as there are.
            }
            _address = address;
            _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = MaxReply };
            _client.DefaultRequestHeaders.ExpectContinue = false;
            if (token != null)
            {
                _client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
            }
        }

        public Reply Post(byte[] body, TimeSpan timeout)
        {
            if (_isDisposed)
            {
                throw new ObjectDisposedException(nameof(FaultbookClient));
            }
            var cancel = new CancellationTokenSource(timeout);
            // Away from the caller's synchronization context, which may be waiting for us.
            Task<Reply> exchange = Task.Run(() => Exchange(body, cancel.Token));
            bool isDone;
            try
            {
                isDone = exchange.Wait(timeout + Slack);
            }
            catch (AggregateException) when (cancel.IsCancellationRequested)
            {
                isDone = false;
            }
            if (!isDone)
            {
                throw new TimeoutException("the service did not answer within " + timeout.TotalMilliseconds + " ms");
            }
            cancel.Dispose();
            return exchange.Result;
        }

        public void Dispose()
        {
            _isDisposed = true;
            _client.Dispose();
        }

        private async Task<Reply> Exchange(byte[] body, CancellationToken cancel)
        {
            for (int attempt = 0; ; attempt++)
            {
                try
                {
                    return await Once(body, cancel).ConfigureAwait(false);
                }
                catch (HttpRequestException) when (attempt == 0 && !cancel.IsCancellationRequested)
                {
                    // The service may have closed a connection that was kept. To ask twice changes nothing.
                }
            }
        }

        private async Task<Reply> Once(byte[] body, CancellationToken cancel)
        {
            var content = new ByteArrayContent(body);
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using (var request = new HttpRequestMessage(HttpMethod.Post, _address) { Content = content })
            using (HttpResponseMessage response = await _client.SendAsync(request, cancel).ConfigureAwait(false))
            {
                byte[] read = await response.Content.ReadAsByteArrayAsync().ConfigureAwait(false);
                return new Reply { Status = (int)response.StatusCode, Body = read };
            }
        }
    }
}
