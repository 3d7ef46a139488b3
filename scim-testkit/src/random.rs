//! Numbers that follow from a seed, for tests that print the seed of what failed.

/// A generator of numbers. One seed gives one series, on every machine and in every version.
///
/// ```
/// use scim_testkit::random::Random;
///
/// let draw = || {
///     let mut random = Random::new(7);
///     [random.below(100), random.one(&[10, 20, 30])]
/// };
/// assert_eq!(draw(), draw());
/// ```
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The series of a seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number from 0 on and below `end`; 0 if `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end.max(1)
    }

    /// One of some values.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[expect(clippy::indexing_slicing, reason = "the failure of a test")]
    pub fn one<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())].clone()
    }

    /// Whether one case in so many is drawn.
    pub fn chance(&mut self, cases: usize) -> bool {
        self.below(cases) == 0
    }
}
