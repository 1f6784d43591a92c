//! What must hold for every set and every failure, whatever the bytes are.

use faultbook::matcher::{Lexicon, Matcher, Scratch, plain};
use faultbook::{Decision, Failure, RuleSet, Sources, render};

const MANIFEST: &str = "format = 1\norder = [\"demo.toml\"]\nfallback = \"DSUNK001\"\nstatuses = [\"Failed\"]\n\n\
                        [families.DSUNK]\ntitle = \"Demo\"\n";

/// A set with one file beside the manifest.
#[must_use]
pub fn sources(demo: &str) -> Sources {
    Sources::from_texts([("faultbook.toml", MANIFEST), ("demo.toml", demo)])
}

/// Loads a set; whatever comes of it can be shown, and a set that loads does so again with the same digest.
#[must_use]
pub fn load(sources: &Sources, before: Option<&RuleSet>) -> Option<RuleSet> {
    let load = |sources: Sources| match before {
        Some(before) => before.load_next(sources),
        None => RuleSet::load(sources),
    };
    match load(sources.clone()) {
        Ok((set, report)) => {
            assert!(!report.has_errors(), "a set with errors loads");
            let again = load(sources.clone()).expect("a set loads only once").0;
            assert_eq!(set.digest(), again.digest(), "the digest of one text differs");
            let empty = set.classify(&Failure::default());
            assert_eq!(*empty.code, set.fallback().code, "nothing is diagnosed");
            Some(set)
        }
        Err(rejected) => {
            let report = rejected.report();
            assert!(report.has_errors(), "a set is rejected without a reason");
            for finding in report.diagnostics() {
                let text = &report.sources().get(finding.primary.span.source).text;
                assert!(text.get(finding.primary.span.range.clone()).is_some(), "a finding points nowhere");
            }
            None
        }
    }
}

/// Classifies a failure and looks at everything that must hold.
pub fn classify(set: &RuleSet, failure: &Failure<'_>) {
    let decision = set.classify(failure);
    assert_eq!(decision, set.classify(failure), "two answers to one failure");
    let code = set.code(decision.code.as_str()).expect("a code that nobody describes");
    assert_eq!((&*decision.status, decision.retry, decision.action), (&*code.status, code.retry, code.action));
    let prefix = format!("[{}] ", decision.code);
    assert!(decision.message.starts_with(&prefix), "a message without its code");
    assert_eq!(decision.unknown_reason.is_some(), decision.rule == "fallback", "a reason without need, or none");
    assert_eq!(decision.log.stack_trace, *decision.code == set.fallback().code);
    one_line(&decision);
}

/// The rules of a set alone.
#[must_use]
pub fn matcher(set: &RuleSet) -> Matcher {
    Matcher::new(set.rules().to_vec(), Lexicon::default())
}

/// The index and the plain loop agree.
pub fn agree(matcher: &Matcher, failure: &Failure<'_>) {
    let mut scratch = Scratch::default();
    let first = matcher.first(failure, None, &mut scratch);
    let (candidate, _) = matcher.facts(failure, None, &mut scratch);
    assert_eq!(first, plain::first(matcher.rules(), candidate), "index and loop differ");
}

fn one_line(decision: &Decision<'_>) {
    let mut line = Vec::new();
    render::json_line(decision, &mut line).expect("memory fails");
    let line = String::from_utf8(line).expect("JSON that is not UTF-8");
    assert!(!line.contains(char::is_control), "a control character in {line}");
    assert!(!render::log_line(decision).contains('\n'), "an event on two lines");
}
