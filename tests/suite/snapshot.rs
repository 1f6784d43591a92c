//! Snapshots in the top-level folder `snapshots/`: what is there is what is expected.

use std::path::{Path, PathBuf};

use libtest_mimic::{Failed, Trial};

/// The root of the package.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Compares a text with `snapshots/<folder>/<name>.snap`; `INSTA_UPDATE=always cargo test` accepts a new text.
pub fn assert(folder: &str, name: &str, about: &str, text: &str) {
    let mut settings = insta::Settings::new();
    settings.set_snapshot_path(root().join("snapshots").join(folder));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_description(about);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Demands that a folder of snapshots holds exactly the given names.
pub fn assert_names(folder: &str, names: &[&str]) -> Result<(), Failed> {
    let present = files(&root().join("snapshots").join(folder), "snap")?;
    let orphans: Vec<_> = present.iter().filter(|name| !names.contains(&name.as_str())).collect();
    let missing: Vec<_> = names.iter().filter(|name| !present.iter().any(|present| present == **name)).collect();
    if orphans.is_empty() && missing.is_empty() {
        return Ok(());
    }
    Err(format!("snapshots/{folder}: without a source {orphans:?}, missing {missing:?}").into())
}

/// The stems of the files with an ending in a folder, sorted.
pub fn files(folder: &Path, ending: &str) -> Result<Vec<String>, Failed> {
    let mut stems = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|found| found == ending) {
            stems.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    stems.sort();
    Ok(stems)
}

/// A file of cases: `[[case]]` tables.
#[derive(serde::Deserialize)]
struct Cases<T> {
    case: Vec<T>,
}

/// One trial for each `[[case]]` of the TOML files in a folder below `tests/`, named by file and case; a file that cannot
/// be read is a failing trial.
pub fn cases<T>(folder: &'static str, name: fn(&T) -> &str, run: fn(&T) -> Result<(), Failed>) -> Vec<Trial>
where
    T: serde::de::DeserializeOwned + Send + 'static,
{
    let path = root().join("tests").join(folder);
    let mut trials = Vec::new();
    for stem in files(&path, "toml").unwrap_or_default() {
        let read = std::fs::read_to_string(path.join(format!("{stem}.toml"))).map_err(|error| error.to_string());
        match read.and_then(|text| toml::from_str::<Cases<T>>(&text).map_err(|error| error.to_string())) {
            Ok(cases) => trials.extend(cases.case.into_iter().map(|case| {
                let name = format!("{folder}/{stem}/{}", name(&case).replace(' ', "-"));
                Trial::test(name, move || run(&case))
            })),
            Err(error) => trials.push(Trial::test(format!("{folder}/{stem}"), move || Err(error.into()))),
        }
    }
    trials
}
