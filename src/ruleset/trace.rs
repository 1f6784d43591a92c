//! Why a failure has its code: the winner, what loses by order, what nearly applies. Everything is redacted as decisions
//! are.

use std::sync::Arc;

use crate::diagnostic::{Sources, Span};
use crate::matcher::{
    Candidate, Cause, Checked, Hit, Near, Outcome, Scratch, Wanted, check, holds_on, items, items_on_cause, near,
    near_word,
};
use crate::model::{
    Attribute, CauseCondition, CausePosition, Condition, ConditionSource, Difference, Failure, HiddenRule, Mark,
    Quantifier, Rule, RuleName, SeenValue, Trace, TraceHint, TracedCause, TracedCondition, TracedFacts, TracedItem,
    TracedRule,
};
use crate::rulefile::Book;

use super::RuleSet;
use super::classify::Searched;
use super::redact::around;

/// Characters of a message in the facts of a trace.
const MESSAGE_CHARS: usize = 1_000;
/// Characters of a value that a condition saw.
const SEEN_CHARS: usize = 200;
/// Values that a condition saw.
const SEEN: usize = 8;
/// Characters in front of and behind what a condition found in a message.
const AROUND_CHARS: usize = 160;
/// Conditions that keep a rule from applying, so that it is still a near miss.
const NEAR: usize = 2;

/// Where a rule is written.
#[derive(Debug)]
pub(super) struct RulePlace {
    file: Arc<str>,
    line: usize,
    /// The lines of its conditions.
    when: Vec<usize>,
    unless: Vec<usize>,
}

/// Where the rules of a book are written, in the order in which they are tried.
pub(super) fn places(book: &Book, sources: &Sources) -> Vec<RulePlace> {
    let line = |span: &Span| sources.position(span.source, span.range.start).line;
    let files = book.ordered_files().flat_map(|file| {
        let path: Arc<str> = sources.path(file.source).into();
        file.rules.iter().map(move |rule| RulePlace {
            file: Arc::clone(&path),
            line: line(&rule.id.span),
            when: rule.when.iter().map(|condition| line(&condition.span)).collect(),
            unless: rule.unless.iter().map(|condition| line(&condition.span)).collect(),
        })
    });
    files.collect()
}

impl RuleSet {
    /// Says why a failure has its code: the rule that wins and what it found, the rules that apply as well and lose by
    /// order, and up to `misses` rules that one or two conditions keep from applying, the nearest first.
    ///
    /// Nearest are those that fewest conditions keep from applying, a condition that fails by its spelling alone
    /// counting less; of these, those that hold by more specific facts: numbers, codes, types and long texts before
    /// statuses and words. A rule of which nothing holds, not even nearly, is no near miss.
    ///
    /// ```
    /// use faultbook::{Failure, RuleSet};
    ///
    /// let rules = RuleSet::builtin();
    /// let failure = Failure { connector: Some("exchange".into()), http_status: Some(404), ..Failure::default() };
    /// let trace = rules.trace(&failure, 3);
    /// assert_eq!(trace.winner, None);
    /// assert_eq!(trace.misses[0].name.rule, "exchange/delete-not-found");
    /// ```
    #[must_use]
    pub fn trace(&self, failure: &Failure<'_>, misses: usize) -> Trace {
        self.traced(failure, misses, None)
    }

    /// Says what each condition of one rule makes of a failure, whether the rule applies or not; `None` when there is no
    /// such rule. `id` is file and id, as decisions name rules.
    #[must_use]
    pub fn trace_rule(&self, failure: &Failure<'_>, id: &str) -> Option<Trace> {
        let index = self.rules().iter().position(|rule| rule.id == id)?;
        Some(self.traced(failure, 0, Some(index)))
    }

    /// The trace of a record that could not be read as a failure.
    #[must_use]
    pub fn trace_unreadable(&self, error: impl Into<String>) -> Trace {
        Trace {
            decision: self.unreadable(error).into_owned(),
            facts: TracedFacts::default(),
            winner: None,
            also_apply: Vec::new(),
            misses: Vec::new(),
            asked: None,
        }
    }

