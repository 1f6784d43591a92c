//! Drafts: a rule for a failure, and an entry for a code, as an author would begin them.
//!
//! A draft is proven like any rule: put into its file, loaded with the whole set, and only shown when it wins its failure,
//! takes no other rule's example and brings no finding with it.

mod candidates;
mod code;
mod written;

use std::collections::HashSet;

use crate::diagnostic::{Diagnostic, Report, Severity, Sources, did_you_mean, lints};
use crate::input::text;
use crate::matcher::{Scratch, captures, witnesses};
use crate::model::{Code, Failure, Rule};
use crate::rulefile::{Book, RuleFile, place};

use super::compile::in_scope;
use super::{FALLBACK_RULE, RuleSet, load};
use candidates::{Clue, clues};
use written::{kebab, quoted};

pub(crate) use code::{NewCode, new_code};

/// Which code a draft gives.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Goal<'g> {
    /// A code that there is.
    Code(&'g str),
    /// A new one: a family or a free code, and its title.
    New(&'g str, &'g str),
}

/// A rule for a failure.
#[derive(Debug)]
pub(crate) struct Draft {
    /// The rule, and in front of it the entry of its code when that is new, as TOML.
    pub(crate) text: String,
    /// What the rule is called in decisions.
    pub(crate) rule: String,
    /// The file that it belongs into.
    pub(crate) file: String,
    /// The rule that it stands in front of; none at the end of the rules.
    pub(crate) before: Option<String>,
    /// That file with it.
    pub(crate) updated: String,
    /// Each condition with the reason for it.
    pub(crate) reasons: Vec<(String, String)>,
    /// What was taken for granted, and what is left to do.
    pub(crate) notes: Vec<String>,
}

/// Why there is no draft.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// A rule knows the failure already.
    Known {
        /// The rule that wins it.
        rule: String,
        /// Its code.
        code: Code,
    },
    /// Nothing in the failure tells it from the examples of another rule.
    Alike {
        /// The rule whose examples it is like; empty where there is none in particular.
        rule: String,
    },
    /// The failure says nothing that could be a condition.
    Silent,
    /// The set does not load; nothing can be proven.
    Rejected(Box<Report>),
    /// The command asks for what cannot be.
    Usage(String),
}

/// Clues that are combined, the cheapest first.
const CLUES: usize = 18;
/// Conditions of one draft.
const CONDITIONS: usize = 4;
/// Drafts that are tried against the whole set.
const TRIED: usize = 12;
/// Words of a message that make an id.
const ID_WORDS: usize = 5;
/// What the conditions of a draft must say together.
const STRENGTH: u32 = 3;

