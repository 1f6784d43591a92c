//! Failures in: one adapter for each form that failures come in.
//!
//! Adapters state what is written; they know no rules and decide nothing.

pub mod json;
pub mod text;
