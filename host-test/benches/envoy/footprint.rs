//! Start-up and memory beside a bare Envoy.

use std::time::Duration;

use super::configurations::Configurations;
use super::documents::routes;
use super::figures::quantile;
use super::process::Envoy;

/// Routes of the large document.
const ROUTES: usize = 10_000;

/// Megabytes over a bare Envoy at which something is wrong with 10,000 routes, and with each worker more: what was measured, and a
/// fifth. The goals are far below; docs/performance.md says what the memory is made of.
const GATES: (f64, f64) = (185.0, 19.0);

/// What each megabyte is.
const MEGABYTE: f64 = 1_048_576.0;

/// Seconds from start to readiness and megabytes held, medians of several starts.
#[derive(Debug, Clone, Copy)]
struct Started {
    ready: f64,
    resident: f64,
}

/// By configuration and number of workers.
pub struct Footprint {
    bare: Started,
    small: Started,
    large: Started,
    large_with_more: Started,
}

/// How many workers more the last one has than the others, which have two.
const MORE: u32 = 2;

/// Starts each so many times; the median counts.
pub fn measure(configurations: &Configurations, starts: usize) -> Footprint {
    let [small, large] = [10, ROUTES].map(|count| configurations.tollgate(&routes(count)));
    let all = [(configurations.bare(), 2), (small, 2), (large.clone(), 2), (large, 2 + MORE)];
    let [bare, small, large, large_with_more] = all.map(|(bootstrap, workers)| {
        let starts: Vec<(f64, f64)> = (0..starts)
            .map(|_| {
                let envoy = Envoy::start("footprint", &bootstrap, "0-1", workers);
                std::thread::sleep(Duration::from_millis(300));
                #[expect(clippy::cast_precision_loss, reason = "memory is far below 2^52 bytes")]
                let resident = envoy.resident() as f64;
                (envoy.ready.as_secs_f64(), resident / MEGABYTE)
            })
            .collect();
        let column = |pick: fn(&(f64, f64)) -> f64| quantile(&starts.iter().map(pick).collect::<Vec<_>>(), 0.5);
        Started { ready: column(|start| start.0), resident: column(|start| start.1) }
    });
    Footprint { bare, small, large, large_with_more }
}

// === impl Footprint ===

impl Footprint {
    /// What is measured, its figure with its unit, and its goal.
    pub fn rows(&self) -> Vec<(String, String, &'static str)> {
        let Self { bare, small, large, .. } = self;
        let ready = |what: &str, started: &Started, goal| {
            let figure = format!("{:.2} s, {:.1} times that of a bare Envoy", started.ready, started.ready / bare.ready);
            (format!("ready with 2 workers, {what}"), figure, goal)
        };
        let over = |what: &str, started: &Started, goal| {
            (format!("memory over a bare Envoy, {what}"), format!("{:.1} MB", started.resident - bare.resident), goal)
        };
        let each = self.each_worker_more();
        vec![
            ("ready with 2 workers, bare".to_owned(), format!("{:.2} s", bare.ready), ""),
            ready("10 routes", small, "≤ 1.5 s"),
            ready("10,000 routes", large, "≤ 1.5 s"),
            over("10 routes, 2 workers", small, ""),
            over("10,000 routes, 2 workers", large, "≤ 60 MB"),
            ("memory of each worker more, 10,000 routes".to_owned(), format!("{each:.1} MB"), "≤ 8 MB"),
        ]
    }

    /// What has grown. Start-up is told and not judged: on a busy machine it says nothing.
    pub fn beyond_its_gates(&self) -> Option<String> {
        let over = self.large.resident - self.bare.resident;
        let each = self.each_worker_more();
        let is_within = over <= GATES.0 && each <= GATES.1;
        let (gate, gate_of_each) = GATES;
        (!is_within).then(|| {
            format!("10,000 routes take {over:.1} MB over a bare Envoy, and each worker more {each:.1} MB: at most {gate} and {gate_of_each}")
        })
    }

    fn each_worker_more(&self) -> f64 {
        (self.large_with_more.resident - self.large.resident) / f64::from(MORE)
    }

    /// For a terminal.
    pub fn lines(&self) -> String {
        let line = |(what, figure, goal): (String, String, &str)| format!("{what:45} {figure:45} {goal}");
        self.rows().into_iter().map(line).collect::<Vec<_>>().join("\n")
    }
}
