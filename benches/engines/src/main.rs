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

use std::error::Error;

use clock::Moment;
use engine::{Built, Case, Engine};
use faultbook::Rule;
use measure::Plan;
use workload::Workload;

const SIZES: [usize; 3] = [40, 400, 4_000];

type Build = fn(&[Rule]) -> Built;

const ENGINES: &[(&str, Build)] = &[
    ("index", own::index),
    ("loop", naive::naive),
    #[cfg(feature = "tau")]
    ("tau-engine, optimised", tau::optimised),
    #[cfg(feature = "tau")]
    ("tau-engine", tau::plain),
    #[cfg(feature = "cel")]
    ("cel", cel::build),
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("| rules | engine | build ms | mixture ns | times the index | timed on | same answers |");
    println!("|---:|---|---:|---:|---:|---:|---:|");
    for size in SIZES {
        let failures = Workload::new(size, 5).map_err(|error| error.message)?.mixture(256);
        let mut cases: Vec<Case<'_>> = failures.iter().map(Case::new).collect();
        measure::spread(&mut cases);
        cases.iter_mut().enumerate().for_each(|(number, case)| case.number = number);
        let mut engines = Vec::new();
        for (name, build) in ENGINES {
            // Fresh rules for each engine: patterns remember that they were compiled.
            let rules = Workload::new(size, 5).map_err(|error| error.message)?.rules;
            let start = Moment::now();
            let engine = build(&rules).map_err(|error| format!("{name}: {error}"))?;
            engines.push((*name, engine, start.elapsed().as_secs_f64() * 1e3));
        }
        let sample = &cases[..100.min(cases.len())];
        let expected: Vec<_> = sample.iter().map(|case| engines[1].1.first(case)).collect();
        let mut agreed = Vec::new();
        for (name, engine, _) in &mut engines {
            engine.prepare(sample);
            let mut same = 0;
            for (case, expected) in sample.iter().zip(&expected) {
                let answer = engine.first(case);
                if answer == *expected {
                    same += 1;
                } else {
                    eprintln!("{size} rules, {name}: {answer:?} instead of {expected:?}");
                }
            }
            agreed.push(same);
        }
        let mut borrowed: Vec<&mut dyn Engine> = engines.iter_mut().map(|(_, engine, _)| &mut **engine as _).collect();
        let costs = measure::costs(&mut borrowed, &cases, false, &Plan::FULL);
        let index = costs[0].map_or(f64::NAN, |cost| cost.nanoseconds);
        for (((name, _, build), cost), same) in engines.iter().zip(costs).zip(agreed) {
            let (cost, failures) = cost.map_or((f64::NAN, 0), |cost| (cost.nanoseconds, cost.failures));
            let ratio = cost / index;
            let compared = sample.len();
            println!("| {size} | {name} | {build:.1} | {cost:.0} | {ratio:.2} | {failures} | {same} of {compared} |");
        }
    }
    Ok(())
}
