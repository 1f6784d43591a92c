//! `tests/lints/<lint>/`: the smallest rule set that triggers a lint, with its report as snapshot.
//!
//! A folder `.before` in it is the set in force, whose place the rule set is to take while the engine runs;
//! a folder `.against` is another state of the rules that it is compared with.
//! A lint with several faces has a folder for each: `tests/lints/pattern-syntax/look-behind/`. Besides the lint that the
//! folder is named after, no other may fire: findings that only follow from the first one send people astray.
//! `tests/accepted/<lint>/` holds sets in which somebody lets the lint stand.
//! `tests/reports/<name>/` holds sets with many mistakes at once; all of them are in the report.

use std::path::Path;

use faultbook::{Diagnostic, LINTS, Report, RuleSet, Severity, render};
use libtest_mimic::{Failed, Trial};

use super::snapshot::{self, root};

pub fn trials() -> Vec<Trial> {
    let cases = cases(&root().join("tests/lints")).unwrap_or_default();
    let names: Vec<String> = cases.iter().map(|(lint, variant)| case_name(lint, variant.as_deref())).collect();
    let mut trials = Vec::new();
    for (lint, variant) in cases.clone() {
        let name = case_name(&lint, variant.as_deref());
        trials.push(Trial::test(format!("lints/{}", name.replacen("--", "/", 1)), move || {
            only(&lint, variant.as_deref())
        }));
    }
    trials.push(Trial::test("lints/every_lint_has_a_folder", move || every_lint(&cases)));
    trials.push(Trial::test("lints/every_snapshot_has_a_folder", move || {
        snapshot::assert_names("lints", &names.iter().map(String::as_str).collect::<Vec<_>>())
    }));
    #[cfg(target_os = "linux")]
    trials.push(Trial::test("lints/files_that_git_cannot_keep", odd_files));
    trials.push(Trial::test("lints/errors_of_a_file_are_counted", many_errors));
    trials.push(Trial::test("lints/fixes", fixes));
    trials.push(Trial::test("lints/fixes_put_keys_in_order", fix_puts_keys_in_order));
    trials.extend(LINTS.iter().map(|lint| Trial::test(format!("lints/pages/{}", lint.name), || page(lint.name))));
    let reports = folders(&root().join("tests/reports")).unwrap_or_default();
    for name in reports.clone() {
        trials.push(Trial::test(format!("lints/reports/{name}"), move || {
            let report = load(&format!("tests/reports/{name}"))?;
            well_formed(&report)?;
            snapshot::assert("reports", &name, &format!("tests/reports/{name}"), &render::full(&report, false));
            Ok(())
        }));
    }
    for name in folders(&root().join("tests/accepted")).unwrap_or_default() {
        trials.push(Trial::test(format!("lints/accepted/{name}"), move || accepted(&name)));
    }
    trials.push(Trial::test("lints/every_report_has_a_folder", move || {
        snapshot::assert_names("reports", &reports.iter().map(String::as_str).collect::<Vec<_>>())
    }));
    trials
}

/// Lint and variant of each case, sorted.
fn cases(folder: &Path) -> Result<Vec<(String, Option<String>)>, Failed> {
    let mut cases = Vec::new();
    for lint in folders(folder)? {
        let inner = folder.join(&lint);
        if inner.join("demo.toml").exists() {
            cases.push((lint, None));
        } else {
            cases.extend(folders(&inner)?.into_iter().map(|variant| (lint.clone(), Some(variant))));
        }
    }
    Ok(cases)
}

fn folders(folder: &Path) -> Result<Vec<String>, Failed> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn case_name(lint: &str, variant: Option<&str>) -> String {
    variant.map_or_else(|| lint.to_owned(), |variant| format!("{lint}--{variant}"))
}

/// The report on a folder, with paths that are the same on every machine. What stands in its `.before` is in force,
/// what stands in its `.against` is another state of the rules.
fn load(folder: &str) -> Result<Report, Failed> {
    let sources = RuleSet::discover(&root().join(folder))?.with_root(folder);
    let against = root().join(folder).join(".against");
    if against.exists() {
        let other = RuleSet::discover(&against)?.with_root(format!("{folder}/.against"));
        return Ok(RuleSet::check_against(sources, other)?);
    }
    let before = root().join(folder).join(".before");
    let loaded = if before.exists() {
        RuleSet::load(RuleSet::discover(&before)?).map_err(|rejected| rejected.to_string())?.0.load_next(sources)
    } else {
        RuleSet::load(sources)
    };
    Ok(match loaded {
        Ok((_, report)) => report,
        Err(rejected) => rejected.report().clone(),
    })
}

