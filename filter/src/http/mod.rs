//! HTTP as the gateway sees it: heads whose header values are bytes, paths that are read once, query strings, media types.

mod head;
mod headers;
mod media_type;
mod path;
mod query;

/// The methods that API Gateway knows, and that `ANY` stands for. HEAD is not implied by GET: assumed(head-is-not-get), after an
/// emulator's tests.
pub const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

pub use head::{RequestHead, Response, ResponseHead};
pub use headers::{Headers, is_field_name, is_field_value};
pub use media_type::{BinaryMediaTypes, MediaType};
pub use path::{CanonicalPath, InvalidPath, is_valid_host, strip_port};
pub use query::{Query, percent_encode};
