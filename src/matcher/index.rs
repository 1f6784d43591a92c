//! The ordered matcher: rules come from look-ups instead of a loop.
//!
//! Every rule is filed under one of its conditions, the one that the fewest rules share: what the condition looks for are
//! the rule's keys. A failure looks up its facts and gets the few rules that could apply; they are tried in their order.
//! Rules that only a message can select are filed under the texts that their patterns require, and one scan of the
//! message finds those; it runs only when such a rule could still win. Patterns without such a text are tried one by one,
//! behind a test for a run of bytes where they have one; a rule that needs one waits for it, whatever it was found by.
//! Where a key is all that a rule looks for, the rule itself is not looked at: most of a large set is in no cache.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::model::{
    Attribute, AttributePattern, CauseCondition, CodePattern, Condition, Failure, Literal, Pattern, Quantifier,
    Requirement, Rule, Run, Tries, TypePattern, Values, fold_into,
};

use super::Candidate;
use super::condition::{Places, holds_beyond, is_proven};
use super::facts::Folded;
use super::few::Few;
use super::runs::{RunSet, each_bit};
use super::scan::{TextId, TextSet};
use super::table::{GlobTable, KeyId, Numbering, TypeTable};

/// Rules that may share a key before a text that the rule requires is the better one.
const SHARED: u32 = 8;
/// In sets with more rules than this that require a text, nearly every message is scanned.
const SCANNED: usize = 24;

/// The number of a rule: its place in the order.
type RuleId = u32;
/// The connector that rules are for, from 1 on; 0 for all of them, and for one that no rule is for.
pub(super) type Scope = u32;

/// The look-ups of one set of rules.
#[derive(Debug, Default)]
pub(crate) struct Index {
    /// The connectors that rules are for, numbered from 0.
    scopes: HashMap<Box<str>, Scope, RandomState>,
    facts: FactKeys,
    by_fact: Postings,
    texts: TextSet,
    by_text: Postings,
    /// Patterns and literals that require no text.
    searches: Vec<Search>,
    by_search: Postings,
    /// Runs that patterns require, and for each of them the patterns.
    runs: RunSet,
    searches_of_run: Vec<Vec<u32>>,
    searches_without_run: Vec<u32>,
    /// All rules that have a key in a message.
    waiting: Postings,
    /// Rules without any key.
    always: Postings,
    /// For each rule, the condition that its keys prove; texts do so where they were seen in a plain text.
    given: Vec<Places>,
    /// The same for rules that are few.
    few: Option<Few>,
    /// Rules that are found by a search, with the place of the condition and the search.
    tried: Vec<(RuleId, usize, u32)>,
}

/// A pattern or literal that a rule is found by and that requires no text: messages are tried for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tried<'i> {
    /// The number of the rule.
    pub(crate) rule: usize,
    /// The place of the condition in the rule's `when`.
    pub(crate) place: usize,
    /// The pattern or literal as written.
    pub(crate) text: &'i str,
    /// Whether it is a pattern; else it is a literal.
    pub(crate) is_pattern: bool,
    /// Bytes of the run that a message must have before the pattern is tried on it.
    pub(crate) run_bytes: Option<usize>,
}

/// Look-ups from facts to keys.
#[derive(Debug, Default)]
pub(super) struct FactKeys {
    types: TypeTable,
    codes: GlobTable<CodePattern>,
    numbers: HashMap<i64, KeyId, RandomState>,
    /// For each status from 100 on, the patterns that fit it.
    statuses: Vec<Vec<KeyId>>,
    connectors: HashMap<Box<str>, KeyId, RandomState>,
    operations: HashMap<Box<str>, KeyId, RandomState>,
    phases: HashMap<Box<str>, KeyId, RandomState>,
    attributes: HashMap<Box<str>, GlobTable<AttributePattern>, RandomState>,
}

/// What has no required text: it is looked for as it is, when it could decide.
#[derive(Debug)]
enum Search {
    Pattern(Pattern),
    Literal(Literal),
}

/// A rule under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Post {
    rule: RuleId,
    then: Then,
}

/// What is to be done about a rule of which a key is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Then {
    /// Nothing: the rule applies.
    Take,
    /// It is tried.
    Try,
    /// It is tried once a search, given by its number, has found something.
    Await(u16),
}

