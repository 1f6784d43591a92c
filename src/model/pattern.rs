//! Message patterns: regular expressions that stay linear, small and honest.
//!
//! In a pattern `\d`, `\w`, `\s` and `\b` are ASCII unless the pattern asks for Unicode with `(?u)`: the Unicode forms
//! are up to sixteen times larger and fall off the fast path on text with one accented letter.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, LazyLock, Mutex, OnceLock, PoisonError, Weak};

use regex::{CaptureLocations, Regex, RegexBuilder};
use regex_syntax::ast::{self, Ast, parse::ParserBuilder};
use regex_syntax::hir::HirKind;
use serde::{Serialize, Serializer};

use super::any_case::AnyCase;
use super::around::Around;
use super::partial::{Partial, Starts};
use super::per_thread::PerThread;
use super::required::{Requirement, stays_on_line};
use super::sequence::{Cursor, Extractor, Sequences};
use super::{limits, width};

/// A checked message pattern. Copies, and patterns with the same source, share the compiled expression.
#[derive(Debug, Clone)]
pub struct Pattern(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    source: String,
    /// The source with ASCII classes.
    effective: String,
    /// Whether a group is named `value`.
    has_value: bool,
    /// The digits at its ends that a longer number would match as well.
    open_numbers: Vec<Range<usize>>,
    /// The text that it finds, where it is nothing but a text.
    exact: Option<String>,
    /// Whether it repeats so much that it may get slow.
    may_be_wide: bool,
    /// Bytes of the shortest match.
    least: usize,
    requirement: Requirement,
    /// Whether no match holds a line end or depends on where the text begins and ends.
    stays_on_line: bool,
    /// What matches in its place, where only a yes or no is wanted.
    sequences: Option<Sequences>,
    /// Where it can match, when no text is known that it requires.
    around: Option<Around>,
    /// What finds and reads in its place.
    extractor: Option<Extractor>,
    starts: Starts,
    /// Compiled when the pattern is first used, or by [`Pattern::compile`].
    compiled: OnceLock<Result<Compiled, PatternError>>,
}

#[derive(Debug)]
struct Compiled {
    regex: PerThread,
    /// Whether it takes more than [`limits::LARGE_PATTERN_BYTES`].
    is_large: bool,
}

/// A literal that is looked for without regard to ASCII case.
#[derive(Debug, Clone)]
pub struct Literal {
    source: String,
    finder: AnyCase,
    requirement: Requirement,
}

/// Why a pattern, glob or literal is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatternError {
    /// The kind of fault.
    pub kind: PatternErrorKind,
    /// What is wrong, in lower case.
    pub message: String,
    /// The part of the pattern that is wrong, in bytes; the whole pattern without one.
    pub range: Option<Range<usize>>,
    /// What to type instead.
    pub help: Option<String>,
}

/// The kinds of faults in patterns and globs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternErrorKind {
    /// Not a pattern, or syntax that linear-time patterns do not have.
    Syntax,
    /// A control character where an escape was meant.
    ControlCharacter,
    /// Matches the empty text.
    MatchesEmpty,
    /// Ends in a number without a boundary.
    NumberPrefix,
    /// Larger than the limits allow.
    Limit,
    /// A glob that cannot match as written.
    Glob,
    /// A status outside of 100 to 599.
    Status,
}

impl PatternError {
    pub(super) fn new(kind: PatternErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), range: None, help: None }
    }

    pub(super) fn at(mut self, range: Range<usize>) -> Self {
        self.range = Some(range);
        self
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }
}

