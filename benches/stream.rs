//! How much of a stream's time goes into its JSON, and what a second thread brings.
//!
//! `cargo bench --bench stream` measures on generated lines of about 1.5 KB, of which the built-in rules know 70 %: the
//! parts of the way from a line to its answer in one process, then the command line with two threads beside two runs
//! of it at the same time, on `FAULTBOOK_BENCH_LINES` lines (200,000 when it is not set).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use faultbook::{Decision, Failure, RuleSet, read_record, render};
use serde::Deserialize;

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 9;
/// Lines that are measured in one process.
const LINES: usize = 20_000;
/// Bytes that a line has on average.
const LINE_BYTES: usize = 1_500;

fn main() -> Result<(), Box<dyn Error>> {
    let set = RuleSet::builtin();
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("failures.ndjson");
    let lines = generate(&set, LINES);
    let known = lines.iter().filter(|line| is_known(&set, line)).count();
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    write_lines(&path, &lines, LINES)?;
    out(&format!(
        "{LINES} lines, {} bytes on average, {} % of them known; medians of {ROUNDS} rounds\n",
        bytes / LINES,
        100 * known / LINES
    ))?;
    steps(&set, &path, bytes)?;
    let lines_of_runs = std::env::var("FAULTBOOK_BENCH_LINES").ok().and_then(|count| count.parse().ok());
    threads(&path, &lines, lines_of_runs.unwrap_or(200_000))
}

/// One step after the other on the same file.
fn steps(set: &RuleSet, path: &Path, bytes: usize) -> Result<(), Box<dyn Error>> {
    let made = set.classify(&Failure { http_status: Some(503), ..Failure::default() });
    let mut buffer = Vec::with_capacity(128 * 1024);
    let mut write = |decision: &Decision<'_>| {
        if buffer.len() > 64 * 1024 {
            buffer.clear();
        }
        let _ = render::json_line(decision, &mut buffer);
        buffer.push(b'\n');
    };
    let read = median(path, &mut |line| {
        black_box(line.len());
    })?;
    let parsed = median(path, &mut |line| {
        let _ = black_box(serde_json::from_slice::<Reference<'_>>(line));
    })?;
    let records = median(path, &mut |line| {
        let _ = black_box(read_record(line));
    })?;
    let unclassified = median(path, &mut |line| {
        let _ = black_box(read_record(line));
        write(&made);
    })?;
    let whole = median(path, &mut |line| {
        if let Ok(record) = read_record(line) {
            write(&set.classify(&record.failure));
        }
    })?;
    out("in one process                               ns a line      MB/s\n")?;
    for (name, time) in [
        ("a  lines alone", read),
        ("b  lines, serde_json into borrowed fields", parsed),
        ("c  lines, records", records),
        ("d  lines, records, one answer for all", unclassified),
        ("e  lines, records, decisions, answers", whole),
    ] {
        #[expect(clippy::cast_precision_loss, reason = "rates are rounded anyway")]
        let rate = bytes as f64 / time.as_secs_f64() / 1e6;
        out(&format!("{name:<42} {:>10} {rate:>10.0}\n", time.as_nanos() / LINES as u128))?;
    }
    out(&format!("d is {:.0} % of e\n\n", 100.0 * unclassified.as_secs_f64() / whole.as_secs_f64()))
}

/// The command line with one thread, with two, and twice at the same time on half of the lines each.
fn threads(path: &Path, lines: &[String], count: usize) -> Result<(), Box<dyn Error>> {
    let half = path.with_file_name("half.ndjson");
    write_lines(path, lines, count)?;
    write_lines(&half, lines, count / 2)?;
    let rate = |name: &str, time: Duration| {
        #[expect(clippy::cast_precision_loss, reason = "rates are rounded anyway")]
        let rate = count as f64 / time.as_secs_f64();
        out(&format!("{name:<42} {rate:>10.0}\n"))
    };
    let run = |files: &[&Path], threads: &str| -> Result<Duration, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..3 {
            let start = Instant::now();
            let running = files.iter().map(|file| spawn(file, threads)).collect::<Result<Vec<_>, _>>()?;
            for mut child in running {
                if !child.wait()?.success() {
                    return Err("a run failed".into());
                }
            }
            times.push(start.elapsed());
        }
        times.sort_unstable();
        Ok(times[times.len() / 2])
    };
    out(&format!("the command line on {count} lines              lines a second\n"))?;
    let alone = run(&[path], "1")?;
    rate("one thread", alone)?;
    let two = run(&[path], "2")?;
    rate("two threads", two)?;
    let twice = run(&[&half, &half], "1")?;
    rate("two runs at the same time, half each", twice)?;
    out(&format!("two threads reach {:.0} % of two runs\n", 100.0 * twice.as_secs_f64() / two.as_secs_f64()))
}

fn spawn(file: &Path, threads: &str) -> std::io::Result<Child> {
    Command::new(env!("CARGO_BIN_EXE_faultbook"))
        .args(["classify", "--input", "json", "--format", "json", "--threads", threads])
        .arg(file)
        .env_remove("FAULTBOOK_RULES")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
}

