//! Texts that are looked for without regard to ASCII case: conditions, sequences and hints all come down to that.

use memchr::memchr2_iter;

use super::required::byte_bits;

/// Bytes that are looked at together.
const BLOCK: usize = 32;

type Block = [u8; BLOCK];

/// A text that is looked for without regard to ASCII case.
#[derive(Debug, Clone)]
pub(crate) struct AnyCase {
    /// In lower case.
    text: Box<[u8]>,
    /// The two bytes of it that are rarest in messages. Only where both stand the rest is compared.
    rarest: [Telling; 2],
}

/// A byte of the text that is looked for first.
#[derive(Debug, Clone, Copy)]
struct Telling {
    place: usize,
    byte: u8,
    /// The bit that tells a small letter from a capital one; nothing for what is no letter.
    case: u8,
}

impl Telling {
    fn is(self, byte: u8) -> bool {
        byte | self.case == self.byte
    }
}

impl AnyCase {
    /// The finder of a text in whatever case.
    pub(crate) fn new(text: &[u8]) -> Self {
        let text: Box<[u8]> = text.to_ascii_lowercase().into();
        let mut places: Vec<usize> = (0..text.len()).collect();
        places.sort_by(|&a, &b| byte_bits(text[b]).total_cmp(&byte_bits(text[a])));
        let telling = |place: Option<&usize>| {
            let place = place.copied().unwrap_or_default();
            let byte = text.get(place).copied().unwrap_or_default();
            Telling { place, byte, case: if byte.is_ascii_lowercase() { 0x20 } else { 0 } }
        };
        let rarest = [telling(places.first()), telling(places.get(1).or(places.first()))];
        Self { text, rarest }
    }

    /// The text, in lower case.
    pub(crate) fn text(&self) -> &[u8] {
        &self.text
    }

    /// The first place where the text occurs.
    pub(crate) fn find(&self, hay: &[u8]) -> Option<usize> {
        if self.text.is_empty() {
            return Some(0);
        }
        // As many places as the text may begin at.
        let count = hay.len().checked_sub(self.text.len())? + 1;
        let [first, second] = self.rarest;
        let firsts = hay.get(first.place..first.place + count)?;
        let seconds = hay.get(second.place..second.place + count)?;
        let is_at = |at: usize| {
            first.is(firsts[at])
                && second.is(seconds[at])
                && hay[at..at + self.text.len()].eq_ignore_ascii_case(&self.text)
        };
        // Without an early end, so that a block takes a few instructions.
        let both = |any: bool, (one, other): (&u8, &u8)| any | (first.is(*one) & second.is(*other));
        let is_in = |one: &Block, other: &Block| one.iter().zip(other).fold(false, both);
        let (blocks, rest) = firsts.as_chunks();
        let (others, other_rest) = seconds.as_chunks();
        for (start, (one, other)) in (0..).step_by(BLOCK).zip(blocks.iter().zip(others)) {
            if is_in(one, other)
                && let Some(at) = (start..start + BLOCK).find(|&at| is_at(at))
            {
                return Some(at);
            }
        }
        let [mut one, mut other] = [[0; BLOCK]; 2];
        one[..rest.len()].copy_from_slice(rest);
        other[..rest.len()].copy_from_slice(other_rest);
        if is_in(&one, &other) { (count - rest.len()..count).find(|&at| is_at(at)) } else { None }
    }
}

/// Whether a text has one of the two letters beyond ASCII that are folded to one of ASCII (`required::fold_into`).
pub(crate) fn has_folded_letters(text: &str) -> bool {
    let text = text.as_bytes();
    memchr2_iter(0xc5, 0xe2, text).any(|at| matches!(text[at..], [0xc5, 0xbf, ..] | [0xe2, 0x84, 0xaa, ..]))
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::AnyCase;

    /// The first place is found wherever it is, in texts of all lengths.
    #[test]
    fn finds_what_a_comparison_of_each_place_finds() {
        let mut found = 0;
        for seed in 0..20_000 {
            let mut rng = Rng::with_seed(seed);
            let lengths = [rng.usize(1..6), rng.usize(0..71)];
            let [needle, hay] =
                lengths.map(|length| -> Vec<u8> { (0..length).map(|_| b"aAbB@`\xe2"[rng.usize(..7)]).collect() });
            let expected = hay.windows(needle.len()).position(|part| part.eq_ignore_ascii_case(&needle));
            assert_eq!(AnyCase::new(&needle).find(&hay), expected, "seed {seed}: {needle:?} in {hay:?}");
            found += usize::from(expected.is_some());
        }
        assert!(found > 3_000, "{found}");
    }
}
