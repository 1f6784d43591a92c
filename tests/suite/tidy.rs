//! Habits as tests: layers, file access, complete lists, reasons for dependencies.

use std::fs;
use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

use super::snapshot::{files, root};

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 7] = [
        ("rooms_know_only_lower_layers", layers),
        ("only_discover_reads_files", file_access),
        ("built_in_files_are_complete", built_in),
        ("every_module_says_what_it_is", module_docs),
        ("readme_quick_start_has_two_commands", quick_start),
        ("every_dependency_has_its_reason", dependencies),
        ("what_installs_the_tool_installs_this_version", versions),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("tidy/{name}"), test)).collect()
}

/// Every source file with its text.
fn sources() -> Result<Vec<(PathBuf, String)>, Failed> {
    fn walk(folder: &Path, found: &mut Vec<(PathBuf, String)>) -> Result<(), Failed> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                walk(&path, found)?;
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                found.push((path.clone(), fs::read_to_string(&path)?));
            }
        }
        Ok(())
    }
    let mut found = Vec::new();
    walk(&root().join("src"), &mut found)?;
    Ok(found)
}

/// Each room with the rooms that it may name.
const ROOMS: &[(&str, &[&str])] = &[
    ("model", &["diagnostic"]),
    ("diagnostic", &[]),
    ("rulefile", &["model", "diagnostic", "error"]),
    ("matcher", &["model", "diagnostic"]),
    ("input", &["model", "diagnostic"]),
    ("ruleset", &["model", "diagnostic", "error", "rulefile", "matcher", "input"]),
    ("engine", &["model", "diagnostic", "error", "rulefile", "input", "ruleset"]),
    ("spool", &["model", "diagnostic", "error", "input", "ruleset"]),
    ("render", &["model", "diagnostic", "rulefile", "ruleset", "engine"]),
    ("server", &["model", "diagnostic", "error", "input", "ruleset", "engine", "render", "spool"]),
    ("cli", &["model", "diagnostic", "error", "rulefile", "input", "ruleset", "engine", "render", "spool", "server"]),
];

fn layers() -> Result<(), Failed> {
    let mut faults = Vec::new();
    for (path, text) in sources()? {
        let relative = path.strip_prefix(root().join("src"))?.to_string_lossy().into_owned();
        let Some((room, allowed)) = ROOMS.iter().find(|(room, _)| relative.starts_with(&format!("{room}/"))) else {
            continue;
        };
        for (line, code) in text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            if *room == "render" && code.contains(".classify(") {
                faults.push(format!("{relative}:{}: rendering never matches", line + 1));
            }
            for used in code.split("crate::").skip(1) {
                let used: String = used.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
                let is_room = ROOMS.iter().any(|(room, _)| *room == used);
                if is_room && used != *room && !allowed.contains(&used.as_str()) {
                    faults.push(format!("{relative}:{}: {room} must not know {used}", line + 1));
                }
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults.join("\n").into()) }
}

fn file_access() -> Result<(), Failed> {
    let allowed = [
        "rulefile/discover.rs",
        "engine/state.rs",
        "engine/watch/hints.rs",
        "spool/directory.rs",
        "spool/segment.rs",
        "spool/read.rs",
        "cli/input.rs",
        "cli/follow.rs",
        "cli/new.rs",
        "cli/publish.rs",
        "cli/replace.rs",
        "server/mod.rs",
        "server/token.rs",
    ];
    for (path, text) in sources()? {
        let relative = path.strip_prefix(root().join("src"))?.to_string_lossy().into_owned();
        if text.contains("std::fs") && !allowed.contains(&relative.as_str()) {
            return Err(format!("src/{relative} touches files").into());
        }
    }
    Ok(())
}

fn built_in() -> Result<(), Failed> {
    let sources = faultbook::RuleSet::builtin_sources();
    let mut built_in: Vec<_> = sources.iter().map(|(_, source)| source.name.clone()).collect();
    built_in.sort();
    let present: Vec<_> =
        files(&root().join("rules"), "toml")?.into_iter().map(|stem| format!("{stem}.toml")).collect();
    if built_in != present {
        return Err(format!("built in {built_in:?}, in rules/ {present:?}").into());
    }
    let report = faultbook::RuleSet::load(sources).map_err(|rejected| rejected.to_string())?.1;
    if report.diagnostics().is_empty() { Ok(()) } else { Err(faultbook::render::full(&report, false).into()) }
}

fn module_docs() -> Result<(), Failed> {
    for (path, text) in sources()? {
        if !text.starts_with("//! ") {
            return Err(format!("{} does not open with what it is", path.display()).into());
        }
    }
    Ok(())
}

fn quick_start() -> Result<(), Failed> {
    let readme = fs::read_to_string(root().join("README.md"))?;
    let section = readme.split("## Quick start").nth(1).ok_or("README has no quick start")?;
    let block = section
        .split("```sh")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .ok_or("the quick start has no sh block")?;
    let commands: Vec<&str> =
        block.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect();
    let [main, test] = commands[..] else { return Err(format!("{} commands", commands.len()).into()) };
    let file = main
        .split_whitespace()
        .find(|word| word.starts_with("examples/"))
        .ok_or("the first command reads no example")?;
    if !root().join(file).is_file() {
        return Err(format!("{file} does not exist").into());
    }
    let ci = fs::read_to_string(root().join(".ci/run"))?;
    if ci.lines().any(|line| line.trim() == test) {
        Ok(())
    } else {
        Err(format!(".ci/run does not run `{test}`").into())
    }
}

fn dependencies() -> Result<(), Failed> {
    let manifest: toml::Table = toml::from_str(&fs::read_to_string(root().join("Cargo.toml"))?)?;
    let architecture = fs::read_to_string(root().join("ARCHITECTURE.md"))?;
    for section in ["dependencies", "dev-dependencies"] {
        let names = manifest[section].as_table().ok_or("no table")?.keys();
        if let Some(name) = names.into_iter().find(|name| !architecture.contains(&format!("| {name} |"))) {
            return Err(format!("ARCHITECTURE.md says nothing of `{name}`").into());
        }
    }
    Ok(())
}

fn versions() -> Result<(), Failed> {
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        ("pyproject.toml", format!("\nversion = \"{version}\"\n")),
        ("pyproject.toml", format!("\"faultbook=={version}\"")),
        ("bindings/c/Cargo.toml", format!("\nversion = \"{version}\"\n")),
        ("bindings/dotnet/Faultbook.csproj", format!("<Version>{version}</Version>")),
        (".ci/connectors/check.py", format!("Faultbook.{version}.nupkg")),
        ("bindings/python/Cargo.toml", format!("\nversion = \"{version}\"\n")),
        ("action.yml", format!("    default: {version}\n")),
        ("ci/gitlab.yml", format!("    VERSION: {version}\n")),
        ("docs/ci.md", format!("faultbook@v{version}\n")),
        ("docs/ci.md", format!("rev: v{version}\n")),
    ];
    for (file, text) in expected {
        if !fs::read_to_string(root().join(file))?.contains(&text) {
            return Err(format!("{file} does not name version {version}").into());
        }
    }
    Ok(())
}
