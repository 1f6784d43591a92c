//! Every key of the rule language with its kind and its meaning: one table for the reader, the schema and the help.

use crate::diagnostic::LINT_NAMES;
use crate::model::{Action, RetryClass};

/// A key of an entry.
#[derive(Debug)]
pub struct Key {
    /// The key as written.
    pub name: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Whether the entry cannot do without it.
    pub required: bool,
    /// What it means, for people who write rule files.
    pub about: &'static str,
}

/// What a key takes.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "only schemas look at what a kind holds"))]
pub enum Kind {
    /// The number of the format.
    Format,
    /// A text.
    Text,
    /// A text in Markdown.
    Markdown,
    /// A list of texts.
    Texts,
    /// One text or a list of them.
    OneOrMore,
    /// A truth value.
    Bool,
    /// A list of whole numbers.
    Integers,
    /// A code of the catalogue.
    Code,
    /// A name in kebab-case.
    Id,
    /// A word from a closed list.
    Word(&'static [&'static str]),
    /// A condition: one text, a list, or `{ all = […] }`.
    Condition,
    /// A condition on numbers, or texts such as `5xx`.
    StatusCondition,
    /// A condition on whole numbers.
    NumberCondition,
    /// Conditions on attributes, by name.
    AttributeConditions,
    /// One pattern or a list of them.
    Patterns,
    /// Patterns by name.
    NamedPatterns(NameKind),
    /// Lists of type names, by type name.
    TypeLists,
    /// Values by name: texts, whole numbers, truth values.
    Attributes,
    /// A whole number from 0.
    Index,
    /// An HTTP status.
    Status,
    /// A table with keys of its own.
    Table(&'static [Key]),
    /// A list of tables with keys of their own.
    Tables(&'static [Key]),
    /// Tables by code or family.
    TablesByName(&'static [Key], NameKind),
}

/// How the names of a table are written.
#[derive(Debug, Clone, Copy)]
pub enum NameKind {
    /// A code: `DSEX001`.
    Code,
    /// A family: `DSEX`.
    Family,
    /// A variable of templates: `client_id`.
    Variable,
    /// What is secret: `functions_key`.
    Secret,
}

#[cfg(feature = "cli")]
impl NameKind {
    /// The names as a regular expression.
    #[must_use]
    pub fn pattern(self) -> &'static str {
        match self {
            Self::Code => "^DS[A-Z]{2,6}[0-9]{3}$",
            Self::Family => "^DS[A-Z]{2,6}$",
            Self::Variable => "^[a-z][a-z0-9_]*$",
            Self::Secret => "^[a-z][a-z0-9_-]*$",
        }
    }
}

impl Key {
    /// The key with a value of its kind, as somebody would type it.
    #[must_use]
    pub fn sample(&self) -> String {
        let name = self.name;
        match self.kind {
            Kind::Table(_) if name == "when" => "when.exception = \"…\"".to_owned(),
            Kind::Table(_) if name == "failure" => "failure = { message = \"…\" }".to_owned(),
            Kind::Format => format!("{name} = 1"),
            Kind::Text | Kind::Markdown | Kind::OneOrMore | Kind::Code | Kind::Id | Kind::Condition | Kind::Word(_) => {
                format!("{name} = \"…\"")
            }
            Kind::Texts => format!("{name} = [\"…\"]"),
            Kind::Bool => format!("{name} = true"),
            Kind::Integers | Kind::NumberCondition => format!("{name} = [1205]"),
            Kind::StatusCondition | Kind::Status => format!("{name} = 404"),
            Kind::Patterns => format!("{name} = '…'"),
            Kind::Index => format!("{name} = 0"),
            Kind::Tables(_) => format!("[[{name}]]"),
            Kind::TablesByName(_, NameKind::Family) => format!("[{name}.DSEX]"),
            Kind::TablesByName(..) => format!("[{name}.DSEX001]"),
            Kind::Table(_)
            | Kind::NamedPatterns(_)
            | Kind::TypeLists
            | Kind::Attributes
            | Kind::AttributeConditions => {
                format!("{name}.… = …")
            }
        }
    }
}

/// Words of other languages for what stands here under another name: word, table, what to write.
const ELSEWHERE: &[(&[&str], &str, &str)] = &[
    (&["not", "and_not", "except", "exclude", "without"], "`when`", "Conditions that must not hold stand in `unless`."),
    (
        &["any", "or", "any_of", "one_of"],
        "`when`",
        "For any of several write a list; for other conditions a second rule.",
    ),
    (
        &["and", "all", "all_of"],
        "`when`",
        "All conditions of `when` must hold anyway; for all items of one write `{ all = […] }`.",
    ),
    (
        &["missing", "exists", "present", "is_null"],
        "`when`",
        "Write `absent = [\"…\"]` for facts that must be missing.",
    ),
    (&["status", "status_code", "statuscode", "http_code", "http"], "`when`", "Did you mean `http_status`?"),
    (&["type", "types", "exception_type", "class", "error_type"], "`when`", "Did you mean `exception`?"),
    (
        &["regex", "pattern", "matches", "msg", "text", "message_pattern"],
        "`when`",
        "Did you mean `message` for a pattern, or `contains` for a text?",
    ),
    (&["substring", "includes", "literal"], "`when`", "Did you mean `contains`?"),
    (
        &["code", "error_code", "provider", "aadsts"],
        "`when`",
        "Did you mean `provider_code`, or `error_number` for a number?",
    ),
    (&["number", "hresult", "sql_error", "errno"], "`when`", "Did you mean `error_number`?"),
    (&["inner", "inner_exception", "root", "cause"], "`when`", "Did you mean `innermost.exception`?"),
    (&["outer", "top"], "`when`", "Did you mean `outermost.exception`?"),
    (&["if", "match", "matches", "condition", "conditions", "where"], "a rule", "Conditions stand in `when`."),
    (&["except", "not", "exclude", "ignore"], "a rule", "Conditions that must not hold stand in `unless`."),
    (&["name", "rule_id", "key"], "a rule", "Did you mean `id`?"),
    (&["priority", "order", "weight"], "a rule", "The order decides: files by the manifest, rules from top to bottom."),
    (
        &["description", "comment", "title", "message", "status", "retry", "action", "severity", "meaning", "remedy"],
        "a rule",
        "What a failure means belongs to its code: `[codes.…]`.",
    ),
    (&["tests", "test", "example"], "a rule", "Did you mean `examples`?"),
    (&["description", "about", "explanation", "details"], "a code", "Did you mean `meaning`?"),
    (&["fix", "solution", "resolution", "steps", "action_text", "help"], "a code", "Did you mean `remedy`?"),
    (&["url", "link", "docs", "see"], "a code", "Did you mean `links`?"),
    (&["deprecated", "obsolete", "removed"], "a code", "Did you mean `retired = \"why\"`?"),
    (&["template", "text", "format_string"], "a code", "Did you mean `message`?"),
    (
        &["when", "unless", "capture", "examples", "counterexamples"],
        "a rule file",
        "It belongs to a rule: write `[rules.…]` behind its `[[rules]]`, or `key.… =` in it.",
    ),
    (&["version", "schema"], "the manifest", "Did you mean `format`?"),
    (&["files", "include", "rules"], "the manifest", "Did you mean `order`?"),
    (&["default", "unknown"], "the manifest", "Did you mean `fallback`?"),
    (&["family"], "the manifest", "Did you mean `families`?"),
];

/// Where a key belongs that stands in the wrong table, as a help line.
#[must_use]
pub fn home(name: &str, what: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    let is_unless = what == "`unless`";
    let elsewhere = ELSEWHERE.iter().find(|(words, table, _)| {
        (*table == what || is_unless && *table == "`when`") && words.contains(&lower.as_str())
    });
    if let Some((.., help)) = elsewhere {
        return Some((*help).to_owned());
    }
    let is_one_of = |keys: &[Key]| keys.iter().any(|key| key.name == name);
    match what {
        "a rule" if is_one_of(CONDITIONS) => Some(format!("Conditions stand in `when`: write `when.{name}`.")),
        "an example" | "a counterexample" if is_one_of(RULE) => {
            Some(format!("`{name}` belongs to the rule: put it above the header of its examples."))
        }
        "an example" | "a counterexample" if is_one_of(FAILURE) => {
            Some(format!("Facts stand in `failure`: write `failure.{name}`."))
        }
        "a failure" if is_one_of(EXCEPTION) => {
            Some(format!("Write it into the exception: `exceptions = [{{ {name} = … }}]`."))
        }
        "a rule file" if is_one_of(MANIFEST) => Some(format!("`{name}` belongs into `faultbook.toml`.")),
        "a rule file" if is_one_of(CODE) => {
            Some(format!("`{name}` belongs to a code: put it under a header such as `[codes.DSEX001]`."))
        }
        "the manifest" if is_one_of(RULE_FILE) => {
            Some(format!("`{name}` belongs into a rule file; list that file in `order`."))
        }
        _ => None,
    }
}

const fn key(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: false, about }
}

