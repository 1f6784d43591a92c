//! What keeps a condition from holding when hardly anything does: letter case, white space, look-alike characters, the
//! namespace of a type, the prefix of a code, a word that was nearly written.
//!
//! A difference is never guessed from the outside of a pattern: the pattern itself is tried on the value without it.

use std::ops::Range;

use crate::model::{
    Access, Attribute, AttributePattern, CodePattern, Difference, Literal, Pattern, TypePattern, Values, fold_into,
};

use super::Candidate;
use super::trace::Wanted;

/// A value that nearly fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Near {
    pub(crate) difference: Difference,
    /// The item that it nearly fits, as rule files write it.
    pub(crate) wanted: String,
    /// The value.
    pub(crate) saw: String,
    pub(crate) cause: Option<usize>,
    /// The message that the value stands in, by its place among all messages, and where.
    pub(crate) place: Option<(usize, Range<usize>)>,
    /// The characters that make the difference, each once.
    pub(crate) odd: Vec<char>,
    /// How the pattern goes on where the value ends.
    pub(crate) rest: String,
}

/// What of the spelling is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Loose {
    case: bool,
    space: bool,
    looks: bool,
}

/// The ways to pass something over, with what then makes the difference.
const WAYS: [(Loose, Difference); 4] = [
    (Loose { case: true, space: false, looks: false }, Difference::Case),
    (Loose { case: false, space: true, looks: false }, Difference::WhiteSpace),
    (Loose { case: false, space: false, looks: true }, Difference::LookAlike),
    (Loose { case: true, space: true, looks: true }, Difference::Spelling),
];

/// Bytes of a message that is looked through for what nearly fits.
const TEXT_BYTES: usize = 64 * 1024;

/// What nearly fits a condition that does not hold, the smallest difference first. `on` is the cause that a cause selector
/// looks at.
pub(crate) fn near(wanted: Wanted<'_>, candidate: Candidate<'_>, texts: &Texts<'_>, on: Option<usize>) -> Option<Near> {
    let seen = wanted.seen(candidate, on);
    let words = |items: &Values<String>| {
        best(items.items.iter().flat_map(|item| seen.iter().map(move |seen| (item, seen))).filter_map(
            |(item, (cause, value))| near_word(item, value).map(|difference| Near::of(difference, item, value, *cause)),
        ))
    };
    match wanted {
        Wanted::Types(values) => {
            let of_item = |item: &TypePattern| {
                let near = |(cause, value): &(Option<usize>, std::borrow::Cow<'_, str>)| {
                    Some(Near::of(near_type(item, value)?, item.as_str(), value, *cause))
                };
                best(seen.iter().filter_map(near)).or_else(|| in_text(item.as_str(), true, texts))
            };
            best(values.items.iter().filter(|item| !holds_type(item, candidate, on)).filter_map(of_item))
        }
        Wanted::Codes(values) => {
            let of_item = |item: &CodePattern| {
                let near = seen.iter().filter_map(|(cause, value)| {
                    Some(Near::of(near_code(item, value)?, item.written(), value, *cause))
                });
                best(near).or_else(|| in_text(item.written(), false, texts))
            };
            best(values.items.iter().filter_map(of_item))
        }
        Wanted::Patterns(values) => best(values.items.iter().filter_map(|item| near_pattern(item, texts, on))),
        Wanted::Literals(values) => best(values.items.iter().filter_map(|item| near_literal(item, texts, on))),
        Wanted::Statuses(_) | Wanted::Numbers(_) if seen.is_empty() && on.is_none() => {
            best(wanted.items().iter().filter_map(|item| in_text(item, false, texts)))
        }
        Wanted::Connectors(values) | Wanted::Operations(values) | Wanted::Phases(values) => words(values),
        Wanted::Attributes(name, values) => {
            let value = candidate.attribute(name)?;
            let shown = seen.first().map(|(_, value)| value.as_ref()).unwrap_or_default();
            best(values.items.iter().filter_map(|item| {
                let written = match item {
                    AttributePattern::Text(text, _) => text.clone(),
                    other => other.as_item(),
                };
                let is_kind = written == shown && !item.matches(value);
                let difference = match (item, value) {
                    _ if is_kind => Some(Difference::Kind),
                    (AttributePattern::Text(text, _), Attribute::Text(value)) => near_word(text, value),
                    _ => None,
                };
                Some(Near::of(difference?, &written, shown, None))
            }))
        }
        Wanted::Statuses(_) | Wanted::Numbers(_) | Wanted::Missing(_) => None,
    }
}