impl Pattern {
    /// Reads a pattern that only reads: a fact, a capture, a redaction.
    ///
    /// # Errors
    /// When the pattern is no linear-time regular expression, matches the empty text or is over a limit.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        if let Some(known) = known(source) {
            return Ok(known);
        }
        let pattern = Self::check(source)?;
        remember(&pattern);
        Ok(pattern)
    }

    /// Reads a pattern that decides: besides what [`Pattern::parse`] refuses, it may not end in an open number.
    ///
    /// # Errors
    /// As [`Pattern::parse`], and when longer numbers would match as well.
    pub fn parse_condition(source: &str) -> Result<Self, PatternError> {
        let pattern = Self::parse(source)?;
        let open = &pattern.0.open_numbers;
        let Some(first) = open.first().cloned() else { return Ok(pattern) };
        let mut fixed = source.to_owned();
        for digits in open.iter().rev() {
            fixed.insert_str(digits.end, "\\b");
        }
        let message =
            format!("pattern ends in the number `{}` and also matches longer numbers", &source[first.clone()]);
        Err(PatternError::new(PatternErrorKind::NumberPrefix, message)
            .at(first)
            .help(format!("Write '{fixed}' so that the number ends there.")))
    }

    fn check(source: &str) -> Result<Self, PatternError> {
        check_text(source)?;
        check_posix_class(source)?;
        check_subtraction(source)?;
        let parsed = ParserBuilder::new().nest_limit(limits::PATTERN_NESTING).build().parse(source);
        let ast = parsed.map_err(|error| syntax_error(&error))?;
        check_repetition(&ast, 1)?;
        let (effective, has_value) = ascii_classes(source, &ast)?;
        let hir = regex_syntax::Parser::new()
            .parse(&effective)
            .map_err(|error| meaning_error(&error, effective == source))?;
        let least = hir.properties().minimum_len().unwrap_or_default();
        if hir.properties().minimum_len() == Some(0) {
            return Err(PatternError::new(
                PatternErrorKind::MatchesEmpty,
                "pattern matches the empty text, so it holds for every message",
            )
            .help("Require at least one character: `+` instead of `*`, no `?` on everything, no empty alternative."));
        }
        let mut open = Vec::new();
        open_numbers(&ast, &mut open);
        let requirement = Requirement::of(&hir);
        let around = if requirement.texts.is_empty() { Around::of(&hir) } else { None };
        Ok(Self(Arc::new(Inner {
            source: source.to_owned(),
            effective,
            has_value,
            open_numbers: open,
            exact: match hir.kind() {
                HirKind::Literal(literal) => str::from_utf8(&literal.0).ok().map(str::to_owned),
                _ => None,
            },
            may_be_wide: width::may_be_wide(&hir),
            least,
            requirement,
            stays_on_line: stays_on_line(&hir),
            sequences: Sequences::of(&hir),
            around,
            extractor: Extractor::of(&hir),
            starts: Starts::of(&ast),
            compiled: OnceLock::new(),
        })))
    }

    /// Compiles the pattern now instead of when it is first used, and says whether it is a large one.
    ///
    /// # Errors
    /// When the compiled pattern is over the limit.
    pub fn compile(&self) -> Result<bool, PatternError> {
        self.compiled().as_ref().map(|compiled| compiled.is_large).map_err(PatternError::clone)
    }

    /// The compiled expression; none for a pattern that does not compile, which no load lets through.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.compiled().as_ref().ok().map(|compiled| compiled.regex.get())
    }

    fn compiled(&self) -> &Result<Compiled, PatternError> {
        self.0.compiled.get_or_init(|| Compiled::new(&self.0.effective))
    }

    /// The pattern as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0.source
    }

    /// The first place where the pattern matches.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        match self.extractor(text) {
            Some(extractor) => extractor.find(text).map(|found| found.found),
            None => self.regex()?.find(text).map(|found| found.range()),
        }
    }

    /// What reads a text in the place of the regular expression, where something does.
    fn extractor(&self, text: &str) -> Option<&Extractor> {
        self.0.extractor.as_ref().filter(|extractor| extractor.knows(text))
    }

    /// Whether the pattern matches anywhere; cheaper than finding out where.
    #[must_use]
    pub fn is_match(&self, text: &str) -> bool {
        let answer = self.0.sequences.as_ref().and_then(|sequences| sequences.is_match(text));
        let answer = answer.or_else(|| self.0.around.as_ref()?.is_match(text, |part| self.fits(part)));
        answer.unwrap_or_else(|| self.fits(text))
    }

    /// Whether the expression matches.
    fn fits(&self, text: &str) -> bool {
        self.regex().is_some_and(|regex| regex.is_match(text))
    }

    /// Whether the pattern matches in the bytes around a place that matches may hold, and where these end; `None` when
    /// only the whole text can tell.
    pub(crate) fn is_match_around(&self, text: &str, at: usize) -> Option<(bool, usize)> {
        let (part, end) = self.0.around.as_ref()?.part(text, at)?;
        Some((self.fits(part), end))
    }

    /// How far the pattern fits a text that it does not match, given with its folded form.
    pub(crate) fn partial(&self, text: &str, folded: &[u8]) -> Option<Partial> {
        self.0.starts.partial(&self.0.effective, text, folded)
    }

    /// Whether it matches in one of several texts exactly when it matches in all of them with line ends in between.
    pub(crate) fn stays_on_line(&self) -> bool {
        self.0.stays_on_line
    }

    /// The text that occurs in the folded form of a text exactly when the pattern matches there, where there is one.
    pub(crate) fn folded(&self) -> Option<&[u8]> {
        self.0.sequences.as_ref().and_then(Sequences::folded)
    }

    /// How slow the pattern can get: the states that its automaton is in at once at worst, counted up to
    /// [`limits::PATTERN_WIDTH`].
    pub(crate) fn width(&self) -> usize {
        if self.0.may_be_wide { width::width(&self.0.effective, limits::PATTERN_WIDTH) } else { 0 }
    }

    /// The text that the pattern finds, where it is nothing but a text.
    pub(crate) fn exact(&self) -> Option<&str> {
        self.0.exact.as_deref()
    }

    /// Whether some match is a single character.
    pub(crate) fn may_match_one_character(&self) -> bool {
        self.0.least <= 1
    }

    /// What every match contains.
    pub(crate) fn requirement(&self) -> &Requirement {
        &self.0.requirement
    }

    /// The value of the first match: its group `value`, or the whole match in a pattern without that group.
    #[must_use]
    pub fn value<'t>(&self, text: &'t str) -> Option<&'t str> {
        if let Some(extractor) = self.extractor(text) {
            return text.get(extractor.find(text)?.value);
        }
        let captures = self.regex()?.captures(text)?;
        captures.name("value").or_else(|| captures.get(0)).map(|found| found.as_str())
    }

    /// The values of a text, to be read one by one.
    pub(crate) fn extract(&self, text: &str) -> Extraction<'_> {
        Extraction { pattern: self, extractor: self.extractor(text), cursor: Cursor::default() }
    }

    /// What matches in its place, and what reads.
    #[cfg(test)]
    pub(super) fn in_its_place(&self) -> (Option<&Sequences>, Option<&Extractor>, Option<&Around>) {
        (self.0.sequences.as_ref(), self.0.extractor.as_ref(), self.0.around.as_ref())
    }

    /// Whether the pattern has a group named `value`.
    #[must_use]
    pub fn has_value(&self) -> bool {
        self.0.has_value
    }
}

