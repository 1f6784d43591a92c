//! What the last texts stated. While something is down, the same text comes again and again, and reading it is most of
//! what it costs.

use crate::model::Failure;

use super::read;

/// Texts that are remembered.
const TEXTS: usize = 16;
/// Bytes of a text above which it is read each time.
const TEXT_BYTES: usize = 8 * 1024;

/// The last texts with what they state. A text is known when every byte of it is the same: what it states is a function
/// of it and of nothing else.
#[derive(Debug, Default)]
pub(crate) struct Memo {
    entries: Vec<(Box<str>, Failure<'static>)>,
    /// The one that is forgotten next.
    oldest: usize,
    /// What a text states that is too long to be remembered.
    long: Failure<'static>,
}

impl Memo {
    /// What a text states, as [`read`] says it.
    pub(crate) fn read(&mut self, text: &str) -> &Failure<'static> {
        if text.len() > TEXT_BYTES {
            self.long = read(text);
            return &self.long;
        }
        let place = self.entries.iter().position(|(known, _)| **known == *text).unwrap_or_else(|| {
            let entry = (text.into(), read(text));
            if self.entries.len() < TEXTS {
                self.entries.push(entry);
                return self.entries.len() - 1;
            }
            let place = self.oldest;
            self.entries[place] = entry;
            self.oldest = (place + 1) % TEXTS;
            place
        });
        &self.entries[place].1
    }
}

#[cfg(test)]
mod tests {
    use super::{Memo, TEXT_BYTES, TEXTS, read};

    /// A remembered text states what it states when it is read, however many came between.
    #[test]
    fn what_is_remembered_is_what_would_be_read() {
        let mut memo = Memo::default();
        let text = |number: usize| {
            let long = "at A.B()\n".repeat(if number.is_multiple_of(7) { TEXT_BYTES / 9 + 1 } else { 1 });
            format!("System.Exception: error {number}\n ---> System.TimeoutException: late {number}\n{long}")
        };
        for number in [0, 1, 0, 2, 1].into_iter().chain(0..3 * TEXTS).chain((0..TEXTS).rev()) {
            assert_eq!(*memo.read(&text(number)), read(&text(number)), "{number}");
        }
        assert_eq!(memo.entries.len(), TEXTS);
    }
}
