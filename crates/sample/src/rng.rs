//! A small generator of our own: `rand` promises no stable streams across versions, and a resumed training must see what
//! an uninterrupted one would have seen.

/// SplitMix64, after Sebastiano Vigna's public-domain `splitmix64.c` (<https://prng.di.unimi.it/splitmix64.c>).
#[derive(Clone)]
pub(crate) struct Rng(u64);

impl Rng {
    /// A stream of its own for each (seed, purpose, index): nothing has to be carried over an interruption.
    pub(crate) fn of(seed: u64, purpose: Purpose, index: u64) -> Self {
        let mut rng = Self(seed);
        for salt in [purpose as u64, index] {
            rng.0 = rng.next() ^ salt.wrapping_mul(0xD134_2543_DE82_EF95);
        }
        rng
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly from [-1, 1).
    pub(crate) fn signed(&mut self) -> f32 {
        // 24 bits fill an f32's mantissa.
        (self.next() >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }

    /// Evenly from 0..n, by the high half of a product: the bias is below n / 2^64.
    fn below(&mut self, n: usize) -> usize {
        ((u128::from(self.next()) * n as u128) >> 64) as usize
    }

    /// Fisher and Yates.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }
}

/// What a stream is for, so that no two uses share one.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    /// Which digits are set apart; index: the label.
    Split = 1,
    /// The first weights; index: the layer.
    Weights = 2,
    /// Order and distortions; index: the epoch.
    Epoch = 3,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_repeat_and_differ() {
        let draw = |seed, purpose, index| {
            let mut rng = Rng::of(seed, purpose, index);
            [rng.next(), rng.next(), rng.next()]
        };
        assert_eq!(draw(7, Purpose::Epoch, 3), draw(7, Purpose::Epoch, 3));
        assert_ne!(draw(7, Purpose::Epoch, 3), draw(7, Purpose::Epoch, 4));
        assert_ne!(draw(7, Purpose::Epoch, 3), draw(8, Purpose::Epoch, 3));
        assert_ne!(draw(7, Purpose::Epoch, 3), draw(7, Purpose::Split, 3));
    }

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs of splitmix64.c for the state 1234567.
        let mut rng = Rng(1_234_567);
        assert_eq!([rng.next(), rng.next()], [6_457_827_717_110_365_317, 3_203_168_211_198_807_973]);
    }

    #[test]
    fn signed_stays_in_its_range_and_a_shuffle_keeps_everything() {
        let mut rng = Rng::of(1, Purpose::Weights, 0);
        let drawn: Vec<f32> = (0..10_000).map(|_| rng.signed()).collect();
        assert!(drawn.iter().all(|value| (-1.0..1.0).contains(value)));
        assert!(drawn.iter().sum::<f32>().abs() / 10_000.0 < 0.03);
        let mut items: Vec<usize> = (0..100).collect();
        rng.shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
