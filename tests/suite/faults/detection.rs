//! Faults of noticing: changes that make no event, the wrong event, too many of them, or come at the worst moment.

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use faultbook::{ReloadOutcome, WatchEvent, WatchMode, WatchOptions, Watcher};
use libtest_mimic::Failed;

use super::How::Trial;
use super::rig::{
    Bed, Need, Notice, RECORD, Running, TOOL, both, digest, digest_of, expect, is_long, millis, notices, quick, run,
    script, soon, system, times, together, version_at, version_of, version_text,
};
use super::{Fault, environment};

pub const FAULTS: &[Fault] = &[
    Fault {
        id: "F01_saved_by_rename",
        what: "an editor saves by renaming a new file over the old one",
        injected: "`mv r.tmp r.toml`, three times",
        expected: "every version is taken up",
        how: Trial(&[], || both(saved_by_rename)),
    },
    Fault {
        id: "F02_vim",
        what: "vim saves with backup and swap files",
        injected: "vim with `backupcopy=no` and `=yes`, backups left behind",
        expected: "one swap for each save, leftovers are never read",
        how: Trial(&[Need::Tool("vim")], || both(vim)),
    },
    Fault {
        id: "F03_config_map",
        what: "a ConfigMap is swapped",
        injected: "`..data` is pointed at a new folder, the old one is removed",
        expected: "the new set, by one swap and nothing else",
        how: Trial(&[], || notices(config_map)),
    },
    Fault {
        id: "F04_config_map_while_read",
        what: "the old folder of a ConfigMap goes while it is read",
        injected: "40 swaps in a row while an engine reads",
        expected: "never a mixed set, the last one at rest",
        how: Trial(&[], config_map_while_read),
    },
    Fault {
        id: "F05_directory_gone",
        what: "the rules directory is deleted and comes back",
        injected: "`rm -r`, later another version",
        expected: "stays while it is gone and says so; back without a restart",
        how: Trial(&[], || both(directory_gone)),
    },
    Fault {
        id: "F06_directory_swapped",
        what: "another directory takes the name",
        injected: "`mv d d.old; mv d.new d`, then an edit in `d.old`",
        expected: "the new directory is in force, edits of the old one do nothing, those of the new one do",
        how: Trial(&[], || both(directory_swapped)),
    },
    Fault {
        id: "F07_link_repointed",
        what: "the rules path is a link that is pointed elsewhere",
        injected: "`ln -sfn s2 cur`",
        expected: "the new target within a scan, and edits in it",
        how: Trial(&[], || notices(link_repointed)),
    },
    Fault {
        id: "F08_no_events",
        what: "a mount that makes no events",
        injected: "`inotify_add_watch` succeeds and watches nothing, as on a network file system",
        expected: "taken up by the scan although events are thought to come",
        how: Trial(&[Need::Strace], no_events),
    },
    Fault {
        id: "F09_file_mount",
        what: "a mount of a single file holds on to the old file",
        injected: "`mount --bind host in; mv new host`",
        expected: "cannot be seen; the status names the digest that is in force, so that it can be compared (there is no \
                   command that looks for such mounts); taken up when the mount goes",
        how: Trial(&[Need::Mounts], file_mount),
    },
    Fault {
        id: "F10_unmounted",
        what: "the file system goes from under the watch",
        injected: "`umount -l`, later mounted again",
        expected: "stays, and comes back",
        how: Trial(&[Need::Mounts], unmounted),
    },
    Fault {
        id: "F11_mounted_over",
        what: "another mount covers the directory, and turns read-only",
        injected: "`mount --bind other d`, `mount -o remount,ro`",
        expected: "what stands under the path is in force; read-only changes nothing",
        how: Trial(&[Need::Mounts], mounted_over),
    },
    Fault {
        id: "F12_no_instances",
        what: "no inotify instances left",
        injected: "`max_inotify_instances` is 0",
        expected: "starts, scans, says so once",
        how: Trial(&[Need::Mounts], || inotify_limit("max_inotify_instances", "Too many open files")),
    },
    Fault {
        id: "F13_no_watches",
        what: "no inotify watches left",
        injected: "`max_inotify_watches` is 0",
        expected: "starts, scans, says so once",
        how: Trial(&[Need::Mounts], || inotify_limit("max_inotify_watches", "limit")),
    },
    Fault {
        id: "F14_no_watch_for_a_new_folder",
        what: "the limit of watches is reached later",
        injected: "one watch is left, then a folder with rules is made",
        expected: "the folder is found, and edits in it, by the scan (the status goes on to say `events`: hints for the \
                   folder are missing, nothing else)",
        how: Trial(&[Need::Mounts], no_watch_for_a_new_folder),
    },
    Fault {
        id: "F15_no_inotify",
        what: "inotify is not there",
        injected: "`inotify_init1` gives ENOSYS",
        expected: "starts, scans, says so once",
        how: Trial(&[Need::Strace], || scans("-einject=inotify_init1:error=ENOSYS")),
    },
    Fault {
        id: "F16_queue_overflow",
        what: "the queue of events overflows",
        injected: "40,000 events while the process is stopped, the change behind them",
        expected: "the change is taken up",
        how: Trial(&[], queue_overflow),
    },
    Fault {
        id: "F17_event_storm",
        what: "a storm of events",
        injected: "20,000 files are made, renamed and removed beside the rules",
        expected: "no reload, less than 10 MiB more memory, a change afterwards is taken up (what answers cost meanwhile \
                   is measured by the benchmarks)",
        how: Trial(&[], event_storm),
    },
    Fault {
        id: "F18_own_reads",
        what: "reading the rules makes events",
        injected: "watching with events, nothing changes, for 4 s (long: 10 min)",
        expected: "no reload, and no more than one reading a second",
        how: Trial(&[Need::Strace], own_reads),
    },
    Fault {
        id: "F19_event_thread_dies",
        what: "the thread of the events dies",
        injected: "`epoll_wait` gives EBADF the third time",
        expected: "noticed, scans, no abort",
        how: Trial(&[Need::Strace], || scans("-einject=?epoll_wait,epoll_pwait:error=EBADF:when=3")),
    },
    Fault {
        id: "F20_observer_panics",
        what: "a panic while an event is handled",
        injected: "the observer of the watch panics (the handler of the system's events only sets a flag)",
        expected: "changes go on to be taken up",
        how: Trial(&[], observer_panics),
    },
    Fault {
        id: "F21_no_threads",
        what: "threads cannot be started",
        injected: "`clone3` gives EAGAIN, for each thread in turn",
        expected: "a clear error or a scan, never an abort or a panic",
        how: Trial(&[Need::Strace], no_threads),
    },
    Fault {
        id: "F22_observer_blocks",
        what: "the handler waits for a full channel, or ends the watch itself",
        injected: "an observer that blocks; one that drops its own watcher",
        expected: "answers, status and reloads go on; taken up when it ends; no deadlock",
        how: Trial(&[], observer_blocks),
    },
    Fault {
        id: "F23_time_goes_backwards",
        what: "a file with an older time takes the place",
        injected: "`touch -d 2001-01-01 t; mv t r.toml`",
        expected: "taken up",
        how: Trial(&[], || {
            both(|bed| same_place(bed, Some(SystemTime::UNIX_EPOCH + Duration::from_secs(978_307_200))))
        }),
    },
    Fault {
        id: "F24_same_size_and_time",
        what: "other content with the same size and time",
        injected: "`touch -r r.toml t; mv t r.toml`",
        expected: "taken up",
        how: Trial(&[], || both(|bed| same_place(bed, None))),
    },
    Fault {
        id: "F25_clock_jumps",
        what: "the clock jumps",
        injected: "ten years forth and back, by a library in front of the system's clock",
        expected: "no reload by itself, no stall",
        how: Trial(&[Need::Compiler], clock_jumps),
    },
    Fault {
        id: "F26_memory_mapped_write",
        what: "a write through mapped memory",
        injected: "`mmap` in Python, which makes no event of a change",
        expected: "taken up by the scan",
        how: Trial(&[Need::Tool("python3")], || both(memory_mapped_write)),
    },
    Fault {
        id: "F27_hard_link",
        what: "a write through another name",
        injected: "`ln r.toml ../q/alias; echo > ../q/alias`",
        expected: "taken up by the scan",
        how: Trial(&[], || both(hard_link)),
    },
    Fault {
        id: "F28_change_while_loading",
        what: "a change comes while another one is loaded",
        injected: "two changes with a random pause of 0 to 30 ms, 30 times (long: 1,000)",
        expected: "the newest set is in force at rest, each time",
        how: Trial(&[], change_while_loading),
    },
    Fault {
        id: "F29_change_before_the_watch",
        what: "a change between the first load and the watch",
        injected: "a write before, or 0 to 20 ms after, the watch is started, 20 times",
        expected: "taken up, each time",
        how: Trial(&[], change_before_the_watch),
    },
    Fault {
        id: "F30_moved_in",
        what: "a file is only moved in",
        injected: "`mv ../more.toml rules/`",
        expected: "taken up",
        how: Trial(&[], || both(moved_in)),
    },
    Fault {
        id: "F31_overlay",
        what: "an overlay: copies on write, writes behind its back",
        injected: "a write to the merged directory, then one to its upper layer",
        expected: "both are taken up",
        how: Trial(&[Need::Mounts], overlay),
    },
    Fault {
        id: "F32_there_and_back",
        what: "A, B, A again",
        injected: "both writes at once",
        expected: "A is in force; a set that was taken up between has a number of its own",
        how: Trial(&[], || both(there_and_back)),
    },
    Fault {
        id: "F33_never_quiet",
        what: "a writer that never goes quiet",
        injected: "a line every 20 ms for 4 s (long: 10 min)",
        expected: "stays, an attempt ends after 2 s each time and says how long it has been like that; taken up at the \
                   end",
        how: Trial(&[], never_quiet),
    },
    Fault {
        id: "F34_touched",
        what: "files are touched, nothing else",
        injected: "`touch rules/*`",
        expected: "no reload",
        how: Trial(&[], || both(touched)),
    },
    Fault {
        id: "F35_everybody_asks",
        what: "1,000 requests to reload at once",
        injected: "1,000 SIGHUPs to a tool, 400 calls by 8 threads, and changes all the time",
        expected: "one load at a time, few loads, every answer is about a set no older than the question",
        how: Trial(&[], everybody_asks),
    },
    Fault {
        id: "F36_other_files",
        what: "files of other kinds",
        injected: "README, `.git/`, a socket, backups, a folder of texts",
        expected: "ignored",
        how: Trial(&[], || both(other_files)),
    },
];

