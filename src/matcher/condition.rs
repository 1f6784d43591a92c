//! Whether a condition holds on a candidate, and what made it hold.
//!
//! One evaluation serves matching, evidence and traces, so that they cannot disagree: a [`Sink`] takes the witnesses, or
//! asks for none.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::{
    Attribute, Capture, CauseCondition, CausePosition, Condition, Fact, Literal, Pattern, Quantifier, Rule,
    TypePattern, Values,
};

use super::{Candidate, Cause};

/// What made a condition hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness<'c> {
    /// The condition's key, for example `provider_code`.
    pub key: Cow<'static, str>,
    /// The value that matched.
    pub matched: Cow<'c, str>,
    /// The cause that it was found on.
    pub cause: Option<usize>,
}

/// Takes what made conditions hold.
pub(super) trait Sink<'c> {
    /// Whether anybody wants to know where a text matches, which costs more than whether it does.
    const WANTED: bool;
    fn take(&mut self, witness: impl FnOnce() -> Witness<'c>);
    /// Takes back all but the first witnesses.
    fn cut(&mut self, length: usize);
    fn count(&self) -> usize;
}

/// Nobody wants to know.
pub(super) struct Nobody;

impl<'c> Sink<'c> for Nobody {
    const WANTED: bool = false;
    fn take(&mut self, _: impl FnOnce() -> Witness<'c>) {}
    fn cut(&mut self, _: usize) {}
    fn count(&self) -> usize {
        0
    }
}

impl<'c> Sink<'c> for Vec<Witness<'c>> {
    const WANTED: bool = true;
    fn take(&mut self, witness: impl FnOnce() -> Witness<'c>) {
        self.push(witness());
    }
    fn cut(&mut self, length: usize) {
        self.truncate(length);
    }
    fn count(&self) -> usize {
        self.len()
    }
}

/// A value that a condition found, without a copy of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Matched<'c> {
    Text(&'c str),
    Status(u16),
    Number(i64),
    Attribute(&'c Attribute<'c>),
    Missing(&'c [Fact]),
}

/// A value with the cause that it was found on.
type Found<'c> = (Matched<'c>, Option<usize>);

/// Conditions of a rule's `when`, a bit for each of the first ones by its place.
pub(super) type Places = u64;

/// Whether a rule applies.
#[must_use]
pub fn applies(rule: &Rule, candidate: Candidate<'_>) -> bool {
    is_in_scope(rule, candidate) && holds_beyond(rule, candidate, 0)
}

/// Whether a rule for the connector of a failure applies when some of its conditions are known to hold.
pub(super) fn holds_beyond(rule: &Rule, candidate: Candidate<'_>, known: Places) -> bool {
    let is_open = |place: usize| place >= Places::BITS as usize || known >> place & 1 == 0;
    let open = || rule.when.iter().enumerate().filter(|(place, _)| is_open(*place)).map(|(_, condition)| condition);
    let holds = |condition: &Condition| holds(condition, candidate, &mut Nobody);
    // Looking through messages costs the most and comes last; the order decides nothing but the cost.
    open().filter(|condition| !reads_messages(condition)).all(holds)
        && open().filter(|condition| reads_messages(condition)).all(holds)
        && !rule.unless.iter().any(holds)
}

/// Whether a rule for the connector of a failure applies because of nothing but conditions that are known to hold.
pub(super) fn is_proven(rule: &Rule, known: Places) -> bool {
    rule.unless.is_empty() && known.count_ones() as usize == rule.when.len()
}

/// What makes each condition of a rule hold; `None` when the rule does not apply.
#[must_use]
pub fn witnesses<'c>(rule: &'c Rule, candidate: Candidate<'c>) -> Option<Vec<Witness<'c>>> {
    let mut held = Vec::new();
    let applies = is_in_scope(rule, candidate)
        && rule.when.iter().all(|condition| holds(condition, candidate, &mut held))
        && !rule.unless.iter().any(|condition| holds(condition, candidate, &mut Nobody));
    applies.then_some(held)
}

/// Whether a rule is for the connector of a failure.
pub(super) fn is_in_scope(rule: &Rule, candidate: Candidate<'_>) -> bool {
    rule.connectors.is_empty()
        || candidate.failure().connector.as_deref().is_some_and(|name| rule.connectors.iter().any(|own| own == name))
}

