//! One compiled expression for several threads.
//!
//! An expression keeps the memory of its searches in a pool: the first thread has its own place there, all others take
//! turns behind a lock, which costs them about as much as a short search. Copies share the program and have a pool of
//! their own.

use std::cell::Cell;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use regex::Regex;

/// Copies at most; threads beyond share them.
const COPIES: usize = 16;

/// An expression of which every thread uses a copy of its own.
#[derive(Debug)]
pub(crate) struct PerThread {
    regex: Regex,
    /// Made when a second thread comes; each copy when its first thread does.
    copies: OnceLock<Box<[OnceLock<Regex>; COPIES]>>,
}

thread_local! {
    /// The number of this thread, from 0; `usize::MAX` until it is first asked for.
    static NUMBER: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// The number of this thread, in the order in which threads ask for theirs.
fn number() -> usize {
    static THREADS: AtomicUsize = AtomicUsize::new(0);
    NUMBER.with(|number| {
        if number.get() == usize::MAX {
            number.set(THREADS.fetch_add(1, Ordering::Relaxed));
        }
        number.get()
    })
}

impl PerThread {
    pub(crate) fn new(regex: Regex) -> Self {
        Self { regex, copies: OnceLock::new() }
    }

    /// The expression of this thread.
    pub(crate) fn get(&self) -> &Regex {
        let Some(place) = number().checked_sub(1) else { return &self.regex };
        let copies = self.copies.get_or_init(Box::default);
        copies[place % COPIES].get_or_init(|| self.regex.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use regex::Regex;

    use super::{COPIES, PerThread};

    #[test]
    fn all_threads_find_the_same() -> Result<(), regex::Error> {
        let pattern = PerThread::new(Regex::new("b+")?);
        thread::scope(|scope| {
            for _ in 0..2 * COPIES {
                scope.spawn(|| {
                    for _ in 0..100 {
                        assert_eq!(pattern.get().find("abbc").map(|found| found.range()), Some(1..3));
                    }
                });
            }
        });
        Ok(())
    }
}
