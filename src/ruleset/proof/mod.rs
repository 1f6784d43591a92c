//! How well a rule set is proven: its examples one by one, what they cover, and which changes of the rules they notice.
//!
//! Everything here is decided by the plain loop and the conditions themselves, never by the index: what leaves out rules
//! that cannot apply must not say which rules were tried.

mod cases;
mod coverage;
mod mutants;
mod telling;

use std::collections::HashMap;

use serde::Serialize;

use crate::diagnostic::{Position, Report, Severity, Sources, Span, lints};
use crate::model::Failure;
pub use crate::model::MutationKind;
use crate::rulefile::Book;

use super::{Rejected, RuleSet, load};
use cases::Case;

/// What a proof looks at.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProofOptions {
    /// Rules by id (`exchange/secret-expired` or `secret-expired`) and codes that are looked at; all when empty. Every
    /// case of the set is run all the same.
    pub only: Vec<String>,
    /// Whether changed rules are tried.
    pub mutants: bool,
}

impl Default for ProofOptions {
    fn default() -> Self {
        Self { only: Vec::new(), mutants: true }
    }
}

/// How well a rule set is proven.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Proof {
    /// Version of this document's shape: 1.
    pub version: u32,
    /// Codes that were looked at.
    pub codes: usize,
    /// The rules that were looked at, in the order in which they are tried.
    pub rules: Vec<RuleProof>,
    /// Every example and counterexample of those rules and codes, in the order of the files.
    pub cases: Vec<CaseResult>,
    /// What the cases of the whole set exercise.
    pub coverage: Coverage,
    /// Which changes of the rules the cases notice; none when it was not asked for, or when a case fails.
    pub mutation: Option<MutationScore>,
}

/// One rule of a proof.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RuleProof {
    /// The rule, with its file.
    pub rule: String,
    /// The code that it gives.
    pub code: String,
    /// Where it stands.
    #[serde(flatten)]
    pub place: CasePlace,
    /// Its examples.
    pub examples: usize,
    /// Its counterexamples.
    pub counterexamples: usize,
    /// Items of its conditions, and captures.
    pub items: usize,
    /// Those of them that are covered.
    pub covered: usize,
    /// Changes of the rule that were tried, without those that can change no answer.
    pub mutants: usize,
    /// Those of them that some case notices.
    pub killed: usize,
}

/// A place in a rule file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CasePlace {
    /// The file, with the rules directory in front.
    pub file: String,
    /// Where it starts.
    #[serde(flatten)]
    pub start: Position,
}

/// The kinds of cases.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CaseKind {
    /// A failure that a rule must win.
    Example,
    /// A neighbor of a rule that must get the code that it names.
    Counterexample,
    /// A failure that must get a code, by whatever rule.
    CodeExample,
}

/// An example or counterexample, and what came of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CaseResult {
    /// The kind of case.
    pub kind: CaseKind,
    /// The rule, or the code, that it belongs to.
    pub owner: String,
    /// Where its failure stands.
    #[serde(flatten)]
    pub place: CasePlace,
    /// Whether everything came as it must.
    pub passed: bool,
    /// What must come; what does not matter is left out.
    pub expected: Answer,
    /// What came.
    pub actual: Answer,
}

/// What a rule set says to a failure, as far as a case looks at it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Answer {
    /// The rule that wins.
    pub rule: Option<String>,
    /// The code.
    pub code: String,
    /// The message.
    pub message: Option<String>,
}

/// What the cases of a set exercise.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Coverage {
    /// Items of all conditions, and captures.
    pub items: usize,
    /// Those of them that are covered.
    pub covered: usize,
    /// The others, in the order of the files.
    pub uncovered: Vec<Uncovered>,
}

/// An item that no case exercises.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Uncovered {
    /// The rule.
    pub rule: String,
    /// Where the item stands.
    #[serde(flatten)]
    pub place: CasePlace,
    /// The item: its condition and its value.
    pub item: String,
    /// A failure that would cover it, where one was found.
    pub telling: Option<Telling>,
}

/// Which changes of the rules the cases of a set notice.
#[derive(Debug, Clone, Default, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct MutationScore {
    /// Changed rules that were tried.
    pub mutants: usize,
    /// Those that make some case come out otherwise.
    pub killed: usize,
    /// Those that can change no answer, for a reason that is certain.
    pub equivalent: usize,
    /// The counts by kind, without kinds that do not occur.
    pub kinds: Vec<KindScore>,
    /// Why changed rules were left out, with their numbers.
    pub reasons: Vec<Reason>,
    /// The changed rules that nobody notices, in the order of the files.
    pub survivors: Vec<Survivor>,
}

