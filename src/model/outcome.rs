//! What happens next: the retry class and the action of a code.

use serde::{Deserialize, Serialize};

/// What the retry job does with a failed row. Closed: connectors branch on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum RetryClass {
    /// Transient; heals by itself on a later pass.
    Retried,
    /// Somebody has to change a setting first.
    FixConfig,
    /// Benign; nothing to repeat.
    None,
    /// No rule knows the failure yet.
    Undiagnosed,
}

/// What a person has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Nothing.
    None,
    /// Wait for the next pass.
    Wait,
    /// Change the configuration.
    FixConfig,
    /// Send the failure to support.
    ContactSupport,
}

impl RetryClass {
    /// All classes as written in rule files.
    pub const WORDS: [(&'static str, Self); 4] = [
        (Self::Retried.as_str(), Self::Retried),
        (Self::FixConfig.as_str(), Self::FixConfig),
        (Self::None.as_str(), Self::None),
        (Self::Undiagnosed.as_str(), Self::Undiagnosed),
    ];

    /// The words alone.
    pub const NAMES: [&'static str; 4] = [Self::WORDS[0].0, Self::WORDS[1].0, Self::WORDS[2].0, Self::WORDS[3].0];

    /// The word for people, as the published tables print it.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::FixConfig => "fix config",
            Self::None => "n/a",
            Self::Undiagnosed => "undiagnosed",
        }
    }

    /// The word as written in rule files and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retried => "retried",
            Self::FixConfig => "fix-config",
            Self::None => "none",
            Self::Undiagnosed => "undiagnosed",
        }
    }

    /// The action that follows unless a code states another one.
    #[must_use]
    pub fn default_action(self) -> Action {
        match self {
            Self::Retried => Action::Wait,
            Self::FixConfig => Action::FixConfig,
            Self::None => Action::None,
            Self::Undiagnosed => Action::ContactSupport,
        }
    }
}

impl Action {
    /// All actions as written in rule files.
    pub const WORDS: [(&'static str, Self); 4] = [
        (Self::None.as_str(), Self::None),
        (Self::Wait.as_str(), Self::Wait),
        (Self::FixConfig.as_str(), Self::FixConfig),
        (Self::ContactSupport.as_str(), Self::ContactSupport),
    ];

    /// The words alone.
    pub const NAMES: [&'static str; 4] = [Self::WORDS[0].0, Self::WORDS[1].0, Self::WORDS[2].0, Self::WORDS[3].0];

    /// The word as written in rule files and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Wait => "wait",
            Self::FixConfig => "fix-config",
            Self::ContactSupport => "contact-support",
        }
    }

    /// A short sentence for people.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::None => "nothing to do",
            Self::Wait => "wait: it heals by itself",
            Self::FixConfig => "change the configuration",
            Self::ContactSupport => "contact support",
        }
    }
}
