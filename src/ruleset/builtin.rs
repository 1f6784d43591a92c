//! The rules that are built into the library.

use crate::diagnostic::Sources;

use super::RuleSet;

/// Every file of `rules/`, as it was when the library was built; a test holds the list complete.
const FILES: &[(&str, &str)] = &[
    ("faultbook.toml", include_str!("../../rules/faultbook.toml")),
    ("business-central.toml", include_str!("../../rules/business-central.toml")),
    ("exchange.toml", include_str!("../../rules/exchange.toml")),
    ("ledger.toml", include_str!("../../rules/ledger.toml")),
    ("shared.toml", include_str!("../../rules/shared.toml")),
    ("webhook.toml", include_str!("../../rules/webhook.toml")),
];

impl RuleSet {
    /// The rule files of Dime.Scheduler's codes that are built into the library.
    #[must_use]
    pub fn builtin_sources() -> Sources {
        Sources::from_texts(FILES.iter().copied()).with_root("rules")
    }

    /// The rules that are built into the library.
    ///
    /// # Panics
    /// Never in a released build: the tests load the same text.
    #[must_use]
    #[expect(clippy::panic, reason = "the text is part of the build and loads in its tests, or the build is broken")]
    pub fn builtin() -> Self {
        match Self::load(Self::builtin_sources().proven()) {
            Ok((set, _)) => set,
            Err(rejected) => panic!("the rules of this build do not load: {rejected}"),
        }
    }
}
