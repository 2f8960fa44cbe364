//! What all workers share of one slot, as bytes: a version, then bucket and counter, each behind a byte that says whether it is
//! there. Bytes that this version does not read count as none: they are of another version of the module.

use super::quota::Counter;
use super::throttle::Bucket;

const VERSION: u8 = 1;

/// A part of a slot, of a fixed size.
pub(super) trait Field: Sized {
    const SIZE: usize;

    fn write(&self, bytes: &mut Vec<u8>);

    /// From exactly as many bytes.
    fn read(bytes: &[u8]) -> Option<Self>;
}

/// What one slot holds; nothing of what was never used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State {
    /// Of the throttle.
    pub bucket: Option<Bucket>,
    /// Of the quota.
    pub counter: Option<Counter>,
}

// === impl State ===

impl State {
    /// As it is shared.
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        write(self.bucket.as_ref(), &mut bytes);
        write(self.counter.as_ref(), &mut bytes);
        bytes
    }

    /// As it was shared; none when these bytes are no state.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (VERSION, mut rest) = bytes.split_first().map(|(version, rest)| (*version, rest))? else { return None };
        let state = Self { bucket: read(&mut rest)?, counter: read(&mut rest)? };
        rest.is_empty().then_some(state)
    }
}

fn write<F: Field>(field: Option<&F>, bytes: &mut Vec<u8>) {
    bytes.push(u8::from(field.is_some()));
    if let Some(field) = field {
        field.write(bytes);
    }
}

fn read<F: Field>(rest: &mut &[u8]) -> Option<Option<F>> {
    let (flag, tail) = rest.split_first()?;
    if *flag == 0 {
        *rest = tail;
        return Some(None);
    }
    let (field, tail) = tail.split_at_checked(F::SIZE)?;
    *rest = tail;
    F::read(field).map(Some)
}
