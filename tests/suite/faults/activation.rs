//! Faults of compiling, taking into use and keeping: bad rules, costly rules, torn state, crashes at every step.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use faultbook::{EngineOptions, ReloadOutcome, RuleSet, RulesSource, Sources, render};
use libtest_mimic::Failed;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::Fault;
use super::How::Trial;
use super::rig::{
    Bed, Need, Notice, RECORD, Running, TOOL, copy, digest_of, expect, failure, is_long, millis, open, publish, quick,
    run, script, soon, times, tool, version_at, version_in, version_of, version_text,
};

pub const FAULTS: &[Fault] = &[
    Fault {
        id: "F54_one_bad_rule",
        what: "one bad rule in each of two files",
        injected: "an unknown word in one, a broken pattern in the other",
        expected: "the whole set is refused, both findings are told",
        how: Trial(&[], one_bad_rule),
    },
    Fault {
        id: "F55_costly_patterns",
        what: "patterns that take long to compile",
        injected: "300 large patterns, compiled while failures are answered",
        expected: "refused naming rules, answers go on meanwhile",
        how: Trial(&[], costly_patterns),
    },
    Fault {
        id: "F56_glob_bomb",
        what: "a glob that overflows the stack of its compiler",
        injected: "`{a,` 8,000 times",
        expected: "refused before it is compiled, the process lives",
        how: Trial(&[], glob_bomb),
    },
    Fault {
        id: "F57_mutated_files",
        what: "a panic while rules are read or compiled",
        injected: "500 random mutations of rule files (long: 100,000); a panic itself cannot be ordered from outside",
        expected: "each is refused with a reason or loads; no internal error",
        how: Trial(&[], mutated_files),
    },
    Fault {
        id: "F58_deep_nesting",
        what: "the stack overflows while rules are loaded",
        injected: "arrays, tables, keys, groups and templates inside each other, 100,000 deep",
        expected: "refused, the process lives",
        how: Trial(&[], deep_nesting),
    },
    Fault {
        id: "F59_issued_codes",
        what: "a set that loses, changes or reuses an issued code",
        injected: "each of them, with the ledger changed to fit",
        expected: "refused",
        how: Trial(&[], issued_codes),
    },
    Fault {
        id: "F60_examples_misfire",
        what: "a rule steals the failures of another one",
        injected: "a general rule in front of the others",
        expected: "refused with the examples that fail",
        how: Trial(&[], examples_misfire),
    },
    Fault {
        id: "F61_memory_of_a_swap",
        what: "two sets in memory while one takes the other's place",
        injected: "10 swaps of the built-in rules, with an address space of 1.5 times of what is in use",
        expected: "all of them done, memory stays below two and a half times of the start",
        how: Trial(&[Need::Tool("prlimit")], memory_of_a_swap),
    },
    Fault {
        id: "F62_held_generations",
        what: "readers hold old sets for long",
        injected: "three sets are held through five swaps",
        expected: "each answers as before, the status counts them (whoever holds a set cannot be made to give it back), \
                   they are freed when they are let go",
        how: Trial(&[], held_generations),
    },
    Fault {
        id: "F63_torn_under_load",
        what: "torn reading under load",
        injected: "reloads in a row under 3 asking threads for 2 s (long: 60 s), every answer checked against the set it \
                   names",
        expected: "no mismatch",
        how: Trial(&[], torn_under_load),
    },
    Fault {
        id: "F64_last_good_not_kept",
        what: "the last good set cannot be written",
        injected: "ENOSPC; EIO of `fsync` and `rename`; a full and a read-only file system",
        expected: "the new set is in force, it is told that it was not kept, the kept one stays whole",
        how: Trial(&[Need::Strace], last_good_not_kept),
    },
    Fault {
        id: "F65_last_good_torn",
        what: "a last good set that is torn or changed",
        injected: "cut at every 8th byte, every 8th byte changed (long: every one)",
        expected: "never used; rules that load are; else exit 2",
        how: Trial(&[], last_good_torn),
    },
    Fault {
        id: "F66_killed_while_keeping",
        what: "kill -9 while the last good set is written",
        injected: "at every system call of it; 60 times at random (long: 10,000)",
        expected: "the old or the new one afterwards, never none",
        how: Trial(&[Need::Strace], killed_while_keeping),
    },
    Fault {
        id: "F67_bad_rules_at_the_start",
        what: "rules that do not load at the start",
        injected: "with a last good set, without, and with `--allow-fallback-only`",
        expected: "the last good set, said on standard error; exit 2; DSUNK001 alone",
        how: Trial(&[], bad_rules_at_the_start),
    },
    Fault {
        id: "F68_other_formats",
        what: "a last good set of a newer version",
        injected: "a higher format with a right digest; unknown keys",
        expected: "a newer format is refused and said, an unknown key is read over",
        how: Trial(&[], other_formats),
    },
    Fault {
        id: "F69_shared_state",
        what: "two engines use one state directory",
        injected: "both at once",
        expected: "the second ends with a message, the first goes on; free again after its end",
        how: Trial(&[], shared_state),
    },
    Fault {
        id: "F70_signal_and_reload",
        what: "a reload while the process ends",
        injected: "changes, SIGHUP and SIGTERM at random moments, 6 times (long: 200)",
        expected: "ends within 5 s (here: the deadline), the kept set is whole",
        how: Trial(&[], signal_and_reload),
    },
    Fault {
        id: "F71_no_memory",
        what: "memory cannot be had",
        injected: "address spaces from 8 MiB upwards",
        expected: "it may end, but what is kept is whole, and the next start is clean",
        how: Trial(&[Need::Tool("prlimit")], no_memory),
    },
];

