//! `sarif`: SARIF 2.1.0, for code scanning.
//!
//! Messages are said as they are. The standard wants braces doubled, for messages that have arguments; those who show
//! messages without arguments show them as they stand, and patterns and templates are full of braces.

use std::fmt::Write as _;

use serde::Serialize;

use crate::diagnostic::{self, Diagnostic, LINTS, Label, Lint, Report, Severity, SourceId, Span};
use crate::render::escape;

use super::{fingerprint, hidden, path, places};

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Driver {
    name: &'static str,
    semantic_version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    information_uri: Option<&'static str>,
    rules: Vec<Rule>,
}

/// A lint.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: String,
    short_description: Text,
    full_description: Text,
    help: Text,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Text,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Text,
    locations: [Location; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location>,
    partial_fingerprints: Fingerprints,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix>,
}

/// Edits that settle a finding.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix {
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Text>,
    artifact_changes: Vec<Change>,
}

/// The edits of one file.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change {
    artifact_location: ArtifactLocation,
    replacements: Vec<Replacement>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement {
    deleted_region: Region,
    inserted_content: Text,
}

#[derive(Serialize)]
struct Fingerprints {
    #[serde(rename = "faultbookFinding/v1")]
    finding: String,
}

#[derive(Serialize)]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(rename = "physicalLocation")]
    physical: PhysicalLocation,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PhysicalLocation {
    artifact_location: ArtifactLocation,
    region: Region,
}

#[derive(Serialize)]
struct ArtifactLocation {
    uri: String,
}

/// A place; lines and columns from 1, the end exclusive.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: usize,
    start_column: usize,
    end_line: usize,
    end_column: usize,
}

/// The findings as a SARIF 2.1.0 log. Paths become relative references, so they have to be relative to the repository.
#[must_use]
pub fn sarif(report: &Report) -> String {
    let mut reported: Vec<&Lint> = LINTS.to_vec();
    reported.retain(|lint| report.diagnostics().iter().any(|finding| finding.lint.name == lint.name));
    let fingerprints = fingerprint::fingerprints(report);
    let results = report.diagnostics().iter().zip(fingerprints).map(|(finding, fingerprint)| {
        let rule_index = reported.iter().position(|lint| lint.name == finding.lint.name).unwrap_or_default();
        result(report, finding, rule_index, fingerprint)
    });
    let hidden = hidden(report).map(|text| Notification { level: "error", message: Text { text } });
    let repository = env!("CARGO_PKG_REPOSITORY");
    escape::pretty_json(&Log {
        schema: SCHEMA,
        version: "2.1.0",
        runs: [Run {
            results: results.collect(),
            tool: Tool {
                driver: Driver {
                    name: "faultbook",
                    semantic_version: env!("CARGO_PKG_VERSION"),
                    information_uri: (!repository.is_empty()).then_some(repository),
                    rules: reported.into_iter().map(rule).collect(),
                },
            },
            invocations: [Invocation {
                execution_successful: true,
                tool_execution_notifications: hidden.into_iter().collect(),
            }],
            column_kind: "unicodeCodePoints",
        }],
    })
}

fn rule(lint: &Lint) -> Rule {
    let name = lint.name.split('-').flat_map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        [first.to_ascii_uppercase(), rest.to_owned()]
    });
    let first = lint.about.split_inclusive(['.', ':', ';']).next().unwrap_or(lint.about);
    let short = format!("{}.", first.trim_end_matches(['.', ':', ';']));
    Rule {
        id: lint.name,
        name: name.collect(),
        short_description: Text { text: short },
        full_description: Text { text: lint.about.to_owned() },
        help: Text { text: format!("{} `faultbook explain {}` says more.", lint.about, lint.name) },
        default_configuration: Configuration { level: level(lint) },
    }
}

fn level(lint: &Lint) -> &'static str {
    match lint.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    }
}

fn result(report: &Report, finding: &Diagnostic, rule_index: usize, fingerprint: String) -> Finding {
    let related = finding.secondary.iter().enumerate();
    let help = finding.help.as_deref().map(|help| format!(" {help}")).unwrap_or_default();
    Finding {
        rule_id: finding.lint.name,
        rule_index,
        level: level(finding.lint),
        message: Text { text: format!("{}.{help}", capital(&finding.message)) },
        locations: [location(report, &finding.primary, None)],
        related_locations: related.map(|(index, label)| location(report, label, Some(index))).collect(),
        partial_fingerprints: Fingerprints { finding: fingerprint },
        fixes: finding
            .fix
            .iter()
            .filter(|fix| !fix.edits.is_empty())
            .map(|edits| fix(report, finding, edits))
            .collect(),
    }
}

fn location(report: &Report, label: &Label, id: Option<usize>) -> Location {
    let uri = uri(&path(report, label.span.source));
    Location {
        id,
        physical: PhysicalLocation { artifact_location: ArtifactLocation { uri }, region: region(report, &label.span) },
        message: (!label.text.is_empty()).then(|| Text { text: label.text.clone() }),
    }
}

fn fix(report: &Report, finding: &Diagnostic, fix: &diagnostic::Fix) -> Fix {
    let mut sources: Vec<SourceId> = fix.edits.iter().map(|edit| edit.span.source).collect();
    sources.sort_unstable();
    sources.dedup();
    let change = |source: &SourceId| Change {
        artifact_location: ArtifactLocation { uri: uri(&path(report, *source)) },
        replacements: fix
            .edits
            .iter()
            .filter(|edit| edit.span.source == *source)
            .map(|edit| Replacement {
                deleted_region: region(report, &edit.span),
                inserted_content: Text { text: edit.text.clone() },
            })
            .collect(),
    };
    Fix {
        description: finding.help.clone().map(|text| Text { text }),
        artifact_changes: sources.iter().map(change).collect(),
    }
}

fn region(report: &Report, span: &Span) -> Region {
    let (start, end) = places(report, span);
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
}

/// A sentence begins with a capital letter.
fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A path as a relative reference; an absolute one as an address.
fn uri(path: &str) -> String {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~' | b'/');
    let mut uri = String::new();
    for byte in path.bytes() {
        if is_plain(byte) {
            uri.push(char::from(byte));
        } else {
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    let is_absolute = path.starts_with('/') || (cfg!(windows) && path.as_bytes().get(1) == Some(&b':'));
    if is_absolute { format!("file:///{}", uri.trim_start_matches('/')) } else { uri }
}
