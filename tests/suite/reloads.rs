//! `tests/reloads/<name>.toml`: what happens to the files of `tests/reloads/base/` while an engine runs, step by step,
//! and what comes of each step. Whatever comes, the failures of the base keep their codes.

use std::fs;
use std::path::Path;
use std::time::Duration;

use faultbook::{Engine, EngineOptions, Failure, ReloadOutcome, render};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;

use super::process::faultbook;
use super::snapshot::{files, root};

/// A case: steps one after the other.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    #[serde(rename = "about")]
    _about: String,
    steps: Vec<Step>,
}

/// What is done to the files, and what comes of it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    replace: Option<Replace>,
    also: Option<Replace>,
    append: Option<Text>,
    write: Option<Text>,
    cut: Option<Cut>,
    /// A file, or `.` for the directory.
    remove: Option<String>,
    /// As in the base.
    restore: Option<String>,
    #[serde(default)]
    publish: bool,
    outcome: String,
    /// What the report says.
    #[serde(default)]
    says: Vec<String>,
    /// The end of the line about the changes.
    changes: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replace {
    file: String,
    from: String,
    to: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    file: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cut {
    file: String,
    at: String,
}

pub fn trials() -> Vec<Trial> {
    let names = files(&root().join("tests/reloads"), "toml").unwrap_or_default();
    names.into_iter().map(|name| Trial::test(format!("reloads/{name}"), move || run(&name))).collect()
}

/// A directory with the rule set that all cases start from.
pub fn base(rules: &Path) -> Result<(), Failed> {
    fs::create_dir_all(rules)?;
    for name in files(&root().join("tests/reloads/base"), "toml")? {
        fs::copy(root().join("tests/reloads/base").join(format!("{name}.toml")), rules.join(format!("{name}.toml")))?;
    }
    Ok(())
}

/// Options of an engine that does not wait longer than it has to.
pub fn options(rules: &Path) -> EngineOptions {
    EngineOptions::new(rules).quiet(Duration::from_millis(5), Duration::from_secs(2))
}

fn run(name: &str) -> Result<(), Failed> {
    let case: Case = toml::from_str(&fs::read_to_string(root().join(format!("tests/reloads/{name}.toml")))?)?;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    base(&rules)?;
    let engine = options(&rules).open()?;
    let mut generation = 1;
    for (number, step) in case.steps.iter().enumerate() {
        let number = number + 1;
        apply(step, &rules)?;
        let outcome = engine.reload();
        let line = render::reload_line(&outcome);
        if outcome.as_str() != step.outcome {
            return Err(format!("step {number}: {}, not {}: {line}", outcome.as_str(), step.outcome).into());
        }
        if let ReloadOutcome::Rejected(rejected) = &outcome {
            let report = render::full(rejected.report(), false);
            if let Some(missing) = step.says.iter().find(|words| !report.contains(words.as_str())) {
                return Err(format!("step {number}: nothing says `{missing}`:\n{report}").into());
            }
        } else if !step.says.is_empty() {
            return Err(format!("step {number}: only a rejected set says something").into());
        }
        if let Some(changes) = &step.changes
            && !line.ends_with(&format!(": {changes}"))
        {
            return Err(format!("step {number}: not `{changes}`: {line}").into());
        }
        generation += u64::from(step.outcome == "swapped");
        in_order(&engine, generation, &outcome).map_err(|error| format!("step {number}: {error}"))?;
    }
    Ok(())
}

/// The engine answers, and says truthfully how it stands.
fn in_order(engine: &Engine, generation: u64, outcome: &ReloadOutcome) -> Result<(), String> {
    let failure = Failure { provider_codes: vec!["AADSTS7000222".into()], ..Failure::default() };
    let decision = engine.classify(&failure);
    let status = engine.status();
    if decision.code.as_str() != "DSEX001" {
        return Err(format!("a known failure is {}", decision.code));
    }
    if status.generation != generation || *decision.ruleset != status.ruleset {
        return Err(format!("generation {}, not {generation}", status.generation));
    }
    match status.last_reload {
        Some(last) if last.outcome == outcome.as_str() => Ok(()),
        last => Err(format!("the status says {last:?}")),
    }
}

fn apply(step: &Step, rules: &Path) -> Result<(), Failed> {
    for Replace { file, from, to } in step.replace.iter().chain(&step.also) {
        let text = fs::read_to_string(rules.join(file))?;
        if !text.contains(from.as_str()) && !to.is_empty() {
            return Err(format!("`{file}` does not hold `{from}`").into());
        }
        fs::write(rules.join(file), text.replacen(from.as_str(), to, 1))?;
    }
    if let Some(Text { file, text }) = &step.append {
        let before = fs::read_to_string(rules.join(file))?;
        fs::write(rules.join(file), before + text)?;
    }
    if let Some(Text { file, text }) = &step.write {
        fs::write(rules.join(file), text)?;
    }
    if let Some(Cut { file, at }) = &step.cut {
        let text = fs::read_to_string(rules.join(file))?;
        let end = text.find(at.as_str()).ok_or_else(|| format!("`{file}` does not hold `{at}`"))?;
        fs::write(rules.join(file), &text[..end])?;
    }
    match step.remove.as_deref() {
        Some(".") => fs::remove_dir_all(rules)?,
        Some(file) => fs::remove_file(rules.join(file))?,
        None => {}
    }
    match step.restore.as_deref() {
        Some(".") => base(rules)?,
        Some(file) => drop(fs::copy(root().join("tests/reloads/base").join(file), rules.join(file))?),
        None => {}
    }
    if step.publish {
        let done = faultbook(&["publish", &rules.to_string_lossy()], b"")?;
        if !done.status.success() {
            return Err(String::from_utf8_lossy(&done.stderr).into_owned().into());
        }
    }
    Ok(())
}
