//! What moved since another state of the rules, and whom it harms. `docs/against.md` holds the table of directions.

use std::collections::{HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Label, Lint, Report, Severity, SourceId, Sources, Span, Spanned, lints};
use crate::error::{Error, ErrorKind};
use crate::matcher::Scratch;
use crate::model::{Action, Failure, RetryClass};
use crate::rulefile::{Book, CodeEntry, RuleEntry, RuleFile};

use super::compile::in_scope;
use super::promise::{Move, moves};
use super::{Diagnosis, FALLBACK_RULE, RuleSet};

/// Another state of the rules, as far as it can be read.
pub(super) struct Other {
    /// None when it does not load.
    set: Option<RuleSet>,
    report: Report,
    book: Book,
}

impl Other {
    /// Reads another state. One that does not load is compared by what its files say.
    ///
    /// # Errors
    /// When no code of it can be read.
    pub(super) fn read(sources: Sources) -> Result<Self, Error> {
        let (set, report, book) = super::load::inspect(sources, None);
        if book.codes().next().is_some() {
            return Ok(Self { set, report, book });
        }
        let root = report.sources().root();
        let first = first_error(&report).map_or_else(String::new, |finding| format!(": {}", finding.message));
        let message = format!("there is nothing to compare with in `{root}`: no code of it can be read{first}");
        Err(Error::new(ErrorKind::Rejected, message))
    }

    /// Finds what moved between this state and the one that is checked, of which `set` is none when it does not
    /// compile. The files of this state become part of the sources.
    pub(super) fn compare(
        &self,
        set: Option<&RuleSet>,
        book: &Book,
        sources: &mut Sources,
        findings: &mut Vec<Diagnostic>,
    ) {
        let first = sources.add_others(self.report.sources());
        let mut comparison = Comparison { other: self, book, first, sources, findings, orphans: HashMap::new() };
        comparison.broken();
        comparison.fallback();
        if let Some((before, set)) = self.set.as_ref().zip(set) {
            comparison.failures(before, set);
        }
        comparison.codes();
        if let Some(set) = set {
            comparison.codes_without_rule(set);
            comparison.rules(set);
        }
    }

    fn root(&self) -> &str {
        self.report.sources().root()
    }
}

fn first_error(report: &Report) -> Option<&Diagnostic> {
    report.diagnostics().iter().find(|finding| finding.lint.severity == Severity::Error)
}

/// How a move of the retry class harms.
fn retry_harm(from: RetryClass, to: RetryClass) -> (&'static Lint, &'static str) {
    use RetryClass::{FixConfig, None, Retried, Undiagnosed};
    match (from, to) {
        (_, Undiagnosed) => (lints::RETRY_MORE_DANGEROUS, "what is known is handled like what nobody knows"),
        (_, None) => (lints::RETRY_MORE_DANGEROUS, "rows are dropped without a word, and their data is lost"),
        (FixConfig, _) => (lints::RETRY_MORE_DANGEROUS, "rows that need a setting changed are repeated for ever"),
        (None, Retried) => (lints::RETRY_MORE_DANGEROUS, "rows that need no repeating are repeated for ever"),
        (Undiagnosed, Retried) => (lints::RETRY_MORE_DANGEROUS, "what nobody knows is repeated unseen"),
        (Undiagnosed, FixConfig) => {
            (lints::RETRY_MORE_DANGEROUS, "people look for a setting in failures that nobody knows")
        }
        (Retried, _) => (lints::RETRY_MOVED, "rows that healed by themselves wait for a person"),
        (None, FixConfig) => (lints::RETRY_MOVED, "a person is asked about what was benign"),
    }
}

/// How a move of the action harms.
fn action_harm(from: Action, to: Action) -> (&'static Lint, &'static str) {
    match (from, to) {
        (_, Action::None) => (lints::ACTION_MORE_DANGEROUS, "nobody is told to do anything"),
        (Action::FixConfig | Action::ContactSupport, Action::Wait) => {
            (lints::ACTION_MORE_DANGEROUS, "people wait for what does not heal by itself")
        }
        _ => (lints::ACTION_MOVED, "people are told to do something else"),
    }
}

