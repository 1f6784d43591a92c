//! The engines that one would take without this crate, and the floor under all of them.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use aho_corasick::packed;
use faultbook::{Failure, Rule};
use regex::{RegexSet, RegexSetBuilder};

use super::engine::{Built, Case, Engine, Facts};
use super::prepared::Prepared;

/// All patterns in one `RegexSet`, then the ordered check with its answers.
struct OneSet {
    prepared: Prepared,
    set: RegexSet,
    found: Vec<bool>,
}

/// With the limits that the crate has by default.
pub fn one_set(rules: &[Rule]) -> Built {
    let prepared = Prepared::new(rules)?;
    let set = RegexSet::new(&prepared.patterns)?;
    Ok(OneSet::boxed(prepared, set))
}

/// With 256 MiB for the states of its lazy automaton, and room for a larger program.
pub fn one_large_set(rules: &[Rule]) -> Built {
    let prepared = Prepared::new(rules)?;
    let set = RegexSetBuilder::new(&prepared.patterns).size_limit(256 << 20).dfa_size_limit(256 << 20).build()?;
    Ok(OneSet::boxed(prepared, set))
}

impl OneSet {
    fn boxed(prepared: Prepared, set: RegexSet) -> Box<dyn Engine> {
        Box::new(Self { found: vec![false; prepared.patterns.len()], prepared, set })
    }

    fn run(&mut self, facts: &Facts<'_>) -> Option<usize> {
        self.found.fill(false);
        for text in &facts.texts {
            for pattern in &self.set.matches(text) {
                self.found[pattern] = true;
            }
        }
        self.prepared.first(facts, |pattern| self.found[pattern])
    }
}

impl Engine for OneSet {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        self.run(&case.facts)
    }

    fn first_of(&mut self, failure: &Failure) -> Option<usize> {
        self.run(&Facts::new(failure))
    }
}

/// All patterns behind the literal filter of `regex-filtered`, then the ordered check.
struct Filtered {
    prepared: Prepared,
    regexes: regex_filtered::Regexes,
    found: Vec<bool>,
}

pub fn filtered(rules: &[Rule]) -> Built {
    let prepared = Prepared::new(rules)?;
    let regexes = regex_filtered::Builder::new().push_all(&prepared.patterns)?.build()?;
    Ok(Box::new(Filtered { found: vec![false; prepared.patterns.len()], prepared, regexes }))
}

impl Filtered {
    fn run(&mut self, facts: &Facts<'_>) -> Option<usize> {
        self.found.fill(false);
        for text in &facts.texts {
            for (pattern, _) in self.regexes.matching(text) {
                self.found[pattern] = true;
            }
        }
        self.prepared.first(facts, |pattern| self.found[pattern])
    }
}

impl Engine for Filtered {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        self.run(&case.facts)
    }

    fn first_of(&mut self, failure: &Failure) -> Option<usize> {
        self.run(&Facts::new(failure))
    }
}

/// The least that any engine must do: look once for eight literals, and look up one name. It answers nothing.
struct Floor {
    searcher: packed::Searcher,
    names: HashMap<&'static str, usize, BuildHasherDefault<Folding>>,
}

pub fn floor(_rules: &[Rule]) -> Built {
    // None of them begins like a word of the vocabulary: false beginnings would raise the floor.
    let literals = [
        "AADSTS700016",
        "Kerberos ticket",
        "Winsock error",
        "HRESULT: 0x",
        "XmlException",
        "ORA-12541",
        "Zertifikat",
        "Quorum lost",
    ];
    let searcher = packed::Searcher::new(literals).ok_or("no packed search on this processor")?;
    let names = ["System.TimeoutException", "System.Net.WebException", "System.IO.IOException"];
    Ok(Box::new(Floor { searcher, names: names.into_iter().zip(0..).collect() }))
}

impl Floor {
    fn run(&self, texts: impl Iterator<Item = impl AsRef<[u8]>>, name: &str) -> Option<usize> {
        let mut texts = texts;
        let found = texts.any(|text| self.searcher.find(&text).is_some());
        self.names.get(name).copied().filter(|_| found)
    }
}

impl Engine for Floor {
    fn first(&mut self, case: &Case<'_>) -> Option<usize> {
        let name = case.facts.types.first().map_or("", |sent| sent.name.full());
        self.run(case.facts.texts.iter(), name)
    }

    fn first_of(&mut self, failure: &Failure) -> Option<usize> {
        let texts = failure.exceptions.iter().filter_map(|exception| exception.message.as_deref());
        let name = failure.exceptions.first().and_then(|exception| exception.type_name.as_deref());
        self.run(texts.chain(failure.message.as_deref()), name.unwrap_or_default())
    }
}

/// A hash of a few instructions for eight bytes: the floor shall not pay for a better one.
#[derive(Default)]
struct Folding(u64);

impl Hasher for Folding {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(word)).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
    }

    fn finish(&self) -> u64 {
        self.0.rotate_left(26)
    }
}
