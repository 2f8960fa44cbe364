//! Resuming, ending and answering streams. All of it happens after the callback has returned.

use super::{Status, host_call, pairs};
use crate::settings::LogLevel;
use crate::state::{Deferred, HostState, LocalReply};
use crate::stream::Side;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_continue_stream", |c: C<'_>, kind: u32| {
        host_call(c, "proxy_continue_stream", |g| {
            let side = match kind {
                0 => Side::Request,
                1 => Side::Response,
                // Raw TCP streams, of which this host has none.
                2 | 3 => return Ok(Status::Ok),
                _ => return Ok(Status::BadArgument),
            };
            let state = g.state_mut();
            if let Some(id) = state.stream_id() {
                // As Envoy: whichever side goes on, the request is out of the guest's hands now.
                if let Some(stream) = state.streams.get_mut(&id) {
                    stream.half_mut(Side::Request).hide();
                }
                state.guest.deferred.push_back(Deferred::Continue { stream: id, side });
            }
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_close_stream", |c: C<'_>, kind: u32| {
        host_call(c, "proxy_close_stream", |g| {
            if kind > 3 {
                return Ok(Status::BadArgument);
            }
            let state = g.state_mut();
            if let Some(id) = state.stream_id().filter(|_| kind < 2) {
                state.guest.deferred.push_back(Deferred::Reset { stream: id });
            }
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap(
        "env",
        "proxy_send_local_response",
        |c: C<'_>, status: u32, details_at, details_len, body_at, body_len, headers_at, headers_len, grpc: i32| {
            host_call(c, "proxy_send_local_response", |g| {
                let details = String::from_utf8_lossy(g.slice(details_at, details_len)?).into_owned();
                let body = g.bytes(body_at, body_len)?;
                let headers = pairs::decode(&g.bytes(headers_at, headers_len)?).ok_or(Status::BadArgument)?;
                let state = g.state_mut();
                let Some(id) = state.stream_id() else {
                    return Ok(Status::Ok);
                };
                let Some(stream) = state.streams.get_mut(&id) else {
                    return Ok(Status::Ok);
                };
                if stream.local_reply_held {
                    // Envoy takes it and forgets it.
                    state.log(LogLevel::Debug, "a second local response of a stream is ignored");
                    return Ok(Status::Ok);
                }
                stream.local_reply_held = true;
                let grpc_status = u32::try_from(grpc).ok();
                let reply = LocalReply { status, headers, body, details, grpc_status };
                state.guest.deferred.push_back(Deferred::LocalReply { stream: id, reply });
                state.guest.stop_iteration = true;
                Ok(Status::Ok)
            })
        },
    )?;
    Ok(())
}
