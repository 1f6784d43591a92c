//! `faultbook explain`: the page of a code, or what a lint is about.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::diagnostic::{Acceptance, LINTS, did_you_mean};
use crate::render;

use super::Format;
use super::output::{self, Failed};

const EXAMPLES: &str = "Examples:
  faultbook explain DSEX001
  faultbook explain DSEX001 --format json
  faultbook explain number-prefix";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A code such as DSEX001, or a lint such as number-prefix
    #[arg(value_name = "CODE-OR-LINT")]
    name: String,
    /// Output for people or machines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let name = arguments.name.trim().trim_matches(['[', ']']);
    if let Some(lint) = LINTS.iter().find(|lint| lint.name.eq_ignore_ascii_case(name)) {
        match arguments.format {
            Format::Text => output::print(&render::lint_page(lint))?,
            Format::Json => output::print_json(&json!({
                "lint": lint.name,
                "severity": lint.severity,
                "about": lint.about,
                "accept": lint.acceptance != Acceptance::Never,
                "page": render::lint_text(lint),
            }))?,
        }
        return Ok(ExitCode::SUCCESS);
    }
    let set = super::rule_set(rules)?;
    let Some(entry) = set.code(&name.to_ascii_uppercase()) else {
        let codes = set.codes().iter().map(|entry| entry.code.as_str());
        let known: Vec<_> = codes.chain(LINTS.iter().map(|lint| lint.name)).collect();
        let help = crate::diagnostic::nearest(name, known.iter().copied())
            .or_else(|| crate::diagnostic::nearest(&name.to_ascii_uppercase(), known.iter().copied()));
        let help =
            help.map_or_else(|| "`faultbook list` shows all codes.".to_owned(), |near| did_you_mean(near, [near]));
        return Err(Failed::Usage(format!("`{name}` is no code of these rules and no lint. {help}")));
    };
    match arguments.format {
        Format::Text => {
            let example = set.examples_of(&entry.code).first().map(|failure| (failure, set.classify(failure)));
            let example = example.as_ref().map(|(failure, decision)| (*failure, decision));
            output::print(&render::page(&set, entry, example))?;
        }
        Format::Json => {
            let examples: Vec<_> = set
                .examples_of(&entry.code)
                .iter()
                .map(|example| json!({ "failure": example, "rule": set.classify(example).rule }))
                .collect();
            let rules: Vec<_> = set.rules_of(&entry.code).collect();
            output::print_json(&json!({ "code": entry, "rules": rules, "examples": examples }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
