//! Logging, time, timers, status, contexts.

use super::{Status, host_call};
use crate::settings::LogLevel;
use crate::state::{HostState, Tick};
use std::time::Duration;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_log", |c: C<'_>, level: u32, at: u32, len: u32| {
        host_call(c, "proxy_log", |g| {
            let level = LogLevel::from_number(level).ok_or(Status::BadArgument)?;
            let message = String::from_utf8_lossy(g.slice(at, len)?).into_owned();
            g.state_mut().log(level, message);
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_get_log_level", |c: C<'_>, out: u32| {
        host_call(c, "proxy_get_log_level", |g| {
            let level = g.state().journal.lowest as u32;
            g.write_u32(out, level)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_get_current_time_nanoseconds", |c: C<'_>, out: u32| {
        host_call(c, "proxy_get_current_time_nanoseconds", |g| {
            let now = g.state().clock.wall().as_nanos() as u64;
            g.write_u64(out, now)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_tick_period_milliseconds", |c: C<'_>, period: u32| {
        host_call(c, "proxy_set_tick_period_milliseconds", |g| {
            let state = g.state_mut();
            let (now, root) = (state.clock.now(), state.root_id());
            // Zero stops the timer.
            if period == 0 {
                state.guest.tick.remove(&root);
            } else {
                let period = Duration::from_millis(u64::from(period));
                state.guest.tick.insert(root, Tick { period, next: now + period });
            }
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_effective_context", |c: C<'_>, id: u32| {
        host_call(c, "proxy_set_effective_context", |g| {
            let guest = &mut g.state_mut().guest;
            if !guest.contexts.contains_key(&id) {
                return Ok(Status::BadArgument);
            }
            guest.effective = id;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_done", |c: C<'_>| {
        host_call(c, "proxy_done", |g| {
            let state = g.state_mut();
            let id = state.context_id();
            // Only a context whose `on_done` answered false waits for this call.
            let waiting = state.guest.done.remove(&id);
            Ok(if waiting { Status::Ok } else { Status::NotFound })
        })
    })?;
    linker.func_wrap("env", "proxy_get_status", |c: C<'_>, code: u32, at: u32, len: u32| {
        host_call(c, "proxy_get_status", |g| {
            let (number, message) = g.state().guest.status.clone();
            g.write_u32(code, number)?;
            g.give(message.as_bytes(), at, len)?;
            Ok(Status::Ok)
        })
    })?;
    Ok(())
}
