//! The nearest known word to a misspelt one.

/// Words are short; the distance of a long text to anything costs its length squared.
const LONGEST: usize = 64;
/// Known words that are looked at or listed.
const MOST: usize = 200;
const LISTED: usize = 20;

/// The known word that is nearest to `word`, when it is near enough to be what was meant.
#[must_use]
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    near(word, known).min_by_key(|(distance, _)| *distance).map(|(_, known)| known)
}

/// The nearest known word, when no other one is as near: what may be put in its place without asking.
#[must_use]
pub(crate) fn only_near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let mut near: Vec<(usize, &str)> = near(word, known).collect();
    near.sort_by_key(|(distance, _)| *distance);
    match near[..] {
        [(_, only)] => Some(only),
        [(first, nearest), (second, _), ..] if first < second => Some(nearest),
        _ => None,
    }
}

/// Known words that may be what was meant, with their distance.
fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> impl Iterator<Item = (usize, &'k str)> {
    let folded = word.to_ascii_lowercase().replace('-', "_");
    let allowed = if word.len() > LONGEST { 0 } else { (word.chars().count() / 3).max(1) };
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        .take(if allowed == 0 { 0 } else { MOST })
        .map(move |known| (strsim::damerau_levenshtein(&folded, &known.to_ascii_lowercase().replace('-', "_")), known))
        .filter(move |(distance, _)| *distance <= allowed)
}

/// A help line: the nearest word, or all of them.
#[must_use]
pub(crate) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> String {
    match nearest(word, known.clone()) {
        Some(near) => format!("Did you mean `{near}`?"),
        None => {
            let mut known = known.into_iter();
            let list: Vec<_> = known.by_ref().take(LISTED).map(|word| format!("`{word}`")).collect();
            let more = if known.next().is_some() { ", …" } else { "." };
            if list.is_empty() {
                "Nothing of the kind is known here.".to_owned()
            } else {
                format!("Known: {}{more}", list.join(", "))
            }
        }
    }
}