/// What nearly fits a word that stands for itself, such as the name of a connector.
pub(crate) fn near_word(wanted: &str, value: &str) -> Option<Difference> {
    if wanted == value {
        return None;
    }
    for (loose, difference) in WAYS {
        if loose.text(wanted).text == loose.text(value).text {
            return Some(difference);
        }
    }
    is_similar(wanted, value).then_some(Difference::Similar)
}

impl Near {
    /// A word that nearly is another one.
    pub(crate) fn word(difference: Difference, wanted: String, saw: String) -> Self {
        let odd = odd_characters(&saw);
        Self { difference, wanted, saw, cause: None, place: None, odd, rest: String::new() }
    }

    fn of(difference: Difference, wanted: &str, saw: &str, cause: Option<usize>) -> Self {
        Self { cause, ..Self::word(difference, wanted.to_owned(), saw.to_owned()) }
    }
}

fn best(near: impl Iterator<Item = Near>) -> Option<Near> {
    near.min_by_key(|near| (near.difference, std::cmp::Reverse(near.saw.len())))
}

fn holds_type(item: &TypePattern, candidate: Candidate<'_>, on: Option<usize>) -> bool {
    let causes = candidate.causes().enumerate().filter(|(index, _)| on.is_none_or(|on| on == *index));
    causes.flat_map(|(_, cause)| cause.lineage()).any(|name| item.matches_plain(name.full(), name.slashed()))
}

fn near_type(item: &TypePattern, value: &str) -> Option<Difference> {
    let wanted = item.as_str();
    // Compiling a glob costs more than seeing that it cannot fit.
    let part = match item.access() {
        Access::Exact(part) | Access::Prefix(part) | Access::Suffix(part) => part.to_lowercase(),
        // Between wildcards stands what every name has; in braces there is a choice.
        Access::Any if !wanted.contains('{') => {
            let parts = wanted.split('*').map(|part| part.trim_matches('.'));
            parts.max_by_key(|part| part.len()).unwrap_or_default().to_lowercase()
        }
        Access::Any => String::new(),
    };
    let is_plain = value.is_ascii() && !value.contains(char::is_whitespace);
    let ways = if is_plain { &WAYS[..1] } else { &WAYS[..] };
    for &(loose, difference) in ways {
        let value = loose.text(value).text.replace(' ', "");
        if part.is_empty() || !value.to_lowercase().contains(&part) {
            continue;
        }
        let fits = |item: &TypePattern| item.matches_plain(&value, &value.replace('.', "/"));
        let is_near = if loose.case {
            TypePattern::parse(&wanted.to_lowercase()).is_ok_and(|item| fits(&item))
        } else {
            fits(item)
        };
        if is_near {
            return Some(difference);
        }
    }
    let last = wanted.rsplit('.').next().unwrap_or_default();
    let short = value.rsplit('.').next().unwrap_or_default();
    if last.len() < wanted.len() && !last.contains(['*', '{', '}']) && last.eq_ignore_ascii_case(short) {
        return Some(if differs_in_one_segment(wanted, value) { Difference::Segment } else { Difference::Namespace });
    }
    // `Exception` is in nearly every name and says nothing.
    let stem = |name: &str| name.strip_suffix("Exception").unwrap_or(name).to_ascii_lowercase();
    let (last, short) = (stem(last), stem(short));
    let is_name = !last.contains(['*', '{', '}']) && last.len().min(short.len()) >= 5;
    (is_name && is_similar(&last, &short)).then_some(Difference::Similar)
}

