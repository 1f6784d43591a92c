//! Globs on type names, provider codes and attributes.
//!
//! Only `*`, `**` and `{A,B}` are globs; everything else stands for itself. Length and braces are checked before the
//! glob compiler sees the text: a few thousand nested braces overflow its stack.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Serialize, Serializer};

use super::pattern::{PatternError, PatternErrorKind};
use super::{Attribute, TypeName, limits};

/// A pattern on exception types. Without a dot it looks at the short name, with one at the full name; case matters.
#[derive(Debug, Clone)]
pub struct TypePattern {
    source: String,
    short: bool,
    /// None for an exact name.
    glob: Option<GlobMatcher>,
}

/// A pattern on codes of the remote side: a whole code or a glob, ASCII case ignored.
#[derive(Debug, Clone)]
pub struct CodePattern {
    written: String,
    source: String,
    /// None for an exact code.
    glob: Option<GlobMatcher>,
}

/// What an attribute must be.
#[derive(Debug, Clone)]
pub enum AttributePattern {
    /// A truth value.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A word or a glob on it; case matters.
    Text(String, Option<GlobMatcher>),
}

impl TypePattern {
    /// Reads a type pattern.
    ///
    /// # Errors
    /// When it holds characters that no plain type name has, or is over a limit.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if let Some((at, c)) = source.char_indices().find(|&(_, c)| !is_type_char(c)) {
            let help = match c {
                '[' | ']' => {
                    "Leave generic arguments out: `FaultException` for ``FaultException`1[…]``; for a choice of names write `{A,B}`."
                }
                '`' | '<' | '>' => {
                    "Generic arity and arguments are ignored: write the plain name, `FaultException` for ``FaultException`1[…]``."
                }
                '?' => "`?` is no wildcard here; use `*`, which stays inside of a name segment.",
                c if c.is_whitespace() => "Type names have no blanks; look for a text with `message` or `contains`.",
                '(' | ')' | '|' | '^' | '\\' => {
                    "This is no regular expression: `*` stays inside of a name segment, `**` crosses dots, `{A,B}` is either."
                }
                _ => "Write the name as the runtime prints it, for example `System.TimeoutException`.",
            };
            let shown = if c == '`' { "a backtick".to_owned() } else { format!("`{}`", c.escape_debug()) };
            return Err(fault(format!("{shown} cannot stand in a type name")).at(at..at + c.len_utf8()).help(help));
        }
        if source.is_empty() {
            return Err(fault("an empty type name matches nothing".to_owned())
                .help("Write a type name, for example `System.TimeoutException`."));
        }
        let plain = source.replace('+', ".");
        if plain.split('.').any(str::is_empty) {
            return Err(
                fault("empty name segment".to_owned()).help("Write one dot between two names, and none at the ends.")
            );
        }
        if let Some(segment) = plain.split('.').find(|segment| segment.contains("**") && *segment != "**") {
            let at = source.len() - plain[plain.find(segment).unwrap_or_default()..].len();
            return Err(fault(format!("`**` must stand alone between dots, not in `{segment}`"))
                .at(at..at + segment.len())
                .help("Write `**.Name` for any namespace, or `*` inside of a name."));
        }
        let glob = compile_glob(&plain.replace('.', "/"), source, true)?;
        Ok(Self { short: !plain.contains('.'), source: plain, glob })
    }

    /// The pattern as written, nested types joined by a dot.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the pattern fits a type.
    #[must_use]
    pub fn matches(&self, name: &TypeName<'_>) -> bool {
        self.matches_plain(name.full(), &name.full().replace('.', "/"))
    }

    /// The same for a plain name that is given with dots and with slashes between its segments.
    pub(crate) fn matches_plain(&self, full: &str, slashed: &str) -> bool {
        let start = if self.short { full.rfind('.').map_or(0, |dot| dot + 1) } else { 0 };
        match &self.glob {
            None => full[start..] == self.source,
            Some(glob) => glob.is_match(&slashed[start..]),
        }
    }

    /// Whether the pattern looks at the part of the name behind the last dot.
    pub(crate) fn is_short(&self) -> bool {
        self.short
    }

    /// What an index can look the pattern up by.
    pub(crate) fn access(&self) -> Access<'_> {
        Access::of(&self.source, self.glob.is_some())
    }
}

