//! Decisions as lines for people and logs.

use std::fmt::Write as _;
use std::io;

use crate::model::Decision;

use super::escape::escaped;
use super::line;

/// One line for people: code, retry class, status, id and message.
#[must_use]
pub fn summary(decision: &Decision<'_>) -> String {
    let mut line = format!("{:<9} {:<11} {:<25} ", decision.code.as_str(), decision.retry.label(), decision.status);
    if let Some(id) = &decision.id {
        let _ = write!(line, "{id}: ");
    }
    line.push_str(&escaped(
        decision.message.strip_prefix(&format!("[{}] ", decision.code)).unwrap_or(&decision.message),
    ));
    if let Some(reason) = decision.unknown_reason {
        let _ = write!(line, " ({})", reason.as_str().replace('-', " "));
    }
    for note in &decision.notes {
        let _ = write!(line, " [note: {}]", escaped(note));
    }
    line
}

/// One logfmt line: `errorCode=DSEX001 status=… retry=… message="…"`.
#[must_use]
pub fn log_line(decision: &Decision<'_>) -> String {
    let mut line = format!(
        "errorCode={} status={} retry={} action={} rule={}",
        decision.log.error_code,
        value(&decision.status),
        decision.retry.as_str(),
        decision.action.as_str(),
        value(&decision.rule)
    );
    if let Some(id) = &decision.id {
        let _ = write!(line, " id={}", value(id));
    }
    if let Some(reason) = decision.unknown_reason {
        let _ = write!(line, " unknownReason={}", reason.as_str());
    }
    let _ = write!(line, " message={} stackTrace={}", value(&decision.message), decision.log.stack_trace);
    if let Some(spooled) = decision.spooled {
        let _ = write!(line, " spooled={spooled}");
    }
    if let Some(error) = &decision.error {
        let _ = write!(line, " error={}", value(error));
    }
    if !decision.notes.is_empty() {
        let _ = write!(line, " notes={}", value(&decision.notes.join("; ")));
    }
    line
}

/// One line of JSON, without its line end; no reader takes anything in it for a line end or a control sequence.
///
/// # Errors
/// When the writer fails; memory does not.
pub fn json_line(decision: &Decision<'_>, writer: impl io::Write) -> io::Result<()> {
    line::write(decision, writer)
}

/// A trace as one line of JSON, as safe as [`json_line`].
///
/// # Errors
/// When the writer fails; memory does not.
#[cfg(feature = "cli")]
pub fn trace_line(trace: &crate::model::Trace, writer: impl io::Write) -> io::Result<()> {
    line::write(trace, writer)
}

/// A failure as one line of JSON, as safe as [`json_line`].
#[cfg(feature = "cli")]
#[must_use]
pub fn failure_line(failure: &crate::model::Failure<'_>) -> String {
    line::to_string(failure)
}

/// A logfmt value: quoted when it holds anything but plain characters, always on one line.
fn value(text: &str) -> String {
    let plain =
        !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':' | '+'));
    if plain {
        return text.to_owned();
    }
    let quoted = text.replace('\\', "\\\\").replace('"', "\\\"");
    // What `escaped` adds are backslashes of its own; those of the text are doubled already.
    format!("\"{}\"", escaped(&quoted))
}

/// A block for people who pasted one failure: what it is, why, and what to do.
#[cfg(feature = "cli")]
#[must_use]
pub fn block(decision: &Decision<'_>, code: &crate::model::CatalogEntry) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "{}  {}", decision.code, decision.title);
    let _ = writeln!(out, "  {}", escaped(&decision.message));
    let _ =
        writeln!(out, "  status {}, retry {}, {}", decision.status, decision.retry.label(), decision.action.label());
    match decision.unknown_reason {
        Some(reason) => {
            let _ = writeln!(out, "  no rule decided: {}", reason.as_str());
        }
        None => {
            let _ = writeln!(out, "  decided by rule {}", decision.rule);
        }
    }
    for evidence in &decision.evidence {
        let matched: String = evidence.matched.chars().take(160).collect();
        let cause = evidence.cause.map_or(String::new(), |cause| format!(" (exception {cause})"));
        let _ = writeln!(out, "    {}: {}{cause}", evidence.condition, escaped(&matched));
    }
    for note in &decision.notes {
        let _ = writeln!(out, "  note: {}", escaped(note));
    }
    let _ = writeln!(out, "  What to do:");
    for (index, step) in code.remedy.iter().enumerate() {
        let _ = writeln!(out, "    {}. {}", index + 1, step.trim());
    }
    let _ = writeln!(out, "  More: faultbook explain {}", decision.code);
    out
}