fn one_bad_rule() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let text = version_text(2)?.replace("retry = \"none\"", "retry = \"perhaps\"");
    fs::write(bed.rules.join("exchange.toml"), text)?;
    let more = "\n[[rules]]\nid = \"broken\"\ncode = \"DSEX021\"\nwhen.message = \"(never closed\"\n";
    let shared = fs::read_to_string(bed.rules.join("shared.toml"))?;
    fs::write(bed.rules.join("shared.toml"), format!("{shared}{more}"))?;
    bed.refused(1, "unknown-word")?;
    let report = bed.refused(1, "pattern-syntax")?;
    expect(report.clone(), report.contains("exchange.toml:") && report.contains("shared.toml:"))?;
    let errors = bed.engine.status().last_reload.ok_or("no reload")?.errors;
    expect(format!("{errors} errors"), errors >= 2)?;
    fs::write(bed.rules.join("shared.toml"), shared)?;
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok(format!("{errors} errors of both files in one refusal"))
}

fn costly_patterns() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let mut text = version_text(2)?;
    for number in 0..300 {
        use std::fmt::Write as _;
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"p{number}\"\ncode = \"DSEX021\"\n\
             when.message = '(?:[a-z]+{number}[^x]{{1,40}}y?){{1,20}}end'\n"
        );
    }
    fs::write(bed.rules.join("exchange.toml"), text)?;
    let (start, mut slowest, mut answers) = (Instant::now(), Duration::ZERO, 0_u64);
    while bed.count("rejected") == 0 {
        let asked = Instant::now();
        let version = version_of(&bed.engine);
        slowest = slowest.max(asked.elapsed());
        expect(format!("{version:?}"), version == Some(1))?;
        answers += 1;
        expect("it takes more than a minute", start.elapsed() < Duration::from_secs(60))?;
        thread::sleep(Duration::from_micros(200));
    }
    let time = start.elapsed();
    let report = bed.refused(1, "limit-exceeded")?;
    expect("no rule is named", report.contains("exchange.toml:"))?;
    expect(format!("an answer took {slowest:?}"), slowest < Duration::from_secs(2))?;
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok(format!("refused after {}, {answers} answers meanwhile, the slowest {}", millis(time), millis(slowest)))
}

fn glob_bomb() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let watch = Running::watch(&[], &rules)?;
    watch.wait_for(&digest_of(1)?)?;
    let glob = format!("{}b{}", "{a,".repeat(8_000), "}".repeat(8_000));
    let rule = format!(
        "\n[[rules]]\nid = \"bomb\"\ncode = \"DSEX021\"\nwhen.exception = \"{glob}\"\n\
         examples = [{{ failure = {{ exceptions = [{{ type = \"b\" }}] }} }}]\n"
    );
    fs::write(rules.join("exchange.toml"), version_text(2)? + &rule)?;
    watch.wait_refused("bytes")?;
    let done = tool(&["check", &rules.to_string_lossy()], b"")?;
    let said = String::from_utf8_lossy(&done.stdout);
    expect(format!("{:?}", done.status), done.status.code() == Some(1) && said.contains("limit-exceeded"))?;
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    watch.wait_for(&digest_of(2)?)?;
    Ok("refused as too long, exit 1 of `check`".to_owned())
}

