//! One case, three drivers: the exchange natively, the module in the wasmtime host, the module in a real Envoy. Each drives the
//! same requests against the same backends and tells what came of it in the same words, so that the three can be compared.
//!
//! | driver | gateway | backends | finds |
//! |---|---|---|---|
//! | [`native`] | `tollgate::exchange` | a model of Envoy's router | what the gateway decides, fast, with a debugger |
//! | [`wasm`] | `tollgate.wasm` in `tollgate-host` | the host's stub upstreams | what the shell does to it |
//! | [`envoy`] | `tollgate.wasm` in Envoy | real servers on loopback | what Envoy does to both |
#![allow(dead_code, reason = "each test target uses its own part of the drivers")]

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

pub mod beside;
pub mod body;
pub mod case;
pub mod conformance;
pub mod edge;
pub mod envoy;
pub mod expect;
pub mod http1;
pub mod native;
pub mod observation;
pub mod report;
pub mod ring;
pub mod router;
pub mod signer;
pub mod stub;
pub mod tokens;
pub mod wasm;

use self::case::{Backend, Request};
use self::observation::Observation;

/// The Host header of a request that names none.
pub const DEFAULT_HOST: &str = "gateway.test";

/// What each cluster does; a cluster that is not here does not exist.
pub type Clusters = BTreeMap<String, Backend>;

/// A host that serves documents.
pub trait Driver {
    /// What failures call it.
    fn name(&self) -> &'static str;

    /// What its clock shows, as time since 1970: a request that carries times is made for it.
    fn now(&self) -> Duration;

    /// Serves a document under a name. The error is what an operator gets to read about a document that does not compile.
    fn load(&mut self, name: &str, document: &Value) -> Result<(), String>;

    /// Sends one request to a loaded document, and tells what came of it. An error is a failure of the gateway that no client
    /// can see: a stream that is held for ever, an answer whose framing is broken, a trap.
    fn observe(&mut self, name: &str, request: &Request, clusters: &Clusters) -> Result<Observation, String>;
}
