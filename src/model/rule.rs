//! Rules: conditions on the facts of a failure, and the code that they give.

use std::borrow::Cow;

use serde::Serialize;

use super::{AttributePattern, Code, CodePattern, Literal, Pattern, StatusPattern, TypePattern};

/// One rule. It applies when every condition of `when` holds and none of `unless` does.
#[derive(Debug, Clone, Serialize)]
pub struct Rule {
    /// The name that decisions carry: file and id, `exchange/secret-expired`.
    pub id: String,
    /// The code that the rule gives.
    pub code: Code,
    /// The connectors that the rule is for; empty for all.
    pub connectors: Vec<String>,
    /// Conditions that must all hold.
    pub when: Vec<Condition>,
    /// Conditions of which none may hold.
    pub unless: Vec<Condition>,
    /// Parts of the messages that are kept for the code's own message.
    pub captures: Vec<Capture>,
}

/// A named part of a message.
#[derive(Debug, Clone, Serialize)]
pub struct Capture {
    /// The variable of the message template.
    pub name: String,
    /// The pattern; its group `value` is the part to take.
    pub pattern: Pattern,
}

/// What a condition looks for: one or more items, of which any or all must be found.
#[derive(Debug, Clone, Serialize)]
pub struct Values<T> {
    /// Whether one item is enough.
    pub quantifier: Quantifier,
    /// The items, at least one.
    pub items: Vec<T>,
}

/// How many items of a list must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantifier {
    /// One is enough: a single value or a list.
    Any,
    /// All of them: `{ all = […] }`.
    All,
}

/// A condition on one fact. A condition on a missing fact does not hold, neither in `when` nor in `unless`.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "on", content = "is", rename_all = "snake_case")]
pub enum Condition {
    /// A cause has such a type, or one of its ancestors is such a type.
    Exception(Values<TypePattern>),
    /// A pattern finds something in a cause's message or in the failure's own message.
    Message(Values<Pattern>),
    /// A literal occurs there, ASCII case ignored.
    Contains(Values<Literal>),
    /// The HTTP status.
    HttpStatus(Values<StatusPattern>),
    /// A code of the remote side.
    ProviderCode(Values<CodePattern>),
    /// A number from the failure's set of error numbers.
    ErrorNumber(Values<i64>),
    /// The connector.
    Connector(Values<String>),
    /// The operation.
    Operation(Values<String>),
    /// The phase.
    Phase(Values<String>),
    /// An attribute, by name.
    Attribute {
        /// The attribute's name.
        name: String,
        /// What its value must be.
        values: Values<AttributePattern>,
    },
    /// Facts that must be missing, all of them.
    Absent(Vec<Fact>),
    /// Conditions that must all hold on one and the same cause.
    Cause {
        /// Which cause.
        position: CausePosition,
        /// What must hold on it.
        conditions: Vec<CauseCondition>,
    },
}

/// A condition on one cause.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "on", content = "is", rename_all = "snake_case")]
pub enum CauseCondition {
    /// Its type, or one of its ancestors.
    Exception(Values<TypePattern>),
    /// Its message, by pattern.
    Message(Values<Pattern>),
    /// Its message, by literal.
    Contains(Values<Literal>),
    /// One of its own error numbers.
    ErrorNumber(Values<i64>),
}

/// Which cause of the chain a cause selector looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CausePosition {
    /// The first one: the exception that was caught.
    Outermost,
    /// A cause that wraps no other; an aggregate has several.
    Innermost,
    /// Any one cause.
    SameCause,
}

/// The name of a fact, as `absent` lists them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fact {
    /// Any exception type.
    Exception,
    /// Any message.
    Message,
    /// The HTTP status.
    HttpStatus,
    /// Any code of the remote side.
    ProviderCode,
    /// Any error number.
    ErrorNumber,
    /// The connector.
    Connector,
    /// The operation.
    Operation,
    /// The phase.
    Phase,
    /// An attribute, by name.
    Attribute(String),
}

impl Fact {
    /// The names that `absent` takes beside `attributes.NAME`.
    pub const WORDS: [(&'static str, Self); 8] = [
        ("exception", Self::Exception),
        ("message", Self::Message),
        ("http_status", Self::HttpStatus),
        ("provider_code", Self::ProviderCode),
        ("error_number", Self::ErrorNumber),
        ("connector", Self::Connector),
        ("operation", Self::Operation),
        ("phase", Self::Phase),
    ];
}

impl Condition {
    /// The condition's key in rule files, as evidence and traces name it.
    #[must_use]
    pub fn key(&self) -> Cow<'static, str> {
        match self {
            Self::Exception(_) => "exception".into(),
            Self::Message(_) => "message".into(),
            Self::Contains(_) => "contains".into(),
            Self::HttpStatus(_) => "http_status".into(),
            Self::ProviderCode(_) => "provider_code".into(),
            Self::ErrorNumber(_) => "error_number".into(),
            Self::Connector(_) => "connector".into(),
            Self::Operation(_) => "operation".into(),
            Self::Phase(_) => "phase".into(),
            Self::Attribute { name, .. } => format!("attributes.{name}").into(),
            Self::Absent(_) => "absent".into(),
            Self::Cause { position, .. } => position.key().into(),
        }
    }
}

impl CauseCondition {
    /// The condition's key in rule files.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Exception(_) => "exception",
            Self::Message(_) => "message",
            Self::Contains(_) => "contains",
            Self::ErrorNumber(_) => "error_number",
        }
    }
}

impl CausePosition {
    /// The selector's key in rule files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Outermost => "outermost",
            Self::Innermost => "innermost",
            Self::SameCause => "same_cause",
        }
    }
}
