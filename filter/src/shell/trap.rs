//! A trap on demand: what it costs is measured in a real Envoy (`make faults`). Only a build with the feature `trap` has this file; no
//! module that is shipped does, and a test looks for the header's name in it.

use crate::http::RequestHead;

/// A request with this header ends the VM.
const HEADER: &str = "x-tollgate-trap-this-worker";

/// Traps if the request asks for it.
pub fn if_asked(head: &RequestHead) {
    if head.headers.get(HEADER).is_some() {
        core::arch::wasm32::unreachable();
    }
}
