//! What faults are injected into: an engine that watches a directory, in this process or as a tool of its own.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use faultbook::{
    Engine, EngineOptions, Failure, Generation, ReloadOutcome, RuleSet, WatchEvent, WatchMode, WatchOptions, Watcher,
    render,
};
use libtest_mimic::Failed;
use serde_json::Value;
use tempfile::TempDir;

pub use crate::cli::BINARY as TOOL;
use crate::process::piped;
pub use crate::process::{faultbook as tool, run};
use crate::reloads::base;

/// How long something that is due may take on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(20);

pub fn expect(what: impl Into<String>, holds: bool) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into().into()) }
}

/// Waits until there is something; how long that took.
pub fn soon<T>(what: &str, mut found: impl FnMut() -> Result<Option<T>, Failed>) -> Result<(T, Duration), Failed> {
    let start = Instant::now();
    loop {
        if let Some(found) = found()? {
            return Ok((found, start.elapsed()));
        }
        expect(format!("not within {} s: {what}", DEADLINE.as_secs()), start.elapsed() < DEADLINE)?;
        thread::sleep(Duration::from_millis(5));
    }
}

/// How often something is repeated: as often as the second number says when `FAULTBOOK_LONG` is set.
pub fn times(usual: usize, long: usize) -> usize {
    if is_long() { long } else { usual }
}

pub fn is_long() -> bool {
    std::env::var_os("FAULTBOOK_LONG").is_some_and(|long| !long.is_empty())
}

pub fn millis(time: Duration) -> String {
    format!("{} ms", time.as_millis())
}

/// What a fault needs of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    Tool(&'static str),
    /// Faults in system calls.
    Strace,
    /// Mounts of its own.
    Mounts,
    /// A C compiler, for libraries that stand in front of the system's.
    Compiler,
    /// A file that this user cannot read.
    OtherUser,
}

impl Need {
    /// Why there is none.
    pub fn missing(&self) -> Option<String> {
        match self {
            Self::Tool(name) => (!has_tool(name)).then(|| format!("there is no `{name}` here")),
            Self::Strace => {
                (!runs("strace", &["-f", "-e", "trace=none", "true"])).then(|| "`strace` does not run here".to_owned())
            }
            Self::Mounts => {
                let can = runs("unshare", &[&NAMESPACE[..], &["mount", "-t", "tmpfs", "none", "/mnt"]].concat());
                (!can).then(|| "no namespaces with mounts of their own here".to_owned())
            }
            Self::Compiler => (!runs("cc", &["--version"])).then(|| "there is no C compiler here".to_owned()),
            Self::OtherUser => {
                let can = !is_root() || runs("setpriv", &[&OTHER_USER[..], &[TOOL, "--version"]].concat());
                (!can).then(|| "the superuser reads everything, and no other user can run the tool here".to_owned())
            }
        }
    }
}

const NAMESPACE: [&str; 5] = ["-Urmp", "--fork", "--kill-child", "--mount-proc", "--"];
pub const OTHER_USER: [&str; 4] = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];

pub fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|done| done.stdout == b"0\n")
}

pub fn has_tool(name: &str) -> bool {
    runs("sh", &["-c", "command -v \"$1\"", "sh", name])
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// Runs a program of the system in a folder; an error when it fails.
pub fn system(folder: &Path, program: &str, arguments: &[&str]) -> Result<String, Failed> {
    let done = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    expect(format!("{program} {arguments:?}: {said}"), done.status.success())?;
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}

/// A shell script, run in a folder.
pub fn script(folder: &Path, script: &str) -> Result<String, Failed> {
    system(folder, "sh", &["-ec", script])
}

/// How changes are noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notice {
    Events,
    Scan,
}

/// Runs a fault with and without file events, each with its own bed, and says what was seen of both.
pub fn both(run: fn(&Bed) -> Result<String, Failed>) -> Result<String, Failed> {
    notices(|notice| run(&Bed::new(notice)?))
}

