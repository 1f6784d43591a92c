//! One size of the benchmark: rules, sets of failures, and the answers on them.

use std::error::Error;

use faultbook::{Failure, Rule};

use super::engine::{Case, Engine};
use super::workload::Workload;

/// The columns of the table: name, which set of failures, and whether the failure has to be prepared as well.
pub const COLUMNS: [(&str, usize, bool); 9] = [
    ("mixture", 0, false),
    ("miss 100 B", 1, false),
    ("miss 1,000 B", 2, false),
    ("miss 4,000 B", 3, false),
    ("miss 65,536 B", 4, false),
    ("early hit 1,000 B", 5, false),
    ("late hit 1,000 B", 6, false),
    ("mixture, unprepared", 0, true),
    ("miss 1,000 B, unprepared", 2, true),
];

/// Lengths of the misses and how many of each: all of them together stay small enough for the processor's caches.
const MISSES: [(usize, usize); 4] = [(100, 64), (1_000, 64), (4_000, 32), (65_536, 8)];

/// The failures of each set.
pub struct Sets(pub Vec<Vec<Failure<'static>>>);

impl Sets {
    /// Takes failures from the workload; `oracle` tells true misses and hits from those that another rule takes.
    pub fn new(workload: &Workload, oracle: &mut dyn Engine, mixture: usize) -> Result<Self, Box<dyn Error>> {
        let rules = workload.rules.len();
        let mut sets = vec![workload.mixture(mixture)];
        for (bytes, count) in MISSES {
            let misses = workload.misses(bytes).take(count * 50).filter(|failure| oracle.first_of(failure).is_none());
            sets.push(misses.take(count).collect());
        }
        for range in [0..rules.div_ceil(10), rules * 3 / 4..rules] {
            let hits = workload.hits(range.clone(), 1_000).take(64 * 50);
            let hits = hits.filter(|failure| oracle.first_of(failure).is_some_and(|rule| range.contains(&rule)));
            sets.push(hits.take(64).collect());
        }
        if sets.iter().any(Vec::is_empty) {
            return Err("the workload has no failures of some kind".into());
        }
        Ok(Self(sets))
    }
}

/// Where an engine gives another answer than the reference.
pub fn difference(
    engine: &mut dyn Engine,
    name: &str,
    rules: &[Rule],
    cases: &[Case<'_>],
    expected: &[Option<usize>],
) -> Option<String> {
    cases.iter().zip(expected).find_map(|(case, &expected)| {
        let answers = [("prepared", engine.first(case)), ("unprepared", engine.first_of(case.failure))];
        let (how, answer) = answers.into_iter().find(|(_, answer)| *answer != expected)?;
        let show = |answer: Option<usize>| {
            answer.and_then(|index| Some(format!("rule {index}: {}", serde_json::to_string(rules.get(index)?).ok()?)))
        };
        Some(format!(
            "{name} ({how}) answers {}\nexpected {}\nfailure {}",
            show(answer).unwrap_or_else(|| "nothing".to_owned()),
            show(expected).unwrap_or_else(|| "nothing".to_owned()),
            serde_json::to_string(case.failure).unwrap_or_default(),
        ))
    })
}
