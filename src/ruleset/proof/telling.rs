//! Failures that tell two rules apart: guessed from the cases of a set, and shown only when both rules were asked.
//!
//! A guess takes a failure that the rule wins, or one made of nothing but its conditions, changes the one fact that the
//! changed part looks at, and lets the plain loop answer with the rule and with the changed rule.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::matcher::{Candidate, plain};
use crate::model::mutation::{self, Item, Mutation, Side, Slot};
use crate::model::{
    Attribute, AttributePattern, CauseCondition, CausePosition, Condition, Exception, Fact, Failure, MutationKind,
    Quantifier, Rule, StatusPattern, TypeName,
};

use super::super::compile::in_scope;
use super::cases::{answer_of, applies, code_of};
use super::coverage::without_deciding;
use super::mutants::winner_with;
use super::{CaseKind, Telling, Work};

/// Failures of a rule that guesses start from.
const BASES: usize = 8;

/// Statuses and words that a fact is stated with where a rule wants another one.
const STATUSES: [u16; 11] = [404, 503, 400, 409, 422, 429, 500, 502, 401, 403, 200];
const WORDS: [&str; 5] = ["create", "update", "delete", "token", "transport"];

/// Looks for failures that tell rules apart.
pub(super) struct Search<'w> {
    work: &'w Work<'w>,
    /// Short type names with the full names that the manifest and the cases know.
    full_names: HashMap<String, Vec<String>>,
    /// For each rule, failures that it wins.
    bases: Vec<Vec<Failure<'static>>>,
}

/// What a condition is to find instead of what its item says.
#[derive(Debug, Clone, Copy, Default)]
struct Instead<'t> {
    text: Option<&'t str>,
    status: Option<u16>,
}

impl<'w> Search<'w> {
    pub(super) fn new(work: &'w Work<'w>) -> Self {
        let mut full_names: HashMap<String, Vec<String>> = work.types.clone();
        let types = work.cases.iter().flat_map(|case| &case.failure.exceptions).filter_map(|e| e.type_name.as_deref());
        for name in types.filter_map(TypeName::parse).filter(|name| !name.is_short()) {
            let known = full_names.entry(name.short().to_owned()).or_default();
            if !known.iter().any(|known| known == name.full()) {
                known.push(name.full().to_owned());
            }
        }
        let mut bases: Vec<Vec<Failure<'static>>> = vec![Vec::new(); work.rules.len()];
        // Facts of pasted text cannot be taken out of it: such failures are tried last.
        for is_text in [false, true] {
            for case in work.cases.iter().filter(|case| case.failure.text.is_some() == is_text) {
                if let Some(winner) = case.winner {
                    bases[winner].push(case.failure.clone());
                }
            }
        }
        let mut search = Self { work, full_names, bases: Vec::new() };
        for (rule, bases) in bases.iter_mut().enumerate() {
            bases.truncate(BASES);
            // What states nothing but what matters reads best and is tried first.
            bases.splice(0..0, search.of_conditions(work.rules[rule].rule));
        }
        search.bases = bases;
        search
    }

    /// A failure on which a rule and its changed form disagree.
    pub(super) fn telling(&self, rule: usize, mutation: &Mutation, changed: &Rule) -> Option<Telling> {
        if mutation.kind == MutationKind::DropCapture {
            return self.capturing(rule, mutation.slot, changed);
        }
        let guesses = self.guesses(rule, mutation);
        self.first_told(rule, guesses, |winner, candidate| winner_with(self.work, rule, changed, winner, candidate))
    }

    /// A failure whose message is another one without a capture.
    fn capturing(&self, rule: usize, slot: Slot, changed: &Rule) -> Option<Telling> {
        let here = self.work.rules[rule].rule;
        let found = mutation::sample(&here.captures.get(slot.condition)?.pattern)?;
        self.bases[rule].iter().find_map(|base| {
            let mut failure = base.clone();
            let message = match failure.message.as_deref() {
                Some(message) => format!("{message} {found}"),
                None => found.clone(),
            };
            failure.message = Some(Cow::Owned(message));
            let failure = in_scope(self.work.rules[rule].file, &failure);
            let facts = self.work.set.facts_of(&failure);
            let candidate = facts.candidate(&failure);
            let winner = plain::first(self.work.set.rules(), candidate);
            if winner != Some(rule) {
                return None;
            }
            let [with, without] = [here, changed].map(|rule_here| self.work.set.message_by(rule, rule_here, candidate));
            (with != without).then(|| {
                let mut telling = self.told(rule, failure.clone(), winner, winner);
                telling.expected.message = Some(with);
                telling.changed.message = Some(without);
                telling
            })
        })
    }