fn saved_by_rename(bed: &Bed) -> Result<String, Failed> {
    let mut slowest = Duration::ZERO;
    for version in 2..=4 {
        save(bed, version)?;
        slowest = slowest.max(bed.wait_for(version)?);
    }
    Ok(format!("each of three within {}", millis(slowest)))
}

/// Saves as editors do: another file takes the place.
fn save(bed: &Bed, version: usize) -> Result<(), Failed> {
    fs::write(bed.rules.join("r.tmp"), version_text(version)?)?;
    Ok(fs::rename(bed.rules.join("r.tmp"), bed.rules.join("exchange.toml"))?)
}

fn vim(bed: &Bed) -> Result<String, Failed> {
    for (version, copy) in [(2, "no"), (3, "yes")] {
        let set = format!("set backup writebackup backupskip= backupcopy={copy} swapfile");
        let replace = format!("%s/version {}/version {version}/", version - 1);
        let file = bed.rules.join("exchange.toml");
        system(
            bed.folder.path(),
            "vim",
            &["-u", "NONE", "-es", "-c", &set, "-c", &replace, "-c", "wq", &file.to_string_lossy()],
        )?;
        bed.wait_for(version)?;
    }
    expect("vim left no backup behind", bed.rules.join("exchange.toml~").is_file())?;
    fs::write(bed.rules.join(".exchange.toml.swp"), "b0VIM 9.0")?;
    fs::write(bed.rules.join("4913"), "")?;
    bed.stays(3, Duration::from_millis(700))?;
    let swapped = bed.count("swapped");
    expect(format!("{swapped} swaps for two saves"), swapped == 2)?;
    Ok(format!("2 swaps, {} refused", bed.count("rejected")))
}

