//! Traces for people: what was found, marked where it stands, and what is missing.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::model::{
    Attribute, ConditionSource, HiddenRule, Mark, Quantifier, RuleName, Trace, TracedCause, TracedCondition,
    TracedFacts, TracedItem, TracedRule, UnknownReason,
};

use super::escaped;

/// Columns of a line with a message in it.
const COLUMNS: usize = 96;
/// Columns of what is marked.
const VALUE: usize = 72;
/// Columns in front of it.
const BEFORE: usize = 32;
/// Items of a list that a line names.
const ITEMS: usize = 4;
/// Characters of an item of a list.
const ITEM_CHARS: usize = 120;
/// Values that a condition saw, on a line.
const SEEN: usize = 3;

const HOLDS: Style = AnsiColor::Green.on_default().bold();
const FAILS: Style = AnsiColor::Red.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();
const TITLE: Style = Style::new().bold();

/// A trace for people; `styled` with colors.
#[must_use]
pub fn trace(trace: &Trace, styled: bool) -> String {
    let mut page = Page { out: String::new(), styled };
    page.decision(trace);
    match &trace.asked {
        Some(asked) => page.asked(trace, asked),
        None => {
            page.facts(&trace.facts);
            page.answer(trace);
        }
    }
    page.out
}

struct Page {
    out: String,
    styled: bool,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        let _ = writeln!(self.out, "{:indent$}{text}", "");
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.styled { format!("{}{text}{}", style.render(), style.render_reset()) } else { text.to_owned() }
    }

    fn title(&mut self, text: &str) {
        let text = self.styled(TITLE, text);
        self.line(0, &text);
    }

    fn decision(&mut self, trace: &Trace) {
        let decision = &trace.decision;
        let id = decision.id.as_ref().map_or_else(String::new, |id| format!("  {id}"));
        self.title(&format!("{}  {}{id}", decision.code, escaped(&decision.title)));
        if let Some(error) = &decision.error {
            self.line(2, &format!("the record could not be read: {}", escaped(error)));
        }
        for note in &decision.notes {
            self.line(2, &format!("note: {}", escaped(note)));
        }
    }

    fn facts(&mut self, facts: &TracedFacts) {
        let mut rows: Vec<(String, String)> = Vec::new();
        let mut row = |name: &str, value: Option<String>| rows.extend(value.map(|value| (name.to_owned(), value)));
        row("connector", facts.connector.clone());
        row("operation", facts.operation.clone());
        row("phase", facts.phase.clone());
        row("http_status", facts.http_status.map(|status| status.to_string()));
        row("provider_code", (!facts.provider_codes.is_empty()).then(|| facts.provider_codes.join(", ")));
        let numbers: Vec<String> = facts.error_numbers.iter().map(ToString::to_string).collect();
        row("error_number", (!numbers.is_empty()).then(|| numbers.join(", ")));
        for (name, value) in &facts.attributes {
            let value = match value {
                Attribute::Bool(value) => value.to_string(),
                Attribute::Number(number) => number.to_string(),
                Attribute::Text(text) => format!("\"{text}\""),
            };
            row(&format!("attributes.{name}"), Some(value));
        }
        for (index, cause) in facts.exceptions.iter().enumerate() {
            row(&format!("exception {index}"), Some(exception(cause)));
        }
        for message in &facts.messages {
            row("message", Some(message.clone()));
        }
        let width = rows.iter().map(|(name, _)| name.width()).max().unwrap_or_default();
        for (name, value) in &rows {
            let pad = width - name.width();
            let line = format!("{}{:pad$}  {}", escaped(name), "", short(value, COLUMNS.saturating_sub(width + 4)));
            self.line(2, &line);
        }
    }

    fn answer(&mut self, trace: &Trace) {
        match (&trace.winner, trace.decision.unknown_reason) {
            (Some(winner), _) => {
                self.out.push('\n');
                self.rule_title("wins", HOLDS, &winner.name, "");
                for condition in winner.conditions.iter().filter(|condition| condition.source == ConditionSource::When)
                {
                    self.found(condition);
                }
                let unless = winner.conditions.iter().filter(|condition| condition.source == ConditionSource::Unless);
                let unless: Vec<_> = unless.map(|condition| format!("`{}`", condition.condition)).collect();
                if !unless.is_empty() {
                    self.line(2, &format!("no unless holds: {}", unless.join(", ")));
                }
            }
            (None, reason) => {
                let why = match reason {
                    Some(UnknownReason::Empty) => "the failure says nothing that a rule could look at",
                    Some(UnknownReason::Truncated) => {
                        "no rule applies, and a part of the text was too long to be looked at"
                    }
                    Some(UnknownReason::Unreadable) => return,
                    Some(UnknownReason::NoRule) | None => "no rule applies",
                };
                self.out.push('\n');
                let verdict = self.styled(FAILS, "fallback");
                self.line(0, &format!("{verdict}: {why}"));
            }
        }
        if !trace.also_apply.is_empty() {
            self.out.push('\n');
            self.title("also apply, but come later");
            for hidden in &trace.also_apply {
                self.hidden(hidden);
            }
        }
        if !trace.misses.is_empty() {
            self.out.push('\n');
            self.title("nearest misses");
            for miss in &trace.misses {
                self.miss(miss);
            }
        } else if trace.winner.is_none() && trace.decision.unknown_reason != Some(UnknownReason::Empty) {
            self.out.push('\n');
            self.title("no rule comes near");
        }
    }

    fn rule_title(&mut self, verdict: &str, style: Style, name: &RuleName, more: &str) {
        let verdict = self.styled(style, verdict);
        self.line(0, &format!("{verdict}  {}{}{more}", name.rule, origin(name)));
    }

    fn hidden(&mut self, hidden: &HiddenRule) {
        let name = &hidden.name;
        let line = format!("{}  {}{}  hidden by {}", name.rule, name.code, origin(name), hidden.hidden_by);
        self.line(2, &line);
    }

    fn miss(&mut self, miss: &TracedRule) {
        let name = &miss.name;
        self.line(2, &format!("{}  {}{}", name.rule, name.code, origin(name)));
        let mut leaves: Vec<&TracedCondition> = Vec::new();
        for condition in &miss.conditions {
            match condition.source {
                ConditionSource::When if !condition.conditions.is_empty() => leaves.extend(&condition.conditions),
                _ => leaves.push(condition),
            }
        }
        for leaf in leaves.iter().filter(|leaf| leaf.failed) {
            self.failed(4, leaf);
        }
        let held: Vec<String> = leaves
            .iter()
            .filter(|leaf| leaf.holds && leaf.source == ConditionSource::When)
            .map(|leaf| format!("{} {}", leaf.condition, held(leaf)))
            .collect();
        if !held.is_empty() {
            let line = short(&format!("holds: {}", held.join("; ")), COLUMNS - 4);
            self.line(4, &line);
        }
    }

    /// A condition that keeps a rule from applying: what it wants and what it saw.
    fn failed(&mut self, indent: usize, leaf: &TracedCondition) {
        let what = self.styled(FAILS, &format!("{}{}", prefix(leaf), leaf.condition));
        if leaf.source == ConditionSource::Unless {
            let found = if leaf.conditions.is_empty() { held(leaf) } else { all_held(leaf) };
            self.line(indent, &format!("{what} holds: {found}"));
        } else {
            let saw = seen(leaf);
            let wants = wanted(leaf);
            let line = format!("{what} wants {}", wants.join(either(leaf)));
            if plain_width(leaf, &wants) + saw.width() < COLUMNS - indent {
                self.line(indent, &format!("{line}, {saw}"));
            } else {
                if wants.len() == 1 || plain_width(leaf, &wants) < COLUMNS - indent {
                    self.line(indent, &line);
                } else {
                    self.line(indent, &format!("{what} wants"));
                    for (at, item) in wants.iter().enumerate() {
                        let or = if at > 0 { either(leaf).trim_start() } else { "" };
                        self.line(indent + 2, &format!("{or}{item}"));
                    }
                }
                self.line(indent + 2, &saw);
            }
        }
        self.hint(indent + 2, leaf);
    }

    fn hint(&mut self, indent: usize, leaf: &TracedCondition) {
        let Some(hint) = &leaf.hint else { return };
        let label = self.styled(HINT, "hint");
        self.line(indent, &format!("{label}: {}", escaped(&hint.text)));
        if !hint.near.before.is_empty() || !hint.near.after.is_empty() {
            self.mark(indent + 2, &hint.near, HINT);
        }
    }

    /// A condition that holds: what it looks for, and what it found where.
    fn found(&mut self, condition: &TracedCondition) {
        if !condition.conditions.is_empty() {
            for part in &condition.conditions {
                self.found(part);
            }
            return;
        }
        self.line(2, &format!("{} {}", condition.condition, wanted_found(condition)));
        for item in found_items(condition) {
            if let Some(found) = &item.found {
                self.mark(4, found, HOLDS);
            }
        }
    }

    /// A value inside of its message, with a line of carets below it.
    fn mark(&mut self, indent: usize, mark: &Mark, style: Style) {
        let on = mark.cause.map_or_else(String::new, |cause| format!("exception {cause}: "));
        let value = short(&mark.value, VALUE);
        if mark.before.is_empty() && mark.after.is_empty() {
            let own = mark.base_of.as_ref();
            let base = own.map_or_else(String::new, |own| format!(", base type of {}", short(own, VALUE)));
            let value = self.styled(style, &value);
            self.line(indent, &format!("{on}{value}{base}"));
            return;
        }
        let before = tail(&mark.before, BEFORE);
        let room = COLUMNS.saturating_sub(indent + on.width() + before.width() + value.width()).max(8);
        let after = short(&mark.after, room);
        let space = on.width() + before.width();
        let marked = self.styled(style, &value);
        self.line(indent, &format!("{on}{before}{marked}{after}"));
        let carets = self.styled(style, &"^".repeat(value.width().max(1)));
        self.line(indent, &format!("{:space$}{carets}", ""));
    }

    /// Every condition of one rule.
    fn asked(&mut self, trace: &Trace, asked: &TracedRule) {
        let name = &asked.name;
        let (verdict, style, more) = match (&trace.winner, asked.applies) {
            (Some(winner), true) if winner.name.rule == name.rule => ("wins", HOLDS, String::new()),
            (Some(winner), true) => (
                "applies, but loses by order",
                FAILS,
                format!("\nhidden by {}  {}{}", winner.name.rule, winner.name.code, origin(&winner.name)),
            ),
            _ => ("does not apply", FAILS, String::new()),
        };
        if trace.decision.unknown_reason != Some(UnknownReason::Unreadable) {
            self.rule_title(verdict, style, name, &format!("  {}{more}", name.code));
        }
        for condition in &asked.conditions {
            self.tree(2, condition);
        }
    }

    fn tree(&mut self, indent: usize, condition: &TracedCondition) {
        let verdict = if condition.holds { "holds" } else { "does not hold" };
        let verdict = self.styled(if condition.failed { FAILS } else { HOLDS }, verdict);
        let what = format!("{}{}", prefix(condition), condition.condition);
        let line = condition.line.map_or_else(String::new, |line| format!("  (line {line})"));
        if !condition.conditions.is_empty() {
            let on = condition.cause.map_or("no exception".to_owned(), |cause| format!("exception {cause}"));
            self.line(indent, &format!("{what}: {verdict}, on {on}{line}"));
            for part in &condition.conditions {
                self.tree(indent + 2, part);
            }
            return;
        }
        let all = if condition.items.len() > 1 {
            if condition.quantifier == Quantifier::All { " all of" } else { " any of" }
        } else {
            ""
        };
        let failed = condition.failed && condition.source != ConditionSource::Unless;
        match &condition.items[..] {
            [item] => {
                self.line(indent, &format!("{what} {}: {verdict}{line}", quoted(&item.wants)));
                if let Some(found) = &item.found {
                    self.mark(indent + 2, found, if condition.failed { FAILS } else { HOLDS });
                }
            }
            items => {
                self.line(indent, &format!("{what}{all}: {verdict}{line}"));
                for item in items {
                    let verdict = if item.holds { "holds" } else { "does not hold" };
                    self.line(indent + 2, &format!("{}: {verdict}", quoted(&item.wants)));
                    if let Some(found) = &item.found {
                        self.mark(indent + 4, found, if condition.failed { FAILS } else { HOLDS });
                    }
                }
            }
        }
        if !condition.holds {
            self.line(indent + 2, &seen(condition));
        }
        if failed {
            self.hint(indent + 2, condition);
        }
    }
}

