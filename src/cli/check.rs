//! `faultbook check`: the whole load path, every finding at once, in the form that somebody reads.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::diagnostic::{self, Diagnostic, LINTS, Report, Severity, Sources, did_you_mean, lints};
use crate::render;
use crate::rulefile::revision::other_state;
use crate::rulefile::{Book, layout};
use crate::ruleset::{RuleSet, compare, inspect};

use super::output::{self, Failed, remark};
use super::paths;
use super::replace::{append, replace_file, write_whole};

const EXAMPLES: &str = "Examples:
  faultbook check my-rules/
  faultbook check my-rules/ --deny warnings
  faultbook check my-rules/ --format concise --only number-prefix,pattern-syntax
  faultbook check my-rules/ --format sarif --output faultbook.sarif
  faultbook check my-rules/ --format github      annotations, and the summary of the job
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
    /// Apply the fixes that change nothing else, put keys in order, and report what is left
    #[arg(long, conflicts_with = "against")]
    fix: bool,
    /// Findings that make the exit code 1 beside errors
    #[arg(long, value_enum)]
    deny: Option<Deny>,
    /// Another state of the rules to compare with: a directory, else a git revision
    #[arg(long, value_name = "DIR-OR-REVISION")]
    against: Option<String>,
    /// Report findings of these lints alone; errors of others still make the exit code 1
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave out findings of these lints; errors among them still make the exit code 1
    #[arg(long, value_name = "LINT", value_delimiter = ',')]
    skip: Vec<String>,
    /// Write the report into a file, as a whole or not at all
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ReportFormat {
    /// With source lines, for people
    Full,
    /// A line for each finding: `path:line:column: error[lint] message`
    Concise,
    /// One JSON document
    Json,
    /// A JSON object for each finding, each on its line
    JsonLines,
    /// SARIF 2.1.0, for code scanning
    Sarif,
    /// Annotations of GitHub Actions, behind the report for people
    Github,
    /// GitLab's code quality report
    Gitlab,
    /// JUnit XML: a case for each file, rule and example
    Junit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Deny {
    /// Warnings count like errors
    Warnings,
}

/// What came of a load.
type Inspected = (Option<RuleSet>, Report, Book);

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    use ReportFormat::{Concise, Full, Github, Gitlab, Json, JsonLines, Junit, Sarif};

    for lint in arguments.only.iter().chain(&arguments.skip) {
        known(lint)?;
    }
    let directory = arguments.directory.as_deref().or(rules);
    let mut sources = super::sources(directory)?;
    let is_for_repository = matches!(arguments.format, Sarif | Github | Gitlab | Junit);
    let root = |directory| if is_for_repository { paths::from_here(directory) } else { paths::shown(directory) };
    if let Some(directory) = directory {
        sources = sources.with_root(root(directory));
    }
    let (set, report, _) = match (directory, &arguments.against) {
        (Some(directory), _) if arguments.fix => fix(directory, &sources)?,
        (None, _) if arguments.fix => {
            let help = "the built-in rules cannot be written; name the directory: `faultbook check DIR --fix`";
            return Err(Failed::Usage(help.to_owned()));
        }
        (_, Some(other)) => {
            let before = other_state(directory, other)?;
            let before_root = match directory {
                Some(directory) if !Path::new(other).is_dir() => {
                    format!("{}@{other}", root(directory).trim_end_matches('/'))
                }
                _ => root(Path::new(other)),
            };
            compare(sources, before.with_root(before_root))?
        }
        (_, None) => inspect(sources, None),
    };
    let chosen = |name: &str| {
        (arguments.only.is_empty() || arguments.only.iter().any(|lint| lint == name))
            && !arguments.skip.iter().any(|lint| lint == name)
    };
    let report = report.only(|finding| chosen(finding.lint.name));
    let deny_warnings = arguments.deny == Some(Deny::Warnings);
    let denied = report.has_errors() || (deny_warnings && report.count(Severity::Warning) > 0);
    let code = ExitCode::from(u8::from(denied));

    let text = match arguments.format {
        Full if arguments.output.is_some() => render::full(&report, false),
        Full => render::full(&report, output::is_colored()),
        Concise => render::concise(&report),
        Json => render::json(&report),
        JsonLines => render::json_lines(&report),
        Sarif => render::sarif(&report),
        Github => render::github(&report),
        Gitlab => render::gitlab(&report),
        Junit => render::junit(&report, deny_warnings),
    };
    let written = match &arguments.output {
        Some(file) => write_whole(file, &text).map_err(Failed::from),
        None => output::print_exactly(&text),
    };
    match written {
        // Who has seen enough of the findings must still learn that there are some.
        Err(Failed::Closed) => return Ok(code),
        written => written?,
    }
    if arguments.format == Github
        && let Some(summary) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty())
    {
        append(Path::new(&summary), &render::github_summary(&report))?;
    }
    conclude(&report, set.as_ref());
    Ok(code)
}

/// Says on standard error what came of it.
fn conclude(report: &Report, set: Option<&crate::ruleset::RuleSet>) {
    let [errors, warnings, notes] =
        [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
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
        let hidden = match report.hidden_errors() {
            0 => String::new(),
            hidden => format!(", {} not shown", plural(hidden, "error")),
        };
        let (errors, warnings) = (plural(errors, "error"), plural(warnings, "warning"));
        remark(&format!("{errors}, {warnings}{notes}{hidden}; the set does not load"));
    }
}

/// Refuses a name that is no lint: it would leave out nothing, or everything.
fn known(name: &str) -> Result<(), Failed> {
    if LINTS.iter().any(|lint| lint.name == name) {
        return Ok(());
    }
    let help = did_you_mean(name, LINTS.iter().map(|lint| lint.name));
    Err(Failed::Usage(format!("there is no lint `{}`. {help}", render::escaped(name))))
}

/// Rounds of fixes; one may uncover the next.
const ROUNDS: usize = 10;

/// Applies the fixes of a directory's rule files until none is left, and writes the files that they change.
fn fix(directory: &Path, before: &Sources) -> Result<Inspected, Failed> {
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
    let (sources, sorted) = in_order(&inspected.1);
    if sorted > 0 {
        inspected = inspect(sources, None);
    }
    for (id, source) in inspected.1.sources().iter() {
        if before.get(id).text != source.text {
            replace_file(&directory.join(&source.name), &source.text)?;
        }
    }
    if settled > 0 {
        remark(&format!("{} fixed", plural(settled, "finding")));
    }
    if sorted > 0 {
        remark(&format!("keys of {} put in order", plural(sorted, "table")));
    }
    Ok(inspected)
}

/// The sources with the keys of their tables in the order of the rule language, and how many tables that changes. What
/// is no TOML stays as it is.
fn in_order(report: &Report) -> (Sources, usize) {
    let mut sources = report.sources().clone();
    let mut sorted = 0;
    for (id, source) in report.sources().iter() {
        let is_broken = |finding: &Diagnostic| finding.primary.span.source == id && finding.lint == lints::TOML_SYNTAX;
        if source.is_refused || report.diagnostics().iter().any(is_broken) {
            continue;
        }
        let mut text = source.text.clone();
        for disorder in layout::disorders(&source.name, &source.text).into_iter().rev() {
            text.replace_range(disorder.lines, &disorder.text);
            sorted += 1;
        }
        if text != source.text {
            sources.set_text(id, text);
        }
    }
    (sources, sorted)
}

fn plural(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}
