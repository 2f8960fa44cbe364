//! The root context: one plugin configuration, one gateway.

use super::port::{Randomness, log};
use super::stream::Stream;
use crate::compile::compile;
use crate::definition::read;
use crate::gateway::Gateway;
use crate::platform::Level;
use crate::problem::{Problem, Severity};
use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{BufferType, ContextType};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// One plugin configuration.
#[derive(Default)]
pub struct Root {
    gateway: Option<Arc<Gateway>>,
    randomness: Rc<RefCell<Randomness>>,
}

impl Context for Root {}

impl RootContext for Root {
    /// False refuses the configuration as a whole, and Envoy keeps the one it has.
    fn on_configure(&mut self, size: usize) -> bool {
        let bytes = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, size).ok().flatten().unwrap_or_default();
        let document = match read(&bytes) {
            Ok(document) => document,
            Err(problem) => {
                tell(&problem);
                return false;
            }
        };
        let compiled = compile(&document);
        compiled.problems.iter().for_each(tell);
        match compiled.gateway {
            Some(gateway) => {
                let routes: usize = gateway.stages().map(|stage| stage.routes().count()).sum();
                log(Level::Info, &format!("serving {routes} routes in {} stages", gateway.stages().count()));
                self.gateway = Some(Arc::new(gateway));
                true
            }
            None => {
                log(Level::Error, "the document is refused: see the errors above");
                false
            }
        }
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream::new(self.gateway.clone(), Rc::clone(&self.randomness))))
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
