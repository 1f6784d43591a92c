//! Streams that break, stall or never end, with real processes: the command line keeps its promises on each of them.
//!
//! One whole line for each record, in order, flushed before anything is waited for; nothing is lost in silence.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Output, Stdio};

use libtest_mimic::{Failed, Trial};
use serde_json::Value;

use super::process::{faultbook, start};
use super::records::{answers, small_rules};

pub fn trials() -> Vec<Trial> {
    let in_threads: [(&str, TestInThreads); 15] = [
        ("closed_pipe", closed_pipe),
        ("full_disk", full_disk),
        ("signal_after_all_answers", signal_after_all_answers),
        ("signal_at_any_moment", signal_at_any_moment),
        ("killed", killed),
        ("second_signal_while_nobody_reads", second_signal),
        ("odd_lines", odd_lines),
        ("line_over_the_limit", line_over_the_limit),
        ("flat_memory_and_slow_consumer", flat_memory),
        ("several_files", several_files),
        ("list_of_failures", list_of_failures),
        ("long_first_line", long_first_line),
        ("one_question_one_answer", one_question_one_answer),
        ("half_a_question_keeps_no_answer", half_a_question),
        ("speed_of_the_writer_decides_nothing", speed_of_the_writer),
    ];
    let tests: [(&str, Test); 6] = [
        ("no_input", no_input),
        ("forms_are_recognized", forms),
        ("same_bytes_everywhere", same_bytes),
        ("same_bytes_in_threads", same_bytes_in_threads),
        ("long_records_in_threads", long_records_in_threads),
        ("as_many_threads_as_cores", as_many_threads_as_cores),
    ];
    let tests = tests.into_iter().map(|(name, test)| Trial::test(format!("streams/{name}"), test));
    let alone = in_threads.iter().map(|&(name, test)| Trial::test(format!("streams/{name}"), move || test("1")));
    let two =
        in_threads.iter().map(|&(name, test)| Trial::test(format!("streams/{name}_in_threads"), move || test("2")));
    tests.chain(alone).chain(two).collect()
}

type Test = fn() -> Result<(), Failed>;
/// With the number of threads.
type TestInThreads = fn(&str) -> Result<(), Failed>;

/// A running tool whose input stays open.
struct Running {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Running {
    fn start(arguments: &[&str]) -> Result<Self, Failed> {
        Self::start_with(&[&["classify"], arguments].concat())
    }

    /// With the smallest rule set, for what is about the stream alone.
    fn start_small(threads: &str) -> Result<Self, Failed> {
        Self::start_with(&[&["--rules", &small_rules(), "classify", "--threads", threads], &JSON[..]].concat())
    }

    fn start_with(arguments: &[&str]) -> Result<Self, Failed> {
        let mut child = start(arguments)?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { stdin: child.stdin.take(), stdout, child })
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Failed> {
        Ok(self.stdin.as_mut().ok_or("the input is closed")?.write_all(bytes)?)
    }

    fn answer(&mut self) -> Result<Value, Failed> {
        let mut line = String::new();
        self.stdout.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    }

    fn signal(&self, name: &str) -> Result<(), Failed> {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status()?;
        if done.success() { Ok(()) } else { Err(format!("kill -{name} failed").into()) }
    }

    /// The most memory that the process has had, in KiB.
    fn peak(&self) -> Result<u64, Failed> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).ok_or("no VmHWM")?;
        Ok(line.split_whitespace().nth(1).ok_or("no number")?.parse()?)
    }

    /// Closes the input and gives what is still written, what is said, and the exit code.
    fn finish(mut self) -> Result<(Vec<u8>, String, Option<i32>), Failed> {
        drop(self.stdin.take());
        let mut out = Vec::new();
        self.stdout.read_to_end(&mut out)?;
        let mut said = String::new();
        self.child.stderr.take().ok_or("no standard error")?.read_to_string(&mut said)?;
        Ok((out, said, self.child.wait()?.code()))
    }
}

