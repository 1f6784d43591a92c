//! How much of a stream's time goes into its JSON, and what a second thread brings.
//!
//! `cargo bench --bench stream` measures on generated lines of about 1.5 KB, of which the rules know 70 %: 40 made-up rules
//! on failures of their world, then the built-in rules on failures from their examples, with pasted texts among them. First
//! the parts of the way from a line to its answer in one thread, then the command line with two threads beside two runs of
//! it at the same time, on `FAULTBOOK_BENCH_LINES` lines (200,000 when it is not set).

mod book;
#[path = "../peers/clock.rs"]
mod clock;
mod lines;
mod reference;
#[path = "../workload/mod.rs"]
mod workload;

use std::error::Error;
use std::fs::File;
use std::hint::black_box;
use std::io::{BufRead, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use faultbook::{Decision, RuleSet, read_record, render};

use clock::Moment;
use reference::Reference;
use workload::Workload;

/// Rounds of each measurement; the median counts.
const ROUNDS: usize = 9;
/// Rounds of the command line.
const RUNS: usize = 5;
/// Lines that are measured in one process.
const LINES: usize = 20_000;
/// Made-up rules.
const RULES: usize = 40;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("failures.ndjson");
    let world = Workload::new(RULES, 5).map_err(|error| error.message)?;
    let made = book::rule_set(&world)?;
    steps("made-up rules, failures of their world", &made, &path, &lines::from_workload(&world, LINES))?;
    let set = RuleSet::builtin();
    let lines = lines::from_examples(&set, LINES);
    steps("built-in rules, failures from their examples", &set, &path, &lines)?;
    let lines_of_runs = std::env::var("FAULTBOOK_BENCH_LINES").ok().and_then(|count| count.parse().ok());
    threads(&path, &lines, lines_of_runs.unwrap_or(200_000))
}

/// A step of the way from a line to its answer, or all of it up to there.
type Step<'s> = (&'static str, Box<dyn FnMut(&[u8]) + 's>);

