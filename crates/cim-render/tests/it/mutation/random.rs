//! Random numbers that a seed and a case's number bring back (SplitMix64).

/// A source of random numbers.
pub struct Random(u64);

impl Random {
    /// The source of one case.
    pub fn new(seed: u64, case: u64) -> Self {
        let mut random = Self(seed);
        Self(random.next() ^ case.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// A number from `least` to `most`.
    pub fn between(&mut self, least: i64, most: i64) -> i64 {
        let span = most.wrapping_sub(least).wrapping_add(1) as u64;
        match span {
            0 => self.next() as i64,
            span => least.wrapping_add((self.next() % span) as i64),
        }
    }

    /// Any 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.next()
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of some things.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A text of a few characters: letters, signs that mean something to nats-server, anything.
    pub fn text(&mut self) -> String {
        const SIGNS: &[u8] = b"\"'\\{}[](),;:=#$ \n\r\t\0.*>@/-_%<\x7f";
        let length = self.below(12);
        let kind = self.below(4);
        let mut char = || match kind {
            0 => char::from(*self.pick(SIGNS)),
            1 => char::from(self.below(128) as u8),
            2 => char::from_u32(self.below(0x11_0000) as u32).unwrap_or('\u{fffd}'),
            _ => char::from(b'a' + self.below(26) as u8),
        };
        (0..length).map(|_| char()).collect()
    }
}
