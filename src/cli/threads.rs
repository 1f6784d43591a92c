//! `faultbook classify --threads`: every thread reads, answers and writes; the answers are those of one thread.
//!
//! The threads take turns at the input: who has read a batch of records answers it, while the next one reads. What is
//! answered stands in the caches of the processor that read it, and no thread is there for waiting only. Who brings the
//! answers that come next in the order of the records writes them, and those behind them that were brought before. A fixed
//! number of batches goes round, so that memory stays flat: while nobody takes the answers, nothing more is read.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::num::NonZero;
use std::process::exit;
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use crate::error::Error;
use crate::input::records::{Batch, Records};

use super::classify::{Answered, Answerer, lock};
use super::output::{self, Failed, Output};
use super::signals::Stopping;

/// Batches that go round for each thread: one in work, the others wait until those in front of them are written.
const BATCHES_PER_THREAD: usize = 4;

/// Bytes that a batch may leave behind in memory for the next one.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Records and the answers to them.
#[derive(Default)]
struct Work {
    records: Batch,
    answers: Vec<u8>,
    counts: Counts,
}

/// How many records were answered, how many of these could not be read, and how many were left out.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counts {
    pub(super) answered: u64,
    pub(super) unreadable: u64,
    pub(super) left_out: u64,
}

impl Counts {
    /// Counts a record; whether it has a line.
    pub(super) fn count(&mut self, answered: Answered) -> bool {
        let is_left_out = answered == Answered::LeftOut;
        self.answered += u64::from(!is_left_out);
        self.unreadable += u64::from(answered == Answered::Unreadable);
        self.left_out += u64::from(is_left_out);
        !is_left_out
    }

    /// Adds what was counted elsewhere.
    pub(super) fn add(&mut self, others: Self) {
        self.answered += others.answered;
        self.unreadable += others.unreadable;
        self.left_out += others.left_out;
    }
}

/// The number of threads that answer; 0 stands for as many as there are cores.
pub(super) fn count(asked: u16) -> usize {
    match asked {
        0 => thread::available_parallelism().map_or(1, NonZero::get),
        asked => asked.into(),
    }
}

/// Answers all records of an input with several threads.
pub(super) fn run<R: Read + Send>(
    answerer: &Answerer<'_>,
    records: Records<R>,
    threads: usize,
    output: &Mutex<Output>,
    stopping: &Stopping,
    cannot: &impl Fn(io::Error) -> Error,
) -> (Counts, Result<(), Failed>) {
    let free = (0..threads * BATCHES_PER_THREAD).map(|_| Work::default()).collect();
    let shared = Shared {
        answerer,
        output,
        stopping,
        input: Mutex::new(Input { records, batches: 0, end: None }),
        order: Mutex::new(Order { free, ..Order::default() }),
        freed: Condvar::new(),
    };
    let started = thread::scope(|scope| {
        // Nothing is read before all of them are there.
        let mut input = lock(&shared.input);
        let started = (0..threads).try_for_each(|_| {
            let work = || shared.work();
            thread::Builder::new().spawn_scoped(scope, work).map(drop)
        });
        if started.is_err() {
            input.end = Some(Ok(()));
        }
        started
    });
    let (input, order) = (shared.input.into_inner(), shared.order.into_inner());
    let end = input.unwrap_or_else(PoisonError::into_inner).end.unwrap_or(Ok(()));
    let counts = order.unwrap_or_else(PoisonError::into_inner).counts;
    (counts, started.map_err(output::no_thread).and_then(|()| end.map_err(|error| cannot(error).into())))
}

/// What the threads share.
struct Shared<'s, R: Read> {
    answerer: &'s Answerer<'s>,
    output: &'s Mutex<Output>,
    stopping: &'s Stopping,
    input: Mutex<Input<R>>,
    order: Mutex<Order>,
    /// Told when batches are free again.
    freed: Condvar,
}

