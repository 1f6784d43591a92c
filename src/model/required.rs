//! What every match of a pattern contains: texts of which one must occur, and a run of bytes of given classes.
//!
//! A filter that looks for these first needs the regular expression only where it could match. Both are stated on the
//! folded text ([`fold_into`]): whatever the case of a pattern, one form of the text serves all of them.

use regex_syntax::hir::{Class, Hir, HirKind};

/// Texts that are multiplied out at most; more of them are a worse filter than a shorter text.
const TEXTS: usize = 32;
/// Members of a class that are multiplied out at most.
const MEMBERS: usize = 4;
/// Bytes of a required text; what is longer is cut, the first bytes tell enough.
const TEXT_BYTES: usize = 48;
/// Classes of a run at most.
const RUN_BYTES: usize = 6;
/// Bits of information below which a text is no filter: it would let most messages through.
const TEXT_BITS: f32 = 15.0;
/// The same for a run of classes.
const RUN_BITS: f32 = 5.0;

/// What every match of a pattern contains, in the folded text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// One of these texts; empty when nothing is known.
    pub texts: Vec<Box<[u8]>>,
    /// Bytes of these classes side by side.
    pub run: Option<Run>,
}

/// Bytes of given classes side by side.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Run(Box<[Bytes]>);

/// A class of folded bytes: two ranges, both ends included; equal ones for a single range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Bytes {
    first: (u8, u8),
    second: (u8, u8),
}

impl Requirement {
    /// The requirement of a pattern.
    #[must_use]
    pub fn of(hir: &Hir) -> Self {
        let mut texts = Texts::of(hir).required.unwrap_or_default();
        if bits(&texts) < TEXT_BITS {
            texts.clear();
        }
        Self { texts: texts.into_iter().map(Vec::into_boxed_slice).collect(), run: Run::of(hir) }
    }

    /// The requirement of a literal.
    #[must_use]
    pub fn of_literal(literal: &str) -> Self {
        let mut folded = Vec::new();
        fold_into(literal, &mut folded);
        folded.truncate(TEXT_BYTES);
        let texts = vec![folded];
        let is_filter = bits(&texts) >= TEXT_BITS;
        Self { texts: texts.into_iter().filter(|_| is_filter).map(Vec::into_boxed_slice).collect(), run: None }
    }
}

/// Appends a text in its folded form: ASCII letters in lower case, and the two characters that match an ASCII letter
/// when case is ignored (U+212A KELVIN SIGN and U+017F LATIN SMALL LETTER LONG S, Unicode `CaseFolding.txt`) as that
/// letter.
pub fn fold_into(text: &str, folded: &mut Vec<u8>) {
    let start = folded.len();
    if text.is_ascii() || !text.contains(['\u{212A}', '\u{17F}']) {
        folded.extend_from_slice(text.as_bytes());
    } else {
        let mut buffer = [0; 4];
        for c in text.chars() {
            folded.extend_from_slice(fold(c).encode_utf8(&mut buffer).as_bytes());
        }
    }
    folded[start..].make_ascii_lowercase();
}

fn fold(c: char) -> char {
    match c {
        '\u{212A}' => 'k',
        '\u{17F}' => 's',
        c => c.to_ascii_lowercase(),
    }
}

/// What is known about the texts that a part of a pattern matches.
struct Texts {
    /// All of them, when they are few.
    exact: Option<Vec<Vec<u8>>>,
    /// How each of them begins, and how it ends; the empty text where nothing is known.
    prefix: Vec<Vec<u8>>,
    suffix: Vec<Vec<u8>>,
    /// Texts of which each of them contains one.
    required: Option<Vec<Vec<u8>>>,
}

impl Texts {
    fn unknown() -> Self {
        Self { exact: None, prefix: vec![Vec::new()], suffix: vec![Vec::new()], required: None }
    }

    fn exactly(texts: Vec<Vec<u8>>) -> Self {
        Self { prefix: texts.clone(), suffix: texts.clone(), required: usable(&texts), exact: Some(texts) }
    }