/// Drafts a rule for a failure. With `anyway` it may take a failure that a rule knows.
///
/// # Errors
/// When a rule knows the failure, nothing sets it apart, the set does not load, or the goal does not exist.
pub(crate) fn draft(
    sources: Sources,
    failure: &Failure<'_>,
    goal: Goal<'_>,
    file: Option<&str>,
    anyway: bool,
) -> Result<Draft, Refusal> {
    let (set, report, book) = load::inspect(sources, None);
    let Some(set) = set else { return Err(Refusal::Rejected(Box::new(report))) };
    let sources = report.sources();
    if failure.is_empty() {
        return Err(Refusal::Usage("the failure says nothing that a rule could look at".to_owned()));
    }
    let mut notes = Vec::new();
    let mut known = plain(&set, failure);
    let target = Target::new(&set, &book, sources, goal, file, &mut known, &mut notes)?;
    let winner = set.classify_by(&known).1;
    if let Some(rule) = winner.map(|index| &set.rules()[index]).filter(|_| !anyway) {
        return Err(Refusal::Known { rule: rule.id.clone(), code: rule.code.clone() });
    }
    let place = Place::new(&set, &book, sources, &target, winner)?;
    let mut scratch = Scratch::default();
    let mut found = set.match_first(&known, &mut scratch, |candidate, _| clues(candidate));
    let prototype = |clue: &Clue| Rule {
        id: String::new(),
        code: target.code.clone(),
        connectors: place.file.connectors.iter().map(|connector| connector.value.clone()).collect(),
        when: vec![clue.condition.clone()],
        unless: Vec::new(),
        captures: Vec::new(),
    };
    // A clue that does not hold as a condition is none.
    let rules: Vec<Rule> = found.iter().map(prototype).collect();
    let holds = holding(&set, &known, &rules);
    let mut kept = holds.iter();
    found.retain(|_| kept.next() == Some(&true));
    let rules: Vec<Rule> = found.iter().map(prototype).collect();
    let neighbors = neighbors(&set, &book, &target, &rules, place.index);
    for (index, clue) in found.iter_mut().enumerate() {
        let foreign = neighbors.iter().filter(|neighbor| neighbor.is_foreign && neighbor.holds[index]).count();
        if foreign > 0 {
            clue.strength = clue.strength.min(1);
            clue.cost += 2 + u32::try_from(foreign.min(8)).unwrap_or_default();
        } else if clue.strength > 0 {
            clue.why.push_str(", and no example of another code has it");
        }
    }
    let sets = combinations(&found, &neighbors);
    let known_findings: HashSet<(&str, &str)> =
        report.diagnostics().iter().map(|finding| (finding.lint.name, finding.message.as_str())).collect();
    for chosen in sets.iter().take(TRIED) {
        let clues: Vec<&Clue> = chosen.iter().map(|&index| &found[index]).collect();
        let attempt = Attempt { set: &set, sources, target: &target, place: &place, known: &known, sent: failure };
        if let Some(mut draft) = attempt.prove(&clues, &known_findings) {
            notes.append(&mut draft.notes);
            draft.notes = notes;
            return Ok(draft);
        }
    }
    // The neighbor that has everything the failure has.
    let telling: Vec<usize> = (0..found.len()).filter(|&index| found[index].strength > 0).collect();
    if telling.is_empty() {
        return Err(Refusal::Silent);
    }
    let is_twin = |neighbor: &&Neighbor| neighbor.is_protected && telling.iter().all(|&index| neighbor.holds[index]);
    Err(Refusal::Alike { rule: neighbors.iter().find(is_twin).map(|twin| twin.rule.clone()).unwrap_or_default() })
}

