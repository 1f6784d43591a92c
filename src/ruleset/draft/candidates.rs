//! Conditions that hold on a failure, each with what it costs and how much it tells.

use crate::matcher::Candidate;
use crate::model::{
    Attribute, AttributePattern, CodePattern, Condition, Fact, Literal, Quantifier, StatusPattern, TypePattern, Values,
    is_opaque, skeleton,
};

use super::written::{attribute, key, quoted};

/// A condition that a draft may have.
#[derive(Debug)]
pub(super) struct Clue {
    pub(super) condition: Condition,
    /// The line of the rule: `when.http_status = 404`.
    pub(super) line: String,
    /// Smaller is preferred: what stays the same in the next version of the other side.
    pub(super) cost: u32,
    /// How much it says about what went wrong: 3 is enough alone.
    pub(super) strength: u32,
    /// Why it is there, for people.
    pub(super) why: String,
    /// Words for the rule's id; empty where they say nothing.
    pub(super) words: String,
}

/// Wrappers that say nothing about what went wrong.
const WRAPPERS: [&str; 6] = [
    "System.Exception",
    "System.SystemException",
    "System.ApplicationException",
    "System.AggregateException",
    "System.Reflection.TargetInvocationException",
    "System.TypeInitializationException",
];

/// Words of a message that make one literal, at most.
const WORDS: usize = 8;
/// Literals of all messages together, at most.
const LITERALS: usize = 6;

/// Every condition that could tell the failure apart, the most telling kinds first.
pub(super) fn clues(candidate: Candidate<'_>) -> Vec<Clue> {
    let mut clues = Vec::new();
    for (code, _) in candidate.provider_codes().filter(|(code, _)| !code.contains(['*', '{', '}', ','])) {
        let Ok(pattern) = CodePattern::parse(code) else { continue };
        let why = "what the other side calls it";
        clues.push(clue(
            Condition::ProviderCode(one(pattern)),
            &format!("provider_code = {}", quoted(code)),
            1,
            3,
            why,
            code,
        ));
    }
    types(candidate, &mut clues);
    for &number in candidate.error_numbers() {
        let why = "the number of the error";
        let words = format!("error-{number}");
        clues.push(clue(Condition::ErrorNumber(one(number)), &format!("error_number = {number}"), 2, 2, why, &words));
    }
    if let Some(status) = candidate.http_status()
        && let Ok(pattern) = StatusPattern::exact(i64::from(status))
    {
        let why = "the HTTP status";
        clues.push(clue(Condition::HttpStatus(one(pattern)), &format!("http_status = {status}"), 3, 1, why, ""));
    }
    for (name, value) in &candidate.failure().attributes {
        let pattern = match value {
            Attribute::Bool(value) => AttributePattern::Bool(*value),
            Attribute::Number(number) => AttributePattern::Number(*number),
            Attribute::Text(text) if is_opaque(text) || text.contains(['*', '{', '}', '?', '[', '\\']) => continue,
            Attribute::Text(text) => match AttributePattern::parse_text(text) {
                Ok(pattern) => pattern,
                Err(_) => continue,
            },
        };
        let line = format!("attributes.{} = {}", key(name), attribute(value));
        let condition = Condition::Attribute { name: name.to_string(), values: one(pattern) };
        clues.push(clue(condition, &line, 3, 2, "a fact that only this connector sends", name));
    }
    let failure = candidate.failure();
    for (name, word, condition) in [
        ("operation", &failure.operation, Condition::Operation as fn(Values<String>) -> Condition),
        ("phase", &failure.phase, Condition::Phase),
    ] {
        if let Some(word) = word.as_deref().filter(|word| !word.trim().is_empty()) {
            let why = format!("the {name} that failed");
            clues.push(clue(condition(one(word.to_owned())), &format!("{name} = {}", quoted(word)), 4, 1, &why, ""));
        }
    }
    literals(candidate, &mut clues);
    for (name, fact) in &Fact::WORDS[..5] {
        if candidate.lacks(fact) {
            let line = format!("absent = [\"{name}\"]");
            clues.push(clue(Condition::Absent(vec![fact.clone()]), &line, 8, 0, "its neighbors have it", ""));
        }
    }
    clues
}

fn one<T>(item: T) -> Values<T> {
    Values { quantifier: Quantifier::Any, items: vec![item] }
}

