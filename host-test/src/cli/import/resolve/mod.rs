//! Resolves CloudFormation's functions, in two goes: first what the template itself knows (parameters, mappings, conditions), so that
//! transforms see plain values; then, when all resources are there, what one resource says of another.
//!
//! In the first go what is not known stays as it stands, and nothing is wrong with it: most of a template is not of API Gateway, and
//! nobody asks for it. AWS: "Intrinsic function reference", "Pseudo parameters reference" of CloudFormation.

mod conditions;
mod functions;
mod references;
mod rules;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problem, Problems};

use self::references::Given;
use super::Settings;
use super::resource::Resource;

pub use self::references::MadeUp;

/// What a template says beside its resources.
#[derive(Debug, Default)]
pub struct Template {
    /// `Parameters`, with the values that they have here.
    pub parameters: BTreeMap<String, Parameter>,
    /// `Mappings`
    pub mappings: Value,
    /// `Conditions`
    pub conditions: Map<String, Value>,
    /// Resources that are not there because of a condition: logical id to its name.
    pub dropped: BTreeMap<String, String>,
}

/// A parameter.
#[derive(Debug, Clone)]
pub enum Parameter {
    /// It has a value, or a list of them.
    Known(Value),
    /// Nobody says it.
    Missing,
    /// Its default is the name of a parameter of Systems Manager, which holds the value.
    Elsewhere(String),
}

/// What became of a value.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It is known.
    Known(Value),
    /// `AWS::NoValue`: it is taken away where it stands.
    Nothing,
    /// It depends on a resource; what could be resolved of it is.
    Kept(Value),
    /// It cannot be known, and that is told.
    Failed,
}

/// Resolves values.
pub struct Resolver<'a> {
    template: &'a Template,
    settings: &'a Settings,
    /// None in the first go.
    resources: Option<HashMap<&'a str, &'a Resource>>,
    /// Conditions that were asked for.
    conditions: HashMap<String, Result<bool, Vec<Problem>>>,
    /// What references gave that were asked for.
    given: HashMap<String, Given>,
    /// What is being resolved, so that nothing waits for itself.
    open: Vec<String>,
    depth: usize,
    /// What the template does not say.
    pub made_up: Vec<MadeUp>,
    /// What is wrong.
    pub problems: Problems,
}

/// Deeper than any template is, shallow enough for a thread's stack.
const MAX_DEPTH: usize = 400;

/// Longer than any definition that API Gateway takes; texts that hold each other twice must not become gigabytes.
const MAX_TEXT: usize = 8 << 20;

// === impl Resolver ===

impl<'a> Resolver<'a> {
    /// For the first go, in which references among resources stay.
    pub fn new(template: &'a Template, settings: &'a Settings) -> Self {
        let (conditions, given, open, made_up) = Default::default();
        Self { template, settings, resources: None, conditions, given, open, depth: 0, made_up, problems: Problems::default() }
    }

    /// For the second one.
    pub fn with_resources(template: &'a Template, settings: &'a Settings, resources: &'a [Resource]) -> Self {
        let resources = resources.iter().map(|resource| (resource.id.as_str(), resource)).collect();
        Self { resources: Some(resources), ..Self::new(template, settings) }
    }

    /// The properties of a resource with all functions resolved; what cannot be is left out, and told. What is not read stays as it is.
    pub fn properties(&mut self, resource: &Resource, is_read: fn(&str, &str) -> bool) -> Value {
        let Value::Object(members) = &resource.properties else {
            self.problems.error(&resource.path.key("Properties"), "the properties of a resource are an object", None);
            return Value::Object(Map::new());
        };
        let mut properties = Map::new();
        for (name, value) in members {
            if !is_read(&resource.kind, name) {
                properties.insert(name.clone(), value.clone());
            } else if let Outcome::Known(value) | Outcome::Kept(value) = self.resolve(value, &resource.place(name)) {
                properties.insert(name.clone(), value);
            }
        }
        Value::Object(properties)
    }

    /// What a reference gives, where that is known; where not, whoever needs it is told.
    pub fn quietly(&mut self, reference: &Value) -> Option<String> {
        let (problems, made_up) = (std::mem::take(&mut self.problems), std::mem::take(&mut self.made_up));
        let outcome = self.resolve(reference, &JsonPath::root());
        (self.problems, self.made_up) = (problems, made_up);
        match outcome {
            Outcome::Known(value) => text_of(&value),
            _ => None,
        }
    }

