//! The resources of API Gateway with everything resolved, found by what they are to each other.

use std::collections::HashMap;

use serde_json::Value;
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
        let found = self.find(kind, &identity);
        if found.is_none() {
            let help = self.others.get(&identity).cloned();
            let help = help.unwrap_or_else(|| "what it names has to be in the same template".to_owned());
            problems.error(&node.path, format!("`{identity}` is no {kind} of the template"), Some(&help));
        }
        found
    }
}

/// A text of a property, where there is one.
pub fn text<'r>(resource: &'r Resource, property: &str) -> Option<&'r str> {
    resource.properties.get(property).and_then(Value::as_str)
}
