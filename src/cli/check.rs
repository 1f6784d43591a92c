//! `faultbook check`: the whole load path, every finding at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::diagnostic::Severity;
use crate::render;
use crate::rulefile::revision::other_state;
use crate::ruleset::{compare, inspect};

use super::output::{self, Failed, remark};

const EXAMPLES: &str = "Examples:
  faultbook check my-rules/
  faultbook check my-rules/ --deny warnings
  faultbook check my-rules/ --format json
  faultbook check my-rules/ --against HEAD~1     what moved since, and whom it harms
  faultbook explain number-prefix                what a finding means";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Directory of rule files; without it --rules, else the rules that are built in
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// How findings are written
    #[arg(long, value_enum, default_value_t = ReportFormat::Full)]
    format: ReportFormat,
    /// Findings that make the exit code 1 beside errors
    #[arg(long, value_enum)]
    deny: Option<Deny>,
    /// Another state of the rules to compare with: a directory, else a git revision
    #[arg(long, value_name = "DIR-OR-REVISION")]
    against: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// With source lines, for people
    Full,
    /// One JSON document
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings count like errors
    Warnings,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let directory = arguments.directory.as_deref().or(rules);
    let sources = super::sources(directory)?;
    let (set, report, _) = match &arguments.against {
        Some(other) => compare(sources, other_state(directory, other)?)?,
        None => inspect(sources, None),
    };
    let [errors, warnings, notes] =
        [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
    let denied = errors > 0 || (arguments.deny == Some(Deny::Warnings) && warnings > 0);
    let code = ExitCode::from(u8::from(denied));
    let shown = match arguments.format {
        ReportFormat::Json => output::print_json(&render::document(&report)),
        ReportFormat::Full => output::print_report(&report),
    };
    match shown {
        // Who has seen enough of the findings must still learn that there are some.
        Err(Failed::Closed) => return Ok(code),
        shown => shown?,
    }
    if let Some(set) = set {
        let examples: usize = set.codes().iter().map(|code| set.examples_of(&code.code).len()).sum();
        let counts = format!("{} codes, {} rules, {examples} examples", set.codes().len(), set.rules().len());
        let found =
            [(errors, "error"), (warnings, "warning"), (notes, "note")].into_iter().filter(|(count, _)| *count > 0);
        let found: Vec<_> = found.map(|(count, noun)| plural(count, noun)).collect();
        let found = if found.is_empty() { "no findings".to_owned() } else { found.join(", ") };
        remark(&format!("{counts}: {found}"));
    } else {
        let notes = if notes == 0 { String::new() } else { format!(", {}", plural(notes, "note")) };
        let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
        remark(&format!("{errors}, {warnings}{notes}; the set does not load"));
    }
    Ok(code)
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