const fn required(name: &'static str, kind: Kind, about: &'static str) -> Key {
    Key { name, kind, required: true, about }
}

/// The words of `retry`.
pub const RETRY_WORDS: &[&str] = &RetryClass::NAMES;
/// The words of `action`.
pub const ACTION_WORDS: &[&str] = &Action::NAMES;

const FORMAT_KEY: Key = required("format", Kind::Format, "Version of the rule file format: 1.");

/// `faultbook.toml`.
pub const MANIFEST: &[Key] = &[
    FORMAT_KEY,
    required(
        "order",
        Kind::Texts,
        "All rule files in the order in which they are tried: connector files before shared ones.",
    ),
    required(
        "fallback",
        Kind::Code,
        "The code of failures that no rule knows. It matches everything and is always last.",
    ),
    required("statuses", Kind::Texts, "The transaction statuses that codes may have."),
    required(
        "families",
        Kind::TablesByName(FAMILY, NameKind::Family),
        "Who owns which code numbers, by the letters of the codes.",
    ),
    key("ancestors", Kind::TypeLists, "Exception type → its direct base types, for connectors that cannot send them."),
    key("facts", Kind::Table(FACTS), "Patterns that read facts from messages when the connector did not send them."),
    key(
        "redact",
        Kind::NamedPatterns(NameKind::Secret),
        "Patterns of what never leaves the engine, beside the secrets that it knows by itself.",
    ),
    ACCEPT_KEY,
];