/// As [`both`], with beds that are laid out otherwise.
pub fn notices(run: impl Fn(Notice) -> Result<String, Failed> + Sync) -> Result<String, Failed> {
    let seen = together([(Notice::Events, "events"), (Notice::Scan, "scan")], |(notice, name)| match run(notice) {
        Ok(seen) => Ok(format!("{name}: {seen}")),
        Err(failed) => Err(format!("{name}: {}", failed.message().unwrap_or_default()).into()),
    })?;
    Ok(seen.join("; "))
}

/// Runs something at the same time for each input: most of the time they only wait.
pub fn together<I: Send, T: Send>(
    inputs: impl IntoIterator<Item = I>,
    run: impl Fn(I) -> Result<T, Failed> + Sync,
) -> Result<Vec<T>, Failed> {
    thread::scope(|scope| {
        let run = &run;
        let runs: Vec<_> = inputs.into_iter().map(|input| scope.spawn(move || run(input))).collect();
        // All of them first: what has begun must end.
        let done: Vec<_> = runs.into_iter().map(thread::ScopedJoinHandle::join).collect();
        done.into_iter().map(|done| done.unwrap_or_else(|_| Err("a panic".into()))).collect()
    })
}

/// An engine of this process that watches rules in a folder of its own.
pub struct Bed {
    pub folder: TempDir,
    pub rules: PathBuf,
    pub engine: Arc<Engine>,
    told: Arc<Mutex<Vec<WatchEvent>>>,
    _watcher: Watcher,
}

impl Bed {
    /// On version 1 of the base rules, as they are saved by people: without a lock.
    pub fn new(notice: Notice) -> Result<Self, Failed> {
        Self::with(notice, |folder| {
            let rules = folder.join("rules");
            version_at(&rules, 1)?;
            Ok(rules)
        })
    }

    /// On rules that were laid out otherwise.
    pub fn with(notice: Notice, lay: impl FnOnce(&Path) -> Result<PathBuf, Failed>) -> Result<Self, Failed> {
        let folder = tempfile::tempdir()?;
        let rules = lay(folder.path())?;
        let options = quick(&rules);
        Self::watching(folder, rules, options, notice, Duration::from_millis(300))
    }

    pub fn watching(
        folder: TempDir,
        rules: PathBuf,
        options: EngineOptions,
        notice: Notice,
        period: Duration,
    ) -> Result<Self, Failed> {
        let engine = Arc::new(options.open()?);
        let told = Arc::new(Mutex::new(Vec::new()));
        let telling = Arc::clone(&told);
        let options = WatchOptions::default().period(period).events(notice == Notice::Events);
        let watcher = Watcher::spawn(Arc::clone(&engine), options, move |event| {
            telling.lock().unwrap_or_else(PoisonError::into_inner).push(event.clone());
        })?;
        let bed = Self { folder, rules, engine, told, _watcher: watcher };
        soon("the watch has begun", || {
            let mode = bed.engine.status().watch;
            let has_begun = match notice {
                Notice::Scan => mode == WatchMode::Scan,
                Notice::Events => mode == WatchMode::Events || !bed.scan_only().is_empty(),
            };
            Ok(has_begun.then_some(()))
        })?;
        Ok(bed)
    }

