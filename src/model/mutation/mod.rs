//! Rules with one thing changed: what the examples of a set must be able to tell from the rules as they are.
//!
//! Pure: from a rule to other rules. Whether anybody notices the change is for `ruleset::proof`.

mod pattern;
mod sample;

use std::fmt::Write as _;

use super::{
    AttributePattern, Capture, CauseCondition, CodePattern, Condition, Fact, Literal, Pattern, Quantifier, Rule,
    StatusPattern, TypeName, TypePattern, Values,
};

pub(crate) use sample::sample;

/// Where something stands in a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot {
    /// The list of the rule that it stands in.
    pub side: Side,
    /// The place of the condition, or of the capture, in that list.
    pub condition: usize,
    /// The place of the part in a cause selector.
    pub part: Option<usize>,
    /// The place of the item in a list of values; none for the condition as a whole.
    pub item: Option<usize>,
}

/// The lists of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// `when`
    When,
    /// `unless`
    Unless,
    /// `capture`
    Capture,
}

/// The kinds of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[cfg_attr(feature = "cli", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MutationKind {
    /// A condition of `when` or `unless`, or a part of a cause selector, is left out.
    DropCondition,
    /// An item of a list is left out.
    DropItem,
    /// One of the alternatives of a pattern is left out.
    DropAlternative,
    /// A capture is left out.
    DropCapture,
    /// A status becomes its class, or a range that is longer by one at each end.
    WidenStatus,
    /// A pattern loses `^`, `$` and `\b`.
    Unanchor,
    /// The longest word of a pattern becomes `\w+`.
    Generalize,
    /// A full type name becomes its short name.
    ShortenType,
    /// Two rules that follow each other in a file change places.
    SwapRules,
}

impl MutationKind {
    /// All kinds, in the order in which they are shown.
    pub const ALL: [Self; 9] = [
        Self::DropCondition,
        Self::DropItem,
        Self::DropAlternative,
        Self::DropCapture,
        Self::WidenStatus,
        Self::Unanchor,
        Self::Generalize,
        Self::ShortenType,
        Self::SwapRules,
    ];

    /// The kind in a word, as JSON has it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DropCondition => "drop-condition",
            Self::DropItem => "drop-item",
            Self::DropAlternative => "drop-alternative",
            Self::DropCapture => "drop-capture",
            Self::WidenStatus => "widen-status",
            Self::Unanchor => "unanchor",
            Self::Generalize => "generalize",
            Self::ShortenType => "shorten-type",
            Self::SwapRules => "swap-rules",
        }
    }
}

/// One change of one rule.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    /// What is changed.
    pub slot: Slot,
    /// The kind of the change.
    pub kind: MutationKind,
    /// A text that only one of the two rules finds, where one is known.
    pub telling: Option<String>,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Drop,
    Status(StatusPattern),
    Pattern(Pattern),
    Type(TypePattern),
}

