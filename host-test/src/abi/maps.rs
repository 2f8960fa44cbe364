//! Header and trailer maps.

use super::{Answer, Guest, Status, Stop, host_call, pairs};
use crate::headers::HeaderMap;
use crate::inline;
use crate::state::HostState;
use crate::stream::Side;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

/// The map types of the ABI.
#[derive(Clone, Copy)]
enum MapType {
    Headers(Side),
    Trailers(Side),
    CalloutHeaders,
    CalloutTrailers,
    GrpcInitial,
    GrpcTrailing,
}

// === impl MapType ===

impl MapType {
    fn from_number(number: u32) -> Result<Self, Stop> {
        Ok(match number {
            0 => Self::Headers(Side::Request),
            1 => Self::Trailers(Side::Request),
            2 => Self::Headers(Side::Response),
            3 => Self::Trailers(Side::Response),
            4 => Self::GrpcInitial,
            5 => Self::GrpcTrailing,
            6 => Self::CalloutHeaders,
            7 => Self::CalloutTrailers,
            _ => return Err(Status::BadArgument.into()),
        })
    }
}

/// The map the guest may read now.
fn readable(state: &HostState, kind: MapType) -> Option<&HeaderMap> {
    let reply = state.callouts.delivering.as_ref();
    match kind {
        MapType::Headers(side) => state.stream()?.half(side).shown_headers(),
        MapType::Trailers(side) => state.stream()?.half(side).shown_trailers(),
        MapType::CalloutHeaders => reply?.http_headers.as_ref(),
        MapType::CalloutTrailers => reply?.http_trailers.as_ref(),
        MapType::GrpcInitial => reply?.grpc_initial.as_ref(),
        MapType::GrpcTrailing => reply?.grpc_trailing.as_ref(),
    }
}

/// Edits the map, where the guest may write now: only those of its stream, while they are held.
fn edit(g: &mut Guest<'_, '_>, kind: MapType, change: impl FnOnce(&mut HeaderMap, Option<Side>)) -> Answer {
    let head = match kind {
        MapType::Headers(side) => Some(side),
        _ => None,
    };
    let stream = g.state_mut().stream_mut().ok_or(Status::BadArgument)?;
    let map = match kind {
        MapType::Headers(side) => stream.half_mut(side).shown_headers_mut(),
        MapType::Trailers(side) => stream.half_mut(side).shown_trailers_mut(),
        _ => None,
    };
    change(map.ok_or(Status::BadArgument)?, head);
    Ok(Status::Ok)
}

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_header_map_pairs", |c: C<'_>, map, at, len| {
        host_call(c, "proxy_get_header_map_pairs", |g| {
            let kind = MapType::from_number(map)?;
            // A map that is not there now reads as empty.
            let bytes = readable(g.state(), kind).map(pairs::encode).unwrap_or_default();
            g.give(&bytes, at, len)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_header_map_pairs", |c: C<'_>, map, at, len| {
        host_call(c, "proxy_set_header_map_pairs", |g| {
            let kind = MapType::from_number(map)?;
            let new = pairs::decode(&g.bytes(at, len)?).ok_or(Status::BadArgument)?;
            edit(g, kind, |map, head| {
                *map = match head {
                    Some(side) => inline::fold(new, side),
                    None => new,
                };
            })
        })
    })?;
    linker.func_wrap("env", "proxy_get_header_map_size", |c: C<'_>, map, out| {
        host_call(c, "proxy_get_header_map_size", |g| {
            let kind = MapType::from_number(map)?;
            let size = readable(g.state(), kind).ok_or(Status::BadArgument)?.byte_size();
            g.write_u32(out, size as u32)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_get_header_map_value", |c: C<'_>, map, name_at, name_len, at, len| {
        host_call(c, "proxy_get_header_map_value", |g| {
            let kind = MapType::from_number(map)?;
            let name = g.slice(name_at, name_len)?.to_ascii_lowercase();
            let map = readable(g.state(), kind).ok_or(Status::BadArgument)?;
            let value = value_of(map, &name).ok_or(Status::NotFound)?;
            g.give(&value, at, len)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_add_header_map_value", |c: C<'_>, map, name_at, name_len, value_at, value_len| {
        host_call(c, "proxy_add_header_map_value", |g| {
            let kind = MapType::from_number(map)?;
            let name = g.bytes(name_at, name_len)?;
            let value = g.bytes(value_at, value_len)?;
            edit(g, kind, |map, head| match head {
                Some(side) => inline::add(map, side, &name, value),
                None => map.add(name, value),
            })
        })
    })?;
    linker.func_wrap("env", "proxy_replace_header_map_value", |c: C<'_>, map, name_at, name_len, value_at, value_len| {
        host_call(c, "proxy_replace_header_map_value", |g| {
            let kind = MapType::from_number(map)?;
            let name = g.bytes(name_at, name_len)?;
            let value = g.bytes(value_at, value_len)?;
            edit(g, kind, |map, _| map.replace(name, value))
        })
    })?;
    linker.func_wrap("env", "proxy_remove_header_map_value", |c: C<'_>, map, name_at, name_len| {
        host_call(c, "proxy_remove_header_map_value", |g| {
            let kind = MapType::from_number(map)?;
            let name = g.bytes(name_at, name_len)?;
            edit(g, kind, |map, _| {
                map.remove(name);
            })
        })
    })?;
    Ok(())
}

/// The value of a header; of a repeated one the first, as in Envoy.
fn value_of(map: &HeaderMap, name: &[u8]) -> Option<Vec<u8>> {
    map.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_vec())
}
