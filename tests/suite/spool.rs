//! Unknown failures are never lost: counts, caps and shapes of the spool, and what faults of disk and process cost it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use faultbook::spool::Unknowns;
use faultbook::{Failure, Fsync, RuleSet, Spool, SpoolOptions, read_record};
use libtest_mimic::{Failed, Trial};
use serde_json::Value;
use tempfile::TempDir;

use super::cli::BINARY;
use super::process::{faultbook, piped, run, start};
use super::records::{answers, fallback_alone, secret_records};
use super::snapshot::{self, root};

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let tests: [(&str, Test); 24] = [
        ("shapes_and_fingerprints_stay", shapes_stay),
        ("the_same_record_many_times", same_record),
        ("threads_share_one_count", threads),
        ("files_stay_within_the_cap", cap),
        ("hot_shapes_drop_no_specimens", hot_shapes),
        ("flood_of_distinct_shapes", flood),
        ("torn_last_line", torn_last_line),
        ("damage_is_told_and_read_over", damage),
        ("files_taken_away_under_us", taken_away),
        ("a_later_version_is_left_alone", later_version),
        ("one_writer_for_a_directory", second_opener),
        ("files_are_private", private_files),
        ("options_have_limits", options),
        ("nothing_is_kept_after_closing", closed),
        ("known_failures_are_not_kept", known),
        ("unreadable_records_are_kept", unreadable),
        ("no_secret_is_kept", no_secrets),
        ("answers_stay_the_same", same_answers),
        ("specimens_can_be_classified", specimens),
        ("a_directory_that_cannot_be_used", unusable),
        ("files_that_cannot_grow", file_limit),
        ("failed_and_slow_fsync", failed_fsync),
        ("a_signal_makes_durable_what_is_kept", signal),
        ("killed_again_and_again", killed),
    ];
    tests.into_iter().map(|(name, test)| Trial::test(format!("spool/{name}"), test)).collect()
}

fn expect(what: &str, holds: bool) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into()) }
}

fn rules() -> &'static RuleSet {
    static RULES: std::sync::OnceLock<RuleSet> = std::sync::OnceLock::new();
    RULES.get_or_init(|| fallback_alone().unwrap_or_else(|_| RuleSet::builtin()))
}

/// The smallest files, so that little makes them full.
fn small(fsync: Fsync) -> SpoolOptions {
    SpoolOptions { fsync, segment_bytes: 64 * 1024, ..patient(fsync) }
}

/// The machine may be busy: nothing here is about how long an answer takes, unless it says so.
fn patient(fsync: Fsync) -> SpoolOptions {
    SpoolOptions { fsync, deadline: Duration::from_secs(60), ..SpoolOptions::default() }
}

fn failure(connector: &str, message: &str) -> Failure<'static> {
    Failure {
        connector: Some(connector.to_owned().into()),
        message: Some(message.to_owned().into()),
        ..Failure::default()
    }
}

/// Keeps a failure whose words tell its shape.
fn keep(spool: &Spool, name: &str) -> bool {
    let failure = failure(name, "It went wrong.");
    spool.keep(rules(), &failure, &rules().classify(&failure))
}

/// The counts by connector, and those of further shapes as `overflow`.
fn counts(unknowns: &Unknowns) -> BTreeMap<String, u64> {
    let shapes = unknowns.shapes.iter();
    let mut counts: BTreeMap<String, u64> =
        shapes.map(|shape| (shape.outline.connector.clone().unwrap_or_default(), shape.count)).collect();
    counts.extend(unknowns.overflow.map(|overflow| ("overflow".to_owned(), overflow.count)));
    counts
}

fn expect_counts(directory: &Path, expected: &[(&str, u64)]) -> Result<(), Failed> {
    let unknowns = Spool::shapes(directory)?;
    expect(&format!("damage: {:?}", unknowns.damage), unknowns.damage.is_empty())?;
    let found = counts(&unknowns);
    let expected: BTreeMap<String, u64> = expected.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect();
    expect(&format!("found {found:?}, expected {expected:?}"), found == expected)
}

/// The files of a spool, the oldest first.
fn files(directory: &Path) -> Result<Vec<PathBuf>, Failed> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<Result<_, std::io::Error>>()?;
    files.retain(|path| path.extension().is_some_and(|ending| ending == "ndjson"));
    files.sort();
    Ok(files)
}

fn newest(directory: &Path) -> Result<PathBuf, Failed> {
    files(directory)?.pop().ok_or_else(|| "no files".into())
}

