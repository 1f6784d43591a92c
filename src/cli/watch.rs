//! `faultbook watch`: what each change of a rules directory does, live.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use clap::{Args, ValueEnum};

use crate::engine::{Engine, EngineOptions, ReloadOutcome, RulesSource, Status, WatchEvent, WatchOptions, Watcher};
use crate::error::{Error, ErrorKind};
use crate::input;
use crate::input::mapping::Mapping;
use crate::input::records::{InputFormat, Records};
use crate::render;

use super::follow::Follow;
use super::output::{self, Failed, remark};
use super::signals;

const EXAMPLES: &str = "Examples:
  faultbook watch my-rules/                      what each change does, while it is edited
  faultbook watch my-rules/ --follow failures.ndjson
  faultbook watch my-rules/ --format json        the engine's status after each change

A change is taken into use when the files have been quiet for 200 ms, load, prove their examples
and lose no code; else the rules before it stay in force. Ends with Ctrl-C.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Directory of rule files; without it --rules
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Classify this file of failures as it grows, and show how often each code is given
    #[arg(long, value_name = "FILE")]
    follow: Option<PathBuf>,
    /// How changes are written
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
}

/// How often counts are shown while they change.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let Some(directory) = arguments.directory.as_deref().or(rules) else {
        let message = "the built-in rules never change; name a rules directory: `faultbook watch DIR`";
        return Err(Failed::Usage(message.to_owned()));
    };
    // Rules that do not load yet are what somebody watches while mending them.
    let engine = Arc::new(EngineOptions::new(directory).wait_at_start(false).allow_fallback_only(true).open()?);
    let show = |event: Option<&WatchEvent>| match arguments.format {
        Format::Json => json_line(&engine.status()),
        Format::Text => text(&engine, event),
    };
    show(None)?;
    let (sender, events) = channel();
    let of_signals = sender.clone();
    signals::reload_on_hangup(&engine, move |outcome| {
        let _ = of_signals.send(WatchEvent::Reloaded(outcome.clone()));
    })?;
    let _watcher = Watcher::spawn(Arc::clone(&engine), WatchOptions::default(), move |event| {
        let _ = sender.send(event.clone());
    })?;
    if let Some(file) = &arguments.follow {
        follow(&engine, file)?;
    }
    let mut counted = BTreeMap::new();
    loop {
        match events.recv_timeout(PAUSE) {
            Ok(event) => show(Some(&event))?,
            Err(RecvTimeoutError::Disconnected) => return Ok(ExitCode::from(2)),
            Err(RecvTimeoutError::Timeout) => {
                let status = engine.status();
                let mut counts = status.hits_by_code.clone();
                counts.extend(status.unknown_by_reason.iter().map(|(reason, n)| (format!("unknown ({reason})"), *n)));
                if counts != counted {
                    match arguments.format {
                        Format::Json => json_line(&status)?,
                        Format::Text => output::print(&hits(&counts, &counted))?,
                    }
                    counted = counts;
                }
            }
        }
    }
}

fn json_line(status: &Status) -> Result<(), Failed> {
    output::print(&serde_json::to_string(status).map_err(|error| Failed::Usage(error.to_string()))?)
}

fn text(engine: &Engine, event: Option<&WatchEvent>) -> Result<(), Failed> {
    let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
    let directory = engine.directory().map_or_else(String::new, |directory| directory.display().to_string());
    match event {
        None => {
            if let Some(ReloadOutcome::Rejected(rejected)) = engine.last_outcome() {
                output::print_report(rejected.report())?;
                return output::print(&format!("{time}  {directory} does not load yet"));
            }
            let status = engine.status();
            output::print(&format!(
                "{time}  {directory}: generation {}, {}, {} codes, {} rules",
                status.generation,
                render::short(&status.ruleset),
                status.codes,
                status.rules
            ))
        }
        Some(WatchEvent::Reloaded(ReloadOutcome::Rejected(rejected))) => {
            output::print_report(rejected.report())?;
            let status = engine.status();
            output::print(&match status.source {
                RulesSource::FallbackOnly => format!("{time}  refused; every failure is DSUNK001 until it loads"),
                _ => format!("{time}  refused; generation {} stays in force", status.generation),
            })
        }
        Some(WatchEvent::Reloaded(outcome)) => output::print(&format!("{time}  {}", render::reload_line(outcome))),
        Some(WatchEvent::ScanOnly(why)) => {
            remark(&format!("no file events, the files are read every second: {why}"));
            Ok(())
        }
        // Nothing that anybody has to know.
        Some(WatchEvent::Listening) => Ok(()),
    }
}

/// How often each code was given, those that were given since the last time with the difference.
fn hits(counts: &BTreeMap<String, u64>, before: &BTreeMap<String, u64>) -> String {
    let mut lines: Vec<(u64, String)> = counts
        .iter()
        .map(|(code, count)| {
            let new = count - before.get(code).copied().unwrap_or_default();
            let new = if new == 0 { String::new() } else { format!("  +{new}") };
            (*count, format!("  {count:>10}  {code}{new}"))
        })
        .collect();
    lines.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    let total: u64 = counts.values().sum();
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    format!("  {total} failures\n{}", lines.join("\n"))
}

/// Classifies a file as it grows, for the counts alone.
fn follow(engine: &Arc<Engine>, path: &Path) -> Result<(), Failed> {
    let cannot = |error| Error::new(ErrorKind::Io, format!("cannot follow `{}`", path.display())).with_source(error);
    let file = Follow::open(path).map_err(cannot)?;
    let (engine, path) = (Arc::clone(engine), path.to_owned());
    let classify = move || -> std::io::Result<()> {
        let mapping = Mapping::default();
        let mut records = Records::new(file, InputFormat::Lines(input::format::Format::Json), &mapping)?;
        while let Some(record) = records.next()? {
            let generation = engine.current();
            let _ = match record.read_with(&mapping) {
                Ok(entry) => generation.classify(&entry.record.failure),
                Err(error) => generation.unreadable(error),
            };
        }
        Ok(())
    };
    let run = move || {
        if let Err(error) = classify() {
            remark(&format!("cannot follow `{}` any further: {error}", path.display()));
        }
    };
    thread::Builder::new()
        .name("faultbook-follow".to_owned())
        .spawn(run)
        .map(|_| ())
        .map_err(|error| Error::new(ErrorKind::Io, "cannot start the thread that follows").with_source(error).into())
}
