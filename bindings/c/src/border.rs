//! The border to C: pointers become references and texts here, and faults stop here.

use std::ffi::{CStr, CString, c_char};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::FaultbookEngine;
use crate::answer::NotOpened;

/// The version of the package, ended by NUL.
pub(crate) const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
    Ok(version) => version,
    Err(_) => c"",
};

/// Runs what C has asked for; none after a fault, which goes no further.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(fault) => {
            // What a fault carries may have a fault of its own when it is dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(fault)));
            None
        }
    }
}

/// A text on its way to C.
pub(crate) struct Text(CString);

impl Text {
    /// JSON holds no NUL; should another text do, it ends there.
    pub(crate) fn new(text: impl Into<Vec<u8>>) -> Self {
        Self(CString::new(text).unwrap_or_else(|error| {
            let end = error.nul_position();
            let mut start = error.into_vec();
            start.truncate(end);
            CString::new(start).unwrap_or_default()
        }))
    }

    /// The text, which is the caller's now, and its bytes without NUL.
    pub(crate) fn give(self) -> (*mut c_char, usize) {
        let bytes = self.0.count_bytes();
        (self.0.into_raw(), bytes)
    }
}

/// Frees a text that was given.
///
/// # Safety
/// `text` is NULL or comes from [`Text::give`], and nobody uses it any more.
pub(crate) unsafe fn free(text: *mut c_char) {
    if !text.is_null() {
        // SAFETY: the caller's promise.
        drop(unsafe { CString::from_raw(text) });
    }
}

/// Frees an engine that was given. A watch of its rules may be in the middle of reading files; it ends by itself.
///
/// # Safety
/// `engine` is NULL or comes from `faultbook_open`, and nobody uses it any more.
pub(crate) unsafe fn close(engine: *mut FaultbookEngine) {
    if !engine.is_null() {
        // SAFETY: the caller's promise.
        let engine = unsafe { Box::from_raw(engine) };
        guarded(|| drop(engine));
    }
}

/// Writes a value to where C wants it; whether it wants it at all.
///
/// # Safety
/// `place` is NULL or may be written to.
pub(crate) unsafe fn put<T>(place: *mut T, value: T) -> bool {
    if !place.is_null() {
        // SAFETY: the caller's promise.
        unsafe { place.write(value) };
    }
    !place.is_null()
}

/// The engine; none for NULL.
///
/// # Safety
/// `engine` is NULL or one that stays open for as long as the reference is used.
pub(crate) unsafe fn shared<'e>(engine: *const FaultbookEngine) -> Option<&'e FaultbookEngine> {
    // SAFETY: the caller's promise; all access is shared until `close`.
    unsafe { engine.as_ref() }
}

/// The bytes of a failure.
///
/// # Safety
/// `start` is NULL or the start of `length` bytes that may be read for as long as the slice is used.
pub(crate) unsafe fn bytes<'b>(start: *const c_char, length: usize) -> Result<&'b [u8], &'static str> {
    match (start.is_null(), isize::try_from(length)) {
        (true, Ok(0)) => Ok(&[]),
        (true, _) => Err("the failure is NULL"),
        (false, Err(_)) => Err("the length of the failure is more than any memory holds"),
        // SAFETY: the caller's promise, and the length is one that a slice can have.
        (false, Ok(_)) => Ok(unsafe { std::slice::from_raw_parts(start.cast(), length) }),
    }
}

/// A text of C; none for NULL.
///
/// # Safety
/// `text` is NULL, or ends with NUL and stays as it is while the result is used.
pub(crate) unsafe fn text<'t>(text: *const c_char) -> Result<Option<&'t str>, NotOpened> {
    // SAFETY: the caller's promise.
    let text = unsafe { c_str(text) };
    text.map(|text| text.to_str().map_err(|_| NotOpened::invalid("the options are not UTF-8"))).transpose()
}

/// A path of C, whatever its bytes are where the system allows them; none for NULL.
///
/// # Safety
/// `path` is NULL, or ends with NUL.
pub(crate) unsafe fn path(path: *const c_char) -> Result<Option<PathBuf>, NotOpened> {
    // SAFETY: the caller's promise.
    let path = unsafe { c_str(path) };
    path.map(of_bytes).transpose()
}

#[cfg(unix)]
#[expect(clippy::unnecessary_wraps, reason = "elsewhere not every path is one")]
fn of_bytes(path: &CStr) -> Result<PathBuf, NotOpened> {
    use std::os::unix::ffi::OsStrExt as _;
    Ok(Path::new(std::ffi::OsStr::from_bytes(path.to_bytes())).to_owned())
}

#[cfg(not(unix))]
fn of_bytes(path: &CStr) -> Result<PathBuf, NotOpened> {
    path.to_str().map(|path| Path::new(path).to_owned()).map_err(|_| NotOpened::invalid("the path is not UTF-8"))
}

/// # Safety
/// `text` is NULL, or ends with NUL and stays as it is while the result is used.
unsafe fn c_str<'t>(text: *const c_char) -> Option<&'t CStr> {
    // SAFETY: the caller's promise.
    (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) })
}

/// What an engine has to say, as a text for C; NULL without an engine, and after a fault.
///
/// # Safety
/// `engine` is NULL or one that is open.
pub(crate) unsafe fn told(
    engine: *const FaultbookEngine,
    tell: impl FnOnce(&FaultbookEngine) -> String,
) -> *mut c_char {
    // SAFETY: the caller's promise.
    let engine = unsafe { shared(engine) };
    let text = engine.and_then(|engine| guarded(|| Text::new(tell(engine))));
    text.map_or(std::ptr::null_mut(), |text| text.give().0)
}
