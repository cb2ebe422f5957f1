//! The module's own random numbers: xoshiro256** seeded by splitmix64.
//!
//! Written here, not taken from a crate, because the generator promises the same bytes for the
//! same seed for ever, and a crate may change its stream between versions.

/// One splitmix64 step: turns any 64 bits into well-mixed 64 bits.
pub(super) fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// xoshiro256**.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    state: [u64; 4],
}

impl Rng {
    /// A stream of its own for each (`seed`, `stream`, `index`).
    pub(super) fn new(seed: u64, stream: u64, index: u64) -> Self {
        let a = mix(seed ^ mix(stream ^ mix(index)));
        let b = mix(a);
        let c = mix(b);
        Self {
            state: [a, b, c, mix(c) | 1],
        }
    }

    pub(super) fn next(&mut self) -> u64 {
        let [a, b, c, d] = &mut self.state;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let t = *b << 17;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= t;
        *d = d.rotate_left(45);
        result
    }

    /// Uniform in `0.0..1.0`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// True with probability `share`.
    pub(super) fn chance(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Uniform in `low..high` (half open).
    pub(super) fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform integer in `low..=high`; `low` when the range is empty.
    pub(super) fn between(&mut self, low: i32, high: i32) -> i32 {
        if high <= low {
            return low;
        }
        let width = (i64::from(high) - i64::from(low) + 1) as u64;
        low + (self.below(width) as i32)
    }

    /// Uniform integer in `0..width` (0 when `width` is 0). The bias of the multiply is below 2⁻³².
    pub(super) fn below(&mut self, width: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(width)) >> 64) as u64
    }

    /// Near-normal with mean 0 and standard deviation 1: the sum of four uniforms, which is quick
    /// and has no far tails (within ±3.5).
    pub(super) fn normal(&mut self) -> f64 {
        let sum = self.unit() + self.unit() + self.unit() + self.unit();
        (sum - 2.0) * 1.732_050_8
    }

    /// A count with mean `mean` (Poisson, by Knuth's product; meant for small means).
    pub(super) fn count(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let mut product = self.unit();
        let mut count = 0;
        while product > limit && count < 64 {
            product *= self.unit();
            count += 1;
        }
        count
    }

    /// One item of a non-empty table.
    pub(super) fn pick<'t, T>(&mut self, table: &'t [T]) -> Option<&'t T> {
        let at = self.below(table.len() as u64) as usize;
        table.get(at)
    }

    /// Position drawn by weight; 0 when all weights are 0.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.unit() * total;
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        0
    }
}