fn bytes(directory: &Path) -> Result<u64, Failed> {
    files(directory)?.iter().map(|path| Ok(fs::metadata(path)?.len())).sum()
}

fn shapes_stay() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    for line in fs::read_to_string(root().join("tests/spool/shapes.ndjson"))?.lines() {
        let record = read_record(line.as_bytes())?;
        let decision = rules().classify(&record.failure);
        expect(line, spool.keep(rules(), &record.failure, &decision))?;
    }
    spool.close();
    let mut text = String::new();
    let mut shapes = Spool::shapes(&directory)?.shapes;
    shapes.sort_by_key(|shape| shape.fingerprint);
    for shape in shapes {
        let specimen: Value = serde_json::from_str(&shape.specimen.ok_or("no specimen")?)?;
        let outline = serde_json::to_string(&shape.outline)?;
        writeln!(text, "{} {} {} {outline}", shape.fingerprint, shape.count, specimen["id"])?;
    }
    let about = "fingerprints of tests/spool/shapes.ndjson: a change splits the counts of every spool";
    snapshot::assert("spool", "fingerprints", about, &text);
    Ok(())
}

fn same_record() -> Result<(), Failed> {
    let records = std::env::var("FAULTBOOK_SPOOL_RECORDS").ok().and_then(|count| count.parse().ok()).unwrap_or(100_000);
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    let failure = failure("same", "Order SO-1001 is odd.");
    let decision = rules().classify(&failure);
    for _ in 0..records {
        expect("not kept", spool.keep(rules(), &failure, &decision))?;
    }
    let status = spool.status();
    expect(&format!("{status:?}"), status.kept == records && status.refused == 0 && status.shapes == 1)?;
    expect("closed", spool.close())?;
    expect_counts(directory.path(), &[("same", records)])
}

fn threads() -> Result<(), Failed> {
    for fsync in [Fsync::Always, Fsync::Interval] {
        let directory = TempDir::new()?;
        let spool = Spool::open(&directory, patient(fsync))?;
        let kept: u64 = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8)
                .map(|thread: u64| {
                    let spool = &spool;
                    scope
                        .spawn(move || (0..100).filter(|_| keep(spool, ["even", "odd"][(thread % 2) as usize])).count())
                })
                .collect();
            threads.into_iter().map(|thread| thread.join().map_or(0, |count| count as u64)).sum()
        });
        expect(&format!("{kept} of 800 kept"), kept == 800)?;
        // While it is open.
        expect_counts(directory.path(), &[("even", 400), ("odd", 400)])?;
    }
    Ok(())
}

fn cap() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let options = SpoolOptions { segments: 3, ..small(Fsync::Os) };
    let mut expected: BTreeMap<String, u64> = BTreeMap::new();
    let mut most = 0;
    for round in 0..4 {
        let spool = Spool::open(&directory, options.clone())?;
        for index in 0..1_500 {
            let name = format!("shape-{}", index % 10);
            expect("not kept", keep(&spool, &name))?;
            *expected.entry(name).or_default() += 1;
            if index % 50 == 0 {
                most = most.max(bytes(directory.path())?);
            }
        }
        expect(&format!("{round}: {:?}", spool.status()), spool.close())?;
        expect("counts", counts(&Spool::shapes(&directory)?) == expected)?;
    }
    expect(&format!("{most} bytes"), most <= 3 * 64 * 1024 && most > 2 * 64 * 1024)?;
    expect("old files are dropped", files(directory.path())?.len() == 3)
}

/// Counts of one shape fill file after file; specimens of others go along.
fn hot_shapes() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, SpoolOptions { segments: 2, ..small(Fsync::Os) })?;
    for name in ["rare-a", "rare-b"] {
        expect("not kept", keep(&spool, name))?;
    }
    for _ in 0..3_000 {
        expect("not kept", keep(&spool, "hot"))?;
    }
    expect(&format!("{:?}", spool.status()), spool.status().segment > 3)?;
    expect_counts(directory.path(), &[("hot", 3_000), ("rare-a", 1), ("rare-b", 1)])?;
    let unknowns = Spool::shapes(&directory)?;
    expect("a specimen is lost", unknowns.shapes.iter().all(|shape| shape.specimen.is_some()))
}

