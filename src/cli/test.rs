//! `faultbook test`: every example and counterexample, what they cover, and which changes of the rules they notice.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::render::{self, ProofView};
use crate::ruleset::RuleSet;
use crate::ruleset::proof::{Proof, ProofOptions};

use super::Format;
use super::output::{self, Failed, remark};

const EXAMPLES: &str = "Examples:
  faultbook test my-rules/                               examples, coverage, mutation score
  faultbook test my-rules/ --no-mutants --verbose        every case on a line of its own
  faultbook test my-rules/ --only secret-expired --all   all that is to say about one rule
  faultbook test my-rules/ --min-coverage 100 --min-score 0.9

Exit code 1: an example fails, or less is proven than was asked for.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Directory of rule files; without it --rules, else the rules that are built in
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Output for people or machines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Look at this rule or code alone; may be given several times
    #[arg(long, value_name = "RULE|CODE")]
    only: Vec<String>,
    /// Show every rule and every case
    #[arg(long)]
    verbose: bool,
    /// Show all uncovered items and surviving mutants, not only the first ten of each
    #[arg(long)]
    all: bool,
    /// Try no changed rules
    #[arg(long, conflicts_with = "min_score")]
    no_mutants: bool,
    /// Fail when a smaller share of the conditions is covered, in percent
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    min_coverage: Option<f64>,
    /// Fail when a smaller share of the mutants is killed, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    min_score: Option<f64>,
}

fn percent(text: &str) -> Result<f64, String> {
    within(text, 100.0).ok_or_else(|| "write a number from 0 to 100".to_owned())
}

fn share(text: &str) -> Result<f64, String> {
    within(text, 1.0).ok_or_else(|| "write a number from 0 to 1, for example 0.9".to_owned())
}

fn within(text: &str, most: f64) -> Option<f64> {
    text.parse().ok().filter(|number| (0.0..=most).contains(number))
}

/// Uncovered items and surviving mutants that are shown without `--all`.
const SHOWN: usize = 10;

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let directory = arguments.directory.as_deref().or(rules);
    let mut options = ProofOptions::default();
    options.only.clone_from(&arguments.only);
    options.mutants = !arguments.no_mutants;
    let bar = progress();
    let step = |_: usize, all: usize| {
        bar.set_length(all as u64);
        bar.inc(1);
    };
    let proven = RuleSet::prove(super::sources(directory)?, &options, &step);
    bar.finish_and_clear();
    let proof = match proven {
        Ok((proof, _)) => proof,
        Err(rejected) => {
            // What keeps the set from loading is a finding, as in `check`.
            match arguments.format {
                Format::Text => output::print_report(rejected.report()),
                Format::Json => output::print_json(&render::document(rejected.report())),
            }?;
            remark("the set does not load, so nothing was tested");
            return Ok(ExitCode::from(1));
        }
    };
    if !arguments.only.is_empty() && proof.rules.is_empty() && proof.cases.is_empty() {
        let known = "`faultbook list` names all rules and codes";
        return Err(Failed::Usage(format!("no rule or code is called {}; {known}", arguments.only.join(", "))));
    }
    let wanting = wanting(arguments, &proof);
    let code = ExitCode::from(u8::from(!wanting.is_empty()));
    let shown = match arguments.format {
        Format::Text => {
            let shown = if arguments.all { usize::MAX } else { SHOWN };
            let view = ProofView { verbose: arguments.verbose, shown, styled: output::is_colored() };
            output::print(&render::proof(&proof, view))
        }
        Format::Json => output::print_json(&proof),
    };
    match shown {
        // Who has seen enough must still learn that there is something.
        Err(Failed::Closed) => return Ok(code),
        shown => shown?,
    }
    remark(&render::proof_summary(&proof));
    for line in wanting {
        remark(&line);
    }
    Ok(code)
}

/// Why the exit code is 1.
fn wanting(arguments: &Arguments, proof: &Proof) -> Vec<String> {
    let mut wanting = Vec::new();
    let failing = proof.failing().count();
    if failing > 0 {
        let mutants = if arguments.no_mutants { "" } else { "; changed rules are tried when all pass" };
        wanting.push(format!("{failing} of {} cases fail{mutants}", proof.cases.len()));
    }
    if let Some(least) = arguments.min_coverage.filter(|least| proof.coverage.percent() < *least) {
        wanting.push(format!("coverage is below {least} %"));
    }
    let score = proof.mutation.as_ref().map(crate::ruleset::proof::MutationScore::score);
    if let Some(least) = arguments.min_score.filter(|least| score.is_some_and(|score| score < *least)) {
        wanting.push(format!("the mutation score is below {least}"));
    }
    wanting
}

/// A bar on standard error where somebody watches it.
fn progress() -> ProgressBar {
    let target =
        if io::stderr().is_terminal() { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(None, target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} mutants") {
        bar.set_style(style);
    }
    bar
}
