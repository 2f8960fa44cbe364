//! What references and expressions are worth. A reference to nothing is an empty text, and so neither `null` nor false (recorded).

use super::ast::{Expression, Link, Operator, Reference, Slot};
use super::host::Fault;
use super::methods;
use super::number::{Number, compute};
use super::render::{Halt, OUTPUT_LIMIT, Renderer, loop_level, loop_value};
use crate::value::{DEPTH_LIMIT, Exhausted, Heap, ListKind, Map, Text, Value, java_text};
use std::cmp::Ordering;

/// The steps of an expression, and of a link of a reference.
const EXPRESSION: u64 = 2;
const LINK: u64 = 3;

// === impl Renderer ===

impl<'t> Renderer<'t, '_> {
    /// The value of an expression; `null`: it has none, as 1/0.
    pub fn evaluate(&mut self, expression: &'t Expression) -> Result<Value, Halt> {
        self.heap.spend(EXPRESSION)?;
        self.enter()?;
        let value = match expression {
            Expression::Boolean(value) => Value::Boolean(*value),
            Expression::Integer(number) => Value::Integer(*number),
            Expression::BigInteger(digits) => {
                self.heap.budget.spend_bytes(digits.len())?;
                Value::BigInteger(Text::from(&**digits))
            }
            Expression::Double(number) => Value::Double(*number),
            Expression::Text(text) => {
                self.heap.budget.spend_bytes(text.len())?;
                Value::Text(Text::from(&**text))
            }
            Expression::Interpolated(nodes) => {
                let mut out = String::new();
                self.block(nodes, &mut out)?;
                Value::text(out)
            }
            Expression::Reference(reference) => self.reference(reference)?,
            Expression::List(items) => {
                let items = items.iter().map(|item| self.evaluate(item)).collect::<Result<_, _>>()?;
                self.heap.new_list(ListKind::Java, items)
            }
            Expression::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let key = self.evaluate(key)?;
                    let key = self.key(&key)?;
                    self.heap.spend(EXPRESSION)?;
                    map.insert(key, self.evaluate(value)?);
                }
                self.heap.new_map(map)
            }
            Expression::Range(bounds) => self.range(&bounds.0, &bounds.1)?,
            Expression::Not(inner) => Value::Boolean(!self.truth(inner)?),
            Expression::Chain(first, rest) => self.chain(first, rest)?,
        };
        self.leave();
        Ok(value)
    }

    /// Whether a condition holds: of what is no reference and no comparison only `true` does.
    pub fn truth(&mut self, condition: &'t Expression) -> Result<bool, Halt> {
        let is_reference = matches!(condition, Expression::Reference(_));
        Ok(match self.evaluate(condition)? {
            Value::Boolean(value) => value,
            Value::Null => false,
            _ => is_reference,
        })
    }

    fn chain(&mut self, first: &'t Expression, rest: &'t [(Operator, Expression)]) -> Result<Value, Halt> {
        if let Some((operator @ (Operator::Or | Operator::And), _)) = rest.first() {
            let decides = *operator == Operator::Or;
            for term in std::iter::once(first).chain(rest.iter().map(|(_, term)| term)) {
                if self.truth(term)? == decides {
                    return Ok(Value::Boolean(decides));
                }
            }
            return Ok(Value::Boolean(!decides));
        }
        let mut left = self.evaluate(first)?;
        for (operator, right) in rest {
            self.heap.spend(1)?;
            let right = self.evaluate(right)?;
            left = self.operate(*operator, &left, &right)?;
        }
        Ok(left)
    }

    fn operate(&mut self, operator: Operator, left: &Value, right: &Value) -> Result<Value, Halt> {
        // What a `#define` has is compared, and added, as its text.
        let (left, right) = (&self.plain(left)?, &self.plain(right)?);
        let ordering = || Number::of(left)?.compare(Number::of(right)?);
        Ok(match operator {
            Operator::Equal => Value::Boolean(loosely_equal(left, right, self.heap)?),
            Operator::NotEqual => Value::Boolean(!loosely_equal(left, right, self.heap)?),
            // What cannot be compared is neither less nor more.
            Operator::Less => Value::Boolean(ordering() == Some(Ordering::Less)),
            Operator::Greater => Value::Boolean(ordering() == Some(Ordering::Greater)),
            Operator::LessOrEqual => Value::Boolean(ordering().is_some_and(Ordering::is_le)),
            Operator::GreaterOrEqual => Value::Boolean(ordering().is_some_and(Ordering::is_ge)),
            Operator::Add if left.as_text().is_some() || right.as_text().is_some() => {
                let text = java_text(left, self.heap)? + &java_text(right, self.heap)?;
                if text.len() > OUTPUT_LIMIT {
                    return Err(Exhausted::Output.into());
                }
                self.heap.budget.spend_bytes(text.len())?;
                Value::text(text)
            }
            operator => compute(operator, left, right),
        })
    }

    /// `[a..b]`, up or down; `null` where a bound is no whole number.
    fn range(&mut self, first: &'t Expression, last: &'t Expression) -> Result<Value, Halt> {
        let (Value::Integer(first), Value::Integer(last)) = (self.evaluate(first)?, self.evaluate(last)?) else {
            return Ok(Value::Null);
        };
        self.heap.spend(first.abs_diff(last).saturating_add(1))?;
        let up = first.min(last)..=first.max(last);
        let items = if first <= last { up.map(Value::Integer).collect() } else { up.rev().map(Value::Integer).collect() };
        Ok(self.heap.new_list(ListKind::Java, items))
    }

    /// The value of a reference: an empty text where any step of it leads to nothing.
    pub fn reference(&mut self, reference: &'t Reference) -> Result<Value, Halt> {
        let value = self.follow(reference.slot, &reference.links)?;
        Ok(if value.is_null() { Value::Text(self.empty.clone()) } else { value })
    }

    fn follow(&mut self, slot: Slot, links: &'t [Link]) -> Result<Value, Halt> {
        let mut value = self.variable(slot);
        for link in links {
            if value.is_null() {
                break;
            }
            self.heap.spend(LINK)?;
            value = match link {
                Link::Property(name) => self.property(&value, name)?,
                Link::Index(index) => {
                    let index = self.evaluate(index)?;
                    self.item(&value, &index)?
                }
                Link::Method(name, arguments) => {
                    let arguments = arguments.iter().map(|argument| self.evaluate(argument)).collect::<Result<Vec<_>, _>>()?;
                    self.call(&value, name, &arguments)?
                }
            };
        }
        Ok(value)
    }

    /// A variable; what nobody set is asked of the host, once.
    fn variable(&mut self, slot: Slot) -> Value {
        if let Some(Some(value)) = self.slots.get(slot) {
            return value.clone();
        }
        let value = self.host.root(self.names.name(slot), self.heap);
        if !value.is_null() {
            self.set(slot, Some(value.clone()));
        }
        value
    }

    /// `.name`
    fn property(&mut self, value: &Value, name: &str) -> Result<Value, Fault> {
        Ok(match value {
            Value::Map(id) => self.heap.map(*id).get(name).cloned().unwrap_or_default(),
            Value::List(_) | Value::Text(_) if name == "empty" => {
                methods::call(value, "isEmpty", &[], &mut self.patterns, self.heap)?
            }
            Value::Host(object) if object.starts_with('#') => {
                self.heap.spend(LINK)?;
                self.loop_property(value, name)
            }
            Value::Host(object) => self.host.property(object, name, self.heap)?,
            _ => Value::Null,
        })
    }

    /// `[index]`: of a list, from its end when it is less than zero; of a map.
    fn item(&mut self, value: &Value, index: &Value) -> Result<Value, Fault> {
        Ok(match (value, index) {
            (Value::List(id), Value::Integer(index)) => {
                let items = self.heap.list(*id);
                // assumed(template-index-range): an index that no item has is nothing, not a failure of the template.
                place(*index, items.len()).and_then(|place| items.get(place)).cloned().unwrap_or_default()
            }
            (Value::Map(_) | Value::Host(_), index) => {
                let key = self.key(index)?;
                self.property(value, &key)?
            }
            _ => Value::Null,
        })
    }

    fn call(&mut self, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Halt> {
        if self.defined(value).is_some() {
            return if method == "toString" { self.plain(value) } else { Ok(Value::Null) };
        }
        Ok(match value {
            Value::Host(object) if object.starts_with('#') => {
                self.heap.spend(2 * LINK)?;
                let name = method.strip_prefix("get").or_else(|| method.strip_prefix("is")).unwrap_or(method);
                let mut name = name.to_owned();
                if let Some(first) = name.get_mut(..1) {
                    first.make_ascii_lowercase();
                }
                self.loop_property(value, &name)
            }
            Value::Host(object) => self.host.call(object, method, arguments, self.heap)?,
            value => methods::call(value, method, arguments, &mut self.patterns, self.heap)?,
        })
    }

    /// A property of `$foreach`.
    fn loop_property(&self, value: &Value, name: &str) -> Value {
        let Some((level, this)) = loop_level(value).and_then(|level| Some((level, self.loops.get(level)?))) else {
            return Value::Null;
        };
        let number = |index: usize| Value::Integer(i64::try_from(index).unwrap_or(i64::MAX));
        match name {
            "index" => number(this.index),
            "count" => number(this.index + 1),
            "hasNext" => Value::Boolean(this.has_next),
            "first" => Value::Boolean(this.index == 0),
            "last" => Value::Boolean(!this.has_next),
            "parent" if level > 0 => loop_value(level - 1),
            "topmost" => loop_value(0),
            _ => Value::Null,
        }
    }

    /// `#set`, of a variable or of what is in a map or a list. What cannot be set is left as it is.
    pub fn assign(&mut self, target: &'t Reference, value: Value) -> Result<(), Halt> {
        let Some((last, before)) = target.links.split_last() else {
            self.set(target.slot, Some(value));
            return Ok(());
        };
        let holder = self.follow(target.slot, before)?;
        let index = match last {
            Link::Property(name) => Value::text(&**name),
            Link::Index(index) => self.evaluate(index)?,
            Link::Method(..) => return Ok(()),
        };
        match holder {
            Value::Map(id) => {
                let key = self.key(&index)?;
                self.heap.insert(id, key, value)?;
            }
            Value::List(id) => {
                let Value::Integer(index) = index else { return Ok(()) };
                let place = place(index, self.heap.list(id).len());
                if let Some(item) = place.and_then(|place| self.heap.list_mut(id)?.get_mut(place)) {
                    *item = value;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// The key of a map: its text. (Java tells `1` from `"1"`; a JSON object has no numbers for keys.)
    fn key(&mut self, value: &Value) -> Result<Text, Fault> {
        match value {
            Value::Text(text) => {
                self.heap.budget.spend_bytes(text.len())?;
                Ok(text.clone())
            }
            value => Ok(Text::from(java_text(value, self.heap)?)),
        }
    }

    /// A value; of a `#define` its text.
    fn plain(&mut self, value: &Value) -> Result<Value, Halt> {
        let Some(body) = self.defined(value) else { return Ok(value.clone()) };
        let mut out = String::new();
        self.render_defined(body, &mut out)?;
        Ok(Value::text(out))
    }
}

fn place(index: i64, length: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(i64::try_from(length).ok()?)? } else { index };
    usize::try_from(index).ok()
}

/// `==`: numbers by what they count, things of one kind as Java's `equals`, others by their texts.
fn loosely_equal(left: &Value, right: &Value, heap: &mut Heap) -> Result<bool, Exhausted> {
    if let (Some(left), Some(right)) = (Number::of(left), Number::of(right)) {
        return Ok(left.compare(right) == Some(Ordering::Equal));
    }
    if left.is_null() || right.is_null() {
        return Ok(left.is_null() && right.is_null());
    }
    if std::mem::discriminant(left) == std::mem::discriminant(right) {
        return equals(left, right, 0, heap);
    }
    Ok(java_text(left, heap)? == java_text(right, heap)?)
}

/// Java's `equals`.
pub fn equals(left: &Value, right: &Value, depth: usize, heap: &mut Heap) -> Result<bool, Exhausted> {
    heap.spend(1)?;
    if depth > DEPTH_LIMIT {
        return Err(Exhausted::Depth);
    }
    match (left, right) {
        (Value::Text(left), Value::Text(right)) => {
            heap.budget.spend_bytes(left.len().min(right.len()))?;
            Ok(left == right)
        }
        (Value::List(left), Value::List(right)) if left != right => {
            let length = heap.list(*left).len();
            if length != heap.list(*right).len() {
                return Ok(false);
            }
            for index in 0..length {
                let item = |list| heap.list(list).get(index).cloned().unwrap_or_default();
                let (left, right) = (item(*left), item(*right));
                if !equals(&left, &right, depth + 1, heap)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Value::Map(left), Value::Map(right)) if left != right => {
            let length = heap.map(*left).len();
            if length != heap.map(*right).len() {
                return Ok(false);
            }
            for index in 0..length {
                // Its key is looked for.
                heap.spend(4)?;
                let Some((key, value)) = heap.map(*left).at(index) else { continue };
                let (value, other) = (value.clone(), heap.map(*right).get(key).cloned());
                if !matches!(other, Some(other) if equals(&value, &other, depth + 1, heap)?) {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (left, right) => {
            heap.spend_on(left)?;
            Ok(left == right)
        }
    }
}
