//! Rules that can never win, and parts of rules that do nothing.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use crate::diagnostic::{Diagnostic, Label, Sources, Span, Spanned, lints};
use crate::model::{
    AttributePattern, CauseCondition, CodePattern, Condition, Implies, Literal, Pattern, Quantifier, StatusPattern,
    TypePattern, Values,
};
use crate::rulefile::{Book, RuleEntry, RuleFile};

/// Conditions that exclude each other, or the scope of their file.
pub(super) fn contradictions(book: &Book, _: &Sources, findings: &mut Vec<Diagnostic>) {
    for (file, rule) in book.rules() {
        if let Some(label) = contradiction(file, rule) {
            let (first, second, help) = label;
            let message = format!("rule `{}` can never apply", rule.id.value);
            let finding = Diagnostic::new(lints::CONTRADICTION, first.span, message).label(first.text);
            findings.push(finding.also(second.span, second.text).help(help));
        }
    }
}

fn label(span: &Span, text: &str) -> Label {
    Label { span: span.clone(), text: text.to_owned() }
}

fn contradiction(file: &RuleFile, rule: &RuleEntry) -> Option<(Label, Label, &'static str)> {
    if let Some(scope) = scope(file) {
        let odd = rule.when.iter().find(|condition| condition.value.excludes(&scope));
        if let (Some(odd), Some(connector)) = (odd, file.connectors.first()) {
            let help = "Move the rule to the file of its connector, or to a file of shared rules.";
            let scope = label(&connector.span, "all rules of this file are for this connector");
            return Some((label(&odd.span, "this connector never gets here"), scope, help));
        }
    }
    for (index, condition) in rule.when.iter().enumerate() {
        if let Some(other) = rule.when[..index]
            .iter()
            .find(|other| are_small(&condition.value, &other.value) && condition.value.excludes(&other.value))
        {
            let help = "Delete one of them, or make two rules of it.";
            return Some((label(&condition.span, "never holds where"), label(&other.span, "this holds"), help));
        }
        let implied = |other: &&Spanned<Condition>| {
            are_small(&condition.value, &other.value) && condition.value.implies(&other.value)
        };
        if let Some(other) = rule.unless.iter().find(implied) {
            let help = "Narrow `unless`, or delete one of them.";
            return Some((label(&other.span, "holds whenever"), label(&condition.span, "this holds"), help));
        }
    }
    None
}

/// The connectors of a file as a condition.
fn scope(file: &RuleFile) -> Option<Condition> {
    let items: Vec<String> = file.connectors.iter().map(|name| name.value.clone()).collect();
    (!items.is_empty()).then_some(Condition::Connector(Values { quantifier: Quantifier::Any, items }))
}

/// A rule with what is known about its failures.
struct Known<'b> {
    file: &'b RuleFile,
    rule: &'b RuleEntry,
    /// `when`, and the connectors of the file.
    when: Vec<Condition>,
}

/// Rules of which every failure goes to a rule in front of them, and items of lists for which that is so.
pub(super) fn shadowed(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut known: Vec<Known<'_>> = Vec::new();
    let mut filed = Filed::default();
    let mut budget = Budget(COMPARISONS);
    for file in book.ordered_files() {
        for rule in &file.rules {
            let mut when: Vec<Condition> = rule.when.iter().map(|condition| condition.value.clone()).collect();
            when.extend(scope(file));
            // What cannot be read in a rule may be what tells it apart.
            if rule.when.is_empty() || contradiction(file, rule).is_some() {
                continue;
            }
            let rule = Known { file, rule, when };
            let finding = filed
                .first(&known, &rule.when)
                .find(|earlier| budget.allows(earlier, &rule.when) && takes_all(earlier, &rule.when, &rule))
                .map(|earlier| whole(&rule, &[earlier]))
                .or_else(|| by_items(&known, &filed, &rule, sources, &mut budget));
            findings.extend(finding);
            filed.file(known.len(), &rule.when);
            known.push(rule);
        }
    }
}

