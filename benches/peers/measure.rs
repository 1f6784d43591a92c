//! Fair times on a shared machine: engines take turns in rounds, and the median over the rounds counts.

use std::hint::black_box;
use std::time::Duration;

use super::clock::Moment;
use super::engine::{Case, Engine};

/// How much time a measurement may take.
pub struct Plan {
    /// One turn of an engine.
    pub turn: Duration,
    /// Turns of each engine.
    pub rounds: usize,
    /// What a slow engine gets for one pass; it then sees fewer failures.
    pub pass: Duration,
    /// What a slow engine gets for all its turns; it then has fewer.
    pub budget: Duration,
}

impl Plan {
    pub const FULL: Self = Self {
        turn: Duration::from_millis(15),
        rounds: 9,
        pass: Duration::from_millis(600),
        budget: Duration::from_millis(1_800),
    };
    pub const QUICK: Self = Self {
        turn: Duration::from_millis(4),
        rounds: 5,
        pass: Duration::from_millis(120),
        budget: Duration::from_millis(350),
    };
}

/// The cost of one classification.
#[derive(Clone, Copy)]
pub struct Cost {
    pub nanoseconds: f64,
    /// Over how many different failures.
    pub failures: usize,
}

/// The cost of each engine on the same cases; none for an engine whose first answer already takes seconds.
pub fn costs(engines: &mut [&mut dyn Engine], cases: &[Case<'_>], whole: bool, plan: &Plan) -> Vec<Option<Cost>> {
    for engine in engines.iter_mut() {
        engine.prepare(cases);
    }
    let mut turns: Vec<Option<Turns>> =
        engines.iter_mut().map(|engine| Turns::plan(&mut **engine, cases, whole, plan)).collect();
    for _ in 0..plan.rounds {
        for (engine, turns) in engines.iter_mut().zip(&mut turns) {
            if let Some(turns) = turns.as_mut().filter(|turns| turns.spent < plan.budget) {
                turns.take(&mut **engine, cases, whole);
            }
        }
    }
    turns.into_iter().map(|turns| turns.map(Turns::cost)).collect()
}

/// The turns of one engine.
struct Turns {
    failures: usize,
    passes: usize,
    spent: Duration,
    samples: Vec<f64>,
}

impl Turns {
    /// A first pass warms caches and shows how many failures fit; a second one shows how many passes make a turn.
    fn plan(engine: &mut dyn Engine, cases: &[Case<'_>], whole: bool, plan: &Plan) -> Option<Self> {
        let start = Moment::now();
        let mut failures = 0;
        while failures < cases.len() && start.elapsed() < plan.pass {
            pass(engine, &cases[failures..=failures], whole);
            failures += 1;
        }
        if failures <= 1 && start.elapsed() > Duration::from_secs(2) {
            return None;
        }
        let start = Moment::now();
        pass(engine, &cases[..failures], whole);
        let passes = plan.turn.as_nanos() / start.elapsed().as_nanos().max(1);
        let passes = usize::try_from(passes).unwrap_or(1).clamp(1, 100_000);
        Some(Self { failures, passes, spent: Duration::ZERO, samples: Vec::new() })
    }

    fn take(&mut self, engine: &mut dyn Engine, cases: &[Case<'_>], whole: bool) {
        let start = Moment::now();
        for _ in 0..self.passes {
            pass(engine, &cases[..self.failures], whole);
        }
        let time = start.elapsed();
        self.spent += time;
        self.samples.push(time.as_nanos() as f64 / (self.failures * self.passes) as f64);
    }

    fn cost(self) -> Cost {
        Cost { nanoseconds: median(self.samples), failures: self.failures }
    }
}

fn pass(engine: &mut dyn Engine, cases: &[Case<'_>], whole: bool) {
    for case in cases {
        black_box(if whole { engine.first_of(black_box(case.failure)) } else { engine.first(black_box(case)) });
    }
}

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

/// Puts cases in an order of which every beginning has short and long ones in about the same share as the whole: slow
/// engines see only the beginning.
pub fn spread(cases: &mut Vec<Case<'_>>) {
    cases.sort_by_key(|case| case.facts.texts.iter().map(|text| text.len()).sum::<usize>());
    let bits = usize::BITS - cases.len().next_power_of_two().leading_zeros() - 1;
    let mut order: Vec<usize> =
        (0..1_usize << bits).map(|place| place.reverse_bits() >> (usize::BITS - bits.max(1))).collect();
    order.retain(|&place| place < cases.len());
    let mut left: Vec<Option<Case<'_>>> = cases.drain(..).map(Some).collect();
    // From the middle, so that the first one is an ordinary one.
    let half = left.len() / 2;
    cases.extend(order.into_iter().filter_map(|place| {
        let place = (place + half) % left.len();
        left[place].take()
    }));
}
