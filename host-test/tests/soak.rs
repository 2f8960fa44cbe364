//! The gateway for a long time: mixed traffic through a real Envoy with two workers at a share of what it can take, every answer
//! judged, memory watched. `make soak` takes twenty minutes, `cargo test` half of one. Needs ENVOY and the module.

mod drivers;
mod traffic;

#[path = "soak/mod.rs"]
mod soak;

use std::process::ExitCode;

use clap::Parser;

/// For how long, at which share of what the gateway can take.
#[derive(Debug, Parser)]
#[command(name = "soak", about = "Mixed traffic through a real Envoy for a long time; judges every answer, and watches the memory")]
struct Arguments {
    /// How long, in seconds, beside what comes before it
    #[arg(long, default_value_t = 16.0, value_name = "SECONDS")]
    seconds: f64,
    /// How long until memory is looked at, in seconds
    #[arg(long, default_value_t = 5.0, value_name = "SECONDS")]
    warm_up: f64,
    /// Of the saturation, which is measured first
    #[arg(long, default_value_t = 0.6)]
    share: f64,
    /// Requests a second, whatever the share is: a short run has to pass beside whatever else the machine does
    #[arg(long, default_value_t = 300, value_name = "RATE")]
    at_most: u64,
    /// How much the memory may grow, in MB an hour; judged from ten minutes on, since less tells more of chance than of leaks
    #[arg(long, default_value_t = 1.0, value_name = "MB")]
    slope: f64,
    /// Another test, as cargo hands names on: then there is nothing to do
    #[arg(hide = true)]
    filter: Vec<String>,
    /// Nothing is captured anyway
    #[arg(long, hide = true)]
    nocapture: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if !arguments.filter.is_empty() && !arguments.filter.iter().any(|name| "soak".contains(name.as_str())) {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads can be had");
    runtime.block_on(soak::run(&arguments))
}
