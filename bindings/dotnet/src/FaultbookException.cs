using System;
using System.Collections.Generic;

namespace Faultbook
{
    /// <summary>An engine cannot be opened.</summary>
    public sealed class FaultbookException : Exception
    {
        internal FaultbookException(string message, string kind, string report, Exception inner)
            : base(message, inner)
        {
            Kind = kind;
            Report = report;
        }

        /// <summary>What could not be done: io, rejected, invalid-options, internal, or native-library.</summary>
        public string Kind { get; }

        /// <summary>
        /// What is wrong with the rules, as the JSON that <c>faultbook check --format json</c> writes; null when the rules
        /// are not the reason.
        /// </summary>
        public string Report { get; }

        internal static FaultbookException Read(string json)
        {
            try
            {
                var members = (Dictionary<string, object>)JsonReader.Read(json);
                string report = JsonReader.ReadRaw(json, "report");
                return new FaultbookException(members.Text("error"), members.Text("kind"), report, null);
            }
            catch (FormatException)
            {
                return new FaultbookException(json, "internal", null, null);
            }
        }
    }
}
