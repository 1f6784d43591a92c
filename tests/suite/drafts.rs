//! `faultbook new`: what it drafts is proven, and what it writes is a rule file as before with one entry more.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use faultbook::{Report, RuleSet, Severity, read_record, render};
use libtest_mimic::{Failed, Trial};

use super::cli::BINARY;
use super::process::{expect, run};
use super::snapshot::root;

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 7] = [
        ("rules_that_were_taken_out_come_back", taken_out),
        ("a_written_rule_loads_and_keeps_every_comment", written_rule),
        ("a_written_code_is_the_next_one", written_code),
        ("numbers_are_never_used_twice", numbers),
        ("a_kept_failure_is_a_failure", specimen),
        ("what_cannot_be_drafted_is_said", refusals),
        ("odd_texts_make_clean_files", odd_texts),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("drafts/{name}"), test)).collect()
}

fn copy_of_rules() -> Result<tempfile::TempDir, Failed> {
    let folder = tempfile::tempdir()?;
    for entry in fs::read_dir(root().join("rules"))? {
        let entry = entry?;
        fs::copy(entry.path(), folder.path().join(entry.file_name()))?;
    }
    Ok(folder)
}

fn new(rules: &Path, arguments: &[&str], stdin: &str) -> Result<Output, Failed> {
    let mut command = Command::new(BINARY);
    command.arg("--rules").arg(rules).arg("new").args(arguments).current_dir(root());
    run(&mut command, stdin.as_bytes())
}

fn report(rules: &Path) -> Result<(Option<RuleSet>, Report), Failed> {
    Ok(match RuleSet::load(RuleSet::discover(rules)?) {
        Ok((set, report)) => (Some(set), report),
        Err(rejected) => (None, rejected.report().clone()),
    })
}

/// A rule of a file: its id, its code, its first example as JSON, and where its text stands.
struct Known {
    file: String,
    id: String,
    code: String,
    failure: String,
    range: std::ops::Range<usize>,
}

fn known_rules(rules: &Path) -> Result<Vec<Known>, Failed> {
    let mut known = Vec::new();
    for file in ["exchange.toml", "webhook.toml", "business-central.toml", "shared.toml"] {
        let text = fs::read_to_string(rules.join(file))?;
        let table: toml::Table = toml::from_str(&text)?;
        let connector = match table.get("connector") {
            Some(toml::Value::Array(names)) => names.first().cloned(),
            other => other.cloned(),
        };
        let mut starts: Vec<usize> = text.match_indices("\n[[rules]]\n").map(|(at, _)| at + 1).collect();
        starts.push(text.len());
        for (rule, range) in table["rules"].as_array().ok_or("no rules")?.iter().zip(starts.windows(2)) {
            let mut failure = rule["examples"][0]["failure"].clone();
            if let (Some(connector), Some(table)) = (&connector, failure.as_table_mut()) {
                table.entry("connector").or_insert(connector.clone());
            }
            known.push(Known {
                file: file.to_owned(),
                id: rule["id"].as_str().ok_or("no id")?.to_owned(),
                code: rule["code"].as_str().ok_or("no code")?.to_owned(),
                failure: serde_json::to_string(&failure)?,
                range: range[0]..range[1],
            });
        }
    }
    Ok(known)
}

