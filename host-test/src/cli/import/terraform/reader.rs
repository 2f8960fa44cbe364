//! Reads the attributes of an instance by a table: which of them is which property of CloudFormation, and in which shape. What the
//! table does not know is told, and what is known only after apply is followed through the configuration.

use serde_json::{Map, Value};
use tollgate::problem::{JsonPath, Problems, quoted};

use super::super::Settings;
use super::file::{File, Instance};
use super::references::Leaf;
use super::rules::{Home, partition};
use crate::cli::source;

/// One attribute of Terraform's, and what it becomes.
pub struct Field {
    pub from: &'static str,
    pub to: &'static str,
    pub shape: Shape,
}

/// In which shape.
pub enum Shape {
    /// As it is.
    Plain,
    /// As it is, unless it is what it is anyway.
    Unless(&'static str),
    /// A value that is taken whole from another resource where it is taken from one: an ARN, a name.
    Direct,
    /// The same where it has no effect here: it is left out when nobody knows it.
    Loose,
    /// The same as a list.
    List,
    /// The URI of a REST integration or an authorizer: of a function, its invocation.
    Uri,
    /// The URI of an HTTP integration: of a function, also its ARN.
    HttpUri,
    /// The issuer of tokens.
    Issuer,
    /// A text that is a number.
    Number,
    /// A text that holds JSON.
    Json,
    /// The id of one of these kinds.
    Link(&'static [&'static str]),
    /// The id of a VPC link: any name will do where the link is not in the file.
    VpcLink(&'static [&'static str]),
    /// The id of a resource of a REST API, its root included.
    Parent,
    /// `integrations/ID`
    Target,
    /// The path of a resource and a method: `pets/{id}/GET`.
    MethodPath,
    /// A block that stands once at most, as a list of one.
    Block(&'static [Field]),
    /// Blocks.
    Blocks(&'static [Field]),
    /// It does not change what is served.
    Unused,
}

/// A value of an instance, known or not.
#[derive(Clone)]
pub struct Cursor<'s, 'f> {
    pub instance: &'s Instance<'f>,
    pub value: Option<&'f Value>,
    unknown: Option<&'f Value>,
    expression: Option<&'f Value>,
    /// The block around it is written by `dynamic`, of which a plan shows no expressions.
    hidden: bool,
    pub path: JsonPath,
    /// `jwt_configuration[0].issuer`
    pub name: String,
}

/// Properties, and where each stands.
#[derive(Default)]
pub struct Converted {
    pub properties: Map<String, Value>,
    pub places: Vec<(String, JsonPath)>,
}

/// Everything that reading takes.
pub struct Reader<'s, 'f> {
    pub file: &'s File<'f>,
    pub settings: &'s Settings,
    pub home: Home<'s>,
    pub problems: &'s mut Problems,
}

/// Attributes of many resources that say nothing of what is served.
const EVERYWHERE: [&str; 9] =
    ["id", "arn", "region", "tags", "tags_all", "timeouts", "created_date", "last_updated_date", "execution_arn"];

/// After which a value is known.
const AFTER: &str = "or import the state after apply, as `terraform show -json` prints it";

/// A field of a table.
pub const fn field(from: &'static str, to: &'static str, shape: Shape) -> Field {
    Field { from, to, shape }
}

/// An attribute that does not change what is served.
pub const fn unused(from: &'static str) -> Field {
    Field { from, to: "", shape: Shape::Unused }
}

/// Whether a value says nothing: Terraform writes what is not set as `null`, or as what is empty.
pub fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

// === impl Cursor ===

impl<'s, 'f> Cursor<'s, 'f> {
    /// All of an instance.
    pub fn new(file: &'s File<'f>, instance: &'s Instance<'f>) -> Self {
        Self {
            instance,
            value: Some(instance.values),
            unknown: instance.unknown,
            expression: file.expressions(instance),
            hidden: false,
            path: instance.path.clone(),
            name: String::new(),
        }
    }

    /// One of its attributes.
    pub fn field(&self, name: &str) -> Self {
        let of = |value: Option<&'f Value>| value.and_then(|value| value.get(name));
        Self {
            instance: self.instance,
            value: of(self.value).filter(|value| !value.is_null()),
            unknown: of(self.unknown),
            expression: of(self.expression),
            hidden: self.hidden,
            path: self.path.key(name),
            name: if self.name.is_empty() { name.to_owned() } else { format!("{}.{name}", self.name) },
        }
    }

    /// One of its blocks.
    pub fn block(&self, index: usize) -> Self {
        let of = |value: Option<&'f Value>| value.and_then(|value| value.get(index));
        let value = of(self.value);
        let expression = self.expression.and_then(|expression| written(expression, index, value));
        Self {
            instance: self.instance,
            value,
            unknown: of(self.unknown),
            expression,
            hidden: self.hidden || expression.is_none(),
            path: self.path.index(index),
            name: format!("{}[{index}]", self.name),
        }
    }

    /// One element of a map; the configuration has one expression for all of them.
    fn element(&self, name: &str) -> Self {
        let mut element = self.field(name);
        element.expression = self.expression;
        element.name = format!("{}[{}]", self.name, Value::from(name));
        element
    }

    /// All blocks of a name.
    pub fn blocks(&self) -> impl Iterator<Item = Self> + use<'_, 's, 'f> {
        let count = self.value.and_then(Value::as_array).map_or(0, Vec::len);
        (0..count).map(|index| self.block(index))
    }

    /// A known text.
    pub fn text(&self) -> Option<&'f str> {
        self.value.and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// Whether the configuration sets it to what is known only after apply.
    pub fn is_unknown(&self) -> bool {
        let is_set = self.expression.is_some() || self.hidden;
        match self.unknown {
            Some(Value::Bool(true)) => is_set,
            // A plan whose `resource_changes` were cut away.
            None => self.value.is_none() && self.expression.is_some_and(|it| it.get("references").is_some()),
            _ => false,
        }
    }

    fn is_partly_unknown(&self) -> bool {
        let is_set = self.expression.is_some() || self.hidden;
        is_set && self.unknown.is_some_and(|unknown| !unknown.is_boolean() && holds_unknown(unknown))
    }
}

