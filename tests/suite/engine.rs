//! The engine while its rules change: true outcomes, whole answers, last good sets; and the commands that use it.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use faultbook::{Engine, EngineOptions, Failure, ReloadOutcome, Report, RuleSet, RulesSource, WatchOptions, Watcher};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use tempfile::TempDir;

use super::process::{faultbook, start};
use super::reloads::{base, options};

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 17] = [
        ("answers_are_of_one_set", answers_are_of_one_set),
        ("who_asks_gets_what_was_written_before", who_asks_gets_what_was_written_before),
        ("requests_at_once_are_few_loads", requests_at_once_are_few_loads),
        ("last_good_set_is_served", last_good_set_is_served),
        ("last_good_set_guards_its_codes", last_good_set_guards_its_codes),
        ("nothing_to_serve_is_an_error", nothing_to_serve),
        ("state_belongs_to_one_engine", state_belongs_to_one_engine),
        ("state_that_cannot_be_written_changes_nothing", state_that_cannot_be_written),
        ("counts_outlive_their_sets", counts_outlive_their_sets),
        ("watcher_ends_with_its_owner", watcher_ends),
        ("classify_watch", classify_watch),
        ("classify_hangup", classify_hangup),
        ("classify_follow", || classify_follow("1")),
        ("classify_follow_in_threads", || classify_follow("2")),
        ("watch_tells_what_happens", watch_tells),
        ("publish_puts_a_set_in_place", publish),
        ("publish_refuses_what_engines_would", publish_refuses),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("engine/{name}"), test)).collect()
}

/// A directory with the base rules.
struct Rules {
    folder: TempDir,
    path: PathBuf,
}

impl Rules {
    fn new() -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("rules");
        base(&path)?;
        Ok(Self { folder, path })
    }

    /// Lets the message of DSEX001 name a version; the file is replaced in one step.
    fn write_version(&self, version: usize) -> Result<(), Failed> {
        let text = fs::read_to_string(self.path.join("exchange.toml"))?;
        let lines: Vec<String> = text
            .lines()
            .map(|line| if line.starts_with("message = ") { message(version) } else { line.to_owned() })
            .collect();
        let next = self.path.join(".next");
        fs::write(&next, lines.join("\n") + "\n")?;
        Ok(fs::rename(next, self.path.join("exchange.toml"))?)
    }

    fn break_it(&self) -> Result<(), Failed> {
        Ok(fs::write(self.path.join("exchange.toml"), "broken")?)
    }

    fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

fn message(version: usize) -> String {
    format!("message = \"The secret has expired, says version {version}.\"")
}

fn failure() -> Failure<'static> {
    Failure { provider_codes: vec!["AADSTS7000222".into()], ..Failure::default() }
}

/// The version that the engine's answer names.
fn answer(engine: &Engine) -> String {
    engine.classify(&failure()).message
}

fn says(text: &str, version: usize) -> bool {
    text.contains(&format!("says version {version}."))
}

fn expect(what: impl Into<String>, holds: bool) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into().into()) }
}

/// Waits until something holds, for ten seconds at most.
fn soon(what: &str, mut holds: impl FnMut() -> Result<bool, Failed>) -> Result<(), Failed> {
    let start = Instant::now();
    while !holds()? {
        expect(format!("not within ten seconds: {what}"), start.elapsed() < Duration::from_secs(10))?;
        thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

fn answers_are_of_one_set() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let mut messages = HashMap::new();
    for version in 0..8 {
        rules.write_version(version)?;
        let set = RuleSet::load(RuleSet::discover(&rules.path)?).map_err(|rejected| rejected.to_string())?.0;
        messages.insert(set.digest().to_owned(), set.classify(&failure()).message);
    }
    expect("versions have the same digest", messages.len() == 8)?;
    let engine = options(&rules.path).quiet(Duration::ZERO, Duration::from_secs(2)).open()?;
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        let ask = || -> Result<usize, String> {
            let mut seen = 0;
            while !stop.load(Ordering::Acquire) {
                let decision = engine.classify(&failure());
                if messages.get(&*decision.ruleset) != Some(&decision.message) {
                    return Err(format!("{} with {}", decision.message, decision.ruleset));
                }
                seen += 1;
            }
            Ok(seen)
        };
        let threads = [scope.spawn(ask), scope.spawn(ask)];
        let reloaded = (0..100).try_for_each(|version| {
            rules.write_version(version % 8)?;
            expect("a reload does not swap", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))
        });
        stop.store(true, Ordering::Release);
        for thread in threads {
            let seen = thread.join().map_err(|_| "a thread panicked")??;
            expect("a thread did not get one answer", seen > 0)?;
        }
        reloaded
    })?;
    // What the threads held until they ended is freed with the next load.
    let _ = engine.reload();
    expect("sets are held by nobody", engine.status().generations_alive == 0)
}