fn differs_in_one_segment(wanted: &str, value: &str) -> bool {
    let count = |name: &str| name.split('.').count();
    count(wanted) == count(value)
        && !wanted.contains(['*', '{'])
        && wanted.split('.').zip(value.split('.')).filter(|(one, other)| !one.eq_ignore_ascii_case(other)).count() == 1
}

/// Letters and digits of a code in front of what it shares with another one count; a number that goes on is another code.
fn near_code(item: &CodePattern, value: &str) -> Option<Difference> {
    let is_plain = value.is_ascii() && !value.contains(char::is_whitespace);
    for (loose, difference) in WAYS.into_iter().skip(1).filter(|_| !is_plain) {
        if item.matches(loose.text(value).text.trim()) {
            return Some(difference);
        }
    }
    let (wanted, value) = (item.as_str(), value.to_ascii_lowercase());
    if wanted.contains(['*', '{']) || wanted == value {
        return None;
    }
    let (longer, shorter) = if wanted.len() > value.len() { (wanted, &*value) } else { (&*value, wanted) };
    if let Some(front) = longer.strip_suffix(shorter).filter(|_| shorter.len() >= 4) {
        let is_digit = |c: char| c.is_ascii_digit();
        return (!front.ends_with(is_digit) || !shorter.starts_with(is_digit)).then_some(Difference::Prefix);
    }
    let is_word = |code: &str| code.len() >= 8 && !code.bytes().any(|b| b.is_ascii_digit());
    (is_word(wanted) && is_word(&value) && is_similar(wanted, &value)).then_some(Difference::Similar)
}

/// Whether one word is the other but for a few letters.
fn is_similar(one: &str, other: &str) -> bool {
    const LONGEST: usize = 80;
    let length = one.chars().count().min(other.chars().count());
    let far = one.len().abs_diff(other.len());
    let allowed = (length / 5).clamp(1, 3);
    length >= 4
        && one.len().max(other.len()) <= LONGEST
        && far <= allowed
        && strsim::damerau_levenshtein(&one.to_lowercase(), &other.to_lowercase()) <= allowed
}

fn near_pattern(item: &Pattern, texts: &Texts<'_>, on: Option<usize>) -> Option<Near> {
    let source = item.as_str();
    let single = collapsed(source);
    // An expression is compiled only where it has a chance and is not the pattern itself.
    let near = near_text(source, &item.requirement().texts, texts, on, |way, prepared| {
        let case = way.case && !source.starts_with("(?i)");
        let source = if way.space { &*single } else { source };
        let text = prepared.text_in(way);
        match (case, source == item.as_str(), text) {
            (false, true, None) => None,
            (false, true, Some(text)) => item.find(text),
            (false, false, text) => Pattern::parse(source).ok()?.find(text.unwrap_or(prepared.text)),
            (true, _, text) => Pattern::parse(&format!("(?i){source}")).ok()?.find(text.unwrap_or(prepared.text)),
        }
    });
    near.or_else(|| beginning(item, texts, on))
}

fn near_literal(item: &Literal, texts: &Texts<'_>, on: Option<usize>) -> Option<Near> {
    let single = Literal::parse(&collapsed(item.as_str())).ok();
    near_text(item.as_str(), &item.requirement().texts, texts, on, |way, prepared| {
        let item = if way.space { single.as_ref()? } else { item };
        item.find(prepared.text_in(way).unwrap_or(prepared.text))
    })
}

