//! The objects of a mapping template: `$input`, `$context`, `$stageVariables`, `$util`. AWS: "Mapping template and access logging
//! variable reference" of API Gateway.

use super::context_map::{context_map, silent};
use super::util;
use crate::context::{Context, HIDDEN_HEADERS};
use crate::jsonpath::JsonPath;
use crate::platform::Platform;
use crate::template::{Fault, Host};
use crate::value::{Heap, Map, NotJson, Text, Value, json_text, parse, utf16_length};
use std::cell::RefCell;

/// The steps of a method of `$input` beside those of its work.
const CALL: u64 = 4;

/// What a rendering finds under names that the template did not set. Each object is made when it is first asked for, and stays the same
/// for the whole rendering.
pub struct Variables<'a> {
    context: &'a Context,
    platform: &'a dyn Platform,
    /// `{}` where there is none (recorded: `test_input_body_formatting`).
    body: Text,
    /// The override maps that an earlier template of the request left, as JSON.
    overrides: Option<&'a str>,
    made: RefCell<Made>,
}

#[derive(Default)]
struct Made {
    parsed: Option<Value>,
    parameters: Option<Value>,
    context: Option<Value>,
    stage_variables: Option<Value>,
}

// === impl Variables ===

impl<'a> Variables<'a> {
    /// For one rendering; a body that is no UTF-8 is none for a template.
    pub fn new(
        context: &'a Context,
        body: Option<&str>,
        overrides: Option<&'a str>,
        platform: &'a dyn Platform,
        heap: &mut Heap,
    ) -> Result<Self, Fault> {
        let body = body.ok_or(Fault::NotText)?;
        heap.budget.spend_bytes(body.len())?;
        let body = Text::from(if body.is_empty() { "{}" } else { body });
        Ok(Self { context, platform, body, overrides, made: RefCell::default() })
    }

    /// The map of `$context`, if the template asked for it.
    pub fn context_map(&self) -> Option<Value> {
        self.made.borrow().context.clone()
    }