    fn traced(&self, failure: &Failure<'_>, misses: usize, asked: Option<usize>) -> Trace {
        self.match_first(failure, &mut Scratch::default(), |candidate, first| {
            let texts = self.secrets(candidate);
            let tracer = Tracer { set: self, candidate, texts: &texts };
            let checked: Vec<Checked<'_>> = self.rules().iter().map(|rule| check(rule, candidate)).collect();
            let mut applying = (0..checked.len()).filter(|&index| checked[index].applies());
            let winner = applying.next();
            let traced = |index: usize| tracer.rule(index, &checked[index]);
            let hidden_by = winner.map(|index| self.rules()[index].id.clone()).unwrap_or_default();
            let hidden = |index| HiddenRule { name: self.rule_name(index), hidden_by: hidden_by.clone() };
            Trace {
                decision: self.answer(candidate, first).into_owned(),
                facts: tracer.facts(),
                winner: winner.map(traced),
                also_apply: applying.map(hidden).collect(),
                misses: if misses > 0 { tracer.misses(&checked, misses) } else { Vec::new() },
                asked: asked.map(traced),
            }
        })
    }

    fn rule_name(&self, index: usize) -> RuleName {
        let rule = &self.rules()[index];
        let place = self.places.get(index);
        RuleName {
            rule: rule.id.clone(),
            code: rule.code.as_str().to_owned(),
            title: self.codes[self.code_of_rule[index]].title.clone(),
            order: index + 1,
            file: place.map(|place| place.file.to_string()),
            line: place.map(|place| place.line),
        }
    }
}

/// Makes traces of one failure.
struct Tracer<'t> {
    set: &'t RuleSet,
    candidate: Candidate<'t>,
    texts: &'t [Searched<'t>],
}

impl<'t> Tracer<'t> {
    fn facts(&self) -> TracedFacts {
        let candidate = self.candidate;
        let failure = candidate.failure();
        let word = |value: Option<&str>| value.map(|value| self.value(value, SEEN_CHARS));
        TracedFacts {
            connector: word(failure.connector.as_deref()),
            operation: word(failure.operation.as_deref()),
            phase: word(failure.phase.as_deref()),
            http_status: candidate.http_status(),
            provider_codes: candidate.provider_codes().map(|(code, _)| self.value(code, SEEN_CHARS)).collect(),
            error_numbers: candidate.error_numbers().to_vec(),
            attributes: failure
                .attributes
                .iter()
                .map(|(name, value)| {
                    let value = match value {
                        Attribute::Text(text) => Attribute::Text(self.value(text, SEEN_CHARS).into()),
                        other => other.clone().into_owned(),
                    };
                    (self.value(name, SEEN_CHARS), value)
                })
                .collect(),
            exceptions: candidate.causes().map(|cause| self.cause(cause)).collect(),
            messages: candidate.messages().map(|text| self.value(text, MESSAGE_CHARS)).collect(),
        }
    }

    fn cause(&self, cause: Cause<'_>) -> TracedCause {
        let name = |full: &str| self.value(full, SEEN_CHARS);
        let own = cause.type_name();
        let ancestors = cause.lineage().skip(usize::from(own.is_some()));
        TracedCause {
            type_name: own.map(|own| name(own.full())),
            ancestors: ancestors.map(|ancestor| name(ancestor.full())).collect(),
            message: cause.message().map(|text| self.value(text, MESSAGE_CHARS)),
            error_numbers: cause.error_numbers().to_vec(),
            innermost: cause.is_innermost(),
        }
    }

    /// A value of the failure without secrets, cut where it is long: first the one, then the other.
    fn value(&self, value: &str, characters: usize) -> String {
        let redacted = self.set.redacted_value(value, self.texts);
        match redacted.char_indices().nth(characters) {
            Some((end, _)) => format!("{}…", &redacted[..end]),
            None => redacted,
        }
    }

    /// A value inside of the message that it stands in.
    fn mark(&self, value: &str, cause: Option<usize>, place: Option<&(usize, std::ops::Range<usize>)>) -> Mark {
        let Some((text, secrets, range)) =
            place.and_then(|(index, range)| self.texts.get(*index).map(|(text, secrets)| (text, secrets, range)))
        else {
            return Mark { cause, value: self.value(value, SEEN_CHARS), ..Mark::default() };
        };
        let [before, value, after] = around(text, range, secrets);
        let start = before.char_indices().rev().nth(AROUND_CHARS).map(|(at, c)| at + c.len_utf8());
        let before = start.map_or(before.clone(), |start| format!("…{}", &before[start..]));
        Mark { cause, before, value: cut(value, MESSAGE_CHARS), after: cut(after, AROUND_CHARS) }
    }

