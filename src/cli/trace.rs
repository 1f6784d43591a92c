//! `faultbook trace`: why a failure has its code, and why not another one.

use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use crate::diagnostic::nearest;
use crate::error::Error;
use crate::input::json::Record;
use crate::input::mapping::Mapping;
use crate::input::records::{Raw, Records};
use crate::model::Trace;
use crate::render;
use crate::ruleset::{FALLBACK_RULE, RuleSet};

use super::Format;
use super::input::{self, FailureArguments};
use super::output::{self, Failed, Output, remark};

const EXAMPLES: &str = "Examples:
  faultbook trace failure.json
  pbpaste | faultbook trace --connector exchange --misses 10
  faultbook trace --rules my-rules --rule exchange/secret-expired failures.ndjson
  faultbook trace --format json failures.ndjson | jq '.misses[0]'

For each failure: its facts, the rule that wins with what it found, the rules that apply as well
and lose by order, and the rules that nearly apply. A record that cannot be read is answered as
well; the exit code is then 1.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    #[command(flatten)]
    failures: FailureArguments,
    /// Output for people, or one JSON object on each line
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// One rule only, by file and id: what each of its conditions says
    #[arg(long, value_name = "ID")]
    rule: Option<String>,
    /// Near misses that are shown, the nearest first
    #[arg(long, value_name = "N", default_value_t = 3, conflicts_with = "rule")]
    misses: usize,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let mapping = arguments.failures.format.mapping()?;
    let set = super::rule_set(rules)?;
    let rule = arguments.rule.as_deref().map(|id| find(&set, id)).transpose()?;
    let mapping = &mapping;
    let mut run =
        Run { arguments, mapping, set: &set, rule, output: Output::new(), answered: 0, unreadable: 0, left_out: 0 };
    let mut files = input::files(&arguments.failures.files);
    let done = files.try_for_each(|file| {
        input::open(file, &arguments.failures, mapping, |records, cannot| run.records(records, cannot))
    });
    // What was answered is written even when a later file cannot be read.
    let flushed = run.output.flush();
    done.and(flushed)?;
    arguments.failures.conclude(mapping, run.left_out);
    if run.unreadable > 0 {
        remark(&format!("{} of {} records could not be read", run.unreadable, run.answered));
        return Ok(ExitCode::from(1));
    }
    if run.answered + run.left_out == 0 {
        remark("no failures in the input");
    }
    Ok(ExitCode::SUCCESS)
}

struct Run<'a> {
    arguments: &'a Arguments,
    mapping: &'a Mapping,
    set: &'a RuleSet,
    rule: Option<&'a str>,
    output: Output,
    answered: u64,
    unreadable: u64,
    left_out: u64,
}

impl Run<'_> {
    fn records<R: Read>(&mut self, mut records: Records<R>, cannot: &dyn Fn(io::Error) -> Error) -> Result<(), Failed> {
        while let Some(record) = records.next().map_err(cannot)? {
            match self.trace(record) {
                Some(trace) => self.write(&trace)?,
                None => self.left_out += 1,
            }
            // Somebody may be waiting for this answer before sending the next failure.
            if records.would_wait() {
                self.output.flush()?;
            }
        }
        Ok(())
    }

    /// Why a record has its code; nothing for one that is left out.
    fn trace(&mut self, record: Raw<'_>) -> Option<Trace> {
        let arguments = self.arguments;
        let read = record.read_with(self.mapping);
        if read.as_ref().is_ok_and(|entry| arguments.failures.leaves_out(entry)) {
            return None;
        }
        self.answered += 1;
        let Record { mut failure, notes } = match read {
            Ok(entry) => entry.record,
            Err(error) => {
                self.unreadable += 1;
                return Some(self.set.trace_unreadable(error));
            }
        };
        arguments.failures.fill_in(&mut failure);
        let of_rule = self.rule.and_then(|id| self.set.trace_rule(&failure, id));
        let mut trace = of_rule.unwrap_or_else(|| self.set.trace(&failure, arguments.misses));
        trace.decision = self.set.noted(trace.decision, notes);
        Some(trace)
    }

    fn write(&mut self, trace: &Trace) -> Result<(), Failed> {
        let is_first = self.answered == 1;
        let format = self.arguments.format;
        self.output.line(|buffer| match format {
            Format::Json => {
                // A trace holds texts and numbers only: writing it to memory cannot fail.
                let _ = render::trace_line(trace, buffer);
            }
            Format::Text => {
                if !is_first {
                    buffer.push(b'\n');
                }
                let text = render::trace(trace, output::is_colored());
                buffer.extend_from_slice(text.trim_end_matches('\n').as_bytes());
            }
        })
    }
}

/// The rule that is meant, by its full id or by an id that only one file has.
fn find<'s>(set: &'s RuleSet, wanted: &str) -> Result<&'s str, Failed> {
    let ids = || set.rules().iter().map(|rule| rule.id.as_str());
    let short = |id: &&str| id.split_once('/').is_some_and(|(_, id)| id == wanted);
    let named: Vec<&str> = ids().filter(|id| *id == wanted).chain(ids().filter(short)).collect();
    let shown = render::escaped(wanted);
    let help = match named[..] {
        [id] => return Ok(id),
        [] if wanted == FALLBACK_RULE => "It has no conditions: it answers what no rule knows.".to_owned(),
        [] => {
            let of_code: Vec<&str> =
                set.rules().iter().filter(|rule| rule.code.as_str() == wanted).map(|rule| rule.id.as_str()).collect();
            match near(set, wanted) {
                _ if !of_code.is_empty() => format!("It is a code, which these rules give: {}.", listed(&of_code)),
                Some(near) => format!("Did you mean `{near}`?"),
                None => "`faultbook list` shows all rules.".to_owned(),
            }
        }
        _ => format!("Several files have one: {}.", listed(&named)),
    };
    Err(Failed::Usage(format!("`{shown}` is no rule of this set. {help}")))
}

fn listed(ids: &[&str]) -> String {
    ids.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")
}

/// The rule with the nearest id, with or without its file.
fn near<'s>(set: &'s RuleSet, wanted: &str) -> Option<&'s str> {
    let ids: Vec<&str> = set.rules().iter().map(|rule| rule.id.as_str()).collect();
    let short = |id: &&'s str| id.split_once('/').map_or(*id, |(_, id)| id);
    nearest(wanted, ids.iter().copied()).or_else(|| {
        let near = nearest(wanted.rsplit('/').next()?, ids.iter().map(short))?;
        ids.iter().copied().find(|id| short(id) == near)
    })
}
