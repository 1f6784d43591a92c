//! The lines of a text, one after the other: which of them name exceptions, which belong to a message, which to a stack.
//!
//! Keeps the little state that a careful reader keeps: what was said last, what a marker promised to follow.

use super::body::Body;
use super::bounds;
use super::chain::Relation;
use super::frames::{self, Kind};
use super::header;
use super::http;
use super::labels;
use super::lines::{self, Line};
use super::marker::{Markers, What};
use super::pattern::pattern;
use super::report::Report;

pattern!(JS_FRAME, r"^at .*:\d+:\d+\)?$");
pattern!(HEADERS, r"(?i)^\W{0,3}(?:response |request )?headers\s?[:=]");

/// The most lines that a cut frame may go on for.
const OPEN_FRAME_LINES: usize = 6;

/// Reads lines into a report.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one thing that a reader remembers; together they are no state machine"
)]
pub(super) struct Reader<'r> {
    pub(super) report: &'r mut Report,
    pub(super) bodies: &'r [Body],
    /// The exception whose message the next words continue.
    pub(super) open: Option<usize>,
    /// What was promised about the next exception.
    pub(super) promised: Option<Relation>,
    /// Whether a blank line has come since the last words.
    pub(super) blank: bool,
    /// For how many more lines the last frame may go on.
    pub(super) frame_lines: usize,
    /// Whether headers of a reply are being skipped.
    pub(super) headers: bool,
    /// Whether all the rest is the detail that a remote side sent.
    pub(super) remote: bool,
    /// Whether the last frames were Python's, after which a name alone is an exception.
    pub(super) python: bool,
    /// Whether the line before was a Python frame, after which its source follows.
    pub(super) python_source: bool,
    /// Whether the last exception came in brackets.
    pub(super) bracket: bool,
    /// An exception that was named by a label and whose message a label must announce.
    pub(super) labelled: Option<usize>,
    /// How many lines had been said when a message was announced before its type.
    pub(super) announced: Option<usize>,
    /// How wide the line before was.
    pub(super) width: usize,
    /// Whether a PowerShell error record is being read, whose lines begin with `+`.
    pub(super) powershell: bool,
}

impl<'r> Reader<'r> {
    /// A reader at the start of a text.
    pub(super) fn new(report: &'r mut Report, bodies: &'r [Body]) -> Self {
        Reader {
            report,
            bodies,
            open: None,
            promised: None,
            blank: false,
            frame_lines: 0,
            headers: false,
            remote: false,
            python: false,
            python_source: false,
            bracket: false,
            labelled: None,
            announced: None,
            width: 0,
            powershell: false,
        }
    }

    /// Reads a whole text.
    pub(super) fn read(&mut self, flat: &str) {
        let mut rest = flat.lines().peekable();
        while let Some(raw) = rest.next() {
            self.line(lines::read(raw), rest.peek().copied().unwrap_or(""));
            self.width = raw.trim().len();
        }
    }

    fn line(&mut self, line: Line<'_>, next: &str) {
        if line.said.is_empty() {
            self.blank = true;
            self.headers = false;
            self.frame_lines = 0;
            return;
        }
        if self.headers
            && http::is_header(line.said)
            && self.bodies_of(line.said).next().is_none_or(|b| b.exceptions.is_empty())
        {
            return;
        }
        self.headers = false;
        if self.skip_frame(line) || self.labelled_line(line) {
            return;
        }
        if self.remote {
            self.add(line, line.said);
            return;
        }
        if let Some((status, said)) = http::status_line(line.said) {
            self.report.state_status(status);
            self.headers = true;
            self.say(line, said);
            return;
        }
        if HEADERS.is_match(line.said) && (self.blank || self.report.chain.top().is_some()) {
            self.headers = true;
            return;
        }
        let before_body = next.trim_start().chars().next().is_some_and(|c| bounds::marked(c).is_some());
        let status = http::stated(line.said).or_else(|| http::bare(line.said, before_body));
        if let Some(status) = status {
            self.report.state_status(status);
        }
        self.words(line, next);
    }

