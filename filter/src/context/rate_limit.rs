//! What a rate limit service said of a request.

/// The limit that is nearest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitFacts {
    /// Requests in one window.
    pub limit: u64,
    /// How long the window is.
    pub window_seconds: u64,
    /// Requests that are left in it.
    pub remaining: u64,
    /// When it ends.
    pub reset_seconds: u64,
}
