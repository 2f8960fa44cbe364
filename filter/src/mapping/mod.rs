//! Parameter mapping: where a value comes from, and the plain substitution that gateway responses use.

mod expression;
mod substitution;

pub use expression::{Expression, Side, Source};
pub use substitution::substitute;
