//! Definition to validation: `x-amazon-apigateway-request-validators`, `x-amazon-apigateway-request-validator`, the parameters of
//! methods, and their models: `requestBody` of OpenAPI 3, `in: body` and `consumes` of Swagger 2.0.

use super::Validation;
use super::body::Models;
use super::parameters::{Parameter, Place};
use crate::definition::{Node, OpenApi, Operation, Protocol};
use crate::http::MediaType;
use crate::problem::{Problems, quoted};
use crate::schema::Schema;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The validators of one API, and what its models compiled to.
#[derive(Debug)]
pub struct Validators<'a> {
    protocol: Protocol,
    named: Vec<(&'a str, Validator)>,
    /// Of methods that say nothing.
    default: Validator,
    /// By the reference that leads to it: many methods share one, and all stages do.
    models: BTreeMap<String, Option<Arc<Schema>>>,
}

/// What one validator looks at.
#[derive(Debug, Clone, Copy, Default)]
struct Validator {
    body: bool,
    parameters: bool,
}

const VALIDATORS: &str = "x-amazon-apigateway-request-validators";
const VALIDATOR: &str = "x-amazon-apigateway-request-validator";

const PLACES: [(&str, Place); 3] = [("header", Place::Header), ("path", Place::Path), ("query", Place::Query)];

// === impl Validators ===

impl<'a> Validators<'a> {
    /// Reads the validators of an API.
    pub fn read(protocol: Protocol, definition: &OpenApi<'a>, problems: &mut Problems) -> Self {
        let root = &definition.root;
        let mut validators = Self { protocol, named: Vec::new(), default: Validator::default(), models: BTreeMap::new() };
        if protocol == Protocol::Http {
            [VALIDATORS, VALIDATOR].into_iter().filter_map(|key| root.get(key)).for_each(|node| warn_of_no_effect(&node, problems));
            return validators;
        }
        if let Some(node) = root.get(VALIDATORS) {
            for (name, node) in node.members(problems) {
                validators.named.push((name, Validator::read(&node, problems)));
            }
        }
        validators.default = validators.chosen(root, problems).unwrap_or_default();
        validators
    }

    /// What the requests of a method must be like.
    pub fn compile(&mut self, operation: &Operation<'_>, definition: &OpenApi<'_>, problems: &mut Problems) -> Validation {
        if self.protocol == Protocol::Http {
            operation.node.get(VALIDATOR).into_iter().for_each(|node| warn_of_no_effect(&node, problems));
            return Validation::default();
        }
        let validator = self.chosen(&operation.node, problems).unwrap_or(self.default);
        let mut validation = Validation::default();
        if !validator.body && !validator.parameters {
            return validation;
        }
        let parameters = declared(operation, &definition.root, problems);
        if validator.parameters {
            validation.parameters = required(&parameters, problems);
        }
        if validator.body {
            let mut models = Vec::new();
            for (media_type, schema) in bodies(operation, &parameters, &definition.root, problems) {
                models.extend(self.model(&schema, &definition.root, problems).map(|model| (media_type, model)));
            }
            validation.models = Models::new(models);
        }
        validation
    }

    /// The validator that the API or a method names.
    fn chosen(&self, node: &Node<'_>, problems: &mut Problems) -> Option<Validator> {
        let node = node.guarding(VALIDATOR, problems)?;
        let name = node.string(problems)?;
        let chosen = self.named.iter().find(|(known, _)| *known == name).map(|(_, validator)| *validator);
        if chosen.is_none() {
            let names: Vec<&str> = self.named.iter().map(|(name, _)| *name).collect();
            let help = match names.as_slice() {
                [] => format!("name it under `{VALIDATORS}`"),
                names => format!("`{VALIDATORS}` has {}", quoted(names)),
            };
            problems.error(&node.path, format!("there is no request validator `{name}`"), Some(&help));
        }
        chosen
    }

