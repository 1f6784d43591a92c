//! What the cases of a set exercise: each item of each condition.
//!
//! An item of `when` is covered when its rule wins a case in which the item holds by itself. An item of `unless` is
//! covered when it alone keeps its rule from a case that no earlier rule takes. A capture is covered when its rule wins a
//! case in which it finds something.

use crate::matcher::captures;
use crate::model::Rule;
use crate::model::mutation::{self, Side, Slot};

use super::cases::{Case, applies};
use super::telling::Search;
use super::{Coverage, RuleProof, Uncovered, Work, place};

pub(super) fn measure(work: &Work<'_>, proofs: &mut [RuleProof]) -> Coverage {
    let slots: Vec<Vec<Slot>> = work.rules.iter().map(|here| mutation::slots(here.rule)).collect();
    let mut covered: Vec<Vec<bool>> = slots.iter().map(|slots| vec![false; slots.len()]).collect();
    // What one item says by itself, made once for all cases.
    let parts: Vec<Parts> = work.rules.iter().zip(&slots).map(|(here, slots)| Parts::new(here.rule, slots)).collect();
    for case in work.cases {
        if let Some(winner) = case.winner {
            parts[winner].won(work.rules[winner].rule, &slots[winner], case, &mut covered[winner]);
        }
        // Rules behind the winner never get to see the failure.
        let behind = case.winner.unwrap_or(work.rules.len());
        for rule in 0..behind {
            parts[rule].kept_away(&slots[rule], case, &mut covered[rule]);
        }
    }
    let mut coverage = Coverage::default();
    let search = Search::new(work);
    for (rule, here) in work.rules.iter().enumerate().filter(|(rule, _)| work.meant[*rule]) {
        proofs[rule].items = slots[rule].len();
        proofs[rule].covered = covered[rule].iter().filter(|covered| **covered).count();
        coverage.items += proofs[rule].items;
        coverage.covered += proofs[rule].covered;
        for (slot, _) in slots[rule].iter().zip(&covered[rule]).filter(|(_, covered)| !**covered) {
            coverage.uncovered.push(Uncovered {
                rule: here.rule.id.clone(),
                place: place(work.sources, &here.span(*slot)),
                item: mutation::shown(here.rule, *slot),
                telling: search.covering(rule, *slot),
            });
        }
    }
    coverage
}

/// A rule taken apart.
struct Parts {
    /// For each item of `when`, a rule that has nothing but the item.
    rules: Vec<Option<Rule>>,
    /// The rule without `unless`; none where it has none.
    open: Option<Rule>,
    whole: Rule,
}

impl Parts {
    fn new(rule: &Rule, slots: &[Slot]) -> Self {
        let part = |slot: &Slot| match slot.side {
            Side::When => {
                let when = vec![mutation::alone(rule, *slot)?];
                Some(Rule { when, unless: Vec::new(), connectors: Vec::new(), ..rule.clone() })
            }
            Side::Unless | Side::Capture => None,
        };
        let open = (!rule.unless.is_empty()).then(|| Rule { unless: Vec::new(), ..rule.clone() });
        Self { rules: slots.iter().map(part).collect(), open, whole: rule.clone() }
    }

    /// A case that the rule wins covers what holds in it.
    fn won(&self, rule: &Rule, slots: &[Slot], case: &Case<'_>, covered: &mut [bool]) {
        for (index, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.side != Side::Unless) {
            covered[index] = covered[index]
                || match (&self.rules[index], rule.captures.get(slot.condition)) {
                    (Some(part), _) => applies(part, case.candidate()),
                    (None, Some(capture)) => captures(std::slice::from_ref(capture), case.candidate()).next().is_some(),
                    (None, None) => false,
                };
        }
    }

    /// A case that one item of `unless` keeps the rule from covers the item.
    fn kept_away(&self, slots: &[Slot], case: &Case<'_>, covered: &mut [bool]) {
        let Some(open) = &self.open else { return };
        if !applies(open, case.candidate()) || applies(&self.whole, case.candidate()) {
            return;
        }
        for (index, slot) in slots.iter().enumerate().filter(|(_, slot)| slot.side == Side::Unless) {
            covered[index] = covered[index] || applies(&without_deciding(&self.whole, *slot), case.candidate());
        }
    }
}

/// The rule without an item of `unless`; without the whole condition where only all items together keep the rule away.
pub(super) fn without_deciding(rule: &Rule, slot: Slot) -> Rule {
    use crate::model::{Condition, Quantifier};
    let condition = mutation::condition(rule, slot);
    let needs_all = condition.is_some_and(|condition| {
        matches!(condition, Condition::Absent(_) | Condition::Cause { .. })
            || mutation::quantifier(condition, slot.part) == Some(Quantifier::All)
    });
    let needs_one_of_several = condition.is_some_and(|condition| {
        mutation::quantifier(condition, slot.part) == Some(Quantifier::Any)
            && mutation::items(condition, slot.part).len() > 1
    });
    if needs_all && !needs_one_of_several {
        mutation::without(rule, Slot { part: None, item: None, ..slot })
    } else {
        mutation::without(rule, slot)
    }
}