fn expect(what: &str, holds: bool) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.into()) }
}

fn numbered(first: usize, count: usize) -> Vec<u8> {
    let mut lines = String::new();
    for id in first..first + count {
        let _ = writeln!(lines, "{{\"id\":\"{id}\",\"http_status\":503}}");
    }
    lines.into_bytes()
}

/// The ids of whole lines of JSON; an error for anything else.
fn ids(out: &[u8]) -> Result<Vec<usize>, Failed> {
    expect("the last line is cut", out.is_empty() || out.ends_with(b"\n"))?;
    out.split(|&b| b == b'\n')
        .filter(|line| !line.is_empty())
        .map(|line| Ok(serde_json::from_slice::<Value>(line)?["id"].as_str().unwrap_or_default().parse()?))
        .collect()
}

fn in_order(ids: &[usize]) -> Result<(), Failed> {
    expect("answers are lost, doubled or out of order", ids.iter().enumerate().all(|(index, id)| index == *id))
}

const JSON: [&str; 4] = ["--input", "json", "--format", "json"];

fn closed_pipe(threads: &str) -> Result<(), Failed> {
    let mut running = Running::start_small(threads)?;
    let mut stdin = running.stdin.take().ok_or("no input")?;
    // Far more than pipes hold: the tool must notice while there is still something to read.
    let writer = std::thread::spawn(move || stdin.write_all(&numbered(0, 5_000)));
    running.answer()?;
    let Running { mut child, stdout, .. } = running;
    drop(stdout);
    let _ = writer.join();
    let mut said = String::new();
    child.stderr.take().ok_or("no standard error")?.read_to_string(&mut said)?;
    expect(&format!("exit code and silence are due: {said}"), child.wait()?.code() == Some(0) && said.is_empty())
}

fn full_disk(threads: &str) -> Result<(), Failed> {
    let out = std::fs::OpenOptions::new().write(true).open("/dev/full")?;
    for count in [1, 5_000] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_faultbook"))
            .args(["classify", "--threads", threads, "--input", "json", "--format", "json"])
            .stdin(Stdio::piped())
            .stdout(out.try_clone()?)
            .stderr(Stdio::piped())
            .spawn()?;
        let mut stdin = child.stdin.take().ok_or("no input")?;
        let writer = std::thread::spawn(move || stdin.write_all(&numbered(0, count)));
        let done = child.wait_with_output()?;
        let _ = writer.join();
        let said = String::from_utf8(done.stderr)?;
        expect(
            &said,
            done.status.code() == Some(2) && said.contains("0 lines were surely written") && !said.contains("panick"),
        )?;
    }
    Ok(())
}

fn stopped_after(said: &str, count: usize) -> Result<(), Failed> {
    expect(&format!("{count} answers, but: {said}"), said.contains(&format!("stopped after {count} decisions")))
}

fn signal_after_all_answers(threads: &str) -> Result<(), Failed> {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let mut running = Running::start_small(threads)?;
        running.send(&[&numbered(0, 300)[..], b"{\"id\":\"300\",\"mess"].concat())?;
        let mut out = Vec::new();
        for _ in 0..300 {
            running.stdout.read_until(b'\n', &mut out)?;
        }
        in_order(&ids(&out)?)?;
        running.signal(name)?;
        let stdin = running.stdin.take();
        let (out, said, exit) = running.finish()?;
        drop(stdin);
        expect("half a record is no record", out.is_empty())?;
        stopped_after(&said, 300)?;
        expect(&format!("exit code {exit:?}"), exit == Some(code))?;
    }
    Ok(())
}