fn origin(name: &RuleName) -> String {
    match (&name.file, name.line) {
        (Some(file), Some(line)) => format!("  {}:{line}", escaped(file)),
        _ => String::new(),
    }
}

fn prefix(condition: &TracedCondition) -> &'static str {
    match condition.source {
        ConditionSource::Scope => "scope ",
        ConditionSource::When => "when.",
        ConditionSource::Unless => "unless.",
    }
}

fn exception(cause: &TracedCause) -> String {
    let mut shown = cause.type_name.clone().unwrap_or_else(|| "(no type)".to_owned());
    if let Some(message) = &cause.message {
        let _ = write!(shown, ": {message}");
    }
    shown
}

/// The items that hold.
fn found_items(condition: &TracedCondition) -> impl Iterator<Item = &TracedItem> {
    let most = if condition.quantifier == Quantifier::All { usize::MAX } else { 1 };
    condition.items.iter().filter(|item| item.holds).take(most)
}

/// What made a condition hold, in short.
fn held(condition: &TracedCondition) -> String {
    let found = found_items(condition).filter_map(|item| item.found.as_ref());
    let found: Vec<String> = found.map(|found| quoted(&found.value)).collect();
    found.join(", ")
}

/// The same for a cause selector.
fn all_held(condition: &TracedCondition) -> String {
    let parts: Vec<String> =
        condition.conditions.iter().map(|part| format!("{} {}", part.condition, held(part))).collect();
    parts.join(", ")
}