/// The values of one text, read one by one: those of the matches from left to right, none of which overlap.
pub(crate) struct Extraction<'p> {
    pattern: &'p Pattern,
    extractor: Option<&'p Extractor>,
    cursor: Cursor,
}

impl Extraction<'_> {
    /// The next value. `text` is the same one each time; `places` is room for groups that is used again and belongs to
    /// this pattern.
    pub(crate) fn next(&mut self, text: &str, places: &mut Option<CaptureLocations>) -> Option<Range<usize>> {
        if let Some(extractor) = self.extractor {
            return extractor.next(text, &mut self.cursor).map(|found| found.value);
        }
        let regex = self.pattern.regex()?;
        if !self.pattern.has_value() {
            let found = regex.find_at(text, self.cursor.at)?.range();
            self.cursor.at = found.end;
            return Some(found);
        }
        let places = places.get_or_insert_with(|| regex.capture_locations());
        let found = regex.captures_read_at(places, text, self.cursor.at)?.range();
        let group = regex.capture_names().position(|name| name == Some("value"))?;
        self.cursor.at = found.end;
        Some(places.get(group).map_or(found, |(start, end)| start..end))
    }
}

/// The patterns that somebody holds, by source: the same pattern in another rule, or in the next version of a rule set, is
/// neither parsed nor compiled again.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Known {
    patterns: HashMap<Box<str>, Weak<Inner>>,
    /// At this many entries those that nobody holds any more are taken out.
    sweep_at: usize,
}

fn known(source: &str) -> Option<Pattern> {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.patterns.get(source).and_then(Weak::upgrade).map(Pattern)
}

fn remember(pattern: &Pattern) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if known.patterns.len() >= known.sweep_at {
        known.patterns.retain(|_, pattern| pattern.strong_count() > 0);
        known.sweep_at = 2 * known.patterns.len() + 1_000;
    }
    known.patterns.insert(pattern.as_str().into(), Arc::downgrade(&pattern.0));
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.source)
    }
}

impl Literal {
    /// Reads a literal of a condition.
    ///
    /// # Errors
    /// When it is empty, over the limit, holds a control character or ends in an open number.
    pub fn parse(source: &str) -> Result<Self, PatternError> {
        check_text(source)?;
        if source.trim().is_empty() {
            return Err(PatternError::new(PatternErrorKind::MatchesEmpty, "an empty literal occurs in every message")
                .help("Write the text to look for."));
        }
        let before = source.trim_end_matches(|c: char| c.is_ascii_digit());
        if source.len() - before.len() >= 2 {
            let pattern = format!("(?i){}\\b", regex::escape(source).replace('\'', "\\x27"));
            return Err(PatternError::new(
                PatternErrorKind::NumberPrefix,
                format!("literal ends in the number `{}` and also occurs in longer numbers", &source[before.len()..]),
            )
            .at(before.len()..source.len())
            .help(format!("Use `message = '{pattern}'` instead of `contains`, so that the number ends there.")));
        }
        Ok(Self {
            source: source.to_owned(),
            finder: AnyCase::new(source.as_bytes()),
            requirement: Requirement::of_literal(source),
        })
    }