/// An item of a list of values, whatever it looks at.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Item<'r> {
    /// A type.
    Type(&'r TypePattern),
    /// A pattern on messages.
    Pattern(&'r Pattern),
    /// A text in messages.
    Literal(&'r Literal),
    /// A status.
    Status(StatusPattern),
    /// A provider code.
    Code(&'r CodePattern),
    /// An error number.
    Number(i64),
    /// A connector, operation or phase.
    Word(&'r str),
    /// The value of an attribute.
    Attribute(&'r AttributePattern),
    /// A fact that is missing.
    Fact(&'r Fact),
}

/// All items of a rule's conditions, and its captures, in their order.
pub(crate) fn slots(rule: &Rule) -> Vec<Slot> {
    let mut slots = Vec::new();
    for (side, conditions) in [(Side::When, &rule.when), (Side::Unless, &rule.unless)] {
        for (condition, value) in conditions.iter().enumerate() {
            let parts: Vec<Option<usize>> = match value {
                Condition::Cause { conditions, .. } => (0..conditions.len()).map(Some).collect(),
                _ => vec![None],
            };
            for part in parts {
                let count = items(value, part).len();
                slots.extend((0..count).map(|item| Slot { side, condition, part, item: Some(item) }));
            }
        }
    }
    let capture = |condition| Slot { side: Side::Capture, condition, part: None, item: None };
    slots.extend((0..rule.captures.len()).map(capture));
    slots
}

/// The changes of a rule that are worth looking for, in a fixed order.
pub(crate) fn mutations(rule: &Rule) -> Vec<Mutation> {
    let mut found = Vec::new();
    let mut add = |slot, kind, change, telling| found.push(Mutation { slot, kind, telling, change });
    for (side, conditions) in [(Side::When, &rule.when), (Side::Unless, &rule.unless)] {
        for (condition, value) in conditions.iter().enumerate() {
            let whole = Slot { side, condition, part: None, item: None };
            // A rule without conditions is one that nobody can write.
            if side == Side::Unless || conditions.len() > 1 {
                add(whole, MutationKind::DropCondition, Change::Drop, None);
            }
            let Condition::Cause { conditions: parts, .. } = value else {
                of_items(whole, value, &mut add);
                continue;
            };
            for part in 0..parts.len() {
                let slot = Slot { part: Some(part), ..whole };
                if parts.len() > 1 {
                    add(slot, MutationKind::DropCondition, Change::Drop, None);
                }
                of_items(slot, value, &mut add);
            }
        }
    }
    for condition in 0..rule.captures.len() {
        let slot = Slot { side: Side::Capture, condition, part: None, item: None };
        add(slot, MutationKind::DropCapture, Change::Drop, None);
    }
    found
}

fn of_items(slot: Slot, condition: &Condition, add: &mut impl FnMut(Slot, MutationKind, Change, Option<String>)) {
    let items = items(condition, slot.part);
    for (index, item) in items.iter().enumerate() {
        let slot = Slot { item: Some(index), ..slot };
        if items.len() > 1 {
            add(slot, MutationKind::DropItem, Change::Drop, None);
        }
        match item {
            Item::Status(status) => {
                for wider in wider(*status) {
                    add(slot, MutationKind::WidenStatus, Change::Status(wider), None);
                }
            }
            Item::Type(pattern) => {
                let short = pattern.as_str().rsplit('.').next().unwrap_or_default();
                if !pattern.is_short()
                    && !pattern.as_str().contains(['*', '{'])
                    && let Ok(short) = TypePattern::parse(short)
                {
                    let telling = Some(format!("Contoso.Sync.{}", short.as_str()));
                    add(slot, MutationKind::ShortenType, Change::Type(short), telling);
                }
            }
            Item::Pattern(pattern) => {
                for change in pattern::variants(pattern) {
                    add(slot, change.kind, Change::Pattern(change.pattern), change.telling);
                }
            }
            _ => {}
        }
    }
}

/// An exact status as its class and as a range of three; a range longer by one at each end. A class stays: nobody sends
/// 399 or 600.
fn wider(status: StatusPattern) -> Vec<StatusPattern> {
    let (first, last) = (*status.statuses().start(), *status.statuses().end());
    let range = |first: u16, last: u16| StatusPattern::parse(&format!("{}-{}", first.max(100), last.min(599))).ok();
    let class = first / 100 * 100;
    if first == last {
        [range(class, class + 99), range(first - 1, last + 1)].into_iter().flatten().collect()
    } else if first.is_multiple_of(100) && last % 100 == 99 {
        Vec::new()
    } else {
        range(first - 1, last + 1).into_iter().collect()
    }
}

impl Mutation {
    /// The rule with the change.
    pub(crate) fn apply(&self, rule: &Rule) -> Rule {
        let mut changed = rule.clone();
        let Slot { side, condition, part, item } = self.slot;
        match (&self.change, side) {
            (Change::Drop, Side::Capture) => {
                changed.captures.remove(condition);
            }
            (Change::Drop, _) => return without(rule, self.slot),
            (change, Side::When | Side::Unless) => {
                let conditions = if side == Side::When { &mut changed.when } else { &mut changed.unless };
                if let (Some(condition), Some(item)) = (conditions.get_mut(condition), item) {
                    replace(condition, part, item, change);
                }
            }
            (_, Side::Capture) => {}
        }
        changed
    }

    /// What the change is, in words.
    pub(crate) fn describe(&self, rule: &Rule) -> String {
        let item = shown(rule, self.slot);
        match &self.change {
            Change::Drop => format!("without {item}"),
            Change::Status(status) => format!("{item} widened to {}", class_or_range(*status)),
            Change::Type(short) => format!("{item} by its short name `{}`", short.as_str()),
            Change::Pattern(pattern) => {
                let path = path(rule, Slot { item: None, ..self.slot });
                format!("{path} with '{}'", pattern.as_str())
            }
        }
    }

    /// Why the changed rule can never give another answer, where that is certain.
    pub(crate) fn equivalence(&self, rule: &Rule) -> Option<String> {
        let (condition, index) = (condition(rule, self.slot)?, self.slot.item?);
        let quantifier = quantifier(condition, self.slot.part)?;
        let items = items(condition, self.slot.part);
        let others = || items.iter().enumerate().filter(|(other, _)| *other != index).map(|(_, item)| item);
        match &self.change {
            // One of several is enough: what another item finds as well is found without this one.
            Change::Drop if quantifier == Quantifier::Any => {
                others().find(|other| covers(other, &items[index]))?;
                Some("another item of the list finds whatever the item finds".to_owned())
            }
            Change::Status(wider) if quantifier == Quantifier::Any => {
                let all = |status: u16| items.iter().any(|item| matches!(item, Item::Status(s) if s.matches(status)));
                wider.statuses().all(all).then(|| "the other statuses of the list are the difference".to_owned())
            }
            Change::Type(short) if quantifier == Quantifier::Any => {
                others().find(|other| covers(other, &Item::Type(short)))?;
                Some("another item of the list finds whatever the short name finds".to_owned())
            }
            _ => None,
        }
    }

    /// The statuses that the changed rule takes and the rule does not.
    pub(crate) fn added_statuses(&self, rule: &Rule) -> Vec<u16> {
        let Change::Status(wider) = &self.change else { return Vec::new() };
        let Some(condition) = condition(rule, self.slot) else { return Vec::new() };
        let known = items(condition, self.slot.part);
        let is_known = |status: &u16| known.iter().any(|item| matches!(item, Item::Status(s) if s.matches(*status)));
        wider.statuses().filter(|status| !is_known(status)).collect()
    }
}

/// The condition that a slot is in.
pub(crate) fn condition(rule: &Rule, slot: Slot) -> Option<&Condition> {
    match slot.side {
        Side::When => rule.when.get(slot.condition),
        Side::Unless => rule.unless.get(slot.condition),
        Side::Capture => None,
    }
}

/// The rule without an item, a part or a condition; with the last item the whole condition goes.
pub(crate) fn without(rule: &Rule, slot: Slot) -> Rule {
    let mut changed = rule.clone();
    let conditions = match slot.side {
        Side::When => &mut changed.when,
        Side::Unless => &mut changed.unless,
        Side::Capture => return changed,
    };
    let Some(condition) = conditions.get_mut(slot.condition) else { return changed };
    let is_last = |slot: Slot| items(condition, slot.part).len() <= 1;
    match slot {
        Slot { item: Some(item), .. } if !is_last(slot) => keep(condition, slot.part, |index| index != item),
        Slot { part: Some(part), .. } => {
            if let Condition::Cause { conditions, .. } = condition {
                conditions.remove(part);
            }
        }
        _ => {
            conditions.remove(slot.condition);
        }
    }
    changed
}

/// The condition of a slot with nothing but the slot's item: what the item says by itself.
pub(crate) fn alone(rule: &Rule, slot: Slot) -> Option<Condition> {
    let mut condition = condition(rule, slot)?.clone();
    if let Some(item) = slot.item {
        keep(&mut condition, slot.part, |index| index == item);
    }
    Some(condition)
}

macro_rules! each_values {
    ($condition:expr, $part:expr, $values:ident => $body:expr, absent $facts:ident => $absent:expr, else $other:expr) => {
        match $condition {
            Condition::Exception($values) => $body,
            Condition::Message($values) => $body,
            Condition::Contains($values) => $body,
            Condition::HttpStatus($values) => $body,
            Condition::ProviderCode($values) => $body,
            Condition::ErrorNumber($values) => $body,
            Condition::Connector($values) | Condition::Operation($values) | Condition::Phase($values) => $body,
            Condition::Attribute { values: $values, .. } => $body,
            Condition::Absent($facts) => $absent,
            Condition::Cause { conditions, .. } => match $part.and_then(|part: usize| index_of(conditions, part)) {
                Some(CauseCondition::Exception($values)) => $body,
                Some(CauseCondition::Message($values)) => $body,
                Some(CauseCondition::Contains($values)) => $body,
                Some(CauseCondition::ErrorNumber($values)) => $body,
                None => $other,
            },
        }
    };
}

fn keep(condition: &mut Condition, part: Option<usize>, kept: impl Fn(usize) -> bool) {
    fn index_of(conditions: &mut [CauseCondition], part: usize) -> Option<&mut CauseCondition> {
        conditions.get_mut(part)
    }
    each_values!(condition, part, values => retain(&mut values.items, kept), absent facts => retain(facts, kept), else {});
}

fn retain<T>(items: &mut Vec<T>, kept: impl Fn(usize) -> bool) {
    let mut index = 0;
    items.retain(|_| {
        index += 1;
        kept(index - 1)
    });
}

fn replace(condition: &mut Condition, part: Option<usize>, item: usize, change: &Change) {
    fn put<T: Clone>(values: &mut Values<T>, item: usize, value: &T) {
        if let Some(place) = values.items.get_mut(item) {
            place.clone_from(value);
        }
    }
    let part = match (&mut *condition, part) {
        (Condition::Cause { conditions, .. }, Some(part)) => conditions.get_mut(part),
        _ => None,
    };
    match (part, change) {
        (Some(CauseCondition::Exception(values)), Change::Type(value)) => put(values, item, value),
        (Some(CauseCondition::Message(values)), Change::Pattern(value)) => put(values, item, value),
        (Some(_), _) => {}
        (None, change) => match (condition, change) {
            (Condition::Exception(values), Change::Type(value)) => put(values, item, value),
            (Condition::Message(values), Change::Pattern(value)) => put(values, item, value),
            (Condition::HttpStatus(values), Change::Status(value)) => put(values, item, value),
            _ => {}
        },
    }
}

fn index_of(conditions: &[CauseCondition], part: usize) -> Option<&CauseCondition> {
    conditions.get(part)
}

/// The items of a condition, or of a part of a cause selector.
pub(crate) fn items(condition: &Condition, part: Option<usize>) -> Vec<Item<'_>> {
    match condition {
        Condition::Exception(values) => values.items.iter().map(Item::Type).collect(),
        Condition::Message(values) => values.items.iter().map(Item::Pattern).collect(),
        Condition::Contains(values) => values.items.iter().map(Item::Literal).collect(),
        Condition::HttpStatus(values) => values.items.iter().copied().map(Item::Status).collect(),
        Condition::ProviderCode(values) => values.items.iter().map(Item::Code).collect(),
        Condition::ErrorNumber(values) => values.items.iter().copied().map(Item::Number).collect(),
        Condition::Connector(values) | Condition::Operation(values) | Condition::Phase(values) => {
            values.items.iter().map(|word| Item::Word(word)).collect()
        }
        Condition::Attribute { values, .. } => values.items.iter().map(Item::Attribute).collect(),
        Condition::Absent(facts) => facts.iter().map(Item::Fact).collect(),
        Condition::Cause { conditions, .. } => match part.and_then(|part| conditions.get(part)) {
            Some(CauseCondition::Exception(values)) => values.items.iter().map(Item::Type).collect(),
            Some(CauseCondition::Message(values)) => values.items.iter().map(Item::Pattern).collect(),
            Some(CauseCondition::Contains(values)) => values.items.iter().map(Item::Literal).collect(),
            Some(CauseCondition::ErrorNumber(values)) => values.items.iter().copied().map(Item::Number).collect(),
            None => Vec::new(),
        },
    }
}

/// Whether one item is enough; none where a condition has no such choice.
pub(crate) fn quantifier(condition: &Condition, part: Option<usize>) -> Option<Quantifier> {
    each_values!(condition, part, values => Some(values.quantifier), absent _facts => None, else None)
}

/// Whether the first item finds whatever the second one finds. Certain when true.
fn covers(first: &Item<'_>, second: &Item<'_>) -> bool {
    match (first, second) {
        (Item::Type(wide), Item::Type(narrow)) => {
            let is_glob = |text: &str| text.contains(['*', '{', '}', ',']);
            let last = narrow.as_str().rsplit('.').next().unwrap_or_default();
            wide.as_str() == narrow.as_str()
                || (!is_glob(narrow.as_str())
                    && (!narrow.is_short() || wide.is_short())
                    && wide.matches(&TypeName::from_plain(narrow.as_str())))
                // Whatever stands in front of it, a name that ends like this has this short name.
                || (wide.is_short() && !is_glob(wide.as_str()) && !is_glob(last) && last == wide.as_str())
        }
        (Item::Pattern(one), Item::Pattern(other)) => one.as_str() == other.as_str(),
        (Item::Literal(wide), Item::Literal(narrow)) => wide.find(narrow.as_str()).is_some(),
        (Item::Status(wide), Item::Status(narrow)) => narrow.statuses().all(|status| wide.matches(status)),
        (Item::Code(wide), Item::Code(narrow)) => {
            wide.as_str() == narrow.as_str()
                || (!narrow.as_str().contains(['*', '{']) && wide.matches_lower(narrow.as_str()))
        }
        (Item::Number(one), Item::Number(other)) => one == other,
        (Item::Word(one), Item::Word(other)) => one == other,
        (Item::Attribute(one), Item::Attribute(other)) => one.as_item() == other.as_item(),
        _ => false,
    }
}

/// Why two rules can never both apply to one failure, where that is certain.
pub(crate) fn exclusion(one: &Rule, other: &Rule) -> Option<String> {
    let connectors = |rule: &Rule| rule.connectors.clone();
    let (a, b) = (connectors(one), connectors(other));
    if !a.is_empty() && !b.is_empty() && a.iter().all(|name| !b.contains(name)) {
        return Some("they are for different connectors".to_owned());
    }
    for first in &one.when {
        for second in &other.when {
            if are_disjoint(first, second) || contradicts(first, second) || contradicts(second, first) {
                let mut keys = [first.key(), second.key()];
                keys.sort_unstable();
                return Some(format!("`{}` of one and `{}` of the other never hold together", keys[0], keys[1]));
            }
        }
    }
    let excludes = |held: &Rule, excluding: &Rule| {
        let pairs = held.when.iter().flat_map(|held| excluding.unless.iter().map(move |unless| (held, unless)));
        pairs.into_iter().find(|(held, unless)| implies(held, unless)).map(|(_, unless)| unless.key().into_owned())
    };
    let key = excludes(one, other).or_else(|| excludes(other, one))?;
    Some(format!("`unless.{key}` of one holds whenever the other applies"))
}

/// Whether two conditions on a fact that a failure has once ask for different values of it.
fn are_disjoint(one: &Condition, other: &Condition) -> bool {
    match (one, other) {
        (Condition::HttpStatus(a), Condition::HttpStatus(b)) => {
            let taken = |status: u16| b.items.iter().any(|range| range.matches(status));
            a.items.iter().all(|range| !range.statuses().any(taken))
        }
        (Condition::Connector(a), Condition::Connector(b))
        | (Condition::Operation(a), Condition::Operation(b))
        | (Condition::Phase(a), Condition::Phase(b)) => a.items.iter().all(|word| !b.items.contains(word)),
        (Condition::Attribute { name, values: a }, Condition::Attribute { name: other, values: b })
            if name == other =>
        {
            let plain = |item: &AttributePattern| !matches!(item, AttributePattern::Text(_, Some(_)));
            a.items.iter().chain(&b.items).all(plain)
                && a.items.iter().all(|one| b.items.iter().all(|other| one.as_item() != other.as_item()))
        }
        _ => false,
    }
}

/// Whether the first condition wants a fact missing that the second one needs.
fn contradicts(absent: &Condition, needing: &Condition) -> bool {
    let Condition::Absent(facts) = absent else { return false };
    let needed = match needing {
        Condition::Message(_) | Condition::Contains(_) => Fact::Message,
        Condition::HttpStatus(_) => Fact::HttpStatus,
        Condition::ProviderCode(_) => Fact::ProviderCode,
        Condition::ErrorNumber(_) => Fact::ErrorNumber,
        Condition::Connector(_) => Fact::Connector,
        Condition::Operation(_) => Fact::Operation,
        Condition::Phase(_) => Fact::Phase,
        Condition::Attribute { name, .. } => Fact::Attribute(name.clone()),
        // Base types may be sent without a type.
        Condition::Exception(_) | Condition::Absent(_) | Condition::Cause { .. } => return false,
    };
    facts.contains(&needed)
}

/// Whether the second condition holds whenever the first one does. Certain when true.
fn implies(first: &Condition, second: &Condition) -> bool {
    if let (Condition::Absent(more), Condition::Absent(fewer)) = (first, second) {
        return fewer.iter().all(|fact| more.contains(fact));
    }
    let is_same_fact = match (first, second) {
        (Condition::Cause { .. } | Condition::Absent(_), _) | (_, Condition::Cause { .. } | Condition::Absent(_)) => {
            false
        }
        _ => first.key() == second.key(),
    };
    let any = |condition| quantifier(condition, None) == Some(Quantifier::Any) || items(condition, None).len() == 1;
    if !is_same_fact || !any(first) || !any(second) {
        return false;
    }
    let wide = items(second, None);
    items(first, None).iter().all(|narrow| wide.iter().any(|wide| covers(wide, narrow)))
}

/// A slot as people read it: `unless.exception` `SmtpException`.
pub(crate) fn shown(rule: &Rule, slot: Slot) -> String {
    let path = path(rule, slot);
    let item = slot.item.and_then(|item| items(condition(rule, slot)?, slot.part).get(item).map(show));
    match item {
        Some(item) => format!("{path} `{item}`"),
        None => path,
    }
}

fn path(rule: &Rule, slot: Slot) -> String {
    if slot.side == Side::Capture {
        let name = rule.captures.get(slot.condition).map_or("", |Capture { name, .. }| name);
        return format!("`capture.{name}`");
    }
    let mut path = if slot.side == Side::When { "`when.".to_owned() } else { "`unless.".to_owned() };
    if let Some(condition) = condition(rule, slot) {
        path.push_str(&condition.key());
        if let (Condition::Cause { conditions, .. }, Some(part)) = (condition, slot.part) {
            let _ = write!(path, ".{}", conditions.get(part).map_or("", CauseCondition::key));
        }
    }
    path.push('`');
    path
}

fn show(item: &Item<'_>) -> String {
    match item {
        Item::Type(pattern) => pattern.as_str().to_owned(),
        Item::Pattern(pattern) => pattern.as_str().to_owned(),
        Item::Literal(literal) => literal.as_str().to_owned(),
        Item::Status(status) => class_or_range(*status),
        Item::Code(pattern) => pattern.as_str().to_owned(),
        Item::Number(number) => number.to_string(),
        Item::Word(word) => (*word).to_owned(),
        Item::Attribute(AttributePattern::Text(text, _)) => text.clone(),
        Item::Attribute(other) => other.as_item(),
        Item::Fact(Fact::Attribute(name)) => format!("attributes.{name}"),
        Item::Fact(fact) => {
            Fact::WORDS.iter().find(|(_, word)| word == *fact).map_or_else(String::new, |(word, _)| (*word).to_owned())
        }
    }
}

fn class_or_range(status: StatusPattern) -> String {
    let (first, last) = (*status.statuses().start(), *status.statuses().end());
    if first.is_multiple_of(100) && last == first + 99 { format!("{}xx", first / 100) } else { status.to_string() }
}
