//! Words of a set: used nowhere, used once and like another one, said twice, or saying nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::diagnostic::{Diagnostic, Sources, Span, Spanned, lints, only_near};
use crate::model::{AttributePattern, Code, Condition, Fact, Failure, Template, limits};
use crate::rulefile::{Book, RuleEntry};

pub(super) fn unused_statuses(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = book.sound_manifest() else { return };
    let of_codes = book.codes().filter_map(|(_, code)| code.status.as_ref());
    let issued = book.ledger.iter().flat_map(|ledger| &ledger.codes).filter_map(|line| line.status.as_ref());
    let used: HashSet<&str> = of_codes.chain(issued).map(|status| status.value.as_str()).collect();
    for status in manifest.statuses.iter().filter(|status| !used.contains(status.value.as_str())) {
        let message = format!("no code has the status `{}`", status.value);
        let finding = Diagnostic::new(lints::UNUSED_STATUS, status.span.clone(), message);
        findings.push(finding.help("Delete it from `statuses`, or accept it with a reason."));
    }
}

pub(super) fn unused_families(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = book.sound_manifest() else { return };
    let codes: Vec<Code> = book.codes().filter_map(|(_, entry)| Code::parse(&entry.code.value)).collect();
    let used: HashSet<&str> = codes.iter().map(Code::family).collect();
    for family in manifest.families.iter().filter(|family| !used.contains(family.name.value.as_str())) {
        let message = format!("no code belongs to the family `{}`", family.name.value);
        let finding = Diagnostic::new(lints::UNUSED_FAMILY, family.name.span.clone(), message);
        findings.push(finding.help("Delete the family, or describe its first code."));
    }
}

pub(super) fn unused_captures(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in book.rules() {
        let Some(code) = book.code(&rule.code.value) else { continue };
        let template = code.message.as_ref().map(|message| Template::parse(&message.value));
        // Of a template that cannot be read nobody knows what it uses.
        let Ok(template) = template.transpose() else { continue };
        for capture in &rule.captures {
            let name = &capture.value.name;
            let is_used = template
                .as_ref()
                .is_some_and(|template| template.variables().iter().any(|variable| variable.name == *name));
            if !is_used {
                let message = format!("the message of `{}` does not use the capture `{name}`", rule.code.value);
                let finding = Diagnostic::new(lints::UNUSED_CAPTURE, capture.span.clone(), message);
                findings.push(finding.also(code.code.span.clone(), "the code").help(format!(
                    "Write `{{{{ {name} | default('(unknown)') }}}}` into its `message`, or delete the capture."
                )));
            }
        }
    }
}

pub(super) fn duplicate_titles(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut first: HashMap<String, (&str, &Spanned<String>)> = HashMap::new();
    for (_, code) in book.codes().filter(|(_, code)| code.retired.is_none()) {
        let Some(title) = &code.title else { continue };
        let family = code.code.value.trim_end_matches(|c: char| c.is_ascii_digit());
        let key = format!("{family} {}", title.value.trim().to_lowercase());
        if let Some((_, other)) = first.get(&key).filter(|(other, _)| *other != code.code.value) {
            let message = format!("two codes of the family have the title `{}`", title.value.trim());
            let finding = Diagnostic::new(lints::DUPLICATE_TITLE, title.span.clone(), message);
            findings.push(
                finding
                    .also(other.span.clone(), "first here")
                    .help("Say in one of them what tells the two apart; tables show nothing but the title."),
            );
        } else {
            first.insert(key, (&code.code.value, title));
        }
    }
}

/// Words that stand for a text that nobody has written yet.
const PLACEHOLDERS: [&str; 9] = ["todo", "tbd", "tba", "fixme", "xxx", "...", "…", "lorem", "n/a"];

pub(super) fn placeholder_texts(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, code) in book.codes() {
        let texts = [&code.title, &code.message, &code.meaning, &code.retired];
        for text in texts.into_iter().flatten().chain(&code.remedy) {
            let bare = text.value.trim().to_lowercase();
            let word = bare.split([' ', ':', ',', '.']).next().unwrap_or_default();
            if PLACEHOLDERS.contains(&bare.as_str()) || PLACEHOLDERS.contains(&word) && word.len() > 3 || word == "tbd"
            {
                let message = format!("`{}` is no text yet", text.value.trim());
                let finding = Diagnostic::new(lints::PLACEHOLDER_TEXT, text.span.clone(), message);
                findings.push(finding.help("Write what somebody who meets the code needs to know."));
            }
        }
    }
}