/// The failure as an example shows it: without secrets, ids and stack frames, and of a pasted text what it states.
fn plain(set: &RuleSet, failure: &Failure<'_>) -> Failure<'static> {
    let mut known = set.redacted_failure(failure);
    (known.id, known.stack_trace) = (None, None);
    let Some(pasted) = known.text.as_deref() else { return known };
    let stated = text::read(pasted).into_owned();
    let mut structured = Failure { text: None, ..known.clone() };
    if structured.exceptions.is_empty() {
        structured.exceptions = stated.exceptions;
    }
    structured.message = structured.message.or(stated.message);
    structured.http_status = structured.http_status.or(stated.http_status);
    for code in stated.provider_codes {
        if !structured.provider_codes.contains(&code) {
            structured.provider_codes.push(code);
        }
    }
    if structured.error_numbers.is_empty() {
        structured.error_numbers = stated.error_numbers;
    }
    if structured.is_empty() { known } else { structured }
}

/// Where the draft's code comes from and into which files its rule may go.
struct Target<'t> {
    code: Code,
    /// The entry of a new code, for people and filled in for the proof, and the file that it goes into.
    entry: Option<(String, String, &'t RuleFile)>,
    file: &'t RuleFile,
    title: String,
}

impl<'t> Target<'t> {
    fn new(
        set: &RuleSet,
        book: &'t Book,
        sources: &Sources,
        goal: Goal<'_>,
        file: Option<&str>,
        known: &mut Failure<'static>,
        notes: &mut Vec<String>,
    ) -> Result<Self, Refusal> {
        let target = match goal {
            Goal::New(wanted, title) => {
                let title = code::checked_title(title)?;
                let (code, file) = code::free(book, sources, wanted, file)?;
                let entry = code::entry(&code, title);
                let status = book.manifest.as_ref().and_then(|manifest| manifest.statuses.first());
                let status = quoted(status.map_or("", |status| &status.value));
                let proof = entry.replace("status = \"TODO\"", &format!("status = {status}"));
                let proof = proof.replace("retry = \"TODO\"", "retry = \"fix-config\"");
                let todo = "status, retry, meaning and remedy of the new code say `TODO`; `faultbook check` holds the set back until they are filled in";
                notes.push(todo.to_owned());
                Self { code, entry: Some((entry, proof, file)), file, title: title.to_owned() }
            }
            Goal::Code(wanted) => {
                let wanted = wanted.trim().to_ascii_uppercase();
                let Some(entry) = set.code(&wanted) else {
                    let codes: Vec<&str> = set.codes().iter().map(|entry| entry.code.as_str()).collect();
                    let help = did_you_mean(&wanted, codes.iter().copied());
                    return Err(Refusal::Usage(format!("`{wanted}` is no code of these rules. {help}")));
                };
                if entry.retired.is_some() {
                    return Err(Refusal::Usage(format!("`{wanted}` is retired: no rule gives it any more")));
                }
                if entry.code == set.fallback().code {
                    return Err(Refusal::Usage(format!("`{wanted}` is what no rule knows; a rule gives another code")));
                }
                let file = file_for(book, sources, &wanted, file, known)?;
                Self { code: entry.code.clone(), entry: None, file, title: entry.title.clone() }
            }
        };
        match (&known.connector, target.file.connectors.first()) {
            (None, Some(connector)) => {
                notes.push(format!("the failure names no connector; it is taken for one of `{}`", connector.value));
                known.connector = Some(connector.value.clone().into());
            }
            _ if !fits(target.file, known) => return Err(out_of_scope(book, sources, target.file, known)),
            _ => {}
        }
        Ok(target)
    }
}

/// Whether rules of the file are tried on the failure.
fn fits(file: &RuleFile, failure: &Failure<'_>) -> bool {
    let is_own = |name: &str| file.connectors.iter().any(|connector| connector.value == name);
    file.connectors.is_empty() || failure.connector.as_deref().is_none_or(is_own)
}

fn out_of_scope(book: &Book, sources: &Sources, file: &RuleFile, failure: &Failure<'_>) -> Refusal {
    let name = |file: &RuleFile| format!("`{}`", sources.get(file.source).name);
    let own: Vec<_> = file.connectors.iter().map(|connector| format!("`{}`", connector.value)).collect();
    let fitting: Vec<_> = book.ordered_files().filter(|file| fits(file, failure)).map(name).collect();
    Refusal::Usage(format!(
        "rules of {} are for {}, and the failure is one of `{}`; with `--file` name another file: {}",
        name(file),
        own.join(" and "),
        failure.connector.as_deref().unwrap_or_default(),
        if fitting.is_empty() { "none is for it".to_owned() } else { fitting.join(", ") }
    ))
}

/// The file for a rule of a code: its own, else one whose rules give it, whichever is for the connector.
fn file_for<'b>(
    book: &'b Book,
    sources: &Sources,
    code: &str,
    wanted: Option<&str>,
    failure: &Failure<'_>,
) -> Result<&'b RuleFile, Refusal> {
    if let Some(wanted) = wanted {
        let is_it = |file: &&RuleFile| {
            let name = &sources.get(file.source).name;
            name == wanted || file.stem == wanted || wanted.ends_with(&format!("/{name}"))
        };
        let names: Vec<&str> = book.files.iter().map(|file| sources.get(file.source).name.as_str()).collect();
        let unknown =
            || format!("`{wanted}` is no rule file of this set. {}", did_you_mean(wanted, names.iter().copied()));
        return book.files.iter().find(is_it).ok_or_else(|| Refusal::Usage(unknown()));
    }
    let own = book.codes().find(|(_, entry)| entry.code.value == code).map(|(file, _)| file);
    let giving = book.rules().filter(|(_, rule)| rule.code.value == code).map(|(file, _)| file);
    let files: Vec<&RuleFile> = own.into_iter().chain(giving).collect();
    match files.iter().find(|file| fits(file, failure)).or(files.first()) {
        Some(file) if fits(file, failure) => Ok(file),
        Some(file) => Err(out_of_scope(book, sources, file, failure)),
        None => Err(Refusal::Usage(format!("no rule file describes `{code}`"))),
    }
}

