//! `faultbook unknowns`: what no rule knows, the most frequent shape first.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::input::json::read_record;
use crate::render::{self, escaped};
use crate::spool::{Outline, Shape, Spool, Unknowns};

use super::Format;
use super::output::{self, Failed, remark};

const EXAMPLES: &str = "Examples:
  faultbook unknowns spool/
  faultbook unknowns spool/ --format json | jq '.shapes[0]'
  faultbook unknowns spool/ --show 3f0c1d8e5a44 | faultbook classify --input json

The exit code is 1 when something in the spool is damaged.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// The directory of `faultbook classify --spool`
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Output for people or machines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Shapes to show, the most frequent first; 0 for all. For people 50 without it, for machines all
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Print one failure of a shape as JSON instead; the start of a fingerprint is enough
    #[arg(long, value_name = "FINGERPRINT", conflicts_with_all = ["format", "limit"])]
    show: Option<String>,
}

/// Shapes that people are shown when they do not say how many.
const SHAPES: usize = 50;
/// Characters of a fingerprint in the table; 48 bits tell ten thousand shapes apart.
const SHORT: usize = 12;
/// Characters of what a shape is, in the table.
const FAILURE_CHARS: usize = 120;

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failed> {
    let unknowns = Spool::shapes(&arguments.directory)?;
    for damage in &unknowns.damage {
        remark(&escaped(&damage.to_string()));
    }
    match &arguments.show {
        Some(prefix) => output::print(&specimen(&unknowns, prefix)?)?,
        None => match arguments.format {
            Format::Text => output::print(&table(&unknowns, arguments.limit.unwrap_or(SHAPES)))?,
            Format::Json => {
                let shown = &unknowns.shapes[..shown(&unknowns, arguments.limit.unwrap_or(0))];
                output::print_json(&json!({
                    "total": unknowns.total(),
                    "shapes": shown,
                    "overflow": unknowns.overflow,
                    "damage": unknowns.damage,
                }))?;
            }
        },
    }
    Ok(ExitCode::from(u8::from(!unknowns.damage.is_empty())))
}

/// How many shapes are shown; 0 stands for all.
fn shown(unknowns: &Unknowns, limit: usize) -> usize {
    let all = unknowns.shapes.len();
    if limit == 0 { all } else { limit.min(all) }
}

/// One failure of the shape whose fingerprint starts like that, as a line that `classify` reads.
fn specimen(unknowns: &Unknowns, prefix: &str) -> Result<String, Failed> {
    let wanted = prefix.to_ascii_lowercase();
    let starts = |shape: &&Shape| shape.fingerprint.to_string().starts_with(&wanted);
    let found: Vec<&Shape> = unknowns.shapes.iter().filter(starts).collect();
    let prefix = escaped(prefix);
    let shape = match found[..] {
        [shape] => shape,
        [] => {
            return Err(Failed::Usage(format!(
                "no fingerprint in the spool starts with `{prefix}`; `faultbook unknowns DIR` lists them"
            )));
        }
        _ => {
            return Err(Failed::Usage(format!(
                "{} fingerprints start with `{prefix}`; give more of it, such as `{}`",
                found.len(),
                found[0].fingerprint
            )));
        }
    };
    let Some(specimen) = &shape.specimen else {
        return Err(Failed::Usage(format!(
            "the specimen of `{}` was dropped to make room; the next failure of its shape brings a new one",
            shape.fingerprint
        )));
    };
    let record = read_record(specimen.as_bytes())
        .map_err(|error| Failed::Usage(format!("the specimen of `{}` is damaged: {error}", shape.fingerprint)))?;
    Ok(render::failure_line(&record.failure))
}

fn table(unknowns: &Unknowns, limit: usize) -> String {
    let shapes = &unknowns.shapes[..shown(unknowns, limit)];
    let mut out = String::new();
    if !shapes.is_empty() {
        let width = shapes.iter().map(|shape| connector(shape).chars().count()).max().unwrap_or(0).max(9);
        let _ = writeln!(
            out,
            "{:>9}  {:SHORT$}  {:20}  {:20}  {:width$}  failure",
            "count", "fingerprint", "first seen", "last seen", "connector"
        );
        for shape in shapes {
            let mut fingerprint = shape.fingerprint.to_string();
            fingerprint.truncate(SHORT);
            let _ = writeln!(
                out,
                "{:>9}  {fingerprint}  {}  {}  {:width$}  {}",
                shape.count,
                seconds(&shape.first_seen.to_string()),
                seconds(&shape.last_seen.to_string()),
                connector(shape),
                failure(&shape.outline)
            );
        }
        out.push('\n');
    }
    let _ = write!(out, "{} unknown failures of {} shapes", unknowns.total(), unknowns.shapes.len());
    if let Some(overflow) = unknowns.overflow {
        let _ = write!(out, "; {} of further shapes are only counted", overflow.count);
    }
    if shapes.len() < unknowns.shapes.len() {
        let _ = write!(out, "; the {} most frequent are shown, `--limit 0` shows all", shapes.len());
    }
    out
}

fn connector(shape: &Shape) -> String {
    let connector = escaped(shape.outline.connector.as_deref().unwrap_or("-"));
    connector.chars().take(24).collect()
}

/// What a shape is, on one line: the outermost type, the status and what is said.
fn failure(outline: &Outline) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(outline.unreadable.then(|| "unreadable".to_owned()));
    parts.extend(outline.exceptions.first().cloned());
    parts.extend(outline.http_status.map(|status| status.to_string()));
    parts.extend(outline.provider_codes.first().cloned());
    let mut line = parts.join(" ");
    if let Some(message) = &outline.message {
        line = if line.is_empty() { message.clone() } else { format!("{line}: {message}") };
    }
    if line.is_empty() {
        line = outline.attributes.join(" ");
    }
    if line.is_empty() {
        "(says nothing)".clone_into(&mut line);
    }
    let line = escaped(&line);
    match line.char_indices().nth(FAILURE_CHARS) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.into_owned(),
    }
}

/// A moment without its milliseconds.
fn seconds(moment: &str) -> String {
    moment.split_once('.').map_or_else(|| moment.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}
