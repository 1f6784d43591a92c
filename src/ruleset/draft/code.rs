//! A new code: its number, its entry and a rule for it, with what its author has to fill in.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Sources, did_you_mean, nearest};
use crate::model::{Code, limits};
use crate::rulefile::{Book, CodeEntry, RuleFile, place};

use super::Refusal;
use super::written::{kebab, quoted};

/// A code that does not exist yet.
#[derive(Debug)]
pub(crate) struct NewCode {
    /// The code.
    pub(crate) code: Code,
    /// Its entry, and a rule that gives it, as TOML.
    pub(crate) text: String,
    /// The file that it belongs into.
    pub(crate) file: String,
    /// That file with it.
    pub(crate) updated: String,
    /// What is left to do, in the order in which it is done.
    pub(crate) todo: Vec<String>,
}

/// An entry for a new code. `wanted` is a family, of which the next free number is taken, or a free code.
///
/// # Errors
/// When there is no such family, the code is taken, or no file is the obvious one for it.
pub(crate) fn new_code(sources: &Sources, wanted: &str, title: &str, file: Option<&str>) -> Result<NewCode, Refusal> {
    let (book, _) = crate::rulefile::read(sources);
    let (code, file) = free(&book, sources, wanted, file)?;
    let title = checked_title(title)?;
    let entry = entry(&code, title);
    let id = unused_id(file, &kebab(title));
    let rule = format!(
        "[[rules]]\nid = \"{id}\"\ncode = \"{code}\"\nwhen.exception = \"TODO\"\n\n[[rules.examples]]\nfailure = {{ exceptions = [{{ type = \"TODO\", message = \"TODO\" }}] }}\n"
    );
    let source = sources.get(file.source);
    let mut parts = [(place_of_rule(&source.text, file), &rule), (place_of_code(&source.text, file, &code), &entry)];
    // From the end on: what stands in front keeps its place.
    parts.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let updated = parts.iter().fold(source.text.clone(), |text, (at, entry)| place::insert(&text, *at, entry));
    let statuses: Vec<String> =
        book.manifest.iter().flat_map(|manifest| &manifest.statuses).map(|status| status.value.clone()).collect();
    let todo = vec![
        format!("`status`: one of {}", statuses.join(", ")),
        "`retry`: retried, fix-config or none; it says what becomes of the row".to_owned(),
        "`meaning` and `remedy`: what it means and what to do, for people who see the code".to_owned(),
        "`when` and the example: the failure itself; `faultbook new --from FAILURE` drafts them".to_owned(),
        "a second example, and a counterexample for the nearest neighbor".to_owned(),
        "`faultbook check` until it is clean, then `faultbook ledger --write`".to_owned(),
    ];
    Ok(NewCode { code, text: format!("{entry}\n{rule}"), file: source.name.clone(), updated, todo })
}

/// A free code and the file that it belongs into.
pub(super) fn free<'b>(
    book: &'b Book,
    sources: &Sources,
    wanted: &str,
    file: Option<&str>,
) -> Result<(Code, &'b RuleFile), Refusal> {
    let wanted = wanted.trim().to_ascii_uppercase();
    let families: Vec<&str> =
        book.manifest.iter().flat_map(|manifest| &manifest.families).map(|family| family.name.value.as_str()).collect();
    let number_at = wanted.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let family = &wanted[..number_at];
    if families.is_empty() {
        let message = "these rules have no families, or no `faultbook.toml` that can be read";
        return Err(Refusal::Usage(message.to_owned()));
    }
    if !families.contains(&family) {
        let list = families.iter().map(|family| format!("`{family}`")).collect::<Vec<_>>().join(", ");
        let help = nearest(family, families.iter().copied())
            .map_or_else(String::new, |near| format!(" {}", did_you_mean(near, [near])));
        return Err(Refusal::Usage(format!("`{family}` is no family of these rules.{help} They have {list}.")));
    }
    let used = used_numbers(sources, family);
    let code = if number_at < wanted.len() {
        let code = Code::parse(&wanted);
        let code =
            code.ok_or_else(|| Refusal::Usage(format!("`{wanted}` is no code: three digits stand behind the family")))?;
        if used.contains(&number(&code)) {
            return Err(Refusal::Usage(taken(book, &code, &used)));
        }
        code
    } else {
        let next = next_free(&used).and_then(|number| Code::parse(&format!("{family}{number:03}")));
        next.ok_or_else(|| {
            Refusal::Usage(format!("`{family}` has no number left; give the family another one beside it"))
        })?
    };
    Ok((code, file_of(book, sources, family, file)?))
}

fn number(code: &Code) -> u16 {
    code.as_str()[code.family().len()..].parse().unwrap_or_default()
}

/// The number behind the greatest one that was ever used, else the first gap.
fn next_free(used: &BTreeSet<u16>) -> Option<u16> {
    let next = used.last().map_or(1, |last| last + 1);
    (next <= 999).then_some(next).or_else(|| (1..=999).find(|number| !used.contains(number)))
}

