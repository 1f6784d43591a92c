//! The index gives what the obvious loop gives: on all examples, and on random rules and failures of every kind.
//!
//! `FAULTBOOK_CASES=1000000 cargo test --release matcher/` is the long run.

use fastrand::Rng;
use faultbook::matcher::{
    AttributePattern, Candidate, CauseCondition, CausePosition, CodePattern, Condition, Fact, Lexicon, Literal,
    Matcher, Outcome, Pattern, Quantifier, Scratch, StatusPattern, TypeName, TypePattern, Values, check, items,
    items_on_cause, plain, witnesses,
};
use faultbook::{Attribute, Code, Exception, Failure, Rule};
use libtest_mimic::{Failed, Trial};

use super::codes::rules;

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("matcher/index_and_loop_agree_on_all_examples", examples),
        Trial::test("matcher/traces_and_decisions_agree_on_all_examples", traces),
        Trial::test("matcher/traces_and_loop_agree_on_random_rules", random_traces),
        Trial::test("matcher/steady_state_allocates_nothing", allocations),
        Trial::test("matcher/index_and_loop_agree_on_random_rules", || random(1, 40, 1)),
        Trial::test("matcher/index_and_loop_agree_on_some_random_rules", || random(60, 256, 6)),
        Trial::test("matcher/index_and_loop_agree_on_many_random_rules", || random(300, 700, 20)),
        Trial::test("matcher/index_and_loop_agree_on_ordered_lists", lists),
        Trial::test("matcher/index_and_loop_agree_on_very_many_numbers", numbers),
    ]
}

fn examples() -> Result<(), Failed> {
    let matcher = Matcher::new(rules().rules().to_vec(), Lexicon::default());
    let mut scratch = Scratch::default();
    for entry in rules().codes() {
        for failure in rules().examples_of(&entry.code) {
            agree(&matcher, failure, &mut scratch).map_err(Failed::from)?;
        }
    }
    Ok(())
}

/// What a trace calls the winner is what wins, and what it says applies is what applies.
fn traces() -> Result<(), Failed> {
    for entry in rules().codes() {
        for failure in rules().examples_of(&entry.code) {
            let trace = rules().trace(failure, 5);
            let decision = rules().classify(failure);
            let winner = trace.winner.as_ref().map_or("fallback", |winner| winner.name.rule.as_str());
            if decision.rule != winner || trace.decision != decision {
                return Err(format!("{} wins, the trace says {winner}", decision.rule).into());
            }
            let named = trace.also_apply.iter().map(|hidden| &hidden.name.rule);
            let applying: Vec<&String> = trace.winner.iter().map(|winner| &winner.name.rule).chain(named).collect();
            for rule in rules().rules() {
                let traced = rules().trace_rule(failure, &rule.id).ok_or("no such rule")?;
                let asked = traced.asked.ok_or("no answer")?;
                let failed = asked.conditions.iter().any(|condition| condition.failed);
                if asked.applies == failed || asked.applies != applying.contains(&&rule.id) {
                    return Err(format!("{} applies {}, a condition fails {failed}", rule.id, asked.applies).into());
                }
            }
            if trace.misses.iter().any(|miss| miss.applies || !(1..=2).contains(&miss.failed)) {
                return Err(format!("a near miss of {} is none", serde_json::json!(failure)).into());
            }
        }
    }
    Ok(())
}

