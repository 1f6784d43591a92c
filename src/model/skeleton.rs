//! What stays the same in messages of the same kind: words stay, what differs from failure to failure is replaced.
//!
//! One pass over the start of a text, in time proportional to it. Knows no rules and no failures.
//!
//! | replaced by | what |
//! |---|---|
//! | `<n>` | numbers, dates, times, versions and IP addresses |
//! | `<guid>` | GUIDs |
//! | `<email>` | e-mail addresses |
//! | `<url>` | addresses with a scheme |
//! | `<host>` | host and file names: `sql01.contoso.local`, `settings.json` |
//! | `<path>` | paths of files, of requests, and `DOMAIN\user` |
//! | `<id>` | long words of letters and digits, hexadecimal words |
//! | `<secret>` | what redaction has left of a secret |
//! | `'*'` | values in quotes of whatever kind; names of JSON fields stay, and a word in a field such as `code` |
//!
//! `AADSTS` numbers and HRESULTs (`0x80004005`) say what went wrong and stay. Values that follow each other count as
//! one, so that lists of different length are alike.

use crate::diagnostic::floor_char_boundary;

/// Bytes of a text that are looked at.
const READ_BYTES: usize = 2 * 1024;
/// Bytes of a skeleton; what follows does not tell shapes apart.
pub(crate) const SKELETON_BYTES: usize = 240;
/// Bytes within which a quote has to be closed.
const QUOTED_BYTES: usize = 256;

/// The skeleton of a text without secrets.
pub(crate) fn skeleton(text: &str) -> String {
    let mut out = String::with_capacity(SKELETON_BYTES + 16);
    let mut rest = start(text).trim_start();
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        if out.len() > SKELETON_BYTES {
            break;
        }
        let used = if c.is_whitespace() || c.is_control() {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            c.len_utf8()
        } else if let Some(used) = marker(rest) {
            replace(&mut out, "<secret>");
            used
        } else if let Some(used) = quoted(rest, before, &mut out) {
            used
        } else if is_escape(rest) {
            // A quote that is escaped once more is a quote.
            1
        } else if is_mark(c) {
            out.push(c);
            c.len_utf8()
        } else {
            let token = &rest[..token_end(rest)];
            word(token, &rest[token.len()..], &mut out);
            token.len()
        };
        before = rest[..used].chars().next_back().unwrap_or(' ');
        rest = &rest[used..];
    }
    out.truncate(floor_char_boundary(&out, SKELETON_BYTES));
    out.truncate(out.trim_end().len());
    out
}

/// Whether a word differs from failure to failure: a GUID, an address, a long word of letters and digits.
pub(crate) fn is_opaque(word: &str) -> bool {
    is_guid(word) || is_email(word) || is_id(word) || word.contains("://")
}

/// The start of a text, ending with a whole word.
fn start(text: &str) -> &str {
    if text.len() <= READ_BYTES {
        return text;
    }
    let head = &text[..floor_char_boundary(text, READ_BYTES)];
    head.rfind(char::is_whitespace).map_or(head, |end| &head[..end])
}

/// Adds a placeholder; one that only continues a list of the same is left out.
fn replace(out: &mut String, placeholder: &str) {
    let listed = out.trim_end_matches([' ', ',', ';', '|']).len();
    if out[..listed].ends_with(placeholder) {
        out.truncate(listed);
    } else {
        out.push_str(placeholder);
    }
}

fn marker(rest: &str) -> Option<usize> {
    let inner = rest.strip_prefix("«redacted:")?;
    inner.find('»').map(|end| rest.len() - inner.len() + end + '»'.len_utf8())
}

/// The quotes that close what a quote opens.
fn closing(open: char) -> &'static [char] {
    match open {
        '"' => &['"'],
        '\'' => &['\''],
        '`' => &['`', '\''],
        '“' => &['”'],
        '„' => &['“', '”'],
        '‘' => &['’'],
        '‚' => &['‘', '’'],
        '«' => &['»'],
        '‹' => &['›'],
        _ => &[],
    }
}