/// The median time for all lines of a file, read as the command line reads them.
fn median(path: &Path, each: &mut dyn FnMut(&[u8])) -> std::io::Result<Duration> {
    let mut times = Vec::with_capacity(ROUNDS);
    let mut line = Vec::new();
    for _ in 0..=ROUNDS {
        let start = Instant::now();
        let mut reader = BufReader::with_capacity(64 * 1024, File::open(path)?);
        while reader.read_until(b'\n', &mut line)? > 0 {
            each(line.strip_suffix(b"\n").unwrap_or(&line));
            line.clear();
        }
        times.push(start.elapsed());
    }
    // The first round warms up.
    times.remove(0);
    times.sort_unstable();
    Ok(times[times.len() / 2])
}

/// The fields of a failure as serde reads them, without any leniency.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be measured")]
struct Reference<'r> {
    #[serde(borrow, default)]
    id: Option<Text<'r>>,
    #[serde(borrow, default)]
    connector: Option<Text<'r>>,
    #[serde(borrow, default)]
    operation: Option<Text<'r>>,
    #[serde(borrow, default)]
    phase: Option<Text<'r>>,
    #[serde(borrow, default)]
    exceptions: Vec<ReferenceException<'r>>,
    #[serde(borrow, default)]
    message: Option<Text<'r>>,
    http_status: Option<u16>,
    #[serde(borrow, default)]
    provider_codes: Vec<Text<'r>>,
    #[serde(default)]
    error_numbers: Vec<i64>,
    #[serde(borrow, default)]
    attributes: BTreeMap<Text<'r>, ReferenceAttribute<'r>>,
    #[serde(borrow, default)]
    stack_trace: Option<Text<'r>>,
    #[serde(borrow, default)]
    text: Option<Text<'r>>,
}

/// The fields of an exception.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read to be measured")]
struct ReferenceException<'r> {
    #[serde(borrow, default, rename = "type")]
    type_name: Option<Text<'r>>,
    #[serde(borrow, default)]
    message: Option<Text<'r>>,
    #[serde(borrow, default)]
    ancestors: Vec<Text<'r>>,
    #[serde(default)]
    error_numbers: Vec<i64>,
    parent: Option<usize>,
}

/// The value of an attribute.
#[derive(Deserialize)]
#[serde(untagged)]
#[expect(dead_code, reason = "read to be measured")]
enum ReferenceAttribute<'r> {
    Bool(bool),
    Number(i64),
    Text(#[serde(borrow)] Text<'r>),
}

/// A text that is borrowed where it has no escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'r>(#[serde(borrow)] Cow<'r, str>);

/// Lines from the examples of the rules, of which every ten have three that no rule knows, filled up with stack frames
/// to lengths around the mean.
fn generate(set: &RuleSet, count: usize) -> Vec<String> {
    let fallback = &set.fallback().code;
    let known: Vec<&Failure<'_>> = set
        .codes()
        .iter()
        .filter(|entry| entry.code != *fallback)
        .flat_map(|entry| set.examples_of(&entry.code))
        .collect();
    let lines = (0..count).filter_map(|index| {
        let mut failure = if index % 10 < 7 {
            known.get(index * 7 % known.len().max(1)).map(|failure| (*failure).clone())?
        } else {
            unknown(index)
        };
        failure.id = Some(format!("tx-{index}").into());
        let said = serde_json::to_string(&failure).ok()?.len();
        let length = LINE_BYTES / 2 + LINE_BYTES * (index * 37 % 101) / 100;
        let mut frames = String::new();
        let mut frame = 0;
        while said + frames.len() + 40 < length {
            frame += 1;
            let _ = writeln!(frames, "   at Sync.Connectors.Client{frame}.SendAsync(Request request) line {index}");
        }
        failure.stack_trace = Some(frames.into()).filter(|frames: &Cow<'_, str>| !frames.is_empty());
        serde_json::to_string(&failure).ok()
    });
    lines.collect()
}

/// A failure that no rule knows.
fn unknown(index: usize) -> Failure<'static> {
    let exception = |depth: usize| faultbook::Exception {
        type_name: Some(format!("Contoso.Planning.Part{}Exception", (index + depth) % 50).into()),
        message: Some(format!("Part {depth} of plan {index} does not fit: the crane is elsewhere.").into()),
        ..faultbook::Exception::default()
    };
    Failure {
        connector: Some(["exchange", "webhook", "business-central"][index % 3].into()),
        operation: Some("update".into()),
        exceptions: (0..=index % 3).map(exception).collect(),
        message: Some(format!("The plan {index} was not sent on.").into()),
        ..Failure::default()
    }
}

fn is_known(set: &RuleSet, line: &str) -> bool {
    read_record(line.as_bytes()).is_ok_and(|record| set.classify(&record.failure).unknown_reason.is_none())
}

/// Writes as many lines as asked for, the same ones over and over.
fn write_lines(path: &Path, lines: &[String], count: usize) -> std::io::Result<()> {
    let mut text = Vec::new();
    for line in lines.iter().cycle().take(count) {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    fs::write(path, text)
}

fn out(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
