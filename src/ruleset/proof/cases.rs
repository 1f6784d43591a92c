//! The cases of a set: every example and counterexample with its facts, and what comes of it.

use crate::diagnostic::{Sources, Span};
use crate::matcher::{Candidate, Scratch, plain};
use crate::model::{Failure, Rule};
use crate::rulefile::{Book, RuleFile};

use super::super::compile::in_scope;
use super::super::{FALLBACK_RULE, RuleSet};
use super::{Answer, CaseKind, CaseResult, place};

/// One case, with its facts.
pub(super) struct Case<'b> {
    pub(super) kind: CaseKind,
    /// The place of the rule that it belongs to; none for the example of a code.
    pub(super) rule: Option<usize>,
    /// The code that it must get.
    pub(super) code: &'b str,
    /// The message that it must get.
    pub(super) message: Option<&'b str>,
    pub(super) span: &'b Span,
    pub(super) failure: Failure<'static>,
    facts: Scratch,
    /// The place of the rule that wins.
    pub(super) winner: Option<usize>,
    pub(super) passed: bool,
    owner: String,
}

/// All cases in the order of the files.
pub(super) fn all<'b>(set: &RuleSet, book: &'b Book) -> Vec<Case<'b>> {
    let mut cases = Vec::new();
    let mut rule = 0;
    for file in book.ordered_files() {
        for entry in &file.rules {
            let owner = format!("{}/{}", file.stem, entry.id.value);
            for example in &entry.examples {
                let message = example.message.as_ref().map(|message| message.value.as_str());
                let case = Case::new(CaseKind::Example, Some(rule), &entry.code.value, message, &example.failure.span);
                cases.push(case.with(owner.clone(), file, &example.failure.value));
            }
            for neighbor in &entry.counterexamples {
                let span = &neighbor.failure.span;
                let case = Case::new(CaseKind::Counterexample, Some(rule), &neighbor.code.value, None, span);
                cases.push(case.with(owner.clone(), file, &neighbor.failure.value));
            }
            rule += 1;
        }
        for entry in &file.codes {
            for example in &entry.examples {
                let message = example.message.as_ref().map(|message| message.value.as_str());
                let case = Case::new(CaseKind::CodeExample, None, &entry.code.value, message, &example.failure.span);
                cases.push(case.with(entry.code.value.clone(), file, &example.failure.value));
            }
        }
    }
    for case in &mut cases {
        case.facts = set.facts_of(&case.failure);
        case.winner = plain::first(set.rules(), case.candidate());
        let (decision, by_index) = set.classify_by(&case.failure);
        let is_right = case.fits(case.winner, set, || decision.message.clone());
        // The loop and the index agree, or what is measured here is not what answers.
        case.passed = is_right && by_index == case.winner;
    }
    cases
}

impl<'b> Case<'b> {
    fn new(kind: CaseKind, rule: Option<usize>, code: &'b str, message: Option<&'b str>, span: &'b Span) -> Self {
        let (failure, facts, owner) = (Failure::default(), Scratch::default(), String::new());
        Self { kind, rule, code, message, span, failure, facts, winner: None, passed: false, owner }
    }

    fn with(self, owner: String, file: &RuleFile, failure: &Failure<'static>) -> Self {
        Self { owner, failure: in_scope(file, failure), ..self }
    }

    /// The failure with its facts.
    pub(super) fn candidate(&self) -> Candidate<'_> {
        self.facts.candidate(&self.failure)
    }

    /// Whether the case comes out as it must when a rule wins it. The message is made only where it matters.
    pub(super) fn fits(&self, winner: Option<usize>, set: &RuleSet, message: impl FnOnce() -> String) -> bool {
        let is_right = match self.kind {
            CaseKind::Example => winner == self.rule,
            CaseKind::Counterexample | CaseKind::CodeExample => code_of(set, winner) == self.code,
        };
        is_right && self.message.is_none_or(|pinned| message() == pinned)
    }

    pub(super) fn result(&self, set: &RuleSet, sources: &Sources) -> CaseResult {
        let decision = set.classify(&self.failure);
        let is_example = self.kind == CaseKind::Example;
        CaseResult {
            kind: self.kind,
            owner: self.owner.clone(),
            place: place(sources, self.span),
            passed: self.passed,
            expected: Answer {
                rule: is_example.then(|| self.owner.clone()),
                code: self.code.to_owned(),
                message: self.message.map(str::to_owned),
            },
            actual: Answer {
                rule: Some(decision.rule.into_owned()),
                code: decision.code.to_string(),
                message: Some(decision.message),
            },
        }
    }
}

/// The code that a rule gives, or the fallback's.
pub(super) fn code_of(set: &RuleSet, rule: Option<usize>) -> &str {
    match rule.and_then(|rule| set.rules().get(rule)) {
        Some(rule) => rule.code.as_str(),
        None => set.fallback().code.as_str(),
    }
}

/// The answer when a rule wins.
pub(super) fn answer_of(set: &RuleSet, rule: Option<usize>) -> Answer {
    let id = rule.and_then(|rule| set.rules().get(rule)).map_or(FALLBACK_RULE, |rule| &rule.id);
    Answer { rule: Some(id.to_owned()), code: code_of(set, rule).to_owned(), message: None }
}

/// Whether a rule applies, by itself.
pub(super) fn applies(rule: &Rule, candidate: Candidate<'_>) -> bool {
    plain::first(std::slice::from_ref(rule), candidate).is_some()
}
