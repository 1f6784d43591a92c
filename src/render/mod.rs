//! Decisions, codes and reports for people and machines. Shows values; decides nothing.

mod decision;
mod escape;
#[cfg(feature = "cli")]
mod page;
mod reload;
#[cfg(feature = "cli")]
mod report;
#[cfg(feature = "cli")]
mod schema;
#[cfg(feature = "cli")]
mod trace;

#[cfg(feature = "cli")]
pub use decision::{block, failure_line, trace_line};
pub use decision::{json_line, log_line, summary};
pub use escape::escaped;
#[cfg(feature = "cli")]
pub use page::{catalogue, page};
pub use reload::{reload_line, short};
#[cfg(feature = "cli")]
pub use report::{Finding, Place, ReportDocument, document, full};
#[cfg(feature = "cli")]
pub use schema::schema;
#[cfg(feature = "cli")]
pub use trace::trace;