pub(super) fn untidy_titles(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    for title in book.codes().filter_map(|(_, code)| code.title.as_ref()) {
        let tidy = title.value.split_whitespace().collect::<Vec<_>>().join(" ");
        let tidy = tidy.strip_suffix('.').filter(|rest| !rest.ends_with('.')).unwrap_or(&tidy).to_owned();
        let is_odd = |c: char| c.is_whitespace() && !c.is_ascii();
        // What is wrong with those is said elsewhere.
        let is_reported = title.value.contains(is_odd) || title.value.chars().count() > limits::TITLE_CHARS;
        if tidy.is_empty() || tidy == title.value || is_reported {
            continue;
        }
        let what = if title.value.contains('\n') { "a line end" } else { "a full stop, or blanks too many" };
        let message = format!("the title has {what}");
        let mut finding = Diagnostic::new(lints::UNTIDY_TITLE, title.span.clone(), message)
            .help(format!("Write `{tidy}`: titles stand in tables and logs."));
        let written = sources.get(title.span.source).text.get(title.span.range.clone()).unwrap_or_default();
        if written.contains(&title.value) && !tidy.contains('"') {
            finding = finding.replace(title.span.clone(), format!("\"{tidy}\""));
        }
        findings.push(finding);
    }
}

/// Decisions put the code in front of the message; one in the template would stand there twice, or contradict.
pub(super) fn codes_in_messages(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, entry) in book.codes() {
        let Some(message) = &entry.message else { continue };
        let Some(inner) = message.value.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()) else {
            continue;
        };
        if Code::parse(inner).is_some() {
            let text = format!("the message begins with `[{inner}]`, which decisions put there themselves");
            let finding = Diagnostic::new(lints::CODE_IN_MESSAGE, message.span.clone(), text);
            findings.push(finding.help("Leave the code out of the template."));
        }
    }
}

pub(super) fn superfluous_actions(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, entry) in book.codes() {
        let (Some(action), Some(retry)) = (&entry.action, &entry.retry) else { continue };
        if action.value == retry.value.default_action() {
            let message = format!("`{}` follows from `retry = \"{}\"`", action.value.as_str(), retry.value.as_str());
            let finding = Diagnostic::new(lints::SUPERFLUOUS_ACTION, action.span.clone(), message);
            findings.push(finding.also(retry.span.clone(), "from this").help("Delete the `action`."));
        }
    }
}

pub(super) fn insecure_links(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for link in book.codes().flat_map(|(_, code)| &code.links) {
        if let Some(rest) = link.value.strip_prefix("http://") {
            let message = "the link is not encrypted: whoever is on the way can put another page there";
            let finding = Diagnostic::new(lints::INSECURE_LINK, link.span.clone(), message);
            findings.push(finding.help(format!("Write `https://{rest}` if the site has it.")));
        }
    }
}

/// Months that a code may stay provisional, counted by the releases that the set names.
const PROVISIONAL_MONTHS: u32 = 12;

/// Codes that are provisional for longer than a year of releases. The newest release that the set names is "now": no
/// finding depends on the day on which somebody looks.
pub(super) fn provisional_codes(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let months = |since: &Spanned<String>| {
        let (year, month) = since.value.split_once('.')?;
        let (year, month): (u32, u32) = (year.parse().ok()?, month.split('.').next()?.parse().ok()?);
        (2000..3000).contains(&year).then_some(year * 12 + month)
    };
    let dated: Vec<_> = book.codes().filter_map(|(_, code)| Some((code, code.since.as_ref()?))).collect();
    let Some((newest, release)) =
        dated.iter().filter_map(|(_, since)| Some((months(since)?, *since))).max_by_key(|(at, _)| *at)
    else {
        return;
    };
    for (code, since) in dated.into_iter().filter(|(code, _)| code.provisional && code.retired.is_none()) {
        let Some(age) = months(since).map(|at| newest - at).filter(|age| *age > PROVISIONAL_MONTHS) else { continue };
        let message = format!("`{}` has been provisional for {age} months of releases", code.code.value);
        let finding = Diagnostic::new(lints::PROVISIONAL_TOO_LONG, since.span.clone(), message);
        findings.push(
            finding
                .also(release.span.clone(), "the newest release")
                .help("Confirm its status and delete `provisional`, or retire the code."),
        );
    }
}

/// A word of a condition with where it stands.
type Use<'b> = (&'static str, &'b str, &'b Span);

