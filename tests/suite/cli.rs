//! Commands in, output and exit code out; and the examples of README and docs, run as they stand.
//!
//! `tests/cli/*.toml` hold the arguments and the input of one command each; `snapshots/cli/` what it says.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use libtest_mimic::{Failed, Trial};

use super::snapshot::{self, files, root};

/// The tool under test.
pub const BINARY: &str = env!("CARGO_BIN_EXE_faultbook");

#[derive(serde::Deserialize)]
struct Case {
    about: String,
    args: Vec<String>,
    #[serde(default)]
    stdin: String,
    exit: i32,
}

pub fn trials() -> Vec<Trial> {
    let names = files(&root().join("tests/cli"), "toml").unwrap_or_default();
    let mut trials: Vec<Trial> =
        names.iter().cloned().map(|name| Trial::test(format!("cli/{name}"), move || run(&name))).collect();
    trials.push(Trial::test("cli/every_snapshot_has_a_case", move || {
        snapshot::assert_names("cli", &names.iter().map(String::as_str).collect::<Vec<_>>())
    }));
    trials.push(Trial::test("cli/an_empty_rules_directory_is_a_finding", empty_directory));
    trials.push(Trial::test("cli/built_in_rules_are_clean", || exit_code(&["check", "--deny", "warnings"], "", 0)));
    trials.push(Trial::test("cli/an_empty_variable_is_unset", || exit_code(&["list"], "", 0)));
    trials.push(Trial::test("cli/findings_count_though_nobody_reads_them", closed_pipe));
    trials.push(Trial::test("cli/examples_of_readme_and_docs", || {
        let cases = trycmd::TestCases::new();
        cases.register_bin("faultbook", std::path::Path::new(BINARY));
        cases.case("README.md").case("docs/*.md").run();
        Ok(())
    }));
    trials
}

fn run(name: &str) -> Result<(), Failed> {
    let case: Case = toml::from_str(&fs::read_to_string(root().join(format!("tests/cli/{name}.toml")))?)?;
    let mut child = Command::new(BINARY)
        .args(&case.args)
        .current_dir(root())
        .env_remove("FAULTBOOK_RULES")
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    child.stdin.take().ok_or("no input")?.write_all(case.stdin.as_bytes())?;
    let done = child.wait_with_output()?;
    let (stdout, stderr) = (String::from_utf8(done.stdout)?, String::from_utf8(done.stderr)?);
    if done.status.code() != Some(case.exit) {
        return Err(format!("exit code {:?}, expected {}\n{stdout}\n{stderr}", done.status.code(), case.exit).into());
    }
    snapshot::assert(
        "cli",
        name,
        &case.about,
        &format!("$ faultbook {}\n{stdout}--- stderr\n{stderr}", case.args.join(" ")),
    );
    Ok(())
}

fn exit_code(args: &[&str], rules: &str, expected: i32) -> Result<(), Failed> {
    let done = Command::new(BINARY).args(args).current_dir(root()).env("FAULTBOOK_RULES", rules).output()?;
    if done.status.code() == Some(expected) {
        return Ok(());
    }
    let (stdout, stderr) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Err(format!("exit code {:?}, expected {expected}\n{stdout}\n{stderr}", done.status.code()).into())
}

fn empty_directory() -> Result<(), Failed> {
    let empty = tempfile::tempdir()?;
    let path = empty.path().to_string_lossy();
    exit_code(&["check", &path], "", 1)?;
    exit_code(&["check", &path, "--format", "json"], "", 1)?;
    exit_code(&["test", &path], "", 1)?;
    exit_code(&["test", &path, "--format", "json"], "", 1)?;
    exit_code(&["list"], &path, 2)
}

fn closed_pipe() -> Result<(), Failed> {
    let mut child = Command::new(BINARY)
        .args(["check", "docs/broken-rules"])
        .current_dir(root())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    drop(child.stdout.take());
    let code = child.wait()?.code();
    if code == Some(1) { Ok(()) } else { Err(format!("exit code {code:?}, expected 1").into()) }
}