/// The lint of the folder fires, and no other.
fn only(lint: &str, variant: Option<&str>) -> Result<(), Failed> {
    let folder =
        variant.map_or_else(|| format!("tests/lints/{lint}"), |variant| format!("tests/lints/{lint}/{variant}"));
    let report = load(&folder)?;
    well_formed(&report)?;
    if !report.diagnostics().iter().any(|finding| finding.lint.name == lint) {
        return Err(format!("`{lint}` is not reported:\n{}", render::full(&report, false)).into());
    }
    if let Some(other) = report.diagnostics().iter().find(|finding| finding.lint.name != lint) {
        return Err(format!("`{}` is reported as well:\n{}", other.lint.name, render::full(&report, false)).into());
    }
    let about = LINTS.iter().find(|known| known.name == lint).map_or("", |known| known.about);
    snapshot::assert("lints", &case_name(lint, variant), about, &render::full(&report, false));
    Ok(())
}

/// `tests/accepted/<lint>/`: the lint is found, somebody lets it stand, and nothing else is said.
fn accepted(lint: &str) -> Result<(), Failed> {
    let report = load(&format!("tests/accepted/{lint}"))?;
    match (report.diagnostics(), report.accepted()) {
        ([], [one]) if one.finding.lint.name == lint && !one.reason.is_empty() => Ok(()),
        (found, accepted) => Err(format!("found {found:?}, accepted {accepted:?}").into()),
    }
}

/// A pipe, a name that is no UTF-8, and one with control characters: each is refused by name, and nothing waits.
#[cfg(target_os = "linux")]
fn odd_files() -> Result<(), Failed> {
    use std::os::unix::ffi::OsStrExt;
    let folder = tempfile::tempdir()?;
    for name in ["faultbook.toml", "demo.toml", "ledger.toml"] {
        std::fs::copy(root().join("tests/lints/code-without-rule").join(name), folder.path().join(name))?;
    }
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("pipe.toml")).status()?;
    std::fs::write(folder.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9.toml")), "format = 1\n")?;
    std::fs::write(folder.path().join("a\u{1b}[2J\nb.toml"), "format = 1\n")?;
    let Err(rejected) = RuleSet::load(RuleSet::discover(folder.path())?) else { return Err("the set loads".into()) };
    well_formed(rejected.report())?;
    let text = render::full(rejected.report(), false);
    let expected = [
        "`pipe.toml` is not a regular file",
        "the file name is not UTF-8",
        "`a\\x1b[2J\\nb.toml` is no name of a rule file",
    ];
    match expected.iter().find(|expected| !text.contains(**expected)) {
        Some(missing) => Err(format!("`{missing}` is missing:\n{text}").into()),
        None if text.contains('\u{1b}') || !made.success() => Err("a control character gets through".into()),
        None => Ok(()),
    }
}

/// What stands around the fragments of pages.
const PAGE_HEAD: &str = "format = 1\n\n[codes.DSUNK001]\ntitle = \"Unknown failure\"\nstatus = \"Failed\"\nretry = \"undiagnosed\"\nmeaning = \"No rule knows it yet.\"\nremedy = [\"Send it to support.\"]\n";
const PAGE_CODE: &str = "\n[codes.DSUNK002]\ntitle = \"Expired secret\"\nstatus = \"Failed\"\nretry = \"fix-config\"\nmeaning = \"The client secret has expired.\"\nremedy = [\"Create a new secret.\"]\n";
const PAGE_RULE: &str = "\n[[rules]]\nid = \"expired\"\ncode = \"DSUNK002\"\nwhen.contains = \"secret has expired\"\nexamples = [{ failure = { message = \"The secret has expired.\" } }]\n";
const PAGE_MANIFEST: &str = "format = 1\norder = [\"demo.toml\"]\nfallback = \"DSUNK001\"\nstatuses = [\"Failed\"]\n\n[families.DSUNK]\ntitle = \"Demo\"\n";
const PAGE_LEDGER: &str = "format = 1\n\n[codes]\nDSUNK001 = { title = \"Unknown failure\", status = \"Failed\", retry = \"undiagnosed\", action = \"contact-support\" }\nDSUNK002 = { title = \"Expired secret\", status = \"Failed\", retry = \"fix-config\", action = \"fix-config\" }\n";