fn signal_at_any_moment(threads: &str) -> Result<(), Failed> {
    for round in 0_usize..20 {
        let (name, code) = if round.is_multiple_of(2) { ("INT", 130) } else { ("TERM", 143) };
        let mut running = Running::start_small(threads)?;
        let mut stdin = running.stdin.take().ok_or("no input")?;
        let writer = std::thread::spawn(move || {
            let _ = stdin.write_all(&numbered(0, 1_500));
            stdin
        });
        // The signal comes after some answers, somewhere in the work on the next ones.
        let seen = 1 + round * 97 % 1_000;
        let mut out = Vec::new();
        for _ in 0..seen {
            running.stdout.read_until(b'\n', &mut out)?;
        }
        running.signal(name)?;
        let (rest, said, exit) = running.finish()?;
        drop(writer.join());
        out.extend_from_slice(&rest);
        let ids = ids(&out)?;
        in_order(&ids)?;
        // All may have been answered by then; the input stays open, so it still is the signal that ends the tool.
        stopped_after(&said, ids.len())?;
        expect(&format!("exit code {exit:?}"), exit == Some(code))?;
    }
    Ok(())
}

fn killed(threads: &str) -> Result<(), Failed> {
    let mut running = Running::start_small(threads)?;
    running.send(&numbered(0, 500))?;
    let mut out = Vec::new();
    for _ in 0..20 {
        running.stdout.read_until(b'\n', &mut out)?;
    }
    running.signal("KILL")?;
    let (rest, _, exit) = running.finish()?;
    out.extend_from_slice(&rest);
    // Only the last line may be cut.
    let whole = out.iter().rposition(|&b| b == b'\n').map_or(0, |end| end + 1);
    in_order(&ids(&out[..whole])?)?;
    expect("no exit code after a kill", exit.is_none())
}

fn second_signal(threads: &str) -> Result<(), Failed> {
    let mut running = Running::start_small(threads)?;
    let mut stdin = running.stdin.take().ok_or("no input")?;
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&numbered(0, 20_000));
    });
    running.answer()?;
    // Nobody reads any more; the tool waits for its reader until the second signal.
    running.signal("TERM")?;
    let mut child = running.child;
    while child.try_wait()?.is_none() {
        Command::new("kill").args(["-TERM", &child.id().to_string()]).stderr(Stdio::null()).status()?;
    }
    expect("exit code", child.wait()?.code() == Some(143))?;
    drop(running.stdout);
    drop(writer.join());
    Ok(())
}

fn odd_lines(threads: &str) -> Result<(), Failed> {
    let input = b"\xef\xbb\xbf{\"id\":\"0\",\"http_status\":503}\r\n\r\n  \n\xff\xfe\n{\"id\":\"4\"}\n\xef\xbb\xbf{}\n\r{\"id\":\"6\"}\r\r\n{\"id\":\"7\"}";
    for (arguments, last) in [(JSON, "7"), (["--input", "auto", "--format", "json"], "7")] {
        let done = faultbook(&[&["classify", "--threads", threads], &arguments[..]].concat(), input)?;
        let answers = answers(&done.stdout)?;
        let errors: Vec<Option<&str>> = answers.iter().map(|answer| answer["error"].as_str()).collect();
        let due = [
            None,
            Some("empty line"),
            Some("empty line"),
            Some("byte 1 is not UTF-8"),
            None,
            Some("expected value at column 1"),
            None,
            None,
        ];
        expect(&format!("{errors:?}"), errors == due)?;
        expect("the last line counts without its end", answers[7]["id"] == last)?;
        let said = String::from_utf8(done.stderr)?;
        expect(&said, done.status.code() == Some(1) && said.contains("4 of 8 records could not be read"))?;
    }
    Ok(())
}

/// The limit of one record, and how much more the process may take.
const LIMIT_KIB: u64 = 72 * 1024;
const SPARE_KIB: u64 = 64 * 1024;

