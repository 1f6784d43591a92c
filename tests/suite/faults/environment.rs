//! Faults of the environment: whatever differs between machines must not make a difference.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::Failed;

use super::Fault;
use super::How::{Never, Trial};
use super::rig::{
    Bed, Need, Notice, RECORD, Running, TOOL, digest, expect, run, script, set_of, system, times, version_text,
    write_set,
};

pub const FAULTS: &[Fault] = &[
    Fault {
        id: "F103_locale_and_zone",
        what: "locale and time zone",
        injected: "tr_TR, az_AZ, C and none, in four zones, for five commands",
        expected: "the same bytes",
        how: Trial(&[], locale_and_zone),
    },
    Fault {
        id: "F104_directory_order",
        what: "the order of directories",
        injected: "one set written in 12 orders, on two file systems where there are two",
        expected: "the same digest and the same list",
        how: Trial(&[], directory_order),
    },
    Fault {
        id: "F105_threads",
        what: "the number of threads",
        injected: "1, 2, 8 and 64, with `RAYON_NUM_THREADS` and `TOKIO_WORKER_THREADS` set",
        expected: "the same bytes",
        how: Trial(&[], threads),
    },
    Fault {
        id: "F106_hash_seeds",
        what: "hash seeds",
        injected: "15 starts of three commands (long: 1,000)",
        expected: "the same bytes",
        how: Trial(&[], hash_seeds),
    },
    Fault {
        id: "F107_twin_names",
        what: "file systems that fold case or normalise names",
        injected: "twins by case and by accents beside each other, an ending in capital letters, as such file systems \
                   would show them (such a file system itself needs a device of its own)",
        expected: "refused by name: every file is listed by its exact name",
        how: Trial(&[], twin_names),
    },
    Fault {
        id: "F108_bare_surroundings",
        what: "no HOME, no /proc, no /tmp, a read-only root, closed standard streams",
        injected: "each of them",
        expected: "works, or says what is missing",
        how: Trial(&[Need::Mounts], bare_surroundings),
    },
    Fault {
        id: "F109",
        what: "Windows: line ends, drive paths, files held open by an editor",
        injected: "—",
        expected: "read again until it can be",
        how: Never("needs Windows; line ends and byte order marks are part of `limits/` and `lints/`"),
    },
];

/// A library that stands in front of the system's clock and readings.
pub fn in_front(folder: &Path) -> Result<PathBuf, Failed> {
    let source = crate::snapshot::root().join("tests/faults/in_front.c");
    let library = folder.join("in_front.so");
    system(
        folder,
        "cc",
        &["-shared", "-fPIC", "-O1", "-o", &library.to_string_lossy(), &source.to_string_lossy(), "-ldl"],
    )?;
    Ok(library)
}

/// Commands whose output is compared.
fn commands(rules: &str) -> [Vec<&str>; 5] {
    [
        vec!["--rules", rules, "classify", "--input", "json", "--format", "json"],
        vec!["--rules", rules, "classify", "--input", "json"],
        vec!["--rules", rules, "list"],
        vec!["--rules", rules, "explain", "DSEX101"],
        vec!["check", rules],
    ]
}

fn locale_and_zone() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    write_set(&rules, 10, 1)?;
    let name = rules.to_string_lossy().into_owned();
    let input = "{\"provider_codes\":[\"Event1\"]}\n{\"message\":\"TİMEOUT ı istanbul\"}\nbad\n";
    let mut compared = 0;
    for arguments in commands(&name) {
        let mut first = None;
        for (locale, zone) in
            [("C", "UTC"), ("tr_TR.UTF-8", "Pacific/Apia"), ("az_AZ.UTF-8", "Asia/Kolkata"), ("", "Europe/Berlin")]
        {
            let mut command = Command::new(TOOL);
            let done = run(
                command.args(&arguments).envs([("LC_ALL", locale), ("LANG", locale), ("TZ", zone)]),
                input.as_bytes(),
            )?;
            let seen = (done.stdout, done.stderr, done.status.code());
            expect(format!("{arguments:?} says nothing"), !seen.0.is_empty())?;
            expect(format!("{arguments:?} differs under {locale} {zone}"), *first.get_or_insert(seen.clone()) == seen)?;
            compared += 1;
        }
    }
    Ok(format!("{compared} outputs, the same in all locales and zones"))
}

fn directory_order() -> Result<String, Failed> {
    let mut folders = vec![tempfile::tempdir()?];
    folders.extend(tempfile::tempdir_in("/dev/shm").ok());
    let mut random = fastrand::Rng::with_seed(104);
    let mut first = None;
    let mut orders = 0;
    for folder in &folders {
        for round in 0..6 {
            let rules = folder.path().join(format!("rules{round}"));
            fs::create_dir(&rules)?;
            let mut set = set_of(20, 1);
            random.shuffle(&mut set);
            for (name, text) in set {
                // Names that come and go leave their traces in a directory.
                fs::write(rules.join(format!("{name}.tmp")), &text)?;
                fs::rename(rules.join(format!("{name}.tmp")), rules.join(&name))?;
            }
            let list = run(Command::new(TOOL).arg("--rules").arg(&rules).arg("list"), b"")?;
            let seen = (digest(&rules)?, list.stdout);
            expect("another order gives other rules", *first.get_or_insert(seen.clone()) == seen)?;
            orders += 1;
        }
    }
    Ok(format!("{orders} orders on {} file systems: one digest, one list", folders.len()))
}

