//! The memory of a process over time.

use std::time::Duration;

/// What was seen of it.
#[derive(Debug, Default)]
pub struct Memory {
    /// Seconds, and KiB.
    looks: Vec<(f64, f64)>,
}

const KIB_OF_MB: f64 = 1_000_000.0 / 1_024.0;

// === impl Memory ===

impl Memory {
    pub fn look(&mut self, at: Duration, kib: u64) {
        self.looks.push((at.as_secs_f64(), kib as f64));
    }

    /// By how many MB it grows in an hour: the line with the least squares.
    pub fn slope(&self) -> f64 {
        let count = self.looks.len().max(1) as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| self.looks.iter().map(of).sum::<f64>() / count;
        let (time, size) = (mean(|look| look.0), mean(|look| look.1));
        let together: f64 = self.looks.iter().map(|look| (look.0 - time) * (look.1 - size)).sum();
        let alone: f64 = self.looks.iter().map(|look| (look.0 - time).powi(2)).sum();
        if alone == 0.0 { 0.0 } else { together / alone * 3_600.0 / KIB_OF_MB }
    }

    /// From the first look to the last one.
    pub fn growth_kib(&self) -> i64 {
        match (self.looks.first(), self.looks.last()) {
            (Some(first), Some(last)) => (last.1 - first.1) as i64,
            _ => 0,
        }
    }

    pub fn line(&self) -> String {
        let now = self.looks.last().map_or(0.0, |look| look.1);
        format!("{:.1} MB, {:+.2} MB/h", now / KIB_OF_MB, self.slope())
    }

    pub fn summary(&self) -> String {
        let of = |better: fn(f64, f64) -> f64| self.looks.iter().map(|look| look.1).reduce(better).unwrap_or_default() / KIB_OF_MB;
        let first = self.looks.first().map_or(0.0, |look| look.1) / KIB_OF_MB;
        format!("memory {first:.1} MB after the warm-up, {}; from {:.1} to {:.1} MB", self.line(), of(f64::min), of(f64::max))
    }
}
