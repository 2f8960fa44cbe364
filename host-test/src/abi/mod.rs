//! The host functions of proxy-wasm ABI 0.2.1 and of WASI preview 1, one file a family.
//!
//! Every function answers a [`Status`] for whatever a guest passes it: a bad pointer is
//! `InvalidMemoryAccess`, never a panic of the host. The only error that unwinds is a trap of the
//! guest itself, in the allocator that a host function re-enters.

mod buffers;
mod callouts;
mod foreign;
mod guest;
mod maps;
mod metrics;
mod pairs;
mod properties;
mod shared_state;
mod signature;
mod streams;
mod system;
mod wasi;
mod wasi_files;

use crate::state::HostState;
use guest::{Answer, Guest, Stop};
use wasmtime::{Caller, Linker, Result};

/// The numbers that ABI functions answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Status {
    Ok = 0,
    NotFound = 1,
    BadArgument = 2,
    ParseFailure = 4,
    InvalidMemoryAccess = 6,
    Empty = 7,
    CasMismatch = 8,
    InternalFailure = 10,
}

/// Defines every host function there is.
pub(crate) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    system::link(linker)?;
    properties::link(linker)?;
    streams::link(linker)?;
    maps::link(linker)?;
    buffers::link(linker)?;
    callouts::link(linker)?;
    shared_state::link(linker)?;
    metrics::link(linker)?;
    foreign::link(linker)?;
    wasi::link(linker)
}

/// Runs one host function: counts it, and turns its answer into the number the guest gets.
fn host_call(
    mut caller: Caller<'_, HostState>,
    name: &'static str,
    body: impl FnOnce(&mut Guest<'_, '_>) -> Answer,
) -> Result<u32> {
    *caller.data_mut().journal.host_calls.entry(name).or_default() += 1;
    match body(&mut Guest::new(&mut caller)) {
        Ok(status) | Err(Stop::Status(status)) => Ok(status as u32),
        Err(Stop::Trap(trap)) => Err(trap),
    }
}