fn flood() -> Result<(), Failed> {
    const FAILURES: u64 = 100_000;
    let word = |number: u64| -> String {
        // Digits do not tell shapes apart.
        number.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect()
    };
    let directory = TempDir::new()?;
    let options = SpoolOptions { segment_bytes: 4 * 1024 * 1024, segments: 2, ..patient(Fsync::Os) };
    let spool = Spool::open(&directory, options.clone())?;
    let mut most = 0;
    for number in 0..FAILURES {
        let failure = failure("flood", &format!("{} {}", word(number), "is what went wrong. ".repeat(20)));
        expect("not kept", spool.keep(rules(), &failure, &rules().classify(&failure)))?;
        if number % 1_000 == 0 {
            most = most.max(bytes(directory.path())?);
        }
    }
    let status = spool.status();
    expect(&format!("{status:?}"), status.shapes == 1_024 && status.overflow == FAILURES - 1_024)?;
    spool.close();
    let unknowns = Spool::shapes(&directory)?;
    expect("the total is exact", unknowns.total() == FAILURES && unknowns.damage.is_empty())?;
    expect(&format!("{most} bytes"), most <= 8 * 1024 * 1024)?;
    let again = Spool::open(&directory, options)?;
    expect("known shapes go on", keep(&again, "flood"))?;
    again.close();
    expect("the total goes on", Spool::shapes(&directory)?.total() == FAILURES + 1)
}

fn torn_last_line() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    for name in ["a", "b", "a", "a"] {
        expect("not kept", keep(&spool, name))?;
    }
    spool.close();
    let file = newest(directory.path())?;
    let whole = fs::read(&file)?;
    let last = whole[..whole.len() - 1].iter().rposition(|&b| b == b'\n').ok_or("one line")? + 1;
    for len in last..=whole.len() {
        fs::write(&file, &whole[..len])?;
        // A line that only lacks its end counts.
        let a = if len + 1 >= whole.len() { 3 } else { 2 };
        expect_counts(directory.path(), &[("a", a), ("b", 1)])?;
        let spool = Spool::open(&directory, patient(Fsync::Os))?;
        expect("not kept", keep(&spool, "a"))?;
        spool.close();
        expect_counts(directory.path(), &[("a", a + 1), ("b", 1)])?;
        expect("the file goes on", files(directory.path())?.len() == 1)?;
    }
    // What a power loss may leave.
    fs::write(&file, [&whole[..], &[0; 512]].concat())?;
    expect_counts(directory.path(), &[("a", 3), ("b", 1)])
}

fn damage() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    for name in ["a", "b", "a", "c", "b", "a"] {
        expect("not kept", keep(&spool, name))?;
    }
    spool.close();
    let file = newest(directory.path())?;
    let whole = fs::read_to_string(&file)?;
    let lines: Vec<&str> = whole.lines().collect();
    for broken in 0..lines.len() - 1 {
        for with in ["{\"v\":1", "", "\u{0}\u{0}", "[]", &"x".repeat(2_000_000)] {
            let text: Vec<&str> =
                lines.iter().enumerate().map(|(index, line)| if index == broken { with } else { *line }).collect();
            fs::write(&file, text.join("\n") + "\n")?;
            let unknowns = Spool::shapes(&directory)?;
            let [damage] = &unknowns.damage[..] else { return Err(format!("{:?}", unknowns.damage).into()) };
            expect(&damage.to_string(), damage.line == broken as u64 + 1 && damage.file == file)?;
            // The total of a shape stands in the last line about it: only there a failure is lost.
            let is_last = fingerprint(lines[broken])
                .is_some_and(|shape| !lines[broken + 1..].iter().any(|line| fingerprint(line) == Some(shape)));
            let total = unknowns.total();
            expect(&format!("line {broken} {with:.9}: {total}"), total == if is_last { 5 } else { 6 })?;
        }
    }
    let before = Spool::shapes(&directory)?.total();
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    expect("not kept", keep(&spool, "d"))?;
    spool.close();
    expect("a damaged file is left alone", files(directory.path())?.len() == 2)?;
    expect("counts go on", Spool::shapes(&directory)?.total() == before + 1)
}

fn fingerprint(line: &str) -> Option<&str> {
    line.split("\"fingerprint\":\"").nth(1)?.split('"').next()
}

