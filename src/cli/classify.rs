//! `faultbook classify`: failures in, decisions out, one for each, in order.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, ErrorKind};
use crate::input::json::Record;
use crate::input::records::{self, Raw, Records};
use crate::model::{Decision, Failure};
use crate::render;
use crate::ruleset::RuleSet;

use super::output::{Failed, Output, remark};
use super::signals::{self, Stopping};
use super::spool::{self, Keeper};
use super::threads;

const EXAMPLES: &str = "Examples:
  faultbook classify failures.ndjson
  faultbook classify --format json < failures.ndjson > decisions.ndjson
  pbpaste | faultbook classify --connector exchange
  faultbook classify --input json --format json --threads 0 failures.ndjson > decisions.ndjson
  kubectl logs job/sync | faultbook classify --input text --connector webhook --operation create

One line out for each record in, in order. A line that cannot be read gives a decision with DSUNK001, `unknown_reason`
`unreadable` and `error`; the exit code is then 1.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Files to read; standard input without any, or for `-`
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// How failures are written
    #[arg(long, value_enum, default_value_t = InputFormat::Auto)]
    input: InputFormat,
    /// How decisions are written
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    format: OutputFormat,
    /// The connector of failures that name none
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// The operation of failures that name none
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// The phase of failures that name none
    #[arg(long, value_name = "NAME")]
    phase: Option<String>,
    /// Threads that answer, up to 256; 0 for one on each core. The output is the same
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(0..=256))]
    threads: u16,
    #[command(flatten)]
    spool: spool::Arguments,
}

/// How failures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum InputFormat {
    /// JSON where the first lines are failures in our own JSON, else one text
    Auto,
    /// One failure in our own JSON on each line
    Json,
    /// The whole input is one failure, as somebody pasted or logged it
    Text,
}

impl From<InputFormat> for records::InputFormat {
    fn from(format: InputFormat) -> Self {
        match format {
            InputFormat::Auto => Self::Auto,
            InputFormat::Json => Self::Json,
            InputFormat::Text => Self::Text,
        }
    }
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

/// Bytes of an unreadable record that are shown in base 64.
const RAW_BYTES: usize = 4 * 1024;

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let set = super::rule_set(rules)?;
    let keeper = arguments.spool.open()?;
    std::panic::set_hook(Box::new(|panic| {
        // Not what the panic says: it may quote the record.
        let place = panic.location().map_or_else(String::new, |place| format!(" at {place}"));
        remark(&format!("internal error{place}; please report the record"));
    }));
    let output = Arc::new(Mutex::new(Output::new()));
    let stopping = signals::flush_on_signal(&output);
    let mut run = Run { engine: Engine { arguments, set, keeper }, output, stopping, answered: 0, unreadable: 0 };
    let stdin = [PathBuf::from("-")];
    let files = if arguments.files.is_empty() { &stdin[..] } else { &arguments.files };
    let done = files.iter().try_for_each(|file| run.file(file));
    // What was answered is written even when a later file cannot be read.
    let flushed = lock(&run.output).flush();
    let kept = run.engine.keeper.conclude();
    done.and(flushed).and(kept)?;
    if run.unreadable > 0 {
        remark(&format!("{} of {} records could not be read", run.unreadable, run.answered));
        return Ok(ExitCode::from(1));
    }
    if run.answered == 0 {
        remark("no failures in the input");
    }
    Ok(ExitCode::SUCCESS)
}

/// What answers records; the same for every thread.
pub(super) struct Engine<'a> {
    arguments: &'a Arguments,
    set: RuleSet,
    keeper: Keeper,
}

struct Run<'a> {
    engine: Engine<'a>,
    output: Arc<Mutex<Output>>,
    stopping: Stopping,
    answered: u64,
    unreadable: u64,
}

