//! The house layout: nothing is lost, nothing changes its value, and a second time changes nothing.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use faultbook::layout::{Unformatted, disorders, formatted};
use faultbook::{RuleSet, Sources};
use libtest_mimic::{Failed, Trial};
use proptest::prelude::*;

use super::cli::BINARY;
use super::properties::check;
use super::snapshot::root;

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        Trial::test("layout/every_rule_file_of_the_repository", every_file),
        Trial::test("layout/formatted_sets_have_the_same_digest", same_digest),
        Trial::test("layout/of_any_file", || check(&files(), |file| of_any_file(&file))),
        Trial::test("layout/order_of_keys_as_edits", || check(&files(), |file| order_as_edits(&file))),
        Trial::test("layout/whatever_the_text_is", || check(&".{0,80}", |text| whatever(&text))),
        Trial::test("layout/deep_texts_cost_no_stack", || {
            let deep = format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000));
            let tables = format!("a = {}1{}", "{ b = ".repeat(100_000), " }".repeat(100_000));
            for text in [deep, tables] {
                let _ = disorders("demo.toml", &text);
                if layout("demo.toml", &text).is_ok() {
                    return Err("there is no end to depth".into());
                }
            }
            Ok(())
        }),
        Trial::test("layout/files_are_written_only_when_they_change", only_changes),
        Trial::test("layout/a_mark_and_other_line_ends_go", mark_and_line_ends),
    ];
    #[cfg(unix)]
    trials.push(Trial::test("layout/links_and_permissions_stay", links_and_permissions));
    trials
}

fn layout(name: &str, text: &str) -> Result<String, String> {
    let (id, _) =
        Sources::from_texts([(name, text)]).iter().next().map(|(id, s)| (id, s.name.clone())).ok_or("none")?;
    formatted(name, id, text).map_err(|unformatted| match unformatted {
        Unformatted::Invalid(findings) => format!("invalid: {}", findings.first().map_or("", |f| &f.message)),
        Unformatted::Unequal => "says something else".to_owned(),
    })
}

/// What holds between a text and its layout.
fn compare(name: &str, text: &str, out: &str) -> Result<(), String> {
    if layout(name, out)? != out {
        return Err(format!("a second time changes it again:\n{out}"));
    }
    let value = |text: &str| toml::from_str::<toml::Table>(&text.replace("\r\n", "\n")).map_err(|e| e.to_string());
    if value(text)? != value(out)? {
        return Err(format!("another value:\n{out}"));
    }
    let sorted = |text: &str| {
        let mut found = comments(text);
        found.sort();
        found
    };
    if sorted(text) != sorted(out) {
        return Err(format!("other comments:\n{out}"));
    }
    let in_text: Vec<&str> = out.split("\"\"\"").step_by(2).flat_map(|part| part.split("'''").step_by(2)).collect();
    if in_text.iter().any(|part| part.contains(" \n") || part.contains("\n\n\n") || part.contains('\r')) {
        return Err(format!("blanks at line ends, or several blank lines:\n{out}"));
    }
    if !out.is_empty() && (!out.ends_with('\n') || out.ends_with("\n\n")) {
        return Err("the text does not end with one line end".to_owned());
    }
    Ok(())
}

/// The comments of a text, found by looking at quotes and nothing else.
fn comments(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['#', '"', '\'']) {
        rest = &rest[at..];
        if rest.starts_with('#') {
            let end = rest.find('\n').unwrap_or(rest.len());
            found.push(rest[..end].trim_end().to_owned());
            rest = &rest[end..];
            continue;
        }
        let quote = ["\"\"\"", "'''", "\"", "'"].into_iter().find(|quote| rest.starts_with(quote)).unwrap_or("\"");
        let mut at = quote.len();
        while at < rest.len() && !rest[at..].starts_with(quote) {
            let is_escape = quote.starts_with('"') && rest[at..].starts_with('\\');
            at += usize::from(is_escape);
            at += rest[at..].chars().next().map_or(1, char::len_utf8);
        }
        at = (at + quote.len()).min(rest.len());
        // A text may end in quotes of its own.
        while quote.len() == 3 && rest[at..].starts_with(&quote[..1]) {
            at += 1;
        }
        rest = &rest[at..];
    }
    found
}

