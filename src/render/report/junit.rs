//! `junit`: a test suite for each file, with a case for the file, for each rule and for each example.

use std::collections::HashMap;

use quick_junit::{NonSuccessKind, Report as Document, TestCase, TestCaseStatus, TestSuite};

use crate::diagnostic::{Diagnostic, Lint, Report, Severity, SourceId, lints};
use crate::render;
use crate::rulefile::{EntryKind, Outline};

use super::{concise, hidden, path, plural};

/// The lints of files that cannot be read: an error of the test, not a failure of what is tested.
const UNREADABLE: &[&Lint] = &[
    lints::UNREADABLE_FILE,
    lints::NOT_UTF8,
    lints::LIMIT_EXCEEDED,
    lints::MANIFEST_MISSING,
    lints::FILE_MISSING,
    lints::LOCK_MISMATCH,
    lints::TOML_SYNTAX,
];

/// The lints of examples that were run.
const OF_EXAMPLES: &[&Lint] = &[lints::EXAMPLE_FAILS, lints::COUNTEREXAMPLE_FAILS, lints::EXAMPLE_MESSAGE];

/// Text that XML can hold: two characters beside the control characters have no place in it.
fn escaped(text: &str) -> String {
    render::escaped(text).replace('\u{fffe}', "\\u{fffe}").replace('\u{ffff}', "\\u{ffff}")
}

/// The report as JUnit XML. Errors fail their case, warnings do when they are denied; other findings stand in its output.
/// Examples of a set that has other errors were not run: they are skipped.
#[must_use]
pub fn junit(report: &Report, deny_warnings: bool) -> String {
    let outline = Outline::read(report.sources());
    let is_proven = report.hidden_errors() == 0
        && report
            .diagnostics()
            .iter()
            .all(|finding| finding.lint.severity != Severity::Error || OF_EXAMPLES.contains(&finding.lint));
    let writer = Writer { report, outline, deny_warnings, is_proven };
    let mut document = Document::new("faultbook");
    for (source, _) in report.sources().iter() {
        // Files of another state of the rules are no tests of this one.
        let has_findings = || report.diagnostics().iter().any(|finding| finding.primary.span.source == source);
        if !report.sources().is_other(source) || has_findings() {
            document.add_test_suite(writer.suite(source));
        }
    }
    if let Some(hidden) = hidden(report) {
        let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
        status.set_message(hidden);
        let mut suite = TestSuite::new("faultbook");
        suite.add_test_case(case("the set loads", "faultbook", status));
        document.add_test_suite(suite);
    }
    // Writing to memory cannot fail.
    let text = document.to_string().unwrap_or_default();
    // Jenkins knows this count of each suite, but not of all together.
    text.replacen(&format!(" skipped=\"{}\"", document.skipped), "", 1)
}

struct Writer<'r> {
    report: &'r Report,
    outline: Outline,
    deny_warnings: bool,
    is_proven: bool,
}

impl Writer<'_> {
    fn suite(&self, source: SourceId) -> TestSuite {
        let file = escaped(&path(self.report, source));
        let cases: Vec<_> = self.outline.of(source).filter(|entry| entry.kind != EntryKind::Code).collect();
        let mut of_file: Vec<&Diagnostic> = Vec::new();
        let mut of_cases: Vec<Vec<&Diagnostic>> = vec![Vec::new(); cases.len()];
        for finding in self.report.diagnostics().iter().filter(|finding| finding.primary.span.source == source) {
            let entry = self.outline.at(&finding.primary.span);
            let case = entry.and_then(|entry| cases.iter().position(|case| *case == entry));
            case.map_or(&mut of_file, |case| &mut of_cases[case]).push(finding);
        }
        let mut suite = TestSuite::new(file.as_str());
        suite.add_test_case(self.case("file", &file, &of_file, false));
        let mut names: HashMap<&str, usize> = HashMap::new();
        for (entry, findings) in cases.iter().zip(&of_cases) {
            let repeat = names.entry(&entry.name).and_modify(|count| *count += 1).or_insert(1);
            let repeat = if *repeat == 1 { String::new() } else { format!(" ({repeat})") };
            let name = format!("{}{repeat}", escaped(&entry.name));
            suite.add_test_case(self.case(&name, &file, findings, entry.kind == EntryKind::Example));
        }
        suite
    }

    fn case(&self, name: &str, file: &str, findings: &[&Diagnostic], is_example: bool) -> TestCase {
        let is_denied = |finding: &&Diagnostic| match finding.lint.severity {
            Severity::Error => true,
            Severity::Warning => self.deny_warnings,
            Severity::Note => false,
        };
        let (denied, allowed): (Vec<&Diagnostic>, Vec<&Diagnostic>) = findings.iter().copied().partition(is_denied);
        let status = match denied.first() {
            Some(first) => self.failed(first, &denied),
            None if is_example && !self.is_proven => {
                let mut status = TestCaseStatus::skipped();
                status.set_message("not run: other errors come first");
                status
            }
            None => TestCaseStatus::success(),
        };
        let mut case = case(name, file, status);
        if !allowed.is_empty() {
            case.set_system_out(self.text(&allowed));
        }
        case
    }

    fn failed(&self, first: &Diagnostic, findings: &[&Diagnostic]) -> TestCaseStatus {
        let is_unreadable = findings.iter().any(|finding| UNREADABLE.contains(&finding.lint));
        let kind = if is_unreadable { NonSuccessKind::Error } else { NonSuccessKind::Failure };
        let mut status = TestCaseStatus::non_success(kind);
        let more = match findings.len() - 1 {
            0 => String::new(),
            more => format!(" (and {} more)", plural(more, "finding")),
        };
        status.set_type(first.lint.name).set_message(format!("{}{more}", escaped(&first.message)));
        status.set_description(self.text(findings));
        status
    }

    /// Each finding on a line, what belongs to it on the next ones.
    fn text(&self, findings: &[&Diagnostic]) -> String {
        let text = |finding: &&Diagnostic| {
            let mut text = escaped(&concise::line(self.report, finding));
            for label in &finding.secondary {
                let at = self.report.sources().position(label.span.source, label.span.range.start);
                let file = path(self.report, label.span.source);
                let place = format!("{file}:{}:{}: {}", at.line, at.column, label.text);
                text = format!("{text}\n    {}", escaped(&place));
            }
            text + &finding.help.as_deref().map(|help| format!("\n    {}", escaped(help))).unwrap_or_default()
        };
        findings.iter().map(text).collect::<Vec<_>>().join("\n")
    }
}

fn case(name: &str, file: &str, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    case
}
