//! Failures in: one adapter for each form that failures come in.
//!
//! Adapters state what is written; they know no rules and decide nothing.

#[cfg(feature = "cli")]
mod form;
pub mod json;
#[cfg(feature = "cli")]
pub(crate) mod records;
pub mod text;

#[cfg(feature = "serve")]
pub(crate) use form::without_mark;