/// A value in quotes, or the name of a JSON field.
fn quoted(rest: &str, before: char, out: &mut String) -> Option<usize> {
    let open = rest.chars().next()?;
    let closing = closing(open);
    if closing.is_empty() || before.is_alphanumeric() {
        return None;
    }
    let inner = &rest[open.len_utf8()..];
    let near = &inner[..floor_char_boundary(inner, QUOTED_BYTES)];
    let ends = |(at, close): &(usize, &str)| {
        // `don't` opens nothing and closes nothing.
        let behind = near[at + close.len()..].chars().next();
        !matches!(open, '\'' | '`') || !behind.is_some_and(char::is_alphanumeric)
    };
    let (end, close) = near.match_indices(closing).find(ends)?;
    let value = near[..end].trim_end_matches('\\');
    if value.contains('\n') {
        return None;
    }
    let behind = near[end + close.len()..].trim_start();
    if open == '"' && behind.starts_with(':') && is_name(value) {
        out.extend(["\"", value, "\""]);
    } else if is_name(value) && names_code(out) {
        out.push_str(value);
    } else {
        replace(out, "'*'");
    }
    Some(open.len_utf8() + end + close.len())
}

/// Whether a value is a word that may name a field or a code.
fn is_name(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'_' | b'-' | b'.' | b'@' | b'$'))
}

/// Whether a JSON field was named that holds a code.
fn names_code(out: &str) -> bool {
    const FIELDS: [&str; 8] = ["code", "error", "errorcode", "error_code", "reason", "status", "type", "faultcode"];
    let field = out.trim_end().strip_suffix(':').and_then(|out| out.trim_end().strip_suffix('"'));
    field
        .and_then(|out| out.rsplit('"').next())
        .is_some_and(|name| FIELDS.iter().any(|field| field.eq_ignore_ascii_case(name)))
}

/// Whether a character stands between words.
fn is_mark(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | '`'
            | '“'
            | '”'
            | '„'
            | '‘'
            | '’'
            | '‚'
            | '«'
            | '»'
            | '‹'
            | '›'
            | ','
            | ';'
            | '('
            | ')'
            | '['
            | ']'
            | '{'
            | '}'
            | '<'
            | '>'
            | '|'
            | '='
            | '&'
            | '?'
            | '!'
            | '*'
    )
}

/// Whether a text starts with a backslash in front of a quote, or of a further such backslash.
fn is_escape(text: &str) -> bool {
    text.starts_with('\\') && text.trim_start_matches('\\').starts_with(['"', '\''])
}

/// Where the word at the start of a text ends.
fn token_end(rest: &str) -> usize {
    let ends = |(at, c): (usize, char)| {
        let is_end = c.is_whitespace() || c.is_control() || is_mark(c) || is_escape(&rest[at..]);
        // `1,234.56` is one number.
        let is_inside = c == ','
            && rest[..at].ends_with(|c: char| c.is_ascii_digit())
            && rest[at + 1..].starts_with(|c: char| c.is_ascii_digit());
        (is_end && !is_inside).then_some(at)
    };
    let end = rest.char_indices().find_map(ends).unwrap_or(rest.len());
    if rest[..end].contains("://") {
        // An address goes on behind `?` and `=`.
        let is_end = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '"' | '\'' | '<' | '>' | '`' | ')');
        return rest.find(is_end).unwrap_or(rest.len()).max(end);
    }
    // A word has at least one character.
    end.max(rest.chars().next().map_or(0, char::len_utf8))
}

/// Adds a word, or what stands for it.
fn word(token: &str, behind: &str, out: &mut String) {
    let (lead, token) = token.split_at(token.len() - token.trim_start_matches(':').len());
    out.push_str(lead);
    let core = token.trim_end_matches(['.', ':', '-', '…']);
    let tail = &token[core.len()..];
    // Names before names before names are long enough before they are all read.
    if core.is_empty() || out.len() > SKELETON_BYTES {
        out.push_str(tail);
        return;
    }
    match placeholder(core) {
        Some(placeholder) => replace(out, placeholder),
        None if is_part_of_date(core, behind, out) => replace(out, "<n>"),
        None => match name_and_value(core) {
            Some((name, value)) => {
                out.push_str(name);
                out.push(':');
                word(value, behind, out);
            }
            None if is_code(core) => out.push_str(core),
            None => digits(core, out),
        },
    }
    out.push_str(tail);
}