fn who_asks_gets_what_was_written_before() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = options(&rules.path).open()?;
    // Others ask all the time, so that most requests find a load under way that began before the change.
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !stop.load(Ordering::Acquire) {
                    let _ = engine.reload();
                }
            });
        }
        let asked = (0..30).try_for_each(|version| {
            rules.write_version(version)?;
            let outcome = engine.reload();
            let message = answer(&engine);
            expect(format!("{} and `{message}`, not version {version}", outcome.as_str()), says(&message, version))
        });
        stop.store(true, Ordering::Release);
        asked
    })
}

fn requests_at_once_are_few_loads() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let quiet = Duration::from_millis(100);
    let engine = options(&rules.path).quiet(quiet, Duration::from_secs(2)).open()?;
    rules.write_version(1)?;
    let start = Instant::now();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|_| scope.spawn(|| engine.reload())).collect();
        threads.into_iter().map(|thread| thread.join().map_err(|_| "a thread panicked")).collect::<Result<_, _>>()
    })?;
    // One by one they would take 6.4 s.
    let time = start.elapsed();
    expect(format!("64 requests took {time:?}"), time < quiet * 20)?;
    let swapped = outcomes.iter().filter(|outcome| matches!(outcome, ReloadOutcome::Swapped { .. })).count();
    expect("nobody is told of the swap", swapped > 0)?;
    let generations = outcomes.iter().all(|outcome| match outcome {
        ReloadOutcome::Swapped { generation, .. } | ReloadOutcome::Unchanged { generation, .. } => *generation == 2,
        ReloadOutcome::Rejected(_) => false,
    });
    expect("somebody is told of another set", generations && engine.status().generation == 2)
}

fn with_state(rules: &Rules) -> EngineOptions {
    options(&rules.path).state(rules.folder.path().join("state"))
}

fn last_good_set_is_served() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = with_state(&rules).open()?;
    rules.write_version(7)?;
    expect("the change is refused", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))?;
    drop(engine);
    rules.break_it()?;
    let engine = with_state(&rules).open()?;
    let status = engine.status();
    expect(format!("it serves {:?}", status.source), status.source == RulesSource::LastGood)?;
    expect("not the newest good set", says(&answer(&engine), 7))?;
    let outcome = engine.last_outcome();
    expect("the report is lost", matches!(outcome, Some(ReloadOutcome::Rejected(why)) if why.report().has_errors()))?;
    expect("the status hides the reason", status.last_reload.is_some_and(|last| last.reason.is_some()))?;
    // What is mended is taken up.
    base(&rules.path)?;
    rules.write_version(8)?;
    expect("mended rules are refused", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))?;
    expect("it serves the old set", engine.status().source == RulesSource::Directory && says(&answer(&engine), 8))
}

fn last_good_set_guards_its_codes() -> Result<(), Failed> {
    let rules = Rules::new()?;
    drop(with_state(&rules).open()?);
    // A set that loads by itself, and has lost what connectors were told.
    fs::write(rules.path.join("exchange.toml"), "format = 1\n")?;
    fs::write(rules.path.join("ledger.toml"), "format = 1\n\n[codes]\n")?;
    let report = RuleSet::load(RuleSet::discover(&rules.path)?);
    expect("the set does not load by itself", report.is_ok())?;
    let engine = with_state(&rules).open()?;
    expect("the codes are gone", engine.classify(&failure()).code.as_str() == "DSEX001")
}

