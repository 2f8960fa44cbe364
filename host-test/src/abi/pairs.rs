//! Header pairs as the ABI lays them out: the number of pairs, then the sizes of each name and
//! value, then the bytes, each followed by a zero.

use crate::headers::HeaderMap;
use bytes::Bytes;

/// More than any message has; a guest that claims more only wants to keep the host busy.
const MOST_PAIRS: usize = 10_000;

/// Lays pairs out for the guest. No pairs are no bytes.
pub(super) fn encode(map: &HeaderMap) -> Vec<u8> {
    if map.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::with_capacity(4 + map.len() * 10 + map.byte_size());
    out.extend((map.len() as u32).to_le_bytes());
    for (name, value) in map.iter() {
        out.extend((name.len() as u32).to_le_bytes());
        out.extend((value.len() as u32).to_le_bytes());
    }
    for (name, value) in map.iter() {
        out.extend_from_slice(name);
        out.push(0);
        out.extend_from_slice(value);
        out.push(0);
    }
    out
}

/// Reads pairs from the guest; `None` when the sizes do not fit the bytes.
pub(super) fn decode(bytes: &Bytes) -> Option<HeaderMap> {
    if bytes.is_empty() {
        return Some(HeaderMap::new());
    }
    let number = |at: usize| -> Option<usize> {
        let raw = bytes.get(at..at.checked_add(4)?)?;
        Some(u32::from_le_bytes(raw.try_into().ok()?) as usize)
    };
    let count = number(0).filter(|count| *count <= MOST_PAIRS)?;
    let mut at = count.checked_mul(8)?.checked_add(4)?;
    if at > bytes.len() {
        return None;
    }
    let mut map = HeaderMap::new();
    for index in 0..count {
        let (name_len, value_len) = (number(4 + index * 8)?, number(8 + index * 8)?);
        let mut take = |length: usize| -> Option<Bytes> {
            let end = at.checked_add(length)?;
            if end > bytes.len() {
                return None;
            }
            let part = bytes.slice(at..end);
            at = end + 1;
            Some(part)
        };
        let (name, value) = (take(name_len)?, take(value_len)?);
        map.add(name, value);
    }
    Some(map)
}
