//! The events that Lambda functions get.