/// Every rule is taken out once, and drafted again from its first example: what is printed loads without a finding, wins
/// the failure and leaves all other examples alone. `FAULTBOOK_DRAFTS=all` takes every rule, else each tenth.
fn taken_out() -> Result<(), Failed> {
    let step = if std::env::var("FAULTBOOK_DRAFTS").as_deref() == Ok("all") { 1 } else { 10 };
    let all = known_rules(&root().join("rules"))?;
    let (mut drafted, mut refused, mut faults) = (0, Vec::new(), Vec::new());
    for rule in all.iter().step_by(step) {
        let folder = copy_of_rules()?;
        let path = folder.path().join(&rule.file);
        let mut text = fs::read_to_string(&path)?;
        text.replace_range(rule.range.clone(), "");
        fs::write(&path, text)?;
        without_failing_neighbors(folder.path())?;
        let arguments = ["--from", "-", "--code", &rule.code, "--anyway", "--write", "--file", &rule.file];
        let done = new(folder.path(), &arguments, &rule.failure)?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        if !done.status.success() {
            refused.push(format!("{}/{}: {}", rule.file, rule.id, said.trim()));
            continue;
        }
        let name = said.split('`').nth(1).unwrap_or_default().to_owned();
        let (set, report) = report(folder.path())?;
        let record = read_record(rule.failure.as_bytes())?;
        let winner = set.map(|set| set.classify(&record.failure).rule.into_owned());
        let is_clean = report.diagnostics().iter().all(|finding| finding.lint.severity == Severity::Note);
        if winner.as_deref() == Some(name.as_str()) && is_clean {
            drafted += 1;
        } else {
            faults.push(format!("{}: {winner:?} wins\n{}", rule.id, render::full(&report, false)));
        }
    }
    if step == 1 {
        let total = all.len();
        let _ = writeln!(std::io::stderr(), "{drafted} of {total} rules are drafted again:\n{}", refused.join("\n"));
    }
    match faults.first() {
        Some(fault) => Err(format!("{} drafts are no rules, the first: {fault}", faults.len()).into()),
        None if drafted * 4 < (drafted + refused.len()) * 3 => {
            Err(format!("only {drafted} drafts:\n{}", refused.join("\n")).into())
        }
        None => Ok(()),
    }
}

/// Takes out the examples and counterexamples that need the rule that is gone.
fn without_failing_neighbors(rules: &Path) -> Result<(), Failed> {
    for _ in 0..50 {
        let (set, report) = report(rules)?;
        let error = report.diagnostics().iter().find(|finding| finding.lint.severity == Severity::Error);
        let Some(error) = error.filter(|_| set.is_none()) else { return Ok(()) };
        if !["example-fails", "counterexample-fails"].contains(&error.lint.name) {
            return Err(render::full(&report, false).into());
        }
        let source = report.sources().get(error.primary.span.source);
        let at = error.primary.span.range.start;
        let start = source.text[..at].rfind("\n[[").ok_or("no header")?;
        let end = source.text[at..].find("\n\n").map_or(source.text.len(), |end| at + end + 1);
        let text = format!("{}{}", &source.text[..start], &source.text[end..]);
        fs::write(rules.join(&source.name), text)?;
    }
    Err("too many examples need one rule".into())
}

const FAILURE: &str = r#"{"connector": "exchange", "exceptions": [{"type": "Contoso.Sync.MailboxQuotaException", "message": "The mailbox 'anna@contoso.com' is over its quota; client_secret=hush-hush-123"}]}"#;

fn written_rule() -> Result<(), Failed> {
    let folder = copy_of_rules()?;
    let path = folder.path().join("exchange.toml");
    let before = fs::read_to_string(&path)?;
    let done = new(folder.path(), &["--from", "-", "--code", "DSEX040", "--write"], FAILURE)?;
    expect(
        &done,
        0,
        &["when.exception = \"Contoso.Sync.MailboxQuotaException\"", "«redacted:", "behind its other rules"],
    )?;
    let after = fs::read_to_string(&path)?;
    let printed = String::from_utf8(done.stdout)?;
    if after.replacen(&format!("\n{printed}"), "", 1) != before {
        return Err("something else of the file has changed as well".into());
    }
    if printed.contains("hush-hush-123") {
        return Err("a secret stands in the rule".into());
    }
    let (set, report) = report(folder.path())?;
    if set.is_none() || !report.diagnostics().is_empty() {
        return Err(render::full(&report, false).into());
    }
    // Now it is known.
    let again = new(folder.path(), &["--from", "-", "--code", "DSEX040"], FAILURE)?;
    expect(&again, 1, &["`exchange/mailbox-quota` knows this failure already: `DSEX040`", "--anyway"])?;
    // And everything that it says is what the other one says.
    let anyway = new(folder.path(), &["--from", "-", "--code", "DSEX021", "--anyway"], FAILURE)?;
    expect(&anyway, 1, &["an example of `exchange/mailbox-quota`", "faultbook trace"])?;
    let files: Vec<_> = fs::read_dir(folder.path())?.collect();
    if files.len() == 6 { Ok(()) } else { Err("a file is left behind".into()) }
}