/// Room for the rules that could apply to one failure.
#[derive(Debug, Default)]
pub(super) struct Room {
    /// Rules that are not tried yet: twice their number, and one more where no key of theirs was met.
    found: Vec<u32>,
    /// Rules that wait for a search, whose number comes first: in order once searching begins.
    awaiting: Vec<(u16, RuleId)>,
}

/// Where a rule can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Key {
    /// A fact that tells failures apart: a code, a number, a word.
    Fact(KeyId),
    /// A type or status, which very different failures share.
    CommonFact(KeyId),
    Text(TextId),
    Search(u32),
}

/// What distinguishes one item of a condition from others.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Item {
    Type(Box<str>),
    Code(Box<str>),
    Number(i64),
    Status(u16, u16),
    Connector(Box<str>),
    Operation(Box<str>),
    Phase(Box<str>),
    Attribute(Box<str>, String),
}

/// A condition as a way to a rule: it holds only when one of the keys is met.
pub(super) struct Access {
    place: usize,
    pub(super) keys: Vec<Key>,
    /// Whether the condition holds whenever a key is met.
    is_proof: bool,
}

impl Index {
    /// Files the rules.
    pub(crate) fn new(rules: &[Rule]) -> Self {
        let mut filing = Filing::default();
        let ways: Vec<Vec<Access>> = rules.iter().map(|rule| filing.ways(rule)).collect();
        let scopes: Vec<Vec<Scope>> = rules.iter().map(|rule| filing.scopes_of(rule)).collect();
        let mut shared: HashMap<(Key, Scope), u32, RandomState> = HashMap::default();
        for (ways, scopes) in ways.iter().zip(&scopes) {
            for &key in ways.iter().flat_map(|way| &way.keys) {
                for &scope in scopes {
                    *shared.entry((key, scope)).or_default() += 1;
                }
            }
        }
        let crowd = |way: &Access, scopes: &[Scope]| -> u32 {
            let count = |key: Key, scope: Scope| shared.get(&(key, scope)).copied().unwrap_or_default();
            let counts = way.keys.iter().flat_map(|&key| scopes.iter().map(move |&scope| (key, scope)));
            counts.map(|(key, scope)| count(key, 0) + if scope > 0 { count(key, scope) } else { 0 }).max().unwrap_or(0)
        };
        let has_text = |ways: &&Vec<Access>| ways.iter().any(|way| matches!(way.keys.first(), Some(Key::Text(_))));
        let is_scanned = ways.iter().filter(has_text).count() > SCANNED;
        // All runs of one group are looked for in one pass, whether they are few or many.
        let are_few = filing.searches.len() <= u64::BITS as usize;
        let kind = |key: &Key| match *key {
            Key::Fact(_) => 0,
            Key::CommonFact(_) if !is_scanned => 0,
            Key::Text(_) => 1,
            Key::Search(id) if are_few && filing.searches[id as usize].run().is_some() => 2,
            Key::CommonFact(_) => 3,
            Key::Search(_) => 4,
        };
        let mut posts: [Vec<(u32, Scope, Post)>; 5] = Default::default();
        let mut given = vec![0; rules.len()];
        let mut tried = Vec::new();
        for (rule, (ways, scopes)) in (0..).zip(ways.iter().zip(&scopes)) {
            // Facts cost a look-up, texts a scan, searches a pattern each: the cheapest kind that is not crowded. Where
            // messages are scanned anyway, a text costs less than a pattern that is tried for every failure of a common
            // type.
            let cost = |way: &&Access| {
                let crowd = crowd(way, scopes);
                let kind = way.keys.iter().map(kind).max().unwrap_or_default();
                (crowd.saturating_sub(SHARED), kind, crowd)
            };
            let best = ways.iter().min_by_key(cost);
            let guard = best.filter(|way| way.is_of_facts()).and_then(|_| ways.iter().find_map(Access::search));
            let proven = best.map_or(0, Access::proven) | guard.map_or(0, |(way, _)| way.proven());
            given[rule as usize] = proven;
            let then = match guard {
                Some((_, search)) => Then::Await(search),
                None if is_proven(&rules[rule as usize], proven) => Then::Take,
                None => Then::Try,
            };
            let post = Post { rule, then };
            let [facts, texts, searches, waiting, always] = &mut posts;
            for &scope in scopes {
                for key in best.iter().flat_map(|way| &way.keys) {
                    match *key {
                        Key::Fact(id) | Key::CommonFact(id) => facts.push((id, scope, post)),
                        Key::Text(id) => texts.push((id, scope, post)),
                        Key::Search(id) => searches.push((id, scope, post)),
                    }
                }
                match best {
                    None => always.push((0, scope, post)),
                    Some(way) if way.keys.iter().any(|key| matches!(key, Key::Text(_))) => {
                        waiting.push((0, scope, post));
                    }
                    Some(_) => {}
                }
            }
            for (way, key) in best.iter().flat_map(|way| way.keys.iter().map(move |key| (way, key))) {
                if let Key::Search(id) = *key {
                    tried.push((rule, way.place, id));
                }
            }
        }
        let texts = TextSet::new(filing.texts.into_things());
        let few = Few::new(&ways, &scopes, filing.items.len(), &texts);
        let [by_fact, by_text, by_search, waiting, always] = posts.map(Postings::new);
        let (runs, searches_of_run, searches_without_run) = by_run(&filing.searches);
        Self {
            scopes: filing.scopes.into_ids(),
            facts: filing.facts,
            by_fact,
            texts,
            by_text,
            searches: filing.searches,
            by_search,
            runs,
            searches_of_run,
            searches_without_run,
            waiting,
            always,
            given,
            few,
            tried,
        }
    }