/// The page of a lint: what is wrong there has the lint and no other, what is right has none. Examples that are no TOML
/// (files, changes) are for reading only.
fn page(lint: &str) -> Result<(), Failed> {
    let text = std::fs::read_to_string(root().join(format!("docs/lints/{lint}.md")))?;
    let block = |heading: &str| {
        let rest = text.split_once(&format!("\n## {heading}\n\n```"))?.1;
        let (kind, rest) = rest.split_once('\n')?;
        Some((kind, rest.split_once("\n```")?.0))
    };
    let (Some((kind, wrong)), Some((_, right))) = (block("Wrong"), block("Right")) else {
        return Err("the page has no wrong and right example".into());
    };
    if !text.starts_with(&format!("# {lint}\n\n")) || wrong == right {
        return Err("the page has another title, or one example twice".into());
    }
    if kind != "toml" {
        return Ok(());
    }
    let (wrong, right) = (found(wrong), found(right));
    if wrong.is_empty() || wrong.iter().any(|name| *name != lint) || !right.is_empty() {
        return Err(format!("wrong has {wrong:?}, right has {right:?}").into());
    }
    Ok(())
}

/// The lints that a fragment of a page triggers in its set.
fn found(fragment: &str) -> Vec<&'static str> {
    let fragment = format!("{fragment}\n");
    let mut texts = [("faultbook.toml", PAGE_MANIFEST.to_owned()), ("ledger.toml", PAGE_LEDGER.to_owned())];
    let mut demo = PAGE_HEAD.to_owned();
    let whole = fragment.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap_or_default().to_owned();
    if let Some(file) = texts.iter_mut().find(|(name, _)| *name == whole) {
        file.1 = fragment;
        demo = [PAGE_HEAD, PAGE_CODE, PAGE_RULE].concat();
    } else {
        let has_code = fragment.match_indices("[codes.").any(|(at, _)| !fragment[at..].starts_with("[codes.DSUNK001"));
        demo.push_str(if has_code { "" } else { PAGE_CODE });
        demo.push('\n');
        demo.push_str(&fragment);
        demo.push_str(if fragment.contains("[[rules]]") { "" } else { PAGE_RULE });
    }
    let texts = texts.into_iter().chain([("demo.toml", demo)]);
    match RuleSet::load(faultbook::Sources::from_texts(texts)) {
        Ok((_, report)) => report.diagnostics().iter().map(|finding| finding.lint.name).collect(),
        Err(rejected) => rejected.report().diagnostics().iter().map(|finding| finding.lint.name).collect(),
    }
}

/// `check --fix` on a copy of each case with a fix: the lines that it changes, and that what had a fix is settled.
fn fixes() -> Result<(), Failed> {
    let mut changes = String::new();
    for (lint, variant) in cases(&root().join("tests/lints"))? {
        let case = variant.as_deref().map_or_else(|| lint.clone(), |variant| format!("{lint}/{variant}"));
        let report = load(&format!("tests/lints/{case}"))?;
        let of_before = report.diagnostics().iter().filter(|finding| finding.fix.is_some()).count();
        if of_before == 0 {
            continue;
        }
        let copy = tempfile::tempdir()?;
        for name in snapshot::files(&root().join("tests/lints").join(&case), "toml")? {
            let name = format!("{name}.toml");
            std::fs::copy(root().join("tests/lints").join(&case).join(&name), copy.path().join(&name))?;
        }
        let done =
            std::process::Command::new(super::cli::BINARY).arg("check").arg("--fix").arg(copy.path()).output()?;
        let (set, after) = match RuleSet::load(RuleSet::discover(copy.path())?) {
            Ok((set, report)) => (Some(set), report),
            Err(rejected) => (None, rejected.report().clone()),
        };
        let left = after.diagnostics().iter().filter(|finding| finding.fix.is_some()).count();
        let is_loaded = set.is_some() == (done.status.code() == Some(0));
        if left > 0 || !is_loaded || after.count(Severity::Error) > report.count(Severity::Error) {
            return Err(format!("{case}: {left} fixes left\n{}", render::full(&after, false)).into());
        }
        for (id, source) in after.sources().iter() {
            let before = report.sources().get(report.sources().find(&source.name).ok_or("a file is new")?);
            for (old, new) in before.text.lines().zip(after.sources().get(id).text.lines()) {
                if old != new {
                    changes.extend(["", &case, "\n- ", old, "\n+ ", new, "\n"]);
                }
            }
        }
    }
    snapshot::assert("fixes", "all", "What `check --fix` changes in each case that has a fix", &changes);
    Ok(())
}

