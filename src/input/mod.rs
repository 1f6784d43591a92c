//! Failures in: one adapter for each form that failures come in.
//!
//! Adapters state what is written; they know no rules and decide nothing.

mod draft;
mod exception;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
mod form;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
pub(crate) mod format;
mod formats;
pub mod json;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
pub(crate) mod level;
mod loose;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
pub(crate) mod mapping;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
mod parts;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
pub(crate) mod records;
#[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "streams, mappings and levels are for the command line"))]
mod rows;
pub mod text;
mod value;

#[cfg(feature = "serve")]
pub(crate) use form::without_mark;
