//! From a failure to the first rule that applies.
//!
//! Knows rules and failures as values; knows neither TOML nor how answers are shown. [`RuleSet`](crate::RuleSet) is what
//! programs use; this layer below it is for rules that are made in memory, for benchmarks and for tests.

use std::sync::atomic::{AtomicU64, Ordering};

mod candidate;
mod condition;
mod facts;
mod few;
mod gate;
mod index;
mod lexicon;
mod names;
pub mod plain;
mod runs;
mod scan;
mod sieve;
mod spelling;
mod table;
mod trace;
#[allow(unsafe_code)]
mod vector;

pub use candidate::{Candidate, Cause};
pub use condition::{Witness, captures, witnesses};
pub use lexicon::Lexicon;
pub use names::Name;
pub use trace::{Checked, Hit, Outcome, Selected, check, items, items_on_cause};

pub use crate::model::{
    AttributePattern, Capture, CauseCondition, CausePosition, CodePattern, Condition, Fact, Literal, Pattern,
    PatternError, PatternErrorKind, Quantifier, StatusPattern, TypeName, TypePattern, Values,
};

use crate::model::{Failure, Rule};
use facts::{Facts, Folded};
pub(crate) use index::Tried;
use index::{Index, Room};
pub(crate) use spelling::{Near, Texts, near, near_word};
pub(crate) use trace::{Wanted, holds_on};

/// Rules in their order, ready to be matched: immutable, shared by as many threads as there are.
///
/// ```
/// use faultbook::matcher::{Lexicon, Matcher, Scratch};
/// use faultbook::{Failure, RuleSet};
///
/// let matcher = Matcher::new(RuleSet::builtin().rules().to_vec(), Lexicon::default());
/// let failure = Failure { connector: Some("exchange".into()), provider_codes: vec!["AADSTS7000222".into()], ..Failure::default() };
/// let mut scratch = Scratch::default();
/// let first = matcher.first(&failure, None, &mut scratch);
/// assert_eq!(first.map(|rule| matcher.rules()[rule].code.as_str()), Some("DSEX001"));
/// ```
#[derive(Debug)]
pub struct Matcher {
    /// Tells the memory of one matcher from that of another.
    id: u64,
    rules: Vec<Rule>,
    lexicon: Lexicon,
    index: Index,
}

/// Memory that matching uses again for the next failure: after the first few, matching allocates nothing.
///
/// One for each thread. It takes a few times the longest failure that it has seen, and remembers some thousand types.
#[derive(Debug, Default)]
pub struct Scratch {
    facts: Facts,
    work: Work,
    /// The matcher whose knowledge it holds.
    of: u64,
}

impl Scratch {
    /// The facts that were read last, once more, for the same failure: for whoever keeps them and matches nothing.
    #[must_use]
    pub fn candidate<'s>(&'s self, failure: &'s Failure<'_>) -> Candidate<'s> {
        Candidate::new(failure, &self.facts)
    }

    /// The facts that were read last, once more, for the same failure; its messages are looked through anew.
    pub fn facts_of<'s>(&'s mut self, failure: &'s Failure<'_>) -> (Candidate<'s>, &'s mut Work) {
        self.work.forget();
        (Candidate::new(failure, &self.facts), &mut self.work)
    }
}

/// What matching a candidate needs beside its facts.
#[derive(Debug, Default)]
pub struct Work {
    folded: Folded,
    room: Room,
}

impl Work {
    /// Forgets the candidate that was matched last; the memory stays.
    pub fn forget(&mut self) {
        self.folded.forget();
    }
}

impl Matcher {
    /// Files the rules. The time it takes grows with their number; patterns are compiled when they are first needed.
    #[must_use]
    pub fn new(rules: Vec<Rule>, lexicon: Lexicon) -> Self {
        static MATCHERS: AtomicU64 = AtomicU64::new(1);
        let index = Index::new(&rules);
        Self { id: MATCHERS.fetch_add(1, Ordering::Relaxed), rules, lexicon, index }
    }

    /// The rules, in the order in which they are tried.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The first rule that applies to a failure, by its place. `stated` is what the failure's `text` says explicitly.
    #[must_use]
    pub fn first(&self, failure: &Failure<'_>, stated: Option<&Failure<'_>>, scratch: &mut Scratch) -> Option<usize> {
        let (candidate, work) = self.facts(failure, stated, scratch);
        self.first_of(candidate, work)
    }

    /// The facts of a failure, and room for matching them.
    pub fn facts<'s>(
        &self,
        failure: &'s Failure<'_>,
        stated: Option<&Failure<'_>>,
        scratch: &'s mut Scratch,
    ) -> (Candidate<'s>, &'s mut Work) {
        if scratch.of != self.id {
            scratch.facts.forget();
            scratch.of = self.id;
        }
        let scope = self.index.scope_of(failure);
        let known = (&self.lexicon, self.index.types());
        scratch.facts.read(failure, stated, scope, known, &mut scratch.work.folded);
        (Candidate::new(failure, &scratch.facts), &mut scratch.work)
    }

    /// The first rule that applies to facts of this matcher, by its place.
    #[must_use]
    pub fn first_of(&self, candidate: Candidate<'_>, work: &mut Work) -> Option<usize> {
        self.index.first(&self.rules, candidate, &mut work.folded, &mut work.room)
    }

    /// The patterns and literals that messages are tried for because nothing else leads to their rules.
    pub(crate) fn tried_patterns(&self) -> impl Iterator<Item = Tried<'_>> {
        self.index.tried()
    }

    /// Whether rules are for the connector of a failure; any will do when no rule is for one.
    pub(crate) fn knows_connector(&self, candidate: Candidate<'_>) -> bool {
        self.index.knows_connector(candidate)
    }

    /// Bytes of the look-ups, roughly; without the rules and their compiled patterns.
    #[must_use]
    pub fn index_bytes(&self) -> usize {
        self.index.bytes()
    }
}
