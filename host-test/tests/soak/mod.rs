//! The run: saturation, warm-up, the long load, and what must be true at its end.

mod memory;
mod tally;

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use memory::Memory;
use tally::Tally;

use crate::Arguments;
use crate::drivers::report::say;
use crate::traffic::kind::EVERYDAY;
use crate::traffic::scene::{Scene, Stage};

/// Requests at once while the saturation is measured.
const AT_ONCE: u32 = 64;

/// From one look to the next.
const LOOK: Duration = Duration::from_secs(1);

/// From one line for who looks on to the next.
const PROGRESS: Duration = Duration::from_secs(10);

/// So many of ten thousand have to be right.
const RIGHT_OF_TEN_THOUSAND: u64 = 9_999;

/// The shortest time whose slope is judged.
const LONG_ENOUGH: Duration = Duration::from_secs(600);

/// In a shorter time memory may grow by so much.
const SHORT_GROWTH_KIB: i64 = 4_096;

/// The whole of it.
pub async fn run(arguments: &Arguments) -> ExitCode {
    let scene = Scene::start("soak", Stage::default()).await;
    let sending = &scene.sending;
    let machines = scene.machines();
    let length = Duration::from_secs_f64(arguments.seconds);
    let measuring = (length / 10).clamp(Duration::from_secs(2), Duration::from_secs(15));
    let saturation = sending.saturate(EVERYDAY, AT_ONCE, measuring).await;
    // Who sends as much as the gateway can take may get a timeout; nothing may be lost or doubled even so.
    let mut saturated = Tally::default();
    saturated.add(sending.take(), &scene.ledger);
    let mut complaints = saturated.complaints(0, Duration::MAX);
    let mut tally = Tally::default();
    let rate = ((saturation * arguments.share) as u64).min(arguments.at_most);
    say(&format!("saturation {saturation:.0} requests a second with {AT_ONCE} at once; {rate} a second from now on\n"));

    sending.take_stall();
    let load = sending.at_rate(EVERYDAY, rate.max(1));
    tokio::time::sleep(Duration::from_secs_f64(arguments.warm_up)).await;
    tally.add(sending.take(), &scene.ledger);
    let before = tally.total();
    let start = Instant::now();
    let (mut memory, mut told) = (Memory::default(), start);
    while start.elapsed() < length {
        memory.look(start.elapsed(), scene.envoy.resident_kib());
        tokio::time::sleep(LOOK).await;
        tally.add(sending.take(), &scene.ledger);
        if std::io::stdout().is_terminal() && told.elapsed() >= PROGRESS {
            told = Instant::now();
            say(&format!("{:>6} s  {}  {}\n", start.elapsed().as_secs(), tally.line(), memory.line()));
        }
    }
    memory.look(start.elapsed(), scene.envoy.resident_kib());
    let held = start.elapsed();
    load.stop().await;
    tally.add(sending.take(), &scene.ledger);
    let per_second = (tally.total() - before) as f64 / held.as_secs_f64();

    complaints.extend(tally.complaints(RIGHT_OF_TEN_THOUSAND, sending.take_stall()));
    complaints.extend(scene.ledger.take_garbled().into_iter().take(5));
    sending.client.forget().await;
    let left = scene.wait_until_nothing_is_active().await;
    if left > 0 {
        complaints.push(format!("{left} requests are not over"));
    }
    let reloads = scene.reloads();
    if reloads > 0 {
        complaints.push(format!("{reloads} reloads of a VM"));
    }
    let machines_now = scene.machines();
    if machines_now != machines {
        complaints.push(format!("{machines_now} VMs, and there were {machines}"));
    }
    if length >= LONG_ENOUGH && memory.slope() > arguments.slope {
        complaints.push(format!("memory grows by {:.2} MB an hour, and not by {:.2} at most", memory.slope(), arguments.slope));
    }
    if length < LONG_ENOUGH && memory.growth_kib() > SHORT_GROWTH_KIB {
        complaints.push(format!("memory grew by {} KB in {} s", memory.growth_kib(), length.as_secs()));
    }
    say(&format!("{}\n", tally.table()));
    say(&format!(
        "{} s at {per_second:.0} a second ({:.0} % of the saturation): {}\n{}\nactive at the end {left}, reloads {reloads}, VMs {machines_now}\n",
        held.as_secs(),
        100.0 * per_second / saturation,
        tally.line(),
        memory.summary(),
    ));
    for complaint in &complaints {
        say(&format!("BROKEN {complaint}\n"));
    }
    if complaints.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