    fn of(hir: &Hir) -> Self {
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => Self::exactly(vec![Vec::new()]),
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => {
                    let mut folded = Vec::new();
                    fold_into(text, &mut folded);
                    Self::exactly(vec![folded])
                }
                Err(_) => Self::unknown(),
            },
            HirKind::Class(class) => members(class).map_or_else(Self::unknown, Self::exactly),
            HirKind::Capture(capture) => Self::of(&capture.sub),
            HirKind::Repetition(repetition) => {
                let once = Self::of(&repetition.sub);
                match (repetition.min, repetition.max) {
                    (0, Some(1)) => match once.exact {
                        Some(mut exact) => {
                            exact.push(Vec::new());
                            Self::exactly(exact)
                        }
                        None => Self::unknown(),
                    },
                    (0, _) => Self::unknown(),
                    (1, Some(1)) => once,
                    _ => Self { exact: None, ..once },
                }
            }
            HirKind::Concat(parts) => Self::concat(parts),
            HirKind::Alternation(branches) => Self::alternation(branches),
        }
    }

    fn concat(parts: &[Hir]) -> Self {
        let mut best: Option<Vec<Vec<u8>>> = None;
        let mut consider = |texts: Option<Vec<Vec<u8>>>| {
            if let Some(texts) = texts.as_ref().and_then(|texts| usable(texts))
                && best.as_ref().is_none_or(|best| bits(&texts) > bits(best))
            {
                best = Some(texts);
            }
        };
        let mut current = vec![Vec::new()];
        let mut prefix = None;
        for part in parts {
            let part = Self::of(part);
            let exact = part.exact.as_ref().and_then(|exact| product(&current, exact));
            if let Some(longer) = exact {
                current = longer;
                continue;
            }
            let begun = product(&current, &part.prefix).unwrap_or_else(|| current.clone());
            consider(Some(begun.clone()));
            prefix.get_or_insert(begun);
            consider(part.required);
            current = part.suffix;
        }
        consider(Some(current.clone()));
        match prefix {
            None => Self::exactly(current),
            Some(prefix) => Self { exact: None, prefix, suffix: current, required: best },
        }
    }

    fn alternation(branches: &[Hir]) -> Self {
        let branches: Vec<Self> = branches.iter().map(Self::of).collect();
        let union = |part: fn(&Self) -> Option<&Vec<Vec<u8>>>| -> Option<Vec<Vec<u8>>> {
            let mut all = Vec::new();
            for branch in &branches {
                all.extend_from_slice(part(branch)?);
            }
            let all = distinct(all);
            (all.len() <= TEXTS).then_some(all)
        };
        if let Some(exact) = union(|branch| branch.exact.as_ref()) {
            return Self::exactly(exact);
        }
        let open = || vec![Vec::new()];
        Self {
            exact: None,
            prefix: union(|branch| Some(&branch.prefix)).unwrap_or_else(open),
            suffix: union(|branch| Some(&branch.suffix)).unwrap_or_else(open),
            required: union(|branch| branch.required.as_ref()),
        }
    }
}

/// The members of a small class, folded.
fn members(class: &Class) -> Option<Vec<Vec<u8>>> {
    let mut members: Vec<char> = Vec::new();
    match class {
        Class::Unicode(class) => {
            for range in class.iter() {
                for c in range.start()..=range.end() {
                    if members.len() > 2 * MEMBERS {
                        return None;
                    }
                    members.push(fold(c));
                }
            }
        }
        Class::Bytes(class) => {
            for range in class.iter() {
                for byte in range.start()..=range.end() {
                    if !byte.is_ascii() || members.len() > 2 * MEMBERS {
                        return None;
                    }
                    members.push(fold(char::from(byte)));
                }
            }
        }
    }
    let members = distinct(members.into_iter().map(|c| c.to_string().into_bytes()).collect());
    (members.len() <= MEMBERS).then_some(members)
}

fn distinct(mut texts: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
    texts.sort_unstable();
    texts.dedup();
    texts
}

