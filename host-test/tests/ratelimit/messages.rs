//! The messages as a client has them: the same protos, read a second time. That the field numbers are Envoy's own is what the
//! test with a real Envoy shows.

#[derive(Clone, PartialEq, prost::Message)]
pub struct Request {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(message, repeated, tag = "2")]
    pub descriptors: Vec<Descriptor>,
    #[prost(uint32, tag = "3")]
    pub hits_addend: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Descriptor {
    #[prost(message, repeated, tag = "1")]
    pub entries: Vec<Entry>,
    #[prost(message, optional, tag = "2")]
    pub limit: Option<Limit>,
    #[prost(message, optional, tag = "3")]
    pub hits_addend: Option<Number>,
    #[prost(bool, tag = "4")]
    pub is_negative_hits: bool,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

/// An override, and a current limit: both have the number and the unit.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Limit {
    #[prost(uint32, tag = "1")]
    pub requests_per_unit: u32,
    #[prost(int32, tag = "2")]
    pub unit: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Number {
    #[prost(uint64, tag = "1")]
    pub value: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Response {
    #[prost(int32, tag = "1")]
    pub overall_code: i32,
    #[prost(message, repeated, tag = "2")]
    pub statuses: Vec<Status>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Status {
    #[prost(int32, tag = "1")]
    pub code: i32,
    #[prost(message, optional, tag = "2")]
    pub current_limit: Option<Limit>,
    #[prost(uint32, tag = "3")]
    pub limit_remaining: u32,
    #[prost(message, optional, tag = "4")]
    pub duration_until_reset: Option<Duration>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Duration {
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HealthRequest {
    #[prost(string, tag = "1")]
    pub service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HealthResponse {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

pub const OK: i32 = 1;
pub const OVER_LIMIT: i32 = 2;

pub const SECOND: i32 = 1;
pub const MINUTE: i32 = 2;
pub const HOUR: i32 = 3;
pub const DAY: i32 = 4;
pub const MONTH: i32 = 5;
pub const YEAR: i32 = 6;
pub const WEEK: i32 = 7;

// === impl Descriptor ===

/// A descriptor with one entry, `key: name`, and a limit.
pub fn limited(name: &str, requests_per_unit: u32, unit: i32) -> Descriptor {
    Descriptor { limit: Some(Limit { requests_per_unit, unit }), ..unlimited(name) }
}

/// A descriptor with one entry, `key: name`.
pub fn unlimited(name: &str) -> Descriptor {
    Descriptor { entries: vec![Entry { key: "key".to_owned(), value: name.to_owned() }], ..Descriptor::default() }
}

/// A request of the domain `tests`.
pub fn request(descriptors: &[Descriptor]) -> Request {
    Request { domain: "tests".to_owned(), descriptors: descriptors.to_vec(), hits_addend: 0 }
}

// === impl Status ===

impl Status {
    /// Seconds until the window ends.
    pub fn reset(&self) -> f64 {
        let reset = self.duration_until_reset.as_ref().expect("a limited descriptor has a reset");
        reset.seconds as f64 + f64::from(reset.nanos) / 1e9
    }
}
