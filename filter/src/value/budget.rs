//! How much work a request may make before it is refused.

/// What is left to spend, in steps: about 30 ns each in the module, some 250 instructions. What takes longer the longer its text is
/// costs a step for each [`BYTES_A_STEP`] that are copied or scanned, or [`CHARACTERS_A_STEP`] that are looked at one by one.
#[derive(Debug, Clone)]
pub struct Budget {
    steps: u64,
}

/// What a request had too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exhausted {
    /// Steps.
    Steps,
    /// Values within values, or calls within calls.
    Depth,
    /// Text.
    Output,
}

const BYTES_A_STEP: u64 = 64;

const CHARACTERS_A_STEP: u64 = 6;

/// How many times longer a comparison of names takes than a copy, byte for byte.
const COMPARED: usize = 2;

/// How many names are not worth a sorting.
const FEW: usize = 16;

// === impl Budget ===

impl Budget {
    /// What one rendering, or one look at a body, may take: less than 50 ms of a worker.
    pub const DEFAULT_STEPS: u64 = 1_000_000;

    /// So many steps.
    pub fn new(steps: u64) -> Self {
        Self { steps }
    }

    /// Takes steps.
    pub fn spend(&mut self, steps: u64) -> Result<(), Exhausted> {
        let left = self.steps.checked_sub(steps);
        self.steps = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Exhausted::Steps)
    }

    /// Takes the steps of work on so many bytes.
    pub fn spend_bytes(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.spend(1 + bytes as u64 / BYTES_A_STEP)
    }

    /// Takes the steps of work on a text, character by character.
    pub fn spend_characters(&mut self, bytes: usize) -> Result<(), Exhausted> {
        self.spend(1 + bytes as u64 / CHARACTERS_A_STEP)
    }

    /// Takes the steps of putting so many names in order, which have so many bytes together.
    pub fn spend_sorting(&mut self, names: usize, bytes: usize) -> Result<(), Exhausted> {
        let compared = names.max(1).ilog2() as usize + 1;
        // Few are only compared with each other.
        let steps = if names > FEW { names * compared * 3 / 4 } else { names * names / 16 };
        self.spend(steps as u64)?;
        self.spend_bytes(bytes.saturating_mul(compared * COMPARED))
    }

    /// What is left.
    pub fn left(&self) -> u64 {
        self.steps
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::DEFAULT_STEPS)
    }
}

// === impl Exhausted ===

impl std::fmt::Display for Exhausted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Steps => write!(f, "more than {} steps", Budget::DEFAULT_STEPS),
            Self::Depth => f.write_str("nested too deep"),
            Self::Output => f.write_str("too much text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_left_after_a_refusal() {
        let mut budget = Budget::new(3);
        let steps = Err(Exhausted::Steps);
        assert_eq!((budget.spend(2), budget.spend_bytes(64), budget.spend(1)), (Ok(()), steps, steps));
        assert_eq!(budget.left(), 0);
    }
}
