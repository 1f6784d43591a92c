//! Entries as written in rule files: a mirror of the TOML with the place of every value.
//!
//! Leaves are parsed already; whether entries fit together is for `check`, what they mean for `ruleset::compile`.

use crate::diagnostic::{SourceId, Span, Spanned};
use crate::model::{Action, Capture, Condition, Failure, Pattern, RetryClass, TypeName};

use super::accept::AcceptEntry;
use super::{LEDGER, MANIFEST, Unread};

/// Everything that the files of a set say.
#[derive(Debug, Default)]
pub struct Book {
    /// `faultbook.toml`; a set without it does not load.
    pub manifest: Option<ManifestEntry>,
    /// The rule files, by name.
    pub files: Vec<RuleFile>,
    /// `ledger.toml`.
    pub ledger: Option<LedgerFile>,
    /// What files may hold of which a part was left out, because something in them is wrong.
    pub unread: Unread,
    /// The same for the ledger.
    pub unread_ledger: Unread,
    /// Entries with syntax errors in them: what was read of them is a guess.
    pub broken: Vec<Span>,
    /// Findings that may stand.
    pub accepted: Vec<AcceptEntry>,
    /// Whether something could not be read, so that nothing can be called unused, and no rule be compared as a whole.
    pub has_gaps: bool,
}

/// The manifest.
#[derive(Debug)]
pub struct ManifestEntry {
    /// The file.
    pub source: SourceId,
    /// Rule files in the order in which they are tried.
    pub order: Vec<Spanned<String>>,
    /// The code of failures that no rule knows.
    pub fallback: Option<Spanned<String>>,
    /// The statuses that codes may have.
    pub statuses: Vec<Spanned<String>>,
    /// Who owns which code numbers.
    pub families: Vec<FamilyEntry>,
    /// Types and their base types.
    pub ancestors: Vec<(Spanned<TypeName<'static>>, Vec<TypeName<'static>>)>,
    /// Facts in texts: codes of the remote side.
    pub provider_code: Vec<Spanned<Pattern>>,
    /// Facts in texts: HTTP statuses.
    pub http_status: Vec<Spanned<Pattern>>,
    /// Facts in texts: error numbers.
    pub error_number: Vec<Spanned<Pattern>>,
    /// What never leaves the engine.
    pub redact: Vec<NamedPattern>,
}

/// A family of codes.
#[derive(Debug)]
pub struct FamilyEntry {
    /// The letters of its codes.
    pub name: Spanned<String>,
    /// Who it is.
    pub title: Option<Spanned<String>>,
}

/// A pattern with a name.
#[derive(Debug)]
pub struct NamedPattern {
    /// The name.
    pub name: Spanned<String>,
    /// The pattern.
    pub pattern: Pattern,
}

/// One file of codes and rules.
#[derive(Debug)]
pub struct RuleFile {
    /// The file.
    pub source: SourceId,
    /// Its name without `.toml`: the first part of its rules' ids.
    pub stem: String,
    /// The connectors that its rules are for; empty for all.
    pub connectors: Vec<Spanned<String>>,
    /// Its codes, in the order of the file.
    pub codes: Vec<CodeEntry>,
    /// Its rules, in the order of the file.
    pub rules: Vec<RuleEntry>,
}

/// A code as written.
#[derive(Debug)]
pub struct CodeEntry {
    /// The code.
    pub code: Spanned<String>,
    /// `title`.
    pub title: Option<Spanned<String>>,
    /// `status`.
    pub status: Option<Spanned<String>>,
    /// `retry`.
    pub retry: Option<Spanned<RetryClass>>,
    /// `action`, where it does not follow from the retry class.
    pub action: Option<Spanned<Action>>,
    /// `message`: a template.
    pub message: Option<Spanned<String>>,
    /// `meaning`.
    pub meaning: Option<Spanned<String>>,
    /// `remedy`.
    pub remedy: Vec<Spanned<String>>,
    /// `links`.
    pub links: Vec<Spanned<String>>,
    /// `since`.
    pub since: Option<Spanned<String>>,
    /// `provisional`.
    pub provisional: bool,
    /// `retired`: why.
    pub retired: Option<Spanned<String>>,
    /// Failures that must give this code, whatever rule.
    pub examples: Vec<ExampleEntry>,
}