/// The longest part of a message that a pattern fits with its beginning.
fn beginning(item: &Pattern, texts: &Texts<'_>, on: Option<usize>) -> Option<Near> {
    /// Characters that are more than a phrase by chance.
    const LEAST: usize = 16;
    let fits = texts.on(on).filter_map(|(index, prepared)| {
        let partial = item.partial(prepared.text, &prepared.folded)?;
        let saw = &prepared.text[partial.range.clone()];
        (saw.trim().chars().count() >= LEAST).then(|| Near {
            difference: Difference::End,
            wanted: item.as_str().to_owned(),
            saw: saw.to_owned(),
            cause: prepared.cause,
            place: Some((index, partial.range)),
            odd: Vec::new(),
            rest: partial.rest,
        })
    });
    fits.max_by_key(|near| near.saw.len())
}

/// A text in a message where something matches once a part of the spelling is passed over.
fn near_text(
    wanted: &str,
    required: &[Box<[u8]>],
    texts: &Texts<'_>,
    on: Option<usize>,
    find: impl Fn(Loose, &Prepared<'_>) -> Option<Range<usize>>,
) -> Option<Near> {
    let needles: Vec<String> = required
        .iter()
        .map(|text| collapsed(&String::from_utf8_lossy(text)).trim_end_matches('\u{fffd}').to_owned())
        .collect();
    for (index, prepared) in texts.on(on) {
        let may = needles.is_empty()
            || needles.iter().any(|needle| memchr::memmem::find(&prepared.loose, needle.as_bytes()).is_some());
        if !may {
            continue;
        }
        for (way, difference) in WAYS {
            let Some(found) = find(way, prepared) else { continue };
            let place = prepared.range(way, &found);
            let part = &prepared.text[place.clone()];
            return Some(Near {
                difference,
                wanted: wanted.to_owned(),
                saw: part.to_owned(),
                cause: prepared.cause,
                odd: odd_characters(part),
                place: Some((index, place)),
                rest: String::new(),
            });
        }
    }
    None
}

/// A plain item that stands in a message as a word and is no fact.
fn in_text(item: &str, is_type: bool, texts: &Texts<'_>) -> Option<Near> {
    if item.contains(['*', '{', '-']) || item.len() < 3 {
        return None;
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    for (index, prepared) in texts.on(None) {
        let text = prepared.text;
        let is_word = |at: &usize| {
            let before = text[..*at].chars().next_back();
            !before.is_some_and(|c| is_part(c) && !(is_type && c == '.'))
                && !text[at + item.len()..].starts_with(is_part)
        };
        if let Some(at) = text.match_indices(item).map(|(at, _)| at).find(is_word) {
            return Some(Near {
                difference: Difference::InText,
                wanted: item.to_owned(),
                saw: item.to_owned(),
                cause: prepared.cause,
                place: Some((index, at..at + item.len())),
                odd: Vec::new(),
                rest: String::new(),
            });
        }
    }
    None
}

/// The messages of a failure in all the ways in which something is passed over, worked out once for all conditions.
#[derive(Debug)]
pub(crate) struct Texts<'c>(Vec<Prepared<'c>>);

#[derive(Debug)]
struct Prepared<'c> {
    cause: Option<usize>,
    text: &'c str,
    folded: Vec<u8>,
    /// Folded, with everything passed over.
    loose: Vec<u8>,
    /// For each way, the text in it; none where that is the text itself.
    ways: [Option<LooseText>; 4],
}

impl<'c> Texts<'c> {
    pub(crate) fn of(candidate: Candidate<'c>) -> Self {
        let prepared = candidate.texts_with_cause().map(|(cause, text)| {
            let ways = WAYS.map(|(mut way, _)| {
                // Case is what patterns themselves pass over.
                way.case = false;
                let is_odd = |c: char| c.is_whitespace() || is_invisible(c) || twin(c).is_some();
                let loose = (text.len() <= TEXT_BYTES && text.contains(is_odd)).then(|| way.text(text));
                loose.filter(|loose| loose.text != text)
            });
            let (mut folded, mut loose) = (Vec::new(), Vec::new());
            if text.len() <= TEXT_BYTES {
                fold_into(text, &mut folded);
                fold_into(ways[3].as_ref().map_or(text, |way| &way.text), &mut loose);
            }
            Prepared { cause, text, folded, loose, ways }
        });
        Self(prepared.collect())
    }