fn written_code() -> Result<(), Failed> {
    let folder = copy_of_rules()?;
    let path = folder.path().join("exchange.toml");
    let before = fs::read_to_string(&path)?;
    let done = new(folder.path(), &["DSEX", "Mailbox over its \"quota\"", "--write"], "")?;
    expect(&done, 0, &["[codes.DSEX041]", "title = 'Mailbox over its \"quota\"'", "What is left to do"])?;
    let after = fs::read_to_string(&path)?;
    let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (old, now) = (lines(&before), lines(&after));
    let mut rest = now.iter();
    if !old.iter().all(|line| rest.any(|other| other == line)) || now.len() != old.len() + 12 {
        return Err("something else of the file has changed as well".into());
    }
    let at = |text: &str| after.find(text).ok_or(format!("no {text}"));
    if !(at("[codes.DSEX040]")? < at("[codes.DSEX041]")? && at("[codes.DSEX041]")? < at("[[rules]]")?) {
        return Err("the code does not stand behind the others".into());
    }
    // It is held back until it is filled in, and then it is a code like others.
    let (set, report) = report(folder.path())?;
    let text = render::full(&report, false);
    if set.is_some() || !text.contains("unknown status `TODO`") || !text.contains("unknown `retry`: `TODO`") {
        return Err(text.into());
    }
    // The number is taken now, although the set does not load.
    expect(&new(folder.path(), &["DSEX", "Another one"], "")?, 0, &["[codes.DSEX042]"])
}

fn numbers() -> Result<(), Failed> {
    let folder = copy_of_rules()?;
    let rules = folder.path();
    expect(&new(rules, &["DSEX021", "Again"], "")?, 2, &["`DSEX021` is taken; `DSEX041` is free"])?;
    expect(&new(rules, &["dsex", "Small letters"], "")?, 0, &["[codes.DSEX041]"])?;
    expect(&new(rules, &["DSEX1", "Short"], "")?, 2, &["`DSEX1` is no code"])?;
    expect(&new(rules, &["DSXE", "Slip"], "")?, 2, &["`DSXE` is no family", "Did you mean `DSEX`?", "`DSWBHK`"])?;
    expect(&new(rules, &["DSEX", " "], "")?, 2, &["a code has a title"])?;
    // A number that only the ledger or a comment knows.
    let ledger = fs::read_to_string(rules.join("ledger.toml"))?;
    let line =
        "DSEX050 = { title = \"Gone\", status = \"Failed\", retry = \"none\", action = \"none\", retired = true }\n";
    fs::write(rules.join("ledger.toml"), format!("{ledger}{line}"))?;
    expect(&new(rules, &["DSEX050", "Again"], "")?, 2, &["was used before", "`DSEX051` is free"])?;
    let shared = fs::read_to_string(rules.join("shared.toml"))?;
    fs::write(rules.join("shared.toml"), format!("{shared}\n# DSEX055 is promised to the next release.\n"))?;
    expect(&new(rules, &["DSEX", "Next"], "")?, 0, &["[codes.DSEX056]"])?;
    expect(&new(rules, &["DSEX045", "A gap"], "")?, 0, &["[codes.DSEX045]"])
}

