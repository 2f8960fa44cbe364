//! Foreign functions: Envoy's extensions beside the ABI. A name that is not offered is
//! `NotFound`, which is how a guest finds out.

use super::signature;
use super::{Guest, Status, Stop, host_call};
use crate::protobuf::{Field, Reader, Writer};
use crate::state::{Declared, HostState};
use bytes::Bytes;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_call_foreign_function",
        |c: C<'_>, name_at, name_len, args_at, args_len, at: u32, len: u32| {
            host_call(c, "proxy_call_foreign_function", |g| {
                let name = g.bytes(name_at, name_len)?;
                let arguments = g.bytes(args_at, args_len)?;
                let result = match name.as_ref() {
                    b"verify_signature" if g.state().settings.plugin.verify_signature => verify_signature(&arguments)?,
                    // The route is looked up when the head reaches the router: nothing is cached.
                    b"clear_route_cache" => Vec::new(),
                    b"set_envoy_filter_state" => set_filter_state(g, &arguments)?,
                    b"declare_property" => declare_property(g, &arguments)?,
                    _ => return Ok(Status::NotFound),
                };
                let address = if result.is_empty() { 0 } else { g.allocate(result.len())? };
                g.write(address, &result)?;
                // A guest that wants no result passes null.
                if at != 0 {
                    g.write_u32(at, address)?;
                }
                if len != 0 {
                    g.write_u32(len, result.len() as u32)?;
                }
                Ok(Status::Ok)
            })
        },
    )?;
    Ok(())
}

/// In: {1 hash_function, 2 public_key, 3 signature, 4 text, 5 public_key_pem}; out: {1 result,
/// 2 error}. A key or signature that is no good is an answer, not a failure of the call.
fn verify_signature(arguments: &[u8]) -> Result<Vec<u8>, Stop> {
    let mut request = signature::Request::default();
    for field in Reader::new(arguments) {
        match field.ok_or(Status::BadArgument)? {
            (1, Field::Bytes(bytes)) => request.hash = bytes,
            (2, Field::Bytes(bytes)) => request.key_der = bytes,
            (3, Field::Bytes(bytes)) => request.signature = bytes,
            (4, Field::Bytes(bytes)) => request.text = bytes,
            (5, Field::Bytes(bytes)) => request.key_pem = bytes,
            _ => {}
        }
    }
    if request.key_der.is_empty() && request.key_pem.is_empty() {
        return Err(Status::BadArgument.into());
    }
    let mut out = Writer::default();
    match signature::verify(&request) {
        Ok(()) => out.varint(1, 1),
        Err(reason) => out.bytes(2, reason.as_bytes()),
    }
    Ok(out.into_bytes())
}

/// {1 path, 2 value, 3 span}
fn set_filter_state(g: &mut Guest<'_, '_>, arguments: &[u8]) -> Result<Vec<u8>, Stop> {
    let (mut path, mut value) = (Bytes::new(), Bytes::new());
    for field in Reader::new(arguments) {
        match field.ok_or(Status::BadArgument)? {
            (1, Field::Bytes(bytes)) => path = Bytes::copy_from_slice(bytes),
            (2, Field::Bytes(bytes)) => value = Bytes::copy_from_slice(bytes),
            _ => {}
        }
    }
    // Only what some part of Envoy reads can be set; here nobody reads it, so any of its names will do.
    if !path.starts_with(b"envoy.") {
        return Err(Status::NotFound.into());
    }
    let stream = g.state_mut().stream_mut().ok_or(Status::NotFound)?;
    stream.envoy_filter_state.insert(path, value);
    Ok(Vec::new())
}

/// {1 path, 2 readonly, 3 type, 4 schema, 5 span}
fn declare_property(g: &mut Guest<'_, '_>, arguments: &[u8]) -> Result<Vec<u8>, Stop> {
    let (mut path, mut read_only) = (Bytes::new(), false);
    for field in Reader::new(arguments) {
        match field.ok_or(Status::BadArgument)? {
            (1, Field::Bytes(bytes)) => path = Bytes::copy_from_slice(bytes),
            (2, Field::Varint(value)) => read_only = value != 0,
            _ => {}
        }
    }
    let declared = &mut g.state_mut().guest.declared;
    if declared.contains_key(&path) {
        return Err(Status::BadArgument.into());
    }
    declared.insert(path, Declared { read_only });
    Ok(Vec::new())
}