/// Every text of the first with every text of the second behind it; `None` when they are too many or too long.
fn product(first: &[Vec<u8>], second: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    let longest = |texts: &[Vec<u8>]| texts.iter().map(Vec::len).max().unwrap_or_default();
    if first.len() * second.len() > TEXTS || longest(first) + longest(second) > 4 * TEXT_BYTES {
        return None;
    }
    let all = first.iter().flat_map(|start| second.iter().map(move |end| [start.as_slice(), end].concat())).collect();
    Some(distinct(all))
}

/// The texts as a filter: none is empty, none contains another, none is longer than needed.
fn usable(texts: &[Vec<u8>]) -> Option<Vec<Vec<u8>>> {
    if texts.is_empty() || texts.iter().any(Vec::is_empty) {
        return None;
    }
    let cut = |text: &Vec<u8>| text[..text.len().min(TEXT_BYTES)].to_vec();
    let mut kept: Vec<Vec<u8>> = Vec::new();
    let mut by_length: Vec<Vec<u8>> = texts.iter().map(cut).collect();
    by_length.sort_unstable_by_key(Vec::len);
    for text in by_length {
        if !kept.iter().any(|shorter| text.windows(shorter.len()).any(|window| window == shorter.as_slice())) {
            kept.push(text);
        }
    }
    Some(kept)
}

/// How much is known when one of the texts occurs: the least telling one decides, and each of them adds to the chance.
#[expect(clippy::cast_precision_loss, reason = "a few dozen")]
fn bits(texts: &[Vec<u8>]) -> f32 {
    let least = texts.iter().map(|text| text.iter().map(|&b| byte_bits(b)).sum()).reduce(f32::min);
    least.map_or(0.0, |least| least - (texts.len() as f32).log2())
}

/// Roughly how rare a byte is in messages of programs.
pub(crate) fn byte_bits(byte: u8) -> f32 {
    match byte {
        b' ' => 2.6,
        b'e' | b't' | b'o' | b'r' | b'i' | b'n' | b'a' | b's' => 3.8,
        b'c' | b'd' | b'l' | b'm' | b'p' | b'u' | b'h' | b'f' | b'.' => 4.8,
        b'0'..=b'9' | b'b' | b'g' | b'v' | b'w' | b'y' | b':' | b'-' | b'/' | b',' => 5.8,
        _ => 7.5,
    }
}

impl Run {
    /// The most telling run of classes that stand side by side in every match.
    fn of(hir: &Hir) -> Option<Self> {
        let mut runs = vec![Vec::new()];
        collect(hir, &mut runs);
        let windows = runs.iter().flat_map(|run| (0..run.len()).map(move |at| &run[at..run.len().min(at + RUN_BYTES)]));
        let bits = |window: &[Bytes]| window.iter().map(|class| class.bits()).sum::<f32>();
        let best = windows.max_by(|a, b| bits(a).total_cmp(&bits(b)).then(b.len().cmp(&a.len())))?;
        (bits(best) >= RUN_BITS && best.len() > 1).then(|| Self(best.into()))
    }

    /// Whether the run occurs in a folded text.
    #[must_use]
    pub fn occurs_in(&self, folded: &[u8]) -> bool {
        /// Places that are tested at once: the compiler makes vector code of the loops over them.
        const LANES: usize = 64;
        let Some(last) = folded.len().checked_sub(self.0.len()) else { return false };
        let mut at = 0;
        while at + LANES <= last + 1 {
            let mut hits = [0xFF_u8; LANES];
            for (offset, class) in self.0.iter().enumerate() {
                let Some((text, _)) = folded[at + offset..].split_first_chunk::<LANES>() else { return true };
                class.keep(text, &mut hits);
            }
            if hits.iter().fold(0, |any, &hit| any | hit) != 0 {
                return true;
            }
            at += LANES;
        }
        (at..=last).any(|at| self.0.iter().zip(&folded[at..]).all(|(class, &byte)| class.holds(byte)))
    }
}

impl Bytes {
    fn holds(self, byte: u8) -> bool {
        let within = |(low, high): (u8, u8)| byte.wrapping_sub(low) <= high - low;
        within(self.first) || within(self.second)
    }

