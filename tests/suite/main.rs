//! All integration tests in one binary: tests are data, each case is a named trial.
//!
//! `cargo test DSEX002` runs the trials of one code, `cargo test lints/` those of all lints.

mod against;
mod cli;
mod codes;
mod conformance;
mod contributing;
mod drafts;
mod engine;
mod failures;
#[cfg(target_os = "linux")]
mod faults;
mod inputs;
mod layout;
mod limits;
mod lints;
mod matcher;
mod process;
mod proof;
mod properties;
mod records;
mod reloads;
mod reports;
mod schema;
#[cfg(unix)]
mod service;
mod snapshot;
mod spool;
mod streams;
mod text;
mod tidy;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = [
        against::trials(),
        codes::trials(),
        conformance::trials(),
        failures::trials(),
        contributing::trials(),
        drafts::trials(),
        engine::trials(),
        proof::trials(),
        properties::trials(),
        text::trials(),
        inputs::trials(),
        records::trials(),
        reloads::trials(),
        reports::trials(),
        lints::trials(),
        layout::trials(),
        limits::trials(),
        matcher::trials(),
        schema::trials(),
        spool::trials(),
        streams::trials(),
        cli::trials(),
        tidy::trials(),
    ];
    #[allow(unused_mut, reason = "the fault bed needs Linux")]
    let mut trials: Vec<_> = trials.into_iter().flatten().collect();
    #[cfg(target_os = "linux")]
    {
        let names: Vec<String> = trials.iter().map(|trial| trial.name().to_owned()).collect();
        trials.extend(faults::trials(&names));
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    conclusion.exit_if_failed();
    #[cfg(target_os = "linux")]
    if let Err(error) = faults::write_table() {
        let _ = std::io::Write::write_all(&mut std::io::stderr(), format!("{error}\n").as_bytes());
        std::process::exit(1);
    }
    conclusion.exit();
}