/// Lays a directory out as mounted configuration maps are.
fn lay_config_map(folder: &Path) -> Result<std::path::PathBuf, Failed> {
    let rules = folder.join("rules");
    fs::create_dir(&rules)?;
    version_at(&rules.join("..v1"), 1)?;
    symlink("..v1", rules.join("..data"))?;
    for name in ["faultbook.toml", "ledger.toml", "exchange.toml", "shared.toml"] {
        symlink(format!("..data/{name}"), rules.join(name))?;
    }
    Ok(rules)
}

fn swap_config_map(rules: &Path, version: usize) -> Result<(), Failed> {
    version_at(&rules.join(format!("..v{version}")), version)?;
    // Both files of the set name the version.
    let shared = fs::read_to_string(rules.join(format!("..v{version}/shared.toml")))?;
    let shared = shared.replace("meaning =", &format!("message = \"version {version}.\"\nmeaning ="));
    fs::write(rules.join(format!("..v{version}/shared.toml")), shared)?;
    symlink(format!("..v{version}"), rules.join("..data_tmp"))?;
    fs::rename(rules.join("..data_tmp"), rules.join("..data"))?;
    Ok(fs::remove_dir_all(rules.join(format!("..v{}", version - 1)))?)
}

fn config_map(notice: Notice) -> Result<String, Failed> {
    let bed = Bed::with(notice, lay_config_map)?;
    swap_config_map(&bed.rules, 2)?;
    let time = bed.wait_for(2)?;
    bed.stays(2, Duration::from_millis(700))?;
    let outcomes: Vec<_> = bed.outcomes().iter().map(ReloadOutcome::as_str).collect();
    expect(format!("{outcomes:?}"), outcomes == ["swapped"])?;
    Ok(format!("one swap after {}", millis(time)))
}

fn config_map_while_read() -> Result<String, Failed> {
    let bed = Bed::with(Notice::Events, lay_config_map)?;
    let unknown = faultbook::Failure { provider_codes: vec!["Nobody".into()], ..faultbook::Failure::default() };
    let whole = |generation: &faultbook::Generation| {
        let (known, unknown) =
            (generation.classify(&super::rig::failure()).message, generation.classify(&unknown).message);
        let versions = (super::rig::version_in(&known), super::rig::version_in(&unknown));
        expect(format!("a mixed set: {versions:?}"), generation.number() == 1 || versions.0 == versions.1)
    };
    let mut random = fastrand::Rng::with_seed(4);
    for version in 2..42 {
        swap_config_map(&bed.rules, version)?;
        let until = Instant::now() + Duration::from_millis(random.u64(0..90));
        while Instant::now() < until {
            whole(&bed.engine.current())?;
            thread::sleep(Duration::from_millis(1));
        }
    }
    bed.wait_for(41)?;
    whole(&bed.engine.current())?;
    Ok(format!("{} swaps, {} refused, none mixed", bed.count("swapped"), bed.count("rejected")))
}

fn directory_gone(bed: &Bed) -> Result<String, Failed> {
    fs::remove_dir_all(&bed.rules)?;
    bed.refused(1, "cannot read the rules directory")?;
    soon("the status says why", || {
        let reason = bed.engine.status().last_reload.and_then(|last| last.reason).unwrap_or_default();
        Ok(reason.contains("cannot read the rules directory").then_some(()))
    })?;
    bed.stays(1, Duration::from_millis(700))?;
    // Said once, not again and again.
    let refused = bed.count("rejected");
    expect(format!("{refused} refusals"), refused <= 3)?;
    version_at(&bed.rules, 2)?;
    let back = bed.wait_for(2)?;
    fs::write(bed.rules.join("exchange.toml"), version_text(3)?)?;
    let next = bed.wait_for(3)?;
    Ok(format!("stayed, back after {}, the next change after {}", millis(back), millis(next)))
}

fn directory_swapped(bed: &Bed) -> Result<String, Failed> {
    let (old, new) = (bed.folder.path().join("d.old"), bed.folder.path().join("d.new"));
    version_at(&new, 2)?;
    fs::rename(&bed.rules, &old)?;
    fs::rename(&new, &bed.rules)?;
    let time = bed.wait_for(2)?;
    let before = bed.outcomes().len();
    fs::write(old.join("exchange.toml"), version_text(3)?)?;
    bed.stays(2, Duration::from_millis(700))?;
    expect("an edit of the old directory is loaded", bed.outcomes().len() == before)?;
    bed.write_version(4)?;
    let next = bed.wait_for(4)?;
    Ok(format!("the new directory after {}, an edit in it after {}", millis(time), millis(next)))
}

fn link_repointed(notice: Notice) -> Result<String, Failed> {
    let bed = Bed::with(notice, |folder| {
        version_at(&folder.join("s1"), 1)?;
        version_at(&folder.join("s2"), 2)?;
        symlink("s1", folder.join("cur"))?;
        Ok(folder.join("cur"))
    })?;
    script(bed.folder.path(), "ln -sfn s2 cur")?;
    let time = bed.wait_for(2)?;
    fs::write(bed.folder.path().join("s1/exchange.toml"), version_text(3)?)?;
    bed.stays(2, Duration::from_millis(500))?;
    fs::write(bed.folder.path().join("s2/exchange.toml"), version_text(4)?)?;
    let next = bed.wait_for(4)?;
    Ok(format!("after {}, an edit in it after {}", millis(time), millis(next)))
}

/// Rules with version 1 for a tool.
fn laid() -> Result<(tempfile::TempDir, std::path::PathBuf), Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    Ok((folder, rules))
}

