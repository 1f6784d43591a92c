//! The vocabulary: 100 nouns and 40 verbs, which rules and filler text share.

use super::random::Random;

pub const NOUNS: [&str; 100] = [
    "mailbox",
    "calendar",
    "attachment",
    "appointment",
    "recipient",
    "category",
    "delegate",
    "folder",
    "subscription",
    "webhook",
    "tenant",
    "certificate",
    "secret",
    "consent",
    "token",
    "directory",
    "policy",
    "licence",
    "quota",
    "throttle",
    "gateway",
    "proxy",
    "listener",
    "socket",
    "channel",
    "session",
    "handshake",
    "endpoint",
    "route",
    "header",
    "payload",
    "envelope",
    "schema",
    "field",
    "column",
    "table",
    "index",
    "partition",
    "transaction",
    "snapshot",
    "replica",
    "cursor",
    "lock",
    "deadlock",
    "connection",
    "pool",
    "worker",
    "queue",
    "message",
    "batch",
    "job",
    "schedule",
    "trigger",
    "timer",
    "lease",
    "resource",
    "capacity",
    "planner",
    "board",
    "pin",
    "task",
    "container",
    "region",
    "cluster",
    "node",
    "shard",
    "bucket",
    "blob",
    "archive",
    "backup",
    "journal",
    "ledger",
    "invoice",
    "order",
    "shipment",
    "warehouse",
    "customer",
    "vendor",
    "currency",
    "dimension",
    "posting",
    "company",
    "codeunit",
    "extension",
    "upgrade",
    "migration",
    "feature",
    "setting",
    "profile",
    "template",
    "report",
    "export",
    "import",
    "filter",
    "query",
    "result",
    "counter",
    "version",
    "checksum",
    "signature",
];

pub const VERBS: [&str; 40] = [
    "rejected",
    "expired",
    "exceeded",
    "blocked",
    "refused",
    "revoked",
    "dropped",
    "locked",
    "missing",
    "corrupted",
    "truncated",
    "overridden",
    "disabled",
    "suspended",
    "throttled",
    "cancelled",
    "aborted",
    "detached",
    "duplicated",
    "misrouted",
    "quarantined",
    "unassigned",
    "deleted",
    "renamed",
    "outdated",
    "unverified",
    "unsigned",
    "orphaned",
    "unreachable",
    "exhausted",
    "abandoned",
    "disputed",
    "forbidden",
    "reserved",
    "archived",
    "rescheduled",
    "unmapped",
    "unpublished",
    "superseded",
    "invalidated",
];

/// Types that many failures carry, whatever went wrong.
pub const COMMON_TYPES: [&str; 12] = [
    "System.Net.Http.HttpRequestException",
    "System.TimeoutException",
    "System.Threading.Tasks.TaskCanceledException",
    "System.InvalidOperationException",
    "System.IO.IOException",
    "System.Net.WebException",
    "System.AggregateException",
    "System.Net.Sockets.SocketException",
    "Microsoft.Data.SqlClient.SqlException",
    "System.ArgumentException",
    "System.UnauthorizedAccessException",
    "System.Security.Authentication.AuthenticationException",
];

pub const NAMESPACES: [&str; 6] = [
    "Contoso.Sync",
    "Contoso.Sync.Client",
    "Fabrikam.Connect",
    "Northwind.Planning.Core",
    "Litware.Bridge",
    "Tailspin",
];

pub const CONNECTORS: [&str; 8] =
    ["exchange", "graph", "business-central", "webhook", "sql", "planner", "storage", "identity"];

/// Patterns from which no literal can be taken, each with a text that it matches.
pub const WITHOUT_LITERAL: [(&str, &str); 16] = [
    (r"\b4[0-9][0-9]\b", "404"),
    (r"\b5[0-9]{2}\b", "503"),
    (r"\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b", "10.20.30.40"),
    (r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "6f9619ff-8b86-4011-b42d-00cf4fc964ff"),
    (r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b", "2031-04-17"),
    (r"\b[0-9]{2}:[0-9]{2}:[0-9]{2}\b", "17:04:59"),
    (r"\b0x[0-9a-f]{8}\b", "0x80131904"),
    (r"\b[A-Z]{3}-[0-9]{4}\b", "QRS-7311"),
    (r"\b[0-9]{3,6} ?ms\b", "1500 ms"),
    (r"\b[0-9]{1,3}%", "97%"),
    (r"\b[A-Z]{2}[0-9]{6}\b", "KX204117"),
    (r"\bE[0-9]{4}\b", "E1042"),
    (r"\b[0-9]+/[0-9]+\b", "3/5"),
    (r"\[[0-9]{3}\]", "[217]"),
    (r"#[0-9]{5,9}\b", "#204611"),
    (r"\b[A-Z]{4,6}_[A-Z]{4,6}\b", "QUOTA_LIMIT"),
];

/// A phrase of three words; all numbers below 400,000 give different ones.
///
/// Filler has the same words in other company, so that no filler is a phrase by chance.
pub fn phrase(number: usize) -> String {
    // Neighboring numbers shall not share words: the factor has no divisor in common with the count.
    let scattered = number.wrapping_mul(221_447) % 400_000;
    let (noun, verb, other) = (scattered % 100, scattered / 100 % 40, scattered / 4_000);
    let joint = [" for ", " by ", " in the "][number % 3];
    format!("{} {}{joint}{}", NOUNS[noun], VERBS[verb], NOUNS[other])
}

/// `mailbox` as a part of a type name.
pub fn capital(word: &str) -> String {
    let (first, rest) = word.split_at(1);
    format!("{}{rest}", first.to_ascii_uppercase())
}

/// Appends sentences from the vocabulary, about `bytes` long.
pub fn fill(text: &mut String, bytes: usize, random: &mut Random) {
    let end = text.len() + bytes;
    while text.len() < end {
        if !text.is_empty() {
            text.push(' ');
        }
        let (noun, other, verb) = (random.pick(&NOUNS), random.pick(&NOUNS), random.pick(&VERBS));
        match random.below(6) {
            0 => text.push_str(&format!("The {noun} of the {other} was {verb}.")),
            1 => text.push_str(&format!("Check that the {noun} is not {verb}, then repeat.")),
            2 => text.push_str(&format!("{} ({other}) reported {} items;", capital(noun), random.within(2, 90))),
            3 => text.push_str(&format!("at step {} the {noun} and the {other} disagree,", random.within(1, 40))),
            4 => text.push_str(&format!("{verb} {noun}: {other}={},", random.within(10, 99))),
            _ => text.push_str(&format!("could not read {noun} because its {other} is {verb}.")),
        }
    }
}
