//! A rule file as it is written: tables, entries, values and comments in the order of the text.
//!
//! Reading rules needs values with their places; rewriting a file needs everything else as well. Nothing is left out
//! but white space, commas and signs.

use std::borrow::Cow;
use std::ops::Range;

use toml_parser::decoder::Encoding;
use toml_parser::parser::{Event, EventKind, RecursionGuard, parse_document};
use toml_parser::{Raw, Source};

/// A whole file.
pub(super) struct Document<'t> {
    /// What stands above everything and belongs to the file: lines for tools, and comments up to a blank line.
    pub(super) heading: Vec<Line<'t>>,
    /// The tables; the first one is what stands in front of all headers.
    pub(super) sections: Vec<Section<'t>>,
    /// What stands behind the last entry.
    pub(super) below: Vec<Line<'t>>,
}

/// A line without an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Line<'t> {
    Blank,
    /// With its `#`, without blanks at its end.
    Comment(&'t str),
}

/// A header with the entries under it.
pub(super) struct Section<'t> {
    pub(super) above: Vec<Line<'t>>,
    /// None for what stands in front of all headers.
    pub(super) header: Option<Header<'t>>,
    pub(super) entries: Vec<Entry<'t>>,
}

pub(super) struct Header<'t> {
    pub(super) path: Vec<Name<'t>>,
    pub(super) is_list: bool,
    pub(super) comment: Option<&'t str>,
}

/// A key with its value.
pub(super) struct Entry<'t> {
    pub(super) above: Vec<Line<'t>>,
    pub(super) path: Vec<Name<'t>>,
    pub(super) value: Value<'t>,
    /// The comment beside it.
    pub(super) comment: Option<&'t str>,
    /// The key.
    pub(super) key: Range<usize>,
    /// From the start of the first line above it to the end of its last line, without the line end.
    pub(super) lines: Range<usize>,
}

/// A part of a key.
#[derive(Clone)]
pub(super) struct Name<'t> {
    /// As written, perhaps in quotes.
    pub(super) raw: &'t str,
    /// As meant.
    pub(super) plain: Cow<'t, str>,
}

pub(super) enum Value<'t> {
    Scalar(Scalar<'t>),
    Array { items: Vec<Item<'t>>, below: Vec<Line<'t>> },
    Table { entries: Vec<Entry<'t>>, below: Vec<Line<'t>> },
}

#[derive(Clone, Copy)]
pub(super) struct Scalar<'t> {
    pub(super) raw: &'t str,
    /// Which quotes a text has; none for everything else.
    pub(super) quotes: Option<Encoding>,
}

pub(super) struct Item<'t> {
    pub(super) above: Vec<Line<'t>>,
    pub(super) value: Value<'t>,
    pub(super) comment: Option<&'t str>,
}

impl Scalar<'_> {
    /// The value of a text.
    pub(super) fn decoded(&self) -> String {
        let mut decoded = Cow::Borrowed("");
        let span = toml_parser::Span::new_unchecked(0, self.raw.len());
        let _ = Raw::new_unchecked(self.raw, self.quotes, span).decode_scalar(&mut decoded, &mut ());
        decoded.into_owned()
    }
}

/// Lists and tables inside each other that are read.
const DEPTH: u32 = 80;

/// Takes a text apart. It must be valid TOML and no deeper than rule files may be: of anything else parts are lost.
pub(super) fn read(text: &str) -> Document<'_> {
    let source = Source::new(text);
    let tokens = source.lex().into_vec();
    let mut events: Vec<Event> = Vec::with_capacity(tokens.len());
    // Deeper than this nobody nests; whoever did not ask before must not run out of stack.
    let mut guarded = RecursionGuard::new(&mut events, DEPTH);
    parse_document(&tokens, &mut guarded, &mut ());
    Reader { text, source, events: &events, at: 0 }.document()
}

struct Reader<'e, 't> {
    text: &'t str,
    source: Source<'t>,
    events: &'e [Event],
    at: usize,
}

