//! `faultbook ledger`: compare the codes with the ledger of issued codes, or extend it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::rulefile::{LEDGER, write_ledger};
use crate::ruleset::inspect;

use super::output::{self, Failed, remark};
use super::replace::replace_file;

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  faultbook ledger my-rules/            what the ledger does not know yet\n  faultbook ledger my-rules/ --write    enter new codes\n\nThe ledger keeps every code ever issued. A code never vanishes from it and never changes its meaning."
)]
pub(super) struct Arguments {
    /// Directory of rule files; without it --rules, else the rules that are built in
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Enter new codes, new titles and retirements into ledger.toml
    #[arg(long)]
    write: bool,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let directory = arguments.directory.as_deref().or(rules);
    if arguments.write && directory.is_none() {
        let help = "the built-in rules cannot be written; name the directory: `faultbook ledger DIR --write`";
        return Err(Failed::Usage(help.to_owned()));
    }
    let (set, report, book) = inspect(super::sources(directory)?, None);
    if set.is_none() {
        output::report(&report);
        return Err(Failed::Rejected("the set does not load; the ledger enters only what does".to_owned()));
    }
    let current = report.sources().find(LEDGER).map(|id| report.sources().get(id).text.as_str());
    let text = write_ledger(&book, current);
    let known: Vec<&str> =
        book.ledger.iter().flat_map(|ledger| &ledger.codes).map(|line| line.code.value.as_str()).collect();
    let new: Vec<&str> =
        book.codes().map(|(_, entry)| entry.code.value.as_str()).filter(|code| !known.contains(code)).collect();
    if current == Some(text.as_str()) {
        remark(&format!("the ledger is up to date: {} codes", known.len()));
        return Ok(ExitCode::SUCCESS);
    }
    for code in &new {
        output::print(&format!("new: {code}"))?;
    }
    if new.is_empty() {
        output::print("titles, retirement or layout of the ledger differ")?;
    }
    if !arguments.write {
        remark("with `--write` the ledger takes them in");
        return Ok(ExitCode::from(1));
    }
    let Some(directory) = directory else { return Ok(ExitCode::SUCCESS) };
    replace_file(&directory.join(LEDGER), &text)?;
    remark(&format!("wrote {}", directory.join(LEDGER).display()));
    Ok(ExitCode::SUCCESS)
}
