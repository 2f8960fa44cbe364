//! A body as a queue of chunks. A chunk that only passes through is never copied; bytes are
//! copied when the guest reads them, straight into its memory, and when it writes.

use bytes::Bytes;
use std::collections::VecDeque;

/// A sequence of chunks with a known total length.
#[derive(Clone, Debug, Default)]
pub struct Body {
    chunks: VecDeque<Bytes>,
    len: usize,
}

// === impl Body ===

impl Body {
    /// The number of bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Appends a chunk.
    pub fn push(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push_back(chunk);
        }
    }

    /// Puts a chunk before all others.
    pub fn push_front(&mut self, chunk: Bytes) {
        if !chunk.is_empty() {
            self.len += chunk.len();
            self.chunks.push_front(chunk);
        }
    }

    /// Takes the first chunk.
    pub fn pop(&mut self) -> Option<Bytes> {
        let chunk = self.chunks.pop_front()?;
        self.len -= chunk.len();
        Some(chunk)
    }

    /// Appends all of `other`.
    pub fn append(&mut self, mut other: Body) {
        self.len += other.len;
        self.chunks.append(&mut other.chunks);
    }

    /// Replaces everything by one chunk.
    pub fn replace(&mut self, chunk: Bytes) {
        self.chunks.clear();
        self.len = 0;
        self.push(chunk);
    }

    /// The parts, in order, that make up the `length` bytes from `start`, as far as they exist.
    /// They share the body's memory.
    pub fn shared_slices(&self, start: usize, length: usize) -> Vec<Bytes> {
        let end = start.saturating_add(length).min(self.len);
        let mut offset = 0;
        let mut parts = Vec::with_capacity(self.chunks.len());
        for chunk in &self.chunks {
            let from = start.max(offset).min(offset + chunk.len());
            let to = end.max(offset).min(offset + chunk.len());
            if from < to {
                parts.push(chunk.slice(from - offset..to - offset));
            }
            offset += chunk.len();
        }
        parts
    }
}

impl From<Bytes> for Body {
    fn from(chunk: Bytes) -> Self {
        let mut body = Self::default();
        body.push(chunk);
        body
    }
}
