//! The clock that nobody sets. The SDK has none, and the standard library's has an origin of its own in every VM; WASI's is the
//! host's, and the same for all workers (Envoy: `Context::getMonotonicTimeNanoseconds`).

/// `__WASI_CLOCKID_MONOTONIC`
const MONOTONIC: u32 = 1;

#[expect(unsafe_code, reason = "an import has no body to look at")]
#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn clock_time_get(id: u32, precision: u64, time: *mut u64) -> u16;
}

/// Nanoseconds since the host's own beginning; 0 where it has no such clock.
pub fn now_nanos() -> u64 {
    let mut nanos = 0;
    #[expect(unsafe_code, reason = "WASI writes eight bytes where it is told, which are ours")]
    let status = unsafe { clock_time_get(MONOTONIC, 0, &raw mut nanos) };
    if status == 0 { nanos } else { 0 }
}
