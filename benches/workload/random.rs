//! Small seeded random numbers: the same workload on every machine.

/// A xorshift generator with a multiplied output.
pub struct Random(u64);

impl Random {
    /// A generator of its own for each seed; near seeds give unrelated numbers.
    pub fn new(seed: u64) -> Self {
        let mut random = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        (0..8).for_each(|_| _ = random.next());
        random
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `end`; zero when there is none.
    pub fn below(&mut self, end: usize) -> usize {
        let high = (u128::from(self.next()) * end as u128) >> 64;
        usize::try_from(high).unwrap_or(0)
    }

    /// A number between both ends, both included.
    pub fn within(&mut self, first: usize, last: usize) -> usize {
        first + self.below(last + 1 - first)
    }

    /// True in `percent` of a hundred cases.
    pub fn percent(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the items.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len())]
    }

    /// A length around `median`, log-normal with the given spread.
    pub fn length(&mut self, median: f64, spread: f64) -> usize {
        // Twelve uniform numbers make a good enough normal one.
        let uniform = (0..12).map(|_| self.below(1_000_000) as f64 / 1e6).sum::<f64>();
        (median * ((uniform - 6.0) * spread).exp()) as usize
    }

    /// The items in random order.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}
