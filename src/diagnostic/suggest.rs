//! The nearest known word to a misspelt one.

/// The known word that is nearest to `word`, when it is near enough to be what was meant.
#[must_use]
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let folded = word.to_ascii_lowercase().replace('-', "_");
    let allowed = (word.chars().count() / 3).max(1);
    known
        .into_iter()
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
            let list: Vec<_> = known.into_iter().map(|word| format!("`{word}`")).collect();
            if list.is_empty() { "Nothing of the kind is known here.".to_owned() } else { format!("Known: {}.", list.join(", ")) }
        }
    }
}