    fn on(&self, cause: Option<usize>) -> impl Iterator<Item = (usize, &Prepared<'c>)> {
        self.0.iter().enumerate().filter(move |(_, prepared)| cause.is_none() || prepared.cause == cause)
    }
}

impl Prepared<'_> {
    fn way(&self, way: Loose) -> Option<&LooseText> {
        let index = WAYS.iter().position(|(known, _)| *known == way)?;
        self.ways[index].as_ref()
    }

    /// The text with something passed over; none where that changes nothing.
    fn text_in(&self, way: Loose) -> Option<&str> {
        self.way(way).map(|loose| &*loose.text)
    }

    fn range(&self, way: Loose, part: &Range<usize>) -> Range<usize> {
        self.way(way).map_or_else(|| part.clone(), |loose| loose.range(part, self.text))
    }
}

/// A text in which a part of the spelling is passed over, with the place of each byte in the text as it was.
#[derive(Debug)]
struct LooseText {
    text: String,
    places: Vec<usize>,
}

impl Loose {
    fn text(self, original: &str) -> LooseText {
        let mut loose = LooseText { text: String::with_capacity(original.len()), places: Vec::new() };
        for (at, c) in original.char_indices() {
            if self.space && is_invisible(c) {
                continue;
            }
            if self.space && c.is_whitespace() {
                if !loose.text.is_empty() && !loose.text.ends_with(' ') {
                    loose.push(' ', at);
                }
                continue;
            }
            let c = if self.looks { twin(c).unwrap_or(c) } else { c };
            if self.case {
                c.to_lowercase().for_each(|c| loose.push(c, at));
            } else {
                loose.push(c, at);
            }
        }
        if self.space && loose.text.ends_with(' ') {
            loose.text.pop();
            loose.places.pop();
        }
        loose
    }
}

impl LooseText {
    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.places.extend(std::iter::repeat_n(at, c.len_utf8()));
    }

    /// Where a part stands in the text as it was.
    fn range(&self, part: &Range<usize>, original: &str) -> Range<usize> {
        let start = self.places.get(part.start).copied().unwrap_or(original.len());
        let last = part.end.checked_sub(1).and_then(|last| self.places.get(last)).copied().unwrap_or(start);
        let end = original[last..].chars().next().map_or(original.len(), |c| last + c.len_utf8());
        start..end.max(start)
    }
}

/// A text with single blanks and none at its ends.
fn collapsed(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.trim_matches(' ').chars() {
        if c != ' ' || !out.ends_with(' ') {
            out.push(c);
        }
    }
    out
}

/// Characters that are not what they seem, each once, three of them at most.
fn odd_characters(text: &str) -> Vec<char> {
    let mut odd = Vec::new();
    let mut before = ' ';
    for c in text.chars() {
        let is_odd = is_invisible(c) || (c.is_whitespace() && (c != ' ' || before == ' ')) || twin(c).is_some();
        if is_odd && odd.len() < 3 && !odd.contains(&c) {
            odd.push(c);
        }
        before = c;
    }
    odd
}

/// Characters without width.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The ASCII character that a character looks like.
fn twin(c: char) -> Option<char> {
    let (looks, ascii) = match c {
        _ if c.is_ascii() => return None,
        '\u{ff01}'..='\u{ff5e}' => return char::from_u32(u32::from(c) - 0xfee0),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => return Some('-'),
        '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{b4}' => return Some('\''),
        '\u{201c}'..='\u{201f}' | '\u{2033}' | '\u{ab}' | '\u{bb}' => return Some('"'),
        _ => (TWINS.0, TWINS.1),
    };
    let place = looks.chars().position(|known| known == c)?;
    ascii.chars().nth(place)
}

