//! Which conditions hold whenever others do.
//!
//! Everything here may answer "not known" with `false`, and is never wrong with `true`: who says that a rule can never
//! win must be right.

use super::{
    Access, AttributePattern, CauseCondition, CausePosition, CodePattern, Condition, Fact, Literal, Pattern,
    Quantifier, StatusPattern, TypeName, TypePattern, Values, fold_into,
};

/// An item of a condition, compared with another one of its kind.
pub(crate) trait Implies {
    /// Whether everything that this item finds is also found by the other.
    fn implies(&self, other: &Self) -> bool;
}

impl Implies for TypePattern {
    fn implies(&self, other: &Self) -> bool {
        if self.as_str() == other.as_str() || other.as_str() == "**" {
            return true;
        }
        match self.access() {
            // A short name stands for the types of all namespaces: a pattern on full names knows only some of them.
            Access::Exact(name) => (other.is_short() || !self.is_short()) && other.matches(&TypeName::from_plain(name)),
            _ => other.is_short() && self.is_short() && other.as_str() == "*",
        }
    }
}

impl Implies for CodePattern {
    fn implies(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
            || match self.access() {
                Access::Exact(code) => other.matches_lower(code),
                _ => other.as_str() == "*",
            }
    }
}

impl Implies for Pattern {
    fn implies(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
            || other.as_str().strip_prefix("(?i)") == Some(self.as_str())
            || matches!((self.exact(), other.exact()), (Some(text), Some(part)) if text.contains(part))
    }
}

impl Implies for Literal {
    fn implies(&self, other: &Self) -> bool {
        holds(self.as_str(), other.as_str())
    }
}

impl Implies for StatusPattern {
    fn implies(&self, other: &Self) -> bool {
        other.statuses().contains(self.statuses().start()) && other.statuses().contains(self.statuses().end())
    }
}

impl Implies for i64 {
    fn implies(&self, other: &Self) -> bool {
        self == other
    }
}

impl Implies for String {
    fn implies(&self, other: &Self) -> bool {
        self == other
    }
}

impl Implies for AttributePattern {
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(text, None), Self::Text(_, Some(glob))) => glob.is_match(text),
            (Self::Text(text, _), Self::Text(other, _)) => text == other,
            (Self::Bool(value), Self::Bool(other)) => value == other,
            (Self::Number(number), Self::Number(other)) => number == other,
            _ => false,
        }
    }
}

impl<T: Implies> Implies for Values<T> {
    fn implies(&self, other: &Self) -> bool {
        let implies = |wanted: &T| self.items.iter().any(|item| item.implies(wanted));
        match (self.quantifier, other.quantifier) {
            (Quantifier::Any, Quantifier::Any) => {
                self.items.iter().all(|item| other.items.iter().any(|wanted| item.implies(wanted)))
            }
            (Quantifier::All, Quantifier::Any) => other.items.iter().any(implies),
            (Quantifier::All, Quantifier::All) => other.items.iter().all(implies),
            (Quantifier::Any, Quantifier::All) => {
                self.items.iter().all(|item| other.items.iter().all(|wanted| item.implies(wanted)))
            }
        }
    }
}

