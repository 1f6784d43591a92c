//! From a failure to the first rule that applies.
//!
//! Knows rules and failures as values; knows neither TOML nor how answers are shown. [`RuleSet`](crate::RuleSet) is what
//! programs use; this layer below it is for rules that are made in memory, for benchmarks and for tests.

mod candidate;
mod condition;
mod lexicon;
pub mod plain;

pub use candidate::{Candidate, Cause};
pub use condition::{Witness, captures, witnesses};
pub use lexicon::Lexicon;

pub use crate::model::{
    AttributePattern, Capture, CauseCondition, CausePosition, CodePattern, Condition, Fact, Literal, Pattern,
    PatternError, PatternErrorKind, Quantifier, StatusPattern, TypeName, TypePattern, Values,
};
