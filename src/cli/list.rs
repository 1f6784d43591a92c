//! `faultbook list`: the catalogue, and the order in which rules are tried.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use crate::render;
use crate::ruleset::FALLBACK_RULE;

use super::Format;
use super::output::{self, Failed};

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  faultbook list\n  faultbook list --format json | jq -r '.codes[].code'")]
pub(super) struct Arguments {
    /// Output for people or machines
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let set = super::rule_set(rules)?;
    match arguments.format {
        Format::Text => output::print(&render::catalogue(&set))?,
        Format::Json => {
            let mut rules: Vec<_> = set.rules().iter().map(|rule| json!(rule)).collect();
            rules.push(json!({ "id": FALLBACK_RULE, "code": set.fallback().code, "connectors": [], "when": [], "unless": [], "captures": [] }));
            output::print_json(&json!({ "codes": set.codes(), "rules": rules, "ruleset": set.digest() }))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}
