//! How a load of rules ended, as a line for people.

use crate::engine::{Changes, Difference, ReloadOutcome};

use super::escape::escaped;

/// Names of one kind that are shown; the rest is counted.
const SHOWN: usize = 8;

/// One line: `generation 2, sha256:1f0c9a3b4c5d: codes +DSEX050; rules +exchange/new ~exchange/changed -exchange/gone`.
#[must_use]
pub fn reload_line(outcome: &ReloadOutcome) -> String {
    match outcome {
        ReloadOutcome::Swapped { generation, ruleset, changes } => {
            format!("generation {generation}, {}: {}", short(ruleset), changes_line(changes))
        }
        ReloadOutcome::Unchanged { generation, ruleset } => {
            format!("generation {generation}, {}: the rules decide as before", short(ruleset))
        }
        ReloadOutcome::Rejected(rejected) => format!("{}; the rules in force stay", escaped(&rejected.to_string())),
    }
}

/// The start of a digest, enough to tell sets apart.
#[must_use]
pub fn short(digest: &str) -> &str {
    digest.get(.."sha256:".len() + 12).unwrap_or(digest)
}

fn changes_line(changes: &Changes) -> String {
    let mut parts: Vec<String> = [("codes", &changes.codes), ("rules", &changes.rules)]
        .into_iter()
        .filter(|(_, difference)| !difference.is_empty())
        .map(|(noun, difference)| format!("{noun} {}", names(difference)))
        .collect();
    if changes.reordered {
        parts.push("rules in another order".to_owned());
    }
    if parts.is_empty() { "facts, ancestors or redaction changed".to_owned() } else { parts.join("; ") }
}

fn names(difference: &Difference) -> String {
    let signs = [('+', &difference.added), ('~', &difference.changed), ('-', &difference.retired)];
    let all: Vec<String> = signs
        .into_iter()
        .flat_map(|(sign, names)| names.iter().map(move |name| format!("{sign}{}", escaped(name))))
        .collect();
    let more = all.len().saturating_sub(SHOWN);
    let shown = all[..all.len() - more].join(" ");
    if more == 0 { shown } else { format!("{shown} and {more} more") }
}
