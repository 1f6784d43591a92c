//! `faultbook classify`: failures in, decisions out, one for each, in order.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::{Args, ValueEnum};

use crate::answer::answer_read;
use crate::engine::{Engine, Generation};
use crate::error::{Error, ErrorKind};
use crate::input::mapping::Mapping;
use crate::input::records::{Raw, Records};
use crate::model::Decision;
use crate::render;
use crate::ruleset::RuleSet;
use crate::spool::Keeper;

use super::engine::EngineArguments;
use super::follow::Follow;
use super::input::{self, FailureArguments};
use super::output::{Failed, Output, remark};
use super::signals::{self, Stopping};
use super::spool;
use super::threads::{self, Counts};

const EXAMPLES: &str = "Examples:
  faultbook classify failures.ndjson
  faultbook classify --format json < failures.ndjson > decisions.ndjson
  pbpaste | faultbook classify --connector exchange
  faultbook classify --input json --format json --threads 0 failures.ndjson > decisions.ndjson
  faultbook --rules rules classify --format json --follow failures.ndjson >> decisions.ndjson
  kubectl logs job/sync | faultbook classify --input text --connector webhook --operation create
  faultbook classify --input clef --min-level error --format json --follow log.clef
  faultbook classify --map exception=err,connector=Properties.Target app.log

One line out for each record in, in order. A line that cannot be read gives a decision with
DSUNK001, `unknown_reason` `unreadable` and `error`; the exit code is then 1.

With --watch or --follow changed rules are taken into use as soon as they are proven, else when
SIGHUP comes; rules that do not load change nothing, and standard error says why.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    failures: FailureArguments,
    /// How decisions are written
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,
    /// Threads that answer, up to 256; 0 for one on each core. The output is the same
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=256))]
    threads: u16,
    /// A file to read as it grows, also when it is rotated, truncated or replaced; ends with Ctrl-C
    #[arg(long, value_name = "FILE", conflicts_with = "files")]
    follow: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArguments,
    #[command(flatten)]
    spool: spool::Arguments,
}

/// How decisions are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OutputFormat {
    /// For people
    Text,
    /// One JSON object on each line
    Json,
    /// One logfmt line each: errorCode=DSEX001 …
    Log,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let mapping = arguments.failures.format.mapping()?;
    let engine = Arc::new(arguments.engine.open(rules)?);
    let keeper = arguments.spool.open()?;
    std::panic::set_hook(Box::new(|panic| {
        // Not what the panic says: it may quote the record.
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        remark(&format!("internal error{place}; please report the record"));
    }));
    let output = Arc::new(Mutex::new(Output::new()));
    let keeper = Arc::new(keeper);
    let (of_signal, is_required) = (Arc::clone(&keeper), arguments.spool.is_required);
    let stopping = signals::flush_on_signal(&output, move || {
        if let Err(failed) = spool::conclude(&of_signal, is_required) {
            remark(&failed.to_string());
        }
    })?;
    let _watching = arguments.engine.keep_fresh(&engine, arguments.follow.is_some())?;
    let answerer = Answerer { arguments, mapping, engine, keeper };
    let mut run = Run { answerer: &answerer, output, stopping, counts: Counts::default() };
    let done = match &arguments.follow {
        Some(file) => run.follow(file),
        None => input::files(&arguments.failures.files).try_for_each(|file| run.file(file)),
    };
    // What was answered is written even when a later file cannot be read.
    let flushed = lock(&run.output).flush();
    let kept = spool::conclude(&run.answerer.keeper, is_required);
    done.and(flushed).and(kept)?;
    arguments.failures.conclude(&answerer.mapping, run.counts.left_out);
    if run.counts.unreadable > 0 {
        remark(&format!("{} of {} records could not be read", run.counts.unreadable, run.counts.answered));
        return Ok(ExitCode::from(1));
    }
    if run.counts.answered + run.counts.left_out == 0 {
        remark("no failures in the input");
    }
    Ok(ExitCode::SUCCESS)
}