/// `[families.NAME]`.
pub const FAMILY: &[Key] = &[required("title", Kind::Text, "Who the codes of the family belong to.")];

/// `[facts]`. In each pattern the group `value` is the fact; without that group it is the whole match.
pub const FACTS: &[Key] = &[
    key("provider_code", Kind::Patterns, "Codes of the remote side. Every match is a code."),
    key("http_status", Kind::Patterns, "The HTTP status. The first pattern that finds 100 to 599 decides."),
    key("error_number", Kind::Patterns, "Error numbers. Every match is a number."),
];

/// A rule file.
pub const RULE_FILE: &[Key] = &[
    FORMAT_KEY,
    key(
        "connector",
        Kind::OneOrMore,
        "Scope of every rule in the file: one connector or several names of it. Leave it out for shared rules.",
    ),
    key("codes", Kind::TablesByName(CODE, NameKind::Code), "The codes of the family, each with what it means."),
    key("rules", Kind::Tables(RULE), "The rules, tried from top to bottom; the first that applies wins."),
];

/// `[codes.CODE]`.
pub const CODE: &[Key] = &[
    required("title", Kind::Text, "A few words for tables."),
    required("status", Kind::Text, "The transaction status, one of the manifest's `statuses`."),
    required(
        "retry",
        Kind::Word(RETRY_WORDS),
        "What the retry job does with the row: retried = transient, a later pass picks it up; fix-config = somebody has to change a setting first; none = benign, nothing to repeat; undiagnosed = no rule knows it yet.",
    ),
    key(
        "action",
        Kind::Word(ACTION_WORDS),
        "What a person has to do, only where it does not follow from `retry`: retried → wait, fix-config → fix-config, none → none, undiagnosed → contact-support.",
    ),
    key("provisional", Kind::Bool, "Whether the status is a recommendation that no published page confirms."),
    key(
        "message",
        Kind::Text,
        "Template of the message, for example `The secret of {{ client_id | default('(unknown)') }} has expired.` Variables are captures and failure fields. Without a template the failure's own message is shown.",
    ),
    required("meaning", Kind::Markdown, "What it means, in Markdown."),
    required("remedy", Kind::Texts, "What to do, step by step, each step in Markdown."),
    key("links", Kind::Texts, "Where to read more: public pages."),
    key("since", Kind::Text, "The release that issued the code first, for example `2026.11`."),
    key("retired", Kind::Text, "Why the code is no longer issued. Its page stays, its number is never used again."),
    ACCEPT_KEY,
    key("examples", Kind::Tables(EXAMPLE), "Failures that must give this code, whatever rule: for the fallback."),
];

