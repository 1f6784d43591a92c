//! Patterns that look for less, or for more, than they seem to.

use crate::diagnostic::{Diagnostic, Sources, Span, lints};
use crate::model::{AttributePattern, CauseCondition, Condition, Pattern, Quantifier, Values};
use crate::rulefile::Book;

use super::reach::item_span;

/// Wildcards at the ends of patterns, which are looked for anywhere.
pub(super) fn superfluous_wildcards(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    for (_, rule) in book.rules() {
        for condition in rule.when.iter().chain(&rule.unless) {
            let mut of = |values: &Values<Pattern>| {
                for pattern in &values.items {
                    findings.extend(wildcard(pattern.as_str(), &condition.span, sources));
                }
            };
            match &condition.value {
                Condition::Message(values) => of(values),
                Condition::Cause { conditions, .. } => {
                    for part in conditions {
                        if let CauseCondition::Message(values) = part {
                            of(values);
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn wildcard(pattern: &str, condition: &Span, sources: &Sources) -> Option<Diagnostic> {
    let (flags, rest) = match pattern.strip_prefix("(?").and_then(|flags| flags.split_once(')')) {
        Some((flags, _)) if flags.bytes().all(|b| b.is_ascii_lowercase() || b == b'-') => {
            pattern.split_at(flags.len() + 3)
        }
        _ => ("", pattern),
    };
    let bare = rest.strip_prefix(".*?").or_else(|| rest.strip_prefix(".*")).unwrap_or(rest);
    let is_escaped = |text: &str| text.bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
    let ends = [".*?", ".*"].iter().find_map(|end| bare.strip_suffix(end)).filter(|rest| !is_escaped(rest));
    let bare = ends.unwrap_or(bare);
    // An alternative that is left empty, or a group that is cut, would mean something else.
    if bare == rest || bare.is_empty() || bare.starts_with('|') || bare.ends_with(['|', '(']) {
        return None;
    }
    let is_top_alternative = bare.contains('|') && !bare.contains('(');
    if is_top_alternative {
        return None;
    }
    let fixed = format!("{flags}{bare}");
    let span = item_span(sources, condition, pattern);
    let written = sources.get(span.source).text.get(span.range.clone()).unwrap_or_default();
    let finding = Diagnostic::new(
        lints::SUPERFLUOUS_WILDCARD,
        span.clone(),
        "a wildcard at an end of the pattern changes nothing: it is looked for anywhere",
    )
    .help(format!("Write '{fixed}'."));
    let is_item = written.strip_prefix('\'').and_then(|inner| inner.strip_suffix('\'')) == Some(pattern);
    Some(if is_item { finding.replace(span, format!("'{fixed}'")) } else { finding })
}

/// Rules with no condition but such as hold for every failure, or for every one of the connector.
pub(super) fn catch_all_rules(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (file, rule) in book.rules() {
        if !rule.when.is_empty() && rule.when.iter().all(|condition| holds_always(&condition.value)) {
            let all = if file.connectors.is_empty() {
                "nearly every failure"
            } else {
                "nearly every failure of its connector"
            };
            let message = format!("rule `{}` takes {all}", rule.id.value);
            let finding = Diagnostic::new(lints::CATCH_ALL_RULE, rule.when[0].span.clone(), message);
            findings.push(
                finding
                    .label("this says next to nothing")
                    .help("Say what the failure looks like; what no rule knows belongs to the fallback."),
            );
        }
    }
}

fn holds_always(condition: &Condition) -> bool {
    fn any<T>(values: &Values<T>, is_wild: impl Fn(&T) -> bool) -> bool {
        match values.quantifier {
            Quantifier::Any => values.items.iter().any(is_wild),
            Quantifier::All => values.items.iter().all(is_wild),
        }
    }
    match condition {
        Condition::Exception(values) => {
            any(values, |item| matches!(item.as_str(), "*" | "**" | "Exception" | "System.Exception" | "**.*"))
        }
        Condition::Message(values) => any(values, |pattern| {
            let ordinary = ["The operation failed.", "Timeout after 30 s", "404", "x"];
            pattern.may_match_one_character() && ordinary.iter().all(|text| pattern.is_match(text))
        }),
        Condition::ProviderCode(values) => any(values, |item| item.as_str() == "*"),
        Condition::HttpStatus(values) => (100..=599).all(|status| values.items.iter().any(|item| item.matches(status))),
        Condition::Attribute { values, .. } => {
            any(values, |item| matches!(item, AttributePattern::Text(text, _) if text == "*"))
        }
        Condition::Connector(_) | Condition::Operation(_) | Condition::Phase(_) => true,
        _ => false,
    }
}