/// On rules of every kind: a rule applies exactly when all of its conditions say so, one by one and item by item.
fn random_traces() -> Result<(), Failed> {
    let cases = std::env::var("FAULTBOOK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(4_000);
    let mut scratch = Scratch::default();
    let (mut applying, mut missing) = (0, 0);
    for seed in 0..u64::div_ceil(cases, FAILURES) {
        let mut rng = Rng::with_seed(seed);
        let rules: Vec<Rule> = (0..rng.usize(1..=30)).map(|id| rule(&mut rng, id)).collect();
        let matcher = Matcher::new(rules, lexicon(&mut rng));
        for _ in 0..FAILURES {
            let failure = failure(&mut rng);
            let (candidate, work) = matcher.facts(&failure, None, &mut scratch);
            let first = matcher.first_of(candidate, work);
            let checked: Vec<_> = matcher.rules().iter().map(|rule| check(rule, candidate)).collect();
            let winner = checked.iter().position(faultbook::matcher::Checked::applies);
            if winner != first || winner != plain::first(matcher.rules(), candidate) {
                return Err(format!("seed {seed}: the trace says {winner:?}, {first:?} wins").into());
            }
            for (rule, checked) in matcher.rules().iter().zip(&checked) {
                let applies = witnesses(rule, candidate).is_some();
                let says = checked.is_in_scope
                    && checked.when.iter().all(|outcome| outcome.holds)
                    && !checked.unless.iter().any(|outcome| outcome.holds);
                if applies != checked.applies() || applies != says {
                    return Err(format!("seed {seed}: {} applies {applies}, the trace says {says}", rule.id).into());
                }
                applying += usize::from(applies);
                missing += usize::from(checked.failed() == 1);
                for outcome in checked.when.iter().chain(&checked.unless) {
                    agree_on_items(outcome, candidate).map_err(|error| format!("seed {seed}: {}: {error}", rule.id))?;
                }
            }
        }
    }
    if applying > 100 && missing > 100 { Ok(()) } else { Err(format!("{applying} apply, {missing} nearly").into()) }
}

/// A condition holds exactly when its items do: any of them or all.
fn agree_on_items(outcome: &Outcome<'_>, candidate: Candidate<'_>) -> Result<(), String> {
    fn together<T>(values: &Values<T>, hits: &[bool]) -> bool {
        match values.quantifier {
            Quantifier::Any => hits.iter().any(|hit| *hit),
            Quantifier::All => hits.iter().all(|hit| *hit),
        }
    }
    let hits: Vec<bool> = items(outcome.condition, candidate).iter().map(Option::is_some).collect();
    let holds = match outcome.condition {
        Condition::Exception(values) => together(values, &hits),
        Condition::Message(values) => together(values, &hits),
        Condition::Contains(values) => together(values, &hits),
        Condition::HttpStatus(values) => together(values, &hits),
        Condition::ProviderCode(values) => together(values, &hits),
        Condition::ErrorNumber(values) => together(values, &hits),
        Condition::Connector(values) | Condition::Operation(values) | Condition::Phase(values) => {
            together(values, &hits)
        }
        Condition::Attribute { values, .. } => together(values, &hits),
        Condition::Absent(_) => hits.iter().all(|hit| *hit),
        Condition::Cause { conditions, .. } => {
            let selected = outcome.selected.as_ref().ok_or("no cause was looked at")?;
            for (condition, &holds) in conditions.iter().zip(&selected.holds) {
                let hits = selected.cause.map_or_else(Vec::new, |cause| items_on_cause(condition, cause, candidate));
                let hits: Vec<bool> = hits.iter().map(Option::is_some).collect();
                let together = match condition {
                    CauseCondition::Exception(values) => together(values, &hits),
                    CauseCondition::Message(values) => together(values, &hits),
                    CauseCondition::Contains(values) => together(values, &hits),
                    CauseCondition::ErrorNumber(values) => together(values, &hits),
                };
                if holds != (together && selected.cause.is_some()) {
                    return Err(format!("{} holds {holds}, its items {together}", condition.key()));
                }
            }
            selected.cause.is_some() && selected.holds.iter().all(|holds| *holds)
        }
    };
    if holds == outcome.holds {
        return Ok(());
    }
    Err(format!("{} holds {}, its items {holds}", outcome.condition.key(), outcome.holds))
}

/// Once the scratch has seen failures like them, failures without a pasted text are diagnosed without any allocation.
fn allocations() -> Result<(), Failed> {
    let examples = rules().codes().iter().flat_map(|entry| rules().examples_of(&entry.code));
    let failures: Vec<&Failure<'_>> = examples.filter(|failure| failure.text.is_none()).collect();
    let mut scratch = Scratch::default();
    let mut diagnose =
        || failures.iter().filter(|failure| rules().diagnose(failure, &mut scratch).rule.is_some()).count();
    let known = (0..3).map(|_| diagnose()).max();
    let mut again = None;
    let allocations = allocation_counter::measure(|| again = Some(diagnose()));
    if failures.len() < 100 || again != known {
        return Err(format!("{} failures, {known:?} of them known, then {again:?}", failures.len()).into());
    }
    match allocations.count_total {
        0 => Ok(()),
        count => Err(format!("{count} allocations for {} failures", failures.len()).into()),
    }
}

/// Rule sets of some size, each with some failures.
fn random(least: usize, most: usize, cost: u64) -> Result<(), Failed> {
    let cases = std::env::var("FAULTBOOK_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(8_000) / cost;
    let mut scratch = Scratch::default();
    for seed in 0..cases.div_ceil(FAILURES) {
        let mut rng = Rng::with_seed(seed);
        let rules: Vec<Rule> = (0..rng.usize(least..=most)).map(|id| rule(&mut rng, id)).collect();
        let matcher = Matcher::new(rules, lexicon(&mut rng));
        for _ in 0..FAILURES {
            let failure = failure(&mut rng);
            agree(&matcher, &failure, &mut scratch).map_err(|message| format!("seed {seed}: {message}"))?;
        }
    }
    Ok(())
}

/// Ordered lists of thousands of overlapping patterns: the index finds what the loop finds.
///
/// `FAULTBOOK_REGEX_LIST` names a file with a list of another origin, one pattern a line.
fn lists() -> Result<(), Failed> {
    let list = match std::env::var_os("FAULTBOOK_REGEX_LIST") {
        Some(path) => std::fs::read_to_string(path)?.lines().map(str::to_owned).collect(),
        None => overlapping(3_000),
    };
    let patterns: Vec<Pattern> = list.iter().filter_map(|source| Pattern::parse(source).ok()).collect();
    let rules = patterns.iter().enumerate().map(|(id, pattern)| Rule {
        id: format!("list/{id}"),
        code: Code::parse("DSUNK001").unwrap_or_else(|| broken(&"no code")),
        connectors: Vec::new(),
        when: vec![Condition::Message(Values { quantifier: Quantifier::Any, items: vec![pattern.clone()] })],
        unless: Vec::new(),
        captures: Vec::new(),
    });
    let matcher = Matcher::new(rules.collect(), Lexicon::default());
    let mut scratch = Scratch::default();
    let (mut rng, mut known) = (Rng::with_seed(7), 0);
    for _ in 0..400 {
        // What is left of some patterns without their signs is close to what they match.
        let parts = (0..rng.usize(1..4)).map(|_| {
            let source = patterns[rng.usize(..patterns.len())].as_str();
            let text: String = source.chars().filter(|c| !r"\^$()[]{}?*+|".contains(*c)).collect();
            format!("{text}{}", ["", "/12.3", " 404", "; x"][rng.usize(..4)])
        });
        let message = parts.collect::<Vec<_>>().join(" ");
        let failure = Failure { message: Some(message.into()), ..Failure::default() };
        agree(&matcher, &failure, &mut scratch)?;
        known += usize::from(matcher.first(&failure, None, &mut scratch).is_some());
    }
    if patterns.len() < list.len() / 2 || known < 100 {
        return Err(format!("{} of {} patterns, {known} failures known", patterns.len(), list.len()).into());
    }
    Ok(())
}

/// Patterns of a few words, so that many of them match the same texts.
fn overlapping(count: usize) -> Vec<String> {
    const WORDS: [&str; 12] =
        ["token", "mail", "box", "sink", "agent", "link", "robot", "kiosk", "reader", "ask", "linker", "mailbox"];
    let mut rng = Rng::with_seed(11);
    let list = (0..count).map(|_| {
        let (one, other) = (WORDS[rng.usize(..12)], WORDS[rng.usize(..12)]);
        let number = rng.u32(..1_000);
        match rng.u32(..9) {
            0 => format!("{one} {other} {number}x"),
            1 => format!(r"\b{one}{number}\b"),
            2 => format!("{one}{number}.*{other}"),
            3 => format!("(?i){one}[ -]{other}{number}/"),
            4 => format!("(?:{one}|{other}){number}/([0-9]+)"),
            5 => format!(r"{one}{number}[/ ]([0-9]+)(?:\.([0-9]+))?"),
            6 => format!("^{other}{number} {one}"),
            7 => format!(r"(?i)\b{other} {one}{number}\b"),
            _ => format!(r"\b[{}-z]{{2}}{number}\b", char::from(rng.u8(b'a'..b'y'))),
        }
    });
    list.collect()
}

/// A failure has only so many error numbers, its causes all of theirs.
fn numbers() -> Result<(), Failed> {
    let exception =
        |numbers: std::ops::Range<i64>| Exception { error_numbers: numbers.collect(), ..Exception::default() };
    let failure = Failure { exceptions: vec![exception(0..200), exception(200..400)], ..Failure::default() };
    for count in [1, 400] {
        let mut rng = Rng::with_seed(3);
        let values = |number: i64| Values { quantifier: Quantifier::Any, items: vec![number] };
        let rules = (0..count).map(|id| Rule {
            when: vec![Condition::ErrorNumber(values(399 - id))],
            unless: Vec::new(),
            connectors: Vec::new(),
            ..rule(&mut rng, 0)
        });
        let matcher = Matcher::new(rules.collect(), Lexicon::default());
        agree(&matcher, &failure, &mut Scratch::default())?;
    }
    Ok(())
}

/// Failures for each random rule set.
const FAILURES: u64 = 20;

fn agree(matcher: &Matcher, failure: &Failure<'_>, scratch: &mut Scratch) -> Result<(), String> {
    let (candidate, work) = matcher.facts(failure, None, scratch);
    let expected = plain::first(matcher.rules(), candidate);
    let found = matcher.first_of(candidate, work);
    if found == expected {
        return Ok(());
    }
    let shown = |rule: Option<usize>| {
        rule.map_or_else(|| "no rule".to_owned(), |rule| serde_json::json!(matcher.rules()[rule]).to_string())
    };
    Err(format!("the index finds {}, the loop {} for {}", shown(found), shown(expected), serde_json::json!(failure)))
}

const TYPES: &[&str] = &[
    "System.Exception",
    "System.TimeoutException",
    "TimeoutException",
    "Net.Http.HttpRequestException",
    "A.B.SqlException",
    "A.C.SqlException",
    "SqlException",
    "A.Fault`1[[B.C, D]]",
    "A.Outer+Inner",
    "",
    "A.B",
    "System.Net.WebException",
];
const TYPE_PATTERNS: &[&str] = &[
    "System.Exception",
    "TimeoutException",
    "System.TimeoutException",
    "**.SqlException",
    "A.*.SqlException",
    "A.{B,C}.SqlException",
    "System.**",
    "Sql*",
    "*Exception",
    "A.Fault",
    "A.Outer.Inner",
    "Inner",
    "**.B",
    "A.**",
    "{A,System}.*",
    "**",
];
const CODES: &[&str] =
    &["AADSTS7000222", "aadsts50034", "invalid_client", "Authentication_Denied", "ErrorItemNotFound", "X", "ORA00942"];
const CODE_PATTERNS: &[&str] =
    &["AADSTS7000222", "AADSTS*", "Authentication_*", "*NotFound", "*_*", "x", "error{item,access}*", "Ora00942"];
const WORDS: &[&str] = &["create", "update", "exchange", "webhook", "nav", ""];
/// Parts of messages, near to what the patterns look for.
const PIECES: &[&str] = &[
    "timeout",
    "Timeout expired",
    "TIMEOUT",
    " ",
    " ",
    "connection",
    "connection refused",
    "Connection Reset by peer",
    "AADSTS7000222",
    "AADSTS70002221",
    "AADSTS50034: user",
    "404",
    "503",
    "(404)",
    "status 503",
    "x",
    "k",
    "K",
    "\u{212A}",
    "s",
    "\u{17F}",
    "é",
    "É",
    "ß",
    "\n",
    "\r\n",
    "\r",
    "host",
    "10.0.0.1",
    "0x8004",
    "2026-11-20",
    "aaaa",
    "abcabcabcabc",
    "the mailbox is full",
    "The Mailbox is full",
    "mailbo",
    "ful",
    "certificate",
    "cert",
    "«»",
    "日本語",
    "𝄞",
    ".",
    ":",
    "\"",
    "secret expired for app",
    "secre\u{17F}t",
    "to\u{212A}en",
    "token",
    "TOKEN has expired",
    "code = 12",
    "Error Number: 1205",
];
/// Parts of patterns; joined at random they make literals, alternations, classes, repetitions and boundaries.
const PARTS: &[&str] = &[
    "timeout",
    "Timeout expired",
    "connection",
    "connection (?:refused|reset)",
    "(?i)connection reset",
    "refused",
    "AADSTS7000222",
    "AADSTS[0-9]+",
    r"\bAADSTS50034\b",
    r"\b4[0-9][0-9]\b",
    r"[45][0-9]{2}",
    r"\b50[0-9]\b",
    ".*",
    ".*",
    r"\s+",
    r"\S+",
    ".{0,5}",
    "mailbox",
    "(?i)mailbox is",
    "the|The",
    "(?:is|was) full",
    "(?i:token)",
    "(?i)secret",
    "[kK]",
    "(?i)k",
    "(?i)s",
    "(?:abc)+",
    "(?:abc){2,3}",
    "a{3,}",
    "a?",
    "(?:x|y)?",
    "^",
    "$",
    "(?m)^",
    r"\bhost",
    "é",
    "(?i)é",
    "日本",
    "𝄞",
    r"[0-9]{1,3}\.[0-9]{1,3}\.",
    "0x[0-9a-f]{4}",
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
    "(?u)\\w+",
    "\\.",
    "[^a-z]",
    "cert(?:ificate)?",
    "(?:(?:time|con).*)+out",
    "(?P<value>[a-z]+) expired",
    "code\\s*=\\s*",
];

/// Stops on an item of the lists above that the language refuses.
#[expect(clippy::panic, reason = "the lists are part of the test")]
fn broken<T>(error: &dyn std::fmt::Debug) -> T {
    panic!("{error:?}")
}

fn pick<'t>(rng: &mut Rng, from: &[&'t str]) -> &'t str {
    from[rng.usize(..from.len())]
}