/// A rule as written.
#[derive(Debug)]
pub struct RuleEntry {
    /// `id`.
    pub id: Spanned<String>,
    /// `code`.
    pub code: Spanned<String>,
    /// `when`.
    pub when: Vec<Spanned<Condition>>,
    /// `unless`.
    pub unless: Vec<Spanned<Condition>>,
    /// `capture`.
    pub captures: Vec<Spanned<Capture>>,
    /// `examples`.
    pub examples: Vec<ExampleEntry>,
    /// Whether the rule says anything about examples, be it readable or not.
    pub has_examples: bool,
    /// `counterexamples`.
    pub counterexamples: Vec<CounterexampleEntry>,
}

/// A failure that a rule must win.
#[derive(Debug)]
pub struct ExampleEntry {
    /// The failure.
    pub failure: Spanned<Failure<'static>>,
    /// The message that the decision must carry.
    pub message: Option<Spanned<String>>,
}

/// A neighbor that must get another code.
#[derive(Debug)]
pub struct CounterexampleEntry {
    /// The code.
    pub code: Spanned<String>,
    /// The failure.
    pub failure: Spanned<Failure<'static>>,
}

/// The ledger.
#[derive(Debug)]
pub struct LedgerFile {
    /// The codes that were ever issued.
    pub codes: Vec<LedgerEntry>,
}

/// A code that was issued.
#[derive(Debug)]
pub struct LedgerEntry {
    /// The code.
    pub code: Spanned<String>,
    /// Its title when it was issued.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "titles are for the tool that writes the ledger"))]
    pub title: Option<Spanned<String>>,
    /// Its status.
    pub status: Option<Spanned<String>>,
    /// Its retry class.
    pub retry: Option<Spanned<RetryClass>>,
    /// Its action.
    pub action: Option<Spanned<Action>>,
    /// Whether it is retired.
    pub retired: bool,
}

impl CodeEntry {
    /// The action: as written, or as it follows from the retry class.
    #[must_use]
    pub fn effective_action(&self) -> Option<Action> {
        let written = self.action.as_ref().map(|action| action.value);
        written.or_else(|| self.retry.as_ref().map(|retry| retry.value.default_action()))
    }
}

impl Book {
    /// All codes of all files with the file they stand in.
    pub fn codes(&self) -> impl Iterator<Item = (&RuleFile, &CodeEntry)> {
        self.files.iter().flat_map(|file| file.codes.iter().map(move |code| (file, code)))
    }

    /// All rules of all files with the file they stand in.
    pub fn rules(&self) -> impl Iterator<Item = (&RuleFile, &RuleEntry)> {
        self.files.iter().flat_map(|file| file.rules.iter().map(move |rule| (file, rule)))
    }

    /// The entry of a code.
    #[must_use]
    pub fn code(&self, code: &str) -> Option<&CodeEntry> {
        self.codes().map(|(_, entry)| entry).find(|entry| entry.code.value == code)
    }

    /// Where codes go that may be described in a file of which a part is left out.
    pub(super) fn unread_of(&mut self, name: &str) -> Option<&mut Unread> {
        match name {
            MANIFEST => None,
            LEDGER => Some(&mut self.unread_ledger),
            _ => Some(&mut self.unread),
        }
    }

    /// The manifest, unless a part of it had to be taken out: then nothing that it names can be called unknown.
    #[must_use]
    pub fn sound_manifest(&self) -> Option<&ManifestEntry> {
        self.manifest.as_ref().filter(|manifest| self.broken.iter().all(|entry| entry.source != manifest.source))
    }

    /// Whether a finding is about an entry with a syntax error, which is what has to be corrected first.
    #[must_use]
    pub fn is_guess(&self, place: &Span) -> bool {
        self.broken.iter().any(|entry| entry.source == place.source && entry.range.contains(&place.range.start))
    }

    /// The rule files in the order of the manifest.
    pub fn ordered_files(&self) -> impl Iterator<Item = &RuleFile> {
        let order = self.manifest.iter().flat_map(|manifest| &manifest.order);
        order.filter_map(|name| {
            let stem = name.value.strip_suffix(".toml")?;
            self.files.iter().find(|file| file.stem == stem)
        })
    }

    /// The place that stands for a file as a whole.
    #[must_use]
    pub fn manifest_span(&self) -> Span {
        Span::start_of(self.manifest.as_ref().map_or(SourceId(0), |manifest| manifest.source))
    }
}
