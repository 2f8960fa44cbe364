//! The module, hosts for it and requests to it.

use std::path::PathBuf;
use std::sync::OnceLock;
use tollgate_host::{FilterModule, Host, HostBuilder, Outcome, Request, Stub};

/// The path of the module; panics with what to do where there is none.
pub fn path() -> PathBuf {
    let root = crate::drivers::envoy::workspace();
    let path = root.join("target/wasm32-wasip1/wasm/foreign_filter.wasm");
    assert!(path.is_file(), "there is no module at {}: run `make wasm` first", path.display());
    path
}

/// The module, compiled once for all tests.
pub fn module() -> &'static FilterModule {
    static MODULE: OnceLock<FilterModule> = OnceLock::new();
    MODULE.get_or_init(|| {
        let cache = crate::drivers::envoy::workspace().join("target/wasmtime-cache");
        FilterModule::from_file_cached(path(), cache).expect("the module is a filter")
    })
}

/// A host with one cluster, `be`, that says hello.
pub fn builder() -> HostBuilder {
    Host::builder(module()).allow_on_headers_stop_iteration(true).cluster("be", hello())
}

pub fn host() -> Host {
    builder().build().expect("the filter takes any configuration")
}

pub fn hello() -> Stub {
    Stub::reply(200, [("content-type", "text/x")], "hello")
}

/// A request that carries a plan.
pub fn plan(plan: &str) -> Request {
    Request::get("/a?q=1").header("x-plan", plan.to_owned()).header("x-tollgate-cluster", "be")
}

/// The same with a body in chunks, without content-length.
pub fn upload(text: &str, chunks: &[&'static str]) -> Request {
    let request = plan(text).header(":method", "POST");
    chunks.iter().fold(request, |request, chunk| request.chunk(*chunk))
}

/// What the filter said, but for its word on its configuration, which a new VM repeats.
pub fn said(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.logs.iter().map(|line| line.message.clone());
    lines.filter(|line| !line.starts_with("configured with")).collect()
}
