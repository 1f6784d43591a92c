//! A rule file from anybody: it loads with its examples proven, or is rejected with a reason that points somewhere.

#![no_main]

use faultbook::Failure;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Some(set) = faultbook_fuzz::load(&faultbook_fuzz::sources(text), None) {
        let matcher = faultbook_fuzz::matcher(&set);
        for code in set.codes() {
            for failure in set.examples_of(&code.code) {
                faultbook_fuzz::classify(&set, failure);
                faultbook_fuzz::agree(&matcher, failure);
            }
        }
        faultbook_fuzz::classify(&set, &Failure::default());
    }
});
