//! All integration tests in one binary: tests are data, each case is a named trial.
//!
//! `cargo test DSEX002` runs the trials of one code, `cargo test lints/` those of all lints.

mod cli;
mod codes;
mod contributing;
mod engine;
mod failures;
mod limits;
mod lints;
mod matcher;
mod properties;
mod records;
mod reloads;
mod schema;
mod snapshot;
mod spool;
mod streams;
mod text;
mod tidy;

fn main() {
    let arguments = libtest_mimic::Arguments::from_args();
    let trials = [
        codes::trials(),
        failures::trials(),
        contributing::trials(),
        engine::trials(),
        properties::trials(),
        text::trials(),
        records::trials(),
        reloads::trials(),
        lints::trials(),
        limits::trials(),
        matcher::trials(),
        schema::trials(),
        spool::trials(),
        streams::trials(),
        cli::trials(),
        tidy::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit();
}
