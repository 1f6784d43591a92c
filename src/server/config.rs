//! How the service is run: one value for all of it, from a file, from arguments, or from both.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::uri::Authority;
use serde::de::Visitor;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::diagnostic::did_you_mean;
use crate::error::{Error, ErrorKind};

/// Where the service listens unless told otherwise.
pub const DEFAULT_LISTEN: &str = "127.0.0.1:8321";

/// How the service is run; what a configuration file says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Address and port; 127.0.0.1:8321 unless a socket is given. Any other address than loopback needs a token.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "address")]
    pub listen: Option<SocketAddr>,
    /// A Unix socket; only the user of the service may use it (mode 0600).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub socket: Option<PathBuf>,
    /// Host names that requests may be meant for, besides localhost and loopback addresses.
    pub allowed_hosts: Vec<String>,
    /// A file with the token that every request has to carry; nobody else may read it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// A file with the token that `POST /v1/reload` has to carry; without one it is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reload_token_file: Option<PathBuf>,
    /// Whether anybody who reaches an address other than loopback may ask.
    pub insecure_no_auth: bool,
    /// Where a line for each request goes.
    pub access_log: AccessLog,
    /// The rules directory; the built-in rules without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rules: Option<PathBuf>,
    /// Where the last good rules are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<PathBuf>,
    /// Whether to start with nothing but the fallback when there are no rules that load.
    pub allow_fallback_only: bool,
    /// Where failures that no rule knows are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spool: Option<PathBuf>,
    /// Whether an unknown failure that could not be kept is answered with 503.
    pub spool_required: bool,
    /// Threads that answer; 0 for one on each core.
    pub threads: u16,
    /// What is refused.
    pub limits: Limits,
    /// What is waited for.
    pub timeouts: Timeouts,
}

/// Where the access log goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLog {
    /// To standard output
    #[default]
    Stdout,
    /// To standard error
    Stderr,
    /// Nowhere
    Off,
}

/// What is refused: sizes in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// A request with one failure.
    pub body_bytes: usize,
    /// A request with a list of failures.
    pub batch_bytes: usize,
    /// Failures in one list.
    pub batch_records: usize,
    /// A line of a stream; a longer one is answered as unreadable.
    pub line_bytes: usize,
    /// Request line and headers together.
    pub head_bytes: usize,
    /// Headers of a request, at most 100.
    pub headers: usize,
    /// Path and query.
    pub url_bytes: usize,
    /// Connections at a time.
    pub connections: usize,
    /// Connections at a time from one address; those from loopback only count together.
    pub connections_per_peer: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1024 * 1024,
            batch_bytes: 8 * 1024 * 1024,
            batch_records: 1_000,
            line_bytes: 1024 * 1024,
            head_bytes: 16 * 1024,
            headers: 64,
            url_bytes: 2 * 1024,
            connections: 512,
            connections_per_peer: 64,
        }
    }
}

/// What is waited for, and how long; each has a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// The first byte on a connection.
    #[serde(with = "duration")]
    pub first_byte: Duration,
    /// Request line and headers, from their first byte.
    #[serde(with = "duration")]
    pub head: Duration,
    /// The body, from the end of the headers.
    #[serde(with = "duration")]
    pub body: Duration,
    /// The whole request, streams excepted.
    #[serde(with = "duration")]
    pub request: Duration,
    /// The next line of a stream.
    #[serde(with = "duration")]
    pub stream_idle: Duration,
    /// Somebody who does not read the answer.
    #[serde(with = "duration")]
    pub write: Duration,
    /// The next request on a connection.
    #[serde(with = "duration")]
    pub idle: Duration,
    /// Requests under way when the service ends.
    #[serde(with = "duration")]
    pub drain: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            first_byte: seconds(5),
            head: seconds(5),
            body: seconds(10),
            request: seconds(15),
            stream_idle: seconds(60),
            write: seconds(10),
            idle: seconds(30),
            drain: seconds(5),
        }
    }
}

mod duration {
    //! Durations as people write them: `5s`, `500ms`.

    use super::{Deserializer, Duration, Serializer, Text};

    pub(super) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&humantime::format_duration(*duration))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        let text = deserializer.deserialize_str(Text("a duration such as \"5s\" or \"500ms\""))?;
        humantime::parse_duration(&text).map_err(|error| {
            serde::de::Error::custom(format!("`{text}` is no duration ({error}); write `5s` or `500ms`"))
        })
    }
}

/// Reads a text that stands for something else, which is said where there is none.
struct Text(&'static str);

impl Visitor<'_> for Text {
    type Value = String;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }

    fn visit_str<E>(self, text: &str) -> Result<String, E> {
        Ok(text.to_owned())
    }
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SocketAddr>, D::Error> {
    let text = deserializer.deserialize_str(Text("an address and port such as \"127.0.0.1:8321\""))?;
    let wrong = |_| {
        let what = format!("`{text}` is no address and port; write `{DEFAULT_LISTEN}` or `[::1]:8321`");
        serde::de::Error::custom(what)
    };
    text.parse().map(Some).map_err(wrong)
}

