//! Buffers: bodies, callout replies, configurations.

use super::{Guest, Status, Stop, host_call};
use crate::body::Body;
use crate::state::HostState;
use crate::stream::Side;
use bytes::Bytes;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

/// A buffer that the guest may read.
enum Readable<'a> {
    Body(&'a Body),
    Bytes(&'a Bytes),
    /// The type exists and holds nothing now.
    Nothing,
}

/// Finds a buffer by its number in the ABI.
fn readable(state: &HostState, number: u32) -> Result<Readable<'_>, Stop> {
    let body = |side| match state.stream().and_then(|stream| stream.half(side).shown_body()) {
        Some(body) => Readable::Body(body),
        None => Readable::Nothing,
    };
    let reply = state.callouts.delivering.as_ref();
    Ok(match number {
        0 => body(Side::Request),
        1 => body(Side::Response),
        // Bytes of raw TCP connections, which this host has not.
        2 | 3 => Readable::Nothing,
        4 => Readable::Body(reply.and_then(|r| r.http_body.as_ref()).ok_or(Status::NotFound)?),
        5 => match reply.and_then(|r| r.grpc_message.as_ref()) {
            Some(message) => Readable::Bytes(message),
            None => Readable::Nothing,
        },
        6 => Readable::Bytes(&state.settings.plugin.vm_configuration),
        7 => Readable::Bytes(state.guest.configuration.as_ref().ok_or(Status::NotFound)?),
        8 => state.guest.call_data.as_ref().map_or(Readable::Nothing, Readable::Body),
        _ => return Err(Status::BadArgument.into()),
    })
}

// === impl Readable ===

impl Readable<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Body(body) => body.len(),
            Self::Bytes(bytes) => bytes.len(),
            Self::Nothing => 0,
        }
    }
}

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_buffer_bytes", |c: C<'_>, kind, start: u32, max: u32, at, len| {
        host_call(c, "proxy_get_buffer_bytes", |g| {
            start.checked_add(max).ok_or(Status::BadArgument)?;
            let total = readable(g.state(), kind)?.len();
            let start = start as usize;
            let length = total.saturating_sub(start).min(max as usize);
            // As Envoy does: with nothing to read, nothing is written.
            if length > 0 {
                copy_out(g, kind, start, length, at, len)?;
            }
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_get_buffer_status", |c: C<'_>, kind, length, flags| {
        host_call(c, "proxy_get_buffer_status", |g| {
            let total = readable(g.state(), kind)?.len();
            g.write_u32(length, total as u32)?;
            g.write_u32(flags, 0)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_buffer_bytes", |c: C<'_>, kind, start: u32, length: u32, at, len| {
        host_call(c, "proxy_set_buffer_bytes", |g| {
            readable(g.state(), kind)?;
            let data = g.bytes(at, len)?;
            let side = match kind {
                0 => Side::Request,
                1 => Side::Response,
                _ => return Ok(Status::BadArgument),
            };
            let stream = g.state_mut().stream_mut().ok_or(Status::BadArgument)?;
            let body = stream.half_mut(side).shown_body_mut().ok_or(Status::BadArgument)?;
            Ok(write_body(body, start as usize, length as usize, data))
        })
    })?;
    Ok(())
}

/// Copies part of a buffer chunk by chunk into memory that the guest allocates.
fn copy_out(g: &mut Guest<'_, '_>, kind: u32, start: usize, length: usize, at_out: u32, length_out: u32) -> Result<(), Stop> {
    let at = g.allocate(length)?;
    // Chunks are shared, so this list costs no copy of the bytes themselves.
    let parts: Vec<Bytes> = match readable(g.state(), kind)? {
        Readable::Body(body) => body.shared_slices(start, length),
        Readable::Bytes(bytes) => vec![bytes.slice(start..start + length)],
        Readable::Nothing => Vec::new(),
    };
    let mut to = at;
    for part in parts {
        g.write(to, &part)?;
        to = to.wrapping_add(part.len() as u32);
    }
    g.write_u32(at_out, at)?;
    g.write_u32(length_out, length as u32)
}

/// Envoy's rule: prepend at 0 with length 0, replace from 0, append from the end, and no more.
fn write_body(body: &mut Body, start: usize, length: usize, data: Bytes) -> Status {
    if start == 0 && length == 0 {
        body.push_front(data);
    } else if start == 0 && length >= body.len() {
        body.replace(data);
    } else if start > 0 && start >= body.len() {
        body.push(data);
    } else {
        return Status::BadArgument;
    }
    Status::Ok
}
