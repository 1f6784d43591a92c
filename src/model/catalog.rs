//! Codes and what they mean.

use std::fmt;

use serde::Serialize;

use super::{Action, RetryClass};

/// A stable code such as `DSEX001`: `DS`, two to six capital letters, three digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Code(String);

/// A code of the catalogue. Status, retry class and action belong to the code; a rule never changes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct CatalogEntry {
    /// The code itself.
    pub code: Code,
    /// A few words for tables.
    pub title: String,
    /// The transaction status, one of the manifest's `statuses`.
    pub status: String,
    /// What the retry job does with the row.
    pub retry: RetryClass,
    /// What a person has to do.
    pub action: Action,
    /// Whether the status is a recommendation that no published page confirms.
    pub provisional: bool,
    /// Why the code is no longer issued; it keeps its page.
    pub retired: Option<String>,
    /// Template of the message; without one the failure's own message is shown.
    pub message: Option<String>,
    /// What it means, in Markdown.
    pub meaning: String,
    /// What to do, step by step, each step in Markdown.
    pub remedy: Vec<String>,
    /// Where to read more.
    pub links: Vec<String>,
    /// The release that issued the code first.
    pub since: Option<String>,
}

impl Code {
    /// Reads a code; `None` when it is not written like one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let family = text.trim_end_matches(|c: char| c.is_ascii_digit());
        let letters = family.strip_prefix("DS")?;
        let well_formed = text.len() - family.len() == 3
            && (2..=6).contains(&letters.len())
            && letters.bytes().all(|b| b.is_ascii_uppercase());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The code as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The letters in front of the number: who owns it.
    #[must_use]
    pub fn family(&self) -> &str {
        &self.0[..self.0.len() - 3]
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_are_ds_letters_and_three_digits() {
        for good in ["DSEX001", "DSWBHK020", "DSUNK001", "DSABCDEF999"] {
            assert!(Code::parse(good).is_some(), "{good}");
        }
        for bad in
            ["", "DS001", "DSE001", "DSABCDEFG001", "DSEX01", "DSEX0001", "dsex001", "DSÄX001", "DSEX001 ", "XXEX001"]
        {
            assert!(Code::parse(bad).is_none(), "{bad}");
        }
    }
}