/// Where a draft goes.
struct Place<'b> {
    file: &'b RuleFile,
    /// The rule that it stands in front of.
    before: Option<String>,
    /// Its place among all rules: those in front of it are tried before.
    index: usize,
    /// Bytes of the file in front of it.
    at: usize,
}

impl<'b> Place<'b> {
    /// In front of the rule that wins now, else at the end of the file's rules.
    fn new(
        set: &RuleSet,
        book: &'b Book,
        sources: &Sources,
        target: &Target<'b>,
        winner: Option<usize>,
    ) -> Result<Self, Refusal> {
        let files: Vec<&RuleFile> = book.ordered_files().collect();
        let order = |stem: &str| files.iter().position(|file| file.stem == stem).unwrap_or(files.len());
        let stem = |rule: &Rule| rule.id.rsplit_once('/').map_or(String::new(), |(stem, _)| stem.to_owned());
        let own = order(&target.file.stem);
        let text = |file: &RuleFile| sources.get(file.source).text.as_str();
        if let Some(index) = winner {
            let rule = &set.rules()[index];
            let theirs = order(&stem(rule));
            if theirs < own {
                return Err(Refusal::Usage(format!(
                    "`{}` wins it in a file that is tried before `{}`; name that file with `--file {}`",
                    rule.id,
                    sources.get(target.file.source).name,
                    stem(rule)
                )));
            }
            let id = rule.id.rsplit('/').next().unwrap_or_default();
            let entry = target.file.rules.iter().find(|entry| theirs == own && entry.id.value == id);
            if let Some(entry) = entry {
                let at = place::in_front(text(target.file), entry.id.span.range.start);
                return Ok(Self { file: target.file, before: Some(rule.id.clone()), index, at });
            }
        }
        let at = match target.file.rules.last() {
            Some(last) => place::behind(text(target.file), last.id.span.range.start),
            None => text(target.file).len(),
        };
        let index = set.rules().iter().position(|rule| order(&stem(rule)) > own).unwrap_or(set.rules().len());
        Ok(Self { file: target.file, before: None, index, at })
    }
}

/// A failure that a rule file knows by example.
struct Neighbor {
    /// The rule that wins it.
    rule: String,
    /// Whether a draft that takes it would be wrong.
    is_protected: bool,
    /// Whether it has another code than the draft.
    is_foreign: bool,
    /// For each clue, whether it holds.
    holds: Vec<bool>,
}

/// All examples and counterexamples of the set.
fn neighbors(set: &RuleSet, book: &Book, target: &Target<'_>, rules: &[Rule], index: usize) -> Vec<Neighbor> {
    let mut neighbors = Vec::new();
    for file in book.ordered_files() {
        let of_rules = file.rules.iter().flat_map(|rule| {
            let examples = rule.examples.iter().map(|example| (&example.failure.value, true));
            examples.chain(rule.counterexamples.iter().map(|neighbor| (&neighbor.failure.value, false)))
        });
        let of_codes =
            file.codes.iter().flat_map(|code| code.examples.iter().map(|example| (&example.failure.value, false)));
        for (failure, is_example) in of_rules.chain(of_codes) {
            let failure = in_scope(file, failure);
            let (decision, winner) = set.classify_by(&failure);
            let is_foreign = *decision.code != target.code;
            let is_reached = winner.is_none_or(|winner| winner >= index);
            neighbors.push(Neighbor {
                rule: decision.rule.into_owned(),
                is_protected: is_reached && (is_example || is_foreign),
                is_foreign,
                holds: holding(set, &failure, rules),
            });
        }
    }
    neighbors
}