fn no_events() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    // The call is not made, and says that it was: the thread waits for events that never come.
    let watch = Running::watch(&["strace", "-f", "-qq", "-o/dev/null", "-einject=inotify_add_watch:retval=1"], &rules)?;
    watch.wait_status("events", |status| status["watch"] == "events")?;
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    let time = watch.wait_for(&digest_of(2)?)?;
    let last = watch.wait_status("still", |status| status["watch"] == "events")?;
    expect("another way than the scan", last["watch"] == "events")?;
    Ok(format!("taken up after {} while `watch` is `events`", millis(time)))
}

/// A shell with mounts of its own, and a folder for it with version 1 in `host` and the other versions beside it.
fn mounts() -> Result<(Running, tempfile::TempDir), Failed> {
    let folder = tempfile::tempdir()?;
    for version in 1..=3 {
        version_at(&folder.path().join(format!("v{version}")), version)?;
    }
    fs::create_dir(folder.path().join("rules"))?;
    let mut shell = Running::shell()?;
    shell.run(&format!("cd '{}'", folder.path().display()))?;
    Ok((shell, folder))
}

const WATCH: &str = concat!(env!("CARGO_BIN_EXE_faultbook"), " watch rules --format json &");

fn file_mount() -> Result<String, Failed> {
    let (mut shell, folder) = mounts()?;
    shell.run("cp v1/*.toml rules && cp v1/exchange.toml host.toml && mount --bind host.toml rules/exchange.toml")?;
    shell.run(WATCH)?;
    shell.wait_for(&digest_of(1)?)?;
    shell.run("cp v2/exchange.toml new.toml && mv new.toml host.toml")?;
    thread::sleep(Duration::from_millis(1_800));
    let status = shell.wait_status("a status", |_| true)?;
    expect("the status does not name what is in force", status["ruleset"] == *digest_of(1)?)?;
    expect("nothing to compare", digest(&folder.path().join("v2"))? == digest_of(2)?)?;
    shell.run("umount rules/exchange.toml && cp host.toml rules/exchange.toml")?;
    let time = shell.wait_for(&digest_of(2)?)?;
    Ok(format!(
        "not seen for 1.8 s, the digest in the status stays that of the old file; taken up {} after the mount went",
        millis(time)
    ))
}

fn unmounted() -> Result<String, Failed> {
    let (mut shell, _folder) = mounts()?;
    shell.run("mount -t tmpfs none rules && cp v1/*.toml rules")?;
    shell.run(WATCH)?;
    shell.wait_for(&digest_of(1)?)?;
    shell.wait_status("events or not", |status| status["watch"] != "off")?;
    shell.run("umount -l rules")?;
    shell.wait_status("a refusal", |status| status["last_reload"]["outcome"] == "rejected")?;
    shell.wait_for(&digest_of(1)?)?;
    shell.run("mount -t tmpfs none rules && cp v2/*.toml rules")?;
    let time = shell.wait_for(&digest_of(2)?)?;
    shell.run("cp v3/*.toml rules")?;
    let next = shell.wait_for(&digest_of(3)?)?;
    Ok(format!("stayed; back after {}, the next change after {}", millis(time), millis(next)))
}

fn mounted_over() -> Result<String, Failed> {
    let (mut shell, _folder) = mounts()?;
    shell.run("cp v1/*.toml rules")?;
    shell.run(WATCH)?;
    shell.wait_for(&digest_of(1)?)?;
    shell.run("cp -r v2 other && mount --bind other rules")?;
    let time = shell.wait_for(&digest_of(2)?)?;
    shell.run("mount -o remount,bind,ro rules")?;
    shell.run("! touch rules/x 2>/dev/null")?;
    let before = shell.statuses().len();
    thread::sleep(Duration::from_millis(1_500));
    let due = digest_of(2)?;
    let is_same = shell.statuses()[before..].iter().all(|status| status["ruleset"] == *due);
    expect("a read-only mount changes the rules", is_same)?;
    shell.run("cp v3/*.toml other")?;
    let next = shell.wait_for(&digest_of(3)?)?;
    Ok(format!("taken up after {}, a write beneath the read-only mount after {}", millis(time), millis(next)))
}

fn inotify_limit(limit: &str, words: &str) -> Result<String, Failed> {
    let (mut shell, folder) = mounts()?;
    shell.run(&format!("echo 0 > /proc/sys/user/{limit}"))?;
    shell.run("cp v1/*.toml rules")?;
    shell.run(WATCH)?;
    let status = shell.wait_status("the scan", |status| status["watch"] == "scan")?;
    expect("another set", status["ruleset"] == *digest_of(1)?)?;
    shell.run("cp v2/*.toml rules")?;
    let time = shell.wait_for(&digest_of(2)?)?;
    let scans = shell.statuses().iter().filter(|status| status["watch"] == "events").count();
    expect("it says that events are used", scans == 0)?;
    // Text for people says why.
    shell.run(&format!("timeout 1.5 {TOOL} watch rules > said.txt 2>&1; true"))?;
    let said = fs::read_to_string(folder.path().join("said.txt"))?;
    let times = said.matches("no file events").count();
    expect(format!("said {times} times: {said}"), times == 1 && said.contains(words))?;
    let why = said.lines().find(|line| line.contains("no file events")).unwrap_or_default();
    let why = why.rsplit("second: ").next().unwrap_or_default();
    Ok(format!("scan, \"{why}\" said once, a change taken up after {}", millis(time)))
}

