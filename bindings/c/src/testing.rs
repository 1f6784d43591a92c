//! A fault on purpose: not in the header, and in no library that is given away.

use crate::{FaultbookEngine, border};

/// Makes the next call on an engine fail inside of the library.
///
/// # Safety
/// `engine` is NULL or one that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_testing_fault(engine: *const FaultbookEngine) {
    // SAFETY: the caller's promise.
    if let Some(engine) = unsafe { border::shared(engine) } {
        engine.0.ask_for_a_fault();
    }
}
