//! Clients that hang up while the gateway is asking somebody for them.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::MissedTickBehavior;

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::client::Client;
use crate::traffic::kind::{Kind, Mix, pick};
use crate::traffic::load::Record;
use crate::traffic::upstream::Trouble;

/// Whose way has a call of the gateway's own.
const KINDS: Mix = &[(Kind::Authorized, 3), (Kind::Denied, 1), (Kind::Keyed, 2), (Kind::Template, 2), (Kind::Lambda, 2)];

/// So many each [`TICK`]: as many as two processors bear beside the load that has to be answered meanwhile.
const BUNCH: u32 = 4;

const TICK: Duration = Duration::from_millis(5);

/// As many at once, at most.
const AT_ONCE: usize = 64;

/// What each answer takes, so that there is something to hang up on.
const SLOW: Duration = Duration::from_millis(15);

pub struct Aborts;

impl Fault for Aborts {
    fn name(&self) -> &'static str {
        "client-aborts"
    }

    fn begin(&self, trial: &mut Trial<'_>) {
        let upstreams = &trial.scene.upstreams;
        for host in [&upstreams.authorizers, &upstreams.lambda, &upstreams.backend] {
            host.play(Trouble::Slow(SLOW));
        }
    }

    fn during<'a>(&'a self, trial: &'a mut Trial<'_>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            // Envoy closes an HTTP/2 connection of which too many streams are reset: not that of the others.
            let client = Arc::new(Client::new(trial.scene.sending.client.address()));
            let mut ids = Vec::new();
            let places = Arc::new(Semaphore::new(AT_ONCE));
            let mut ticks = tokio::time::interval(TICK);
            // Whoever is late does not make up for it at once.
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            for number in 0..trial.length.aborts {
                if number % BUNCH == 0 {
                    ticks.tick().await;
                }
                let place = Arc::clone(&places).acquire_owned().await.expect("it is never closed");
                let (kind, id) = (pick(KINDS, number), trial.scene.ledger.id());
                ids.push(id);
                let request = kind.request(id, &trial.scene.sending.maker);
                let client = Arc::clone(&client);
                let after = Duration::from_micros(u64::from(number % 11) * 1_500);
                tokio::spawn(async move {
                    client.abort(request, after, number % 2 == 0).await;
                    drop(place);
                });
            }
            tokio::time::sleep(5 * SLOW).await;
            let ledger = &trial.scene.ledger;
            let (arrived, asked) = ids.iter().fold((0, 0), |(arrived, asked), id| {
                (arrived + u32::from(ledger.arrivals(*id) > 0), asked + u32::from(ledger.questions(*id) > 0))
            });
            let doubled = ids.iter().filter(|id| ledger.arrivals(**id) > 1 || ledger.questions(**id) > 1).count();
            trial.remark = format!("{} broken off: {arrived} had reached an upstream, {asked} an authorizer", ids.len());
            if doubled > 0 {
                trial.remark.push_str(&format!(", {doubled} twice"));
            }
        })
    }

    fn end(&self, trial: &mut Trial<'_>) {
        let upstreams = &trial.scene.upstreams;
        for host in [&upstreams.authorizers, &upstreams.lambda, &upstreams.backend] {
            host.play(Trouble::None);
        }
    }

    fn allows(&self, _: Kind) -> Allowed {
        Allowed::NOTHING
    }

    fn judge<'a>(&'a self, trial: &'a mut Trial<'_>, _: &'a [Record]) -> Pin<Box<dyn Future<Output = Vec<String>> + 'a>> {
        let twice = trial.remark.contains("twice");
        let none = trial.remark.contains(" 0 an authorizer");
        Box::pin(async move {
            let mut complaints = Vec::new();
            if twice {
                complaints.push(trial.remark.clone());
            }
            if none {
                complaints.push("no request was broken off while an authorizer was asked".to_owned());
            }
            complaints
        })
    }
}
