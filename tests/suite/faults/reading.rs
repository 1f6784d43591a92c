//! Faults of reading: files that are half-written, gone, no files at all, too many, or held back by the system.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use faultbook::{EngineOptions, ReloadOutcome, RulesSource, render};
use libtest_mimic::Failed;

use super::How::Trial;
use super::rig::{
    Bed, Need, Notice, OTHER_USER, RECORD, Running, TOOL, Taking, both, copy, digest_of, expect, has_tool, is_long,
    is_root, millis, open, publish, quick, run, script, set_of, soon, system, taking, times, together, tool,
    version_at, version_of, version_text, versions, write_set,
};
use super::{Fault, environment};

pub const FAULTS: &[Fault] = &[
    Fault {
        id: "F37_emptied_first",
        what: "a file is emptied, and written later",
        injected: "an empty file for 600 ms, longer than the quiet time",
        expected: "stays, never a set without rules; taken up when it is written",
        how: Trial(&[], || both(emptied_first)),
    },
    Fault {
        id: "F38_cut_between_rules",
        what: "a file is cut between two rules, which is valid TOML",
        injected: "the file up to its second rule, up to its third",
        expected: "stays: a rule would vanish",
        how: Trial(&[], || both(cut_between_rules)),
    },
    Fault {
        id: "F39_slow_writer",
        what: "a writer slower than the quiet time",
        injected: "12 files with 90 ms between, quiet time 30 ms, 4 times, with a lock and without",
        expected: "with a lock no mixed set; without one no code is lost, mixtures are possible and counted here",
        how: Trial(&[], slow_writer),
    },
    Fault {
        id: "F40_git_checkout",
        what: "a checkout writes file by file",
        injected: "40 checkouts (long: 1,000) between two sets of 60 files, with locks and without",
        expected: "with locks no mixed set; without no code is lost",
        how: Trial(&[Need::Tool("git")], git_checkout),
    },
    Fault {
        id: "F41_copies",
        what: "sets that are copied over the one in place",
        injected: "`cp`, `tar`, `unzip`, `scp`, `rsync --inplace`, each with a lock",
        expected: "the new set, none mixed",
        how: Trial(&[Need::Tool("tar")], copies),
    },
    Fault {
        id: "F42_vanishing_file",
        what: "a file vanishes between listing and opening",
        injected: "a file is deleted and made anew all the time, for 2 s",
        expected: "read again, or stays; never less rules",
        how: Trial(&[], vanishing_file),
    },
    Fault {
        id: "F43_grows_while_read",
        what: "a file grows or shrinks while it is read",
        injected: "a file of changing length is rewritten in pieces; one grows to 5 MiB while it is read",
        expected: "never a torn file; the limit of bytes holds",
        how: Trial(&[Need::Strace], grows_while_read),
    },
    Fault {
        id: "F44_system_calls_fail",
        what: "any system call on the rules or the state directory fails",
        injected: "EIO, once and from then on, at every ninth place where files are opened, listed, asked about, read, \
                   written, synced, renamed or locked (long: every place, also ENOMEM, EACCES, EMFILE and ENOSPC)",
        expected: "the rules, the last good ones, or exit 2 with a reason; never a panic, an abort, less rules, or a last \
                   good set that is not whole",
        how: Trial(&[Need::Strace], system_calls_fail),
    },
    Fault {
        id: "F45_no_permission",
        what: "a rule file that may not be read any more",
        injected: "mode 000, as another user than the superuser",
        expected: "refused by name, with the system's reason, the owner and the mode",
        how: Trial(&[Need::OtherUser], no_permission),
    },
    Fault {
        id: "F46_no_directory",
        what: "no rules directory at the start",
        injected: "a path that leads nowhere",
        expected: "exit 2; the last good set where there is one; DSUNK001 alone only when asked for",
        how: Trial(&[], no_directory),
    },
    Fault {
        id: "F47_no_regular_file",
        what: "pipes, sockets, folders and devices named `*.toml`",
        injected: "each of them; a pipe that takes the file's place after it was asked about",
        expected: "refused by name, no hang",
        how: Trial(&[Need::Tool("mkfifo"), Need::Strace], no_regular_file),
    },
    Fault {
        id: "F48_links",
        what: "links in a circle, to nowhere, out of the directory",
        injected: "each of them",
        expected: "refused by name, once",
        how: Trial(&[], || both(links)),
    },
    Fault {
        id: "F49_stuck",
        what: "a file system that hangs",
        injected: "reading a rule file takes 60 s",
        expected: "answers go on, SIGTERM ends the process, the status says for how long",
        how: Trial(&[Need::Strace], stuck),
    },
    Fault {
        id: "F50_short_reads",
        what: "short and interrupted readings",
        injected: "one byte for each `read`, by a library in front of the system's; EINTR at every second one",
        expected: "the same rules",
        how: Trial(&[Need::Compiler, Need::Strace], short_reads),
    },
    Fault {
        id: "F51_too_many",
        what: "too many files, too many rules",
        injected: "2,000 files; 10,001 rules",
        expected: "refused with the number",
        how: Trial(&[], too_many),
    },
    Fault {
        id: "F52_names",
        what: "odd file names",
        injected: "not UTF-8, a newline, ESC, 255 bytes, a sign that turns the line around",
        expected: "refused by name, escaped wherever it is shown",
        how: Trial(&[], names),
    },
    Fault {
        id: "F53_disk_full",
        what: "the disk is full while rules are saved",
        injected: "a file system of 64 KiB, full; one without inodes",
        expected: "the torn file is refused; taken up when there is room",
        how: Trial(&[Need::Mounts], disk_full),
    },
];

