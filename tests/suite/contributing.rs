//! What CONTRIBUTING says about adding a rule is what happens. Snapshots of the command line are of a set of their own, so
//! that those of the codes are all that a rule can change.

use std::fs;

use faultbook::RuleSet;
use libtest_mimic::{Failed, Trial};

use super::codes::{rules, snapshot_text};
use super::snapshot::{files, root};

pub fn trials() -> Vec<Trial> {
    vec![Trial::test("contributing/a_rule_touches_one_file_and_one_snapshot", add_a_rule)]
}

fn add_a_rule() -> Result<(), Failed> {
    let page = fs::read_to_string(root().join("CONTRIBUTING.md"))?;
    let rule =
        page.split("```toml").nth(1).and_then(|rest| rest.split("```").next()).ok_or("no rule in CONTRIBUTING")?;
    let copy = tempfile::tempdir()?;
    for stem in files(&root().join("rules"), "toml")? {
        let name = format!("{stem}.toml");
        fs::copy(root().join("rules").join(&name), copy.path().join(&name))?;
    }
    let file = copy.path().join("exchange.toml");
    let indented =
        fs::read_to_string(&file)? + "\n" + &rule.lines().map(str::trim_start).collect::<Vec<_>>().join("\n");
    fs::write(&file, indented)?;

    let (changed, report) = RuleSet::load(RuleSet::discover(copy.path())?).map_err(|rejected| rejected.to_string())?;
    if let Some(finding) = report.diagnostics().first() {
        return Err(format!("{}: {}", finding.lint.name, finding.message).into());
    }
    let differing: Vec<_> = rules()
        .codes()
        .iter()
        .filter(|entry| {
            changed
                .code(entry.code.as_str())
                .is_none_or(|now| snapshot_text(&changed, now) != snapshot_text(rules(), entry))
        })
        .map(|entry| entry.code.as_str())
        .collect();
    if differing == ["DSEX040"] && changed.digest() != rules().digest() {
        return Ok(());
    }
    Err(format!("snapshots that change: {differing:?}").into())
}
