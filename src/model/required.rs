//! What every match of a pattern contains: texts of which one must occur, and a run of bytes of given classes (`run`).
//!
//! A filter that looks for these first needs the regular expression only where it could match. Both are stated on the
//! folded text ([`fold_into`]): whatever the case of a pattern, one form of the text serves all of them.

use regex_syntax::hir::{Class, Hir, HirKind, Look};

use super::any_case::has_folded_letters;
use super::run::Run;

/// Texts that are multiplied out at most; more of them are a worse filter than a shorter text.
const TEXTS: usize = 32;
/// Members of a class that are multiplied out at most.
const MEMBERS: usize = 4;
/// Repetitions of a text that are written out at most.
const REPEATS: usize = 8;
/// Bytes of a required text; what is longer is cut, the first bytes tell enough.
const TEXT_BYTES: usize = 48;
/// Bits of information below which a text is no filter: it would let most messages through.
const TEXT_BITS: f32 = 15.0;

/// What every match of a pattern contains, in the folded text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Requirement {
    /// One of these texts; empty when nothing is known.
    pub texts: Vec<Box<[u8]>>,
    /// Bytes of these classes side by side.
    pub run: Option<Run>,
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
    let is_plain = !has_folded_letters(text);
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

pub(super) fn fold(c: char) -> char {
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