fn line_over_the_limit(threads: &str) -> Result<(), Failed> {
    for start in ["{\"message\":\"", "["] {
        let mut running = Running::start_small(threads)?;
        running.send(start.as_bytes())?;
        let chunk = vec![b'x'; 1 << 20];
        for _ in 0..80 {
            running.send(&chunk)?;
        }
        running.send(b"\"}\n")?;
        let answer = running.answer()?;
        expect(
            &format!("{answer}"),
            answer["error"].as_str().is_some_and(|error| error.contains("more than 75497472 bytes")),
        )?;
        running.send(b"{\"id\":\"next\"}\n")?;
        expect("the next line is the next record", running.answer()?["id"] == "next")?;
        let peak = running.peak()?;
        expect(&format!("{peak} KiB of memory"), peak < LIMIT_KIB + SPARE_KIB)?;
        expect("exit code", running.finish()?.2 == Some(1))?;
    }
    Ok(())
}

fn flat_memory(threads: &str) -> Result<(), Failed> {
    let mut running = Running::start_small(threads)?;
    let mut stdin = running.stdin.take().ok_or("no input")?;
    let writer = std::thread::spawn(move || {
        (0..200).try_for_each(|part| stdin.write_all(&numbered(part * 1_000, 1_000))).map(|()| stdin)
    });
    // The answers are read more slowly than they could be given: the tool waits, it does not collect.
    let mut line = String::new();
    let mut early = 0;
    for id in 0..200_000 {
        line.clear();
        running.stdout.read_line(&mut line)?;
        if !line.starts_with(&format!("{{\"id\":\"{id}\",")) {
            return Err(format!("{id} is due: {line}").into());
        }
        if id == 20_000 {
            early = running.peak()?;
        }
    }
    // The input is still open, so that the tool is still there.
    let late = running.peak()?;
    running.stdin = Some(writer.join().map_err(|_| "the writer failed")??);
    expect(&format!("{early} KiB after 20,000 records, {late} KiB after 200,000"), late < early + 8 * 1024)?;
    expect("exit code", running.finish()?.2 == Some(0))
}

/// Runs a line of shell with the tool as `$0`.
fn shell(line: &str) -> Result<Output, Failed> {
    Ok(Command::new("sh")
        .args(["-c", line, env!("CARGO_BIN_EXE_faultbook")])
        .env_remove("FAULTBOOK_RULES")
        .stdin(Stdio::null())
        .output()?)
}

fn no_input() -> Result<(), Failed> {
    let cases = [
        ("exec \"$0\" classify < /dev/null", 0, "no failures in the input"),
        ("exec \"$0\" classify <&-", 0, "no failures in the input"),
        ("exec \"$0\" classify --input json < /dev/null", 0, "no failures in the input"),
        ("exec \"$0\" classify --input text < /dev/null", 0, "no failures in the input"),
        ("printf ' \\n\\n' | \"$0\" classify", 0, "no failures in the input"),
        ("exec \"$0\" classify < /", 2, "directory"),
        ("exec \"$0\" classify /", 2, "directory"),
        ("exec \"$0\" classify /nowhere/at-all.ndjson", 2, "cannot read `/nowhere/at-all.ndjson`"),
        ("exec \"$0\" classify <&- >&- 2>&-", 0, ""),
    ];
    for (line, code, due) in cases {
        let done = shell(line)?;
        let said = String::from_utf8(done.stderr)?;
        expect(
            &format!("{line}: {:?} {said}", done.status),
            done.status.code() == Some(code) && said.to_lowercase().contains(due) && done.stdout.is_empty(),
        )?;
    }
    Ok(())
}

fn several_files(threads: &str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = |name: &str, bytes: &[u8]| -> Result<String, Failed> {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path.to_string_lossy().into_owned())
    };
    // Each has its own form, mark and missing line end.
    let first = file("first.ndjson", &[b"\xef\xbb\xbf", &numbered(0, 2)[..]].concat())?;
    let second = file("second.ndjson", b"\xef\xbb\xbf{\"id\":\"2\"}\r\n{\"id\":\"3\"}")?;
    let third = file("third.json", b"[\n  {\"id\": \"4\", \"http_status\": 503},\n  {\"id\": \"5\"}\n]\n")?;
    let done = faultbook(
        &["classify", "--threads", threads, "--format", "json", &first, &second, "-", &third],
        &numbered(6, 1),
    )?;
    let found = ids(&done.stdout)?;
    expect(&format!("{found:?}"), found == [0, 1, 2, 3, 6, 4, 5])?;
    let done =
        faultbook(&["classify", "--threads", threads, "--format", "json", &first, "/nowhere.ndjson", &second], b"")?;
    expect("what was answered before is written", ids(&done.stdout)? == [0, 1])?;
    expect("exit code", done.status.code() == Some(2))
}

