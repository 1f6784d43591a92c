//! Every form of a report, on every folder of findings and on a hostile set: it is what its readers accept, and it says
//! exactly the findings of the report.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use faultbook::{Diagnostic, LINTS, Position, Report, RuleSet, Severity, Sources, Span, render};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::cli::BINARY;
use super::process;
use super::snapshot::root;

type Test = fn(&str, &Report) -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let forms: [(&str, Test); 7] = [
        ("concise", concise),
        ("json", json),
        ("sarif", sarif),
        ("github", github),
        ("github_summary", github_summary),
        ("gitlab", gitlab),
        ("junit", junit),
    ];
    let forms = forms.into_iter().map(|(name, test)| {
        Trial::test(format!("reports/{name}"), move || {
            for (name, report) in reports()? {
                test(&name, &report).map_err(|failed| format!("{name}: {}", failed.message().unwrap_or_default()))?;
            }
            Ok(())
        })
    });
    let mut trials: Vec<Trial> = forms.collect();
    trials.push(Trial::test("reports/fingerprints_survive_moved_lines", moved_lines));
    trials.push(Trial::test("reports/a_left_out_error_is_counted", left_out));
    trials.push(Trial::test("reports/paths_are_those_of_the_repository", relative_paths));
    trials.push(Trial::test("reports/places_of_another_state_are_relative", other_state));
    trials.push(Trial::test("reports/a_file_is_written_as_a_whole", output_file));
    trials.push(Trial::test("reports/the_summary_of_a_job_is_added", job_summary));
    trials.push(Trial::test("reports/examples_are_skipped_until_they_are_run", skipped_examples));
    trials
}

/// The reports on all folders that trigger something, on clean sets, and on a hostile one.
fn reports() -> Result<Vec<(String, Report)>, Failed> {
    let mut folders = vec!["rules".to_owned(), "tests/cli/rules".to_owned(), "tests/cli/findings".to_owned()];
    for folder in ["tests/lints", "tests/reports"] {
        walk(folder, &mut folders)?;
    }
    let mut reports = Vec::new();
    for folder in folders {
        let report = report(RuleSet::discover(&root().join(&folder))?.with_root(&folder));
        reports.push((folder, report));
    }
    if reports.len() < 100 {
        return Err(format!("only {} folders", reports.len()).into());
    }
    reports.push(("an empty directory".to_owned(), report(Sources::default().with_root("rules"))));
    reports.push(("hostile".to_owned(), hostile()));
    reports.push(("edits".to_owned(), edits()?));
    Ok(reports)
}

/// Folders of rule files, sorted.
fn walk(folder: &str, found: &mut Vec<String>) -> Result<(), Failed> {
    let mut inner = Vec::new();
    let mut has_rules = false;
    for entry in fs::read_dir(root().join(folder))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        has_rules |= Path::new(&name).extension().is_some_and(|ending| ending == "toml");
        if entry.file_type()?.is_dir() && !name.starts_with('.') && Path::new(&name).extension().is_none() {
            inner.push(format!("{folder}/{name}"));
        }
    }
    if has_rules {
        found.push(folder.to_owned());
        return Ok(());
    }
    inner.sort();
    inner.iter().try_for_each(|inner| walk(inner, found))
}

fn report(sources: Sources) -> Report {
    match RuleSet::load(sources) {
        Ok((_, report)) => report,
        Err(rejected) => rejected.report().clone(),
    }
}

