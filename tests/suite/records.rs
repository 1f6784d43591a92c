//! `tests/records/*.toml`: odd records, each with the one answer that it gets.
//!
//! Trials are named after the fault catalogue: `records/R19` runs every case of R19. R54 to R57 are about HTTP bodies
//! (content types, compression, batches) and belong to the server.

use std::collections::BTreeMap;

use std::sync::Arc;

use faultbook::{Decision, RuleSet, Sources, read_record, render};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::codes::rules;
use super::process::faultbook;
use super::snapshot::{files, root};

#[derive(serde::Deserialize)]
struct File {
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    id: String,
    what: String,
    line: String,
    /// What stands for the places marked in the line.
    #[serde(default)]
    fill: Vec<Fill>,
    /// `binary` for cases that are about bytes and lines.
    through: Option<String>,
    repeat: Option<usize>,
    /// `classified`, `unknown`, `error`, or `other` than the code.
    kind: String,
    code: Option<String>,
    reason: Option<String>,
    #[serde(default)]
    truncated: bool,
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    absent_notes: Vec<String>,
    /// No notes at all.
    #[serde(default)]
    silent: bool,
    #[serde(default)]
    error: Vec<String>,
    #[serde(default)]
    message: Vec<String>,
    #[serde(default)]
    not_message: Vec<String>,
    echoed: Option<bool>,
    /// The start of the record's bytes, filled in as the line is.
    raw: Option<String>,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Fill {
    at: String,
    #[serde(default)]
    text: String,
    /// Bytes instead of a text.
    hex: Option<String>,
    times: Option<usize>,
    #[serde(default)]
    join: String,
}

pub fn trials() -> Vec<Trial> {
    let mut by_id: BTreeMap<String, Vec<Case>> = BTreeMap::new();
    let mut trials = Vec::new();
    for stem in files(&root().join("tests/records"), "toml").unwrap_or_default() {
        let read = std::fs::read_to_string(root().join(format!("tests/records/{stem}.toml")))
            .map_err(|error| error.to_string());
        match read.and_then(|text| toml::from_str::<File>(&text).map_err(|error| error.to_string())) {
            Ok(file) => file.case.into_iter().for_each(|case| by_id.entry(case.id.clone()).or_default().push(case)),
            Err(error) => trials.push(Trial::test(format!("records/{stem}"), move || Err(error.into()))),
        }
    }
    let by_id: Arc<BTreeMap<String, Vec<Case>>> = Arc::new(by_id);
    for id in by_id.keys() {
        let by_id = Arc::clone(&by_id);
        let name = format!("records/{id}");
        let id = id.clone();
        trials.push(Trial::test(name, move || by_id[&id].iter().try_for_each(run)));
    }
    for (name, format) in [("json", "json"), ("text", "text"), ("log", "log")] {
        let by_id = Arc::clone(&by_id);
        trials
            .push(Trial::test(format!("records/one_line_each_in_order/{name}"), move || one_line_each(&by_id, format)));
    }
    for format in ["json", "text", "log"] {
        trials.push(Trial::test(format!("records/R47/{format}"), move || secrets(format)));
    }
    trials.push(Trial::test("records/R47/ordinary_sentences", ordinary_sentences));
    trials.push(Trial::test("records/catalogue_is_complete", move || complete(&by_id)));
    trials
}

/// Every record of the catalogue has a case, here or in a trial of its own.
fn complete(by_id: &BTreeMap<String, Vec<Case>>) -> Result<(), Failed> {
    let missing: Vec<String> = (1..=70)
        .filter(|number| !matches!(number, 39 | 47 | 54..=57))
        .map(|number| format!("R{number:02}"))
        .filter(|id| !by_id.contains_key(id))
        .collect();
    // R39 needs more than 72 MiB on a stream: `streams/line_over_the_limit`.
    if missing.is_empty() { Ok(()) } else { Err(format!("without a case: {missing:?}").into()) }
}

impl Case {
    fn bytes(&self) -> Vec<u8> {
        filled(&self.line, &self.fill)
    }

