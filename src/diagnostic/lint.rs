//! The kinds of findings: name, severity and what each is about.
//!
//! Every lint has a folder `tests/lints/<name>/` with the smallest rule set that triggers it; a test demands it.

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// The set does not load.
    Error,
    /// The set loads, but somebody should look.
    Warning,
    /// The set loads and nothing is wrong with it; it says what something costs or means.
    Note,
}

impl Severity {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// Whether somebody may let findings of a kind stand, with a reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acceptance {
    /// No: the set means nothing, or something else, while they stand.
    Never,
    /// Yes.
    Always,
    /// Yes, and they are found only beside another state of the rules: without it nobody can tell whether `accept` is
    /// still needed.
    Compared,
}

/// A kind of finding.
#[derive(Debug, PartialEq, Eq)]
pub struct Lint {
    /// A kebab-case name that can never look like a product code.
    pub name: &'static str,
    /// How grave findings of this kind are.
    pub severity: Severity,
    /// Whether a rule or code may let findings of this kind stand with `accept`.
    pub acceptance: Acceptance,
    /// What it is about and why it matters, in one or two sentences.
    pub about: &'static str,
}

/// Errors cannot be accepted; everything else, and what says so, can.
macro_rules! acceptance {
    (Error) => {
        Acceptance::Never
    };
    ($severity:ident) => {
        Acceptance::Always
    };
    ($severity:ident $acceptance:ident) => {
        Acceptance::$acceptance
    };
}

macro_rules! lints {
    ($($constant:ident $name:literal $severity:ident $(if $acceptance:ident)? $about:literal)*) => {
        /// Every lint by its constant.
        pub mod lints {
            use super::{Acceptance, Lint, Severity};
            $(
                #[doc = $about]
                pub const $constant: &Lint = &Lint {
                    name: $name,
                    severity: Severity::$severity,
                    acceptance: acceptance!($severity $($acceptance)?),
                    about: $about,
                };
            )*
        }

        /// All lints, in the order of the load path.
        pub const LINTS: &[&Lint] = &[$(lints::$constant),*];

        /// The page of each lint by its name: why it matters, a wrong and a right example, in Markdown.
        #[cfg(feature = "cli")]
        pub const PAGES: &[(&str, &str)] = &[$(($name, include_str!(concat!("../../docs/lints/", $name, ".md")))),*];

        /// Their names.
        pub const LINT_NAMES: &[&str] = &[$($name),*];
    };
}