    fn rule(&self, index: usize, checked: &Checked<'_>) -> TracedRule {
        let rule = &self.set.rules()[index];
        let place = self.set.places.get(index);
        let mut conditions = Vec::new();
        if !rule.connectors.is_empty() {
            conditions.push(self.scope(rule, checked.is_in_scope));
        }
        for (source, outcomes, lines) in [
            (ConditionSource::When, &checked.when, place.map(|place| &place.when)),
            (ConditionSource::Unless, &checked.unless, place.map(|place| &place.unless)),
        ] {
            for (at, outcome) in outcomes.iter().enumerate() {
                let line = lines.and_then(|lines| lines.get(at)).copied();
                conditions.push(self.condition(source, outcome, line));
            }
        }
        TracedRule { name: self.set.rule_name(index), applies: checked.applies(), failed: checked.failed(), conditions }
    }

    fn scope(&self, rule: &Rule, holds: bool) -> TracedCondition {
        let connector = self.candidate.failure().connector.as_deref();
        let item = |own: &String| {
            let holds = connector == Some(own);
            let found = holds.then(|| self.mark(own, None, None));
            TracedItem { wants: own.clone(), holds, found }
        };
        let near = |value: &str| {
            let near = |own: &String| Some((near_word(own, value)?, own.clone()));
            let (difference, wanted) = rule.connectors.iter().filter_map(near).min_by_key(|(near, _)| *near)?;
            let near = Near { difference, wanted, saw: value.to_owned(), cause: None, place: None, odd: Vec::new() };
            Some(self.hint(&near, None))
        };
        TracedCondition {
            source: ConditionSource::Scope,
            condition: "connector".to_owned(),
            line: None,
            holds,
            failed: !holds,
            quantifier: Quantifier::Any,
            items: rule.connectors.iter().map(item).collect(),
            conditions: Vec::new(),
            cause: None,
            saw: connector
                .filter(|_| !holds)
                .map(|value| SeenValue { cause: None, value: self.value(value, SEEN_CHARS) })
                .into_iter()
                .collect(),
            hint: connector.filter(|_| !holds).and_then(near),
        }
    }

    fn condition(&self, source: ConditionSource, outcome: &Outcome<'_>, line: Option<usize>) -> TracedCondition {
        let condition = outcome.condition;
        let failed = outcome.holds == (source == ConditionSource::Unless);
        let mut traced = TracedCondition {
            source,
            condition: condition.key().into_owned(),
            line,
            holds: outcome.holds,
            failed,
            quantifier: Quantifier::All,
            items: Vec::new(),
            conditions: Vec::new(),
            cause: None,
            saw: Vec::new(),
            hint: None,
        };
        match (condition, &outcome.selected) {
            (Condition::Cause { position, conditions }, Some(selected)) => {
                traced.cause = selected.cause;
                let parts = conditions.iter().zip(&selected.holds);
                traced.conditions = parts
                    .map(|(part, &holds)| self.part(source, *position, part, selected.cause, holds, line))
                    .collect();
            }
            _ => {
                if let Some(wanted) = Wanted::of(condition) {
                    traced.quantifier = wanted.quantifier();
                    traced.items = self.items(wanted, items(condition, self.candidate));
                    if !outcome.holds {
                        traced.saw = self.seen(wanted, None);
                        traced.hint = hinted(source, near(wanted, self.candidate, None)).map(|near| self.hint(&near, None));
                    }
                }
            }
        }
        traced
    }

    /// A condition of a cause selector, on the cause that fits the selector best.
    fn part(
        &self,
        source: ConditionSource,
        position: CausePosition,
        condition: &CauseCondition,
        cause: Option<usize>,
        holds: bool,
        line: Option<usize>,
    ) -> TracedCondition {
        let wanted = Wanted::of_cause(condition);
        let found = cause.map_or_else(
            || vec![None; wanted.items().len()],
            |cause| items_on_cause(condition, cause, self.candidate),
        );
        let hint = || {
            let near = near(wanted, self.candidate, cause);
            let spelling = near.filter(|near| near.difference < Difference::Segment);
            spelling.or_else(|| self.other_cause(condition, cause)).map(|near| self.hint(&near, Some(position)))
        };
        TracedCondition {
            source,
            condition: format!("{}.{}", position.key(), condition.key()),
            line,
            holds,
            failed: holds == (source == ConditionSource::Unless),
            quantifier: wanted.quantifier(),
            items: self.items(wanted, found),
            conditions: Vec::new(),
            cause,
            saw: if holds || cause.is_none() { Vec::new() } else { self.seen(wanted, cause) },
            hint: if holds || source == ConditionSource::Unless { None } else { hint() },
        }
    }