fn message(rng: &mut Rng) -> String {
    let pieces = if rng.u8(..50) == 0 { rng.usize(200..12_000) } else { rng.usize(..14) };
    (0..pieces).map(|_| pick(rng, PIECES)).collect()
}

fn pattern(rng: &mut Rng) -> Pattern {
    loop {
        let source: String = (0..rng.usize(1..4)).map(|_| pick(rng, PARTS)).collect();
        let source = if rng.u8(..6) == 0 { format!("{source}|{}", pick(rng, PARTS)) } else { source };
        if let Ok(pattern) = Pattern::parse(&source) {
            return pattern;
        }
    }
}

fn literal(rng: &mut Rng) -> Literal {
    loop {
        let source: String = (0..rng.usize(1..3)).map(|_| pick(rng, PIECES)).collect();
        if let Ok(literal) = Literal::parse(&source) {
            return literal;
        }
    }
}

fn values<T>(rng: &mut Rng, mut item: impl FnMut(&mut Rng) -> T) -> Values<T> {
    let quantifier = if rng.u8(..4) == 0 { Quantifier::All } else { Quantifier::Any };
    let count = if rng.bool() { 1 } else { rng.usize(1..4) };
    Values { quantifier, items: (0..count).map(|_| item(rng)).collect() }
}

