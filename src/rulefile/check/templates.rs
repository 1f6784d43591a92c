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