fn forms() -> Result<(), Failed> {
    let ours = r#"{"id":"a","http_status":503}"#;
    let pretty = "{\n  \"id\": \"a\",\n  \"exceptions\": [\n    { \"type\": \"System.TimeoutException\" }\n  ]\n}\n";
    // Input, and how many answers are due, of which the first has the id.
    let cases: &[(String, usize, Value)] = &[
        (ours.to_owned(), 1, "a".into()),
        (format!("{ours}\n{ours}\n"), 2, "a".into()),
        (format!("\n\n{ours}\n"), 3, Value::Null),
        (format!("\u{feff}{ours}\r\n{ours}\r\n"), 2, "a".into()),
        (format!("{{\"message\":\"cut o\n{ours}\n"), 2, Value::Null),
        (format!("no JSON here\n{ours}\n{ours}\n"), 3, Value::Null),
        ("{}\n{}\n".to_owned(), 2, Value::Null),
        (pretty.to_owned(), 1, "a".into()),
        (format!("\u{feff}{pretty}"), 1, "a".into()),
        (format!("[{ours},{ours}]"), 2, "a".into()),
        (format!("[\n{pretty},\n{ours}\n]\n"), 2, "a".into()),
        ("[]".to_owned(), 1, Value::Null),
        (
            r#"{"error":{"code":"ErrorItemNotFound","message":"The specified object was not found in the store."}}"#
                .to_owned(),
            1,
            Value::Null,
        ),
        (
            "{\n \"error\": {\n  \"code\": \"ErrorItemNotFound\",\n \"message\": \"x\"\n }\n}\n".to_owned(),
            1,
            Value::Null,
        ),
        ("[{\"error\":\"a\"},{\"error\":\"b\"}]".to_owned(), 1, Value::Null),
        (
            "System.TimeoutException: The operation has timed out.\n   at A.B()\n   at C.D()\n".to_owned(),
            1,
            Value::Null,
        ),
        ("Response body:\n{\"message\":\"An error has occurred.\"}\n   at A.B()\n".to_owned(), 1, Value::Null),
        ("[12:00:01 ERR] it failed\n[12:00:02 ERR] again\n".to_owned(), 1, Value::Null),
        ("{\"@t\":\"x\",\"message\":\"a log line\",\"stack_trace\":\"at A\"}\n".to_owned(), 1, Value::Null),
    ];
    for (input, count, id) in cases {
        let done = faultbook(&["classify", "--format", "json"], input.as_bytes())?;
        let answers = answers(&done.stdout)?;
        expect(
            &format!("{count} answers to {input}\n{answers:?}"),
            answers.len() == *count && answers[0]["id"] == *id,
        )?;
    }
    Ok(())
}