/// Whatever others do to the files: it is noticed with the next failure, and nothing that is in memory is lost.
fn taken_away() -> Result<(), Failed> {
    type Fault = fn(&Path, &Path) -> std::io::Result<()>;
    let faults: [(&str, Fault); 6] = [
        ("removed", |_, file| fs::remove_file(file)),
        ("moved", |directory, file| fs::rename(file, directory.join("old.log"))),
        ("replaced", |directory, file| {
            fs::write(directory.join("new"), "")?;
            fs::rename(directory.join("new"), file)
        }),
        ("truncated", |_, file| fs::write(file, "")),
        ("appended", |_, file| {
            let mut file = fs::OpenOptions::new().append(true).open(file)?;
            file.write_all(b"somebody was here\n")
        }),
        ("directory removed", |directory, _| fs::remove_dir_all(directory)),
    ];
    for fsync in [Fsync::Always, Fsync::Interval, Fsync::Os] {
        for (name, fault) in faults {
            let parent = TempDir::new()?;
            let directory = parent.path().join("spool");
            let spool = Spool::open(&directory, patient(fsync))?;
            for name in ["a", "b", "a"] {
                expect("not kept", keep(&spool, name))?;
            }
            fault(&directory, &newest(&directory)?)?;
            expect(name, keep(&spool, "b"))?;
            let found = counts(&Spool::shapes(&directory)?);
            let expected = BTreeMap::from([("a".to_owned(), 2), ("b".to_owned(), 2)]);
            expect(&format!("{name}: {found:?}"), found == expected)?;
            let unknowns = Spool::shapes(&directory)?;
            expect(name, unknowns.shapes.iter().all(|shape| shape.specimen.is_some()))?;
            expect(&format!("{name}: {:?}", spool.status()), spool.status().replaced_segments == 1)?;
            expect(name, keep(&spool, "c") && spool.close())?;
            expect(name, counts(&Spool::shapes(&directory)?).len() == 3)?;
        }
    }
    Ok(())
}

fn later_version() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    expect("not kept", keep(&spool, "a"))?;
    spool.close();
    let file = newest(directory.path())?;
    let text = fs::read_to_string(&file)? + "{\"v\":2,\"kind\":\"sketch\"}\n";
    fs::write(&file, &text)?;
    let said = Spool::open(&directory, patient(Fsync::Os)).err().ok_or("opened")?.to_string();
    let place = format!("{}:{}", file.display(), text.lines().count());
    expect(&said, said.contains(&place) && said.contains("format 2") && said.contains("another directory"))?;
    expect("the file is as it was", fs::read_to_string(&file)? == text)?;
    let unknowns = Spool::shapes(&directory)?;
    expect("what can be read is", unknowns.total() == 1 && unknowns.damage.len() == 1)
}

fn second_opener() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    let said = Spool::open(&directory, patient(Fsync::Os)).err().ok_or("opened twice")?.to_string();
    let name = directory.path().to_string_lossy().into_owned();
    expect(&said, said.contains(&name) && said.contains("in use"))?;
    // Another process answers all the same, unless the spool is required.
    let done = faultbook(&["classify", "--input", "json", "--format", "json", "--spool", &name], b"{}\n")?;
    expect("answers go on", done.status.code() == Some(0) && answers(&done.stdout)?[0]["spooled"] == false)?;
    expect("says why", String::from_utf8_lossy(&done.stderr).contains("in use"))?;
    let done = faultbook(&["classify", "--input", "json", "--spool", &name, "--spool-required"], b"{}\n")?;
    expect("required", done.status.code() == Some(2) && done.stdout.is_empty())?;
    spool.close();
    Spool::open(&directory, patient(Fsync::Os))?;
    Ok(())
}

fn private_files() -> Result<(), Failed> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let parent = TempDir::new()?;
        let directory = parent.path().join("a/spool");
        let spool = Spool::open(&directory, patient(Fsync::Os))?;
        expect("not kept", keep(&spool, "a"))?;
        let mode = |path: &Path| Ok::<_, Failed>(fs::metadata(path)?.permissions().mode() & 0o777);
        expect("directory", mode(&directory)? == 0o700)?;
        expect("file", mode(&newest(&directory)?)? == 0o600 && mode(&directory.join("lock"))? == 0o600)?;
        // A link where a file should be is not followed.
        spool.close();
        let file = newest(&directory)?;
        let target = parent.path().join("target");
        fs::rename(&file, &target)?;
        std::os::unix::fs::symlink(&target, &file)?;
        let before = fs::read(&target)?;
        let spool = Spool::open(&directory, patient(Fsync::Os))?;
        expect("not kept", keep(&spool, "b"))?;
        expect("the target is as it was", fs::read(&target)? == before)?;
    }
    Ok(())
}