/// Names and values that mean something to a terminal, a log, an address, JSON, XML, Markdown or a workflow.
fn hostile() -> Report {
    let odd = "\\u001B[2J\\u202E\\u2028\\uFFFE\\uFFFF\\u0085";
    let demo = format!(
        "format = 1\n\"::error::\\n::add-mask::a%0Ab%25,:;]]><b>&amp;|`*_[x](y)\" = 1\n\"##[stop-commands]x\" = \"{odd}\"\n\
         \"{odd}\" = '''\n::set-output name=a::b\n##[add-mask]c\n'''\n[[rules]]\nid = \"<&'\\u0007>\"\ncode = \"DS{odd}\"\n\
         when.messag = 'a'\n[[rules]]\nid = \"<&'\\u0007>\"\ncode = '[text](0) {{0}}'\nwhen.message = '(['\n"
    );
    let manifest =
        "format = 1\norder = [\"a.toml\"]\nfallback = \"DSUNK001\"\nstatuses = [\"Failed\"]\nfamilies = {}\n";
    let sources = Sources::from_texts([
        ("faultbook.toml".to_owned(), manifest.to_owned()),
        ("ü 100%,a:b;#?&=\"'<>\u{1b}.toml".to_owned(), demo),
        ("..::warning::.toml".to_owned(), "format = 1\n\u{202e}".to_owned()),
    ]);
    report(sources.with_root("my rules/10%::a,b"))
}

/// A finding with edits in two files: one replaces, one inserts, one deletes over a line end.
fn edits() -> Result<Report, Failed> {
    let sources = Sources::from_texts([("a.toml", "\"ü\" = 1\nkye = 2\n"), ("b.toml", "x\ny\n")]).with_root("rules");
    let [Some(a), Some(b)] = ["a.toml", "b.toml"].map(|name| sources.find(name)) else { return Err("no file".into()) };
    let finding = Diagnostic::new(LINTS[0], Span { source: a, range: 9..12 }, "a slip")
        .help("Write `key`.")
        .replace(Span { source: a, range: 9..12 }, "key")
        .replace(Span { source: b, range: 0..0 }, "# new\n")
        .replace(Span { source: b, range: 1..3 }, "");
    Ok(Report::new(sources, vec![finding]))
}

/// What a place is to readers: path, line, column, last line, last column.
fn place(report: &Report, span: &Span) -> (String, Position, Position) {
    let sources = report.sources();
    let path = sources.path(span.source);
    let path = path.strip_suffix("/.").unwrap_or(&path).to_owned();
    (path, sources.position(span.source, span.range.start), sources.position(span.source, span.range.end))
}

fn equal<T: PartialEq + std::fmt::Debug>(what: &str, found: &T, expected: &T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("{what}: found {found:?}, expected {expected:?}").into()) }
}

/// No line end but the one of each line, and nothing that a terminal takes for more than text.
fn is_plain(text: &str) -> Result<(), Failed> {
    match text.lines().find(|line| render::escaped(line) != *line) {
        Some(line) => Err(format!("a control character gets through: {line:?}").into()),
        None => Ok(()),
    }
}

fn concise(_: &str, report: &Report) -> Result<(), Failed> {
    let text = render::concise(report);
    is_plain(&text)?;
    let expected = report.diagnostics().iter().map(|finding| {
        let (path, start, _) = place(report, &finding.primary.span);
        let (severity, lint) = (finding.lint.severity.as_str(), finding.lint.name);
        let message = render::escaped(&finding.message);
        format!("{}:{}:{}: {severity}[{lint}] {message}", render::escaped(&path), start.line, start.column)
    });
    equal("lines", &text.lines().map(str::to_owned).collect::<Vec<_>>(), &expected.collect())
}

fn validate(schema: &Value, value: &Value) -> Result<(), Failed> {
    let validator = jsonschema::validator_for(schema).map_err(|error| error.to_string())?;
    let errors: Vec<_> =
        validator.iter_errors(value).map(|error| format!("{error} at {}", error.instance_path())).collect();
    if errors.is_empty() { Ok(()) } else { Err(errors.join("\n").into()) }
}

fn json(_: &str, report: &Report) -> Result<(), Failed> {
    let (whole, lines) = (render::json(report), render::json_lines(report));
    is_plain(&whole)?;
    is_plain(&lines)?;
    let document: Value = serde_json::from_str(&whole)?;
    validate(&render::schema("report").ok_or("no schema")?, &document)?;
    equal("document", &document, &serde_json::to_value(render::document(report))?)?;
    let lines = lines.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>()?;
    equal("lines", &Value::Array(lines), &document["findings"])
}

