//! Marks inside a line: arrows to inner exceptions, ends of branches and traces, frames between words.
//!
//! Finds them from left to right in one pass; what they mean is decided in `reader`.

use super::frames;
use super::pattern::pattern;

pattern!(MARK, r"(?P<arrow>-{3,4}>)|(?P<branch><-{3})|(?P<rule>-{3} [^\n>-]+ -{3})|(?P<dashes>(?:^|\s)-{4,} )");

/// What a mark is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// `--->`.
    Arrow,
    /// `<---`.
    EndBranch,
    /// `--- End of inner exception stack trace ---`.
    EndInner,
    /// `--- End of stack trace from previous location ---`.
    EndTrace,
    /// `----`, as test runners write before an inner exception.
    Dashes,
    /// A frame on the line of the words.
    Frame,
}

/// A mark and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marker {
    /// What it is.
    pub(super) what: What,
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
}

/// The result of a search that need not be repeated until it is passed.
#[derive(Debug, Clone, Copy)]
enum Known<T> {
    /// Not searched yet, or passed.
    Nothing,
    /// There is none in the rest of the line.
    Absent,
    /// The next one.
    At(T),
}

/// The marks of a line. Each search result is kept until it is passed, so that the line is searched once.
pub(super) struct Markers<'a> {
    text: &'a str,
    at: usize,
    mark: Known<Marker>,
    frame: Known<usize>,
}

impl<'a> Markers<'a> {
    /// The marks at or behind a position.
    pub(super) fn new(text: &'a str, at: usize) -> Self {
        Markers { text, at, mark: Known::Nothing, frame: Known::Nothing }
    }

    /// Goes on behind a position.
    pub(super) fn skip_to(&mut self, at: usize) {
        self.at = self.at.max(at);
        if let Known::At(mark) = self.mark
            && mark.start < self.at
        {
            self.mark = Known::Nothing;
        }
        if let Known::At(frame) = self.frame
            && frame < self.at
        {
            self.frame = Known::Nothing;
        }
    }

    /// The next mark that is no frame.
    pub(super) fn next_mark(&mut self) -> Option<Marker> {
        let found = self.peek_mark()?;
        self.skip_to(found.end);
        Some(found)
    }

    /// The next mark or frame.
    pub(super) fn next(&mut self) -> Option<Marker> {
        let mark = self.peek_mark();
        let frame = self.peek_frame();
        if let Some(start) = frame
            && mark.is_none_or(|mark| start < mark.start)
        {
            let marker = Marker { what: What::Frame, start, end: start + 1 };
            self.skip_to(start + 1);
            return Some(marker);
        }
        let found = mark?;
        self.skip_to(found.end);
        Some(found)
    }

    /// Where the run of frames ends that was returned last: at the next mark, or with the line.
    pub(super) fn frame_end(&mut self) -> usize {
        let end = self.peek_mark().map_or(self.text.len(), |mark| mark.start);
        self.skip_to(end);
        end
    }

    fn peek_mark(&mut self) -> Option<Marker> {
        match self.mark {
            Known::At(mark) => return Some(mark),
            Known::Absent => return None,
            Known::Nothing => {}
        }
        let found = MARK.captures_at(self.text, self.at).and_then(|found| {
            let all = found.get(0)?;
            let what = if found.name("arrow").is_some() {
                What::Arrow
            } else if found.name("branch").is_some() {
                What::EndBranch
            } else if found.name("dashes").is_some() {
                What::Dashes
            } else if frames::kind(all.as_str()) == frames::Kind::EndInner {
                What::EndInner
            } else {
                What::EndTrace
            };
            Some(Marker { what, start: all.start(), end: all.end() })
        });
        self.mark = found.map_or(Known::Absent, Known::At);
        found
    }

    fn peek_frame(&mut self) -> Option<usize> {
        match self.frame {
            Known::At(frame) => return Some(frame),
            Known::Absent => return None,
            Known::Nothing => {}
        }
        let found = frames::inline(&self.text[self.at..]).map(|start| start + self.at);
        self.frame = found.map_or(Known::Absent, Known::At);
        found
    }
}
