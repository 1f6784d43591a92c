//! Which field of a record is which fact, where a format does not say it: `--map exception=ex,attributes.tenant=Tenant`.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::{did_you_mean, nearest};
use crate::model::limits;

use super::draft::Draft;
use super::value::Value;

/// What a field may be mapped to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fact {
    Id,
    Connector,
    Operation,
    Phase,
    Message,
    Text,
    Exception,
    ExceptionType,
    ExceptionMessage,
    InnerType,
    InnerMessage,
    HttpStatus,
    ProviderCodes,
    ErrorNumbers,
    StackTrace,
    Level,
    Attribute(String),
}

const FACTS: [(&str, Fact); 16] = [
    ("id", Fact::Id),
    ("connector", Fact::Connector),
    ("operation", Fact::Operation),
    ("phase", Fact::Phase),
    ("message", Fact::Message),
    ("text", Fact::Text),
    ("exception", Fact::Exception),
    ("exception_type", Fact::ExceptionType),
    ("exception_message", Fact::ExceptionMessage),
    ("inner_type", Fact::InnerType),
    ("inner_message", Fact::InnerMessage),
    ("http_status", Fact::HttpStatus),
    ("provider_codes", Fact::ProviderCodes),
    ("error_numbers", Fact::ErrorNumbers),
    ("stack_trace", Fact::StackTrace),
    ("level", Fact::Level),
];

const ATTRIBUTES: &str = "attributes.";

impl Fact {
    /// The fact with this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix(ATTRIBUTES) {
            Some(attribute) => (!attribute.is_empty()).then(|| Self::Attribute(attribute.to_owned())),
            None => FACTS.iter().find(|(known, _)| *known == name).map(|(_, fact)| fact.clone()),
        }
    }
}

/// Fields for facts. Counts which of them records have; answers may be given on several threads.
#[derive(Debug, Default)]
pub(crate) struct Mapping {
    entries: Vec<Entry>,
    /// Names of fields of the first records, to say what was probably meant.
    seen: Mutex<BTreeSet<String>>,
    records: AtomicU64,
}

#[derive(Debug)]
struct Entry {
    fact: Fact,
    name: String,
    field: String,
    found: AtomicU64,
}

/// Records whose fields are remembered.
const REMEMBERED: u64 = 64;
/// Names of fields that are remembered.
const NAMES: usize = 200;
/// Names of fields that are listed.
const LISTED: usize = 12;
/// Dots in the name of a field.
const DOTS: usize = 16;

impl Mapping {
    /// Adds `FACT=FIELD`. The last field for a fact counts.
    pub(crate) fn add(&mut self, fact: &str, field: &str) -> Result<(), String> {
        let (name, field) = (fact.trim(), field.trim());
        let Some(fact) = Fact::parse(name) else {
            let known = FACTS.iter().map(|(known, _)| *known).chain(["attributes.NAME"]);
            return Err(format!("`{name}` is no fact. {}", did_you_mean(name, known)));
        };
        if field.is_empty() {
            return Err(format!("`{name}` has no field; write `{name}=FIELD`"));
        }
        if field.len() > limits::FIELD_NAME_BYTES || field.matches('.').count() > DOTS {
            return Err(format!(
                "the field for `{name}` is too long: at most {DOTS} dots and {} bytes",
                limits::FIELD_NAME_BYTES
            ));
        }
        self.entries.retain(|entry| entry.fact != fact);
        self.entries.push(Entry { fact, name: name.to_owned(), field: field.to_owned(), found: AtomicU64::new(0) });
        Ok(())
    }

    /// Adds the pairs of a TOML file, `FACT = "FIELD"`; attributes may stand in a table of their own.
    #[cfg(feature = "cli")]
    pub(crate) fn read(&mut self, text: &str) -> Result<(), String> {
        let table = toml::de::DeTable::parse(text).map_err(|error| error.to_string())?;
        for (fact, field) in table.get_ref() {
            let fact = fact.get_ref();
            match field.get_ref() {
                toml::de::DeValue::String(field) => self.add(fact, field)?,
                toml::de::DeValue::Table(fields) => {
                    for (name, field) in fields {
                        let name = format!("{fact}.{}", name.get_ref());
                        let field = field.get_ref().as_str().ok_or_else(|| no_field(&name))?;
                        self.add(&name, field)?;
                    }
                }
                _ => return Err(no_field(fact)),
            }
        }
        Ok(())
    }

    /// Whether nothing is mapped.
    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The fields of facts, in order.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.field.as_str())
    }

    /// Puts the fields of a record where they belong; whether it has one of them. What is mapped wins.
    pub(super) fn apply(&self, value: &Value, draft: &mut Draft) -> bool {
        if self.entries.is_empty() {
            return false;
        }
        if self.records.fetch_add(1, Ordering::Relaxed) < REMEMBERED {
            self.remember(value);
        }
        let mut facts = Vec::new();
        for entry in &self.entries {
            if let Some(value) = find(value, &entry.field) {
                entry.found.fetch_add(1, Ordering::Relaxed);
                facts.push((entry.fact.clone(), value));
            }
        }
        let is_found = !facts.is_empty();
        draft.facts(facts.into_iter());
        is_found
    }

    fn remember(&self, value: &Value) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keep = |name: String| {
            if seen.len() < NAMES && name.len() <= 64 {
                seen.insert(name);
            }
        };
        for (name, member) in value.members() {
            for (inner, _) in member.members() {
                keep(format!("{name}.{inner}"));
            }
            keep(name.clone());
        }
    }

    /// What to say about fields that no record had.
    pub(crate) fn unfound(&self) -> Vec<String> {
        if self.records.load(Ordering::Relaxed) == 0 {
            return Vec::new();
        }
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let unfound = self.entries.iter().filter(|entry| entry.found.load(Ordering::Relaxed) == 0);
        unfound
            .map(|entry| {
                format!("no record has the field `{}` of `{}`; {}", entry.field, entry.name, hint(entry, &seen))
            })
            .collect()
    }
}

#[cfg(feature = "cli")]
fn no_field(fact: &str) -> String {
    format!("`{fact}` takes the name of a field; write `{fact} = \"FIELD\"`")
}

fn hint(entry: &Entry, seen: &BTreeSet<String>) -> String {
    let names = || seen.iter().map(String::as_str);
    let last = |name: &str| name.rsplit('.').next().is_some_and(|last| last.eq_ignore_ascii_case(&entry.field));
    let near = names().find(|name| name.eq_ignore_ascii_case(&entry.field)).or_else(|| names().find(|name| last(name)));
    match near.or_else(|| nearest(&entry.field, names())) {
        Some(near) => format!("did you mean `{}={near}`?", entry.name),
        None => {
            let listed: Vec<String> = names().take(LISTED).map(|name| format!("`{name}`")).collect();
            format!("records have {}{}", listed.join(", "), if seen.len() > LISTED { ", …" } else { "" })
        }
    }
}

/// The value of a field: with that name as a whole, or inside of others as its dots say.
fn find<'v>(value: &'v Value, field: &str) -> Option<&'v Value> {
    if let Some(found) = value.exact(field) {
        return Some(found);
    }
    // Names may have dots of their own: the longest name that is there first.
    let dots = field.match_indices('.').map(|(at, _)| at);
    dots.rev().find_map(|at| find(value.exact(&field[..at])?, &field[at + 1..]))
}
