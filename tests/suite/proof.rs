//! `RuleSet::prove`: what it says of the built-in rules, and that the failures which it shows do tell rules apart.

use std::collections::BTreeSet;
use std::fs;

use faultbook::proof::{Proof, ProofOptions, Survivor, Telling};
use faultbook::{RuleSet, Sources, render};
use libtest_mimic::{Failed, Trial};

use super::snapshot::{files, root};

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("proof/built_in_rules_are_covered_and_notice_changes", built_in),
        Trial::test("proof/telling_failures_kill_their_mutants", || told("tests/proof/weak")),
        Trial::test("proof/telling_failures_kill_their_mutants_with_selectors", || told("tests/cli/rules")),
        Trial::test("proof/telling_failures_cover_their_items", covering),
        Trial::test("proof/places_are_those_of_the_items", places),
        Trial::test("proof/the_same_on_every_run", same),
        Trial::test("proof/schema_accepts_it", schema),
        Trial::test("proof/progress_counts_every_mutant", progress),
    ]
}

fn prove(sources: Sources) -> Result<Proof, Failed> {
    let proven = RuleSet::prove(sources, &ProofOptions::default(), &|_, _| {});
    Ok(proven.map_err(|rejected| render::full(rejected.report(), false))?.0)
}

fn texts(folder: &str) -> Result<Vec<(String, String)>, Failed> {
    let folder = root().join(folder);
    let mut texts = Vec::new();
    for stem in files(&folder, "toml")? {
        let name = format!("{stem}.toml");
        texts.push((name.clone(), fs::read_to_string(folder.join(&name))?));
    }
    // The manifest is the first of the files, as in a directory.
    texts.sort_by_key(|(name, _)| (name != "faultbook.toml", name.clone()));
    Ok(texts)
}

fn built_in() -> Result<(), Failed> {
    let proof = prove(RuleSet::builtin_sources())?;
    let mutation = proof.mutation.as_ref().ok_or("no mutants were tried")?;
    if proof.coverage.uncovered.is_empty() && mutation.score() >= 0.9 && proof.failing().count() == 0 {
        return Ok(());
    }
    Err(render::proof_summary(&proof).into())
}

/// A copy of the texts with a telling failure written down under a rule.
fn with_case(texts: &[(String, String)], rule: &str, telling: &Telling) -> Result<Sources, Failed> {
    let (stem, id) = rule.rsplit_once('/').ok_or("no file")?;
    let mut changed = texts.to_vec();
    let (_, text) = changed.iter_mut().find(|(name, _)| *name == format!("{stem}.toml")).ok_or("no such file")?;
    let start = text.find(&format!("\nid = \"{id}\"\n")).ok_or("no such rule")?;
    let end = text[start..].find("\n[[rules]]").map_or(text.len(), |next| start + next);
    text.insert_str(end, &format!("\n{}", render::case_toml(telling)));
    Ok(Sources::from_texts(changed))
}

fn told(folder: &str) -> Result<(), Failed> {
    let texts = texts(folder)?;
    let name = |survivor: &Survivor| (survivor.rule.clone(), survivor.kind.as_str(), survivor.change.clone());
    let proof = prove(Sources::from_texts(texts.clone()))?;
    let survivors = proof.mutation.ok_or("no mutants were tried")?.survivors;
    let mut told = 0;
    for survivor in &survivors {
        let Some(telling) = &survivor.telling else { continue };
        told += 1;
        let after = prove(with_case(&texts, &survivor.rule, telling)?)?;
        if let Some(case) = after.failing().next() {
            return Err(format!("{:?} does not come out as it was told: {case:?}", name(survivor)).into());
        }
        let mutation = after.mutation.ok_or("no mutants were tried")?;
        if mutation.survivors.iter().any(|other| name(other) == name(survivor)) {
            return Err(format!("{:?} survives its own failure\n{}", name(survivor), render::case_toml(telling)).into());
        }
    }
    if told < 5 { Err(format!("only {told} failures of {} survivors", survivors.len()).into()) } else { Ok(()) }
}

fn covering() -> Result<(), Failed> {
    let texts = texts("tests/proof/weak")?;
    let proof = prove(Sources::from_texts(texts.clone()))?;
    let mut told = 0;
    for item in &proof.coverage.uncovered {
        let Some(telling) = &item.telling else { continue };
        told += 1;
        let after = prove(with_case(&texts, &item.rule, telling)?)?;
        let still: BTreeSet<_> = after.coverage.uncovered.iter().map(|item| (&item.rule, &item.item)).collect();
        if after.failing().count() > 0 || still.contains(&(&item.rule, &item.item)) {
            return Err(format!("{} of {} is not covered by its own failure", item.item, item.rule).into());
        }
    }
    if told < 3 { Err(format!("only {told} failures").into()) } else { Ok(()) }
}

/// The text at the place of each uncovered item is the item.
fn places() -> Result<(), Failed> {
    let texts = texts("tests/proof/weak")?;
    let text = &texts.iter().find(|(name, _)| name == "shop.toml").ok_or("no such file")?.1;
    for item in prove(Sources::from_texts(texts.clone()))?.coverage.uncovered {
        let line = text.lines().nth(item.place.start.line - 1).ok_or("no such line")?;
        let here: String = line.chars().skip(item.place.start.column - 1).collect();
        let value = item.item.rsplit('`').nth(1).ok_or("no value")?;
        if !here.trim_start_matches(['"', '\'']).starts_with(value) {
            return Err(
                format!("{}:{} shows `{here}`, not `{value}`", item.place.start.line, item.place.start.column).into()
            );
        }
    }
    Ok(())
}

fn same() -> Result<(), Failed> {
    let [first, second] = [(); 2].map(|()| prove(RuleSet::builtin_sources()));
    if serde_json::to_value(first?)? == serde_json::to_value(second?)? { Ok(()) } else { Err("two answers".into()) }
}

fn schema() -> Result<(), Failed> {
    let schema = render::schema("test").ok_or("no such schema")?;
    let validator = jsonschema::validator_for(&schema).map_err(|error| error.to_string())?;
    for folder in ["tests/proof/weak", "tests/proof/failing"] {
        let value = serde_json::to_value(prove(Sources::from_texts(texts(folder)?))?)?;
        if let Some(error) = validator.iter_errors(&value).next() {
            return Err(format!("{folder}: {error} at {}", error.instance_path()).into());
        }
    }
    if validator.is_valid(&serde_json::json!({ "version": 1 })) { Err("anything is valid".into()) } else { Ok(()) }
}

fn progress() -> Result<(), Failed> {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let (steps, all) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let step = |_: usize, of: usize| {
        steps.fetch_add(1, Ordering::Relaxed);
        all.store(of, Ordering::Relaxed);
    };
    let sources = Sources::from_texts(texts("tests/proof/weak")?);
    let (proof, _) =
        RuleSet::prove(sources, &ProofOptions::default(), &step).map_err(|rejected| rejected.to_string())?;
    let mutants = proof.mutation.ok_or("no mutants were tried")?.mutants;
    let seen = (steps.into_inner(), all.into_inner());
    if seen == (mutants, mutants) { Ok(()) } else { Err(format!("{seen:?} of {mutants}").into()) }
}