    fn told<T>(&self, pick: impl FnMut(&WatchEvent) -> Option<T>) -> Vec<T> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(pick).collect()
    }

    fn scan_only(&self) -> Vec<String> {
        self.told(|event| match event {
            WatchEvent::ScanOnly(why) => Some(why.clone()),
            _ => None,
        })
    }

    pub fn outcomes(&self) -> Vec<ReloadOutcome> {
        self.told(|event| match event {
            WatchEvent::Reloaded(outcome) => Some(outcome.clone()),
            _ => None,
        })
    }

    pub fn count(&self, outcome: &str) -> usize {
        self.outcomes().iter().filter(|seen| seen.as_str() == outcome).count()
    }

    /// Writes a version into the file in place, as a plain write does.
    pub fn write_version(&self, version: usize) -> Result<(), Failed> {
        Ok(fs::write(self.rules.join("exchange.toml"), version_text(version)?)?)
    }

    pub fn version(&self) -> Option<usize> {
        version_of(&self.engine)
    }

    /// Waits until a version is in force; how long that took.
    pub fn wait_for(&self, version: usize) -> Result<Duration, Failed> {
        let what = format!("version {version} in force");
        soon(&what, || Ok((self.version() == Some(version)).then_some(()))).map(|((), time)| time).map_err(|failed| {
            let reasons = self.outcomes().iter().map(render::reload_line).collect::<Vec<_>>().join("\n");
            format!("{}; it is {:?}\n{reasons}", failed.message().unwrap_or_default(), self.version()).into()
        })
    }

    /// Demands that a version stays in force for a time.
    pub fn stays(&self, version: usize, time: Duration) -> Result<(), Failed> {
        let start = Instant::now();
        while start.elapsed() < time {
            let now = self.version();
            expect(format!("{now:?} is in force, not version {version}"), now == Some(version))?;
            thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// The report of a refusal that says some words.
    pub fn refusal(&self, words: &str) -> Option<String> {
        self.outcomes().iter().find_map(|outcome| {
            let ReloadOutcome::Rejected(rejected) = outcome else { return None };
            let report = render::full(rejected.report(), false);
            report.contains(words).then_some(report)
        })
    }

    /// Waits for a refusal whose report says some words, and demands that the version stays in force and that the status
    /// tells the truth. The whole report.
    pub fn refused(&self, version: usize, words: &str) -> Result<String, Failed> {
        let what = format!("a refusal that says `{words}`");
        let (report, _) = soon(&what, || Ok(self.refusal(words))).map_err(|failed| {
            let lines = self.outcomes().iter().map(render::reload_line).collect::<Vec<_>>().join("\n");
            Failed::from(format!("{}\n{lines}", failed.message().unwrap_or_default()))
        })?;
        expect(format!("{:?} is in force", self.version()), self.version() == Some(version))?;
        let last = self.engine.status().last_reload.ok_or("the status knows of no reload")?;
        expect("the status gives no reason", last.outcome != "rejected" || last.reason.is_some())?;
        Ok(report)
    }
}

/// Options of an engine that waits for quiet files as little as is sensible.
pub fn quick(rules: &Path) -> EngineOptions {
    EngineOptions::new(rules).quiet(Duration::from_millis(60), Duration::from_secs(2))
}

/// Opens an engine. What another trial starts just now holds a copy of every lock of this process for a moment, until it
/// has become another program: a state directory that is in use is tried again.
pub fn open(options: &EngineOptions) -> Result<Engine, faultbook::Error> {
    let start = Instant::now();
    loop {
        match options.clone().open() {
            Err(error) if error.to_string().contains("in use by another engine") && start.elapsed() < DEADLINE => {
                thread::sleep(Duration::from_millis(5));
            }
            opened => return opened,
        }
    }
}

/// The file of the base rules that names a version in the message of DSEX001.
pub fn version_text(version: usize) -> Result<String, Failed> {
    let text = fs::read_to_string(crate::snapshot::root().join("tests/reloads/base/exchange.toml"))?;
    let named = text.replace("The secret has expired.", &format!("version {version}."));
    expect("the base has no message to replace", named != text)?;
    Ok(named)
}

/// Writes the base rules with a version into a directory.
pub fn version_at(rules: &Path, version: usize) -> Result<(), Failed> {
    base(rules)?;
    Ok(fs::write(rules.join("exchange.toml"), version_text(version)?)?)
}

pub fn failure() -> Failure<'static> {
    Failure { provider_codes: vec!["AADSTS7000222".into()], ..Failure::default() }
}

/// A record of the same failure, for the tool.
pub const RECORD: &str = "{\"provider_codes\":[\"AADSTS7000222\"]}\n";

pub fn version_of(engine: &Engine) -> Option<usize> {
    version_in(&engine.classify(&failure()).message)
}

