//! The command line: one file for each command, no logic of their own.
//!
//! Exit codes everywhere: 0 clean, 1 findings, 2 could not run.

mod check;
mod classify;
mod engine;
mod explain;
mod fmt;
mod follow;
mod input;
mod ledger;
mod list;
mod new;
mod output;
mod paths;
mod publish;
mod replace;
mod schema;
#[cfg(feature = "serve")]
mod serve;
mod signals;
mod spool;
mod test;
mod threads;
mod trace;
mod unknowns;
mod watch;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::diagnostic::Sources;
use crate::error::Error;
use crate::ruleset::RuleSet;
use output::Failed;

pub use schema::SCHEMAS;

const EXAMPLES: &str = "Examples:
  faultbook classify failures.ndjson             decisions, one per failure
  pbpaste | faultbook classify --connector exchange
  faultbook trace failure.json                   why it has its code, and which rules nearly apply
  faultbook unknowns spool/                      what no rule knows, by count
  faultbook explain DSEX001                      what a code means and what to do
  faultbook list                                 the catalogue and the order of the rules
  faultbook check my-rules/                      every problem of a rule set at once
  faultbook new --from failure.json --code DSEX021   a rule for a failure
  faultbook test my-rules/                       whether its examples pass, and what they prove
  faultbook --rules my-rules/ serve              the same over HTTP, for connectors
  faultbook watch my-rules/                      what each change of it does, while it is edited

Exit codes: 0 clean, 1 findings, 2 could not run.";

/// Says what went wrong in a stable word, and what happens next.
#[derive(Debug, Parser)]
#[command(name = "faultbook", version, after_help = EXAMPLES, max_term_width = 100)]
struct Arguments {
    /// Directory of rule files, instead of the rules that are built in; else `FAULTBOOK_RULES` when it is set
    #[arg(long, global = true, value_name = "DIR")]
    rules: Option<PathBuf>,
    /// When to use color; `NO_COLOR` is respected
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    color: Color,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Color {
    /// On a terminal
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Output for people or for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Text,
    /// For machines
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Say what failures are: one decision for each
    Classify(classify::Arguments),
    /// Say why failures have their codes: what wins, what loses by order, what nearly applies
    Trace(trace::Arguments),
    /// Show what no rule knows: the shapes that `classify --spool` has kept
    Unknowns(unknowns::Arguments),
    /// Check rule files: every problem at once
    Check(check::Arguments),
    /// Put rule files into the house layout
    Fmt(fmt::Arguments),
    /// Prove rules: every example, what they cover, and which mistakes they would notice
    Test(test::Arguments),
    /// Show what a code or a lint means
    Explain(explain::Arguments),
    /// Show the catalogue and the order in which rules are tried
    List(list::Arguments),
    /// Begin a code, or a rule for a failure
    New(new::Arguments),
    /// Compare the codes with the ledger of issued codes, or extend it
    Ledger(ledger::Arguments),
    /// Watch a rules directory: what changes, what is refused and why
    Watch(watch::Arguments),
    /// Answer failures over HTTP
    #[cfg(feature = "serve")]
    Serve(serve::Arguments),
    /// Put a rule set in place as a whole, with a lock that names its files
    Publish(publish::Arguments),
    /// Print a JSON Schema, for editors and validators
    Schema(schema::Arguments),
}

/// Runs the tool with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments.color {
        Color::Auto => {}
        Color::Always => anstream::ColorChoice::Always.write_global(),
        Color::Never => anstream::ColorChoice::Never.write_global(),
    }
    // An empty variable is how scripts unset it.
    let from_environment = || std::env::var_os("FAULTBOOK_RULES").filter(|value| !value.is_empty()).map(PathBuf::from);
    let rules = arguments.rules.or_else(from_environment);
    let rules = rules.as_deref();
    let done = match &arguments.command {
        Command::Classify(command) => classify::run(command, rules),
        Command::Trace(command) => trace::run(command, rules),
        Command::Unknowns(command) => unknowns::run(command),
        Command::Check(command) => check::run(command, rules),
        Command::Fmt(command) => fmt::run(command, rules),
        Command::Test(command) => test::run(command, rules),
        Command::Explain(command) => explain::run(command, rules),
        Command::List(command) => list::run(command, rules),
        Command::New(command) => new::run(command, rules),
        Command::Ledger(command) => ledger::run(command, rules),
        Command::Watch(command) => watch::run(command, rules),
        #[cfg(feature = "serve")]
        Command::Serve(command) => serve::run(command, rules),
        Command::Publish(command) => publish::run(command, rules),
        Command::Schema(command) => schema::run(command),
    };
    match done {
        Ok(code) => code,
        Err(failed) => ExitCode::from(conclude(&failed)),
    }
}

/// Says why a command could not do its work; the exit code for that.
fn conclude(failed: &Failed) -> u8 {
    if matches!(failed, Failed::Closed) {
        return 0;
    }
    output::complain(&failed.to_string());
    2
}

/// The sources of the chosen rules: a directory, or those that are built in.
fn sources(directory: Option<&Path>) -> Result<Sources, Error> {
    directory.map_or_else(|| Ok(RuleSet::builtin_sources()), RuleSet::discover)
}

/// Loads the chosen rules; a rejected set is shown in full.
fn rule_set(directory: Option<&Path>) -> Result<RuleSet, Failed> {
    let Some(directory) = directory else { return Ok(RuleSet::builtin()) };
    match RuleSet::load(RuleSet::discover(directory)?) {
        Ok((set, _)) => Ok(set),
        Err(rejected) => {
            output::report(rejected.report());
            Err(Failed::Rejected(rejected.to_string()))
        }
    }
}