    /// The table of type patterns, which type names are resolved by.
    pub(crate) fn types(&self) -> &TypeTable {
        &self.facts.types
    }

    /// The connector of a failure.
    pub(super) fn scope_of(&self, failure: &Failure<'_>) -> Scope {
        failure.connector.as_deref().and_then(|name| self.scopes.get(name)).map_or(0, |number| number + 1)
    }

    /// Whether rules are for the connector of a failure; any will do when no rule is for one.
    pub(super) fn knows_connector(&self, candidate: Candidate<'_>) -> bool {
        self.scopes.is_empty() || candidate.scope() > 0
    }

    /// The patterns and literals that messages are tried for, in the order of their rules.
    pub(crate) fn tried(&self) -> impl Iterator<Item = Tried<'_>> {
        self.tried.iter().map(|&(rule, place, id)| {
            let search = &self.searches[id as usize];
            let (text, is_pattern) = match search {
                Search::Pattern(pattern) => (pattern.as_str(), true),
                Search::Literal(literal) => (literal.as_str(), false),
            };
            let run_bytes = search.run().map(|run| run.classes().len());
            Tried { rule: rule as usize, place, text, is_pattern, run_bytes }
        })
    }

    /// The first rule that applies.
    pub(crate) fn first(
        &self,
        rules: &[Rule],
        candidate: Candidate<'_>,
        folded: &mut Folded,
        room: &mut Room,
    ) -> Option<usize> {
        let scope = candidate.scope();
        if let Some(few) = &self.few {
            return few.first(&self.facts, &self.texts, rules, candidate, scope, folded);
        }
        let mut round = Round { index: self, rules, candidate, scope, best: RuleId::MAX, room };
        round.room.found.clear();
        round.room.awaiting.clear();
        self.facts.each(candidate, |key| round.add(&self.by_fact, key, true));
        round.add(&self.always, 0, true);
        round.decide();
        let bytes = candidate.text().len();
        // From so many rules on a scan costs less than trying their patterns.
        let many = self.texts.cost(bytes) / cost_of_try(bytes) + 1;
        if round.waits(&self.waiting, many) >= many {
            folded.of(candidate.text());
            let is_seen = folded.is_plain();
            self.texts.scan(folded.of(candidate.text()), |text| round.add(&self.by_text, text, is_seen));
        } else {
            round.add(&self.waiting, 0, false);
        }
        round.decide();
        self.search(&mut round, folded);
        round.decide();
        (round.best < RuleId::MAX).then_some(round.best as usize)
    }

    /// Looks for patterns and literals that require no text, as far as their rules could still win: those with a run only
    /// where the run occurs.
    fn search(&self, round: &mut Round<'_>, folded: &mut Folded) {
        round.room.awaiting.sort_unstable();
        for (group, of_run) in self.searches_of_run.chunks(64).enumerate() {
            let can_win = |searches: &Vec<u32>| searches.iter().any(|&id| round.can_win(id));
            let wanted = (0..64).zip(of_run).filter(|(_, searches)| can_win(searches));
            let wanted = wanted.fold(0, |wanted, (number, _)| wanted | 1 << number);
            if wanted == 0 {
                continue;
            }
            folded.of(round.candidate.text());
            if !folded.is_plain() {
                // A replaced character is no part of a word, and what replaces it is: nothing is certain then.
                each_bit(wanted).for_each(|run| of_run[run].iter().for_each(|&id| self.try_search(round, id)));
                continue;
            }
            let text = round.candidate.text();
            let folded_text = folded.of(text);
            let mut tries = [Tries::default(); 64];
            self.runs.each(group, wanted, folded_text, |number, place| {
                let (searches, tries) = (&of_run[number], &mut tries[number]);
                let place = place + self.runs.inside(group, number);
                if !tries.is_new(place) {
                    return false;
                }
                let mut end = usize::MAX;
                let mut is_told = |id| self.try_around(round, id, place).map(|of_search| end = end.min(of_search));
                if !tries.is_worth(place) || !searches.iter().all(|&id| is_told(id).is_some()) {
                    for &id in searches {
                        self.try_search(round, id);
                    }
                    return true;
                }
                tries.until(end);
                end == usize::MAX
            });
        }
        self.searches_without_run.iter().for_each(|&id| self.try_search(round, id));
    }

    /// Tries a search at a place where its run stands, and says where what was tried ends: nowhere when no more of it is
    /// wanted. `None` when the whole text is to be tried.
    fn try_around(&self, round: &mut Round<'_>, id: u32, place: usize) -> Option<usize> {
        if !round.can_win(id) {
            return Some(usize::MAX);
        }
        let Search::Pattern(pattern) = &self.searches[id as usize] else { return None };
        let (is_match, end) = pattern.is_match_around(round.candidate.text(), place)?;
        if is_match {
            round.meet(id);
            return Some(usize::MAX);
        }
        Some(end)
    }

    fn try_search(&self, round: &mut Round<'_>, id: u32) {
        if round.can_win(id) && self.searches[id as usize].occurs(round.candidate) {
            round.meet(id);
        }
    }

    /// Bytes of the index, without the rules and their compiled patterns.
    pub(crate) fn bytes(&self) -> usize {
        let postings = [&self.by_fact, &self.by_text, &self.by_search, &self.waiting, &self.always];
        postings.iter().map(|postings| postings.bytes()).sum::<usize>()
            + self.texts.bytes()
            + self.facts.bytes()
            + self.runs.bytes()
            + self.given.len() * size_of::<Places>()
            + self.few.as_ref().map_or(0, Few::bytes)
            + self.tried.capacity() * size_of::<(RuleId, usize, u32)>()
    }
}

