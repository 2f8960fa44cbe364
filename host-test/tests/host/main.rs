//! The host, tried by a filter that is not ours: `tests/foreign-filter` does what a request's `x-plan` header says and logs
//! what it sees. What is expected here was seen in Envoy 1.40 with the same module; `like_envoy` asks it again.

mod bodies;
mod callouts;
mod clock;
mod edge;
mod failures;
mod headers;
mod like_envoy;
mod local_replies;
mod modules;
mod probe;
mod properties;
mod shared;
mod signatures;
mod traps;

#[path = "../drivers/mod.rs"]
mod drivers;
