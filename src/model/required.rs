//! What every match of a pattern contains: texts of which one must occur, and a run of bytes of given classes.
//!
//! A filter that looks for these first needs the regular expression only where it could match. Both are stated on the
//! folded text ([`fold_into`]): whatever the case of a pattern, one form of the text serves all of them.

use std::sync::LazyLock;

use regex_syntax::hir::{Class, Hir, HirKind, Look};

/// Texts that are multiplied out at most; more of them are a worse filter than a shorter text.
const TEXTS: usize = 32;
/// Members of a class that are multiplied out at most.
const MEMBERS: usize = 4;
/// Repetitions of a text that are written out at most.
const REPEATS: usize = 8;
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
pub struct Run {
    classes: Box<[Bytes]>,
    /// The places of the classes, those that fewest bytes are of first.
    rarest_first: Box<[usize]>,
}

/// A class of folded bytes: two ranges, both ends included; equal ones for a single range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Bytes {
    pub(crate) first: (u8, u8),
    pub(crate) second: (u8, u8),
    /// Whether the class is all other bytes.
    pub(crate) is_negated: bool,
}

impl Requirement {
    /// The requirement of a pattern.
    #[must_use]
    pub fn of(hir: &Hir) -> Self {
        Self { texts: texts(hir, TEXT_BITS), run: Run::of(hir) }
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

/// Texts of which every match of a pattern contains one in its folded form; empty when they would tell less than so many
/// bits.
pub(crate) fn texts(hir: &Hir, least_bits: f32) -> Vec<Box<[u8]>> {
    let texts = Texts::of(hir).required.filter(|texts| bits(texts) >= least_bits);
    texts.into_iter().flatten().map(Vec::into_boxed_slice).collect()
}

/// Appends a text in its folded form, and says whether only the case of ASCII letters was changed: ASCII letters in lower case, and the two characters that match an ASCII letter
/// when case is ignored (U+212A KELVIN SIGN and U+017F LATIN SMALL LETTER LONG S, Unicode `CaseFolding.txt`) as that
/// letter.
pub fn fold_into(text: &str, folded: &mut Vec<u8>) -> bool {
    let start = folded.len();
    let is_plain = text.is_ascii() || !text.contains(['\u{212A}', '\u{17F}']);
    if is_plain {
        folded.extend(text.as_bytes().iter().map(u8::to_ascii_lowercase));
    } else {
        let mut buffer = [0; 4];
        for c in text.chars() {
            folded.extend_from_slice(fold(c).encode_utf8(&mut buffer).as_bytes());
        }
        folded[start..].make_ascii_lowercase();
    }
    is_plain
}

/// Whether no match of a pattern holds a line end, nor depends on where the text begins or ends beside a line end: then
/// it matches in one of several texts exactly when it matches in all of them with a line end around each.
pub(crate) fn stays_on_line(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty => true,
        HirKind::Literal(literal) => !literal.0.contains(&b'\n'),
        HirKind::Class(Class::Unicode(class)) => {
            class.iter().all(|range| !(range.start()..=range.end()).contains(&'\n'))
        }
        HirKind::Class(Class::Bytes(class)) => {
            class.iter().all(|range| !(range.start()..=range.end()).contains(&b'\n'))
        }
        HirKind::Look(look) => !matches!(look, Look::Start | Look::End | Look::StartCRLF | Look::EndCRLF),
        HirKind::Repetition(repetition) => stays_on_line(&repetition.sub),
        HirKind::Capture(capture) => stays_on_line(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().all(stays_on_line),
    }
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

    /// A text, so many times or more often.
    fn repeated(text: &[u8], min: u32, is_exact: bool) -> Self {
        let times = usize::try_from(min).map_or(REPEATS, |min| min.min(REPEATS));
        let all = Self::exactly(vec![text.repeat(times)]);
        if is_exact && times == min as usize { all } else { Self { exact: None, ..all } }
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
                    (min, max) => match once.exact.as_deref() {
                        Some([text]) => Self::repeated(text, min, max == Some(min)),
                        _ => Self { exact: None, ..once },
                    },
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
        b'b' | b'g' | b'v' | b'w' | b'y' | b':' | b'-' | b'/' | b',' => 5.8,
        b'0'..=b'9' => 7.0,
        _ => 7.5,
    }
}

impl Run {
    /// The most telling run of classes that stand side by side in every match.
    fn of(hir: &Hir) -> Option<Self> {
        let mut collector = Collector::default();
        collector.collect(hir);
        collector.end();
        let runs = collector.runs;
        let weighed: Vec<Vec<(Bytes, f32)>> =
            runs.into_iter().map(|run| run.into_iter().map(|class| (class, class.bits())).collect()).collect();
        let windows =
            weighed.iter().flat_map(|run| (0..run.len()).map(move |at| &run[at..run.len().min(at + RUN_BYTES)]));
        let bits = |window: &[(Bytes, f32)]| window.iter().map(|(_, bits)| bits).sum::<f32>();
        let best = windows.max_by(|a, b| bits(a).total_cmp(&bits(b)).then(b.len().cmp(&a.len())))?;
        if best.len() < 2 || bits(best) < RUN_BITS {
            return None;
        }
        let mut rarest_first: Vec<usize> = (0..best.len()).collect();
        rarest_first.sort_by(|&a, &b| best[b].1.total_cmp(&best[a].1));
        Some(Self { classes: best.iter().map(|(class, _)| *class).collect(), rarest_first: rarest_first.into() })
    }

    /// The classes, in their order.
    pub(crate) fn classes(&self) -> &[Bytes] {
        &self.classes
    }

    /// The places of the classes, those that the fewest bytes are of first.
    pub(crate) fn rarest_first(&self) -> &[usize] {
        &self.rarest_first
    }
}

impl Bytes {
    /// What stands beside a word: no letter and no digit. (That an underscore is part of a word costs a third range.)
    const NO_WORD: Self = Self { first: (b'0', b'9'), second: (b'a', b'z'), is_negated: true };

    fn range(low: u8, high: u8) -> Self {
        Self { first: (low, high), second: (low, high), is_negated: false }
    }

    pub(crate) fn holds(self, byte: u8) -> bool {
        let within = |(low, high): (u8, u8)| byte.wrapping_sub(low) <= high - low;
        (within(self.first) || within(self.second)) != self.is_negated
    }

    /// Whether all bytes are letters, digits or underscores.
    fn is_word(self) -> bool {
        (0..=u8::MAX).filter(|&byte| self.holds(byte)).all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    }

    /// How much is known when a byte is of the class.
    pub(crate) fn bits(self) -> f32 {
        static CHANCES: LazyLock<[f32; 256]> = LazyLock::new(|| {
            let mut chances = [0.0; 256];
            (0..=u8::MAX).zip(&mut chances).for_each(|(byte, chance)| *chance = (-byte_bits(byte)).exp2());
            chances
        });
        let held = (0..=u8::MAX).zip(CHANCES.iter()).filter(|(byte, _)| self.holds(*byte));
        let known = held.map(|(_, chance)| chance).sum::<f32>();
        (-known.min(1.0).log2()).max(0.0)
    }

    /// A class of a pattern; `None` when it holds characters of several bytes.
    fn of(class: &Class) -> Option<Self> {
        let mut bytes = Vec::new();
        let mut add = |start: char, end: char| {
            let is_small = u32::from(end) - u32::from(start) <= 0x200;
            (is_small && (start..=end).all(|c| fold(c).is_ascii()))
                .then(|| bytes.extend((start..=end).filter_map(|c| u8::try_from(fold(c)).ok())))
        };
        match class {
            Class::Unicode(class) => class.iter().try_for_each(|range| add(range.start(), range.end()))?,
            Class::Bytes(class) => {
                class.iter().try_for_each(|range| add(char::from(range.start()), char::from(range.end())))?;
            }
        }
        bytes.sort_unstable();
        bytes.dedup();
        Self::covering(&bytes)
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
        Some(Self { first: *ranges.first()?, second: *ranges.last()?, is_negated: false })
    }
}

/// Puts the classes of a pattern into runs: a new one begins where anything may stand in between.
#[derive(Default)]
struct Collector {
    runs: Vec<Vec<Bytes>>,
    current: Vec<Bytes>,
    /// Whether a word boundary stands at the place that comes next.
    at_boundary: bool,
}

impl Collector {
    /// Appends what a pattern matches to the current run.
    fn collect(&mut self, hir: &Hir) {
        match hir.kind() {
            HirKind::Look(Look::WordAscii | Look::WordUnicode) => self.at_boundary = true,
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => match std::str::from_utf8(&literal.0) {
                Ok(text) => {
                    let mut folded = Vec::new();
                    fold_into(text, &mut folded);
                    for byte in folded {
                        self.push(Bytes::range(byte, byte));
                    }
                }
                Err(_) => self.end(),
            },
            HirKind::Class(class) => match Bytes::of(class) {
                Some(class) => self.push(class),
                None => self.end(),
            },
            HirKind::Capture(capture) => self.collect(&capture.sub),
            HirKind::Concat(parts) => parts.iter().for_each(|part| self.collect(part)),
            HirKind::Alternation(_) => self.end(),
            HirKind::Repetition(repetition) => {
                let times = usize::try_from(repetition.min).map_or(RUN_BYTES, |min| min.min(RUN_BYTES));
                let is_exact = repetition.max == Some(repetition.min) && repetition.min as usize == times;
                for _ in 0..times {
                    self.collect(&repetition.sub);
                }
                if !is_exact {
                    // Whether the boundary stands behind what is repeated further cannot be told.
                    self.at_boundary &= times > 0 && repetition.max == Some(repetition.min);
                    self.end();
                    // What repeats at least so often also stands in front of what follows.
                    for _ in 0..times {
                        self.collect(&repetition.sub);
                    }
                }
            }
        }
    }

    fn push(&mut self, class: Bytes) {
        let is_first = self.current.is_empty();
        if std::mem::take(&mut self.at_boundary) && is_first && class.is_word() {
            self.current.push(Bytes::NO_WORD);
        }
        self.current.push(class);
    }

    fn end(&mut self) {
        if std::mem::take(&mut self.at_boundary) && self.current.last().is_some_and(|last| last.is_word()) {
            self.current.push(Bytes::NO_WORD);
        }
        self.runs.push(std::mem::take(&mut self.current));
    }
}
