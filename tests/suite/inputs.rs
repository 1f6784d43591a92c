//! `tests/inputs/<format>/`: records of each format in, failures in our own JSON out.
//!
//! `snapshots/inputs/` pins the failures, what was odd, and why a record cannot be read. A file whose name begins with
//! `odd` is hostile or cut off and read as what it is called; every other one is recognised without being named.
//!
//! The round trip: failures of the rules' examples, written in every format that can hold them, have the same code.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use faultbook::{Attribute, Exception, Failure, Format, read_as, read_text};
use libtest_mimic::{Failed, Trial};
use serde_json::{Value, json};

use super::codes::rules;
use super::process::{expect, faultbook};
use super::records::answers;
use super::snapshot::{self, root};

type Test = fn() -> Result<(), Failed>;

pub fn trials() -> Vec<Trial> {
    let files = golden();
    let names: Vec<String> = files.iter().map(|(format, path)| name(*format, path)).collect();
    let mut trials: Vec<Trial> = files
        .into_iter()
        .map(|(format, path)| {
            let stem = name(format, &path);
            Trial::test(format!("inputs/{}", stem.replacen("--", "/", 1)), move || run(format, &path, &stem))
        })
        .collect();
    trials.push(Trial::test("inputs/every_snapshot_has_a_file", move || {
        snapshot::assert_names("inputs", &names.iter().map(String::as_str).collect::<Vec<_>>())
    }));
    for (format, least, write) in WRITERS {
        trials.push(Trial::test(format!("inputs/round_trip/{format}"), move || round_trip(format, least, write)));
    }
    let tests: [(&str, Test); 12] = [
        ("map", map),
        ("map_file", map_file),
        ("a_map_that_does_not_fit_says_what_to_type", wrong_maps),
        ("min_level", min_level),
        ("levels_of_every_format", levels),
        ("columns", columns),
        ("many_empty_documents", empty_documents),
        ("parquet", parquet),
        ("threads_give_the_same_bytes", threads),
        ("a_document_of_many_records_is_read_record_by_record", long_document),
        ("pasted_text_with_a_body_in_front_stays_one_failure", pasted),
        ("trace_and_new_read_other_formats", trace_and_new),
    ];
    trials.extend(tests.map(|(name, test)| Trial::test(format!("inputs/{name}"), test)));
    trials
}

/// The files with their formats.
fn golden() -> Vec<(Format, PathBuf)> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root().join("tests/inputs")).into_iter().flatten().flatten() {
        let Some(format) = folder.file_name().to_str().and_then(Format::of_name) else { continue };
        // Needs a feature, and is no stream.
        if format == Format::Parquet {
            continue;
        }
        let files = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
        found.extend(files.map(|file| (format, file.path())));
    }
    found.sort_by(|a, b| a.1.cmp(&b.1));
    found
}

fn name(format: Format, path: &Path) -> String {
    format!("{format}--{}", path.file_stem().unwrap_or_default().to_string_lossy())
}

fn run(format: Format, path: &Path, stem: &str) -> Result<(), Failed> {
    let input = std::fs::read(path)?;
    let mut text = String::new();
    let read = read_as(format, &input);
    for record in &read {
        match record {
            Ok(record) => {
                writeln!(text, "{}", serde_json::to_string(&record.failure)?)?;
                if let Some(pasted) = &record.failure.text {
                    writeln!(text, "  the text states: {}", serde_json::to_string(&read_text(pasted))?)?;
                }
                record.notes.iter().try_for_each(|note| writeln!(text, "  note: {note}"))?;
            }
            Err(error) => writeln!(text, "  error: {error}")?,
        }
    }
    snapshot::assert("inputs", stem, &format!("records of {format}"), &text);
    let file = path.to_string_lossy();
    let done = faultbook(&["classify", "--format", "json", "--input", format.name(), &file], b"")?;
    if answers(&done.stdout)?.len() != read.len() {
        return Err(format!("{} answers to {} records", answers(&done.stdout)?.len(), read.len()).into());
    }
    if path.file_stem().is_some_and(|stem| stem.to_string_lossy().starts_with("odd")) {
        return Ok(());
    }
    let told = faultbook(&["classify", "--format", "json", "--show-input", &file], b"")?;
    expect(&told, 0, &[&format!("was taken for `{format}`")])?;
    if told.stdout == done.stdout { Ok(()) } else { Err("told from its first lines, it is read otherwise".into()) }
}

