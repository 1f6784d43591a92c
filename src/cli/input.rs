//! Where commands read failures from: files, or standard input.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, ErrorKind};
use crate::input::format::{Entry, Format};
use crate::input::level::Level;
use crate::input::mapping::Mapping;
use crate::input::records::{self, Records};
use crate::model::Failure;
use crate::render::escaped;

use super::output::{Failed, remark};

/// How failures are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum InputFormat {
    /// Told from the first lines: our own JSON, one of the other formats, else one text
    Auto,
    /// One failure in our own JSON on each line
    Json,
    /// The whole input is one failure, as somebody pasted or logged it
    Text,
    /// Serialized .NET exceptions: `ClassName`, `Message`, `InnerException`
    Exception,
    /// Serilog's compact JSON: `@t`, `@mt`, `@x`
    Clef,
    /// Serilog's JSON formatter, also with structured exceptions
    Serilog,
    /// JSON layouts of NLog, and other log lines as JSON
    Nlog,
    /// Exceptions of Application Insights and Log Analytics
    AppInsights,
    /// Log records of OpenTelemetry: OTLP as JSON, or flat attributes
    Otlp,
    /// Events of Sentry
    Sentry,
    /// Problem details, RFC 9457
    Problem,
    /// Error bodies of Entra ID, Microsoft Graph, OData and SOAP
    Provider,
    /// Rows whose first line names the columns
    Csv,
    /// Rows of a Parquet file
    Parquet,
}

/// How grave a log record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum MinLevel {
    Trace,
    Debug,
    Information,
    Warning,
    Error,
    Critical,
}

/// How failures are written, and which of their fields are which facts.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct FormatArguments {
    /// How failures are written
    #[arg(long, value_enum, default_value_t = InputFormat::Auto)]
    pub(super) input: InputFormat,
    /// The field that holds a fact, for fields whose names are yours
    #[arg(long, value_name = "FACT=FIELD", value_delimiter = ',')]
    map: Vec<String>,
    /// A TOML file of such pairs, `FACT = "FIELD"`; `--map` wins over it
    #[arg(long, value_name = "FILE")]
    map_file: Option<PathBuf>,
}

/// What commands that read failures take.
#[derive(Debug, Args)]
#[group(skip)]
pub(super) struct FailureArguments {
    /// Files to read; standard input without any, or for `-`
    #[arg(value_name = "FILE")]
    pub(super) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) format: FormatArguments,
    /// Say on standard error which format each input was taken for
    #[arg(long)]
    pub(super) show_input: bool,
    /// Leave out log records below this level that carry no exception
    #[arg(long, value_enum, value_name = "LEVEL")]
    pub(super) min_level: Option<MinLevel>,
    /// The connector of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) connector: Option<String>,
    /// The operation of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) operation: Option<String>,
    /// The phase of failures that name none
    #[arg(long, value_name = "NAME")]
    pub(super) phase: Option<String>,
}

impl From<InputFormat> for records::InputFormat {
    fn from(format: InputFormat) -> Self {
        Self::Given(match format {
            InputFormat::Auto => return Self::Auto,
            InputFormat::Json => Format::Json,
            InputFormat::Text => Format::Text,
            InputFormat::Exception => Format::Exception,
            InputFormat::Clef => Format::Clef,
            InputFormat::Serilog => Format::Serilog,
            InputFormat::Nlog => Format::Nlog,
            InputFormat::AppInsights => Format::AppInsights,
            InputFormat::Otlp => Format::Otlp,
            InputFormat::Sentry => Format::Sentry,
            InputFormat::Problem => Format::Problem,
            InputFormat::Provider => Format::Provider,
            InputFormat::Csv => Format::Csv,
            InputFormat::Parquet => Format::Parquet,
        })
    }
}

impl From<MinLevel> for Level {
    fn from(level: MinLevel) -> Self {
        match level {
            MinLevel::Trace => Self::Trace,
            MinLevel::Debug => Self::Debug,
            MinLevel::Information => Self::Information,
            MinLevel::Warning => Self::Warning,
            MinLevel::Error => Self::Error,
            MinLevel::Critical => Self::Critical,
        }
    }
}

impl FormatArguments {
    /// The fields of facts, as files and arguments say.
    pub(super) fn mapping(&self) -> Result<Mapping, Failed> {
        let mut mapping = Mapping::default();
        if let Some(path) = &self.map_file {
            let shown = path.display();
            let text = std::fs::read_to_string(path)
                .map_err(|error| Error::new(ErrorKind::Io, format!("cannot read `{shown}`")).with_source(error))?;
            mapping.read(&text).map_err(|error| Failed::Usage(format!("`{shown}`: {error}")))?;
        }
        for pair in &self.map {
            let Some((fact, field)) = pair.split_once('=') else {
                let help = "write FACT=FIELD, such as `--map exception=ex`";
                return Err(Failed::Usage(format!("--map: `{}` names no field; {help}", escaped(pair))));
            };
            mapping.add(fact, field).map_err(|error| Failed::Usage(format!("--map: {}", escaped(&error))))?;
        }
        Ok(mapping)
    }

    /// The format for a file that grows: it holds lines, whatever stands in it later.
    pub(super) fn of_lines(&self) -> records::InputFormat {
        match self.input.into() {
            records::InputFormat::Given(Format::Text) | records::InputFormat::Auto => {
                records::InputFormat::Lines(Format::Json)
            }
            records::InputFormat::Given(format) | records::InputFormat::Lines(format) => {
                records::InputFormat::Lines(format)
            }
        }
    }
}