/// What `unknowns --show` prints, or a pasted text, is as good as JSON of one's own.
fn specimen() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let spool = folder.path().join("spool");
    let kept = Command::new(BINARY)
        .args(["classify", "--input", "text", "--connector", "exchange", "--spool"])
        .arg(&spool)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()?;
    let text = "Contoso.Sync.MailboxQuotaException: The mailbox 'anna@contoso.com' is over its quota\n   at Contoso.Sync.Push()\n";
    let mut kept = kept;
    kept.stdin.take().ok_or("no input")?.write_all(text.as_bytes())?;
    kept.wait()?;
    let shapes = Command::new(BINARY).arg("unknowns").arg(&spool).args(["--format", "json"]).output()?;
    let shapes: serde_json::Value = serde_json::from_slice(&shapes.stdout)?;
    let fingerprint = shapes["shapes"][0]["fingerprint"].as_str().ok_or("no shape")?.to_owned();
    let shown = Command::new(BINARY).arg("unknowns").arg(&spool).args(["--show", &fingerprint]).output()?;
    let rules = root().join("rules");
    let expected = [
        "when.exception = \"Contoso.Sync.MailboxQuotaException\"",
        "failure = { exceptions = [{ type = \"Contoso.Sync.MailboxQuotaException\", message = \"The mailbox 'anna@contoso.com' is over its quota\" }] }",
    ];
    let from_spool = new(&rules, &["--from", "-", "--code", "DSEX040"], &String::from_utf8(shown.stdout)?)?;
    expect(&from_spool, 0, &expected)?;
    let pasted = new(&rules, &["--from", "-", "--code", "DSEX040", "--connector", "exchange"], text)?;
    expect(&pasted, 0, &expected)
}

/// What cannot be drafted is said, and nothing is written.
fn refusals() -> Result<(), Failed> {
    let folder = copy_of_rules()?;
    let from = |failure: &str| new(folder.path(), &["--from", "-", "--code", "DSEX040", "--write"], failure);
    expect(&from("")?, 2, &["the input holds no failure"])?;
    expect(&from("{}")?, 2, &["says nothing that a rule could look at"])?;
    let silent = r#"{"connector": "exchange", "exceptions": [{"type": "System.Exception", "message": "5"}]}"#;
    expect(&from(silent)?, 1, &["nothing that could be a condition"])?;
    let foreign = r#"{"connector": "webhook", "message": "the signature does not match"}"#;
    expect(&from(foreign)?, 2, &["rules of `exchange.toml` are for `exchange`", "`webhook.toml`", "--file"])?;
    let unknown = new(folder.path(), &["--from", "-", "--code", "DSEX41"], FAILURE)?;
    expect(&unknown, 2, &["`DSEX41` is no code of these rules", "Did you mean"])?;
    let empty = tempfile::tempdir()?;
    expect(&new(empty.path(), &["DSEX", "Title"], "")?, 2, &["no families"])?;
    for entry in fs::read_dir(root().join("rules"))? {
        let entry = entry?;
        if fs::read(entry.path())? != fs::read(folder.path().join(entry.file_name()))? {
            return Err(format!("{} was written", entry.file_name().display()).into());
        }
    }
    Ok(())
}

/// Control characters and marks of other scripts are written so that the file is clean, and lines end as they did.
fn odd_texts() -> Result<(), Failed> {
    let folder = copy_of_rules()?;
    let path = folder.path().join("exchange.toml");
    let text = fs::read_to_string(&path)?.replace('\n', "\r\n");
    fs::write(&path, &text)?;
    let failure = r#"{"connector": "exchange", "exceptions": [{"type": "Contoso.Sync.OddException", "message": "It's \"odd\" \u001b[2J \u202e and sеrver C:\\x"}]}"#;
    let done = new(folder.path(), &["--from", "-", "--code", "DSEX040", "--write"], failure)?;
    expect(&done, 0, &["\\u001B[2J \\u202E", "C:\\\\x", "s\\u0435rver"])?;
    let after = fs::read_to_string(&path)?;
    if after.matches('\n').count() != after.matches("\r\n").count() {
        return Err("lines end in two ways".into());
    }
    let (set, report) = report(folder.path())?;
    // Line ends of that kind are worth a note.
    let is_clean = report.diagnostics().iter().all(|finding| finding.lint.severity == Severity::Note);
    if set.is_some() && is_clean { Ok(()) } else { Err(render::full(&report, false).into()) }
}
