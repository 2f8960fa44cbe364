//! Random numbers: the system's, or a fixed sequence for tests.

use ring::rand::{SecureRandom, SystemRandom};

/// A source of random bytes.
pub(crate) enum Random {
    System(SystemRandom),
    /// SplitMix64: repeatable, and no secret.
    Seeded(u64),
}

// === impl Random ===

impl Random {
    pub fn new(seed: Option<u64>) -> Self {
        seed.map_or_else(|| Self::System(SystemRandom::new()), Self::Seeded)
    }

    /// Fills the buffer; false when the system has no random numbers.
    pub fn fill(&mut self, buffer: &mut [u8]) -> bool {
        match self {
            Self::System(random) => random.fill(buffer).is_ok(),
            Self::Seeded(state) => {
                for chunk in buffer.chunks_mut(8) {
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut z = *state;
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    let bytes = (z ^ (z >> 31)).to_le_bytes();
                    chunk.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
                }
                true
            }
        }
    }

    /// A version 4 UUID.
    pub fn uuid(&mut self) -> Option<String> {
        let mut bytes = [0; 16];
        if !self.fill(&mut bytes) {
            return None;
        }
        let mut number = u128::from_be_bytes(bytes);
        number = number & !(0xf << 76) | (0x4 << 76);
        number = number & !(0x3 << 62) | (0x2 << 62);
        let hex = format!("{number:032x}");
        let parts: Vec<&str> = [0..8, 8..12, 12..16, 16..20, 20..32].into_iter().filter_map(|range| hex.get(range)).collect();
        Some(parts.join("-"))
    }
}
