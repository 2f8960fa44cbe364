//! A request as it is asked for: every descriptor that sets itself a limit is a hit of a counter.

use super::counters::{Counter, Hit, Unit};
use super::messages::{Descriptor, RateLimitRequest};

/// Descriptors of one request. Ours sends a handful.
const MAX_DESCRIPTORS: usize = 64;

/// Bytes of a counter's identity: it is a key in memory, or in Redis.
const MAX_IDENTITY: usize = 2048;

/// For each descriptor its hit; none, when nothing limits it.
pub type Hits = Vec<Option<Hit>>;

/// Reads a request, or says in words what is wrong with it.
pub fn read(request: &RateLimitRequest) -> Result<Hits, String> {
    if request.domain.is_empty() {
        return Err("`domain` is empty".to_owned());
    }
    if request.descriptors.is_empty() {
        return Err("`descriptors` is empty".to_owned());
    }
    if request.descriptors.len() > MAX_DESCRIPTORS {
        return Err(format!("`descriptors` has more than {MAX_DESCRIPTORS} items"));
    }
    let hit = |(index, descriptor)| {
        hit(request, descriptor).map_err(|Wrong { field, what }| format!("`descriptors[{index}].{field}` {what}"))
    };
    request.descriptors.iter().enumerate().map(hit).collect()
}

/// A field that is wrong.
struct Wrong {
    field: String,
    what: String,
}

fn hit(request: &RateLimitRequest, descriptor: &Descriptor) -> Result<Option<Hit>, Wrong> {
    let wrong = |field: &str, what: &str| Wrong { field: field.to_owned(), what: what.to_owned() };
    if descriptor.entries.is_empty() {
        return Err(wrong("entries", "is empty"));
    }
    if let Some(nameless) = descriptor.entries.iter().position(|entry| entry.key.is_empty()) {
        return Err(wrong(&format!("entries[{nameless}].key"), "is empty"));
    }
    if descriptor.is_negative_hits {
        return Err(wrong("is_negative_hits", "is not served: hits are never given back"));
    }
    let Some(limit) = &descriptor.limit else { return Ok(None) };
    let Some(unit) = Unit::from_number(limit.unit) else {
        return Err(wrong("limit.unit", &format!("is `{}`, which is no unit of time", limit.unit)));
    };
    let entries = descriptor.entries.iter().map(|entry| (entry.key.as_str(), entry.value.as_str()));
    let counter = Counter::new(&request.domain, entries, unit, limit.requests_per_unit);
    if counter.identity().len() > MAX_IDENTITY {
        return Err(wrong("entries", &format!("are longer than {MAX_IDENTITY} bytes, the domain included")));
    }
    let hits = match &descriptor.hits_addend {
        Some(own) => own.value,
        None => u64::from(request.hits_addend.max(1)),
    };
    Ok(Some(Hit::new(counter, hits)))
}
