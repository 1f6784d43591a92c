//! Where a line says that an exception follows: `Type: message` in all its spellings.
//!
//! Decides from one line only. A sentence that mentions a type is no header, however exact the name.

use crate::diagnostic::floor_char_boundary;

use super::pattern::pattern;
use super::types::{self, TypeToken};

pattern!(
    LABEL,
    r#"(?xi) (?: ^ | [\s.,;|\])>*_-] ) (?:
        unhandled\ exception (?: \ occurred | \ at\ 0x[0-9a-f]+ .* )? [.:!]*
      | exception (?: \ details | \ info | \ was | \ is | \ caught | \ occurr?ed | \ message )? [:=]
      | (?: inner \s? | original \s | root \s )? (?: exception | error | cause ) (?: \ \#?\d+ )? \s? [:=]
      | the\ message: | exception\ type \s? [:=] | caused\ by:? | suppressed: | fatal\ error: | failure: | reason: | actual: | error\ details:
      | (?: php\ )? uncaught (?: \ exception:?)?
      | exception\ in\ thread\ "[^"]*"
      | (?: threw | throws | thrown ) (?: \ an?)? (?: \ exception )? :?
      | got | \*\*\*? | thread\ \S+ \s
    ) \s* \**_* $"#
);
pattern!(
    INNER_LABEL,
    r"(?i)(?:\binner ?exception(?: ?#?\d+)?(?: ?\d+)?\]?\s?[:=]?|^caused by:?|\bsuppressed:|^cause:)\s*$"
);
pattern!(TYPE_LABEL, r"(?i)\bexception type\s?[:=]$");
pattern!(HRESULT, r"(?:^|\s)\(0x[0-9A-Fa-f]{8}\)$");
pattern!(METHOD, r"(?x)^ \s+ (?:Void|[A-Z][\w.`]*(?:\[[^\]]*\])?) \s [\w.<>]+ \( ");
pattern!(UNHANDLED, r"^ was unhandled(?: by user code)?\.?$");
pattern!(IN_FILE, r"^ in \S+ line \d+: ");
pattern!(MENTION, r"(?i)(?:\b(?:of )?type|\ba|\ban|\bthe|\bclass|\bfor|\bto|\bor|\band)$");
pattern!(
    OCCURRED,
    r#"(?i)(?:unhandled|first[ -]chance|handled)? ?(?:exception of type '([^']+)' occurred(?: but was not handled)? in|exception thrown(?: at 0x[0-9a-f]+)?: '([^']+)' in) (?:user code|\S+)(?: \("(.*)"\)| but was not handled.*)?"#
);
pattern!(BRANCH, r"^\(Inner Exception #(\d+)\) ?");
pattern!(BRACKET, r"^\[([A-Za-z_][\w.+]*(?:Exception|Error))((?: \([^)]*\))?):? ?(.*)$");
pattern!(PARENTHESIS, r"^\(([A-Za-z_][\w.+]*(?:Exception|Error))\): ?(.*)$");
pattern!(RUBY, r":in [`'][^']*': (.*) \(([A-Z]\w*(?:::\w+)*)\)$");
pattern!(ELIXIR, r"^\*\* \(([A-Z][\w.]*)\) (.*)$");
pattern!(LARAVEL, r"\[object\] \(([A-Za-z_][\w\\]*)\(code: ?[^)]{0,20}\): (.*?)(?: at \S+:\d+\)?)?$");

/// How far before a name its label may begin.
const LABEL_REACH: usize = 160;

/// A statement that an exception follows.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Header<'a> {
    /// What stands before it on the line.
    pub(super) before: &'a str,
    /// The type as printed.
    pub(super) type_name: &'a str,
    /// The type and everything up to the message, as printed.
    pub(super) written: &'a str,
    /// Decimal numbers behind the type.
    pub(super) numbers: Vec<i64>,
    /// The first line of the message.
    pub(super) message: &'a str,
    /// What is said about its place.
    pub(super) place: Place,
}

impl<'a> Header<'a> {
    /// Whether a label before the type announces it.
    pub(super) fn is_labelled(&self) -> bool {
        self.place == Place::Inner || LABEL.is_match(self.before)
    }

    /// What stands before the type, without the label that announces it.
    pub(super) fn words_before(&self) -> &'a str {
        let mut words = self.before;
        // Labels pile up: `Error: Exception in thread "main" X: …`.
        for _ in 0..3 {
            words = words.trim_end_matches([' ', '{', '"', '\'', '*', '_', '#', '|', '-', '(', '[', '—', '–', '>']);
            let Some(label) = LABEL.find(words).or_else(|| INNER_LABEL.find(words)).or_else(|| HRESULT.find(words))
            else {
                break;
            };
            words = &words[..label.start()];
        }
        words.trim_matches([' ', '{', '"', '\'', '*', '_', '#', '|', '-'])
    }
}

