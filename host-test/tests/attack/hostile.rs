//! Hostile requests, batch by batch, and what must hold behind each batch and at the end.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::ProgressBar;

use super::classes::{CLASSES, ordinary, shot};
use super::gateway::Gateway;
use super::shot::{Aim, Outcome, Shot, Step};
use super::upstream::Upstream;

/// Shots in a batch.
const BATCH: u64 = 2_000;

/// Clients at a time.
const CLIENTS: usize = 48;

/// An ordinary request behind a batch is answered in this time.
const SOON: Duration = Duration::from_secs(1);

/// Until the last stream of an attack has ended.
const END: Duration = Duration::from_secs(30);

/// How much more memory there may be at the end than after the first batches, in MB.
const MORE_MEMORY: f64 = 64.0;

/// Finds that are shown.
const SHOWN: usize = 40;

/// What became of the shots of a class.
#[derive(Default)]
pub struct Tally {
    /// How many shots.
    pub shots: u64,
    /// Answers by status.
    pub statuses: BTreeMap<u16, u64>,
    /// Connections that the gateway closed.
    pub closed: u64,
    /// How many of the shots were wrong.
    pub finds: u64,
}

/// An attack, so far.
#[derive(Default)]
pub struct Attack {
    /// By class.
    pub tallies: BTreeMap<&'static str, Tally>,
    /// What was found.
    pub finds: Vec<String>,
    /// Shots that were sent twice, because a backend had closed the connection on which Envoy sent them.
    pub again: u64,
    /// Requests that came to backends, and to functions.
    pub arrivals: (usize, usize),
    /// Memory after the first batches, and at the end.
    pub memory: (f64, f64),
    /// How long it took.
    pub took: Duration,
}

/// What to send.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of the numbers.
    pub seed: u64,
    /// The first shot.
    pub first: u64,
    /// How many.
    pub count: u64,
    /// Only this class.
    pub class: Option<String>,
}

/// Sends a plan's shots.
pub fn run(plan: &Plan) -> Attack {
    let upstream = Upstream::start();
    let gateway = Gateway::start(upstream.address());
    let mut attack = Attack::default();
    let (start, end) = (Instant::now(), plan.first + plan.count);
    let progress = ProgressBar::new(plan.count);
    let mut at = plan.first;
    while at < end {
        let next = (at + BATCH).min(end);
        upstream.expect(next);
        attack.batch(plan, &gateway, at..next);
        attack.finds.extend(upstream.finds().into_iter().map(|find| format!("in shots {at} to {}: {find}", next - 1)));
        for aim in [Aim::Kinds, Aim::Rest, Aim::Http] {
            attack.finds.extend(in_time(&gateway, aim, next - 1).map(|find| format!("behind shot {}: {find}", next - 1)));
        }
        progress.inc(next - at);
        at = next;
        if attack.memory.0 == 0.0 && (at - plan.first) * 5 >= plan.count {
            attack.memory.0 = gateway.memory();
        }
        // What is broken stays so: the rest would only bury it.
        if attack.finds.len() > 10 * SHOWN {
            break;
        }
    }
    progress.finish_and_clear();
    attack.took = start.elapsed();
    attack.end(&gateway);
    attack.arrivals = upstream.arrivals();
    attack.finds.extend(upstream.finds());
    attack
}

/// One shot, shown: what is sent, and what came of it.
pub fn replay(plan: &Plan) -> Attack {
    let shot = shot(plan.seed, plan.first, plan.class.as_deref());
    println!(
        "#{} {}: {}\nto {:?}, statuses {:?}, {} answers of {:?}",
        shot.number, shot.class, shot.name, shot.aim, shot.statuses, shot.least, shot.methods
    );
    for step in &shot.steps {
        match step {
            Step::Send(bytes) => println!("sends {} bytes\n{}", bytes.len(), bytes[..bytes.len().min(4_000)].escape_ascii()),
            other => println!("{other:?}"),
        }
    }
    let attack = run(plan);
    let tally = &attack.tallies[shot.class];
    println!("answers {:?}, closed {}", tally.statuses, tally.closed);
    attack
}

/// An ordinary request, and whether it is answered rightly and soon.
fn in_time(gateway: &Gateway, aim: Aim, number: u64) -> Option<String> {
    let start = Instant::now();
    let quiet = Shot {
        number,
        class: "",
        name: String::new(),
        aim,
        steps: Vec::new(),
        methods: Vec::new(),
        least: 0,
        statuses: &[200],
        is_ragged: false,
        may_break: false,
        is_h2: false,
        streams: Vec::new(),
    };
    let ticket = format!("t{number}x{}", 1_000_000 + aim as u64);
    let outcome = quiet.fire(gateway.address(aim), &ordinary(aim, &ticket), &ticket);
    let took = start.elapsed();
    let late = (took > SOON).then(|| format!("an ordinary request took {took:.1?}"));
    let closed = outcome.is_closed.then(|| "an ordinary request was not answered".to_owned());
    outcome.find.or(closed).or(late).map(|what| format!("{aim:?}: {what}"))
}