/// What is known about every text that a glob matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access<'p> {
    /// It is this text.
    Exact(&'p str),
    /// It begins with this text, which is not empty.
    Prefix(&'p str),
    /// It ends with this text, which is not empty.
    Suffix(&'p str),
    /// Nothing.
    Any,
}

impl<'p> Access<'p> {
    fn of(source: &'p str, is_glob: bool) -> Self {
        if !is_glob {
            return Self::Exact(source);
        }
        // A dot beside `**` may be missing in the name.
        let prefix = source.split(['*', '{']).next().unwrap_or_default().trim_end_matches('.');
        let suffix = source.rsplit(['*', '}']).next().unwrap_or_default().trim_start_matches('.');
        if prefix.is_empty() && suffix.is_empty() {
            Self::Any
        } else if prefix.len() > suffix.len() {
            Self::Prefix(prefix)
        } else {
            Self::Suffix(suffix)
        }
    }
}

impl CodePattern {
    /// Reads a pattern on provider codes.
    ///
    /// # Errors
    /// When it is empty, holds characters that no code has, or is over a limit.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        let odd = |c: char| {
            c.is_whitespace()
                || c.is_control()
                || matches!(c, '?' | '[' | ']' | '(' | ')' | '|' | '^' | '\\' | '`' | '"' | '\'')
        };
        if let Some((at, c)) = source.char_indices().find(|&(_, c)| odd(c)) {
            return Err(fault(format!("`{}` cannot stand in a provider code", c.escape_debug()))
                .at(at..at + c.len_utf8())
                .help("Write a whole code or a glob such as `Authentication_*`; texts belong into `message` or `contains`."));
        }
        if source.is_empty() {
            return Err(fault("an empty provider code matches nothing".to_owned())
                .help("Write a code such as `AADSTS90002`, or a glob such as `Authentication_*`."));
        }
        let lower = source.to_ascii_lowercase();
        let glob = compile_glob(&lower, source, false)?;
        Ok(Self { written: source.to_owned(), source: lower, glob })
    }

    /// The pattern as written.
    #[must_use]
    pub fn written(&self) -> &str {
        &self.written
    }

    /// The pattern in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// Whether the pattern fits a code, ASCII case ignored.
    #[must_use]
    pub fn matches(&self, code: &str) -> bool {
        self.matches_lower(&code.to_ascii_lowercase())
    }

    /// The same for a code in lower case.
    pub(crate) fn matches_lower(&self, code: &str) -> bool {
        match &self.glob {
            None => self.source == code,
            Some(glob) => glob.is_match(code),
        }
    }

    /// What an index can look the pattern up by, in lower case.
    pub(crate) fn access(&self) -> Access<'_> {
        Access::of(&self.source, self.glob.is_some())
    }
}

impl AttributePattern {
    /// Reads a pattern on words.
    ///
    /// # Errors
    /// When the glob is not one, or is over a limit.
    pub fn parse_text(source: &str) -> Result<Self, PatternError> {
        let glob = compile_glob(source, source, false)?;
        Ok(Self::Text(source.to_owned(), glob))
    }

    /// Whether the pattern fits a value.
    #[must_use]
    pub fn matches(&self, value: &Attribute<'_>) -> bool {
        match (self, value) {
            (Self::Bool(wanted), Attribute::Bool(value)) => wanted == value,
            (Self::Number(wanted), Attribute::Number(value)) => wanted == value,
            (Self::Text(wanted, None), Attribute::Text(value)) => wanted == value,
            (Self::Text(_, Some(glob)), Attribute::Text(value)) => glob.is_match(value.as_ref()),
            _ => false,
        }
    }
}

impl AttributePattern {
    /// What an index can look the pattern up by.
    pub(crate) fn access(&self) -> Access<'_> {
        match self {
            Self::Bool(_) | Self::Number(_) => Access::Any,
            Self::Text(text, glob) => Access::of(text, glob.is_some()),
        }
    }

    /// A text that tells the pattern apart from all others.
    pub(crate) fn as_item(&self) -> String {
        match self {
            Self::Bool(value) => value.to_string(),
            Self::Number(number) => number.to_string(),
            Self::Text(text, _) => format!("{text:?}"),
        }
    }
}

impl Serialize for TypePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl Serialize for CodePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl Serialize for AttributePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => serializer.serialize_i64(*value),
            Self::Text(value, _) => serializer.serialize_str(value),
        }
    }
}

fn fault(message: String) -> PatternError {
    PatternError::new(PatternErrorKind::Glob, message)
}

/// Letters, digits and what joins names; `$` for Java's nested classes, `:` for Ruby's modules.
fn is_type_char(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '+' | '*' | '{' | '}' | ',' | '$' | ':' | '-')
}