/// What the line itself says about an exception's place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Open,
    /// A label calls it an inner exception or a cause.
    Inner,
    /// A bracket, as ASP.NET prints a chain from the innermost outwards.
    Bracket,
    /// Only the name stands there: the message may follow in the next line.
    Alone,
    /// A debugger's sentence: the message follows in the next line.
    Sentence,
}

/// The header that a line begins with, behind a marker such as `--->` that leaves no doubt.
pub(super) fn at_start(text: &str) -> Option<Header<'_>> {
    let trimmed = text.trim_start();
    let text = trimmed.strip_prefix("**").unwrap_or(trimmed);
    let token = types::leading(text)?;
    if types::is_label(token.name(text)) {
        return None;
    }
    let (message, alone) = separator(text, token.after)?;
    Some(build(text, &token, message, if alone { Place::Alone } else { Place::Open }))
}

/// The number of an aggregate's branch that a line begins with, and the rest of the line.
pub(super) fn branch(text: &str) -> Option<(usize, &str)> {
    let text = text.trim_start();
    let found = BRANCH.captures(text)?;
    let number = found.get(1)?.as_str().parse().ok()?;
    Some((number, &text[found.get(0)?.end()..]))
}

/// The first header of a line, wherever it stands.
pub(super) fn find(text: &str) -> Option<Header<'_>> {
    if let Some(header) = special(text) {
        return Some(header);
    }
    types::tokens(text).iter().find_map(|token| accept(text, token))
}

/// The header that a message quotes: at its start, or behind a colon.
pub(super) fn quoted(message: &str) -> Option<Header<'_>> {
    types::tokens(message).iter().find_map(|token| {
        let name = token.name(message);
        let before = message[..token.start].trim_end();
        let behind_colon = before.ends_with("nested exception is")
            || before.is_empty()
            || (before.ends_with(':') && name.ends_with("Exception"));
        let (rest, alone) = separator(message, token.after)?;
        let spaced = message[token.after..].starts_with(": ");
        (behind_colon && spaced && !alone && types::is_qualified(name))
            .then(|| build(message, token, rest, Place::Open))
    })
}

fn special(text: &str) -> Option<Header<'_>> {
    let plain = |type_name, message, before, place| {
        Some(Header { before, type_name, written: "", numbers: Vec::new(), message, place })
    };
    if text.starts_with('[')
        && let Some(found) = BRACKET.captures(text)
    {
        let (_, [name, _, message]) = found.extract();
        let suffixed = types::leading(&text[1..]).map(|token| token.numbers).unwrap_or_default();
        // PowerShell closes the bracket behind the name, ASP.NET behind the message.
        let message = message
            .strip_prefix(']')
            .map_or_else(|| message.strip_suffix(']').unwrap_or(message), |rest| rest.trim_start_matches([' ', ':']));
        return Some(Header {
            before: "",
            type_name: name,
            written: "",
            numbers: suffixed,
            message,
            place: Place::Bracket,
        });
    }
    if text.starts_with('(')
        && let Some(found) = PARENTHESIS.captures(text)
    {
        let (_, [name, message]) = found.extract();
        return plain(name, message, "", Place::Open);
    }
    if text.ends_with(')')
        && let Some(found) = RUBY.captures(text)
    {
        let (_, [message, name]) = found.extract();
        return plain(name, message, "", Place::Open);
    }
    if text.starts_with("** (")
        && let Some(found) = ELIXIR.captures(text)
    {
        let (_, [name, message]) = found.extract();
        return plain(name, message, "", Place::Open);
    }
    if text.contains("[object] (")
        && let Some(found) = LARAVEL.captures(text)
    {
        let (_, [name, message]) = found.extract();
        let before = &text[..found.get(0).map_or(0, |all| all.start())];
        return plain(name, message, before.trim_end_matches([' ', '{', '"', ':']), Place::Open);
    }
    if text.contains("' occurred ") || text.contains("' in ") {
        let found = OCCURRED.captures(text)?;
        let name = found.get(1).or_else(|| found.get(2))?.as_str();
        let message = found.get(3).map_or("", |message| message.as_str());
        return plain(name, message, "", Place::Sentence);
    }
    None
}

fn accept<'a>(text: &'a str, token: &TypeToken) -> Option<Header<'a>> {
    let name = token.name(text);
    if types::is_label(name) {
        return None;
    }
    let setting = Setting::new(text, token);
    if let Some(header) = shaped(text, token, &setting) {
        return Some(header);
    }
    let (message, alone) = separator(text, token.after)?;
    let inner = INNER_LABEL.is_match(setting.near);
    let place = match (alone, inner) {
        (_, true) => Place::Inner,
        (true, false) => Place::Alone,
        (false, false) => Place::Open,
    };
    let labelled = inner || LABEL.is_match(setting.near);
    setting.believes(name, alone, labelled).then(|| build(text, token, message, place))
}