pub fn version_in(text: &str) -> Option<usize> {
    let after = text.split_once("version ")?.1;
    after.split('.').next()?.parse().ok()
}

/// The digest of the rules in a directory; the lock is no part of it.
pub fn digest(rules: &Path) -> Result<String, Failed> {
    let (set, _) = RuleSet::load(RuleSet::discover(rules)?).map_err(|rejected| rejected.to_string())?;
    Ok(set.digest().to_owned())
}

/// The digest of the base rules with a version.
pub fn digest_of(version: usize) -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    version_at(folder.path(), version)?;
    digest(folder.path())
}

/// The files of a set in which every file names the version, so that a mixture shows.
pub fn set_of(files: usize, version: usize) -> Vec<(String, String)> {
    let name = |file: usize| format!("f{file:02}.toml");
    let order: Vec<String> = (0..files).map(|file| format!("\"{}\"", name(file))).collect();
    let manifest = format!(
        "format = 1\norder = [{}, \"shared.toml\"]\nfallback = \"DSUNK001\"\nstatuses = [\"Failed\", \"Skipped\"]\n\n\
         [families.DSEX]\ntitle = \"Exchange connector\"\n\n[families.DSUNK]\ntitle = \"Undiagnosed\"\n",
        order.join(", ")
    );
    let shared = "format = 1\n\n[codes.DSUNK001]\ntitle = \"Unknown failure\"\nstatus = \"Failed\"\n\
                  retry = \"undiagnosed\"\nmeaning = \"No rule knows it yet.\"\nremedy = [\"Send it to support.\"]\n";
    let file = |file: usize| {
        format!(
            "format = 1\n\n[codes.DSEX1{file:02}]\ntitle = \"Code {file}\"\nstatus = \"Failed\"\nretry = \"none\"\n\
             message = \"version {version}.\"\nmeaning = \"File {file} knows it.\"\nremedy = [\"Nothing to do.\"]\n\n\
             [[rules]]\nid = \"rule-{file}\"\ncode = \"DSEX1{file:02}\"\nwhen.provider_code = \"Event{file}\"\n\
             examples = [{{ failure = {{ provider_codes = [\"Event{file}\"] }} }}]\n"
        )
    };
    let mut set = vec![("faultbook.toml".to_owned(), manifest), ("shared.toml".to_owned(), shared.to_owned())];
    set.extend((0..files).map(|number| (name(number), file(number))));
    set
}

pub fn write_set(rules: &Path, files: usize, version: usize) -> Result<(), Failed> {
    fs::create_dir_all(rules)?;
    for (name, text) in set_of(files, version) {
        fs::write(rules.join(name), text)?;
    }
    Ok(())
}

/// The versions that the answers of one generation name; more than one is a mixed set. An error when a code is lost.
pub fn versions(generation: &Generation, files: usize) -> Result<BTreeSet<usize>, String> {
    (0..files)
        .map(|file| {
            let failure = Failure { provider_codes: vec![format!("Event{file}").into()], ..Failure::default() };
            let decision = generation.classify(&failure);
            if decision.code.as_str() != format!("DSEX1{file:02}") {
                return Err(format!("file {file} is answered with {}", decision.code));
            }
            version_in(&decision.message).ok_or_else(|| format!("`{}` names no version", decision.message))
        })
        .collect()
}

/// What an engine on a set of many files has had in force: looked at whenever a set is taken up.
#[derive(Debug, Default)]
pub struct Taken {
    pub sets: usize,
    pub mixed: usize,
    pub refused: usize,
    pub lost: Vec<String>,
}

/// An engine on a set of many files, and what it has had in force.
pub struct Taking {
    pub engine: Arc<Engine>,
    pub watcher: Watcher,
    pub taken: Arc<Mutex<Taken>>,
}

