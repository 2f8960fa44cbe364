//! A path on a value.

use super::filter::{self, Expression};
use super::function::Function;
use super::{Argument, Path, Token};
use crate::java_regex::JavaRegex;
use crate::value::{DEPTH_LIMIT, Exhausted, Heap, ListKind, Map, Text, Value};

/// One reading of a path.
pub struct Evaluation<'a> {
    root: &'a Value,
    literals: Vec<Value>,
    pub heap: &'a mut Heap,
    depth: usize,
}

/// Why a walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// The path leads nowhere.
    Nowhere,
    /// It took too much.
    Exhausted(Exhausted),
}

/// One side of a comparison, read.
#[derive(Debug)]
pub enum Side<'p> {
    /// A path that leads nowhere: nothing is equal to it.
    Undefined,
    Value(Value),
    Pattern(&'p JavaRegex),
}

/// One path under way.
struct Walk<'p> {
    path: &'p Path,
    /// Whether a missing property ends it, as in `[?(@..a)]`.
    requires: bool,
    found: Vec<Value>,
}

// === impl Stop ===

impl From<Exhausted> for Stop {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}

// === impl Evaluation ===

impl<'a> Evaluation<'a> {
    pub fn new(root: &'a Value, literals: Vec<Value>, heap: &'a mut Heap) -> Self {
        Self { root, literals, heap, depth: 0 }
    }

    /// What a path leads to from a value. Of a definite one the last result counts: each function of a path adds its own.
    pub fn value(&mut self, path: &Path, from: &Value) -> Result<Value, Stop> {
        self.evaluate(path, from, false)
    }

    fn evaluate(&mut self, path: &Path, from: &Value, requires: bool) -> Result<Value, Stop> {
        let mut walk = Walk { path, requires, found: Vec::new() };
        self.walk(&mut walk, 0, from)?;
        if path.is_definite() {
            return walk.found.pop().ok_or(Stop::Nowhere);
        }
        Ok(self.heap.new_list(ListKind::Json, walk.found))
    }

