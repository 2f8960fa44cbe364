//! The parts of `bypass.rs` and of the matrix of `attack.rs`: what is attacked, with what, and who says what may pass.
#![allow(dead_code, reason = "the two test targets use different parts of it")]

pub mod apis;
pub mod comparison;
pub mod credentials;
pub mod documents;
pub mod envoy;
pub mod functions;
pub mod matrix;
pub mod paths;
pub mod reference;
pub mod run;
pub mod settings;