/// The search for the first rule that applies to one failure.
struct Round<'r> {
    index: &'r Index,
    rules: &'r [Rule],
    candidate: Candidate<'r>,
    scope: Scope,
    /// The first rule that is known to apply; nothing behind it is looked at.
    best: RuleId,
    room: &'r mut Room,
}

impl Round<'_> {
    /// Adds the rules of a key that could still win, and whether the key is met for certain.
    fn add(&mut self, postings: &Postings, key: u32, is_met: bool) {
        for posts in postings.of(key, self.scope) {
            for post in posts.iter().take_while(|post| post.rule < self.best) {
                match post.then {
                    Then::Take if is_met => {
                        self.best = post.rule;
                        break;
                    }
                    Then::Await(search) => self.room.awaiting.push((search, post.rule)),
                    Then::Take | Then::Try => self.room.found.push(post.rule << 1 | u32::from(!is_met)),
                }
            }
        }
    }

    /// How many rules of all keys could still win; of each list no more than so many are counted.
    fn waits(&self, postings: &Postings, most: usize) -> usize {
        let could_win = |posts: &[Post]| posts.iter().take(most).take_while(|post| post.rule < self.best).count();
        postings.of(0, self.scope).map(could_win).sum()
    }

    /// Whether a rule could still win that is found by a search or waits for it.
    fn can_win(&self, search: u32) -> bool {
        let mut posts = self.index.by_search.of(search, self.scope);
        posts.any(|posts| posts.first().is_some_and(|post| post.rule < self.best))
            || of_search(&self.room.awaiting, search).next().is_some_and(|rule| rule < self.best)
    }

    /// Adds the rules that are found by a search or wait for it.
    fn meet(&mut self, search: u32) {
        self.add(&self.index.by_search, search, true);
        let Room { found, awaiting } = &mut *self.room;
        found.extend(of_search(awaiting, search).map(|rule| rule << 1));
    }

    /// Tries the rules that were added, in their order.
    fn decide(&mut self) {
        self.room.found.sort_unstable();
        self.room.found.dedup();
        let mut could_win = self.room.found.iter().take_while(|&&entry| entry >> 1 < self.best);
        let applies = |&&entry: &&u32| {
            let (rule, is_met) = ((entry >> 1) as usize, entry & 1 == 0);
            let known = if is_met { self.index.given[rule] } else { 0 };
            holds_beyond(&self.rules[rule], self.candidate, known)
        };
        if let Some(&first) = could_win.find(applies) {
            self.best = first >> 1;
        }
        self.room.found.clear();
    }
}