/// For each rule, whether it applies to the failure.
fn holding(set: &RuleSet, failure: &Failure<'_>, rules: &[Rule]) -> Vec<bool> {
    let mut scratch = Scratch::default();
    set.match_first(failure, &mut scratch, |candidate, _| {
        rules.iter().map(|rule| witnesses(rule, candidate).is_some()).collect()
    })
}

/// Sets of clues that take no protected neighbor and say enough, the best first: few, lasting, and each of them needed.
fn combinations(clues: &[Clue], neighbors: &[Neighbor]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..clues.len()).collect();
    order.sort_by_key(|&index| (clues[index].cost, index));
    order.truncate(CLUES);
    let strength = |chosen: &[usize]| chosen.iter().map(|&index| clues[index].strength).sum::<u32>();
    let enough = STRENGTH.min(strength(&order));
    let steals = |chosen: &[usize]| {
        neighbors.iter().any(|neighbor| neighbor.is_protected && chosen.iter().all(|&index| neighbor.holds[index]))
    };
    let mut found: Vec<(u32, Vec<usize>)> = Vec::new();
    let mut open: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..CONDITIONS.min(order.len()) {
        let mut next = Vec::new();
        for chosen in open {
            let from = chosen.last().map_or(0, |last| order.iter().position(|index| index == last).unwrap_or(0) + 1);
            for &index in &order[from..] {
                let mut chosen = chosen.clone();
                chosen.push(index);
                let is_more = |(_, found): &(u32, Vec<usize>)| found.iter().all(|index| chosen.contains(index));
                if found.iter().any(is_more) {
                    // A condition beside what is enough already is one too many.
                    continue;
                }
                if strength(&chosen) >= enough && !steals(&chosen) {
                    let cost = chosen.iter().map(|&index| clues[index].cost + 3).sum();
                    found.push((cost, chosen));
                } else {
                    next.push(chosen);
                }
            }
        }
        open = next;
    }
    found.sort();
    found.into_iter().map(|(_, chosen)| chosen).collect()
}

/// One draft against the whole set.
struct Attempt<'a> {
    set: &'a RuleSet,
    sources: &'a Sources,
    target: &'a Target<'a>,
    place: &'a Place<'a>,
    /// The failure as the example shows it.
    known: &'a Failure<'static>,
    /// The failure as it was sent.
    sent: &'a Failure<'a>,
}

