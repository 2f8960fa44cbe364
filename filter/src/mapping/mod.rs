//! Mappings: where a value comes from, what templates are given and leave behind, and the plain substitution that gateway responses
//! use.

mod context_map;
mod expression;
mod http_expression;
mod render;
mod sources;
mod substitution;
mod util;
mod variables;

pub use expression::{Expression, Side, Source};
pub use http_expression::{HttpExpression, Origin};
pub use render::{Amend, Overrides, render, render_with};
pub use sources::{InvalidBody, Sources};
pub use substitution::substitute;

#[cfg(test)]
mod http_expression_tests;
#[cfg(test)]
mod tests;