fn sarif(name: &str, report: &Report) -> Result<(), Failed> {
    let text = render::sarif(report);
    is_plain(&text)?;
    let log: Value = serde_json::from_str(&text)?;
    validate(&sarif_schema()?, &log)?;
    let run = &log["runs"][0];
    let results = run["results"].as_array().ok_or("no results")?;
    equal("results", &results.len(), &report.diagnostics().len())?;
    let mut fingerprints = HashSet::new();
    for (result, finding) in results.iter().zip(report.diagnostics()) {
        equal("rule", &result["ruleId"], &finding.lint.name.into())?;
        let rule = &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().ok_or("no index")?)?];
        equal("rule of the index", &rule["id"], &finding.lint.name.into())?;
        equal("level", &result["level"], &finding.lint.severity.as_str().into())?;
        let text = result["message"]["text"].as_str().ok_or("no text")?;
        let said = finding.help.as_deref().is_none_or(|help| text.ends_with(help));
        if !said || !text.to_lowercase().starts_with(&finding.message.to_lowercase()) {
            return Err(format!("{text:?} is not {finding:?}").into());
        }
        sarif_location(report, &result["locations"][0], &finding.primary.span)?;
        let related = result["relatedLocations"].as_array().cloned().unwrap_or_default();
        equal("related", &related.len(), &finding.secondary.len())?;
        for (location, label) in related.iter().zip(&finding.secondary) {
            sarif_location(report, location, &label.span)?;
        }
        let edits = finding.fix.iter().flat_map(|fix| &fix.edits);
        let mut replacements = result["fixes"].as_array().into_iter().flatten().flat_map(|fix| {
            let changes = fix["artifactChanges"].as_array().into_iter().flatten();
            changes.flat_map(|change| change["replacements"].as_array().into_iter().flatten())
        });
        for edit in edits {
            let replacement = replacements.next().ok_or("an edit is missing")?;
            equal("new text", &replacement["insertedContent"]["text"], &edit.text.as_str().into())?;
            equal("edited region", &region(&replacement["deletedRegion"]), &expected_region(report, &edit.span))?;
        }
        if let Some(more) = replacements.next() {
            return Err(format!("an edit that nobody asked for: {more}").into());
        }
        if !fingerprints.insert(result["partialFingerprints"]["faultbookFinding/v1"].as_str().ok_or("none")?.to_owned())
        {
            return Err(format!("a fingerprint is given twice: {name}").into());
        }
    }
    Ok(())
}

fn sarif_schema() -> Result<Value, Failed> {
    let text = fs::read_to_string(root().join("tests/schemas/sarif-2.1.0.json"))?;
    // The pattern of languages has a bracket too many for a strict reader; reports name no language.
    Ok(serde_json::from_str(&text.replace("[a-zA-Z]{2}]?$", "[a-zA-Z]{2}$"))?)
}

fn sarif_location(report: &Report, location: &Value, span: &Span) -> Result<(), Failed> {
    let physical = &location["physicalLocation"];
    let uri = physical["artifactLocation"]["uri"].as_str().ok_or("no address")?;
    if uri.starts_with('/') || !uri.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~/%".contains(&b)) {
        return Err(format!("{uri} is no relative reference").into());
    }
    equal("address", &percent_decoded(uri), &place(report, span).0)?;
    equal("region", &region(&physical["region"]), &expected_region(report, span))
}

fn region(region: &Value) -> [Option<u64>; 4] {
    ["startLine", "startColumn", "endLine", "endColumn"].map(|key| region[key].as_u64())
}

fn expected_region(report: &Report, span: &Span) -> [Option<u64>; 4] {
    let (_, start, end) = place(report, span);
    [start.line, start.column, end.line, end.column].map(|number| Some(number as u64))
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let digits: Option<[u8; 2]> = (byte == b'%').then(|| [rest.next(), rest.next()].map(Option::unwrap_or_default));
        let decoded = digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(byte));
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A command as the runner of GitHub Actions reads it.
#[derive(Debug, PartialEq)]
struct WorkflowCommand {
    name: String,
    properties: HashMap<String, String>,
    data: String,
}

