//! JSON Schema, draft 4: what API Gateway's models are written in. AWS: "Data models for REST APIs".
//!
//! A schema is compiled once, while the definition is: its sub-schemas lie side by side and name each other by their place, so
//! that cycles of `$ref` cost nothing. Looking at a value takes a step for every pair of sub-schema and value, so that no body keeps
//! a worker for long; schemas that lead back to themselves without looking deeper into the value end as too deep.
//!
//! All of draft 4 counts. AWS says of some keywords that models do not have them (`additionalProperties`, `anyOf`, `oneOf`,
//! `exclusiveMinimum`, `minItems`, `maxItems`); of two of them the opposite is recorded, so that all are looked at:
//! assumed(model-keywords).

mod canonical;
mod check;
mod compile;
mod format;
mod number;
mod pattern;
mod reference;
mod report;
#[cfg(test)]
mod tests;

use crate::definition::Node;
use crate::problem::{Problem, Problems};
use crate::value::{Exhausted, Heap, Value};
use check::Check;
use compile::Compiler;
use format::Format;
use number::Decimal;
use pattern::Pattern;
use report::Report;

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    /// It and all sub-schemas that it leads to.
    rules: Vec<Rules>,
    root: Id,
}

/// A place in [`Schema::rules`].
type Id = usize;

/// One sub-schema.
#[derive(Debug, Default)]
struct Rules {
    /// What is asked of the value itself, in the order of the keywords' names.
    keywords: Vec<Keyword>,
    /// `items` as a list: the schemas of the first items.
    items: Vec<Id>,
    /// The schema of all items that are not among them.
    more_items: Option<Id>,
    /// `properties`, in the order of their names.
    properties: Vec<(String, Id)>,
    /// `patternProperties`
    patterns: Vec<(Pattern, Id)>,
    /// The schema of all members that none of both names.
    more_properties: Option<Id>,
}

/// One thing that is asked of a value.
#[derive(Debug)]
enum Keyword {
    /// `additionalItems: false`
    NoMoreItems,
    /// `additionalProperties: false`
    NoMoreProperties,
    AllOf(Vec<Id>),
    AnyOf(Vec<Id>),
    OneOf(Vec<Id>),
    Not(Id),
    Dependencies(Vec<(String, Dependency)>),
    /// The canonical texts of its values, and its own.
    Enum(Vec<String>, String),
    /// `minimum`, `maximum`
    Range {
        bound: Bound,
        limit: Number,
        exclusive: bool,
    },
    /// `minLength`, `maxItems`, …
    Size {
        of: Measured,
        bound: Bound,
        limit: u64,
    },
    MultipleOf(Number),
    Pattern(Pattern),
    Required(Vec<String>),
    Type(Types),
    UniqueItems,
    Format(&'static Format),
}

/// What a member demands of the object that has it.
#[derive(Debug)]
enum Dependency {
    Members(Vec<String>),
    Schema(Id),
}

/// Which end of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    Minimum,
    Maximum,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Measured {
    /// Of a string, in code points.
    Length,
    /// Of an array.
    Items,
    /// Of an object.
    Properties,
}

/// A number of a schema.
#[derive(Debug)]
struct Number {
    decimal: Decimal,
    /// As it was written.
    text: String,
}

/// A set of draft 4's seven types.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Types(u8);

/// What came of looking at a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It is as the schema says.
    Valid,
    /// It is not: what is wrong, in brackets, as `$context.error.validationErrorString` says it.
    Invalid(String),
}

// === impl Schema ===

impl Schema {
    /// Compiles a schema of a document, which its references start from.
    pub fn compile(root: &Node<'_>, schema: &Node<'_>, problems: &mut Problems) -> Option<Self> {
        Compiler::compile(root, schema, problems)
    }

    /// Compiles a schema that is a document of its own.
    pub fn compile_value(schema: &serde_json::Value) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        let root = Node::root(schema);
        let compiled = Self::compile(&root, &root, &mut problems);
        compiled.filter(|_| !problems.any_error()).ok_or_else(|| problems.into_vec())
    }

    /// Whether a value is as the schema says.
    pub fn is_valid(&self, value: &Value, heap: &mut Heap) -> Result<bool, Exhausted> {
        self.check(value, heap, Report::quiet()).map(|report| !report.has_failed())
    }

    /// The same, with what is wrong.
    pub fn validate(&self, value: &Value, heap: &mut Heap) -> Result<Verdict, Exhausted> {
        let report = self.check(value, heap, Report::loud())?;
        Ok(if report.has_failed() { Verdict::Invalid(report.into_text()) } else { Verdict::Valid })
    }

    fn check(&self, value: &Value, heap: &mut Heap, report: Report) -> Result<Report, Exhausted> {
        let mut check = Check::new(self, heap, report);
        let visited = check.visit(self.root, value, 0);
        let report = check.into_report();
        match visited {
            // Whatever else there is cannot make it valid again.
            Err(exhausted) if !report.has_failed() => Err(exhausted),
            _ => Ok(report),
        }
    }
}

// === impl Types ===

impl Types {
    /// In the order of their names, which is that of error texts.
    const NAMES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

    fn named(name: &str) -> Option<Self> {
        let place = Self::NAMES.iter().position(|known| *known == name)?;
        // Whatever is an integer is a number.
        Some(if name == "number" { Self(1 << place | 1 << 2) } else { Self(1 << place) })
    }

    /// Draft 4's word for a value: 1.0 is a number and no integer, as in Java.
    fn of(value: &Value) -> Self {
        Self(match value {
            Value::List(_) => 1,
            Value::Boolean(_) => 1 << 1,
            Value::Integer(_) | Value::BigInteger(_) => 1 << 2,
            Value::Null => 1 << 3,
            Value::Double(_) => 1 << 4,
            Value::Map(_) => 1 << 5,
            Value::Text(_) => 1 << 6,
            Value::Host(_) => 0,
        })
    }

    fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn overlap(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        Self::NAMES.into_iter().enumerate().filter(move |(place, _)| self.0 >> place & 1 == 1).map(|(_, name)| name)
    }
}
