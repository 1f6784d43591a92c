//! What an operator asks of a running engine.

use std::collections::BTreeMap;
use std::time::SystemTime;

use serde::Serialize;

use crate::diagnostic::Severity;

use super::changes::Changes;
use super::reload::ReloadOutcome;

/// How an engine stands, at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Status {
    /// Number of the set in force.
    pub generation: u64,
    /// Digest of the set in force.
    pub ruleset: String,
    /// When it was taken into use: RFC 3339, UTC.
    pub since: String,
    /// Where it comes from.
    pub source: Source,
    /// Codes of the set in force.
    pub codes: usize,
    /// Rules of the set in force.
    pub rules: usize,
    /// How changes of the rule files are noticed.
    pub watch: WatchMode,
    /// How the last load ended; null when nothing was loaded since the start.
    pub last_reload: Option<LastReload>,
    /// When the files were last loaded without errors, the start included: RFC 3339, UTC.
    pub last_success: String,
    /// Loads since the start, by outcome: `swapped`, `unchanged`, `rejected`; the first load is not counted.
    pub reloads_by_outcome: BTreeMap<String, u64>,
    /// Seconds for which reading or loading the files has been under way; null when it has not taken a second yet. A
    /// file system that hangs shows here, and nowhere else.
    pub loading_seconds: Option<u64>,
    /// Why the last good set could not be kept on disk; null when it could, or is not asked for.
    pub not_kept: Option<String>,
    /// Sets that are out of force and still held by somebody.
    pub generations_alive: usize,
    /// How often each code was given by a rule since the start; codes that never were are left out.
    pub hits_by_code: BTreeMap<String, u64>,
    /// How often each rule won since the start; rules that never did are left out.
    pub hits_by_rule: BTreeMap<String, u64>,
    /// Undiagnosed failures since the start, by reason.
    pub unknown_by_reason: BTreeMap<String, u64>,
}

/// Where the set in force comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// The rules that are built into the library.
    BuiltIn,
    /// The rules directory.
    Directory,
    /// The state directory: the rules directory did not load at the start.
    LastGood,
    /// Nothing but the fallback: neither of both did load.
    FallbackOnly,
}

/// How changes of rule files are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum WatchMode {
    /// Not at all: only when a reload is asked for.
    Off,
    /// By reading the files again and again.
    Scan,
    /// By the system's events, and by reading the files again and again.
    Events,
}

/// How a load ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct LastReload {
    /// When it ended: RFC 3339, UTC.
    pub at: String,
    /// `swapped`, `unchanged` or `rejected`.
    pub outcome: &'static str,
    /// What it changed; empty unless it swapped.
    pub changes: Changes,
    /// Errors in the rules.
    pub errors: usize,
    /// Why the rules were rejected, in one line; null when they were not.
    pub reason: Option<String>,
}

impl LastReload {
    pub(super) fn new(at: SystemTime, outcome: &ReloadOutcome) -> Self {
        let at = humantime::format_rfc3339_seconds(at).to_string();
        let empty = Self { at, outcome: outcome.as_str(), changes: Changes::default(), errors: 0, reason: None };
        match outcome {
            ReloadOutcome::Swapped { changes, .. } => Self { changes: (**changes).clone(), ..empty },
            ReloadOutcome::Unchanged { .. } => empty,
            ReloadOutcome::Rejected(rejected) => {
                Self { errors: rejected.report().count(Severity::Error), reason: Some(rejected.to_string()), ..empty }
            }
        }
    }
}