    /// The literal as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// What every text that holds the literal contains.
    pub(crate) fn requirement(&self) -> &Requirement {
        &self.requirement
    }

    /// The first place where the literal occurs, ASCII case ignored.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Range<usize>> {
        self.finder.find(text.as_bytes()).map(|at| at..at + self.source.len())
    }
}

impl Serialize for Literal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.source)
    }
}

impl Compiled {
    fn new(effective: &str) -> Result<Self, PatternError> {
        let build = |bytes: usize| RegexBuilder::new(effective).size_limit(bytes).build();
        if let Ok(regex) = build(limits::LARGE_PATTERN_BYTES) {
            return Ok(Self { regex: PerThread::new(regex), is_large: false });
        }
        match build(limits::PATTERN_COMPILED_BYTES) {
            Ok(regex) => Ok(Self { regex: PerThread::new(regex), is_large: true }),
            Err(regex::Error::CompiledTooBig(bytes)) => {
                Err(limit(format!("pattern compiles to more than {bytes} bytes"))
                    .help("Use smaller repetitions and classes; `.{0,50}` costs fifty copies of `.`."))
            }
            Err(other) => Err(PatternError::new(PatternErrorKind::Syntax, first_line(&other.to_string()))),
        }
    }
}

fn limit(message: String) -> PatternError {
    PatternError::new(PatternErrorKind::Limit, message)
}

/// What holds for patterns and literals alike: their length, and no control characters.
fn check_text(source: &str) -> Result<(), PatternError> {
    let length = source.chars().count();
    if length > limits::PATTERN_CHARS {
        return Err(limit(format!("pattern has {length} characters, more than {}", limits::PATTERN_CHARS))
            .help("Split it into several patterns: a list means that any of them may match."));
    }
    let Some((at, c)) = source.char_indices().find(|(_, c)| c.is_control()) else { return Ok(()) };
    let escape = match c {
        '\u{8}' => "\\b",
        '\u{c}' => "\\f",
        '\n' => "\\n",
        '\r' => "\\r",
        '\t' => "\\t",
        '\u{1b}' => "\\e",
        _ => "",
    };
    let message = format!("pattern holds the control character U+{:04X}", u32::from(c));
    let help = if escape.is_empty() {
        "Write the character as `\\x{…}` in single quotes.".to_owned()
    } else {
        format!(
            "In double quotes TOML turns `{escape}` into a control character; put the pattern in single quotes: '…{escape}…'."
        )
    };
    Err(PatternError::new(PatternErrorKind::ControlCharacter, message).at(at..at + c.len_utf8()).help(help))
}

fn syntax_error(error: &ast::Error) -> PatternError {
    use ast::ErrorKind as Kind;
    let start = error.span().start.offset;
    // Some errors stand between two characters; the one behind is what the eye looks for.
    let next = error.pattern()[start..].chars().next().map_or(0, char::len_utf8);
    let range = start..error.span().end.offset.max(start + next);
    let found = error.pattern().get(range.clone()).unwrap_or_default().to_owned();
    let (message, help) = match error.kind() {
        Kind::UnsupportedLookAround => (
            "look-around is not supported".to_owned(),
            "Match what must be there, and put what must not be there into `unless.message`; for a number that must end, use `\\b`.",
        ),
        Kind::UnsupportedBackreference => {
            ("back-references are not supported".to_owned(), "Write the repeated text out, or use two conditions.")
        }
        Kind::NestLimitExceeded(depth) => {
            return limit(format!("pattern nests deeper than {depth}")).at(range).help("Flatten the groups.");
        }
        Kind::EscapeUnrecognized => (
            format!("`{found}` is no escape here"),
            match found.as_str() {
                "\\Z" => "Write `$` or `\\z` for the end of the text.",
                "\\G" => "There is no `\\G`; leave it out.",
                "\\K" | "\\R" | "\\h" | "\\X" => "Write the characters as a class, for example `[ \\t]` for `\\h`.",
                _ => "Letters take a backslash only where it means something; write the letter alone.",
            },
        ),
        Kind::FlagUnrecognized if error.pattern()[..start].ends_with("(?") => {
            let (message, help) = group_error(&found);
            return PatternError::new(PatternErrorKind::Syntax, message).at(start - 2..range.end).help(help);
        }
        Kind::ClassUnclosed => ("unclosed class".to_owned(), "Close it with `]`; a bracket itself is `\\[`."),
        Kind::GroupUnclosed => ("unclosed group".to_owned(), "Close it with `)`; a parenthesis itself is `\\(`."),
        Kind::GroupUnopened => ("unopened group".to_owned(), "Open it with `(`; a parenthesis itself is `\\)`."),
        Kind::RepetitionMissing => (
            format!("nothing stands in front of `{found}` to repeat"),
            "For the character itself put a backslash in front of it.",
        ),
        Kind::GroupNameDuplicate { .. } => {
            (format!("group `{found}` is given twice"), "Give each group a name of its own.")
        }
        Kind::DecimalEmpty
        | Kind::DecimalInvalid
        | Kind::RepetitionCountUnclosed
        | Kind::RepetitionCountDecimalEmpty
        | Kind::RepetitionCountInvalid => {
            ("malformed repetition".to_owned(), "Write `{3}`, `{3,}` or `{3,5}`; a brace itself is `\\{`.")
        }
        Kind::ClassRangeInvalid => {
            (format!("the range `{found}` is empty"), "Write the smaller end first; a hyphen itself is `\\-`.")
        }
        kind => (kind.to_string(), "To match a special character itself, put a backslash in front of it."),
    };
    PatternError::new(PatternErrorKind::Syntax, message).at(range).help(help)
}