fn mutated_files() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    version_at(folder.path(), 1)?;
    let names = ["faultbook.toml", "exchange.toml", "ledger.toml", "shared.toml"];
    let texts = names.map(|name| fs::read(folder.path().join(name)).unwrap_or_default());
    let before = RuleSet::load(RuleSet::discover(folder.path())?).map_err(|rejected| rejected.to_string())?.0;
    let mut random = fastrand::Rng::with_seed(57);
    let pieces: [&[u8]; 10] =
        [b"[[", b"]]", b"\"\"\"", b"{", b"= ", b"when.message = \"(\"", b"\n", b"\\u0000", b"{{ x }}", b"\xe2\x80\xae"];
    let (count, mut loaded, mut refused) = (times(500, 100_000), 0, 0);
    for round in 0..count {
        let mut files = texts.clone();
        let file = &mut files[random.usize(..names.len())];
        for _ in 0..random.usize(1..4) {
            if file.is_empty() {
                break;
            }
            let at = random.usize(..file.len());
            match random.u8(..5) {
                0 => file[at] = random.u8(..),
                1 => drop(file.drain(at..(at + random.usize(1..40)).min(file.len()))),
                2 => drop(file.splice(at..at, random.choice(pieces).unwrap_or_default().iter().copied())),
                3 => {
                    let copied = file[at..(at + random.usize(1..60)).min(file.len())].to_vec();
                    let to = random.usize(..=file.len());
                    drop(file.splice(to..to, copied));
                }
                _ => file.truncate(at.max(1)),
            }
        }
        let sources = || {
            Sources::from_texts(
                names.iter().zip(&files).map(|(name, text)| (*name, String::from_utf8_lossy(text).into_owned())),
            )
        };
        for result in [RuleSet::load(sources()), before.load_next(sources())] {
            match result {
                Ok(_) => loaded += 1,
                Err(rejected) => {
                    refused += 1;
                    let report = render::full(rejected.report(), false);
                    expect(format!("round {round}: {report}"), !report.contains("internal error"))?;
                    expect(format!("round {round} is refused without a reason"), rejected.report().has_errors())?;
                }
            }
        }
    }
    expect("nothing was refused, or everything", loaded > 0 && refused > 0)?;
    Ok(format!("{count} mutations: {loaded} loads good, {refused} refused, no panic"))
}

fn deep_nesting() -> Result<String, Failed> {
    const DEEP: usize = 100_000;
    let rule = |condition: &str| format!("\n[[rules]]\nid = \"deep\"\ncode = \"DSEX021\"\n{condition}\n");
    let cases = [
        ("arrays", format!("\ndeep = {}{}\n", "[".repeat(DEEP), "]".repeat(DEEP))),
        ("tables", format!("\ndeep = {}1{}\n", "{ a = ".repeat(DEEP), " }".repeat(DEEP))),
        ("keys", format!("\n{}b = 1\n", "a.".repeat(DEEP))),
        ("groups", rule(&format!("when.message = '{}a{}'", "(".repeat(DEEP), ")".repeat(DEEP)))),
        ("groups within the length", rule(&format!("when.message = '{}a{}'", "(?:".repeat(250), ")".repeat(250)))),
        ("conditions", rule(&format!("when = {}{}", "{ any = [".repeat(DEEP / 2), "] }".repeat(DEEP / 2)))),
        (
            "templates",
            format!(
                "\n[codes.DSEX022]\ntitle = \"x\"\nstatus = \"Failed\"\nretry = \"none\"\nmessage = \"{{{{ {}a{} }}}}\"\n",
                "(".repeat(1_900),
                ")".repeat(1_900)
            ),
        ),
    ];
    for (name, more) in &cases {
        let folder = tempfile::tempdir()?;
        let rules = folder.path().join("rules");
        version_at(&rules, 1)?;
        fs::write(rules.join("exchange.toml"), version_text(1)? + more)?;
        for arguments in [&["check"][..], &["classify", "--allow-fallback-only", "--rules"]] {
            let rules = rules.to_string_lossy();
            let done = tool(&[arguments, &[&*rules]].concat(), RECORD.as_bytes())?;
            let said = String::from_utf8_lossy(&done.stderr);
            let start: String = said.chars().take(400).collect();
            let due = i32::from(arguments.len() == 1);
            expect(format!("{name}: {:?}: {start}", done.status), done.status.code() == Some(due))?;
        }
    }
    Ok(format!("{} kinds of nesting refused by `check`, and at the start of an engine", cases.len()))
}

fn issued_codes() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let text = version_text(2)?;
    let ledger = fs::read_to_string(bed.rules.join("ledger.toml"))?;
    let without = |text: &str, line: &str| -> String {
        text.split_inclusive('\n').filter(|found| !found.starts_with(line)).collect()
    };
    // Lost, with the ledger changed to fit.
    let at = text.find("[codes.DSEX021]").ok_or("no such code")?;
    let rules = text.find("[[rules]]").ok_or("no rules")?;
    let last = text.rfind("[[rules]]").ok_or("no rules")?;
    fs::write(bed.rules.join("ledger.toml"), without(&ledger, "DSEX021"))?;
    fs::write(bed.rules.join("exchange.toml"), format!("{}{}", &text[..at], &text[rules..last]))?;
    bed.refused(1, "code-vanished")?;
    // Another meaning, with the ledger changed to fit.
    fs::write(bed.rules.join("ledger.toml"), ledger.replace("status = \"Skipped\"", "status = \"Failed\""))?;
    fs::write(bed.rules.join("exchange.toml"), text.replace("status = \"Skipped\"", "status = \"Failed\""))?;
    bed.refused(1, "code-changed-meaning")?;
    // Retired first, which is allowed, and then in use again.
    fs::write(
        bed.rules.join("ledger.toml"),
        ledger.replace("action = \"none\" }", "action = \"none\", retired = true }"),
    )?;
    let retired = format!("{}retired = \"merged into another one\"\n\n{}", &text[..rules], &text[rules..last]);
    fs::write(bed.rules.join("exchange.toml"), retired)?;
    publish(&bed.rules)?;
    bed.wait_for(2)?;
    fs::remove_file(bed.rules.join("faultbook.lock"))?;
    fs::write(bed.rules.join("ledger.toml"), &ledger)?;
    fs::write(bed.rules.join("exchange.toml"), version_text(3)?)?;
    bed.refused(2, "retired-code-reused")?;
    bed.stays(2, Duration::from_millis(500))?;
    Ok("all three refused, although the ledger beside them says otherwise".to_owned())
}

