//! Decisions, codes and reports for people and machines. Shows values; decides nothing.

mod decision;
#[cfg(feature = "cli")]
mod diff;
mod escape;
mod line;
#[cfg(feature = "cli")]
mod lint;
#[cfg(feature = "cli")]
mod page;
#[cfg(feature = "cli")]
mod proof;
mod reload;
mod report;
#[cfg(feature = "cli")]
mod schema;
#[cfg(feature = "cli")]
mod trace;

#[cfg(feature = "cli")]
pub use decision::{block, failure_line, trace_line};
pub use decision::{json_line, log_line, summary};
#[cfg(feature = "cli")]
pub use diff::diff;
pub use escape::escaped;
#[cfg(feature = "cli")]
pub use lint::{lint_page, lint_text};
#[cfg(feature = "cli")]
pub use page::{catalogue, page};
#[cfg(feature = "cli")]
pub use proof::{ProofView, case_toml, proof, proof_summary, score};
pub use reload::{reload_line, short};
pub use report::{Edit, Finding, Fix, Place, ReportDocument, document};
#[cfg(feature = "cli")]
pub use report::{concise, full, github, github_summary, gitlab, json, json_lines, junit, sarif};
#[cfg(feature = "cli")]
pub use schema::schema;
#[cfg(feature = "cli")]
pub use trace::trace;
