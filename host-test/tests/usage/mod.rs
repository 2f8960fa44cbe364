//! The parts of `usage.rs`: documents with limits, and load that counts what passes.
#![allow(dead_code, reason = "each test target uses its own part of it")]

pub mod documents;
pub mod load;