fn examples_misfire() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let rule = "[[rules]]\nid = \"greedy\"\ncode = \"DSEX021\"\nwhen.absent = \"operation\"\n\
                examples = [{ failure = { provider_codes = [\"Anything\"] } }]\n\n[[rules]]\nid = \"secret-expired\"";
    let text = version_text(2)?.replacen("[[rules]]\nid = \"secret-expired\"", rule, 1);
    fs::write(bed.rules.join("exchange.toml"), text)?;
    let report = bed.refused(1, "example-fails")?;
    let fails = report.matches("example-fails").count();
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok(format!("refused, {fails} examples fail"))
}

/// A published copy of the built-in rules, and one of its files.
fn built_in(rules: &Path) -> Result<PathBuf, Failed> {
    copy(&crate::snapshot::root().join("rules"), rules)?;
    publish(rules)?;
    Ok(rules.join("exchange.toml"))
}

fn memory_of_a_swap() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    let file = built_in(&rules)?;
    let watch = Running::watch(&[], &rules)?;
    watch.wait_status("events", |status| status["watch"] != "off")?;
    let (resident, space) = (watch.memory("VmRSS")?, watch.memory("VmSize")?);
    let limit = space * 1024 * 3 / 2;
    script(folder.path(), &format!("prlimit --pid {} --as={limit}", watch.pid()?))?;
    let text = fs::read_to_string(&file)?;
    for number in 1..=10 {
        let more = format!(
            "\n[[rules]]\nid = \"swap-{number}\"\ncode = \"DSEX001\"\nwhen.provider_code = \"Swap{number}\"\n\
             examples = [{{ failure = {{ provider_codes = [\"Swap{number}\"] }} }}]\n"
        );
        let copy = folder.path().join("next");
        self::copy(&rules, &copy)?;
        fs::write(copy.join("exchange.toml"), format!("{text}{more}"))?;
        let arguments = ["publish", &copy.to_string_lossy(), "--to", &rules.to_string_lossy()];
        let done = tool(&arguments, b"")?;
        expect(String::from_utf8_lossy(&done.stderr), done.status.success())?;
        let due = super::rig::digest(&rules)?;
        watch.wait_for(&due)?;
    }
    let (peak, now) = (watch.memory("VmHWM")?, watch.memory("VmRSS")?);
    expect(format!("{resident} KiB at first, {peak} KiB at most"), peak < resident * 5 / 2 + 8 * 1024)?;
    Ok(format!("10 swaps: {resident} KiB at first, {peak} KiB at most, {now} KiB at the end"))
}

fn held_generations() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let mut held = Vec::new();
    for version in 2..=6 {
        if version <= 4 {
            held.push((version - 1, bed.engine.current()));
        }
        bed.write_version(version)?;
        bed.wait_for(version)?;
    }
    let alive = |due: usize| {
        soon("the count of held sets", || Ok((bed.engine.status().generations_alive == due).then_some(()))).map(drop)
    };
    alive(3)?;
    for (version, generation) in &held {
        let message = generation.classify(&failure()).message.clone();
        expect(message.clone(), version_in(&message) == Some(*version))?;
    }
    held.pop();
    alive(2)?;
    held.clear();
    alive(0)?;
    Ok("3 held and counted, each answers with its own rules; 0 when they are let go".to_owned())
}