fn nothing_to_serve() -> Result<(), Failed> {
    let rules = Rules::new()?;
    rules.break_it()?;
    let Err(error) = options(&rules.path).open() else { return Err("broken rules are served".into()) };
    expect("the error has no report", error.report().is_some_and(Report::has_errors))?;
    let Err(error) = options(&rules.path.join("nowhere")).open() else { return Err("nothing is served".into()) };
    expect("the directory is not named", error.to_string().contains("nowhere"))?;
    let engine = options(&rules.path).allow_fallback_only(true).open()?;
    let decision = engine.classify(&failure());
    expect("a failure is diagnosed by nothing", decision.code.as_str() == "DSUNK001")?;
    expect("the status hides it", engine.status().source == RulesSource::FallbackOnly)?;
    base(&rules.path)?;
    expect("mended rules are refused", matches!(engine.reload(), ReloadOutcome::Swapped { generation: 2, .. }))?;
    expect("mended rules are not used", engine.classify(&failure()).code.as_str() == "DSEX001")
}

fn state_belongs_to_one_engine() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = with_state(&rules).open()?;
    let Err(error) = with_state(&rules).open() else { return Err("two engines share a state directory".into()) };
    expect(format!("`{error}`"), error.to_string().contains("in use by another engine"))?;
    drop(engine);
    drop(with_state(&rules).open()?);
    // A last good set that is not whole is not used, and that is told beside what is wrong with the rules.
    rules.break_it()?;
    let last_good = rules.folder.path().join("state/last-good");
    let whole = fs::read(&last_good)?;
    fs::write(&last_good, &whole[..whole.len() - 1])?;
    let Err(error) = with_state(&rules).open() else { return Err("half a set is served".into()) };
    expect(format!("`{error}`"), error.to_string().contains("does not have the digest it was written with"))?;
    expect("the rules' report is lost", error.report().is_some_and(Report::has_errors))
}

fn state_that_cannot_be_written() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = with_state(&rules).open()?;
    // Where the next file would be written stands something else.
    let next = rules.folder.path().join("state/last-good.next");
    fs::create_dir(&next)?;
    rules.write_version(1)?;
    expect("the change is refused", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))?;
    expect("the status hides it", engine.status().not_kept.is_some_and(|why| why.contains("last good")))?;
    fs::remove_dir(&next)?;
    rules.write_version(2)?;
    expect("the change is refused", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))?;
    expect("the status remembers what is mended", engine.status().not_kept.is_none())
}

fn counts_outlive_their_sets() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = options(&rules.path).open()?;
    let unknown = Failure { http_status: Some(503), ..Failure::default() };
    for version in 0..3 {
        let _ = (engine.classify(&failure()), engine.classify(&unknown), engine.classify(&Failure::default()));
        rules.write_version(version)?;
        let _ = engine.reload();
    }
    let status = engine.status();
    let counts = (status.hits_by_code.get("DSEX001"), status.hits_by_rule.get("exchange/secret-expired"));
    expect(format!("{counts:?}"), counts == (Some(&3), Some(&3)))?;
    let value = serde_json::to_value(&status)?;
    let schema = faultbook::render::schema("status").ok_or("no schema of the status")?;
    let errors: Vec<_> =
        jsonschema::validator_for(&schema)?.iter_errors(&value).map(|error| error.to_string()).collect();
    expect(errors.join("\n"), errors.is_empty())?;
    let reasons = (status.unknown_by_reason.get("no-rule"), status.unknown_by_reason.get("empty"));
    expect(format!("{reasons:?}"), reasons == (Some(&3), Some(&3)))
}

fn watcher_ends() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let engine = Arc::new(options(&rules.path).open()?);
    let watching = WatchOptions::default().period(Duration::from_millis(50));
    let watcher = Watcher::spawn(Arc::clone(&engine), watching, |_| std::panic::resume_unwind(Box::new(())))?;
    rules.write_version(1)?;
    soon("version 1", || Ok(says(&answer(&engine), 1)))?;
    // An observer that panics is not asked again, and the watch goes on.
    rules.write_version(2)?;
    soon("version 2", || Ok(says(&answer(&engine), 2)))?;
    drop(watcher);
    soon("the end of the thread", || Ok(Arc::strong_count(&engine) == 1))
}

/// A running command whose lines are read as they come.
struct Running {
    child: Child,
    lines: Receiver<String>,
    said: Receiver<String>,
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self, Failed> {
        let mut child = start(arguments)?;
        let stdout: ChildStdout = child.stdout.take().ok_or("no standard output")?;
        let stderr = child.stderr.take().ok_or("no standard error")?;
        Ok(Self { lines: lines(stdout), said: lines(stderr), child })
    }

