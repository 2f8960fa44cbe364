//! Mapping templates: the Velocity Template Language of Apache Velocity 1.7, as API Gateway runs it. AWS: "Mapping template
//! transformations for REST APIs in API Gateway".
//!
//! What differs from plain Velocity is recorded: a reference to nothing is an empty text, everywhere; macros are not known once they
//! are read; `#evaluate`, `#parse` and `#include` are text. `$input`, `$context`, `$util`, `$stageVariables` are a [`Host`]'s.
//!
//! A template is read once, when the definition is compiled, and rendered under the [`Budget`](crate::value::Budget) of a heap.

mod ast;
mod cursor;
mod evaluate;
mod expression;
mod host;
mod methods;
mod names;
mod number;
mod render;
mod statement;
mod syntax;

pub use host::{Fault, Host};
pub use syntax::SyntaxError;

use crate::value::Heap;
use ast::{Block, Node};
use cursor::Cursor;
use names::Names;

/// How much a template may have (documented).
const SIZE_LIMIT: usize = 300 * 1024;

/// A template.
#[derive(Debug, PartialEq)]
pub struct Template {
    nodes: Block,
    names: Names,
}

// === impl Template ===

impl Template {
    /// Reads a template.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        if text.len() > SIZE_LIMIT {
            let message = format!("the template has {} bytes; {SIZE_LIMIT} are allowed", text.len());
            return Err(SyntaxError { line: 1, column: 1, message });
        }
        let mut names = Names::new();
        let nodes = statement::template(&mut Cursor::new(text, &mut names, 0));
        nodes.map(|nodes| Self { nodes, names }).map_err(|wrong| SyntaxError::locate(text, wrong))
    }

    /// The text that the template makes.
    pub fn render(&self, host: &dyn Host, heap: &mut Heap) -> Result<String, Fault> {
        match self.as_plain() {
            Some(text) => Ok(text.to_owned()),
            None => render::render(&self.nodes, &self.names, host, heap),
        }
    }

    /// Whether it asks for something under a name.
    pub fn names(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The text of a template that has nothing to evaluate.
    pub fn as_plain(&self) -> Option<&str> {
        match self.nodes.as_slice() {
            [] => Some(""),
            [Node::Text(text)] => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