/// The score of one kind of change.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct KindScore {
    /// The kind.
    pub kind: MutationKind,
    /// Changed rules that were tried.
    pub mutants: usize,
    /// Those that make some case come out otherwise.
    pub killed: usize,
    /// Those that can change no answer.
    pub equivalent: usize,
}

/// Why changed rules were left out.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Reason {
    /// The reason.
    pub reason: String,
    /// How many were left out for it.
    pub count: usize,
}

/// A changed rule that nobody notices.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Survivor {
    /// The rule.
    pub rule: String,
    /// Where the changed part stands.
    #[serde(flatten)]
    pub place: CasePlace,
    /// The kind of change.
    pub kind: MutationKind,
    /// The change in words.
    pub change: String,
    /// A failure that would tell the changed rule from the rule, where one was found.
    pub telling: Option<Telling>,
}

/// A failure that tells two rule sets apart, to be written down as a case.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Telling {
    /// Whether it is an example or a counterexample of the rule.
    pub kind: CaseKind,
    /// The answer of the set as it is.
    pub expected: Answer,
    /// The answer with the change.
    pub changed: Answer,
    /// The failure, as `faultbook schema failure` describes it.
    #[cfg_attr(feature = "cli", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub failure: Failure<'static>,
}

impl MutationScore {
    /// The share of changed rules that some case notices, of those that can change an answer; 1 when there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of mutants are far below 2^52")]
    pub fn score(&self) -> f64 {
        let counted = self.mutants - self.equivalent;
        if counted == 0 { 1.0 } else { self.killed as f64 / counted as f64 }
    }
}

impl Coverage {
    /// The share of covered items in percent; 100 when there are none.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of items are far below 2^52")]
    pub fn percent(&self) -> f64 {
        if self.items == 0 { 100.0 } else { 100.0 * self.covered as f64 / self.items as f64 }
    }
}

impl Proof {
    /// The cases that did not come out as they must.
    pub fn failing(&self) -> impl Iterator<Item = &CaseResult> {
        self.cases.iter().filter(|case| !case.passed)
    }
}

impl RuleSet {
    /// Runs every example and counterexample of a rule set, and says what they cover and which changes of the rules they
    /// notice. `progress` is told how many steps of how many are done, from several threads.
    ///
    /// Failing cases are part of the proof. The report holds all other findings of the load.
    ///
    /// # Errors
    /// When anything but its cases keeps the set from loading; the report holds all findings.
    pub fn prove(
        sources: Sources,
        options: &ProofOptions,
        progress: &(dyn Fn(usize, usize) + Sync),
    ) -> Result<(Proof, Report), Rejected> {
        let (set, report, book) = load::unproven(sources);
        let about_cases = [lints::EXAMPLE_FAILS, lints::COUNTEREXAMPLE_FAILS, lints::EXAMPLE_MESSAGE];
        let is_sound = report
            .diagnostics()
            .iter()
            .all(|finding| finding.lint.severity != Severity::Error || about_cases.contains(&finding.lint));
        let Some(set) = set.filter(|_| is_sound) else { return Err(Rejected::new(report)) };
        let proof = prove(&set, &book, report.sources(), options, progress);
        Ok((proof, report))
    }
}

