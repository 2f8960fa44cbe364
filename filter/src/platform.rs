//! The port: what the gateway asks of whoever hosts it. Small and synchronous; the shell implements it over host calls, the
//! tests over plain values. The gateway has no clock, no randomness and no sockets of its own.

/// What a host offers to one exchange.
pub trait Platform {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> u64;

    /// Sixteen random bytes: ids, not secrets.
    fn random(&mut self) -> [u8; 16];

    /// The peer's address as `ip:port`, where known.
    fn source_address(&self) -> Option<String>;

    /// Why the response at hand is what it is: `via_upstream`, or the proxy's own word for its own answer
    /// (Envoy's attribute `response.code_details`).
    fn response_code_details(&self) -> Option<String>;

    /// The request body buffered so far.
    fn request_body(&self) -> Vec<u8>;

    /// A line for the operator.
    fn log(&self, level: Level, message: &str);
}

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For who reads one request.
    Debug,
    /// For who runs the gateway.
    Info,
    /// Something is served differently from what was meant.
    Warn,
    /// Something is not served.
    Error,
}
