//! Where the references of an expression lead. A plan does not know what is known only after apply, but its configuration says
//! which attributes an expression takes: those are followed through the variables and outputs of modules to the resources that make
//! them. The text around a reference, and what locals hold, is not in a plan.

use serde_json::Value;

use super::address::{self, Key, Part, Step};
use super::file::{File, Instance, Origin};

/// How far references are followed; Terraform itself refuses circles.
const DEPTH: usize = 32;

/// How many of them: a file made by hand may refer to itself many times over.
const STEPS: usize = 100_000;

/// What a reference ends in.
#[derive(Debug)]
pub enum Leaf<'s, 'f> {
    /// A value that the plan knows.
    Known(Value),
    /// An attribute that is known after apply; empty where the reference names the whole resource.
    Computed { instance: &'s Instance<'f>, attribute: String },
    /// What a plan does not say, as the configuration writes it.
    Opaque(String),
}

/// From where an expression is seen.
#[derive(Debug, Clone)]
struct Scope<'f> {
    module: Vec<Step>,
    key: Option<Key>,
    for_each: Option<&'f Value>,
}

/// Follows references in one file.
struct Walk<'s, 'f> {
    file: &'s File<'f>,
    leaves: Vec<Leaf<'s, 'f>>,
    depth: usize,
    steps: usize,
}

impl<'f> File<'f> {
    /// Where the references of an expression of an instance lead.
    pub fn leaves<'s>(&'s self, origin: &Origin<'f>, expression: &'f Value) -> Vec<Leaf<'s, 'f>> {
        let for_each = self.block(origin).and_then(|block| block.get("for_each_expression"));
        let scope = Scope { module: origin.module.clone(), key: origin.key.clone(), for_each };
        let mut walk = Walk { file: self, leaves: Vec::new(), depth: 0, steps: 0 };
        walk.expression(&scope, expression);
        walk.leaves
    }

    /// The expressions of the block that an instance comes from.
    pub fn expressions(&self, instance: &Instance<'f>) -> Option<&'f Value> {
        self.block(&instance.origin)?.get("expressions")
    }

    fn block(&self, origin: &Origin<'f>) -> Option<&'f Value> {
        let module = self.module(&origin.module)?;
        let mode = if origin.is_data { "data" } else { "managed" };
        let blocks = module.get("resources").and_then(Value::as_array)?;
        let is = |block: &&Value, name: &str, value: &str| block.get(name).and_then(Value::as_str) == Some(value);
        blocks.iter().find(|block| is(block, "mode", mode) && is(block, "type", origin.kind) && is(block, "name", origin.name))
    }

    fn module(&self, steps: &[Step]) -> Option<&'f Value> {
        steps.iter().try_fold(self.configuration?, |module, (name, _)| module.get("module_calls")?.get(name)?.get("module"))
    }

    fn call(&self, steps: &[Step]) -> Option<&'f Value> {
        let ((name, _), around) = steps.split_last()?;
        self.module(around)?.get("module_calls")?.get(name)
    }
}

// === impl Walk ===

impl<'s, 'f> Walk<'s, 'f> {
    /// An attribute's expression, or a block with expressions of its own.
    fn expression(&mut self, scope: &Scope<'f>, expression: &'f Value) {
        if let Some(value) = expression.get("constant_value") {
            self.leaves.push(Leaf::Known(value.clone()));
            return;
        }
        let Some(references) = expression.get("references").and_then(Value::as_array) else {
            let inner: Vec<&Value> = match expression {
                Value::Array(blocks) => blocks.iter().collect(),
                Value::Object(members) => members.values().collect(),
                _ => Vec::new(),
            };
            inner.into_iter().for_each(|inner| self.expression(scope, inner));
            return;
        };
        self.steps += 1;
        if self.depth == DEPTH || self.steps > STEPS {
            return;
        }
        self.depth += 1;
        let mut last = "";
        for reference in references.iter().filter_map(Value::as_str) {
            if !address::is_beginning(reference, last) && reference != last {
                self.reference(scope, reference);
                last = reference;
            }
        }
        self.depth -= 1;
    }

    fn reference(&mut self, scope: &Scope<'f>, text: &str) {
        let parts = address::parts(text);
        let opaque = match parts.as_slice() {
            [Part::Name(var), Part::Name(name), rest @ ..] if var == "var" => self.variable(scope, name, rest),
            [Part::Name(module), Part::Name(name), Part::Key(key), Part::Name(output), ..] if module == "module" => {
                self.output(scope, (name.clone(), Some(key.clone())), output)
            }
            [Part::Name(module), Part::Name(name), Part::Name(output), ..] if module == "module" => {
                self.output(scope, (name.clone(), None), output)
            }
            [Part::Name(each), Part::Name(value), ..] if each == "each" && value == "value" => scope.for_each.is_none_or(|each| {
                self.expression(scope, each);
                false
            }),
            [Part::Name(each), Part::Name(_)] if each == "each" || each == "count" => {
                let key = scope.key.as_ref().map_or(Value::Null, Key::to_value);
                self.leaves.push(Leaf::Known(key));
                false
            }
            // Folders and the workspace are texts that were known when the plan was made.
            [Part::Name(root), ..] if root == "path" || root == "terraform" => {
                self.leaves.push(Leaf::Known(Value::Null));
                false
            }
            [Part::Name(data), Part::Name(kind), Part::Name(name), rest @ ..] if data == "data" => {
                self.resource(scope, true, kind, name, rest)
            }
            [Part::Name(kind), Part::Name(name), rest @ ..] if !["module", "local", "self"].contains(&kind.as_str()) => {
                self.resource(scope, false, kind, name, rest)
            }
            _ => true,
        };
        if opaque {
            self.leaves.push(Leaf::Opaque(text.to_owned()));
        }
    }

