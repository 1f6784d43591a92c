//! Every limit at its value and one over it: a rule file at the limit is accepted, one over it is refused by number.

use std::borrow::Cow;
use std::fs;
use std::time::{Duration, Instant};

use faultbook::{Decision, Exception, Failure, Report, RuleSet, Sources, limits, read_record, render};
use libtest_mimic::{Failed, Trial};

const MANIFEST: &str = "format = 1\norder = [\"demo.toml\"]\nfallback = \"DSUNK001\"\nstatuses = [\"Failed\"]\n[families.DSUNK]\ntitle = \"Demo\"\n";

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let mut trials: Vec<Trial> = FILE_LIMITS
        .iter()
        .map(|limit| Trial::test(format!("limits/{}", limit.name), move || at_and_over(limit)))
        .collect();
    let others: [(&str, Test); 14] = [
        ("pattern_compiled_bytes", compiled_bytes),
        ("file_bytes_on_disk", file_bytes_on_disk),
        ("files", files),
        ("directory_depth", directory_depth),
        ("rendered_bytes", rendered_bytes),
        ("text_bytes", text_bytes),
        ("causes", causes),
        ("ancestors", ancestors),
        ("facts", facts),
        ("facts_in_the_longest_messages", facts_in_the_longest_messages),
        ("record_fields", record_fields),
        ("record_values", record_values),
        ("field_name_bytes", field_name_bytes),
        ("id_chars", id_chars),
    ];
    trials.extend(others.into_iter().map(|(name, test)| Trial::test(format!("limits/{name}"), test)));
    trials
}

/// A limit of rule files, with the files that have exactly so many of it.
struct Limit {
    name: &'static str,
    value: usize,
    files: fn(usize) -> Vec<(String, String)>,
}

const FILE_LIMITS: &[Limit] = &[
    Limit { name: "file_bytes", value: limits::FILE_BYTES, files: |n| set(&padded(&demo(""), n)) },
    Limit { name: "set_bytes", value: limits::SET_BYTES, files: set_of_bytes },
    Limit {
        name: "rules",
        value: limits::RULES,
        files: |n| set(&demo(&"[[rules]]\nid = \"r\"\ncode = \"DSUNK001\"\nwhen.http_status = 404\n".repeat(n))),
    },
    // A list in itself is one level, so one level goes for the key.
    Limit {
        name: "toml_depth",
        value: limits::TOML_DEPTH,
        files: |n| {
            set(&demo(&format!(
                "[[rules]]\nid = \"r\"\ncode = \"DSUNK001\"\nwhen.http_status = {}404{}\n",
                "[".repeat(n - 3),
                "]".repeat(n - 3)
            )))
        },
    },
    Limit {
        name: "examples",
        value: limits::EXAMPLES,
        files: |n| {
            let examples = "{failure={http_status=404}},".repeat(n);
            set(&demo(&format!(
                "[[rules]]\nid = \"r\"\ncode = \"DSUNK001\"\nwhen.http_status = 404\nexamples = [{examples}]\n"
            )))
        },
    },
    Limit {
        name: "title_chars",
        value: limits::TITLE_CHARS,
        files: |n| set(&demo("").replace("Unknown", &"ü".repeat(n))),
    },
    Limit { name: "pattern_chars", value: limits::PATTERN_CHARS, files: |n| pattern(&"ü".repeat(n)) },
    Limit {
        name: "literal_chars",
        value: limits::PATTERN_CHARS,
        files: |n| when(&format!("contains = '{}'", "ü".repeat(n))),
    },
    Limit {
        name: "pattern_repetition",
        value: limits::PATTERN_REPETITION as usize,
        files: |n| pattern(&format!("a{{{n}}}")),
    },
    Limit {
        name: "pattern_repetition_open",
        value: limits::PATTERN_REPETITION as usize,
        files: |n| pattern(&format!("a{{{n},}}")),
    },
    Limit {
        name: "pattern_repetition_product",
        value: limits::PATTERN_REPETITION_PRODUCT as usize,
        files: |n| pattern(&product(n)),
    },
    Limit { name: "patterns", value: limits::PATTERNS, files: |n| when(&format!("contains = [{}]", "'x',".repeat(n))) },
    Limit {
        name: "large_patterns",
        value: limits::LARGE_PATTERNS,
        files: |n| when(&format!("message = [{}]", "'(?u)\\w:',".repeat(n))),
    },
    Limit {
        name: "pattern_nesting",
        value: limits::PATTERN_NESTING as usize,
        files: |n| pattern(&format!("{}a{}", "(".repeat(n), ")".repeat(n))),
    },
    Limit {
        name: "glob_bytes",
        value: limits::GLOB_BYTES,
        files: |n| when(&format!("exception = '{}*'", "A".repeat(n - 1))),
    },
    Limit {
        name: "glob_bytes_of_codes",
        value: limits::GLOB_BYTES,
        files: |n| when(&format!("provider_code = '{}'", "A".repeat(n))),
    },
    Limit {
        name: "glob_bytes_of_attributes",
        value: limits::GLOB_BYTES,
        files: |n| when(&format!("attributes.name = '{}'", "A".repeat(n))),
    },
    Limit {
        name: "glob_brace_depth",
        value: limits::GLOB_BRACE_DEPTH,
        files: |n| when(&format!("exception = '{}A{}'", "{".repeat(n), "}".repeat(n))),
    },
    Limit {
        name: "glob_alternatives",
        value: limits::GLOB_ALTERNATIVES,
        files: |n| when(&format!("exception = '{{{}}}'", vec!["A"; n].join(","))),
    },
    Limit {
        name: "template_bytes",
        value: limits::TEMPLATE_BYTES,
        files: |n| set(&demo(&format!("message = \"{}\"\n", "x".repeat(n)))),
    },
];

