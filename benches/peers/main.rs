//! What one classification costs, beside the engines that one would take otherwise.
//!
//! `cargo bench --bench peers -- --help` says how to run it; `docs/performance.md` says what the rows mean.

#![allow(clippy::cast_precision_loss, reason = "times and counts are far below the precision of a float")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints what it measured")]

mod clock;
mod engine;
mod measure;
mod naive;
mod others;
mod own;
mod plot;
mod prepared;
mod report;
#[path = "../workload/mod.rs"]
mod workload;
mod world;

use std::error::Error;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clock::Moment;
use engine::{Case, Engine, Entry};
use measure::Plan;
use report::{Results, Row};
use workload::Workload;
use world::{COLUMNS, Sets};

const HELP: &str = "\
Measures classification beside other engines, on made-up rules and failures.

cargo bench --bench peers -- [OPTIONS]

  --quick                 about one minute instead of six
  --check                 only compare the answers of all engines at small sizes
  --rules 40,400          numbers of rules (40,400,4000,40000)
  --engines index,loop    only these rows, and the loop
  --without-literal 0     share of patterns without a literal, in percent (5)
  --svg FILE              also draw the plot
  --help                  this text
";

/// The engines, in the order of the table. The first one is compared with all others.
const ENGINES: [Entry; 7] = [
    Entry { name: "index", build: own::index, skip: |_| None },
    Entry { name: "plain", build: own::plain, skip: |_| None },
    Entry { name: LOOP, build: naive::naive, skip: |_| None },
    Entry { name: "RegexSet", build: others::one_set, skip: too_many_for_a_set },
    Entry { name: "RegexSet, 256 MiB", build: others::one_large_set, skip: too_many_for_a_set },
    Entry { name: "regex-filtered", build: others::filtered, skip: |_| None },
    Entry { name: FLOOR, build: others::floor, skip: |_| None },
];

/// The one row that answers nothing.
const FLOOR: &str = "floor";
/// The engine that tells which failures no rule takes.
const LOOP: &str = "loop";
/// The engines whose answers count: the first of them that runs.
const REFERENCES: [&str; 2] = ["plain", LOOP];

fn too_many_for_a_set(rules: usize) -> Option<&'static str> {
    (rules > 10_000).then_some("at 4,000 rules one call already takes up to half a second")
}

struct Options {
    sizes: Vec<usize>,
    /// The engines to measure; empty for all.
    engines: Vec<String>,
    without_literal: usize,
    quick: bool,
    check: bool,
    svg: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = match options(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("{error}\n\n{HELP}");
            return ExitCode::from(2);
        }
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(mut arguments: impl Iterator<Item = String>) -> Result<Option<Options>, Box<dyn Error>> {
    let mut options = Options {
        sizes: vec![40, 400, 4_000, 40_000],
        engines: Vec::new(),
        without_literal: 5,
        quick: false,
        check: false,
        svg: None,
    };
    let mut sizes = None;
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{argument} needs a value"));
        match argument.as_str() {
            // What cargo says to every benchmark.
            "--bench" => {}
            "--help" | "-h" => return Ok(None),
            "--quick" => options.quick = true,
            "--check" => options.check = true,
            "--without-literal" => options.without_literal = value()?.parse()?,
            "--engines" => options.engines = value()?.split(',').map(|name| name.trim().to_owned()).collect(),
            "--svg" => options.svg = Some(value()?.into()),
            "--rules" => {
                let given = value()?.split(',').map(|size| size.trim().parse()).collect::<Result<Vec<usize>, _>>()?;
                if given.iter().any(|size| !(20..=100_000).contains(size)) {
                    return Err("rules: 20 to 100,000".into());
                }
                sizes = Some(given);
            }
            other => return Err(format!("unknown option {other}").into()),
        }
    }
    match sizes {
        Some(sizes) => options.sizes = sizes,
        None if options.check => options.sizes = vec![40, 400],
        None => {}
    }
    Ok(Some(options))
}

fn run(options: &Options) -> Result<(), Box<dyn Error>> {
    if options.check {
        for &size in &options.sizes {
            for without_literal in [options.without_literal, 0] {
                check(size, without_literal, options)?;
            }
        }
        return Ok(());
    }
    let plan = if options.quick { Plan::QUICK } else { Plan::FULL };
    println!("Nanoseconds per classification, medians of processor time on one thread; build in milliseconds.");
    println!("{} % of the patterns have no literal.\n", options.without_literal);
    report::head();
    let mut results = Results::default();
    for &size in &options.sizes {
        let rows = measure_size(size, options, &plan)?;
        for row in rows {
            report::row(&row);
            results.rows.push(row);
        }
        results.compile_milliseconds.push((size, compile_time(size, options.without_literal)?));
    }
    report::ratios(&results);
    report::goals(&results);
    if let Some(path) = &options.svg {
        // Cargo runs benchmarks in the folder of the package.
        std::fs::write(path, plot::svg(&results))?;
        println!("\nPlot: {}", path.display());
    }
    Ok(())
}

/// An engine with its name and the milliseconds that building took.
struct Timed {
    name: &'static str,
    engine: Box<dyn Engine>,
    milliseconds: f64,
}