/// Whether a text holds another one, ASCII case ignored.
fn holds(text: &str, part: &str) -> bool {
    text.as_bytes().windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// A text that is looked for whatever its case, in what a pattern requires.
fn require(pattern: &Pattern, literal: &Literal) -> bool {
    if let Some(text) = pattern.exact() {
        return holds(text, literal.as_str());
    }
    let mut folded = Vec::new();
    fold_into(literal.as_str(), &mut folded);
    let texts = &pattern.requirement().texts;
    // On the folded text two characters of Unicode count as letters; the literal knows only ASCII letters.
    literal.as_str().bytes().all(|b| !matches!(b.to_ascii_lowercase(), b'k' | b's'))
        && !texts.is_empty()
        && texts.iter().all(|text| memchr::memmem::find(text, &folded).is_some())
}

fn message_implies(message: &Values<Pattern>, literals: &Values<Literal>) -> bool {
    let any = |pattern: &Pattern| match literals.quantifier {
        Quantifier::Any => literals.items.iter().any(|literal| require(pattern, literal)),
        Quantifier::All => literals.items.iter().all(|literal| require(pattern, literal)),
    };
    match message.quantifier {
        Quantifier::Any => message.items.iter().all(any),
        Quantifier::All => message.items.iter().any(any),
    }
}

impl Condition {
    /// Whether the other condition holds on every failure that this one holds on.
    pub(crate) fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exception(a), Self::Exception(b)) => a.implies(b),
            (Self::Message(a), Self::Message(b)) => a.implies(b),
            (Self::Message(a), Self::Contains(b)) => message_implies(a, b),
            (Self::Contains(a), Self::Contains(b)) => a.implies(b),
            (Self::HttpStatus(a), Self::HttpStatus(b)) => a.implies(b) || covers(a, b),
            (Self::ProviderCode(a), Self::ProviderCode(b)) => a.implies(b),
            (Self::ErrorNumber(a), Self::ErrorNumber(b)) => a.implies(b),
            (Self::Connector(a), Self::Connector(b))
            | (Self::Operation(a), Self::Operation(b))
            | (Self::Phase(a), Self::Phase(b)) => a.implies(b),
            (Self::Attribute { name, values }, Self::Attribute { name: other, values: wanted }) => {
                name == other && values.implies(wanted)
            }
            (Self::Absent(a), Self::Absent(b)) => b.iter().all(|fact| a.contains(fact)),
            (Self::Cause { position, conditions }, Self::Cause { position: wanted, conditions: others }) => {
                (position == wanted || *wanted == CausePosition::SameCause)
                    && others.iter().all(|other| conditions.iter().any(|condition| condition.implies(other)))
            }
            // What holds on one cause holds somewhere.
            (Self::Cause { conditions, .. }, other) => {
                conditions.iter().any(|condition| condition.as_condition().implies(other))
            }
            _ => false,
        }
    }

    /// Whether the two never hold on one failure.
    pub(crate) fn excludes(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::HttpStatus(a), Self::HttpStatus(b)) => disjoint(a, b, |a, b| {
                a.statuses().end() < b.statuses().start() || b.statuses().end() < a.statuses().start()
            }),
            (Self::Connector(a), Self::Connector(b))
            | (Self::Operation(a), Self::Operation(b))
            | (Self::Phase(a), Self::Phase(b)) => disjoint(a, b, |a, b| a != b),
            (Self::Attribute { name, values }, Self::Attribute { name: other, values: wanted }) => {
                name == other && disjoint(values, wanted, differ)
            }
            (Self::Absent(facts), other) | (other, Self::Absent(facts)) => {
                facts.iter().any(|fact| other.needs().contains(fact))
            }
            _ => false,
        }
    }

    /// Facts that must be there for the condition to hold.
    fn needs(&self) -> Vec<Fact> {
        match self {
            // An exception may state base types without a type of its own: the fact is missing, and the condition holds.
            Self::Exception(_) | Self::Absent(_) => Vec::new(),
            Self::Message(_) | Self::Contains(_) => vec![Fact::Message],
            Self::HttpStatus(_) => vec![Fact::HttpStatus],
            Self::ProviderCode(_) => vec![Fact::ProviderCode],
            Self::ErrorNumber(_) => vec![Fact::ErrorNumber],
            Self::Connector(_) => vec![Fact::Connector],
            Self::Operation(_) => vec![Fact::Operation],
            Self::Phase(_) => vec![Fact::Phase],
            Self::Attribute { name, .. } => vec![Fact::Attribute(name.clone())],
            Self::Cause { conditions, .. } => {
                conditions.iter().flat_map(|condition| condition.as_condition().needs()).collect()
            }
        }
    }
}

impl CauseCondition {
    fn implies(&self, other: &Self) -> bool {
        self.as_condition().implies(&other.as_condition())
    }

    /// The same condition on the failure as a whole.
    fn as_condition(&self) -> Condition {
        match self {
            Self::Exception(values) => Condition::Exception(values.clone()),
            Self::Message(values) => Condition::Message(values.clone()),
            Self::Contains(values) => Condition::Contains(values.clone()),
            Self::ErrorNumber(values) => Condition::ErrorNumber(values.clone()),
        }
    }
}

/// Whether a list of statuses covers every status of another one, each range by several.
fn covers(part: &Values<StatusPattern>, whole: &Values<StatusPattern>) -> bool {
    part.quantifier == Quantifier::Any
        && whole.quantifier == Quantifier::Any
        && part
            .items
            .iter()
            .all(|item| item.statuses().all(|status| whole.items.iter().any(|wanted| wanted.matches(status))))
}

/// Whether no value can be one of both lists. A failure has such a value once.
fn disjoint<T>(a: &Values<T>, b: &Values<T>, differ: impl Fn(&T, &T) -> bool) -> bool {
    a.items.iter().all(|a| b.items.iter().all(|b| differ(a, b)))
}

/// Whether no attribute has both values.
fn differ(a: &AttributePattern, b: &AttributePattern) -> bool {
    match (a, b) {
        (AttributePattern::Text(a, None), AttributePattern::Text(b, None)) => a != b,
        (AttributePattern::Text(text, None), AttributePattern::Text(_, Some(glob)))
        | (AttributePattern::Text(_, Some(glob)), AttributePattern::Text(text, None)) => !glob.is_match(text),
        (AttributePattern::Text(..), AttributePattern::Text(..)) => false,
        (AttributePattern::Bool(a), AttributePattern::Bool(b)) => a != b,
        (AttributePattern::Number(a), AttributePattern::Number(b)) => a != b,
        _ => true,
    }
}
