//! HTTP and gRPC callouts. They belong to the root context, whoever starts them.

use super::{Status, host_call, pairs};
use crate::state::HostState;
use std::time::Duration;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    link_http(linker)?;
    link_grpc(linker)
}

fn link_http(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_http_call",
        |c: C<'_>,
         cluster_at,
         cluster_len,
         headers_at,
         headers_len,
         body_at,
         body_len,
         trailers_at,
         trailers_len,
         timeout: u32,
         token: u32| {
            host_call(c, "proxy_http_call", |g| {
                let cluster = g.bytes(cluster_at, cluster_len)?;
                let headers = pairs::decode(&g.bytes(headers_at, headers_len)?).ok_or(Status::BadArgument)?;
                let body = g.bytes(body_at, body_len)?;
                let trailers = pairs::decode(&g.bytes(trailers_at, trailers_len)?).ok_or(Status::BadArgument)?;
                // Written first, so that a bad pointer starts no call.
                g.write_u32(token, 0)?;
                if i32::try_from(timeout).is_err() {
                    return Ok(Status::BadArgument);
                }
                let timeout = Some(Duration::from_millis(u64::from(timeout)));
                let timeout = timeout.filter(|timeout| !timeout.is_zero());
                let number = g.state_mut().http_call(&cluster, headers, body, trailers, timeout)?;
                g.write_u32(token, number)?;
                Ok(Status::Ok)
            })
        },
    )?;
    Ok(())
}

fn link_grpc(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap(
        "env",
        "proxy_grpc_call",
        |c: C<'_>,
         cluster_at,
         cluster_len,
         service_at,
         service_len,
         method_at,
         method_len,
         metadata_at,
         metadata_len,
         message_at,
         message_len,
         timeout: u32,
         token: u32| {
            host_call(c, "proxy_grpc_call", |g| {
                let cluster = g.bytes(cluster_at, cluster_len)?;
                let service = g.bytes(service_at, service_len)?;
                let method = g.bytes(method_at, method_len)?;
                let metadata = pairs::decode(&g.bytes(metadata_at, metadata_len)?).ok_or(Status::BadArgument)?;
                let message = g.bytes(message_at, message_len)?;
                g.write_u32(token, 0)?;
                let timeout = Duration::from_millis(u64::from(timeout));
                let state = g.state_mut();
                let number = state.grpc_open(&cluster, &service, &method, metadata, Some((message, timeout)))?;
                g.write_u32(token, number)?;
                Ok(Status::Ok)
            })
        },
    )?;
    linker.func_wrap(
        "env",
        "proxy_grpc_stream",
        |c: C<'_>,
         cluster_at,
         cluster_len,
         service_at,
         service_len,
         method_at,
         method_len,
         metadata_at,
         metadata_len,
         token: u32| {
            host_call(c, "proxy_grpc_stream", |g| {
                let cluster = g.bytes(cluster_at, cluster_len)?;
                let service = g.bytes(service_at, service_len)?;
                let method = g.bytes(method_at, method_len)?;
                let metadata = pairs::decode(&g.bytes(metadata_at, metadata_len)?).ok_or(Status::BadArgument)?;
                g.write_u32(token, 0)?;
                let state = g.state_mut();
                let number = state.grpc_open(&cluster, &service, &method, metadata, None)?;
                g.write_u32(token, number)?;
                Ok(Status::Ok)
            })
        },
    )?;
    linker.func_wrap("env", "proxy_grpc_send", |c: C<'_>, token: u32, at, len, end: u32| {
        host_call(c, "proxy_grpc_send", |g| {
            let message = g.bytes(at, len)?;
            Ok(g.state_mut().grpc_send(token, &message, end != 0))
        })
    })?;
    linker.func_wrap("env", "proxy_grpc_close", |c: C<'_>, token: u32| {
        host_call(c, "proxy_grpc_close", |g| Ok(g.state_mut().grpc_close(token)))
    })?;
    linker.func_wrap("env", "proxy_grpc_cancel", |c: C<'_>, token: u32| {
        host_call(c, "proxy_grpc_cancel", |g| Ok(g.state_mut().grpc_cancel(token)))
    })?;
    Ok(())
}