/// Reads a log as the runner does: `::name key=value,…::data` after white space at the start of a line, the older
/// `##[name key=value;…]data` anywhere in one, and no command between `::stop-commands::token` and `::token::`.
fn workflow_commands(log: &str) -> Vec<WorkflowCommand> {
    let mut commands = Vec::new();
    let mut stopped: Option<String> = None;
    for line in log.lines() {
        let Some(command) = new_style(line).or_else(|| old_style(line)) else { continue };
        match &stopped {
            Some(token) if command.name == *token => stopped = None,
            Some(_) => {}
            None if command.name == "stop-commands" => stopped = Some(command.data),
            None => commands.push(command),
        }
    }
    if stopped.is_some() {
        commands.clear();
    }
    commands
}

fn new_style(line: &str) -> Option<WorkflowCommand> {
    let (head, data) = line.trim_start().strip_prefix("::")?.split_once("::")?;
    let (name, properties) = head.split_once(' ').unwrap_or((head, ""));
    let properties = properties.split(',').filter_map(|pair| pair.trim().split_once('='));
    let unescaped = |text: &str| {
        let text = text.replace("%0D", "\r").replace("%0A", "\n").replace("%3A", ":").replace("%2C", ",");
        text.replace("%25", "%")
    };
    Some(WorkflowCommand {
        name: name.to_owned(),
        properties: properties.map(|(key, value)| (key.to_owned(), unescaped(value))).collect(),
        data: data.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%"),
    })
}

fn old_style(line: &str) -> Option<WorkflowCommand> {
    let (head, data) = line.split_once("##[")?.1.split_once(']')?;
    let name = head.split(' ').next()?.to_owned();
    Some(WorkflowCommand { name, properties: HashMap::new(), data: data.to_owned() })
}

fn github(_: &str, report: &Report) -> Result<(), Failed> {
    let log = render::github(report);
    is_plain(&log)?;
    if !log.contains(&render::full(report, false)) {
        return Err("the log does not hold the report for people".into());
    }
    let mut expected = Vec::new();
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        expected.extend(report.diagnostics().iter().filter(|finding| finding.lint.severity == severity));
    }
    let found = workflow_commands(&log);
    equal("commands", &found.len(), &expected.len())?;
    for (command, finding) in found.iter().zip(expected) {
        let kind = match finding.lint.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        equal("kind", &command.name.as_str(), &kind)?;
        let help = finding.help.as_deref().map(|help| format!("\n{}", render::escaped(help))).unwrap_or_default();
        equal("message", &command.data, &format!("{}{help}", render::escaped(&finding.message)))?;
        let (path, start, end) = place(report, &finding.primary.span);
        let end_line = if end.column == 1 && end.line > start.line { end.line - 1 } else { end.line };
        let mut properties = HashMap::from([
            ("title", format!("faultbook ({})", finding.lint.name)),
            ("file", render::escaped(&path).into_owned()),
            ("line", start.line.to_string()),
            ("endLine", end_line.to_string()),
        ]);
        if start.line == end.line {
            properties.insert("col", start.column.to_string());
            properties.insert("endColumn", end.column.to_string());
        }
        let properties = properties.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
        equal("properties", &command.properties, &properties)?;
    }
    Ok(())
}

fn github_summary(_: &str, report: &Report) -> Result<(), Failed> {
    let summary = render::github_summary(report);
    is_plain(&summary)?;
    let rows: Vec<_> = summary.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    equal("rows", &rows.len(), &report.diagnostics().len().min(200))?;
    // Three cells, and no tag but those of code.
    let odd = |row: &&&str| {
        row.matches('|').count() != 4 || row.replace("<code>", "").replace("</code>", "").contains(['<', '>', '`'])
    };
    match rows.iter().find(odd) {
        Some(row) => Err(format!("not a row of three cells: {row}").into()),
        None => Ok(()),
    }
}

