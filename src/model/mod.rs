//! The nouns: failures, codes, rules and decisions. Plain values without any input or output.

mod any_case;
mod around;
mod byte_set;
mod catalog;
mod decision;
mod excerpt;
mod failure;
mod glob;
mod hint;
mod implication;
pub mod limits;
pub(crate) mod mutation;
mod outcome;
mod parallel;
mod partial;
mod pattern;
mod per_thread;
mod required;
mod rule;
mod run;
mod sequence;
mod skeleton;
mod status;
mod template;
mod trace;
mod type_name;
mod width;

pub(crate) use any_case::has_folded_letters;
pub(crate) use around::Tries;
pub use catalog::{CatalogEntry, Code};
pub use decision::{Decision, Evidence, Log, UnknownReason};
pub(crate) use excerpt::{excerpt, head_and_tail, place};
pub use failure::{Attribute, Exception, Failure};
pub(crate) use glob::Access;
pub use glob::{AttributePattern, CodePattern, TypePattern};
pub(crate) use hint::Hint;
pub(crate) use implication::Implies;
pub use mutation::MutationKind;
pub use outcome::{Action, RetryClass};
pub(crate) use parallel::in_parallel;
pub use pattern::{Literal, Pattern, PatternError, PatternErrorKind};
pub(crate) use per_thread::PerThread;
pub(crate) use required::{Requirement, byte_bits, fold_into};
pub use rule::{Capture, CauseCondition, CausePosition, Condition, Fact, Quantifier, Rule, Values};
pub(crate) use run::{Bytes, Run, chance};
pub(crate) use skeleton::{is_opaque, skeleton};
pub use status::StatusPattern;
pub(crate) use status::is_status;
pub use template::Template;
pub use trace::{
    ConditionSource, Difference, HiddenRule, Hint as TraceHint, Mark, RuleName, SeenValue, Trace, TracedCause,
    TracedCondition, TracedFacts, TracedItem, TracedRule,
};
pub use type_name::TypeName;

use std::borrow::Cow;

/// The same value without a borrow.
fn owned<T: ToOwned + ?Sized>(value: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(value.into_owned())
}
