//! Definition to gateway. Every problem of a document is collected with its place; a document with one error serves nothing, so
//! that what is served is always what was written.

mod api;
mod kinds;

use crate::authorizer::{Issuers, Users};
use crate::definition::{Directory, Document, Endpoint, Outline, outlined};
use crate::gateway::Gateway;
use crate::problem::{Problem, Problems};
use crate::usage::{AccountLimits, UsagePlans};
use serde_json::Value;
use std::sync::Arc;

/// What came of a document.
#[derive(Debug)]
pub struct Compiled {
    /// None when there is an error among the problems.
    pub gateway: Option<Gateway>,
    /// Everything that was found, in the order of the document.
    pub problems: Vec<Problem>,
    /// The upstreams that its integrations and authorizers name, with or without an entry under `upstreams`.
    pub endpoints: Vec<Endpoint>,
}

/// Compiles a gateway document.
pub fn compile(document: &Value) -> Compiled {
    compile_bytes(document.to_string().as_bytes())
}

/// The same of the plugin configuration: JSON text, or a binary `google.protobuf.Struct`.
pub fn compile_bytes(bytes: &[u8]) -> Compiled {
    let refused = |problem| Compiled { gateway: None, problems: vec![problem], endpoints: Vec::new() };
    outlined(bytes, compile_outline).unwrap_or_else(refused)
}

fn compile_outline(outline: &Outline<'_>) -> Compiled {
    let mut problems = Problems::default();
    let mut gateway = Gateway::default();
    let mut document = Document::read(outline, &mut problems);
    let mut parts = Parts {
        issuers: Issuers::read(document.issuers.as_ref(), &mut problems),
        account: AccountLimits::read(&document, &mut problems),
        plans: UsagePlans::read(&document, &mut problems),
        users: Arc::new(Users::read(document.iam.as_ref(), &mut problems)),
        directory: std::mem::take(&mut document.directory),
    };
    for api in &document.apis {
        api::compile(api, &mut parts, &mut gateway, &mut problems);
    }
    gateway.plans = parts.plans;
    gateway.leases = parts.account.leases();
    gateway.issuer_keys = parts.issuers.into_keys(&parts.directory, &mut problems);
    let gateway = (!problems.any_error()).then_some(gateway);
    Compiled { gateway, problems: problems.into_vec(), endpoints: parts.directory.into_endpoints() }
}

/// What all APIs of a document share.
struct Parts<'a> {
    directory: Directory,
    issuers: Issuers<'a>,
    users: Arc<Users>,
    account: AccountLimits,
    plans: UsagePlans,
}