fn torn_under_load() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    let mut versions = HashMap::new();
    for version in 1..=8 {
        version_at(&rules, version)?;
        versions.insert(super::rig::digest(&rules)?, version);
    }
    expect("versions have the same digest", versions.len() == 8)?;
    let engine = quick(&rules).quiet(Duration::ZERO, Duration::from_secs(2)).open()?;
    let stop = AtomicBool::new(false);
    let (length, start) = (Duration::from_secs(if is_long() { 60 } else { 2 }), Instant::now());
    let (mut swaps, mut answers) = (0_u64, 0_u64);
    thread::scope(|scope| -> Result<(), Failed> {
        let ask = || -> Result<u64, String> {
            let mut count = 0;
            while !stop.load(Ordering::Acquire) {
                let decision = engine.classify(&failure());
                if versions.get(&*decision.ruleset).copied() != version_in(&decision.message) {
                    return Err(format!("`{}` of {}", decision.message, decision.ruleset));
                }
                count += 1;
            }
            Ok(count)
        };
        let askers: Vec<_> = (0..3).map(|_| scope.spawn(ask)).collect();
        let mut version = 1;
        let mut done = Ok(());
        while start.elapsed() < length && done.is_ok() {
            version = version % 8 + 1;
            done =
                fs::write(rules.join("exchange.toml"), version_text(version)?).map_err(Failed::from).and_then(|()| {
                    expect("a reload does not swap", matches!(engine.reload(), ReloadOutcome::Swapped { .. }))
                });
            swaps += 1;
        }
        stop.store(true, Ordering::Release);
        for asker in askers {
            answers += asker.join().map_err(|_| "a panic")??;
        }
        done
    })?;
    let rate = swaps / start.elapsed().as_secs().max(1);
    Ok(format!("{swaps} swaps, {rate} a second, {answers} answers, no mismatch"))
}

/// Rules with a lock and a version, which are taken without waiting.
fn locked(folder: &Path, version: usize) -> Result<String, Failed> {
    let rules = folder.join(format!("locked-{version}"));
    version_at(&rules, version)?;
    publish(&rules)?;
    Ok(rules.to_string_lossy().into_owned())
}

/// Starts the tool once with a state directory, by way of other programs; what it answers and what it says.
fn keep(by: &[&str], rules: &str, state: &Path) -> Result<(Option<i32>, String, String), Failed> {
    // As in `open`: a lock of this process may be held for a moment longer than its engine.
    let once = || keep_once(by, rules, state);
    let (done, _) = soon("a state directory that is free", || {
        let done = once()?;
        Ok((!done.2.contains("in use by another engine")).then_some(done))
    })?;
    Ok(done)
}

fn keep_once(by: &[&str], rules: &str, state: &Path) -> Result<(Option<i32>, String, String), Failed> {
    let words = [by, &[TOOL, "--rules", rules, "classify", "--input", "json", "--format", "json", "--state"]].concat();
    let (program, arguments) = words.split_first().ok_or("nothing to start")?;
    let done = run(Command::new(program).args(arguments).arg(state), RECORD.as_bytes())?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Ok((done.status.code(), text(&done.stdout), text(&done.stderr)))
}

/// The version that a state directory gives when there are no rules.
fn kept(state: &Path) -> Result<Option<usize>, Failed> {
    let engine = open(&EngineOptions::new(state.join("no-rules")).state(state).wait_at_start(false))?;
    expect("another source", engine.status().source == RulesSource::LastGood)?;
    Ok(version_of(&engine))
}

fn last_good_not_kept() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let (one, two) = (locked(folder.path(), 1)?, locked(folder.path(), 2)?);
    let state = folder.path().join("state");
    keep(&[], &one, &state)?;
    expect("nothing is kept", kept(&state)? == Some(1))?;
    // A device that is full stands where the new file would be written.
    std::os::unix::fs::symlink("/dev/full", state.join("last-good.next"))?;
    let (code, out, said) = keep(&[], &two, &state)?;
    let is_told = |said: &str| said.contains("cannot keep the last good set");
    expect(format!("{code:?} {out} {said}"), code == Some(0) && out.contains("version 2.") && is_told(&said))?;
    expect("the kept set", kept(&state)? == Some(1))?;
    fs::remove_file(state.join("last-good.next"))?;
    let next = state.join("last-good.next").to_string_lossy().into_owned();
    let mut cases = vec!["ENOSPC"];
    for (call, error) in
        [("fsync", "EIO"), ("?rename,?renameat,renameat2", "EIO"), ("write", "EDQUOT"), ("openat", "EROFS")]
    {
        let inject = format!("-einject={call}:error={error}");
        let by = ["strace", "-f", "-qq", "-o/dev/null", "-P", &next, &inject];
        let (code, out, said) = keep(&by, &two, &state)?;
        expect(
            format!("{call}: {code:?} {out} {said}"),
            code == Some(0) && out.contains("version 2.") && is_told(&said),
        )?;
        expect(format!("the kept set after {call}"), kept(&state)? == Some(1))?;
        cases.push(if call.contains("rename") { "rename" } else { call });
    }
    let (.., said) = keep(&[], &two, &state)?;
    expect(said.clone(), !is_told(&said) && kept(&state)? == Some(2))?;
    // While it runs: the status says so, and the tool that answers as well.
    let rules = folder.path().join("rules");
    version_at(&rules, 2)?;
    let name = rules.to_string_lossy().into_owned();
    let state_name = state.to_string_lossy().into_owned();
    let inject = ["strace", "-f", "-qq", "-o/dev/null", "-P", &next, "-einject=fsync:error=EIO"];
    let arguments = ["--rules", &name, "classify", "--watch", "--state", &state_name, "--input", "json"];
    let mut classify = Running::start(&inject, &arguments)?;
    classify.send(RECORD)?;
    classify.wait_out("an answer", |line| line.contains("DSEX001").then_some(()))?;
    fs::write(rules.join("exchange.toml"), version_text(3)?)?;
    classify.wait_said("generation 2")?;
    classify.wait_said("cannot keep the last good set")?;
    classify.send(RECORD)?;
    classify.wait_out("the new version", |line| line.contains("version 3.").then_some(()))?;
    classify.close_input();
    classify.wait()?;
    expect("the kept set", kept(&state)? == Some(2))?;
    let mounts = match Need::Mounts.missing() {
        Some(reason) => format!("; full and read-only file systems not produced: {reason}"),
        None => full_and_read_only(&folder.path().join("mounts"), &one, &two)?,
    };
    Ok(format!("{}: told each time, version 2 answers, version 1 stays kept{mounts}", cases.join(", ")))
}