/// `check --fix` puts keys in order and keeps comments and meaning.
fn fix_puts_keys_in_order() -> Result<(), Failed> {
    let copy = tempfile::tempdir()?;
    let demo = [PAGE_HEAD, PAGE_CODE, "\n[[rules]]\n# what it looks like\nwhen.contains = \"secret has expired\"\ncode = \"DSUNK002\" # the code\nid = \"expired\"\nexamples = [{ failure = { message = \"The secret has expired.\" } }]\n"].concat();
    for (name, text) in [("faultbook.toml", PAGE_MANIFEST), ("ledger.toml", PAGE_LEDGER), ("demo.toml", &demo)] {
        std::fs::write(copy.path().join(name), text)?;
    }
    let digest = |folder: &Path| -> Result<String, Failed> {
        Ok(RuleSet::load(RuleSet::discover(folder)?).map_err(|rejected| rejected.to_string())?.0.digest().to_owned())
    };
    let before = digest(copy.path())?;
    let done = std::process::Command::new(super::cli::BINARY).arg("check").arg("--fix").arg(copy.path()).output()?;
    let said = String::from_utf8(done.stderr)?;
    let text = std::fs::read_to_string(copy.path().join("demo.toml"))?;
    let expected = "[[rules]]\nid = \"expired\"\ncode = \"DSUNK002\" # the code\n# what it looks like\nwhen.contains";
    if !text.contains(expected) || !said.contains("keys of 1 table put in order") || digest(copy.path())? != before {
        return Err(format!("{said}{text}").into());
    }
    Ok(())
}

/// A file with more errors than anybody reads: the first ones are shown, the rest is counted.
fn many_errors() -> Result<(), Failed> {
    let keys = (0..1_000).map(|index| format!("key{index} = 1")).collect::<Vec<_>>().join("\n");
    let texts = [("faultbook.toml", "format = 1\n".to_owned()), ("demo.toml", format!("format = 1\n{keys}"))];
    let Err(rejected) = RuleSet::load(faultbook::Sources::from_texts(texts)) else {
        return Err("the set loads".into());
    };
    let messages: Vec<_> = rejected
        .report()
        .diagnostics()
        .iter()
        .filter(|finding| finding.message.contains("unknown key") || finding.message.contains("not shown"))
        .collect();
    let last = messages.last().map_or("", |finding| &finding.message);
    if messages.len() == 201 && last == "800 more errors of this file are not shown, from here on" {
        Ok(())
    } else {
        Err(format!("{} findings, the last: {last}", messages.len()).into())
    }
}

/// Every finding has a real place, a message in house style and a help line.
fn well_formed(report: &Report) -> Result<(), Failed> {
    let fault = |finding: &Diagnostic| {
        let span = &finding.primary.span;
        let text = &report.sources().get(span.source).text;
        let is_place =
            text.is_empty() || (span.range.start < text.len().max(1) && text.get(span.range.clone()).is_some());
        let help = finding.help.as_deref().unwrap_or_default();
        if !is_place {
            Some("has no place in its file")
        } else if finding.message.is_empty() || finding.message.ends_with('.') {
            Some("has a message with a full stop, or none")
        } else if !help.ends_with(['.', '?']) || !help.starts_with(|c: char| c.is_uppercase() || c == '`') {
            Some("has no sentence for help")
        } else {
            None
        }
    };
    match report.diagnostics().iter().find_map(|finding| Some((finding, fault(finding)?))) {
        Some((finding, fault)) => {
            Err(format!("{}: `{}` {fault}: {:?}", finding.lint.name, finding.message, finding.help).into())
        }
        None => {
            let counts = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| report.count(severity));
            let is_whole = counts.iter().sum::<usize>() == report.diagnostics().len();
            if is_whole { Ok(()) } else { Err("findings get lost".into()) }
        }
    }
}

/// Each lint has a folder, and each folder is a lint.
fn every_lint(cases: &[(String, Option<String>)]) -> Result<(), Failed> {
    let without: Vec<_> =
        LINTS.iter().map(|lint| lint.name).filter(|name| cases.iter().all(|(lint, _)| lint != name)).collect();
    let stray: Vec<_> =
        cases.iter().map(|(lint, _)| lint).filter(|name| LINTS.iter().all(|lint| lint.name != **name)).collect();
    if without.is_empty() && stray.is_empty() {
        Ok(())
    } else {
        Err(format!("without a folder {without:?}, no lint {stray:?}").into())
    }
}
