//! Counters, gauges and histograms.

use super::{Status, host_call};
use crate::shared::{Metric, MetricKind};
use crate::state::HostState;
use bytes::Bytes;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

/// The metric behind an id that the guest was given.
fn metric(state: &HostState, id: u32) -> Result<(Bytes, MetricKind), Status> {
    // The lowest two bits of an id say its kind.
    if id & 3 == 3 {
        return Err(Status::BadArgument);
    }
    state.guest.metrics.get(&id).cloned().ok_or(Status::NotFound)
}

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_define_metric", |c: C<'_>, kind: u32, at, len, out: u32| {
        host_call(c, "proxy_define_metric", |g| {
            let kind = match kind {
                0 => MetricKind::Counter,
                1 => MetricKind::Gauge,
                2 => MetricKind::Histogram,
                _ => return Ok(Status::BadArgument),
            };
            let name = g.bytes(at, len)?;
            let id = g.state_mut().define_metric(kind, name);
            g.write_u32(out, id)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_increment_metric", |c: C<'_>, id: u32, offset: i64| {
        host_call(c, "proxy_increment_metric", |g| {
            let (name, kind) = metric(g.state(), id)?;
            // A counter only grows, and a histogram has no sum to move.
            match kind {
                MetricKind::Counter if offset > 0 => {}
                MetricKind::Gauge => {}
                _ => return Ok(Status::BadArgument),
            }
            g.state().shared.with_metric(&name, kind, |metric| {
                if let Metric::Counter(value) | Metric::Gauge(value) = metric {
                    *value = value.saturating_add_signed(offset);
                }
            });
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_record_metric", |c: C<'_>, id: u32, new: u64| {
        host_call(c, "proxy_record_metric", |g| {
            let (name, kind) = metric(g.state(), id)?;
            g.state().shared.with_metric(&name, kind, |metric| match metric {
                Metric::Counter(value) => *value = value.saturating_add(new),
                Metric::Gauge(value) => *value = new,
                Metric::Histogram(values) => values.push(new),
            });
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_get_metric", |c: C<'_>, id: u32, out: u32| {
        host_call(c, "proxy_get_metric", |g| {
            let (name, kind) = metric(g.state(), id)?;
            let mut current = None;
            g.state().shared.with_metric(&name, kind, |metric| {
                if let Metric::Counter(value) | Metric::Gauge(value) = metric {
                    current = Some(*value);
                }
            });
            g.write_u64(out, current.ok_or(Status::BadArgument)?)?;
            Ok(Status::Ok)
        })
    })?;
    Ok(())
}