fn prove(
    set: &RuleSet,
    book: &Book,
    sources: &Sources,
    options: &ProofOptions,
    progress: &(dyn Fn(usize, usize) + Sync),
) -> Proof {
    let rules = rule_entries(set, book, sources);
    let cases = cases::all(set, book);
    let is_meant = |rule: &RuleHere<'_>| {
        let id = rule.rule.id.as_str();
        let short = id.rsplit('/').next().unwrap_or(id);
        options.only.is_empty()
            || options.only.iter().any(|only| only == id || only == short || only == rule.rule.code.as_str())
    };
    let meant: Vec<bool> = rules.iter().map(is_meant).collect();
    let is_case_meant = |case: &Case<'_>| match case.rule {
        Some(rule) => meant[rule],
        None => options.only.is_empty() || options.only.iter().any(|only| only == case.code),
    };
    let results: Vec<CaseResult> =
        cases.iter().filter(|case| is_case_meant(case)).map(|case| case.result(set, sources)).collect();
    let mut proofs: Vec<RuleProof> = rules
        .iter()
        .map(|rule| RuleProof {
            rule: rule.rule.id.clone(),
            code: rule.rule.code.to_string(),
            place: place(sources, &rule.entry.id.span),
            examples: rule.entry.examples.len(),
            counterexamples: rule.entry.counterexamples.len(),
            items: 0,
            covered: 0,
            mutants: 0,
            killed: 0,
        })
        .collect();
    let work = Work { set, sources, rules: &rules, cases: &cases, meant: &meant, types: known_types(book) };
    let coverage = coverage::measure(&work, &mut proofs);
    let all_pass = cases.iter().all(|case| case.passed);
    let mutation = (options.mutants && all_pass).then(|| mutants::score(&work, &mut proofs, progress));
    let mut at = 0;
    proofs.retain(|_| {
        at += 1;
        meant[at - 1]
    });
    let mut codes: Vec<&str> = proofs
        .iter()
        .map(|proof| proof.code.as_str())
        .chain(results.iter().filter(|case| case.kind == CaseKind::CodeExample).map(|case| case.owner.as_str()))
        .collect();
    codes.sort_unstable();
    codes.dedup();
    let codes = if options.only.is_empty() { set.codes().len() } else { codes.len() };
    Proof { version: 1, codes, rules: proofs, cases: results, coverage, mutation }
}

/// What the parts of a proof work on.
struct Work<'w> {
    set: &'w RuleSet,
    sources: &'w Sources,
    rules: &'w [RuleHere<'w>],
    cases: &'w [Case<'w>],
    /// For each rule, whether it is looked at.
    meant: &'w [bool],
    /// Short type names with the full names that the manifest gives them.
    types: HashMap<String, Vec<String>>,
}

/// A rule with its entry and the places of its items.
struct RuleHere<'b> {
    rule: &'b crate::model::Rule,
    entry: &'b crate::rulefile::RuleEntry,
    file: &'b crate::rulefile::RuleFile,
    items: crate::rulefile::ItemPlaces,
}

/// The rules in the order in which they are tried, which is that of the book.
fn rule_entries<'b>(set: &'b RuleSet, book: &'b Book, sources: &Sources) -> Vec<RuleHere<'b>> {
    let mut here = Vec::new();
    for file in book.ordered_files() {
        let mut places = crate::rulefile::item_places(&sources.get(file.source).text).into_iter();
        for entry in &file.rules {
            let Some(rule) = set.rules().get(here.len()) else { continue };
            here.push(RuleHere { rule, entry, file, items: places.next().unwrap_or_default() });
        }
    }
    here
}

fn known_types(book: &Book) -> HashMap<String, Vec<String>> {
    let mut known: HashMap<String, Vec<String>> = HashMap::new();
    for (name, parents) in book.manifest.iter().flat_map(|manifest| &manifest.ancestors) {
        for name in std::iter::once(&name.value).chain(parents).filter(|name| !name.is_short()) {
            let names = known.entry(name.short().to_owned()).or_default();
            if !names.iter().any(|known| known == name.full()) {
                names.push(name.full().to_owned());
            }
        }
    }
    known
}

impl RuleHere<'_> {
    /// Where a part of the rule stands; the condition as a whole where nothing smaller is known.
    fn span(&self, slot: crate::model::mutation::Slot) -> Span {
        use crate::model::mutation::Side;
        let (conditions, places) = match slot.side {
            Side::When => (&self.entry.when, &self.items.when),
            Side::Unless => (&self.entry.unless, &self.items.unless),
            Side::Capture => {
                let range = self.items.captures.get(slot.condition).cloned();
                let whole =
                    self.entry.captures.get(slot.condition).map_or(&self.entry.id.span, |capture| &capture.span);
                return Span { source: whole.source, range: range.unwrap_or_else(|| whole.range.clone()) };
            }
        };
        let whole = conditions.get(slot.condition).map_or(&self.entry.id.span, |condition| &condition.span);
        let items = places.get(slot.condition).and_then(|parts| parts.get(slot.part.unwrap_or_default()));
        let range = match (slot.part, slot.item) {
            (_, Some(item)) => items.and_then(|items| items.get(item)).cloned(),
            (Some(_), None) => items.and_then(|items| items.first()).cloned(),
            (None, None) => None,
        };
        Span { source: whole.source, range: range.unwrap_or_else(|| whole.range.clone()) }
    }
}

fn place(sources: &Sources, span: &Span) -> CasePlace {
    CasePlace { file: sources.path(span.source), start: sources.position(span.source, span.range.start) }
}
