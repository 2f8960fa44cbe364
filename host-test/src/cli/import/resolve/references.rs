//! What `Ref` and `Fn::GetAtt` give: of parameters, of pseudo parameters, of resources.

use serde_json::{Value, json};
use tollgate::definition::stable_id;
use tollgate::problem::{JsonPath, Problem};

use super::rules::{self, Name, Rule};
use super::{Outcome, Parameter, Resolver, text_of};
use crate::cli::import::resource::Resource;

/// A name that the template leaves to AWS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeUp {
    /// The logical id.
    pub id: String,
    /// The resource's type.
    pub kind: String,
    /// What it is called here.
    pub name: String,
}

/// What a reference gave, and what was found on the way.
#[derive(Debug, Clone)]
pub struct Given {
    /// None: only AWS knows. `Err`: told.
    text: Result<Option<String>, ()>,
    problems: Vec<Problem>,
    made_up: Vec<MadeUp>,
}

// === impl Resolver ===

impl Resolver<'_> {
    /// What `value`, a reference to `id`, gives.
    pub(super) fn reference(&mut self, value: &Value, id: &str, attribute: Option<&str>, path: &JsonPath) -> Outcome {
        let key = attribute.map_or_else(|| id.to_owned(), |attribute| format!("{id}.{attribute}"));
        if let Some(given) = self.settings.values.get(&key) {
            return Outcome::Known(given.as_str().into());
        }
        if attribute.is_none() {
            if let Some(parameter) = self.template.parameters.get(id) {
                return self.parameter(value, id, &parameter.clone(), path);
            }
            if let Some(name) = id.strip_prefix("AWS::") {
                return self.pseudo(value, name, path);
            }
        }
        let Some(resources) = &self.resources else { return Outcome::Kept(value.clone()) };
        let Some(resource) = resources.get(id).copied() else {
            return match self.template.dropped.get(id) {
                Some(condition) => {
                    let message = format!("`{id}` is not there: its condition `{condition}` does not hold");
                    self.fail(value, path, message, Some("`--parameter` decides conditions"))
                }
                None => self.fail(value, path, format!("`{id}` is neither a parameter nor a resource of the template"), None),
            };
        };
        if self.open.contains(&key) {
            return self.fail(value, path, format!("`{key}` depends on itself"), None);
        }
        match self.given(&key, resource, attribute) {
            Ok(Some(text)) => Outcome::Known(text.into()),
            Ok(None) => {
                let what = match attribute {
                    Some(attribute) => format!("the attribute `{attribute}` of `{id}`, {}", article(&resource.kind)),
                    None => format!("what `Ref` gives of `{id}`, {}", article(&resource.kind)),
                };
                let help = format!("say what it is: `--value {key}=…`");
                self.fail(value, path, format!("{what}, is known to AWS alone"), Some(&help))
            }
            Err(()) => Outcome::Failed,
        }
    }

    /// What a reference gives, asked once: resources that each name another twice must not be walked a million times.
    fn given(&mut self, key: &str, resource: &Resource, attribute: Option<&str>) -> Result<Option<String>, ()> {
        if !self.given.contains_key(key) {
            let (told, made_up) = (std::mem::take(&mut self.problems), std::mem::take(&mut self.made_up));
            self.open.push(key.to_owned());
            let text = self.of_resource(resource, attribute);
            self.open.pop();
            let problems = std::mem::replace(&mut self.problems, told).into_vec();
            let made_up = std::mem::replace(&mut self.made_up, made_up);
            self.given.insert(key.to_owned(), Given { text, problems, made_up });
        }
        let Given { text, problems, made_up } = self.given.get(key).cloned().ok_or(())?;
        self.tell(problems);
        let unknown: Vec<MadeUp> = made_up.into_iter().filter(|made| !self.made_up.contains(made)).collect();
        self.made_up.extend(unknown);
        text
    }

    fn parameter(&mut self, value: &Value, name: &str, parameter: &Parameter, path: &JsonPath) -> Outcome {
        match parameter {
            Parameter::Known(known) => Outcome::Known(known.clone()),
            Parameter::Missing => {
                let help = format!("say what it is: `--parameter {name}=…`");
                self.fail(value, path, format!("the parameter `{name}` has no value"), Some(&help))
            }
            Parameter::Elsewhere(key) => {
                let help = format!("`aws ssm get-parameter --name {key}` shows it: `--parameter {name}=…`");
                self.fail(value, path, format!("the parameter `{name}` is looked up in Systems Manager"), Some(&help))
            }
        }
    }

    fn pseudo(&mut self, value: &Value, name: &str, path: &JsonPath) -> Outcome {
        let settings = self.settings;
        let text = match name {
            "NoValue" => return Outcome::Nothing,
            "NotificationARNs" => return Outcome::Known(json!([])),
            "Region" => settings.region.clone(),
            "AccountId" => settings.account.clone(),
            "Partition" => settings.partition().to_owned(),
            "URLSuffix" => settings.url_suffix().to_owned(),
            "StackName" => settings.stack_name.clone(),
            "StackId" => format!(
                "arn:{}:cloudformation:{}:{}:stack/{}/{}",
                settings.partition(),
                settings.region,
                settings.account,
                settings.stack_name,
                stable_id(&settings.stack_name, 12)
            ),
            _ => return self.fail(value, path, format!("there is no pseudo parameter `AWS::{name}`"), None),
        };
        Outcome::Known(text.into())
    }

    /// None: only AWS knows. `Err`: told.
    fn of_resource(&mut self, resource: &Resource, attribute: Option<&str>) -> Result<Option<String>, ()> {
        let Some(rule) = rules::of(&resource.kind) else { return Ok(None) };
        let Some(form) = rule.form(attribute) else { return Ok(None) };
        let mut text = String::new();
        let mut rest = form;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((placeholder, tail)) = after.split_once('}') else { break };
            text.push_str(before);
            match self.placeholder(placeholder, rule, resource)? {
                Some(value) => text.push_str(&value),
                None => return Ok(None),
            }
            rest = tail;
        }
        text.push_str(rest);
        Ok(Some(text))
    }

    fn placeholder(&mut self, placeholder: &str, rule: &Rule, resource: &Resource) -> Result<Option<String>, ()> {
        let settings = self.settings;
        Ok(Some(match placeholder {
            "region" => settings.region.clone(),
            "account" => settings.account.clone(),
            "partition" => settings.partition().to_owned(),
            "suffix" => settings.url_suffix().to_owned(),
            "id" => resource.id.clone(),
            "ref" => match self.reference(&json!({ "Ref": resource.id }), &resource.id, None, &resource.path) {
                Outcome::Known(value) => return Ok(text_of(&value)),
                _ => return Err(()),
            },
            // Where `Ref` gives the name, `--value` says it for all attributes.
            "name" if rule.form(None) == Some("{name}") && settings.values.contains_key(&resource.id) => {
                return Ok(settings.values.get(&resource.id).cloned());
            }
            "made" => self.made_up(resource, stable_id(&format!("{}/{}", settings.stack_name, resource.id), 12)),
            "own" => stable_id(&format!("{}/{}", resource.kind, resource.id), 10),
            "path" => self.property(resource, "Path")?.unwrap_or_else(|| "/".to_owned()),
            "function" => match self.property(resource, "FunctionName")? {
                Some(arn) if arn.starts_with("arn:") => arn,
                Some(name) => {
                    let (partition, region) = (settings.partition(), &settings.region);
                    format!("arn:{partition}:lambda:{region}:{}:function:{name}", settings.account)
                }
                None => return Ok(None),
            },
            "name" => match rule.name {
                Name::Property(property) => match self.property(resource, property)? {
                    Some(name) => name,
                    None => self.made_up(resource, plain(&resource.id)),
                },
                Name::LowerCase(property) => match self.property(resource, property)? {
                    Some(name) => name,
                    None => self.made_up(resource, plain(&resource.id).to_ascii_lowercase()),
                },
                Name::None => return Ok(None),
            },
            property => return self.property(resource, property),
        }))
    }

    fn property(&mut self, resource: &Resource, name: &str) -> Result<Option<String>, ()> {
        let Some(value) = resource.properties.get(name) else { return Ok(None) };
        match self.resolve(value, &resource.place(name)) {
            Outcome::Known(value) => Ok(text_of(&value)),
            Outcome::Nothing => Ok(None),
            Outcome::Kept(_) | Outcome::Failed => Err(()),
        }
    }

    fn made_up(&mut self, resource: &Resource, name: String) -> String {
        let made = MadeUp { id: resource.id.clone(), kind: resource.kind.clone(), name };
        if !resource.is_of_api_gateway() && !self.made_up.contains(&made) {
            self.made_up.push(made.clone());
        }
        made.name
    }
}

/// The part of an id that names may have: Terraform's addresses have dots and brackets.
fn plain(id: &str) -> String {
    id.chars().map(|c| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' }).collect()
}

fn article(kind: &str) -> String {
    format!("an {kind}")
}
