//! Whether a pattern can match in a text at all, told without the pattern: a few instructions where an expression takes a
//! hundred nanoseconds only to be started.
//!
//! A hint may say "perhaps", never wrongly "no".

use regex_syntax::hir::{Hir, HirKind, Look};

use super::any_case::{AnyCase, has_folded_letters};
use super::byte_set::ByteSet;
use super::required::{self, Requirement};

/// Texts that are looked for one by one; more of them cost as much as the pattern.
const TEXTS: usize = 4;
/// Bits of information below which a text is no hint: about as many as a colon has.
const TEXT_BITS: f32 = 5.0;
/// Bytes of what many texts begin with, below which it is no hint in their place.
const START_BYTES: usize = 3;

/// What a text with a match shows.
#[derive(Debug, Default)]
pub(crate) struct Hint {
    /// One of these occurs, ASCII case ignored; nothing is known without any.
    needles: Vec<AnyCase>,
    /// The bytes that the text begins with, for a pattern that is bound to its start.
    first: Option<Box<ByteSet>>,
}

impl Hint {
    /// What the requirement of a pattern tells.
    pub(crate) fn new(requirement: &Requirement) -> Self {
        let texts = Some(&requirement.texts).filter(|texts| texts.len() <= TEXTS);
        Self { needles: texts.into_iter().flatten().map(|text| AnyCase::new(text)).collect(), first: None }
    }

    /// What a pattern tells.
    pub(crate) fn of(hir: &Hir) -> Self {
        let texts = few(required::texts(hir, TEXT_BITS)).unwrap_or_default();
        Self { needles: texts.iter().map(|text| AnyCase::new(text)).collect(), first: first_bytes(hir).map(Box::new) }
    }

    /// Whether the pattern may match in a text.
    pub(crate) fn allows(&self, text: &str) -> bool {
        if let Some(first) = &self.first
            && text.bytes().next().is_none_or(|byte| !first.holds(byte))
        {
            return false;
        }
        self.needles.is_empty()
            || self.needles.iter().any(|needle| needle.find(text.as_bytes()).is_some())
            || has_folded_letters(text)
    }
}

/// The texts, those that begin alike cut to what they share until they are few.
fn few(mut texts: Vec<Box<[u8]>>) -> Option<Vec<Box<[u8]>>> {
    let shared = |a: &[u8], b: &[u8]| a.iter().zip(b).take_while(|(a, b)| a == b).count();
    texts.sort_unstable();
    while texts.len() > TEXTS {
        // In order, those that share most stand side by side.
        let (length, at) = (1..texts.len()).map(|at| (shared(&texts[at - 1], &texts[at]), at)).max()?;
        if length < START_BYTES {
            return None;
        }
        texts[at - 1] = texts[at][..length].into();
        texts.remove(at);
    }
    Some(texts)
}

/// The bytes that a text with a match begins with; `None` for a pattern that may match elsewhere, or nothing at all.
fn first_bytes(hir: &Hir) -> Option<ByteSet> {
    match hir.kind() {
        HirKind::Concat(parts) => {
            // What stands behind the start of the text.
            let (start, rest) = parts.split_first()?;
            if !matches!(start.kind(), HirKind::Look(Look::Start)) {
                // `(?:^a|^b)c`
                return first_bytes(start);
            }
            let mut bytes = ByteSet::default();
            (!rest.iter().all(|part| may_be_empty(part, &mut bytes))).then_some(bytes)
        }
        HirKind::Capture(capture) => first_bytes(&capture.sub),
        HirKind::Alternation(parts) => {
            let mut all = ByteSet::default();
            for part in parts {
                all.add_all(&first_bytes(part)?);
            }
            Some(all)
        }
        _ => None,
    }
}

/// Adds the bytes that a part of a pattern begins with, and says whether it may match nothing.
fn may_be_empty(hir: &Hir, bytes: &mut ByteSet) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => true,
        HirKind::Literal(literal) => {
            literal.0.first().into_iter().for_each(|&byte| bytes.add(byte));
            false
        }
        HirKind::Class(class) => {
            bytes.add_class(class);
            false
        }
        HirKind::Repetition(repetition) => may_be_empty(&repetition.sub, bytes) || repetition.min == 0,
        HirKind::Capture(capture) => may_be_empty(&capture.sub, bytes),
        HirKind::Concat(parts) => parts.iter().all(|part| may_be_empty(part, bytes)),
        HirKind::Alternation(parts) => {
            // All of them add their bytes, also behind one that may match nothing.
            let mut is_empty = false;
            for part in parts {
                is_empty |= may_be_empty(part, bytes);
            }
            is_empty
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;
    use regex::Regex;

    use super::Hint;

    /// Parts of patterns with a text that each of them matches.
    const PARTS: &[(&str, &str)] = &[
        ("^", ""),
        ("^", ""),
        (r"\A", ""),
        ("(?m:^)", ""),
        ("(?:^|x)", "x"),
        ("(?:^a|^b|^)", ""),
        ("(?:^secret|^[^a-m])", "zebra"),
        ("a?", ""),
        (r"\b", ""),
        ("(?i:token|k\\u{e9}y)", "to\u{212A}en"),
        ("(?i)secrets", "\u{17F}ecret\u{17F}"),
        ("(?:é|[ö-ü])+", "öé"),
        (r"[^\n]", "日"),
        ("[a-zé]*", ""),
        ("timeout|TIMEOUT ", "timeout"),
        ("(Error ?Number: ?)", "Error Number: "),
        (r"(?-u:[\x00-\x7f])", "-"),
        (r"\s{2,}", "\t "),
        ("(?:)", ""),
        ("$", ""),
    ];

    #[test]
    fn what_matches_is_allowed() -> Result<(), Box<dyn std::error::Error>> {
        let (mut matches, mut refused) = (0, 0);
        for seed in 0..20_000 {
            let mut rng = Rng::with_seed(seed);
            let parts: Vec<_> = (0..rng.usize(1..6)).map(|_| PARTS[rng.usize(..PARTS.len())]).collect();
            let pattern: String = parts.iter().map(|(pattern, _)| *pattern).collect();
            let hint = Hint::of(&regex_syntax::parse(&pattern)?);
            let regex = Regex::new(&pattern)?;
            let said: String = parts.iter().map(|(_, text)| *text).collect();
            for text in
                [&said, &format!("x{said}"), &format!("A {said} é"), &format!("\n{said}"), "", "token", "SECRETS"]
            {
                let is_match = regex.is_match(text);
                assert!(hint.allows(text) || !is_match, "{pattern} matches {text:?}");
                matches += usize::from(is_match);
                refused += usize::from(!hint.allows(text));
            }
        }
        assert!(matches > 20_000 && refused > 20_000, "{matches} matches, {refused} refused");
        Ok(())
    }
}