impl Attempt<'_> {
    /// The draft, when it wins its failure, takes no other, and brings no finding with it.
    fn prove(&self, clues: &[&Clue], known_findings: &HashSet<(&str, &str)>) -> Option<Draft> {
        let words = clues.iter().max_by_key(|clue| clue.strength).map_or("", |clue| clue.words.as_str());
        let words = words.split(' ').take(ID_WORDS).collect::<Vec<_>>().join(" ");
        let words = [kebab(&words), kebab(&self.target.title)].into_iter().find(|words| !words.is_empty());
        let id = code::unused_id(self.place.file, &words.unwrap_or_default());
        let mut lines =
            vec!["[[rules]]".to_owned(), format!("id = \"{id}\""), format!("code = \"{}\"", self.target.code)];
        lines.extend(clues.iter().map(|clue| clue.line.clone()));
        lines.extend(self.captures());
        let mut example = self.known.clone();
        if example.connector.as_deref() == self.place.file.connectors.first().map(|connector| connector.value.as_str())
        {
            example.connector = None;
        }
        let rule = format!("{}\n\n[[rules.examples]]\nfailure = {}\n", lines.join("\n"), written::failure(&example));
        let stem = &self.place.file.stem;
        let id = format!("{stem}/{id}");
        let (set, report, _) = load::inspect(self.with(&rule, true), None);
        let is_told = |finding: &Diagnostic| {
            // A new code is entered into the ledger when its author has filled it in.
            (finding.lint == lints::CODE_NOT_IN_LEDGER && self.target.entry.is_some())
                || finding.lint.severity == Severity::Note
                || known_findings.contains(&(finding.lint.name, finding.message.as_str()))
        };
        let set = set.filter(|_| report.diagnostics().iter().all(is_told))?;
        let wins = |failure: &Failure<'_>| set.classify(failure).rule == id;
        let mut original = self.sent.clone();
        original.connector = original.connector.or(self.known.connector.clone());
        if !wins(self.known) || !wins(&original) {
            return None;
        }
        let entry = self.target.entry.as_ref().map(|(entry, ..)| format!("{entry}\n")).unwrap_or_default();
        let updated = self.with(&rule, false);
        let name = &self.sources.get(self.place.file.source).name;
        let updated = updated.find(name).map(|id| updated.get(id).text.clone())?;
        let reasons = clues.iter().map(|clue| (clue.line.clone(), clue.why.clone())).collect();
        Some(Draft {
            text: format!("{entry}{rule}"),
            rule: id,
            file: name.clone(),
            before: self.place.before.clone(),
            updated,
            reasons,
            notes: Vec::new(),
        })
    }

    /// Parts of the message that other rules of the code keep for its own message, and that are there.
    fn captures(&self) -> Vec<String> {
        let mut lines: Vec<String> = Vec::new();
        let mut names = HashSet::new();
        let mut scratch = Scratch::default();
        self.set.match_first(self.known, &mut scratch, |candidate, _| {
            for rule in self.set.rules_of(&self.target.code) {
                for capture in &rule.captures {
                    let one = std::slice::from_ref(capture);
                    if captures(one, candidate).next().is_some() && names.insert(capture.name.as_str()) {
                        lines.push(format!("capture.{} = '{}'", capture.name, capture.pattern.as_str()));
                    }
                }
            }
        });
        lines
    }

    /// The set with the draft in its place; a new code as its author sees it, or filled in for the proof.
    fn with(&self, rule: &str, is_proof: bool) -> Sources {
        let texts = self.sources.iter().map(|(id, source)| {
            let mut entries = Vec::new();
            if id == self.place.file.source {
                entries.push((self.place.at, rule));
            }
            if let Some((entry, proof, file)) = self.target.entry.as_ref().filter(|(.., file)| file.source == id) {
                let at = code::place_of_code(&source.text, file, &self.target.code);
                entries.push((at, if is_proof { proof.as_str() } else { entry.as_str() }));
            }
            // From the end on: what stands in front keeps its place.
            entries.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
            let text =
                entries.into_iter().fold(source.text.clone(), |text, (at, entry)| place::insert(&text, at, entry));
            (source.name.clone(), text)
        });
        Sources::from_texts(texts.collect::<Vec<_>>()).with_root(self.sources.root())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known { rule, code } => write!(f, "`{rule}` knows this failure already: `{code}`"),
            Self::Alike { rule } if rule.is_empty() => f.write_str(
                "nothing that the failure says sets it apart from the examples of other rules; `faultbook trace` shows which conditions hold on it",
            ),
            Self::Alike { rule } if rule == FALLBACK_RULE => f.write_str(
                "the failure is like a counterexample that must stay unknown: everything it says, that one says too; `faultbook trace` shows what holds on it",
            ),
            Self::Alike { rule } => write!(
                f,
                "everything that the failure says is said by an example of `{rule}` too; `faultbook trace` shows what holds on it"
            ),
            Self::Silent => f.write_str(
                "the failure says nothing that could be a condition: no code, no type of its own, no number, no words that stay the same",
            ),
            Self::Rejected(report) => {
                let errors = report.count(Severity::Error);
                write!(f, "the set has {errors} error{}; a draft is proven against a set that loads", if errors == 1 { "" } else { "s" })
            }
            Self::Usage(message) => f.write_str(message),
        }
    }
}
