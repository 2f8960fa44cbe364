//! `X-Amzn-Trace-Id`: `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1` (recorded: `test_invocation_trace_id`).

use super::Context;
use crate::platform::Platform;

/// The header that names the trace.
pub const TRACE_HEADER: &str = "x-amzn-trace-id";

impl Context {
    /// The trace of this request: what came in is kept, what is missing is made. Sampled is 1 when a parent came in and said
    /// nothing else, 0 when none did.
    pub fn trace_id(&self, platform: &dyn Platform) -> String {
        let Some(incoming) = self.headers().last(TRACE_HEADER) else {
            let (root, parent) = (self.ids.trace_root(self.received_millis(platform)), self.ids.trace_parent());
            return ["Root=", &root, ";Parent=", &parent, ";Sampled=0"].concat();
        };
        let incoming = String::from_utf8_lossy(incoming);
        let parts = || {
            let plain =
                |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b':' | b'.' | b'_'));
            incoming
                .split(';')
                .filter_map(|part| part.trim().split_once('='))
                .filter(move |(key, value)| plain(key) && plain(value))
        };
        let part = |name: &str| parts().find(|(key, _)| *key == name).map(|(_, value)| value);
        let parent = part("Parent");
        let sampled = part("Sampled").unwrap_or(if parent.is_some() { "1" } else { "0" });
        let root = part("Root").map_or_else(|| self.ids.trace_root(self.received_millis(platform)), str::to_owned);
        let parent = parent.map_or_else(|| self.ids.trace_parent(), str::to_owned);
        // `Lineage` and whatever else came along goes on.
        let others = parts().filter(|(key, _)| !matches!(*key, "Root" | "Parent" | "Sampled" | "Self"));
        let others: String = others.map(|(key, value)| format!(";{key}={value}")).collect();
        format!("Root={root};Parent={parent};Sampled={sampled}{others}")
    }
}
