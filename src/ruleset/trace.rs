//! Why a failure has its code: the winner, what loses by order, what nearly applies. Everything is redacted as decisions
//! are.

use std::sync::Arc;

use crate::diagnostic::{Sources, Span};
use crate::matcher::{
    Candidate, Cause, Checked, Hit, Near, Outcome, Scratch, Texts, Wanted, check, holds_on, items, items_on_cause,
    near, near_word,
};
use crate::model::{
    Attribute, CauseCondition, CausePosition, Condition, ConditionSource, Difference, Failure, HiddenRule, Mark,
    Quantifier, Rule, RuleName, SeenValue, Trace, TraceHint, TracedCause, TracedCondition, TracedFacts, TracedItem,
    TracedRule,
};
use crate::rulefile::Book;

use super::RuleSet;
use super::redact::Searched;
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
    /// assert_eq!(trace.misses[0].name.rule, "exchange/delete-404");
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
            let loose = Texts::of(candidate);
            let tracer = Tracer { set: self, candidate, texts: &texts, loose: &loose };
            let checked: Vec<Checked<'_>> = self.rules().iter().map(|rule| check(rule, candidate)).collect();
            let mut applying = (0..checked.len()).filter(|&index| checked[index].applies());
            let winner = applying.next();
            let say = |index: usize| tracer.rule(index, &checked[index]);
            let hidden_by = winner.map(|index| self.rules()[index].id.clone()).unwrap_or_default();
            let hidden = |index| HiddenRule { name: self.rule_name(index), hidden_by: hidden_by.clone() };
            Trace {
                decision: self.answer(candidate, first).into_owned(),
                facts: tracer.facts(),
                winner: winner.map(say),
                also_apply: applying.map(hidden).collect(),
                misses: if misses > 0 { tracer.misses(&checked, misses) } else { Vec::new() },
                asked: asked.map(say),
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
    loose: &'t Texts<'t>,
}

