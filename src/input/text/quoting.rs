//! How the quotes of a pasted body are written, and its characters without that.
//!
//! Knows one character at a time; the body is read in `json`.

/// How the quotes of a text are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// As in JSON, or escaped so many times: `\"`, `\\\"`.
    Escaped(u8),
    /// As in CSV and C# verbatim strings: `""`.
    Doubled,
    /// As in HTML: `&quot;`.
    Entity,
}

impl Quoting {
    /// The next character as the quoting means it, and the position behind it.
    pub(super) fn char_at(self, text: &str, at: usize) -> Option<(char, usize)> {
        match self {
            Quoting::Escaped(level) => unescaped(text, at, level),
            Quoting::Doubled => {
                let rest = &text[at..];
                if let Some(after) = rest.strip_prefix('"') {
                    return after.starts_with('"').then_some(('"', at + 2));
                }
                plain(rest, at)
            }
            Quoting::Entity => {
                let rest = &text[at..];
                let known =
                    [("&quot;", '"'), ("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&#39;", '\''), ("&apos;", '\'')];
                known
                    .iter()
                    .find(|(entity, _)| rest.starts_with(entity))
                    .map_or_else(|| plain(rest, at), |(e, c)| Some((*c, at + e.len())))
            }
        }
    }
}

/// The quoting of the first key behind the brace at `at`; `None` when no key follows.
pub(super) fn first_key(text: &str, at: usize) -> Option<Quoting> {
    let rest = text[at..].trim_start_matches(['[', ' ', '\n', '\t']).strip_prefix('{')?;
    // Line breaks between members are escaped as often as the quotes are.
    // People cut what they think is of no interest: `{ …, "status": 404`.
    let rest = skip_breaks(rest).trim_start_matches(['…', '.', ',', ' ', '\n']);
    let mut chars = rest.chars();
    match chars.next()? {
        '"' if rest.starts_with("\"\"")
            && rest[2..].starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '@') =>
        {
            Some(Quoting::Doubled)
        }
        '"' | '\'' => Some(Quoting::Escaped(0)),
        'u' if chars.next() == Some('\'') => Some(Quoting::Escaped(0)),
        '&' if rest.starts_with("&quot;") => Some(Quoting::Entity),
        '\\' => {
            let slashes = rest.bytes().take_while(|b| *b == b'\\').count();
            if rest.as_bytes().get(slashes) != Some(&b'"') {
                return None;
            }
            match slashes {
                1 => Some(Quoting::Escaped(1)),
                3 => Some(Quoting::Escaped(2)),
                _ => None,
            }
        }
        c if c.is_ascii_alphabetic() => bare_object(rest).then_some(Quoting::Escaped(0)),
        _ => None,
    }
}

fn skip_breaks(mut rest: &str) -> &str {
    loop {
        rest = rest.trim_start_matches([' ', '\n', '\t']);
        let slashes = rest.bytes().take_while(|b| *b == b'\\').count();
        match rest.as_bytes().get(slashes) {
            Some(b'r' | b'n' | b't') if slashes > 0 => rest = &rest[slashes + 1..],
            _ => return rest,
        }
    }
}

/// Whether `key: 'value'` follows, as JavaScript prints objects; a lone `{name}` or `{A: b}` is a placeholder or a sentence.
fn bare_object(rest: &str) -> bool {
    let key = rest.bytes().take_while(|b| b.is_ascii_alphanumeric() || *b == b'_').count();
    let Some(value) = rest[key..].strip_prefix(": ") else {
        return false;
    };
    value.starts_with(['\'', '"', '{', '[']) || value.starts_with(|c: char| c.is_ascii_digit())
}

fn unescaped(text: &str, at: usize, level: u8) -> Option<(char, usize)> {
    let Some(below) = level.checked_sub(1) else {
        return plain(&text[at..], at);
    };
    let (c, next) = unescaped(text, at, below)?;
    if c != '\\' {
        return Some((c, next));
    }
    let Some((escaped, after)) = unescaped(text, next, below) else {
        return Some((c, next));
    };
    match escaped {
        'n' => Some(('\n', after)),
        'r' => Some(('\r', after)),
        't' => Some(('\t', after)),
        '"' | '\\' | '/' | '\'' => Some((escaped, after)),
        'u' => hex(text, after, below).or(Some((c, next))),
        _ => Some((c, next)),
    }
}

fn hex(text: &str, at: usize, level: u8) -> Option<(char, usize)> {
    let (mut code, mut next) = (0_u32, at);
    for _ in 0..4 {
        let (digit, after) = unescaped(text, next, level)?;
        code = code * 16 + digit.to_digit(16)?;
        next = after;
    }
    Some((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), next))
}

fn plain(rest: &str, at: usize) -> Option<(char, usize)> {
    rest.chars().next().map(|c| (c, at + c.len_utf8()))
}