/// Compiles a glob; `None` for a text without wildcards.
fn compile_glob(glob: &str, written: &str, separated: bool) -> Result<Option<GlobMatcher>, PatternError> {
    let limit = |message: String| {
        Err(PatternError::new(PatternErrorKind::Limit, message)
            .help("Split it into a list: any of its items may match."))
    };
    if glob.len() > limits::GLOB_BYTES {
        return limit(format!("pattern has {} bytes, more than {}", glob.len(), limits::GLOB_BYTES));
    }
    let (mut depth, mut deepest, mut alternatives) = (0_usize, 0, 0);
    for c in glob.chars() {
        match c {
            '{' => depth += 1,
            '}' => match depth.checked_sub(1) {
                Some(less) => depth = less,
                None => {
                    return Err(fault(format!("`}}` without `{{` in `{written}`"))
                        .help("Open it with `{`, or delete it: `{A,B}` is either."));
                }
            },
            ',' if depth > 0 => alternatives += 1,
            ',' if separated => {
                return Err(fault(format!("`,` outside of braces in `{written}`"))
                    .help("Write `{A,B}`, or a list of two names."));
            }
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    if depth == 0 && ["{,", ",}", ",,", "{}"].iter().any(|empty| glob.contains(empty)) {
        return Err(fault(format!("an alternative of `{written}` is empty"))
            .help("Delete the comma, or say what stands there."));
    }
    if depth > 0 {
        return Err(fault(format!("`{{` without `}}` in `{written}`")).help("Close it with `}`: `{A,B}` is either."));
    }
    if deepest > limits::GLOB_BRACE_DEPTH {
        return limit(format!("braces nest {deepest} deep, more than {}", limits::GLOB_BRACE_DEPTH));
    }
    if alternatives + usize::from(deepest > 0) > limits::GLOB_ALTERNATIVES {
        return limit(format!("pattern has more than {} alternatives", limits::GLOB_ALTERNATIVES));
    }
    if !glob.contains(['*', '{']) {
        return Ok(None);
    }
    let escaped = glob.replace('[', "[[]").replace('?', "[?]");
    let built = GlobBuilder::new(&escaped).literal_separator(separated).backslash_escape(false).build();
    built
        .map(|glob| Some(glob.compile_matcher()))
        .map_err(|error| fault(error.kind().to_string()).help("Only `*`, `**` and `{A,B}` are globs."))
}

#[cfg(test)]
mod tests {
    use super::{AttributePattern, CodePattern, TypePattern};
    use crate::model::{Attribute, TypeName};

    #[test]
    fn type_patterns() {
        let cases = [
            ("TimeoutException", "System.TimeoutException", true),
            ("TimeoutException", "TimeoutException", true),
            ("System.TimeoutException", "System.TimeoutException", true),
            ("System.TimeoutException", "TimeoutException", false),
            ("timeoutexception", "System.TimeoutException", false),
            ("*Exception", "System.TimeoutException", true),
            ("System.*", "System.Net.WebException", false),
            ("System.**", "System.Net.WebException", true),
            ("**.SqlException", "Microsoft.Data.SqlClient.SqlException", true),
            ("**.SqlException", "SqlException", true),
            ("{Microsoft.Data,System.Data}.SqlClient.SqlException", "System.Data.SqlClient.SqlException", true),
            ("FaultException", "System.ServiceModel.FaultException`1[[A, B]]", true),
            ("Outer.Inner", "Outer+Inner", true),
            ("Outer+Inner", "Outer+Inner", true),
        ];
        for (pattern, name, expected) in cases {
            let pattern = TypePattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
            let name = TypeName::parse(name).unwrap_or_else(|| panic!("{name}"));
            assert_eq!(pattern.matches(&name), expected, "{} on {}", pattern.as_str(), name.full());
        }
        for bad in ["", "A..B", "A B", "Fault`1", "List[int]", "A?", "Sys**tem.X", "{A", "A}", ".A", "A|B"] {
            assert!(TypePattern::parse(bad).is_err(), "{bad} is accepted");
        }
    }

    #[test]
    fn brackets_in_attributes_stand_for_themselves() {
        let matches = |text: &str| {
            AttributePattern::parse_text("[a]?*").is_ok_and(|pattern| pattern.matches(&Attribute::Text(text.into())))
        };
        assert!(matches("[a]?x"));
        assert!(!matches("a?x") && !matches("[a]yx"));
    }

    #[test]
    fn code_patterns_ignore_ascii_case() {
        let cases = [
            ("AADSTS90002", "aadsts90002", true),
            ("AADSTS90002", "AADSTS900023", false),
            ("Authentication_*", "authentication_InvalidCredentials", true),
            ("*.NavNCLDialogException", "Microsoft.Dynamics.Nav.NavNCLDialogException", true),
        ];
        for (pattern, code, expected) in cases {
            let pattern = CodePattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
            assert_eq!(pattern.matches(code), expected, "{} on {code}", pattern.as_str());
        }
        for bad in ["", "a b", "AADSTS[0-9]+", "x?"] {
            assert!(CodePattern::parse(bad).is_err(), "{bad} is accepted");
        }
    }
}