fn options() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let good = SpoolOptions::default();
    let cases = [
        ("segment_bytes", SpoolOptions { segment_bytes: 64 * 1024 - 1, ..good.clone() }),
        ("segment_bytes", SpoolOptions { segment_bytes: 1024 * 1024 * 1024 + 1, ..good.clone() }),
        ("segments", SpoolOptions { segments: 1, ..good.clone() }),
        ("segments", SpoolOptions { segments: 1_001, ..good.clone() }),
        ("shapes", SpoolOptions { shapes: 0, ..good.clone() }),
        ("specimen_bytes", SpoolOptions { specimen_bytes: 1023, ..good.clone() }),
        ("specimen_bytes", SpoolOptions { specimen_bytes: 64 * 1024 + 1, ..good.clone() }),
    ];
    for (name, options) in cases {
        let said = Spool::open(&directory, options).err().ok_or(name)?.to_string();
        expect(&said, said.contains(&format!("`{name}`")) && said.contains("; give "))?;
    }
    let least = SpoolOptions { segment_bytes: 64 * 1024, segments: 2, shapes: 1, specimen_bytes: 1024, ..good };
    let spool = Spool::open(&directory, SpoolOptions { deadline: Duration::from_secs(60), ..least })?;
    for name in ["a", "a", "b", "c"] {
        expect("not kept", keep(&spool, name))?;
    }
    spool.close();
    expect_counts(directory.path(), &[("a", 2), ("overflow", 2)])
}

fn closed() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Always))?;
    expect("kept", keep(&spool, "a") && spool.close() && spool.close())?;
    expect("kept after closing", !keep(&spool, "a"))?;
    expect_counts(directory.path(), &[("a", 1)])
}

fn known() -> Result<(), Failed> {
    let set = RuleSet::builtin();
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    let failure = Failure {
        connector: Some("exchange".into()),
        provider_codes: vec!["AADSTS7000222".into()],
        ..Failure::default()
    };
    let decision = set.classify(&failure);
    expect("kept", !spool.keep(&set, &failure, &decision) && !spool.keep_unreadable(&set, b"", &decision))?;
    spool.close();
    expect_counts(directory.path(), &[])
}

fn unreadable() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let path = directory.path().to_string_lossy();
    let input = b"{\"message\":\"password=hunter22XyZ9\n{\"message\":\"and so on\n\xff\xfe\n\n";
    let done = faultbook(&["classify", "--input", "json", "--format", "json", "--spool", &path], input)?;
    expect("exit code", done.status.code() == Some(1))?;
    expect("spooled", answers(&done.stdout)?.iter().all(|answer| answer["spooled"] == true))?;
    let unknowns = Spool::shapes(&directory)?;
    expect(&format!("{unknowns:#?}"), unknowns.total() == 4 && unknowns.shapes.len() == 3)?;
    expect("unreadable", unknowns.shapes.iter().all(|shape| shape.outline.unreadable))?;
    let first = unknowns.shapes[0].specimen.as_deref().unwrap_or_default();
    expect(first, first.contains("«redacted:secret»") && !first.contains("hunter22"))
}

fn no_secrets() -> Result<(), Failed> {
    let (input, needles) = secret_records(true)?;
    let directory = TempDir::new()?;
    let spool = Spool::open(&directory, SpoolOptions { shapes: 100_000, ..patient(Fsync::Os) })?;
    let mut kept = 0;
    for line in input.split(|&b| b == b'\n').filter(|line| !line.is_empty()) {
        let is_kept = match read_record(line) {
            Ok(mut record) => {
                record.failure.stack_trace = record.failure.message.clone();
                let decision = rules().classify(&record.failure);
                spool.keep(rules(), &record.failure, &decision)
            }
            Err(error) => spool.keep_unreadable(rules(), line, &rules().unreadable(error)),
        };
        expect("not kept", is_kept)?;
        kept += 1;
    }
    spool.close();
    let mut found = Vec::new();
    for file in files(directory.path())? {
        for line in fs::read_to_string(file)?.lines() {
            // Also with its quotes and backslashes as they were.
            let plain = line.replace("\\\"", "\"").replace("\\\\", "\\");
            if needles.iter().any(|needle| line.contains(needle.as_str()) || plain.contains(needle.as_str())) {
                found.push(line.chars().take(600).collect::<String>());
            }
        }
    }
    expect(&format!("{} of {kept}: {}", found.len(), found.join("\n")), found.is_empty())
}