/// Names that connectors choose: nothing says which ones there are. One that stands once, beside another one that differs
/// by a letter and stands elsewhere, is a misspelt one most of the time.
pub(super) fn similar_names(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut uses: Vec<Use<'_>> = Vec::new();
    for (file, rule) in book.rules() {
        for condition in rule.when.iter().chain(&rule.unless) {
            names(&condition.value, &condition.span, &mut uses);
        }
        examples(rule, &mut uses);
        uses.extend(file.connectors.iter().map(|name| ("connector", name.value.as_str(), &name.span)));
    }
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (kind, name, _) in &uses {
        *counts.entry((kind, name)).or_default() += 1;
    }
    for (kind, name, span) in &uses {
        if counts[&(*kind, *name)] > 1 || name.len() < 4 {
            continue;
        }
        let others = counts.iter().filter(|((of, other), count)| of == kind && other != name && **count > 1);
        let close = |other: &&str| strsim::osa_distance(name, other) <= 1 + usize::from(name.len() > 8);
        let others: Vec<&str> = others.map(|((_, other), _)| *other).filter(close).collect();
        if let Some(other) = only_near(name, others) {
            let message = format!("the {kind} `{name}` stands only here, and is nearly `{other}`");
            let finding = Diagnostic::new(lints::SIMILAR_NAME, (*span).clone(), message);
            findings.push(finding.help(format!("Did you mean `{other}`? Else accept it with a reason.")));
        }
    }
}

fn names<'b>(condition: &'b Condition, span: &'b Span, uses: &mut Vec<Use<'b>>) {
    let mut all = |kind, names: &'b [String]| uses.extend(names.iter().map(|name| (kind, name.as_str(), span)));
    match condition {
        Condition::Connector(values) => all("connector", &values.items),
        Condition::Operation(values) => all("operation", &values.items),
        Condition::Phase(values) => all("phase", &values.items),
        Condition::Attribute { name, values } => {
            uses.push(("attribute", name, span));
            for item in &values.items {
                if let AttributePattern::Text(text, None) = item {
                    uses.push(("attribute value", text, span));
                }
            }
        }
        Condition::Absent(facts) => {
            for fact in facts {
                if let Fact::Attribute(name) = fact {
                    uses.push(("attribute", name, span));
                }
            }
        }
        _ => {}
    }
}

fn examples<'b>(rule: &'b RuleEntry, uses: &mut Vec<Use<'b>>) {
    let failures = rule.examples.iter().map(|example| &example.failure);
    for failure in failures.chain(rule.counterexamples.iter().map(|neighbor| &neighbor.failure)) {
        let (value, span) = (&failure.value, &failure.span);
        uses.extend(value.connector.iter().map(|name| ("connector", name.as_ref(), span)));
        uses.extend(value.operation.iter().map(|name| ("operation", name.as_ref(), span)));
        uses.extend(value.phase.iter().map(|name| ("phase", name.as_ref(), span)));
        uses.extend(value.attributes.keys().map(|name| ("attribute", name.as_ref(), span)));
    }
}

/// A type that is its own ancestor.
pub(super) fn ancestor_cycles(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(manifest) = &book.manifest else { return };
    let mut parents: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, bases) in &manifest.ancestors {
        parents.entry(name.value.full()).or_default().extend(bases.iter().map(crate::model::TypeName::full));
    }
    for (name, _) in &manifest.ancestors {
        let start = name.value.full();
        let mut seen = HashSet::new();
        let mut next: Vec<&str> = parents.get(start).cloned().unwrap_or_default();
        while let Some(ancestor) = next.pop() {
            if ancestor == start {
                let message = format!("`{start}` is an ancestor of itself");
                let finding = Diagnostic::new(lints::ANCESTOR_CYCLE, name.span.clone(), message);
                findings.push(finding.help("Name only base types: what a type derives from."));
                break;
            }
            if seen.insert(ancestor) {
                next.extend(parents.get(ancestor).into_iter().flatten());
            }
        }
    }
}

/// The same failure twice among the examples, or the counterexamples, of one rule.
pub(super) fn duplicate_examples(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in book.rules() {
        let examples = rule.examples.iter().map(|example| &example.failure);
        let neighbors = rule.counterexamples.iter().map(|neighbor| &neighbor.failure);
        repeated_failures(&rule.id.value, examples, findings);
        repeated_failures(&rule.id.value, neighbors, findings);
    }
}

fn repeated_failures<'b>(
    rule: &str,
    failures: impl Iterator<Item = &'b Spanned<Failure<'static>>>,
    findings: &mut Vec<Diagnostic>,
) {
    let mut first: HashMap<String, &Span> = HashMap::new();
    for failure in failures {
        let Ok(key) = serde_json::to_string(&failure.value) else { continue };
        if let Some(other) = first.get(&key) {
            let finding = Diagnostic::new(
                lints::DUPLICATE_EXAMPLE,
                failure.span.clone(),
                format!("rule `{rule}` has this failure twice"),
            );
            findings.push(finding.also((*other).clone(), "first here").help("Delete one of the two."));
        } else {
            first.insert(key, &failure.span);
        }
    }
}
