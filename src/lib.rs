//! Software fails; `faultbook` says what went wrong in a stable word, and what happens next.
//!
//! Maintainers describe failures in TOML rule files. A [`RuleSet`] holds the compiled, proven rules and turns a
//! [`Failure`] into a [`Decision`]: a stable code, a transaction status, a retry class, a message and a remedy. The
//! first rule that applies wins; what no rule knows is the fallback code, never an error.
//!
//! ```
//! use faultbook::{Exception, Failure, RuleSet};
//!
//! let rules = RuleSet::builtin();
//! let failure = Failure {
//!     connector: Some("exchange".into()),
//!     exceptions: vec![Exception {
//!         type_name: Some("Microsoft.Identity.Client.MsalServiceException".into()),
//!         message: Some("AADSTS7000222: The provided client secret keys for app '1b2c' are expired.".into()),
//!         ..Exception::default()
//!     }],
//!     ..Failure::default()
//! };
//! let decision = rules.classify(&failure);
//! assert_eq!(decision.code.as_str(), "DSEX001");
//! assert_eq!(decision.message, "[DSEX001] The client secret of application 1b2c has expired.");
//! ```
//!
//! Own rules come from a directory: [`RuleSet::discover`] reads it, [`RuleSet::load`] proves it and gives either a set
//! or [`Rejected`] with a [`Report`] of everything that is wrong.
//!
//! What no rule knows need not be lost: a [`Spool`] keeps each shape of it on disk, with an exact count.

#[cfg(feature = "cli")]
mod answer;
#[cfg(feature = "cli")]
pub mod cli;
mod diagnostic;
mod engine;
mod error;
mod input;
pub mod matcher;
mod model;
pub mod render;
mod rulefile;
mod ruleset;
#[cfg(feature = "serve")]
pub mod server;
pub mod spool;
pub mod trace {
    //! What a [`Trace`](crate::Trace) holds.
    pub use crate::model::{
        ConditionSource, Difference, HiddenRule, Mark, RuleName, SeenValue, TraceHint, TracedCause, TracedCondition,
        TracedFacts, TracedItem, TracedRule,
    };
}

pub use diagnostic::{
    Acceptance, Accepted, Diagnostic, Edit, Fix, LINTS, Label, Lint, Position, Report, Severity, Source, SourceId,
    Sources, Span,
};
pub use engine::{
    Changes, Difference, Engine, EngineOptions, Generation, LastReload, ReloadOutcome, RulesSource, Status, WatchEvent,
    WatchMode, WatchOptions, Watcher,
};
pub use error::{Error, ErrorKind};
pub use input::format::Format;
pub use input::json::{Record, read_record};
pub use input::records::read_as;
pub use input::text::read as read_text;
pub use model::{
    Action, Attribute, CatalogEntry, Code, Decision, Evidence, Exception, Failure, Log, RetryClass, Rule, Trace,
    UnknownReason, limits,
};
pub use rulefile::layout;
pub use ruleset::{Diagnosis, Rejected, RuleSet, proof};
pub use spool::{Fsync, Spool, SpoolOptions};
