//! Every example and counterexample against the whole set: the expected rule must win.

use crate::diagnostic::{Diagnostic, Span, Spanned, lints};
use crate::input::text;
use crate::matcher::{Scratch, witnesses};
use crate::model::{Condition, Decision, Failure, Rule};
use crate::rulefile::{Book, RuleEntry, RuleFile};

use super::compile::in_scope;
use super::{FALLBACK_RULE, RuleSet};

pub(super) fn verify(set: &RuleSet, book: &Book) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for file in book.ordered_files() {
        for rule in &file.rules {
            examples(set, book, file, rule, &mut findings);
            let failures = rule.examples.iter().map(|example| &example.failure);
            for failure in failures.chain(rule.counterexamples.iter().map(|neighbor| &neighbor.failure)) {
                secrets(set, failure, &mut findings);
            }
            counterexamples(set, book, file, rule, &mut findings);
        }
        for entry in &file.codes {
            for example in &entry.examples {
                let decision = set.classify(&in_scope(file, &example.failure.value));
                if decision.code.as_str() == entry.code.value {
                    pinned_message(&decision, example.message.as_ref(), &mut findings);
                } else {
                    let message = format!(
                        "this failure must give `{}`, but `{}` wins with `{}`",
                        entry.code.value, decision.rule, decision.code
                    );
                    let finding = Diagnostic::new(lints::EXAMPLE_FAILS, example.failure.span.clone(), message)
                        .label(evidence(&decision));
                    findings.push(
                        with_winner(finding, book, &decision)
                            .help("Tell the winner apart with `unless`, or take the example out."),
                    );
                }
            }
        }
    }
    findings
}

fn examples(set: &RuleSet, book: &Book, file: &RuleFile, rule: &RuleEntry, findings: &mut Vec<Diagnostic>) {
    let id = format!("{}/{}", file.stem, rule.id.value);
    let mut unseen: Vec<_> = rule.captures.iter().collect();
    for example in &rule.examples {
        let decision = set.classify(&in_scope(file, &example.failure.value));
        unseen.retain(|capture| !decision.captures.contains_key(capture.value.name.as_str()));
        if decision.rule == id {
            pinned_message(&decision, example.message.as_ref(), findings);
            continue;
        }
        let message = if decision.rule == FALLBACK_RULE {
            format!("no rule matches this example of `{}`", rule.id.value)
        } else {
            format!("`{}` wins this example of `{}` with `{}`", decision.rule, rule.id.value, decision.code)
        };
        let help = if decision.rule == FALLBACK_RULE {
            "Compare the conditions of the rule with the facts of the failure: each condition of `when` must hold."
        } else {
            "Put this rule in front of the winner, or tell the winner apart with `unless`."
        };
        let mut finding = Diagnostic::new(lints::EXAMPLE_FAILS, example.failure.span.clone(), message)
            .label(evidence(&decision))
            .help(help);
        if let Some((place, remark)) = obstacle(set, &id, rule, &in_scope(file, &example.failure.value)) {
            finding = finding
                .also(place.clone(), remark)
                .help("Change the condition or the failure: each condition of `when` must hold, and none of `unless`.");
        }
        findings.push(with_winner(finding, book, &decision));
    }
    for capture in unseen.into_iter().filter(|_| !rule.examples.is_empty()) {
        let message = format!("capture `{}` finds nothing in any example of `{}`", capture.value.name, rule.id.value);
        let finding = Diagnostic::new(lints::CAPTURE_WITHOUT_EXAMPLE, capture.span.clone(), message);
        findings.push(finding.help("Add an example whose message has it, or mend the pattern."));
    }
}