fn gitlab(_: &str, report: &Report) -> Result<(), Failed> {
    let text = render::gitlab(report);
    is_plain(&text)?;
    let issues: Vec<Value> = serde_json::from_str(&text)?;
    equal("issues", &issues.len(), &report.diagnostics().len())?;
    let mut fingerprints = HashSet::new();
    for (issue, finding) in issues.iter().zip(report.diagnostics()) {
        equal("check", &issue["check_name"], &finding.lint.name.into())?;
        let severity = match finding.lint.severity {
            Severity::Error => "critical",
            Severity::Warning => "minor",
            Severity::Note => "info",
        };
        equal("severity", &issue["severity"], &severity.into())?;
        let (path, start, _) = place(report, &finding.primary.span);
        equal("path", &issue["location"]["path"], &path.into())?;
        equal("line", &issue["location"]["lines"]["begin"], &start.line.into())?;
        let description = issue["description"].as_str().ok_or("no description")?;
        if !description.starts_with(&finding.message) {
            return Err(format!("{description:?} is not {:?}", finding.message).into());
        }
        let fingerprint = issue["fingerprint"].as_str().ok_or("no fingerprint")?;
        if fingerprint.len() != 64 || !fingerprints.insert(fingerprint.to_owned()) {
            return Err(format!("the fingerprint {fingerprint} is given twice, or no digest").into());
        }
    }
    Ok(())
}

fn junit(name: &str, report: &Report) -> Result<(), Failed> {
    for deny_warnings in [false, true] {
        let text = render::junit(report, deny_warnings);
        is_plain(&text)?;
        // The characters that XML 1.0 has.
        let odd = |c: char| c.is_control() && c != '\n' || matches!(c, '\u{fffe}' | '\u{ffff}');
        if text.contains(odd) {
            return Err("a character that XML does not have".into());
        }
        let document = quick_junit::Report::deserialize_from_str(&text).map_err(|error| error.to_string())?;
        let mut said = String::new();
        let mut failed = 0;
        for case in document.test_suites.iter().flat_map(|suite| &suite.test_cases) {
            said.extend(case.system_out.iter().map(|text| format!("{}\n", text.as_str())));
            if let quick_junit::TestCaseStatus::NonSuccess { description, .. } = &case.status {
                failed += 1;
                said.extend(description.iter().map(|text| format!("{}\n", text.as_str())));
            }
        }
        for line in render::concise(report).lines() {
            let line: String = line.replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}");
            if !said.lines().any(|said| said == line) {
                return Err(format!("not a word of {line}").into());
            }
        }
        let denied = report.has_errors() || (deny_warnings && report.count(Severity::Warning) > 0);
        equal(&format!("{name} fails"), &(failed > 0), &denied)?;
        // A case for each file, and for each rule and example of a set that loads.
        let files: HashSet<_> = document.test_suites.iter().map(|suite| suite.name.as_str().to_owned()).collect();
        equal("files", &files.len(), &report.sources().iter().count().max(1))?;
    }
    Ok(())
}

/// The built-in set has as many cases as it has files, rules, examples and counterexamples; with an error elsewhere its
/// examples are not said to pass.
fn skipped_examples() -> Result<(), Failed> {
    let cases = |sources: Sources| -> Result<_, Failed> {
        let text = render::junit(&report(sources), false);
        let document = quick_junit::Report::deserialize_from_str(&text).map_err(|error| error.to_string())?;
        let cases: Vec<_> = document.test_suites.into_iter().flat_map(|suite| suite.test_cases).collect();
        let skipped =
            cases.iter().filter(|case| matches!(case.status, quick_junit::TestCaseStatus::Skipped { .. })).count();
        Ok((cases.len(), skipped))
    };
    let mut texts: Vec<(String, String)> =
        RuleSet::builtin_sources().iter().map(|(_, source)| (source.name.clone(), source.text.clone())).collect();
    let count = |header: &str| {
        let lines = texts.iter().flat_map(|(_, text)| text.lines());
        lines.filter(|line| line.trim_start().starts_with(header)).count()
    };
    let (rules, of_codes) = (count("[[rules]]"), count("[[codes."));
    let examples = count("[[rules.examples]]") + count("[[rules.counterexamples]]") + of_codes;
    equal("cases", &cases(Sources::from_texts(texts.clone()))?, &(texts.len() + rules + examples, 0))?;
    texts[0].1.push_str("\n[facts.unknown]\n");
    equal("skipped", &cases(Sources::from_texts(texts.clone()))?, &(texts.len() + rules + examples, examples))
}