/// What follows on `(?` in other dialects.
fn group_error(found: &str) -> (String, &'static str) {
    match found {
        ">" => {
            ("atomic groups are not supported".to_owned(), "Write `(?:` instead of `(?>`: matching is linear anyway.")
        }
        "'" => ("groups named in quotes are not supported".to_owned(), "Write `(?<name>…)` instead of `(?'name'…)`."),
        "#" => (
            "comments in patterns are not supported".to_owned(),
            "Put the remark into a TOML comment above the pattern.",
        ),
        "(" => ("conditional groups are not supported".to_owned(), "Write the two cases as two patterns in a list."),
        _ => (format!("`{found}` is no flag"), "The flags are `i`, `m`, `s`, `x`, `U`, `u` and `R`."),
    }
}

/// Errors behind the syntax: classes that do not exist. Their places fit only while nothing was rewritten.
fn meaning_error(error: &regex_syntax::Error, is_as_written: bool) -> PatternError {
    let (message, range) = match error {
        regex_syntax::Error::Translate(error) => {
            (error.kind().to_string(), Some(error.span().start.offset..error.span().end.offset))
        }
        other => (first_line(&other.to_string()), None),
    };
    let help = match error {
        regex_syntax::Error::Translate(error) if matches!(error.kind(), regex_syntax::hir::ErrorKind::InvalidUtf8) => {
            "Leave `-u` out: messages are texts, not bytes."
        }
        _ => "Unicode classes are `\\p{Letter}`, `\\p{Lu}` or `\\p{Greek}`.",
    };
    let fault = PatternError::new(PatternErrorKind::Syntax, message).help(help);
    match range.filter(|_| is_as_written) {
        Some(range) => fault.at(range),
        None => fault,
    }
}

fn first_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(text).trim_start_matches("error: ").to_owned()
}

/// Counted repetition multiplies the program; nested counts multiply each other.
/// `[a-z-[aeiou]]` takes letters out in .NET; here it puts them in.
fn check_subtraction(source: &str) -> Result<(), PatternError> {
    let is_class = |at: usize| {
        let open = source[..at].rfind('[').is_some_and(|open| !source[open..at].contains(']'));
        open && source[at..].split(']').nth(1).is_some() && source[at + 2..].contains("]]")
    };
    match source
        .match_indices("-[")
        .map(|(at, _)| at)
        .find(|&at| !source[..at].ends_with(['\\', '-', '[']) && is_class(at))
    {
        Some(at) => {
            Err(PatternError::new(PatternErrorKind::Syntax, "`-[` does not take a class out of another one here")
                .at(at..at + 2)
                .help("Write `--[`: `[a-z--[aeiou]]`."))
        }
        None => Ok(()),
    }
}

