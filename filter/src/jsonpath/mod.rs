//! JSONPath in Jayway's dialect (the Java library json-path 2), which API Gateway's `$input.json`, `$input.path` and body mappings
//! speak. How a path behaves in doubtful places is that library's behaviour, its accidents included: a table of what it was seen to
//! answer is among the tests. Its releases differ; assumed(jsonpath-version): API Gateway has one like 2.9.

mod compare;
mod compile;
mod evaluate;
mod filter;
mod function;
mod literal;

use crate::value::{Exhausted, Heap, Value};
use evaluate::{Evaluation, Stop};
use filter::Expression;
use function::Function;
use literal::Literal;

/// A compiled path.
#[derive(Debug, Clone)]
pub struct JsonPath {
    text: String,
    path: Path,
    /// What the filters compare with: values of a heap only once there is one.
    literals: Vec<Literal>,
}

/// A text that is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidPath {
    /// Where, in bytes of the path.
    pub offset: usize,
    /// What is wrong.
    pub message: &'static str,
}

/// `$…` or, in a filter, `@…`
#[derive(Debug, Clone)]
struct Path {
    /// `$`, not `@`.
    from_root: bool,
    tokens: Vec<Token>,
    /// How many tokens lead to one value at most, counted from the first.
    definite: usize,
}

#[derive(Debug, Clone)]
enum Token {
    /// `.name`, `['name']`, `['a','b']`
    Properties(Vec<String>),
    /// `[0]`, `[-1]`, `[0,2]`
    Indexes(Vec<i64>),
    /// `[1:]`, `[:2]`, `[1:2]`
    Slice(Option<i64>, Option<i64>),
    /// `*`
    Wildcard,
    /// `..`
    Scan,
    /// `[?(…)]`
    Filter(Expression),
    /// `.length()`
    Function(Function, Vec<Argument>),
}

/// An argument of a function.
#[derive(Debug, Clone)]
enum Argument {
    Path(Path),
    Literal(usize),
}

// === impl JsonPath ===

impl JsonPath {
    /// Reads a path. One that does not begin with `$` gets `$.` put in front.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let mut literals = Vec::new();
        let path = compile::compile(text, &mut literals)?;
        Ok(Self { text: text.to_owned(), path, literals })
    }

    /// What it leads to; none where it leads nowhere. A path that is not definite reads as a list, possibly an empty one.
    pub fn read(&self, root: &Value, heap: &mut Heap) -> Result<Option<Value>, Exhausted> {
        let literals = self.literals.iter().map(|literal| literal.value(heap)).collect::<Result<_, _>>()?;
        match Evaluation::new(root, literals, heap).value(&self.path, root) {
            Ok(value) => Ok(Some(value)),
            Err(Stop::Nowhere) => Ok(None),
            Err(Stop::Exhausted(exhausted)) => Err(exhausted),
        }
    }
}

/// Two paths are the same when their texts are.
impl PartialEq for JsonPath {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for JsonPath {}

// === impl Path ===

impl Path {
    fn new(from_root: bool, tokens: Vec<Token>) -> Self {
        let last = tokens.len().saturating_sub(1);
        let is_definite = |(place, token): &(usize, &Token)| match token {
            // The last one of a path gives one map of all its names.
            Token::Properties(names) => names.len() == 1 || *place == last,
            Token::Indexes(indexes) => indexes.len() == 1,
            Token::Function(..) => true,
            Token::Slice(..) | Token::Wildcard | Token::Scan | Token::Filter(_) => false,
        };
        let definite = tokens.iter().enumerate().take_while(is_definite).count();
        Self { from_root, tokens, definite }
    }

    fn is_definite(&self) -> bool {
        self.definite == self.tokens.len()
    }

    fn is_function(&self) -> bool {
        matches!(self.tokens.last(), Some(Token::Function(..)))
    }
}

// === impl InvalidPath ===

impl std::fmt::Display for InvalidPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}, at its byte {}", self.message, self.offset)
    }
}

#[cfg(test)]
mod tests;