fn fingerprints(report: &Report) -> Result<Vec<String>, Failed> {
    let issues: Vec<Value> = serde_json::from_str(&render::gitlab(report))?;
    Ok(issues.iter().map(|issue| issue["fingerprint"].as_str().unwrap_or_default().to_owned()).collect())
}

/// Lines put in front of everything move no fingerprint; another rule's id does.
fn moved_lines() -> Result<(), Failed> {
    for folder in ["tests/cli/findings", "tests/reports/many-findings", "tests/lints/not-utf8/latin-1"] {
        let sources = RuleSet::discover(&root().join(folder))?.with_root(folder);
        let texts: Vec<_> = sources.iter().map(|(_, source)| (source.name.clone(), source.text.clone())).collect();
        let before = report(Sources::from_texts(texts.clone()).with_root(folder));
        let moved = texts.iter().map(|(name, text)| (name.clone(), format!("# moved\n\n# moved\n{text}")));
        let moved = report(Sources::from_texts(moved).with_root(folder));
        let first =
            |report: &Report| report.diagnostics().first().map(|finding| place(report, &finding.primary.span).1);
        if first(&before).map(|place| place.line + 3) != first(&moved).map(|place| place.line) {
            return Err(format!("{folder}: the findings did not move").into());
        }
        equal(folder, &fingerprints(&moved)?, &fingerprints(&before)?)?;
        let renamed = texts.into_iter().map(|(name, text)| (name, text.replace("timeout-of-a-delete", "renamed")));
        let renamed = report(Sources::from_texts(renamed).with_root(folder));
        if folder == "tests/cli/findings" && fingerprints(&renamed)? == fingerprints(&before)? {
            return Err("another rule has the same fingerprint".into());
        }
    }
    Ok(())
}

/// What is left out never lets a wrong set through.
fn left_out() -> Result<(), Failed> {
    let all = report(RuleSet::discover(&root().join("tests/reports/many-findings"))?);
    let none = all.clone().only(|_: &Diagnostic| false);
    equal("findings", &none.diagnostics().len(), &0)?;
    equal("errors", &none.hidden_errors(), &all.count(Severity::Error))?;
    let document = render::document(&none);
    equal("document", &(document.errors, document.hidden_errors), &(0, all.count(Severity::Error)))?;
    let notified = serde_json::from_str::<Value>(&render::sarif(&none))?;
    equal(
        "notified",
        &notified["runs"][0]["invocations"][0]["toolExecutionNotifications"][0]["level"],
        &"error".into(),
    )?;
    equal("commands", &workflow_commands(&render::github(&none)).len(), &1)?;
    if none.has_errors() { Ok(()) } else { Err("the set would load".into()) }
}

fn check(args: &[&str], here: &Path) -> Result<(Option<i32>, String, String), Failed> {
    let done = process::run(Command::new(BINARY).arg("check").args(args).current_dir(here), b"")?;
    Ok((done.status.code(), String::from_utf8(done.stdout)?, String::from_utf8(done.stderr)?))
}

/// The same bytes, whatever way the directory is named.
fn relative_paths() -> Result<(), Failed> {
    let absolute = root().join("tests/cli/findings");
    let absolute = absolute.to_string_lossy();
    for format in ["sarif", "github", "gitlab", "junit"] {
        let (_, expected, _) = check(&["tests/cli/findings", "--format", format], &root())?;
        for directory in ["./tests/cli/findings/", "tests/../tests/cli/findings", &absolute] {
            let (_, found, _) = check(&[directory, "--format", format], &root())?;
            equal(&format!("{format} of {directory}"), &found, &expected)?;
        }
        if !expected.contains("tests/cli/findings/demo.toml") || expected.contains(&*absolute) {
            return Err(format!("{format}: the path is not relative").into());
        }
        let (_, inside, _) = check(&[".", "--format", format], &root().join("tests/cli/findings"))?;
        let (_, below, _) = check(&["../findings", "--format", format], &root().join("tests/cli/findings"))?;
        equal(&format!("{format} from within"), &below, &inside)?;
        if inside.contains("tests/cli") || inside.contains("./demo") {
            return Err(format!("{format}: the path is not relative to the directory itself").into());
        }
    }
    Ok(())
}