fn emptied_first(bed: &Bed) -> Result<String, Failed> {
    for (version, text) in [(2, ""), (3, "format = 1\n")] {
        fs::write(bed.rules.join("exchange.toml"), text)?;
        bed.stays(version - 1, Duration::from_millis(600))?;
        bed.write_version(version)?;
        bed.wait_for(version)?;
    }
    bed.refused(3, "code-vanished")?;
    Ok(format!("{} refusals, none with fewer codes", bed.count("rejected")))
}

fn cut_between_rules(bed: &Bed) -> Result<String, Failed> {
    let whole = version_text(1)?;
    for rule in ["secret-wrong", "already-deleted"] {
        let before = bed.count("rejected");
        let at = whole.find(&format!("[[rules]]\nid = \"{rule}\"")).ok_or("no such rule")?;
        fs::write(bed.rules.join("exchange.toml"), &whole[..at])?;
        soon("a refusal", || Ok((bed.count("rejected") > before).then_some(())))?;
        bed.refused(1, "rule-vanished")?;
        bed.stays(1, Duration::from_millis(400))?;
        expect("rules are lost", bed.engine.status().rules == 3)?;
    }
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok("refused both times".to_owned())
}

fn slow_writer() -> Result<String, Failed> {
    Ok(together([true, false], slow_writer_of)?.join("; "))
}

fn slow_writer_of(is_locked: bool) -> Result<String, Failed> {
    const FILES: usize = 12;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    write_set(&rules, FILES, 1)?;
    if is_locked {
        publish(&rules)?;
    }
    let quiet = Duration::from_millis(30);
    let Taking { engine, watcher, taken } = taking(&rules, FILES, quiet, Duration::from_millis(50))?;
    for version in 2..=5 {
        let next = folder.path().join("next");
        write_set(&next, FILES, version)?;
        if is_locked {
            publish(&next)?;
        }
        let mut names: Vec<String> = set_of(FILES, version).into_iter().map(|(name, _)| name).collect();
        names.extend(is_locked.then(|| "faultbook.lock".to_owned()));
        for name in names {
            fs::copy(next.join(&name), rules.join(&name))?;
            thread::sleep(Duration::from_millis(90));
        }
    }
    soon("the newest set", || Ok((versions(&engine.current(), FILES)? == [5].into()).then_some(())))?;
    drop(watcher);
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    expect(format!("{taken:?}"), taken.lost.is_empty() && !(is_locked && taken.mixed > 0))?;
    let name = if is_locked { "with a lock" } else { "without" };
    Ok(format!("{name}: {} sets taken, {} of them mixed, {} refused", taken.sets, taken.mixed, taken.refused))
}

fn git_checkout() -> Result<String, Failed> {
    Ok(together([true, false], git_checkout_of)?.join("; "))
}

