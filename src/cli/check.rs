//! `faultbook check`: the whole load path, every finding at once.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::diagnostic::{self, Report, Severity};
use crate::render;
use crate::rulefile::Book;
use crate::rulefile::revision::other_state;
use crate::ruleset::{RuleSet, compare, inspect};

use super::files::replace_file;
use super::output::{self, Failed, remark};

const EXAMPLES: &str = "Examples:
  faultbook check my-rules/
  faultbook check my-rules/ --deny warnings
  faultbook check my-rules/ --format json
  faultbook check my-rules/ --fix                misspelt keys and words, quotes around patterns
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
    /// Apply the fixes that change nothing else, and report what is left
    #[arg(long, conflicts_with = "against")]
    fix: bool,
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

/// What came of a load.
type Inspected = (Option<RuleSet>, Report, Book);

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let directory = arguments.directory.as_deref().or(rules);
    let (set, report, _) = match (directory, &arguments.against) {
        (Some(directory), _) if arguments.fix => fix(directory)?,
        (None, _) if arguments.fix => {
            let help = "the built-in rules cannot be written; name the directory: `faultbook check DIR --fix`";
            return Err(Failed::Usage(help.to_owned()));
        }
        (_, Some(other)) => compare(super::sources(directory)?, other_state(directory, other)?)?,
        (_, None) => inspect(super::sources(directory)?, None),
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

/// Rounds of fixes; one may uncover the next.
const ROUNDS: usize = 10;

/// Applies the fixes of a directory's rule files until none is left, and writes the files that they change.
fn fix(directory: &Path) -> Result<Inspected, Failed> {
    let before = RuleSet::discover(directory)?;
    if before.is_locked() {
        let help = "the set is published with a lock; fix its working copy and publish that";
        return Err(Failed::Usage(format!("{help}: `faultbook publish`")));
    }
    let mut inspected = inspect(before.clone(), None);
    let mut settled = 0;
    for _ in 0..ROUNDS {
        let Some((sources, count)) = diagnostic::apply(&inspected.1) else { break };
        let next = inspect(sources, None);
        // A fix that makes another error was not one.
        if next.1.count(Severity::Error) > inspected.1.count(Severity::Error) {
            break;
        }
        settled += count;
        inspected = next;
    }
    for (id, source) in inspected.1.sources().iter() {
        if before.get(id).text != source.text {
            replace_file(&directory.join(&source.name), &source.text)?;
        }
    }
    if settled > 0 {
        remark(&format!("{} fixed", plural(settled, "finding")));
    }
    Ok(inspected)
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
