//! From a failure to the first rule that applies.
//!
//! Knows rules and failures as values; knows neither TOML nor how answers are shown.

mod candidate;
mod condition;
mod lexicon;
pub mod plain;

pub use candidate::{Candidate, Cause};
pub use condition::{Witness, captures, witnesses};
pub use lexicon::Lexicon;