fn clue(condition: Condition, line: &str, cost: u32, strength: u32, why: &str, words: &str) -> Clue {
    Clue { condition, line: format!("when.{line}"), cost, strength, why: why.to_owned(), words: words.to_owned() }
}

/// The types of the causes, from the root of the matter outwards.
fn types(candidate: Candidate<'_>, clues: &mut Vec<Clue>) {
    let mut known: Vec<&str> = Vec::new();
    for (depth, cause) in candidate.causes().rev().enumerate() {
        let Some(name) = cause.type_name().map(crate::matcher::Name::full) else { continue };
        let Ok(pattern) = TypePattern::parse(name) else { continue };
        if known.contains(&name) || WRAPPERS.contains(&name) || name.contains(['*', '{']) {
            continue;
        }
        known.push(name);
        // The types of the platform say what happened, not to whom.
        let strength = if name.starts_with("System.") { 1 } else { 3 };
        let why =
            if depth == 0 { "the type at the root of the matter" } else { "a type around the root of the matter" };
        let short = name.rsplit('.').next().unwrap_or(name);
        let words = short.strip_suffix("Exception").filter(|short| !short.is_empty()).unwrap_or(short);
        let cost = 2 + u32::try_from(depth.min(3)).unwrap_or_default();
        clues.push(clue(
            Condition::Exception(one(pattern)),
            &format!("exception = {}", quoted(name)),
            cost,
            strength,
            why,
            words,
        ));
    }
}

/// The words of messages that stay the same from failure to failure.
fn literals(candidate: Candidate<'_>, clues: &mut Vec<Clue>) {
    let mut known: Vec<String> = Vec::new();
    let mut found: Vec<(usize, String)> = Vec::new();
    for (_, text) in candidate.texts_with_cause() {
        for words in constant_words(text) {
            let lower = words.to_ascii_lowercase();
            if !text.to_ascii_lowercase().contains(&lower) || known.contains(&lower) {
                continue;
            }
            known.push(lower);
            found.push((words.split(' ').count(), words));
        }
    }
    // Some words are telling, a whole sentence is brittle, one word is hardly ever enough.
    found.sort_by_key(|(count, words)| (count.abs_diff(5), words.len().abs_diff(32)));
    for (count, words) in found.into_iter().take(LITERALS) {
        let Ok(literal) = Literal::parse(&words) else { continue };
        let strength = match count {
            1 => 1,
            2 => 2,
            _ => 3,
        };
        let line = format!("contains = {}", quoted(&words));
        clues.push(clue(
            Condition::Contains(one(literal)),
            &line,
            6,
            strength,
            "words that every such message has",
            &words,
        ));
    }
}

/// Runs of words without digits, names and values, cut at the ends of sentences.
fn constant_words(text: &str) -> Vec<String> {
    let skeleton = skeleton(text);
    let mut runs: Vec<Vec<&str>> = vec![Vec::new()];
    for word in skeleton.split(' ') {
        let core = word.trim_matches(|c: char| !c.is_alphanumeric());
        let is_constant = !core.is_empty()
            && !word.contains(['<', '>', '*', '"', '{', '}', '\\', '|', '='])
            && !word.contains(|c: char| c.is_numeric());
        if !is_constant {
            runs.push(Vec::new());
            continue;
        }
        if word.starts_with(|c: char| !c.is_alphanumeric()) {
            runs.push(Vec::new());
        }
        if let Some(run) = runs.last_mut() {
            run.push(word);
        }
        if word.ends_with(['.', ':', ';', '!', '?', ')', ']', ',']) {
            runs.push(Vec::new());
        }
    }
    let mut found = Vec::new();
    for run in runs {
        let run = &run[..run.len().min(WORDS)];
        let words = run.join(" ");
        let words = words.trim_matches(|c: char| !c.is_alphanumeric());
        let is_telling = match run.len() {
            0 => false,
            1 => words.len() >= 8,
            _ => words.len() >= 10,
        };
        if is_telling {
            found.push(words.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::constant_words;

    #[test]
    fn literals_have_no_values() {
        assert_eq!(
            constant_words(
                "The mailbox 'anna@contoso.com' is over its quota. Request 3f0c1d8e-5a44-4b7e-9d1a-0c5be2f61a10 failed"
            ),
            ["The mailbox", "is over its quota"]
        );
        assert_eq!(
            constant_words("AADSTS50011: the reply address does not match"),
            ["the reply address does not match"]
        );
        assert!(constant_words("{\"error\":{\"code\":\"ErrorFoo\"}}").is_empty());
    }
}