fn no_watch_for_a_new_folder() -> Result<String, Failed> {
    let (mut shell, folder) = mounts()?;
    shell.run("cp v1/*.toml rules")?;
    shell.run("echo 1 > /proc/sys/user/max_inotify_watches")?;
    shell.run(WATCH)?;
    shell.wait_status("events", |status| status["watch"] == "events")?;
    let rules = folder.path().join("rules");
    fs::create_dir(rules.join("sub"))?;
    fs::write(rules.join("sub/more.toml"), MORE)?;
    let manifest = fs::read_to_string(rules.join("faultbook.toml"))?;
    fs::write(rules.join("faultbook.toml"), manifest.replace("\"shared.toml\"", "\"shared.toml\", \"sub/more.toml\""))?;
    let with_folder = digest(&rules)?;
    let time = shell.wait_for(&with_folder)?;
    fs::write(rules.join("sub/more.toml"), MORE.replace("ErrorMore", "ErrorMuchMore"))?;
    let next = shell.wait_for(&digest(&rules)?)?;
    Ok(format!("found after {}, an edit in it after {}", millis(time), millis(next)))
}

/// A file with one more rule.
const MORE: &str = "format = 1\n\n[[rules]]\nid = \"more\"\ncode = \"DSEX021\"\nwhen.provider_code = \"ErrorMore\"\n\
                    examples = [{ failure = { provider_codes = [\"ErrorMore\"] } }]\n";

/// With a fault in system calls: events are given up, changes are taken up all the same, and the process lives.
fn scans(inject: &str) -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let mut watch = Running::watch(&["strace", "-f", "-qq", "-o/dev/null", inject], &rules)?;
    // A thread that dies is noticed when something happens.
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    let start = Instant::now();
    watch.wait_for(&digest_of(2)?)?;
    watch.wait_status("the scan", |status| status["watch"] == "scan")?;
    let noticed = start.elapsed();
    fs::write(rules.join("exchange.toml"), version_text(3)?)?;
    let time = watch.wait_for(&digest_of(3)?)?;
    expect("it has died", watch.is_alive()?)?;
    let panics = watch.said().matches("aborting").count();
    expect(watch.said(), panics == 0)?;
    Ok(format!("`watch` is `scan` after {}, a change taken up after {}", millis(noticed), millis(time)))
}

fn queue_overflow() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let watch = Running::watch(&[], &rules)?;
    watch.wait_status("events", |status| status["watch"] == "events")?;
    watch.signal("STOP")?;
    // Two events each, other names in turn so that they are not taken for one.
    for number in 0..20_000 {
        fs::write(rules.join(if number % 2 == 0 { "a.txt" } else { "b.txt" }), "")?;
    }
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    watch.signal("CONT")?;
    let time = watch.wait_for(&digest_of(2)?)?;
    let status = watch.wait_status("still listening", |status| status["watch"] == "events")?;
    expect("another generation", status["generation"] == 2)?;
    Ok(format!("taken up {} after it went on", millis(time)))
}

fn event_storm() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let watch = Running::watch(&[], &rules)?;
    watch.wait_status("events", |status| status["watch"] == "events")?;
    let before = (watch.memory("VmRSS")?, watch.statuses().len());
    for _ in 0..20_000 {
        fs::write(rules.join("x.tmp"), "")?;
        fs::rename(rules.join("x.tmp"), rules.join("y.tmp"))?;
        fs::remove_file(rules.join("y.tmp"))?;
    }
    let after = (watch.memory("VmRSS")?, watch.statuses().len());
    expect(format!("{} lines in the storm", after.1 - before.1), after.1 == before.1)?;
    let growth = after.0.saturating_sub(before.0);
    expect(format!("{growth} KiB more memory"), growth < 10 * 1024)?;
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    let time = watch.wait_for(&digest_of(2)?)?;
    Ok(format!("60,000 changes: no reload, {growth} KiB more; a change afterwards after {}", millis(time)))
}

fn own_reads() -> Result<String, Failed> {
    let (folder, rules) = laid()?;
    let trace = folder.path().join("trace");
    let by = ["strace", "-f", "-qq", "-etrace=openat", &format!("-o{}", trace.display())].map(str::to_owned);
    let by: Vec<&str> = by.iter().map(String::as_str).collect();
    let watch = Running::watch(&by, &rules)?;
    watch.wait_status("events", |status| status["watch"] == "events")?;
    let reads = || -> Result<usize, Failed> { Ok(fs::read_to_string(&trace)?.matches("exchange.toml\"").count()) };
    let (before, seen) = (reads()?, watch.statuses().len());
    let seconds = if is_long() { 600 } else { 4 };
    thread::sleep(Duration::from_secs(seconds));
    let (reads, reloads) = (reads()? - before, watch.statuses().len() - seen);
    let most = usize::try_from(seconds)? + 3;
    expect(format!("{reads} readings and {reloads} reloads in {seconds} s"), reads <= most && reloads == 0)?;
    expect("nothing was read at all", reads > 0)?;
    Ok(format!("{seconds} s: {reads} readings, no reload"))
}

fn observer_panics() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let engine = Arc::new(quick(&rules).open()?);
    let told = Arc::new(AtomicUsize::new(0));
    let telling = Arc::clone(&told);
    let options = WatchOptions::default().period(Duration::from_millis(300));
    let _watcher = Watcher::spawn(Arc::clone(&engine), options, move |event| {
        telling.fetch_add(1, Ordering::SeqCst);
        if matches!(event, WatchEvent::Reloaded(_)) {
            // As a panic, without its text on the screen.
            std::panic::resume_unwind(Box::new(()));
        }
    })?;
    for version in 2..=3 {
        fs::write(rules.join("exchange.toml"), version_text(version)?)?;
        soon("the version", || Ok((version_of(&engine) == Some(version)).then_some(())))?;
    }
    expect("it was never told", told.load(Ordering::SeqCst) > 0)?;
    expect("the watch has ended", engine.status().watch != WatchMode::Off)?;
    Ok("two changes taken up, the first of them with the panic".to_owned())
}

fn no_threads() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    // Enough patterns to be compiled by several threads.
    let mut text = version_text(1)?;
    for number in 0..200 {
        use std::fmt::Write as _;
        let _ = write!(
            text,
            "\n[[rules]]\nid = \"p{number}\"\ncode = \"DSEX021\"\nwhen.message = 'word{number} [a-z]+'\n\
             examples = [{{ failure = {{ message = \"word{number} end\" }} }}]\n"
        );
    }
    fs::write(rules.join("exchange.toml"), text)?;
    let rules = rules.to_string_lossy().into_owned();
    let served = together(1..=6, |number| without_thread(number, &rules))?;
    let count = served.iter().filter(|served| **served).count();
    Ok(format!("six threads in turn: {count} served all the same, {} ended with exit 2 and a reason", 6 - count))
}

