//! What keeping an unknown failure costs, for each fsync policy: `cargo bench --bench spool [-- DIR]`.
//!
//! The directory is the one that is measured; the system's temporary directory by default. Figures are the time from
//! the call to the acknowledgement, over all threads.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use faultbook::{Exception, Failure, Fsync, RuleSet, Spool, SpoolOptions};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // `cargo bench` passes `--bench`.
    let parent = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let parent = parent.map_or_else(std::env::temp_dir, PathBuf::from);
    let rules = RuleSet::builtin();
    let failures: Vec<Failure<'static>> = (0..20).map(failure).collect();
    let count: u32 = 100_000;
    let began = Instant::now();
    for index in 0..count {
        std::hint::black_box(rules.classify(&failures[index as usize % failures.len()]));
    }
    print("classify alone", 1, count, began.elapsed());
    let policies = [("os", Fsync::Os, 100_000), ("500ms", Fsync::Interval, 100_000), ("always", Fsync::Always, 2_000)];
    for (name, fsync, count) in policies {
        for threads in [1, 8] {
            let directory = tempfile::tempdir_in(&parent)?;
            let options = SpoolOptions { fsync, deadline: Duration::from_secs(10), ..SpoolOptions::default() };
            let spool = Spool::open(directory.path(), options)?;
            let began = Instant::now();
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for index in 0..count / threads {
                            let failure = &failures[index as usize % failures.len()];
                            spool.keep(&rules, failure, &rules.classify(failure));
                        }
                    });
                }
            });
            print(&format!("classify and keep, {name}"), threads, count, began.elapsed());
            let status = spool.status();
            if status.kept != u64::from(count) {
                return Err(format!("{status:?}").into());
            }
        }
    }
    Ok(())
}

fn failure(number: usize) -> Failure<'static> {
    let word = ["alpha", "bravo", "charlie", "delta"][number % 4];
    Failure {
        connector: Some("exchange".into()),
        operation: Some(["create", "update", "delete", "read", "list"][number / 4].into()),
        exceptions: vec![Exception {
            type_name: Some("Contoso.Sync.OddException".into()),
            message: Some(format!("Item {number} of {word}@contoso.com is {word}: request 3f0c1d8e-5a44-4b7e-9d1a-0c5be2f61a10 failed.").into()),
            ..Exception::default()
        }],
        ..Failure::default()
    }
}

#[expect(clippy::print_stdout, reason = "the figures are what this is for")]
fn print(what: &str, threads: u32, count: u32, took: Duration) {
    println!("{what:<28} {threads:>2} threads {:>10.0} ns each", took.as_secs_f64() * 1e9 / f64::from(count));
}
