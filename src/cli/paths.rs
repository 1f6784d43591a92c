//! Paths as reports show them: with `/` between their parts, and relative where a repository is read from its root.

use std::path::{Component, Path, PathBuf};

/// A path as it was given.
pub(super) fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() }
}

/// A path relative to the working directory; one outside of it stays absolute. Empty for the working directory itself.
pub(super) fn from_here(path: &Path) -> String {
    let Ok(here) = std::env::current_dir() else { return shown(path) };
    let absolute = plain(&here.join(path));
    let relative = absolute.strip_prefix(&here).map(Path::to_owned);
    // The working directory may have been reached by a link, or the path may go through one.
    let real = || Some(path.canonicalize().ok()?.strip_prefix(here.canonicalize().ok()?).ok()?.to_owned());
    shown(&relative.ok().or_else(real).unwrap_or(absolute))
}

/// A path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            component => plain.push(component),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{from_here, plain, shown};

    #[test]
    fn paths_are_told_from_the_working_directory() {
        let here = std::env::current_dir().unwrap_or_default();
        for path in ["rules", "./rules", "rules/", "other/../rules"] {
            assert_eq!(from_here(Path::new(path)), "rules", "{path}");
        }
        assert_eq!(from_here(&here.join("rules/own")), "rules/own");
        assert_eq!(from_here(Path::new(".")), "");
        let outside = plain(&here.join("../elsewhere"));
        assert_eq!(from_here(Path::new("../elsewhere")), shown(&outside));
    }
}