fn git_checkout_of(is_locked: bool) -> Result<String, Failed> {
    const FILES: usize = 60;
    let count = times(40, 1_000);
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    fs::create_dir(&rules)?;
    let git = |arguments: &[&str]| {
        let who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.com", "-c", "gc.auto=0"];
        system(&rules, "git", &[&who, arguments].concat())
    };
    git(&["init", "--quiet"])?;
    for version in 1..=2 {
        write_set(&rules, FILES, version)?;
        if is_locked {
            publish(&rules)?;
        }
        git(&["add", "--all"])?;
        git(&["commit", "--quiet", "--message", &format!("version {version}")])?;
        git(&["tag", &format!("v{version}")])?;
    }
    let quiet = Duration::from_millis(30);
    let Taking { engine, watcher, taken } = taking(&rules, FILES, quiet, Duration::from_millis(20))?;
    let mut random = fastrand::Rng::with_seed(40);
    for number in 0..count {
        git(&["checkout", "--quiet", &format!("v{}", number % 2 + 1)])?;
        // Some of them in a row, some with time to be taken up.
        thread::sleep(Duration::from_millis(random.u64(0..80)));
    }
    git(&["checkout", "--quiet", "v1"])?;
    soon("the last set", || Ok((versions(&engine.current(), FILES)? == [1].into()).then_some(())))?;
    drop(watcher);
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    expect(format!("{taken:?}"), taken.lost.is_empty() && !(is_locked && taken.mixed > 0))?;
    expect(format!("nothing was taken: {taken:?}"), taken.sets > 2)?;
    let name = if is_locked { "with locks" } else { "without" };
    Ok(format!(
        "{name}: {count} checkouts, {} sets taken, {} of them mixed, {} refused, no code lost",
        taken.sets, taken.mixed, taken.refused
    ))
}

fn copies() -> Result<String, Failed> {
    const FILES: usize = 20;
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    write_set(&rules, FILES, 1)?;
    publish(&rules)?;
    let Taking { engine, watcher, taken } =
        taking(&rules, FILES, Duration::from_millis(30), Duration::from_millis(20))?;
    let ways = [
        ("cp", "cp -r next/. rules"),
        ("tar", "tar cf set.tar -C next . && tar xf set.tar -C rules"),
        ("zip", "(cd next && zip -qr ../set.zip .) && unzip -qo set.zip -d rules"),
        ("scp", "scp -q next/* rules"),
        ("rsync", "rsync -a --inplace next/ rules"),
    ];
    let (mut done, mut missing) = (Vec::new(), Vec::new());
    for (version, (name, way)) in (2..).zip(ways) {
        if !has_tool(name) || (name == "zip" && !has_tool("unzip")) {
            missing.push(name);
            continue;
        }
        let next = folder.path().join("next");
        write_set(&next, FILES, version)?;
        publish(&next)?;
        script(folder.path(), way).map_err(|failed| format!("{name}: {}", failed.message().unwrap_or_default()))?;
        soon(name, || Ok((versions(&engine.current(), FILES)? == [version].into()).then_some(())))?;
        done.push(name);
    }
    drop(watcher);
    let taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
    expect(format!("{taken:?}"), taken.lost.is_empty() && taken.mixed == 0)?;
    let missing = if missing.is_empty() { String::new() } else { format!("; not here: {}", missing.join(", ")) };
    Ok(format!("{}: {} sets taken, none mixed, {} refused{missing}", done.join(", "), taken.sets, taken.refused))
}

fn vanishing_file() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let options = quick(&rules).quiet(Duration::from_millis(1), Duration::from_millis(50));
    let bed = Bed::watching(folder, rules, options, Notice::Events, Duration::from_millis(300))?;
    let stop = AtomicBool::new(false);
    let (mut loads, mut refused) = (0, 0);
    thread::scope(|scope| -> Result<(), Failed> {
        let writer = scope.spawn(|| -> std::io::Result<usize> {
            let file = bed.rules.join("shared.toml");
            let text = fs::read(&file)?;
            let mut times = 0;
            while !stop.load(Ordering::Acquire) {
                fs::remove_file(&file)?;
                thread::sleep(Duration::from_micros(300));
                fs::write(&file, &text)?;
                thread::sleep(Duration::from_micros(300));
                times += 1;
            }
            Ok(times)
        });
        let start = Instant::now();
        let mut checked = Ok(());
        while start.elapsed() < Duration::from_secs(2) && checked.is_ok() {
            loads += 1;
            let outcome = bed.engine.reload();
            refused += usize::from(matches!(outcome, ReloadOutcome::Rejected(_)));
            let status = bed.engine.status();
            let is_whole = status.rules == 3 && status.codes == 3 && bed.version() == Some(1);
            checked = expect(format!("{} rules, {} codes", status.rules, status.codes), is_whole);
        }
        stop.store(true, Ordering::Release);
        writer.join().map_err(|_| "a panic")??;
        checked
    })?;
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok(format!("{loads} loads, {refused} refused, never less rules; the next version is taken up"))
}

