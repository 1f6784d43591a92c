//! Tokens: from a file that nobody else may read, or from a variable; never from an argument.

use std::path::Path;

use subtle::ConstantTimeEq;

use crate::error::{Error, ErrorKind};

/// A secret that a request has to show.
#[derive(Clone)]
pub(super) struct Token(String);

/// Bytes of a token at least; shorter ones are guessed.
const LEAST_BYTES: usize = 16;

impl Token {
    /// The token of a file, else of a variable; none when there is neither.
    pub(super) fn find(file: Option<&Path>, variable: &str) -> Result<Option<Self>, Error> {
        let wrong = |message: String| Error::new(ErrorKind::InvalidOptions, message);
        let (text, place) = match (file, std::env::var(variable)) {
            (Some(file), _) => {
                let place = format!("token file `{}`", file.display());
                let cannot = |error| Error::new(ErrorKind::Io, format!("cannot read {place}")).with_source(error);
                let metadata = std::fs::metadata(file).map_err(cannot)?;
                if !metadata.is_file() {
                    return Err(wrong(format!("{place} is no file")));
                }
                if is_open(&metadata) {
                    let shown = file.display();
                    return Err(wrong(format!("others may read {place}; `chmod 600 {shown}`")));
                }
                (std::fs::read_to_string(file).map_err(cannot)?, place)
            }
            (None, Ok(text)) => (text, format!("token in {variable}")),
            (None, Err(std::env::VarError::NotPresent)) => return Ok(None),
            (None, Err(std::env::VarError::NotUnicode(_))) => return Err(wrong(format!("{variable} is not UTF-8"))),
        };
        let token = text.trim();
        if token.len() < LEAST_BYTES || !token.bytes().all(|b| b.is_ascii_graphic()) {
            return Err(wrong(format!(
                "the {place} must be at least {LEAST_BYTES} printable ASCII characters without blanks"
            )));
        }
        Ok(Some(Self(token.to_owned())))
    }

    /// Whether an `Authorization` header carries it; takes the same time whatever is wrong with it.
    pub(super) fn is_in(&self, header: Option<&[u8]>) -> bool {
        let shown = header.and_then(|header| {
            let (scheme, token) = header.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)
        });
        shown.is_some_and(|shown| shown.ct_eq(self.0.as_bytes()).into())
    }
}

#[cfg(unix)]
fn is_open(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    metadata.permissions().mode() & 0o077 != 0
}

#[cfg(not(unix))]
fn is_open(_: &std::fs::Metadata) -> bool {
    false
}