fn list_of_failures(threads: &str) -> Result<(), Failed> {
    // What is odd about an item is odd in a list as well, and costs the others nothing.
    let list = r#" [ {"id":"a","message":"],[\"}{"}, {"id":"b","id":"c"}, {"id":"d","http_status":503,"trace":[[1],{"x":"]"}]} ] "#;
    let done = faultbook(&["classify", "--threads", threads, "--format", "json"], list.as_bytes())?;
    let answers = answers(&done.stdout)?;
    expect(&format!("{answers:?}"), answers.len() == 3)?;
    expect("the first item", answers[0]["message"] == "[DSUNK001] ],[\"}{")?;
    expect("the second item", answers[1]["error"] == "duplicate field `id`")?;
    expect("the third item", answers[2]["code"] == "DSHTTP001" && answers[2]["notes"].is_array())?;
    // A long list is read item by item.
    let mut running = Running::start(&["--threads", threads, "--format", "json"])?;
    let list = format!("[{}{{\"id\":\"last\"}}]", "{},".repeat(300_000));
    let mut stdin = running.stdin.take().ok_or("no input")?;
    let writer = std::thread::spawn(move || stdin.write_all(list.as_bytes()));
    running.answer()?;
    let peak = running.peak()?;
    running.signal("TERM")?;
    drop(writer.join());
    expect(&format!("{peak} KiB of memory"), peak < 64 * 1024)?;
    expect("exit code", running.finish()?.2 == Some(143))
}

fn long_first_line(threads: &str) -> Result<(), Failed> {
    let long = format!("{{\"id\":\"0\",\"message\":\"{}\"}}\n", "x".repeat(300_000));
    let done = faultbook(
        &["classify", "--threads", threads, "--format", "json"],
        &[long.as_bytes(), &numbered(1, 50)].concat(),
    )?;
    let found = ids(&done.stdout)?;
    expect(&format!("{} answers", found.len()), found.len() == 51)?;
    in_order(&found)
}

fn one_question_one_answer(threads: &str) -> Result<(), Failed> {
    for input in ["auto", "json"] {
        for format in ["json", "text", "log"] {
            let mut running = Running::start(&["--threads", threads, "--input", input, "--format", format])?;
            for id in 0..20 {
                running.send(&numbered(id, 1))?;
                let mut answer = String::new();
                running.stdout.read_line(&mut answer)?;
                expect(&answer, answer.contains("DSHTTP001") && answer.contains(&id.to_string()))?;
            }
            let (out, _, exit) = running.finish()?;
            expect("nothing more", out.is_empty() && exit == Some(0))?;
        }
    }
    Ok(())
}

fn half_a_question(threads: &str) -> Result<(), Failed> {
    for input in ["auto", "json"] {
        let mut running = Running::start(&["--threads", threads, "--input", input, "--format", "json"])?;
        // The second record has begun when the first one is answered.
        running.send(b"{\"id\":\"0\",\"http_status\":503}\n{\"id\":\"1\",\"http_")?;
        expect("the first answer", running.answer()?["id"] == "0")?;
        running.send(b"status\":503}\n")?;
        expect("the second answer", running.answer()?["id"] == "1")?;
        expect("exit code", running.finish()?.2 == Some(0))?;
    }
    Ok(())
}

fn speed_of_the_writer(threads: &str) -> Result<(), Failed> {
    let text = format!("starting the job\nsecond line\n{}", String::from_utf8(numbered(2, 30))?);
    let at_once = faultbook(&["classify", "--threads", threads, "--format", "json"], text.as_bytes())?.stdout;
    let mut running = Running::start(&["--threads", threads, "--format", "json"])?;
    for part in text.as_bytes().chunks(7) {
        running.send(part)?;
        std::thread::yield_now();
    }
    expect("another answer to a slow writer", running.finish()?.0 == at_once)?;
    expect("one answer for each line", at_once.split(|&b| b == b'\n').count() == 33)
}

