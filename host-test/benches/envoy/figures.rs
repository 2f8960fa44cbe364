//! Figures out of rounds. Absolute times drift on shared machines; the ratio of a slice to the slices beside it does not.

use std::time::Duration;

/// What one slice of load did.
#[derive(Debug, Clone, Copy)]
pub struct Slice {
    /// How many requests were answered.
    pub requests: u64,
    /// What the proxy's threads computed meanwhile.
    pub cpu: Duration,
}

/// A ratio, and how sure it is.
#[derive(Debug, Clone, Copy)]
pub struct Ratio {
    /// Half of the rounds have less.
    pub median: f64,
    /// A quarter of the rounds has less.
    pub low: f64,
    /// A quarter of the rounds has more.
    pub high: f64,
}

// === impl Slice ===

impl Slice {
    /// Microseconds of CPU for one request.
    pub fn micros(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "requests are far fewer than 2^52")]
        let requests = self.requests as f64;
        self.cpu.as_secs_f64() * 1e6 / requests
    }
}

// === impl Ratio ===

impl Ratio {
    /// Of each round's ratio.
    pub fn of(ratios: &[f64]) -> Self {
        Self { median: quantile(ratios, 0.5), low: quantile(ratios, 0.25), high: quantile(ratios, 0.75) }
    }
}

/// The value below which this part of the values lies, between its neighbours.
pub fn quantile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a few rounds")]
    let place = part * (sorted.len() - 1) as f64;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in the list")]
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}