fn at_and_over(limit: &Limit) -> Result<(), Failed> {
    let at = exceeded((limit.files)(limit.value));
    if !at.is_empty() {
        return Err(format!("{} is refused: {at:?}", limit.value).into());
    }
    let over = exceeded((limit.files)(limit.value + 1));
    let named = over.iter().any(|message| message.split(' ').any(|word| word == limit.value.to_string()));
    if named && over.len() == 1 { Ok(()) } else { Err(format!("{} gives {over:?}", limit.value + 1).into()) }
}

/// The messages of `limit-exceeded`.
fn exceeded(files: Vec<(String, String)>) -> Vec<String> {
    messages(&report(Sources::from_texts(files)))
}

fn report(sources: Sources) -> Report {
    match RuleSet::load(sources) {
        Ok((_, report)) => report,
        Err(rejected) => rejected.report().clone(),
    }
}

fn messages(report: &Report) -> Vec<String> {
    report
        .diagnostics()
        .iter()
        .filter(|finding| finding.lint.name == "limit-exceeded")
        .map(|finding| finding.message.clone())
        .filter(|message| !message.contains("not shown"))
        .collect()
}

fn set(demo: &str) -> Vec<(String, String)> {
    vec![("faultbook.toml".to_owned(), MANIFEST.to_owned()), ("demo.toml".to_owned(), demo.to_owned())]
}

/// The fallback code, and more of the file behind it.
fn demo(more: &str) -> String {
    format!(
        "format = 1\n[codes.DSUNK001]\ntitle = \"Unknown\"\nstatus = \"Failed\"\nretry = \"undiagnosed\"\nmeaning = \"No rule knows it.\"\nremedy = [\"Ask.\"]\n{more}"
    )
}

fn when(condition: &str) -> Vec<(String, String)> {
    set(&demo(&format!("[[rules]]\nid = \"r\"\ncode = \"DSUNK001\"\nwhen.{condition}\n")))
}

/// A compiled pattern has no exact size from outside, but `.` costs the same each time.
fn compiled_bytes() -> Result<(), Failed> {
    let fits = exceeded(pattern("(?u)\\w\\w\\w\\w:"));
    check(&format!("below: {fits:?}"), fits.is_empty())?;
    let over = exceeded(pattern("(?u)\\w\\w\\w\\w\\w\\w\\w\\w:"));
    check(&format!("over: {over:?}"), over.len() == 1 && over[0].contains(&limits::PATTERN_COMPILED_BYTES.to_string()))
}

fn pattern(pattern: &str) -> Vec<(String, String)> {
    when(&format!("message = '{pattern}'"))
}

