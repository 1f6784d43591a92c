//! Lines that name what they hold: `Message=…`, `Exception type: …`, `Error Number:…`, and codes behind labels.
//!
//! Knows the labels; what they mean for the chain is decided in `reader`.

use super::body;
use super::pattern::pattern;
use super::types;

pattern!(
    TYPE,
    r"(?i)(?:^|[\s:*]{1,3})\W{0,4}((?:inner(?:most)? |outer |base )?(?:exception|error)[ _]?(?:type|class|name)|type)\**\s{0,12}[:=]\**\s{0,4}(\S.*)$"
);
pattern!(
    MESSAGE,
    r"(?i)^\W{0,4}((?:inner(?:most)? |outer |base )?(?:(?:exception|error)[ _]?)?message|additional information)\**\s{0,12}[:=]\**(?:\s+(.*))?$"
);
pattern!(VS_MESSAGE, r"^Message=(.*)$");
pattern!(
    VS_NOISE,
    r"(?i)^(?:HResult\s?[=:]|Source=|TargetSite\s?[=:]|HelpLink=|ErrorCode=-|NativeErrorCode=|ParamName=|Data: System\.|IsTransient=|Line(?:Number|Position)=)"
);
pattern!(INNER, r"(?i)^[^0-9A-Za-z]{0,4}inner ?exception(?: ?#?\d+)?\]?\**\s{0,12}[:=]?\**$");
pattern!(SQL_TAIL, r"(?i)Error ?Number: ?(-?\d{1,9}),\s?State: ?-?\d+,\s?Class: ?-?\d+");
pattern!(CONNECTION, r"(?i)ClientConnectionId(?: before routing)? ?:\S*");
pattern!(STACK, r"(?i)(?:^|\s)(?:call |server )?stack ?(?:trace)?\s?:\s*$");
pattern!(SQL_MESSAGE, r"^Msg (\d{1,9}), Level \d+, State \d+");
pattern!(SQL_NUMBER, r"^(?:Sql)?(?:Error ?)?Number\s?[:=]\s?(-?\d{1,6})$");
pattern!(CATEGORY, r"^\+ CategoryInfo\s*: .*?\[[^\]]*\], ([A-Za-z_][\w.]*)$");
pattern!(CODE_BEFORE_MESSAGE, r"\bCode:? ([A-Za-z][\w.]+),?\s+Message:");
pattern!(
    CODE_LINE,
    r"(?i)^(?:[\w ]{0,20}\W{0,2})?\berror ?code\s?[:=] ?([A-Za-z][\w.]+)\s*(?:[.,;]|$)|^\W{0,3}Code: ([A-Za-z][\w.]+)\s*$"
);
pattern!(CODE_INLINE, r"[,(] ?ErrorCode: ([A-Za-z][\w.]+)");
pattern!(CODE_FIELD, r#"(?i)^["']?(?:\w{1,20}_)?(?:error_?)?code["']?\s?[:=]\s?["']([A-Za-z][\w.]+)["'],?$"#);
pattern!(CODE_BRACKET, r"(?:^|\s)\[([A-Z][A-Za-z]+(?:_[A-Za-z]+)*)\] : ");
pattern!(NAV, r"\b[a-z]:(Microsoft\.Dynamics\.Nav\.(?:[A-Z]\w*?\.)*?[A-Z]\w*?Exception)(?:[^a-z.]|$)");

/// What a labelled line holds.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Label<'a> {
    /// The type of an exception.
    Type {
        /// The type.
        name: &'a str,
        /// Whether the label calls it an inner exception.
        inner: bool,
        /// Whether the label calls it the outer exception of one named before.
        outer: bool,
        /// What stands before the label.
        before: &'a str,
    },
    /// The message of an exception.
    Message {
        /// The first line of the message; it may be empty.
        text: &'a str,
        /// Whether the label speaks of an exception or error, and not just of a message.
        sure: bool,
    },
    /// The next exception is an inner one.
    Inner,
    /// The number that SQL Server gave, behind the exception.
    Number(i64),
    /// The type of a PowerShell error record.
    Category(&'a str),
    /// Nothing anybody would miss.
    Noise,
}

/// The label of a line.
pub(super) fn read(said: &str) -> Option<Label<'_>> {
    if !said.contains([':', '=', ']']) && !said.get(..5).is_some_and(|word| word.eq_ignore_ascii_case("inner")) {
        return None;
    }
    if let Some(found) = VS_MESSAGE.captures(said) {
        return Some(Label::Message { text: found.get(1).map_or("", |m| m.as_str()), sure: true });
    }
    if let Some(found) = SQL_TAIL.captures(said) {
        return Some(Label::Number(found.get(1)?.as_str().parse().ok()?));
    }
    if let Some(found) = SQL_NUMBER.captures(said) {
        return Some(Label::Number(found.get(1)?.as_str().parse().ok()?));
    }
    if VS_NOISE.is_match(said)
        || CONNECTION.find(said).is_some_and(|found| found.start() == 0 && found.end() == said.len())
    {
        return Some(Label::Noise);
    }
    if INNER.is_match(said) {
        return Some(Label::Inner);
    }
    if let Some(found) = CATEGORY.captures(said) {
        return Some(Label::Category(found.get(1)?.as_str()));
    }
    if heads_type(said)
        && let Some(found) = TYPE.captures(said)
    {
        let value = found.get(2)?.as_str();
        let label = found.get(1)?.as_str();
        // `Type: X` heads many things; the value says whether it is an exception's.
        if let Some(name) = exception_name(value, label) {
            let lower = label.to_ascii_lowercase();
            return Some(Label::Type {
                name,
                inner: lower.starts_with("inner"),
                outer: lower.starts_with("outer"),
                before: said[..found.get(1)?.start()].trim_matches(['*', ' ']),
            });
        }
    }
    let found = MESSAGE.captures(said)?;
    let label = found.get(1)?.as_str();
    let sure = !label.eq_ignore_ascii_case("message");
    Some(Label::Message { text: found.get(2).map_or("", |m| m.as_str()), sure })
}

