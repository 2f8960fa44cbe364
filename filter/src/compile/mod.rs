//! Definition to gateway. Every problem of a document is collected with its place; a document with one error serves nothing, so
//! that what is served is always what was written.

mod api;
mod kinds;

use crate::definition::{Document, Node};
use crate::gateway::Gateway;
use crate::integration::Endpoint;
use crate::problem::{Problem, Problems};
use serde_json::Value;

/// What came of a document.
#[derive(Debug)]
pub struct Compiled {
    /// None when there is an error among the problems.
    pub gateway: Option<Gateway>,
    /// Everything that was found, in the order of the document.
    pub problems: Vec<Problem>,
    /// The upstreams that its integrations name, with or without an entry under `upstreams`.
    pub endpoints: Vec<Endpoint>,
}

/// Compiles a gateway document.
pub fn compile(document: &Value) -> Compiled {
    let mut problems = Problems::default();
    let mut endpoints = Vec::new();
    let mut gateway = Gateway::default();
    let document = Document::read(&Node::root(document), &mut problems);
    for api in &document.apis {
        api::compile(api, &document.upstreams, &mut gateway, &mut endpoints, &mut problems);
    }
    let gateway = (!problems.any_error()).then_some(gateway);
    Compiled { gateway, problems: problems.into_vec(), endpoints }
}