/// The rules that wait for a search, in their order.
fn of_search(awaiting: &[(u16, RuleId)], search: u32) -> impl Iterator<Item = RuleId> {
    let start = awaiting.partition_point(|&(of, _)| u32::from(of) < search);
    awaiting[start..].iter().take_while(move |&&(of, _)| u32::from(of) == search).map(|&(_, rule)| rule)
}

/// The runs that searches require, the searches of each of them, and those without one.
fn by_run(searches: &[Search]) -> (RunSet, Vec<Vec<u32>>, Vec<u32>) {
    let mut runs = Numbering::default();
    let (mut of_run, mut without): (Vec<Vec<u32>>, _) = (Vec::new(), Vec::new());
    for (id, search) in (0..).zip(searches) {
        let Some(run) = search.run() else {
            without.push(id);
            continue;
        };
        let (number, is_new) = runs.number(run.clone());
        if is_new {
            of_run.push(Vec::new());
        }
        of_run[number as usize].push(id);
    }
    (RunSet::new(runs.into_things()), of_run, without)
}

/// What filing rules needs until the index stands.
#[derive(Default)]
struct Filing {
    scopes: Numbering<Box<str>>,
    items: Numbering<Item>,
    facts: FactKeys,
    texts: Numbering<Box<[u8]>>,
    sources: Numbering<(bool, Box<str>)>,
    searches: Vec<Search>,
}

impl Filing {
    /// The connectors of a rule; 0 alone for a rule of all connectors.
    fn scopes_of(&mut self, rule: &Rule) -> Vec<Scope> {
        if rule.connectors.is_empty() {
            return vec![0];
        }
        let mut scopes: Vec<Scope> =
            rule.connectors.iter().map(|name| self.scopes.number(name.as_str().into()).0 + 1).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
    }