/// `[:alpha:]` alone is a class of five letters and a colon.
fn check_posix_class(source: &str) -> Result<(), PatternError> {
    let is_alone = |at: usize| !source[..at].ends_with(['[', ']', '\\']) && !source[..at].ends_with("[^");
    let found = source.match_indices("[:").map(|(at, _)| at).filter(|&at| is_alone(at)).find_map(|at| {
        let name = source[at + 2..].split(":]").next()?;
        let is_name = (4..=6).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_lowercase());
        (is_name && source[at + 2 + name.len()..].starts_with(":]")).then_some(at..at + name.len() + 4)
    });
    match found {
        Some(range) => {
            let class = source[range.clone()].to_owned();
            Err(PatternError::new(PatternErrorKind::Syntax, format!("`{class}` alone is a class of its letters"))
                .at(range)
                .help(format!("Write `[{class}]`.")))
        }
        None => Ok(()),
    }
}

fn check_repetition(ast: &Ast, outer: u32) -> Result<(), PatternError> {
    match ast {
        Ast::Repetition(repetition) => {
            let count = match &repetition.op.kind {
                ast::RepetitionKind::Range(
                    ast::RepetitionRange::Exactly(n)
                    | ast::RepetitionRange::AtLeast(n)
                    | ast::RepetitionRange::Bounded(_, n),
                ) => *n,
                _ => 1,
            };
            let range = repetition.op.span.start.offset..repetition.op.span.end.offset;
            let none = ast::RepetitionRange::Exactly(0);
            if matches!(&repetition.op.kind, ast::RepetitionKind::Range(times) if *times == none) {
                let most = "what is repeated no times is not looked for";
                return Err(PatternError::new(PatternErrorKind::Syntax, most)
                    .at(range)
                    .help("Say how often: `{1,3}`; for braces in the message write `\\{0\\}`."));
            }
            if count > limits::PATTERN_REPETITION {
                return Err(limit(format!("repetition of {count} is more than {}", limits::PATTERN_REPETITION))
                    .at(range)
                    .help("Use `+` or `*`, or a smaller count."));
            }
            let product = outer.saturating_mul(count.max(1));
            if product > limits::PATTERN_REPETITION_PRODUCT {
                return Err(limit(format!(
                    "nested repetitions multiply to {product}, more than {}",
                    limits::PATTERN_REPETITION_PRODUCT
                ))
                .at(range)
                .help("Use `+` or `*` for the inner or the outer one."));
            }
            if matches!(*repetition.ast, Ast::Repetition(_)) {
                return Err(PatternError::new(
                    PatternErrorKind::Syntax,
                    "a repetition cannot be repeated; possessive repetition is not supported",
                )
                .at(range)
                .help("Leave the second one out: matching is linear anyway."));
            }
            check_repetition(&repetition.ast, product)
        }
        Ast::Group(group) => check_repetition(&group.ast, outer),
        Ast::Alternation(alternation) => alternation.asts.iter().try_for_each(|ast| check_repetition(ast, outer)),
        Ast::Concat(concat) => concat.asts.iter().try_for_each(|ast| check_repetition(ast, outer)),
        _ => Ok(()),
    }
}

/// Rewrites the Perl classes and word boundaries of a pattern to their ASCII forms, and says whether a group is named
/// `value`.
fn ascii_classes(source: &str, ast: &Ast) -> Result<(String, bool), PatternError> {
    let Ok(edits) = ast::visit(ast, Ascii::default());
    let has_value = edits.has_value;
    if edits.unicode {
        return Ok((source.to_owned(), has_value));
    }
    let mut edits = edits.list;
    edits.sort_by_key(|(range, _)| range.start);
    let mut out = String::with_capacity(source.len() + edits.len() * 8);
    let mut done = 0;
    for (range, replacement) in edits {
        let Some(between) = source.get(done..range.start) else {
            return Err(PatternError::new(PatternErrorKind::Syntax, "pattern has overlapping classes"));
        };
        out.push_str(between);
        out.push_str(replacement);
        done = range.end;
    }
    out.push_str(&source[done..]);
    Ok((out, has_value))
}

#[derive(Default)]
struct Ascii {
    unicode: bool,
    has_value: bool,
    list: Vec<(Range<usize>, &'static str)>,
}

impl Ascii {
    fn perl(&mut self, class: &ast::ClassPerl) {
        use ast::ClassPerlKind::{Digit, Space, Word};
        let replacement = match (&class.kind, class.negated) {
            (Digit, false) => "[0-9]",
            (Digit, true) => "[^0-9]",
            (Space, false) => r"[\t\n\x0B\x0C\r ]",
            (Space, true) => r"[^\t\n\x0B\x0C\r ]",
            (Word, false) => "[0-9A-Za-z_]",
            (Word, true) => "[^0-9A-Za-z_]",
        };
        self.list.push((class.span.start.offset..class.span.end.offset, replacement));
    }