struct Comparison<'c> {
    other: &'c Other,
    book: &'c Book,
    /// Where the files of the other state begin in the sources.
    first: usize,
    sources: &'c Sources,
    findings: &'c mut Vec<Diagnostic>,
    /// For each code that no rule gives any more: the failures that got it, with what they get now.
    orphans: HashMap<String, Vec<Label>>,
}

impl Comparison<'_> {
    /// Adds what became of the failures of a code that is gone.
    fn with_orphans(&mut self, code: &str, mut finding: Diagnostic) -> Diagnostic {
        finding.secondary.extend(self.orphans.remove(code).unwrap_or_default());
        finding
    }

    /// A place of the other state.
    fn there(&self, span: &Span) -> Span {
        Span { source: SourceId(self.first + span.source.0), range: span.range.clone() }
    }

    /// Adds a finding, in the place of one that says less about the same thing.
    fn push_instead(&mut self, twin: &'static Lint, finding: Diagnostic) {
        self.findings.retain(|other| other.lint != twin || other.primary.span != finding.primary.span);
        self.findings.push(finding);
    }

    /// Says that the other state does not load.
    fn broken(&mut self) {
        let error = first_error(&self.other.report).filter(|_| self.other.set.is_none());
        let Some(error) = error else { return };
        let message = format!(
            "the rules in `{}` do not load; only what they say of codes and rules is compared",
            self.other.root()
        );
        let place = self.there(&error.primary.span);
        self.findings.push(
            Diagnostic::new(lints::OTHER_STATE_BROKEN, self.book.manifest_span(), message)
                .also(place, error.message.clone())
                .help("Compare with a state that loads to see what becomes of its failures."),
        );
    }

    fn fallback(&mut self) {
        let fallback = |book: &Book| book.manifest.as_ref()?.fallback.clone();
        let Some((before, now)) = fallback(&self.other.book).zip(fallback(self.book)) else { return };
        if before.value != now.value {
            let message = format!("failures that no rule knows were `{}` and are `{}`", before.value, now.value);
            self.findings.push(
                Diagnostic::new(lints::FALLBACK_MOVED, now.span, message)
                    .also(self.there(&before.span), "before")
                    .help(format!("Write `fallback = \"{}\"`: connectors know it by that code.", before.value)),
            );
        }
    }

    fn codes(&mut self) {
        let (other, book) = (self.other, self.book);
        let is_sound = |book: &Book, entry: &CodeEntry| !book.is_guess(&entry.code.span);
        let now: HashMap<&str, &CodeEntry> = entries(book);
        let before: HashMap<&str, &CodeEntry> = entries(&other.book);
        let mut seen = HashSet::new();
        for (_, entry) in other.book.codes().filter(|(_, entry)| seen.insert(entry.code.value.as_str())) {
            let code = entry.code.value.as_str();
            match now.get(code) {
                Some(described) if is_sound(book, described) && is_sound(&other.book, entry) => {
                    self.moves(entry, described);
                    self.wording(entry, described);
                }
                Some(_) => {}
                None if book.unread.may_describe(code) => {}
                None => self.vanished(entry),
            }
        }
        for (_, entry) in book.codes() {
            let code = entry.code.value.as_str();
            if !before.contains_key(code) && !other.book.unread.may_describe(code) {
                let message = format!("`{code}` is new");
                self.findings.push(
                    Diagnostic::new(lints::CODE_ADDED, entry.code.span.clone(), message)
                        .help("Be sure of its meaning: from its first release on it stays as it is."),
                );
            }
        }
    }

    fn vanished(&mut self, entry: &CodeEntry) {
        let code = entry.code.value.as_str();
        let line = self.book.ledger.iter().flat_map(|ledger| &ledger.codes).find(|line| line.code.value == code);
        let span = line.map_or_else(|| self.book.manifest_span(), |line| line.code.span.clone());
        let message = format!("`{code}` was described in `{}` and is in no rule file", self.other.root());
        let finding = Diagnostic::new(lints::CODE_VANISHED, span, message)
            .also(self.there(&entry.code.span), "described here before")
            .help(format!(
                "Bring `[codes.{code}]` back; a code that is no longer issued keeps its entry with `retired = \"why\"`."
            ));
        let finding = self.with_orphans(code, finding);
        self.push_instead(lints::CODE_VANISHED, finding);
    }

    fn moves(&mut self, before: &CodeEntry, now: &CodeEntry) {
        let code = now.code.value.as_str();
        let moves = moves(before.into(), now.into());
        let retry_moved = moves.iter().any(|step| matches!(step, Move::Retry(..)));
        for step in moves {
            let (lint, why) = match step {
                Move::Retired => {
                    let finding =
                        Diagnostic::new(lints::CODE_RETIRED, step.place(now).clone(), format!("`{code}` is retired"))
                            .also(self.there(&before.code.span), "in use before")
                            .help("Its page stays, for the rows that carry the code.");
                    let finding = self.with_orphans(code, finding);
                    self.findings.push(finding);
                    continue;
                }
                Move::Revived => {
                    let message = format!("`{code}` was retired and is in use again");
                    let finding = Diagnostic::new(lints::RETIRED_CODE_REUSED, now.code.span.clone(), message)
                        .also(self.there(step.place(before)), "retired here before")
                        .help("Keep `retired = \"why\"` on it and take the next free number for the new meaning.");
                    self.push_instead(lints::RETIRED_CODE_REUSED, finding);
                    continue;
                }
                Move::Status(..) => (lints::STATUS_MOVED, "connectors store and show another status"),
                Move::Retry(from, to) => retry_harm(from, to),
                // An action that follows from the retry class has moved with it.
                Move::Action(..) if retry_moved && now.action.is_none() => continue,
                Move::Action(from, to) => action_harm(from, to),
            };
            let (facet, from, to) = (step.facet(), step.from(), step.to());
            let message = format!("the {facet} of `{code}` moves from `{from}` to `{to}`: {why}");
            let help = format!("Write `{facet} = \"{from}\"`; for another meaning take a new code.{}", or_accept(lint));
            self.findings.push(
                Diagnostic::new(lint, step.place(now).clone(), message)
                    .label("now")
                    .also(self.there(step.place(before)), "before")
                    .help(help),
            );
        }
    }

    /// Other words for people: one finding for each code.
    fn wording(&mut self, before: &CodeEntry, now: &CodeEntry) {
        let one = |text: &Option<Spanned<String>>| text.iter().cloned().collect::<Vec<_>>();
        let texts = |entry: &CodeEntry| {
            [
                ("title", one(&entry.title)),
                ("message", one(&entry.message)),
                ("meaning", one(&entry.meaning)),
                ("remedy", entry.remedy.clone()),
                ("links", entry.links.clone()),
                ("since", one(&entry.since)),
                ("provisional", Vec::new()),
            ]
        };
        let is_same =
            |before: &[Spanned<String>], now: &[Spanned<String>]| before.iter().map(words).eq(now.iter().map(words));
        let (mut names, mut places) = (Vec::new(), None);
        for ((name, old), (_, new)) in texts(before).into_iter().zip(texts(now)) {
            let moved = match name {
                "provisional" => before.provisional != now.provisional,
                _ => !is_same(&old, &new),
            };
            if moved {
                names.push(name);
                // The first text that differs; of a list that only grew or shrank, its end.
                let at = old.iter().zip(&new).take_while(|(old, new)| words(old) == words(new)).count();
                let place = |texts: &[Spanned<String>], entry: &CodeEntry| {
                    texts.get(at).or(texts.last()).map_or_else(|| entry.code.span.clone(), |text| text.span.clone())
                };
                places.get_or_insert_with(|| (place(&old, before), place(&new, now)));
            }
        }
        if let Some((old, new)) = places {
            let message = format!("`{}` has other words: {}", now.code.value, names.join(", "));
            self.findings.push(
                Diagnostic::new(lints::WORDING_CHANGED, new, message)
                    .label("now")
                    .also(self.there(&old), "before")
                    .help("Nothing to do: connectors read the code, people the words."),
            );
        }
    }

    /// Codes that rules gave and that none gives any more.
    fn codes_without_rule(&mut self, set: &RuleSet) {
        let given: HashSet<&str> = set.rules().iter().map(|rule| rule.code.as_str()).collect();
        let now: HashMap<&str, &CodeEntry> = entries(self.book);
        let mut seen = HashSet::new();
        for (_, rule) in self.other.book.rules() {
            let code = rule.code.value.as_str();
            let entry = now.get(code).filter(|entry| entry.retired.is_none() && set.fallback().code.as_str() != code);
            let Some(entry) = entry.filter(|_| !given.contains(code) && seen.insert(code)) else { continue };
            let finding = Diagnostic::new(
                lints::CODE_NO_LONGER_GIVEN,
                entry.code.span.clone(),
                format!("no rule gives `{code}` any more; its failures get another code, or none"),
            )
            .also(self.there(&rule.id.span), "this rule gave it before")
            .help(format!(
                "Bring the rule back, or say `retired = \"why\"` when the failure is a thing of the past.{}",
                or_accept(lints::CODE_NO_LONGER_GIVEN)
            ));
            let finding = self.with_orphans(code, finding);
            self.push_instead(lints::CODE_WITHOUT_RULE, finding);
        }
    }

    /// Rules that are new, and rules that are gone while others give their code.
    fn rules(&mut self, set: &RuleSet) {
        let ids = |book: &Book| book.rules().map(|(file, rule)| id(file, rule)).collect::<HashSet<_>>();
        let (before, now) = (ids(&self.other.book), ids(self.book));
        let known: HashSet<&str> = self.other.book.codes().map(|(_, entry)| entry.code.value.as_str()).collect();
        let is_new = |(file, rule): &(&RuleFile, &RuleEntry)| {
            known.contains(rule.code.value.as_str()) && !before.contains(&id(file, rule))
        };
        for (file, rule) in self.book.rules().filter(is_new) {
            let message = format!("rule `{}` is new and gives `{}`", id(file, rule), rule.code.value);
            self.findings.push(
                Diagnostic::new(lints::RULE_ADDED, rule.id.span.clone(), message)
                    .help("Nothing to do: what it takes from other rules is said at their examples."),
            );
        }
        let is_gone = |(file, rule): &(&RuleFile, &RuleEntry)| {
            !now.contains(&id(file, rule)) && set.rules().iter().any(|other| other.code.as_str() == rule.code.value)
        };
        for (file, rule) in self.other.book.rules().filter(is_gone) {
            let name = &self.other.report.sources().get(file.source).name;
            let span = self.sources.find(name).map_or_else(|| self.book.manifest_span(), Span::start_of);
            let message = format!("rule `{}`, which gave `{}`, is gone", id(file, rule), rule.code.value);
            self.findings.push(
                Diagnostic::new(lints::RULE_REMOVED, span, message)
                    .also(self.there(&rule.id.span), "it was here")
                    .help("Nothing to do: what became of its examples is said beside this."),
            );
        }
    }

    /// The failures that the other state knows by example, and which code they get now.
    fn failures(&mut self, before: &RuleSet, now: &RuleSet) {
        let (mut scratch_before, mut scratch_now) = (Scratch::default(), Scratch::default());
        let mut told: Vec<Failure<'static>> = Vec::new();
        let book = &self.other.book;
        let given: HashSet<&str> = now.rules().iter().map(|rule| rule.code.as_str()).collect();
        for file in book.ordered_files() {
            let of_rules = file.rules.iter().flat_map(|rule| {
                let examples = rule.examples.iter().map(|example| &example.failure);
                examples.chain(rule.counterexamples.iter().map(|neighbor| &neighbor.failure))
            });
            let of_codes = file.codes.iter().flat_map(|code| code.examples.iter().map(|example| &example.failure));
            for example in of_rules.chain(of_codes) {
                let failure = in_scope(file, &example.value);
                let (was, is) =
                    (before.diagnose(&failure, &mut scratch_before), now.diagnose(&failure, &mut scratch_now));
                let both_unknown = was.rule.is_none() && is.rule.is_none();
                if was.code.code == is.code.code || both_unknown || told.contains(&failure) {
                    continue;
                }
                told.push(failure);
                let code = was.code.code.as_str();
                if was.rule.is_some() && !given.contains(code) && now.fallback().code.as_str() != code {
                    let span = self.there(&example.span);
                    let text =
                        format!("`{}` gave it `{code}`, `{}` gives it `{}`", name(&was), name(&is), is.code.code);
                    self.orphans.entry(code.to_owned()).or_default().push(Label { span, text });
                } else {
                    self.failure_moved(&was, &is, &example.span);
                }
            }
        }
    }

    fn failure_moved(&mut self, was: &Diagnosis<'_>, is: &Diagnosis<'_>, example: &Span) {
        let (from, to) = (&was.code.code, &is.code.code);
        let rule_here = |wanted: &str| {
            self.book.rules().find(|(file, rule)| id(file, rule) == wanted).map(|(_, rule)| rule.id.span.clone())
        };
        let code_here = |code: &str| self.book.code(code).map(|entry| entry.code.span.clone());
        let span = rule_here(name(is)).or_else(|| rule_here(name(was))).or_else(|| code_here(from.as_str()));
        let span = span.unwrap_or_else(|| self.book.manifest_span());
        let (lint, message, help) = match (was.rule, is.rule) {
            (None, Some(rule)) => (
                lints::FAILURE_DIAGNOSED,
                format!("`{}` gives `{to}` to a failure that no rule knew", rule.id),
                "Nothing to do, when the code says what the failure is.".to_owned(),
            ),
            (_, None) => (
                lints::FAILURE_MOVED,
                format!("a failure of `{}` is unknown: `{from}` becomes `{to}`", name(was)),
                format!("Bring back what knew it.{}", or_accept(lints::FAILURE_MOVED)),
            ),
            (Some(loser), Some(winner)) => (
                lints::FAILURE_MOVED,
                format!("`{}` takes a failure of `{}`: `{from}` becomes `{to}`", winner.id, loser.id),
                format!("Narrow `{}`, or move it behind the other one.{}", winner.id, or_accept(lints::FAILURE_MOVED)),
            ),
        };
        let harm = if was.code.retry == is.code.retry {
            format!("its retry class stays `{}`", was.code.retry.as_str())
        } else {
            let (retry, now) = (was.code.retry, is.code.retry);
            format!("`{}` becomes `{}`: {}", retry.as_str(), now.as_str(), retry_harm(retry, now).1)
        };
        let place = self.there(example);
        self.findings.push(
            Diagnostic::new(lint, span, message).label(harm).also(place, format!("this was `{from}`")).help(help),
        );
    }
}

/// A text as people read it, however its lines end.
fn words(text: &Spanned<String>) -> String {
    text.value.trim().replace("\r\n", "\n")
}

/// The rule that won.
fn name<'d>(diagnosis: &Diagnosis<'d>) -> &'d str {
    diagnosis.rule.map_or(FALLBACK_RULE, |rule| &rule.id)
}

/// The entry of each code; of one that is described twice, the first.
fn entries(book: &Book) -> HashMap<&str, &CodeEntry> {
    let mut entries = HashMap::new();
    for (_, entry) in book.codes() {
        entries.entry(entry.code.value.as_str()).or_insert(entry);
    }
    entries
}

fn id(file: &RuleFile, rule: &RuleEntry) -> String {
    format!("{}/{}", file.stem, rule.id.value)
}

/// How an error is let through on purpose.
fn or_accept(lint: &Lint) -> String {
    match lint.severity {
        Severity::Error => {
            format!(
                " If it is meant, say so at the entry: `accept = [{{ lint = \"{}\", reason = \"…\" }}]`.",
                lint.name
            )
        }
        _ => String::new(),
    }
}
