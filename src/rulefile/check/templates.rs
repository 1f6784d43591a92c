//! Message templates: what they use must be there.

use std::collections::HashMap;
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Sources, Span, Spanned, lints};
use crate::model::Template;
use crate::rulefile::{Book, CodeEntry, RuleEntry};

pub(super) fn template_syntax(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    for message in book.codes().filter_map(|(_, entry)| entry.message.as_ref()) {
        if let Err(error) = Template::parse(&message.value) {
            let lint = if error.is_limit { lints::LIMIT_EXCEEDED } else { lints::TEMPLATE_SYNTAX };
            // Only a template without escapes has its parts where the file has them.
            let written = sources.get(message.span.source).text.get(message.span.range.clone()).unwrap_or_default();
            let inner = written.find(message.value.as_str()).map(|skip| message.span.range.start + skip);
            let range = match (inner, &error.range) {
                (Some(start), Some(part)) => start + part.start..start + part.end,
                _ => message.span.range.clone(),
            };
            let span = Span { source: message.span.source, range };
            findings.push(Diagnostic::new(lint, span, error.message).help(error.help));
        }
    }
}

/// Placeholders of other languages outside of the template's own braces.
pub(super) fn foreign_placeholders(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for message in book.codes().filter_map(|(_, entry)| entry.message.as_ref()) {
        let mut rest = message.value.as_str();
        let mut outside = String::new();
        while let Some((before, behind)) = rest.split_once("{{") {
            outside.push_str(before);
            rest = behind.split_once("}}").map_or("", |(_, behind)| behind);
        }
        outside.push_str(rest);
        let Some((written, name)) = foreign(&outside) else { continue };
        let finding = Diagnostic::new(
            lints::FOREIGN_PLACEHOLDER,
            message.span.clone(),
            format!("`{written}` is no variable here: it is shown as it stands"),
        );
        let name = if name.starts_with(|c: char| c.is_ascii_alphabetic()) { name } else { "name" };
        findings.push(finding.help(format!("Write `{{{{ {name} }}}}` for a variable.")));
    }
}

/// The first placeholder of another language, with the name in it.
fn foreign(text: &str) -> Option<(&str, &str)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    let braces = text.match_indices('{').find_map(|(at, _)| {
        let name = text[at + 1..].split('}').next()?;
        let is_closed = text[at + 1 + name.len()..].starts_with('}');
        let start = if text[..at].ends_with(['$', '#']) { at - 1 } else { at };
        (is_closed && !name.is_empty() && name.chars().all(is_name)).then(|| (&text[start..at + name.len() + 2], name))
    });
    let percent = || {
        let at = text.match_indices('%').map(|(at, _)| at).find(|at| text[at + 1..].starts_with(['s', 'd']))?;
        let is_word = text[at + 2..].starts_with(|c: char| c.is_alphanumeric());
        (!is_word).then(|| (&text[at..at + 2], ""))
    };
    let dollar = || {
        let name = |at: usize| text[at + 1..].split(|c| !is_name(c)).next().unwrap_or_default();
        let mut places = text.match_indices('$').map(|(at, _)| at);
        let at = places.find(|&at| name(at).starts_with(|c: char| c.is_ascii_alphabetic()))?;
        Some((&text[at..=at + name(at).len()], name(at)))
    };
    braces.or_else(percent).or_else(dollar)
}