fn type_pattern(rng: &mut Rng) -> TypePattern {
    TypePattern::parse(pick(rng, TYPE_PATTERNS)).unwrap_or_else(|error| broken(&error))
}

fn status(rng: &mut Rng) -> StatusPattern {
    let source = ["404", "5xx", "4xx", "500-502", "503", "100-599"];
    StatusPattern::parse(pick(rng, &source)).unwrap_or_else(|error| broken(&error))
}

fn attribute_pattern(rng: &mut Rng) -> AttributePattern {
    match rng.u8(..4) {
        0 => AttributePattern::Bool(rng.bool()),
        1 => AttributePattern::Number(rng.i64(..3)),
        _ => AttributePattern::parse_text(pick(rng, &["a", "a*", "*b", "true", "1", ""]))
            .unwrap_or_else(|error| broken(&error)),
    }
}

fn condition(rng: &mut Rng) -> Condition {
    let text = |rng: &mut Rng| pick(rng, WORDS).to_owned();
    match rng.u8(..14) {
        0 => Condition::Exception(values(rng, type_pattern)),
        1..=3 => Condition::Message(values(rng, pattern)),
        4 => Condition::Contains(values(rng, literal)),
        5 => Condition::HttpStatus(values(rng, status)),
        6 => Condition::ProviderCode(values(rng, |rng| {
            CodePattern::parse(pick(rng, CODE_PATTERNS)).unwrap_or_else(|error| broken(&error))
        })),
        7 => Condition::ErrorNumber(values(rng, |rng| rng.i64(1200..1208))),
        8 => Condition::Connector(values(rng, text)),
        9 => Condition::Operation(values(rng, text)),
        10 => Condition::Phase(values(rng, text)),
        11 => Condition::Attribute {
            name: pick(rng, &["final", "kind"]).to_owned(),
            values: values(rng, attribute_pattern),
        },
        12 => {
            let facts = Fact::WORDS.map(|(_, fact)| fact);
            let one = facts[rng.usize(..facts.len())].clone();
            Condition::Absent(if rng.bool() { vec![one] } else { vec![one, Fact::Attribute("kind".to_owned())] })
        }
        _ => Condition::Cause {
            position: *rng
                .choice(&[CausePosition::Outermost, CausePosition::Innermost, CausePosition::SameCause])
                .unwrap_or(&CausePosition::Outermost),
            conditions: (0..rng.usize(1..3)).map(|_| cause_condition(rng)).collect(),
        },
    }
}