/// Cyrillic and Greek letters with the Latin ones that share their shapes.
const TWINS: (&str, &str) = (
    "\u{410}\u{412}\u{415}\u{41a}\u{41c}\u{41d}\u{41e}\u{420}\u{421}\u{422}\u{423}\u{425}\u{405}\u{406}\u{408}\u{430}\u{435}\u{43e}\u{440}\u{441}\u{443}\u{445}\u{455}\u{456}\u{458}\u{391}\u{392}\u{395}\u{396}\u{397}\u{399}\u{39a}\u{39c}\u{39d}\u{39f}\u{3a1}\u{3a4}\u{3a5}\u{3a7}\u{3bf}\u{3bd}",
    "ABEKMHOPCTYXSIJaeopcyxsijABEZHIKMNOPTYXov",
);

#[cfg(test)]
mod tests {
    use super::{Difference, Loose, TWINS, near_code, near_type, near_word};
    use crate::model::{CodePattern, TypePattern};

    #[test]
    fn every_twin_has_its_letter() {
        assert_eq!(TWINS.0.chars().count(), TWINS.1.chars().count());
    }

    #[test]
    fn types_that_nearly_fit() {
        let cases = [
            ("System.TimeoutException", "system.timeoutexception", Some(Difference::Case)),
            ("TimeoutException", "System.TimeOutException", Some(Difference::Case)),
            ("System.TimeoutException", "System.\u{200b}TimeoutException", Some(Difference::WhiteSpace)),
            ("System.TimeoutException", "System.Tim\u{435}outException", Some(Difference::LookAlike)),
            ("System.TimeoutException", "Polly.Timeout.TimeoutException", Some(Difference::Namespace)),
            ("System.TimeoutException", "TimeoutException", Some(Difference::Namespace)),
            ("System.Data.SqlException", "Microsoft.Data.SqlException", Some(Difference::Segment)),
            ("MsalServiceException", "A.MsalServicesException", Some(Difference::Similar)),
            ("MsalServiceException", "A.MsalClientException", None),
            ("SqlException", "System.IOException", None),
            ("**.Sql*", "A.B.sqlexception", Some(Difference::Case)),
        ];
        for (wanted, value, expected) in cases {
            let item = TypePattern::parse(wanted).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(near_type(&item, value), expected, "{wanted} on {value}");
        }
    }

    #[test]
    fn codes_and_words_that_nearly_fit() {
        let cases = [
            ("ErrorItemNotFound", "ItemNotFound", Some(Difference::Prefix)),
            ("AADSTS7000222", "7000222", Some(Difference::Prefix)),
            ("AADSTS90002", "AADSTS900023", None),
            ("7000222", "17000222", None),
            ("ErrorItemNotFound", "ErrorItemNotFond", Some(Difference::Similar)),
            ("AADSTS7000215", "AADSTS7000222", None),
        ];
        for (wanted, value, expected) in cases {
            let item = CodePattern::parse(wanted).unwrap_or_else(|error| panic!("{error:?}"));
            assert_eq!(near_code(&item, value), expected, "{wanted} on {value}");
        }
        assert_eq!(near_word("exchange", "Exchange"), Some(Difference::Case));
        assert_eq!(near_word("exchange", "exchange\u{a0}"), Some(Difference::WhiteSpace));
        assert_eq!(near_word("exchange", "exchnage"), Some(Difference::Similar));
        assert_eq!(near_word("create", "delete"), None);
    }

    #[test]
    fn a_part_is_found_again() {
        let loose = Loose { case: true, space: true, looks: true };
        let text = "  \u{201c}\u{a0}\r\nTOKEN\u{a0}\u{200b} has\u{a0}expired";
        let found = loose.text(text);
        let at = found.text.find("token has").unwrap_or_default();
        assert_eq!(&text[found.range(&(at..at + 9), text)], "TOKEN\u{a0}\u{200b} has");
    }
}
