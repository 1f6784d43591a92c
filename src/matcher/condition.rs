//! Whether a condition holds on a candidate, and what made it hold.
//!
//! One evaluation serves matching, evidence and traces, so that they cannot disagree.

use std::borrow::Cow;

use crate::model::{Attribute, Capture, CauseCondition, CausePosition, Condition, Fact, Quantifier, Rule, Values};

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

/// What makes a condition hold: one witness, or one for each part of a cause selector; `None` when it does not hold.
#[must_use]
pub fn holds<'c>(condition: &Condition, candidate: &'c Candidate<'_>) -> Option<Vec<Witness<'c>>> {
    let failure = candidate.failure();
    let (matched, cause) = match condition {
        Condition::Exception(values) => quantified(values, |wanted| {
            indexed(candidate).find_map(|(index, cause)| Some((lineage(cause, wanted)?, Some(index))))
        }),
        Condition::Message(values) => quantified(values, |wanted| in_texts(candidate, |text| wanted.find(text))),
        Condition::Contains(values) => quantified(values, |wanted| in_texts(candidate, |text| wanted.find(text))),
        Condition::HttpStatus(values) => {
            let status = candidate.http_status()?;
            quantified(values, |wanted| wanted.matches(status).then(|| (Cow::Owned(status.to_string()), None)))
        }
        Condition::ProviderCode(values) => quantified(values, |wanted| {
            candidate.provider_codes().find(|code| wanted.matches(code)).map(|code| (Cow::Borrowed(code), None))
        }),
        Condition::ErrorNumber(values) => quantified(values, |wanted| {
            candidate.error_numbers().contains(wanted).then(|| (Cow::Owned(wanted.to_string()), None))
        }),
        Condition::Connector(values) => word(values, failure.connector.as_deref()?),
        Condition::Operation(values) => word(values, failure.operation.as_deref()?),
        Condition::Phase(values) => word(values, failure.phase.as_deref()?),
        Condition::Attribute { name, values } => {
            let value = candidate.attribute(name)?;
            quantified(values, |wanted| wanted.matches(value).then(|| (attribute_text(value), None)))
        }
        Condition::Absent(facts) => {
            let missing = facts.iter().all(|fact| candidate.lacks(fact));
            missing.then(|| (Cow::Owned(facts.iter().map(fact_name).collect::<Vec<_>>().join(", ")), None))
        }
        Condition::Cause { position, conditions } => return on_one_cause(*position, conditions, candidate),
    }?;
    Some(vec![Witness { key: Cow::Owned(condition.key()), matched, cause }])
}

/// What makes each condition of a rule hold; `None` when the rule does not apply.
#[must_use]
pub fn witnesses<'c>(rule: &Rule, candidate: &'c Candidate<'_>) -> Option<Vec<Witness<'c>>> {
    if !rule.connectors.is_empty() {
        let connector = candidate.failure().connector.as_deref()?;
        if !rule.connectors.iter().any(|wanted| wanted == connector) {
            return None;
        }
    }
    let mut held = Vec::new();
    for condition in &rule.when {
        held.extend(holds(condition, candidate)?);
    }
    let excluded = rule.unless.iter().any(|condition| holds(condition, candidate).is_some());
    (!excluded).then_some(held)
}

/// The first cause in the position on which all conditions hold.
fn on_one_cause<'c>(
    position: CausePosition,
    conditions: &[CauseCondition],
    candidate: &'c Candidate<'_>,
) -> Option<Vec<Witness<'c>>> {
    let in_position = |index: usize, cause: &Cause<'_>| match position {
        CausePosition::Outermost => index == 0,
        CausePosition::Innermost => cause.is_innermost(),
        CausePosition::SameCause => true,
    };
    indexed(candidate).filter(|(index, cause)| in_position(*index, cause)).find_map(|(index, cause)| {
        let witness = |condition: &CauseCondition| {
            let key = Cow::Owned(format!("{}.{}", position.key(), condition.key()));
            Some(Witness { key, matched: on_cause(condition, cause)?, cause: Some(index) })
        };
        conditions.iter().map(witness).collect()
    })
}

/// What the captures of a rule find: each the first match over the causes' messages, then the failure's own.
pub fn captures<'r, 'c>(
    captures: &'r [Capture],
    candidate: &'c Candidate<'_>,
) -> impl Iterator<Item = (&'r str, &'c str)> {
    captures.iter().filter_map(|capture| {
        let value = candidate.texts_with_cause().find_map(|(_, text)| capture.pattern.value(text))?;
        Some((capture.name.as_str(), value))
    })
}

type Found<'c> = (Cow<'c, str>, Option<usize>);

/// Any or all of the items; the first find is the witness.
fn quantified<'c, T>(values: &Values<T>, find: impl FnMut(&T) -> Option<Found<'c>>) -> Option<Found<'c>> {
    let mut finds = values.items.iter().map(find);
    match values.quantifier {
        Quantifier::Any => finds.find_map(|found| found),
        Quantifier::All => {
            let all: Option<Vec<_>> = finds.collect();
            all?.into_iter().next()
        }
    }
}

fn word<'c>(values: &Values<String>, value: &'c str) -> Option<Found<'c>> {
    quantified(values, |wanted| (wanted == value).then_some((Cow::Borrowed(value), None)))
}

fn indexed<'c>(candidate: &'c Candidate<'_>) -> impl Iterator<Item = (usize, &'c Cause<'c>)> {
    candidate.causes().iter().enumerate()
}

fn lineage<'c>(cause: &'c Cause<'_>, wanted: &crate::model::TypePattern) -> Option<Cow<'c, str>> {
    cause.lineage().find(|name| wanted.matches(name)).map(|name| Cow::Borrowed(name.full()))
}

fn in_texts<'c>(
    candidate: &'c Candidate<'_>,
    find: impl Fn(&str) -> Option<std::ops::Range<usize>>,
) -> Option<Found<'c>> {
    candidate.texts_with_cause().find_map(|(cause, text)| Some((Cow::Borrowed(&text[find(text)?]), cause)))
}

fn on_cause<'c>(condition: &CauseCondition, cause: &'c Cause<'_>) -> Option<Cow<'c, str>> {
    let in_message = |find: &dyn Fn(&str) -> Option<std::ops::Range<usize>>| {
        let text = cause.message()?;
        Some((Cow::Borrowed(&text[find(text)?]), None))
    };
    let (matched, _) = match condition {
        CauseCondition::Exception(values) => quantified(values, |wanted| Some((lineage(cause, wanted)?, None))),
        CauseCondition::Message(values) => quantified(values, |wanted| in_message(&|text| wanted.find(text))),
        CauseCondition::Contains(values) => quantified(values, |wanted| in_message(&|text| wanted.find(text))),
        CauseCondition::ErrorNumber(values) => quantified(values, |wanted| {
            cause.error_numbers().contains(wanted).then(|| (Cow::Owned(wanted.to_string()), None))
        }),
    }?;
    Some(matched)
}

fn attribute_text<'c>(value: &'c Attribute<'_>) -> Cow<'c, str> {
    match value {
        Attribute::Bool(value) => Cow::Owned(value.to_string()),
        Attribute::Number(value) => Cow::Owned(value.to_string()),
        Attribute::Text(value) => Cow::Borrowed(value),
    }
}

fn fact_name(fact: &Fact) -> String {
    match fact {
        Fact::Attribute(name) => format!("attributes.{name}"),
        other => {
            Fact::WORDS.iter().find(|(_, fact)| fact == other).map_or_else(String::new, |(word, _)| (*word).to_owned())
        }
    }
}