impl Tracer<'_> {
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

    /// A value or text of the failure without secrets, cut where it is long: first the one, then the other.
    fn value(&self, value: &str, characters: usize) -> String {
        let redacted = self.set.redacted_value(value, self.texts);
        match redacted.char_indices().nth(characters) {
            Some((end, _)) => format!("{}…", &redacted[..end]),
            None => redacted.into_owned(),
        }
    }

    /// A value inside of the message that it stands in.
    fn mark(&self, value: &str, cause: Option<usize>, place: Option<&(usize, std::ops::Range<usize>)>) -> Mark {
        let Some((text, secrets, range)) =
            place.and_then(|(index, range)| self.texts.get(*index).map(|(text, secrets)| (text, secrets, range)))
        else {
            return Mark { cause, value: self.value(value, SEEN_CHARS), ..Mark::default() };
        };
        let [before, value, after] = around(text, range, secrets.as_deref().unwrap_or_default());
        let start = before.char_indices().rev().nth(AROUND_CHARS).map(|(at, c)| at + c.len_utf8());
        let before = start.map_or(before.clone(), |start| format!("…{}", &before[start..]));
        Mark { cause, before, value: cut(value, MESSAGE_CHARS), after: cut(after, AROUND_CHARS), base_of: None }
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
            hint: self.near_scope(rule).filter(|_| !holds).map(|near| self.hint(&near, None)),
        }
    }

    fn near_scope(&self, rule: &Rule) -> Option<Near> {
        let saw = self.candidate.failure().connector.as_deref()?;
        let near = |own: &String| Some((near_word(own, saw)?, own.clone()));
        let (difference, wanted) = rule.connectors.iter().filter_map(near).min_by_key(|(near, _)| *near)?;
        Some(Near::word(difference, wanted, saw.to_owned()))
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
                        traced.hint = self.near(source, outcome).map(|near| self.hint(&near, None));
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
        let found = cause
            .map_or_else(|| vec![None; wanted.items().len()], |cause| items_on_cause(condition, cause, self.candidate));
        let hint = || self.near_part(condition, cause).map(|near| self.hint(&near, Some(position)));
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

    /// What nearly fits a condition that does not hold. Nobody wants an `unless` to hold.
    fn near(&self, source: ConditionSource, outcome: &Outcome<'_>) -> Option<Near> {
        let wanted = Wanted::of(outcome.condition).filter(|_| source == ConditionSource::When && !outcome.holds)?;
        near(wanted, self.candidate, self.loose, None)
    }

    /// The same for a condition of a cause selector that does not hold on a cause.
    fn near_part(&self, condition: &CauseCondition, cause: Option<usize>) -> Option<Near> {
        let near = cause.and_then(|_| near(Wanted::of_cause(condition), self.candidate, self.loose, cause));
        let (spelling, rest) = match near {
            Some(near) if near.difference < Difference::Segment => (Some(near), None),
            rest => (None, rest),
        };
        spelling.or_else(|| self.other_cause(condition, cause)).or(rest)
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
            rest: String::new(),
        })
    }

    fn items(&self, wanted: Wanted<'_>, found: Vec<Option<Hit>>) -> Vec<TracedItem> {
        let item = |(wants, hit): (String, Option<Hit>)| TracedItem {
            wants,
            holds: hit.is_some(),
            found: hit.map(|hit| {
                let mut mark = self.mark(&hit.value, hit.cause, hit.place.as_ref());
                mark.base_of = hit.cause.filter(|_| matches!(wanted, Wanted::Types(_))).and_then(|cause| {
                    let own = self.candidate.causes().nth(cause)?.type_name()?.full();
                    (own != hit.value).then(|| self.value(own, SEEN_CHARS))
                });
                mark
            }),
        };
        wanted.items().into_iter().zip(found).map(item).collect()
    }

    fn seen(&self, wanted: Wanted<'_>, on: Option<usize>) -> Vec<SeenValue> {
        let mut seen: Vec<SeenValue> = Vec::new();
        for (cause, value) in wanted.seen(self.candidate, on) {
            let value = self.value(&value, SEEN_CHARS);
            // A pasted failure says the same in several places.
            if seen.len() < SEEN && seen.iter().all(|known| known.value != value) {
                seen.push(SeenValue { cause, value });
            }
        }
        seen
    }

    /// The rules that nearly apply, the nearest first.
    fn misses(&self, checked: &[Checked<'_>], most: usize) -> Vec<TracedRule> {
        let near = checked.iter().enumerate().filter(|(_, checked)| (1..=NEAR).contains(&checked.failed()));
        let mut near: Vec<(Nearness, usize)> =
            near.filter_map(|(index, checked)| Some((self.nearness(index, checked)?, index))).collect();
        near.sort();
        near.into_iter().take(most).map(|(_, index)| self.rule(index, &checked[index])).collect()
    }

    /// How near a rule is to applying; `None` when nothing of it holds that tells anything.
    fn nearness(&self, index: usize, checked: &Checked<'_>) -> Option<Nearness> {
        let rule = &self.set.rules()[index];
        let (mut distance, mut held, mut tells) = (0, 0, false);
        let mut add = |key: &str, holds: Option<usize>, near: Option<Near>| {
            if let Some(weight) = holds {
                held += weight;
                tells |= weight > 1;
                return;
            }
            let far = self.distance(key, near.as_ref());
            if let Some(near) = near.filter(|near| near.difference == Difference::End) {
                held += 1 + near.saw.chars().count().min(60) / 8;
            }
            tells |= far < PLAIN;
            distance += far;
        };
        if !checked.is_in_scope {
            add("connector", None, self.near_scope(rule));
        }
        for outcome in &checked.when {
            match (outcome.condition, &outcome.selected) {
                (Condition::Cause { conditions, .. }, Some(selected)) => {
                    for (part, &holds) in conditions.iter().zip(&selected.holds) {
                        let cause = selected.cause;
                        let found = || cause.map_or_else(Vec::new, |cause| items_on_cause(part, cause, self.candidate));
                        let weight = holds.then(|| self.weight(Wanted::of_cause(part), &found()));
                        add(part.key(), weight, if holds { None } else { self.near_part(part, cause) });
                    }
                }
                (condition, _) => {
                    let weight = |wanted| self.weight(wanted, &items(condition, self.candidate));
                    let weight = Wanted::of(condition).filter(|_| outcome.holds).map(weight);
                    add(&condition.key(), weight, self.near(ConditionSource::When, outcome));
                }
            }
        }
        for outcome in checked.unless.iter().filter(|outcome| outcome.holds) {
            distance += self.distance(&outcome.condition.key(), None);
        }
        tells.then_some(Nearness { distance, held: std::cmp::Reverse(held) })
    }

    /// How far a failed condition is from holding.
    fn distance(&self, key: &str, near: Option<&Near>) -> usize {
        match near.map(|near| near.difference) {
            Some(difference) if difference <= Difference::Kind => 1,
            // A number in a text may be anything.
            Some(Difference::InText) if !matches!(key, "provider_code" | "exception") => PLAIN,
            Some(Difference::End) => 3,
            Some(_) => 2,
            // Whoever names a connector that has rules of its own means those.
            None if key == "connector" && self.is_known_connector() => PLAIN + PLAIN / 2,
            None => PLAIN,
        }
    }

    fn is_known_connector(&self) -> bool {
        let connector = self.candidate.failure().connector.as_deref();
        self.set.rules().iter().any(|rule| rule.connectors.iter().any(|own| Some(&**own) == connector))
    }

    /// How much a condition that holds narrows what the failure may be: 16 for a number or code, 12 for a type, up to 24
    /// for a text, 6 for a status or attribute; 1 for words that very different failures share.
    fn weight(&self, wanted: Wanted<'_>, found: &[Option<Hit>]) -> usize {
        let Some((at, hit)) = found.iter().enumerate().find_map(|(at, hit)| Some((at, hit.as_ref()?))) else {
            return 0;
        };
        let item = wanted.items().into_iter().nth(at).unwrap_or_default();
        let is_glob = item.contains('*');
        match wanted {
            Wanted::Numbers(_) => 16,
            Wanted::Codes(_) => {
                if is_glob {
                    10
                } else {
                    16
                }
            }
            Wanted::Types(_) => {
                let own = hit.cause.and_then(|cause| self.candidate.causes().nth(cause)?.type_name());
                match () {
                    () if matches!(&*hit.value, "System.Exception" | "Exception" | "System.SystemException") => 1,
                    () if is_glob => 4,
                    () if own.is_some_and(|own| own.full() == hit.value) => 12,
                    () => 6,
                }
            }
            Wanted::Patterns(_) | Wanted::Literals(_) => 4 + hit.value.chars().count().min(40) / 2,
            Wanted::Statuses(_) if item.contains('-') => 2,
            Wanted::Statuses(_) | Wanted::Attributes(..) => 6,
            Wanted::Connectors(_) | Wanted::Operations(_) | Wanted::Phases(_) => 1,
            Wanted::Missing(_) => 0,
        }
    }

    /// A hint for people.
    fn hint(&self, near: &Near, position: Option<CausePosition>) -> TraceHint {
        let saw = self.value(&near.saw, SEEN_CHARS);
        TraceHint {
            difference: near.difference,
            wants: near.wanted.clone(),
            text: hint_text(near, &saw, position),
            near: self.mark(&near.saw, near.cause, near.place.as_ref()),
        }
    }
}

/// How far a plain condition that fails is from holding.
const PLAIN: usize = 4;

/// How near a rule is to applying, the nearest first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Nearness {
    distance: usize,
    held: std::cmp::Reverse<usize>,
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
        Difference::Kind => "written alike, but one is a text and the other a number or truth value".to_owned(),
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
        Difference::End => format!("the message fits up to here; the pattern goes on with `{}`", plain(&near.rest)),
        Difference::Similar => {
            format!("a few letters differ: did you mean `{saw}` in the rule, or `{wanted}` in the failure?")
        }
        Difference::InText => format!("`{wanted}` stands in a message, but is not among the facts"),
    }
}

/// A pattern with `\b` where it was written.
fn plain(pattern: &str) -> String {
    pattern.replace(r"(?-u:\b)", r"\b")
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