/// What answers records; the same for every thread.
pub(super) struct Answerer<'a> {
    arguments: &'a Arguments,
    mapping: Mapping,
    engine: Arc<Engine>,
    keeper: Arc<Keeper>,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    Read,
    Unreadable,
    LeftOut,
}

struct Run<'a> {
    answerer: &'a Answerer<'a>,
    output: Arc<Mutex<Output>>,
    stopping: Stopping,
    counts: Counts,
}

impl Run<'_> {
    fn file(&mut self, path: &Path) -> Result<(), Failed> {
        let Answerer { arguments, mapping, .. } = self.answerer;
        input::open(path, &arguments.failures, mapping, |records, cannot| self.records(records, &cannot))
    }

    /// Answers a file as it grows, until a signal comes.
    fn follow(&mut self, path: &Path) -> Result<(), Failed> {
        let cannot = |error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot follow `{}`", path.display())).with_source(error)
        };
        // Whatever stands in it later: a file that grows holds lines.
        let format = self.answerer.arguments.failures.format.of_lines();
        let records =
            Records::new(Follow::open(path).map_err(cannot)?, format, &self.answerer.mapping).map_err(cannot)?;
        self.records(records, &cannot)
    }

    fn records<R: Read + Send>(
        &mut self,
        mut records: Records<R>,
        cannot: &impl Fn(io::Error) -> Error,
    ) -> Result<(), Failed> {
        let threads = threads::count(self.answerer.arguments.threads);
        if threads > 1 {
            let (counts, done) = threads::run(self.answerer, records, threads, &self.output, &self.stopping, cannot);
            self.counts.add(counts);
            return done;
        }
        let shared = Arc::clone(&self.output);
        while let Some(mut record) = records.next().map_err(cannot)? {
            // Held until a record has to be waited for: a signal comes after what can be answered without waiting.
            let mut output = lock(&shared);
            loop {
                let (answerer, counts) = (self.answerer, &mut self.counts);
                let generation = answerer.current();
                output.line_if(|buffer| counts.count(answerer.answer(&generation, record, buffer)))?;
                // The items of a list are there, but a signal must not wait for the last of them.
                if records.would_wait() || records.is_list() {
                    break;
                }
                let Some(next) = records.next().map_err(cannot)? else { break };
                record = next;
            }
            // Somebody may be waiting for these answers before sending the next failure.
            output.flush()?;
            drop(output);
            self.stopping.wait_for_the_end();
        }
        Ok(())
    }
}

impl Answerer<'_> {
    /// The rules in force, which whole answers are given by.
    pub(super) fn current(&self) -> Arc<Generation> {
        self.engine.current()
    }

    /// Answers a record with one line, without its end, unless it is left out.
    pub(super) fn answer(&self, generation: &Generation, record: Raw<'_>, buffer: &mut Vec<u8>) -> Answered {
        let read = record.read_with(&self.mapping);
        if read.as_ref().is_ok_and(|entry| self.arguments.failures.leaves_out(entry)) {
            return Answered::LeftOut;
        }
        let fill_in = |failure: &mut _| self.arguments.failures.fill_in(failure);
        let decision = answer_read(generation, &self.keeper, record, read.map(|entry| entry.record), fill_in);
        self.write(buffer, &decision, generation.rules(), record.is_whole());
        if decision.error.is_some() { Answered::Unreadable } else { Answered::Read }
    }

    fn write(&self, buffer: &mut Vec<u8>, decision: &Decision<'_>, set: &RuleSet, is_text: bool) {
        match self.arguments.format {
            OutputFormat::Json => {
                // A decision holds texts and numbers only: writing it to memory cannot fail.
                let _ = render::json_line(decision, buffer);
            }
            OutputFormat::Log => buffer.extend_from_slice(render::log_line(decision).as_bytes()),
            OutputFormat::Text => match set.code(decision.code.as_str()) {
                Some(code) if is_text => buffer.extend_from_slice(render::block(decision, code).trim_end().as_bytes()),
                _ => buffer.extend_from_slice(render::summary(decision).as_bytes()),
            },
        }
    }
}

pub(super) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