    /// Another cause on which the condition holds.
    fn other_cause(&self, condition: &CauseCondition, cause: Option<usize>) -> Option<Near> {
        let mut others = self.candidate.causes().enumerate().filter(|(index, _)| Some(*index) != cause);
        let (index, _) = others.find(|(_, other)| holds_on(condition, *other))?;
        let (at, hit) = items_on_cause(condition, index, self.candidate)
            .into_iter()
            .enumerate()
            .find_map(|(at, hit)| Some((at, hit?)))?;
        let wanted = Wanted::of_cause(condition).items().into_iter().nth(at).unwrap_or_default();
        Some(Near {
            difference: Difference::OtherCause,
            wanted,
            saw: hit.value,
            cause: Some(index),
            place: hit.place,
            odd: Vec::new(),
        })
    }

    fn items(&self, wanted: Wanted<'_>, found: Vec<Option<Hit>>) -> Vec<TracedItem> {
        let item = |(wants, hit): (String, Option<Hit>)| TracedItem {
            wants,
            holds: hit.is_some(),
            found: hit.map(|hit| self.mark(&hit.value, hit.cause, hit.place.as_ref())),
        };
        wanted.items().into_iter().zip(found).map(item).collect()
    }

    fn seen(&self, wanted: Wanted<'_>, on: Option<usize>) -> Vec<SeenValue> {
        let seen = wanted.seen(self.candidate, on).into_iter().take(SEEN);
        seen.map(|(cause, value)| SeenValue { cause, value: self.value(&value, SEEN_CHARS) }).collect()
    }

    /// The rules that nearly apply, the nearest first.
    fn misses(&self, checked: &[Checked<'_>], most: usize) -> Vec<TracedRule> {
        let mut near: Vec<(usize, usize, TracedRule)> = Vec::new();
        for (index, checked) in checked.iter().enumerate() {
            if !(1..=NEAR).contains(&checked.failed()) {
                continue;
            }
            let traced = self.rule(index, checked);
            let leaves = || traced.conditions.iter().flat_map(leaves);
            let held: usize = leaves().map(|leaf| self.weight(leaf)).sum();
            let hinted = leaves().any(|leaf| leaf.failed && distance(leaf) < PLAIN && leaf.source == ConditionSource::When);
            if held == 0 && !hinted {
                continue;
            }
            let distance = leaves().filter(|leaf| leaf.failed).map(|leaf| self.distance(leaf)).sum();
            near.push((distance, held, traced));
        }
        // Stable: of equals the rule that is tried first comes first.
        near.sort_by(|(distance, held, _), (other, other_held, _)| distance.cmp(other).then(other_held.cmp(held)));
        near.into_iter().take(most).map(|(_, _, traced)| traced).collect()
    }

    /// How far a failed condition is from holding.
    fn distance(&self, leaf: &TracedCondition) -> usize {
        let connector = self.candidate.failure().connector.as_deref();
        let is_foreign = || self.set.rules().iter().any(|rule| rule.connectors.iter().any(|own| Some(&**own) == connector));
        // Whoever names a connector that has rules of its own means those.
        if leaf.source == ConditionSource::Scope && is_foreign() { PLAIN + PLAIN / 2 } else { distance(leaf) }
    }

    /// How much a condition that holds narrows what the failure may be.
    fn weight(&self, leaf: &TracedCondition) -> usize {
        if !leaf.holds || leaf.failed || leaf.source != ConditionSource::When {
            return 0;
        }
        let Some((item, found)) = leaf.items.iter().find_map(|item| Some((&item.wants, item.found.as_ref()?))) else {
            return 0;
        };
        let is_glob = item.contains('*');
        match leaf.condition.rsplit('.').next().unwrap_or_default() {
            "error_number" => 16,
            "provider_code" if is_glob => 10,
            "provider_code" => 16,
            "exception" => {
                let causes = self.candidate.causes();
                let is_own = |cause: Cause<'_>| cause.type_name().is_some_and(|own| own.full() == found.value);
                let is_common = matches!(&*found.value, "System.Exception" | "Exception" | "System.SystemException");
                match () {
                    () if is_common => 1,
                    () if is_glob => 4,
                    () if found.cause.and_then(|at| causes.into_iter().nth(at)).is_some_and(is_own) => 12,
                    () => 6,
                }
            }
            "message" | "contains" => 4 + found.value.chars().count().min(40) / 2,
            "http_status" if item.contains('-') => 2,
            "http_status" => 6,
            "absent" => 0,
            _ if leaf.condition.starts_with("attributes.") => 6,
            _ => 2,
        }
    }

    /// A hint for people.
    fn hint(&self, near: &Near, position: Option<CausePosition>) -> TraceHint {
        let saw = self.value(&near.saw, SEEN_CHARS);
        TraceHint {
            difference: near.difference,
            text: hint_text(near, &saw, position),
            near: self.mark(&near.saw, near.cause, near.place.as_ref()),
        }
    }
}

/// How far a plain condition that fails is from holding.
const PLAIN: usize = 4;

fn distance(leaf: &TracedCondition) -> usize {
    match leaf.hint.as_ref().map(|hint| hint.difference) {
        Some(difference) if difference <= Difference::Kind => 1,
        Some(Difference::InText) if !leaf.condition.ends_with("provider_code") && !leaf.condition.ends_with("exception") => {
            PLAIN
        }
        Some(_) => 2,
        None => PLAIN,
    }
}

/// The conditions that count by themselves.
fn leaves(condition: &TracedCondition) -> Box<dyn Iterator<Item = &TracedCondition> + '_> {
    let is_whole = condition.conditions.is_empty() || condition.source == ConditionSource::Unless;
    if is_whole { Box::new(std::iter::once(condition)) } else { Box::new(condition.conditions.iter()) }
}