fn same_answers() -> Result<(), Failed> {
    let mut input = fs::read(root().join("examples/failures.ndjson"))?;
    input.extend(fs::read(root().join("tests/spool/shapes.ndjson"))?);
    input.extend_from_slice(b"\nno json\n{\"id\":\"\xff\"}\n");
    for threads in ["1", "4"] {
        let arguments = ["classify", "--input", "json", "--format", "json", "--threads", threads];
        let without = faultbook(&arguments, &input)?;
        for fsync in ["always", "500ms", "os"] {
            let directory = TempDir::new()?;
            let path = directory.path().to_string_lossy();
            let spooled = ["--spool", &path, "--fsync", fsync, "--spool-required"];
            let with = faultbook(&[&arguments[..], &spooled[..]].concat(), &input)?;
            let text = String::from_utf8(with.stdout)?;
            let count = text.matches(",\"spooled\":true}").count();
            expect(
                "answers differ",
                text.replace(",\"spooled\":true}", "}") == String::from_utf8_lossy(&without.stdout),
            )?;
            expect("exit codes differ", with.status.code() == without.status.code())?;
            expect(&format!("{count} are spooled"), Spool::shapes(&directory)?.total() == count as u64 && count > 20)?;
        }
    }
    Ok(())
}

fn specimens() -> Result<(), Failed> {
    let directory = TempDir::new()?;
    let path = directory.path().to_string_lossy();
    let input = fs::read(root().join("tests/spool/shapes.ndjson"))?;
    faultbook(&["classify", "--input", "json", "--spool", &path], &input)?;
    for shape in Spool::shapes(&directory)?.shapes {
        let fingerprint = shape.fingerprint.to_string();
        let shown = faultbook(&["unknowns", &path, "--show", &fingerprint[..12]], b"")?;
        let done = faultbook(&["classify", "--input", "json", "--format", "json"], &shown.stdout)?;
        let found = answers(&done.stdout)?;
        expect(&fingerprint, found.len() == 1 && found[0]["code"] == "DSUNK001")?;
    }
    let done = faultbook(&["unknowns", &path, "--show", "zz"], b"")?;
    expect("no such shape", done.status.code() == Some(2) && String::from_utf8_lossy(&done.stderr).contains("`zz`"))?;
    let odd = "\u{202e}\u{1b}]0;x\u{7}\u{85}".repeat(9_000);
    let failure = Failure { message: Some(odd.clone().into()), stack_trace: Some(odd.into()), ..Failure::default() };
    let spool = Spool::open(&directory, patient(Fsync::Os))?;
    expect("not kept", spool.keep(rules(), &failure, &rules().classify(&failure)))?;
    spool.close();
    let done = faultbook(&["unknowns", &path, "--limit", "0"], b"")?;
    let text = String::from_utf8(done.stdout)?;
    expect("control characters", !text.contains(|c: char| c != '\n' && c.is_control() || c == '\u{202e}'))
}

fn unusable() -> Result<(), Failed> {
    for path in ["/proc/self/spool", "/dev/null/spool", "/dev/null"] {
        let arguments = ["classify", "--input", "json", "--format", "json", "--spool", path];
        let done = faultbook(&arguments, b"{}\n{\"id\":\"a\"}\n")?;
        let found = answers(&done.stdout)?;
        expect(path, done.status.code() == Some(0) && found.len() == 2)?;
        expect(path, found.iter().all(|answer| answer["spooled"] == false))?;
        expect(path, String::from_utf8_lossy(&done.stderr).contains(path))?;
        let done = faultbook(&[&arguments[..], &["--spool-required"]].concat(), b"{}\n")?;
        expect(path, done.status.code() == Some(2) && String::from_utf8_lossy(&done.stderr).contains(path))?;
    }
    let said = Spool::shapes("/proc/self").err().ok_or("read")?.to_string();
    expect(&said, said.contains("holds no spool"))
}

/// How many unknown failures were answered as kept, by connector.
fn acknowledged(stdout: &[u8]) -> Result<BTreeMap<String, u64>, Failed> {
    let mut kept = BTreeMap::new();
    let end = stdout.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    for answer in answers(&stdout[..end])? {
        if answer["spooled"] == true {
            let id = answer["id"].as_str().unwrap_or_default();
            *kept.entry(id.split('.').next().unwrap_or_default().to_owned()).or_default() += 1;
        }
    }
    Ok(kept)
}

