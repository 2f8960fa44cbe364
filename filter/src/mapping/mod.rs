//! Parameter mapping: where a value comes from, and the plain substitution that gateway responses use.

mod expression;
mod substitution;

pub use expression::{Expression, InvalidExpression, Source, is_field_value};
pub use substitution::substitute;
