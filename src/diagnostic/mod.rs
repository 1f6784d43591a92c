//! What is wrong in rule files, and where: sources and spans, lints, findings and reports.
//!
//! Plain values. Knows neither TOML nor rules, and prints nothing: `render` turns a report into text or JSON.

mod finding;
#[cfg(feature = "cli")]
mod fix;
mod lint;
mod report;
mod source;
mod suggest;

pub use finding::{Diagnostic, Edit, Fix, Label};
#[cfg(feature = "cli")]
pub use fix::apply;
pub use lint::{Acceptance, LINT_NAMES, LINTS, Lint, Severity, lints};
pub use report::{Accepted, Report};
pub(crate) use source::floor_char_boundary;
pub use source::{Position, Source, SourceId, Sources, Span, Spanned};
pub(crate) use suggest::{did_you_mean, nearest, only_near};