/// Where on its line a name stands.
#[expect(clippy::struct_excessive_bools, reason = "each answers one question about the place, in any combination")]
struct Setting<'a> {
    /// All that stands before it.
    before: &'a str,
    /// The end of that, where labels are looked for: a line with many names is searched once, not once for each.
    near: &'a str,
    /// Whether nothing but marks stands before it.
    first: bool,
    /// Whether it is qualified.
    qualified: bool,
    /// Whether a mark sticks to it that makes it part of a sentence.
    glued: bool,
    /// Whether a mark divides it from the words before it.
    divided: bool,
}

impl<'a> Setting<'a> {
    fn new(text: &'a str, token: &TypeToken) -> Self {
        let before = text[..token.start].trim_end();
        let near = &before[floor_char_boundary(before, before.len().saturating_sub(LABEL_REACH))..];
        let spaced = text[before.len()..token.start].starts_with(' ');
        let logged = near.split_whitespace().last().is_some_and(|word| word.contains("::"));
        Setting {
            before,
            near,
            first: before.trim_start_matches(['*', '_', '{', '"', '\'', '#', ' ']).is_empty(),
            qualified: types::is_qualified(token.name(text)),
            glued: text[..token.start].ends_with(|c: char| "\"'`(<,/-@&%".contains(c) || c.is_alphanumeric()),
            divided: (spaced && before.ends_with(|c| ":—–|]>=→){*#-.".contains(c)))
                || before.ends_with(|c: char| !c.is_ascii() && !c.is_alphanumeric())
                || (logged && text[token.after..].starts_with(" -> ")),
        }
    }

    /// Whether a name with a separator behind it is a header here.
    fn believes(&self, name: &str, alone: bool, labelled: bool) -> bool {
        let typed = self.qualified || types::is_camel(name);
        if alone {
            return (self.first && typed) || (labelled && self.qualified);
        }
        if self.first || labelled {
            return typed;
        }
        let certain = name.ends_with("Exception") || name.ends_with("Error");
        typed && !self.glued && certain && if self.qualified { !MENTION.is_match(self.near) } else { self.divided }
    }
}

/// Headers that need no separator, because something else beside the name says what it is.
fn shaped<'a>(text: &'a str, token: &TypeToken, setting: &Setting<'a>) -> Option<Header<'a>> {
    let behind = &text[token.after..];
    if setting.first && setting.before.contains(['*', '_']) && behind.starts_with("**") {
        return Some(build(text, token, "", Place::Alone));
    }
    if setting.first
        && let Some(found) = UNHANDLED.find(behind)
    {
        return Some(build(text, token, &behind[found.end()..], Place::Alone));
    }
    if let Some(found) = IN_FILE.find(behind) {
        return Some(build(text, token, &behind[found.end()..], Place::Open));
    }
    if setting.qualified && !setting.first && METHOD.is_match(behind) {
        let header = build(text, token, "", Place::Open);
        return Some(Header { before: "", message: setting.before, ..header });
    }
    if setting.qualified && TYPE_LABEL.is_match(setting.near) {
        let message = behind.trim_start_matches([' ', ',', '*', ';']);
        let place = if message.is_empty() { Place::Alone } else { Place::Open };
        return Some(build(text, token, message, place));
    }
    None
}

/// The message behind a name and its separator, and whether nothing but the name stands there.
fn separator(text: &str, after: usize) -> Option<(&str, bool)> {
    let rest = &text[after..];
    let bare = rest.trim_start_matches(['*', '`', '_']);
    if bare.trim().is_empty() {
        return Some(("", true));
    }
    if let Some(message) = bare.strip_prefix(':') {
        return (!message.starts_with([':', '/'])).then(|| (message.trim_start(), message.trim().is_empty()));
    }
    if let Some(message) = rest.strip_prefix(" : ").or_else(|| rest.strip_prefix(" -> ")) {
        return Some((message.trim_start(), false));
    }
    if rest == " :" {
        return Some(("", true));
    }
    if let Some(message) = rest.strip_prefix('：') {
        return Some((message.trim_start(), false));
    }
    // A full stop, as in `NotFoundError. 404: …`, only repeats a header that stands elsewhere.
    None
}

fn build<'a>(text: &'a str, token: &TypeToken, message: &'a str, place: Place) -> Header<'a> {
    // A message is always the end of the text, unless it is empty.
    let at = text.len() - message.len();
    Header {
        before: text[..token.start].trim_end(),
        type_name: token.name(text),
        written: if message.is_empty() || at < token.start { "" } else { &text[token.start..at] },
        numbers: token.numbers.clone(),
        message,
        place,
    }
}
