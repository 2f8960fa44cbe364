//! The root context: one plugin configuration, one gateway.

use super::callout::{self, Number};
use super::port::{Port, Randomness, log};
use super::stream::Stream;
use super::{signature, telemetry};
use crate::authorizer::IssuerKeys;
use crate::compile::compile_bytes;
use crate::flow::{Callout, CalloutOutcome, NoReply, Ticket};
use crate::gateway::Gateway;
use crate::metrics;
use crate::platform::Level;
use crate::problem::{Problem, Severity};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

/// One plugin configuration.
#[derive(Default)]
pub struct Root {
    gateway: Option<Arc<Gateway>>,
    randomness: Rc<RefCell<Randomness>>,
    /// Whether the host verifies signatures.
    verifies: bool,
    /// The calls under way, by the host's number.
    calls: BTreeMap<Number, Ticket>,
}

// === impl Root ===

impl Root {
    /// Sees to the keys of issuers. They belong to the root: a call that a stream made would be lost with the stream.
    fn fetch(&mut self, ask: impl Fn(&Gateway, &mut Port<'_>) -> Vec<(Ticket, Callout)>) {
        let Some(gateway) = self.gateway.clone() else { return };
        let randomness = Rc::clone(&self.randomness);
        let mut port = Port::new(&randomness, 0, self.verifies);
        let mut calls = ask(&gateway, &mut port);
        // A call that the host does not take is over at once; each answer asks for one more at most.
        while let Some((ticket, call)) = calls.pop() {
            match callout::dispatch(&call) {
                Some(number) => {
                    self.calls.insert(number, ticket);
                }
                None => calls.extend(gateway.issuer_keys.called(ticket, Err(NoReply), &mut port)),
            }
        }
    }

    /// The gateway so far has handed over all that it counted.
    fn retire(&self) {
        if let Some(gateway) = &self.gateway {
            gateway.retire(&Port::new(&self.randomness, 0, self.verifies));
        }
    }

    fn called(&mut self, ticket: Ticket, outcome: &CalloutOutcome) {
        self.fetch(|gateway, port| gateway.issuer_keys.called(ticket, outcome.clone(), port));
    }
}

impl Context for Root {
    fn on_done(&mut self) -> bool {
        self.retire();
        true
    }

    fn on_http_call_response(&mut self, number: u32, headers: usize, body_size: usize, _: usize) {
        if let Some(ticket) = self.calls.remove(&Number::Http(number)) {
            self.called(ticket, &callout::http_outcome(headers, body_size, IssuerKeys::ANSWER_LIMIT));
        }
    }
}

impl RootContext for Root {
    /// False refuses the configuration as a whole, and Envoy keeps the one it has.
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten().unwrap_or_default();
        let compiled = compile_bytes(&bytes);
        drop(bytes);
        compiled.problems.iter().for_each(tell);
        match compiled.gateway {
            Some(gateway) => {
                let routes: usize = gateway.stages().map(|stage| stage.routes().count()).sum();
                log(Level::Info, &format!("serving {routes} routes in {} stages", gateway.stages().count()));
                self.verifies = signature::is_offered();
                let port = Port::new(&self.randomness, 0, self.verifies);
                let fetches = gateway.issuer_keys.period_millis();
                if fetches.is_some() {
                    gateway.issuer_keys.load(&port);
                }
                let period = fetches.unwrap_or(metrics::PERIOD_MILLIS).min(metrics::PERIOD_MILLIS);
                let _ = hostcalls::set_tick_period(Duration::from_millis(u64::from(period)));
                self.retire();
                gateway.define_metrics(&port);
                telemetry::declare_access_log();
                // Tickets begin anew: an answer to the gateway before is none to this one.
                self.calls.clear();
                self.gateway = Some(Arc::new(gateway));
                true
            }
            None => {
                log(Level::Error, "the document is refused: see the errors above");
                false
            }
        }
    }

    fn on_tick(&mut self) {
        if let Some(gateway) = &self.gateway {
            gateway.tick(&Port::new(&self.randomness, 0, self.verifies));
        }
        self.fetch(|gateway, port| gateway.issuer_keys.tick(port));
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.gateway.clone(), Rc::clone(&self.randomness), self.verifies)))
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}

fn tell(problem: &Problem) {
    let level = match problem.severity {
        Severity::Error => Level::Error,
        Severity::Warning => Level::Warn,
    };
    log(level, &problem.to_string());
}
