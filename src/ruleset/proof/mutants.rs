//! Which changes of the rules the cases of a set notice.
//!
//! One rule is changed at a time, so that only its own place has to be tried again: in front of the winner the changed
//! rule may take the failure, in the winner's place it may let it go, and behind the winner nobody asks it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::matcher::{Candidate, plain};
use crate::model::mutation::{self, Mutation};
use crate::model::{MutationKind, Rule, in_parallel};

use super::cases::{Case, applies};
use super::telling::Search;
use super::{KindScore, MutationScore, Reason, RuleProof, Survivor, Telling, Work, place};

/// One changed rule, or a rule that changes places with the next one.
#[derive(Debug)]
struct Mutant {
    rule: usize,
    mutation: Option<Mutation>,
}

enum Verdict {
    Killed,
    Equivalent(String),
    Survived(Option<Box<Telling>>),
}

pub(super) fn score(
    work: &Work<'_>,
    proofs: &mut [RuleProof],
    progress: &(dyn Fn(usize, usize) + Sync),
) -> MutationScore {
    let mutants = all(work);
    let search = Search::new(work);
    let done = AtomicUsize::new(0);
    let verdicts = in_parallel(mutants.len(), 1, |index| {
        let verdict = judge(work, &search, &mutants[index]);
        progress(done.fetch_add(1, Ordering::Relaxed) + 1, mutants.len());
        verdict
    });
    let mut score = MutationScore::default();
    let mut kinds: BTreeMap<MutationKind, KindScore> = BTreeMap::new();
    let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
    for (mutant, verdict) in mutants.iter().zip(verdicts) {
        let kind = mutant.mutation.as_ref().map_or(MutationKind::SwapRules, |mutation| mutation.kind);
        let of_kind = kinds.entry(kind).or_insert(KindScore { kind, mutants: 0, killed: 0, equivalent: 0 });
        of_kind.mutants += 1;
        score.mutants += 1;
        match verdict {
            Verdict::Killed => {
                of_kind.killed += 1;
                score.killed += 1;
                proofs[mutant.rule].killed += 1;
                proofs[mutant.rule].mutants += 1;
            }
            Verdict::Equivalent(reason) => {
                of_kind.equivalent += 1;
                score.equivalent += 1;
                *reasons.entry(reason).or_default() += 1;
            }
            Verdict::Survived(telling) => {
                proofs[mutant.rule].mutants += 1;
                score.survivors.push(survivor(work, mutant, kind, telling.map(|telling| *telling)));
            }
        }
    }
    let order: HashMap<&str, usize> =
        work.rules.iter().enumerate().map(|(place, here)| (here.rule.id.as_str(), place)).collect();
    score.survivors.sort_by_key(|survivor| {
        (
            order.get(survivor.rule.as_str()).copied(),
            survivor.place.start.line,
            survivor.place.start.column,
            survivor.kind,
        )
    });
    score.kinds = kinds.into_values().collect();
    score.reasons = reasons.into_iter().map(|(reason, count)| Reason { reason, count }).collect();
    score
}

/// Every change of every rule that is looked at, in a fixed order.
fn all(work: &Work<'_>) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (rule, here) in work.rules.iter().enumerate().filter(|(rule, _)| work.meant[*rule]) {
        let of_rule = mutation::mutations(here.rule).into_iter();
        mutants.extend(of_rule.map(|mutation| Mutant { rule, mutation: Some(mutation) }));
        if work.rules.get(rule + 1).is_some_and(|next| std::ptr::eq(next.file, here.file)) {
            mutants.push(Mutant { rule, mutation: None });
        }
    }
    mutants
}

fn survivor(work: &Work<'_>, mutant: &Mutant, kind: MutationKind, telling: Option<Telling>) -> Survivor {
    let here = &work.rules[mutant.rule];
    let (span, change) = match &mutant.mutation {
        Some(mutation) => (here.span(mutation.slot), mutation.describe(here.rule)),
        None => {
            let next = work.rules.get(mutant.rule + 1).map_or("", |next| &next.entry.id.value);
            (here.entry.id.span.clone(), format!("behind `{next}`"))
        }
    };
    Survivor { rule: here.rule.id.clone(), place: place(work.sources, &span), kind, change, telling }
}

fn judge(work: &Work<'_>, search: &Search<'_>, mutant: &Mutant) -> Verdict {
    let Some(mutation) = &mutant.mutation else { return judge_swap(work, search, mutant.rule) };
    let rule = work.rules[mutant.rule].rule;
    let changed = mutation.apply(rule);
    let own = |case: &&Case<'_>| case.rule == Some(mutant.rule);
    // Most often one of the rule's own cases notices.
    let cases = work.cases.iter().filter(own).chain(work.cases.iter().filter(|case| !own(case)));
    for case in cases {
        let winner = winner_with(work, mutant.rule, &changed, case.winner, case.candidate());
        let is_noticed = if mutation.kind == MutationKind::DropCapture {
            winner == Some(mutant.rule) && case.message.is_some()
        } else {
            winner != case.winner
        };
        if is_noticed && !fits(work, case, winner, Some((mutant.rule, &changed))) {
            return Verdict::Killed;
        }
    }
    match mutation.equivalence(rule) {
        Some(reason) => Verdict::Equivalent(reason),
        None => Verdict::Survived(search.telling(mutant.rule, mutation, &changed).map(Box::new)),
    }
}

