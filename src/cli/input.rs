//! Where commands read failures from: files, or standard input.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, IsTerminal, Read, Seek};
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::error::{Error, ErrorKind};
use crate::input::format::{Entry, Format};
use crate::input::level::Level;
use crate::input::mapping::Mapping;
use crate::input::records::{self, Records, Stream};
use crate::model::Failure;
use crate::render::escaped;

use super::output::{Failed, remark};

/// The words of `--input`: `auto`, and each format by its name.
fn formats() -> impl TypedValueParser<Value = records::InputFormat> {
    let auto = PossibleValue::new("auto")
        .help("Told from the first lines: our own JSON, one of the other formats, else one text");
    let named = Format::all().map(|format| PossibleValue::new(format.name()).help(about(format)));
    PossibleValuesParser::new(std::iter::once(auto).chain(named))
        .map(|name| Format::of_name(&name).map_or(records::InputFormat::Auto, records::InputFormat::Given))
}

/// What the help says of a format.
fn about(format: Format) -> &'static str {
    match format {
        Format::Json => "One failure in our own JSON on each line",
        Format::Text => "The whole input is one failure, as somebody pasted or logged it",
        Format::Exception => "Serialized .NET exceptions: `ClassName`, `Message`, `InnerException`",
        Format::Clef => "Serilog's compact JSON: `@t`, `@mt`, `@x`",
        Format::Serilog => "Serilog's JSON formatter, also with structured exceptions",
        Format::Nlog => "JSON layouts of NLog, and other log lines as JSON",
        Format::AppInsights => "Exceptions of Application Insights and Log Analytics",
        Format::Otlp => "Log records of OpenTelemetry: OTLP as JSON, or flat attributes",
        Format::Sentry => "Events of Sentry",
        Format::Problem => "Problem details, RFC 9457",
        Format::Provider => "Error bodies of Entra ID, Microsoft Graph, OData and SOAP",
        Format::Csv => "Rows whose first line names the columns",
        Format::Parquet => "Rows of a Parquet file",
    }
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
    #[arg(long, value_name = "INPUT", value_parser = formats(), default_value = "auto")]
    pub(super) input: records::InputFormat,
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
            mapping.read(&text(path)?).map_err(|error| Failed::Usage(format!("`{}`: {error}", path.display())))?;
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
        match self.input {
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
    read: impl FnOnce(Records<Stream>, &dyn Fn(io::Error) -> Error) -> Result<(), Failed>,
) -> Result<(), Failed> {
    let cannot =
        |error: io::Error| Error::new(ErrorKind::Io, format!("cannot read `{}`", path.display())).with_source(error);
    let format = arguments.format.input;
    let of_stream = |input: Stream| {
        let records = Records::new(input, format, mapping).map_err(cannot)?;
        Ok::<_, Error>(arguments.telling(records, path))
    };
    if path == Path::new("-") {
        let stdin = io::stdin();
        if stdin.is_terminal() {
            remark("reading failures from the terminal; end with Ctrl-D");
        }
        return read(of_stream(Box::new(stdin))?, &cannot);
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
fn parquet(file: File, progress: &ProgressBar, mapping: &Mapping) -> io::Result<Records<Stream>> {
    use crate::input::parquet::ParquetRows;
    let progress = progress.clone();
    let rows = ParquetRows::open(file, mapping, move |at| progress.set_position(at))?;
    Ok(Records::of_rows(rows))
}

#[cfg(not(feature = "parquet"))]
fn parquet(_: File, _: &ProgressBar, _: &Mapping) -> io::Result<Records<Stream>> {
    Err(io::Error::other("it is Parquet, which this build does not read; build with `--features parquet`, or give CSV"))
}

/// The whole text of a file.
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