    /// Takes a step, one call deeper.
    fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        self.heap.spend(2)?;
        if self.depth > DEPTH_LIMIT + super::compile::TOKENS {
            return Err(Exhausted::Depth.into());
        }
        self.depth += 1;
        let result = inner(self);
        self.depth -= 1;
        result
    }

    fn walk(&mut self, walk: &mut Walk<'_>, at: usize, model: &Value) -> Result<(), Stop> {
        let path = walk.path;
        let Some(token) = path.tokens.get(at) else {
            walk.found.push(model.clone());
            return Ok(());
        };
        // Behind a step that may lead to many, what does not fit is passed over; else it is the end.
        let otherwise = if at <= path.definite { Err(Stop::Nowhere) } else { Ok(()) };
        self.deeper(|this| match (token, model) {
            (Token::Properties(names), Value::Map(_)) => this.properties(walk, at, model, names),
            (Token::Properties(_), _) => otherwise,
            (Token::Indexes(indexes), Value::List(_)) => indexes.iter().try_for_each(|index| this.item(walk, at, model, *index)),
            (Token::Slice(from, to), Value::List(id)) => {
                let length = i64::try_from(this.heap.list(*id).len()).unwrap_or(i64::MAX);
                let (from, to) = bounds(*from, *to, length);
                (from..to).try_for_each(|index| this.item(walk, at, model, index))
            }
            (Token::Indexes(_) | Token::Slice(..), _) => otherwise,
            (Token::Wildcard, _) => this.each(model, &mut |this, item| match this.walk(walk, at + 1, item) {
                Err(Stop::Nowhere) if matches!(model, Value::List(_)) && !walk.requires => Ok(()),
                result => result,
            }),
            (Token::Scan, _) => this.scan(walk, at + 1, model),
            (Token::Filter(expression), Value::Map(_)) => match this.accepts(expression, model)? {
                true => this.walk(walk, at + 1, model),
                false => Ok(()),
            },
            (Token::Filter(expression), Value::List(_)) => this.each(model, &mut |this, item| {
                if this.accepts(expression, item)? { this.walk(walk, at + 1, item) } else { Ok(()) }
            }),
            (Token::Filter(_), _) => otherwise,
            (Token::Function(function, arguments), _) => {
                let result = this.call(*function, arguments, model)?;
                walk.found.push(result.clone());
                if at + 1 < path.tokens.len() { this.walk(walk, at + 1, &result) } else { Ok(()) }
            }
        })
    }

    fn properties(&mut self, walk: &mut Walk<'_>, at: usize, model: &Value, names: &[String]) -> Result<(), Stop> {
        let is_last = at + 1 == walk.path.tokens.len();
        self.heap.spend(names.len() as u64 / 2)?;
        if let ([_, _, ..], true) = (names, is_last) {
            let mut some = Map::new();
            for name in names {
                match self.heap.member(model, name).cloned() {
                    Some(value) => drop(some.insert(Text::from(name), value)),
                    None if walk.requires => return Err(Stop::Nowhere),
                    None => {}
                }
            }
            let some = self.heap.new_map(some);
            return self.walk(walk, at + 1, &some);
        }
        for name in names {
            match self.heap.member(model, name).cloned() {
                Some(value) => self.walk(walk, at + 1, &value)?,
                None if walk.requires || !is_last && at < walk.path.definite => return Err(Stop::Nowhere),
                None => {}
            }
        }
        Ok(())
    }

    /// Goes on with an item of a list; a negative index counts from the end, one too far leads nowhere.
    fn item(&mut self, walk: &mut Walk<'_>, at: usize, model: &Value, index: i64) -> Result<(), Stop> {
        let Value::List(id) = model else { return Ok(()) };
        self.heap.spend(1)?;
        let items = self.heap.list(*id);
        let index = if index < 0 { i64::try_from(items.len()).unwrap_or(0) + index } else { index };
        match usize::try_from(index).ok().and_then(|index| items.get(index)).cloned() {
            Some(item) => self.walk(walk, at + 1, &item),
            None => Ok(()),
        }
    }

    /// The values in a list or a map, in order.
    fn each(&mut self, model: &Value, visit: &mut dyn FnMut(&mut Self, &Value) -> Result<(), Stop>) -> Result<(), Stop> {
        let mut place = 0;
        loop {
            self.heap.spend(2)?;
            let item = match model {
                Value::List(id) => self.heap.list(*id).get(place).cloned(),
                Value::Map(id) => self.heap.map(*id).at(place).map(|(_, value)| value.clone()),
                _ => None,
            };
            let Some(item) = item else { return Ok(()) };
            visit(self, &item)?;
            place += 1;
        }
    }

    /// Goes on from the value and from all within it to which the next token can be applied. Of a list it goes on from the items,
    /// behind that token, unless the token is the last one.
    fn scan(&mut self, walk: &mut Walk<'_>, at: usize, model: &Value) -> Result<(), Stop> {
        if !matches!(model, Value::Map(_) | Value::List(_)) {
            return Ok(());
        }
        self.deeper(|this| {
            if this.is_scanned(walk, at, model)? {
                if matches!(model, Value::List(_)) && at + 1 < walk.path.tokens.len() {
                    this.each(model, &mut |this, item| this.walk(walk, at + 1, item))?;
                } else {
                    this.walk(walk, at, model)?;
                }
            }
            this.each(model, &mut |this, item| this.scan(walk, at, item))
        })
    }

    fn is_scanned(&mut self, walk: &Walk<'_>, at: usize, model: &Value) -> Result<bool, Stop> {
        let is_last = at + 1 == walk.path.tokens.len();
        Ok(match (walk.path.tokens.get(at), model) {
            (Some(Token::Properties(names)), Value::Map(id)) => {
                self.heap.spend(names.len() as u64 / 2)?;
                let map = self.heap.map(*id);
                walk.requires || names.len() > 1 && !is_last || names.iter().all(|name| map.get(name).is_some())
            }
            (Some(Token::Indexes(_) | Token::Slice(..)), Value::List(_)) | (Some(Token::Wildcard), _) => true,
            (Some(Token::Filter(expression)), _) => self.accepts(expression, model)?,
            _ => false,
        })
    }

    fn call(&mut self, function: Function, arguments: &[Argument], model: &Value) -> Result<Value, Stop> {
        let mut values = Vec::with_capacity(arguments.len());
        for argument in arguments {
            values.push(match argument {
                Argument::Path(path) => {
                    let from = if function.is_length() { model.clone() } else { self.root.clone() };
                    self.evaluate(path, &from, false)?
                }
                Argument::Literal(place) => self.literals.get(*place).cloned().unwrap_or_default(),
            });
        }
        function.call(self.heap, model, &values)
    }

    /// Whether a condition holds; one that cannot be told does not.
    fn accepts(&mut self, expression: &Expression, item: &Value) -> Result<bool, Stop> {
        match self.holds(expression, item) {
            Err(Stop::Nowhere) => Ok(false),
            result => result,
        }
    }

    fn holds(&mut self, expression: &Expression, item: &Value) -> Result<bool, Stop> {
        self.deeper(|this| match expression {
            Expression::Or(any) => {
                for expression in any {
                    if this.holds(expression, item)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Expression::And(all) => {
                for expression in all {
                    if !this.holds(expression, item)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Expression::Not(expression) => this.holds(expression, item).map(|holds| !holds),
            // From the item, even where the path begins with `$`: so does Jayway.
            Expression::Exists(path, is_there) => match this.evaluate(path, item, true) {
                Ok(_) => Ok(*is_there),
                Err(Stop::Nowhere) => Ok(!is_there),
                Err(exhausted) => Err(exhausted),
            },
            Expression::Compare(left, comparison, right) => {
                let left = this.side(left, item)?;
                let right = this.side(right, item)?;
                comparison(this.heap, &left, &right)
            }
        })
    }

    fn side<'p>(&mut self, operand: &'p filter::Operand, item: &Value) -> Result<Side<'p>, Stop> {
        Ok(match operand {
            filter::Operand::Literal(place) => Side::Value(self.literals.get(*place).cloned().unwrap_or_default()),
            filter::Operand::Pattern(pattern) => Side::Pattern(pattern),
            filter::Operand::Path(path) => {
                let from = if path.from_root { self.root.clone() } else { item.clone() };
                match self.evaluate(path, &from, false) {
                    Ok(value) => Side::Value(value),
                    Err(Stop::Nowhere) => Side::Undefined,
                    Err(exhausted) => return Err(exhausted),
                }
            }
        })
    }
}

/// The items of a slice. Between two bounds nothing is counted from the end of the list but each item itself, so `[1:-1]` is empty and
/// `[-2:-1]` is the last but one: so does Jayway.
fn bounds(from: Option<i64>, to: Option<i64>, length: i64) -> (i64, i64) {
    match (from, to) {
        (Some(from), Some(to)) if length > 0 => (from, to.min(length)),
        (Some(from), None) => (if from < 0 { (length + from).max(0) } else { from }, length),
        (None, Some(to)) => (0, if to < 0 { length + to } else { to.min(length) }),
        _ => (0, 0),
    }
}
