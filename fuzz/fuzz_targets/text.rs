//! A pasted text from anybody: what it states are facts, and it gets one whole answer.

#![no_main]

use std::sync::LazyLock;

use faultbook::matcher::Matcher;
use faultbook::{Failure, RuleSet, read_text};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);
static MATCHER: LazyLock<Matcher> = LazyLock::new(|| faultbook_fuzz::matcher(&RULES));

fuzz_target!(|text: &str| {
    let stated = read_text(text);
    faultbook_fuzz::agree(&MATCHER, &stated);
    faultbook_fuzz::classify(&RULES, &Failure { text: Some(text.into()), ..Failure::default() });
});