fn full_and_read_only(folder: &Path, one: &str, two: &str) -> Result<String, Failed> {
    fs::create_dir(folder)?;
    let mut shell = Running::shell()?;
    shell.run(&format!("cd '{}' && mkdir state && mount -t tmpfs -o size=16k none state", folder.display()))?;
    fs::write(folder.join("record"), RECORD)?;
    let classify =
        |rules: &str| format!("{TOOL} --rules {rules} classify --input json --format json --state state < record");
    shell.run(&classify(one))?;
    shell.run("! dd if=/dev/zero of=state/fill bs=1k count=64 2>/dev/null")?;
    for (number, prepare) in ["true", "rm state/fill && mount -o remount,ro state"].iter().enumerate() {
        shell.run(prepare)?;
        let before = shell.said().matches("cannot").count();
        shell.run(&format!("{} > out{number}; true", classify(two)))?;
        soon("it is told", || Ok((shell.said().matches("cannot").count() > before).then_some(())))?;
        let out = fs::read_to_string(folder.join(format!("out{number}")))?;
        // A directory that nothing can be written to cannot be locked either: nothing is served from it then.
        expect(format!("{prepare}: {out} {}", shell.said()), out.contains("version 2.") || number == 1)?;
        shell.run(&format!("cp -r state kept{number}"))?;
        let kept = kept(&folder.join(format!("kept{number}")))?;
        expect(format!("{prepare}: version {kept:?} is kept"), kept == Some(1))?;
    }
    Ok("; a full file system as well; a read-only one is refused at the start with its reason".to_owned())
}

fn last_good_torn() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let one = locked(folder.path(), 1)?;
    let state = folder.path().join("state");
    keep(&[], &one, &state)?;
    let file = state.join("last-good");
    let whole = fs::read(&file)?;
    let nowhere = folder.path().join("nowhere");
    let open = |rules: &Path| open(&EngineOptions::new(rules).state(&state).wait_at_start(false));
    let (mut cuts, mut flips) = (0, 0);
    for at in (0..whole.len()).step_by(times(8, 1)) {
        fs::write(&file, &whole[..at])?;
        expect(format!("a file of {at} bytes is used"), open(&nowhere).is_err())?;
        cuts += 1;
        let mut changed = whole.clone();
        changed[at] ^= 1 << (at % 8);
        fs::write(&file, &changed)?;
        expect(format!("a change of byte {at} is not noticed"), open(&nowhere).is_err())?;
        flips += 1;
        if at % 64 == 0 {
            let engine = open(Path::new(&one))?;
            let status = engine.status();
            expect("good rules are not used", status.source == RulesSource::Directory)?;
            let is_mended = status.not_kept.is_none() && fs::read(&file)?.len() == whole.len();
            expect("it is not told, nor written anew", status.not_kept.is_some() || is_mended)?;
        }
    }
    fs::write(&file, &whole)?;
    expect("the whole file", kept(&state)? == Some(1))?;
    let (code, _, said) = {
        fs::write(&file, &whole[..whole.len() / 2])?;
        keep(&[], &nowhere.to_string_lossy(), &state)?
    };
    expect(format!("{code:?}: {said}"), code == Some(2))?;
    Ok(format!("{cuts} cuts and {flips} changed bytes, none used"))
}