/// The same for one list of the rule: each item on its own.
fn by_items(
    known: &[Known<'_>],
    filed: &Filed,
    rule: &Known<'_>,
    sources: &Sources,
    budget: &mut Budget,
) -> Option<Diagnostic> {
    for (place, written) in rule.rule.when.iter().enumerate() {
        let most = if matches!(written.value, Condition::HttpStatus(_)) { SPLIT_ITEMS * 100 } else { SPLIT_ITEMS };
        if count(&written.value) > most {
            continue;
        }
        let items = narrowed(&written.value);
        if items.len() < 2 {
            continue;
        }
        let mut takers: Vec<Option<&Known<'_>>> = Vec::new();
        for (_, item) in &items {
            let mut when = rule.when.clone();
            when[place] = item.clone();
            let hides = |earlier: &&Known<'_>| budget.allows(earlier, &when) && takes_all(earlier, &when, rule);
            takers.push(filed.first(known, &when).find(hides));
        }
        if let Some(all) = takers.iter().copied().collect::<Option<Vec<_>>>() {
            return Some(whole(rule, &all));
        }
        let taken = items.iter().zip(&takers).find_map(|((shown, _), taker)| Some((shown, (*taker)?)));
        if let Some((shown, taker)) = taken {
            let message = format!("this item never decides: `{}` takes its failures first", taker.rule.id.value);
            let span = item_span(sources, &written.span, shown);
            let finding = Diagnostic::new(lints::SHADOWED_ITEM, span, message)
                .also(taker.rule.id.span.clone(), "this rule is tried earlier");
            return Some(finding.help("Delete the item, or put this rule in front."));
        }
    }
    None
}

/// Items of lists that are compared with each other in a set. Behind that nothing is called hidden: a hostile set shall
/// not keep the engine busy, and the answer shall not depend on the machine.
const COMPARISONS: usize = 2_000_000;
/// Items of a list that are looked at one by one.
const SPLIT_ITEMS: usize = 64;

/// What is left of the comparisons.
struct Budget(usize);

impl Budget {
    fn allows(&mut self, earlier: &Known<'_>, when: &[Condition]) -> bool {
        let items = |conditions: &[Condition]| conditions.iter().map(count).sum::<usize>().max(1);
        let unless: usize = earlier.rule.unless.iter().map(|condition| count(&condition.value)).sum();
        let cost = (items(&earlier.when) + unless).saturating_mul(items(when));
        match self.0.checked_sub(cost) {
            Some(rest) => {
                self.0 = rest;
                true
            }
            None => false,
        }
    }
}

/// How many items a condition has.
fn count(condition: &Condition) -> usize {
    match condition {
        Condition::Exception(values) => values.items.len(),
        Condition::Message(values) => values.items.len(),
        Condition::Contains(values) => values.items.len(),
        // Statuses are compared one by one.
        Condition::HttpStatus(values) => values.items.len() * 100,
        Condition::ProviderCode(values) => values.items.len(),
        Condition::ErrorNumber(values) => values.items.len(),
        Condition::Connector(values) | Condition::Operation(values) | Condition::Phase(values) => values.items.len(),
        Condition::Attribute { values, .. } => values.items.len(),
        Condition::Absent(facts) => facts.len(),
        Condition::Cause { conditions, .. } => {
            let of = |part: &CauseCondition| match part {
                CauseCondition::Exception(values) => values.items.len(),
                CauseCondition::Message(values) => values.items.len(),
                CauseCondition::Contains(values) => values.items.len(),
                CauseCondition::ErrorNumber(values) => values.items.len(),
            };
            conditions.iter().map(of).sum()
        }
    }
}

/// Whether two conditions are small enough to be compared item by item.
fn are_small(one: &Condition, other: &Condition) -> bool {
    count(one).saturating_mul(count(other)) <= COMPARISONS / 20
}

fn whole(rule: &Known<'_>, takers: &[&Known<'_>]) -> Diagnostic {
    let mut names: Vec<String> = Vec::new();
    let mut labels: Vec<&Span> = Vec::new();
    for taker in takers {
        let name = format!("`{}/{}`", taker.file.stem, taker.rule.id.value);
        if !names.contains(&name) {
            names.push(name);
            labels.push(&taker.rule.id.span);
        }
    }
    let what = if names.len() == 1 { "takes" } else { "together take" };
    let message =
        format!("rule `{}` can never win: {} {what} all its failures first", rule.rule.id.value, names.join(" and "));
    let mut finding = Diagnostic::new(lints::SHADOWED_RULE, rule.rule.id.span.clone(), message);
    for span in labels {
        finding = finding.also(span.clone(), "tried earlier, with the same or wider conditions");
    }
    finding.help("Put the narrower rule in front, give the earlier one an `unless`, or delete one of them.")
}

/// Whether a rule applies to every failure that another one, tried later, applies to.
fn takes_all(earlier: &Known<'_>, when: &[Condition], later: &Known<'_>) -> bool {
    earlier.when.iter().all(|needed| when.iter().any(|known| known.implies(needed)))
        && earlier.rule.unless.iter().all(|never| {
            let never = &never.value;
            later.rule.unless.iter().any(|excluded| never.implies(&excluded.value))
                || when.iter().any(|known| known.excludes(never))
        })
}

/// Rules by an item that every one of their failures must have, so that not every pair of rules is compared.
#[derive(Default)]
struct Filed {
    by_item: HashMap<String, Vec<usize>>,
    others: Vec<usize>,
}