/// The files that were named; standard input without any.
pub(super) fn files(named: &[PathBuf]) -> impl Iterator<Item = &Path> {
    let stdin = named.is_empty().then_some(Path::new("-"));
    stdin.into_iter().chain(named.iter().map(PathBuf::as_path))
}

/// Hands the records of a file to a reader, `-` for standard input, together with what an error of it is called.
pub(super) fn open(
    path: &Path,
    arguments: &FailureArguments,
    mapping: &Mapping,
    read: impl FnOnce(Records<Box<dyn Read>>, &dyn Fn(io::Error) -> Error) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let cannot =
        |error: io::Error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error);
    let format = arguments.format.input.into();
    let of_stream = |input: Box<dyn Read>| {
        let records = Records::new(input, format, mapping).map_err(cannot)?;
        Ok::<_, Error>(arguments.telling(records, path))
    };
    if path == Path::new("-") {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            remark("reading failures from the terminal; end with Ctrl-D");
        }
        return read(of_stream(Box::new(stdin.lock()))?, &cannot);
    }
    let mut file = File::open(path).map_err(cannot)?;
    let metadata = file.metadata().map_err(cannot)?;
    if metadata.is_dir() {
        return Err(Error::new(ErrorKind::Io, format!("`{}` is a directory; give files", path.display())).into());
    }
    let progress = progress(metadata.len());
    let is_parquet = metadata.is_file()
        && matches!(format, records::InputFormat::Auto | records::InputFormat::Given(Format::Parquet))
        && is_parquet(&mut file).map_err(cannot)?;
    let records = if is_parquet || format == records::InputFormat::Given(Format::Parquet) {
        let rows = parquet(file, &progress, mapping).map_err(cannot)?;
        arguments.telling(rows, path)
    } else {
        of_stream(Box::new(progress.wrap_read(file)))?
    };
    let done = read(records, &cannot);
    progress.finish_and_clear();
    done
}

/// Whether a file begins as Parquet does.
fn is_parquet(file: &mut File) -> io::Result<bool> {
    let mut start = Vec::new();
    file.by_ref().take(4).read_to_end(&mut start)?;
    file.rewind()?;
    Ok(start == b"PAR1")
}

#[cfg(feature = "parquet")]
fn parquet(file: File, progress: &ProgressBar, mapping: &Mapping) -> io::Result<Records<Box<dyn Read>>> {
    use crate::input::parquet::ParquetRows;
    let progress = progress.clone();
    let rows = ParquetRows::open(file, mapping, move |at| progress.set_position(at))?;
    Ok(Records::of_rows(rows))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: File, _: &ProgressBar, _: &Mapping) -> io::Result<Records<Box<dyn Read>>> {
    Err(io::Error::other("it is Parquet, which this build does not read; build with `--features parquet`, or give CSV"))
}

/// The whole text of a file.
#[cfg(feature = "serve")]
pub(super) fn text(path: &Path) -> Result<String, Error> {
    std::fs::read_to_string(path)
        .map_err(|error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error))
}

impl FailureArguments {
    /// Says which format an input was taken for, where that was asked for.
    fn telling<R: Read>(&self, records: Records<R>, path: &Path) -> Records<R> {
        if !self.show_input {
            return records;
        }
        let name = if path == Path::new("-") { "standard input".to_owned() } else { format!("`{}`", path.display()) };
        records.telling(move |format| remark(&format!("{name} was taken for `{format}`")))
    }

    /// Whether a record is left out.
    pub(super) fn leaves_out(&self, entry: &Entry<'_>) -> bool {
        self.min_level.is_some_and(|least| entry.is_below(least.into()))
    }

    /// What there is to say when all records were read: fields that none had, and how many were left out.
    pub(super) fn conclude(&self, mapping: &Mapping, left_out: u64) {
        for unfound in mapping.unfound() {
            remark(&escaped(&unfound));
        }
        if let Some(least) = self.min_level.and_then(|level| level.to_possible_value())
            && left_out > 0
        {
            let records = if left_out == 1 { "record" } else { "records" };
            remark(&format!("left out {left_out} log {records} below {} without an exception", least.get_name()));
        }
    }

    /// Fills in what a failure does not say itself: connector, operation and phase.
    pub(super) fn fill_in<'a>(&'a self, failure: &mut Failure<'a>) {
        let fill = |field: &mut Option<Cow<'a, str>>, value: &'a Option<String>| {
            if field.is_none() {
                *field = value.as_deref().map(Cow::Borrowed);
            }
        };
        fill(&mut failure.connector, &self.connector);
        fill(&mut failure.operation, &self.operation);
        fill(&mut failure.phase, &self.phase);
    }
}

/// Bytes of a file that takes long enough to be worth a bar.
const PROGRESS_BYTES: u64 = 16 * 1024 * 1024;

/// A bar on standard error for long files, where somebody watches it and the answers go elsewhere.
fn progress(bytes: u64) -> ProgressBar {
    let watched = bytes >= PROGRESS_BYTES && io::stderr().is_terminal() && !io::stdout().is_terminal();
    let target = if watched { ProgressDrawTarget::stderr_with_hz(5) } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(bytes), target);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}") {
        bar.set_style(style);
    }
    bar
}
