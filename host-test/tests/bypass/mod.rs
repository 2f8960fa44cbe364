//! The parts of `bypass.rs`: what is attacked, with what, and who says what may pass.

pub mod apis;
pub mod comparison;
pub mod credentials;
pub mod documents;
pub mod envoy;
pub mod functions;
pub mod matrix;
pub mod paths;
pub mod reference;