fn grows_while_read() -> Result<String, Failed> {
    // Two codes of one file say which version it is: one at its start, one at its end.
    let text = |version: usize| -> Result<String, Failed> {
        let text = version_text(version)?;
        let at = text.find("meaning = \"The event").ok_or("no such code")?;
        let padding = "# padding\n".repeat(version % 7 * 900);
        Ok(format!("{}message = \"version {version}.\"\n{padding}{}", &text[..at], &text[at..]))
    };
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    fs::write(rules.join("exchange.toml"), text(1)?)?;
    let options = quick(&rules).quiet(Duration::from_millis(15), Duration::from_secs(2));
    let bed = Bed::watching(folder, rules, options, Notice::Events, Duration::from_millis(30))?;
    let deleted =
        faultbook::Failure { provider_codes: vec!["ErrorItemNotFound".into()], ..faultbook::Failure::default() };
    for version in 2..=60 {
        // In place, in pieces.
        use std::io::Write as _;
        let mut file = fs::File::create(bed.rules.join("exchange.toml"))?;
        for piece in text(version)?.as_bytes().chunks(8 * 1024) {
            file.write_all(piece)?;
            thread::sleep(Duration::from_millis(2));
        }
        drop(file);
        for _ in 0..10 {
            let generation = bed.engine.current();
            let messages = [&super::rig::failure(), &deleted].map(|failure| generation.classify(failure).message);
            let [first, last] = messages.each_ref().map(|message| super::rig::version_in(message));
            expect(format!("a torn file: {messages:?}"), first == last && first.is_some())?;
            thread::sleep(Duration::from_millis(3));
        }
    }
    bed.wait_for(60)?;
    // The limit holds although the file was small when it was asked about.
    let file = bed.rules.join("exchange.toml");
    let path = file.to_string_lossy().into_owned();
    let by = ["strace", "-f", "-qq", "-o/dev/null", "-P", &path, "-einject=read:delay_enter=1500000:when=2"];
    let mut check = Running::start(&by, &["check", &bed.rules.to_string_lossy()])?;
    thread::sleep(Duration::from_millis(700));
    fs::write(&file, "# padding\n".repeat(500_000))?;
    let code = check.wait()?;
    let said = check.out().join("\n") + &check.said();
    expect(format!("exit {code:?}: {said}"), code == Some(1) && said.contains("1048576 bytes"))?;
    Ok(format!(
        "59 rewritings, {} sets taken, none torn; the file that grew is refused at 1,048,576 bytes",
        bed.count("swapped")
    ))
}

fn system_calls_fail() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let [rules, other, state] = ["rules", "other", "state"].map(|name| folder.path().join(name));
    for (rules, version) in [(&rules, 1), (&other, 2)] {
        version_at(rules, version)?;
        publish(rules)?;
    }
    // Version 2 is the last good set that version 1 is to take the place of.
    drop(EngineOptions::new(&other).state(&state).open()?);
    let mut paths: Vec<PathBuf> = ["last-good", "last-good.next", "lock", ""].map(|name| state.join(name)).into();
    paths.push(rules.clone());
    for entry in fs::read_dir(&rules)? {
        paths.push(entry?.path());
    }
    let before = fs::read(state.join("last-good"))?;
    let sweep = Sweep { folder, rules, state, paths, before };
    // Not every machine has all of them.
    let calls = [
        "openat",
        "read",
        "getdents64",
        "statx",
        "?newfstatat,fstat",
        "?readlink,readlinkat",
        "write",
        "fsync",
        "?rename,?renameat,renameat2",
        "?mkdir,mkdirat",
        "flock",
    ];
    let errors = if is_long() { &["EIO", "ENOMEM", "EACCES", "EMFILE", "ENOSPC"][..] } else { &["EIO"] };
    // Each place, or every ninth of them with another beginning for each call.
    let step = times(9, 1);
    let (mut places, mut own, mut last_good, mut refused) = (0, 0, 0, 0);
    for error in errors {
        for (start, call) in calls.iter().enumerate() {
            for when in (1 + start % step..).step_by(step) {
                // Once, and from then on.
                let mut has_failed = false;
                for rest in ["", "+"] {
                    let failing = format!("{call}:error={error}:when={when}{rest}");
                    let seen = sweep.run(call, &failing);
                    match seen.map_err(|failed| format!("{failing}: {}", failed.message().unwrap_or_default()))? {
                        None => continue,
                        Some(Served::Own) => own += 1,
                        Some(Served::LastGood) => last_good += 1,
                        Some(Served::Nothing) => refused += 1,
                    }
                    has_failed = true;
                    places += 1;
                }
                if !has_failed {
                    break;
                }
            }
        }
    }
    let is_broad = places >= 10 && own > 0 && last_good > 0 && refused > 0;
    let seen = format!(
        "{places} runs: {own} served the rules, {last_good} the last good ones, {refused} ended with exit 2 and a \
         reason; what is kept was whole each time"
    );
    expect(seen.clone(), is_broad)?;
    Ok(seen)
}

