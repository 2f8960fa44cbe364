//! Counts and failures of a run: every failure by name, the counts always, and a panic at the end if there was one.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;

/// What a run has found so far.
#[derive(Debug, Default)]
pub struct Report {
    counts: BTreeMap<&'static str, usize>,
    failures: Vec<String>,
}

// === impl Report ===

impl Report {
    /// One more of these.
    pub fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Something went wrong.
    pub fn fail(&mut self, name: &str, what: &str) {
        let mut text = name.to_owned();
        for line in what.lines() {
            let _ = write!(text, "\n    {line}");
        }
        self.failures.push(text);
    }

    /// Prints everything, and panics if anything failed.
    pub fn finish(self, title: &str) {
        let counts: Vec<String> = self.counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
        let mut text = format!("{title}: {}, {} failed\n", counts.join(", "), self.failures.len());
        for failure in &self.failures {
            let _ = writeln!(text, "FAILED {failure}");
        }
        say(&text);
        assert!(self.failures.is_empty(), "{} failed, listed above", self.failures.len());
    }
}

/// Prints past the test harness, which swallows what a passing test prints.
pub fn say(text: &str) {
    std::io::stdout().lock().write_all(text.as_bytes()).expect("there is a standard output");
}
