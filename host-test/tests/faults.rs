//! Faults under load: a real Envoy with two workers and the shipped listener, mixed traffic through it, and one thing after another
//! that goes wrong while it flows. Before, during and after each of them every request has to be answered as the documents say.
//! `make faults` runs each for 30 seconds, `cargo test` for a moment. Needs ENVOY and two modules, the shipped one and one that traps
//! on demand: `make build wasm-trap` makes them.

mod drivers;
mod process;
mod traffic;

#[path = "faults/mod.rs"]
mod faults;
#[path = "ratelimit/service.rs"]
mod service;

use std::process::ExitCode;

use clap::Parser;

/// What goes wrong, for how long, under which load.
#[derive(Debug, Parser)]
#[command(name = "faults", about = "Lets things go wrong behind and inside a real Envoy under load, and judges every answer")]
struct Arguments {
    /// How long each fault lasts, in seconds
    #[arg(long, default_value_t = 1.0, value_name = "SECONDS")]
    seconds: f64,
    /// Requests a second
    #[arg(long, default_value_t = 200)]
    rate: u64,
    /// Requests that their clients break off, in all
    #[arg(long, default_value_t = 2_000)]
    aborts: u32,
    /// New configurations, a fifth of which is bad
    #[arg(long, default_value_t = 5)]
    swaps: u32,
    /// Traps
    #[arg(long, default_value_t = 3)]
    traps: u32,
    /// Only faults whose names hold one of these
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// The same, as cargo hands it on
    #[arg(hide = true)]
    filter: Vec<String>,
    /// Nothing is captured anyway
    #[arg(long, hide = true)]
    nocapture: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be had");
    runtime.block_on(faults::run(&arguments))
}