/// Where batches come from.
struct Input<R: Read> {
    records: Records<R>,
    /// How many were read.
    batches: u64,
    /// How the input ended, once it has.
    end: Option<io::Result<()>>,
}

/// Where batches go to.
#[derive(Default)]
struct Order {
    /// The number of the batch that is written next.
    next: u64,
    /// What was answered and waits for those in front of it.
    waiting: BTreeMap<u64, Work>,
    free: Vec<Work>,
    counts: Counts,
    /// Whether a thread has ended that owes answers.
    is_broken: bool,
}

impl<R: Read> Shared<'_, R> {
    /// What each thread does until the input ends.
    fn work(&self) {
        let _ends = Ends(self);
        while let Some(mut work) = self.free() {
            let mut input = lock(&self.input);
            let Some(number) = input.read(&mut work.records, self.stopping) else { break };
            // As many long records as there are batches would be too much: the next is read when this one is done.
            let held = work.records.is_long().then_some(input);
            // One set for a batch, whatever is loaded meanwhile: a batch waits for nobody.
            let generation = self.answerer.current();
            for record in work.records.iter() {
                if work.counts.count(self.answerer.answer(&generation, record, &mut work.answers)) {
                    work.answers.push(b'\n');
                }
            }
            self.bring(number, work);
            drop(held);
        }
    }

    /// A batch to be filled, as soon as there is one; `None` when what is in front of them will never be written.
    fn free(&self) -> Option<Work> {
        let order = lock(&self.order);
        let wait = self.freed.wait_while(order, |order| order.free.is_empty() && !order.is_broken);
        let mut order = wait.unwrap_or_else(PoisonError::into_inner);
        if order.is_broken { None } else { order.free.pop() }
    }

    /// Writes the answers to a batch and to those behind it, or leaves them to whoever brings the ones in front.
    fn bring(&self, number: u64, work: Work) {
        let mut order = lock(&self.order);
        order.waiting.insert(number, work);
        while let Some(mut work) = order.take_next() {
            let answered = std::mem::take(&mut work.counts);
            let written = lock(self.output).lines(&work.answers, answered.answered);
            if let Err(failed) = written {
                // Another thread may be waiting for input that never comes: nobody else could end the process now.
                exit(super::conclude(&failed).into());
            }
            self.stopping.done();
            order.counts.add(answered);
            work.answers.clear();
            work.answers.shrink_to(BATCH_BYTES);
            work.records.clear();
            order.free.push(work);
        }
        drop(order);
        self.freed.notify_all();
    }
}

impl Order {
    /// The batch that is written next, if it has been answered.
    fn take_next(&mut self) -> Option<Work> {
        let work = self.waiting.remove(&self.next)?;
        self.next += 1;
        Some(work)
    }
}

impl<R: Read> Input<R> {
    /// Reads a batch and says its number. It ends where the next record would have to be waited for: somebody may be
    /// waiting for the answers before sending it.
    fn read(&mut self, batch: &mut Batch, stopping: &Stopping) -> Option<u64> {
        if self.end.is_some() {
            return None;
        }
        stopping.wait_for_the_end();
        if !self.read_one(batch) {
            return None;
        }
        stopping.begin();
        while !batch.is_full() && !self.records.would_wait() && self.read_one(batch) {}
        self.batches += 1;
        Some(self.batches - 1)
    }

    /// Reads a record, unless the input has ended.
    fn read_one(&mut self, batch: &mut Batch) -> bool {
        self.end = match self.records.next() {
            Ok(Some(record)) => {
                batch.push(record);
                return true;
            }
            Ok(None) => Some(Ok(())),
            Err(error) => Some(Err(error)),
        };
        false
    }
}

/// A thread's part: if it ends by a panic, the others must not wait for its answers.
struct Ends<'s, R: Read>(&'s Shared<'s, R>);

impl<R: Read> Drop for Ends<'_, R> {
    fn drop(&mut self) {
        if thread::panicking() {
            lock(&self.0.order).is_broken = true;
            self.0.freed.notify_all();
        }
    }
}
