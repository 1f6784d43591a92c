//! Every condition of a rule on a candidate, also those behind the first one that decides.
//!
//! What a condition means is known to `condition` alone, which is asked about each of them and about each of its items.

use std::borrow::Cow;
use std::ops::Range;

use crate::model::{
    AttributePattern, CauseCondition, CausePosition, CodePattern, Condition, Fact, Literal, Pattern, Quantifier, Rule,
    StatusPattern, TypePattern, Values, place,
};

use super::condition::{Matched, Nobody, fact_name, holds, in_position, is_in_scope, on_cause};
use super::{Candidate, Cause, Witness};

/// A rule on a candidate: what each of its conditions says.
#[derive(Debug, Clone)]
pub struct Checked<'r> {
    /// Whether the rule is for the failure's connector.
    pub is_in_scope: bool,
    /// The conditions that must hold.
    pub when: Vec<Outcome<'r>>,
    /// Those that must not.
    pub unless: Vec<Outcome<'r>>,
}

/// A condition on a candidate.
#[derive(Debug, Clone)]
pub struct Outcome<'r> {
    /// The condition.
    pub condition: &'r Condition,
    /// Whether it holds.
    pub holds: bool,
    /// Of a cause selector, its conditions on the cause that fits best.
    pub selected: Option<Selected>,
}

/// The conditions of a cause selector on the cause in its position on which most of them hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The cause; none when no cause is in the position.
    pub cause: Option<usize>,
    /// For each condition, whether it holds there.
    pub holds: Vec<bool>,
}

/// What made one item of a condition hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hit {
    /// The value that matched.
    pub value: String,
    /// The cause that it was found on.
    pub cause: Option<usize>,
    /// The message that it stands in, by its place among all messages, and where.
    pub place: Option<(usize, Range<usize>)>,
}

/// Asks every condition of a rule.
#[must_use]
pub fn check<'r>(rule: &'r Rule, candidate: Candidate<'_>) -> Checked<'r> {
    let outcome = |condition: &'r Condition| Outcome {
        condition,
        holds: holds(condition, candidate, &mut Nobody),
        selected: match condition {
            Condition::Cause { position, conditions } => Some(best_cause(*position, conditions, candidate)),
            _ => None,
        },
    };
    Checked {
        is_in_scope: is_in_scope(rule, candidate),
        when: rule.when.iter().map(outcome).collect(),
        unless: rule.unless.iter().map(outcome).collect(),
    }
}

fn best_cause(position: CausePosition, conditions: &[CauseCondition], candidate: Candidate<'_>) -> Selected {
    let mut best = Selected { cause: None, holds: vec![false; conditions.len()] };
    for (index, cause) in in_position(position, candidate) {
        let holds: Vec<bool> =
            conditions.iter().map(|condition| on_cause::<Nobody>(condition, cause).is_some()).collect();
        let count = |holds: &[bool]| holds.iter().filter(|holds| **holds).count();
        if best.cause.is_none() || count(&holds) > count(&best.holds) {
            best = Selected { cause: Some(index), holds };
        }
    }
    best
}

impl Checked<'_> {
    /// Whether the rule applies.
    #[must_use]
    pub fn applies(&self) -> bool {
        self.failed() == 0
    }

    /// How many conditions keep the rule from applying. Its scope is one of them, an `unless` that holds is one, and each
    /// condition of a cause selector counts by itself.
    #[must_use]
    pub fn failed(&self) -> usize {
        usize::from(!self.is_in_scope)
            + self.when.iter().map(Outcome::failed).sum::<usize>()
            + self.unless.iter().filter(|outcome| outcome.holds).count()
    }
}

impl Outcome<'_> {
    /// How many conditions do not hold: the condition itself, or those of a cause selector.
    #[must_use]
    pub fn failed(&self) -> usize {
        match &self.selected {
            _ if self.holds => 0,
            None => 1,
            Some(selected) => selected.holds.iter().filter(|holds| !**holds).count().max(1),
        }
    }
}

