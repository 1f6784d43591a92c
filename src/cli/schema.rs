//! `faultbook schema`: JSON Schemas of what goes in and out.

use std::process::ExitCode;

use clap::Args;

use crate::render;

use super::output::{self, Failed};

/// The names of all schemas, with what each describes.
pub const SCHEMAS: &[(&str, &str)] = &[
    ("manifest", "faultbook.toml"),
    ("rules", "files of codes and rules"),
    ("ledger", "ledger.toml"),
    ("failure", "a failure as JSON, one line of `classify` in"),
    ("decision", "a decision as JSON, one line of `classify --format json` out"),
    ("trace", "why a failure has its code, one line of `trace --format json` out"),
    ("status", "how an engine stands, one line of `watch --format json` out"),
    ("report", "the findings of `check --format json`"),
    ("test", "what `test --format json` says"),
];

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  faultbook schema                              the names of all schemas\n  faultbook schema rules > rules.schema.json"
)]
pub(super) struct Arguments {
    /// Which schema; without a name all names are listed
    #[arg(value_name = "NAME")]
    name: Option<String>,
}

pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Failed> {
    let Some(name) = &arguments.name else {
        let lines: Vec<_> = SCHEMAS.iter().map(|(name, about)| format!("{name:<9} {about}")).collect();
        output::print(&lines.join("\n"))?;
        return Ok(ExitCode::SUCCESS);
    };
    match render::schema(name) {
        Some(schema) => output::print_json(&schema)?,
        None => {
            let help = crate::diagnostic::did_you_mean(name, SCHEMAS.iter().map(|(name, _)| *name));
            return Err(Failed::Usage(format!("there is no schema `{name}`. {help}")));
        }
    }
    Ok(ExitCode::SUCCESS)
}