/// Whether a value of this shape, where it takes this attribute and nothing else unknown, is told by what that will be.
fn takes(shape: &Shape, instance: &Instance<'_>, attribute: &str) -> bool {
    let is_function = matches!(instance.kind, "aws_lambda_function" | "aws_lambda_alias");
    let is_invocation = matches!(attribute, "invoke_arn" | "qualified_invoke_arn");
    match shape {
        Shape::Direct | Shape::List => !attribute.is_empty(),
        Shape::Uri => is_invocation || is_function && attribute == "arn",
        Shape::HttpUri => is_invocation || attribute == "arn",
        Shape::Issuer => instance.kind == "aws_cognito_user_pool" && matches!(attribute, "endpoint" | "id"),
        _ => false,
    }
}

fn holds_unknown(unknown: &Value) -> bool {
    match unknown {
        Value::Bool(unknown) => *unknown,
        Value::Array(elements) => elements.iter().any(holds_unknown),
        Value::Object(members) => members.values().any(holds_unknown),
        _ => false,
    }
}

/// The block of the configuration that a block of the values was written by. A set has another order than its blocks: that with the
/// same constants is meant.
fn written<'f>(expression: &'f Value, index: usize, value: Option<&Value>) -> Option<&'f Value> {
    let Value::Array(blocks) = expression else { return Some(expression) };
    if let [only] = blocks.as_slice() {
        return Some(only);
    }
    let fits = |block: &&'f Value| {
        let members = block.as_object().into_iter().flatten();
        members.filter_map(|(name, inner)| Some((name, inner.get("constant_value")?))).all(|(name, constant)| {
            let found = value.and_then(|value| value.get(name)).unwrap_or(&Value::Null);
            // A number may be written as a text, and a text as a number.
            found == constant || plain(found) == plain(constant)
        })
    };
    let fitting: Vec<&Value> = blocks.iter().filter(fits).collect();
    match fitting.as_slice() {
        [only] => Some(only),
        _ => blocks.get(index),
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

// === impl Reader ===

impl<'s, 'f> Reader<'s, 'f> {
    /// All attributes of an instance, by a table.
    pub fn convert(&mut self, cursor: &Cursor<'s, 'f>, fields: &[Field]) -> Converted {
        let mut converted = Converted::default();
        for field in fields {
            let at = cursor.field(field.from);
            if let Some(value) = self.read(&at, &field.shape) {
                converted.places.push((field.to.to_owned(), at.path));
                converted.properties.insert(field.to.to_owned(), value);
            }
        }
        for (name, value) in cursor.value.and_then(Value::as_object).into_iter().flatten() {
            let is_known = EVERYWHERE.contains(&name.as_str()) || fields.iter().any(|field| field.from == name);
            if !is_known && !is_empty(value) && *value != Value::Bool(false) && *value != Value::from(0) {
                let at = cursor.field(name);
                let message = format!("`{}` of `{}` is not read", at.name, at.instance.address);
                self.problems.warning(&at.path, message, Some("the document is made without it"));
            }
        }
        converted
    }

    /// One attribute.
    pub fn read(&mut self, at: &Cursor<'s, 'f>, shape: &Shape) -> Option<Value> {
        let known = || at.value.filter(|value| !is_empty(value)).cloned();
        match shape {
            Shape::Unused => None,
            Shape::Link(kinds) => self.link(at, kinds),
            Shape::VpcLink(kinds) => self.vpc_link(at, kinds),
            Shape::Parent => self.parent(at),
            Shape::Target => self.target(at),
            Shape::Block(fields) if at.value.is_some_and(Value::is_array) => {
                let block = at.blocks().next()?;
                let properties = self.convert(&block, fields).properties;
                (!properties.is_empty()).then_some(Value::Object(properties))
            }
            Shape::Blocks(fields) if at.value.is_some_and(Value::is_array) => {
                let blocks: Vec<Cursor<'s, 'f>> = at.blocks().collect();
                let blocks = blocks.iter().map(|block| Value::Object(self.convert(block, fields).properties));
                let blocks: Vec<Value> = blocks.collect();
                (!blocks.is_empty()).then_some(Value::Array(blocks))
            }
            // Inside of `dynamic` nobody knows whether it is set at all: what has a default has it.
            Shape::Unless(_) if at.hidden && at.expression.is_none() && at.value.is_none() => None,
            _ if at.is_unknown() => self.unknown(at, shape),
            Shape::Unless(default) => known().filter(|value| plain(value) != *default),
            Shape::Number => {
                let value = known()?;
                Some(value.as_str().and_then(|text| text.parse::<i64>().ok()).map_or(value, Value::from))
            }
            Shape::Json => self.json(at, at.text()?),
            Shape::Plain | Shape::List | Shape::Direct | Shape::Uri | Shape::HttpUri | Shape::Issuer if at.is_partly_unknown() => {
                self.partly(at)
            }
            Shape::Plain
            | Shape::List
            | Shape::Direct
            | Shape::Loose
            | Shape::Uri
            | Shape::HttpUri
            | Shape::Issuer
            | Shape::MethodPath => known(),
            Shape::Block(_) | Shape::Blocks(_) => None,
        }
    }

    /// A value that is known only after apply, if the command line or a rule says what it will be.
    fn unknown(&mut self, at: &Cursor<'s, 'f>, shape: &Shape) -> Option<Value> {
        if let Some(text) = self.settings.values.get(&format!("{}.{}", at.instance.address, at.name)) {
            return match shape {
                Shape::Json => self.json(at, text),
                Shape::List => Some(serde_json::from_str(text).unwrap_or_else(|_| Value::from(vec![text.as_str()]))),
                _ => Some(text.as_str().into()),
            };
        }
        let unknown = self.unknown_leaves(at);
        let found = match (shape, unknown.as_slice()) {
            (Shape::List, leaves) if !leaves.is_empty() && !self.takes_known_values(at) => {
                let each: Option<Vec<Value>> = leaves.iter().map(|leaf| self.value_of(leaf).map(Value::from)).collect();
                each.map(Value::Array)
            }
            (Shape::Direct | Shape::Loose, [leaf]) => self.value_of(leaf).map(Value::from),
            (Shape::Uri | Shape::HttpUri, [leaf @ Leaf::Computed { instance, attribute }]) => {
                let is_function = matches!(instance.kind, "aws_lambda_function" | "aws_lambda_alias");
                match attribute.as_str() {
                    // Without an attribute: `f[each.key].invoke_arn`, of which a plan keeps only `f`.
                    "" if is_function => self.home.attribute(instance, "invoke_arn").map(Value::from),
                    "invoke_arn" | "qualified_invoke_arn" => self.value_of(leaf).map(Value::from),
                    "arn" if is_function && matches!(shape, Shape::Uri) => {
                        let uri = self.value_of(leaf).map(|function| self.home.invocation(&function));
                        if let Some(uri) = &uri {
                            self.problems.warning(
                                &at.path,
                                format!("`{}` of `{}` is taken to be `{uri}`", at.name, at.instance.address),
                                Some(&format!(
                                    "the plan says only that it takes `{}.arn`: `--value` says otherwise",
                                    instance.address
                                )),
                            );
                        }
                        uri.map(Value::from)
                    }
                    "arn" if matches!(shape, Shape::HttpUri) => {
                        self.value_of(leaf).or_else(|| self.behind_a_link(instance)).map(Value::from)
                    }
                    _ => None,
                }
            }
            (Shape::Issuer, [leaf @ Leaf::Computed { instance, attribute }]) if instance.kind == "aws_cognito_user_pool" => {
                self.value_of(leaf).and_then(|value| match attribute.as_str() {
                    "endpoint" => Some(format!("https://{value}").into()),
                    "id" => Some(format!("https://cognito-idp.{}.amazonaws.com/{value}", self.home.region).into()),
                    _ => None,
                })
            }
            (Shape::MethodPath, _) => self.method_path(at),
            _ => None,
        };
        match (&found, shape) {
            (None, Shape::Loose) => {
                let message = format!("`{}` of `{}` is known only after apply, and left out", at.name, at.instance.address);
                self.problems.warning(&at.path, message, Some("it has no effect here"));
            }
            (None, _) => self.unresolved(at, shape, &unknown),
            _ => {}
        }
        found
    }

    /// `"${aws_api_gateway_resource.r.path}/${aws_api_gateway_method.m.http_method}"`, perhaps without the slash in front.
    fn method_path(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        let leaves = self.file.leaves(&at.instance.origin, at.expression?);
        let (mut path, mut method) = (None, None);
        for leaf in &leaves {
            match leaf {
                Leaf::Computed { instance, attribute } if instance.kind == "aws_api_gateway_resource" && attribute == "path" => {
                    path = Some(self.resource_path(instance)?);
                }
                Leaf::Known(Value::String(text)) if text.chars().all(|c| c.is_ascii_uppercase()) => method = Some(text.clone()),
                _ => return None,
            }
        }
        Some(format!("{}/{}", path?, method?).into())
    }

    /// The path of a resource, put together from those above it.
    fn resource_path(&mut self, resource: &'s Instance<'f>) -> Option<String> {
        let above = Cursor::new(self.file, resource).field("parent_id");
        let parent = self.target_of(&above, &["aws_api_gateway_resource", "aws_api_gateway_rest_api"])?;
        let above = if parent.kind == "aws_api_gateway_resource" { self.resource_path(parent)? } else { String::new() };
        Some(format!("{above}/{}", resource.text("path_part")?))
    }

    /// A map or list of which some elements are known only after apply.
    fn partly(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        let names: Vec<String> = match at.unknown {
            Some(Value::Object(members)) => {
                members.iter().filter(|(_, it)| holds_unknown(it)).map(|(name, _)| name.clone()).collect()
            }
            _ => return self.partly_list(at),
        };
        let mut map = at.value.and_then(Value::as_object).cloned().unwrap_or_default();
        for name in names {
            let element = at.element(&name);
            let value = match self.service_parameter(&element, &name) {
                Some(value) => Some(value),
                None => self.unknown(&element, &Shape::Plain),
            };
            map.insert(name, value?);
        }
        Some(Value::Object(map))
    }

    /// A list: what is known after apply is written in the order of the references.
    fn partly_list(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        let unknown = at.unknown.and_then(Value::as_array).map_or(&[] as &[Value], Vec::as_slice);
        let leaves = self.unknown_leaves(at);
        let whole = self.settings.values.contains_key(&format!("{}.{}", at.instance.address, at.name));
        if whole || unknown.iter().filter(|element| holds_unknown(element)).count() != leaves.len() {
            return self.unknown(at, &Shape::List);
        }
        let mut resolved = leaves.iter().map(|leaf| self.value_of(leaf));
        let mut elements = at.value.and_then(Value::as_array).cloned().unwrap_or_default();
        elements.resize(unknown.len(), Value::Null);
        for (element, _) in elements.iter_mut().zip(unknown).filter(|(_, unknown)| holds_unknown(unknown)) {
            let Some(Some(value)) = resolved.next() else {
                self.unresolved(at, &Shape::List, &leaves);
                return None;
            };
            *element = value.into();
        }
        Some(Value::Array(elements))
    }

    /// Parameters of AWS services in HTTP APIs that hold what their resource is called, and nothing else.
    fn service_parameter(&mut self, at: &Cursor<'s, 'f>, name: &str) -> Option<Value> {
        let (kind, attributes): (&str, &[&str]) = match name {
            "QueueUrl" => ("aws_sqs_queue", &["url", "id"]),
            "StateMachineArn" => ("aws_sfn_state_machine", &["arn", "id"]),
            _ => return None,
        };
        let leaves = self.unknown_leaves(at);
        let mut meant = leaves.iter().filter(|leaf| {
            matches!(leaf, Leaf::Computed { instance, attribute }
                if instance.kind == kind && attributes.contains(&attribute.as_str()))
        });
        let (Some(leaf), None) = (meant.next(), meant.next()) else { return None };
        self.value_of(leaf).map(Value::from)
    }

    /// Where an expression leads that the plan does not know, each place once.
    pub fn unknown_leaves(&self, at: &Cursor<'s, 'f>) -> Vec<Leaf<'s, 'f>> {
        let mut leaves: Vec<Leaf<'s, 'f>> = Vec::new();
        let all = at.expression.map(|expression| self.file.leaves(&at.instance.origin, expression)).unwrap_or_default();
        for leaf in all {
            let shown = leaf.shown();
            if shown.is_some() && !leaves.iter().any(|known| known.shown() == shown) {
                leaves.push(leaf);
            }
        }
        leaves
    }

    /// The ARN of what a VPC link leads to, as far as its name goes: here the link leads to a cluster, and the ids count nothing.
    fn behind_a_link(&self, instance: &'s Instance<'f>) -> Option<String> {
        let Home { region, account } = self.home;
        let partition = partition(region);
        match instance.kind {
            "aws_lb_listener" | "aws_alb_listener" => {
                let balancer = self.unknown_leaves(&Cursor::new(self.file, instance).field("load_balancer_arn"));
                let name = balancer.iter().find_map(|leaf| match leaf {
                    Leaf::Computed { instance, .. } if matches!(instance.kind, "aws_lb" | "aws_alb") => instance.text("name"),
                    _ => None,
                });
                Some(format!("arn:{partition}:elasticloadbalancing:{region}:{account}:listener/app/{}/-/-", name?))
            }
            "aws_service_discovery_service" => {
                Some(format!("arn:{partition}:servicediscovery:{region}:{account}:service/{}", instance.text("name")?))
            }
            _ => None,
        }
    }

    /// Whether an expression also takes what the plan knows, so that more than its unknown parts is in it.
    fn takes_known_values(&self, at: &Cursor<'s, 'f>) -> bool {
        let all = at.expression.map(|expression| self.file.leaves(&at.instance.origin, expression)).unwrap_or_default();
        all.iter().any(|leaf| matches!(leaf, Leaf::Known(value) if !value.is_null()))
    }

    /// What an attribute will be: as the command line says, as it was before, or by a rule.
    pub fn value_of(&self, leaf: &Leaf<'s, 'f>) -> Option<String> {
        if let Some(text) = leaf.shown().and_then(|shown| self.settings.values.get(&shown)) {
            return Some(text.clone());
        }
        let Leaf::Computed { instance, attribute } = leaf else { return None };
        if attribute.is_empty() {
            // `role[each.key].arn`, of which a plan keeps only `role`: what is taken whole is an ARN, or else an id.
            return self.home.attribute(instance, "arn").or_else(|| self.home.attribute(instance, "id"));
        }
        let before = instance.prior.and_then(|prior| prior.get(attribute)).and_then(Value::as_str);
        before.map(str::to_owned).or_else(|| self.home.attribute(instance, attribute))
    }

    /// Says that nobody knows a value.
    pub fn unresolved(&mut self, at: &Cursor<'s, 'f>, shape: &Shape, leaves: &[Leaf<'s, 'f>]) {
        let address = &at.instance.address;
        let name = &at.name;
        let shown: Vec<String> = leaves.iter().filter_map(Leaf::shown).collect();
        let quoted = quoted(&shown.iter().map(String::as_str).collect::<Vec<_>>());
        let message = match shown.as_slice() {
            [] => format!("`{name}` of `{address}` is known only after apply, and the plan does not say what it takes"),
            _ => format!("`{name}` of `{address}` is known only after apply: it takes {quoted}"),
        };
        let own = format!("{address}.{name}");
        let mut wanted = vec![own];
        if let [Leaf::Computed { instance, attribute }] = leaves
            && takes(shape, instance, attribute)
        {
            wanted.push(format!("{}.{attribute}", instance.address));
        }
        let given = if matches!(shape, Shape::Link(_)) { "ADDRESS" } else { "…" };
        let values: Vec<String> = wanted.iter().map(|wanted| format!("`--value '{wanted}={given}'`")).collect();
        self.problems.error(&at.path, message, Some(&format!("say what it will be by {}, {AFTER}", values.join(" or "))));
    }

    /// A text that holds JSON, or YAML.
    fn json(&mut self, at: &Cursor<'s, 'f>, text: &str) -> Option<Value> {
        match source::value_of(text) {
            Ok(value) => Some(value),
            Err(message) => {
                let message = format!("`{}` of `{}` is neither JSON nor YAML: {message}", at.name, at.instance.address);
                self.problems.error(&at.path, message, None);
                None
            }
        }
    }

    /// Another resource, by its id.
    fn link(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<Value> {
        let target = self.target_of(at, kinds)?;
        Some(reference(target))
    }

    /// The instance of one of these kinds that an attribute names; an error if there is none.
    pub fn target_of(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<&'s Instance<'f>> {
        if let Some(id) = at.text() {
            let found = self.file.with_id(kinds, id);
            if found.is_none() {
                self.not_here(at, kinds, id);
            }
            return found;
        }
        if !at.is_unknown() {
            return None;
        }
        if let Some(address) = self.settings.values.get(&format!("{}.{}", at.instance.address, at.name)) {
            let found = self.file.at(address).or_else(|| self.file.with_id(kinds, address));
            if found.is_none() {
                let message = format!("`{address}` is the address or id of no {} in this file", kinds.join(" or "));
                self.problems.error(&at.path, message, None);
            }
            return found;
        }
        let leaves = self.unknown_leaves(at);
        let mut found: Vec<&'s Instance<'f>> = Vec::new();
        for leaf in &leaves {
            if let Leaf::Computed { instance, .. } = leaf
                && kinds.contains(&instance.kind)
                && !found.iter().any(|known| known.address == instance.address)
            {
                found.push(instance);
            }
        }
        if let [only] = found.as_slice() {
            return Some(only);
        }
        // A local says nothing, but a file with one API leaves no choice.
        let is_api = kinds.iter().all(|kind| matches!(*kind, "aws_api_gateway_rest_api" | "aws_apigatewayv2_api"));
        let all: Vec<&'s Instance<'f>> =
            self.file.instances.iter().filter(|it| kinds.contains(&it.kind) && !it.origin.is_data).collect();
        if let ([only], true) = (all.as_slice(), is_api) {
            return Some(only);
        }
        self.unresolved(at, &Shape::Link(&[]), &leaves);
        None
    }

    fn not_here(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str], id: &str) {
        let message =
            format!("`{}` of `{}` is `{id}`, and no {} of this file has that id", at.name, at.instance.address, kinds.join(" or "));
        let help = "an API is imported from one file: the state or plan that has it and all its parts";
        self.problems.error(&at.path, message, Some(help));
    }

    fn vpc_link(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<Value> {
        match at.text() {
            Some(id) => Some(self.file.with_id(kinds, id).map_or_else(|| id.into(), reference)),
            None => self.link(at, kinds),
        }
    }

    /// A resource of a REST API, or the root of one.
    fn parent(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        let root = |api: &Instance<'f>| serde_json::json!({ "Fn::GetAtt": [api.address, "RootResourceId"] });
        if let Some(id) = at.text()
            && let Some(api) = self.file.instances.iter().find(|it| !it.origin.is_data && it.text("root_resource_id") == Some(id))
        {
            return Some(root(api));
        }
        let target = self.target_of(at, &["aws_api_gateway_resource", "aws_api_gateway_rest_api"])?;
        Some(if target.kind == "aws_api_gateway_rest_api" { root(target) } else { reference(target) })
    }

    /// `integrations/ID`
    fn target(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        const KINDS: [&str; 1] = ["aws_apigatewayv2_integration"];
        let integration = match at.text() {
            None => self.target_of(at, &KINDS)?,
            Some(text) => {
                let id = text.strip_prefix("integrations/").unwrap_or(text);
                let Some(found) = self.file.with_id(&KINDS, id) else {
                    self.not_here(at, &KINDS, id);
                    return None;
                };
                found
            }
        };
        Some(serde_json::json!({ "Fn::Join": ["/", ["integrations", reference(integration)]] }))
    }
}

fn reference(instance: &Instance<'_>) -> Value {
    serde_json::json!({ "Ref": instance.address })
}
