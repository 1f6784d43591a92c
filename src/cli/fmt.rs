//! `faultbook fmt`: the house layout of rule files.

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::diagnostic::{Diagnostic, Report, SourceId, Sources, lints};
use crate::error::{Error, ErrorKind};
use crate::model::limits;
use crate::render;
use crate::rulefile::discover;
use crate::rulefile::layout::{Unformatted, formatted, likely_name};
use crate::ruleset::RuleSet;

use super::output::{self, Failed, remark};
use super::replace::replace;

const EXAMPLES: &str = "Examples:
  faultbook fmt my-rules/                        put all files into the house layout
  faultbook fmt my-rules/exchange.toml           one file
  faultbook fmt --check my-rules/                names of files that would change; exit code 1
  faultbook fmt --diff my-rules/                 what would change
  faultbook fmt - < exchange.toml                standard input to standard output, for editors

Comments stay where they are, values stay what they are. A file with TOML errors is left alone.
Exit codes: 0 done, 1 files that would change or have TOML errors, 2 could not run.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Rule files and directories of them, `-` for standard input; without any --rules
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// Write nothing; name the files that would change
    #[arg(long)]
    check: bool,
    /// Write nothing; show what would change
    #[arg(long)]
    diff: bool,
    /// The name of what comes from standard input; without it the keys tell whether it is a manifest
    #[arg(long, value_name = "NAME")]
    stdin_filename: Option<PathBuf>,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    let is_stdin = |path: &PathBuf| path.as_os_str() == "-";
    if arguments.paths.iter().any(is_stdin) {
        if arguments.paths.len() > 1 {
            return Err(Failed::Usage("standard input is formatted alone: `faultbook fmt -`".to_owned()));
        }
        return stdin(arguments);
    }
    let paths = match rules {
        Some(rules) if arguments.paths.is_empty() => vec![rules.to_owned()],
        None if arguments.paths.is_empty() => {
            let help = "the built-in rules cannot be written; name files or directories: `faultbook fmt DIR`";
            return Err(Failed::Usage(help.to_owned()));
        }
        _ => arguments.paths.clone(),
    };
    let mut tally = Tally::default();
    for path in &paths {
        let shown = format_path(path, arguments, &mut tally);
        match shown {
            // Who has seen enough of the names must still learn that there are some.
            Err(Failed::Closed) => return Ok(ExitCode::from(1)),
            shown => shown?,
        }
    }
    remark(&tally.summary(arguments.check || arguments.diff));
    let is_clean = tally.refused == 0 && (tally.changed == 0 || !(arguments.check || arguments.diff));
    Ok(ExitCode::from(u8::from(!is_clean)))
}

/// What became of the files.
#[derive(Default)]
struct Tally {
    changed: usize,
    unchanged: usize,
    refused: usize,
}

impl Tally {
    fn summary(&self, is_dry: bool) -> String {
        let files = |count: usize| format!("{count} file{}", if count == 1 { "" } else { "s" });
        let changed = if is_dry { "would change" } else { "changed" };
        let mut parts = vec![format!("{} {changed}", files(self.changed)), format!("{} unchanged", self.unchanged)];
        if self.refused > 0 {
            parts.push(format!("{} left alone because of errors", self.refused));
        }
        parts.join(", ")
    }
}

/// Formats a file, or all rule files of a directory.
fn format_path(path: &Path, arguments: &Arguments, tally: &mut Tally) -> Result<(), Failed> {
    let is_directory = path.is_dir();
    let sources = if is_directory { RuleSet::discover(path)? } else { discover::file(path)? };
    if is_directory && sources.iter().next().is_none() {
        return Err(Failed::Usage(format!("`{}` holds no rule files", path.display())));
    }
    let mut findings: Vec<Diagnostic> =
        sources.findings().iter().filter(|finding| finding.lint != lints::LOCK_MISMATCH).cloned().collect();
    tally.refused += findings.len();
    let mut is_lock_broken = false;
    for (id, source) in sources.iter().filter(|(_, source)| !source.is_refused) {
        let base = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = if is_directory { Some(source.name.clone()) } else { base };
        let text = match formatted(name.as_deref().unwrap_or_default(), id, &source.text) {
            Ok(text) => text,
            Err(unformatted) => {
                findings.extend(refused(unformatted, &sources, id)?);
                tally.refused += 1;
                continue;
            }
        };
        if !discover::differs(&sources, id, &text) {
            tally.unchanged += 1;
            continue;
        }
        tally.changed += 1;
        let shown = sources.path(id);
        if arguments.diff {
            output::print_diff(&shown, &old(&sources, id), &text)?;
        } else if arguments.check {
            output::print(&render::escaped(&shown))?;
        } else {
            let target = if is_directory { path.join(&source.name) } else { path.to_owned() };
            replace(&target, text.as_bytes()).map_err(|error| {
                Error::new(ErrorKind::Io, format!("cannot write `{}`", target.display())).with_source(error)
            })?;
            is_lock_broken |= sources.is_locked();
            match output::print(&render::escaped(&shown)) {
                // The other files are still to be written.
                Err(Failed::Closed) => {}
                shown => shown?,
            }
        }
    }
    if !findings.is_empty() {
        output::report(&Report::new(sources, findings));
    }
    if is_lock_broken {
        remark("the lock does not fit the files any more: publish them again");
    }
    Ok(())
}

fn stdin(arguments: &Arguments) -> Result<ExitCode, Failed> {
    let mut bytes = Vec::new();
    let read = std::io::stdin().lock().take(limits::FILE_BYTES as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Error::new(ErrorKind::Io, "cannot read standard input").with_source(error))?;
    let path = arguments.stdin_filename.as_deref().unwrap_or(Path::new("<stdin>"));
    let sources = discover::bytes(path, bytes);
    let mut findings: Vec<Diagnostic> = sources.findings().to_vec();
    let mut is_changed = false;
    for (id, source) in sources.iter().filter(|(_, source)| !source.is_refused) {
        let name = match &arguments.stdin_filename {
            Some(path) => path.file_name().unwrap_or_default().to_string_lossy(),
            None => likely_name(&source.text).into(),
        };
        match formatted(&name, id, &source.text) {
            Ok(text) => {
                is_changed = discover::differs(&sources, id, &text);
                if arguments.diff && is_changed {
                    output::print_diff(&sources.path(id), &old(&sources, id), &text)?;
                } else if arguments.check && is_changed {
                    output::print(&render::escaped(&sources.path(id)))?;
                } else if !arguments.check && !arguments.diff {
                    output::print_exactly(&text)?;
                }
            }
            Err(unformatted) => findings.extend(refused(unformatted, &sources, id)?),
        }
    }
    let is_refused = !findings.is_empty();
    if is_refused {
        output::report(&Report::new(sources, findings));
    }
    let is_dry = arguments.check || arguments.diff;
    Ok(ExitCode::from(u8::from(is_refused || (is_dry && is_changed))))
}

/// The findings of a text that has no layout.
fn refused(unformatted: Unformatted, sources: &Sources, id: SourceId) -> Result<Vec<Diagnostic>, Failed> {
    match unformatted {
        Unformatted::Invalid(findings) => Ok(findings),
        Unformatted::Unequal => {
            let path = sources.path(id);
            Err(Failed::Usage(format!("a fault of `faultbook fmt` would have changed `{path}`; it was left alone")))
        }
    }
}

/// The text as it stands in the file, with the mark that some editors put in front.
fn old(sources: &Sources, id: SourceId) -> String {
    let text = &sources.get(id).text;
    if discover::differs(sources, id, text) { format!("\u{feff}{text}") } else { text.clone() }
}
