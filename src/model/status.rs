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
        if let Some(status) = Self::parse_strictly(&lower) {
            return Ok(status);
        }
        if lower.strip_suffix("xx").and_then(number).is_some() {
            return Err(
                fault(format!("`{source}` is no class of HTTP statuses")).help("The classes are `1xx` to `5xx`.")
            );
        }
        let (first, last) = lower.split_once('-').unwrap_or((&lower, &lower));
        let (Some(first), Some(last)) = (number(first), number(last)) else {
            let help =
                meant(&lower).unwrap_or_else(|| "Write `429`, `\"5xx\"` or `\"500-599\"`, without blanks.".to_owned());
            return Err(fault(format!("`{source}` is no HTTP status")).help(help));
        };
        if !is_status(first) || !is_status(last) {
            return Err(fault(format!("`{source}` is outside of 100 to 599")).help("Statuses are 100 to 599."));
        }
        Err(fault(format!("the range `{source}` is empty")).help(format!("Write `\"{last}-{first}\"`.")))
    }

    /// The same, for a text in lower case and without a word on what is wrong.
    fn parse_strictly(lower: &str) -> Option<Self> {
        if let Some(class) = lower.strip_suffix("xx").and_then(number) {
            return (1..=5).contains(&class).then(|| Self { first: class * 100, last: class * 100 + 99 });
        }
        let (first, last) = lower.split_once('-').unwrap_or((lower, lower));
        let (first, last) = (number(first)?, number(last)?);
        (is_status(first) && is_status(last) && first <= last).then_some(Self { first, last })
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

/// What somebody meant who writes statuses in another way.
fn meant(written: &str) -> Option<String> {
    let text: String = written.chars().filter(|c| !c.is_whitespace()).collect();
    let plain = |text: &str| StatusPattern::parse_strictly(text).is_some();
    let items: Vec<&str> = text.split([',', ';', '|']).filter(|item| !item.is_empty()).collect();
    if items.len() > 1 && items.iter().all(|item| plain(item)) {
        return Some(format!("Write a list: `[\"{}\"]`.", items.join("\", \"")));
    }
    let signs = ["...", "..=", "..", "–", "—", "to", ":", "~"];
    let range = signs.iter().fold(text.clone(), |text, sign| text.replace(sign, "-"));
    if plain(&range) {
        return Some(format!("Write `\"{range}\"`."));
    }
    if let Some(tens) = text.strip_suffix('x').filter(|tens| plain(&format!("{tens}0"))) {
        return Some(format!("Write `\"{tens}0-{tens}9\"`."));
    }
    if let Some(from) = text.strip_prefix(">=").filter(|from| plain(from)) {
        return Some(format!("Write `\"{from}-599\"`."));
    }
    if text.starts_with('!') {
        return Some("What must not be stands in `unless.http_status`.".to_owned());
    }
    let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
    plain(&digits).then(|| format!("Write `{digits}`."))
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