fn threads() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    write_set(folder.path(), 10, 1)?;
    let name = folder.path().to_string_lossy().into_owned();
    let mut input = String::new();
    for id in 0..2_000 {
        use std::fmt::Write as _;
        let _ = writeln!(input, "{{\"id\":\"{id}\",\"provider_codes\":[\"Event{}\"]}}", id % 13);
    }
    let mut first = None;
    for threads in ["1", "2", "8", "64"] {
        let mut command = Command::new(TOOL);
        command.args(&commands(&name)[0]).args(["--threads", threads]);
        let done =
            run(command.envs([("RAYON_NUM_THREADS", threads), ("TOKIO_WORKER_THREADS", threads)]), input.as_bytes())?;
        expect("answers are lost", String::from_utf8_lossy(&done.stdout).lines().count() == 2_000)?;
        expect(format!("{threads} threads differ"), *first.get_or_insert(done.stdout.clone()) == done.stdout)?;
    }
    Ok("2,000 answers, the same bytes with each".to_owned())
}

fn hash_seeds() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    write_set(folder.path(), 10, 1)?;
    // Findings in several files have an order as well.
    fs::write(folder.path().join("a.toml"), "format = 1\n")?;
    fs::write(folder.path().join("b.toml"), "format = 1\n")?;
    let name = folder.path().to_string_lossy().into_owned();
    let commands = [vec!["check", &name], vec!["list"], vec!["classify", "--input", "json", "--format", "json"]];
    let count = times(15, 1_000);
    for arguments in &commands {
        let mut first = None;
        for round in 0..count {
            let done = run(Command::new(TOOL).args(arguments), RECORD.as_bytes())?;
            let seen = (done.stdout, done.stderr);
            expect(format!("start {round} of {arguments:?} differs"), *first.get_or_insert(seen.clone()) == seen)?;
        }
    }
    Ok(format!("{count} starts of each, the same bytes"))
}

fn twin_names() -> Result<String, Failed> {
    let bed = Bed::new(Notice::Scan)?;
    let twins = ["Exchange.toml", "caf\u{e9}.toml", "cafe\u{301}.toml", "shared.TOML"];
    for twin in twins {
        fs::write(bed.rules.join(twin), version_text(2)?)?;
    }
    let report = bed.refused(1, "file-not-listed")?;
    for words in ["Exchange.toml", "`shared.TOML` does not end in `.toml`, in small letters"] {
        expect(format!("nothing says {words}: {report}"), report.contains(words))?;
    }
    let accents = report.matches("caf").count();
    expect(format!("{accents} of two names with accents"), accents >= 2)?;
    for twin in twins {
        fs::remove_file(bed.rules.join(twin))?;
    }
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok("all four refused by name".to_owned())
}

fn bare_surroundings() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("record"), RECORD)?;
    super::rig::version_at(&folder.path().join("rules"), 1)?;
    let classify = format!("{TOOL} --rules rules classify --input json --format json");
    let usual = script(folder.path(), &format!("{classify} < record"))?;
    expect(usual.clone(), usual.contains("version 1."))?;
    let bare = script(folder.path(), &format!("env -i {classify} < record"))?;
    expect("no environment", bare == usual)?;
    // Files that are opened later must not get the numbers of the standard streams.
    let closed = script(folder.path(), &format!("{classify} < record 2>&- > out && cat out"))?;
    expect("no standard error", closed == usual)?;
    let done = Command::new("sh").current_dir(folder.path()).args(["-c", &format!("{classify} <&-")]).output()?;
    let said = String::from_utf8_lossy(&done.stderr);
    expect(format!("no input: {said}"), done.status.code() == Some(0) && said.contains("no failures in the input"))?;
    let done =
        Command::new("sh").current_dir(folder.path()).args(["-c", &format!("{classify} < record >&-")]).output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    expect(format!("no output: {:?} {said}", done.status), done.status.code().is_some() && !said.contains("panicked"))?;
    let mut command = Command::new("sh");
    let done = command.current_dir(folder.path()).args(["-c", &format!("{classify} <&- >&- 2>&-")]).output()?;
    expect(format!("no streams: {:?}", done.status), done.status.code().is_some())?;
    let digests = script(folder.path(), "sha256sum rules/*.toml record")?;
    // Nothing but the rules and the tool itself.
    let mut shell = Running::shell()?;
    shell.run(&format!("cd '{}'", folder.path().display()))?;
    shell.run("mount -t tmpfs none /proc")?;
    shell.run(&format!("{classify} < record > no_proc && env -u HOME {classify} < record > no_home"))?;
    shell.run("mkdir away && mount --rbind / away && mount -o remount,bind,ro away")?;
    shell.run(&format!("env TMPDIR=/nowhere {classify} < record > no_tmp"))?;
    let read_only = format!(
        "chroot away sh -c 'cd \"{}\" && ! touch x 2>/dev/null && {classify} < record'",
        folder.path().display()
    );
    shell.run(&format!("{read_only} > read_only"))?;
    for name in ["no_proc", "no_home", "no_tmp", "read_only"] {
        let seen = fs::read_to_string(folder.path().join(name))?;
        expect(format!("{name}: {seen}"), seen == usual)?;
    }
    expect("files were written to", script(folder.path(), "sha256sum rules/*.toml record")? == digests)?;
    Ok("the same answer without environment, HOME, /proc and a place for temporary files, and on a read-only root; closed \
        streams are refused or ignored without a panic".to_owned())
}