/// All TOML files below a folder.
fn toml_files(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failed> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            toml_files(&path, found)?;
        } else if path.extension().is_some_and(|ending| ending == "toml") {
            found.push(path);
        }
    }
    Ok(())
}

fn every_file() -> Result<(), Failed> {
    let mut paths = Vec::new();
    for folder in ["rules", "docs", "examples", "tests"] {
        toml_files(&root().join(folder), &mut paths)?;
    }
    let mut count = 0;
    for path in paths {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let text = text.trim_start_matches('\u{feff}');
        // Numbers that are too large are TOML that this parser of values refuses.
        if !is_valid(text) {
            continue;
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let out = match layout(&name, text) {
            Ok(out) => out,
            Err(error) if error.starts_with("invalid") => continue,
            Err(error) => return Err(format!("{}: {error}", path.display()).into()),
        };
        count += 1;
        compare(&name, text, &out).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    if count > 400 { Ok(()) } else { Err(format!("only {count} files are valid TOML").into()) }
}

fn same_digest() -> Result<(), Failed> {
    let mut count = 0;
    let mut paths = Vec::new();
    toml_files(&root().join("tests"), &mut paths)?;
    paths.push(root().join("rules/faultbook.toml"));
    for manifest in paths.iter().filter(|path| path.ends_with("faultbook.toml")) {
        let Some(folder) = manifest.parent() else { continue };
        let sources = RuleSet::discover(folder)?;
        let texts = sources.iter().map(|(_, source)| (source.name.clone(), source.text.clone())).collect::<Vec<_>>();
        let Ok((before, _)) = RuleSet::load(Sources::from_texts(texts.clone())) else { continue };
        let texts: Result<Vec<_>, String> =
            texts.into_iter().map(|(name, text)| Ok((name.clone(), layout(&name, &text)?))).collect();
        let (after, _) = RuleSet::load(Sources::from_texts(texts?)).map_err(|rejected| rejected.to_string())?;
        if before.digest() != after.digest() {
            return Err(format!("{}: another digest", folder.display()).into());
        }
        count += 1;
    }
    if count > 5 { Ok(()) } else { Err(format!("only {count} sets load").into()) }
}

/// A rule file as nobody should write it, with comments that say where they belong.
#[derive(Debug, Clone)]
struct Untidy {
    name: &'static str,
    text: String,
}

const WHITE: &[&str] = &["", "", " ", "\t", "  "];

/// Values, each with marks `@` where a comment may stand on its line, and `~` for white space.
const VALUES: &[&str] = &[
    "\"\\\\bfoo\\\\d\"",
    "'literal'",
    "'with \"quotes\"'",
    "\"it's \\\"quoted\\\"\"",
    "\"\\e[0m \\x41 \\u0041\"",
    "\"\"\"\nlong  \n\n# no comment\n  text\"\"\"",
    "'''\nlong '' text\n'''",
    "404",
    "1_000",
    "true",
    "[]",
    "[~]",
    "[@\n]",
    "[ \"a\"~,~'b'@\n, \"c\",]",
    "[@\n  1, 2,@\n\n\n  3,4 ,@\n@\n]",
    "[{ type = \"A.B\", message='x' },@\n { message = \"y\",@\n type=\"C\" }@\n]",
    "{ }",
    "{ all = [ \"x\", 'y' ] }",
    "{ b.c = 1, a = [1,@\n 2] }",
    "{ b = 1,@\n@\n a = { d = 2,@\n c = 3 }, }",
    "[\"a text that is long enough to leave no room for another one on a line of ordinary width, and then some\", \"b\"]",
    "[10053,10054,10060,10928,10929,40197,40501,40613,41301,41302,41305,41325,41839,49918,49919,49920,615,926,1222]",
];

const KEYS: &[&str] = &[
    "id",
    "code",
    "when.exception",
    "when.message",
    "when.attributes.b",
    "when.attributes.a",
    "unless.message",
    "when . \"http_status\"",
    "capture.z",
    "capture.a",
    "zzz",
    "retired",
    "title",
    "message",
    "failure",
    "remedy",
    "'status'",
    "unless.same_cause.message",
    "mesage.a",
    "format",
    "connector",
    "statuses",
    "order",
];

const HEADERS: &[&str] = &[
    "[[rules]]",
    "[ codes . DSEX001 ]",
    "[[rules.examples]]",
    "[[rules.counterexamples]]",
    "[rules.capture]",
    "[[codes.DSEX001.examples]]",
    "[ancestors]",
    "[facts]",
    "[unknown.\"x y\"]",
    "[families.DSEX]",
];

/// Whole files; those that are no TOML (a header twice, a key twice) are thrown away.
fn files() -> impl Strategy<Value = Untidy> {
    let white = || proptest::sample::select(WHITE);
    let above = proptest::collection::vec(any::<bool>(), 0..4);
    let key = proptest::sample::select((0..KEYS.len()).collect::<Vec<_>>());
    let entry = (above.clone(), key, proptest::sample::select(VALUES), any::<bool>(), white(), white());
    let entries = proptest::collection::vec(entry, 0..6);
    let section = (above.clone(), proptest::sample::select(HEADERS), any::<bool>(), white(), entries.clone());
    let name = proptest::sample::select(&["demo.toml", "faultbook.toml", "ledger.toml"][..]);
    (name, above.clone(), entries, proptest::collection::vec(section, 0..7), above, any::<bool>())
        .prop_map(|(name, heading, head, sections, below, is_crlf)| {
            let mut text = String::new();
            let mut count = 0;
            lines(&mut text, &heading, "heading", &mut count);
            let mut used = Vec::new();
            for entry in &head {
                write_entry(&mut text, entry, &mut used, &mut count);
            }
            for (above, header, is_beside, white, entries) in &sections {
                lines(&mut text, above, header, &mut count);
                let _ = write!(text, "{white}{header}{white}");
                if *is_beside {
                    count += 1;
                    let _ = write!(text, "# {count} beside {header}");
                }
                text.push('\n');
                used.clear();
                for entry in entries {
                    write_entry(&mut text, entry, &mut used, &mut count);
                }
            }
            lines(&mut text, &below, "below", &mut count);
            Untidy { name, text: if is_crlf { text.replace('\n', "\r\n") } else { text } }
        })
        .prop_filter("valid TOML", |file| is_valid(&file.text))
}

fn is_valid(text: &str) -> bool {
    toml::from_str::<toml::Table>(text).is_ok()
}

/// Comments and blank lines above something.
fn lines(text: &mut String, lines: &[bool], what: &str, count: &mut usize) {
    for is_comment in lines {
        if *is_comment {
            *count += 1;
            let _ = write!(text, "  # {count} above {what}  ");
        }
        text.push('\n');
    }
}

type UntidyEntry = (Vec<bool>, usize, &'static str, bool, &'static str, &'static str);

fn write_entry(text: &mut String, entry: &UntidyEntry, used: &mut Vec<usize>, count: &mut usize) {
    let (above, key, value, is_beside, before, around) = entry;
    if used.contains(key) {
        return;
    }
    used.push(*key);
    let name = KEYS[*key];
    lines(text, above, name, count);
    let _ = write!(text, "{before}{name}{around}={around}");
    for c in value.chars() {
        match c {
            '@' => {
                *count += 1;
                let _ = write!(text, " # {count} inside {name}");
            }
            '~' => text.push_str(around),
            c => text.push(c),
        }
    }
    if *is_beside {
        *count += 1;
        let _ = write!(text, "{around}# {count} beside {name}");
    }
    text.push_str(before);
    text.push('\n');
}

fn of_any_file(file: &Untidy) -> Result<(), TestCaseError> {
    let failed = |error: String| TestCaseError::fail(format!("{error}\n--- from\n{}", file.text));
    let out = layout(file.name, &file.text).map_err(failed)?;
    compare(file.name, &file.text, &out).map_err(failed)?;
    belong(&out).map_err(failed)
}

/// Every comment stands above or beside what it names, and those of one entry are in order.
fn belong(out: &str) -> Result<(), String> {
    let plain = |text: &str| text.replace([' ', '"', '\''], "");
    let lines: Vec<&str> = out.lines().collect();
    // Up to the last blank line above everything, comments belong to the file.
    let is_above = |line: &&&str| line.is_empty() || line.starts_with('#');
    let heading = lines.iter().take_while(is_above).count();
    let heading = lines[..heading].iter().rposition(|line| line.is_empty()).unwrap_or(0);
    for (index, line) in lines.iter().enumerate().skip(heading) {
        let Some((number, rest)) = line.split_once("# ").and_then(|(_, rest)| rest.split_once(' ')) else { continue };
        if number.parse::<usize>().is_err() {
            continue;
        }
        let Some((place, what)) = rest.split_once(' ') else { continue };
        // Lists and texts of several lines have the comment beside them on their last line.
        let ends = ["]", "\"\"\"", "'''"].iter().any(|end| line.starts_with(end));
        let is_there = match place {
            "above" if what != "heading" && what != "below" => lines[index..]
                .iter()
                .find(|line| !line.trim_start().starts_with("# ") && !line.is_empty())
                .is_some_and(|line| plain(line).starts_with(&plain(what))),
            "beside" => ends || line.contains("text\"\"\"") || plain(line).starts_with(&plain(what)),
            _ => true,
        };
        if !is_there {
            return Err(format!("`{line}` has gone astray:\n{out}"));
        }
    }
    // Each key once in its table: comments above, inside and beside it follow each other.
    let mut last: Option<(&str, usize)> = None;
    for comment in out.lines().filter_map(|line| line.split_once("# ").map(|(_, comment)| comment)) {
        let mut words = comment.splitn(3, ' ');
        let (number, what) = (words.next().and_then(|number| number.parse().ok()), words.nth(1).unwrap_or(""));
        let Some(number) = number else { continue };
        if let Some((before, previous)) = last
            && before == what
            && !what.starts_with('[')
            && number < previous
            && number + 8 > previous
        {
            return Err(format!("the comments of `{what}` are out of order:\n{out}"));
        }
        last = Some((what, number));
    }
    Ok(())
}

fn order_as_edits(file: &Untidy) -> Result<(), TestCaseError> {
    let failed = |error: String| TestCaseError::fail(format!("{error}\n--- from\n{}", file.text));
    let mut text = file.text.clone();
    for disorder in disorders(file.name, &file.text).iter().rev() {
        prop_assert!(disorder.key.start > disorder.before.start, "{disorder:?}");
        prop_assert!(disorder.lines.contains(&disorder.key.start), "{disorder:?}");
        text.replace_range(disorder.lines.clone(), &disorder.text);
    }
    prop_assert_eq!(disorders(file.name, &text), vec![], "{}", text);
    let out = layout(file.name, &text).map_err(failed)?;
    compare(file.name, &file.text, &out).map_err(failed)?;
    belong(&out).map_err(failed)
}

/// Any text has a layout or is no TOML.
fn whatever(text: &str) -> Result<(), TestCaseError> {
    let _ = disorders("demo.toml", text);
    let out = layout("demo.toml", text);
    prop_assert_eq!(out.is_ok(), is_valid(text), "{:?}", out);
    if let Ok(out) = out {
        compare("demo.toml", text, &out).map_err(TestCaseError::fail)?;
    }
    Ok(())
}

fn run(args: &[&str]) -> Result<Output, Failed> {
    Ok(Command::new(BINARY).arg("fmt").args(args).env_remove("FAULTBOOK_RULES").output()?)
}

/// Runs the command; standard output, when the exit code is the expected one.
fn expect(args: &[&str], code: i32) -> Result<String, Failed> {
    let done = run(args)?;
    let stdout = String::from_utf8(done.stdout)?;
    if done.status.code() == Some(code) {
        return Ok(stdout);
    }
    let stderr = String::from_utf8_lossy(&done.stderr);
    Err(format!("{args:?}: exit code {:?}, expected {code}\n{stdout}\n{stderr}", done.status.code()).into())
}

fn only_changes() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name);
    fs::write(path("tidy.toml"), "format = 1\n")?;
    fs::write(path("untidy.toml"), "format=1\n")?;
    fs::write(path("broken.toml"), "format = 1\ntitle = \"x\n")?;
    let before = fs::metadata(path("tidy.toml"))?.modified()?;
    let directory = folder.path().to_string_lossy().into_owned();
    let names = expect(&["--check", &directory], 1)?;
    if names != format!("{}\n", path("untidy.toml").display())
        || fs::read_to_string(path("untidy.toml"))? != "format=1\n"
    {
        return Err(format!("--check: {names}").into());
    }
    expect(&[&directory], 1)?;
    if fs::read_to_string(path("untidy.toml"))? != "format = 1\n" {
        return Err("untidy.toml is still untidy".into());
    }
    if fs::read_to_string(path("broken.toml"))? != "format = 1\ntitle = \"x\n" {
        return Err("a file with errors was touched".into());
    }
    if fs::metadata(path("tidy.toml"))?.modified()? != before {
        return Err("a tidy file was written".into());
    }
    fs::remove_file(path("broken.toml"))?;
    expect(&["--check", &directory], 0)?;
    expect(&[], 2)?;
    expect(&[&path("missing.toml").to_string_lossy()], 2)?;
    let left: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<_, _>>()?;
    if left.len() == 2 { Ok(()) } else { Err(format!("files are left over: {left:?}").into()) }
}

fn mark_and_line_ends() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("demo.toml");
    let shown = path.to_string_lossy().into_owned();
    for text in ["\u{feff}format = 1\n", "format = 1\r\n", "format = 1"] {
        fs::write(&path, text)?;
        let diff = expect(&["--diff", &shown], 1)?;
        if !diff.contains("\n-") || !diff.contains("\n+format = 1\n") {
            return Err(format!("{text:?} has the diff {diff}").into());
        }
        expect(&[&shown], 0)?;
        if fs::read_to_string(&path)? != "format = 1\n" {
            return Err(format!("{text:?} stayed").into());
        }
    }
    fs::write(&path, [0xff, 0xfe, 0x41])?;
    expect(&[&shown], 1)?;
    if fs::read(&path)? == [0xff, 0xfe, 0x41] { Ok(()) } else { Err("a file that is no text was touched".into()) }
}

#[cfg(unix)]
fn links_and_permissions() -> Result<(), Failed> {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = tempfile::tempdir()?;
    let (file, link) = (folder.path().join("real.toml"), folder.path().join("link.toml"));
    fs::write(&file, "format=1\n")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640))?;
    symlink("real.toml", &link)?;
    expect(&[&link.to_string_lossy()], 0)?;
    let mode = fs::metadata(&file)?.permissions().mode() & 0o777;
    if !fs::symlink_metadata(&link)?.is_symlink() || fs::read_to_string(&file)? != "format = 1\n" || mode != 0o640 {
        return Err(format!("the link or the permissions ({mode:o}) did not stay").into());
    }
    Ok(())
}
