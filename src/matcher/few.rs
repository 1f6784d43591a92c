//! Rules that are few: each of them is a bit, and the facts of a failure clear those that cannot apply.
//!
//! What is left is tried in order. Of those that wait for a message, a sieve clears most before the first one is tried;
//! where it lets many through, a scan clears the ones of which no text occurs.

use std::ops::{BitAnd, BitAndAssign, BitOr, BitOrAssign, Not};

use crate::model::Rule;

use super::Candidate;
use super::condition::{Places, holds_beyond};
use super::facts::Folded;
use super::index::{Access, FactKeys, Key, Scope, cost_of_try};
use super::runs::each_bit;
use super::scan::TextSet;
use super::sieve::Sieve;
use super::vector::has_avx2;

/// Conditions on facts that are looked at for each rule; the others are looked at when the rule is tried.
const FACTS: usize = 2;

/// Bytes of messages for which the sieve costs as much as trying a rule.
const LONG: usize = 600;

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
        if ways.len() > Rules::LIMIT {
            return None;
        }
        let last = scopes.iter().flatten().max().map_or(0, |&last| last as usize);
        let mut few = Self {
            of_scope: vec![Rules::NONE; last + 1],
            by_fact: vec![[Rules::NONE; FACTS]; facts],
            need_fact: [Rules::NONE; FACTS],
            by_text: vec![Rules::NONE; texts.texts().len()],
            need_text: Rules::NONE,
            proven: vec![[0; 2]; ways.len()],
            sieves: Vec::new(),
        };
        for (number, (ways, scopes)) in ways.iter().zip(scopes).enumerate() {
            for (scope, rules) in (0..).zip(&mut few.of_scope) {
                if scopes.contains(&0) || scopes.contains(&scope) {
                    rules.add(number);
                }
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
                    few.need_fact[found].add(number);
                    for key in keys {
                        few.by_fact[key][found].add(number);
                    }
                    *by_facts |= way.proven();
                    found += 1;
                } else if let Some(keys) = way.keys.iter().map(text).collect::<Option<Vec<_>>>()
                    && !few.need_text.has(number)
                {
                    few.need_text.add(number);
                    for key in keys {
                        few.by_text[key].add(number);
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
        let by_text = texts.texts().iter().zip(&self.by_text).map(|(text, of_text)| (&**text, *of_text & rules));
        let (texts, rules): (Vec<_>, Vec<_>) = by_text.filter(|(_, rules)| *rules != Rules::NONE).unzip();
        let (sieve, sets) = Sieve::new(&texts);
        let mut unknown = !self.need_text;
        let mut by_set = vec![Rules::NONE; sets.iter().flatten().max().map_or(0, |last| last + 1)];
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
        let mut met = [Rules::NONE; FACTS];
        facts.each(candidate, |key| {
            met.iter_mut().zip(self.by_fact[key as usize]).for_each(|(met, rules)| *met |= rules);
        });
        self.need_fact.iter().zip(met).for_each(|(&need, met)| left &= !need | met);
        let bytes = candidate.text().len();
        let mut sieve = self.sieves.get(scope as usize);
        // A few are tried one by one before a scan: one of them may apply.
        let (mut spent, scan) = (0, texts.cost(bytes));
        let (mut is_scanned, mut is_seen) = (false, false);
        while let Some(number) = left.first() {
            let waits = !is_scanned && self.need_text.has(number);
            let waiting = || (left & self.need_text).count();
            // A rule whose facts are met already is likely to be the one.
            let is_likely = bytes > LONG && spent == 0 && self.need_fact[0].has(number);
            if waits
                && !is_likely
                && waiting() > 1
                && let Some(sieve) = sieve.take()
            {
                left &= sieve.rules(candidate.text());
                continue;
            }
            if waits && spent >= scan / 2 && spent + waiting() * cost_of_try(bytes) > scan {
                let mut seen = Rules::NONE;
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
            left.remove(number);
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
        let by_set = |set: usize| self.by_set.get(set).copied().unwrap_or(Rules::NONE);
        each_bit(self.sieve.pass(text)).fold(self.unknown, |rules, set| rules | by_set(set))
    }

    fn bytes(&self) -> usize {
        self.sieve.bytes() + self.by_set.len() * size_of::<Rules>()
    }
}

/// Words of a set of rules, and bits of a word.
const WORDS: usize = 4;
const BITS: usize = u64::BITS as usize;

/// Rules, a bit for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Rules([u64; WORDS]);

impl Rules {
    const NONE: Self = Self([0; WORDS]);
    /// So many rules have a bit: with more of them the look-ups of the index are faster.
    const LIMIT: usize = WORDS * BITS;

    fn add(&mut self, number: usize) {
        self.0[number / BITS] |= 1 << (number % BITS);
    }

    fn remove(&mut self, number: usize) {
        self.0[number / BITS] &= !(1 << (number % BITS));
    }

    fn has(self, number: usize) -> bool {
        self.0[number / BITS] >> (number % BITS) & 1 == 1
    }

    /// The first one.
    fn first(self) -> Option<usize> {
        let word = self.0.iter().position(|&word| word != 0)?;
        Some(word * BITS + self.0[word].trailing_zeros() as usize)
    }

    fn count(self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }
}

impl BitAnd for Rules {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] & other.0[word]))
    }
}

impl BitOr for Rules {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(std::array::from_fn(|word| self.0[word] | other.0[word]))
    }
}

impl Not for Rules {
    type Output = Self;
    fn not(self) -> Self {
        Self(self.0.map(|word| !word))
    }
}

impl BitAndAssign for Rules {
    fn bitand_assign(&mut self, other: Self) {
        *self = *self & other;
    }
}

impl BitOrAssign for Rules {
    fn bitor_assign(&mut self, other: Self) {
        *self = *self | other;
    }
}