impl Run<'_> {
    fn file(&mut self, path: &Path) -> Result<(), Failed> {
        let cannot = |error: io::Error| {
            Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error)
        };
        if path == Path::new("-") {
            let stdin = io::stdin();
            if stdin.is_terminal() {
                remark("reading failures from the terminal; end with Ctrl-D");
            }
            return self.records(stdin.lock(), &cannot);
        }
        let file = File::open(path).map_err(cannot)?;
        let metadata = file.metadata().map_err(cannot)?;
        if metadata.is_dir() {
            return Err(Error::new(ErrorKind::Io, format!("`{}` is a directory; give files", path.display())).into());
        }
        let progress = progress(metadata.len());
        let done = self.records(progress.wrap_read(file), &cannot);
        progress.finish_and_clear();
        done
    }

    fn records(&mut self, input: impl Read, cannot: &impl Fn(io::Error) -> Error) -> Result<(), Failed> {
        let mut records = Records::new(input, self.engine.arguments.input.into()).map_err(cannot)?;
        let threads = threads::count(self.engine.arguments.threads);
        if threads > 1 {
            let (counts, done) = threads::run(&self.engine, records, threads, &self.output, &self.stopping, cannot);
            self.answered += counts.answered;
            self.unreadable += counts.unreadable;
            return done;
        }
        let shared = Arc::clone(&self.output);
        while let Some(mut record) = records.next().map_err(cannot)? {
            // Held until a record has to be waited for: a signal comes after what can be answered without waiting.
            let mut output = lock(&shared);
            loop {
                let (engine, mut is_unreadable) = (&self.engine, false);
                output.line(|buffer| is_unreadable = engine.answer(record, buffer))?;
                self.answered += 1;
                self.unreadable += u64::from(is_unreadable);
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

impl Engine<'_> {
    /// Answers a record with one line, without its end; whether the record could not be read.
    pub(super) fn answer(&self, record: Raw<'_>, buffer: &mut Vec<u8>) -> bool {
        let decision = self.decide(record);
        self.write(buffer, &decision, matches!(record, Raw::Text(_)));
        decision.error.is_some()
    }

    fn decide(&self, record: Raw<'_>) -> Decision<'_> {
        match record.read() {
            Ok(Record { mut failure, notes }) => {
                self.fill_in(&mut failure);
                // A fault of the engine must cost one answer its code, not a connector its answers.
                let decided = catch_unwind(AssertUnwindSafe(|| self.set.classify(&failure)));
                let decision =
                    decided.unwrap_or_else(|_| self.set.unreadable("internal error; please report the record"));
                let decision = self.keeper.keep(&self.set, &failure, decision);
                self.set.noted(decision, notes)
            }
            Err(error) => {
                let mut decision = self.set.unreadable(error);
                decision.raw_base64 = record.not_utf8().map(|raw| self.raw(raw));
                self.keeper.keep_unreadable(&self.set, record, decision)
            }
        }
    }

    /// The start of a record that is not UTF-8; with its bytes replaced where a secret had to be taken out.
    fn raw(&self, raw: &[u8]) -> String {
        let start = String::from_utf8_lossy(&raw[..raw.len().min(2 * RAW_BYTES)]);
        let redacted = self.set.redacted(&start);
        let shown = if redacted == start { raw } else { redacted.as_bytes() };
        base64::prelude::BASE64_STANDARD.encode(&shown[..shown.len().min(RAW_BYTES)])
    }

    fn fill_in<'a>(&'a self, failure: &mut Failure<'a>) {
        let fill = |field: &mut Option<Cow<'a, str>>, value: &'a Option<String>| {
            if field.is_none() {
                *field = value.as_deref().map(Cow::Borrowed);
            }
        };
        fill(&mut failure.connector, &self.arguments.connector);
        fill(&mut failure.operation, &self.arguments.operation);
        fill(&mut failure.phase, &self.arguments.phase);
    }

    fn write(&self, buffer: &mut Vec<u8>, decision: &Decision<'_>, is_text: bool) {
        match self.arguments.format {
            OutputFormat::Json => {
                // A decision holds texts and numbers only: writing it to memory cannot fail.
                let _ = render::json_line(decision, buffer);
            }
            OutputFormat::Log => buffer.extend_from_slice(render::log_line(decision).as_bytes()),
            OutputFormat::Text => match self.set.code(decision.code.as_str()) {
                Some(code) if is_text => buffer.extend_from_slice(render::block(decision, code).trim_end().as_bytes()),
                _ => buffer.extend_from_slice(render::summary(decision).as_bytes()),
            },
        }
    }
}

pub(super) fn lock(output: &Mutex<Output>) -> MutexGuard<'_, Output> {
    output.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of a file that takes long enough to be worth a bar.
const PROGRESS_BYTES: u64 = 16 * 1024 * 1024;

/// A bar on standard error for long files, where somebody watches it and the decisions go elsewhere.
fn progress(bytes: u64) -> ProgressBar {
    let watched = bytes >= PROGRESS_BYTES && io::stderr().is_terminal() && !io::stdout().is_terminal();
    let target = if watched { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}