/// One step after the other on the same lines, in turns.
fn steps(name: &str, set: &RuleSet, path: &Path, lines: &[String]) -> Result<(), Box<dyn Error>> {
    let bytes: usize = lines.iter().map(|line| line.len() + 1).sum();
    let records: Vec<_> = lines.iter().map(|line| read_record(line.as_bytes())).collect::<Result<_, _>>()?;
    let decisions: Vec<_> = records.iter().map(|record| set.classify(&record.failure)).collect();
    let known = decisions.iter().filter(|decision| decision.unknown_reason.is_none()).count();
    let answer_bytes = |decision: &Decision<'_>| serde_json::to_string(decision).map_or(0, |text| text.len() + 1);
    let mean = decisions.iter().map(answer_bytes).sum::<usize>() / decisions.len();
    let typical = decisions.iter().min_by_key(|decision| answer_bytes(decision).abs_diff(mean)).ok_or("no lines")?;
    lines::write(path, lines, lines.len())?;
    out(&format!(
        "{} {name}\n{} lines, {} bytes on average, {} % of them known; answers of {mean} bytes on average\n",
        set.rules().len(),
        lines.len(),
        bytes / lines.len(),
        100 * known / lines.len()
    ))?;
    let mut steps: [Step<'_>; 5] = [
        ("lines alone", Box::new(|line| _ = black_box(line.len()))),
        (
            "lines, serde_json into borrowed fields",
            Box::new(|line| drop(black_box(serde_json::from_slice::<Reference<'_>>(line)))),
        ),
        ("lines, records", Box::new(|line| _ = black_box(read_record(line)))),
        ("lines, records, one answer for all", {
            let mut buffer = Vec::new();
            Box::new(move |line| {
                let _ = black_box(read_record(line));
                write(typical, &mut buffer);
            })
        }),
        ("lines, records, decisions, answers", {
            let mut buffer = Vec::new();
            Box::new(move |line| {
                if let Ok(record) = read_record(line) {
                    write(&set.classify(&record.failure), &mut buffer);
                }
            })
        }),
    ];
    let mut times = vec![Vec::new(); steps.len()];
    // The first round warms up.
    for round in 0..=ROUNDS {
        for ((_, step), times) in steps.iter_mut().zip(&mut times) {
            let time = each_line(path, step)?;
            if round > 0 {
                times.push(time);
            }
        }
    }
    out("                                        ns a line      least      MB/s\n")?;
    for ((name, _), times) in steps.iter().zip(&times) {
        let time = median(times.iter().copied());
        #[expect(clippy::cast_precision_loss, reason = "rates are rounded anyway")]
        let rate = bytes as f64 / time.as_secs_f64() / 1e6;
        let nanoseconds = |time: Duration| time.as_nanos() / lines.len() as u128;
        let least = times.iter().min().copied().unwrap_or_default();
        out(&format!("{name:<38} {:>10} {:>10} {rate:>9.0}\n", nanoseconds(time), nanoseconds(least)))?;
    }
    let shares = times[3].iter().zip(&times[4]).map(|(without, whole)| without.div_duration_f64(*whole));
    let mut shares: Vec<f64> = shares.collect();
    shares.sort_by(f64::total_cmp);
    out(&format!("with one answer for all instead of decisions: {:.0} % of the time\n\n", 100.0 * shares[ROUNDS / 2]))
}

/// Writes an answer into memory that is used again.
fn write(decision: &Decision<'_>, buffer: &mut Vec<u8>) {
    if buffer.len() > 64 * 1024 {
        buffer.clear();
    }
    let _ = render::json_line(decision, &mut *buffer);
    buffer.push(b'\n');
}

/// The command line with one thread, with two, and twice at the same time on half of the lines each, in turns.
fn threads(path: &Path, lines: &[String], count: usize) -> Result<(), Box<dyn Error>> {
    let half = path.with_file_name("half.ndjson");
    lines::write(path, lines, count)?;
    lines::write(&half, lines, count / 2)?;
    let ways: [(&str, &[&Path], &str); 3] = [
        ("one thread", &[path], "1"),
        ("two threads", &[path], "2"),
        ("two runs at the same time, half each", &[&half, &half], "1"),
    ];
    let mut times = vec![Vec::new(); ways.len()];
    for _ in 0..RUNS {
        for ((_, files, threads), times) in ways.iter().zip(&mut times) {
            let start = Instant::now();
            let running = files.iter().map(|file| spawn(file, threads)).collect::<Result<Vec<_>, _>>()?;
            for mut child in running {
                if !child.wait()?.success() {
                    return Err("a run failed".into());
                }
            }
            times.push(start.elapsed());
        }
    }
    out(&format!("the command line on {count} lines          lines a second       most\n"))?;
    for ((name, ..), times) in ways.iter().zip(&times) {
        #[expect(clippy::cast_precision_loss, reason = "rates are rounded anyway")]
        let rate = |time: Duration| count as f64 / time.as_secs_f64();
        let least = times.iter().min().copied().unwrap_or_default();
        out(&format!("{name:<42} {:>10.0} {:>10.0}\n", rate(median(times.iter().copied())), rate(least)))?;
    }
    let mut shares: Vec<f64> =
        times[2].iter().zip(&times[1]).map(|(twice, two)| twice.div_duration_f64(*two)).collect();
    shares.sort_by(f64::total_cmp);
    out(&format!("two threads reach {:.0} % of two runs\n", 100.0 * shares[RUNS / 2]))
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

/// The processor time for all lines of a file, read as the command line reads them.
fn each_line(path: &Path, each: &mut dyn FnMut(&[u8])) -> std::io::Result<Duration> {
    let mut line = Vec::new();
    let start = Moment::now();
    let mut reader = BufReader::with_capacity(64 * 1024, File::open(path)?);
    while reader.read_until(b'\n', &mut line)? > 0 {
        each(line.strip_suffix(b"\n").unwrap_or(&line));
        line.clear();
    }
    Ok(start.elapsed())
}

fn median(times: impl Iterator<Item = Duration>) -> Duration {
    let mut times: Vec<Duration> = times.collect();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

fn out(text: &str) -> Result<(), Box<dyn Error>> {
    Ok(std::io::stdout().lock().write_all(text.as_bytes())?)
}