/// The items of a condition that hold, and how many others there are.
fn wanted_found(condition: &TracedCondition) -> String {
    let found: Vec<String> = found_items(condition).map(|item| quoted(&item.wants)).collect();
    let others = condition.items.len() - found.len();
    let others = match others {
        0 => String::new(),
        1 => " (or 1 other)".to_owned(),
        others => format!(" (or {others} others)"),
    };
    format!("{}{others}", found.join(" and "))
}

/// What a condition wants that is not there: the item that is nearly found, or the first ones.
fn wanted(condition: &TracedCondition) -> Vec<String> {
    let missing: Vec<&TracedItem> = condition.items.iter().filter(|item| !item.holds).collect();
    let mut shown: Vec<String> = match &condition.hint {
        Some(hint) => vec![quoted(&hint.wants)],
        None => missing.iter().take(ITEMS).map(|item| quoted(&item.wants)).collect(),
    };
    if condition.condition == "absent" {
        shown =
            vec![format!("no {}", missing.iter().map(|item| quoted(&item.wants)).collect::<Vec<_>>().join(" and no "))];
    } else if missing.len() > shown.len() {
        shown.push(format!("{} more", missing.len() - shown.len()));
    }
    shown
}

fn either(condition: &TracedCondition) -> &'static str {
    if condition.quantifier == Quantifier::All { " and " } else { " or " }
}

