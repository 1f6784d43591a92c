//! How slow a pattern can get: the states that its automaton is in at once, on a text that is chosen to make it so.
//!
//! Linear time is not fast time. Where a text drives an automaton through more sets of states than are kept, each byte
//! costs a step for each state that the automaton is in. The number does not depend on the machine or its load.

use regex_automata::nfa::thompson::{Config, NFA, State};
use regex_automata::util::alphabet::Unit;
use regex_automata::util::look::Look;
use regex_automata::util::primitives::StateID;
use regex_syntax::hir::{Hir, HirKind};

/// Bytes of a text behind its beginning.
const STEPS: usize = 256;
/// Bytes after which a text is given up that leads to no more states.
const PATIENCE: usize = 64;
/// Beginnings of texts: the shortest ways to so many states, spread over the automaton.
const BEGINNINGS: usize = 6;
/// Repetitions, counted ones by their count, below which a pattern is not looked at: it cannot get wide.
const REPETITIONS: u32 = 24;
/// Bytes of an automaton; a larger one is refused when it is compiled.
const AUTOMATON_BYTES: usize = 4 * 1024 * 1024;

/// Whether a pattern repeats so much that it may be in many states at once.
pub(super) fn may_be_wide(hir: &Hir) -> bool {
    repetitions(hir, 1) >= REPETITIONS
}

fn repetitions(hir: &Hir, outer: u32) -> u32 {
    match hir.kind() {
        HirKind::Repetition(repetition) => {
            let count = outer.saturating_mul(repetition.max.unwrap_or(repetition.min.max(1)).max(1));
            let is_repeated = repetition.max != Some(1);
            repetitions(&repetition.sub, count).saturating_add(if is_repeated { count } else { 0 })
        }
        HirKind::Capture(capture) => repetitions(&capture.sub, outer),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            parts.iter().fold(0, |sum: u32, part| sum.saturating_add(repetitions(part, outer)))
        }
        HirKind::Empty | HirKind::Literal(_) | HirKind::Class(_) | HirKind::Look(_) => 0,
    }
}

/// The states that the automaton of an expression is in at once, counted up to `enough`. Behind a few beginnings, the byte
/// is taken at each step that leads to the most of them.
pub(super) fn width(expression: &str, enough: usize) -> usize {
    let config = Config::new().nfa_size_limit(Some(AUTOMATON_BYTES));
    let Ok(nfa) = NFA::compiler().configure(config).build(expression) else { return 0 };
    let bytes: Vec<u8> = nfa.byte_classes().representatives(..).filter_map(Unit::as_u8).collect();
    let mut states =
        States { nfa: &nfa, seen: vec![0; nfa.states().len()], mark: 0, is_start: true, stack: Vec::new() };
    let mut widest = 0;
    for beginning in beginnings(&mut states, &bytes) {
        let mut now = states.start();
        for byte in beginning {
            now = states.after(&now, byte);
        }
        let (mut width, mut waited) = (now.len(), 0);
        for _ in 0..STEPS {
            let next = bytes.iter().map(|&byte| states.after(&now, byte));
            // Of equal ones the first: the answer must be the same everywhere.
            now = next.reduce(|best, next| if next.len() > best.len() { next } else { best }).unwrap_or_default();
            waited = if now.len() > width { 0 } else { waited + 1 };
            width = width.max(now.len());
            if now.is_empty() || width >= enough || waited > PATIENCE {
                break;
            }
        }
        widest = widest.max(width);
        if widest >= enough {
            break;
        }
    }
    widest.min(enough)
}