/// Whether a condition looks through messages.
pub(super) fn reads_messages(condition: &Condition) -> bool {
    match condition {
        Condition::Message(_) | Condition::Contains(_) => true,
        Condition::Cause { conditions, .. } => {
            conditions.iter().any(|part| matches!(part, CauseCondition::Message(_) | CauseCondition::Contains(_)))
        }
        _ => false,
    }
}

/// Whether a condition holds; the sink takes one witness, or one for each part of a cause selector.
pub(super) fn holds<'c, S: Sink<'c>>(condition: &'c Condition, candidate: Candidate<'c>, sink: &mut S) -> bool {
    let failure = candidate.failure();
    let found: Option<Found<'c>> = match condition {
        Condition::Exception(values) => quantified(values, |wanted| {
            indexed(candidate).find_map(|(index, cause)| Some((lineage(cause, wanted)?, Some(index))))
        }),
        Condition::Message(values) => quantified(values, |wanted| in_texts::<S>(candidate, wanted)),
        Condition::Contains(values) => quantified(values, |wanted| in_texts::<S>(candidate, wanted)),
        Condition::HttpStatus(values) => candidate.http_status().and_then(|status| {
            quantified(values, |wanted| wanted.matches(status).then_some((Matched::Status(status), None)))
        }),
        Condition::ProviderCode(values) => quantified(values, |wanted| {
            let code = candidate.provider_codes().find(|(_, lower)| wanted.matches_lower(lower));
            code.map(|(code, _)| (Matched::Text(code), None))
        }),
        Condition::ErrorNumber(values) => quantified(values, |wanted| {
            candidate.error_numbers().contains(wanted).then_some((Matched::Number(*wanted), None))
        }),
        Condition::Connector(values) => word(values, failure.connector.as_deref()),
        Condition::Operation(values) => word(values, failure.operation.as_deref()),
        Condition::Phase(values) => word(values, failure.phase.as_deref()),
        Condition::Attribute { name, values } => candidate.attribute(name).and_then(|value| {
            quantified(values, |wanted| wanted.matches(value).then_some((Matched::Attribute(value), None)))
        }),
        Condition::Absent(facts) => {
            let missing = facts.iter().all(|fact| candidate.lacks(fact));
            missing.then_some((Matched::Missing(facts), None))
        }
        Condition::Cause { position, conditions } => return on_one_cause(*position, conditions, candidate, sink),
    };
    let Some((matched, cause)) = found else { return false };
    sink.take(|| Witness { key: condition.key(), matched: matched.shown(), cause });
    true
}

/// Whether all conditions hold on one cause in the position; the first such cause is the witness.
fn on_one_cause<'c, S: Sink<'c>>(
    position: CausePosition,
    conditions: &'c [CauseCondition],
    candidate: Candidate<'c>,
    sink: &mut S,
) -> bool {
    let before = sink.count();
    in_position(position, candidate).any(|(index, cause)| {
        let hold = conditions.iter().all(|condition| {
            let Some(matched) = on_cause::<S>(condition, cause) else { return false };
            sink.take(|| Witness {
                key: Cow::Owned(format!("{}.{}", position.key(), condition.key())),
                matched: matched.shown(),
                cause: Some(index),
            });
            true
        });
        if !hold {
            sink.cut(before);
        }
        hold
    })
}

/// The causes that a selector looks at.
pub(super) fn in_position(
    position: CausePosition,
    candidate: Candidate<'_>,
) -> impl Iterator<Item = (usize, Cause<'_>)> {
    indexed(candidate).filter(move |&(index, cause)| match position {
        CausePosition::Outermost => index == 0,
        CausePosition::Innermost => cause.is_innermost(),
        CausePosition::SameCause => true,
    })
}

/// What the captures of a rule find: each the first match over the causes' messages, then the failure's own.
pub fn captures<'r, 'c>(captures: &'r [Capture], candidate: Candidate<'c>) -> impl Iterator<Item = (&'r str, &'c str)> {
    captures.iter().filter_map(move |capture| {
        let value = candidate.texts_with_cause().find_map(|(_, text)| capture.pattern.value(text))?;
        Some((capture.name.as_str(), value))
    })
}

/// Any or all of the items; the first find is the witness.
fn quantified<'c, T, F>(values: &'c Values<T>, find: impl FnMut(&'c T) -> Option<F>) -> Option<F> {
    let mut finds = values.items.iter().map(find);
    match values.quantifier {
        Quantifier::Any => finds.find_map(|found| found),
        Quantifier::All => {
            let first = finds.next()??;
            finds.all(|found| found.is_some()).then_some(first)
        }
    }
}