/// Runs without one of the threads; whether failures were answered all the same.
fn without_thread(number: usize, rules: &str) -> Result<bool, Failed> {
    let inject = format!("-einject=clone3,clone:error=EAGAIN:when={number}");
    let by = ["strace", "-f", "-qq", "-o/dev/null", &inject, TOOL];
    let arguments = ["--rules", rules, "classify", "--watch", "--threads", "2", "--input", "json"];
    let mut command = Command::new(by[0]);
    let done = run(command.args(&by[1..]).args(arguments).args(["--format", "json"]), RECORD.as_bytes())?;
    let (out, said) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    expect(format!("thread {number}: {said}"), !said.contains("panicked") && !said.contains("internal error"))?;
    let is_clear = match done.status.code() {
        Some(0) => out.contains("DSEX001"),
        Some(2) => said.contains("thread"),
        _ => false,
    };
    expect(format!("thread {number}: {:?}: {out} {said}", done.status), is_clear)?;
    let is_served = done.status.success();
    let mut command = Command::new("timeout");
    let done = run(command.args(["3"]).args(by).args(["watch", rules, "--format", "json"]), b"")?;
    let said = String::from_utf8_lossy(&done.stderr);
    let is_clear = match done.status.code() {
        // It ran until it was ended.
        Some(124) => true,
        Some(2) => said.contains("thread"),
        _ => false,
    };
    expect(format!("watch, thread {number}: {:?}: {said}", done.status), is_clear && !said.contains("panicked"))?;
    Ok(is_served)
}

fn observer_blocks() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let engine = Arc::new(quick(&rules).open()?);
    let (sender, receiver) = sync_channel(0);
    let options = WatchOptions::default().period(Duration::from_millis(300));
    let watcher = Watcher::spawn(Arc::clone(&engine), options, move |event| {
        if matches!(event, WatchEvent::Reloaded(_)) {
            let _ = sender.send(());
        }
    })?;
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    soon("the version", || Ok((version_of(&engine) == Some(2)).then_some(())))?;
    // The observer waits for somebody to take its word.
    fs::write(rules.join("exchange.toml"), version_text(3)?)?;
    thread::sleep(Duration::from_millis(800));
    expect("the observer does not block", version_of(&engine) == Some(2))?;
    let outcome = engine.reload();
    expect("a reload beside it", matches!(outcome, ReloadOutcome::Swapped { .. }) && version_of(&engine) == Some(3))?;
    expect("the status", engine.status().generation == 3)?;
    fs::write(rules.join("exchange.toml"), version_text(4)?)?;
    receiver.recv()?;
    soon("the version", || Ok((version_of(&engine) == Some(4)).then_some(())))?;
    drop(receiver);
    drop(watcher);
    // One that ends its own watch.
    let own = Arc::new(Mutex::new(None::<Watcher>));
    let (ending, ended) = (Arc::clone(&own), Arc::new(AtomicBool::new(false)));
    let has_ended = Arc::clone(&ended);
    let watcher = Watcher::spawn(Arc::clone(&engine), options, move |event| {
        if matches!(event, WatchEvent::Reloaded(_)) {
            drop(ending.lock().unwrap_or_else(PoisonError::into_inner).take());
            has_ended.store(true, Ordering::SeqCst);
        }
    })?;
    *own.lock().unwrap_or_else(PoisonError::into_inner) = Some(watcher);
    fs::write(rules.join("exchange.toml"), version_text(5)?)?;
    soon("the observer has ended its watch", || Ok(ended.load(Ordering::SeqCst).then_some(())))?;
    soon("the watch is off", || Ok((engine.status().watch == WatchMode::Off).then_some(())))?;
    Ok("answers, status and a reload beside a blocked observer; its own watcher dropped without a deadlock".to_owned())
}

fn same_place(bed: &Bed, time: Option<SystemTime>) -> Result<String, Failed> {
    let file = bed.rules.join("exchange.toml");
    let before = fs::metadata(&file)?;
    let next = bed.rules.join("t");
    fs::write(&next, version_text(2)?)?;
    fs::File::options().write(true).open(&next)?.set_modified(time.unwrap_or(before.modified()?))?;
    expect("another size", fs::metadata(&next)?.len() == before.len())?;
    fs::rename(&next, &file)?;
    let first = bed.wait_for(2)?;
    // Also in the same file, which keeps its number.
    fs::write(&file, version_text(3)?)?;
    fs::File::options().write(true).open(&file)?.set_modified(time.unwrap_or(before.modified()?))?;
    let second = bed.wait_for(3)?;
    Ok(format!("renamed after {}, in place after {}", millis(first), millis(second)))
}

fn clock_jumps() -> Result<String, Failed> {
    let (folder, rules) = laid()?;
    let library = environment::in_front(folder.path())?;
    let offset = folder.path().join("offset");
    fs::write(&offset, "0")?;
    let preload = format!("LD_PRELOAD={}", library.display());
    let watch = Running::watch(&["env", &preload, &format!("FAULT_CLOCK={}", offset.display())], &rules)?;
    watch.wait_status("the watch", |status| status["watch"] != "off")?;
    let ten_years = 315_360_000_i64;
    let mut slowest = Duration::ZERO;
    for (version, jump) in [(2, ten_years), (3, -ten_years), (4, 0)] {
        let lines = watch.statuses().len();
        fs::write(&offset, jump.to_string())?;
        thread::sleep(Duration::from_millis(600));
        expect("a reload by itself", watch.statuses().len() == lines)?;
        fs::write(rules.join("exchange.toml"), version_text(version)?)?;
        slowest = slowest.max(watch.wait_for(&digest_of(version)?)?);
        if jump == ten_years {
            let status = watch.wait_status("the time", |_| true)?;
            let since = status["since"].as_str().unwrap_or_default().to_owned();
            let year: u64 = since.get(..4).unwrap_or_default().parse()?;
            let now: u64 = system(folder.path(), "date", &["+%Y"])?.trim().parse()?;
            expect(format!("the clock did not jump: {since}"), year >= now + 9)?;
        }
    }
    Ok(format!("three jumps, nothing by itself, each change within {}", millis(slowest)))
}