fn cause_condition(rng: &mut Rng) -> CauseCondition {
    match rng.u8(..4) {
        0 => CauseCondition::Exception(values(rng, type_pattern)),
        1 => CauseCondition::Message(values(rng, pattern)),
        2 => CauseCondition::Contains(values(rng, literal)),
        _ => CauseCondition::ErrorNumber(values(rng, |rng| rng.i64(1200..1208))),
    }
}

fn rule(rng: &mut Rng, id: usize) -> Rule {
    let connectors = match rng.u8(..4) {
        0 => vec!["exchange".to_owned()],
        1 => vec!["nav".to_owned(), "webhook".to_owned(), "nav".to_owned()],
        _ => Vec::new(),
    };
    // Rules that nearly always apply would leave nothing for those behind them.
    let conditions = if rng.u8(..3) == 0 { 1 } else { rng.usize(2..5) };
    Rule {
        id: format!("random/{id}"),
        code: Code::parse("DSUNK001").unwrap_or_else(|| broken(&"no code")),
        connectors,
        when: (0..conditions).map(|_| condition(rng)).collect(),
        unless: (0..rng.usize(..2)).map(|_| condition(rng)).collect(),
        captures: Vec::new(),
    }
}

fn lexicon(rng: &mut Rng) -> Lexicon {
    let parse = |source: &str| Pattern::parse(source).unwrap_or_else(|error| broken(&error));
    let mut lexicon = if rng.bool() {
        Lexicon::new(
            vec![parse("(?i)AADSTS[0-9]+\\b"), parse("code = (?<value>[a-z0-9]+)")],
            vec![parse("status (?<value>[0-9]+)"), parse("\\((?<value>[0-9]{3})\\)")],
            vec![parse("Error Number: (?<value>[0-9]+)")],
        )
    } else {
        Lexicon::default()
    };
    let name = |raw: &'static str| TypeName::parse(raw);
    if let (Some(child), Some(parent)) = (name("A.B.SqlException"), name("System.Exception")) {
        lexicon.add_parents(&child, [parent]);
    }
    lexicon
}

