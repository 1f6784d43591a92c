//! `faultbook classify --threads`: one thread reads, some answer, one writes; the answers are those of one thread.
//!
//! Records go in batches from the reader to the threads that answer, in turns, and from those to the writer in the same
//! turns: the order of the output needs no numbers and no sorting. A fixed number of batches goes round, so that memory
//! stays flat, and the reader waits when nobody takes the answers.

use std::io::Read;
use std::num::NonZero;
use std::process::exit;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::error::Error;
use crate::input::records::{Batch, Records};

use super::classify::{Answered, Answerer, lock};
use super::output::{self, Failed, Output};
use super::signals::Stopping;

/// Batches that go round for each thread that answers: one in work, one that waits, and one on each side of them.
const BATCHES_PER_THREAD: usize = 4;

/// Bytes that a batch may leave behind in memory for the next one.
const BATCH_BYTES: usize = 2 * 1024 * 1024;

/// Records on their way, and the answers to them.
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
pub(super) fn run<R: Read>(
    answerer: &Answerer<'_>,
    mut records: Records<R>,
    threads: usize,
    written: &Arc<Mutex<Output>>,
    stopping: &Stopping,
    cannot: &impl Fn(std::io::Error) -> Error,
) -> (Counts, Result<(), Failed>) {
    thread::scope(|scope| {
        let (give_back, free) = channel();
        for _ in 0..threads * BATCHES_PER_THREAD {
            let _ = give_back.send(Work::default());
        }
        let mut to_answer = Vec::with_capacity(threads);
        let mut done_by = Vec::with_capacity(threads);
        for _ in 0..threads {
            let (sender, receiver) = channel();
            let (done, receive_done) = channel();
            let answer = move || answer(answerer, &receiver, &done);
            if let Err(error) = thread::Builder::new().spawn_scoped(scope, answer) {
                return (Counts::default(), Err(output::no_thread(error)));
            }
            to_answer.push(sender);
            done_by.push(receive_done);
        }
        let write = move || write(&done_by, &give_back, written, stopping);
        let writer = match thread::Builder::new().spawn_scoped(scope, write) {
            Ok(writer) => writer,
            Err(error) => return (Counts::default(), Err(output::no_thread(error))),
        };
        let read = read(&mut records, &free, &to_answer, stopping).map_err(|error| cannot(error).into());
        // Without senders the other threads end when they have done what is under way.
        drop(to_answer);
        match writer.join() {
            Ok(counts) => (counts, read),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// Reads batches. A batch ends where the next record would have to be waited for: somebody may be waiting for the
/// answers before sending it.
fn read<R: Read>(
    records: &mut Records<R>,
    free: &Receiver<Work>,
    to_answer: &[Sender<Work>],
    stopping: &Stopping,
) -> std::io::Result<()> {
    let mut spare = Vec::new();
    for sender in to_answer.iter().cycle() {
        // The writer only goes before the reader when it has failed as a whole.
        let Some(mut work) = spare.pop().or_else(|| free.recv().ok()) else { break };
        stopping.wait_for_the_end();
        let Some(first) = records.next()? else { break };
        stopping.begin();
        work.records.push(first);
        let read = loop {
            if work.records.is_full() || records.would_wait() {
                break Ok(());
            }
            match records.next() {
                Ok(Some(next)) => work.records.push(next),
                // The end is found again by the next batch.
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        let is_long = work.records.is_long();
        if sender.send(work).is_err() {
            break;
        }
        read?;
        if is_long {
            // As many long records as there are batches would be too much: the next one waits until this one is done.
            spare.extend(free.iter().take(to_answer.len() * BATCHES_PER_THREAD - spare.len()));
        }
    }
    Ok(())
}

/// Answers the batches of one thread, until the reader sends no more.
fn answer(answerer: &Answerer<'_>, batches: &Receiver<Work>, done: &Sender<Work>) {
    for mut work in batches {
        for record in work.records.iter() {
            if work.counts.count(answerer.answer(record, &mut work.answers)) {
                work.answers.push(b'\n');
            }
        }
        if done.send(work).is_err() {
            break;
        }
    }
}

/// Writes the answers in the order of the records.
fn write(answered: &[Receiver<Work>], give_back: &Sender<Work>, output: &Mutex<Output>, stopping: &Stopping) -> Counts {
    let mut counts = Counts::default();
    for receiver in answered.iter().cycle() {
        let Ok(mut work) = receiver.recv() else { break };
        let answered = std::mem::take(&mut work.counts);
        let written = lock(output).lines(&work.answers, answered.answered);
        if let Err(failed) = written {
            // The reader may be waiting for input that never comes: nobody else could end the process now.
            exit(super::conclude(&failed).into());
        }
        stopping.done();
        counts.add(answered);
        work.answers.clear();
        work.answers.shrink_to(BATCH_BYTES);
        work.records.clear();
        // The reader has gone when the input has ended.
        let _ = give_back.send(work);
    }
    counts
}