    /// A failure that two neighbors both take.
    pub(super) fn swap(&self, first: usize) -> Option<Telling> {
        let both = [(first, first + 1), (first + 1, first)];
        let guesses = both.into_iter().flat_map(|(base, other)| {
            self.bases[base].iter().map(move |base| {
                let mut failure = base.clone();
                self.satisfy_all(&mut failure, self.work.rules[other].rule, false);
                failure
            })
        });
        let guesses: Vec<_> = guesses.collect();
        self.first_told(first, guesses, |winner, candidate| {
            let is_taken = winner == Some(first) && applies(self.work.rules[first + 1].rule, candidate);
            if is_taken { Some(first + 1) } else { winner }
        })
    }

    /// A failure that would cover an item.
    pub(super) fn covering(&self, rule: usize, slot: Slot) -> Option<Telling> {
        let here = self.work.rules[rule].rule;
        if slot.side == Side::Capture {
            return None;
        }
        if slot.side == Side::Unless {
            let changed = without_deciding(here, slot);
            let guesses = self.with_item(rule, slot, Instead::default());
            return self.first_told(rule, guesses, |winner, candidate| {
                winner_with(self.work, rule, &changed, winner, candidate)
            });
        }
        let alone = Rule {
            when: vec![mutation::alone(here, slot)?],
            unless: Vec::new(),
            connectors: Vec::new(),
            ..here.clone()
        };
        self.with_item(rule, slot, Instead::default()).into_iter().find_map(|failure| {
            let failure = in_scope(self.work.rules[rule].file, &failure);
            let facts = self.work.set.facts_of(&failure);
            let candidate = facts.candidate(&failure);
            let winner = plain::first(self.work.set.rules(), candidate);
            let covers = winner == Some(rule) && applies(&alone, candidate);
            covers.then(|| self.told(rule, failure, winner, winner))
        })
    }

    /// The first guess with two answers: two codes, or else the rule in question and another one with the same code.
    fn first_told(
        &self,
        rule: usize,
        guesses: Vec<Failure<'static>>,
        changed: impl Fn(Option<usize>, Candidate<'_>) -> Option<usize>,
    ) -> Option<Telling> {
        let mut second_best = None;
        // A failure that says nothing cannot be written down.
        for failure in guesses.into_iter().filter(|failure| !failure.is_empty()) {
            let failure = in_scope(self.work.rules[rule].file, &failure);
            let facts = self.work.set.facts_of(&failure);
            let candidate = facts.candidate(&failure);
            let winner = plain::first(self.work.set.rules(), candidate);
            let other = changed(winner, candidate);
            if code_of(self.work.set, winner) != code_of(self.work.set, other) {
                return Some(self.told(rule, failure, winner, other));
            }
            if winner == Some(rule) && other != winner && second_best.is_none() {
                second_best = Some(self.told(rule, failure, winner, other));
            }
        }
        second_best
    }

    fn told(&self, rule: usize, mut failure: Failure<'static>, winner: Option<usize>, other: Option<usize>) -> Telling {
        // The connector of the file goes without saying.
        let first = self.work.rules[rule].file.connectors.first();
        if first.is_some_and(|first| failure.connector.as_deref() == Some(&first.value)) {
            failure.connector = None;
        }
        Telling {
            kind: if winner == Some(rule) { CaseKind::Example } else { CaseKind::Counterexample },
            expected: answer_of(self.work.set, winner),
            changed: answer_of(self.work.set, other),
            failure,
        }
    }

    /// Failures that may tell a changed rule from the rule, likely ones first.
    fn guesses(&self, rule: usize, mutation: &Mutation) -> Vec<Failure<'static>> {
        let here = self.work.rules[rule].rule;
        let slot = mutation.slot;
        match mutation.kind {
            MutationKind::DropCondition => self.without_condition(rule, slot),
            MutationKind::WidenStatus => {
                let added = mutation.added_statuses(here);
                // The ends of a longer range, and statuses that servers do send.
                let sent =
                    [404, 500, 502, 400, 409, 422, 418, 501, 505].into_iter().filter(|status| added.contains(status));
                let ends = added.first().into_iter().chain(added.last()).copied();
                let statuses: Vec<u16> = if added.len() <= 2 { ends.collect() } else { sent.chain(ends).collect() };
                let with = |status| self.with_item(rule, slot, Instead { status: Some(status), text: None });
                statuses.into_iter().flat_map(with).collect()
            }
            _ => self.with_item(rule, slot, Instead { text: mutation.telling.as_deref(), status: None }),
        }
    }