/// Rules without an item to look up that are compared at most.
const OTHERS: usize = 500;

impl Filed {
    fn file(&mut self, index: usize, when: &[Condition]) {
        let Some(items) = when.iter().find_map(exact_items) else {
            self.others.push(index);
            return;
        };
        for item in items {
            self.by_item.entry(item).or_default().push(index);
        }
    }

    /// Rules that may take failures of these conditions, in their order.
    fn first<'k, 'b>(
        &self,
        known: &'k [Known<'b>],
        when: &[Condition],
    ) -> impl Iterator<Item = &'k Known<'b>> + use<'k, 'b> {
        let items: HashSet<String> = when.iter().filter_map(exact_items).flatten().collect();
        let mut found: Vec<usize> = items.iter().filter_map(|item| self.by_item.get(item)).flatten().copied().collect();
        found.extend(self.others.iter().take(OTHERS));
        found.sort_unstable();
        found.dedup();
        found.into_iter().filter_map(move |index| known.get(index))
    }
}

/// Texts of a condition of which each failure must have one, if the condition says nothing but them.
fn exact_items(condition: &Condition) -> Option<Vec<String>> {
    let is_plain = |text: &str| !text.contains(['*', '{']);
    let items: Vec<String> = match condition {
        Condition::Exception(values) => values.items.iter().map(|item| item.as_str().to_owned()).collect(),
        Condition::ProviderCode(values) => values.items.iter().map(|item| item.as_str().to_owned()).collect(),
        Condition::ErrorNumber(values) => values.items.iter().map(i64::to_string).collect(),
        _ => return None,
    };
    let key = condition.key();
    // A short name is found under itself only; the full one of a later rule carries both.
    let with_short = |item: String| match (condition, item.rsplit_once('.')) {
        (Condition::Exception(_), Some((_, short))) => vec![format!("{key} {short}"), format!("{key} {item}")],
        _ => vec![format!("{key} {item}")],
    };
    items.iter().all(|item| is_plain(item)).then(|| items.into_iter().flat_map(with_short).collect())
}

/// A condition for each item of a list of which any is enough, with the item as it is shown.
fn narrowed(condition: &Condition) -> Vec<(String, Condition)> {
    fn each<T: Clone>(
        values: &Values<T>,
        shown: impl Fn(&T) -> String,
        make: impl Fn(Values<T>) -> Condition,
    ) -> Vec<(String, Condition)> {
        if values.quantifier == Quantifier::All {
            return Vec::new();
        }
        let one = |item: &T| make(Values { quantifier: Quantifier::Any, items: vec![item.clone()] });
        values.items.iter().map(|item| (shown(item), one(item))).collect()
    }
    match condition {
        Condition::Exception(values) => each(values, |item| item.as_str().to_owned(), Condition::Exception),
        Condition::Message(values) => each(values, |item| item.as_str().to_owned(), Condition::Message),
        Condition::Contains(values) => each(values, |item| item.as_str().to_owned(), Condition::Contains),
        Condition::HttpStatus(values) => each(values, StatusPattern::to_string, Condition::HttpStatus),
        Condition::ProviderCode(values) => each(values, |item| item.as_str().to_owned(), Condition::ProviderCode),
        Condition::ErrorNumber(values) => each(values, i64::to_string, Condition::ErrorNumber),
        Condition::Connector(values) => each(values, String::clone, Condition::Connector),
        Condition::Operation(values) => each(values, String::clone, Condition::Operation),
        Condition::Phase(values) => each(values, String::clone, Condition::Phase),
        Condition::Attribute { name, values } => {
            each(values, AttributePattern::as_item, |values| Condition::Attribute { name: name.clone(), values })
        }
        Condition::Absent(_) | Condition::Cause { .. } => Vec::new(),
    }
}

/// Items of a list that another item of it makes superfluous, and conditions that follow from what is known anyway.
pub(super) fn superfluous(book: &Book, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    for (file, rule) in book.rules() {
        for condition in rule.when.iter().chain(&rule.unless) {
            superfluous_items(condition, sources, findings);
        }
        if let (Some(scope), Some(connector)) = (scope(file), file.connectors.first()) {
            for condition in rule.when.iter().filter(|condition| scope.implies(&condition.value)) {
                let message = "the condition always holds: the rules of this file are for this connector";
                findings.push(
                    Diagnostic::new(lints::SUPERFLUOUS_CONDITION, condition.span.clone(), message)
                        .also(connector.span.clone(), "as this says")
                        .help("Delete it."),
                );
            }
        }
        for (index, condition) in rule.when.iter().enumerate() {
            let other = rule.when.iter().enumerate().find(|(place, other)| {
                *place != index
                    && are_small(&condition.value, &other.value)
                    && other.value.implies(&condition.value)
                    && (*place < index || !condition.value.implies(&other.value))
            });
            if let Some((_, other)) = other {
                let message = format!("`{}` holds whenever another condition of the rule does", condition.value.key());
                findings.push(
                    Diagnostic::new(lints::SUPERFLUOUS_CONDITION, condition.span.clone(), message)
                        .also(other.span.clone(), "this is narrower")
                        .help("Delete the wider one."),
                );
            }
        }
        for condition in &rule.unless {
            if let Some(other) = rule
                .when
                .iter()
                .find(|other| are_small(&condition.value, &other.value) && other.value.excludes(&condition.value))
            {
                let message = format!("`{}` of `unless` never holds where the rule could apply", condition.value.key());
                findings.push(
                    Diagnostic::new(lints::SUPERFLUOUS_CONDITION, condition.span.clone(), message)
                        .also(other.span.clone(), "this excludes it")
                        .help("Delete it from `unless`."),
                );
            }
        }
    }
}