/// Watches a set of many files and looks at every set that comes into force.
pub fn taking(rules: &Path, files: usize, quiet: Duration, period: Duration) -> Result<Taking, Failed> {
    let options = EngineOptions::new(rules).quiet(quiet, Duration::from_secs(2));
    let engine = Arc::new(options.open()?);
    let taken = Arc::new(Mutex::new(Taken::default()));
    let (looking, telling) = (Arc::clone(&engine), Arc::clone(&taken));
    let options = WatchOptions::default().period(period);
    let watcher = Watcher::spawn(Arc::clone(&engine), options, move |event| {
        let WatchEvent::Reloaded(outcome) = event else { return };
        let mut taken = telling.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            ReloadOutcome::Rejected(_) => taken.refused += 1,
            // Only this thread loads: the set in force is the one that this is about.
            _ => match versions(&looking.current(), files) {
                Ok(versions) => {
                    taken.sets += 1;
                    taken.mixed += usize::from(versions.len() > 1);
                }
                Err(lost) => taken.lost.push(lost),
            },
        }
    })?;
    Ok(Taking { engine, watcher, taken })
}

/// Writes a lock beside the files of a directory.
pub fn publish(rules: &Path) -> Result<(), Failed> {
    let done = tool(&["publish", &rules.to_string_lossy()], b"")?;
    expect(String::from_utf8_lossy(&done.stderr), done.status.success())
}

pub fn copy(from: &Path, to: &Path) -> Result<(), Failed> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        fs::copy(&path, to.join(path.file_name().unwrap_or_default()))?;
    }
    Ok(())
}

/// A tool that runs while things are done to it: alone, under `strace`, or in a shell with mounts of its own.
pub struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    /// Of the tool itself, whatever it was started by; none in a shell.
    pid: Option<u32>,
    out: Arc<Mutex<Vec<String>>>,
    said: Arc<Mutex<Vec<String>>>,
    /// What reads both of them.
    gathering: Vec<JoinHandle<()>>,
    marks: usize,
}

impl Running {
    /// Starts the tool by way of another program and its arguments; none for the tool alone.
    pub fn start(by: &[&str], arguments: &[&str]) -> Result<Self, Failed> {
        let words = [by, &["sh", "-c", "echo \"pid $$\"; exec \"$@\"", "sh", TOOL], arguments].concat();
        let mut running = Self::spawn(&words)?;
        let pid = running.wait_out("its number", |line| line.strip_prefix("pid ")?.parse().ok())?;
        running.pid = Some(pid);
        Ok(running)
    }

    /// `faultbook watch`, under faults in system calls.
    pub fn watch(by: &[&str], rules: &Path) -> Result<Self, Failed> {
        Self::start(by, &["watch", &rules.to_string_lossy(), "--format", "json"])
    }

    /// A shell whose mounts are its own.
    pub fn shell() -> Result<Self, Failed> {
        Self::spawn(&[&["unshare"], &NAMESPACE[..], &["sh"]].concat())
    }

    fn spawn(words: &[&str]) -> Result<Self, Failed> {
        let (program, arguments) = words.split_first().ok_or("nothing to start")?;
        let mut child = piped(Command::new(program).args(arguments))?;
        let (out, first) = gather(child.stdout.take().ok_or("no output")?);
        let (said, second) = gather(child.stderr.take().ok_or("no standard error")?);
        Ok(Self { stdin: child.stdin.take(), child, pid: None, out, said, gathering: vec![first, second], marks: 0 })
    }

    pub fn send(&mut self, text: &str) -> Result<(), Failed> {
        Ok(self.stdin.as_mut().ok_or("the input is closed")?.write_all(text.as_bytes())?)
    }

    pub fn close_input(&mut self) {
        self.stdin = None;
    }

    /// Runs a line in the shell.
    pub fn run(&mut self, line: &str) -> Result<(), Failed> {
        self.marks += 1;
        let mark = format!("mark {} ", self.marks);
        self.send(&format!("{line}\necho \"{mark}$?\"\n"))?;
        let status = self.wait_out(line, |line| line.strip_prefix(&mark).map(str::to_owned))?;
        expect(format!("`{line}` gives {status}: {}", self.said()), status == "0")
    }

