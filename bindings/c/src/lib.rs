//! `faultbook` as a C library: failures in as JSON, decisions out as JSON, through an opaque engine.
//!
//! What C programs see is `include/faultbook.h`, which is generated from this file; the doc comments of the functions
//! are written for its readers. `unsafe` stands in `border` and in the functions that it serves, nowhere else.

#[cfg(panic = "abort")]
compile_error!("a fault must not end the program that calls: build with `panic = \"unwind\"`");

mod answer;
mod border;
#[cfg(feature = "testing")]
mod testing;

use std::ffi::c_char;

use border::{Text, guarded};

/// An engine with its rules. Made by `faultbook_open`, freed by `faultbook_close`. Any number of threads may use one
/// engine at the same time.
pub struct FaultbookEngine(answer::Handle);

/// Number of the interface that `faultbook_abi_version` answers with, as long as nothing that a compiled caller relies
/// on has changed.
pub const FAULTBOOK_ABI_VERSION: u32 = 1;

/// The version of this binary interface. A caller that was compiled against another `FAULTBOOK_ABI_VERSION` must not
/// call anything else. Functions may be added without a new number.
#[unsafe(no_mangle)]
pub extern "C" fn faultbook_abi_version() -> u32 {
    FAULTBOOK_ABI_VERSION
}

/// The version of the library, for example `0.1.0`. Static: never freed.
#[unsafe(no_mangle)]
pub extern "C" fn faultbook_version() -> *const c_char {
    border::VERSION.as_ptr()
}

/// Opens an engine.
///
/// `rules` is the path of a rules directory, ended by NUL; NULL for the rules that are built in.
/// `options` is a JSON object, ended by NUL, or NULL for none of them:
///
/// - `"state": "DIR"`: keeps every set that was taken into use there, and starts with the last one when the rules do
///   not load; one engine at a time uses a directory
/// - `"watch": true`: takes changed rules into use as soon as they are proven
/// - `"allow_fallback_only": true`: starts with nothing but DSUNK001 when there are no rules that load
///
/// Returns NULL when nothing can be served. `error`, where it is not NULL, is then set to a JSON object
/// `{"kind": "io" | "rejected" | "invalid-options" | "internal", "error": "...", "report": {...} | null}`, which the
/// caller frees with `faultbook_string_free`; `report` says what is wrong with the rules. Otherwise it is set to NULL.
/// The caller frees the engine with `faultbook_close`.
///
/// Loading takes some 250 ms for files without a lock: they are read until nobody is in the middle of writing them.
///
/// # Safety
/// `rules` and `options` are NULL or end with NUL; `error` is NULL or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_open(
    rules: *const c_char,
    options: *const c_char,
    error: *mut *mut c_char,
) -> *mut FaultbookEngine {
    let opened = guarded(|| {
        // SAFETY: the caller's promise.
        let rules = unsafe { border::path(rules) }?;
        // SAFETY: the caller's promise.
        let options = unsafe { border::text(options) }?;
        answer::open(rules, options).map(FaultbookEngine)
    });
    let (engine, why) = match opened.unwrap_or_else(|| Err(answer::NotOpened::internal())) {
        Ok(engine) => (Box::into_raw(Box::new(engine)), std::ptr::null_mut()),
        Err(why) => (std::ptr::null_mut(), guarded(|| Text::new(why.json()).give().0).unwrap_or(std::ptr::null_mut())),
    };
    // SAFETY: the caller's promise.
    if unsafe { !border::put(error, why) } {
        // SAFETY: made above, and nobody else has it.
        unsafe { border::free(why) };
    }
    engine
}

/// Says what a failure is.
///
/// `failure` is one JSON object (docs/input.md) of `length` bytes of UTF-8; it need not end with NUL. The answer is one
/// line of JSON without a line end (docs/decisions.md), the same bytes that `faultbook classify --format json` writes.
/// It ends with NUL, and `decision_length`, where it is not NULL, is set to its bytes before that.
///
/// Never fails, and never waits for a load: what no rule knows is DSUNK001 with `unknown_reason`; what cannot be read,
/// NULL as engine and a fault of the library are DSUNK001 with `unknown_reason` `unreadable` and `error`. Never NULL.
/// The caller frees the answer with `faultbook_string_free`.
///
/// # Safety
/// `engine` is NULL or one that is open; `failure` is NULL or `length` bytes that may be read; `decision_length` is NULL
/// or may be written to.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_classify(
    engine: *const FaultbookEngine,
    failure: *const c_char,
    length: usize,
    decision_length: *mut usize,
) -> *mut c_char {
    let decided = guarded(|| {
        // SAFETY: the caller's promise.
        let engine = unsafe { border::shared(engine) };
        // SAFETY: the caller's promise.
        let failure = unsafe { border::bytes(failure, length) };
        Text::new(match (engine, failure) {
            (Some(engine), Ok(failure)) => engine.0.classify(failure),
            (Some(engine), Err(why)) => engine.0.unreadable(why),
            (None, _) => answer::without_engine("the engine is NULL").into(),
        })
    });
    let decision =
        decided.unwrap_or_else(|| Text::new(answer::without_engine("internal error; please report the record")));
    let (decision, bytes) = decision.give();
    // SAFETY: the caller's promise.
    unsafe { border::put(decision_length, bytes) };
    decision
}

/// Loads the rules again and says truthfully what came of it: `{"outcome": "swapped" | "unchanged" | "rejected",
/// "generation": 2, "ruleset": "sha256:...", "changes": {...} | null, "error": "..." | null, "report": {...} | null}`.
/// Generation and digest are those of the set in force; when the rules were rejected, that is the one from before, and
/// `report` says why. Other threads go on classifying meanwhile.
///
/// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
/// `faultbook_string_free`.
///
/// # Safety
/// `engine` is NULL or one that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_reload(engine: *const FaultbookEngine) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { border::told(engine, |engine| engine.0.reload()) }
}

/// How the engine stands, as a JSON object: `generation`, `ruleset`, `since`, `source`, `watch`, `last_reload`, counts
/// and so on (docs/engine.md). Never waits for a load.
///
/// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
/// `faultbook_string_free`.
///
/// # Safety
/// `engine` is NULL or one that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_status(engine: *const FaultbookEngine) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { border::told(engine, |engine| engine.0.status()) }
}

/// The report of the last load as a JSON object, as `faultbook check --format json` writes it: why the rules were
/// rejected, or the warnings and notes of those in force.
///
/// NULL when `engine` is NULL, or after a fault of the library. The caller frees the answer with
/// `faultbook_string_free`.
///
/// # Safety
/// `engine` is NULL or one that is open.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_report(engine: *const FaultbookEngine) -> *mut c_char {
    // SAFETY: the caller's promise.
    unsafe { border::told(engine, |engine| engine.0.report()) }
}

/// Frees a text that a function of this library has given. NULL is nothing to free. The text must be as it was given,
/// and is freed once, here and by nothing else: `free` of the C library does not know it.
///
/// # Safety
/// `text` is NULL, or was given by this library and not freed yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_string_free(text: *mut c_char) {
    // SAFETY: the caller's promise.
    unsafe { border::free(text) };
}

/// Closes an engine and frees it. NULL is nothing to close. No thread may be using the engine, and none may use it
/// afterwards; texts that it has given stay.
///
/// # Safety
/// `engine` is NULL, or open and used by nobody.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn faultbook_close(engine: *mut FaultbookEngine) {
    // SAFETY: the caller's promise.
    unsafe { border::close(engine) };
}