impl<'t> Reader<'_, 't> {
    fn document(mut self) -> Document<'t> {
        let mut sections = vec![Section { above: Vec::new(), header: None, entries: Vec::new() }];
        let mut heading = None;
        let below = loop {
            let mut start = self.place();
            let mut above = self.lines();
            heading.get_or_insert_with(|| {
                let own = above.split_off(heading_end(&above));
                if !above.is_empty() {
                    start = self.start_of(&own);
                }
                std::mem::replace(&mut above, own)
            });
            match self.kind() {
                None => break above,
                Some(EventKind::StdTableOpen | EventKind::ArrayTableOpen) => {
                    let header = self.header();
                    sections.push(Section { above, header: Some(header), entries: Vec::new() });
                }
                Some(EventKind::SimpleKey) => {
                    let mut entry = self.entry(above);
                    entry.comment = self.rest_of_line();
                    entry.lines.start = start;
                    if let Some(section) = sections.last_mut() {
                        section.entries.push(entry);
                    }
                }
                // Not in valid TOML.
                Some(_) => self.at += 1,
            }
        };
        Document { heading: heading.unwrap_or_default(), sections, below }
    }

    /// Where the lines start that stand directly above the next entry.
    fn start_of(&self, lines: &[Line<'t>]) -> usize {
        let upto = &self.text[..self.place()];
        upto.rmatch_indices('\n').nth(lines.len()).map_or(0, |(at, _)| at + 1)
    }

    fn kind(&self) -> Option<EventKind> {
        self.events.get(self.at).map(Event::kind)
    }

    /// The offset of the next event.
    fn place(&self) -> usize {
        self.events.get(self.at).map_or(self.text.len(), |event| event.span().start())
    }

    /// The offset behind the last event.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.events.get(at)).map_or(0, |event| event.span().end())
    }

    fn raw(&self) -> &'t str {
        self.events.get(self.at).and_then(|event| self.text.get(event.span().start()..event.span().end())).unwrap_or("")
    }

    fn skip(&mut self, kind: EventKind) {
        while self.kind() == Some(kind) {
            self.at += 1;
        }
    }

    /// Lines without entries, from the start of a line on.
    fn lines(&mut self) -> Vec<Line<'t>> {
        let mut lines = Vec::new();
        loop {
            match self.kind() {
                Some(EventKind::Whitespace) => self.at += 1,
                Some(EventKind::Newline) => {
                    lines.push(Line::Blank);
                    self.at += 1;
                }
                Some(EventKind::Comment) => {
                    lines.push(Line::Comment(self.raw().trim_end()));
                    self.at += 1;
                    if self.kind() == Some(EventKind::Newline) {
                        self.at += 1;
                    }
                }
                _ => return lines,
            }
        }
    }

    /// The comment beside an entry or header; the line ends with it.
    fn rest_of_line(&mut self) -> Option<&'t str> {
        self.skip(EventKind::Whitespace);
        let comment = (self.kind() == Some(EventKind::Comment)).then(|| self.raw().trim_end());
        self.at += usize::from(comment.is_some());
        self.skip(EventKind::Whitespace);
        if self.kind() == Some(EventKind::Newline) {
            self.at += 1;
        }
        comment
    }

    fn header(&mut self) -> Header<'t> {
        let is_list = self.kind() == Some(EventKind::ArrayTableOpen);
        self.at += 1;
        let path = self.path();
        self.at += 1;
        Header { path, is_list, comment: self.rest_of_line() }
    }

    /// A key with all its parts.
    fn path(&mut self) -> Vec<Name<'t>> {
        let mut path = Vec::new();
        loop {
            match self.kind() {
                Some(EventKind::Whitespace | EventKind::KeySep) => {}
                Some(EventKind::SimpleKey) => {
                    let mut plain = Cow::Borrowed("");
                    if let Some(raw) = self.events.get(self.at).and_then(|event| self.source.get(event)) {
                        raw.decode_key(&mut plain, &mut ());
                    }
                    path.push(Name { raw: self.raw(), plain });
                }
                _ => return path,
            }
            self.at += 1;
        }
    }

    /// A key with its value; the comment beside it is left to the caller.
    fn entry(&mut self, above: Vec<Line<'t>>) -> Entry<'t> {
        let start = self.place();
        let path = self.path();
        let end = self.end();
        let key = start..start + self.text.get(start..end).map_or(0, |key| key.trim_end().len());
        self.skip(EventKind::KeyValSep);
        self.skip(EventKind::Whitespace);
        let value = self.value();
        let comment_end = self.events[self.at.min(self.events.len())..]
            .iter()
            .find(|event| event.kind() != EventKind::Whitespace)
            .filter(|event| event.kind() == EventKind::Comment)
            .map(|event| event.span().end());
        let lines = start..comment_end.unwrap_or_else(|| self.end());
        Entry { above, path, value, comment: None, key, lines }
    }

    fn value(&mut self) -> Value<'t> {
        match self.kind() {
            Some(EventKind::ArrayOpen) => self.array(),
            Some(EventKind::InlineTableOpen) => self.inline_table(),
            _ => {
                let quotes = self.events.get(self.at).and_then(Event::encoding);
                let scalar = Scalar { raw: self.raw(), quotes };
                self.at += 1;
                Value::Scalar(scalar)
            }
        }
    }

    fn array(&mut self) -> Value<'t> {
        self.at += 1;
        let mut items: Vec<Item<'t>> = Vec::new();
        let mut between = Between::default();
        while let Some(kind) = self.kind() {
            match kind {
                EventKind::ArrayClose => {
                    self.at += 1;
                    break;
                }
                EventKind::Scalar | EventKind::ArrayOpen | EventKind::InlineTableOpen => {
                    let above = between.take();
                    let value = self.value();
                    items.push(Item { above, value, comment: None });
                }
                kind => {
                    let beside = items.last_mut().map(|item| &mut item.comment);
                    between.add(kind, self.raw(), beside);
                    self.at += 1;
                }
            }
        }
        Value::Array { items, below: between.lines }
    }

    fn inline_table(&mut self) -> Value<'t> {
        self.at += 1;
        let mut entries: Vec<Entry<'t>> = Vec::new();
        let mut between = Between::default();
        while let Some(kind) = self.kind() {
            match kind {
                EventKind::InlineTableClose => {
                    self.at += 1;
                    break;
                }
                EventKind::SimpleKey => {
                    let above = between.take();
                    entries.push(self.entry(above));
                }
                kind => {
                    let beside = entries.last_mut().map(|entry| &mut entry.comment);
                    between.add(kind, self.raw(), beside);
                    self.at += 1;
                }
            }
        }
        Value::Table { entries, below: between.lines }
    }
}

