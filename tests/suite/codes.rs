//! One trial for each code: its page, its facets and the decision of each of its examples, pinned.

use std::fmt::Write as _;

use faultbook::{CatalogEntry, RuleSet};
use libtest_mimic::Trial;

use super::snapshot;

pub fn trials() -> Vec<Trial> {
    let set = rules();
    let codes: Vec<String> = set.codes().iter().map(|entry| entry.code.to_string()).collect();
    let mut trials: Vec<Trial> = codes
        .iter()
        .cloned()
        .map(|code| {
            Trial::test(format!("codes/{code}"), move || {
                let set = rules();
                let entry = set.code(&code).ok_or("the code is gone")?;
                if set.examples_of(&entry.code).len() < 2 {
                    return Err(format!("{code} has fewer than two examples").into());
                }
                snapshot::assert("codes", &code, &entry.title, &snapshot_text(set, entry));
                Ok(())
            })
        })
        .collect();
    trials.push(Trial::test("codes/every_snapshot_has_a_code", move || {
        snapshot::assert_names("codes", &codes.iter().map(String::as_str).collect::<Vec<_>>())
    }));
    trials
}

/// The rules that are built in, loaded once.
pub fn rules() -> &'static RuleSet {
    static RULES: std::sync::OnceLock<RuleSet> = std::sync::OnceLock::new();
    RULES.get_or_init(RuleSet::builtin)
}

/// What is pinned of a code.
pub fn snapshot_text(set: &RuleSet, entry: &CatalogEntry) -> String {
    let mut text = format!(
        "title: {}\nstatus: {}\nretry: {}\naction: {}\nprovisional: {}\n",
        entry.title,
        entry.status,
        entry.retry.as_str(),
        entry.action.as_str(),
        entry.provisional
    );
    if let Some(retired) = &entry.retired {
        let _ = writeln!(text, "retired: {retired}");
    }
    let _ = writeln!(text, "\n{}\n", entry.meaning.trim());
    for (index, step) in entry.remedy.iter().enumerate() {
        let _ = writeln!(text, "{}. {}", index + 1, step.trim());
    }
    for example in set.examples_of(&entry.code) {
        let decision = set.classify(example);
        let mut decision = serde_json::to_value(decision).unwrap_or_default();
        // The digest changes with every rule; each code's own decisions are what is pinned here.
        decision.as_object_mut().map(|fields| fields.remove("ruleset"));
        let failure = serde_json::to_string(example).unwrap_or_default();
        let decision = serde_json::to_string_pretty(&decision).unwrap_or_default();
        let _ = write!(text, "\n--- {failure}\n{decision}\n");
    }
    text
}
