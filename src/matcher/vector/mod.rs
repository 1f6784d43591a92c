//! What is done to many bytes of a message at once: the one room with `unsafe` in it.
//!
//! Each of these works without it where the processor has no AVX2, and the tests compare both ways:
//! `RUSTFLAGS=-Ctarget-feature=+avx2 cargo +nightly miri test --lib vector` interprets every instruction of them.

mod case;
mod classes;
#[cfg(target_arch = "x86_64")]
mod registers;
pub(super) mod sieve;
pub(super) mod windows;

pub(super) use case::push_lower;
pub(super) use classes::{Fitting, SETS, SIDE_BY_SIDE};

/// Whether the processor has AVX2: all of this is done by vector code then.
pub(super) fn has_avx2() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx2");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use fastrand::Rng;

    use super::sieve::{self, Bank};
    use super::windows::{self, Hashing, Marks, Wanted};
    use super::{Fitting, SETS, SIDE_BY_SIDE, push_lower};

    /// Fewer where every instruction is interpreted.
    const ROUNDS: u32 = if cfg!(miri) { 8 } else { 4_000 };

    /// Few different bytes, so that windows and classes are met often; some of the longest texts end at a block.
    fn text(rng: &mut Rng) -> Vec<u8> {
        let length = if rng.bool() { rng.usize(..40) } else { rng.usize(..300) };
        (0..length).map(|_| b"ab1-Z[\xC3\xFF"[rng.usize(..8)]).collect()
    }

    /// The bytes of a window as a number, the first one the lowest.
    fn number(window: &[u8]) -> u64 {
        window.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte))
    }

    /// With the instructions of the processor and without: the same windows, at each place once.
    #[test]
    fn windows_are_the_same_both_ways() {
        let (mut marked, mut missed) = (0, 0);
        for seed in 0..ROUNDS {
            let mut rng = Rng::with_seed(seed.into());
            let text = text(&mut rng);
            let hashing = if seed % 3 == 0 { Hashing::Single } else { Hashing::Lanes };
            let [mut long, mut short] = [(); 2].map(|()| Marks::hashed_by(hashing, rng.usize(..20_000)));
            let behind = |at: usize| {
                let behind = text.iter().skip(at + windows::LONG).take(windows::BEHIND);
                (0..).zip(behind).fold(0, |number, (place, &byte)| number | u32::from(byte) << (8 * place))
            };
            for (at, window) in text.windows(windows::LONG).enumerate() {
                match rng.u8(..16) {
                    0 => long.mark(number(window), None),
                    1 => long.mark(number(window), Some(behind(at))),
                    _ => {}
                }
            }
            for window in text.windows(windows::SHORT).filter(|_| rng.u8(..8) == 0) {
                short.mark(number(window), None);
            }
            let wanted = Wanted { long: rng.bool().then_some(&long), short: rng.bool().then_some(&short) };
            let (mut quick, mut plain, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            windows::each_hit(&wanted, &text, |hits| quick.push(hits));
            windows::each_hit_plainly(&wanted, &text, |hits| plain.push(hits));
            assert_eq!(quick, plain, "seed {seed}");
            for length in [windows::LONG, windows::SHORT] {
                let places = text.windows(length).enumerate().step_by(windows::STRIDE);
                let is_marked = |&(at, window): &(usize, &[u8])| match length {
                    windows::LONG => wanted.long.is_some_and(|marks| marks.may_hold(number(window), behind(at))),
                    _ => wanted.short.is_some_and(|marks| marks.may_hold_short(number(window))),
                };
                expected.extend(places.filter(is_marked).map(|(place, _)| (length, place)));
                missed += text.len();
            }
            let bits = |bits: u32, start: usize| {
                super::super::runs::each_bit(bits.into()).map(move |bit| start + bit * windows::STRIDE)
            };
            let long = quick.iter().flat_map(|hits| bits(hits.long, hits.start)).map(|place| (windows::LONG, place));
            let short = quick.iter().flat_map(|hits| bits(hits.short, hits.start)).map(|place| (windows::SHORT, place));
            assert_eq!(long.chain(short).collect::<Vec<_>>(), expected, "seed {seed}");
            marked += expected.len();
        }
        assert!(marked > ROUNDS as usize / 4 && missed > 4 * marked, "{marked} windows of {missed}");
    }

    /// With the instructions of the processor and without: the same places, each that fits, until it is enough.
    #[test]
    fn classes_fit_the_same_places_both_ways() {
        let (mut fitting_places, mut looked_at) = (0, 0);
        for seed in 0..ROUNDS {
            let mut rng = Rng::with_seed(seed.into());
            let text = text(&mut rng);
            let mut fitting = Fitting::default();
            let mut classes = Vec::new();
            for _ in 0..rng.usize(1..12) {
                let set = rng.usize(..SETS);
                let class: Vec<Vec<u8>> = (0..SIDE_BY_SIDE)
                    .map(|_| (0..rng.usize(1..4)).map(|_| b"ab1-Z[\xC3\xFF"[rng.usize(..8)]).collect())
                    .collect();
                for (place, bytes) in class.iter().enumerate() {
                    fitting.add(set, place, |byte| bytes.contains(&byte));
                }
                classes.push((set, class));
            }
            let (wanted, most) = (rng.u8(..), rng.usize(1..20));
            let collect = |is_plain: bool| {
                let mut places = Vec::new();
                let found = |place: usize| {
                    places.push(place);
                    if places.len() == most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                };
                let _ = if is_plain {
                    fitting.each_plainly(wanted, &text, found)
                } else {
                    fitting.each(wanted, &text, found)
                };
                places
            };
            let places = collect(false);
            assert_eq!(places, collect(true), "seed {seed}");
            let last = if places.len() == most { places[most - 1] } else { usize::MAX };
            for (at, bytes) in text.windows(SIDE_BY_SIDE).enumerate().filter(|(at, _)| *at <= last) {
                let fits = |(set, class): &(usize, Vec<Vec<u8>>)| {
                    wanted >> set & 1 == 1 && class.iter().zip(bytes).all(|(class, byte)| class.contains(byte))
                };
                assert!(!classes.iter().any(fits) || places.contains(&at), "seed {seed}: {at}");
                looked_at += 1;
            }
            fitting_places += places.len();
        }
        assert!(fitting_places > ROUNDS as usize / 4 && looked_at > fitting_places, "{fitting_places} of {looked_at}");
    }

    /// With the instructions of the processor and without: the same sets, each of which something stands in the text, in
    /// either case.
    #[test]
    fn sieves_let_the_same_through_both_ways() {
        let (mut passed, mut kept) = (0, 0);
        for seed in 0..ROUNDS {
            let mut rng = Rng::with_seed(seed.into());
            let text = text(&mut rng);
            let mut bank = Bank::default();
            let mut added = Vec::new();
            for _ in 0..rng.usize(1..12) {
                let bytes: [u8; sieve::SIDE_BY_SIDE] = std::array::from_fn(|_| b"ab1-z["[rng.usize(..6)]);
                let found = text.windows(bytes.len()).nth(rng.usize(..=text.len())).filter(|part| part.is_ascii());
                let bytes = found.and_then(|part| part.first_chunk().copied()).filter(|_| rng.bool()).unwrap_or(bytes);
                added.push((rng.usize(..sieve::SETS), bytes));
            }
            for &(set, bytes) in &added {
                bank.add(set, bytes);
            }
            let answer = bank.pass(&text);
            assert_eq!(answer, bank.pass_plainly(&text), "seed {seed}");
            assert_eq!(answer.is_ascii, text.is_ascii(), "seed {seed}");
            for (set, bytes) in added {
                let stands = text.windows(bytes.len()).any(|part| part.eq_ignore_ascii_case(&bytes));
                assert!(answer.sets >> set & 1 == 1 || !stands, "seed {seed}: {bytes:?}");
                passed += u32::from(stands);
                kept += u32::from(answer.sets >> set & 1 == 0);
            }
        }
        assert!(passed > ROUNDS / 4 && kept > ROUNDS, "{passed} passed, {kept} kept back");
    }

    #[test]
    fn letters_become_small() {
        for length in 0..if cfg!(miri) { 70 } else { 300 } {
            let bytes: Vec<u8> =
                (0..length).map(|place| u8::try_from((place * 7 + length) % 256).unwrap_or(0)).collect();
            let ascii: Vec<u8> = bytes.iter().map(|byte| byte & 0x7F).collect();
            // One byte beyond ASCII, anywhere.
            let mut nearly = ascii.clone();
            nearly.get_mut(length / 3).into_iter().for_each(|byte| *byte |= 0x80);
            for bytes in [bytes, ascii, nearly] {
                let mut lower = b"KEEP".to_vec();
                assert_eq!(push_lower(&bytes, &mut lower), bytes.is_ascii());
                assert_eq!(lower, [b"KEEP".as_slice(), &bytes.to_ascii_lowercase()].concat());
            }
        }
    }
}