    fn input(&self, method: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Fault> {
        heap.spend(CALL)?;
        match (method, arguments) {
            ("params", []) => Ok(self.parameters(heap)),
            ("params", [Value::Text(name)]) => {
                // Each header and each parameter of the query is looked at.
                let all = self.context.headers().iter().count() + self.context.query().iter().count();
                heap.spend(1 + all as u64 / 4)?;
                heap.budget.spend_bytes(name.len())?;
                Ok(self.parameter(name).map_or(Value::Null, Value::text))
            }
            ("path", [path]) => Ok(self.at(path, heap)?.unwrap_or_default()),
            ("json", [path]) => match self.at(path, heap)? {
                // assumed(json-slash): `/` stays as it is, though json-smart can write it as `\/`. assumed(json-null): a `null` of the
                // body is `null`, and not what a path to nowhere gives.
                Some(value) => Ok(Value::text(json_text(&value, heap)?)),
                // Measured in 2015.
                None => Ok(Value::text("\"\"")),
            },
            _ => Ok(Value::Null),
        }
    }

    /// What a path leads to in the body. What is no path fails the template: assumed(invalid-jsonpath).
    fn at(&self, path: &Value, heap: &mut Heap) -> Result<Option<Value>, Fault> {
        let Some(path) = path.as_text() else { return Ok(None) };
        // A pattern takes as long to compile as thousands of steps.
        heap.spend(8 + 2 * path.len() as u64 + path.matches('/').count() as u64 * 3000)?;
        let path = JsonPath::parse(path).map_err(|invalid| Fault::Method(invalid.to_string()))?;
        let root = self.parsed(heap)?;
        Ok(path.read(&root, heap)?)
    }

    /// The body's tree, the same for every `$input.path`. Only what begins as an object or a list is read as JSON, anything else is a
    /// text: assumed(template-body-sniff), after measurements of 2015.
    fn parsed(&self, heap: &mut Heap) -> Result<Value, Fault> {
        let made = self.made.borrow().parsed.clone();
        if let Some(parsed) = made {
            return Ok(parsed);
        }
        let parsed = if self.body.trim_ascii_start().trim_start().starts_with(['{', '[']) {
            parse(&self.body, heap).map_err(|not_json| self.refusal(&not_json))?
        } else {
            Value::Text(self.body.clone())
        };
        self.made.borrow_mut().parsed = Some(parsed.clone());
        Ok(parsed)
    }

    /// The words of json-smart behind those of API Gateway, as they were measured in 2015 for a body that ends too early;
    /// assumed(body-message): that they are still said, and the words for a wrong character.
    fn refusal(&self, not_json: &NotJson) -> Fault {
        let offset = match not_json {
            NotJson::Exhausted(exhausted) => return Fault::Exhausted(*exhausted),
            NotJson::Syntax { offset, .. } => *offset,
        };
        const WHO: &str = "Could not process payloadnet.minidev.json.parser.ParseException: Unexpected";
        let before = utf16_length(self.body.get(..offset).unwrap_or_default());
        Fault::Body(match self.body.get(offset..).and_then(|rest| rest.chars().next()) {
            None => format!("{WHO} End Of File position {}: null", before.saturating_sub(1)),
            Some(character) => format!("{WHO} character ({character}) at position {before}."),
        })
    }

    /// Path, then query string, then header; the last value of several.
    fn parameter(&self, name: &str) -> Option<String> {
        let header = || self.context.mapped_header(name).last().map(|value| String::from_utf8_lossy(value).into_owned());
        let query = || self.context.query().last(name).map(str::to_owned);
        self.context.path_parameter(name).map(str::to_owned).or_else(query).or_else(header)
    }

    /// `$input.params()`: a map of maps. Headers are sorted (seen in a report of 2016), their names as Envoy has
    /// them, in lower case: assumed(params-header-names), AWS keeps the client's.
    fn parameters(&self, heap: &mut Heap) -> Value {
        let made = self.made.borrow().parameters.clone();
        if let Some(parameters) = made {
            return parameters;
        }
        let text = |value: &[u8]| Value::text(String::from_utf8_lossy(value).as_ref());
        let is_seen = |name: &str| !HIDDEN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) && name != "host";
        let mut header: Vec<_> = self.context.headers().iter().filter(|(name, _)| is_seen(name)).collect();
        header.push(("host", &self.context.request.authority));
        header.sort_by_key(|(name, _)| *name);
        let header = Map::from_entries(header.into_iter().map(|(name, value)| (Text::from(name), text(value))).collect());
        let mut path = Map::new();
        for (name, value) in &self.context.path_parameters {
            path.insert(Text::from(name), Value::text(value.as_str()));
        }
        let mut query = Map::new();
        for (name, value) in self.context.query().iter() {
            query.insert(Text::from(name), Value::text(value));
        }
        let mut all = Map::new();
        for (name, map) in [("path", path), ("querystring", query), ("header", header)] {
            let map = heap.new_map(map);
            all.insert(Text::from(name), map);
        }
        let parameters = heap.new_map(all);
        self.made.borrow_mut().parameters = Some(parameters.clone());
        parameters
    }

    fn made_context(&self, heap: &mut Heap) -> Value {
        if let Some(made) = self.context_map() {
            return made;
        }
        let map = context_map(self.context, self.overrides, self.platform, heap);
        self.made.borrow_mut().context = Some(map.clone());
        map
    }

    fn stage_variables(&self, heap: &mut Heap) -> Value {
        let made = self.made.borrow().stage_variables.clone();
        if let Some(variables) = made {
            return variables;
        }
        let variables = self.context.stage.iter().flat_map(|stage| &stage.variables);
        let entries = variables.map(|(name, value)| (Text::from(name), Value::text(value.as_str()))).collect();
        let variables = silent(Map::from_entries(entries), heap);
        self.made.borrow_mut().stage_variables = Some(variables.clone());
        variables
    }
}

impl Host for Variables<'_> {
    fn root(&self, name: &str, heap: &mut Heap) -> Value {
        match name {
            "input" | "util" => Value::Host(Text::from(name)),
            "context" => self.made_context(heap),
            "stageVariables" => self.stage_variables(heap),
            _ => Value::Null,
        }
    }

    fn property(&self, object: &str, name: &str, _: &mut Heap) -> Result<Value, Fault> {
        Ok(match (object, name) {
            ("input", "body") => Value::Text(self.body.clone()),
            _ => Value::Null,
        })
    }

    fn call(&self, object: &str, method: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Fault> {
        match object {
            "input" => self.input(method, arguments, heap),
            "util" => util::call(method, arguments, heap),
            _ => Ok(Value::Null),
        }
    }
}
