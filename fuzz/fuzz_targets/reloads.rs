//! Rule files that anybody edits while the engine runs: no code in force vanishes or changes what it means.
//!
//! Each line of the input is one edit of the demo file: a place and what is put there, or cut off.

#![no_main]

use faultbook::RuleSet;
use libfuzzer_sys::fuzz_target;

const DEMO: &str = include_str!("../../tests/reloads/base/exchange.toml");
const UNKNOWN: &str = include_str!("../../tests/reloads/base/shared.toml");
const MANIFEST: &str = include_str!("../../tests/reloads/base/faultbook.toml");
const LEDGER: &str = include_str!("../../tests/reloads/base/ledger.toml");

fuzz_target!(|input: &[u8]| {
    let sources = |demo: &str| {
        faultbook::Sources::from_texts([
            ("faultbook.toml", MANIFEST),
            ("exchange.toml", demo),
            ("ledger.toml", LEDGER),
            ("shared.toml", UNKNOWN),
        ])
    };
    let mut set = RuleSet::load(sources(DEMO)).expect("the base loads").0;
    let mut text = DEMO.to_owned();
    for edit in input.split(|&byte| byte == b'\n').take(16) {
        let [high, low, kind, rest @ ..] = edit else { continue };
        let mut place = (usize::from(*high) * 256 + usize::from(*low)) % (text.len() + 1);
        while !text.is_char_boundary(place) {
            place -= 1;
        }
        let new = String::from_utf8_lossy(rest);
        match kind % 4 {
            0 => text.truncate(place),
            1 => text.insert_str(place, &new),
            2 => {
                let end =
                    text[place..].char_indices().nth(new.chars().count()).map_or(text.len(), |(at, _)| place + at);
                text.replace_range(place..end, &new);
            }
            _ => DEMO.clone_into(&mut text),
        }
        if let Some(next) = faultbook_fuzz::load(&sources(&text), Some(&set)) {
            for code in set.codes() {
                let now = next.code(code.code.as_str()).expect("a code in force is gone");
                assert_eq!((&now.status, now.retry, now.action), (&code.status, code.retry, code.action));
                assert!(code.retired.is_none() || now.retired.is_some(), "a retired code is back");
            }
            set = next;
        }
    }
});