/// Every number of the family that any file speaks of, be it in an entry, the ledger or a comment.
fn used_numbers(sources: &Sources, family: &str) -> BTreeSet<u16> {
    let mut used = BTreeSet::new();
    for (_, source) in sources.iter() {
        for (at, _) in source.text.match_indices(family) {
            let digits = source.text[at + family.len()..].bytes().take_while(u8::is_ascii_digit).count();
            let end = at + family.len() + digits;
            if digits == 3 {
                used.extend(source.text[at + family.len()..end].parse::<u16>());
            }
        }
    }
    used
}

fn taken(book: &Book, code: &Code, used: &BTreeSet<u16>) -> String {
    let free = next_free(used).map_or_else(String::new, |next| format!("; `{}{next:03}` is free", code.family()));
    let described = book.code(code.as_str());
    match described {
        Some(entry) if entry.retired.is_some() => {
            format!("`{code}` is retired, and a number is never used again{free}")
        }
        Some(_) => format!("`{code}` is taken{free}"),
        None => format!(
            "`{code}` was used before: the ledger or a rule file names it, and a number is never used again{free}"
        ),
    }
}

/// The file with most codes of the family; of a family without codes, the one that has no codes at all.
fn file_of<'b>(book: &'b Book, sources: &Sources, family: &str, wanted: Option<&str>) -> Result<&'b RuleFile, Refusal> {
    let names = || book.files.iter().map(|file| sources.get(file.source).name.as_str());
    if let Some(wanted) = wanted {
        let is_it = |file: &&RuleFile| {
            let name = &sources.get(file.source).name;
            name == wanted || file.stem == wanted || wanted.ends_with(&format!("/{name}"))
        };
        return book.files.iter().find(is_it).ok_or_else(|| {
            Refusal::Usage(format!(
                "`{wanted}` is no rule file of this set. {}",
                did_you_mean(wanted, names().collect::<Vec<_>>())
            ))
        });
    }
    let count = |file: &RuleFile| {
        let is_member = |code: &&CodeEntry| Code::parse(&code.code.value).is_some_and(|code| code.family() == family);
        file.codes.iter().filter(is_member).count()
    };
    let mut counts: BTreeMap<usize, &RuleFile> = BTreeMap::new();
    for file in book.files.iter().rev() {
        counts.insert(count(file), file);
    }
    let most = counts.into_iter().next_back().filter(|(count, _)| *count > 0).map(|(_, file)| file);
    let empty = || {
        let mut empty = book.files.iter().filter(|file| file.codes.is_empty());
        empty.next().filter(|_| empty.next().is_none())
    };
    most.or_else(empty).ok_or_else(|| {
        let list = names().collect::<Vec<_>>().join(", ");
        Refusal::Usage(format!("no file has codes of `{family}` yet; name one with `--file`: {list}"))
    })
}

/// A title that fits on the pages.
pub(super) fn checked_title(title: &str) -> Result<&str, Refusal> {
    let title = title.trim();
    let count = title.chars().count();
    if count == 0 {
        return Err(Refusal::Usage("a code has a title: a few words that say what went wrong".to_owned()));
    }
    if count > limits::TITLE_CHARS || title.contains(char::is_control) {
        let limit = limits::TITLE_CHARS;
        return Err(Refusal::Usage(format!("a title is one line of at most {limit} characters, this one has {count}")));
    }
    Ok(title)
}

/// The entry of a code whose author has to say what it means.
pub(super) fn entry(code: &Code, title: &str) -> String {
    let title = quoted(title);
    format!(
        "[codes.{code}]\ntitle = {title}\nstatus = \"TODO\"\nretry = \"TODO\"\nmeaning = \"TODO\"\nremedy = [\"TODO\"]\n"
    )
}

/// An id that no rule of the file has.
pub(super) fn unused_id(file: &RuleFile, words: &str) -> String {
    let is_used = |id: &str| file.rules.iter().any(|rule| rule.id.value == id);
    let words = if words.is_empty() { "drafted" } else { words };
    let numbered = (2..).map(|number| format!("{words}-{number}"));
    std::iter::once(words.to_owned()).chain(numbered).find(|id| !is_used(id)).unwrap_or_default()
}

/// Where a code goes: behind those of its family in the order of numbers, else behind all codes, else in front of the
/// rules.
pub(super) fn place_of_code(text: &str, file: &RuleFile, code: &Code) -> usize {
    let is_relative =
        |other: &&CodeEntry| Code::parse(&other.code.value).is_some_and(|other| other.family() == code.family());
    let relatives = || file.codes.iter().filter(is_relative);
    let before = relatives().rfind(|other| other.code.value.as_str() < code.as_str());
    match (before.or_else(|| relatives().next_back()).or(file.codes.last()), file.rules.first()) {
        (Some(last), _) => place::behind(text, last.code.span.range.start),
        (None, Some(rule)) => place::in_front(text, rule.id.span.range.start),
        (None, None) => text.len(),
    }
}

/// Where a rule goes: behind all others.
fn place_of_rule(text: &str, file: &RuleFile) -> usize {
    file.rules.last().map_or(text.len(), |last| place::behind(text, last.id.span.range.start))
}