    /// A variable: what the caller of the module gives, or its default. True if the plan does not say.
    fn variable(&mut self, scope: &Scope<'f>, name: &str, rest: &[Part]) -> bool {
        let default = || self.file.module(&scope.module)?.get("variables")?.get(name)?.get("default").cloned();
        let known = |value: Option<Value>| value.and_then(|value| dig(&value, rest).cloned());
        let Some(((_, key), around)) = scope.module.split_last() else {
            let given = self.file.variables.and_then(|variables| variables.get(name)?.get("value").cloned());
            return match known(given.or_else(default)) {
                Some(value) => {
                    self.leaves.push(Leaf::Known(value));
                    false
                }
                None => true,
            };
        };
        let call = self.file.call(&scope.module);
        let Some(given) = call.and_then(|call| call.get("expressions")?.get(name)) else {
            return match known(default()) {
                Some(value) => {
                    self.leaves.push(Leaf::Known(value));
                    false
                }
                None => true,
            };
        };
        let for_each = call.and_then(|call| call.get("for_each_expression"));
        let caller = Scope { module: around.to_vec(), key: key.clone(), for_each };
        self.expression(&caller, given);
        false
    }

    /// An output of a module. True if there is none.
    fn output(&mut self, scope: &Scope<'f>, step: Step, output: &str) -> bool {
        let mut module = scope.module.clone();
        module.push(step);
        let outputs = self.file.module(&module).and_then(|module| module.get("outputs"));
        let Some(expression) = outputs.and_then(|outputs| outputs.get(output)?.get("expression")) else { return true };
        self.expression(&Scope { module, key: None, for_each: None }, expression);
        false
    }

    /// An attribute of a resource. True if it cannot be told of which instance.
    fn resource(&mut self, scope: &Scope<'f>, is_data: bool, kind: &str, name: &str, rest: &[Part]) -> bool {
        let file = self.file;
        let is_meant = |instance: &&'s Instance<'f>| {
            let origin = &instance.origin;
            instance.kind == kind && origin.is_data == is_data && origin.name == name && origin.module == scope.module
        };
        let instances: Vec<&'s Instance<'f>> = file.instances.iter().filter(is_meant).collect();
        let (wanted, rest) = match rest {
            [Part::Key(key), rest @ ..] => (Some(key), rest),
            rest => (None, rest),
        };
        let of_key = |key: Option<&Key>| instances.iter().find(|instance| instance.origin.key.as_ref() == key).copied();
        let instance = match (wanted, instances.as_slice()) {
            (Some(key), _) => of_key(Some(key)),
            (None, [only]) => Some(*only),
            // `r[each.key].id` is written down as `r`: the instance with the key of the one that refers to it.
            (None, _) => scope.key.as_ref().and_then(|key| of_key(Some(key))),
        };
        let Some(instance) = instance else { return true };
        let Some((Part::Name(attribute), inner)) = rest.split_first() else {
            self.leaves.push(Leaf::Computed { instance, attribute: String::new() });
            return false;
        };
        match instance.values.get(attribute).and_then(|value| dig(value, inner)) {
            Some(value) if !value.is_null() => self.leaves.push(Leaf::Known(value.clone())),
            _ => match file.expressions(instance).and_then(|expressions| expressions.get(attribute)) {
                Some(expression) => {
                    let origin = &instance.origin;
                    let for_each = file.block(origin).and_then(|block| block.get("for_each_expression"));
                    let scope = Scope { module: origin.module.clone(), key: origin.key.clone(), for_each };
                    self.expression(&scope, expression);
                }
                None => self.leaves.push(Leaf::Computed { instance, attribute: shown(rest) }),
            },
        }
        false
    }
}

/// The part of a value that a reference goes on to.
fn dig<'v>(value: &'v Value, rest: &[Part]) -> Option<&'v Value> {
    rest.iter().try_fold(value, |value, part| match part {
        Part::Name(name) => value.get(name),
        Part::Key(Key::Text(key)) => value.get(key),
        Part::Key(Key::Number(number)) => value.get(usize::try_from(*number).ok()?),
    })
}

/// `endpoint`, `vpc_config[0].id`
fn shown(parts: &[Part]) -> String {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Name(name) => {
                if !out.is_empty() {
                    out.push('.');
                }
                out.push_str(name);
            }
            Part::Key(key) => out.push_str(&key.to_string()),
        }
    }
    out
}

// === impl Leaf ===

impl Leaf<'_, '_> {
    /// As a reference is written.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::Known(_) => None,
            Self::Computed { instance, attribute } if attribute.is_empty() => Some(instance.address.clone()),
            Self::Computed { instance, attribute } => Some(format!("{}.{attribute}", instance.address)),
            Self::Opaque(text) => Some(text.clone()),
        }
    }
}