    /// Resolves a value and all that is in it.
    pub fn resolve(&mut self, value: &Value, path: &JsonPath) -> Outcome {
        if self.depth > MAX_DEPTH {
            return self.fail(value, path, format!("values are nested deeper than {MAX_DEPTH}"), None);
        }
        self.depth += 1;
        let outcome = match value {
            Value::Object(members) => match functions::of(members) {
                Some((name, argument)) => self.function(value, name, argument, path),
                None => self.object(members, path),
            },
            Value::Array(elements) => self.array(elements, path),
            Value::String(text) if text.contains("{{resolve:") => self.dynamic(value, text, path),
            scalar => Outcome::Known(scalar.clone()),
        };
        self.depth -= 1;
        outcome
    }

    fn object(&mut self, members: &Map<String, Value>, path: &JsonPath) -> Outcome {
        let (mut object, mut kept, mut failed) = (Map::new(), false, false);
        for (name, value) in members {
            let value = match self.resolve(value, &path.key(name)) {
                Outcome::Known(value) => value,
                Outcome::Nothing => continue,
                Outcome::Kept(value) => {
                    kept = true;
                    value
                }
                Outcome::Failed => {
                    failed = true;
                    continue;
                }
            };
            object.insert(name.clone(), value);
        }
        Outcome::of(Value::Object(object), kept, failed)
    }

    fn array(&mut self, elements: &[Value], path: &JsonPath) -> Outcome {
        let (mut array, mut kept, mut failed) = (Vec::new(), false, false);
        for (index, value) in elements.iter().enumerate() {
            match self.resolve(value, &path.index(index)) {
                Outcome::Known(value) => array.push(value),
                Outcome::Nothing => {}
                Outcome::Kept(value) => {
                    kept = true;
                    array.push(value);
                }
                Outcome::Failed => failed = true,
            }
        }
        Outcome::of(Value::Array(array), kept, failed)
    }

    /// `{{resolve:ssm:/path}}`: AWS looks it up when it deploys the template.
    fn dynamic(&mut self, value: &Value, text: &str, path: &JsonPath) -> Outcome {
        let (mut resolved, mut rest) = (String::new(), text);
        while let Some((before, after)) = rest.split_once("{{resolve:") {
            let Some((key, tail)) = after.split_once("}}") else { break };
            let Some(given) = self.settings.values.get(&format!("resolve:{key}")) else {
                let help = format!("say what it is: `--value 'resolve:{key}=…'`");
                return self.fail(value, path, format!("AWS looks `{{{{resolve:{key}}}}}` up"), Some(&help));
            };
            resolved.push_str(before);
            resolved.push_str(given);
            rest = tail;
        }
        resolved.push_str(rest);
        Outcome::Known(Value::String(resolved))
    }

    /// Tells what was found before.
    fn tell(&mut self, found: Vec<Problem>) {
        found.into_iter().for_each(|problem| self.problems.error(&problem.path, problem.message, problem.help.as_deref()));
    }

    /// A text that was put together.
    fn text(&mut self, value: &Value, path: &JsonPath, pieces: &[&str], between: &str) -> Outcome {
        let length = pieces.iter().map(|piece| piece.len() + between.len()).sum::<usize>();
        if length > MAX_TEXT {
            return self.fail(value, path, format!("the text has more than {MAX_TEXT} bytes"), None);
        }
        Outcome::Known(Value::String(pieces.join(between)))
    }

    /// What cannot be resolved is a mistake in the second go, and waits for it in the first.
    fn fail(&mut self, value: &Value, path: &JsonPath, message: impl Into<String>, help: Option<&str>) -> Outcome {
        if self.resources.is_none() {
            return Outcome::Kept(value.clone());
        }
        self.problems.error(path, message, help);
        Outcome::Failed
    }
}

// === impl Outcome ===

impl Outcome {
    fn of(value: Value, kept: bool, failed: bool) -> Self {
        match (kept, failed) {
            (_, true) => Self::Failed,
            (true, false) => Self::Kept(value),
            (false, false) => Self::Known(value),
        }
    }
}

/// A scalar as CloudFormation joins and compares it.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(value.to_string()),
        _ => None,
    }
}