fn word<'c>(values: &'c Values<String>, value: Option<&'c str>) -> Option<Found<'c>> {
    let value = value?;
    quantified(values, |wanted| (wanted == value).then_some((Matched::Text(value), None)))
}

fn indexed(candidate: Candidate<'_>) -> impl Iterator<Item = (usize, Cause<'_>)> {
    candidate.causes().enumerate()
}

fn lineage<'c>(cause: Cause<'c>, wanted: &TypePattern) -> Option<Matched<'c>> {
    let fits = cause.lineage().find(|name| wanted.matches_plain(name.full(), name.slashed()));
    fits.map(|name| Matched::Text(name.full()))
}

fn in_texts<'c, S: Sink<'c>>(candidate: Candidate<'c>, wanted: &impl Finds) -> Option<Found<'c>> {
    if !S::WANTED && wanted.stays_on_line() {
        let text = candidate.text();
        return wanted.occurs(text).then_some((Matched::Text(text), None));
    }
    candidate.texts_with_cause().find_map(|(cause, text)| Some((Matched::Text(wanted.part::<S>(text)?), cause)))
}

/// What makes a condition of a selector hold on a cause.
pub(super) fn on_cause<'c, S: Sink<'c>>(condition: &'c CauseCondition, cause: Cause<'c>) -> Option<Matched<'c>> {
    match condition {
        CauseCondition::Exception(values) => quantified(values, |wanted| lineage(cause, wanted)),
        CauseCondition::Message(values) => {
            let text = cause.message()?;
            quantified(values, |wanted| wanted.part::<S>(text).map(Matched::Text))
        }
        CauseCondition::Contains(values) => {
            let text = cause.message()?;
            quantified(values, |wanted| wanted.part::<S>(text).map(Matched::Text))
        }
        CauseCondition::ErrorNumber(values) => {
            quantified(values, |wanted| cause.error_numbers().contains(wanted).then_some(Matched::Number(*wanted)))
        }
    }
}

/// What looks for a part of a text.
trait Finds {
    fn occurs(&self, text: &str) -> bool;
    fn place(&self, text: &str) -> Option<Range<usize>>;
    /// Whether it can be looked for in all messages at once, which stand on lines of their own.
    fn stays_on_line(&self) -> bool;

    /// The part that matches; some part of the text when nobody wants to know which.
    fn part<'t, S: Sink<'t>>(&self, text: &'t str) -> Option<&'t str> {
        if S::WANTED { self.place(text).map(|range| &text[range]) } else { self.occurs(text).then_some(text) }
    }
}

impl Finds for Pattern {
    fn occurs(&self, text: &str) -> bool {
        self.is_match(text)
    }
    fn place(&self, text: &str) -> Option<Range<usize>> {
        self.find(text)
    }
    fn stays_on_line(&self) -> bool {
        self.stays_on_line()
    }
}

impl Finds for Literal {
    fn occurs(&self, text: &str) -> bool {
        self.find(text).is_some()
    }
    fn place(&self, text: &str) -> Option<Range<usize>> {
        self.find(text)
    }
    fn stays_on_line(&self) -> bool {
        // A literal holds no control characters.
        true
    }
}

impl<'c> Matched<'c> {
    /// The value as evidence shows it.
    pub(super) fn shown(self) -> Cow<'c, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Status(status) => Cow::Owned(status.to_string()),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Attribute(Attribute::Bool(value)) => Cow::Owned(value.to_string()),
            Self::Attribute(Attribute::Number(value)) => Cow::Owned(value.to_string()),
            Self::Attribute(Attribute::Text(value)) => Cow::Borrowed(value),
            Self::Missing(facts) => Cow::Owned(facts.iter().map(fact_name).collect::<Vec<_>>().join(", ")),
        }
    }
}

/// The name of a fact as `absent` lists it.
pub(super) fn fact_name(fact: &Fact) -> Cow<'static, str> {
    match fact {
        Fact::Attribute(name) => Cow::Owned(format!("attributes.{name}")),
        other => Fact::WORDS
            .iter()
            .find(|(_, fact)| fact == other)
            .map_or(Cow::Borrowed(""), |(word, _)| Cow::Borrowed(*word)),
    }
}
