using System;
using System.Collections.Generic;

namespace Faultbook
{
    /// <summary>What the retry job does with the row.</summary>
    public enum RetryClass
    {
        /// <summary>No rule knows the failure; nobody should count on a retry.</summary>
        Undiagnosed,

        /// <summary>The row is tried again.</summary>
        Retried,

        /// <summary>The row is not tried again until somebody has changed the configuration.</summary>
        FixConfig,

        /// <summary>There is nothing to try again.</summary>
        None,
    }

    /// <summary>What a person has to do.</summary>
    public enum RequiredAction
    {
        /// <summary>Ask support, so that a rule is added.</summary>
        ContactSupport,

        /// <summary>Nothing.</summary>
        None,

        /// <summary>Wait for the retry.</summary>
        Wait,

        /// <summary>Change the configuration.</summary>
        FixConfig,
    }

    /// <summary>What faultbook says about a failure. Every failure gets one.</summary>
    public sealed class Decision
    {
        private static readonly IReadOnlyDictionary<string, string> NoCaptures = new Dictionary<string, string>();

        private Decision()
        {
        }

        /// <summary>The failure's own id, when it was sent and is 1 to 64 of A-Z a-z 0-9 . _ -; else null.</summary>
        public string Id { get; private set; }

        /// <summary>The stable code, for example DSEX001; DSUNK001 when no rule knows the failure.</summary>
        public string Code { get; private set; }

        /// <summary>The code's title.</summary>
        public string Title { get; private set; }

        /// <summary>The transaction status, for example Failed.</summary>
        public string Status { get; private set; }

        /// <summary>What the retry job does with the row. A word that this version does not know is Undiagnosed.</summary>
        public RetryClass Retry { get; private set; }

        /// <summary>What a person has to do. A word that this version does not know is ContactSupport.</summary>
        public RequiredAction Action { get; private set; }

        /// <summary>The message for the transaction row, with the code in front, in brackets.</summary>
        public string Message { get; private set; }

        /// <summary>The rule that won, as file and id; <c>fallback</c> when none did.</summary>
        public string Rule { get; private set; }

        /// <summary>
        /// Why the failure is undiagnosed: no-rule, empty, truncated or unreadable, and unavailable when the engine could
        /// not be asked; null when a rule won.
        /// </summary>
        public string UnknownReason { get; private set; }

        /// <summary>What could not be read, or why the engine could not be asked; null when all is well.</summary>
        public string Error { get; private set; }

        /// <summary>What the rule's captures found.</summary>
        public IReadOnlyDictionary<string, string> Captures { get; private set; }

        /// <summary>What was odd about the failure that was sent, for people.</summary>
        public IReadOnlyList<string> Notes { get; private set; }

        /// <summary>Whether the full stack trace belongs into the operational log.</summary>
        public bool LogStackTrace { get; private set; }

        /// <summary>Digest of the rules that decided; empty when the engine could not be asked.</summary>
        public string Ruleset { get; private set; }

        /// <summary>The decision as JSON, as the engine wrote it.</summary>
        public string Json { get; private set; }

        /// <summary>Code, retry class and message.</summary>
        public override string ToString()
        {
            return Message;
        }

        /// <exception cref="FormatException">The text is not a decision.</exception>
        internal static Decision Read(string json)
        {
            var members = JsonReader.Read(json) as Dictionary<string, object>;
            if (members == null)
            {
                throw new FormatException("not an object");
            }
            var decision = new Decision
            {
                Id = members.Text("id"),
                Code = Required(members, "code"),
                Title = members.Text("title") ?? "",
                Status = Required(members, "status"),
                Retry = RetryOf(Required(members, "retry")),
                Action = ActionOf(members.Text("action")),
                Message = Required(members, "message"),
                Rule = members.Text("rule") ?? "",
                UnknownReason = members.Text("unknown_reason"),
                Error = members.Text("error"),
                Captures = NoCaptures,
                Notes = new string[0],
                Ruleset = members.Text("ruleset") ?? "",
                Json = json,
            };
            if (members.Get("log") is Dictionary<string, object> log)
            {
                decision.LogStackTrace = log.Truth("stack_trace");
            }
            if (members.Get("captures") is Dictionary<string, object> captures && captures.Count > 0)
            {
                var texts = new Dictionary<string, string>(StringComparer.Ordinal);
                foreach (KeyValuePair<string, object> capture in captures)
                {
                    texts[capture.Key] = capture.Value as string ?? "";
                }
                decision.Captures = texts;
            }
            if (members.Get("notes") is List<object> notes)
            {
                decision.Notes = notes.ConvertAll(note => note as string ?? "");
            }
            return decision;
        }

        /// <summary>The decision when the engine could not be asked. The message is as it was: nothing is redacted.</summary>
        internal static Decision Local(Stated stated, string reason, string error)
        {
            const string Title = "Unexpected exception";
            string message = string.IsNullOrWhiteSpace(stated.Message) ? Title : stated.Message;
            if (message.Length > 4096)
            {
                message = message.Substring(0, char.IsHighSurrogate(message[4095]) ? 4095 : 4096);
            }
            message = message.StartsWith("[DSUNK001] ", StringComparison.Ordinal) ? message : "[DSUNK001] " + message;
            var json = new JsonWriter();
            json.Begin('{');
            json.Name("id");
            json.Text(stated.Id);
            json.Name("code");
            json.Text("DSUNK001");
            json.Name("title");
            json.Text(Title);
            json.Name("status");
            json.Text("Failed");
            json.Name("retry");
            json.Text("undiagnosed");
            json.Name("action");
            json.Text("contact-support");
            json.Name("message");
            json.Text(message);
            json.Name("rule");
            json.Text("fallback");
            json.Name("captures");
            json.Raw("{}");
            json.Name("evidence");
            json.Raw("[]");
            json.Name("unknown_reason");
            json.Text(reason);
            json.Name("log");
            json.Raw("{\"error_code\":\"DSUNK001\",\"stack_trace\":true}");
            json.Name("ruleset");
            json.Text("");
            json.Name("error");
            json.Text(error);
            json.End('}');
            return Read(json.ToString());
        }

        private static string Required(Dictionary<string, object> members, string name)
        {
            string text = members.Text(name);
            if (string.IsNullOrEmpty(text))
            {
                throw new FormatException("no `" + name + "`");
            }
            return text;
        }

        private static RetryClass RetryOf(string word)
        {
            switch (word)
            {
                case "retried":
                    return RetryClass.Retried;
                case "fix-config":
                    return RetryClass.FixConfig;
                case "none":
                    return RetryClass.None;
                default:
                    return RetryClass.Undiagnosed;
            }
        }

        private static RequiredAction ActionOf(string word)
        {
            switch (word)
            {
                case "none":
                    return RequiredAction.None;
                case "wait":
                    return RequiredAction.Wait;
                case "fix-config":
                    return RequiredAction.FixConfig;
                default:
                    return RequiredAction.ContactSupport;
            }
        }
    }

    /// <summary>What a local decision repeats of a failure.</summary>
    internal struct Stated
    {
        public string Id;
        public string Message;
    }
}
