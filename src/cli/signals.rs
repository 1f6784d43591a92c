//! Ctrl-C and SIGTERM: what was answered is written in whole lines, then the tool ends. SIGHUP: the rules are loaded.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, TryLockError};
use std::thread::Builder;
use std::time::Duration;

use crate::engine::{Engine, ReloadOutcome};

use super::output::{Failed, Output, no_thread, remark};

/// Whether a signal has come that ends the process, and what it has to wait for.
#[derive(Debug, Clone, Default)]
pub(super) struct Stopping(Arc<State>);

#[derive(Debug, Default)]
struct State {
    asked: AtomicBool,
    /// Batches that were read and are not written yet.
    under_way: AtomicUsize,
}

impl Stopping {
    /// Records were read that a signal must not cost their answers.
    pub(super) fn begin(&self) {
        self.0.under_way.fetch_add(1, Ordering::AcqRel);
    }

    /// The answers to them are written.
    pub(super) fn done(&self) {
        self.0.under_way.fetch_sub(1, Ordering::AcqRel);
    }

    /// Leaves the rest to the thread of the signals, when a signal has come; nothing more is read then.
    pub(super) fn wait_for_the_end(&self) {
        while self.0.asked.load(Ordering::Acquire) {
            std::thread::park();
        }
    }
}

/// Ends the process on SIGINT and SIGTERM, as soon as nobody holds the output and nothing that was read is under way.
///
/// A thread of its own waits for the signal: the main thread may be waiting for input that never comes. It holds the
/// output while it answers, and releases it with every line written. A second signal does not wait for that: who reads
/// the output may have stopped reading.
///
/// `at_end` is called when all answers are written, and says itself what went wrong.
///
/// # Errors
/// When no thread can be started: the signals would then be lost.
pub(super) fn flush_on_signal(
    output: &Arc<Mutex<Output>>,
    at_end: impl FnOnce() + Send + 'static,
) -> Result<Stopping, Failed> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let stopping = Stopping::default();
    // Without the handler a signal still ends the process; only what is kept would be lost.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return Ok(stopping) };
    let (output, asked) = (Arc::clone(output), stopping.clone());
    let wait = move || {
        let Some(signal) = signals.forever().next() else { return };
        asked.0.asked.store(true, Ordering::Release);
        let mut output = loop {
            // Asked for before the output: what is done afterwards has been written.
            let is_idle = asked.0.under_way.load(Ordering::Acquire) == 0;
            match output.try_lock() {
                Ok(output) if is_idle => break output,
                Err(TryLockError::Poisoned(poisoned)) if is_idle => break poisoned.into_inner(),
                _ if signals.pending().next().is_some() => {
                    remark("stopped at once: the output is not being read, its last line may be cut");
                    std::process::exit(128 + signal);
                }
                // Not with the output in hand: somebody wants to write to it.
                held => {
                    drop(held);
                    std::thread::sleep(Duration::from_millis(2));
                }
            }
        };
        match output.flush() {
            Ok(()) => remark(&format!("stopped after {} decisions", output.written())),
            Err(failed) => remark(&format!("stopped: {failed}")),
        }
        at_end();
        std::process::exit(128 + signal);
    };
    Builder::new().spawn(wait).map_err(no_thread)?;
    Ok(stopping)
}

/// Loads the rules again on SIGHUP, on a thread of its own, and says what came of it.
///
/// # Errors
/// When no thread can be started: the signal would then be lost.
pub(super) fn reload_on_hangup(
    engine: &Arc<Engine>,
    told: impl Fn(&ReloadOutcome) + Send + 'static,
) -> Result<(), Failed> {
    #[cfg(unix)]
    {
        // Without the handler the signal ends the process, as it would have before.
        let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGHUP]) else { return Ok(()) };
        let engine = Arc::clone(engine);
        let wait = move || signals.forever().for_each(|_| told(&engine.reload()));
        Builder::new().spawn(wait).map_err(no_thread)?;
    }
    #[cfg(not(unix))]
    let _ = (engine, told);
    Ok(())
}