/// Examples that hold a secret, as far as the engine knows one when it sees it.
fn secrets(set: &RuleSet, failure: &Spanned<Failure<'_>>, findings: &mut Vec<Diagnostic>) {
    let exceptions = failure.value.exceptions.iter().filter_map(|exception| exception.message.as_deref());
    let texts = exceptions.chain(failure.value.message.as_deref()).chain(failure.value.text.as_deref());
    let redacted = texts.map(|text| (text, set.redacted(text))).find(|(text, shown)| *text != shown);
    if let Some((_, shown)) = redacted {
        let kind = shown.split("«redacted:").nth(1).and_then(|rest| rest.split('»').next()).unwrap_or("secret");
        let message = format!("this example holds what looks like a secret ({kind})");
        let finding = Diagnostic::new(lints::SECRET_IN_EXAMPLE, failure.span.clone(), message);
        findings.push(finding.help(
            "Replace it by `«redacted:secret»`; where it is made up and the rule is about it, accept the finding.",
        ));
    }
}

/// The first condition that keeps a rule from a failure.
fn obstacle<'e>(
    set: &RuleSet,
    id: &str,
    entry: &'e RuleEntry,
    failure: &Failure<'_>,
) -> Option<(&'e Span, &'static str)> {
    let rule = set.rules().iter().find(|rule| rule.id == id)?;
    let stated = failure.text.as_deref().map(text::read);
    let mut scratch = Scratch::default();
    let (candidate, _) = set.matcher.facts(failure, stated.as_ref(), &mut scratch);
    let holds = |condition: &Spanned<Condition>| {
        let alone = Rule {
            connectors: Vec::new(),
            when: vec![condition.value.clone()],
            unless: Vec::new(),
            captures: Vec::new(),
            ..rule.clone()
        };
        witnesses(&alone, candidate).is_some()
    };
    let unmet =
        entry.when.iter().find(|condition| !holds(condition)).map(|condition| (&condition.span, "this does not hold"));
    unmet.or_else(|| {
        entry.unless.iter().find(|condition| holds(condition)).map(|condition| (&condition.span, "this holds"))
    })
}

fn counterexamples(set: &RuleSet, book: &Book, file: &RuleFile, rule: &RuleEntry, findings: &mut Vec<Diagnostic>) {
    for neighbor in &rule.counterexamples {
        let decision = set.classify(&in_scope(file, &neighbor.failure.value));
        if decision.code.as_str() != neighbor.code.value {
            let message = format!(
                "this counterexample of `{}` must give `{}`, but `{}` wins with `{}`",
                rule.id.value, neighbor.code.value, decision.rule, decision.code
            );
            let finding = Diagnostic::new(lints::COUNTEREXAMPLE_FAILS, neighbor.failure.span.clone(), message)
                .label(evidence(&decision));
            findings
                .push(with_winner(finding, book, &decision).help("Narrow the winner, or name the code that is right."));
        }
    }
}

fn pinned_message(decision: &Decision<'_>, pinned: Option<&Spanned<String>>, findings: &mut Vec<Diagnostic>) {
    let Some(pinned) = pinned else { return };
    if pinned.value != decision.message {
        let finding = Diagnostic::new(lints::EXAMPLE_MESSAGE, pinned.span.clone(), "the decision has another message");
        findings.push(finding.help(format!("The message is `{}`.", decision.message)));
    }
}

fn evidence(decision: &Decision<'_>) -> String {
    let parts: Vec<_> =
        decision.evidence.iter().map(|evidence| format!("{} = `{}`", evidence.condition, evidence.matched)).collect();
    if parts.is_empty() { String::new() } else { format!("matched by {}", parts.join(", ")) }
}

/// Points to the rule that won.
fn with_winner(finding: Diagnostic, book: &Book, decision: &Decision<'_>) -> Diagnostic {
    let winner = book.rules().find(|(file, rule)| {
        decision.rule.strip_prefix(file.stem.as_str()).and_then(|rest| rest.strip_prefix('/')) == Some(&rule.id.value)
    });
    match winner {
        Some((_, rule)) => finding.also(rule.id.span.clone(), "this rule wins"),
        None => finding,
    }
}