/// Rules of version 1, and a last good set of version 2.
struct Sweep {
    folder: tempfile::TempDir,
    rules: PathBuf,
    state: PathBuf,
    paths: Vec<PathBuf>,
    before: Vec<u8>,
}

enum Served {
    Own,
    LastGood,
    Nothing,
}

impl Sweep {
    /// One run with failing calls; none when there was no such call.
    fn run(&self, call: &str, failing: &str) -> Result<Option<Served>, Failed> {
        fs::write(self.state.join("last-good"), &self.before)?;
        let trace = self.folder.path().join("trace");
        let mut command = Command::new("timeout");
        command.args(["60", "strace", "-f", "-qq"]).arg("-o").arg(&trace).arg(format!("-etrace={call}"));
        for path in &self.paths {
            command.arg("-P").arg(path);
        }
        command.arg(format!("-einject={failing}")).arg(TOOL);
        command.arg("--rules").arg(&self.rules).args(["classify", "--input", "json", "--format", "json"]);
        let done = run(command.arg("--state").arg(&self.state), RECORD.as_bytes())?;
        if !fs::read_to_string(&trace).unwrap_or_default().contains("INJECTED") {
            return Ok(None);
        }
        let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        let code = done.status.code().ok_or_else(|| format!("ended by a signal: {said}"))?;
        let state = EngineOptions::new(self.folder.path().join("nowhere")).state(&self.state).wait_at_start(false);
        let kept = version_of(&open(&state)?);
        expect(format!("version {kept:?} is kept: {said}"), matches!(kept, Some(1 | 2)))?;
        expect(format!("exit {code}: {out} {said}"), !said.contains("panicked"))?;
        match code {
            0 if out.contains("version 1.") => Ok(Some(Served::Own)),
            0 if out.contains("version 2.") && said.contains("last good") => Ok(Some(Served::LastGood)),
            2 if out.is_empty() && (said.contains("error") || said.contains("cannot")) => Ok(Some(Served::Nothing)),
            _ => Err(format!("exit {code}: {out} {said}").into()),
        }
    }
}

fn no_permission() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let by = if is_root() { [&["setpriv"], &OTHER_USER[..]].concat() } else { Vec::new() };
    let watch = Running::watch(&by, &rules)?;
    watch.wait_for(&digest_of(1)?)?;
    version_at(&rules, 2)?;
    fs::set_permissions(rules.join("exchange.toml"), fs::Permissions::from_mode(0o000))?;
    watch.wait_refused("and has mode 000")?;
    let status = watch.wait_status("the old rules", |status| status["last_reload"]["outcome"] == "rejected")?;
    expect("another set", status["ruleset"] == *digest_of(1)?)?;
    fs::set_permissions(rules.join("exchange.toml"), fs::Permissions::from_mode(0o644))?;
    let time = watch.wait_for(&digest_of(2)?)?;
    // A folder that cannot be listed.
    fs::set_permissions(&rules, fs::Permissions::from_mode(0o000))?;
    watch.wait_refused("Permission denied")?;
    watch.wait_for(&digest_of(2)?)?;
    fs::set_permissions(&rules, fs::Permissions::from_mode(0o755))?;
    Ok(format!(
        "\"`exchange.toml` cannot be read: Permission denied; it belongs to user … and has mode 000\"; taken up {} after it may be read",
        millis(time)
    ))
}

