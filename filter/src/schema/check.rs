//! Looks at a value by a schema: first at what is asked of the value itself, then, if nothing was found anywhere, at what is in it.
//! That is the order of API Gateway's validator, and so that of its findings.

use super::canonical::{canonical, sorted_names, spend_number};
use super::format;
use super::number::Decimal;
use super::report::{Argument, Report};
use super::{Bound, Dependency, Id, Keyword, Measured, Number, Rules, Schema, Types};
use crate::value::{Exhausted, Heap, MapId, Text, Value};
use std::cmp::Ordering;

/// How deep schemas may lead into each other. Values are nested half as deep at most, so it is schemas that lead back to themselves,
/// and look no deeper, that end here.
const DEPTH: usize = 512;

/// One look at a value.
pub struct Check<'a> {
    schema: &'a Schema,
    heap: &'a mut Heap,
    report: Report,
}

type Step = Result<(), Exhausted>;

// === impl Check ===

impl<'a> Check<'a> {
    pub fn new(schema: &'a Schema, heap: &'a mut Heap, report: Report) -> Self {
        Self { schema, heap, report }
    }

    pub fn into_report(self) -> Report {
        self.report
    }

    /// Looks at a value by one sub-schema.
    pub fn visit(&mut self, id: Id, value: &Value, depth: usize) -> Step {
        self.heap.spend(2)?;
        if depth > DEPTH {
            return Err(Exhausted::Depth);
        }
        let schema = self.schema;
        let Some(rules) = schema.rules.get(id) else { return Ok(()) };
        for keyword in &rules.keywords {
            self.ask(keyword, rules, value, depth)?;
            if self.report.is_over() {
                return Ok(());
            }
        }
        if self.report.has_failed() {
            return Ok(());
        }
        match value {
            Value::List(_) => self.visit_items(rules, value, depth),
            Value::Map(id) => self.visit_members(rules, *id, value, depth),
            _ => Ok(()),
        }
    }

    fn visit_items(&mut self, rules: &Rules, list: &Value, depth: usize) -> Step {
        let Value::List(list) = list else { return Ok(()) };
        if rules.items.is_empty() && rules.more_items.is_none() {
            return Ok(());
        }
        let mut index = 0;
        while let Some(item) = self.heap.list(*list).get(index).cloned() {
            if let Some(id) = rules.items.get(index).copied().or(rules.more_items) {
                self.visit(id, &item, depth + 1)?;
                if self.report.is_over() {
                    return Ok(());
                }
            }
            index += 1;
        }
        Ok(())
    }

