//! What a reload costs those who go on asking, and whether every answer is of one set.
//!
//! `cargo bench --bench reload` answers failures on two threads while the rules are replaced 50 times a second, in
//! turns with stretches in which they are not. Each answer is compared with what its own digest says. It takes about
//! 20 s; `FAULTBOOK_RELOADS=10000` makes it 400 s and more. The rules are the built-in ones, whose load takes longer than
//! the pause where two threads keep all processors busy; `FAULTBOOK_RULES=tests/reloads/base` takes a few rules instead.
//! It fails when an answer is of no set, or of two.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use faultbook::{Engine, EngineOptions, Exception, Failure, ReloadOutcome, RuleSet};

/// Sets that take turns.
const VERSIONS: usize = 16;
/// Threads that ask.
const THREADS: usize = 2;
/// Reloads in one stretch, and the time from one to the next.
const STRETCH: usize = 50;
const PAUSE: Duration = Duration::from_millis(20);

fn main() -> Result<(), Box<dyn Error>> {
    let reloads = std::env::var("FAULTBOOK_RELOADS").ok().and_then(|count| count.parse().ok()).unwrap_or(500);
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    let versions = versions(&rules)?;
    let engine = EngineOptions::new(&rules).quiet(Duration::ZERO, Duration::from_secs(2)).open()?;
    let clocks = [Clock::default(), Clock::default()];
    let (stop, phase) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (asked, wrong) = (AtomicU64::new(0), AtomicU64::new(0));
    let (mut swapped, mut memory, mut loading) = (0_u32, Vec::new(), Vec::new());
    let mut spent = Duration::ZERO;
    thread::scope(|scope| -> Result<(), Box<dyn Error>> {
        for _ in 0..THREADS {
            scope.spawn(|| ask(&engine, &versions.digests, &clocks, &phase, &stop, &asked, &wrong));
        }
        let done = (|| {
            for round in 0..reloads / STRETCH {
                phase.store(0, Ordering::Release);
                thread::sleep(PAUSE * u32::try_from(STRETCH)?);
                phase.store(1, Ordering::Release);
                let stretch = Instant::now();
                for turn in 0..STRETCH {
                    let start = Instant::now();
                    let text = &versions.texts[(round * STRETCH + turn + 1) % VERSIONS];
                    put(&rules, text)?;
                    let outcome = engine.reload();
                    loading.push(start.elapsed());
                    match outcome {
                        ReloadOutcome::Swapped { .. } => swapped += 1,
                        other => return Err(format!("a reload is {}", other.as_str()).into()),
                    }
                    thread::sleep(PAUSE.saturating_sub(start.elapsed()));
                }
                spent += stretch.elapsed();
                memory.push(resident()?);
            }
            Ok(())
        })();
        stop.store(true, Ordering::Release);
        done
    })?;
    loading.sort_unstable();
    let out = format!(
        "{swapped} reloads, {:.0} a second, {} answers, {} of them of no set or of two\n\
         {:<22} {:>10} {:>10}\n{}added p99 {:.1} µs\n\
         a reload takes {:.1} ms (median), {:.1} ms (p99), of {} rules\n\
         resident memory after the first stretch {} KiB, after the last {} KiB; sets still held {}\n",
        f64::from(swapped) / spent.as_secs_f64(),
        asked.load(Ordering::Relaxed),
        wrong.load(Ordering::Relaxed),
        "latency in µs",
        "at rest",
        "reloading",
        [("median", 0.5), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)]
            .map(|(name, share)| format!("{name:<22} {:>10.1} {:>10.1}\n", clocks[0].at(share), clocks[1].at(share)))
            .concat(),
        clocks[1].at(0.99) - clocks[0].at(0.99),
        millis(loading[loading.len() / 2]),
        millis(loading[loading.len() * 99 / 100]),
        engine.current().rules().rules().len(),
        memory.first().copied().unwrap_or_default(),
        memory.last().copied().unwrap_or_default(),
        engine.status().generations_alive,
    );
    std::io::stdout().write_all(out.as_bytes())?;
    if wrong.load(Ordering::Relaxed) == 0 { Ok(()) } else { Err("answers of no set, or of two".into()) }
}