    fn flags(&mut self, flags: &ast::Flags) {
        self.unicode |= flags.flag_state(ast::Flag::Unicode) == Some(true);
    }
}

impl ast::Visitor for Ascii {
    type Output = Self;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        use ast::AssertionKind as Kind;
        match ast {
            Ast::ClassPerl(class) => self.perl(class),
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => match &group.kind {
                ast::GroupKind::NonCapturing(flags) => self.flags(flags),
                ast::GroupKind::CaptureName { name, .. } => self.has_value |= name.name == "value",
                ast::GroupKind::CaptureIndex(_) => {}
            },
            Ast::Assertion(assertion) => {
                let replacement = match assertion.kind {
                    Kind::WordBoundary => r"(?-u:\b)",
                    Kind::WordBoundaryStart | Kind::WordBoundaryStartAngle => r"(?-u:\b{start})",
                    Kind::WordBoundaryEnd | Kind::WordBoundaryEndAngle => r"(?-u:\b{end})",
                    // The ASCII form of `\B` may match inside of a character, which text cannot express.
                    _ => return Ok(()),
                };
                self.list.push((assertion.span.start.offset..assertion.span.end.offset, replacement));
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ast::ClassSetItem) -> Result<(), Self::Err> {
        if let ast::ClassSetItem::Perl(class) = item {
            self.perl(class);
        }
        Ok(())
    }
}

/// The digits at the ends of a pattern when a longer number would match as well: at least two of them, and no boundary.
fn open_numbers(ast: &Ast, open: &mut Vec<Range<usize>>) {
    match ast {
        Ast::Concat(concat) => {
            // What may match nothing bounds nothing: `90002.*` finds 900023.
            let Some(end) = concat.asts.iter().rposition(|ast| !may_be_empty(ast)).map(|last| last + 1) else { return };
            // Whoever writes more digits behind the first ones means the longer numbers.
            if concat.asts.get(end).is_some_and(repeats_class) {
                return;
            }
            let asts = &concat.asts[..end];
            let digits = asts.iter().rev().take_while(|ast| is_digit(ast)).count();
            let last = &asts[end - 1];
            if digits == 0 {
                open_numbers(last, open);
            } else if digits > 1 || matches!(last, Ast::Repetition(_)) {
                open.push(asts[end - digits].span().start.offset..last.span().end.offset);
            }
        }
        Ast::Alternation(alternation) => alternation.asts.iter().for_each(|ast| open_numbers(ast, open)),
        Ast::Group(group) => open_numbers(&group.ast, open),
        Ast::Repetition(repetition) => open_numbers(&repetition.ast, open),
        _ => {}
    }
}

/// Whether a part may match nothing and looks at nothing either.
fn may_be_empty(ast: &Ast) -> bool {
    match ast {
        Ast::Empty(_) | Ast::Flags(_) => true,
        Ast::Repetition(repetition) => {
            may_be_empty(&repetition.ast)
                || match repetition.op.kind {
                    ast::RepetitionKind::ZeroOrOne | ast::RepetitionKind::ZeroOrMore => true,
                    ast::RepetitionKind::OneOrMore => false,
                    ast::RepetitionKind::Range(
                        ast::RepetitionRange::Exactly(n)
                        | ast::RepetitionRange::AtLeast(n)
                        | ast::RepetitionRange::Bounded(n, _),
                    ) => n == 0,
                }
        }
        Ast::Group(group) => may_be_empty(&group.ast),
        Ast::Concat(concat) => concat.asts.iter().all(may_be_empty),
        Ast::Alternation(alternation) => alternation.asts.iter().any(may_be_empty),
        _ => false,
    }
}

fn repeats_class(ast: &Ast) -> bool {
    let Ast::Repetition(repetition) = ast else { return false };
    match &*repetition.ast {
        Ast::ClassPerl(class) => class.kind == ast::ClassPerlKind::Digit && !class.negated,
        other => matches!(other, Ast::ClassBracketed(_)),
    }
}

fn is_digit(ast: &Ast) -> bool {
    match ast {
        Ast::Literal(literal) => literal.c.is_ascii_digit(),
        Ast::ClassPerl(class) => class.kind == ast::ClassPerlKind::Digit && !class.negated,
        Ast::ClassBracketed(class) => !class.negated && is_digits(&class.kind),
        Ast::Repetition(repetition) => {
            is_digit(&repetition.ast)
                && matches!(repetition.op.kind, ast::RepetitionKind::Range(ast::RepetitionRange::Exactly(_)))
        }
        _ => false,
    }
}

fn is_digits(set: &ast::ClassSet) -> bool {
    let ast::ClassSet::Item(item) = set else { return false };
    match item {
        ast::ClassSetItem::Literal(literal) => literal.c.is_ascii_digit(),
        ast::ClassSetItem::Range(range) => range.start.c.is_ascii_digit() && range.end.c.is_ascii_digit(),
        ast::ClassSetItem::Perl(class) => class.kind == ast::ClassPerlKind::Digit && !class.negated,
        ast::ClassSetItem::Union(union) => union.items.iter().all(|item| is_digits(&ast::ClassSet::Item(item.clone()))),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_same_pattern_is_compiled_once() -> Result<(), super::PatternError> {
        let first = Pattern::parse("one pattern in [0-9]{3} rules")?;
        let second = Pattern::parse_condition("one pattern in [0-9]{3} rules")?;
        assert!(std::sync::Arc::ptr_eq(&first.0, &second.0));
        Ok(())
    }

    use super::{Literal, Pattern, PatternErrorKind};

    #[test]
    fn classes_are_ascii_unless_asked() {
        let cases = [
            (r"\d+", "٣", false),
            (r"(?u)\d+", "٣", true),
            (r"^\w+$", "naïve", false),
            (r"(?u)^\w+$", "naïve", true),
            (r"[\d.]+x", "1.5x", true),
            (r"a\sb", "a\u{a0}b", false),
            (r"\D", "é", true),
            (r"[^\W\d]é", "xé", true),
            (r"\bTimeout\b", "éTimeouté", true),
            (r"(?i)straße", "STRAßE", true),
        ];
        for (pattern, text, expected) in cases {
            let pattern = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error:?}"));
            assert_eq!(pattern.find(text).is_some(), expected, "{} on {text}", pattern.as_str());
        }
    }

    #[test]
    fn open_numbers_are_refused_where_they_decide() {
        for bad in [
            "AADSTS90002",
            "AADSTS(90002|900023)",
            r"\b503",
            "(?i)error 40613",
            "a|b12",
            "AADSTS90002.*",
            r"90002\s*",
            "(?:x90002)+",
            "90002(?:-x)?",
            "90002(?-i)",
            r"4\d\d",
            "[45][0-9]{2}",
            "AADSTS[0-9]{5}",
        ] {
            let error = Pattern::parse_condition(bad).err().unwrap_or_else(|| panic!("{bad} is accepted"));
            assert_eq!(error.kind, PatternErrorKind::NumberPrefix, "{bad}");
            assert!(Pattern::parse(bad).is_ok(), "{bad} may still be read");
        }
        for good in [
            r"AADSTS90002\b",
            "AADSTS90002:",
            "AADSTS[0-9]+",
            "HTTP/1",
            r"(?:40613|40197)\b",
            "x{3}",
            r"90002\b.*",
            "90002(?:$|,)",
            "AADSTS90[0-9]*",
        ] {
            assert!(Pattern::parse_condition(good).is_ok(), "{good}");
        }
        assert_eq!(Literal::parse("AADSTS90002").err().map(|e| e.kind), Some(PatternErrorKind::NumberPrefix));
    }

    #[test]
    fn literals_ignore_ascii_case_only() {
        let literal = Literal::parse("Circuit Is Open").unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(literal.find("the circuit is OPEN now"), Some(4..19));
        assert_eq!(literal.find("circuit"), None);
        let literal = Literal::parse("É").unwrap_or_else(|error| panic!("{error:?}"));
        assert_eq!(literal.find("é"), None);
    }

    #[test]
    fn ascii_classes_change_nothing_on_ascii_text() {
        use proptest::prelude::*;
        const PIECES: &[&str] = &[
            r"\d",
            r"\w+",
            r"\s*",
            r"\b",
            r"\D",
            r"\W",
            r"\S",
            r"[\w.-]",
            r"[^\d ]",
            r"[\D&&a-f]",
            "a",
            "(?i)Time",
            "(?:x|out)",
            r"\.",
            "1",
        ];
        const TEXT: &[&str] = &["Timeout", "time", " ", "\t", "a.b-c", "12", "_", "x", "\n", ":"];
        let pieces = |from: &'static [&'static str]| {
            proptest::collection::vec(proptest::sample::select(from), 1..8).prop_map(|pieces| pieces.concat())
        };
        proptest!(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() }, |(pattern in pieces(PIECES), text in pieces(TEXT))| {
            let Ok(ours) = Pattern::parse(&pattern) else { return Ok(()) };
            let plain = regex::Regex::new(&pattern).unwrap();
            prop_assert_eq!(ours.find(&text), plain.find(&text).map(|found| found.range()), "{} on {:?}", pattern, text);
        });
    }
}
