//! The resources of API Gateway with everything resolved, found by what they are to each other.

use std::collections::HashMap;

use serde_json::Value;
use tollgate::definition::Node;
use tollgate::problem::Problems;

use crate::cli::import::resource::Resource;

/// They are linked by values, as AWS links them: a reference is resolved to the id of what it refers to.
pub struct Stack {
    resources: Vec<Resource>,
    /// Logical id to what `Ref` gives.
    identities: HashMap<String, String>,
    /// Logical id of an API to the id of its root resource.
    roots: HashMap<String, String>,
    /// What `Ref` gives, to what it is: to name what was meant instead.
    others: HashMap<String, String>,
}

/// What references give of the resources, by their logical ids.
#[derive(Debug, Default)]
pub struct Identities {
    /// What `Ref` gives.
    pub references: HashMap<String, String>,
    /// The root resources of REST APIs.
    pub roots: HashMap<String, String>,
    /// What `Ref` gives of resources of other services, to what each of them is.
    pub others: HashMap<String, String>,
}

// === impl Stack ===

impl Stack {
    /// All that is carried over.
    pub fn new(resources: Vec<Resource>, identities: Identities) -> Self {
        let Identities { references, roots, mut others } = identities;
        let own = resources.iter().filter_map(|resource| Some((references.get(&resource.id)?.clone(), resource)));
        others.extend(own.map(|(identity, resource)| (identity, format!("`{}` is an {}", resource.id, resource.kind))));
        Self { resources, identities: references, roots, others }
    }

    /// The id of the root resource of an API.
    pub fn root_of(&self, api: &str) -> Option<&str> {
        self.roots.get(api).map(String::as_str)
    }

    /// All of them, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Resource> {
        self.resources.iter()
    }

    /// Those of a type.
    pub fn of_kind(&self, kind: &str) -> impl Iterator<Item = &Resource> {
        self.resources.iter().filter(move |resource| resource.kind == kind)
    }

    /// Those of a type that name `id` by a property.
    pub fn of_owner(&self, kind: &str, property: &str, id: &str) -> impl Iterator<Item = &Resource> {
        self.of_kind(kind).filter(move |resource| resource.properties.get(property).is_some_and(|owner| owner == id))
    }

    /// What `Ref` gives of a resource.
    pub fn identity<'s>(&'s self, resource: &'s Resource) -> &'s str {
        self.identities.get(&resource.id).map_or(resource.id.as_str(), String::as_str)
    }

    /// The resource of a type whose `Ref` is this.
    pub fn find(&self, kind: &str, identity: &str) -> Option<&Resource> {
        self.of_kind(kind).find(|resource| self.identity(resource) == identity)
    }

    /// The resource of a type that a property names; one that names none of them is told.
    pub fn named_by(&self, resource: &Resource, property: &str, kind: &str, problems: &mut Problems) -> Option<&Resource> {
        let Some(node) = resource.get(property) else {
            problems.error(&resource.path, format!("`{}` has no `{property}`", resource.id), Some(&format!("name an {kind}")));
            return None;
        };
        let identity = node.text(problems)?;
        let Some(found) = self.find(kind, &identity) else {
            let help = self.others.get(&identity).cloned();
            let help = help.unwrap_or_else(|| "what it names has to be in the same template".to_owned());
            problems.error(&node.path, format!("`{identity}` is no {kind} of the template"), Some(&help));
            return None;
        };
        is_of_the_same_api(found, resource, &node, problems).then_some(found)
    }
}

/// Whether what a part of an API names is a part of the same API; told where it is not. Definitions know parts by their names, and
/// another API may have one of the same name.
pub fn is_of_the_same_api(found: &Resource, resource: &Resource, node: &Node<'_>, problems: &mut Problems) -> bool {
    let owners = |owner: &str| found.get(owner).zip(resource.get(owner));
    let Some((its, own)) = owners("RestApiId").or_else(|| owners("ApiId")) else { return true };
    let is_same = its.value == own.value;
    if !is_same {
        problems.error(&node.path, format!("`{}` is a part of another API", found.id), Some("name one of the same API"));
    }
    is_same
}

/// `AuthorizationType` of a method or a route, in capitals: `NONE` where nothing is said of it. None where that cannot be told, which is
/// an error: what is not read would be open to everybody.
pub fn authorization_type(resource: &Resource, problems: &mut Problems) -> Option<String> {
    let said = resource.get("AuthorizationType");
    let kind = match &said {
        Some(node) => node.text(problems)?.to_ascii_uppercase(),
        None => "NONE".to_owned(),
    };
    match resource.get("AuthorizerId") {
        Some(authorizer) if said.is_none() => {
            let message = format!("`{}` names an authorizer and no `AuthorizationType`", resource.id);
            let help = "say the type, so that the authorizer is asked; with `NONE` everybody may call";
            problems.error(&authorizer.path, message, Some(help));
            return None;
        }
        Some(authorizer) if matches!(kind.as_str(), "NONE" | "AWS_IAM") => {
            let message = format!("nobody asks the authorizer of `{}`: its `AuthorizationType` is `{kind}`", resource.id);
            problems.warning(&authorizer.path, message, None);
        }
        _ => {}
    }
    if let Some(scopes) = resource.get("AuthorizationScopes")
        && matches!(kind.as_str(), "NONE" | "AWS_IAM")
        && scopes.value.as_array().is_none_or(|scopes| !scopes.is_empty())
    {
        let message = format!("nobody asks for the scopes of `{}`: its `AuthorizationType` is `{kind}`", resource.id);
        problems.warning(&scopes.path, message, None);
    }
    Some(kind)
}

/// A text of a property, where there is one.
pub fn text<'r>(resource: &'r Resource, property: &str) -> Option<&'r str> {
    resource.properties.get(property).and_then(Value::as_str)
}