/// The columns that a condition takes with what it wants.
fn plain_width(condition: &TracedCondition, wants: &[String]) -> usize {
    let items: usize = wants.iter().map(|item| item.width() + either(condition).width()).sum();
    prefix(condition).width() + condition.condition.width() + " wants ".width() + items
}

/// What a condition saw, as a part of a sentence.
fn seen(condition: &TracedCondition) -> String {
    if condition.condition == "absent" { saw(condition) } else { format!("saw {}", saw(condition)) }
}

/// What a condition saw.
fn saw(condition: &TracedCondition) -> String {
    if condition.saw.is_empty() {
        return "nothing".to_owned();
    }
    let is_text = condition.condition.ends_with("message") || condition.condition.ends_with("contains");
    let room = if is_text { COLUMNS - 20 } else { ITEM_CHARS };
    let shown: Vec<String> = condition
        .saw
        .iter()
        .take(SEEN)
        .map(|seen| match condition.condition.as_str() {
            "absent" => short(&seen.value, room),
            _ => quoted(&short(&seen.value, room)),
        })
        .collect();
    let more = condition.saw.len().saturating_sub(SEEN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

fn quoted(text: &str) -> String {
    format!("`{}`", short(text, ITEM_CHARS))
}

/// The start of a text on one line, as wide as asked for.
fn short(text: &str, columns: usize) -> String {
    let text = escaped(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    let mut end = 0;
    for (at, c) in text.char_indices() {
        if text[..at].width() >= columns.saturating_sub(1) {
            break;
        }
        end = at + c.len_utf8();
    }
    format!("{}…", text[..end].trim_end_matches('…'))
}

/// The end of a text on one line.
fn tail(text: &str, columns: usize) -> String {
    let text = escaped(text);
    if text.width() <= columns {
        return text.into_owned();
    }
    let start = text.char_indices().map(|(at, _)| at).find(|&at| text[at..].width() < columns).unwrap_or(text.len());
    format!("…{}", text[start..].trim_start_matches('…'))
}
