//! The parts of `usage.rs`: documents with limits, and load that counts what passes.

pub mod documents;
pub mod load;
