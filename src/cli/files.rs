//! Rule files that commands write.

use std::fs;
use std::path::Path;

use crate::error::{Error, ErrorKind};

/// Replaces a file as a whole, so that a reader sees the old one or the new one. Who may read it stays the same.
pub(super) fn replace_file(path: &Path, text: &str) -> Result<(), Error> {
    let cannot = |error| Error::new(ErrorKind::Io, format!("cannot write `{}`", path.display())).with_source(error);
    // Through a link, which stays one.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let name = target.file_name().unwrap_or_default().to_string_lossy().into_owned();
    // Hidden, so that nobody who lists rule files takes it for one.
    let temporary = target.with_file_name(format!(".{name}.new"));
    let write = || {
        fs::write(&temporary, text)?;
        if let Ok(metadata) = fs::metadata(&target) {
            fs::set_permissions(&temporary, metadata.permissions())?;
        }
        fs::rename(&temporary, &target)
    };
    write().map_err(|error| {
        let _ = fs::remove_file(&temporary);
        cannot(error)
    })
}