fn no_directory() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let (rules, state) = (folder.path().join("rules"), folder.path().join("state"));
    let names = [&rules, &state].map(|path| path.to_string_lossy().into_owned());
    let [rules_name, state_name] = &names;
    let arguments = ["--rules", rules_name, "classify", "--input", "json", "--format", "json"];
    let done = tool(&arguments, RECORD.as_bytes())?;
    let said = String::from_utf8_lossy(&done.stderr);
    let is_clear = done.status.code() == Some(2) && said.contains("cannot read the rules directory");
    expect(said.clone(), is_clear && done.stdout.is_empty())?;
    let done = tool(&[&arguments[..], &["--allow-fallback-only"]].concat(), RECORD.as_bytes())?;
    expect("DSUNK001 alone", String::from_utf8_lossy(&done.stdout).contains("\"DSUNK001\""))?;
    version_at(&rules, 1)?;
    let with_state = [&arguments[..], &["--state", state_name]].concat();
    tool(&with_state, RECORD.as_bytes())?;
    fs::remove_dir_all(&rules)?;
    let done = tool(&with_state, RECORD.as_bytes())?;
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    expect(format!("{out} {said}"), out.contains("version 1.") && said.contains("last good"))?;
    let engine = open(&EngineOptions::new(&rules).state(&state))?;
    expect("the source", engine.status().source == RulesSource::LastGood)?;
    let status = engine.status().last_reload.ok_or("no reason in the status")?;
    expect("the status", status.outcome == "rejected" && status.reason.is_some())?;
    Ok("exit 2 without a state directory, the last good set with one, DSUNK001 alone when asked for".to_owned())
}

fn no_regular_file() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let rules = bed.rules.clone();
    let odd = rules.join("odd.toml");
    let refused = |words: &str, make: &dyn Fn() -> Result<(), Failed>| -> Result<(), Failed> {
        let before = bed.count("rejected");
        make()?;
        soon(words, || Ok((bed.count("rejected") > before).then_some(())))?;
        bed.refused(1, words)?;
        bed.stays(1, Duration::from_millis(200))?;
        fs::remove_file(&odd).or_else(|_| fs::remove_dir(&odd))?;
        soon("good files are good again", || {
            Ok(matches!(bed.outcomes().last(), Some(ReloadOutcome::Unchanged { .. })).then_some(()))
        })
        .map(|_| ())
    };
    let irregular = "`odd.toml` is not a regular file";
    refused(irregular, &|| system(&rules, "mkfifo", &["odd.toml"]).map(drop))?;
    refused(irregular, &|| {
        UnixListener::bind(&odd)?;
        Ok(())
    })?;
    refused("`odd.toml` is a directory", &|| Ok(fs::create_dir(&odd)?))?;
    let mut kinds = vec!["a pipe", "a socket", "a folder"];
    let device = |name: &str| system(bed.folder.path(), "mknod", &[name, "c", "1", "5"]).map(drop);
    if is_root() && device("tried").is_ok() {
        refused(irregular, &|| device("rules/odd.toml"))?;
        kinds.push("a device without end");
    }
    // A lock is no different.
    system(&rules, "mkfifo", &["faultbook.lock"])?;
    bed.refused(1, "`faultbook.lock` cannot be read")?;
    fs::remove_file(rules.join("faultbook.lock"))?;
    // A pipe that comes between asking and opening.
    let file = rules.join("exchange.toml");
    let path = file.to_string_lossy().into_owned();
    let by = ["strace", "-f", "-qq", "-o/dev/null", "-P", &path, "-einject=openat:delay_enter=1500000:when=1"];
    let mut check = Running::start(&by, &["check", &rules.to_string_lossy()])?;
    thread::sleep(Duration::from_millis(700));
    fs::remove_file(&file)?;
    system(&rules, "mkfifo", &["exchange.toml"])?;
    let code = check.wait().map_err(|_| "opening a pipe hangs")?;
    let said = check.out().join("\n") + &check.said();
    expect(format!("exit {code:?}: {said}"), code == Some(1) && said.contains("exchange.toml"))?;
    Ok(format!("{} and a pipe as lock are refused by name; a pipe in the file's place does not hang", kinds.join(", ")))
}

fn links(bed: &Bed) -> Result<String, Failed> {
    let outside = bed.folder.path().join("outside.toml");
    fs::write(&outside, version_text(1)?)?;
    let cases = [
        ("round.toml", PathBuf::from("round.toml"), "`round.toml` cannot be read"),
        ("nowhere.toml", PathBuf::from("nothing"), "`nowhere.toml` cannot be read"),
        ("out.toml", outside, "`out.toml` is a link out of the rules directory"),
        ("folder", PathBuf::from("."), "`folder` is a link to a folder that is read already"),
    ];
    for (name, target, words) in cases {
        let link = bed.rules.join(name);
        let before = bed.count("rejected");
        symlink(target, &link)?;
        bed.refused(1, words)?;
        bed.stays(1, Duration::from_millis(700))?;
        let refused = bed.count("rejected") - before;
        expect(format!("{name} is refused {refused} times in two scans"), refused <= 1)?;
        fs::remove_file(&link)?;
    }
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok("each refused by name, once".to_owned())
}

