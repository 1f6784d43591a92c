//! `check --against` with a real repository: a change of the rules, seen from the state before it.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::cli::BINARY;
use super::process::expect;
use super::snapshot::root;

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("a_moved_retry_class_fails_with_both_places", moved_retry),
        ("a_changed_remedy_passes", changed_remedy),
        ("an_accepted_move_passes", accepted_move),
        ("what_git_cannot_find_is_said", errors),
        ("a_hook_of_git_finds_the_same", hook),
        ("retired_codes_stay_explained", retired),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("against/{name}"), test)).collect()
}

/// A repository whose folder `rules` holds a copy of the rules, committed.
struct Repository(tempfile::TempDir);

impl Repository {
    fn new() -> Result<Self, Failed> {
        let repository = Self(tempfile::tempdir()?);
        let rules = repository.0.path().join("rules");
        fs::create_dir(&rules)?;
        for entry in fs::read_dir(root().join("rules"))? {
            let entry = entry?;
            fs::copy(entry.path(), rules.join(entry.file_name()))?;
        }
        repository.git(&["init", "--quiet", "."])?;
        repository.commit("rules")?;
        Ok(repository)
    }

    fn git(&self, arguments: &[&str]) -> Result<(), Failed> {
        let mut command = Command::new("git");
        command.args(arguments).current_dir(self.0.path()).env("GIT_CONFIG_GLOBAL", "/dev/null");
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "Test").env(format!("GIT_{who}_EMAIL"), "test@example.com");
        }
        let done = command.output()?;
        let fault = || format!("git {arguments:?}: {}", String::from_utf8_lossy(&done.stderr)).into();
        if done.status.success() { Ok(()) } else { Err(fault()) }
    }

    fn commit(&self, message: &str) -> Result<(), Failed> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])
    }

    /// Replaces a text that stands behind another one in a rule file.
    fn edit(&self, file: &str, behind: &str, old: &str, new: &str) -> Result<(), Failed> {
        let path = self.0.path().join("rules").join(file);
        let text = fs::read_to_string(&path)?;
        let start = text.find(behind).ok_or(format!("`{behind}` is not in {file}"))?;
        let edited = format!("{}{}", &text[..start], text[start..].replacen(old, new, 1));
        if edited == text {
            return Err(format!("`{old}` is not behind `{behind}`").into());
        }
        Ok(fs::write(&path, edited)?)
    }

    fn check(&self, arguments: &[&str]) -> Result<Output, Failed> {
        run(self.0.path(), &[&["check", "rules"], arguments].concat())
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Result<Output, Failed> {
    let mut command = Command::new(BINARY);
    Ok(command.args(arguments).current_dir(folder).env_remove("FAULTBOOK_RULES").env("NO_COLOR", "1").output()?)
}

fn moved_retry() -> Result<(), Failed> {
    let repository = Repository::new()?;
    repository.edit("exchange.toml", "[codes.DSEX030]", "retry = \"retried\"", "retry = \"none\"")?;
    let done = repository.check(&["--against", "HEAD"])?;
    let line = place(&repository, "exchange.toml", "[codes.DSEX030]", "retry = ")?;
    let (now, before) = (format!("--> rules/exchange.toml:{line}:9"), format!("::: rules@HEAD/exchange.toml:{line}:9"));
    let message = "the retry of `DSEX030` moves from `retried` to `none`";
    expect(&done, 1, &["error[retry-more-dangerous]", message, &now, &before])?;
    // The same from a commit to the one before, for machines.
    repository.commit("retry")?;
    let done = repository.check(&["--against", "HEAD~1", "--format", "json"])?;
    expect(&done, 1, &[])?;
    let report: Value = serde_json::from_slice(&done.stdout)?;
    let found = report["findings"].as_array().into_iter().flatten().find(|f| f["lint"] == "retry-more-dangerous");
    let found = found.ok_or("no such finding")?;
    if found["file"] == "rules/exchange.toml" && found["related"][0]["file"] == "rules@HEAD~1/exchange.toml" {
        Ok(())
    } else {
        Err(format!("other places: {found}").into())
    }
}

/// The line of a text behind another one.
fn place(repository: &Repository, file: &str, behind: &str, wanted: &str) -> Result<usize, Failed> {
    let text = fs::read_to_string(repository.0.path().join("rules").join(file))?;
    let start = text.find(behind).ok_or("not there")?;
    let at = start + text[start..].find(wanted).ok_or("not there")?;
    Ok(text[..at].matches('\n').count() + 1)
}

fn changed_remedy() -> Result<(), Failed> {
    let repository = Repository::new()?;
    repository.edit("exchange.toml", "[codes.DSEX030]", "remedy = [", "remedy = [\"Have a coffee.\", ")?;
    let done = repository.check(&["--against", "HEAD", "--deny", "warnings"])?;
    expect(&done, 0, &["note[wording-changed]", "`DSEX030` has other words: remedy", "1 note"])?;
    // Nothing is said against the state itself, and a directory is as good as a revision.
    repository.git(&["worktree", "add", "--quiet", "old", "HEAD"])?;
    let done = repository.check(&["--against", "old/rules"])?;
    expect(&done, 0, &["::: old/rules/exchange.toml"])?;
    repository.commit("remedy")?;
    expect(&repository.check(&["--against", "HEAD"])?, 0, &["no findings"])
}

fn accepted_move() -> Result<(), Failed> {
    let repository = Repository::new()?;
    repository.edit("exchange.toml", "[codes.DSEX030]", "retry = \"retried\"", "retry = \"none\"")?;
    repository.edit("ledger.toml", "DSEX030 = ", "retry = \"retried\"", "retry = \"none\"")?;
    expect(&repository.check(&["--against", "HEAD"])?, 1, &["error[retry-more-dangerous]", "1 error"])?;
    let accept = "accept = [{ lint = \"retry-more-dangerous\", reason = \"Decided so.\" }]\nretry";
    repository.edit("exchange.toml", "[codes.DSEX030]", "retry", accept)?;
    expect(&repository.check(&["--against", "HEAD", "--deny", "warnings"])?, 0, &[])
}

fn errors() -> Result<(), Failed> {
    let repository = Repository::new()?;
    let unknown = repository.check(&["--against", "v0.9"])?;
    expect(&unknown, 2, &["`v0.9` is no directory, and no revision of the repository that holds `rules`"])?;
    expect(&repository.check(&["--against=--output=x"])?, 2, &["no revision"])?;
    let built_in = run(repository.0.path(), &["check", "--against", "HEAD"])?;
    expect(&built_in, 2, &["a git revision needs the rules directory"])?;
    // Rules that came later than the revision.
    fs::rename(repository.0.path().join("rules"), repository.0.path().join("moved"))?;
    repository.commit("moved")?;
    let moved = run(repository.0.path(), &["check", "moved", "--against", "HEAD~1"])?;
    expect(&moved, 2, &["in the revision `HEAD~1` the directory `moved/` does not exist"])?;
    // A clone of one commit.
    let source = format!("file://{}", repository.0.path().display());
    repository.git(&["clone", "--quiet", "--depth", "1", &source, "shallow"])?;
    let shallow = run(&repository.0.path().join("shallow"), &["check", "moved", "--against", "HEAD~1"])?;
    expect(&shallow, 2, &["this clone is shallow"])?;
    // No repository, and no git.
    let plain = tempfile::tempdir()?;
    fs::rename(repository.0.path().join("moved"), plain.path().join("rules"))?;
    expect(&run(plain.path(), &["check", "rules", "--against", "HEAD"])?, 2, &["not a git repository"])?;
    let mut without = Command::new(BINARY);
    without.args(["check", "rules", "--against", "HEAD"]).current_dir(plain.path()).env("PATH", plain.path());
    expect(&without.output()?, 2, &["cannot run `git`", "name a directory"])
}

/// Git tells hooks its directory, relative to another one than that of the rules.
fn hook() -> Result<(), Failed> {
    let repository = Repository::new()?;
    repository.edit("exchange.toml", "[codes.DSEX030]", "retry = \"retried\"", "retry = \"fix-config\"")?;
    let mut command = Command::new(BINARY);
    command.args(["check", "rules", "--against", "HEAD"]).current_dir(repository.0.path());
    let done = command.env("GIT_DIR", ".git").env("GIT_INDEX_FILE", ".git/index").env("GIT_PREFIX", "").output()?;
    expect(&done, 1, &["warning[retry-moved]"])
}

/// A code that is no longer issued keeps its page, its line in the list, and says against what it was retired.
fn retired() -> Result<(), Failed> {
    let repository = Repository::new()?;
    let text = fs::read_to_string(root().join("tests/lints/code-retired/demo.toml"))?;
    let old = root().join("tests/lints/code-retired/.against");
    let rules = repository.0.path().join("demo");
    fs::create_dir(&rules)?;
    for name in ["faultbook.toml", "ledger.toml"] {
        fs::copy(root().join("tests/lints/code-retired").join(name), rules.join(name))?;
    }
    fs::write(rules.join("demo.toml"), text)?;
    let against = old.to_string_lossy();
    let done = run(repository.0.path(), &["check", "demo", "--against", &against, "--deny", "warnings"])?;
    expect(&done, 0, &["note[code-retired]", "`DSDEMO001` is retired", "in use before"])?;
    let page = run(repository.0.path(), &["--rules", "demo", "explain", "DSDEMO001"])?;
    expect(&page, 0, &["DSDEMO001  Gone", "RETIRED: The other side is gone for good.", "What to do", "1. Wait."])?;
    let json = run(repository.0.path(), &["--rules", "demo", "explain", "DSDEMO001", "--format", "json"])?;
    expect(&json, 0, &["\"retired\": \"The other side is gone for good.\""])?;
    expect(&run(repository.0.path(), &["--rules", "demo", "list"])?, 0, &["DSDEMO001", "(retired)"])
}