/// Sets that differ in one message, and which message belongs to which digest.
struct Versions {
    texts: Vec<String>,
    digests: HashMap<String, String>,
}

const CHANGED: &str = "exchange.toml";

fn versions(rules: &Path) -> Result<Versions, Box<dyn Error>> {
    fs::create_dir(rules)?;
    let sources = match std::env::var_os("FAULTBOOK_RULES") {
        Some(directory) => RuleSet::discover(Path::new(&directory))?,
        None => RuleSet::builtin_sources(),
    };
    let mut changed = String::new();
    for (_, source) in sources.iter() {
        fs::write(rules.join(&source.name), &source.text)?;
        if source.name == CHANGED {
            changed.clone_from(&source.text);
        }
    }
    let mut versions = Versions { texts: Vec::new(), digests: HashMap::new() };
    for version in 0..VERSIONS {
        // Pinned messages of examples follow the template.
        let text = changed.replace("has expired.", &format!("has expired, says version {version}."));
        put(rules, &text)?;
        let (set, _) = RuleSet::load(RuleSet::discover(rules)?)?;
        versions.digests.insert(set.digest().to_owned(), set.classify(&failure()).message);
        versions.texts.push(text);
    }
    put(rules, &versions.texts[0])?;
    if versions.digests.len() == VERSIONS { Ok(versions) } else { Err("the versions do not differ".into()) }
}

fn failure() -> Failure<'static> {
    Failure {
        connector: Some("exchange".into()),
        exceptions: vec![Exception {
            type_name: Some("Microsoft.Identity.Client.MsalServiceException".into()),
            message: Some("AADSTS7000222: The provided client secret keys for app '1b2c' are expired.".into()),
            ..Exception::default()
        }],
        ..Failure::default()
    }
}

/// Replaces the file as an editor does.
fn put(rules: &Path, text: &str) -> std::io::Result<()> {
    let next = rules.join(".next");
    fs::write(&next, text)?;
    fs::rename(next, rules.join(CHANGED))
}

fn ask(
    engine: &Engine,
    digests: &HashMap<String, String>,
    clocks: &[Clock; 2],
    phase: &AtomicUsize,
    stop: &AtomicBool,
    asked: &AtomicU64,
    wrong: &AtomicU64,
) {
    let failure = failure();
    while !stop.load(Ordering::Acquire) {
        let clock = &clocks[phase.load(Ordering::Acquire)];
        let start = Instant::now();
        let decision = engine.classify(&failure);
        clock.add(start.elapsed());
        asked.fetch_add(1, Ordering::Relaxed);
        if digests.get(&*decision.ruleset) != Some(&decision.message) {
            wrong.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Times by their length: 32 steps for each power of two of nanoseconds.
struct Clock(Vec<AtomicU64>);

impl Default for Clock {
    fn default() -> Self {
        Self((0..64 * 32).map(|_| AtomicU64::new(0)).collect())
    }
}

impl Clock {
    fn add(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX).max(32);
        let power = nanos.ilog2();
        let step = (nanos >> (power - 5)) & 31;
        if let Some(count) = self.0.get((power * 32) as usize + usize::try_from(step).unwrap_or_default()) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The time in microseconds under which this share of all times is.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share")]
    fn at(&self, share: f64) -> f64 {
        let counts: Vec<u64> = self.0.iter().map(|count| count.load(Ordering::Relaxed)).collect();
        let wanted = (counts.iter().sum::<u64>() as f64 * share) as u64;
        let mut seen = 0;
        for (index, count) in counts.iter().enumerate() {
            seen += count;
            if seen > wanted {
                let (power, step) = (index / 32, index % 32);
                return (32 + step + 1) as f64 * 2_f64.powi(i32::try_from(power).unwrap_or_default() - 5) / 1_000.0;
            }
        }
        0.0
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

/// Memory of this process in KiB.
fn resident() -> Result<u64, Box<dyn Error>> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).ok_or("no VmRSS")?;
    Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
}
