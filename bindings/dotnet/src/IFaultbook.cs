using System;
using System.Collections.Generic;

namespace Faultbook
{
    /// <summary>
    /// Says what failures are: <see cref="FaultbookEngine"/> in this process, <see cref="FaultbookClient"/> through the
    /// HTTP service. Both may be used by any number of threads at the same time, and neither throws when it classifies.
    /// </summary>
    public interface IFaultbook : IDisposable
    {
        /// <summary>Says what an exception is. Never throws.</summary>
        /// <param name="exception">The exception as it was caught; null when there is none, and the options say all.</param>
        /// <param name="options">What the connector knows beside the exception.</param>
        Decision Classify(Exception exception, ClassifyOptions options = null);

        /// <summary>Says what a failure is that is JSON already (docs/input.md). Never throws.</summary>
        Decision ClassifyJson(string failure);

        /// <summary>Says what a failure is that is JSON in UTF-8 already (docs/input.md). Never throws.</summary>
        Decision ClassifyJson(byte[] failure);
    }

    /// <summary>What a connector knows beside the exception. What is null is unknown; what is set wins over the exception.</summary>
    public sealed class ClassifyOptions
    {
        /// <summary>The caller's name for the failure, echoed in the decision: 1 to 64 of A-Z a-z 0-9 . _ -.</summary>
        public string Id { get; set; }

        /// <summary>The connector that failed: exchange, webhook, business-central.</summary>
        public string Connector { get; set; }

        /// <summary>What the connector was doing: create, update, delete.</summary>
        public string Operation { get; set; }

        /// <summary>The layer that failed: validation, token, transport.</summary>
        public string Phase { get; set; }

        /// <summary>What is said outside of any exception.</summary>
        public string Message { get; set; }

        /// <summary>The failure as somebody pasted or logged it, or the body of a reply.</summary>
        public string Text { get; set; }

        /// <summary>The HTTP status of the reply, 100 to 599.</summary>
        public int? HttpStatus { get; set; }

        /// <summary>Codes of the remote side, beside those of the exceptions: AADSTS7000222, ErrorItemNotFound.</summary>
        public IEnumerable<string> ProviderCodes { get; set; }

        /// <summary>Facts that only this connector knows, such as retries_exhausted: texts, whole numbers, truth values.</summary>
        public IDictionary<string, object> Attributes { get; set; }

        /// <summary>
        /// Whether the stack trace of the outermost exception is sent. No rule looks at it; a service that keeps unknown
        /// failures keeps it with them.
        /// </summary>
        public bool IncludeStackTrace { get; set; }
    }
}