fn failure(rng: &mut Rng) -> Failure<'static> {
    let word = |rng: &mut Rng| (rng.u8(..3) > 0).then(|| pick(rng, WORDS).into());
    let exceptions = (0..rng.usize(..5)).map(|index| Exception {
        type_name: (rng.u8(..5) > 0).then(|| pick(rng, TYPES).into()),
        message: (rng.u8(..4) > 0).then(|| message(rng).into()),
        ancestors: (0..rng.usize(..3)).map(|_| pick(rng, TYPES).into()).collect(),
        error_numbers: (0..rng.usize(..2)).map(|_| rng.i64(1200..1208)).collect(),
        parent: (rng.u8(..3) == 0).then(|| rng.usize(..=index)),
    });
    let exceptions = exceptions.collect();
    let attribute = |rng: &mut Rng| match rng.u8(..3) {
        0 => Attribute::Bool(rng.bool()),
        1 => Attribute::Number(rng.i64(..3)),
        _ => Attribute::Text(pick(rng, &["a", "ab", "b", "true", ""]).into()),
    };
    Failure {
        connector: word(rng),
        operation: word(rng),
        phase: word(rng),
        exceptions,
        message: rng.bool().then(|| message(rng).into()),
        http_status: rng.bool().then(|| rng.u16(398..506)),
        provider_codes: (0..rng.usize(..3)).map(|_| pick(rng, CODES).into()).collect(),
        error_numbers: (0..rng.usize(..2)).map(|_| rng.i64(1200..1208)).collect(),
        attributes: (0..rng.usize(..2)).map(|_| (pick(rng, &["final", "kind"]).into(), attribute(rng))).collect(),
        ..Failure::default()
    }
}
