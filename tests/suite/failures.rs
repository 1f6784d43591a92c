//! `tests/failures/*.toml`: failure in, code out, against the rules that are built in.
//!
//! Each case has a `name`, the `code` that is due and the `failure` as a connector would send it. Cases come from
//! shapes that were once missed or mistaken; the rules' own examples are pinned elsewhere.

use faultbook::read_record;
use libtest_mimic::{Failed, Trial};

use super::codes::rules;
use super::snapshot::{files, root};

#[derive(serde::Deserialize)]
struct File {
    case: Vec<Case>,
}

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    code: String,
    failure: serde_json::Value,
}

pub fn trials() -> Vec<Trial> {
    let folder = root().join("tests/failures");
    let mut trials = Vec::new();
    for stem in files(&folder, "toml").unwrap_or_default() {
        let path = folder.join(format!("{stem}.toml"));
        let read = std::fs::read_to_string(&path).map_err(|error| error.to_string());
        match read.and_then(|text| toml::from_str::<File>(&text).map_err(|error| error.to_string())) {
            Ok(file) => trials.extend(file.case.into_iter().map(|case| Trial::test(format!("failures/{stem}/{}", case.name), move || run(&case)))),
            Err(error) => trials.push(Trial::test(format!("failures/{stem}"), move || Err(error.into()))),
        }
    }
    trials
}

fn run(case: &Case) -> Result<(), Failed> {
    let record = read_record(case.failure.to_string().as_bytes())?;
    let decision = rules().classify(&record.failure);
    if decision.code.as_str() == case.code {
        return Ok(());
    }
    Err(format!("{} is due, got {} by {}: {:?}", case.code, decision.code, decision.rule, decision.evidence).into())
}
