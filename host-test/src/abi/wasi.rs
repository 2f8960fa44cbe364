//! WASI preview 1, as far as Envoy 1.40 offers it: output goes to the log, there are two clocks,
//! random numbers and an environment, and no files at all.

use super::guest::{Guest, Stop};
use super::wasi_files;
use crate::settings::LogLevel;
use crate::state::HostState;
use wasmtime::{Caller, Error, Linker, Result};

type C<'a> = Caller<'a, HostState>;

/// Envoy answers to the old name too.
const MODULES: [&str; 2] = ["wasi_snapshot_preview1", "wasi_unstable"];
const SUCCESS: u32 = 0;
const BAD_FD: u32 = 8;
const FAULT: u32 = 21;
const NO_RANDOM: u32 = 29;
const NOT_IMPLEMENTED: u32 = 52;
const NOT_SUPPORTED: u32 = 58;
/// `__WASI_CLOCKID_REALTIME`
const WALL_CLOCK: u32 = 0;
/// `__WASI_CLOCKID_MONOTONIC`
const MONOTONIC_CLOCK: u32 = 1;
/// `__WASI_RIGHTS_FD_WRITE`
const RIGHT_TO_WRITE: u64 = 64;

/// How much of one write becomes a line of the log.
const LONGEST_LINE: usize = 64 * 1024;

/// Runs one WASI function; memory that is not the guest's is `EFAULT`.
fn wasi_call(mut caller: C<'_>, name: &'static str, body: impl FnOnce(&mut Guest<'_, '_>) -> Result<u32, Stop>) -> Result<u32> {
    *caller.data_mut().journal.host_calls.entry(name).or_default() += 1;
    match body(&mut Guest::new(&mut caller)) {
        Ok(errno) => Ok(errno),
        Err(Stop::Status(_)) => Ok(FAULT),
        Err(Stop::Trap(trap)) => Err(trap),
    }
}

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    for module in MODULES {
        link_as(linker, module)?;
        wasi_files::link(linker, module)?;
    }
    // What Emscripten's programs import.
    linker.func_wrap("env", "emscripten_notify_memory_growth", |_: u32| {})?;
    linker.func_wrap("env", "pthread_equal", |left: u32, right: u32| u32::from(left == right))?;
    Ok(())
}

