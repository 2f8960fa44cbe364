//! Tollgate beside native Envoy filters: the real Envoy with one worker on a core of its own, `wrk` and the backend on another.
//!
//! Absolute times drift on shared machines, so none is compared with another's of a minute ago: a slice of load on the variant
//! stands between two slices on the base, and what is compared is the CPU time that Envoy's threads took for a request. The median
//! over the rounds is told with the quartiles around it. [`comparisons`] says what is set beside what.

#[path = "../../tests/drivers/mod.rs"]
mod drivers;

mod comparisons;
mod configurations;
mod documents;
mod figures;
mod floor;
mod footprint;
mod load;
mod page;
mod process;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use comparisons::Comparison;
use configurations::Configurations;
use drivers::body::Body;
use drivers::case::Request;
use drivers::envoy::workspace;
use drivers::http1;
use figures::{Ratio, Slice, quantile};
use floor::Call;
use footprint::Footprint;
use load::Load;
use process::Envoy;

/// Measures Tollgate beside native Envoy filters.
#[derive(Parser)]
#[command(
    name = "bench",
    after_help = "Examples:\n  make bench\n  make bench ROUNDS=3 ONLY=open\n  make bench PAGE=docs/performance.md   (writes the figures into the page)"
)]
struct Arguments {
    /// Slices of each variant, each between two slices of its base
    #[arg(long, default_value_t = 12)]
    rounds: usize,
    /// Seconds of a slice
    #[arg(long, default_value_t = 1)]
    seconds: u32,
    /// Envoys that are started one after the other for each configuration: where memory lies is luck, too
    #[arg(long, default_value_t = 3)]
    starts: usize,
    /// Comparisons whose names are so, not all
    #[arg(long)]
    only: Vec<String>,
    /// Writes table and picture into this page and beside it
    #[arg(long)]
    page: Option<PathBuf>,
    /// Fails when a ratio is beyond its goal, and not only when something does not work
    #[arg(long)]
    strict: bool,
    /// Fails when start or memory is beyond what it was when it was last measured
    #[arg(long)]
    gate: bool,
    /// What `cargo bench` says to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
}

/// What came of a comparison.
pub struct Measured {
    comparison: Comparison,
    ratio: Ratio,
    /// Microseconds of CPU for a request, variant and base.
    micros: (f64, f64),
}

/// All that came of a run.
#[derive(Default)]
pub struct Figures {
    measured: Vec<Measured>,
    footprint: Option<Footprint>,
    /// What a host call costs, in microseconds.
    crossings: Vec<(Call, f64)>,
}

/// How long a comparison takes.
struct Pace {
    rounds: usize,
    seconds: u32,
    starts: usize,
}

/// On which cores what runs: Envoy on the first, all others on the second, where there are two.
struct Cores {
    envoy: String,
    others: String,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let folder = workspace().join("target/bench");
    std::fs::create_dir_all(&folder).expect("target/ can be written");
    let cores = Cores::of_this_machine();
    let backend = Envoy::start("backend", &configurations::backend(&comparisons::answers()), &cores.others, 1);
    let configurations = Configurations::new(backend.address);
    let is_wanted = |name: &str| arguments.only.is_empty() || arguments.only.iter().any(|only| only == name);
    let mut figures = Figures::default();
    println!("{}", Measured::heading());
    for comparison in comparisons::all(&configurations).into_iter().filter(|comparison| is_wanted(comparison.name)) {
        let one = measure(comparison, &arguments.pace(), &cores, &folder);
        println!("{}", one.line());
        figures.measured.push(one);
    }
    if is_wanted("crossings") {
        println!("\n{:30} {:>8}", "host call", "µs");
        for (call, comparison) in comparisons::crossings(&configurations) {
            let Measured { ratio, micros: (_, without), .. } = measure(comparison, &arguments.quick_pace(), &cores, &folder);
            let cost = (ratio.median - 1.0) * without / f64::from(floor::REPEATS);
            println!("{:30} {cost:>8.2}", call.name());
            figures.crossings.push((call, cost));
        }
    }
    if is_wanted("footprint") {
        let footprint = footprint::measure(&configurations, arguments.starts);
        println!("\n{}", footprint.lines());
        figures.footprint = Some(footprint);
    }
    let grown = figures.footprint.as_ref().filter(|_| arguments.gate).and_then(Footprint::beyond_its_gates);
    if let Some(grown) = grown {
        eprintln!("{grown}");
        return ExitCode::FAILURE;
    }
    if let Some(page) = &arguments.page {
        page::write(page, &figures);
    }
    let missed: Vec<&str> = figures.measured.iter().filter(|one| one.misses()).map(|one| one.comparison.name).collect();
    if missed.is_empty() || !arguments.strict {
        return ExitCode::SUCCESS;
    }
    eprintln!("beyond the goal: {}", missed.join(", "));
    ExitCode::FAILURE
}