/// The shortest texts that lead to a few states, spread evenly over all that can be reached.
fn beginnings(states: &mut States<'_>, bytes: &[u8]) -> Vec<Vec<u8>> {
    let nfa = states.nfa;
    let mut found: Vec<(StateID, Option<(usize, u8)>)> = Vec::new();
    states.mark += 1;
    states.is_start = true;
    let mut first = Vec::new();
    states.add(nfa.start_anchored(), &mut first);
    found.extend(first.into_iter().map(|id| (id, None)));
    let mut at = 0;
    while let Some(&(state, _)) = found.get(at) {
        for &byte in bytes {
            if let Some(next) = step(nfa, state, byte) {
                let mut reached = Vec::new();
                // The mark stays: each state is reached once, by a shortest way.
                states.add(next, &mut reached);
                found.extend(reached.into_iter().map(|id| (id, Some((at, byte)))));
            }
        }
        at += 1;
    }
    let text = |mut index: usize| {
        let mut text = Vec::new();
        while let Some(&(_, Some((before, byte)))) = found.get(index) {
            text.push(byte);
            index = before;
        }
        text.reverse();
        text
    };
    let gap = found.len().div_ceil(BEGINNINGS).max(1);
    (0..found.len()).step_by(gap).map(text).collect()
}

/// The states that are reached without a byte, each once.
struct States<'n> {
    nfa: &'n NFA,
    seen: Vec<u32>,
    mark: u32,
    /// Whether no byte was taken yet.
    is_start: bool,
    stack: Vec<StateID>,
}

impl States<'_> {
    /// The states at the beginning of a text.
    fn start(&mut self) -> Vec<StateID> {
        let mut set = Vec::new();
        self.mark += 1;
        self.is_start = true;
        self.add(self.nfa.start_unanchored(), &mut set);
        set
    }

    /// The states behind one more byte.
    fn after(&mut self, now: &[StateID], byte: u8) -> Vec<StateID> {
        let mut set = Vec::new();
        self.mark += 1;
        self.is_start = false;
        for next in now.iter().filter_map(|&state| step(self.nfa, state, byte)) {
            self.add(next, &mut set);
        }
        set
    }

    /// Adds the states that take a byte. Boundaries are taken to hold, but for the start of the text behind it.
    fn add(&mut self, start: StateID, set: &mut Vec<StateID>) {
        self.stack.push(start);
        while let Some(id) = self.stack.pop() {
            if std::mem::replace(&mut self.seen[id.as_usize()], self.mark) == self.mark {
                continue;
            }
            match self.nfa.state(id) {
                State::Look { look: Look::Start, .. } if !self.is_start => {}
                State::Look { next, .. } | State::Capture { next, .. } => self.stack.push(*next),
                State::Union { alternates } => self.stack.extend(alternates.iter()),
                State::BinaryUnion { alt1, alt2 } => self.stack.extend([*alt1, *alt2]),
                State::Fail | State::Match { .. } => {}
                State::ByteRange { .. } | State::Sparse(_) | State::Dense(_) => set.push(id),
            }
        }
    }
}

fn step(nfa: &NFA, state: StateID, byte: u8) -> Option<StateID> {
    match nfa.state(state) {
        State::ByteRange { trans } => trans.matches_byte(byte).then_some(trans.next),
        State::Sparse(transitions) => transitions.matches_byte(byte),
        State::Dense(transitions) => transitions.matches_byte(byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{may_be_wide, width};

    #[test]
    fn patterns_that_keep_many_places_are_wide() {
        let of = |expression: &str| {
            let hir = regex_syntax::parse(expression).unwrap_or_else(|error| panic!("{error}"));
            if may_be_wide(&hir) { width(expression, 1_000) } else { 0 }
        };
        assert!(of("[ab]*a[ab]{50}c") > 50);
        assert!(of("(?:.{1,50}x){5}y") > 150);
        assert_eq!(of(r"(?-u)\w+Exception"), 0);
        assert!(of("^[ab]*a[ab]{50}c") > 50);
        assert!(of("^(?:a{20}){50}") < 3);
        assert!(of("secret has (?:.{1,50}x){5}y") > 150);
        assert!(of("service \"[^\"<>]{1,50}\" not found") < 10);
    }
}