fn killed_while_keeping() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let sets = [locked(folder.path(), 1)?, locked(folder.path(), 2)?];
    let state = folder.path().join("state");
    keep(&[], &sets[0], &state)?;
    // At every call that touches the state directory.
    let paths: Vec<String> = ["", "last-good", "last-good.next"]
        .iter()
        .map(|name| state.join(name).to_string_lossy().trim_end_matches('/').to_owned())
        .collect();
    let (mut now, mut steps) = (1, 0);
    for call in ["openat", "write", "fsync", "?rename,?renameat,renameat2"] {
        for place in 1..=20 {
            let (next, trace) = (3 - now, folder.path().join("trace"));
            let trace_name = trace.to_string_lossy().into_owned();
            let (of, inject) = (format!("-etrace={call}"), format!("-einject={call}:signal=KILL:when={place}"));
            let mut by = vec!["strace", "-f", "-qq", "-o", &trace_name, &of, &inject];
            by.extend(paths.iter().flat_map(|path| ["-P", path.as_str()]));
            let (code, ..) = keep(&by, &sets[next - 1], &state)?;
            let kept = kept(&state)?;
            expect(format!("{call} {place}: version {kept:?}"), kept == Some(now) || kept == Some(next))?;
            now = kept.unwrap_or(now);
            if code.is_some() {
                expect(format!("{call} {place}: exit {code:?}"), code == Some(0))?;
                break;
            }
            steps += 1;
        }
    }
    expect(format!("killed at {steps} calls only"), steps >= 4)?;
    // At random: first how long a run takes, then ends within that.
    let start = Instant::now();
    for round in 0..4 {
        keep(&[], &sets[round % 2], &state)?;
    }
    let usual = u64::try_from((start.elapsed() / 4).as_micros())?.max(1_000);
    now = kept(&state)?.ok_or("nothing is kept")?;
    let mut random = fastrand::Rng::with_seed(66);
    let (count, mut swapped, mut between) = (times(60, 10_000), 0, 0);
    for round in 0..count {
        let next = 3 - now;
        drop(fs::remove_file(state.join("last-good.next")));
        let mut child = Command::new(TOOL)
            .args(["--rules", &sets[next - 1], "classify", "--input", "json", "--state"])
            .arg(&state)
            .env_remove("FAULTBOOK_RULES")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        thread::sleep(Duration::from_micros(random.u64(0..usual)));
        child.kill()?;
        child.wait()?;
        between += usize::from(state.join("last-good.next").exists());
        let kept = kept(&state).map_err(|failed| format!("round {round}: {}", failed.message().unwrap_or_default()))?;
        expect(format!("round {round}: version {kept:?}"), kept == Some(now) || kept == Some(next))?;
        swapped += usize::from(kept == Some(next));
        now = kept.unwrap_or(now);
    }
    Ok(format!(
        "killed at {steps} calls, and {count} times at random: {swapped} times the new set, else the old one; {between} \
         times with a half-written file beside it; never none"
    ))
}

fn bad_rules_at_the_start() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let (name, state) = (rules.to_string_lossy().into_owned(), folder.path().join("state"));
    keep(&[], &name, &state)?;
    fs::write(rules.join("exchange.toml"), "broken")?;
    let (code, out, said) = keep(&[], &name, &state)?;
    let is_served = code == Some(0) && out.contains("version 1.") && said.contains("starting with the last good ones");
    expect(format!("{code:?} {out} {said}"), is_served)?;
    let engine = open(&EngineOptions::new(&rules).state(&state))?;
    let status = engine.status();
    let is_told =
        status.source == RulesSource::LastGood && status.last_reload.is_some_and(|last| last.reason.is_some());
    expect("the status", is_told)?;
    drop(engine);
    let (code, out, said) = keep(&[], &name, &folder.path().join("empty"))?;
    expect(format!("{code:?} {out} {said}"), code == Some(2) && out.is_empty() && said.contains("exchange.toml"))?;
    let arguments = ["--rules", &name, "classify", "--allow-fallback-only", "--input", "json", "--format", "json"];
    let done = tool(&arguments, RECORD.as_bytes())?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let answer: Value = serde_json::from_slice(&done.stdout)?;
    expect(format!("{answer} {said}"), answer["code"] == "DSUNK001" && said.contains("every answer is DSUNK001"))?;
    // Once the rules load they are in force, and guarded from then on.
    let engine = EngineOptions::new(&rules).allow_fallback_only(true).wait_at_start(false).open()?;
    version_at(&rules, 2)?;
    expect(
        "the mended rules",
        matches!(engine.reload(), ReloadOutcome::Swapped { .. }) && version_of(&engine) == Some(2),
    )?;
    Ok("the last good set and a word about it; exit 2 with the reason; DSUNK001 alone and a word about it".to_owned())
}