/// Nested repetitions that multiply to the number, or to the next one that has factors of at most fifty.
fn product(n: usize) -> String {
    let (outer, inner) = (n..)
        .find_map(|n| (20..=50).find(|outer| n % outer == 0 && n / outer <= 50).map(|outer| (outer, n / outer)))
        .unwrap_or((50, 50));
    // Bound to the start of the text, so that it is in one place at a time and not refused for being slow.
    format!("^(?:a{{{inner}}}){{{outer}}}")
}

fn padded(text: &str, bytes: usize) -> String {
    format!("{text}#{}", "x".repeat(bytes - text.len() - 1))
}

/// Files of a mebibyte at most that have so many bytes together.
fn set_of_bytes(bytes: usize) -> Vec<(String, String)> {
    let mut files = set(&demo(""));
    let mut rest = bytes - files.iter().map(|(_, text)| text.len()).sum::<usize>();
    for index in 0.. {
        let size = rest.min(limits::FILE_BYTES);
        if size < 20 {
            break;
        }
        // No crumbs: the last two files share what is left.
        let size = if rest > size && rest - size < 20 { size - 20 } else { size };
        files.push((format!("padding-{index}.toml"), padded("format = 1\n", size)));
        rest -= size;
    }
    files
}

fn write(folder: &std::path::Path, files: impl IntoIterator<Item = (String, String)>) -> Result<(), Failed> {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().ok_or("no parent")?)?;
        fs::write(path, text)?;
    }
    Ok(())
}

fn discovered(files: impl IntoIterator<Item = (String, String)>) -> Result<Report, Failed> {
    let folder = tempfile::tempdir()?;
    write(folder.path(), files)?;
    Ok(report(RuleSet::discover(folder.path())?))
}

fn expect(what: &str, actual: &Report, limit: Option<usize>) -> Result<(), Failed> {
    let found = messages(actual);
    let fits = match limit {
        None => found.is_empty(),
        Some(limit) => found.len() == 1 && found[0].contains(&limit.to_string()),
    };
    if fits { Ok(()) } else { Err(format!("{what}: {}", render::full(actual, false)).into()) }
}

fn file_bytes_on_disk() -> Result<(), Failed> {
    expect("at", &discovered(set(&padded(&demo(""), limits::FILE_BYTES)))?, None)?;
    expect("over", &discovered(set(&padded(&demo(""), limits::FILE_BYTES + 1)))?, Some(limits::FILE_BYTES))?;
    // A set that is too large is not read to its end.
    expect("set", &discovered(set_of_bytes(limits::SET_BYTES + 2 * limits::FILE_BYTES))?, Some(limits::SET_BYTES))
}

fn files() -> Result<(), Failed> {
    let some = |count: usize| {
        let files = set(&demo(""))
            .into_iter()
            .chain((2..count).map(|index| (format!("f{index:04}.toml"), "format = 1\n".to_owned())));
        discovered(files)
    };
    expect("at", &some(limits::FILES)?, None)?;
    expect("over", &some(limits::FILES + 1)?, Some(limits::FILES))
}

fn directory_depth() -> Result<(), Failed> {
    let deep = |depth: usize| {
        discovered(
            set(&demo("")).into_iter().chain([(format!("{}x.toml", "d/".repeat(depth)), "format = 1\n".to_owned())]),
        )
    };
    expect("at", &deep(limits::DIRECTORY_DEPTH)?, None)?;
    expect("over", &deep(limits::DIRECTORY_DEPTH + 1)?, Some(limits::DIRECTORY_DEPTH))
}

