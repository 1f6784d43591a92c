//! How grave a log record is, in the words of every logger.

use super::value::Value;

/// How grave a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    /// Every step.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens as it should.
    Information,
    /// Odd, but the work goes on.
    Warning,
    /// Something failed.
    Error,
    /// Nothing goes on.
    Critical,
}

impl Level {
    /// The level that a word stands for, in whatever case.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Some(match word.trim().to_ascii_lowercase().as_str() {
            "trace" | "trce" | "verbose" | "vrb" | "finest" | "finer" | "all" => Self::Trace,
            "debug" | "dbug" | "dbg" | "fine" | "config" => Self::Debug,
            "information" | "informational" | "info" | "inf" | "notice" | "log" => Self::Information,
            "warning" | "warn" | "wrn" => Self::Warning,
            "error" | "err" | "fail" | "severe" => Self::Error,
            "critical" | "crit" | "fatal" | "ftl" | "alert" | "emergency" | "emerg" | "panic" => Self::Critical,
            _ => return None,
        })
    }

    /// The level of a field that holds a word. A number means something else to each logger, and stays unknown.
    pub(super) fn of(value: &Value) -> Option<Self> {
        Self::of_word(value.text()?)
    }

    /// The level of Application Insights: 0 to 4, or a word.
    pub(super) fn of_telemetry(value: &Value) -> Option<Self> {
        match value.number() {
            Some(0) => Some(Self::Trace),
            Some(1) => Some(Self::Information),
            Some(2) => Some(Self::Warning),
            Some(3) => Some(Self::Error),
            Some(4) => Some(Self::Critical),
            Some(_) => None,
            None => Self::of(value),
        }
    }

    /// The level of a severity number of OpenTelemetry: 1 to 24, four for each level.
    pub(super) fn of_severity(number: i64) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Information,
            13..=16 => Self::Warning,
            17..=20 => Self::Error,
            21..=24 => Self::Critical,
            _ => return None,
        })
    }
}