fn measure(comparison: Comparison, pace: &Pace, cores: &Cores, folder: &Path) -> Measured {
    let Comparison { name, variant: (_, variant, variant_load), base: (_, base, base_load), .. } = &comparison;
    let scripts = [("variant", variant_load), ("base", base_load)]
        .map(|(side, load)| load.script(&folder.join(format!("{name}-{side}.lua"))));
    let mut rounds: Vec<(f64, f64, f64)> = Vec::new();
    for start in 0..pace.starts {
        let of_start = pace.rounds * (start + 1) / pace.starts - pace.rounds * start / pace.starts;
        let envoys = [("variant", variant), ("base", base)].map(|(side, bootstrap)| Envoy::start(side, bootstrap, &cores.envoy, 1));
        let slice = |side: usize, load: &Load, seconds: u32| {
            let before = envoys[side].cpu();
            let requests = load::send(&cores.others, &scripts[side], load, envoys[side].address, seconds);
            Slice { requests, cpu: envoys[side].cpu().saturating_sub(before) }.micros()
        };
        // What is answered at all, and caches.
        for (side, load) in [(0, variant_load), (1, base_load)] {
            expect(envoys[side].address, load);
            slice(side, load, 1);
        }
        let mut before = slice(1, base_load, pace.seconds);
        for _ in 0..of_start {
            let of_variant = slice(0, variant_load, pace.seconds);
            let after = slice(1, base_load, pace.seconds);
            let of_base = before.midpoint(after);
            rounds.push((of_variant / of_base, of_variant, of_base));
            before = after;
        }
    }
    let column = |pick: fn(&(f64, f64, f64)) -> f64| rounds.iter().map(pick).collect::<Vec<_>>();
    let micros = (quantile(&column(|round| round.1), 0.5), quantile(&column(|round| round.2), 0.5));
    Measured { ratio: Ratio::of(&column(|round| round.0)), micros, comparison }
}

/// One request by hand, for `wrk` knows no more of a status than whether it is an error.
fn expect(address: SocketAddr, load: &Load) {
    let mut request = Request::new(load.method, &load.paths[0]);
    let credential = load.credentials.first().map(|value| ("authorization", value.clone()));
    for (name, value) in load.headers.iter().cloned().chain(credential) {
        request.headers.push((name.to_owned(), value));
    }
    if !load.body.is_empty() {
        request = request.with_body(Body::text(&load.body));
    }
    let answer = http1::exchange(address, &request).expect("it is answered");
    let status = answer.status().expect("a status");
    assert_eq!(status, load.status, "{}", String::from_utf8_lossy(&answer.body));
}

// === impl Arguments ===

impl Arguments {
    fn pace(&self) -> Pace {
        Pace { rounds: self.rounds, seconds: self.seconds, starts: self.starts }
    }

    /// A hundred calls a request are seen at once.
    fn quick_pace(&self) -> Pace {
        Pace { rounds: self.rounds.div_ceil(4), starts: 1, ..self.pace() }
    }
}

// === impl Cores ===

impl Cores {
    fn of_this_machine() -> Self {
        let count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let others = if count > 1 { format!("1-{}", count.min(3) - 1) } else { "0".to_owned() };
        Self { envoy: "0".to_owned(), others }
    }
}

// === impl Measured ===

impl Measured {
    fn misses(&self) -> bool {
        self.comparison.goal.is_some_and(|goal| self.ratio.median > goal)
    }

    /// Small ratios need more of them.
    fn digits(&self) -> usize {
        if self.ratio.median < 0.1 { 4 } else { 2 }
    }

    fn heading() -> String {
        format!("{:15} {:>9} {:>17} {:>7}   {:>8} {:>8}  what", "comparison", "ratio", "quartiles", "goal", "µs", "µs base")
    }

    fn line(&self) -> String {
        let Self { comparison: Comparison { name, variant, base, goal }, ratio, micros } = self;
        let digits = self.digits();
        let goal = goal.map_or(String::new(), |goal| format!("≤ {goal}"));
        let verdict = if self.misses() { " MISSED" } else { "" };
        format!(
            "{name:15} {:>9.digits$} {:>8.digits$}-{:<8.digits$} {goal:>7}   {:>8.2} {:>8.2}  {} / {}{verdict}",
            ratio.median, ratio.low, ratio.high, micros.0, micros.1, variant.0, base.0
        )
    }
}
