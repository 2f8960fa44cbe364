//! The question on the wire.
//!
//! RateLimitRequest { 1 domain, 2: RateLimitDescriptor*, 3 hits_addend }; RateLimitDescriptor { 1: Entry*, 2: RateLimitOverride };
//! Entry { 1 key, 2 value }; RateLimitOverride { 1 requests_per_unit, 2 unit }.

use super::descriptor::Descriptor;
use crate::protobuf::{put_bytes, put_number};

/// A `RateLimitRequest` for one request.
pub(super) fn write(domain: &str, descriptors: &[Descriptor]) -> Vec<u8> {
    let mut message = Vec::new();
    put_bytes(1, domain.as_bytes(), &mut message);
    for descriptor in descriptors {
        put_bytes(2, &self::descriptor(descriptor), &mut message);
    }
    put_number(3, 1, &mut message);
    message
}

fn descriptor(descriptor: &Descriptor) -> Vec<u8> {
    let mut message = Vec::new();
    for (key, value) in &descriptor.entries {
        let mut entry = Vec::new();
        put_bytes(1, key.as_bytes(), &mut entry);
        put_bytes(2, value.as_bytes(), &mut entry);
        put_bytes(1, &entry, &mut message);
    }
    let mut limit = Vec::new();
    put_number(1, u64::from(descriptor.limit), &mut limit);
    put_number(2, descriptor.unit as u64, &mut limit);
    put_bytes(2, &limit, &mut message);
    message
}