/// Builds all engines, each from rules that nothing was done with yet.
fn build(
    size: usize,
    without_literal: usize,
    repeat: usize,
    only: &[String],
) -> Result<(Vec<Timed>, Vec<Row>), Box<dyn Error>> {
    let mut engines = Vec::new();
    let mut left_out = Vec::new();
    let is_wanted = |name: &str| only.is_empty() || name == LOOP || only.iter().any(|only| only == name);
    for entry in ENGINES.iter().filter(|entry| is_wanted(entry.name)) {
        let mut reason = (entry.skip)(size).map(str::to_owned);
        let mut times = Vec::new();
        let mut engine = None;
        while reason.is_none() && times.len() < repeat {
            let rules = Workload::new(size, without_literal).map_err(|error| error.message)?.rules;
            let start = Moment::now();
            match (entry.build)(&rules) {
                Ok(built) => {
                    times.push(start.elapsed().as_secs_f64() * 1e3);
                    engine = Some(built);
                }
                Err(error) if entry.name.starts_with("RegexSet") => reason = Some(format!("does not build: {error}")),
                Err(error) => return Err(error),
            }
        }
        match engine {
            Some(engine) if reason.is_none() => {
                engines.push(Timed { name: entry.name, engine, milliseconds: measure::median(times) });
            }
            _ => left_out.push(Row::left_out(size, entry.name, reason.unwrap_or_default())),
        }
    }
    Ok((engines, left_out))
}

/// Milliseconds to compile the message patterns one by one.
fn compile_time(size: usize, without_literal: usize) -> Result<f64, Box<dyn Error>> {
    let rules = Workload::new(size, without_literal).map_err(|error| error.message)?.rules;
    let patterns = prepared::message_patterns(&rules);
    let start = Moment::now();
    for pattern in &patterns {
        std::hint::black_box(regex::Regex::new(pattern)?);
    }
    Ok(start.elapsed().as_secs_f64() * 1e3)
}

/// Compares the answers of all engines with those of the reference; a slow engine sees fewer failures.
fn compare(
    engines: &mut [Timed],
    workload: &Workload,
    sets: &[Vec<Case<'_>>],
    limit: Duration,
) -> Result<(), Box<dyn Error>> {
    let mut answers: Vec<Vec<Option<usize>>> = Vec::new();
    let reference = REFERENCES.iter().find_map(|name| engines.iter().position(|timed| timed.name == *name));
    if let Some(reference) = reference.and_then(|place| engines.get_mut(place)) {
        for set in sets {
            reference.engine.prepare(set);
            let start = Moment::now();
            answers.push(
                set.iter().take_while(|_| start.elapsed() < limit).map(|case| reference.engine.first(case)).collect(),
            );
        }
    }
    let mut compared = Vec::new();
    for timed in engines.iter_mut().filter(|timed| timed.name != FLOOR) {
        let mut count = 0;
        for (set, expected) in sets.iter().zip(&answers) {
            timed.engine.prepare(set);
            let start = Moment::now();
            for (case, expected) in set.iter().zip(expected).take_while(|_| start.elapsed() < limit) {
                let one = std::slice::from_ref(case);
                if let Some(difference) =
                    world::difference(&mut *timed.engine, timed.name, &workload.rules, one, &[*expected])
                {
                    return Err(difference.into());
                }
                count += 1;
            }
        }
        compared.push(format!("{} {count}", timed.name));
    }
    let known = answers.first().map_or(0, |mixture| mixture.iter().flatten().count());
    eprintln!(
        "{} rules: same answers ({}); {known} of {} in the mixture known to a rule",
        report::grouped(workload.rules.len() as f64),
        compared.join(", "),
        answers.first().map_or(0, Vec::len),
    );
    Ok(())
}

fn sets_of(workload: &Workload, engines: &mut [Timed], mixture: usize) -> Result<Sets, Box<dyn Error>> {
    let oracle = engines.iter_mut().find(|timed| timed.name == LOOP).ok_or("there is no loop")?;
    Sets::new(workload, &mut *oracle.engine, mixture)
}

fn prepare(sets: &Sets) -> Vec<Vec<Case<'_>>> {
    let prepared = sets.0.iter().map(|failures| {
        let mut cases: Vec<_> = failures.iter().map(Case::new).collect();
        measure::spread(&mut cases);
        cases.iter_mut().enumerate().for_each(|(number, case)| case.number = number);
        cases
    });
    prepared.collect()
}

fn check(size: usize, without_literal: usize, options: &Options) -> Result<(), Box<dyn Error>> {
    let workload = Workload::new(size, without_literal).map_err(|error| error.message)?;
    let (mut engines, _) = build(size, without_literal, 1, &options.engines)?;
    let sets = sets_of(&workload, &mut engines, 1_000)?;
    compare(&mut engines, &workload, &prepare(&sets), Duration::from_secs(5))
}

fn measure_size(size: usize, options: &Options, plan: &Plan) -> Result<Vec<Row>, Box<dyn Error>> {
    let without_literal = options.without_literal;
    let workload = Workload::new(size, without_literal).map_err(|error| error.message)?;
    let (mut engines, left_out) = build(size, without_literal, if size <= 400 { 7 } else { 1 }, &options.engines)?;
    let sets = sets_of(&workload, &mut engines, 512)?;
    let sets = prepare(&sets);
    compare(&mut engines, &workload, &sets, plan.budget)?;
    let mut rows: Vec<Row> = engines.iter().map(|timed| Row::new(size, timed.name, timed.milliseconds)).collect();
    for (_, set, whole) in COLUMNS {
        let mut borrowed: Vec<&mut dyn Engine> = engines.iter_mut().map(|timed| &mut *timed.engine as _).collect();
        let costs = measure::costs(&mut borrowed, &sets[set], whole, plan);
        rows.iter_mut().zip(costs).for_each(|(row, cost)| row.costs.push(cost));
    }
    for (row, timed) in rows.iter_mut().zip(&engines) {
        row.bytes = timed.engine.bytes();
    }
    rows.extend(left_out);
    rows.sort_by_key(|row| ENGINES.iter().position(|entry| entry.name == row.engine));
    Ok(rows)
}