fn same_bytes() -> Result<(), Failed> {
    let input = [
        &numbered(0, 5)[..],
        "{\"message\":\"TİMEOUT ı istanbul\",\"attributes\":{\"b\":1,\"a\":2}}\n{\"text\":\"System.TimeoutException: x\"}\nbad\n".as_bytes(),
    ]
    .concat();
    for format in ["json", "text", "log"] {
        let mut seen: Option<Vec<u8>> = None;
        for (locale, zone) in
            [("C", "UTC"), ("C", "UTC"), ("tr_TR.UTF-8", "Pacific/Apia"), ("az_AZ.UTF-8", "Asia/Kolkata"), ("", "")]
        {
            let mut child = Command::new(env!("CARGO_BIN_EXE_faultbook"))
                .args(["classify", "--input", "json", "--format", format])
                .env_remove("FAULTBOOK_RULES")
                .envs([("LC_ALL", locale), ("LANG", locale), ("TZ", zone)])
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()?;
            child.stdin.take().ok_or("no input")?.write_all(&input)?;
            let out = child.wait_with_output()?.stdout;
            expect(
                &format!("{format} differs under {locale} {zone}"),
                seen.as_ref().is_none_or(|seen| *seen == out) && !out.is_empty(),
            )?;
            seen = Some(out);
        }
    }
    Ok(())
}

/// Lines of all kinds, many of them unreadable or odd.
fn mixed(count: usize) -> Vec<u8> {
    let mut lines = Vec::new();
    for id in 0..count {
        let line = match id % 7 {
            0 => format!("{{\"id\":\"{id}\",\"http_status\":503}}"),
            1 => format!("{{\"id\":\"{id}\",\"message\":\"{}\"}}", "nothing known \\n".repeat(id % 300)),
            2 => format!(
                "{{\"id\":\"{id}\",\"exceptions\":[{{\"type\":\"System.TimeoutException\",\"message\":\"é\"}}]}}"
            ),
            3 => format!("no JSON in line {id}"),
            4 => String::new(),
            5 => format!("{{\"id\":\"{id}\",\"id\":\"twice\"}}\r"),
            _ => format!("{{\"id\":{id},\"text\":\"System.TimeoutException: x\",\"odd\":1}}"),
        };
        lines.extend_from_slice(line.as_bytes());
        if id % 70 == 3 {
            lines.extend_from_slice(b"\xff\xfe");
        }
        lines.push(b'\n');
    }
    lines
}

fn same_bytes_in_threads() -> Result<(), Failed> {
    let input = mixed(5_000);
    for format in ["json", "text", "log"] {
        let run =
            |threads| faultbook(&["classify", "--input", "json", "--format", format, "--threads", threads], &input);
        let alone = run("1")?;
        expect("one answer each", alone.stdout.split(|&b| b == b'\n').count() == 5_001)?;
        for threads in ["2", "8"] {
            let done = run(threads)?;
            expect(&format!("{format} differs with {threads} threads"), done.stdout == alone.stdout)?;
            expect("what is said differs", done.stderr == alone.stderr && done.status.code() == Some(1))?;
        }
    }
    Ok(())
}

fn long_records_in_threads() -> Result<(), Failed> {
    let mut running = Running::start_small("2")?;
    let mut stdin = running.stdin.take().ok_or("no input")?;
    let writer = std::thread::spawn(move || {
        let chunk = vec![b'x'; 1 << 20];
        for id in 0..12 {
            stdin.write_all(format!("{{\"id\":\"{id}\",\"message\":\"").as_bytes())?;
            for _ in 0..24 {
                stdin.write_all(&chunk)?;
            }
            stdin.write_all(b"\"}\n")?;
        }
        Ok::<_, std::io::Error>(stdin)
    });
    for id in 0..12 {
        expect("answers are out of order", running.answer()?["id"].as_str() == Some(&id.to_string()))?;
    }
    // Each of them is there twice at most: as it is read, and as it is answered.
    let peak = running.peak()?;
    running.stdin = Some(writer.join().map_err(|_| "the writer failed")??);
    expect(&format!("{peak} KiB of memory"), peak < 2 * 32 * 1024 + SPARE_KIB)?;
    expect("exit code", running.finish()?.2 == Some(0))
}

fn as_many_threads_as_cores() -> Result<(), Failed> {
    let done = faultbook(&["classify", "--threads", "0", "--input", "json", "--format", "json"], &numbered(0, 3_000))?;
    in_order(&ids(&done.stdout)?)?;
    expect("exit code", done.status.code() == Some(0))
}
