//! Metrics and the access log's property. The SDK's own calls panic on a status that they do not expect, and a panic strands every
//! stream of the worker.

use crate::platform::MetricKind;
use proxy_wasm::hostcalls;

#[link(wasm_import_module = "env")]
#[expect(unsafe_code, reason = "the host calls exist only as imports")]
unsafe extern "C" {
    fn proxy_define_metric(kind: u32, name: *const u8, name_size: usize, id: *mut u32) -> u32;
    fn proxy_increment_metric(id: u32, offset: i64) -> u32;
    fn proxy_record_metric(id: u32, value: u64) -> u32;
    fn proxy_set_property(path: *const u8, path_size: usize, value: *const u8, value_size: usize) -> u32;
}

/// Envoy's name of it is `wasm.tollgate_access_log`.
const ACCESS_LOG: &str = "tollgate_access_log";

/// Its id, if the host gave one.
pub fn define(kind: MetricKind, name: &str) -> Option<u32> {
    let kind = match kind {
        MetricKind::Counter => 0,
        MetricKind::Histogram => 2,
    };
    let mut id = 0;
    #[expect(unsafe_code, reason = "the name is that of a live slice, with its length, and the id outlives the call")]
    let status = unsafe { proxy_define_metric(kind, name.as_ptr(), name.len(), &raw mut id) };
    (status == 0).then_some(id)
}

/// Adds to a counter. What the host does not take is lost: there is nobody to tell.
pub fn add(metric: u32, number: u64) {
    #[expect(unsafe_code, reason = "numbers only")]
    let _ = unsafe { proxy_increment_metric(metric, i64::try_from(number).unwrap_or(i64::MAX)) };
}

/// One more value of a histogram.
pub fn record(metric: u32, value: u64) {
    #[expect(unsafe_code, reason = "numbers only")]
    let _ = unsafe { proxy_record_metric(metric, value) };
}

/// Tells the host that the property is a text, so that loggers write it as it is. A host that knows no declarations takes bytes.
pub fn declare_access_log() {
    // {1 path, 2 readonly, 3 type: String, 4 schema, 5 span: DownstreamRequest}
    let name = ACCESS_LOG.as_bytes();
    let mut message = vec![0x0a, u8::try_from(name.len()).unwrap_or_default()];
    message.extend_from_slice(name);
    message.extend_from_slice(&[0x18, 1, 0x28, 1]);
    let _ = hostcalls::call_foreign_function("declare_property", Some(&message));
}

/// Sets the property of the stream at hand.
pub fn write_access_log(line: &str) {
    #[expect(unsafe_code, reason = "both are those of live slices, with their lengths")]
    let _ = unsafe { proxy_set_property(ACCESS_LOG.as_ptr(), ACCESS_LOG.len(), line.as_ptr(), line.len()) };
}