    /// Takes back the hits where the byte is none of the class.
    fn keep<const N: usize>(self, text: &[u8; N], hits: &mut [u8; N]) {
        let (low, span) = (self.first.0, self.first.1 - self.first.0);
        if self.first == self.second {
            for (hit, &byte) in hits.iter_mut().zip(text) {
                *hit &= if byte.wrapping_sub(low) <= span { 0xFF } else { 0 };
            }
        } else {
            let (other, other_span) = (self.second.0, self.second.1 - self.second.0);
            for (hit, &byte) in hits.iter_mut().zip(text) {
                let is_in = byte.wrapping_sub(low) <= span || byte.wrapping_sub(other) <= other_span;
                *hit &= if is_in { 0xFF } else { 0 };
            }
        }
    }

    /// How much is known when a byte is of the class.
    fn bits(self) -> f32 {
        let known = (0..=u8::MAX).filter(|&byte| self.holds(byte)).map(|byte| (-byte_bits(byte)).exp2()).sum::<f32>();
        (-known.min(1.0).log2()).max(0.0)
    }

    /// The class that holds all of some folded bytes, and as few others as two ranges allow.
    fn covering(bytes: &[u8]) -> Option<Self> {
        let mut ranges: Vec<(u8, u8)> = Vec::new();
        for &byte in bytes {
            match ranges.last_mut() {
                Some((_, high)) if byte <= high.saturating_add(1) => *high = byte,
                _ => ranges.push((byte, byte)),
            }
        }
        while ranges.len() > 2 {
            let narrowest = (1..ranges.len()).min_by_key(|&at| ranges[at].0 - ranges[at - 1].1)?;
            ranges[narrowest - 1].1 = ranges[narrowest].1;
            ranges.remove(narrowest);
        }
        Some(Self { first: *ranges.first()?, second: *ranges.last()? })
    }
}

/// Appends the classes of a pattern to the last run, and begins a new one where anything may stand in between.
fn collect(hir: &Hir, runs: &mut Vec<Vec<Bytes>>) {
    let classes = |class: &Class| -> Option<Bytes> {
        let mut bytes = Vec::new();
        let mut add = |start: char, end: char| {
            let all_ascii = end.is_ascii() || (start..=end).all(|c| fold(c).is_ascii());
            all_ascii.then(|| bytes.extend((start..=end).filter_map(|c| u8::try_from(fold(c)).ok())))
        };
        match class {
            Class::Unicode(class) => {
                for range in class.iter() {
                    if u32::from(range.end()) - u32::from(range.start()) > 0x200 {
                        return None;
                    }
                    add(range.start(), range.end())?;
                }
            }
            Class::Bytes(class) => {
                for range in class.iter() {
                    if !range.end().is_ascii() {
                        return None;
                    }
                    add(char::from(range.start()), char::from(range.end()))?;
                }
            }
        }
        bytes.sort_unstable();
        bytes.dedup();
        Bytes::covering(&bytes)
    };
    let mut push = |class: Option<Bytes>| match (class, runs.last_mut()) {
        (Some(class), Some(run)) => run.push(class),
        _ => runs.push(Vec::new()),
    };
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => {
            let mut folded = Vec::new();
            if let Ok(text) = std::str::from_utf8(&literal.0) {
                fold_into(text, &mut folded);
            }
            if folded.is_empty() {
                push(None);
            }
            for byte in folded {
                push(Some(Bytes { first: (byte, byte), second: (byte, byte) }));
            }
        }
        HirKind::Class(class) => push(classes(class)),
        HirKind::Capture(capture) => collect(&capture.sub, runs),
        HirKind::Concat(parts) => parts.iter().for_each(|part| collect(part, runs)),
        HirKind::Alternation(_) => push(None),
        HirKind::Repetition(repetition) => {
            let times = usize::try_from(repetition.min).map_or(RUN_BYTES, |min| min.min(RUN_BYTES));
            for _ in 0..times {
                collect(&repetition.sub, runs);
            }
            if repetition.max != Some(repetition.min) || times == RUN_BYTES {
                runs.push(Vec::new());
                // What repeats at least once also stands in front of what follows.
                for _ in 0..times {
                    collect(&repetition.sub, runs);
                }
            }
        }
    }
}
