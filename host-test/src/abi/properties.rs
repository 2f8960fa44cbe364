//! Properties: Envoy's attributes of a stream, and what the guest wrote itself.
//!
//! A path is its parts joined by zero bytes. Integers are 8 bytes little endian, times are
//! nanoseconds in the same form, booleans one byte, maps are pairs. What is not known is
//! `NotFound`. Attributes of the request head exist while the guest holds the request head, as
//! in Envoy: after it has let the head go they are gone until `on_log`.

use super::{Status, Stop, host_call, pairs};
use crate::headers::HeaderMap;
use crate::state::HostState;
use crate::stream::{Side, Stream};
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_property", |c: C<'_>, path_at, path_len, at, len| {
        host_call(c, "proxy_get_property", |g| {
            let path = g.bytes(path_at, path_len)?;
            let value = property(g.state(), &path)?;
            g.give(&value, at, len)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_property", |c: C<'_>, path_at, path_len, value_at, value_len| {
        host_call(c, "proxy_set_property", |g| {
            let path = g.bytes(path_at, path_len)?;
            let value = g.bytes(value_at, value_len)?;
            Ok(g.state_mut().set_property(&path, value))
        })
    })?;
    Ok(())
}

fn property(state: &HostState, path: &[u8]) -> Result<Vec<u8>, Stop> {
    let parts: Vec<&str> = path.split(|byte| *byte == 0).map(|part| std::str::from_utf8(part).unwrap_or_default()).collect();
    let found = of_plugin(state, &parts).or_else(|| state.stream().and_then(|stream| of_stream(state, stream, &parts)));
    found.ok_or(Stop::Status(Status::NotFound))
}

fn of_plugin(state: &HostState, parts: &[&str]) -> Option<Vec<u8>> {
    let plugin = &state.settings.plugin;
    let text = |value: &str| Some(value.as_bytes().to_vec());
    match parts {
        ["plugin_name"] => text(&plugin.name),
        ["plugin_root_id"] => text(&plugin.root_id),
        ["plugin_vm_id"] => text(&plugin.vm_id),
        ["node", "id"] | ["xds", "node", "id"] => text(&plugin.node_id),
        ["node", "cluster"] | ["xds", "node", "cluster"] => text(&plugin.node_cluster),
        ["xds", "listener_direction"] => Some(int(0)),
        _ => None,
    }
}

fn of_stream(state: &HostState, stream: &Stream, parts: &[&str]) -> Option<Vec<u8>> {
    match parts {
        ["request", rest @ ..] => of_request(stream, rest),
        ["response", rest @ ..] => of_response(stream, rest),
        ["source", "address"] => Some(stream.connection.peer.to_string().into_bytes()),
        ["source", "port"] => Some(int(i64::from(stream.connection.peer.port()))),
        ["destination", "address"] => Some(stream.connection.local.to_string().into_bytes()),
        ["destination", "port"] => Some(int(i64::from(stream.connection.local.port()))),
        ["connection_id"] | ["connection", "id"] => Some(int(stream.connection.id as i64)),
        ["connection", "mtls"] => Some(vec![u8::from(stream.connection.mtls)]),
        ["connection", "requested_server_name"] => stream.connection.server_name.clone().map(String::into_bytes),
        ["connection", "tls_version"] => stream.connection.tls_version.clone().map(String::into_bytes),
        ["xds", "cluster_name"] => cluster_name(state, stream).map(String::into_bytes),
        ["xds", "route_name"] => Some(state.settings.route.name.clone().into_bytes()),
        ["filter_state", name] => stream.filter_state.get(name.strip_prefix("wasm.")?.as_bytes()).map(|v| v.to_vec()),
        [name] => stream.filter_state.get(name.as_bytes()).map(|value| value.to_vec()),
        _ => None,
    }
}

fn of_request(stream: &Stream, parts: &[&str]) -> Option<Vec<u8>> {
    match parts {
        ["time"] => return Some(int(stream.started_wall.as_nanos() as i64)),
        ["duration"] => {
            let ended = stream.ended_at?;
            return Some(int(ended.saturating_sub(stream.started).as_nanos() as i64));
        }
        ["protocol"] => return Some(stream.connection.protocol.as_bytes().to_vec()),
        _ => {}
    }
    let headers = stream.half(Side::Request).shown_headers()?;
    let header = |name| headers.get(name).map(<[u8]>::to_vec);
    let path = headers.get(":path");
    let cut = path.and_then(|path| path.iter().position(|byte| *byte == b'?'));
    match parts {
        ["path"] => header(":path"),
        ["url_path"] => path?.get(..cut.unwrap_or(path?.len())).map(<[u8]>::to_vec),
        ["query"] => match cut {
            Some(at) => path?.get(at + 1..).map(<[u8]>::to_vec),
            None => Some(Vec::new()),
        },
        ["host"] => header(":authority"),
        ["method"] => header(":method"),
        ["scheme"] => header(":scheme"),
        ["referer"] => header("referer"),
        ["useragent"] => header("user-agent"),
        ["id"] => header("x-request-id"),
        ["size"] => {
            let declared = headers.get_str("content-length").and_then(|text| text.parse().ok());
            Some(int(declared.unwrap_or(stream.request_bytes as i64)))
        }
        ["total_size"] => Some(int((stream.request_bytes + headers.byte_size() as u64) as i64)),
        ["headers"] => Some(pairs::encode(headers)),
        ["headers", name] => joined(headers, name),
        _ => None,
    }
}

/// Where the request went, or would go now.
fn cluster_name(state: &HostState, stream: &Stream) -> Option<String> {
    if stream.router.cluster.is_some() {
        return stream.router.cluster.clone();
    }
    state.settings.route.cluster.of(stream.half(Side::Request).shown_headers()?)
}

fn of_response(stream: &Stream, parts: &[&str]) -> Option<Vec<u8>> {
    let half = stream.half(Side::Response);
    match parts {
        ["code"] => stream.response_code.map(|code| int(i64::from(code))),
        ["code_details"] => stream.code_details.clone().map(String::into_bytes),
        ["flags"] => Some(int(stream.response_flags as i64)),
        ["size"] => Some(int(stream.response_bytes as i64)),
        ["headers"] => half.shown_headers().map(pairs::encode),
        ["headers", name] => joined(half.shown_headers()?, name),
        ["trailers"] => half.shown_trailers().map(pairs::encode),
        ["trailers", name] => joined(half.shown_trailers()?, name),
        ["grpc_status"] => {
            let in_trailers = half.shown_trailers().and_then(|map| map.get_str("grpc-status"));
            let text = in_trailers.or(half.shown_headers()?.get_str("grpc-status"))?;
            text.parse().ok().map(int)
        }
        _ => None,
    }
}

fn joined(map: &HeaderMap, name: &str) -> Option<Vec<u8>> {
    let name = name.to_ascii_lowercase();
    let values: Vec<&[u8]> = map.get_all(&name).collect();
    if values.is_empty() { None } else { Some(values.join(&b","[..])) }
}

fn int(value: i64) -> Vec<u8> {
    value.to_le_bytes().to_vec()
}
