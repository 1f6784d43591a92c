//! Rules on messages and a message from anybody: index and loop agree, among a few rules and among many.
//!
//! Lines up to an empty one are rules: a pattern behind `~`, else a text that is contained. The rest is the message.

#![no_main]

use std::sync::LazyLock;

use faultbook::matcher::{Condition, Lexicon, Literal, Matcher, Pattern, Quantifier, Values};
use faultbook::{Code, Failure, Rule};
use libfuzzer_sys::fuzz_target;

/// Rules that make a set a large one, of which no message is about.
static OTHERS: LazyLock<Vec<Rule>> = LazyLock::new(|| (0..300).filter_map(|n| rule(&format!("other word {n} here"))).collect());

fuzz_target!(|input: &str| {
    let (lines, message) = input.split_once("\n\n").unwrap_or((input, input));
    let rules: Vec<Rule> = lines.lines().take(40).filter_map(rule).collect();
    let failure = Failure { message: Some(message.into()), ..Failure::default() };
    for others in [&[], OTHERS.as_slice()] {
        let matcher = Matcher::new([others, &rules].concat(), Lexicon::default());
        faultbook_fuzz::agree(&matcher, &failure);
    }
});

fn rule(line: &str) -> Option<Rule> {
    let condition = match line.strip_prefix('~') {
        Some(pattern) => Condition::Message(any(Pattern::parse(pattern).ok()?)),
        None => Condition::Contains(any(Literal::parse(line).ok()?)),
    };
    Some(Rule {
        id: line.to_owned(),
        code: Code::parse("DSUNK002")?,
        connectors: Vec::new(),
        when: vec![condition],
        unless: Vec::new(),
        captures: Vec::new(),
    })
}

fn any<T>(item: T) -> Values<T> {
    Values { quantifier: Quantifier::Any, items: vec![item] }
}
