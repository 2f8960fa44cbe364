//! The faults, one family a file, and the run through all of them.

mod aborts;
mod authorizer;
mod clock;
mod issuer;
mod limits;
mod swaps;
mod trap;
mod trial;
mod upstream;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use crate::Arguments;
use crate::drivers::report::say;
use crate::service::Service;
use crate::traffic::scene::{Scene, Stage};

pub use trial::{Fault, Length};

use trial::{Trial, Verdict};

/// Which Envoy a fault happens to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// The one that all share.
    Shared,
    /// One whose clock can be set.
    Clock,
    /// One whose module traps on demand.
    Trap,
}

fn all() -> Vec<(Where, Box<dyn Fault>)> {
    let shared = |fault: Box<dyn Fault>| (Where::Shared, fault);
    let mut faults: Vec<(Where, Box<dyn Fault>)> = Vec::new();
    faults.extend(upstream::all().into_iter().map(shared));
    faults.extend(authorizer::all().into_iter().map(shared));
    faults.extend(limits::all().into_iter().map(shared));
    faults.extend(issuer::all().into_iter().map(shared));
    faults.push(shared(Box::new(aborts::Aborts)));
    faults.push(shared(Box::new(swaps::Swaps)));
    faults.extend(clock::all().into_iter().map(|fault| (Where::Clock, fault)));
    faults.push((Where::Trap, Box::new(trap::Traps::default())));
    faults
}

/// Runs what is asked for, prints the table, and tells whether all is well.
pub async fn run(arguments: &Arguments) -> ExitCode {
    let wanted: Vec<&String> = arguments.only.iter().chain(&arguments.filter).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|part| name.contains(part.as_str()));
    let faults: Vec<_> = all().into_iter().filter(|(_, fault)| is_wanted(fault.name())).collect();
    if faults.is_empty() {
        let names: Vec<_> = all().iter().map(|(_, fault)| fault.name()).collect();
        eprintln!("no such fault; there are: {}", names.join(", "));
        return ExitCode::from(2);
    }
    let length = Length::of(arguments);
    say(&format!("{}\n", Verdict::heading()));
    let mut verdicts = Vec::new();
    for place in [Where::Shared, Where::Clock, Where::Trap] {
        let here: Vec<_> = faults.iter().filter(|(at, _)| *at == place).map(|(_, fault)| fault).collect();
        if here.is_empty() {
            continue;
        }
        let service = Service::start(&[]);
        let mut scene = start(place, &service).await;
        let mut trial = Trial::new(&mut scene, service, length);
        let hanging = (place == Where::Shared && is_wanted(authorizer::HANGING)).then(|| trial.hang());
        for fault in here {
            progress(fault.name());
            let verdict = trial.judge(fault.as_ref()).await;
            say(&format!("{}\n", verdict.row()));
            verdicts.push(verdict);
        }
        if let Some(hanging) = hanging {
            let verdict = trial.judge_hanging(hanging).await;
            say(&format!("{}\n", verdict.row()));
            verdicts.push(verdict);
        }
        if let Some(verdict) = trial.finish(place).await {
            say(&format!("{}\n", verdict.row()));
            verdicts.push(verdict);
        }
    }
    trial::conclude(&verdicts)
}

/// What goes on now, for who looks on; the row takes its place.
fn progress(name: &str) {
    if std::io::stdout().is_terminal() {
        say(&format!("{name} ...\r"));
    }
}

async fn start(place: Where, service: &Service) -> Scene {
    let limits = Some(service.address.parse().expect("it is an address"));
    match place {
        Where::Shared => Scene::start("faults", Stage { limits, ..Stage::default() }).await,
        Where::Clock => {
            let environment = clock::environment();
            let scene = Scene::start("faults-clock", Stage { limits, environment, ..Stage::default() }).await;
            clock::assert_it_is_there(&scene);
            scene
        }
        Where::Trap => {
            let module = Some(trap::module());
            Scene::start("faults-trap", Stage { module, limits, customize: Some(trap::hurry), ..Stage::default() }).await
        }
    }
}