lints! {
    // Files.
    UNREADABLE_FILE "unreadable-file" Error "A file or the rules directory cannot be read, or is not a regular file."
    NOT_UTF8 "not-utf8" Error "A rule file holds bytes that are not UTF-8."
    LIMIT_EXCEEDED "limit-exceeded" Error "A file, pattern, template or set is larger than the limits allow; limits keep a hostile rule file from stalling the engine."
    MANIFEST_MISSING "manifest-missing" Error "The rules directory has no `faultbook.toml`, so that nothing says in which order the files are tried."
    FILE_NOT_LISTED "file-not-listed" Error "A rule file is not listed in the manifest's `order`, so that none of its rules would ever be tried."
    FILE_MISSING "file-missing" Error "The manifest's `order` names a file that does not exist."
    EMPTY_FILE "empty-file" Warning "A rule file without codes and rules: it is there and does nothing, or its end is missing."
    LOCK_MISMATCH "lock-mismatch" Error "The set has a `faultbook.lock`, and its files are not exactly those that were published: somebody is in the middle of changing them, or changed them by hand."
    // TOML and the shape of entries.
    TOML_SYNTAX "toml-syntax" Error "The file is not valid TOML."
    INVISIBLE_CHARACTER "invisible-character" Error "The file holds a bidirectional control or another invisible character: what a reviewer sees is not what the engine reads."
    LOOK_ALIKE_LETTER "look-alike-letter" Error "A word mixes Latin letters with letters of another script that look the same; it never matches what it seems to say."
    NEWER_TOML "newer-toml" Warning "Syntax of TOML 1.1, which editors, formatters and other readers of TOML 1.0 refuse."
    CARRIAGE_RETURN "carriage-return" Note "Lines that end in CR LF: texts of several lines hold the CR as well, and every line differs for who keeps them with LF."
    UNKNOWN_KEY "unknown-key" Error "A key that the rule language does not know; most often a misspelt one, which would silently do nothing."
    MISSING_KEY "missing-key" Error "A key that this entry cannot do without."
    WRONG_TYPE "wrong-type" Error "A value of another type than the key takes."
    EMPTY_VALUE "empty-value" Error "An empty list or an empty text where something is needed."
    UNSUPPORTED_FORMAT "unsupported-format" Error "A `format` number that this version does not read."
    MALFORMED_NAME "malformed-name" Error "A code, id or name that is not written the way such names are written."
    // Closed words.
    UNKNOWN_WORD "unknown-word" Error "A word outside of a closed list: retry class, action or fact."
    UNKNOWN_STATUS "unknown-status" Error "A status that the manifest's `statuses` does not list."
    UNKNOWN_CODE "unknown-code" Error "A rule, example or fallback names a code that no file describes."
    UNKNOWN_FAMILY "unknown-family" Error "A code that belongs to no family of the manifest, so that nobody owns its number."
    DUPLICATE_NAME "duplicate-name" Error "A code, rule id, status or file is given twice."
    // Findings that somebody lets stand.
    ACCEPTANCE_REFUSED "acceptance-refused" Error "An `accept` for a kind of finding that cannot stand: the set would mean nothing, or something else."
    ACCEPTANCE_UNNEEDED "acceptance-unneeded" Warning "An `accept` for something that is not found here any more; the next finding of the kind would go by unseen."
    // Conditions.
    RULE_WITHOUT_CONDITION "rule-without-condition" Error "A rule with nothing in `when` matches every failure and hides all rules behind it."
    PATTERN_SYNTAX "pattern-syntax" Error "A message pattern that the regular expression engine does not accept, such as look-around, back-references and other syntax of .NET."
    PATTERN_CONTROL_CHARACTER "pattern-control-character" Error "A pattern in double quotes where TOML turned an escape such as `\\b` into a control character; it would never match."
    PATTERN_MATCHES_EMPTY "pattern-matches-empty" Error "A pattern that matches the empty text holds for every message."
    NUMBER_PREFIX "number-prefix" Error "A pattern that ends in a number without a boundary also matches longer numbers: `AADSTS90002` finds `AADSTS900023`."
    CAPTURE_WITHOUT_VALUE "capture-without-value" Error "A capture pattern without the group `(?<value>…)` does not say which part to take."
    GLOB_SYNTAX "glob-syntax" Error "A type or provider code pattern that cannot match as written."
    STATUS_RANGE "status-range" Error "An HTTP status outside of 100 to 599, or a range that is not one."
    RANGE_IN_ALL "range-in-all" Error "A condition in `all` that can never hold: one failure has one status, one connector, one operation and one phase."
    SLOW_PATTERN "slow-pattern" Warning "A pattern that a message made for it keeps busy: it has to remember many places at once. The cost is counted, not timed, so that it is the same on every machine."
    SUPERFLUOUS_WILDCARD "superfluous-wildcard" Warning "A pattern that begins or ends with `.*`: a pattern is looked for anywhere, so that changes nothing but the cost."
    CATCH_ALL_RULE "catch-all-rule" Error "A rule whose conditions hold for every failure, or for every one of its connector: it would diagnose what nobody has looked at. That is what the fallback is for."
    // Reach.
    CONTRADICTION "contradiction" Error "Conditions of a rule that exclude each other: the rule can never apply."
    SHADOWED_RULE "shadowed-rule" Error "A rule that can never win: rules in front of it have the same or wider conditions, and the first one that applies wins."
    SHADOWED_ITEM "shadowed-item" Warning "An item of a list that never decides: a rule in front takes all failures that have it."
    SUPERFLUOUS_ITEM "superfluous-item" Warning "An item of a list that another item of the list makes superfluous; most often it was meant to be another one."
    SUPERFLUOUS_CONDITION "superfluous-condition" Warning "A condition that follows from what else the rule says: it holds always, or never where it matters."
    // Words.
    SIMILAR_NAME "similar-name" Warning "A connector, operation, phase or attribute that stands once and is nearly one that stands elsewhere; a misspelt name never matches."
    ANCESTOR_CYCLE "ancestor-cycle" Error "A type that is its own ancestor: one of the lines names a derived type instead of a base type."
    UNUSED_STATUS "unused-status" Warning "A status of the manifest that no code has."
    UNUSED_FAMILY "unused-family" Warning "A family of the manifest without a code."
    UNUSED_CAPTURE "unused-capture" Warning "A capture that the message of the rule's code does not use: somebody meant to show it."
    CAPTURE_WITHOUT_EXAMPLE "capture-without-example" Warning "A capture that finds nothing in any example of its rule: nobody has seen it work."
    DUPLICATE_EXAMPLE "duplicate-example" Warning "The same failure twice on one rule; the second proves nothing."
    SECRET_IN_EXAMPLE "secret-in-example" Warning "An example holds what looks like a secret; rule files stand in repositories and are shown by `explain`."
    DUPLICATE_TITLE "duplicate-title" Warning "Two codes of a family with the same title cannot be told apart where only titles are shown."
    UNTIDY_TITLE "untidy-title" Warning "A title with a full stop, a line end or blanks too many."
    PLACEHOLDER_TEXT "placeholder-text" Warning "A text that nobody has written yet, such as `TODO`."
    CODE_IN_MESSAGE "code-in-message" Warning "A message template that begins with a code; decisions put the code in front themselves."
    SUPERFLUOUS_ACTION "superfluous-action" Note "An action that follows from the retry class anyway."
    INSECURE_LINK "insecure-link" Warning "A link without encryption."
    PROVISIONAL_TOO_LONG "provisional-too-long" Warning "A code that has been provisional for more than a year of releases, counted by the `since` of the newest code."
    // Templates.
    TEMPLATE_SYNTAX "template-syntax" Error "A message template that does not parse, or uses more than expressions and filters."
    TEMPLATE_VARIABLE "template-variable" Error "A message template uses a variable that is no failure field, not captured by every rule of the code, and has no default."
    FOREIGN_PLACEHOLDER "foreign-placeholder" Warning "A message template with the placeholder of another language, such as `{title}`, `${title}` or `%s`; it is shown as it stands."
    VARIABLE_NEVER_SET "variable-never-set" Warning "A message template uses a variable that nothing ever sets; its default is always shown."
    // Meaning.
    CODE_WITHOUT_RULE "code-without-rule" Warning "A code that no rule gives can never be issued."
    RULE_GIVES_RETIRED_CODE "rule-gives-retired-code" Error "A rule gives a code that is retired."
    RULE_WITHOUT_EXAMPLE "rule-without-example" Error "A rule without an example proves nothing; the first change behind it may steal its failures unseen."
    EXAMPLE_FAILS "example-fails" Error "An example that this rule does not win against the whole set: another rule is tried earlier, or no condition holds."
    COUNTEREXAMPLE_FAILS "counterexample-fails" Error "A counterexample that does not get the code it names."
    EXAMPLE_MESSAGE "example-message" Error "An example that gets its code with another message than the one it pins."
    // Ledger.
    LEDGER_MISSING "ledger-missing" Warning "The set has no `ledger.toml`: nothing keeps an issued code from vanishing or changing its meaning."
    CODE_VANISHED "code-vanished" Error "A code that was issued is no longer described."
    CODE_CHANGED_MEANING "code-changed-meaning" Error "An issued code has another status, retry class or action than the ledger says."
    RETIRED_CODE_REUSED "retired-code-reused" Error "A retired code is in use again; its number must never get a second meaning."
    CODE_NOT_IN_LEDGER "code-not-in-ledger" Warning "A code that the ledger does not know yet."
    RULE_VANISHED "rule-vanished" Error "While the engine runs: a rule in force is gone, and its example would be undiagnosed. A file that was cut off between two rules looks like that."
    // Against another state of the rules.
    OTHER_STATE_BROKEN "other-state-broken" Warning if Compared "The state of the rules that this one is compared with does not load, so that only what can be read of it is compared."
    RETRY_MORE_DANGEROUS "retry-more-dangerous" Error if Compared "Against another state of the rules: the retry class of a code moved in a direction that does harm, such as rows that are repeated for ever or dropped without a word."
    RETRY_MOVED "retry-moved" Warning if Compared "Against another state of the rules: the retry class of a code moved in a direction that loses nothing, but asks a person."
    ACTION_MORE_DANGEROUS "action-more-dangerous" Error if Compared "Against another state of the rules: people who were told to act are told to do nothing, or to wait for what does not heal by itself."
    ACTION_MOVED "action-moved" Warning if Compared "Against another state of the rules: people are told to do something else."
    STATUS_MOVED "status-moved" Error if Compared "Against another state of the rules: a code has another status, which connectors store and show."
    FALLBACK_MOVED "fallback-moved" Error if Compared "Against another state of the rules: failures that no rule knows get another code."
    CODE_NO_LONGER_GIVEN "code-no-longer-given" Error if Compared "Against another state of the rules: a code that rules gave is given by none any more, and is not retired."
    FAILURE_MOVED "failure-moved" Error if Compared "Against another state of the rules: a failure that the other state's examples prove gets another code now, or none. That is what a connector sees."
    FAILURE_DIAGNOSED "failure-diagnosed" Note if Compared "Against another state of the rules: a failure that no rule knew has a code now."
    CODE_RETIRED "code-retired" Note if Compared "Against another state of the rules: a code is no longer issued; its page stays, its number is never used again."
    CODE_ADDED "code-added" Note if Compared "Against another state of the rules: a code is new."
    RULE_ADDED "rule-added" Note if Compared "Against another state of the rules: a rule is new and gives a code that there was."
    RULE_REMOVED "rule-removed" Note if Compared "Against another state of the rules: a rule is gone. What became of its failures is said beside it."
    WORDING_CHANGED "wording-changed" Note if Compared "Against another state of the rules: a code has other words for people, and means the same to connectors."
    // Cost.
    PATTERN_WITHOUT_TEXT "pattern-without-text" Note "A rule that is found by nothing but a pattern without a text to look for: the pattern is tried on messages, while all other rules are looked up."
}

#[cfg(test)]
mod tests {
    use super::LINTS;

    #[test]
    fn names_are_kebab_case_and_unique() {
        let mut names: Vec<_> = LINTS.iter().map(|lint| lint.name).collect();
        assert!(
            names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        );
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "a lint name is given twice");
    }
}
