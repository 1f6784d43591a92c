//! The tables, and the goals.

use super::measure::Cost;
use super::world::COLUMNS;

/// Everything that was measured.
#[derive(Default)]
pub struct Results {
    pub rows: Vec<Row>,
    /// Milliseconds to compile the message patterns one by one, for each number of rules.
    pub compile_milliseconds: Vec<(usize, f64)>,
}

/// One engine at one number of rules.
pub struct Row {
    pub rules: usize,
    pub engine: &'static str,
    pub build_milliseconds: f64,
    pub costs: Vec<Option<Cost>>,
    pub bytes: Option<usize>,
    left_out: Option<String>,
}

impl Row {
    pub fn new(rules: usize, engine: &'static str, build_milliseconds: f64) -> Self {
        Self { rules, engine, build_milliseconds, costs: Vec::new(), bytes: None, left_out: None }
    }

    pub fn left_out(rules: usize, engine: &'static str, reason: String) -> Self {
        Self { left_out: Some(reason), ..Self::new(rules, engine, f64::NAN) }
    }
}

impl Results {
    /// Nanoseconds of an engine in a column.
    pub fn cost(&self, engine: &str, rules: usize, column: usize) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.engine == engine && row.rules == rules)?;
        Some((*row.costs.get(column)?)?.nanoseconds)
    }

    /// How many times the cost of the index another engine has.
    fn times(&self, engine: &str, rules: usize, column: usize) -> Option<f64> {
        Some(self.cost(engine, rules, column)? / self.cost(INDEX, rules, column)?)
    }

    /// The numbers of rules, ascending.
    pub fn sizes(&self) -> Vec<usize> {
        let mut sizes: Vec<_> = self.compile_milliseconds.iter().map(|(size, _)| *size).collect();
        sizes.sort_unstable();
        sizes
    }
}

const INDEX: &str = "index";
const MIXTURE: usize = 0;
const MISS: usize = 2;

pub fn head() {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    println!("| rules | engine | build ms | {} | bytes |", names.join(" | "));
    println!("|---:|---|{}", "---:|".repeat(names.len() + 2));
}

/// One line of the table; `~` is before numbers that stand on a part of the failures.
pub fn row(row: &Row) {
    if let Some(reason) = &row.left_out {
        let reason = reason.lines().next().unwrap_or_default();
        println!("| {} | {} | left out: {reason} |", grouped(row.rules as f64), row.engine);
        return;
    }
    let most = |column: usize| if COLUMNS[column].1 == 0 { 512 } else { 8 };
    let costs = row.costs.iter().enumerate().map(|(column, cost)| match cost {
        Some(cost) if cost.failures < most(column) => format!("~{}", grouped(cost.nanoseconds)),
        Some(cost) => grouped(cost.nanoseconds),
        None => "–".to_owned(),
    });
    let bytes = row.bytes.map_or_else(|| "–".to_owned(), |bytes| grouped(bytes as f64));
    println!(
        "| {} | {} | {:.1} | {} | {bytes} |",
        grouped(row.rules as f64),
        row.engine,
        row.build_milliseconds,
        costs.collect::<Vec<_>>().join(" | ")
    );
}

/// How many times the cost of the index the others have, and how the index grows.
pub fn ratios(results: &Results) {
    let names: Vec<&str> = COLUMNS.iter().map(|(name, ..)| *name).collect();
    println!("\nTimes the cost of the index:\n\n| rules | engine | {} |", names.join(" | "));
    println!("|---:|---|{}", "---:|".repeat(names.len()));
    for row in results.rows.iter().filter(|row| row.engine != INDEX && row.left_out.is_none()) {
        let ratios: Vec<String> = (0..COLUMNS.len())
            .map(|column| results.times(row.engine, row.rules, column).map_or_else(|| "–".to_owned(), times))
            .collect();
        println!("| {} | {} | {} |", grouped(row.rules as f64), row.engine, ratios.join(" | "));
    }
    for &size in &results.sizes() {
        let floor = results.times("floor", size, MISS).map_or_else(|| "–".to_owned(), |ratio| times(ratio.recip()));
        println!(
            "{}miss of 1,000 B at {} rules: {floor} the floor",
            if size == results.sizes()[0] { "\n" } else { "" },
            grouped(size as f64)
        );
    }
}

/// Each goal with what was measured.
pub fn goals(results: &Results) {
    println!("\nGoals:\n");
    for (rules, engine, goal) in [
        (40, "loop", 2.5),
        (40, "RegexSet", 10.0),
        (4_000, "loop", 60.0),
        (4_000, "regex-filtered", 50.0),
        (4_000, "RegexSet", 1_000.0),
        (40_000, "loop", 1_500.0),
    ] {
        let text = format!("{} rules, mixture: at least {goal} times as fast as {engine}", grouped(f64::from(rules)));
        let rules = usize::try_from(rules).unwrap_or_default();
        let measured = results.times(engine, rules, MIXTURE);
        let besides = results.times(engine, rules, MISS).map(|ratio| format!("; miss 1,000 B {}", times(ratio)));
        goal_line(&text, measured, besides.as_deref(), |ratio| ratio >= goal);
    }
    let growth =
        results.cost(INDEX, 40_000, MISS).zip(results.cost(INDEX, 40, MISS)).map(|(large, small)| large / small);
    goal_line("miss 1,000 B: at most 8 times from 40 to 40,000 rules", growth, None, |ratio| ratio <= 8.0);
    let cells = results.sizes().into_iter().flat_map(|size| (0..COLUMNS.len()).map(move |column| (size, column)));
    let worst = cells
        .filter_map(|(size, column)| Some((results.times("loop", size, column)?, size, column)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let place = worst.map(|(_, size, column)| format!(" ({} rules, {})", grouped(size as f64), COLUMNS[column].0));
    goal_line("never slower than the loop", worst.map(|worst| worst.0), place.as_deref(), |ratio| ratio >= 1.0);
    let above_floor = results.times("floor", 40, MISS).map(f64::recip);
    goal_line("40 rules, miss 1,000 B: at most 3 times the floor", above_floor, None, |ratio| ratio <= 3.0);
    let row = results.rows.iter().find(|row| row.engine == INDEX && row.rules == 4_000);
    let compiled = results.compile_milliseconds.iter().find(|(size, _)| *size == 4_000);
    let share = row.zip(compiled).map(|(row, (_, compiled))| row.build_milliseconds / compiled);
    goal_line("4,000 rules: built in at most a quarter of compiling their patterns", share, None, |ratio| {
        ratio <= 0.25
    });
}

fn goal_line(text: &str, measured: Option<f64>, besides: Option<&str>, met: impl Fn(f64) -> bool) {
    let Some(ratio) = measured else {
        println!("- {text}: not measured");
        return;
    };
    let verdict = if met(ratio) { "met" } else { "NOT met" };
    println!("- {text}: {}{}, {verdict}", times(ratio), besides.unwrap_or_default());
}

fn times(ratio: f64) -> String {
    if ratio >= 10.0 { format!("{}×", grouped(ratio)) } else { format!("{ratio:.2}×") }
}

/// A whole number with commas.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut out = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
