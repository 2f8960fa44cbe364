//! Shared data and shared queues.

use super::{Status, host_call};
use crate::state::HostState;
use wasmtime::{Caller, Linker, Result};

type C<'a> = Caller<'a, HostState>;

pub(super) fn link(linker: &mut Linker<HostState>) -> Result<()> {
    linker.func_wrap("env", "proxy_get_shared_data", |c: C<'_>, key_at, key_len, at, len, cas| {
        host_call(c, "proxy_get_shared_data", |g| {
            let key = g.bytes(key_at, key_len)?;
            let state = g.state();
            let found = state.shared.get(&state.settings.plugin.vm_id, &key);
            let (value, number) = found.ok_or(Status::NotFound)?;
            g.give(&value, at, len)?;
            g.write_u32(cas, number)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_set_shared_data", |c: C<'_>, key_at, key_len, value_at, value_len, cas: u32| {
        host_call(c, "proxy_set_shared_data", |g| {
            let key = g.bytes(key_at, key_len)?;
            let value = g.bytes(value_at, value_len)?;
            let state = g.state();
            Ok(state.shared.set(&state.settings.plugin.vm_id, key, value, cas))
        })
    })?;
    linker.func_wrap("env", "proxy_register_shared_queue", |c: C<'_>, name_at, name_len, token: u32| {
        host_call(c, "proxy_register_shared_queue", |g| {
            let name = g.bytes(name_at, name_len)?;
            let state = g.state();
            let listener = (state.worker, state.root_id());
            let vm_id = &state.settings.plugin.vm_id;
            let number = state.shared.register_queue(vm_id, &name, listener);
            g.write_u32(token, number)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_resolve_shared_queue", |c: C<'_>, vm_at, vm_len, name_at, name_len, token: u32| {
        host_call(c, "proxy_resolve_shared_queue", |g| {
            let mut vm_id = g.bytes(vm_at, vm_len)?;
            let name = g.bytes(name_at, name_len)?;
            let state = g.state();
            if vm_id.is_empty() {
                vm_id = state.settings.plugin.vm_id.clone().into();
            }
            let number = state.shared.resolve_queue(&vm_id, &name).ok_or(Status::NotFound)?;
            g.write_u32(token, number)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_dequeue_shared_queue", |c: C<'_>, token: u32, at, len| {
        host_call(c, "proxy_dequeue_shared_queue", |g| {
            let item = g.state().shared.dequeue(token)?;
            g.give(&item, at, len)?;
            Ok(Status::Ok)
        })
    })?;
    linker.func_wrap("env", "proxy_enqueue_shared_queue", |c: C<'_>, token: u32, at, len| {
        host_call(c, "proxy_enqueue_shared_queue", |g| {
            let item = g.bytes(at, len)?;
            Ok(g.state().shared.enqueue(token, item))
        })
    })?;
    Ok(())
}