    /// Failures in which an item holds, or what stands for it, and no other item of its condition.
    fn with_item(&self, rule: usize, slot: Slot, instead: Instead<'_>) -> Vec<Failure<'static>> {
        let mut guesses = self.with(rule, slot, instead);
        if instead.text.is_some() || instead.status.is_some() {
            return guesses;
        }
        // One short name may stand for several types, with different base types.
        let condition = mutation::condition(self.work.rules[rule].rule, slot);
        let item = condition
            .zip(slot.item)
            .and_then(|(condition, item)| mutation::items(condition, slot.part).get(item).copied());
        match item {
            Some(Item::Type(pattern)) => {
                let name = plain_name(pattern.as_str());
                let known = self.full_names.get(&name).filter(|_| pattern.is_short());
                let own = format!("Contoso.Sync.{name}");
                for name in known.into_iter().flatten().skip(1).chain([&name, &own]) {
                    guesses.extend(self.with(rule, slot, Instead { text: Some(name), status: None }));
                }
            }
            Some(Item::Status(range)) => {
                for status in STATUSES.into_iter().filter(|status| range.matches(*status)) {
                    guesses.extend(self.with(rule, slot, Instead { text: None, status: Some(status) }));
                }
            }
            _ => {}
        }
        guesses
    }

    fn with(&self, rule: usize, slot: Slot, instead: Instead<'_>) -> Vec<Failure<'static>> {
        let here = self.work.rules[rule].rule;
        let (Some(condition), Some(item)) = (mutation::condition(here, slot), slot.item) else { return Vec::new() };
        let needs_all = mutation::quantifier(condition, slot.part) == Some(Quantifier::All);
        let is_absent = matches!(condition, Condition::Absent(_));
        let mut guesses = Vec::new();
        for base in &self.bases[rule] {
            let mut failure = base.clone();
            if slot.side == Side::When && !strip(&mut failure, condition) {
                continue;
            }
            if is_absent {
                // Every fact but this one is missing, or only this one is.
                self.satisfy(&mut failure, condition, None, 0, Instead::default());
                if slot.side == Side::When {
                    self.state(&mut failure, condition, item);
                }
            } else if needs_all && slot.side == Side::When && instead.text.is_none() {
                let others = (0..mutation::items(condition, slot.part).len()).filter(|other| *other != item);
                let texts: Vec<String> = others.filter_map(|other| self.text_of(condition, slot.part, other)).collect();
                self.satisfy(
                    &mut failure,
                    condition,
                    slot.part,
                    item,
                    Instead { text: Some(&texts.join(" ")), status: None },
                );
            } else {
                self.satisfy(&mut failure, condition, slot.part, item, instead);
            }
            guesses.push(failure);
        }
        guesses
    }

    /// Failures on which a condition, or a part of a cause selector, makes the difference.
    fn without_condition(&self, rule: usize, slot: Slot) -> Vec<Failure<'static>> {
        let here = self.work.rules[rule].rule;
        let Some(condition) = mutation::condition(here, slot) else { return Vec::new() };
        let mut guesses = Vec::new();
        if let (Side::Unless, Condition::Cause { conditions, position }, Some(part)) = (slot.side, condition, slot.part)
        {
            // A cause that has everything but what the part asks for.
            let others =
                conditions.iter().enumerate().filter(|(other, _)| *other != part).map(|(_, other)| other.clone());
            let rest = Condition::Cause { position: *position, conditions: others.collect() };
            for base in &self.bases[rule] {
                let mut failure = base.clone();
                self.satisfy(&mut failure, &rest, Some(0), 0, Instead::default());
                guesses.push(failure);
            }
            return guesses;
        }
        if slot.side == Side::Unless {
            let parts: Vec<Option<usize>> = match condition {
                Condition::Cause { .. } => vec![Some(0)],
                _ => vec![None],
            };
            for part in parts {
                for item in 0..mutation::items(condition, part).len() {
                    guesses.extend(self.with_item(rule, Slot { part, item: Some(item), ..slot }, Instead::default()));
                }
            }
            return guesses;
        }
        for base in &self.bases[rule] {
            let mut failure = base.clone();
            if !strip(&mut failure, condition) {
                continue;
            }
            if let (Condition::Cause { conditions, position }, Some(part)) = (condition, slot.part) {
                let others =
                    conditions.iter().enumerate().filter(|(other, _)| *other != part).map(|(_, other)| other.clone());
                let rest = Condition::Cause { position: *position, conditions: others.collect() };
                self.satisfy(&mut failure, &rest, Some(0), 0, Instead::default());
            }
            let otherwise = self.otherwise(&failure, condition);
            guesses.push(failure);
            guesses.extend(otherwise);
        }
        guesses
    }

    /// The failure with a fact stated otherwise than a condition wants it, in several ways.
    fn otherwise(&self, failure: &Failure<'static>, condition: &Condition) -> Vec<Failure<'static>> {
        let with = |state: &dyn Fn(&mut Failure<'static>)| {
            let mut failure = failure.clone();
            state(&mut failure);
            failure
        };
        let statuses = || STATUSES.into_iter().map(|status| with(&|failure| failure.http_status = Some(status)));
        match condition {
            Condition::HttpStatus(_) => statuses().collect(),
            Condition::Operation(_) => {
                WORDS.iter().map(|word| with(&|failure| failure.operation = Some((*word).into()))).collect()
            }
            Condition::Phase(_) => {
                WORDS.iter().map(|word| with(&|failure| failure.phase = Some((*word).into()))).collect()
            }
            Condition::Connector(_) => {
                let mut names: Vec<&String> = self.work.rules.iter().flat_map(|here| &here.rule.connectors).collect();
                names.sort_unstable();
                names.dedup();
                let state = |name: &&String| with(&|failure| failure.connector = Some(Cow::Owned((*name).clone())));
                names.iter().map(state).collect()
            }
            Condition::Absent(facts) => {
                let stated = (0..facts.len()).map(|item| with(&|failure| self.state(failure, condition, item)));
                let statuses = statuses().filter(|_| facts.contains(&Fact::HttpStatus));
                stated.chain(statuses).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Failures made of nothing but what the conditions of a rule want.
    fn of_conditions(&self, rule: &Rule) -> Vec<Failure<'static>> {
        let mut connectors: Vec<Option<&String>> = vec![rule.connectors.first()];
        if rule.connectors.is_empty() {
            let mut known: Vec<&String> = self.work.rules.iter().flat_map(|here| &here.rule.connectors).collect();
            known.sort_unstable();
            known.dedup();
            connectors.extend(known.into_iter().map(Some));
        }
        let mut failures = Vec::new();
        for connector in connectors {
            for is_last in [false, true] {
                let connector = connector.map(|name| Cow::Owned(name.clone()));
                let mut failure = Failure { connector, ..Failure::default() };
                self.satisfy_all(&mut failure, rule, is_last);
                if !failures.contains(&failure) {
                    failures.push(failure);
                }
            }
        }
        failures
    }

    /// States what the conditions of a rule want, each by its first item or by its last one.
    fn satisfy_all(&self, failure: &mut Failure<'static>, rule: &Rule, is_last: bool) {
        if let Some(connector) = rule.connectors.first() {
            failure.connector = Some(Cow::Owned(connector.clone()));
        }
        for condition in &rule.when {
            let part = matches!(condition, Condition::Cause { .. }).then_some(0);
            let count = mutation::items(condition, part).len();
            if mutation::quantifier(condition, part) == Some(Quantifier::All) {
                let texts: Vec<String> = (0..count).filter_map(|item| self.text_of(condition, part, item)).collect();
                let joined = texts.join(" ");
                self.satisfy(failure, condition, part, 0, Instead { text: Some(&joined), status: None });
            } else {
                let item = if is_last { count.saturating_sub(1) } else { 0 };
                self.satisfy(failure, condition, part, item, Instead::default());
            }
        }
    }

    /// States facts so that an item of a condition holds.
    fn satisfy(
        &self,
        failure: &mut Failure<'static>,
        condition: &Condition,
        part: Option<usize>,
        item: usize,
        instead: Instead<'_>,
    ) {
        let text = || instead.text.map(str::to_owned).or_else(|| self.text_of(condition, part, item));
        let attribute = |pattern: &AttributePattern| match pattern {
            AttributePattern::Bool(value) => Attribute::Bool(*value),
            AttributePattern::Number(number) => Attribute::Number(*number),
            AttributePattern::Text(text, _) => Attribute::Text(Cow::Owned(plain_name(text))),
        };
        match condition {
            Condition::Exception(_) => {
                let Some(name) = text() else { return };
                // A message that has lost its type takes this one.
                let nameless = failure.exceptions.iter_mut().rev().find(|exception| exception.type_name.is_none());
                match nameless {
                    Some(exception) => exception.type_name = Some(Cow::Owned(name)),
                    None => failure.exceptions.push(typed(name)),
                }
            }
            Condition::Message(_) | Condition::Contains(_) => {
                let Some(text) = text() else { return };
                match failure.exceptions.last_mut().filter(|exception| exception.message.is_none()) {
                    Some(exception) => exception.message = Some(Cow::Owned(text)),
                    None => failure.message = Some(Cow::Owned(text)),
                }
            }
            Condition::HttpStatus(values) => {
                failure.http_status = instead.status.or(values.items.get(item).map(|range| usual(*range)));
            }
            Condition::ProviderCode(_) => failure.provider_codes.extend(text().map(Cow::Owned)),
            Condition::ErrorNumber(values) => {
                let numbers = match failure.exceptions.last_mut() {
                    Some(exception) => &mut exception.error_numbers,
                    None => &mut failure.error_numbers,
                };
                numbers.extend(values.items.get(item));
            }
            Condition::Connector(values) => failure.connector = values.items.get(item).cloned().map(Cow::Owned),
            Condition::Operation(values) => failure.operation = values.items.get(item).cloned().map(Cow::Owned),
            Condition::Phase(values) => failure.phase = values.items.get(item).cloned().map(Cow::Owned),
            Condition::Attribute { name, values } => {
                let value = values.items.get(item).map(attribute);
                failure.attributes.extend(value.map(|value| (Cow::Owned(name.clone()), value)));
            }
            Condition::Absent(facts) => facts.iter().for_each(|fact| remove(failure, fact)),
            Condition::Cause { position, conditions } => {
                let mut cause = Exception::default();
                for (index, other) in conditions.iter().enumerate() {
                    let chosen = if part == Some(index) { item } else { 0 };
                    let replaced = instead.text.filter(|_| part == Some(index)).map(str::to_owned);
                    let text =
                        || replaced.clone().or_else(|| self.text_of(condition, Some(index), chosen)).map(Cow::Owned);
                    match other {
                        CauseCondition::Exception(_) => cause.type_name = text(),
                        CauseCondition::Message(_) | CauseCondition::Contains(_) => cause.message = text(),
                        CauseCondition::ErrorNumber(values) => cause.error_numbers.extend(values.items.get(chosen)),
                    }
                }
                match position {
                    CausePosition::Outermost => failure.exceptions.insert(0, cause),
                    CausePosition::Innermost | CausePosition::SameCause => failure.exceptions.push(cause),
                }
            }
        }
    }

    /// States a fact that `absent` wants missing.
    fn state(&self, failure: &mut Failure<'static>, condition: &Condition, item: usize) {
        let Condition::Absent(facts) = condition else { return };
        match facts.get(item) {
            Some(Fact::Exception) => failure.exceptions.push(typed("Contoso.Sync.SyncException".to_owned())),
            Some(Fact::Message) => failure.message = Some("The row was not written.".into()),
            Some(Fact::HttpStatus) => failure.http_status = Some(400),
            Some(Fact::ProviderCode) => failure.provider_codes.push("SyncError".into()),
            Some(Fact::ErrorNumber) => failure.error_numbers.push(7),
            Some(Fact::Connector) => {
                let mut names = self.work.rules.iter().flat_map(|here| here.rule.connectors.iter());
                failure.connector =
                    Some(names.next_back().map_or_else(|| "sync".into(), |name| Cow::Owned(name.clone())));
            }
            Some(Fact::Operation) => failure.operation = Some("create".into()),
            Some(Fact::Phase) => failure.phase = Some("transport".into()),
            Some(Fact::Attribute(name)) => {
                failure.attributes.insert(Cow::Owned(name.clone()), Attribute::Bool(true));
            }
            None => {}
        }
    }

    /// A name or text that an item finds.
    fn text_of(&self, condition: &Condition, part: Option<usize>, item: usize) -> Option<String> {
        Some(match mutation::items(condition, part).get(item)? {
            Item::Type(pattern) => {
                let name = plain_name(pattern.as_str());
                let full = self.full_names.get(&name).filter(|_| pattern.is_short());
                full.and_then(|names| names.first().cloned()).unwrap_or(name)
            }
            Item::Pattern(pattern) => mutation::sample(pattern)?,
            Item::Literal(literal) => literal.as_str().to_owned(),
            Item::Code(pattern) => plain_name(pattern.as_str()),
            _ => return None,
        })
    }
}

fn typed(name: String) -> Exception<'static> {
    Exception { type_name: Some(Cow::Owned(name)), ..Exception::default() }
}

/// A status of a range that servers do send, where there is one.
fn usual(range: StatusPattern) -> u16 {
    STATUSES.into_iter().find(|status| range.matches(*status)).unwrap_or(*range.statuses().start())
}

/// A name that a glob fits.
fn plain_name(glob: &str) -> String {
    let mut name = String::new();
    let mut rest = glob;
    while let Some(at) = rest.find(['*', '{']) {
        name.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(behind) = rest.strip_prefix("**") {
            name.push_str("Contoso");
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('*') {
            name.push_str("Other");
            rest = behind;
        } else {
            let end = rest.find('}').map_or(rest.len(), |end| end + 1);
            let choices = rest[1..end].trim_end_matches('}');
            name.push_str(choices.split(',').next().unwrap_or_default());
            rest = &rest[end..];
        }
    }
    name.push_str(rest);
    name
}

/// Takes out the facts that a condition looks at; false where they stand in pasted text.
fn strip(failure: &mut Failure<'static>, condition: &Condition) -> bool {
    match condition {
        Condition::Operation(_) => failure.operation = None,
        Condition::Phase(_) => failure.phase = None,
        Condition::Connector(_) => failure.connector = None,
        Condition::Attribute { name, .. } => {
            failure.attributes.remove(name.as_str());
        }
        Condition::Absent(_) => {}
        _ if failure.text.is_some() => return false,
        Condition::Exception(_) => {
            for exception in &mut failure.exceptions {
                exception.type_name = None;
                exception.ancestors.clear();
            }
            failure.exceptions.retain(|exception| !exception.is_empty());
        }
        // The last cause is what a selector most often looks at; what other conditions look at stays.
        Condition::Cause { .. } => {
            failure.exceptions.pop();
        }
        Condition::Message(_) | Condition::Contains(_) => {
            failure.message = None;
            failure.exceptions.iter_mut().for_each(|exception| exception.message = None);
        }
        Condition::HttpStatus(_) => failure.http_status = None,
        Condition::ProviderCode(_) => failure.provider_codes.clear(),
        Condition::ErrorNumber(_) => {
            failure.error_numbers.clear();
            failure.exceptions.iter_mut().for_each(|exception| exception.error_numbers.clear());
        }
    }
    true
}

fn remove(failure: &mut Failure<'static>, fact: &Fact) {
    match fact {
        Fact::Exception => failure.exceptions.iter_mut().for_each(|exception| exception.type_name = None),
        Fact::Message => {
            failure.message = None;
            failure.exceptions.iter_mut().for_each(|exception| exception.message = None);
        }
        Fact::HttpStatus => failure.http_status = None,
        Fact::ProviderCode => failure.provider_codes.clear(),
        Fact::ErrorNumber => failure.error_numbers.clear(),
        Fact::Connector => failure.connector = None,
        Fact::Operation => failure.operation = None,
        Fact::Phase => failure.phase = None,
        Fact::Attribute(name) => {
            failure.attributes.remove(name.as_str());
        }
    }
}