fn stuck() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let file = rules.join("exchange.toml").to_string_lossy().into_owned();
    let rules_name = rules.to_string_lossy().into_owned();
    // Read once at the start, and once by the watch before it hangs.
    publish(&rules)?;
    let by = ["strace", "-f", "-qq", "-o/dev/null", "-P", &file, "-einject=openat:delay_enter=60000000:when=2+"];
    let records = folder.path().join("failures.ndjson");
    fs::write(&records, RECORD)?;
    let records_name = records.to_string_lossy().into_owned();
    let watch = Running::start(&by, &["watch", &rules_name, "--format", "json", "--follow", &records_name])?;
    let arguments = ["--rules", &rules_name, "classify", "--watch", "--input", "json", "--format", "json"];
    let mut classify = Running::start(&by, &arguments)?;
    let (start, mut slowest) = (Instant::now(), Duration::ZERO);
    let mut answers = 0;
    while start.elapsed() < Duration::from_secs(3) {
        classify.send(RECORD)?;
        answers += 1;
        let asked = Instant::now();
        soon("an answer", || {
            Ok((classify.out().iter().filter(|line| line.contains("DSEX001")).count() >= answers).then_some(()))
        })?;
        slowest = slowest.max(asked.elapsed());
        thread::sleep(Duration::from_millis(50));
    }
    let begun = Instant::now();
    classify.signal("TERM")?;
    classify.wait_said("stopped after")?;
    expect("the signal waited for the file", begun.elapsed() < Duration::from_secs(15))?;
    let ended = begun.elapsed();
    // The status tells of it, also when it is the watch that hangs.
    let status = watch.wait_status("the time it has taken", |status| {
        status["loading_seconds"].as_u64().is_some_and(|seconds| seconds >= 1)
    });
    let status = status.map_err(|failed| format!("the status is silent: {}", failed.message().unwrap_or_default()))?;
    // A load that only waits says so as well.
    fs::remove_file(rules.join("faultbook.lock"))?;
    let engine = Arc::new(
        quick(&rules).quiet(Duration::from_millis(1_500), Duration::from_secs(4)).wait_at_start(false).open()?,
    );
    let loading = Arc::clone(&engine);
    let load = thread::spawn(move || loading.reload());
    soon("a load under way", || Ok(engine.status().loading_seconds.filter(|seconds| *seconds >= 1)))?;
    load.join().map_err(|_| "a panic")?;
    expect("it is over", engine.status().loading_seconds.is_none() && version_of(&engine) == Some(1))?;
    Ok(format!(
        "{answers} answers within {} at most, ended {} after SIGTERM; the status says {} s",
        millis(slowest),
        millis(ended),
        status["loading_seconds"]
    ))
}

fn short_reads() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    publish(&rules)?;
    let rules_name = rules.to_string_lossy().into_owned();
    let library = environment::in_front(folder.path())?;
    let arguments = ["--rules", &rules_name, "list", "--format", "json"];
    let plain = run(Command::new(TOOL).args(arguments), b"")?;
    expect(String::from_utf8_lossy(&plain.stderr), plain.status.success())?;
    let short = run(Command::new(TOOL).args(arguments).env("LD_PRELOAD", &library).env("FAULT_SHORT", "1"), b"")?;
    expect("short readings give other rules", short.stdout == plain.stdout && short.status.success())?;
    let trace = folder.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-etrace=read", "-einject=read:error=EINTR:when=1+2", "-o"]).arg(&trace);
    for entry in fs::read_dir(&rules)? {
        command.arg("-P").arg(entry?.path());
    }
    let interrupted = run(command.arg(TOOL).args(arguments), b"")?;
    let count = fs::read_to_string(&trace)?.matches("INJECTED").count();
    expect("interrupted readings give other rules", interrupted.stdout == plain.stdout && count > 5)?;
    Ok(format!("the same rules byte by byte, and with {count} interruptions"))
}

