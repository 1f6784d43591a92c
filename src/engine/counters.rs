//! How often each rule won, and why failures stayed unknown: counted over all generations.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::model::{Rule, UnknownReason};

/// Counters that outlive the generations which count.
#[derive(Debug, Default)]
pub(super) struct Counters {
    /// By rule id, with the code that it gives.
    rules: Mutex<HashMap<(String, String), Arc<AtomicU64>>>,
    unknowns: Arc<Unknowns>,
}

/// Unknown failures by reason.
#[derive(Debug, Default)]
pub(super) struct Unknowns([AtomicU64; REASONS.len()]);

const REASONS: [UnknownReason; 4] =
    [UnknownReason::NoRule, UnknownReason::Empty, UnknownReason::Truncated, UnknownReason::Unreadable];

impl Unknowns {
    pub(super) fn count(&self, reason: UnknownReason) {
        if let Some(index) = REASONS.iter().position(|known| *known == reason) {
            self.0[index].fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Counters {
    /// The counters of rules, in their order.
    pub(super) fn of_rules(&self, rules: &[Rule]) -> Vec<Arc<AtomicU64>> {
        let mut known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        // Rules that no generation has any more and that never won need no line.
        known.retain(|_, hits| Arc::strong_count(hits) > 1 || hits.load(Ordering::Relaxed) > 0);
        rules
            .iter()
            .map(|rule| Arc::clone(known.entry((rule.id.clone(), rule.code.to_string())).or_default()))
            .collect()
    }

    pub(super) fn unknowns(&self) -> Arc<Unknowns> {
        Arc::clone(&self.unknowns)
    }

    /// How often codes were given and rules won, without those that never were.
    pub(super) fn hits(&self) -> (BTreeMap<String, u64>, BTreeMap<String, u64>) {
        let known = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut codes, mut rules) = (BTreeMap::new(), BTreeMap::new());
        for ((rule, code), hits) in known.iter() {
            let hits = hits.load(Ordering::Relaxed);
            if hits > 0 {
                *codes.entry(code.clone()).or_default() += hits;
                *rules.entry(rule.clone()).or_default() += hits;
            }
        }
        (codes, rules)
    }

    /// Unknown failures by reason, without reasons that never were.
    pub(super) fn unknown(&self) -> BTreeMap<String, u64> {
        let counts = REASONS.iter().zip(&self.unknowns.0);
        counts
            .map(|(reason, count)| (reason.as_str().to_owned(), count.load(Ordering::Relaxed)))
            .filter(|(_, count)| *count > 0)
            .collect()
    }
}
