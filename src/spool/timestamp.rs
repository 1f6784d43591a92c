//! A moment as the spool writes it: RFC 3339, UTC, milliseconds.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::de::{Deserialize, Deserializer, Error as _};
use serde::{Serialize, Serializer};

/// A moment, in milliseconds since 1970: `2026-11-21T18:05:14.123Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 9999-12-31T23:59:59.999Z; later moments cannot be written.
    const LAST: u64 = 253_402_300_799_999;

    /// The moment of now by the system's clock; what is outside of 1970 to 9999 becomes the nearest moment inside.
    pub(super) fn now() -> Self {
        SystemTime::now().into()
    }

    /// Milliseconds from an earlier moment; 0 when it is a later one.
    pub(super) fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_millis();
        Self(u64::try_from(since).unwrap_or(Self::LAST).min(Self::LAST))
    }
}

impl From<Timestamp> for SystemTime {
    fn from(time: Timestamp) -> Self {
        UNIX_EPOCH + Duration::from_millis(time.0)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_rfc3339_millis((*self).into()).fmt(f)
    }
}

impl FromStr for Timestamp {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        humantime::parse_rfc3339(text).map(Self::from).map_err(|_| format!("`{text}` is no moment in RFC 3339, UTC"))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::Timestamp;

    #[test]
    fn every_moment_is_read_as_it_was_written() {
        for millis in [0, 1, 1_795_457_114_123, Timestamp::LAST] {
            let time = Timestamp(millis);
            assert_eq!(time.to_string().parse(), Ok(time), "{time}");
        }
        assert!("yesterday".parse::<Timestamp>().is_err());
    }
}
