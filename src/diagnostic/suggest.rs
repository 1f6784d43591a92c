//! The nearest known word to a misspelt one.

/// Words are short; the distance of a long text to anything costs its length squared.
const LONGEST: usize = 64;
/// Known words that are looked at or listed.
const MOST: usize = 200;
const LISTED: usize = 20;

/// The known word that is nearest to `word`, when it is near enough to be what was meant.
#[must_use]
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let folded = word.to_ascii_lowercase().replace('-', "_");
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
        .filter(|known| known.len() <= LONGEST)
        .take(MOST)
        .map(|known| (strsim::damerau_levenshtein(&folded, &known.to_ascii_lowercase().replace('-', "_")), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, known)| known)
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