/// Variables with a default that nothing sets: their default is all that is ever shown.
pub(super) fn variables_never_set(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut captured: HashMap<&str, Vec<&str>> = HashMap::new();
    for (_, rule) in book.rules() {
        let names = rule.captures.iter().map(|capture| capture.value.name.as_str());
        captured.entry(rule.code.value.as_str()).or_default().extend(names);
    }
    for (_, entry) in book.codes().filter(|(_, entry)| entry.retired.is_none()) {
        let Some(message) = &entry.message else { continue };
        let Ok(template) = Template::parse(&message.value) else { continue };
        let Some(names) = captured.get(entry.code.value.as_str()) else { continue };
        let is_set = |name: &str| Template::FIELDS.contains(&name) || names.contains(&name);
        for variable in template.variables().iter().filter(|variable| variable.has_default && !is_set(&variable.name)) {
            let range = named(sources, message, &variable.name).unwrap_or_else(|| message.span.range.clone());
            let text = format!("nothing sets `{}`: its default is always shown", variable.name);
            let known = names.iter().copied().chain(Template::FIELDS.iter().copied());
            let help = match crate::diagnostic::nearest(&variable.name, known) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Capture it in a rule of `{}`, or write the text itself.", entry.code.value),
            };
            let span = Span { source: message.span.source, range };
            findings.push(Diagnostic::new(lints::VARIABLE_NEVER_SET, span, text).help(help));
        }
    }
}

pub(super) fn template_variable(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut rules: HashMap<&str, Vec<&RuleEntry>> = HashMap::new();
    for (_, rule) in book.rules() {
        rules.entry(rule.code.value.as_str()).or_default().push(rule);
    }
    for (_, entry) in book.codes() {
        missing_variables(
            entry,
            rules.get(entry.code.value.as_str()).map_or(&[][..], Vec::as_slice),
            sources,
            findings,
        );
    }
}

fn missing_variables(entry: &CodeEntry, rules: &[&RuleEntry], sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let Some(message) = &entry.message else { return };
    let Ok(template) = Template::parse(&message.value) else { return };
    for variable in template
        .variables()
        .iter()
        .filter(|variable| !variable.has_default && !Template::FIELDS.contains(&variable.name.as_str()))
    {
        let captured = |rule: &&&RuleEntry| rule.captures.iter().any(|capture| capture.value.name == variable.name);
        let without = rules.iter().find(|rule| !captured(rule));
        if without.is_none() && !rules.is_empty() {
            continue;
        }
        let names = rules
            .iter()
            .flat_map(|rule| &rule.captures)
            .map(|capture| capture.value.name.as_str())
            .chain(Template::FIELDS.iter().copied());
        let near = crate::diagnostic::nearest(&variable.name, names.filter(|name| *name != variable.name));
        let near = near.map_or_else(|| "W".to_owned(), |near| format!("Did you mean `{near}`? Else w"));
        let default = format!("{near}rite `{{{{ {} | default('(unknown)') }}}}`", variable.name);
        let range = named(sources, message, &variable.name).unwrap_or_else(|| message.span.range.clone());
        let span = Span { source: message.span.source, range };
        findings.push(if let Some(rule) = without {
            let text = format!(
                "rule `{}` does not capture `{}`, which the message of `{}` uses without a default",
                rule.id.value, variable.name, entry.code.value
            );
            let help = format!("{default}, or add `capture.{} = '(?<value>…)'` to the rule.", variable.name);
            Diagnostic::new(lints::TEMPLATE_VARIABLE, span, text)
                .also(rule.id.span.clone(), "this rule gives the code")
                .help(help)
        } else {
            let text = format!(
                "`{}` is no fact of a failure, and no rule captures it for `{}`",
                variable.name, entry.code.value
            );
            Diagnostic::new(lints::TEMPLATE_VARIABLE, span, text).help(format!("{default}, or leave it out."))
        });
    }
}

/// Where a message names a variable: the first time that the name stands behind an opening brace.
fn named(sources: &Sources, message: &Spanned<String>, name: &str) -> Option<Range<usize>> {
    let written = sources.get(message.span.source).text.get(message.span.range.clone())?;
    let at = written.match_indices("{{").map(|(at, _)| at + 2).find_map(|at| {
        let rest = &written[at..];
        let skip = rest.len() - rest.trim_start().len();
        let behind = rest.trim_start().strip_prefix(name)?;
        (!behind.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')).then_some(at + skip)
    })?;
    let start = message.span.range.start + at;
    Some(start..start + name.len())
}
