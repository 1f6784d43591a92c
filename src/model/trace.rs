//! Why a failure has its code: what every rule that matters says about it. Plain values, without secrets.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Attribute, Decision, Quantifier};

/// Why a failure has its code, and why not another one.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Trace {
    /// The decision, as `classify` gives it.
    pub decision: Decision<'static>,
    /// The failure as conditions see it.
    pub facts: TracedFacts,
    /// The rule that wins; null when the fallback answers.
    pub winner: Option<TracedRule>,
    /// The rules behind the winner that apply as well, in their order.
    pub also_apply: Vec<HiddenRule>,
    /// The rules that nearly apply, the nearest first.
    pub misses: Vec<TracedRule>,
    /// The rule that was asked for, with all of its conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked: Option<TracedRule>,
}

/// The facts of a failure: those that were sent, and those that texts state.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TracedFacts {
    /// The connector.
    pub connector: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// The phase.
    pub phase: Option<String>,
    /// The HTTP status.
    pub http_status: Option<u16>,
    /// Codes of the remote side.
    pub provider_codes: Vec<String>,
    /// Error numbers of the failure and of all exceptions.
    pub error_numbers: Vec<i64>,
    /// Attributes.
    #[cfg_attr(feature = "cli", schemars(with = "BTreeMap<String, serde_json::Value>"))]
    pub attributes: BTreeMap<String, Attribute<'static>>,
    /// The exceptions, outermost first.
    pub exceptions: Vec<TracedCause>,
    /// What is said outside of exceptions, cut where it is long.
    pub messages: Vec<String>,
}

/// An exception as conditions see it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TracedCause {
    /// The type by its plain name.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Its base types, those that were sent and those that the rules know.
    pub ancestors: Vec<String>,
    /// The message, cut where it is long.
    pub message: Option<String>,
    /// Its error numbers.
    pub error_numbers: Vec<i64>,
    /// Whether it wraps no other exception.
    pub innermost: bool,
}

/// Which rule it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct RuleName {
    /// File and id.
    pub rule: String,
    /// The code that it gives.
    pub code: String,
    /// The code's title.
    pub title: String,
    /// Its place in the order in which rules are tried, from 1.
    pub order: usize,
    /// The rule file, when the set comes from files.
    pub file: Option<String>,
    /// The line of its id there.
    pub line: Option<usize>,
}

/// A rule that applies and loses by order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct HiddenRule {
    /// Which rule it is.
    #[serde(flatten)]
    pub name: RuleName,
    /// The rule in front of it that wins.
    pub hidden_by: String,
}

/// A rule with what each of its conditions says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TracedRule {
    /// Which rule it is.
    #[serde(flatten)]
    pub name: RuleName,
    /// Whether it applies.
    pub applies: bool,
    /// How many conditions keep it from applying; each condition of a cause selector counts by itself.
    pub failed: usize,
    /// Its scope, then `when`, then `unless`, as the rule file has them.
    pub conditions: Vec<TracedCondition>,
}

/// Where a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ConditionSource {
    /// The connectors of the rule file.
    Scope,
    /// What must hold.
    When,
    /// What must not hold.
    Unless,
}

/// A condition with what it wants and what it saw.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TracedCondition {
    /// Where it stands.
    pub source: ConditionSource,
    /// Its key in the rule file, for example `provider_code` or `innermost.exception`.
    pub condition: String,
    /// The line of the key in the rule file.
    pub line: Option<usize>,
    /// Whether it holds.
    pub holds: bool,
    /// Whether it keeps the rule from applying: it does not hold, or it is an `unless` that does.
    pub failed: bool,
    /// Whether one item is enough, or all are needed.
    #[cfg_attr(feature = "cli", schemars(with = "String", extend("enum" = ["any", "all"])))]
    pub quantifier: Quantifier,
    /// What it looks for; empty for a cause selector.
    pub items: Vec<TracedItem>,
    /// The conditions of a cause selector, on the exception that fits best.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<TracedCondition>,
    /// The exception that a cause selector looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<usize>,
    /// The values that a condition which does not hold looked at.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub saw: Vec<SeenValue>,
    /// What hardly differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<Hint>,
}

/// One item of a condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct TracedItem {
    /// The item as rule files write it.
    pub wants: String,
    /// Whether it is found, by itself.
    pub holds: bool,
    /// What was found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub found: Option<Mark>,
}

/// A value with what stands around it, each part without secrets.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Mark {
    /// Index of the exception that says it; null for facts of the failure as a whole.
    pub cause: Option<usize>,
    /// What stands in front of it in its message, cut where it is long.
    pub before: String,
    /// The value.
    pub value: String,
    /// What stands behind it.
    pub after: String,
    /// The type of the exception, when the value is a base type of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_of: Option<String>,
}

/// A value that a condition looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct SeenValue {
    /// Index of the exception that it belongs to; null for facts of the failure as a whole.
    pub cause: Option<usize>,
    /// The value, cut where it is long.
    pub value: String,
}

/// What keeps a condition from holding when hardly anything does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Hint {
    /// What differs.
    pub difference: Difference,
    /// The item that is nearly found.
    pub wants: String,
    /// What differs, for people, with what to write instead.
    pub text: String,
    /// The value that nearly fits.
    pub near: Mark,
}

/// What differs between what a condition wants and what it saw, the smallest difference first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// Nothing but letter case.
    Case,
    /// Nothing but white space: blanks of other kinds, line ends, characters without width.
    WhiteSpace,
    /// Nothing but characters that look like others.
    LookAlike,
    /// Several of these.
    Spelling,
    /// A text instead of a number or truth value, or the other way round.
    Kind,
    /// One segment of a type's namespace.
    Segment,
    /// The namespace of a type.
    Namespace,
    /// One of two codes has something in front.
    Prefix,
    /// The value is on another exception than the one that was looked at.
    OtherCause,
    /// The end of a text: a message fits up to some place.
    End,
    /// A few letters.
    Similar,
    /// The value stands in a message and is no fact.
    InText,
}