/// For each item of a condition what makes it hold, by itself; nothing for a cause selector, which has conditions.
#[must_use]
pub fn items(condition: &Condition, candidate: Candidate<'_>) -> Vec<Option<Hit>> {
    let hit = |item: &Condition| {
        let mut witnesses = Vec::new();
        holds(item, candidate, &mut witnesses).then_some(())?;
        witnesses.into_iter().next().map(|witness: Witness<'_>| Hit::new(witness.matched, witness.cause, candidate))
    };
    each(condition).iter().map(hit).collect()
}

/// The same for a condition of a cause selector on a cause.
#[must_use]
pub fn items_on_cause(condition: &CauseCondition, cause: usize, candidate: Candidate<'_>) -> Vec<Option<Hit>> {
    let Some(on) = candidate.causes().nth(cause) else { return Vec::new() };
    let hit = |item: &CauseCondition| {
        let matched: Matched<'_> = on_cause::<Vec<Witness<'_>>>(item, on)?;
        Some(Hit::new(matched.shown(), Some(cause), candidate))
    };
    each_on_cause(condition).iter().map(hit).collect()
}

/// Whether a condition of a cause selector holds on a cause.
pub(crate) fn holds_on(condition: &CauseCondition, cause: Cause<'_>) -> bool {
    on_cause::<Nobody>(condition, cause).is_some()
}

impl Hit {
    fn new(matched: Cow<'_, str>, cause: Option<usize>, candidate: Candidate<'_>) -> Self {
        let stands = |part: &str| {
            let mut texts = candidate.texts_with_cause().enumerate();
            texts.find_map(|(index, (_, text))| Some((index, place(part, text)?)))
        };
        let place = match &matched {
            Cow::Borrowed(part) => stands(part),
            Cow::Owned(_) => None,
        };
        Self { value: matched.into_owned(), cause, place }
    }
}

/// The condition once for each of its items, with that item alone.
fn each(condition: &Condition) -> Vec<Condition> {
    match condition {
        Condition::Exception(values) => single(values, Condition::Exception),
        Condition::Message(values) => single(values, Condition::Message),
        Condition::Contains(values) => single(values, Condition::Contains),
        Condition::HttpStatus(values) => single(values, Condition::HttpStatus),
        Condition::ProviderCode(values) => single(values, Condition::ProviderCode),
        Condition::ErrorNumber(values) => single(values, Condition::ErrorNumber),
        Condition::Connector(values) => single(values, Condition::Connector),
        Condition::Operation(values) => single(values, Condition::Operation),
        Condition::Phase(values) => single(values, Condition::Phase),
        Condition::Attribute { name, values } => {
            single(values, |values| Condition::Attribute { name: name.clone(), values })
        }
        Condition::Absent(facts) => facts.iter().map(|fact| Condition::Absent(vec![fact.clone()])).collect(),
        Condition::Cause { .. } => Vec::new(),
    }
}

fn each_on_cause(condition: &CauseCondition) -> Vec<CauseCondition> {
    match condition {
        CauseCondition::Exception(values) => single(values, CauseCondition::Exception),
        CauseCondition::Message(values) => single(values, CauseCondition::Message),
        CauseCondition::Contains(values) => single(values, CauseCondition::Contains),
        CauseCondition::ErrorNumber(values) => single(values, CauseCondition::ErrorNumber),
    }
}

fn single<T: Clone, C>(values: &Values<T>, condition: impl Fn(Values<T>) -> C) -> Vec<C> {
    let one = |item: &T| condition(Values { quantifier: Quantifier::Any, items: vec![item.clone()] });
    values.items.iter().map(one).collect()
}

/// What a condition looks for, whether it is one of a rule or of a cause selector.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'r> {
    Types(&'r Values<TypePattern>),
    Patterns(&'r Values<Pattern>),
    Literals(&'r Values<Literal>),
    Statuses(&'r Values<StatusPattern>),
    Codes(&'r Values<CodePattern>),
    Numbers(&'r Values<i64>),
    Connectors(&'r Values<String>),
    Operations(&'r Values<String>),
    Phases(&'r Values<String>),
    Attributes(&'r str, &'r Values<AttributePattern>),
    Missing(&'r [Fact]),
}

impl<'r> Wanted<'r> {
    /// What a condition looks for; `None` for a cause selector, which has conditions.
    pub(crate) fn of(condition: &'r Condition) -> Option<Self> {
        Some(match condition {
            Condition::Exception(values) => Self::Types(values),
            Condition::Message(values) => Self::Patterns(values),
            Condition::Contains(values) => Self::Literals(values),
            Condition::HttpStatus(values) => Self::Statuses(values),
            Condition::ProviderCode(values) => Self::Codes(values),
            Condition::ErrorNumber(values) => Self::Numbers(values),
            Condition::Connector(values) => Self::Connectors(values),
            Condition::Operation(values) => Self::Operations(values),
            Condition::Phase(values) => Self::Phases(values),
            Condition::Attribute { name, values } => Self::Attributes(name, values),
            Condition::Absent(facts) => Self::Missing(facts),
            Condition::Cause { .. } => return None,
        })
    }

    pub(crate) fn of_cause(condition: &'r CauseCondition) -> Self {
        match condition {
            CauseCondition::Exception(values) => Self::Types(values),
            CauseCondition::Message(values) => Self::Patterns(values),
            CauseCondition::Contains(values) => Self::Literals(values),
            CauseCondition::ErrorNumber(values) => Self::Numbers(values),
        }
    }

    /// Whether one item is enough.
    pub(crate) fn quantifier(self) -> Quantifier {
        match self {
            Self::Types(values) => values.quantifier,
            Self::Patterns(values) => values.quantifier,
            Self::Literals(values) => values.quantifier,
            Self::Statuses(values) => values.quantifier,
            Self::Codes(values) => values.quantifier,
            Self::Numbers(values) => values.quantifier,
            Self::Connectors(values) | Self::Operations(values) | Self::Phases(values) => values.quantifier,
            Self::Attributes(_, values) => values.quantifier,
            Self::Missing(_) => Quantifier::All,
        }
    }

    /// The items as rule files write them.
    pub(crate) fn items(self) -> Vec<String> {
        fn written<T>(values: &Values<T>, item: impl Fn(&T) -> String) -> Vec<String> {
            values.items.iter().map(item).collect()
        }
        match self {
            Self::Types(values) => written(values, |item| item.as_str().to_owned()),
            Self::Patterns(values) => written(values, |item| item.as_str().to_owned()),
            Self::Literals(values) => written(values, |item| item.as_str().to_owned()),
            Self::Statuses(values) => written(values, ToString::to_string),
            Self::Codes(values) => written(values, |item| item.written().to_owned()),
            Self::Numbers(values) => written(values, ToString::to_string),
            Self::Connectors(values) | Self::Operations(values) | Self::Phases(values) => written(values, Clone::clone),
            Self::Attributes(_, values) => written(values, |item| match item {
                AttributePattern::Text(text, _) => text.clone(),
                other => other.as_item(),
            }),
            Self::Missing(facts) => facts.iter().map(|fact| fact_name(fact).into_owned()).collect(),
        }
    }

    /// The values that it looks at, on one cause or on all of them, with the cause of each.
    pub(crate) fn seen<'c>(
        self,
        candidate: Candidate<'c>,
        on_cause: Option<usize>,
    ) -> Vec<(Option<usize>, Cow<'c, str>)> {
        let on = |cause: &Option<usize>| on_cause.is_none() || *cause == on_cause;
        let one = |value: Option<Cow<'c, str>>| value.map(|value| (None, value)).into_iter().collect();
        let sent = |value: &'c Option<Cow<'_, str>>| one(value.as_deref().map(Cow::Borrowed));
        let failure = candidate.failure();
        match self {
            Self::Types(_) => {
                let types = candidate.causes().enumerate().map(|(index, cause)| (Some(index), cause.type_name()));
                let types = types.filter_map(|(index, name)| Some((index, Cow::Borrowed(name?.full()))));
                types.filter(|(cause, _)| on(cause)).collect()
            }
            Self::Patterns(_) | Self::Literals(_) => {
                let texts = candidate.texts_with_cause().filter(|(cause, _)| on(cause));
                texts.map(|(cause, text)| (cause, Cow::Borrowed(text))).collect()
            }
            Self::Statuses(_) => one(candidate.http_status().map(|status| status.to_string().into())),
            Self::Codes(_) => candidate.provider_codes().map(|(code, _)| (None, code.into())).collect(),
            Self::Numbers(_) => {
                let numbers = match on_cause {
                    None => candidate.error_numbers(),
                    Some(index) => candidate.causes().nth(index).map_or(&[][..], Cause::error_numbers),
                };
                numbers.iter().map(|number| (on_cause, number.to_string().into())).collect()
            }
            Self::Connectors(_) => sent(&failure.connector),
            Self::Operations(_) => sent(&failure.operation),
            Self::Phases(_) => sent(&failure.phase),
            Self::Attributes(name, _) => one(candidate.attribute(name).map(|value| Matched::Attribute(value).shown())),
            Self::Missing(facts) => facts
                .iter()
                .filter(|fact| !candidate.lacks(fact))
                .map(|fact| (None, format!("{} is there", fact_name(fact)).into()))
                .collect(),
        }
    }
}