    fn visit_members(&mut self, rules: &Rules, map: MapId, object: &Value, depth: usize) -> Step {
        if rules.patterns.is_empty() && rules.more_properties.is_none() {
            for (name, id) in &rules.properties {
                self.heap.spend(1)?;
                if let Some(member) = self.heap.map(map).get(name).cloned() {
                    self.visit(*id, &member, depth + 1)?;
                }
                if self.report.is_over() {
                    break;
                }
            }
            return Ok(());
        }
        for name in sorted_names(object, self.heap)? {
            let Some(member) = self.heap.map(map).get(&name).cloned() else { continue };
            let property = rules.property(&name);
            if let Some(id) = property {
                self.visit(id, &member, depth + 1)?;
            }
            let mut is_known = property.is_some();
            for (pattern, id) in &rules.patterns {
                if pattern.is_in(&name, self.heap)? {
                    is_known = true;
                    self.visit(*id, &member, depth + 1)?;
                }
            }
            if let Some(id) = rules.more_properties.filter(|_| !is_known) {
                self.visit(id, &member, depth + 1)?;
            }
            if self.report.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// Whether a value is as another sub-schema says; what is wrong with it is not told.
    fn matches(&mut self, id: Id, value: &Value, depth: usize) -> Result<bool, Exhausted> {
        let outer = std::mem::replace(&mut self.report, Report::quiet());
        let visited = self.visit(id, value, depth + 1);
        let inner = std::mem::replace(&mut self.report, outer);
        visited.map(|()| !inner.has_failed())
    }

    /// How many of some sub-schemas a value matches.
    fn count(&mut self, schemas: &[Id], value: &Value, depth: usize) -> Result<usize, Exhausted> {
        let mut count = 0;
        for id in schemas {
            count += usize::from(self.matches(*id, value, depth)?);
        }
        Ok(count)
    }

    fn fail(&mut self, template: &str, arguments: &[Argument<'_>]) -> Step {
        self.report.fail(template, arguments, self.heap);
        Ok(())
    }

    fn ask(&mut self, keyword: &Keyword, rules: &Rules, value: &Value, depth: usize) -> Step {
        match keyword {
            Keyword::Type(types) => self.ask_type(*types, value),
            Keyword::Required(names) => self.ask_required(names, value),
            Keyword::Size { of, bound, limit } => self.ask_size(*of, *bound, *limit, value),
            Keyword::Range { bound, limit, exclusive } => self.ask_range(*bound, limit, *exclusive, value),
            Keyword::MultipleOf(divisor) => self.ask_multiple(divisor, value),
            Keyword::Enum(values, text) => self.ask_enum(values, text, value),
            Keyword::UniqueItems => self.ask_unique(value),
            Keyword::NoMoreItems => self.ask_no_more_items(rules, value),
            Keyword::NoMoreProperties => self.ask_no_more_properties(rules, value),
            Keyword::Dependencies(dependencies) => self.ask_dependencies(dependencies, value, depth),
            Keyword::Pattern(pattern) => {
                let Value::Text(text) = value else { return Ok(()) };
                if pattern.is_in(text, self.heap)? {
                    return Ok(());
                }
                let source = Argument::Text(pattern.source());
                self.fail("ECMA 262 regex \"%\" does not match input string \"%\"", &[source, Argument::Text(text)])
            }
            Keyword::Format(wanted) => {
                let Value::Text(text) = value else { return Ok(()) };
                if text.len() <= format::LIMIT && (wanted.is_fine)(text) {
                    return Ok(());
                }
                self.fail(wanted.finding, &[Argument::Text(text)])
            }
            Keyword::AllOf(schemas) => {
                let count = self.count(schemas, value, depth)?;
                if count == schemas.len() {
                    return Ok(());
                }
                self.fail("instance failed to match all required schemas (matched only % out of %)", &numbers(count, schemas.len()))
            }
            Keyword::AnyOf(schemas) => {
                for id in schemas {
                    if self.matches(*id, value, depth)? {
                        return Ok(());
                    }
                }
                let count = Argument::Number(schemas.len() as u64);
                self.fail("instance failed to match at least one required schema among %", &[count])
            }
            Keyword::OneOf(schemas) => {
                let count = self.count(schemas, value, depth)?;
                if count == 1 {
                    return Ok(());
                }
                self.fail("instance failed to match exactly one schema (matched % out of %)", &numbers(count, schemas.len()))
            }
            Keyword::Not(id) => {
                if self.matches(*id, value, depth)? {
                    self.fail("instance matched a schema which it should not have", &[])?;
                }
                Ok(())
            }
        }
    }

    fn ask_type(&mut self, types: Types, value: &Value) -> Step {
        let own = Types::of(value);
        if types.overlap(own) {
            return Ok(());
        }
        let allowed: Vec<&str> = types.names().collect();
        let found = own.names().next().unwrap_or_default();
        let arguments = [Argument::Text(found), Argument::Names(&allowed)];
        self.fail("instance type (%) does not match any allowed primitive type (allowed: %)", &arguments)
    }

    fn ask_required(&mut self, names: &[String], value: &Value) -> Step {
        let Value::Map(map) = value else { return Ok(()) };
        self.heap.spend(names.len() as u64)?;
        let map = self.heap.map(*map);
        let missing: Vec<&str> = names.iter().map(String::as_str).filter(|name| map.get(name).is_none()).collect();
        if missing.is_empty() {
            return Ok(());
        }
        self.fail("object has missing required properties (%)", &[Argument::Names(&missing)])
    }

    fn ask_size(&mut self, of: Measured, bound: Bound, limit: u64, value: &Value) -> Step {
        let size = match (of, value) {
            (Measured::Length, Value::Text(text)) => {
                self.heap.budget.spend_bytes(text.len())?;
                text.chars().count()
            }
            (Measured::Items, Value::List(list)) => self.heap.list(*list).len(),
            (Measured::Properties, Value::Map(map)) => self.heap.map(*map).len(),
            _ => return Ok(()),
        } as u64;
        let is_fine = if bound == Bound::Minimum { size >= limit } else { size <= limit };
        if is_fine {
            return Ok(());
        }
        let (size, limit) = (Argument::Number(size), Argument::Number(limit));
        match (of, bound, value) {
            (Measured::Length, Bound::Minimum, Value::Text(text)) => {
                self.fail("string \"%\" is too short (length: %, required minimum: %)", &[Argument::Text(text), size, limit])
            }
            (Measured::Length, _, Value::Text(text)) => {
                self.fail("string \"%\" is too long (length: %, maximum allowed: %)", &[Argument::Text(text), size, limit])
            }
            (Measured::Items, Bound::Minimum, _) => {
                self.fail("array is too short: must have at least % elements but instance has % elements", &[limit, size])
            }
            (Measured::Items, ..) => {
                self.fail("array is too long: must have at most % elements but instance has % elements", &[limit, size])
            }
            (_, Bound::Minimum, _) => {
                self.fail("object has too few properties (found % but schema requires at least %)", &[size, limit])
            }
            _ => self.fail("object has too many properties (found % but schema requires at most %)", &[size, limit]),
        }
    }

    fn ask_range(&mut self, bound: Bound, limit: &Number, exclusive: bool, value: &Value) -> Step {
        let order = match (value, limit.text.parse()) {
            (Value::Integer(number), Ok(limit)) => {
                self.heap.spend(1)?;
                number.cmp(&limit)
            }
            _ => match self.number(value)? {
                Some(number) => number.cmp(&limit.decimal),
                None => return Ok(()),
            },
        };
        let beyond = if bound == Bound::Minimum { Ordering::Less } else { Ordering::Greater };
        if order != beyond && !(exclusive && order == Ordering::Equal) {
            return Ok(());
        }
        let limit = Argument::Text(&limit.text);
        let found = Argument::Value(value);
        match (bound, order == beyond) {
            (Bound::Minimum, true) => {
                self.fail("numeric instance is lower than the required minimum (minimum: %, found: %)", &[limit, found])
            }
            (_, true) => self.fail("numeric instance is greater than the required maximum (maximum: %, found: %)", &[limit, found]),
            (Bound::Minimum, _) => self.fail("numeric instance is not strictly greater than the required minimum %", &[limit]),
            _ => self.fail("numeric instance is not strictly lower than the required maximum %", &[limit]),
        }
    }

    fn ask_multiple(&mut self, divisor: &Number, value: &Value) -> Step {
        let Some(number) = self.number(value)? else { return Ok(()) };
        if number.is_multiple_of(&divisor.decimal) {
            return Ok(());
        }
        self.fail("remainder of division is not zero (% / %)", &[Argument::Value(value), Argument::Text(&divisor.text)])
    }

    fn number(&mut self, value: &Value) -> Result<Option<Decimal>, Exhausted> {
        if !matches!(value, Value::Integer(_) | Value::BigInteger(_) | Value::Double(_)) {
            return Ok(None);
        }
        spend_number(value, self.heap)?;
        Ok(Decimal::of(value))
    }

    fn ask_enum(&mut self, values: &[String], text: &str, value: &Value) -> Step {
        let own = canonical(value, self.heap)?;
        self.heap.spend(values.len() as u64)?;
        if values.contains(&own) {
            return Ok(());
        }
        self.fail("instance value (%) not found in enum (possible values: %)", &[Argument::Value(value), Argument::Text(text)])
    }

    /// Sorted, so that many items take little more than few of them each.
    fn ask_unique(&mut self, value: &Value) -> Step {
        let Value::List(list) = value else { return Ok(()) };
        let mut texts = Vec::new();
        while let Some(item) = self.heap.list(*list).get(texts.len()).cloned() {
            texts.push(canonical(&item, self.heap)?);
        }
        self.heap.budget.spend_sorting(texts.len(), texts.iter().map(String::len).sum())?;
        texts.sort_unstable();
        if texts.windows(2).any(|pair| matches!(pair, [one, other] if one == other)) {
            return self.fail("array must not contain duplicate elements", &[]);
        }
        Ok(())
    }

    fn ask_no_more_items(&mut self, rules: &Rules, value: &Value) -> Step {
        let Value::List(list) = value else { return Ok(()) };
        let size = self.heap.list(*list).len();
        if size <= rules.items.len() {
            return Ok(());
        }
        self.fail("schema only allows % elements in array but instance has % elements", &numbers(rules.items.len(), size))
    }

    fn ask_no_more_properties(&mut self, rules: &Rules, value: &Value) -> Step {
        let mut unknown: Vec<Text> = Vec::new();
        for name in sorted_names(value, self.heap)? {
            let mut is_known = rules.property(&name).is_some();
            for (pattern, _) in &rules.patterns {
                is_known = is_known || pattern.is_in(&name, self.heap)?;
            }
            if !is_known {
                unknown.push(name);
            }
        }
        if unknown.is_empty() {
            return Ok(());
        }
        let names: Vec<&str> = unknown.iter().map(Text::as_str).collect();
        self.fail("object instance has properties which are not allowed by the schema: %", &[Argument::Names(&names)])
    }

    fn ask_dependencies(&mut self, dependencies: &[(String, Dependency)], value: &Value, depth: usize) -> Step {
        let Value::Map(map) = value else { return Ok(()) };
        for (name, dependency) in dependencies {
            self.heap.spend(1)?;
            if self.heap.map(*map).get(name).is_none() {
                continue;
            }
            match dependency {
                Dependency::Schema(id) => self.visit(*id, value, depth + 1)?,
                Dependency::Members(required) => {
                    self.heap.spend(required.len() as u64)?;
                    let required: Vec<&str> = required.iter().map(String::as_str).collect();
                    let map = self.heap.map(*map);
                    let missing: Vec<&str> = required.iter().copied().filter(|name| map.get(name).is_none()).collect();
                    if !missing.is_empty() {
                        let arguments = [Argument::Text(name), Argument::Names(&required), Argument::Names(&missing)];
                        let template = "property \"%\" of object has missing property dependencies (schema requires %; missing: %)";
                        self.fail(template, &arguments)?;
                    }
                }
            }
        }
        Ok(())
    }
}

fn numbers(one: usize, other: usize) -> [Argument<'static>; 2] {
    [Argument::Number(one as u64), Argument::Number(other as u64)]
}

// === impl Rules ===

impl Rules {
    fn property(&self, name: &str) -> Option<Id> {
        let place = self.properties.binary_search_by(|(known, _)| known.as_str().cmp(name)).ok()?;
        self.properties.get(place).map(|(_, id)| *id)
    }
}