fn placeholder(core: &str) -> Option<&'static str> {
    if core.contains("://") {
        Some("<url>")
    } else if is_guid(core) {
        Some("<guid>")
    } else if is_number(core) {
        Some("<n>")
    } else if is_email(core) {
        Some("<email>")
    } else if is_path(core) {
        Some("<path>")
    } else if is_host(core) {
        Some("<host>")
    } else if is_id(core) {
        Some("<id>")
    } else {
        None
    }
}

/// `RequestId:7f3a` is a name and a value.
fn name_and_value(core: &str) -> Option<(&str, &str)> {
    let (name, value) = core.split_once(':')?;
    (!value.is_empty() && name.len() > 1 && name.chars().all(|c| c.is_alphabetic() || matches!(c, '_' | '-')))
        .then_some((name, value))
}

/// Numbers that say what went wrong.
fn is_code(core: &str) -> bool {
    let is_hresult = core.strip_prefix("0x").is_some_and(|hex| {
        hex.len() == 8 && hex.starts_with(['8', 'c', 'C']) && hex.bytes().all(|b| b.is_ascii_hexdigit())
    });
    is_hresult
        || core
            .strip_prefix("AADSTS")
            .is_some_and(|digits| (1..=9).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// With each number in a word replaced.
fn digits(core: &str, out: &mut String) {
    let mut chars = core.chars().peekable();
    while let Some(c) = chars.next() {
        if !c.is_numeric() {
            out.push(c);
            continue;
        }
        while let Some(&next) = chars.peek() {
            let mut ahead = chars.clone();
            ahead.next();
            let continues = matches!(next, '.' | ',' | ':' | '/' | '-' | '+')
                && ahead.peek().is_some_and(|behind| behind.is_numeric());
            if !next.is_numeric() && !continues {
                break;
            }
            chars.next();
        }
        out.push_str("<n>");
    }
}

fn is_guid(word: &str) -> bool {
    let mut groups = word.split('-');
    let is_group = |group: Option<&str>, len| {
        group.is_some_and(|group| group.len() == len && group.bytes().all(|b| b.is_ascii_hexdigit()))
    };
    [8, 4, 4, 4, 12].into_iter().all(|len| is_group(groups.next(), len)) && groups.next().is_none()
}

/// Digits with what stands inside of numbers, dates, times and IP addresses.
fn is_number(word: &str) -> bool {
    let is_inside = |c: char| matches!(c, '.' | ',' | ':' | '/' | '-' | '+' | 'T' | 'Z' | '%' | '#' | '$' | '€');
    word.contains(char::is_numeric) && word.chars().all(|c| c.is_numeric() || is_inside(c))
}

fn is_email(word: &str) -> bool {
    word.split_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && !local.contains(['/', '\\']) && host.contains(char::is_alphanumeric)
    })
}

fn is_path(word: &str) -> bool {
    let is_rooted = word.len() > 1 && word.starts_with(['/', '~', '.']) && word.contains('/');
    word.trim_start_matches('\\').contains('\\')
        || word.starts_with("\\\\")
        || is_rooted
        || word.bytes().filter(|&b| b == b'/').count() > 1
}

/// Names with dots that end in small or in capital letters throughout; type names do not.
fn is_host(word: &str) -> bool {
    let name = match word.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => word,
    };
    let Some((front, last)) = name.rsplit_once('.') else { return false };
    let is_label =
        |label: &str| !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (2..=24).contains(&last.len())
        && (last.bytes().all(|b| b.is_ascii_lowercase()) || name.bytes().all(|b| !b.is_ascii_lowercase()))
        && last.bytes().all(|b| b.is_ascii_alphabetic())
        && front.split('.').all(is_label)
}

