//! One invocation: what the caller sent, and what it is told.

use std::time::{SystemTime, UNIX_EPOCH};

use hyper::body::Bytes;
use tollgate::context::Ids;

use super::failure::Failure;

/// A call of a function.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// `x-amzn-RequestId`, and the id that the function sees.
    pub request_id: String,
    /// The event.
    pub payload: Bytes,
    /// By what it was called.
    pub arn: String,
    /// `X-Amzn-Trace-Id`
    pub trace: String,
    /// What `X-Amz-Client-Context` holds, decoded.
    pub client_context: Option<String>,
    /// `X-Amz-Log-Type: Tail`
    pub tail: bool,
}

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// The function's answer.
    pub answer: Result<Bytes, Failure>,
    /// The end of its log.
    pub log: Vec<u8>,
}

/// The ids of something new; the time where the system has no random numbers.
pub fn ids() -> Ids {
    let random = ring::rand::generate::<[u8; 16]>(&ring::rand::SystemRandom::new());
    Ids::new(random.map_or_else(|_| u128::from(now_millis()).to_be_bytes(), |random| random.expose()))
}

/// Milliseconds since 1970.
pub fn now_millis() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
