//! Lines of JSON to be classified: failures, filled up with stack frames to lengths around a mean.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use faultbook::{Exception, Failure, RuleSet};

use super::workload::Workload;

/// Bytes that a line has on average.
const LINE_BYTES: usize = 1_500;

/// Lines from the examples of the rules, of which every ten have three that no rule knows.
pub fn from_examples(set: &RuleSet, count: usize) -> Vec<String> {
    let fallback = &set.fallback().code;
    let known: Vec<&Failure<'_>> = set
        .codes()
        .iter()
        .filter(|entry| entry.code != *fallback)
        .flat_map(|entry| set.examples_of(&entry.code))
        .collect();
    let failures = (0..count).filter_map(|index| {
        if index % 10 < 7 {
            known.get(index * 7 % known.len().max(1)).map(|failure| (*failure).clone())
        } else {
            Some(unknown(index))
        }
    });
    failures.enumerate().filter_map(|(index, failure)| line(failure, index)).collect()
}

/// Lines from the failures of the made-up world, without the few that are far longer than a line is meant to be.
pub fn from_workload(world: &Workload, count: usize) -> Vec<String> {
    let is_short = |failure: &Failure<'_>| serde_json::to_string(failure).is_ok_and(|said| said.len() < 4 * LINE_BYTES);
    let failures = world.mixture(count + count / 20).into_iter().filter(is_short).take(count);
    failures.enumerate().filter_map(|(index, failure)| line(failure, index)).collect()
}

/// A failure as a line, with stack frames up to a length that differs from line to line.
fn line(mut failure: Failure<'_>, index: usize) -> Option<String> {
    failure.id = Some(format!("tx-{index}").into());
    let said = serde_json::to_string(&failure).ok()?.len();
    let length = LINE_BYTES / 2 + LINE_BYTES * (index * 37 % 101) / 100;
    let mut frames = String::new();
    let mut frame = 0;
    while said + frames.len() + 40 < length {
        frame += 1;
        let _ = writeln!(frames, "   at Sync.Connectors.Client{frame}.SendAsync(Request request) line {index}");
    }
    failure.stack_trace = Some(frames.into()).filter(|frames: &Cow<'_, str>| !frames.is_empty());
    serde_json::to_string(&failure).ok()
}

/// A failure that no rule knows.
fn unknown(index: usize) -> Failure<'static> {
    let exception = |depth: usize| Exception {
        type_name: Some(format!("Contoso.Planning.Part{}Exception", (index + depth) % 50).into()),
        message: Some(format!("Part {depth} of plan {index} does not fit: the crane is elsewhere.").into()),
        ..Exception::default()
    };
    Failure {
        connector: Some(["exchange", "webhook", "business-central"][index % 3].into()),
        operation: Some("update".into()),
        exceptions: (0..=index % 3).map(exception).collect(),
        message: Some(format!("The plan {index} was not sent on.").into()),
        ..Failure::default()
    }
}

/// Writes as many lines as asked for, the same ones over and over.
pub fn write(path: &Path, lines: &[String], count: usize) -> std::io::Result<()> {
    let mut text = Vec::new();
    for line in lines.iter().cycle().take(count) {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    fs::write(path, text)
}