fn too_many() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    for number in 0..2_000 {
        fs::write(bed.rules.join(format!("x{number}.toml")), "")?;
    }
    let report = bed.refused(1, "the rules directory holds 2004 rule files, more than 1000")?;
    expect("the report is long", report.len() < 2_000_000)?;
    for number in 0..2_000 {
        fs::remove_file(bed.rules.join(format!("x{number}.toml")))?;
    }
    let mut text = version_text(2)?;
    for number in 0..10_000 {
        use std::fmt::Write as _;
        let _ =
            write!(text, "\n[[rules]]\nid = \"r{number}\"\ncode = \"DSEX021\"\nwhen.provider_code = \"X{number}\"\n");
    }
    fs::write(bed.rules.join("exchange.toml"), &text)?;
    bed.refused(1, "10003 rules, more than 10000")
        .or_else(|_| bed.refused(1, "more than 10000").map(|_| String::new()))?;
    bed.write_version(3)?;
    let time = bed.wait_for(3)?;
    Ok(format!("2,004 files and 10,003 rules are refused with their numbers; the next version after {}", millis(time)))
}

fn names() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let mut odd: Vec<Vec<u8>> = vec![
        b"new\nline.toml".to_vec(),
        b"escape\x1b[31m.toml".to_vec(),
        "turned\u{202e}around.toml".as_bytes().to_vec(),
        [vec![b'n'; 250], b".toml".to_vec()].concat(),
    ];
    // Not every file system takes it.
    let not_utf8 = b"not\xffutf8.toml".to_vec();
    if fs::write(bed.rules.join(OsStr::from_bytes(&not_utf8)), "").is_ok() {
        odd.push(not_utf8);
    }
    for name in &odd {
        fs::write(bed.rules.join(OsStr::from_bytes(name)), "format = 1\n")?;
    }
    let report = bed.refused(1, "file-not-listed")?;
    let is_raw = |c: &char| (c.is_control() && *c != '\n') || ('\u{2028}'..='\u{202e}').contains(c);
    let raw: Vec<char> = report.chars().filter(is_raw).collect();
    expect(format!("raw signs in the report: {raw:?}"), raw.is_empty())?;
    expect("a name is cut at its newline", !report.contains("new\nline"))?;
    let named = ["escape", "turned", "nnnn"].iter().filter(|name| report.contains(**name)).count();
    expect(report.clone(), named == 3 && (odd.len() == 4 || report.contains("not UTF-8")))?;
    let lines: Vec<String> = bed.outcomes().iter().map(render::reload_line).collect();
    expect(format!("raw signs in a line: {lines:?}"), lines.iter().all(|line| !line.contains(char::is_control)))?;
    for name in &odd {
        fs::remove_file(bed.rules.join(OsStr::from_bytes(name)))?;
    }
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok(format!("{} names refused, all signs escaped", odd.len()))
}

fn disk_full() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    for version in 1..=3 {
        version_at(&folder.path().join(format!("v{version}")), version)?;
    }
    // Does not fit any more once the rest is full.
    let long = "# padding\n".repeat(2_000) + &version_text(2)?;
    fs::write(folder.path().join("long.toml"), &long)?;
    fs::create_dir(folder.path().join("rules"))?;
    copy(&folder.path().join("v2"), &folder.path().join("long"))?;
    fs::write(folder.path().join("long/exchange.toml"), &long)?;
    let mut shell = Running::shell()?;
    shell.run(&format!("cd '{}'", folder.path().display()))?;
    shell.run("mount -t tmpfs -o size=64k,nr_inodes=12 none rules && cp v1/*.toml rules")?;
    shell.run(&format!("{TOOL} watch rules --format json &"))?;
    shell.wait_for(&digest_of(1)?)?;
    shell.run("! dd if=/dev/zero of=rules/fill bs=1k count=200 2>/dev/null")?;
    shell.run("! cp long.toml rules/exchange.toml 2>/dev/null")?;
    let status = shell.wait_status("a refusal", |status| status["last_reload"]["outcome"] == "rejected")?;
    expect("another set", status["ruleset"] == *digest_of(1)?)?;
    shell.run("rm rules/fill && cp long.toml rules/exchange.toml")?;
    let time = shell.wait_for(&digest_of(2)?)?;
    // No inodes: a new file cannot be made, the old one is there.
    shell.run("i=0; while touch rules/i$i 2>/dev/null; do i=$((i+1)); done; ! cp v3/exchange.toml rules/exchange.new 2>/dev/null")?;
    thread::sleep(Duration::from_millis(1_200));
    shell.wait_for(&digest_of(2)?)?;
    shell.run("rm rules/i* && cp v3/exchange.toml rules/exchange.new && mv rules/exchange.new rules/exchange.toml")?;
    let next = shell.wait_for(&digest_of(3)?)?;
    Ok(format!(
        "the torn file is refused; taken up {} after there was room, {} after there were inodes",
        millis(time),
        millis(next)
    ))
}
