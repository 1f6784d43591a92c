//! A line of JSON from anybody: it is read and gets one whole answer, or is refused with a reason.

#![no_main]

use std::sync::LazyLock;

use faultbook::matcher::Matcher;
use faultbook::{RuleSet, read_record};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<RuleSet> = LazyLock::new(RuleSet::builtin);
static MATCHER: LazyLock<Matcher> = LazyLock::new(|| faultbook_fuzz::matcher(&RULES));

fuzz_target!(|line: &[u8]| {
    match read_record(line) {
        Ok(record) => {
            faultbook_fuzz::classify(&RULES, &record.failure);
            faultbook_fuzz::agree(&MATCHER, &record.failure);
        }
        Err(error) => {
            assert!(!error.is_empty(), "refused without a reason");
            assert!(RULES.unreadable(error).error.is_some());
        }
    }
});
