//! `faultbook new`: an entry for a code, or a rule for a failure, as an author would begin them.

use std::fs::File;
use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;

use crate::error::{Error, ErrorKind};
use crate::input::records::one_failure;
use crate::model::{Failure, limits};
use crate::render::escaped;
use crate::ruleset::draft::{Draft, Goal, NewCode, Refusal, draft, new_code};

use super::input::FormatArguments;
use super::output::{self, Failed, remark};
use super::replace::replace_file;

const EXAMPLES: &str = "Examples:
  faultbook new DSEX \"Mailbox over its quota\"                   the next free number of a family
  faultbook new DSEX045 \"Mailbox over its quota\" --rules rules --write
  faultbook new --from failure.json --code DSEX021             a rule for a failure
  pbpaste | faultbook new --from - --code DSEX040 --connector exchange
  faultbook new --from failure.json --family DSEX --title \"Mailbox over its quota\"

The TOML goes to standard output, what there is to know about it to standard error. A drafted rule
wins its failure, takes no other rule's example and brings no finding with it. The exit code is 1
when a rule knows the failure already, or when nothing sets it apart.";

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// A family for its next free number, or a free code
    #[arg(value_name = "CODE-OR-FAMILY", required_unless_present = "from", conflicts_with = "from")]
    name: Option<String>,
    /// What went wrong, in a few words
    #[arg(value_name = "TITLE", required_unless_present = "from")]
    title: Option<String>,
    /// Draft a rule from a failure: JSON or text as `classify` reads it, standard input for `-`
    #[arg(long, value_name = "FILE", requires = "goal")]
    from: Option<PathBuf>,
    #[command(flatten)]
    format: FormatArguments,
    /// The code that the drafted rule gives
    #[arg(long, value_name = "CODE", group = "goal", requires = "from")]
    code: Option<String>,
    /// The family, or free code, of a new code that the drafted rule gives
    #[arg(long, value_name = "FAMILY", group = "goal", requires_all = ["from", "new_title"])]
    family: Option<String>,
    /// The title of that new code
    #[arg(id = "new_title", long = "title", value_name = "TITLE", requires = "family")]
    new_title: Option<String>,
    /// The connector of a failure that names none
    #[arg(long, value_name = "NAME", requires = "from")]
    connector: Option<String>,
    /// The operation of a failure that names none
    #[arg(long, value_name = "NAME", requires = "from")]
    operation: Option<String>,
    /// The phase of a failure that names none
    #[arg(long, value_name = "NAME", requires = "from")]
    phase: Option<String>,
    /// Draft a rule although one knows the failure: in front of it
    #[arg(long, requires = "from")]
    anyway: bool,
    /// The rule file that it goes into, where the obvious one is not meant
    #[arg(long, value_name = "NAME")]
    file: Option<String>,
    /// Put it into its rule file
    #[arg(long)]
    write: bool,
}

pub(super) fn run(arguments: &Arguments, rules: Option<&Path>) -> Result<ExitCode, Failed> {
    if arguments.write && rules.is_none() {
        let help = "the built-in rules cannot be written; name a directory with `--rules DIR`";
        return Err(Failed::Usage(help.to_owned()));
    }
    let sources = super::sources(rules)?;
    let file = arguments.file.as_deref();
    let done = match &arguments.from {
        None => {
            let (name, title) = (arguments.name.as_deref(), arguments.title.as_deref());
            new_code(&sources, name.unwrap_or_default(), title.unwrap_or_default(), file).map(Made::Code)
        }
        Some(path) => {
            let failure = arguments.failure(path)?;
            draft(sources, &failure, arguments.goal(), file, arguments.anyway).map(Made::Rule)
        }
    };
    match done {
        Ok(made) => {
            made.show()?;
            made.write(rules.filter(|_| arguments.write))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Refusal::Rejected(report)) => {
            output::report(&report);
            Err(Failed::Rejected(Refusal::Rejected(report).to_string()))
        }
        Err(refusal @ Refusal::Usage(_)) => Err(Failed::Usage(refusal.to_string())),
        Err(refusal) => {
            remark(&escaped(&refusal.to_string()));
            if matches!(refusal, Refusal::Known { .. }) {
                remark("with `--anyway` a rule is drafted that stands in front of it");
            }
            Ok(ExitCode::from(1))
        }
    }
}

impl Arguments {
    fn goal(&self) -> Goal<'_> {
        match (&self.code, &self.family) {
            (Some(code), _) => Goal::Code(code),
            (None, family) => {
                Goal::New(family.as_deref().unwrap_or_default(), self.new_title.as_deref().unwrap_or_default())
            }
        }
    }

    /// The first failure of the input, with what the arguments add to it.
    fn failure(&self, path: &Path) -> Result<Failure<'static>, Failed> {
        let cannot = |error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error);
        let mut bytes = Vec::new();
        let limit = limits::RECORD_BYTES as u64 + 1;
        if path == Path::new("-") {
            if io::stdin().is_terminal() {
                remark("reading a failure from the terminal; end with Ctrl-D");
            }
            io::stdin().lock().take(limit).read_to_end(&mut bytes).map_err(cannot)?;
        } else {
            File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(cannot)?;
        }
        let mapping = self.format.mapping()?;
        let read = one_failure(&bytes, self.format.input, &mapping);
        let (mut failure, notes) = read.map_err(Failed::Usage)?;
        for note in notes.into_iter().chain(mapping.unfound()) {
            remark(&escaped(&note));
        }
        for (field, value) in [
            (&mut failure.connector, &self.connector),
            (&mut failure.operation, &self.operation),
            (&mut failure.phase, &self.phase),
        ] {
            if field.is_none() {
                *field = value.clone().map(Into::into);
            }
        }
        Ok(failure)
    }
}

/// What was made.
enum Made {
    Code(NewCode),
    Rule(Draft),
}

impl Made {
    /// The TOML on standard output, what to know about it on standard error.
    fn show(&self) -> Result<(), Failed> {
        match self {
            Self::Code(new) => {
                output::print(&new.text)?;
                remark(&format!("`{}` goes into {}. What is left to do:", new.code, new.file));
                for (index, step) in new.todo.iter().enumerate() {
                    remark(&format!("  {}. {step}", index + 1));
                }
            }
            Self::Rule(draft) => {
                output::print(&draft.text)?;
                let place = match &draft.before {
                    Some(rule) => format!("in front of `{rule}`"),
                    None => "behind its other rules".to_owned(),
                };
                remark(&format!("`{}` goes into {}, {place}. Its conditions:", draft.rule, draft.file));
                for (line, why) in &draft.reasons {
                    remark(&escaped(&format!("  {line}: {why}")));
                }
                for note in &draft.notes {
                    remark(&escaped(&format!("note: {note}")));
                }
            }
        }
        Ok(())
    }

    fn write(&self, directory: Option<&Path>) -> Result<(), Failed> {
        let Some(directory) = directory else { return Ok(()) };
        let (file, text) = match self {
            Self::Code(new) => (&new.file, &new.updated),
            Self::Rule(draft) => (&draft.file, &draft.updated),
        };
        let path = directory.join(file);
        replace_file(&path, text)?;
        remark(&format!("wrote {}", path.display()));
        Ok(())
    }
}