fn superfluous_items(condition: &Spanned<Condition>, sources: &Sources, findings: &mut Vec<Diagnostic>) {
    let mut of = |parts: Vec<(String, String)>| {
        for (item, other) in parts {
            let span = item_span(sources, &condition.span, &item);
            let message = if item.eq_ignore_ascii_case(&other) {
                format!("`{item}` stands in this list twice")
            } else {
                format!("`{item}` adds nothing to `{other}` in this list")
            };
            findings.push(Diagnostic::new(lints::SUPERFLUOUS_ITEM, span, message).help(if item == other {
                "Delete one of the two.".to_owned()
            } else {
                format!("Delete `{item}`, or narrow `{other}`.")
            }));
        }
    };
    match &condition.value {
        Condition::Exception(values) => of(pairs(values, |item: &TypePattern| item.as_str().to_owned())),
        Condition::Message(values) => of(pairs(values, |item: &Pattern| item.as_str().to_owned())),
        Condition::Contains(values) => of(pairs(values, |item: &Literal| item.as_str().to_owned())),
        Condition::HttpStatus(values) => of(pairs(values, StatusPattern::to_string)),
        Condition::ProviderCode(values) => of(pairs(values, |item: &CodePattern| item.as_str().to_owned())),
        Condition::ErrorNumber(values) => of(pairs(values, i64::to_string)),
        Condition::Connector(values) | Condition::Operation(values) | Condition::Phase(values) => {
            of(pairs(values, String::clone));
        }
        Condition::Attribute { values, .. } => of(pairs(values, AttributePattern::as_item)),
        Condition::Absent(_) => {}
        Condition::Cause { conditions, .. } => {
            for part in conditions {
                match part {
                    CauseCondition::Exception(values) => of(pairs(values, |item| item.as_str().to_owned())),
                    CauseCondition::Message(values) => of(pairs(values, |item| item.as_str().to_owned())),
                    CauseCondition::Contains(values) => of(pairs(values, |item| item.as_str().to_owned())),
                    CauseCondition::ErrorNumber(values) => of(pairs(values, i64::to_string)),
                }
            }
        }
    }
}

/// Items of a list that are compared with each other at most.
const ITEMS: usize = 200;

/// Items that can go, each with the one that makes it superfluous: where any is enough the narrower one, where all are
/// asked for the wider one.
fn pairs<T: Implies>(values: &Values<T>, shown: impl Fn(&T) -> String) -> Vec<(String, String)> {
    let items = &values.items[..values.items.len().min(ITEMS)];
    let mut found = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let goes = |(place, other): &(usize, &T)| {
            let (narrow, wide) = if values.quantifier == Quantifier::Any { (item, *other) } else { (*other, item) };
            *place != index && narrow.implies(wide) && (!wide.implies(narrow) || *place < index)
        };
        if let Some((_, other)) = items.iter().enumerate().find(goes) {
            found.push((shown(item), shown(other)));
        }
    }
    found
}

/// Where a condition writes an item, the last time that it does; the whole condition where that cannot be told.
pub(super) fn item_span(sources: &Sources, condition: &Span, item: &str) -> Span {
    let written = sources.get(condition.source).text.get(condition.range.clone()).unwrap_or_default();
    let quoted = [format!("'{item}'"), format!("\"{item}\"")];
    let found = quoted.iter().find_map(|quoted| Some((written.rfind(quoted.as_str())?, quoted.len())));
    let number =
        || Some((written.rfind(item).filter(|_| item.bytes().all(|b| b.is_ascii_digit() || b == b'-'))?, item.len()));
    let range: Option<Range<usize>> = found.or_else(number).map(|(at, length)| {
        let start = condition.range.start + at;
        start..start + length
    });
    Span { source: condition.source, range: range.unwrap_or_else(|| condition.range.clone()) }
}
