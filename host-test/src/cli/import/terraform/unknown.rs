//! Values that are known only after apply: said by the command line, made by rule, or nobody's.

use serde_json::Value;
use tollgate::problem::quoted;

use super::cursor::{Cursor, holds_unknown};
use super::file::Instance;
use super::reader::Reader;
use super::references::Leaf;
use super::rules::{Home, partition};
use super::shape::Shape;

/// After which a value is known.
const AFTER: &str = "or import the state after apply, as `terraform show -json` prints it";

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

// === impl Reader ===

impl<'s, 'f> Reader<'s, 'f> {
    /// A value that is known only after apply, if the command line or a rule says what it will be.
    pub(super) fn unknown(&mut self, at: &Cursor<'s, 'f>, shape: &Shape) -> Option<Value> {
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
    pub(super) fn partly(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
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
}