    fn check(&self, decision: &Value) -> Result<(), Failed> {
        let mut faults = Vec::new();
        let mut expect = |what: &str, holds: bool| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        let text = |name: &str| decision[name].as_str().unwrap_or_default().to_owned();
        let notes = decision["notes"].as_array().cloned().unwrap_or_default();
        let notes: Vec<&str> = notes.iter().filter_map(Value::as_str).collect();
        let code = text("code");
        match self.kind.as_str() {
            "classified" => {
                expect("code", Some(code.as_str()) == self.code.as_deref());
                expect("no reason", decision["unknown_reason"].is_null());
            }
            "other" => expect("other code", Some(code.as_str()) != self.code.as_deref()),
            "unknown" | "error" => {
                let reason = if self.kind == "error" { Some("unreadable") } else { self.reason.as_deref() };
                expect("fallback", code == "DSUNK001");
                expect("reason", decision["unknown_reason"].as_str() == reason);
            }
            other => expect(&format!("kind {other}"), false),
        }
        expect("error", decision["error"].is_string() == (self.kind == "error"));
        expect("truncated", (decision["truncated"] == true) == self.truncated);
        expect("error text", self.error.iter().all(|part| text("error").contains(part)));
        expect("notes", self.notes.iter().all(|part| notes.iter().any(|note| note.contains(part))));
        expect("absent notes", !self.absent_notes.iter().any(|part| notes.iter().any(|note| note.contains(part))));
        expect("silence", !self.silent || notes.is_empty());
        expect("message", self.message.iter().all(|part| text("message").contains(part)));
        expect("no such message", !self.not_message.iter().any(|part| text("message").contains(part)));
        expect("echo of the id", self.echoed.is_none_or(|echoed| decision["id"].is_string() == echoed));
        if let Some(raw) = &self.raw {
            use base64::Engine as _;
            let found = base64::prelude::BASE64_STANDARD.decode(text("raw_base64")).unwrap_or_default();
            expect("raw bytes", found == filled(raw, &self.fill));
        }
        if faults.is_empty() {
            return Ok(());
        }
        let decision: String = decision.to_string().chars().take(2_000).collect();
        Err(format!("{} ({}): {} not as expected\n{decision}", self.id, self.what, faults.join(", ")).into())
    }
}

fn filled(line: &str, fills: &[Fill]) -> Vec<u8> {
    let mut bytes = line.as_bytes().to_vec();
    for fill in fills {
        let with = match &fill.hex {
            Some(hex) => vec![u8::from_str_radix(hex, 16).unwrap_or_default()],
            None if fill.text.contains('#') || !fill.join.is_empty() => {
                let items: Vec<String> =
                    (0..fill.times.unwrap_or(1)).map(|index| fill.text.replace('#', &index.to_string())).collect();
                items.join(&fill.join).into_bytes()
            }
            None => fill.text.repeat(fill.times.unwrap_or(1)).into_bytes(),
        };
        if let Some(at) = bytes.windows(fill.at.len()).position(|window| window == fill.at.as_bytes()) {
            bytes.splice(at..at + fill.at.len(), with);
        }
    }
    bytes
}

/// The decision of the library, as the command line gives it.
fn decide(bytes: &[u8]) -> Value {
    let decision = match read_record(bytes) {
        Ok(record) => {
            let mut decision = rules().classify(&record.failure);
            decision.notes = record.notes;
            decision
        }
        Err(error) => rules().unreadable(error),
    };
    serde_json::to_value(decision).unwrap_or_default()
}

fn run(case: &Case) -> Result<(), Failed> {
    let bytes = case.bytes();
    if case.through.as_deref() == Some("binary") {
        let input = [&bytes[..], b"\n{\"id\":\"next\"}\n"].concat();
        let done = faultbook(&["classify", "--input", "json", "--format", "json"], &input)?;
        let answers = answers(&done.stdout)?;
        if answers.len() != 2 || answers[1]["id"] != "next" {
            return Err(
                format!("{} ({}): one answer for each of two records is due: {answers:?}", case.id, case.what).into()
            );
        }
        return case.check(&answers[0]);
    }
    let first = decide(&bytes);
    case.check(&first)?;
    for _ in 1..case.repeat.unwrap_or(1) {
        if decide(&bytes) != first {
            return Err("another answer to the same record".into());
        }
    }
    Ok(())
}

/// All records in one stream: an answer for each, in order, on one line without anything that some reader takes for
/// more than text.
fn one_line_each(by_id: &BTreeMap<String, Vec<Case>>, format: &str) -> Result<(), Failed> {
    let lines: Vec<Vec<u8>> = by_id
        .values()
        .flatten()
        .filter(|case| case.through.is_none())
        .map(Case::bytes)
        .filter(|line| line.len() < 1 << 21)
        .collect();
    let input = [lines.join(&b'\n'), b"\n".to_vec()].concat();
    let done = faultbook(&["classify", "--input", "json", "--format", format], &input)?;
    let text = String::from_utf8(done.stdout)?;
    let answers: Vec<&str> = text.split_terminator('\n').collect();
    if !text.ends_with('\n') || answers.len() != lines.len() {
        return Err(format!("{} answers for {} records", answers.len(), lines.len()).into());
    }
    for (answer, line) in answers.iter().zip(&lines) {
        if let Some(c) = answer
            .chars()
            .find(|&c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{61c}'))
        {
            return Err(format!("{c:?} in {answer}").into());
        }
        let due = decide(line);
        let is_due = match format {
            "json" => {
                let answer: Value = serde_json::from_str(answer)?;
                answer["message"] == due["message"] && answer["code"] == due["code"] && answer["id"] == due["id"]
            }
            "log" => {
                answer.starts_with(&format!("errorCode={} ", due["code"].as_str().unwrap_or_default()))
                    && answer.matches(" message=").count() >= 1
            }
            _ => answer.starts_with(due["code"].as_str().unwrap_or_default()),
        };
        if !is_due {
            return Err(format!("not the answer of its record: {answer}\n{due}").into());
        }
    }
    Ok(())
}

#[derive(serde::Deserialize)]
struct Secrets {
    hidden: Vec<String>,
    bare: Vec<Vec<String>>,
    kept: Vec<String>,
}

fn secret_texts() -> Result<Secrets, Failed> {
    Ok(toml::from_str(&std::fs::read_to_string(root().join("tests/records/secrets.toml"))?)?)
}

/// What stands for the secret in the texts.
const SECRET: &str = "hunter22XyZ9";
/// A part of it that must not come out either.
const PART: &str = "nter22";

/// The folder of the smallest rule set: one rule, which shows everything that a rule can show.
pub fn small_rules() -> String {
    root().join("tests/records/rules").to_string_lossy().into_owned()
}

/// Records with secrets in every place, and what must not be found of them.
pub fn secret_records(are_long: bool) -> Result<(Vec<u8>, Vec<String>), Failed> {
    let secrets = secret_texts()?;
    let hidden = secrets.hidden.iter().map(|text| text.replace('§', SECRET));
    let bare = secrets.bare.iter().map(|parts| parts.concat());
    let mut needles: Vec<String> = secrets.bare.iter().map(|parts| parts[1][2..].to_owned()).collect();
    needles.push(PART.to_owned());
    let mut input = Vec::new();
    for (index, text) in hidden.chain(bare).enumerate() {
        add_with(&text, &mut input);
        if are_long && index % 3 == 0 && !text.contains('\n') {
            add_with_cut(&text, &mut input);
        }
    }
    Ok((input, needles))
}

/// No secret comes out of any place that a record has, in any format.
fn secrets(format: &str) -> Result<(), Failed> {
    // One format shows the same texts as the other, so that one will do for what takes its time.
    let (input, needles) = secret_records(format == "json")?;
    let done = faultbook(&["--rules", &small_rules(), "classify", "--input", "json", "--format", format], &input)?;
    let records = input.split(|&b| b == b'\n').count() - 1;
    let out = String::from_utf8(done.stdout)?;
    if out.lines().count() != records {
        return Err(format!("{} answers for {records} records", out.lines().count()).into());
    }
    let mut faults = Vec::new();
    for (line, record) in
        out.lines().zip(input.split(|&b| b == b'\n')).chain([(&*String::from_utf8(done.stderr)?, &b""[..])])
    {
        let raw = raw_text(line);
        if needles.iter().any(|needle| line.contains(needle.as_str()) || raw.contains(needle.as_str())) {
            let record: String = String::from_utf8_lossy(record).chars().take(500).collect();
            let line: String = line.chars().take(1_000).collect();
            faults.push(format!("{record}\n  {line} {raw}"));
        }
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{} secrets come out:\n{}", faults.len(), faults.join("\n")).into())
    }
}

/// Adds records with a text in every place.
fn add_with(text: &str, stream: &mut Vec<u8>) {
    add(
        stream,
        [
            json!({ "message": text }),
            json!({ "message": format!("before {text} behind") }),
            json!({ "exceptions": [{ "type": "A.B", "message": text }, { "type": "C", "message": format!("inner: {text}") }] }),
            json!({ "text": format!("System.Exception: {text}\n   at A.B()") }),
            json!({ "text": format!("System.Exception: something\n{text}\n   at A.B()") }),
            json!({ "id": text, "message": "something" }),
            json!({ "message": "something", "connector": text, "operation": text, "phase": text }),
            json!({ "message": "something", "provider_codes": [text] }),
            json!({ "message": "something", "exceptions": [{ "type": text }] }),
            json!({ "message": "something", "http_status": text }),
            json!({ "message": "something", "attributes": { "a": text } }),
        ],
    );
    // Bytes that are not UTF-8 are shown in base 64.
    let quoted = json!(text).to_string();
    stream.extend_from_slice(&[b"{\"message\":", quoted.as_bytes(), b",\"x\":\"\xff\"}\n"].concat());
    // A name is shown when it is given twice or not known; of a longer one only the start is.
    if quoted.len() < 38 {
        stream.extend_from_slice(format!("{{{quoted}:1,{quoted}:2}}\n{{{quoted}:1}}\n").as_bytes());
    }
}

/// Adds records with a text where the head and the tail of a longer one are cut.
fn add_with_cut(text: &str, stream: &mut Vec<u8>) {
    let half = text.len() / 2;
    add(
        stream,
        [
            json!({ "message": format!("{} {text} {}", "x".repeat(49_151 - half), "y ".repeat(10_000)) }),
            json!({ "message": format!("{} {text} {}", "x ".repeat(40_000), "y".repeat(16_383 - half)) }),
        ],
    );
}

fn add(stream: &mut Vec<u8>, records: impl IntoIterator<Item = Value>) {
    for record in records {
        stream.extend_from_slice(record.to_string().as_bytes());
        stream.push(b'\n');
    }
}

fn raw_text(line: &str) -> String {
    use base64::Engine as _;
    let raw = line.split("\"raw_base64\":\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
    String::from_utf8_lossy(&base64::prelude::BASE64_STANDARD.decode(raw).unwrap_or_default()).into_owned()
}

/// A set with the fallback alone, which shows texts as they are.
pub fn fallback_alone() -> Result<RuleSet, Failed> {
    let folder = root().join("tests/records/rules");
    let manifest = std::fs::read_to_string(folder.join("faultbook.toml"))?;
    let shown = std::fs::read_to_string(folder.join("show.toml"))?;
    let fallback = shown.split("[codes.DSTST001]").next().unwrap_or_default();
    let manifest = manifest.split("[families.DSTST]").next().unwrap_or_default();
    let sources = Sources::from_texts([("faultbook.toml", manifest), ("show.toml", fallback)]);
    Ok(RuleSet::load(sources).map_err(|rejected| render::full(rejected.report(), false))?.0)
}

/// What only speaks of secrets stays as it is.
fn ordinary_sentences() -> Result<(), Failed> {
    let set = fallback_alone()?;
    let decided = |text: &str| -> Result<Decision<'_>, Failed> {
        Ok(set.classify(&read_record(json!({ "message": text }).to_string().as_bytes())?.failure))
    };
    for text in secret_texts()?.kept {
        let message = decided(&text)?.message;
        if message != format!("[DSUNK001] {text}") {
            return Err(format!("an ordinary sentence was changed: {message}").into());
        }
    }
    Ok(())
}

/// The decisions on standard output, one on each line.
pub fn answers(stdout: &[u8]) -> Result<Vec<Value>, Failed> {
    stdout
        .split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Ok(serde_json::from_slice(line)?))
        .collect()
}
