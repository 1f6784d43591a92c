//! Rule engines of other makers on the rules and failures of the benchmark, beside the loop and the index.

#![forbid(unsafe_code)]
#![allow(dead_code, reason = "the shared files have parts that only the benchmark itself needs")]

#[cfg(feature = "cel")]
mod cel;
#[path = "../../peers/clock.rs"]
mod clock;
#[path = "../../peers/engine.rs"]
mod engine;
#[path = "../../peers/measure.rs"]
mod measure;
#[path = "../../peers/naive.rs"]
mod naive;
#[path = "../../peers/own.rs"]
mod own;
mod portable;
#[path = "../../peers/prepared.rs"]
mod prepared;
#[cfg(feature = "tau")]
mod tau;
#[path = "../../workload/mod.rs"]
mod workload;
#[cfg(feature = "yara")]
mod yara;

use std::error::Error;
use std::time::Duration;

use clock::Moment;
use engine::{Case, Engine, Entry};
use faultbook::Rule;
use measure::Plan;
use workload::Workload;

const SIZES: [usize; 3] = [40, 400, 4_000];
/// How long the answers of one engine may be compared; the first failures always are.
const COMPARE: Duration = Duration::from_secs(10);

const INDEX: Entry = Entry { name: "index", build: own::index, skip: |_| None };
const OTHERS: &[Entry] = &[
    Entry { name: "loop", build: naive::naive, skip: |_| None },
    #[cfg(feature = "tau")]
    Entry { name: "tau-engine, optimised", build: tau::optimised, skip: |_| None },
    #[cfg(feature = "tau")]
    Entry { name: "tau-engine", build: tau::plain, skip: |_| None },
    #[cfg(feature = "cel")]
    Entry { name: "cel", build: cel::build, skip: |_| None },
    #[cfg(feature = "yara")]
    Entry { name: "yara-x", build: yara::build, skip: |_| None },
];

fn main() -> Result<(), Box<dyn Error>> {
    for (title, with_expressions) in [("All rules", true), ("Rules without regular expressions", false)] {
        println!("{title}:\n");
        println!("| rules | engine | build ms | ns | index ns | times the index | failures | compared |");
        println!("|---:|---|---:|---:|---:|---:|---:|---:|");
        for size in SIZES {
            compare(size, with_expressions)?;
        }
        println!();
    }
    Ok(())
}

/// One row for each engine: its answers, then its time beside that of the index on the same failures.
fn compare(size: usize, with_expressions: bool) -> Result<(), Box<dyn Error>> {
    let failures = Workload::new(size, 5).map_err(|error| error.message)?.mixture(256);
    let mut cases: Vec<Case<'_>> = failures.iter().map(Case::new).collect();
    measure::spread(&mut cases);
    cases.iter_mut().enumerate().for_each(|(number, case)| case.number = number);
    let mut index = (INDEX.build)(&rules(size, with_expressions)?)?;
    for entry in OTHERS {
        let rules = rules(size, with_expressions)?;
        let count = rules.len();
        if let Some(reason) = (entry.skip)(count) {
            println!("| {count} | {} | left out: {reason} |", entry.name);
            continue;
        }
        let start = Moment::now();
        let mut engine = (entry.build)(&rules).map_err(|error| format!("{}: {error}", entry.name))?;
        let build = start.elapsed().as_secs_f64() * 1e3;
        index.prepare(&cases);
        engine.prepare(&cases);
        let mut compared = 0;
        let start = Moment::now();
        for case in cases.iter().take_while(|_| start.elapsed() < COMPARE) {
            let (answer, expected) = (engine.first(case), index.first(case));
            if answer != expected {
                let rule = expected.or(answer).and_then(|rule| rules.get(rule));
                return Err(format!(
                    "{}, {count} rules: {answer:?}, the index says {expected:?}: {rule:?}, {:?}",
                    entry.name, case.failure
                )
                .into());
            }
            compared += 1;
        }
        match pair(&mut *index, &mut *engine, &cases) {
            Some((failures, own, other)) => {
                let ratio = other / own;
                let name = entry.name;
                println!(
                    "| {count} | {name} | {build:.1} | {other:.0} | {own:.0} | {ratio:.2} | {failures} | {compared} |"
                );
            }
            None => println!("| {count} | {} | {build:.1} | more than two seconds for one failure |", entry.name),
        }
    }
    Ok(())
}

/// Fresh rules for each engine: patterns remember that they were compiled.
fn rules(size: usize, with_expressions: bool) -> Result<Vec<Rule>, Box<dyn Error>> {
    let rules = Workload::new(size, 5).map_err(|error| error.message)?.rules;
    if with_expressions {
        return Ok(rules);
    }
    let portable = portable::portable(&rules)?;
    Ok(rules
        .into_iter()
        .zip(portable)
        .filter(|(_, portable)| !portable.has_expression())
        .map(|(rule, _)| rule)
        .collect())
}

/// The nanoseconds of the index and of another engine in turns, and on how many failures: a slow engine gets fewer, and
/// then the index gets no others.
fn pair(index: &mut dyn Engine, other: &mut dyn Engine, cases: &[Case<'_>]) -> Option<(usize, f64, f64)> {
    let mut count = cases.len();
    loop {
        let costs = measure::costs(&mut [&mut *index, &mut *other], &cases[..count], false, &Plan::FULL);
        let [own, other] = costs[..] else { return None };
        let (own, other) = own.zip(other)?;
        if other.failures == count && own.failures == count {
            return Some((count, own.nanoseconds, other.nanoseconds));
        }
        count = (other.failures * 3 / 4).max(1);
    }
}
