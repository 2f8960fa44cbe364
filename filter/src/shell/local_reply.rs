//! `proxy_send_local_response` with header values that are bytes. The SDK's own call takes text only, and a value may be whatever a
//! client sent; it also panics on an unexpected status, and a panic strands every stream of the worker.

use super::header_map;
use crate::http::Response;

#[link(wasm_import_module = "env")]
#[expect(unsafe_code, reason = "the host call exists only as an import")]
unsafe extern "C" {
    fn proxy_send_local_response(
        status: u32,
        details: *const u8,
        details_size: usize,
        body: *const u8,
        body_size: usize,
        headers: *const u8,
        headers_size: usize,
        grpc_status: i32,
    ) -> u32;
}

const DETAILS: &str = "tollgate";

/// Answers the client; false when the host did not take the answer.
#[must_use]
pub fn send(response: &Response) -> bool {
    let headers = header_map::serialize(response.head.headers.iter());
    #[expect(unsafe_code, reason = "every pointer is that of a live slice, with its length")]
    let status = unsafe {
        proxy_send_local_response(
            u32::from(response.head.status),
            DETAILS.as_ptr(),
            DETAILS.len(),
            response.body.as_ptr(),
            response.body.len(),
            headers.as_ptr(),
            headers.len(),
            -1,
        )
    };
    status == 0
}