fn memory_mapped_write(bed: &Bed) -> Result<String, Failed> {
    let write = "import mmap, sys\n\
                 with open(sys.argv[1], 'r+b') as f:\n\
                 \x20   m = mmap.mmap(f.fileno(), 0)\n\
                 \x20   at = m.find(b'version 1.')\n\
                 \x20   m[at:at + 10] = b'version 2.'\n\
                 \x20   m.flush()\n";
    system(bed.folder.path(), "python3", &["-c", write, &bed.rules.join("exchange.toml").to_string_lossy()])?;
    Ok(format!("after {}", millis(bed.wait_for(2)?)))
}

fn hard_link(bed: &Bed) -> Result<String, Failed> {
    let alias = bed.folder.path().join("q");
    fs::create_dir(&alias)?;
    fs::hard_link(bed.rules.join("exchange.toml"), alias.join("alias"))?;
    fs::write(alias.join("alias"), version_text(2)?)?;
    Ok(format!("after {}", millis(bed.wait_for(2)?)))
}

fn change_while_loading() -> Result<String, Failed> {
    let folder = tempfile::tempdir()?;
    let rules = folder.path().join("rules");
    version_at(&rules, 1)?;
    let options = quick(&rules).quiet(Duration::from_millis(10), Duration::from_secs(2));
    let bed = Bed::watching(folder, rules, options, Notice::Events, Duration::from_millis(40))?;
    let mut random = fastrand::Rng::with_seed(28);
    let (times, mut slowest) = (times(30, 1_000), Duration::ZERO);
    for pair in 1..=times {
        save(&bed, 2 * pair)?;
        thread::sleep(Duration::from_millis(random.u64(0..30)));
        save(&bed, 2 * pair + 1)?;
        slowest = slowest.max(bed.wait_for(2 * pair + 1)?);
    }
    let last = 2 * times + 1;
    bed.stays(last, Duration::from_millis(200))?;
    Ok(format!("{times} times the newest, within {} at most, {} swaps", millis(slowest), bed.count("swapped")))
}

fn change_before_the_watch() -> Result<String, Failed> {
    let mut random = fastrand::Rng::with_seed(29);
    let mut slowest = Duration::ZERO;
    for round in 0..20 {
        let (_folder, rules) = laid()?;
        let engine = Arc::new(quick(&rules).wait_at_start(false).open()?);
        let options = WatchOptions::default().period(Duration::from_millis(300));
        if round < 10 {
            fs::write(rules.join("exchange.toml"), version_text(2)?)?;
        }
        let _watcher = Watcher::spawn(Arc::clone(&engine), options, |_| {})?;
        if round >= 10 {
            thread::sleep(Duration::from_millis(random.u64(0..20)));
            fs::write(rules.join("exchange.toml"), version_text(2)?)?;
        }
        let ((), time) = soon("the version", || Ok((version_of(&engine) == Some(2)).then_some(())))?;
        slowest = slowest.max(time);
    }
    Ok(format!("20 times, within {} at most", millis(slowest)))
}

fn moved_in(bed: &Bed) -> Result<String, Failed> {
    fs::write(bed.folder.path().join("more.toml"), MORE)?;
    let manifest = fs::read_to_string(bed.rules.join("faultbook.toml"))?;
    fs::write(bed.rules.join("faultbook.toml"), manifest.replace("\"shared.toml\"", "\"shared.toml\", \"more.toml\""))?;
    bed.refused(1, "file-missing")?;
    fs::rename(bed.folder.path().join("more.toml"), bed.rules.join("more.toml"))?;
    let ((), time) = soon("four rules", || Ok((bed.engine.status().rules == 4).then_some(())))?;
    Ok(format!("after {}", millis(time)))
}

fn overlay() -> Result<String, Failed> {
    let (mut shell, _folder) = mounts()?;
    shell.run("cp -r v1 low && mkdir layers && mount -t tmpfs none layers && mkdir layers/up layers/work")?;
    let mount = "mount -t overlay none -o lowerdir=low,upperdir=layers/up,workdir=layers/work rules";
    if let Err(failed) = shell.run(mount) {
        return Ok(format!("not produced: {}", failed.message().unwrap_or_default()));
    }
    shell.run(WATCH)?;
    shell.wait_for(&digest_of(1)?)?;
    shell.run("cat v2/exchange.toml > rules/exchange.toml && test -f layers/up/exchange.toml")?;
    let first = shell.wait_for(&digest_of(2)?)?;
    shell.run("cat v3/exchange.toml > layers/up/exchange.toml")?;
    let second = shell.wait_for(&digest_of(3)?)?;
    Ok(format!("a copy on write after {}, behind its back after {}", millis(first), millis(second)))
}

fn there_and_back(bed: &Bed) -> Result<String, Failed> {
    save(bed, 2)?;
    save(bed, 1)?;
    // Long enough for a scan that began in between to have ended.
    thread::sleep(Duration::from_secs(1));
    expect(format!("{:?} is in force", bed.version()), bed.version() == Some(1))?;
    let swaps = bed.count("swapped");
    let generation = bed.engine.status().generation;
    expect(format!("generation {generation} after {swaps} swaps"), generation == 1 + swaps as u64)?;
    expect(format!("{swaps} swaps"), swaps == 0 || swaps == 2)?;
    Ok(format!("{swaps} swaps, generation {generation}"))
}

