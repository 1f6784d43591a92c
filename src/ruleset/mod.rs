//! Rule sets: from sources to an immutable, proven set, and from a failure to a decision.
//!
//! The only room that knows both rule files and the matcher.

mod against;
mod builtin;
mod classify;
mod cleared;
mod compile;
mod cost;
mod digest;
#[cfg(feature = "cli")]
pub(crate) mod draft;
mod fallback;
mod load;
mod promise;
pub mod proof;
mod redact;
mod signs;
mod succession;
mod trace;
mod verify;

use crate::matcher::Matcher;
use crate::model::{CatalogEntry, Code, Failure, Rule, Template};
use redact::Redactor;

pub use classify::Diagnosis;
pub use load::Rejected;
#[cfg(feature = "cli")]
pub(crate) use load::{compare, inspect};

/// The id of the rule that is always last and matches everything.
pub const FALLBACK_RULE: &str = "fallback";

/// A compiled, immutable set of rules: every example of every rule has been proven against the whole set.
///
/// ```
/// use faultbook::{Failure, RuleSet};
///
/// let rules = RuleSet::builtin();
/// let failure = Failure {
///     connector: Some("exchange".into()),
///     provider_codes: vec!["AADSTS7000222".into()],
///     ..Failure::default()
/// };
/// assert_eq!(rules.classify(&failure).code.as_str(), "DSEX001");
/// ```
#[derive(Debug)]
pub struct RuleSet {
    /// In the order of the files and inside of them.
    codes: Vec<CatalogEntry>,
    /// The message templates of the codes.
    templates: Vec<Option<Template>>,
    /// The rules, in the order in which they are tried.
    matcher: Matcher,
    /// For each rule, the index of its code.
    code_of_rule: Vec<usize>,
    fallback: usize,
    redactor: Redactor,
    families: Vec<(String, String)>,
    /// For each code, the failures of its examples: of its rules in their order, then its own.
    examples: Vec<Vec<Failure<'static>>>,
    digest: String,
    /// For each rule, where it is written; empty for a set that comes from no sources.
    places: Vec<trace::RulePlace>,
}

impl RuleSet {
    /// The codes, in the order of the rule files.
    #[must_use]
    pub fn codes(&self) -> &[CatalogEntry] {
        &self.codes
    }

    /// The rules, in the order in which they are tried; the fallback comes after them.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        self.matcher.rules()
    }

    /// The code of failures that no rule knows.
    #[must_use]
    pub fn fallback(&self) -> &CatalogEntry {
        &self.codes[self.fallback]
    }

    /// A code of the catalogue.
    #[must_use]
    pub fn code(&self, code: &str) -> Option<&CatalogEntry> {
        self.codes.iter().find(|entry| entry.code.as_str() == code)
    }

    /// The rules that give a code, in the order in which they are tried.
    pub fn rules_of<'s>(&'s self, code: &'s Code) -> impl Iterator<Item = &'s Rule> {
        self.rules().iter().filter(move |rule| rule.code == *code)
    }

    /// The proven examples of a code.
    #[must_use]
    pub fn examples_of(&self, code: &Code) -> &[Failure<'static>] {
        let index = self.codes.iter().position(|entry| entry.code == *code);
        index.map_or(&[], |index| &self.examples[index])
    }

    /// The families of codes: letters and title.
    #[must_use]
    pub fn families(&self) -> &[(String, String)] {
        &self.families
    }

    /// Digest of everything that decides; equal digests mean equal behavior.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