/// What moved since another state points there as well, and the files there are no tests of this one.
fn other_state() -> Result<(), Failed> {
    let folder = root().join("tests/lints/retry-more-dangerous/lost");
    let [now, before] = [folder.clone(), folder.join(".against")].map(|path| path.to_string_lossy().into_owned());
    let arguments = |format| [now.as_str(), "--against", before.as_str(), "--format", format];
    let (code, sarif, _) = check(&arguments("sarif"), &root())?;
    equal("exit code", &code, &Some(1))?;
    let log: Value = serde_json::from_str(&sarif)?;
    validate(&sarif_schema()?, &log)?;
    let there = &log["runs"][0]["results"][0]["relatedLocations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    equal("place", there, &"tests/lints/retry-more-dangerous/lost/.against/demo.toml".into())?;
    let (_, junit, _) = check(&arguments("junit"), &root())?;
    let document = quick_junit::Report::deserialize_from_str(&junit).map_err(|error| error.to_string())?;
    match document.test_suites.iter().find(|suite| suite.name.as_str().contains(".against")) {
        Some(suite) => Err(format!("{} is no test", suite.name.as_str()).into()),
        None => Ok(()),
    }
}

fn output_file() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("report.sarif");
    let file_name = file.to_string_lossy();
    let (_, expected, _) = check(&["tests/cli/findings", "--format", "sarif"], &root())?;
    fs::write(&file, "what was here before")?;
    let (code, stdout, stderr) = check(&["tests/cli/findings", "--format", "sarif", "--output", &file_name], &root())?;
    equal("exit code", &code, &Some(1))?;
    equal("standard output", &stdout, &String::new())?;
    equal("file", &fs::read_to_string(&file)?, &expected)?;
    if !stderr.contains("the set does not load") {
        return Err(stderr.into());
    }
    // No directory: the name is told, and the exit code says that nothing was done.
    let nowhere = folder.path().join("missing/report.sarif");
    let (code, _, stderr) = check(&["tests/cli/findings", "--output", &nowhere.to_string_lossy()], &root())?;
    equal("exit code", &code, &Some(2))?;
    if !stderr.contains("missing/report.sarif") {
        return Err(stderr.into());
    }
    // Not a trace of the file that was on the way.
    let left: Vec<_> = fs::read_dir(folder.path())?.collect::<Result<Vec<_>, _>>()?;
    equal("files", &left.len(), &1)?;
    #[cfg(target_os = "linux")]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&file, &link)?;
        check(&["tests/cli/rules", "--format", "concise", "--output", &link.to_string_lossy()], &root())?;
        equal("behind the link", &fs::read_to_string(&file)?, &String::new())?;
        equal("link", &fs::read_link(&link)?, &file)?;
        let (code, stdout, _) =
            check(&["tests/cli/findings", "--format", "sarif", "--output", "/dev/stdout"], &root())?;
        equal("a device", &(code, stdout), &(Some(1), expected))?;
        let (code, _, _) = check(&["tests/cli/findings", "--output", "/dev/full"], &root())?;
        equal("a full device", &code, &Some(2))?;
    }
    Ok(())
}

fn job_summary() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let summary = folder.path().join("summary.md");
    fs::write(&summary, "# Before\n")?;
    let run = |format: &str| {
        let mut command = Command::new(BINARY);
        command.args(["check", "tests/cli/findings", "--format", format]).current_dir(root());
        process::run(command.env("GITHUB_STEP_SUMMARY", &summary), b"")
    };
    run("sarif")?;
    equal("another format", &fs::read_to_string(&summary)?, &"# Before\n".to_owned())?;
    run("github")?;
    let text = fs::read_to_string(&summary)?;
    let expected = ["# Before\n### faultbook: 1 error, 1 warning, 1 note, the set does not load\n", "example-fails"];
    match expected.iter().find(|expected| !text.contains(**expected)) {
        Some(missing) => Err(format!("{missing} is missing:\n{text}").into()),
        None => Ok(()),
    }
}
