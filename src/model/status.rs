//! HTTP statuses as conditions write them: `429`, `"5xx"`, `"500-599"`.

use std::fmt;

use serde::{Serialize, Serializer};

use super::pattern::{PatternError, PatternErrorKind};

/// One status or a range of them, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusPattern {
    first: u16,
    last: u16,
}

impl StatusPattern {
    /// One status.
    ///
    /// # Errors
    /// When it is outside of 100 to 599.
    pub fn exact(status: i64) -> Result<Self, PatternError> {
        match u16::try_from(status) {
            Ok(status) if is_status(status) => Ok(Self { first: status, last: status }),
            _ => Err(fault(format!("`{status}` is no HTTP status")).help("Statuses are 100 to 599.")),
        }
    }

    /// A class such as `5xx`, a range such as `500-599`, or one status as text.
    ///
    /// # Errors
    /// When it is none of them, or outside of 100 to 599.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        let lower = source.to_ascii_lowercase();
        if let Some(class) = lower.strip_suffix("xx").and_then(number) {
            return match class {
                1..=5 => Ok(Self { first: class * 100, last: class * 100 + 99 }),
                _ => {
                    Err(fault(format!("`{source}` is no class of HTTP statuses"))
                        .help("The classes are `1xx` to `5xx`."))
                }
            };
        }
        let (first, last) = lower.split_once('-').unwrap_or((&lower, &lower));
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            return Err(fault(format!("`{source}` is no HTTP status"))
                .help("Write `429`, `\"5xx\"` or `\"500-599\"`, without blanks."));
        };
        if !is_status(first) || !is_status(last) {
            return Err(fault(format!("`{source}` is outside of 100 to 599")).help("Statuses are 100 to 599."));
        }
        if first > last {
            return Err(fault(format!("the range `{source}` is empty")).help(format!("Write `\"{last}-{first}\"`.")));
        }
        Ok(Self { first, last })
    }

    /// The statuses of the range.
    pub(crate) fn statuses(self) -> std::ops::RangeInclusive<u16> {
        self.first..=self.last
    }

    /// Whether the status is in the range.
    #[must_use]
    pub fn matches(self, status: u16) -> bool {
        (self.first..=self.last).contains(&status)
    }
}

impl fmt::Display for StatusPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last { write!(f, "{}", self.first) } else { write!(f, "{}-{}", self.first, self.last) }
    }
}

impl Serialize for StatusPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Whether a number is an HTTP status: 100 to 599 (RFC 9110, section 15).
#[must_use]
pub(crate) fn is_status(number: u16) -> bool {
    (100..=599).contains(&number)
}

/// Digits and nothing else: no blank, no sign, no zero in front.
fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && (text.len() == 1 || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

fn fault(message: String) -> PatternError {
    PatternError::new(PatternErrorKind::Status, message)
}

#[cfg(test)]
mod tests {
    use super::StatusPattern;

    #[test]
    fn statuses_classes_and_ranges() {
        for (source, inside, outside) in
            [("429", 429, 428), ("5xx", 500, 499), ("5XX", 599, 600), ("500-502", 502, 503)]
        {
            let pattern = StatusPattern::parse(source).unwrap_or_else(|error| panic!("{source}: {error:?}"));
            assert!(pattern.matches(inside) && !pattern.matches(outside), "{source}");
        }
        for bad in [
            "", "0", "600", "6xx", "0xx", "599-500", "404 ", " 404", "+404", "04xx", "4xx-5xx", "0404", "abc",
            "99-200", "-1", "500-",
        ] {
            assert!(StatusPattern::parse(bad).is_err(), "{bad} is accepted");
        }
        assert!(StatusPattern::exact(99).is_err() && StatusPattern::exact(100).is_ok());
        assert!(StatusPattern::exact(600).is_err() && StatusPattern::exact(599).is_ok());
    }
}
