//! Rules that are few: each of them is a bit, and the facts of a failure clear those that cannot apply.
//!
//! What is left is tried in order. Of those that wait for a message, a sieve clears most before the first one is tried;
//! where it lets many through, a scan clears the ones of which no text occurs.

use crate::model::Rule;

use super::Candidate;
use super::condition::{Places, holds_beyond};
use super::facts::Folded;
use super::index::{Access, FactKeys, Key, Scope, cost_of_try};
use super::runs::each_bit;
use super::scan::TextSet;
use super::sieve::Sieve;
use super::vector::has_avx2;

/// Rules, a bit for each.
type Rules = u128;

/// Conditions on facts that are looked at for each rule; the others are looked at when the rule is tried.
const FACTS: usize = 2;

/// What the keys of a set of few rules tell.
#[derive(Debug)]
pub(super) struct Few {
    /// For each connector, by its number, the rules that are for it or for all connectors; the latter alone for 0.
    of_scope: Vec<Rules>,
    /// For each key of a fact the rules with a condition that it meets, the first and the second one.
    by_fact: Vec<[Rules; FACTS]>,
    /// The rules with so many conditions on facts.
    need_fact: [Rules; FACTS],
    /// For each text the rules that require it or another one.
    by_text: Vec<Rules>,
    need_text: Rules,
    /// For each rule, the conditions that its facts prove, and the one that a text proves.
    proven: Vec<[Places; 2]>,
    /// For each connector as above, what tells which of its rules a message may be about; without vector code nothing does
    /// so fast enough.
    sieves: Vec<ScopeSieve>,
}

/// What tells which rules a message may be about.
#[derive(Debug)]
struct ScopeSieve {
    sieve: Sieve,
    /// For each set of the sieve, the rules that require a text of it.
    by_set: Vec<Rules>,
    /// The rules of which the sieve has no text: nothing is told of them.
    unknown: Rules,
}

impl Few {
    /// `None` when the rules are too many. For each of them its ways and connectors; the latter, keys of facts and texts
    /// are numbered.
    pub(super) fn new(ways: &[Vec<Access>], scopes: &[Vec<Scope>], facts: usize, texts: &TextSet) -> Option<Self> {
        if ways.len() > Rules::BITS as usize {
            return None;
        }
        let last = scopes.iter().flatten().max().map_or(0, |&last| last as usize);
        let mut few = Self {
            of_scope: vec![0; last + 1],
            by_fact: vec![[0; FACTS]; facts],
            need_fact: [0; FACTS],
            by_text: vec![0; texts.texts().len()],
            need_text: 0,
            proven: vec![[0; 2]; ways.len()],
            sieves: Vec::new(),
        };
        for (number, (ways, scopes)) in ways.iter().zip(scopes).enumerate() {
            let bit = 1 << number;
            for (scope, rules) in (0..).zip(&mut few.of_scope) {
                *rules |= if scopes.contains(&0) || scopes.contains(&scope) { bit } else { 0 };
            }
            let [by_facts, by_text] = &mut few.proven[number];
            let mut found = 0;
            for way in ways {
                let fact = |key: &Key| match key {
                    Key::Fact(id) | Key::CommonFact(id) => Some(*id as usize),
                    _ => None,
                };
                let text = |key: &Key| if let Key::Text(id) = key { Some(*id as usize) } else { None };
                if let Some(keys) = way.keys.iter().map(fact).collect::<Option<Vec<_>>>()
                    && found < FACTS
                {
                    few.need_fact[found] |= bit;
                    for key in keys {
                        few.by_fact[key][found] |= bit;
                    }
                    *by_facts |= way.proven();
                    found += 1;
                } else if let Some(keys) = way.keys.iter().map(text).collect::<Option<Vec<_>>>()
                    && few.need_text & bit == 0
                {
                    few.need_text |= bit;
                    for key in keys {
                        few.by_text[key] |= bit;
                    }
                    *by_text = way.proven();
                }
            }
        }
        if has_avx2() {
            few.sieves = few.of_scope.iter().map(|&rules| few.sieve(rules, texts)).collect();
        }
        Some(few)
    }

    /// A sieve for some of the rules.
    fn sieve(&self, rules: Rules, texts: &TextSet) -> ScopeSieve {
        let by_text = texts.texts().iter().zip(&self.by_text).map(|(text, of_text)| (&**text, of_text & rules));
        let (texts, rules): (Vec<_>, Vec<_>) = by_text.filter(|(_, rules)| *rules != 0).unzip();
        let (sieve, sets) = Sieve::new(&texts);
        let mut unknown = !self.need_text;
        let mut by_set = vec![0; sets.iter().flatten().max().map_or(0, |last| last + 1)];
        for (rules, set) in rules.into_iter().zip(sets) {
            *set.map_or(&mut unknown, |set| &mut by_set[set]) |= rules;
        }
        ScopeSieve { sieve, by_set, unknown }
    }

    /// The first rule that applies.
    pub(super) fn first(
        &self,
        facts: &FactKeys,
        texts: &TextSet,
        rules: &[Rule],
        candidate: Candidate<'_>,
        scope: Scope,
        folded: &mut Folded,
    ) -> Option<usize> {
        let mut left = self.of_scope[scope as usize];
        let mut met = [0; FACTS];
        facts.each(candidate, |key| {
            met.iter_mut().zip(self.by_fact[key as usize]).for_each(|(met, rules)| *met |= rules);
        });
        self.need_fact.iter().zip(met).for_each(|(need, met)| left &= !need | met);
        let bytes = candidate.text().len();
        let mut sieve = self.sieves.get(scope as usize);
        // A few are tried one by one before a scan: one of them may apply.
        let (mut spent, scan) = (0, texts.cost(bytes));
        let (mut is_scanned, mut is_seen) = (false, false);
        while left != 0 {
            let number = left.trailing_zeros() as usize;
            let waits = !is_scanned && self.need_text & left & left.wrapping_neg() != 0;
            let waiting = || (left & self.need_text).count_ones() as usize;
            if waits
                && waiting() > 1
                && let Some(sieve) = sieve.take()
            {
                left &= sieve.rules(candidate.text());
                continue;
            }
            if waits && spent >= scan / 2 && spent + waiting() * cost_of_try(bytes) > scan {
                let mut seen = 0;
                texts.scan(folded.of(candidate.text()), |text| seen |= self.by_text[text as usize]);
                left &= !self.need_text | seen;
                (is_scanned, is_seen) = (true, folded.is_plain());
                continue;
            }
            spent += if waits { cost_of_try(bytes) } else { 0 };
            let [by_facts, by_text] = self.proven[number];
            if holds_beyond(&rules[number], candidate, by_facts | if is_seen { by_text } else { 0 }) {
                return Some(number);
            }
            left &= left - 1;
        }
        None
    }

    pub(super) fn bytes(&self) -> usize {
        self.of_scope.len() * size_of::<Rules>()
            + self.by_fact.len() * size_of::<[Rules; FACTS]>()
            + self.by_text.len() * size_of::<Rules>()
            + self.proven.len() * size_of::<[Places; 2]>()
            + self.sieves.iter().map(ScopeSieve::bytes).sum::<usize>()
    }
}

impl ScopeSieve {
    /// The rules that a message may be about.
    fn rules(&self, text: &str) -> Rules {
        let by_set = |set: usize| self.by_set.get(set).copied().unwrap_or_default();
        each_bit(self.sieve.pass(text)).fold(self.unknown, |rules, set| rules | by_set(set))
    }

    fn bytes(&self) -> usize {
        self.sieve.bytes() + self.by_set.len() * size_of::<Rules>()
    }
}