fn other_formats() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let one = locked(folder.path(), 1)?;
    let state = folder.path().join("state");
    keep(&[], &one, &state)?;
    let file = state.join("last-good");
    let text = fs::read_to_string(&file)?;
    let body: Value = serde_json::from_str(text.split_once('\n').ok_or("no digest")?.1)?;
    let write = |body: &Value| -> Result<(), Failed> {
        use std::fmt::Write as _;
        let body = serde_json::to_string(body)?;
        let mut text = String::new();
        for byte in Sha256::digest(body.as_bytes()) {
            write!(text, "{byte:02x}")?;
        }
        Ok(fs::write(&file, format!("{text}\n{body}"))?)
    };
    write(&body)?;
    expect("a file that was written anew", kept(&state)? == Some(1))?;
    let mut other = body.clone();
    other["hint"] = "of a later version".into();
    other["faultbook"] = "0.0.1".into();
    write(&other)?;
    expect("an unknown key", kept(&state)? == Some(1))?;
    other["format"] = 2.into();
    write(&other)?;
    let (code, _, said) = keep(&[], &folder.path().join("nowhere").to_string_lossy(), &state)?;
    expect(format!("{code:?} {said}"), code == Some(2))?;
    let engine = open(&EngineOptions::new(&one).state(&state).wait_at_start(false))?;
    expect("good rules", engine.status().source == RulesSource::Directory && version_of(&engine) == Some(1))?;
    Ok("format 2 is refused, an unknown key is read over".to_owned())
}

fn shared_state() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let one = locked(folder.path(), 1)?;
    let (state, name) = (folder.path().join("state"), folder.path().join("state").to_string_lossy().into_owned());
    let mut first = Running::start(&[], &["--rules", &one, "classify", "--input", "json", "--state", &name])?;
    first.send(RECORD)?;
    first.wait_out("an answer", |line| line.contains("DSEX001").then_some(()))?;
    let (code, out, said) = keep_once(&[], &one, &state)?;
    let is_refused = code == Some(2) && out.is_empty() && said.contains("in use by another engine");
    expect(format!("{code:?} {out} {said}"), is_refused)?;
    first.send(RECORD)?;
    let answers = || first.out().iter().filter(|line| line.contains("DSEX001")).count();
    soon("a second answer", || Ok((answers() == 2).then_some(())))?;
    first.signal("KILL")?;
    first.wait()?;
    let (code, ..) = keep(&[], &one, &state)?;
    expect("the directory is not free again", code == Some(0))?;
    Ok("exit 2, \"in use by another engine\"; free after the first was killed".to_owned())
}

fn signal_and_reload() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let state = folder.path().join("state");
    let names = [&rules, &state].map(|path| path.to_string_lossy().into_owned());
    let mut random = fastrand::Rng::with_seed(70);
    let (count, mut slowest) = (times(6, 200), Duration::ZERO);
    for round in 0..count {
        let arguments = ["--rules", &names[0], "classify", "--watch", "--input", "json", "--state", &names[1]];
        let mut classify = Running::start(&[], &arguments)?;
        classify.send(RECORD)?;
        classify.wait_out("an answer", |line| line.contains("DSEX001").then_some(()))?;
        version_at(&rules, round + 2)?;
        classify.signal("HUP")?;
        thread::sleep(Duration::from_millis(random.u64(0..400)));
        let start = Instant::now();
        classify.signal("TERM")?;
        let code = classify.wait()?;
        slowest = slowest.max(start.elapsed());
        expect(format!("exit {code:?}: {}", classify.said()), code == Some(143))?;
        let kept = kept(&state)?;
        expect(format!("round {round}: version {kept:?}"), kept == Some(round + 1) || kept == Some(round + 2))?;
        version_at(&rules, round + 2)?;
        keep(&[], &names[0], &state)?;
    }
    Ok(format!("{count} times: ended within {}, the old or the new set kept", millis(slowest)))
}

fn no_memory() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let sets = [locked(folder.path(), 1)?, locked(folder.path(), 2)?];
    let state = folder.path().join("state");
    keep(&[], &sets[0], &state)?;
    let (mut ended, mut served) = (0, 0);
    for (number, mib) in [8, 12, 16, 18, 20, 22, 24, 26, 28, 32, 36, 40, 48, 64, 96, 400].into_iter().enumerate() {
        let limit = format!("--as={}", mib * 1024 * 1024);
        let (code, out, said) = keep(&["prlimit", &limit], &sets[number % 2], &state)?;
        match code {
            Some(0) => {
                expect(format!("{mib} MiB: {out} {said}"), out.contains("DSEX001"))?;
                served += 1;
            }
            _ => ended += 1,
        }
        let kept = kept(&state)?;
        expect(format!("{mib} MiB: version {kept:?} is kept"), kept.is_some())?;
    }
    let (code, out, _) = keep(&[], &sets[1], &state)?;
    expect("the next start", code == Some(0) && out.contains("version 2.") && served > 0 && ended > 0)?;
    Ok(format!("16 sizes: {served} served, {ended} ended; what is kept was whole each time"))
}