const ACCEPT_KEY: Key = key(
    "accept",
    Kind::Tables(ACCEPT),
    "Findings of `check` that may stand on this entry, each with a reason: `[{ lint = \"…\", reason = \"…\" }]`.",
);

/// An item of `accept`.
pub const ACCEPT: &[Key] = &[
    required("lint", Kind::Word(LINT_NAMES), "The name of the finding, as `check` shows it in brackets."),
    required("reason", Kind::Text, "Why it may stand."),
];

/// `[[rules]]`.
pub const RULE: &[Key] = &[
    required(
        "id",
        Kind::Id,
        "Name of the rule: kebab-case, unique in the file. Decisions carry it with the file's name: `exchange/secret-expired`.",
    ),
    required("code", Kind::Code, "The code that the rule gives."),
    required("when", Kind::Table(CONDITIONS), "Conditions that must all hold."),
    key(
        "unless",
        Kind::Table(CONDITIONS),
        "Conditions of which none may hold. A condition on a missing fact does not hold.",
    ),
    key(
        "capture",
        Kind::NamedPatterns(NameKind::Variable),
        "Parts of the messages for the code's own message: name → pattern with a group `(?<value>…)`.",
    ),
    ACCEPT_KEY,
    key("examples", Kind::Tables(EXAMPLE), "Failures that this rule must win against the whole set."),
    key("counterexamples", Kind::Tables(COUNTEREXAMPLE), "Neighbours that must get another code."),
];

/// `when` and `unless`.
pub const CONDITIONS: &[Key] = &[
    key(
        "exception",
        Kind::Condition,
        "A cause has this type or one of its ancestors. `TimeoutException` is the short name, `System.TimeoutException` the full one; `*` stays inside a name segment, `**` crosses dots, `{A,B}` is either.",
    ),
    key(
        "message",
        Kind::Condition,
        "A regular expression finds something in some cause's message or in the failure's own. Write it in single quotes. `\\d`, `\\w`, `\\s` and `\\b` are ASCII unless `(?u)` asks for Unicode.",
    ),
    key("contains", Kind::Condition, "A literal occurs there, ASCII case ignored."),
    key("http_status", Kind::StatusCondition, "The HTTP status: `429`, `\"5xx\"` or `\"500-599\"`."),
    key("provider_code", Kind::Condition, "A code of the remote side: whole code or glob, ASCII case ignored."),
    key("error_number", Kind::NumberCondition, "A number from the failure's set: SQL Server numbers, socket errors."),
    key("connector", Kind::Condition, "The connector, exactly."),
    key("operation", Kind::Condition, "The operation, exactly."),
    key("phase", Kind::Condition, "The phase, exactly."),
    key(
        "attributes",
        Kind::AttributeConditions,
        "Attributes by name: exact text (globs allowed), number or truth value.",
    ),
    key("absent", Kind::OneOrMore, "Facts that must be missing: `http_status`, `attributes.NAME`, …"),
    key("outermost", Kind::Table(CAUSE_CONDITIONS), "Conditions that must all hold on the outermost cause."),
    key("innermost", Kind::Table(CAUSE_CONDITIONS), "Conditions that must all hold on one cause that wraps no other."),
    key("same_cause", Kind::Table(CAUSE_CONDITIONS), "Conditions that must all hold on one and the same cause."),
];