    fn model<'t>(&mut self, schema: &Node<'t>, root: &Node<'t>, problems: &mut Problems) -> Option<Arc<Schema>> {
        let compile = |schema: &Node<'t>, problems: &mut Problems| Schema::compile(root, schema, problems).map(Arc::new);
        let reference = schema.get("$ref").and_then(|to| to.value.as_str()).filter(|to| to.starts_with("#/"));
        let Some(reference) = reference else { return compile(schema, problems) };
        if let Some(model) = self.models.get(reference) {
            return model.clone();
        }
        let model = compile(&schema.resolved(root, problems)?, problems);
        self.models.insert(reference.to_owned(), model.clone());
        model
    }
}

fn warn_of_no_effect(node: &Node<'_>, problems: &mut Problems) {
    problems.warning(&node.path, "no effect: HTTP APIs do not validate requests", None);
}

// === impl Validator ===

impl Validator {
    fn read(node: &Node<'_>, problems: &mut Problems) -> Self {
        node.only(&["validateRequestBody", "validateRequestParameters"], problems);
        let mut flag = |key| node.guarding(key, problems).and_then(|flag| flag.boolean(problems)).unwrap_or(false);
        Self { body: flag("validateRequestBody"), parameters: flag("validateRequestParameters") }
    }
}

/// The parameters of a method, and those of its path that it does not declare anew.
fn declared<'a>(operation: &Operation<'a>, root: &Node<'a>, problems: &mut Problems) -> Vec<Node<'a>> {
    let mut declared: Vec<Node<'a>> = Vec::new();
    let key = |parameter: &Node<'a>| {
        let text = |key: &str| parameter.get(key).and_then(|node| node.value.as_str());
        (text("in"), text("name"))
    };
    for list in [operation.node.get("parameters"), operation.path_parameters.clone()].into_iter().flatten() {
        for parameter in list.elements(problems) {
            let Some(parameter) = parameter.resolved(root, problems) else { continue };
            if !declared.iter().any(|other| key(other) == key(&parameter)) {
                declared.push(parameter);
            }
        }
    }
    declared
}

fn required(declared: &[Node<'_>], problems: &mut Problems) -> Vec<Parameter> {
    let mut required = Vec::new();
    for parameter in declared {
        let is_required = parameter.get("required").and_then(|flag| flag.boolean(problems)).unwrap_or(false);
        let place = parameter.get("in").and_then(|place| place.string(problems));
        // Cookies, bodies and forms are no parameters of API Gateway's.
        let place = PLACES.iter().find(|(name, _)| Some(*name) == place).filter(|_| is_required);
        if let Some((_, place)) = place {
            required.extend(parameter.required_text("name", problems).map(|name| Parameter::new(*place, &name)));
        }
    }
    required.sort_unstable();
    required
}

/// The schemas of a method's bodies, by content type.
fn bodies<'a>(
    operation: &Operation<'a>,
    parameters: &[Node<'a>],
    root: &Node<'a>,
    problems: &mut Problems,
) -> Vec<(MediaType, Node<'a>)> {
    let media_type = |text: &str| MediaType::of_header(text.as_bytes());
    let mut bodies = Vec::new();
    let of_openapi = operation.node.get("requestBody").and_then(|body| body.resolved(root, problems));
    if let Some(content) = of_openapi.and_then(|body| body.get("content")) {
        for (name, content) in content.members(problems) {
            bodies.extend(content.get("schema").map(|schema| (media_type(name), schema)));
        }
    }
    let of_swagger = parameters.iter().find(|parameter| parameter.get("in").is_some_and(|place| place.value == "body"));
    if let Some(schema) = of_swagger.and_then(|parameter| parameter.get("schema")) {
        let consumes = operation.node.get("consumes").or_else(|| root.get("consumes"));
        let types = consumes.map(|types| types.strings(problems)).unwrap_or_default();
        // assumed(swagger-consumes): without a list it is JSON.
        let types = if types.is_empty() { vec![MediaType::JSON] } else { types };
        bodies.extend(types.into_iter().map(|name| (media_type(name), schema.clone())));
    }
    bodies
}