// === impl Attack ===

impl Attack {
    fn batch(&mut self, plan: &Plan, gateway: &Gateway, numbers: std::ops::Range<u64>) {
        let next = AtomicU64::new(numbers.start);
        let fire = || {
            let mut done = Vec::new();
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= numbers.end {
                    return done;
                }
                let shot = shot(plan.seed, number, plan.class.as_deref());
                let ticket = format!("o{number}");
                let fire = || shot.fire(gateway.address(shot.aim), &ordinary(shot.aim, &ticket), &ticket);
                let mut outcome = fire();
                if outcome.is_lost {
                    outcome = Outcome { is_again: true, ..fire() };
                }
                done.push((shot.class, shot.number, shot.name, outcome));
            }
        };
        let all: Vec<_> = std::thread::scope(|scope| {
            let clients: Vec<_> = (0..CLIENTS).map(|_| scope.spawn(fire)).collect();
            clients.into_iter().flat_map(|client| client.join().expect("no client panics")).collect()
        });
        for (class, number, name, outcome) in all {
            self.count(plan, class, number, &name, outcome);
        }
    }

    fn count(&mut self, plan: &Plan, class: &'static str, number: u64, name: &str, outcome: Outcome) {
        let tally = self.tallies.entry(class).or_default();
        tally.shots += 1;
        tally.closed += u64::from(outcome.is_closed);
        self.again += u64::from(outcome.is_again);
        for status in outcome.statuses {
            *tally.statuses.entry(status).or_default() += 1;
        }
        if let Some(find) = outcome.find {
            tally.finds += 1;
            let only = plan.class.as_ref().map(|class| format!(" --class '{class}'")).unwrap_or_default();
            let again = format!("cargo test -p tollgate-host --test attack -- --seed {} --number {number}{only}", plan.seed);
            let name: String = name.chars().take(400).collect();
            self.finds.push(format!("#{number} {class}: {name}\n    {find}\n    again: {again}"));
        }
    }

    /// What must hold when all is over.
    fn end(&mut self, gateway: &Gateway) {
        let deadline = Instant::now() + END;
        while gateway.active() > 0 && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(100));
        }
        let active = gateway.active();
        if active > 0 {
            self.finds.push(format!("{active} requests are still under way {END:?} after the last"));
        }
        self.finds.extend(gateway.traps().into_iter().map(|trap| format!("the filter trapped: {trap}")));
        self.memory.1 = gateway.memory();
        if self.memory.1 > self.memory.0 + MORE_MEMORY {
            self.finds.push(format!("memory grew from {:.0} to {:.0} MB", self.memory.0, self.memory.1));
        }
    }

    /// The table, and the first finds.
    pub fn told(&self) -> String {
        use std::fmt::Write as _;
        let mut text = format!("{:<34} {:>8} {:>7} {:>6}  answers by status\n", "class", "requests", "closed", "finds");
        let mut total = Tally::default();
        for (class, ..) in CLASSES {
            let Some(tally) = self.tallies.get(class) else { continue };
            let _ = writeln!(text, "{class:<34} {}", tally.told());
            total.shots += tally.shots;
            total.closed += tally.closed;
            total.finds += tally.finds;
            for (status, count) in &tally.statuses {
                *total.statuses.entry(*status).or_default() += count;
            }
        }
        let _ = writeln!(text, "{:<34} {}", "all", total.told());
        let rate = total.shots as f64 / self.took.as_secs_f64();
        let (backends, functions) = self.arrivals;
        let _ = writeln!(
            text,
            "{:.1?}, {rate:.0} requests/s; {backends} came to backends, {functions} to authorizers; {} were sent twice",
            self.took, self.again
        );
        let _ =
            writeln!(text, "memory of Envoy: {:.0} MB after the first batches, {:.0} MB at the end", self.memory.0, self.memory.1);
        for find in self.finds.iter().take(SHOWN) {
            let _ = writeln!(text, "FIND {find}");
        }
        if self.finds.len() > SHOWN {
            let _ = writeln!(text, "and {} more", self.finds.len() - SHOWN);
        }
        text
    }
}

// === impl Tally ===

impl Tally {
    fn told(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(|(status, count)| format!("{status}: {count}")).collect();
        format!("{:>8} {:>7} {:>6}  {}", self.shots, self.closed, self.finds, statuses.join(", "))
    }
}