/// Nobody wants an `unless` to hold.
fn hinted(source: ConditionSource, near: Option<Near>) -> Option<Near> {
    near.filter(|_| source == ConditionSource::When)
}

fn cut(text: String, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn hint_text(near: &Near, saw: &str, position: Option<CausePosition>) -> String {
    let wanted = &near.wanted;
    let short = wanted.rsplit('.').next().unwrap_or_default();
    let is_text = near.place.is_some();
    match near.difference {
        Difference::Case if is_text => "only letter case differs; `(?i)` in front of the pattern ignores it".to_owned(),
        Difference::Case => "only letter case differs".to_owned(),
        Difference::WhiteSpace => match odd(&near.odd) {
            Some(odd) => format!("only white space differs: {odd}"),
            None => "only white space differs".to_owned(),
        },
        Difference::LookAlike => match odd(&near.odd) {
            Some(odd) => format!("only look-alike characters differ: {odd}"),
            None => "only look-alike characters differ".to_owned(),
        },
        Difference::Spelling => match odd(&near.odd) {
            Some(odd) => format!("only letter case, white space and look-alike characters differ: {odd}"),
            None => "only letter case and white space differ".to_owned(),
        },
        Difference::Kind => {
            "written alike, but one is a text and the other a number or truth value".to_owned()
        }
        Difference::Segment | Difference::Namespace if !saw.contains('.') => {
            format!("the failure names the type without its namespace; `{short}` fits with and without")
        }
        Difference::Segment => {
            let segments = wanted.split('.').zip(saw.split('.')).find(|(one, other)| one != other);
            let (one, other) = segments.unwrap_or((wanted, saw));
            format!("only one segment differs: `{other}` instead of `{one}`; `{short}` fits any namespace")
        }
        Difference::Namespace => format!("only the namespace differs: `{saw}`; `{short}` fits any namespace"),
        Difference::Prefix => {
            let (longer, shorter) = if wanted.len() > saw.len() { (&**wanted, saw) } else { (saw, &**wanted) };
            let front = longer.get(..longer.len() - shorter.len()).unwrap_or_default();
            format!("the codes are the same but for `{front}` in front")
        }
        Difference::OtherCause => {
            let cause = near.cause.unwrap_or_default();
            match position {
                Some(CausePosition::Outermost) => format!("it holds on exception {cause}, which is not the outermost"),
                Some(CausePosition::Innermost) => format!("it holds on exception {cause}, which is not innermost"),
                _ => format!("it holds on exception {cause}, where the rest does not"),
            }
        }
        Difference::Similar => format!("did you mean `{saw}`?"),
        Difference::InText => format!("`{wanted}` stands in a message, but is not among the facts"),
    }
}

/// Characters by their numbers.
fn odd(characters: &[char]) -> Option<String> {
    let shown = characters.iter().map(|c| match c {
        '\n' => "a line end".to_owned(),
        '\t' => "a tab".to_owned(),
        ' ' => "several blanks".to_owned(),
        c => format!("U+{:04X}", u32::from(*c)),
    });
    let shown: Vec<String> = shown.collect();
    (!shown.is_empty()).then(|| shown.join(", "))
}
