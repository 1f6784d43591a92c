//! `tests/failures/*.toml`: failure in, code out, against the rules that are built in.
//!
//! Each case has a `name`, the `code` that is due and the `failure` as a connector would send it. Cases come from
//! shapes that were once missed or mistaken; the rules' own examples are pinned elsewhere.

use faultbook::read_record;
use libtest_mimic::{Failed, Trial};

use super::codes::rules;
use super::snapshot;

#[derive(serde::Deserialize)]
struct Case {
    name: String,
    code: String,
    failure: serde_json::Value,
}

pub fn trials() -> Vec<Trial> {
    snapshot::cases("failures", |case: &Case| &case.name, run)
}

fn run(case: &Case) -> Result<(), Failed> {
    let line = case.failure.to_string();
    let record = read_record(line.as_bytes())?;
    let decision = rules().classify(&record.failure);
    if decision.code.as_str() == case.code {
        return Ok(());
    }
    Err(format!("{} is due, got {} by {}: {:?}", case.code, decision.code, decision.rule, decision.evidence).into())
}