/// `outermost`, `innermost` and `same_cause`.
pub const CAUSE_CONDITIONS: &[Key] = &[
    key("exception", Kind::Condition, "The cause has this type or one of its ancestors."),
    key("message", Kind::Condition, "A regular expression finds something in the cause's message."),
    key("contains", Kind::Condition, "A literal occurs in the cause's message, ASCII case ignored."),
    key("error_number", Kind::NumberCondition, "The cause carries this number."),
];

/// `[[rules.examples]]`.
pub const EXAMPLE: &[Key] = &[
    required(
        "failure",
        Kind::Table(FAILURE),
        "The failure; state only the fields that matter. It takes the connector of the file when it states none.",
    ),
    key("message", Kind::Text, "The message that the decision must carry."),
];

/// `[[rules.counterexamples]]`.
pub const COUNTEREXAMPLE: &[Key] = &[
    required("code", Kind::Code, "The code that the failure must get instead."),
    required("failure", Kind::Table(FAILURE), "The failure; it takes the connector of the file when it states none."),
];

/// A failure in an example.
pub const FAILURE: &[Key] = &[
    key("id", Kind::Text, "The caller's name for the failure."),
    key("connector", Kind::Text, "The connector that failed."),
    key("operation", Kind::Text, "What it was doing."),
    key("phase", Kind::Text, "The layer that failed."),
    key("exceptions", Kind::Tables(EXCEPTION), "The exceptions, from the outermost to the innermost."),
    key("message", Kind::Text, "What is said outside of any exception."),
    key("http_status", Kind::Status, "The HTTP status, 100 to 599."),
    key("provider_codes", Kind::Texts, "Codes of the remote side."),
    key("error_numbers", Kind::Integers, "Error numbers that belong to no exception in particular."),
    key("attributes", Kind::Attributes, "Facts that only one connector knows."),
    key("stack_trace", Kind::Text, "Stack frames; never matched."),
    key("text", Kind::Text, "The failure as somebody pasted or logged it."),
];

/// An exception of a failure in an example.
pub const EXCEPTION: &[Key] = &[
    key("type", Kind::Text, "The type as the runtime prints it."),
    key("message", Kind::Text, "The exception's own message."),
    key("ancestors", Kind::Texts, "Base types, nearest first."),
    key("error_numbers", Kind::Integers, "Numbers of this exception."),
    key("parent", Kind::Index, "Index of the exception that wraps this one; without it the one before."),
];

/// `ledger.toml`.
pub const LEDGER: &[Key] =
    &[FORMAT_KEY, required("codes", Kind::TablesByName(LEDGER_CODE, NameKind::Code), "Every code ever issued.")];

/// A line of the ledger.
pub const LEDGER_CODE: &[Key] = &[
    required("title", Kind::Text, "The title; wording may change."),
    required("status", Kind::Text, "The status; may never change."),
    required("retry", Kind::Word(RETRY_WORDS), "The retry class; may never change."),
    required("action", Kind::Word(ACTION_WORDS), "The action; may never change."),
    key("retired", Kind::Bool, "Whether the code is retired for good."),
];