fn never_quiet() -> Result<String, Failed> {
    let (folder, rules) = laid()?;
    // Longer than the writer is ever kept from writing on a busy machine.
    let options = quick(&rules).quiet(Duration::from_secs(1), Duration::from_secs(2));
    let bed = Bed::watching(folder, rules, options, Notice::Events, Duration::from_millis(300))?;
    let length = Duration::from_secs(if is_long() { 600 } else { 4 });
    let start = Instant::now();
    let text = version_text(2)?;
    let mut line = 0;
    while start.elapsed() < length {
        line += 1;
        fs::write(bed.rules.join("exchange.toml"), format!("{text}# {line}\n"))?;
        expect(format!("{:?} in force after {:?}", bed.version(), start.elapsed()), bed.version() == Some(1))?;
        thread::sleep(Duration::from_millis(20));
    }
    let report = bed.refusal("have been changing for").ok_or("nothing says that files change all the time")?;
    let attempts = bed.count("rejected");
    let due = usize::try_from(length.as_secs() / 10)?.max(1);
    expect(format!("{attempts} attempts in {length:?}"), attempts >= due)?;
    let said = report.lines().find(|line| line.contains("have been changing for")).unwrap_or_default();
    let said = said.rsplit("]: ").next().unwrap_or_default();
    let time = bed.wait_for(2)?;
    Ok(format!(
        "{} s, {line} writes: {attempts} attempts, \"{said}\"; taken up after {}",
        length.as_secs(),
        millis(time)
    ))
}

fn touched(bed: &Bed) -> Result<String, Failed> {
    for _ in 0..3 {
        for entry in fs::read_dir(&bed.rules)? {
            fs::File::options().write(true).open(entry?.path())?.set_modified(SystemTime::now())?;
        }
        thread::sleep(Duration::from_millis(400));
    }
    let outcomes = bed.outcomes().len();
    expect(format!("{outcomes} reloads"), outcomes == 0)?;
    // It was awake all the time.
    bed.write_version(2)?;
    bed.wait_for(2)?;
    Ok("no reload".to_owned())
}

fn everybody_asks() -> Result<String, Failed> {
    let (_folder, rules) = laid()?;
    let engine = Arc::new(quick(&rules).quiet(Duration::from_millis(5), Duration::from_secs(2)).open()?);
    let options = WatchOptions::default().period(Duration::from_millis(50));
    let watcher = Watcher::spawn(Arc::clone(&engine), options, |_| {})?;
    let stop = AtomicBool::new(false);
    let start = Instant::now();
    thread::scope(|scope| -> Result<(), Failed> {
        let writer = scope.spawn(|| -> Result<(), String> {
            let mut version = 2;
            while !stop.load(Ordering::Acquire) {
                let next = rules.join("next");
                let text = version_text(version).map_err(|failed| failed.message().unwrap_or_default().to_owned())?;
                fs::write(&next, text)
                    .and_then(|()| fs::rename(&next, rules.join("exchange.toml")))
                    .map_err(|e| e.to_string())?;
                version += 1;
                thread::sleep(Duration::from_millis(40));
            }
            Ok(())
        });
        let ask = || -> Result<(), String> {
            for _ in 0..50 {
                let before = engine.current().number();
                let told = match engine.reload() {
                    ReloadOutcome::Swapped { generation, .. } | ReloadOutcome::Unchanged { generation, .. } => {
                        generation
                    }
                    // Somebody was writing: true as well.
                    ReloadOutcome::Rejected(_) => continue,
                };
                let after = engine.current().number();
                if told < before || told > after {
                    return Err(format!("asked at {before}, told of {told}, then at {after}"));
                }
            }
            Ok(())
        };
        let askers: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        let answers: Vec<_> =
            askers.into_iter().map(|asker| asker.join().unwrap_or(Err("a panic".to_owned()))).collect();
        stop.store(true, Ordering::Release);
        writer.join().map_err(|_| "a panic")??;
        answers.into_iter().try_for_each(|answer| answer.map_err(Failed::from))
    })?;
    drop(watcher);
    let time = start.elapsed();
    // SIGHUPs that come together are one.
    let (_folder, rules) = laid()?;
    let mut watch = Running::watch(&[], &rules)?;
    watch.wait_status("the watch", |status| status["watch"] != "off")?;
    let before = watch.statuses().len();
    let pid = watch.pid()?;
    fs::write(rules.join("exchange.toml"), version_text(2)?)?;
    script(&rules, &format!("i=0; while [ $i -lt 1000 ]; do kill -HUP {pid}; i=$((i+1)); done"))?;
    watch.wait_for(&digest_of(2)?)?;
    let mut seen = watch.statuses().len();
    // Until the last of them has been answered.
    loop {
        thread::sleep(Duration::from_secs(1));
        let now = watch.statuses().len();
        if now == seen {
            break;
        }
        seen = now;
    }
    let told = seen - before;
    expect("it has died", watch.is_alive()?)?;
    expect(format!("{told} loads for 1,000 signals"), (1..=200).contains(&told))?;
    Ok(format!("400 calls in {}: all of them true; 1,000 signals: {told} loads", millis(time)))
}

fn other_files(bed: &Bed) -> Result<String, Failed> {
    let rules = &bed.rules;
    fs::write(rules.join("README.md"), "no rules")?;
    fs::create_dir_all(rules.join(".git/refs"))?;
    fs::write(rules.join(".git/config.toml"), "broken")?;
    fs::write(rules.join("exchange.toml.bak"), "broken")?;
    fs::write(rules.join(".hidden.toml"), "broken")?;
    fs::create_dir(rules.join("texts"))?;
    fs::write(rules.join("texts/notes.txt"), "no rules")?;
    let socket = UnixListener::bind(rules.join("socket"))?;
    thread::sleep(Duration::from_millis(900));
    let outcomes = bed.outcomes().len();
    expect(format!("{outcomes} reloads"), outcomes == 0)?;
    bed.write_version(2)?;
    bed.wait_for(2)?;
    drop(socket);
    Ok("no reload; the next change is taken up".to_owned())
}
