//! A pattern, a glob and a text from anybody: index and loop agree on them.
//!
//! The first line is the pattern, the second the glob, the rest the message.

#![no_main]

use faultbook::{Exception, Failure};
use libfuzzer_sys::fuzz_target;

const CODES: &str = "format = 1\n\n[codes.DSUNK001]\ntitle = \"Unknown\"\nstatus = \"Failed\"\nretry = \"undiagnosed\"\n\
                     meaning = \"-\"\nremedy = [\"-\"]\n\n[codes.DSUNK002]\ntitle = \"Known\"\nstatus = \"Failed\"\n\
                     retry = \"retried\"\nmeaning = \"-\"\nremedy = [\"-\"]\n";

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let (pattern, glob) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let message = lines.next().unwrap_or_default();
    let quoted = |text: &str| format!("\"{}\"", text.escape_debug().to_string().replace("\\'", "'"));
    let exception = Exception {
        type_name: Some(message.lines().next().unwrap_or_default().into()),
        message: Some(message.into()),
        ..Exception::default()
    };
    let failure = Failure { exceptions: vec![exception], ..Failure::default() };
    // Rules need examples; which one wins is not what is asked here, so each is tried as the only condition.
    for condition in [format!("message = {}", quoted(pattern)), format!("exception = {}", quoted(glob))] {
        let text = format!(
            "{CODES}\n[[rules]]\nid = \"r\"\ncode = \"DSUNK002\"\nwhen.{condition}\n\
             examples = [{{ failure = {{ exceptions = [{{ type = {0}, message = {1} }}] }} }}]\n",
            quoted(message.lines().next().unwrap_or_default()),
            quoted(message)
        );
        if let Some(set) = faultbook_fuzz::load(&faultbook_fuzz::sources(&text), None) {
            faultbook_fuzz::agree(&faultbook_fuzz::matcher(&set), &failure);
            faultbook_fuzz::classify(&set, &failure);
        }
    }
});
