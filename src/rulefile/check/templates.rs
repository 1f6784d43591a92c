//! Message templates: what they use must be there.

use crate::diagnostic::{Diagnostic, Span, Sources, lints};
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

pub(super) fn template_variable(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, entry) in book.codes() {
        let rules: Vec<&RuleEntry> = book.rules().map(|(_, rule)| rule).filter(|rule| rule.code.value == entry.code.value).collect();
        missing_variables(entry, &rules, findings);
    }
}

fn missing_variables(entry: &CodeEntry, rules: &[&RuleEntry], findings: &mut Vec<Diagnostic>) {
    let Some(message) = &entry.message else { return };
    let Ok(template) = Template::parse(&message.value) else { return };
    for variable in template.variables().iter().filter(|variable| !variable.has_default && !Template::FIELDS.contains(&variable.name.as_str())) {
        let captured = |rule: &&&RuleEntry| rule.captures.iter().any(|capture| capture.value.name == variable.name);
        let Some(without) = rules.iter().find(|rule| !captured(rule)) else { continue };
        let names = rules.iter().flat_map(|rule| &rule.captures).map(|capture| capture.value.name.as_str()).chain(Template::FIELDS.iter().copied());
        let names: Vec<_> = names.filter(|name| *name != variable.name).collect();
        let near = crate::diagnostic::nearest(&variable.name, names).map(|near| format!("Did you mean `{near}`? Else w")).unwrap_or_else(|| "W".to_owned());
        let help = format!("{near}rite `{{{{ {} | default('(unknown)') }}}}`, or add `capture.{}` to the rule.", variable.name, variable.name);
        let message_text = format!("rule `{}` does not capture `{}`, which the message of `{}` uses without a default", without.id.value, variable.name, entry.code.value);
        let finding = Diagnostic::new(lints::TEMPLATE_VARIABLE, message.span.clone(), message_text);
        findings.push(finding.also(without.id.span.clone(), "this rule gives the code").help(help));
    }
}
