//! The texts that findings point into, and places in them.
//!
//! Holds texts that somebody else has read; touches no files.

use std::ops::Range;
use std::sync::OnceLock;

use super::Diagnostic;

/// One text that findings can point into: a rule file, or a path that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path relative to the rules directory, with `/` between its parts.
    pub name: String,
    /// The whole text; empty where the file could not be read.
    pub text: String,
    /// Whether the text must not be read as a rule file; a finding says why.
    pub is_refused: bool,
}

/// The files of a rule set, in a fixed order: the manifest first, then by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    /// Where the files come from, as shown in front of their names; empty for sets held in memory.
    root: String,
    files: Vec<Source>,
    /// For each file, where its lines start; found when a place is first asked for.
    line_starts: Vec<OnceLock<Vec<usize>>>,
    /// What went wrong while the files were read; the load reports it with everything else.
    findings: Vec<Diagnostic>,
    /// Names and SHA-256 of the files as they were read; none for sets held in memory.
    digests: Vec<(String, String)>,
    /// Whether a lock names exactly these files.
    is_locked: bool,
    /// Whether the load of these very texts was proven when the library was built.
    is_proven: bool,
    /// The first of the files that belong to another state of the rules: findings point into them, nobody reads them.
    others: Option<usize>,
}

/// Index of a [`Source`] in its [`Sources`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub(crate) usize);

/// A range of bytes in one source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The source that the range is in.
    pub source: SourceId,
    /// Byte offsets, start included, end excluded.
    pub range: Range<usize>,
}

/// A value with the place where it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// A place for people: line and column start at 1, the column counts Unicode scalar values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
pub struct Position {
    /// Line, from 1.
    pub line: usize,
    /// Column in Unicode scalar values, from 1.
    pub column: usize,
}

impl Sources {
    /// A rule set held in memory: names as they would stand in a rules directory, with their texts.
    pub fn from_texts<N: Into<String>, T: Into<String>>(texts: impl IntoIterator<Item = (N, T)>) -> Self {
        let mut sources = Self::default();
        for (name, text) in texts {
            sources.push(Source { name: name.into(), text: text.into(), is_refused: false });
        }
        sources
    }

    /// Names the directory that the files come from; findings show it in front of the file names.
    #[must_use]
    pub fn with_root(mut self, root: impl Into<String>) -> Self {
        self.root = root.into();
        self
    }

    /// The directory that the files come from, empty for sets held in memory.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Adds a source and returns its index.
    pub fn push(&mut self, source: Source) -> SourceId {
        self.files.push(source);
        self.line_starts.push(OnceLock::new());
        SourceId(self.files.len() - 1)
    }

    /// Puts another text in the place of a source's.
    #[cfg(feature = "cli")]
    pub(crate) fn set_text(&mut self, id: SourceId, text: String) {
        self.files[id.0].text = text;
        self.line_starts[id.0] = OnceLock::new();
        self.is_proven = false;
    }

    /// Adds the files of another state of the rules, so that findings can point into them too. What was a place in
    /// `others` is one here when its source is moved on by the number that is returned.
    pub(crate) fn add_others(&mut self, others: &Self) -> usize {
        let first = self.files.len();
        self.others = self.others.or(Some(first));
        for (id, source) in others.iter() {
            self.push(Source { name: others.path(id), text: source.text.clone(), is_refused: true });
        }
        first
    }

    /// Whether a source is a file of another state of the rules.
    #[cfg(feature = "cli")]
    pub(crate) fn is_other(&self, id: SourceId) -> bool {
        self.others.is_some_and(|first| id.0 >= first)
    }

    /// Marks texts whose load was proven before: their patterns are compiled when they are first used, and their
    /// examples are not run again.
    pub(crate) fn proven(mut self) -> Self {
        self.is_proven = true;
        self
    }

    pub(crate) fn is_proven(&self) -> bool {
        self.is_proven
    }

    /// Keeps what a file held when it was read.
    pub(crate) fn add_digest(&mut self, name: &str, digest: String) {
        self.digests.push((name.to_owned(), digest));
    }

    /// Names and SHA-256 of the files as they were read.
    pub(crate) fn digests(&self) -> &[(String, String)] {
        &self.digests
    }

    /// The same files without their lock, and without what does not fit it.
    #[cfg(feature = "cli")]
    pub(crate) fn without_lock(mut self, name: &str) -> Self {
        if let Some(SourceId(index)) = self.find(name) {
            self.findings.retain(|finding| finding.primary.span.source != SourceId(index));
        }
        self
    }

    pub(crate) fn set_locked(&mut self, is_locked: bool) {
        self.is_locked = is_locked;
    }

    /// Whether a lock names exactly these files, so that nobody is in the middle of writing them.
    pub(crate) fn is_locked(&self) -> bool {
        self.is_locked
    }

    pub(crate) fn add_finding(&mut self, finding: Diagnostic) {
        self.findings.push(finding);
    }

    pub(crate) fn findings(&self) -> &[Diagnostic] {
        &self.findings
    }

    /// All sources with their indices, in order.
    pub fn iter(&self) -> impl Iterator<Item = (SourceId, &Source)> {
        self.files.iter().enumerate().map(|(index, source)| (SourceId(index), source))
    }

    /// The source with the given name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<SourceId> {
        self.files.iter().position(|source| source.name == name).map(SourceId)
    }

    /// The source with the given index.
    #[must_use]
    pub fn get(&self, id: SourceId) -> &Source {
        &self.files[id.0]
    }

    /// The path of a source for people: root and name.
    #[must_use]
    pub fn path(&self, id: SourceId) -> String {
        let name = &self.get(id).name;
        if self.others.is_some_and(|first| id.0 >= first) {
            return name.clone();
        }
        match self.root.trim_end_matches('/') {
            "" => name.clone(),
            root => format!("{root}/{name}"),
        }
    }

    /// Where a byte offset of a source stands.
    #[must_use]
    pub fn position(&self, id: SourceId, offset: usize) -> Position {
        let text = &self.get(id).text;
        let offset = floor_char_boundary(text, offset);
        let line = self.line(id, offset);
        Position { line: line.0 + 1, column: text[line.1.start..offset].chars().count() + 1 }
    }

    /// Index of the line that an offset of a source stands on, and the range of its bytes.
    pub(crate) fn line(&self, id: SourceId, offset: usize) -> (usize, Range<usize>) {
        let text = &self.get(id).text;
        let starts = self.line_starts[id.0]
            .get_or_init(|| std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect());
        let line = starts.partition_point(|&start| start <= offset) - 1;
        let end = starts.get(line + 1).map_or(text.len(), |next| next - 1);
        (line, starts[line]..end)
    }
}

impl Span {
    /// The first byte of a source: for findings about a file as a whole.
    #[must_use]
    pub fn start_of(source: SourceId) -> Self {
        Self { source, range: 0..0 }
    }
}

/// The largest character boundary that is not behind `offset`.
pub(crate) fn floor_char_boundary(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
