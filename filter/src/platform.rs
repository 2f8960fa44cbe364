//! The port: what the gateway asks of whoever hosts it. Small and synchronous; the shell implements it over host calls, the
//! tests over plain values. The gateway has no clock, no randomness and no sockets of its own.

/// What a host offers to one exchange.
pub trait Platform {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_millis(&self) -> u64;

    /// Nanoseconds since some moment, the same for all workers of the host: a clock that nobody sets, for what takes how long.
    fn monotonic_nanos(&self) -> u64;

    /// Sixteen random bytes: ids, not secrets.
    fn random(&mut self) -> [u8; 16];

    /// The peer's address as `ip:port`, where known.
    fn source_address(&self) -> Option<String>;

    /// Why the response at hand is what it is: `via_upstream`, or the proxy's own word for its own answer
    /// (Envoy's attribute `response.code_details`).
    fn response_code_details(&self) -> Option<String>;

    /// The request body buffered so far.
    fn request_body(&self) -> Vec<u8>;

    /// Whether a signature is that of a text under a public key (DER, SubjectPublicKeyInfo); none where the host cannot tell, and
    /// then the gateway computes it itself. `hash`: `sha256`, `sha384` or `sha512`; ECDSA signatures are DER.
    fn verify_signature(&self, hash: &str, public_key: &[u8], signature: &[u8], text: &[u8]) -> Option<bool>;

    /// What all workers of the host share under a key, and the number of its version.
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)>;

    /// Shares a value under a key: only if the version is still the one given, or if there is none yet.
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool;

    /// A line for the operator.
    fn log(&self, level: Level, message: &str);

    /// What the host calls a metric of that kind and name; none where it keeps none.
    fn metric(&self, kind: MetricKind, name: &str) -> Option<u32> {
        let _ = (kind, name);
        None
    }

    /// Adds to a counter.
    fn add_to_counter(&self, metric: u32, number: u64) {
        let _ = (metric, number);
    }

    /// One more value of a histogram.
    fn record_in_histogram(&self, metric: u32, value: u64) {
        let _ = (metric, value);
    }

    /// The version of TLS that the client speaks, as Envoy's attribute `connection.tls_version` has it: `TLSv1.3`.
    fn tls_version(&self) -> Option<String> {
        None
    }

    /// The line of a request that is over, for the access loggers of the host.
    fn write_access_log(&self, line: &str) {
        let _ = line;
    }

    /// What went into a part of one request's way, or came out of it; the text is made only for a host that keeps it.
    fn note(&self, section: Section, name: &'static str, text: &dyn Fn() -> String) {
        let _ = (section, name, text);
    }
}

/// Where a request is on its way, in API Gateway's own words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Route, authorizer, API key, validation.
    MethodRequest,
    /// What the mappings make of it.
    IntegrationRequest,
    /// The backend.
    Integration,
    /// What the mappings make of the backend's answer.
    IntegrationResponse,
    /// What the client gets.
    MethodResponse,
    /// What the client gets when something failed.
    GatewayResponse,
}

/// What a shared value must be for another to take its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Whatever it is.
    Any,
    /// Not there.
    Missing,
    /// Still this one.
    Is(u32),
}

/// What a host makes of the numbers that it is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Their sum.
    Counter,
    /// How they are distributed.
    Histogram,
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

/// A host at which time stands still and nobody answers: for tests, benchmarks and tools that look at one step alone.
#[derive(Debug, Clone, Copy)]
pub struct Still {
    /// What its clock shows, in milliseconds since 1970-01-01T00:00:00Z.
    pub now_millis: u64,
    /// Who its only client is.
    pub source_address: Option<&'static str>,
}

impl Platform for Still {
    fn now_millis(&self) -> u64 {
        self.now_millis
    }

    fn monotonic_nanos(&self) -> u64 {
        0
    }

    fn random(&mut self) -> [u8; 16] {
        [7; 16]
    }

    fn source_address(&self) -> Option<String> {
        self.source_address.map(str::to_owned)
    }

    fn response_code_details(&self) -> Option<String> {
        None
    }

    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }

    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }

    fn shared_data(&self, _: &str) -> Option<(Vec<u8>, u32)> {
        None
    }

    fn set_shared_data(&self, _: &str, _: &[u8], _: Version) -> bool {
        false
    }

    fn log(&self, _: Level, _: &str) {}
}