impl Config {
    /// Reads the text of a configuration file; paths in it start at its folder.
    ///
    /// # Errors
    /// When it is no TOML, names a key that does not exist, or has a value that cannot be; the text says where.
    pub fn read(text: &str, file: &Path) -> Result<Self, Error> {
        let mut config: Self = toml::from_str(text).map_err(|error| {
            let help = help(error.message()).map_or_else(String::new, |help| format!("\nhelp: {help}"));
            let message = format!("`{}` is no configuration: {}{help}", file.display(), error.to_string().trim_end());
            Error::new(ErrorKind::InvalidOptions, message)
        })?;
        let folder = file.parent().unwrap_or(Path::new(""));
        let paths = [
            &mut config.socket,
            &mut config.token_file,
            &mut config.reload_token_file,
            &mut config.rules,
            &mut config.state,
            &mut config.spool,
        ];
        for path in paths.into_iter().flatten() {
            *path = folder.join(&path);
        }
        Ok(config)
    }

    /// Fills in what follows from the rest, and says what cannot be.
    ///
    /// # Errors
    /// When an address that others can reach has neither a token nor `insecure_no_auth`, or a limit is nonsense.
    pub fn complete(mut self) -> Result<Self, Error> {
        if self.listen.is_none() && self.socket.is_none() {
            self.listen = DEFAULT_LISTEN.parse().ok();
        }
        let wrong = |message: String| Err(Error::new(ErrorKind::InvalidOptions, message));
        if let Some(listen) = self.listen
            && !listen.ip().is_loopback()
            && self.token_file.is_none()
            && std::env::var_os(TOKEN_VARIABLE).is_none()
            && !self.insecure_no_auth
        {
            return wrong(format!(
                "others can reach {listen}: give `token_file` (`--token-file`) or {TOKEN_VARIABLE}, or say `insecure_no_auth` (`--insecure-no-auth`)"
            ));
        }
        if self.spool_required && self.spool.is_none() {
            return wrong("`spool_required` needs `spool`".to_owned());
        }
        // A port or a scheme in it would be compared with names, and never be the same.
        let is_host = |host: &String| {
            Authority::try_from(host.as_str()).is_ok_and(|authority| authority.host() == host && !host.contains('@'))
        };
        if let Some(host) = self.allowed_hosts.iter().find(|host| !is_host(host)) {
            return wrong(format!(
                "`{host}` in `allowed_hosts` (`--allowed-host`) is no host; write a name or an address alone, such as \
                 `faultbook.example`, `10.0.0.7` or `[fd00::7]`"
            ));
        }
        let Limits { body_bytes, batch_bytes, batch_records, line_bytes, head_bytes, headers, url_bytes, .. } =
            self.limits;
        let Limits { connections, connections_per_peer, .. } = self.limits;
        let most = crate::model::limits::RECORD_BYTES;
        let limits = [
            ("threads", self.threads.into(), 0, 256),
            ("limits.body_bytes", body_bytes, 1024, most),
            ("limits.batch_bytes", batch_bytes, body_bytes, most),
            ("limits.batch_records", batch_records, 1, 100_000),
            ("limits.line_bytes", line_bytes, 1024, most),
            ("limits.head_bytes", head_bytes, 1024, 64 * 1024),
            ("limits.headers", headers, 8, 100),
            ("limits.url_bytes", url_bytes, 64, head_bytes),
            ("limits.connections", connections, 1, 65_536),
            ("limits.connections_per_peer", connections_per_peer, 1, 65_536),
        ];
        if let Some((name, value, least, most)) =
            limits.into_iter().find(|(_, value, least, most)| !(least..=most).contains(&value))
        {
            return wrong(format!("`{name}` is {value}; give {least} to {most}"));
        }
        let Timeouts { first_byte, head, body, request, stream_idle, write, idle, drain } = self.timeouts;
        let timeouts = [
            ("first_byte", first_byte),
            ("head", head),
            ("body", body),
            ("request", request),
            ("stream_idle", stream_idle),
            ("write", write),
            ("idle", idle),
            ("drain", drain),
        ];
        let hour = Duration::from_secs(3600);
        match timeouts.into_iter().find(|(_, value)| value.is_zero() || *value > hour) {
            Some((name, value)) => {
                let value = humantime::format_duration(value);
                wrong(format!("`timeouts.{name}` is {value}; give more than nothing, at most an hour"))
            }
            None => Ok(self),
        }
    }

    /// The configuration as a file of it would say it.
    #[must_use]
    pub fn to_toml(&self) -> String {
        // A value of texts, numbers and tables: writing it cannot fail.
        toml::to_string(self).unwrap_or_default()
    }
}

/// What to write instead of a key that there is not.
fn help(message: &str) -> Option<String> {
    let mut words = message.strip_prefix("unknown field `")?.split('`');
    let key = words.next()?;
    for (table, text) in
        [("limits", toml::to_string(&Limits::default())), ("timeouts", toml::to_string(&Timeouts::default()))]
    {
        let is_there = text.is_ok_and(|text| text.lines().any(|line| line.split(' ').next() == Some(key)));
        if is_there {
            return Some(format!("`{key}` belongs below `[{table}]`."));
        }
    }
    let known: Vec<&str> = words.skip(1).step_by(2).collect();
    Some(did_you_mean(key, known.iter().copied()))
}

/// The variable with the token that every request has to carry, instead of a file.
pub const TOKEN_VARIABLE: &str = "FAULTBOOK_TOKEN";
/// The variable with the token of `POST /v1/reload`, instead of a file.
pub const RELOAD_TOKEN_VARIABLE: &str = "FAULTBOOK_RELOAD_TOKEN";