    fn line(&self) -> Result<String, Failed> {
        self.lines.recv_timeout(Duration::from_secs(20)).map_err(|_| "no line within twenty seconds".into())
    }

    fn decision(&self) -> Result<Value, Failed> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// Reads what is said on standard error until it holds the words.
    fn hears(&self, words: &str) -> Result<(), Failed> {
        until(&self.said, words)
    }

    /// Reads lines until one holds the words.
    fn shows(&self, words: &str) -> Result<(), Failed> {
        until(&self.lines, words)
    }

    fn signal(&self, name: &str) -> Result<(), Failed> {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status()?;
        expect(format!("kill -{name} fails"), done.success())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

fn until(lines: &Receiver<String>, words: &str) -> Result<(), Failed> {
    let mut seen = Vec::new();
    loop {
        match lines.recv_timeout(Duration::from_secs(20)) {
            Ok(line) if line.contains(words) => return Ok(()),
            Ok(line) => seen.push(line),
            Err(_) => return Err(format!("nothing says `{words}`: {}", seen.join("\n")).into()),
        }
    }
}

const LINE: &[u8] = b"{\"provider_codes\":[\"AADSTS7000222\"]}\n";

fn classify_watch() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let mut running =
        Running::start(&["--rules", &rules.name(), "classify", "--watch", "--input", "json", "--format", "json"])?;
    let mut stdin = running.child.stdin.take().ok_or("no input")?;
    stdin.write_all(LINE)?;
    expect("it begins with another version", running.decision()?["message"] == "[DSEX001] The secret has expired.")?;
    rules.write_version(1)?;
    running.hears("codes ~DSEX001")?;
    stdin.write_all(LINE)?;
    expect("the change is not used", says(&running.line()?, 1))?;
    rules.break_it()?;
    running.hears("the rules in force stay")?;
    stdin.write_all(LINE)?;
    expect("broken rules are used", says(&running.line()?, 1))
}

fn classify_hangup() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let mut running = Running::start(&["--rules", &rules.name(), "classify", "--input", "json", "--format", "json"])?;
    let mut stdin = running.child.stdin.take().ok_or("no input")?;
    stdin.write_all(LINE)?;
    running.decision()?;
    rules.write_version(1)?;
    stdin.write_all(LINE)?;
    expect("rules change without being asked to", !says(&running.line()?, 1))?;
    running.signal("HUP")?;
    running.hears("generation 2")?;
    stdin.write_all(LINE)?;
    expect("the change is not used", says(&running.line()?, 1))
}

/// A file that grows, is rotated with half a line at its end, is emptied, and is taken away and comes back.
fn classify_follow(threads: &str) -> Result<(), Failed> {
    let rules = Rules::new()?;
    let log = rules.folder.path().join("failures.ndjson");
    let id = |id: usize| format!("{{\"id\":\"{id}\",\"provider_codes\":[\"AADSTS7000222\"]}}\n");
    let append = |text: &str| -> Result<(), Failed> {
        Ok(fs::File::options().append(true).create(true).open(&log)?.write_all(text.as_bytes())?)
    };
    append(&id(0))?;
    let follow = log.to_string_lossy().into_owned();
    let arguments =
        ["--rules", &rules.name(), "classify", "--threads", threads, "--format", "json", "--follow", &follow];
    let mut running = Running::start(&arguments)?;
    let got = |id: usize| -> Result<(), Failed> {
        let decision = running.decision()?;
        expect(format!("{decision} in place of {id}"), decision["id"].as_str() == Some(id.to_string().as_str()))
    };
    got(0)?;
    append(&(id(1) + &id(2)))?;
    got(1)?;
    got(2)?;
    // Rotated, with a last line that never ends.
    append("{\"id\":\"half")?;
    thread::sleep(Duration::from_millis(250));
    fs::rename(&log, log.with_extension("1"))?;
    append(&id(3))?;
    expect("half a line is no failure", running.decision()?["unknown_reason"] == "unreadable")?;
    got(3)?;
    // Emptied, as `copytruncate` does.
    fs::File::options().write(true).open(&log)?.set_len(0)?;
    thread::sleep(Duration::from_millis(250));
    append(&id(4))?;
    got(4)?;
    // Taken away, and back with more than before.
    fs::remove_file(&log)?;
    thread::sleep(Duration::from_millis(250));
    append(&(5..9).map(id).collect::<String>())?;
    (5..9).try_for_each(got)?;
    // A change of the rules is used, too.
    rules.write_version(1)?;
    running.hears("codes ~DSEX001")?;
    append(&id(9))?;
    let decision = running.line()?;
    expect(decision.clone(), says(&decision, 1))?;
    running.signal("TERM")?;
    let status = running.child.wait()?;
    expect(format!("it ends with {status}"), status.code() == Some(128 + 15))?;
    running.hears("stopped after 11 decisions")
}

