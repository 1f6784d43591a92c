//! The nouns: failures, codes, rules and decisions. Plain values without any input or output.

mod catalog;
mod decision;
mod excerpt;
mod failure;
mod glob;
mod hint;
pub mod limits;
pub(crate) mod mutation;
mod outcome;
mod pattern;
mod per_thread;
mod required;
mod rule;
mod sequence;
mod status;
mod template;
mod type_name;

pub use catalog::{CatalogEntry, Code};
pub use decision::{Decision, Evidence, Log, UnknownReason};
pub(crate) use excerpt::{excerpt, head_and_tail};
pub use failure::{Attribute, Exception, Failure};
pub(crate) use glob::Access;
pub use glob::{AttributePattern, CodePattern, TypePattern};
pub(crate) use hint::Hint;
pub use mutation::MutationKind;
pub use outcome::{Action, RetryClass};
pub use pattern::{Literal, Pattern, PatternError, PatternErrorKind};
pub(crate) use per_thread::PerThread;
pub(crate) use required::{Bytes, Requirement, Run, byte_bits, fold_into};
pub use rule::{Capture, CauseCondition, CausePosition, Condition, Fact, Quantifier, Rule, Values};
pub use status::StatusPattern;
pub(crate) use status::is_status;
pub use template::Template;
pub use type_name::TypeName;

use std::borrow::Cow;

/// The same value without a borrow.
fn owned<T: ToOwned + ?Sized>(value: Cow<'_, T>) -> Cow<'static, T> {
    Cow::Owned(value.into_owned())
}