fn link_as(linker: &mut Linker<HostState>, module: &str) -> Result<()> {
    linker.func_wrap(module, "fd_write", |c: C<'_>, fd: u32, iovs: u32, count: u32, out: u32| {
        wasi_call(c, "fd_write", |g| fd_write(g, fd, iovs, count, out))
    })?;
    linker.func_wrap(module, "fd_read", |c: C<'_>, _: u32, _: u32, _: u32, _: u32| {
        wasi_call(c, "fd_read", |_| Ok(NOT_IMPLEMENTED))
    })?;
    linker.func_wrap(module, "fd_seek", |c: C<'_>, _: u32, _: i64, _: u32, _: u32| wasi_call(c, "fd_seek", |_| Ok(SUCCESS)))?;
    linker.func_wrap(module, "fd_close", |c: C<'_>, _: u32| wasi_call(c, "fd_close", |_| Ok(SUCCESS)))?;
    linker.func_wrap(module, "fd_fdstat_get", |c: C<'_>, fd: u32, out: u32| {
        wasi_call(c, "fd_fdstat_get", |g| {
            if fd != 1 && fd != 2 {
                return Ok(BAD_FD);
            }
            g.write_u64(out, 0)?;
            g.write_u64(out.wrapping_add(8), RIGHT_TO_WRITE)?;
            g.write_u64(out.wrapping_add(16), 0)?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "fd_fdstat_set_flags", |c: C<'_>, _: u32, _: u32| {
        wasi_call(c, "fd_fdstat_set_flags", |_| Ok(NOT_IMPLEMENTED))
    })?;
    linker.func_wrap(module, "environ_sizes_get", |c: C<'_>, count: u32, size: u32| {
        wasi_call(c, "environ_sizes_get", |g| {
            let environment = environment(g.state());
            g.write_u32(count, environment.len() as u32)?;
            g.write_u32(size, environment.iter().map(|entry| entry.len() as u32).sum())?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "environ_get", |c: C<'_>, pointers: u32, buffer: u32| {
        wasi_call(c, "environ_get", |g| {
            let (mut pointer, mut at) = (pointers, buffer);
            for entry in environment(g.state()) {
                g.write_u32(pointer, at)?;
                g.write(at, &entry)?;
                pointer = pointer.wrapping_add(4);
                at = at.wrapping_add(entry.len() as u32);
            }
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "args_sizes_get", |c: C<'_>, count: u32, size: u32| {
        wasi_call(c, "args_sizes_get", |g| {
            g.write_u32(count, 0)?;
            g.write_u32(size, 0)?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "args_get", |c: C<'_>, _: u32, _: u32| wasi_call(c, "args_get", |_| Ok(SUCCESS)))?;
    linker.func_wrap(module, "clock_time_get", |c: C<'_>, clock: u32, _: u64, out: u32| {
        wasi_call(c, "clock_time_get", |g| {
            let clocks = &g.state().clock;
            let time = match clock {
                WALL_CLOCK => clocks.wall(),
                MONOTONIC_CLOCK => clocks.now(),
                _ => return Ok(NOT_SUPPORTED),
            };
            g.write_u64(out, time.as_nanos() as u64)?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "random_get", |c: C<'_>, at: u32, length: u32| {
        wasi_call(c, "random_get", |g| {
            // Reading first keeps a guest from making the host allocate what it cannot hold.
            let mut bytes = g.slice(at, length)?.to_vec();
            if !g.state_mut().random.fill(&mut bytes) {
                return Ok(NO_RANDOM);
            }
            g.write(at, &bytes)?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "sched_yield", |c: C<'_>| wasi_call(c, "sched_yield", |_| Ok(SUCCESS)))?;
    linker.func_wrap(module, "poll_oneoff", |c: C<'_>, _: u32, _: u32, _: u32, events: u32| {
        wasi_call(c, "poll_oneoff", |g| {
            // Nothing is ever waited for.
            g.write_u32(events, 0)?;
            Ok(SUCCESS)
        })
    })?;
    linker.func_wrap(module, "proc_exit", |mut c: C<'_>, code: u32| -> Result<()> {
        *c.data_mut().journal.host_calls.entry("proc_exit").or_default() += 1;
        Err(Error::msg(format!("the module called proc_exit({code})")))
    })?;
    Ok(())
}

fn fd_write(g: &mut Guest<'_, '_>, fd: u32, iovs: u32, count: u32, out: u32) -> Result<u32, Stop> {
    let level = match fd {
        1 => LogLevel::Info,
        2 => LogLevel::Error,
        _ => return Ok(BAD_FD),
    };
    let size = count.checked_mul(8).ok_or(Stop::Status(super::Status::InvalidMemoryAccess))?;
    let vectors = g.slice(iovs, size)?.to_vec();
    let mut text = Vec::new();
    // A guest may write less than it wanted and goes on with the rest; many vectors over the same bytes must not become gigabytes.
    for vector in vectors.chunks_exact(8) {
        if text.len() >= LONGEST_LINE {
            break;
        }
        let number =
            |range: std::ops::Range<usize>| vector.get(range).and_then(|raw| raw.try_into().ok()).map_or(0, u32::from_le_bytes);
        let size = number(4..8).min((LONGEST_LINE - text.len()) as u32);
        text.extend_from_slice(g.slice(number(0..4), size)?);
    }
    let written = text.len();
    if written > 0 {
        let text = String::from_utf8_lossy(&text);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        g.state_mut().log(level, line);
    }
    g.write_u32(out, written as u32)?;
    Ok(SUCCESS)
}

fn environment(state: &HostState) -> Vec<Vec<u8>> {
    let variables = &state.settings.plugin.environment;
    variables.iter().map(|(name, value)| format!("{name}={value}\0").into_bytes()).collect()
}
