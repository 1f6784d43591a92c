//! Ctrl-C and SIGTERM: what was answered is written in whole lines, then the tool ends.

use std::sync::{Arc, Mutex, PoisonError};

use super::output::{Output, remark};

/// Ends the process on SIGINT and SIGTERM, after the output is flushed.
///
/// A thread of its own waits for the signal: the main thread may be waiting for input that never comes.
pub(super) fn flush_on_signal(output: &Arc<Mutex<Output>>) {
    use signal_hook::consts::{SIGINT, SIGTERM};
    // Without the handler a signal still ends the process; only what is kept would be lost.
    let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGINT, SIGTERM]) else { return };
    let output = Arc::clone(output);
    std::thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
            let flushed = output.flush();
            match flushed {
                Ok(()) => remark(&format!("stopped after {} decisions", output.written())),
                Err(failed) => remark(&format!("stopped: {failed}")),
            }
            std::process::exit(128 + signal);
        }
    });
}
