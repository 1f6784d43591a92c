//! The set that knows nothing: every failure gets the fallback code, and secrets still stay inside.

use crate::rulefile;

use super::{RuleSet, compile};

impl RuleSet {
    /// The built-in set without its rules and codes, but for the fallback.
    ///
    /// # Panics
    /// Never in a released build: the tests load the same text.
    #[must_use]
    #[expect(clippy::panic, reason = "the text is part of the build and loads in its tests, or the build is broken")]
    pub(crate) fn fallback_only() -> Self {
        let (mut book, _) = rulefile::read(&Self::builtin_sources().proven());
        let fallback = book.manifest.as_ref().and_then(|manifest| manifest.fallback.as_ref());
        let fallback = fallback.map(|fallback| fallback.value.clone()).unwrap_or_default();
        for file in &mut book.files {
            file.rules.clear();
            file.codes.retain(|entry| entry.code.value == fallback);
        }
        match compile::compile(&book) {
            Some(set) => set,
            None => panic!("the fallback of this build does not load"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::RuleSet;
    use crate::model::Failure;

    #[test]
    fn keeps_the_fallback_and_the_secrets() {
        let set = RuleSet::fallback_only();
        let message = "client_secret=hunter2 is wrong";
        let failure = Failure { message: Some(message.into()), ..Failure::default() };
        assert_eq!(set.codes().len(), 1);
        assert_eq!(set.fallback(), RuleSet::builtin().fallback());
        assert!(set.rules().is_empty());
        assert!(!set.classify(&failure).message.contains("hunter2"));
    }
}
