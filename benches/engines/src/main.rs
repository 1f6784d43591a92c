//! Rule engines of other makers on the rules and failures of the benchmark, beside the loop and the index.

#![forbid(unsafe_code)]
#![allow(clippy::cast_precision_loss, reason = "times and counts are far below the precision of a float")]
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
#[cfg(feature = "zen")]
mod zen;

use std::error::Error;
use std::time::Duration;

use clock::Moment;
use engine::{Built, Case, Engine};
use faultbook::Rule;
use measure::Plan;
use workload::Workload;

const SIZES: [usize; 3] = [40, 400, 4_000];
/// How long the answers of one engine may be compared.
const COMPARE: Duration = Duration::from_secs(30);
/// Enough for a tenth of a second for each failure.
const PLAN: Plan = Plan { pass: Duration::from_secs(30), budget: Duration::from_secs(10), ..Plan::FULL };

type Build = fn(&[Rule]) -> Built;

const OTHERS: &[(&str, Build)] = &[
    ("loop", naive::naive),
    #[cfg(feature = "tau")]
    ("tau-engine, optimised", tau::optimised),
    #[cfg(feature = "tau")]
    ("tau-engine", tau::plain),
    #[cfg(feature = "cel")]
    ("cel", cel::build),
    #[cfg(feature = "yara")]
    ("yara-x", yara::build),
    #[cfg(feature = "zen")]
    ("zen-engine", zen::build),
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
    let own = rules(size, with_expressions)?;
    let count = own.len();
    let start = Moment::now();
    let mut index = own::index(&own)?;
    println!("| {count} | index | {:.1} | | | | | |", milliseconds(start));
    for (name, build) in OTHERS {
        let rules = rules(size, with_expressions)?;
        let start = Moment::now();
        let mut engine = build(&rules).map_err(|error| format!("{name}: {error}"))?;
        let built = milliseconds(start);
        index.prepare(&cases);
        engine.prepare(&cases);
        let compared = agree(&mut *index, &mut *engine, &rules, &cases)
            .map_err(|difference| format!("{name}, {count} rules: {difference}"))?;
        print!("| {count} | {name} | {built:.1} | ");
        match pair(&mut *index, &mut *engine, &cases) {
            Some((failures, own, other)) => {
                println!("{other:.0} | {own:.0} | {:.2} | {failures} | {compared} |", other / own);
            }
            None => println!("more than two seconds for one failure | | | | {compared} |"),
        }
    }
    Ok(())
}

/// How many answers are the same as those of the index; the first other one is an error.
fn agree(index: &mut dyn Engine, engine: &mut dyn Engine, rules: &[Rule], cases: &[Case<'_>]) -> Result<usize, String> {
    let start = Moment::now();
    let mut compared = 0;
    for case in cases.iter().take_while(|_| start.elapsed() < COMPARE) {
        let (expected, answer) = (index.first(case), engine.first(case));
        if answer != expected {
            let rule = expected.or(answer).and_then(|rule| rules.get(rule));
            let failure = case.failure;
            return Err(format!("{answer:?}, the index says {expected:?}: {rule:?}, {failure:?}"));
        }
        compared += 1;
    }
    Ok(compared)
}

fn milliseconds(start: Moment) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
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
        let costs = measure::costs(&mut [&mut *index, &mut *other], &cases[..count], false, &PLAN);
        let [own, other] = costs[..] else { return None };
        let (own, other) = own.zip(other)?;
        if other.failures == count && own.failures == count {
            return Some((count, own.nanoseconds, other.nanoseconds));
        }
        count = (other.failures * 3 / 4).max(1);
    }
}