    /// Waits for a line on the output that gives something.
    pub fn wait_out<T>(&self, what: &str, mut find: impl FnMut(&str) -> Option<T>) -> Result<T, Failed> {
        let find = || Ok(lines(&self.out).iter().find_map(|line| find(line)));
        let found = soon(what, find).map_err(|failed| {
            let why = failed.message().unwrap_or_default();
            Failed::from(format!("{why}\n{}\n{}", lines(&self.out).join("\n"), self.said()))
        });
        Ok(found?.0)
    }

    /// Waits until standard error says some words.
    pub fn wait_said(&self, words: &str) -> Result<(), Failed> {
        soon(words, || Ok(self.said().contains(words).then_some(())))
            .map(|_| ())
            .map_err(|failed| format!("{}: {}", failed.message().unwrap_or_default(), self.said()).into())
    }

    pub fn out(&self) -> Vec<String> {
        lines(&self.out)
    }

    pub fn said(&self) -> String {
        lines(&self.said).join("\n")
    }

    /// The lines that tell how the engine stands.
    pub fn statuses(&self) -> Vec<Value> {
        let statuses = lines(&self.out);
        statuses.iter().filter_map(|line| serde_json::from_str(line).ok()).filter(Value::is_object).collect()
    }

    /// Waits until rules with a digest are in force; how long that took.
    pub fn wait_for(&self, digest: &str) -> Result<Duration, Failed> {
        let start = Instant::now();
        self.wait_status("the rules in force", |status| status["ruleset"] == digest)?;
        Ok(start.elapsed())
    }

    /// Waits for the last status to be as wanted.
    pub fn wait_status(&self, what: &str, holds: impl Fn(&Value) -> bool) -> Result<Value, Failed> {
        let found = soon(what, || Ok(self.statuses().pop().filter(|status| holds(status)))).map_err(|failed| {
            let why = failed.message().unwrap_or_default();
            Failed::from(format!("{why}\n{}\n{}", lines(&self.out).join("\n"), self.said()))
        });
        Ok(found?.0)
    }

    /// Waits until the last load was refused with some words.
    pub fn wait_refused(&self, words: &str) -> Result<(), Failed> {
        self.wait_status(words, |status| {
            status["last_reload"]["reason"].as_str().is_some_and(|reason| reason.contains(words))
        })
        .map(|_| ())
    }

    pub fn pid(&self) -> Result<u32, Failed> {
        Ok(self.pid.ok_or("its number is not known")?)
    }

    pub fn signal(&self, name: &str) -> Result<(), Failed> {
        system(Path::new("/"), "kill", &[&format!("-{name}"), &self.pid()?.to_string()]).map(|_| ())
    }

    /// A number from what the system knows of the process, in KiB.
    pub fn memory(&self, name: &str) -> Result<u64, Failed> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid()?))?;
        let line = status.lines().find(|line| line.starts_with(&format!("{name}:"))).ok_or("no such number")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }

    pub fn is_alive(&mut self) -> Result<bool, Failed> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits for the end and for the last words; the exit code, none after a signal that ended it.
    pub fn wait(&mut self) -> Result<Option<i32>, Failed> {
        let (status, _) = soon("its end", || Ok(self.child.try_wait()?))?;
        soon("its last words", || Ok(self.gathering.iter().all(JoinHandle::is_finished).then_some(())))?;
        Ok(status.code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // What traces a process must not be ended before it.
            let _ = self.signal("KILL");
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

fn gather(stream: impl Read + Send + 'static) -> (Arc<Mutex<Vec<String>>>, JoinHandle<()>) {
    let gathered = Arc::new(Mutex::new(Vec::new()));
    let gathering = Arc::clone(&gathered);
    let thread = thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            gathering.lock().unwrap_or_else(PoisonError::into_inner).push(line);
        }
    });
    (gathered, thread)
}

fn lines(gathered: &Arc<Mutex<Vec<String>>>) -> Vec<String> {
    gathered.lock().unwrap_or_else(PoisonError::into_inner).clone()
}
