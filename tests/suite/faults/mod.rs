//! The fault bed: what goes wrong around an engine, produced for real, one named trial for each fault.
//!
//! `cargo test faults/` runs it. `FAULTBOOK_FAULTS=docs/faults.md cargo test faults/` also writes what was observed as a
//! table; `FAULTBOOK_LONG=1` repeats what depends on chance as often as the catalogue asks. A fault that cannot be
//! produced on a machine is ignored with its reason, and the table says so.

mod activation;
mod detection;
mod environment;
mod reading;
mod rig;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Completion, Failed, Trial};

use rig::Need;

/// One fault of the catalogue.
struct Fault {
    /// Its number, and a name for its trial.
    id: &'static str,
    what: &'static str,
    injected: &'static str,
    expected: &'static str,
    how: How,
}

/// How a fault is met.
enum How {
    /// A trial of its own; it says what was observed.
    Trial(&'static [Need], fn() -> Result<String, Failed>),
    /// Another part of the suite has it: the start of that trial's name.
    Elsewhere(&'static str),
    /// Why there is no trial.
    Never(&'static str),
}

/// What was observed, by id.
static OBSERVED: Mutex<BTreeMap<&'static str, String>> = Mutex::new(BTreeMap::new());

fn observe(id: &'static str, what: String) {
    OBSERVED.lock().unwrap_or_else(PoisonError::into_inner).insert(id, what);
}

fn catalogue() -> impl Iterator<Item = &'static Fault> {
    [detection::FAULTS, reading::FAULTS, activation::FAULTS, STREAMS, environment::FAULTS].into_iter().flatten()
}

/// All trials; `others` are the names of the trials of the other parts.
pub fn trials(others: &[String]) -> Vec<Trial> {
    let mut trials = Vec::new();
    let mut unknown = Vec::new();
    for Fault { id, how, .. } in catalogue() {
        match how {
            How::Trial(needs, run) => trials.push(Trial::ignorable_test(format!("faults/{id}"), move || {
                if let Some(reason) = needs.iter().find_map(Need::missing) {
                    observe(id, format!("not produced: {reason}"));
                    return Ok(Completion::ignored_with(reason));
                }
                observe(id, run()?);
                Ok(Completion::Completed)
            })),
            How::Elsewhere(name) => {
                unknown.extend((!others.iter().any(|other| other.starts_with(name))).then_some(*name));
            }
            How::Never(_) => {}
        }
    }
    trials.push(Trial::test("faults/catalogue_is_complete", move || complete(&unknown)));
    trials
}

/// Every fault of the catalogue that is about rules, streams and the environment stands in the table, in order.
fn complete(unknown: &[&str]) -> Result<(), Failed> {
    let there: Vec<&str> = catalogue().map(|fault| fault.id.split('_').next().unwrap_or_default()).collect();
    let due: Vec<String> = (1..=85).chain(103..=109).map(|number| format!("F{number:02}")).collect();
    rig::expect(format!("the catalogue is {there:?}"), there == due)?;
    rig::expect(format!("no trials have these names: {unknown:?}"), unknown.is_empty())
}

/// Writes the table where the environment asks for it. To be called when the trials have ended and none has failed; those
/// that were left out by a filter say so.
pub fn write_table() -> Result<(), String> {
    let Some(path) = std::env::var_os("FAULTBOOK_FAULTS").filter(|path| !path.is_empty()) else { return Ok(()) };
    let observed = OBSERVED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut text = String::from(ABOUT);
    for Fault { id, what, injected, expected, how } in catalogue() {
        let seen = match how {
            How::Trial(..) => observed.get(id).cloned().unwrap_or_else(|| "not run".to_owned()),
            How::Elsewhere(name) => format!("trial `{name}`"),
            How::Never(reason) => format!("not produced: {reason}"),
        };
        let (id, name) = id.split_once('_').unwrap_or((id, ""));
        let trial = if matches!(how, How::Trial(..)) { format!("<br>`{name}`") } else { String::new() };
        let cells = [&format!("{id}{trial}"), *what, *injected, *expected, &seen].map(cell);
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    fs::write(&path, text).map_err(|error| format!("{}: {error}", path.to_string_lossy()))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

const ABOUT: &str = "\
# Faults

What can go wrong around an engine that reloads its rules, how each fault is produced, what is due, and what was seen when
it was.
Written by the trials themselves, none of it by hand:

```sh
FAULTBOOK_FAULTS=docs/faults.md cargo test faults/
```

`cargo test faults/F06` runs one of them; `FAULTBOOK_LONG=1` repeats what depends on chance many times more.
What a machine cannot produce says so; what belongs to another part of the suite names its trial.
\"Events\" and \"scan\" are the two ways to notice changes: with the system's file events, and without them, by reading the
files every 300 ms.
\"Stays\" means that the set in force goes on answering, that the status and the outcome say why, and that the next good set
is taken up.

| id | fault | injected | expected | observed |
|---|---|---|---|---|
";

/// Faults of streams; they have their trials where the streams have theirs.
const STREAMS: &[Fault] = &[
    Fault {
        id: "F72",
        what: "output closed early",
        injected: "the reader of the output goes after one answer",
        expected: "exit 0, silent",
        how: How::Elsewhere("streams/closed_pipe"),
    },
    Fault {
        id: "F73",
        what: "output full",
        injected: "`/dev/full` as output",
        expected: "exit 2 with the number of lines that were surely written",
        how: How::Elsewhere("streams/full_disk"),
    },
    Fault {
        id: "F74",
        what: "SIGTERM or SIGINT in the middle of a stream",
        injected: "signals at any moment",
        expected: "whole lines, all that was read is answered, the count is said",
        how: How::Elsewhere("streams/signal_at_any_moment"),
    },
    Fault {
        id: "F75",
        what: "kill -9 in the middle of a stream",
        injected: "SIGKILL after some answers",
        expected: "at most the last line is cut",
        how: How::Elsewhere("streams/killed"),
    },
    Fault {
        id: "F76",
        what: "a line that is not UTF-8",
        injected: "bytes FF FE in a line",
        expected: "one answer with the reason and the bytes",
        how: How::Elsewhere("streams/odd_lines"),
    },
    Fault {
        id: "F77",
        what: "no newline at the end, CRLF, blank lines, a byte order mark",
        injected: "each of them",
        expected: "one answer for each line",
        how: How::Elsewhere("streams/odd_lines"),
    },
    Fault {
        id: "F78",
        what: "a line of 64 MiB, a line without end",
        injected: "lines over the limit",
        expected: "one error line, flat memory",
        how: How::Elsewhere("streams/line_over_the_limit"),
    },
    Fault {
        id: "F79",
        what: "a slow consumer",
        injected: "answers that nobody reads",
        expected: "the writer waits, flat memory",
        how: How::Elsewhere("streams/flat_memory_and_slow_consumer"),
    },
    Fault {
        id: "F80",
        what: "input closed, a directory, nothing",
        injected: "each of them",
        expected: "a clear message, no spinning",
        how: How::Elsewhere("streams/no_input"),
    },
    Fault {
        id: "F81",
        what: "order under many threads",
        injected: "mixed lines with 1, 2 and 8 threads",
        expected: "the same bytes for any number of threads",
        how: How::Elsewhere("streams/same_bytes_in_threads"),
    },
    Fault {
        id: "F82",
        what: "spool on a full disk",
        injected: "`fsync` that fails or is slow; `files_that_cannot_grow` has the full disk",
        expected: "answers go on, the loss is told",
        how: How::Elsewhere("spool/failed_and_slow_fsync"),
    },
    Fault {
        id: "F83",
        what: "spool replaced underneath",
        injected: "files are removed, renamed and emptied",
        expected: "opened again, nothing lost after the notice",
        how: How::Elsewhere("spool/files_taken_away_under_us"),
    },
    Fault {
        id: "F84",
        what: "crash between append and acknowledgement",
        injected: "kill -9 again and again",
        expected: "what was acknowledged is there",
        how: How::Elsewhere("spool/killed_again_and_again"),
    },
    Fault {
        id: "F85",
        what: "flood of unknown failures",
        injected: "distinct shapes without end",
        expected: "exact counts, the files stay small",
        how: How::Elsewhere("spool/flood_of_distinct_shapes"),
    },
];
