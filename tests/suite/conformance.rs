//! Conformance vectors: the examples of the rules with their decisions, byte by byte, for every way to ask the engine.
//!
//! `tests/conformance/<CODE>.json` holds the vectors of one code; `INSTA_UPDATE=always cargo test conformance/` writes
//! them anew. Ways outside of this package are tried by `tests/conformance/run.py`.

use std::fmt::Write as _;
use std::fs;

use faultbook::{CatalogEntry, Engine, render};
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::codes::rules;
use super::process;
#[cfg(unix)]
use super::service::Service;
use super::snapshot::{files, root};

/// Stands in the vectors for the digest, which changes with every rule.
const RULESET: &str = "[RULESET]";

/// The vectors of one code.
#[derive(Deserialize)]
struct Vectors {
    vectors: Vec<Vector>,
}

/// A failure and its decision, as bytes.
#[derive(Deserialize)]
struct Vector {
    failure: Box<RawValue>,
    decision: Box<RawValue>,
}

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = rules()
        .codes()
        .iter()
        .map(|entry| Trial::test(format!("conformance/{}", entry.code), move || fresh(entry)))
        .collect();
    trials.push(Trial::test("conformance/every_file_is_of_a_code", || {
        let mut codes: Vec<String> = rules().codes().iter().map(|entry| entry.code.to_string()).collect();
        codes.sort();
        let present = files(&root().join("tests/conformance"), "json")?;
        if present == codes { Ok(()) } else { Err(format!("{present:?} instead of {codes:?}").into()) }
    }));
    trials.push(Trial::test("conformance/library", || {
        let engine = Engine::builtin();
        each(|failure| {
            let mut line = Vec::new();
            render::json_line(&engine.classify_record(failure.as_bytes()), &mut line)?;
            Ok(String::from_utf8(line)?)
        })
    }));
    trials.push(Trial::test("conformance/stream", || {
        let lines: String = vectors()?.iter().flat_map(|vector| [vector.failure.get(), "\n"]).collect();
        let done = process::faultbook(&["classify", "--input", "json", "--format", "json"], lines.as_bytes())?;
        process::expect(&done, 0, &[])?;
        all(&String::from_utf8(done.stdout)?)
    }));
    #[cfg(unix)]
    trials.extend(over_http());
    trials
}

/// One at a time, as a list, as a stream, and over the Unix socket.
#[cfg(unix)]
fn over_http() -> Vec<Trial> {
    vec![
        Trial::test("conformance/http", || {
            let service = Service::start(&[])?;
            let mut connection = service.connect()?;
            each(|failure| connection.post("/v1/classify", "application/json", failure)?.ok())
        }),
        Trial::test("conformance/http_list", || {
            let service = Service::start(&[])?;
            let mut connection = service.connect()?;
            let vectors = vectors()?;
            let list: Vec<&str> = vectors.iter().map(|vector| vector.failure.get()).collect();
            let list = format!("[{}]", list.join(","));
            let answer = connection.post("/v1/classify", "application/json", &list)?.ok()?;
            let decisions: Vec<Box<RawValue>> = serde_json::from_str(&answer)?;
            all(&decisions.iter().flat_map(|decision| [decision.get(), "\n"]).collect::<String>())
        }),
        Trial::test("conformance/http_stream", || {
            let service = Service::start(&[])?;
            let mut connection = service.connect()?;
            let lines: String = vectors()?.iter().flat_map(|vector| [vector.failure.get(), "\n"]).collect();
            all(&connection.post("/v1/classify/stream", "application/x-ndjson", &lines)?.ok()?)
        }),
        Trial::test("conformance/unix_socket", || {
            let service = Service::start(&[])?;
            let mut connection = service.connect_to_socket()?;
            each(|failure| connection.post("/v1/classify", "application/json", failure)?.ok())
        }),
    ]
}

/// Demands that the vectors of a code are what its examples give.
fn fresh(entry: &CatalogEntry) -> Result<(), Failed> {
    let set = rules();
    let mut text = format!("{{\n\"code\": \"{}\",\n\"vectors\": [", entry.code);
    for (index, failure) in set.examples_of(&entry.code).iter().enumerate() {
        let mut decision = Vec::new();
        render::json_line(&set.classify(failure), &mut decision)?;
        let decision = String::from_utf8(decision)?.replace(set.digest(), RULESET);
        let comma = if index > 0 { "," } else { "" };
        write!(text, "{comma}\n{{\"failure\": {},\n \"decision\": {decision}}}", serde_json::to_string(failure)?)?;
    }
    text.push_str("\n]\n}\n");
    let path = root().join(format!("tests/conformance/{}.json", entry.code));
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&path, &text)?;
    }
    if fs::read_to_string(&path).unwrap_or_default() == text {
        return Ok(());
    }
    Err(format!("{} is stale; `INSTA_UPDATE=always cargo test conformance/` writes it anew", path.display()).into())
}

/// All vectors, with the digest of the rules in their places.
fn vectors() -> Result<Vec<Vector>, Failed> {
    let mut all = Vec::new();
    for code in files(&root().join("tests/conformance"), "json")? {
        let text = fs::read_to_string(root().join(format!("tests/conformance/{code}.json")))?;
        let of_code: Vectors = serde_json::from_str(&text.replace(RULESET, rules().digest()))?;
        all.extend(of_code.vectors);
    }
    if all.len() < 500 { Err(format!("only {} vectors", all.len()).into()) } else { Ok(all) }
}

/// Demands the expected decision for each failure.
fn each(mut ask: impl FnMut(&str) -> Result<String, Failed>) -> Result<(), Failed> {
    for vector in vectors()? {
        same(&vector, &ask(vector.failure.get())?)?;
    }
    Ok(())
}

/// Demands the expected decisions line by line.
fn all(lines: &str) -> Result<(), Failed> {
    let vectors = vectors()?;
    let lines: Vec<&str> = lines.lines().collect();
    if lines.len() != vectors.len() {
        return Err(format!("{} decisions for {} failures", lines.len(), vectors.len()).into());
    }
    vectors.iter().zip(lines).try_for_each(|(vector, line)| same(vector, line))
}

fn same(vector: &Vector, decision: &str) -> Result<(), Failed> {
    if vector.decision.get() == decision {
        return Ok(());
    }
    Err(format!("{}\n  expected {}\n  was      {decision}", vector.failure, vector.decision).into())
}