fn lines(count: usize) -> Vec<u8> {
    let mut lines = String::new();
    for number in 0..count {
        let name = ["ant", "bee", "cat", "dog", "eel"][number % 5];
        let _ = writeln!(lines, r#"{{"id":"{name}.{number}","connector":"{name}","message":"Row {number} is odd."}}"#);
    }
    lines.into_bytes()
}

/// What was acknowledged is there; what was not may be.
fn expect_kept(directory: &Path, acknowledged: &BTreeMap<String, u64>, most: u64) -> Result<(), Failed> {
    let unknowns = Spool::shapes(directory)?;
    let found = counts(&unknowns);
    expect(&format!("damage: {:?}", unknowns.damage), unknowns.damage.is_empty())?;
    let lost: Vec<_> =
        acknowledged.iter().filter(|(name, count)| found.get(*name).is_none_or(|found| found < count)).collect();
    expect(&format!("lost {lost:?}, found {found:?}"), lost.is_empty())?;
    expect(&format!("{} found, {most} sent", unknowns.total()), unknowns.total() <= most)
}

/// As on a full disk: files cannot grow beyond a few blocks.
fn file_limit() -> Result<(), Failed> {
    if !cfg!(unix) {
        return Ok(());
    }
    for blocks in [0, 1, 8, 64] {
        for required in ["", "--spool-required"] {
            let directory = TempDir::new()?;
            let script = format!(
                "trap '' XFSZ; ulimit -f {blocks}; exec {BINARY} classify --input json --format json --spool {} {required}",
                directory.path().display()
            );
            let mut command = Command::new("sh");
            command.args(["-c", &script]);
            let done = run(&mut command, &lines(500))?;
            let said = String::from_utf8_lossy(&done.stderr).into_owned();
            let path = directory.path().to_string_lossy().into_owned();
            let found = answers(&done.stdout)?;
            let kept = acknowledged(&done.stdout)?;
            let all_kept = kept.values().sum::<u64>() == 500;
            if required.is_empty() {
                expect(&said, done.status.code() == Some(0) && found.len() == 500)?;
            } else {
                expect(&said, done.status.code() == Some(if all_kept { 0 } else { 2 }))?;
            }
            expect(&said, all_kept || said.contains(&path))?;
            expect_kept(directory.path(), &kept, 500)
                .or_else(|failed| if kept.is_empty() { Ok(()) } else { Err(failed) })?;
            expect("something cannot be kept", !all_kept || blocks > 0)?;
        }
    }
    Ok(())
}

/// Where strace can look: what was written less than 500 ms ago is durable when a signal has ended the tool.
fn signal() -> Result<(), Failed> {
    let folder = TempDir::new()?;
    let inside = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    // So that the file is there already, and making it durable is all that is left.
    drop(Spool::open(folder.path().join("spool"), patient(Fsync::Os))?);
    let script = format!(
        "echo $$ > {}; exec {BINARY} classify --input json --format json --spool {}",
        inside("pid"),
        inside("spool")
    );
    let mut command = Command::new("strace");
    command.args(["-f", "-qq", "-e", "trace=fdatasync", "-o", &inside("trace"), "sh", "-c", &script]);
    // Not every machine has it.
    let Ok(mut child) = piped(&mut command) else { return Ok(()) };
    let mut answers = BufReader::new(child.stdout.take().ok_or("no standard output")?);
    let mut line = String::new();
    if child.stdin.as_mut().ok_or("no input")?.write_all(&lines(1)).is_ok() {
        answers.read_line(&mut line)?;
    }
    if line.is_empty() {
        let done = child.wait_with_output()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        return expect(&said, said.contains("ptrace"));
    }
    expect(&line, line.contains("\"spooled\":true"))?;
    let before = fs::read_to_string(inside("trace"))?.matches("fdatasync").count();
    let pid = fs::read_to_string(inside("pid"))?;
    Command::new("kill").args(["-TERM", pid.trim()]).status()?;
    child.wait()?;
    let after = fs::read_to_string(inside("trace"))?.matches("fdatasync").count();
    expect(&format!("{before} calls before the signal, {after} in all"), after > before)
}

/// Where strace can inject faults: a failed `fsync` seals the file, a slow one delays an answer by the deadline at
/// most.
fn failed_fsync() -> Result<(), Failed> {
    let traced = |inject: &str, spool: &Path, more: &[&str]| -> Result<Option<Output>, Failed> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-o"]).arg(spool.with_extension("trace"));
        command.args(["-e", &format!("trace={}", inject.split(':').next().unwrap_or_default())]);
        command.args(["-e", &format!("inject={inject}"), BINARY, "classify", "--input", "json", "--format", "json"]);
        command.arg("--spool").arg(spool).args(more);
        match run(&mut command, &lines(60)) {
            Ok(done) if String::from_utf8_lossy(&done.stderr).contains("ptrace") => Ok(None),
            Ok(done) => Ok(Some(done)),
            // Not every machine has it.
            Err(_) => Ok(None),
        }
    };
    let faults = [
        ("fdatasync:error=EIO:when=4", true),
        ("fdatasync:error=EIO:when=4+5", true),
        ("fdatasync:error=EIO:when=2+", false),
        ("fsync:error=EIO", false),
        ("write:error=ENOSPC:when=3..9", false),
        ("openat:error=EMFILE:when=20+", false),
    ];
    for (inject, all_kept) in faults {
        let parent = TempDir::new()?;
        let directory = parent.path().join("spool");
        let Some(done) = traced(inject, &directory, &["--fsync", "always"])? else { return Ok(()) };
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        let kept = acknowledged(&done.stdout)?;
        if !inject.starts_with("write") && !inject.starts_with("openat") {
            expect(&format!("{inject}: {said}"), answers(&done.stdout)?.len() == 60)?;
        }
        expect(inject, !all_kept || kept.values().sum::<u64>() == 60)?;
        if !kept.is_empty() {
            expect_kept(&directory, &kept, 60)?;
        }
    }
    // What was answered is written, but closing does not make it durable: said, and an error where everything is
    // required.
    for (more, code) in [(&[][..], 0), (&["--spool-required"][..], 2)] {
        let parent = TempDir::new()?;
        let directory = parent.path().join("spool");
        // A file that is gone on with is not made durable by opening it.
        drop(Spool::open(&directory, patient(Fsync::Os))?);
        let Some(done) = traced("fdatasync:error=EIO", &directory, more)? else { return Ok(()) };
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        // On a busy machine the time to make it durable comes before the end.
        let is_said = said.contains("not durable") || said.contains("could not be spooled");
        expect(&format!("{:?} {said}", done.status), done.status.code() == Some(code) && is_said)?;
        expect_kept(&directory, &acknowledged(&done.stdout)?, 60)?;
    }
    let parent = TempDir::new()?;
    let began = Instant::now();
    // Each takes a second: more than anybody waits for, and far less than sixty of them.
    let slow = traced("fdatasync:delay_enter=1000000", &parent.path().join("spool"), &["--fsync", "always"])?;
    let Some(done) = slow else { return Ok(()) };
    let kept = acknowledged(&done.stdout)?.values().sum::<u64>();
    expect(&format!("{kept} kept"), answers(&done.stdout)?.len() == 60 && kept < 60)?;
    expect(&format!("{:?}", began.elapsed()), began.elapsed() < Duration::from_secs(20))
}

