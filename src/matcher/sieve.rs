//! Which of some texts may occur in a message, told from the message as it is: a few instructions for 32 bytes, and no
//! branch.
//!
//! Of each text six bytes side by side are looked for, those that messages hold most rarely. Two texts share a set as long
//! as there are sets; what passes is to be looked for in earnest.

use crate::model::has_folded_letters;

use super::scan::rarest;
use super::vector::sieve::{Bank, SETS, SIDE_BY_SIDE};

/// Texts of a bank: with more of them it is not worth a pass.
const OF_BANK: usize = 2 * SETS;
/// Banks at most, each of which takes a pass.
const BANKS: usize = u64::BITS as usize / SETS;

/// Texts in up to 64 sets.
#[derive(Debug)]
pub(super) struct Sieve {
    banks: Vec<Bank>,
}

impl Sieve {
    /// A sieve of folded texts, and for each of them its set: none for a text without enough ASCII side by side.
    pub(super) fn new(texts: &[&[u8]]) -> (Self, Vec<Option<usize>>) {
        let part = |text: &[u8]| -> Option<[u8; SIDE_BY_SIDE]> {
            let part = text.get(rarest(text, SIDE_BY_SIDE)..)?.first_chunk()?;
            part.is_ascii().then_some(*part)
        };
        let parts: Vec<_> = texts.iter().map(|text| part(text)).collect();
        let mut distinct: Vec<_> = parts.iter().flatten().collect();
        distinct.sort_unstable();
        distinct.dedup();
        let mut banks = vec![Bank::default(); distinct.len().div_ceil(OF_BANK).min(BANKS)];
        // Those that begin alike share a set.
        let set_of = |number: usize| number * banks.len() * SETS / distinct.len();
        let sets = parts.iter().map(|part| distinct.binary_search(&part.as_ref()?).ok().map(set_of));
        let sets: Vec<Option<usize>> = sets.collect();
        for (part, set) in parts.iter().zip(&sets) {
            if let (Some(part), Some(set)) = (part, set) {
                banks[set / SETS].add(set % SETS, *part);
            }
        }
        (Self { banks }, sets)
    }

    /// The sets of which a text may occur, a bit for each; all of them where folding would replace characters.
    pub(super) fn pass(&self, text: &str) -> u64 {
        let mut sets = 0;
        for (number, bank) in self.banks.iter().enumerate() {
            let passed = bank.pass(text.as_bytes());
            if number == 0 && !passed.is_ascii && has_folded_letters(text) {
                return u64::MAX;
            }
            sets |= u64::from(passed.sets) << (number * SETS);
        }
        sets
    }

    pub(super) fn bytes(&self) -> usize {
        self.banks.len() * size_of::<Bank>()
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::Sieve;
    use crate::model::fold_into;

    /// Whatever occurs in the folded form of a message passes.
    #[test]
    fn what_occurs_passes() {
        const WORDS: &[&str] = &[
            "quota",
            "Mailbox",
            " ",
            "K",
            "\u{212a}",
            "s",
            "\u{17f}",
            "é",
            "Übertragung",
            "401",
            ": ",
            "\n",
            "token expired",
        ];
        let text = |rng: &mut Rng, words: usize| -> String {
            (0..rng.usize(1..=words)).map(|_| WORDS[rng.usize(..WORDS.len())]).collect()
        };
        let (mut occurring, mut kept) = (0, 0);
        for seed in 0..4_000 {
            let mut rng = Rng::with_seed(seed);
            let count = if seed % 2 == 0 { 8 } else { 200 };
            let mut texts: Vec<Vec<u8>> = Vec::new();
            for _ in 0..count {
                let mut folded = Vec::new();
                fold_into(&text(&mut rng, 6), &mut folded);
                texts.push(folded);
            }
            let (sieve, sets) = Sieve::new(&texts.iter().map(Vec::as_slice).collect::<Vec<_>>());
            assert_eq!(sets.len(), texts.len());
            let message = text(&mut rng, 40);
            let mut folded = Vec::new();
            fold_into(&message, &mut folded);
            let passed = sieve.pass(&message);
            for (text, set) in texts.iter().zip(sets).filter_map(|(text, set)| Some((text, set?))) {
                let occurs = folded.windows(text.len()).any(|part| part == *text);
                assert!(passed >> set & 1 == 1 || !occurs, "seed {seed}: {text:?} in {message:?}");
                occurring += u32::from(occurs);
                kept += u32::from(passed >> set & 1 == 0);
            }
        }
        assert!(occurring > 10_000 && kept > 10_000, "{occurring} occur, {kept} kept back");
    }
}
