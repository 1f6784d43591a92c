using System.Collections.Generic;

namespace Faultbook
{
    /// <summary>How an engine stands, at one moment (docs/engine.md).</summary>
    public sealed class EngineStatus
    {
        private EngineStatus()
        {
        }

        /// <summary>Number of the set in force: 1 at the start, one more for each set that decides differently.</summary>
        public long Generation { get; private set; }

        /// <summary>Digest of the set in force.</summary>
        public string Ruleset { get; private set; }

        /// <summary>Where it comes from: built-in, directory, last-good or fallback-only.</summary>
        public string Source { get; private set; }

        /// <summary>How changes are noticed: off, scan or events.</summary>
        public string Watch { get; private set; }

        /// <summary>Codes of the set in force.</summary>
        public long Codes { get; private set; }

        /// <summary>Rules of the set in force.</summary>
        public long Rules { get; private set; }

        /// <summary>How the last load ended: swapped, unchanged or rejected; null when nothing was loaded since the start.</summary>
        public string LastReload { get; private set; }

        /// <summary>All of it, as JSON.</summary>
        public string Json { get; private set; }

        internal static EngineStatus Read(string json)
        {
            var members = (Dictionary<string, object>)JsonReader.Read(json);
            var last = members.Get("last_reload") as Dictionary<string, object>;
            return new EngineStatus
            {
                Generation = members.Number("generation") ?? 0,
                Ruleset = members.Text("ruleset"),
                Source = members.Text("source"),
                Watch = members.Text("watch"),
                Codes = members.Number("codes") ?? 0,
                Rules = members.Number("rules") ?? 0,
                LastReload = last?.Text("outcome"),
                Json = json,
            };
        }
    }

    /// <summary>What came of loading the rules again.</summary>
    public sealed class ReloadOutcome
    {
        private ReloadOutcome()
        {
        }

        /// <summary>swapped, unchanged or rejected.</summary>
        public string Outcome { get; private set; }

        /// <summary>Whether the rules were refused; the set from before stays in force.</summary>
        public bool IsRejected
        {
            get { return Outcome == "rejected"; }
        }

        /// <summary>Number of the set in force.</summary>
        public long Generation { get; private set; }

        /// <summary>Digest of the set in force.</summary>
        public string Ruleset { get; private set; }

        /// <summary>Why the rules were rejected, in one line; null when they were not.</summary>
        public string Error { get; private set; }

        /// <summary>All of it, as JSON; with the report when the rules were rejected.</summary>
        public string Json { get; private set; }

        internal static ReloadOutcome Read(string json)
        {
            var members = (Dictionary<string, object>)JsonReader.Read(json);
            return new ReloadOutcome
            {
                Outcome = members.Text("outcome"),
                Generation = members.Number("generation") ?? 0,
                Ruleset = members.Text("ruleset"),
                Error = members.Text("error"),
                Json = json,
            };
        }
    }
}