    /// Whether the line belongs to a stack trace.
    fn skip_frame(&mut self, line: Line<'_>) -> bool {
        let kind = frames::kind(line.said);
        let source = self.python_source && line.indent > 0 && kind != Kind::Frame;
        self.python_source = line.said.starts_with("File \"");
        match kind {
            _ if source => {
                self.frame(line.said);
                true
            }
            Kind::EndInner => {
                self.report.chain.close_inner();
                self.close();
                true
            }
            Kind::Frame => {
                self.python |= self.python_source;
                self.frame_line(line.said);
                true
            }
            Kind::Divider => {
                let python = line.said.starts_with("Traceback");
                self.python |= python;
                if !python {
                    self.close_told();
                }
                true
            }
            Kind::Said if self.powershell && line.said.starts_with("+ ") => !line.said.starts_with("+ CategoryInfo"),
            Kind::Said if self.frame_lines > 0 && header::find(line.said).is_none() => {
                self.frame_lines -= 1;
                self.frame(line.said);
                if !frames::is_open(line.said) && line.said.contains(')') {
                    self.frame_lines = 0;
                }
                true
            }
            Kind::Said if !self.report.chain.is_empty() && frames::is_prettified(line.said) => {
                self.frame(line.said);
                true
            }
            Kind::Said => false,
        }
    }

    /// A line of frames, in which the end of an inner exception may stand.
    fn frame_line(&mut self, said: &str) {
        if said.contains("---") {
            let mut markers = Markers::new(said, 0);
            while let Some(marker) = markers.next_mark() {
                if marker.what == What::EndInner {
                    self.report.chain.close_inner();
                }
            }
        }
        // Node prints the fields of an error behind its last frame.
        self.report.adopt(self.bodies_of(said));
        for sentence in self.bodies_of(said).flat_map(|body| &body.said) {
            self.report.say(sentence, sentence);
        }
        self.frame(said);
        self.frame_lines = if frames::is_open(said) { OPEN_FRAME_LINES } else { 0 };
        self.powershell |= said.starts_with("At ") && said.contains("char:");
    }

    pub(super) fn frame(&mut self, said: &str) {
        self.report.frames.push(said.to_owned());
        self.close();
    }

    /// No further words belong to the open message.
    pub(super) fn close(&mut self) {
        self.open = None;
        self.labelled = None;
    }

    /// As `close`, but an exception that has said nothing yet still may.
    pub(super) fn close_told(&mut self) {
        if self.open.is_some_and(|node| !self.report.chain.is_silent(node)) {
            self.open = None;
        }
    }

    /// Splits a line at markers and inline frames.
    fn words(&mut self, line: Line<'_>, next: &str) {
        let text = line.said;
        let mut from = 0;
        if std::mem::take(&mut self.python) && self.python_header(line) {
            return;
        }
        if text.starts_with("Error: ") && JS_FRAME.is_match(next.trim()) {
            self.open = self.report.chain.state(Some("Error"), &[], Relation::Beside);
            if let Some(node) = self.open {
                self.message(node, &text[7..]);
            }
            return;
        }
        let mut markers = Markers::new(text, 0);
        let mut fresh = true;
        while let Some(marker) = markers.next() {
            let before = &text[from..marker.start];
            match marker.what {
                What::Arrow | What::Dashes => {
                    let after = &text[marker.end..];
                    let Some(behind) = self.arrow(line, before, after, fresh, marker.what) else {
                        continue;
                    };
                    from = text.len() - behind;
                    markers.skip_to(from);
                }
                What::EndInner => {
                    self.part(line, before, fresh);
                    self.report.chain.close_inner();
                    self.close();
                    from = marker.end;
                }
                What::EndBranch => {
                    self.part(line, before, fresh);
                    self.report.chain.close_branch();
                    self.close();
                    from = marker.end;
                }
                What::EndTrace => {
                    if self.report.chain.is_empty() {
                        continue;
                    }
                    self.part(line, before, fresh);
                    self.close();
                    from = marker.end;
                }
                What::Frame => {
                    self.part(line, labels::without_stack(before), fresh);
                    let end = markers.frame_end();
                    self.frame(text[marker.start..end].trim());
                    self.frame_lines = if end == text.len() && frames::is_open(text[marker.start..end].trim()) {
                        OPEN_FRAME_LINES
                    } else {
                        0
                    };
                    from = end;
                }
            }
            fresh = false;
        }
        self.part(line, &text[from..], fresh);
    }

    pub(super) fn bodies_of<'t>(&self, text: &'t str) -> impl Iterator<Item = &'r Body> + use<'r, 't> {
        let bodies = self.bodies;
        let text = if bounds::has_marks(text) { text } else { "" };
        text.chars().filter_map(bounds::marked).filter_map(move |index| bodies.get(index))
    }
}
