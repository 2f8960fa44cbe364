//! HTTP as the gateway sees it: heads whose header values are bytes, paths that are read once, query strings, media types.

mod head;
mod headers;
mod media_type;
mod path;
mod query;

pub use head::{RequestHead, Response, ResponseHead};
pub use headers::Headers;
pub use media_type::MediaType;
pub use path::{CanonicalPath, InvalidPath, is_valid_host, strip_port};
pub use query::{Query, percent_encode};