/// Writes a failure in a format, when that can hold it.
type Writer = fn(&Failure<'_>) -> Option<String>;

const WRITERS: [(Format, usize, Writer); 10] = [
    (Format::Exception, 60, exception),
    (Format::Clef, 100, clef),
    (Format::Serilog, 100, serilog),
    (Format::Nlog, 100, nlog),
    (Format::AppInsights, 60, app_insights),
    (Format::Otlp, 100, otlp),
    (Format::Sentry, 100, sentry),
    (Format::Problem, 20, problem),
    (Format::Provider, 9, provider),
    (Format::Csv, 100, csv),
];

/// Every example that can be written in a format has the code there that it has in our own JSON.
fn round_trip(format: Format, least: usize, write: Writer) -> Result<(), Failed> {
    let set = rules();
    let mut count = 0;
    let mut faults = Vec::new();
    for example in set.codes().iter().flat_map(|entry| set.examples_of(&entry.code)) {
        let Some(written) = write(example) else { continue };
        count += 1;
        let read = read_as(format, written.as_bytes());
        let [Ok(record)] = &read[..] else {
            faults.push(format!("{written}\n  {read:?}"));
            continue;
        };
        let mut failure = record.failure.clone();
        // What a format has no place for is what arguments of the command are for.
        failure.connector = failure.connector.or(example.connector.clone());
        failure.operation = failure.operation.or(example.operation.clone());
        failure.phase = failure.phase.or(example.phase.clone());
        let (due, found) = (set.classify(example), set.classify(&failure));
        if due.code != found.code {
            faults
                .push(format!("{} is due, got {} by {}\n  {written}\n  {failure:?}", due.code, found.code, found.rule));
        }
    }
    if count < least {
        return Err(format!("only {count} examples can be written as {format}").into());
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(format!("{} of {count} differ:\n{}", faults.len(), faults.join("\n")).into())
    }
}

/// Whether a failure says nothing but connector, operation, phase, exceptions, message, status and stack.
fn is_plain(failure: &Failure<'_>) -> bool {
    failure.provider_codes.is_empty()
        && failure.error_numbers.is_empty()
        && failure.attributes.is_empty()
        && failure.exceptions.iter().all(|exception| exception.ancestors.is_empty())
}

/// Who wraps each exception.
fn parent(exceptions: &[Exception<'_>], index: usize) -> Option<usize> {
    exceptions[index].parent.or(index.checked_sub(1))
}

/// An exception with those inside of it as an object, under the names that a runtime uses.
fn object(exceptions: &[Exception<'_>], index: usize, type_key: &str) -> Option<Value> {
    let exception = &exceptions[index];
    let mut object = json!({ type_key: exception.type_name.as_deref()?, "Message": exception.message.as_deref().unwrap_or_default() });
    match exception.error_numbers[..] {
        [] => {}
        [number] => object["NativeErrorCode"] = number.into(),
        _ => return None,
    }
    let inner: Vec<Value> = (index + 1..exceptions.len())
        .filter(|&inner| parent(exceptions, inner) == Some(index))
        .map(|inner| self::object(exceptions, inner, type_key))
        .collect::<Option<_>>()?;
    match inner.len() {
        0 => object["InnerException"] = Value::Null,
        1 => object["InnerException"] = inner[0].clone(),
        _ => {
            object["InnerException"] = inner[0].clone();
            object["InnerExceptions"] = inner.into();
        }
    }
    Some(object)
}

/// All exceptions as one object; nothing when there is none, or more than one outermost.
fn tree(failure: &Failure<'_>, type_key: &str) -> Option<Value> {
    if failure.exceptions.is_empty() {
        return Some(Value::Null);
    }
    object(&failure.exceptions, 0, type_key)
}

fn exception(failure: &Failure<'_>) -> Option<String> {
    let is_rest = failure.message.is_some() || failure.text.is_some() || failure.http_status.is_some();
    if !is_plain(failure) || is_rest || failure.exceptions.is_empty() {
        return None;
    }
    Some(tree(failure, "ClassName")?.to_string())
}

/// The properties of a log record for what is no exception and no message.
fn properties(failure: &Failure<'_>) -> Value {
    let mut properties = json!({});
    for (name, value) in
        [("connector", &failure.connector), ("operation", &failure.operation), ("phase", &failure.phase)]
    {
        if let Some(value) = value {
            properties[name] = value.as_ref().into();
        }
    }
    if let Some(status) = failure.http_status {
        properties["http.response.status_code"] = status.into();
    }
    properties
}

/// What a logger writes of an exception: its text, or an object.
fn logged(failure: &Failure<'_>) -> Option<Value> {
    match &failure.text {
        Some(text) if failure.exceptions.is_empty() => Some(text.as_ref().into()),
        Some(_) => None,
        None => tree(failure, "Type"),
    }
}

fn with(mut fields: Value, more: &Value) -> String {
    for (name, value) in more.as_object().into_iter().flatten() {
        fields[name] = value.clone();
    }
    fields.to_string()
}

fn clef(failure: &Failure<'_>) -> Option<String> {
    let fields = json!({ "@t": "2026-11-02T08:14:55Z", "@l": "Error", "@m": failure.message, "@x": logged(failure)? });
    is_plain(failure).then(|| with(fields, &properties(failure)))
}

fn serilog(failure: &Failure<'_>) -> Option<String> {
    let fields = json!({
        "Timestamp": "2026-11-02T08:14:55Z",
        "Level": "Error",
        "MessageTemplate": failure.message.as_deref().unwrap_or_default().replace('{', "{{").replace('}', "}}"),
        "Exception": logged(failure)?,
        "Properties": properties(failure),
    });
    is_plain(failure).then(|| fields.to_string())
}

fn nlog(failure: &Failure<'_>) -> Option<String> {
    let fields = json!({ "time": "t", "level": "ERROR", "message": failure.message, "exception": logged(failure)? });
    is_plain(failure).then(|| with(fields, &properties(failure)))
}

fn app_insights(failure: &Failure<'_>) -> Option<String> {
    let numbers = failure.exceptions.iter().any(|exception| !exception.error_numbers.is_empty());
    if !is_plain(failure)
        || numbers
        || failure.text.is_some()
        || failure.message.is_some()
        || failure.exceptions.is_empty()
    {
        return None;
    }
    let details = failure.exceptions.iter().enumerate().map(|(index, exception)| {
        let outer = parent(&failure.exceptions, index).map_or(0, |parent| parent + 1);
        Some(json!({
            "id": (index + 1).to_string(),
            "outerId": outer.to_string(),
            "type": exception.type_name.as_deref()?,
            "message": exception.message,
            "parsedStack": [],
        }))
    });
    let details = Value::from(details.collect::<Option<Vec<_>>>()?).to_string();
    let row = json!({ "problemId": "p", "type": "x", "details": details, "customDimensions": properties(failure).to_string() });
    Some(row.to_string())
}

fn otlp(failure: &Failure<'_>) -> Option<String> {
    let mut attributes: Vec<Value> = properties(failure)
        .as_object()?
        .iter()
        .map(|(name, value)| match value.as_u64() {
            Some(number) => json!({ "key": name, "value": { "intValue": number.to_string() } }),
            None => json!({ "key": name, "value": { "stringValue": value } }),
        })
        .collect();
    let mut add = |name: &str, text: &str| {
        attributes.push(json!({ "key": name, "value": { "stringValue": text } }));
    };
    match (&failure.exceptions[..], &failure.text) {
        ([], None) => {}
        ([], Some(text)) => add("exception.stacktrace", text),
        ([one], None) if one.error_numbers.is_empty() => {
            add("exception.type", one.type_name.as_deref()?);
            add("exception.message", one.message.as_deref().unwrap_or_default());
        }
        _ => return None,
    }
    let record = json!({
        "timeUnixNano": "1",
        "severityNumber": 17,
        "body": { "stringValue": failure.message },
        "attributes": attributes,
    });
    is_plain(failure).then(|| json!({ "resourceLogs": [{ "scopeLogs": [{ "logRecords": [record] }] }] }).to_string())
}

fn sentry(failure: &Failure<'_>) -> Option<String> {
    let numbers = failure.exceptions.iter().any(|exception| !exception.error_numbers.is_empty());
    if !is_plain(failure) || numbers || failure.text.is_some() {
        return None;
    }
    let values = failure.exceptions.iter().enumerate().rev().map(|(index, exception)| {
        json!({
            "type": exception.type_name,
            "value": exception.message,
            "mechanism": { "exception_id": index, "parent_id": parent(&failure.exceptions, index) },
        })
    });
    let mut tags = properties(failure);
    let status = tags.as_object_mut().and_then(|tags| tags.remove("http.response.status_code"));
    let event = json!({
        "event_id": "a",
        "platform": "csharp",
        "message": failure.message,
        "exception": { "values": values.collect::<Vec<_>>() },
        "tags": tags,
        "contexts": { "response": { "status_code": status } },
    });
    Some(event.to_string())
}

fn problem(failure: &Failure<'_>) -> Option<String> {
    if !is_plain(failure) || failure.text.is_some() || !failure.exceptions.is_empty() {
        return None;
    }
    let problem = json!({ "type": "about:blank", "title": failure.message, "status": failure.http_status });
    (failure.message.is_some() || failure.http_status.is_some()).then(|| problem.to_string())
}

fn provider(failure: &Failure<'_>) -> Option<String> {
    if let ([code, fault], Some(message)) = (&failure.provider_codes[..], &failure.message)
        && fault == "SoapFault"
        && failure.exceptions.is_empty()
        && failure.http_status.is_none()
    {
        let message = message.replace('&', "&amp;").replace('<', "&lt;");
        let fault = format!("<faultcode>a:{code}</faultcode><faultstring>{message}</faultstring>");
        return Some(format!("<s:Envelope><s:Body><s:Fault>{fault}</s:Fault></s:Body></s:Envelope>"));
    }
    let [code] = &failure.provider_codes[..] else { return None };
    let is_rest = failure.text.is_some() || !failure.exceptions.is_empty() || !failure.attributes.is_empty();
    let message = failure.message.as_deref()?;
    if is_rest || !failure.error_numbers.is_empty() || code.contains(|c: char| !c.is_alphanumeric() && c != '_') {
        return None;
    }
    let body = json!({ "error": { "code": code, "message": message } });
    Some(match failure.http_status {
        Some(status) => format!("HTTP/1.1 {status}\nContent-Type: application/json\n\n{body}\n"),
        None => body.to_string(),
    })
}

fn csv(failure: &Failure<'_>) -> Option<String> {
    let numbers =
        |exception: &Exception<'_>| exception.error_numbers.iter().map(ToString::to_string).collect::<Vec<_>>();
    let is_chain = failure.exceptions.len() <= 2
        && failure.exceptions.iter().all(|e| e.ancestors.is_empty() && e.type_name.is_some());
    // A column has no place for which of several exceptions a number belongs to.
    let is_numbered = failure.exceptions.iter().any(|exception| !exception.error_numbers.is_empty());
    if !is_chain || is_numbered && failure.exceptions.len() > 1 {
        return None;
    }
    let mut cells: Vec<(String, String)> = Vec::new();
    let mut add = |name: &str, text: Option<&str>| {
        if let Some(text) = text {
            cells.push((name.to_owned(), format!("\"{}\"", text.replace('"', "\"\""))));
        }
    };
    add("connector", failure.connector.as_deref());
    add("operation", failure.operation.as_deref());
    add("phase", failure.phase.as_deref());
    add("message", failure.message.as_deref());
    add("text", failure.text.as_deref());
    add("http_status", failure.http_status.map(|status| status.to_string()).as_deref());
    for (index, [name, message]) in
        [["exception_type", "exception_message"], ["inner_type", "inner_message"]].iter().enumerate()
    {
        let exception = failure.exceptions.get(index);
        add(name, exception.and_then(|exception| exception.type_name.as_deref()));
        add(message, exception.and_then(|exception| exception.message.as_deref()));
    }
    if !failure.provider_codes.is_empty() {
        add("provider_codes", Some(&failure.provider_codes.join(";")));
    }
    let mut all: Vec<String> = failure.error_numbers.iter().map(ToString::to_string).collect();
    all.extend(failure.exceptions.iter().flat_map(numbers));
    if !all.is_empty() {
        add("error_numbers", Some(&all.join(" ")));
    }
    for (name, value) in &failure.attributes {
        let text = match value {
            Attribute::Bool(value) => value.to_string(),
            Attribute::Number(number) => number.to_string(),
            Attribute::Text(text) => text.clone().into_owned(),
        };
        add(&format!("attributes.{name}"), Some(&text));
    }
    let (names, texts): (Vec<String>, Vec<String>) = cells.into_iter().unzip();
    (!names.is_empty()).then(|| format!("{}\n{}\n", names.join(","), texts.join(",")))
}

fn classified(arguments: &[&str], input: &str) -> Result<Vec<Value>, Failed> {
    let done = faultbook(&[&["classify", "--format", "json"], arguments].concat(), input.as_bytes())?;
    answers(&done.stdout)
}

/// The codes of an input, and a code for each line that is due.
fn codes_are(arguments: &[&str], input: &str, due: &[&str]) -> Result<(), Failed> {
    let answers = classified(arguments, input)?;
    let codes: Vec<&str> = answers.iter().filter_map(|answer| answer["code"].as_str()).collect();
    if codes == due { Ok(()) } else { Err(format!("{due:?} is due for {arguments:?}: {answers:?}").into()) }
}

fn map() -> Result<(), Failed> {
    let line = r#"{"when":"t","ex":"System.TimeoutException: The operation has timed out.","P":{"Target":"webhook","a.b":{"c":503}},"tries":3}"#;
    let two = format!("{line}\n{line}\n");
    let map = "exception=ex,connector=P.Target,http_status=P.a.b.c,attributes.tries=tries";
    // Auto, one line and several; a format by name; our own JSON.
    for input in [line, &two] {
        for format in ["auto", "nlog", "json", "clef"] {
            for answer in classified(&["--input", format, "--map", map], input)? {
                if answer["code"] != "DSWBHK020" || answer["notes"].is_array() {
                    return Err(format!("{format}: {answer}").into());
                }
            }
        }
    }
    let line = r#"{"m":"x","s":"503 Service Unavailable","c":"webhook"}"#;
    codes_are(&["--map", "message=m", "--map", "http_status=s,connector=c"], line, &["DSWBHK020"])
}

fn map_file() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("map.toml");
    std::fs::write(&file, "exception = \"wrong\"\nconnector = \"c\"\n[attributes]\nretries_exhausted = \"r\"\n")?;
    let file = file.to_string_lossy();
    let line = r#"{"ex":"System.TimeoutException: late","c":"webhook","r":true}"#;
    codes_are(&["--map-file", &file, "--map", "exception=ex"], line, &["DSWBHK010"])?;
    std::fs::write(&*file, "exception = 5\n")?;
    let done = faultbook(&["classify", "--map-file", &file], b"")?;
    expect(&done, 2, &["`exception` takes the name of a field", "exception = \"FIELD\""])?;
    expect(&faultbook(&["classify", "--map-file", "/nowhere.toml"], b"")?, 2, &["cannot read `/nowhere.toml`"])
}

fn wrong_maps() -> Result<(), Failed> {
    let said = |arguments: &[&str], code: i32, input: &str, texts: &[&str]| -> Result<(), Failed> {
        expect(&faultbook(&[&["classify"], arguments].concat(), input.as_bytes())?, code, texts)
    };
    said(&["--map", "exeption=ex"], 2, "", &["`exeption` is no fact", "Did you mean `exception`?"])?;
    said(&["--map", "exception"], 2, "", &["names no field", "--map exception=ex"])?;
    said(&["--map", "exception="], 2, "", &["`exception` has no field"])?;
    said(&["--map", "attributes.=x"], 2, "", &["is no fact"])?;
    let line = "{\"Exc\":\"x\",\"P\":{\"Connector\":\"webhook\"}}\n";
    said(&["--map", "exception=exc"], 0, line, &["no record has the field `exc`", "did you mean `exception=Exc`?"])?;
    said(&["--map", "exception=Exc,connector=connector"], 0, line, &["did you mean `connector=P.Connector`?"])?;
    said(&["--map", "exception=whatever"], 0, line, &["records have `Exc`, `P`, `P.Connector`"])
}

fn min_level() -> Result<(), Failed> {
    let lines = [
        r#"{"@t":"t","@m":"ordinary"}"#,
        r#"{"@t":"t","@l":"Debug","@m":"with an exception","@x":"System.TimeoutException: late"}"#,
        r#"{"@t":"t","@l":"Warning","@m":"odd"}"#,
        r#"{"@t":"t","@l":"Whatever","@m":"a level that nobody knows"}"#,
        r#"{"@t":"t","@l":"Error","@m":"wrong"}"#,
        "no JSON",
    ];
    let input = lines.join("\n");
    for threads in ["1", "3"] {
        for (level, due) in [("trace", 6), ("information", 6), ("warning", 5), ("error", 4), ("critical", 3)] {
            let arguments = ["classify", "--input", "clef", "--threads", threads, "--min-level", level];
            let done = faultbook(&arguments, input.as_bytes())?;
            let found = String::from_utf8_lossy(&done.stdout).lines().count();
            if found != due {
                return Err(format!("{found} lines from {level} on").into());
            }
            let left_out = format!("left out {} log record", 6 - due);
            let said = format!("1 of {due} records could not be read");
            expect(&done, 1, &[&said, if due < 6 { &left_out } else { "" }])?;
        }
    }
    Ok(())
}

fn levels() -> Result<(), Failed> {
    let otlp = |severity: &str| format!("{{\"timeUnixNano\":\"1\",\"body\":{{\"stringValue\":\"m\"}},{severity}}}");
    let cases = [
        (
            "serilog",
            r#"{"Level":"Warning","MessageTemplate":"m"}"#.to_owned(),
            r#"{"Level":"Fatal","MessageTemplate":"m"}"#.to_owned(),
        ),
        ("nlog", r#"{"level":"WARN","message":"m"}"#.to_owned(), r#"{"level":"Error","message":"m"}"#.to_owned()),
        ("nlog", r#"{"level":"info","message":"m"}"#.to_owned(), r#"{"level":50,"message":"m"}"#.to_owned()),
        (
            "app-insights",
            r#"{"severityLevel":2,"message":"m"}"#.to_owned(),
            r#"{"SeverityLevel":"Critical","message":"m"}"#.to_owned(),
        ),
        (
            "app-insights",
            r#"{"severityLevel":"Information","message":"m"}"#.to_owned(),
            r#"{"severityLevel":3,"message":"m"}"#.to_owned(),
        ),
        ("otlp", otlp("\"severityNumber\":16"), otlp("\"severityNumber\":17")),
        ("otlp", otlp("\"severityText\":\"warn\""), otlp("\"severityText\":\"CRITICAL\"")),
        ("sentry", r#"{"level":"warning","message":"m"}"#.to_owned(), r#"{"level":"fatal","message":"m"}"#.to_owned()),
    ];
    for (format, below, at) in cases {
        let arguments = ["--input", format, "--min-level", "error"];
        let found = [classified(&arguments, &below)?.len(), classified(&arguments, &at)?.len()];
        if found != [0, 1] {
            return Err(format!("{format}: {found:?} lines for {below} and {at}").into());
        }
    }
    codes_are(
        &["--map", "level=l,message=m", "--min-level", "error"],
        "{\"l\":\"info\",\"m\":\"x\"}\n{\"l\":\"fatal\",\"m\":\"x\"}\n",
        &["DSUNK001"],
    )
}

fn columns() -> Result<(), Failed> {
    let said = |arguments: &[&str], code: i32, input: &str, texts: &[&str]| -> Result<(), Failed> {
        expect(&faultbook(&[&["classify"], arguments].concat(), input.as_bytes())?, code, texts)
    };
    let csv = "Nr,Status,Connector\n1,503,webhook\n2,503,webhook\n";
    said(&["--input", "csv"], 2, csv, &["no column has the name of a fact", "--map FACT=COLUMN", "`Status`"])?;
    said(
        &["--input", "csv", "--map", "http_status=status"],
        2,
        csv,
        &["no column `status`", "did you mean `Status`?"],
    )?;
    codes_are(&["--input", "csv", "--map", "http_status=Status,connector=Connector"], csv, &["DSWBHK020"; 2])?;
    codes_are(&["--map", "http_status=Status,connector=Connector"], csv, &["DSWBHK020"; 2])?;
    codes_are(&["--input", "csv"], "", &[])?;
    codes_are(&["--input", "csv"], "id,message\n", &[])?;
    said(&["--input", "parquet"], 2, "", &["a file by its name"])
}

/// Files of Parquet, with and without the feature.
fn parquet() -> Result<(), Failed> {
    let file = |name: &str| root().join(format!("tests/inputs/parquet/{name}.parquet")).to_string_lossy().into_owned();
    let (history, named) = (file("history"), file("named"));
    if !cfg!(feature = "parquet") {
        for input in ["auto", "parquet"] {
            let done = faultbook(&["classify", "--input", input, &history], b"")?;
            expect(&done, 2, &["it is Parquet", "--features parquet"])?;
        }
        return Ok(());
    }
    codes_are(&[&named], "", &["DSWBHK020", "DSWBHK020", "DSUNK001"])?;
    let map = "http_status=Status,connector=Target,operation=Op,exception_type=Error.Type,exception_message=Error.Text,provider_codes=Codes";
    for threads in ["1", "4"] {
        let arguments = ["--threads", threads, "--map", map, &history];
        codes_are(&arguments, "", &["DSWBHK020", "DSEX021", "DSUNK001"])?;
    }
    let done = faultbook(&["classify", "--map", "http_status=status", &history], b"")?;
    expect(&done, 2, &["there is no column `status`", "did you mean `Status`?"])?;
    let folder = tempfile::tempdir()?;
    let broken = folder.path().join("broken.parquet");
    let mut bytes = std::fs::read(&named)?;
    bytes.truncate(bytes.len() / 2);
    std::fs::write(&broken, &bytes)?;
    expect(&faultbook(&["classify", &broken.to_string_lossy()], b"")?, 2, &["cannot read"])
}

fn threads() -> Result<(), Failed> {
    for (format, path) in golden() {
        let input = std::fs::read(&path)?;
        let run = |threads| {
            faultbook(&["classify", "--format", "json", "--input", format.name(), "--threads", threads], &input)
        };
        let (one, many) = (run("1")?, run("4")?);
        if one.stdout != many.stdout || one.status.code() != many.status.code() {
            return Err(format!("{} differs with threads", path.display()).into());
        }
    }
    Ok(())
}

/// Documents without records are no failures, however many of them follow each other.
fn empty_documents() -> Result<(), Failed> {
    let record = r#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"x"}}]}]}]}"#;
    let input = format!("{}{record}\n", "{\"resourceLogs\":[]}\n".repeat(100_000));
    codes_are(&["--input", "otlp"], &input, &["DSUNK001"])
}

/// A document of OTLP with many more values than one record may have.
fn long_document() -> Result<(), Failed> {
    let record = r#"{"timeUnixNano":"1","body":{"stringValue":"x"},"attributes":[{"key":"http.response.status_code","value":{"intValue":"503"}},{"key":"connector","value":{"stringValue":"webhook"}}]}"#;
    let records = vec![record; 20_000].join(",");
    let document = format!("{{\"resourceLogs\":[{{\"scopeLogs\":[{{\"logRecords\":[{records}]}}]}}]}}\n");
    for input in ["otlp", "auto"] {
        let done = faultbook(&["classify", "--input", input, "--format", "json"], document.as_bytes())?;
        let text = String::from_utf8(done.stdout)?;
        if text.lines().count() != 20_000 || !text.lines().all(|line| line.contains("DSWBHK020")) {
            return Err(format!("{input}: {} answers", text.lines().count()).into());
        }
    }
    Ok(())
}

fn pasted() -> Result<(), Failed> {
    let body = r#"{"error":"invalid_client","error_description":"AADSTS7000215: Invalid client secret provided."}"#;
    for input in [
        format!("{body}\n   at A.B.C()\n"),
        format!("{body}\n\nwas what we got\n"),
        format!("{}\nand more words\n", r#"{"ClassName":"A.BException","Message":"m","HResult":1}"#),
        format!("{}\nwords\n", r#"{"level":"error","message":"m","time":"t"}"#),
    ] {
        if classified(&["--connector", "exchange"], &input)?.len() != 1 {
            return Err(format!("more than one answer to {input}").into());
        }
    }
    Ok(())
}

fn trace_and_new() -> Result<(), Failed> {
    let line = br#"{"ex":"System.TimeoutException: late","c":"webhook"}"#;
    let done = faultbook(&["trace", "--map", "exception=ex,connector=c", "--show-input"], line)?;
    expect(&done, 0, &["DSWBHK010", "was taken for `json`"])?;
    let event = br#"{"@t":"t","@m":"m","@x":"A.B.ZebraException: stripes","connector":"webhook"}"#;
    let done = faultbook(&["new", "--from", "-", "--input", "clef", "--code", "DSHTTP001"], event)?;
    expect(&done, 0, &["ZebraException"])
}
