//! Sets of bytes that characters of patterns are written with.

use regex_syntax::hir::Class;

/// Bytes of UTF-8, and maybe a few more than were added.
#[derive(Debug, Clone)]
pub(super) struct ByteSet([bool; 256]);

impl ByteSet {
    pub(super) fn add(&mut self, byte: u8) {
        self.0[usize::from(byte)] = true;
    }

    /// Adds the bytes of a class; any character beyond ASCII brings all of the upper bytes.
    pub(super) fn add_class(&mut self, class: &Class) {
        let mut add = |start: u32, end: u32| {
            let range = start.min(0x80)..=if end < 0x80 { end } else { 0xff };
            range.for_each(|byte| self.0[byte as usize] = true);
        };
        match class {
            Class::Unicode(class) => class.ranges().iter().for_each(|r| add(r.start().into(), r.end().into())),
            Class::Bytes(class) => class.ranges().iter().for_each(|r| add(r.start().into(), r.end().into())),
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(is_in, is_other)| *is_in |= is_other);
    }

    pub(super) fn holds(&self, byte: u8) -> bool {
        self.0[usize::from(byte)]
    }
}

impl Default for ByteSet {
    fn default() -> Self {
        Self([false; 256])
    }
}