fn watch_tells() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let log = rules.folder.path().join("failures.ndjson");
    fs::write(&log, LINE)?;
    let running = Running::start(&["watch", &rules.name(), "--follow", &log.to_string_lossy()])?;
    running.shows("generation 1, sha256:")?;
    rules.write_version(1)?;
    running.shows("generation 2, sha256:")?;
    running.shows("1  DSEX001  +1")?;
    rules.break_it()?;
    running.shows("error[toml-syntax]")?;
    running.shows("refused; generation 2 stays in force")?;
    base(&rules.path)?;
    running.shows("generation 3, sha256:")?;
    drop(running);
    // Rules that do not load are watched until they do.
    rules.break_it()?;
    let running = Running::start(&["watch", &rules.name(), "--format", "json"])?;
    expect("it serves more", running.decision()?["source"] == "fallback-only")?;
    base(&rules.path)?;
    let mut status = running.decision()?;
    while status["source"] != "directory" {
        status = running.decision()?;
    }
    expect(status.to_string(), status["generation"] == 2 && status["last_reload"]["outcome"] == "swapped")
}

/// The version that a directory's rules give, when its lock fits.
fn published(target: &Path) -> Result<String, Failed> {
    let checked = Command::new("sha256sum").args(["--check", "--quiet", "faultbook.lock"]).current_dir(target).status();
    if let Ok(checked) = checked {
        expect("sha256sum says otherwise", checked.success())?;
    }
    Ok(answer(&options(target).open()?))
}

fn publish() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let inside = |name: &str| rules.folder.path().join(name).to_string_lossy().into_owned();
    let run = |to: &str| -> Result<String, Failed> {
        let done = faultbook(&["publish", &rules.name(), "--to", to], b"")?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        expect(said.clone(), done.status.success())?;
        Ok(said)
    };
    // Where nothing is, in place of a directory, and behind a link.
    let plain = inside("plain");
    for version in 1..4 {
        rules.write_version(version)?;
        let said = run(&plain)?;
        expect(said.clone(), said.contains("published sha256:"))?;
        expect("another set is in place", says(&published(Path::new(&plain))?, version))?;
    }
    let link = inside("link");
    std::os::unix::fs::symlink("plain", &link)?;
    rules.write_version(4)?;
    let said = run(&link)?;
    expect(said.clone(), said.contains("is still in"))?;
    expect("the link is gone", fs::symlink_metadata(&link)?.is_symlink())?;
    expect("another set is in place", says(&published(Path::new(&link))?, 4))?;
    expect("the set before it has changed", says(&published(Path::new(&plain))?, 3))?;
    // Nothing is left behind but what is in use.
    let mut left: Vec<String> = fs::read_dir(rules.folder.path())?
        .map(|entry| Ok::<_, Failed>(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_, _>>()?;
    left.sort();
    let hidden = left.iter().filter(|name| name.starts_with(".link.")).count();
    expect(format!("{left:?}"), left.len() == 4 && hidden == 1)
}

fn publish_refuses() -> Result<(), Failed> {
    let rules = Rules::new()?;
    let target = rules.folder.path().join("target").to_string_lossy().into_owned();
    let run = || faultbook(&["publish", &rules.name(), "--to", &target], b"");
    expect("the first set is refused", run()?.status.success())?;
    fs::write(rules.path.join("exchange.toml"), "format = 1\n")?;
    fs::write(rules.path.join("ledger.toml"), "format = 1\n\n[codes]\n")?;
    let done = run()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    expect(said.clone(), done.status.code() == Some(2) && said.contains("code-vanished") && said.contains("DSEX001"))?;
    expect("the target has changed", published(Path::new(&target))?.contains("DSEX001"))?;
    let nothing = faultbook(&["publish"], b"")?;
    expect("built-in rules are published", nothing.status.code() == Some(2))
}