/// `FAULTBOOK_KILLS=1000 cargo test --release killed_again` is the long run.
fn killed() -> Result<(), Failed> {
    let rounds = std::env::var("FAULTBOOK_KILLS").ok().and_then(|count| count.parse().ok()).unwrap_or(30_u64);
    for fsync in ["always", "500ms", "os"] {
        let parent = TempDir::new()?;
        let directory = parent.path().join("spool");
        let path = directory.to_string_lossy();
        let mut acknowledged_so_far: BTreeMap<String, u64> = BTreeMap::new();
        let mut random = fastrand::Rng::with_seed(rounds);
        let (records, threads) = (400, ["1", "3"]);
        let rounds = if fsync == "always" { rounds } else { rounds.div_ceil(6) };
        for round in 0..rounds {
            let threads = threads[usize::from(round % 2 == 1)];
            let mut child = start(&[
                "classify",
                "--input",
                "json",
                "--format",
                "json",
                "--threads",
                threads,
                "--fsync",
                fsync,
                "--spool",
                &path,
            ])?;
            let mut stdin = child.stdin.take().ok_or("no input")?;
            let mut stdout = BufReader::new(child.stdout.take().ok_or("no output")?);
            // In pieces, so that answers come in between.
            let writer = std::thread::spawn(move || {
                for piece in lines(records).chunks(1_500) {
                    if stdin.write_all(piece).is_err() {
                        break;
                    }
                }
                stdin
            });
            let mut seen = Vec::new();
            for _ in 0..random.usize(0..=records * 3 / 4) {
                stdout.read_until(b'\n', &mut seen)?;
            }
            std::thread::sleep(Duration::from_micros(random.u64(0..3_000)));
            child.kill()?;
            child.wait()?;
            stdout.read_to_end(&mut seen)?;
            drop(writer.join());
            for (name, count) in acknowledged(&seen)? {
                *acknowledged_so_far.entry(name).or_default() += count;
            }
            expect_kept(&directory, &acknowledged_so_far, (round + 1) * records as u64)
                .map_err(|failed| format!("{fsync}, round {round}: {}", failed.message().unwrap_or_default()))?;
        }
        let total: u64 = acknowledged_so_far.values().sum();
        expect("nothing was acknowledged", total > rounds)?;
        if rounds > 30 {
            // What a long run is for.
            let total = format!("{fsync}: {rounds} kills, {total} acknowledged, none lost\n");
            std::io::stderr().write_all(total.as_bytes())?;
        }
    }
    Ok(())
}
