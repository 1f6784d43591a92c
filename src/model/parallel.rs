//! Numbered work on all processors, with answers that do not depend on how many there are.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Threads at most: a check shall not take a build machine from everybody else.
const THREADS: usize = 8;

/// Does the work of each number below `count` and gives the answers in their order. Less work than `worth_a_thread` pieces
/// for each thread is done with fewer threads.
pub(crate) fn in_parallel<T: Send>(count: usize, worth_a_thread: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let processors = thread::available_parallelism().map_or(1, usize::from).min(THREADS);
    let threads = processors.min(count / worth_a_thread.max(1)).max(1);
    if threads == 1 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let part = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done = thread::scope(|scope| {
        // A thread that cannot be started leaves its work to the others.
        let others: Vec<_> =
            (1..threads).filter_map(|_| thread::Builder::new().spawn_scoped(scope, part).ok()).collect();
        let mut done = part();
        for other in others {
            match other.join() {
                Ok(answers) => done.extend(answers),
                // Answers would be missing.
                Err(panic) => resume_unwind(panic),
            }
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, answer)| answer).collect()
}