fn judge_swap(work: &Work<'_>, search: &Search<'_>, first: usize) -> Verdict {
    let (one, other) = (work.rules[first].rule, work.rules[first + 1].rule);
    for case in work.cases.iter().filter(|case| case.winner == Some(first)) {
        if applies(other, case.candidate()) && !fits(work, case, Some(first + 1), None) {
            return Verdict::Killed;
        }
    }
    if let Some(reason) = mutation::exclusion(one, other) {
        return Verdict::Equivalent(format!("two neighbors never both apply: {reason}"));
    }
    if one.code == other.code && one.captures.is_empty() && other.captures.is_empty() {
        let reason = "two neighbors give the same code and message; only the name of the rule in the decision changes";
        return Verdict::Equivalent(reason.to_owned());
    }
    Verdict::Survived(search.swap(first).map(Box::new))
}

/// The rule that wins a failure when the rule in one place is another one.
pub(super) fn winner_with(
    work: &Work<'_>,
    place: usize,
    changed: &Rule,
    winner: Option<usize>,
    candidate: Candidate<'_>,
) -> Option<usize> {
    if winner.is_some_and(|winner| winner < place) {
        return winner;
    }
    if applies(changed, candidate) {
        return Some(place);
    }
    if winner != Some(place) {
        return winner;
    }
    plain::first(&work.set.rules()[place + 1..], candidate).map(|next| place + 1 + next)
}

fn fits(work: &Work<'_>, case: &Case<'_>, winner: Option<usize>, changed: Option<(usize, &Rule)>) -> bool {
    case.fits(winner, work.set, || match (winner, changed) {
        (Some(winner), Some((place, changed))) if winner == place => {
            work.set.message_by(place, changed, case.candidate())
        }
        (Some(winner), _) => work.set.message_by(winner, work.rules[winner].rule, case.candidate()),
        (None, _) => work.set.unmatched_message(case.candidate()),
    })
}

#[cfg(test)]
mod tests {
    use super::super::super::{compile, load};
    use super::super::{cases, known_types, rule_entries};
    use super::*;
    use crate::diagnostic::Sources;
    use crate::matcher::Matcher;
    use crate::rulefile::Book;
    use crate::ruleset::RuleSet;

    /// Every changed rule as a set of its own, compiled and asked for every case: what the fast way has to agree with.
    fn is_noticed_by_brute_force(work: &Work<'_>, book: &Book, mutant: &Mutant) -> bool {
        let mut set = compile::compile(book).unwrap_or_else(|| panic!("the set compiled before"));
        let mut rules = set.rules().to_vec();
        match &mutant.mutation {
            Some(mutation) => rules[mutant.rule] = mutation.apply(&rules[mutant.rule]),
            None => {
                rules.swap(mutant.rule, mutant.rule + 1);
                set.code_of_rule.swap(mutant.rule, mutant.rule + 1);
            }
        }
        let manifest = book.manifest.as_ref().unwrap_or_else(|| panic!("the set has a manifest"));
        set.matcher = Matcher::new(rules, compile::lexicon(manifest));
        work.cases.iter().any(|case| {
            let decision = set.classify(&case.failure);
            let place = set.rules().iter().position(|rule| rule.id == decision.rule);
            assert_eq!(plain::first(set.rules(), case.candidate()), place, "loop and index");
            let is_right = match case.rule.filter(|_| case.kind == super::super::CaseKind::Example) {
                Some(rule) => decision.rule == work.rules[rule].rule.id,
                None => decision.code.as_str() == case.code,
            };
            !is_right || case.message.is_some_and(|message| message != decision.message)
        })
    }

    fn agree(sources: Sources, every: usize) -> [usize; 3] {
        let (set, report, book) = load::unproven(sources);
        let set: RuleSet = set.unwrap_or_else(|| panic!("{:?}", report.diagnostics()));
        let rules = rule_entries(&set, &book, report.sources());
        let cases = cases::all(&set, &book);
        let meant = vec![true; rules.len()];
        let types = known_types(&book);
        let work = Work { set: &set, sources: report.sources(), rules: &rules, cases: &cases, meant: &meant, types };
        let search = Search::new(&work);
        let mut verdicts = [0; 3];
        for (index, mutant) in all(&work).iter().enumerate().filter(|(index, _)| index % every == 0) {
            let verdict = judge(&work, &search, mutant);
            let is_noticed = is_noticed_by_brute_force(&work, &book, mutant);
            let rule = &rules[mutant.rule].rule.id;
            assert_eq!(matches!(verdict, Verdict::Killed), is_noticed, "mutant {index} of {rule}: {mutant:?}");
            verdicts[match verdict {
                Verdict::Killed => 0,
                Verdict::Equivalent(_) => 1,
                Verdict::Survived(_) => 2,
            }] += 1;
        }
        verdicts
    }

    #[test]
    fn the_fast_way_agrees_with_compiling_every_changed_set() {
        let weak = [
            ("faultbook.toml", include_str!("../../../tests/proof/weak/faultbook.toml")),
            ("ledger.toml", include_str!("../../../tests/proof/weak/ledger.toml")),
            ("shop.toml", include_str!("../../../tests/proof/weak/shop.toml")),
        ];
        let [killed, _, survived] = agree(Sources::from_texts(weak), 1);
        assert!(killed > 0 && survived > 0, "{killed} killed, {survived} survived");
        // A sample of the built-in rules, the same each time.
        let [killed, equivalent, _] = agree(RuleSet::builtin_sources(), 13);
        assert!(killed > 50 && equivalent > 0, "{killed} killed, {equivalent} equivalent");
    }
}
