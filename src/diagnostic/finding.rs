//! One finding in a rule file.

use super::{Lint, Span};

/// Something that is wrong, or likely wrong, in a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding; its severity comes with it.
    pub lint: &'static Lint,
    /// What is wrong, in lower case and without a full stop, values in backticks.
    pub message: String,
    /// The smallest wrong thing.
    pub primary: Label,
    /// Places that the primary one disagrees with.
    pub secondary: Vec<Label>,
    /// What to type instead, as a sentence.
    pub help: Option<String>,
    /// Edits that settle the finding and change nothing else.
    pub fix: Option<Fix>,
}

/// Edits that settle a finding. They are safe: what was meant stays what it is, and no comment is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The edits; they do not overlap.
    pub edits: Vec<Edit>,
}

/// A range of a source, and the text that takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The range; empty to insert something in front of its start.
    pub span: Span,
    /// The new text; empty to delete.
    pub text: String,
}

/// A place with a remark.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The remark; may be empty.
    pub text: String,
}

impl Fix {
    /// One edit.
    #[must_use]
    pub fn replace(span: Span, text: impl Into<String>) -> Self {
        Self { edits: vec![Edit { span, text: text.into() }] }
    }
}

impl Diagnostic {
    /// A finding at one place.
    pub fn new(lint: &'static Lint, span: Span, message: impl Into<String>) -> Self {
        let primary = Label { span, text: String::new() };
        Self { lint, message: clipped(message.into()), primary, secondary: Vec::new(), help: None, fix: None }
    }

    /// Remarks on the primary place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Adds a second place.
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says what to type instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(clipped(help.into()));
        self
    }

    /// Says which text settles the finding in place of what stands in the range.
    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        self.fix = Some(Fix::replace(span, text));
        self
    }
}

/// Characters of a message or help line; a name in a rule file may be as long as the file.
const CHARS: usize = 1_000;

fn clipped(mut text: String) -> String {
    if let Some((end, _)) = text.char_indices().nth(CHARS) {
        text.truncate(end);
        text.push('…');
    }
    text
}