/// What stands between the items of a list or of an inline table.
#[derive(Default)]
struct Between<'t> {
    lines: Vec<Line<'t>>,
    /// Whether nothing stands on the line so far.
    is_line_empty: bool,
    /// Whether a line has ended since the last item.
    is_below: bool,
}

impl<'t> Between<'t> {
    fn add(&mut self, kind: EventKind, raw: &'t str, beside: Option<&mut Option<&'t str>>) {
        match kind {
            EventKind::Newline => {
                if self.is_line_empty {
                    self.lines.push(Line::Blank);
                }
                self.is_line_empty = true;
                self.is_below = true;
            }
            EventKind::Comment => {
                self.is_line_empty = false;
                match beside {
                    Some(comment @ None) if !self.is_below => *comment = Some(raw.trim_end()),
                    _ => self.lines.push(Line::Comment(raw.trim_end())),
                }
            }
            _ => {}
        }
    }

    /// The lines above the next item.
    fn take(&mut self) -> Vec<Line<'t>> {
        std::mem::take(self).lines
    }
}

/// How many of the first lines of a file belong to no entry: lines for tools, and comments up to a blank line.
fn heading_end(lines: &[Line<'_>]) -> usize {
    let tools = lines.iter().take_while(|line| matches!(line, Line::Comment(text) if text.starts_with("#:"))).count();
    let blank = lines.iter().rposition(|line| *line == Line::Blank).map_or(0, |at| at + 1);
    tools.max(blank)
}