    /// The conditions of a rule by which it can be found.
    fn ways(&mut self, rule: &Rule) -> Vec<Access> {
        let mut ways = Vec::new();
        for (place, condition) in rule.when.iter().enumerate() {
            let mut add = |(keys, is_proof): (Vec<Key>, bool)| ways.push(Access { place, keys, is_proof });
            match condition {
                Condition::Exception(values) => self.each(values, Self::type_key).into_iter().for_each(add),
                Condition::Message(values) => self.each(values, Self::pattern_keys).into_iter().for_each(add),
                Condition::Contains(values) => self.each(values, Self::literal_keys).into_iter().for_each(add),
                Condition::ProviderCode(values) => self.each(values, Self::code_key).into_iter().for_each(add),
                Condition::ErrorNumber(values) => {
                    self.each(values, |filing, number| filing.number_key(*number)).into_iter().for_each(add);
                }
                Condition::HttpStatus(values) => {
                    let keys = |filing: &mut Self, status: &crate::model::StatusPattern| {
                        (vec![filing.status_key(*status)], true)
                    };
                    self.each(values, keys).into_iter().for_each(add);
                }
                Condition::Connector(values) => {
                    self.words(values, Item::Connector, |facts| &mut facts.connectors).into_iter().for_each(add);
                }
                Condition::Operation(values) => {
                    self.words(values, Item::Operation, |facts| &mut facts.operations).into_iter().for_each(add);
                }
                Condition::Phase(values) => {
                    self.words(values, Item::Phase, |facts| &mut facts.phases).into_iter().for_each(add);
                }
                Condition::Attribute { name, values } => {
                    let keys =
                        |filing: &mut Self, value: &AttributePattern| (vec![filing.attribute_key(name, value)], true);
                    self.each(values, keys).into_iter().for_each(add);
                }
                Condition::Absent(_) => {}
                Condition::Cause { conditions, .. } => {
                    // A part of a selector can be met on another cause: it leads to the rule and proves nothing.
                    for part in conditions {
                        let ways = match part {
                            CauseCondition::Exception(values) => self.each(values, Self::type_key),
                            CauseCondition::Message(values) => self.each(values, Self::pattern_keys),
                            CauseCondition::Contains(values) => self.each(values, Self::literal_keys),
                            CauseCondition::ErrorNumber(values) => {
                                self.each(values, |filing, number| filing.number_key(*number))
                            }
                        };
                        for (keys, _) in ways {
                            add((keys, false));
                        }
                    }
                }
            }
        }
        ways
    }

    /// The ways through a condition: one with the keys of all items, or one for each item when all must be found.
    fn each<T>(
        &mut self,
        values: &Values<T>,
        mut keys: impl FnMut(&mut Self, &T) -> (Vec<Key>, bool),
    ) -> Vec<(Vec<Key>, bool)> {
        let each: Vec<(Vec<Key>, bool)> = values.items.iter().map(|item| keys(self, item)).collect();
        match values.quantifier {
            Quantifier::All => {
                let is_single = each.len() == 1;
                each.into_iter().map(|(keys, is_proof)| (keys, is_proof && is_single)).collect()
            }
            Quantifier::Any => {
                let is_proof = each.iter().all(|(_, is_proof)| *is_proof);
                let mut keys: Vec<Key> = each.into_iter().flat_map(|(keys, _)| keys).collect();
                keys.sort_unstable();
                keys.dedup();
                vec![(keys, is_proof)]
            }
        }
    }

    fn words(
        &mut self,
        values: &Values<String>,
        item: fn(Box<str>) -> Item,
        table: fn(&mut FactKeys) -> &mut HashMap<Box<str>, KeyId, RandomState>,
    ) -> Vec<(Vec<Key>, bool)> {
        self.each(values, |filing, word| {
            let (key, is_new) = filing.items.number(item(word.as_str().into()));
            if is_new {
                table(&mut filing.facts).insert(word.as_str().into(), key);
            }
            (vec![Key::Fact(key)], true)
        })
    }

    fn type_key(&mut self, pattern: &TypePattern) -> (Vec<Key>, bool) {
        let (key, is_new) = self.items.number(Item::Type(pattern.as_str().into()));
        if is_new {
            self.facts.types.add(pattern, key);
        }
        (vec![Key::CommonFact(key)], true)
    }

    fn code_key(&mut self, pattern: &CodePattern) -> (Vec<Key>, bool) {
        let (key, is_new) = self.items.number(Item::Code(pattern.as_str().into()));
        if is_new {
            self.facts.codes.add(pattern.access(), pattern.clone(), key);
        }
        (vec![Key::Fact(key)], true)
    }

    fn number_key(&mut self, number: i64) -> (Vec<Key>, bool) {
        let (key, _) = self.items.number(Item::Number(number));
        self.facts.numbers.insert(number, key);
        // The key is met by numbers of causes as well, of which a failure counts only the first as its own.
        (vec![Key::Fact(key)], false)
    }

    fn status_key(&mut self, pattern: crate::model::StatusPattern) -> Key {
        let statuses = pattern.statuses();
        let (key, is_new) = self.items.number(Item::Status(*statuses.start(), *statuses.end()));
        if is_new {
            for status in statuses {
                let place = usize::from(status - FIRST_STATUS);
                if self.facts.statuses.len() <= place {
                    self.facts.statuses.resize_with(place + 1, Vec::new);
                }
                self.facts.statuses[place].push(key);
            }
        }
        Key::CommonFact(key)
    }