/// What a small set decides.
fn decide(more: &str, failure: &Failure<'_>) -> Result<Decision<'static>, Failed> {
    let rule = format!(
        "{more}\n[[rules]]\nid = \"needle\"\ncode = \"DSUNK002\"\nwhen.contains = \"needle\"\nexamples = [{{ failure = {{ message = \"needle\" }} }}]\n"
    );
    let code = "[codes.DSUNK002]\ntitle = \"Needle\"\nstatus = \"Failed\"\nretry = \"none\"\nmeaning = \"It was there.\"\nremedy = [\"Nothing.\"]\n";
    let sources = Sources::from_texts(set(&demo(&format!("{code}{rule}"))));
    let (set, _) = RuleSet::load(sources).map_err(|rejected| render::full(rejected.report(), false))?;
    Ok(set.classify(failure).into_owned())
}

fn check(what: &str, holds: bool) -> Result<(), Failed> {
    if holds { Ok(()) } else { Err(what.to_owned().into()) }
}

fn rendered_bytes() -> Result<(), Failed> {
    let prefix = "[DSUNK002] ".len();
    for (length, expected) in
        [(limits::RENDERED_BYTES, limits::RENDERED_BYTES), (limits::RENDERED_BYTES + 1, limits::RENDERED_BYTES)]
    {
        let failure =
            Failure { message: Some(format!("needle{}", "x".repeat(length - 6)).into()), ..Failure::default() };
        let decision = decide("message = \"{{ message }}\"", &failure)?;
        check("rendered", decision.message.len() == prefix + expected)?;
        let twice = decide("message = \"{{ message }}{{ message }}\"", &failure)?;
        check("rendered twice", twice.message.len() == prefix + limits::RENDERED_BYTES)?;
    }
    // The cut never falls into a character.
    let failure = Failure {
        message: Some(format!("needle{}", "漢".repeat(limits::RENDERED_BYTES)).into()),
        ..Failure::default()
    };
    let decision = decide("message = \"{{ message }}\"", &failure)?;
    check(
        "on a character",
        decision.message.len() <= prefix + limits::RENDERED_BYTES && decision.message.ends_with('漢'),
    )
}

fn text_bytes() -> Result<(), Failed> {
    let whole = limits::TEXT_HEAD_BYTES + limits::TEXT_TAIL_BYTES;
    let (margin, gap) = (1100, 4000);
    let decided = |at: usize, length: usize| {
        let mut text: String = "x ".chars().cycle().take(length).collect();
        text.replace_range(at..at + 6, "needle");
        let message = decide("", &Failure { message: Some(text.clone().into()), ..Failure::default() })?;
        let pasted = decide("", &Failure { text: Some(text.into()), ..Failure::default() })?;
        Ok::<_, Failed>([
            (message.rule == "demo/needle", message.truncated),
            (pasted.rule == "demo/needle", pasted.truncated),
        ])
    };
    for (what, at, length, expected) in [
        ("in the middle of a whole text", limits::TEXT_HEAD_BYTES - 3, whole, (true, false)),
        // The cuts may stand a little earlier and later, between two words.
        ("near the end of the head", limits::TEXT_HEAD_BYTES - margin, whole + gap, (true, true)),
        ("between head and tail", limits::TEXT_HEAD_BYTES + gap / 2, whole + gap, (false, true)),
        ("near the start of the tail", limits::TEXT_HEAD_BYTES + gap + margin, whole + gap, (true, true)),
        ("one over", 0, whole + 1, (true, true)),
    ] {
        let found = decided(at, length)?;
        check(&format!("{what}: {found:?}"), found == [expected; 2])?;
    }
    Ok(())
}

fn causes() -> Result<(), Failed> {
    let decided = |count: usize, at: usize| {
        let exception = |index| Exception {
            message: Some(if index == at { "needle" } else { "hay" }.into()),
            ..Exception::default()
        };
        let decision = decide("", &Failure { exceptions: (0..count).map(exception).collect(), ..Failure::default() })?;
        Ok::<_, Failed>((decision.rule == "demo/needle", decision.truncated))
    };
    let limit = limits::CAUSES;
    check("at", decided(limit, limit - 1)? == (true, false))?;
    check("the innermost of more", decided(limit + 1, limit)? == (true, true))?;
    check("one that is left out", decided(limit + 1, limit - 1)? == (false, true))
}

fn ancestors() -> Result<(), Failed> {
    let decided = |at: usize| {
        let mut names: Vec<Cow<'_, str>> = (0..=limits::ANCESTORS).map(|index| format!("A{index}").into()).collect();
        names[at] = "Wanted".into();
        let rule = "\n[[rules]]\nid = \"wanted\"\ncode = \"DSUNK002\"\nwhen.exception = \"Wanted\"\nexamples = [{ failure = { exceptions = [{ type = \"Wanted\" }] } }]\n";
        let exception = Exception { type_name: Some("Own".into()), ancestors: names, ..Exception::default() };
        Ok::<_, Failed>(
            decide(rule, &Failure { exceptions: vec![exception], ..Failure::default() })?.rule == "demo/wanted",
        )
    };
    check("at", decided(limits::ANCESTORS - 1)?)?;
    check("over", !decided(limits::ANCESTORS)?)
}

fn facts() -> Result<(), Failed> {
    let rule = "\n[[rules]]\nid = \"wanted\"\ncode = \"DSUNK002\"\nwhen.provider_code = \"Wanted\"\nexamples = [{ failure = { provider_codes = [\"Wanted\"] } }]\n";
    let codes = |at: usize| {
        (0..=limits::FACTS)
            .map(|index| if index == at { "Wanted".into() } else { format!("C{index}").into() })
            .collect()
    };
    let decided = |at| {
        Ok::<_, Failed>(
            decide(rule, &Failure { provider_codes: codes(at), ..Failure::default() })?.rule == "demo/wanted",
        )
    };
    check("at", decided(limits::FACTS - 1)?)?;
    check("over", !decided(limits::FACTS)?)?;
    for field in ["provider_codes", "error_numbers"] {
        for (count, notes) in [(limits::FACTS, 0), (limits::FACTS + 1, 1)] {
            let items: Vec<String> = (0..count)
                .map(|index| if field == "provider_codes" { format!("\"C{index}\"") } else { index.to_string() })
                .collect();
            let line = format!("{{\"{field}\":[{}]}}", items.join(","));
            let record = read_record(line.as_bytes())?;
            check(&format!("{count} {field}: {:?}", record.notes), record.notes.len() == notes)?;
        }
    }
    Ok(())
}

/// As many facts as the longest chain of the longest messages can hold are read in time that grows with their bytes. When
/// each of them costs a look at the whole message, this takes minutes.
fn facts_in_the_longest_messages() -> Result<(), Failed> {
    let (rules, start) = (RuleSet::builtin(), Instant::now());
    for message in ["Error Number: 1 ".repeat(4_000), "AADSTS1 ".repeat(4_000) + &"\u{150}".repeat(15_000)] {
        let exception = Exception { message: Some(message.as_str().into()), ..Exception::default() };
        let failure = Failure { exceptions: vec![exception; limits::CAUSES], ..Failure::default() };
        let decision = rules.classify(&failure);
        check(&decision.message, decision.unknown_reason.is_some())?;
    }
    check(&format!("{:?}", start.elapsed()), start.elapsed() < Duration::from_secs(20))
}

fn record_fields() -> Result<(), Failed> {
    let record = |count: usize| {
        let fields: Vec<String> = (0..count).map(|index| format!("\"f{index}\":1")).collect();
        read_record(format!("{{{}}}", fields.join(",")).as_bytes()).map(drop)
    };
    check("at", record(limits::RECORD_FIELDS).is_ok())?;
    let over = record(limits::RECORD_FIELDS + 1).err().unwrap_or_default();
    check(&format!("over: {over}"), over.contains(&limits::RECORD_FIELDS.to_string()))
}

fn record_values() -> Result<(), Failed> {
    // The record and its list are values as well.
    let record = |count: usize| read_record(format!("{{\"x\":[{}0]}}", "0,".repeat(count - 3)).as_bytes()).map(drop);
    check("at", record(limits::RECORD_VALUES).is_ok())?;
    let over = record(limits::RECORD_VALUES + 1).err().unwrap_or_default();
    check(&format!("over: {over}"), over.contains(&limits::RECORD_VALUES.to_string()))
}

fn field_name_bytes() -> Result<(), Failed> {
    let record = |length: usize| read_record(format!("{{\"{}\":0}}", "x".repeat(length)).as_bytes()).map(drop);
    check("at", record(limits::FIELD_NAME_BYTES).is_ok())?;
    let over = record(limits::FIELD_NAME_BYTES + 1).err().unwrap_or_default();
    check(&format!("over: {over}"), over.contains(&limits::FIELD_NAME_BYTES.to_string()))
}

fn id_chars() -> Result<(), Failed> {
    for (length, is_echoed) in [(limits::ID_CHARS, true), (limits::ID_CHARS + 1, false)] {
        let id = "x".repeat(length);
        let decision = decide("", &Failure { id: Some(id.as_str().into()), ..Failure::default() })?;
        check(&format!("an id of {length}"), decision.id == is_echoed.then_some(id))?;
    }
    Ok(())
}
