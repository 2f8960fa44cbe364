//! The APIs of a template, as events find them: each with its properties and the definition that grows.

use serde_json::{Value, json};
use tollgate::problem::{JsonPath, Problems};

use super::super::resource::Resource;
use super::Place;
use super::definition::Definition;
use super::globals::Globals;
use super::properties::Properties;

/// Which of SAM's two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `AWS::Serverless::Api`
    Rest,
    /// `AWS::Serverless::HttpApi`
    Http,
}

/// Who writes the definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// SAM, from events.
    Sam,
    /// The user, and SAM adds the events (`MergeDefinitions`).
    Both,
    /// The user.
    User,
}

/// One API.
#[derive(Debug)]
pub struct Api {
    /// Its logical id.
    pub id: String,
    /// REST or HTTP.
    pub kind: Kind,
    /// What is said of it.
    pub properties: Properties,
    /// What it answers; none when it could not be read.
    pub definition: Option<Definition>,
    /// Who writes that.
    pub author: Author,
    /// Where the API stands.
    pub path: JsonPath,
    /// Where the definition stands.
    pub definition_path: JsonPath,
    /// Where it is deployed.
    pub place: Place,
}

// === impl Kind ===

impl Kind {
    /// The one that a resource is.
    pub fn of(kind: &str) -> Option<Self> {
        match kind {
            "AWS::Serverless::Api" => Some(Self::Rest),
            "AWS::Serverless::HttpApi" => Some(Self::Http),
            _ => None,
        }
    }

    /// As templates have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rest => "AWS::Serverless::Api",
            Self::Http => "AWS::Serverless::HttpApi",
        }
    }

    /// What the API is called that events without one share.
    pub fn implicit_id(self) -> &'static str {
        match self {
            Self::Rest => "ServerlessRestApi",
            Self::Http => "ServerlessHttpApi",
        }
    }
}

// === impl Api ===

impl Api {
    /// Reads an API and its definition.
    pub fn read(resource: &Resource, kind: Kind, place: &Place, problems: &mut Problems) -> Self {
        let mut properties = Properties::of(resource);
        let (body_path, uri_path) = (properties.path("DefinitionBody"), properties.path("DefinitionUri"));
        let (body, uri) = (properties.take("DefinitionBody"), properties.take("DefinitionUri"));
        let merged = kind == Kind::Rest && properties.flag("MergeDefinitions", problems) == Some(true);
        let version = open_api_version(&mut properties, problems);
        let mut author = if merged { Author::Both } else { Author::User };
        let (definition, definition_path) = match (body, uri) {
            // What is in the file that `DefinitionUri` names stands here, too.
            (Some(body), _) => (Definition::of(body, &body_path, problems), body_path),
            (None, Some(_)) => {
                // Where an API names a file that is not there to be read, whoever reads files has told so.
                if uri_path != resource.path.key("Properties").key("DefinitionUri") {
                    problems.error(&uri_path, "one definition of all APIs is not read", Some("write it at each API"));
                }
                (None, uri_path)
            }
            (None, None) => {
                author = Author::Sam;
                let empty = match kind {
                    Kind::Rest => Definition::of_rest_api(&place.stack_name, version.as_deref()),
                    Kind::Http => Definition::of_http_api(&place.stack_name),
                };
                (Some(empty), resource.path.clone())
            }
        };
        let (id, path) = (resource.id.clone(), resource.path.clone());
        Self { id, kind, properties, definition, author, path, definition_path, place: place.clone() }
    }

    /// The API that events share which name none: at the place of the first one, with what `Globals` says.
    pub fn implicit(kind: Kind, path: &JsonPath, globals: &Globals, problems: &mut Problems) -> Resource {
        let properties = match kind {
            Kind::Rest => json!({"StageName": "Prod"}),
            Kind::Http => json!({}),
        };
        let (id, name) = (kind.implicit_id().to_owned(), kind.as_str().to_owned());
        let mut resource = Resource { id, kind: name, properties, path: path.clone(), places: Vec::new() };
        globals.merge_into(&mut resource, problems);
        resource
    }

    /// What `Auth` of the API says of one thing.
    pub fn auth(&self, name: &str) -> Option<&Value> {
        self.properties.get("Auth")?.get(name).filter(|value| !value.is_null())
    }
}

/// `OpenApiVersion`, which YAML may have made a number of.
fn open_api_version(properties: &mut Properties, problems: &mut Problems) -> Option<String> {
    let path = properties.path("OpenApiVersion");
    let version = match properties.take("OpenApiVersion")? {
        Value::String(version) => version,
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    if !version.starts_with(['2', '3']) {
        problems.error(&path, "this is no version of OpenAPI", Some("write '3.0.1'"));
        return None;
    }
    Some(version)
}