    fn attribute_key(&mut self, name: &str, pattern: &AttributePattern) -> Key {
        let (key, is_new) = self.items.number(Item::Attribute(name.into(), pattern.as_item()));
        if is_new {
            self.facts.attributes.entry(name.into()).or_default().add(pattern.access(), pattern.clone(), key);
        }
        Key::Fact(key)
    }

    fn pattern_keys(&mut self, pattern: &Pattern) -> (Vec<Key>, bool) {
        let search = || Search::Pattern(pattern.clone());
        self.text_keys(pattern.requirement(), pattern.folded(), (true, pattern.as_str()), search)
    }

    fn literal_keys(&mut self, literal: &Literal) -> (Vec<Key>, bool) {
        // A replaced character of a literal stands for itself alone.
        let mut folded = Vec::new();
        let is_plain = fold_into(literal.as_str(), &mut folded);
        let search = || Search::Literal(literal.clone());
        self.text_keys(literal.requirement(), is_plain.then_some(&*folded), (false, literal.as_str()), search)
    }

    fn text_keys(
        &mut self,
        requirement: &Requirement,
        exact: Option<&[u8]>,
        (is_pattern, source): (bool, &str),
        search: impl FnOnce() -> Search,
    ) -> (Vec<Key>, bool) {
        if requirement.texts.is_empty() {
            let (id, is_new) = self.sources.number((is_pattern, source.into()));
            if is_new {
                self.searches.push(search());
            }
            return (vec![Key::Search(id)], true);
        }
        // Where the text is all that is looked for, seeing it is as good.
        let is_proof = matches!(&*requirement.texts, [text] if Some(&**text) == exact);
        let texts = requirement.texts.iter();
        (texts.map(|text| Key::Text(self.texts.number(text.clone()).0)).collect(), is_proof)
    }
}

impl Access {
    /// Whether every key is a fact.
    fn is_of_facts(&self) -> bool {
        self.keys.iter().all(|key| matches!(key, Key::Fact(_) | Key::CommonFact(_)))
    }

    /// The search that must find something for the condition to hold, where it is a single one.
    fn search(&self) -> Option<(&Self, u16)> {
        match *self.keys {
            [Key::Search(id)] => u16::try_from(id).ok().map(|id| (self, id)),
            _ => None,
        }
    }

    /// The condition, when it holds whenever a key is met.
    pub(super) fn proven(&self) -> Places {
        let place = u32::try_from(self.place).ok().filter(|_| self.is_proof);
        place.and_then(|place| Places::checked_shl(1, place)).unwrap_or_default()
    }
}

/// What trying a pattern on so many bytes costs in nanoseconds, roughly.
pub(super) fn cost_of_try(bytes: usize) -> usize {
    30 + bytes / 32
}

/// The lowest HTTP status.
const FIRST_STATUS: u16 = 100;

impl FactKeys {
    /// Calls `met` with the keys that the facts of a failure meet.
    pub(super) fn each(&self, candidate: Candidate<'_>, mut met: impl FnMut(KeyId)) {
        candidate.type_keys().iter().for_each(|&key| met(key));
        for (_, code) in candidate.provider_codes() {
            self.codes.look_up(Some(code), |pattern| pattern.matches_lower(code), &mut met);
        }
        if !self.numbers.is_empty() {
            // Of very many numbers the failure's own set holds only the first; a cause selector sees all of its cause.
            let of_causes = candidate.causes().flat_map(super::Cause::error_numbers);
            for number in candidate.error_numbers().iter().chain(of_causes) {
                self.numbers.get(number).copied().into_iter().for_each(&mut met);
            }
        }
        if let Some(status) = candidate.http_status() {
            let place = usize::from(status.saturating_sub(FIRST_STATUS));
            self.statuses.get(place).into_iter().flatten().for_each(|&key| met(key));
        }
        let failure = candidate.failure();
        let words = [
            (&self.connectors, &failure.connector),
            (&self.operations, &failure.operation),
            (&self.phases, &failure.phase),
        ];
        for (table, word) in words {
            if let Some(&key) = word.as_deref().filter(|_| !table.is_empty()).and_then(|word| table.get(word)) {
                met(key);
            }
        }
        if !self.attributes.is_empty() {
            for (name, value) in &failure.attributes {
                if let Some(table) = self.attributes.get(name.as_ref()) {
                    let text = if let Attribute::Text(text) = value { Some(text.as_ref()) } else { None };
                    table.look_up(text, |pattern| pattern.matches(value), &mut met);
                }
            }
        }
    }