/// Whether a colon or an equals sign of a line stands behind a word that announces a type.
fn heads_type(said: &str) -> bool {
    memchr::memchr2_iter(b':', b'=', said.as_bytes()).any(|at| {
        let before = said[..at].trim_end().trim_end_matches('*').as_bytes();
        ["type", "class", "name"].iter().any(|word| {
            before
                .len()
                .checked_sub(word.len())
                .is_some_and(|start| before[start..].eq_ignore_ascii_case(word.as_bytes()))
        })
    })
}

fn exception_name<'a>(value: &'a str, label: &str) -> Option<&'a str> {
    let value = value.trim_matches(['*', '`', '\'', '"', ' ']);
    let bare = label.eq_ignore_ascii_case("error type") || label.eq_ignore_ascii_case("error name");
    if bare && value == "Error" {
        return Some(value);
    }
    let token = types::leading(value)?;
    let rest = value[token.after..].trim();
    let ends = rest.is_empty() || rest.starts_with([',', ';', '|']);
    let name = token.name(value);
    (ends && !types::is_label(name) && (types::is_qualified(name) || types::is_camel(name))).then_some(name)
}

/// The codes that a line states behind a label.
pub(super) fn codes(line: &str) -> Vec<&str> {
    let mut codes = Vec::new();
    let lower = line.contains("ode") || line.contains("CODE");
    if lower {
        for found in [
            CODE_BEFORE_MESSAGE.captures(line),
            CODE_LINE.captures(line),
            CODE_INLINE.captures(line),
            CODE_FIELD.captures(line),
        ]
        .into_iter()
        .flatten()
        {
            codes.extend(found.iter().skip(1).flatten().filter_map(|code| body::code_word(code.as_str())));
        }
    }
    if line.contains("] : ") {
        codes.extend(CODE_BRACKET.captures_iter(line).filter_map(|found| found.get(1)).map(|code| code.as_str()));
    }
    codes
}

/// The exception of Business Central that a line names as a fault code, and where its words end.
pub(super) fn nav_fault(line: &str) -> Option<(&str, usize)> {
    if !line.contains(":Microsoft.Dynamics.Nav.") {
        return None;
    }
    let code = NAV.captures(line)?.get(1)?;
    Some((code.as_str(), code.end()))
}

/// The line without the connection that SQL Server's drivers name at its end.
pub(super) fn without_connection(line: &str) -> &str {
    let before =
        CONNECTION.find(line).filter(|found| found.end() == line.len()).map(|found| line[..found.start()].trim_end());
    before.filter(|before| !before.is_empty()).unwrap_or(line)
}

/// The words before a frame without the label that announces it.
pub(super) fn without_stack(words: &str) -> &str {
    STACK.find(words).map_or(words, |found| &words[..found.start()])
}

/// The number in the first line of a message of SQL Server.
pub(super) fn sql_message(line: &str) -> Option<i64> {
    if !line.starts_with("Msg ") {
        return None;
    }
    SQL_MESSAGE.captures(line)?.get(1)?.as_str().parse().ok()
}
