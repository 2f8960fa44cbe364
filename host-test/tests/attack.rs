//! The gateway under attack, in a real Envoy with the shipped listener: hostile bytes in every place that something reads, and the
//! matrix of `bypass.rs` in every setting that Envoy has for paths. Without arguments a short form, which CI runs; `make attack` runs
//! all of it. Needs ENVOY and the module: `make attack` brings both.
//!
//! | file | what it says |
//! |---|---|
//! | `attack/classes` | what is sent: a shot is made of its seed and its number, and can be sent again alone |
//! | `attack/gateway.rs`, `attack/gateway.yaml` | what is attacked |
//! | `attack/shot.rs`, `attack/answer.rs`, `attack/h2.rs` | a client with strict readers of HTTP/1.1 and HTTP/2 |
//! | `attack/upstream.rs`, `attack/wrong_answers.rs` | backends that take nothing which no client was allowed to send, and answer badly |
//! | `attack/hostile.rs` | batches, what must hold behind each, the table |
//! | `attack/proof.rs` | that each of these would find something |
//! | `attack/matrix.rs` | who gets past an authorizer |

#[path = "attack/mod.rs"]
mod attack;
#[path = "bypass/mod.rs"]
mod bypass;
mod drivers;

use std::fmt::Write as _;
use std::process::ExitCode;

use attack::{hostile, matrix, proof};
use clap::{Parser, ValueEnum};

/// Sends hostile requests, and the matrix of requests that nobody may send, to a real Envoy.
#[derive(Debug, Parser)]
#[command(
    name = "attack",
    after_help = "examples:\n  cargo test -p tollgate-host --test attack -- --full\n  cargo test -p tollgate-host --test attack -- --seed 7 --number 1234"
)]
struct Arguments {
    /// All of it: 100,000 hostile requests, and the whole matrix in each setting
    #[arg(long)]
    full: bool,
    /// How many hostile requests
    #[arg(long, value_name = "N")]
    requests: Option<u64>,
    /// How many requests of the matrix in each setting
    #[arg(long, value_name = "N")]
    matrix: Option<usize>,
    /// Of the hostile requests; BYPASS_SEED is that of the matrix
    #[arg(long, default_value_t = 20_261_121)]
    seed: u64,
    /// One of the two only
    #[arg(long)]
    only: Option<Part>,
    /// Hostile requests of one class only
    #[arg(long, value_name = "NAME")]
    class: Option<String>,
    /// This hostile request alone, shown
    #[arg(long, value_name = "NUMBER")]
    number: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    Hostile,
    Matrix,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let is_asked = |part: Part| arguments.only.is_none_or(|only| only == part);
    let plan = hostile::Plan {
        seed: arguments.seed,
        first: arguments.number.unwrap_or(0),
        count: arguments.requests.unwrap_or(if arguments.full { 100_000 } else { 6_000 }),
        class: arguments.class.clone(),
    };
    if arguments.number.is_some() {
        let attack = hostile::replay(&hostile::Plan { count: 1, ..plan });
        print!("{}", attack.told());
        return if attack.finds.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let mut is_broken = false;
    if is_asked(Part::Hostile) {
        println!("hostile requests, seed {}", plan.seed);
        let attack = hostile::run(&plan);
        print!("{}", attack.told());
        is_broken |= !attack.finds.is_empty();
        let blind = proof::blind_spots();
        is_broken |= !blind.is_empty();
        println!("{} kinds of fault were put in, and {} were not found {blind:?}\n", proof::COUNT, blind.len());
    }
    if is_asked(Part::Matrix) {
        let count = arguments.matrix.or((!arguments.full).then_some(2_500));
        let (rows, done) = matrix::run(count);
        print!("{}", table(&rows));
        if let Err(problems) = done {
            println!("FIND {problems}");
            is_broken = true;
        }
    }
    if is_broken { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn table(rows: &[matrix::Row]) -> String {
    let mut text = format!(
        "{:<40} {:>8} {:>8} {:>12} {:>9} {:>8} {:>7}\n",
        "paths in Envoy", "requests", "reached", "Envoy's own", "bypasses", "in vain", "seconds"
    );
    for row in rows {
        let seconds = row.took.as_secs_f64();
        let _ = writeln!(
            text,
            "{:<40} {:>8} {:>8} {:>12} {:>9} {:>8} {seconds:>7.1}",
            row.name, row.requests, row.reached, row.answered, row.bypasses, row.stopped
        );
    }
    text
}