    fn bytes(&self) -> usize {
        let words = self.connectors.capacity() + self.operations.capacity() + self.phases.capacity();
        self.types.bytes()
            + self.codes.bytes()
            + self.numbers.capacity() * 16
            + self.statuses.iter().map(|keys| 24 + keys.capacity() * 4).sum::<usize>()
            + words * 32
            + self.attributes.values().map(GlobTable::bytes).sum::<usize>()
    }
}

impl Search {
    /// A run of bytes without which it does not occur.
    fn run(&self) -> Option<&Run> {
        match self {
            Self::Pattern(pattern) => pattern.requirement().run.as_ref(),
            Self::Literal(_) => None,
        }
    }

    /// Whether it occurs in a message.
    fn occurs(&self, candidate: Candidate<'_>) -> bool {
        let mut messages = candidate.texts_with_cause().map(|(_, text)| text);
        match self {
            Self::Pattern(pattern) if pattern.stays_on_line() => pattern.is_match(candidate.text()),
            Self::Pattern(pattern) => messages.any(|text| pattern.is_match(text)),
            Self::Literal(literal) => messages.any(|text| literal.find(text).is_some()),
        }
    }
}

/// For each key and connector, rules in their order.
#[derive(Debug, Default)]
struct Postings {
    /// By key.
    keys: Vec<Posted>,
    /// For each group, its connector and where its rules begin; one more for the end.
    groups: Vec<(Scope, u32)>,
    posts: Vec<Post>,
}

/// What is under a key.
#[derive(Debug, Clone, Copy)]
enum Posted {
    /// One rule for one connector: most keys are like that, and most of a large set is in no cache.
    One(Scope, Post),
    /// Groups from one place to another.
    Groups(u32, u32),
}

impl Postings {
    fn new(mut posts: Vec<(u32, Scope, Post)>) -> Self {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        posts.sort_unstable();
        posts.dedup();
        let mut postings = Self::default();
        for of_key in posts.chunk_by(|(one, ..), (other, ..)| one == other) {
            let first = count(postings.groups.len());
            let posted = match *of_key {
                [(_, scope, post)] => Posted::One(scope, post),
                _ => {
                    for group in of_key.chunk_by(|(_, one, _), (_, other, _)| one == other) {
                        postings.groups.push((group[0].1, count(postings.posts.len())));
                        postings.posts.extend(group.iter().map(|&(.., post)| post));
                    }
                    Posted::Groups(first, count(postings.groups.len()))
                }
            };
            postings.keys.resize(of_key[0].0 as usize, Posted::Groups(0, 0));
            postings.keys.push(posted);
        }
        postings.groups.push((Scope::MAX, count(postings.posts.len())));
        postings
    }

    /// The rules of a key: those of all connectors, and those of one.
    fn of(&self, key: u32, scope: Scope) -> impl Iterator<Item = &[Post]> {
        let is_for = move |of: Scope| of == 0 || of == scope;
        let (one, groups) = match self.keys.get(key as usize) {
            Some(Posted::One(of, post)) => (is_for(*of).then(|| std::slice::from_ref(post)), 0..0),
            Some(&Posted::Groups(start, end)) => (None, start as usize..end as usize),
            None => (None, 0..0),
        };
        let of_group = |group: usize| &self.posts[self.groups[group].1 as usize..self.groups[group + 1].1 as usize];
        one.into_iter().chain(groups.filter(move |&group| is_for(self.groups[group].0)).map(of_group))
    }

    fn bytes(&self) -> usize {
        self.keys.capacity() * size_of::<Posted>()
            + self.groups.capacity() * 8
            + self.posts.capacity() * size_of::<Post>()
    }
}