/// Long words with many digits, and hexadecimal words.
fn is_id(word: &str) -> bool {
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'+' | b'/' | b'%' | b'~' | b'.');
    (word.len() >= 8 && digits > 0 && word.bytes().all(|b| b.is_ascii_hexdigit()))
        || (word.len() >= 16 && digits >= 4 && word.bytes().all(is_plain))
}

/// Names of months and days beside a number.
fn is_part_of_date(core: &str, behind: &str, out: &str) -> bool {
    const NAMES: [&str; 19] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Mon", "Tue", "Wed", "Thu",
        "Fri", "Sat", "Sun",
    ];
    let has_number_behind = || behind.trim_start_matches([' ', ',', '.']).starts_with(|c: char| c.is_ascii_digit());
    match core {
        "AM" | "PM" => out.trim_end().ends_with("<n>"),
        _ => NAMES.contains(&core) && (has_number_behind() || out.trim_end().ends_with("<n>")),
    }
}

#[cfg(test)]
mod tests {
    use super::{SKELETON_BYTES, skeleton};

    #[test]
    fn what_differs_is_replaced() {
        let cases = [
            ("The mailbox 'anna@contoso.com' is full.", "The mailbox '*' is full."),
            ("Mailbox anna.b+c@contoso.com: full", "Mailbox <email>: full"),
            ("Request 3f0c1d8e-5a44-4b7e-9d1a-0c5be2f61a10 failed", "Request <guid> failed"),
            ("at 2026-11-21T18:05:14.123Z on 10.0.0.1:1433", "at <n> on <n>"),
            ("on Sat, 21 Nov 2026 18:05:14 GMT", "on <n> GMT"),
            ("Nov 21, 2026 6:05:14 PM: it may be", "<n>: it may be"),
            ("May not be empty", "May not be empty"),
            ("Could not open C:\\data\\x.db or /var/lib/x", "Could not open <path> or <path>"),
            ("and/or text/html", "and/or text/html"),
            ("GET https://graph.microsoft.com/v1.0/me?x=1&y=2 gave 503.", "GET <url> gave <n>."),
            ("sql01.contoso.local:1433 is down", "<host> is down"),
            ("System.Net.Http.HttpRequestException: no", "System.Net.Http.HttpRequestException: no"),
            ("AADSTS50011: bad. 0x80004005, 0x00F3A2", "AADSTS50011: bad. 0x80004005, <n>x<n>F<n>A<n>"),
            ("Order SO-10023 of RequestId:12", "Order SO-<n> of RequestId:<n>"),
            ("rows 1, 2, 3 and 1,234.56 left", "rows <n> and <n> left"),
            ("id AAMkAGI2TG93AAAAAAAAAAA123 gone, deadbeef01 too", "id <id> gone, <id> too"),
            ("client_secret=«redacted:secret» is bad", "client_secret=<secret> is bad"),
            ("don't use 'O'Brien' or \"x\"", "don't use '*' or '*'"),
            (
                r#"{"error":{"code":"ErrorFoo","message":"It's 5","n":5}}"#,
                r#"{"error":{"code":ErrorFoo,"message":'*',"n":<n>}}"#,
            ),
            (r#"{\"error\":{\"code\":\"ErrorFoo\"}}"#, r#"{"error":{"code":ErrorFoo}}"#),
            ("  a \t\r\n b  ", "a b"),
            ("CONTOSO\\anna and \\\\srv\\x", "<path> and <path>"),
            ("„Müller“ fehlt, « x » aussi", "'*' fehlt, '*' aussi"),
            ("٣ items", "<n> items"),
            ("n :5 ::x a:b:7 ab:cd:7", "n :<n> ::x a:b:<n> ab:cd:<n>"),
            ("", ""),
        ];
        for (text, expected) in cases {
            assert_eq!(skeleton(text), expected, "{text}");
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        for unit in ["x", "é", "👩‍👩‍👧 ", "'", "\"a\" ", "\\", "«redacted:", "1", "a.", "@", ":", "/", "\u{202e}"]
        {
            let out = skeleton(&unit.repeat(5_000));
            assert!(out.len() <= SKELETON_BYTES, "{unit}: {}", out.len());
        }
    }
}
