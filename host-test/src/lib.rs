//! A proxy-wasm host on wasmtime that behaves like Envoy 1.40.
//!
//! It runs any HTTP filter written to proxy-wasm ABI 0.2.0 or 0.2.1, reproduces what Envoy does
//! around it (pauses, buffering limits, deferred local replies, callouts that outlive their
//! streams, reloads after traps) and does so without sockets or threads of its own.
//!
//! # In a test
//! [`Host`] runs a filter in memory, with [`Stub`] upstreams and a [`VirtualClock`]:
//! ```
//! use tollgate_host::{FilterModule, Host, Request, Stub};
//!
//! // A filter that exports no callback lets everything through.
//! let module = FilterModule::from_bytes(&wat::parse_str(r#"(module
//!     (memory (export "memory") 1)
//!     (func (export "proxy_abi_version_0_2_1"))
//!     (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024)))"#)?)?;
//! let mut host = Host::builder(&module)
//!     .cluster("backend", Stub::reply(200, [("x-from", "backend")], "hello"))
//!     .build()?;
//! let outcome = host.send(Request::get("/a").header("x-tollgate-cluster", "backend"));
//! assert_eq!(outcome.response.status(), 200);
//! assert_eq!(outcome.response.text(), "hello");
//! assert_eq!(outcome.upstream_requests[0].path(), "/a");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # In a server
//! A [`Worker`] is what Envoy calls a worker thread: one VM with its streams, callouts and timers.
//! It is a machine: a driver tells it what happened and then carries out what it asks for.
//!
//! | what happened | call |
//! |---|---|
//! | a request head came in | [`Worker::begin`] -> [`StreamId`] |
//! | more of the request | [`Worker::request_data`], [`Worker::request_trailers`] |
//! | the client is gone | [`Worker::downstream_reset`] |
//! | an upstream answered | [`Worker::upstream_head`], [`Worker::upstream_data`], [`Worker::upstream_trailers`] |
//! | an upstream is lost | [`Worker::upstream_failed`] with an [`UpstreamFailure`] |
//! | [`Worker::next_deadline`] has come, or the waker of [`Worker::set_waker`] was called | [`Worker::on_time`] |
//!
//! After each call the driver polls: `while let Some(output) = worker.poll() { … }`. An [`Output`]
//! begins, feeds or cuts a request to a cluster (an [`ExchangeId`] names it, whether the router
//! or a callout sent it: the driver need not care) or a response to a [`StreamId`], and tells when a stream is over. Heads are
//! [`HeaderMap`]s with pseudo headers (`:method :path :authority :scheme`, or `:status`). Body
//! chunks are [`Bytes`](bytes::Bytes): one that only passes through is never copied. `end: true`
//! says that nothing follows; data with trailers after it has `end: false`. Ids are never used
//! again, and what comes for an id that is over is ignored, so a driver needs no care in races.
//! 1xx responses of upstreams are not for the worker. A worker is `Send` and belongs to one
//! thread; several share data, queues and metrics through one [`Shared`].
//!
//! # What is left out
//! - Raw TCP filters (`on_new_connection`, `on_downstream_data`, …), HTTP/2 METADATA, and the
//!   foreign functions `sign`, `compress`, `uncompress` and `expr_*`, which are `NotFound`.
//! - ABI 0.1.0; its imports are unknown ones.
//! - `FAIL_OPEN`.
//! - `verify_signature`: RSA below 2048 bits (1024 with SHA-1), P-521, P-256 and P-384 with
//!   anything but SHA-256 and SHA-384.
//! - The properties `upstream.*`, `metadata`, `listener_metadata` and their like, of which a worker
//!   knows nothing; they are `NotFound`.
//!
//! An import that Envoy 1.40 does not offer either is a [`ModuleError`] that names it.
//!
//! # What differs from Envoy on purpose
//! - An endless guest loop is a trap, by fuel; Envoy hangs.
//! - A response whose content-length is not that of its body is reset, with an error in the log;
//!   Envoy sends it and its client waits or reads garbage. A forwarded request of that kind goes
//!   out, and [`UpstreamRequest::length_is_right`] tells.
//! - A request that the filter continues inside the callback that answers `Continue` is forwarded
//!   once, with an error in the log; Envoy forwards it twice.
//! - A final status below 200 is answered by 502, like one that is no number; Envoy sends it.
//! - `x-forwarded-for` gets the peer's address also when that is a loopback address; Envoy puts its
//!   own address there then.
//! - The backoff of a reload has no jitter.
//!
//! The tests ask Envoy itself: `tests/host/like_envoy` runs plans in both and compares.

mod abi;
mod body;
mod boot;
mod callout;
mod clock;
mod headers;
mod host;
mod inline;
mod module;
mod output;
mod protobuf;
mod random;
mod replies;
mod settings;
mod shared;
mod state;
mod stream;
mod upstream;
mod vm;
mod worker;

pub use boot::StartError;
pub use clock::{Clock, SystemClock, VirtualClock};
pub use headers::HeaderMap;
pub use host::{Host, HostBuilder, Outcome, Request, Response};
pub use module::{FilterModule, ModuleError};
pub use output::{ExchangeId, Output, StreamEnd, UpstreamFailure};
pub use settings::{ClusterChoice, Limits, Listener, LogLevel, OnTrap, Plugin, Route, Settings};
pub use shared::{Metric, Shared};
pub use state::LogLine;
pub use stream::{Connection, StreamId};
pub use upstream::{Stub, UpstreamReply, UpstreamRequest};
pub use vm::Trap;
pub use worker::Worker;
