//! SAM's transform, as far as it is about APIs: resources of `AWS::Serverless` become those of CloudFormation that SAM makes of them.
//! AWS: "AWS SAM resource and property reference", "Generated CloudFormation resources". What is said of the rest of a stack
//! (permissions, roles, event sources, versions of code) is left out: no gateway looks at it.
//!
//! ```text
//!   Globals ─ merged ─> APIs <─ events of functions and state machines
//!                        └─> RestApi, Stage, UsagePlan, … ─ references to what was made ─>
//! ```

mod api;
mod cors;
mod definition;
mod domain;
mod event;
mod function;
mod globals;
mod http;
mod http_auth;
mod http_event;
mod policy;
mod properties;
mod references;
mod rest;
mod rest_auth;
mod rest_event;
mod usage_plan;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::problem::{JsonPath, Problems};

use self::api::{Api, Author, Kind};
use self::event::Event;
use self::globals::Globals;
use self::references::Names;
use self::rest_event::Target;
use self::usage_plan::Shared;
use super::Settings;
use super::resource::Resource;

/// What of a template is transformed.
#[derive(Debug, Default)]
pub struct Sam {
    /// All resources, those of other kinds, too.
    pub resources: Vec<Resource>,
    /// `Globals`
    pub globals: Value,
    /// `IgnoreGlobals` of the resources that say so.
    pub ignored: BTreeMap<String, Value>,
}

/// Where the stack is.
#[derive(Debug, Clone)]
pub struct Place {
    /// `aws`, `aws-cn`, `aws-us-gov`
    partition: &'static str,
    region: String,
    stack_name: String,
}

/// Makes CloudFormation's resources of SAM's. Those of other kinds stay as they are. Parameters, conditions and mappings are resolved;
/// references among resources are not, and stay.
pub fn expand(template: Sam, settings: &Settings, problems: &mut Problems) -> Vec<Resource> {
    let place = Place::of(settings);
    let globals = Globals::read(&template.globals, &template.ignored, &JsonPath::root().key("Globals"), problems);
    let mut names = Names::default();
    let (mut made, mut apis, mut routes) = (Vec::new(), Vec::new(), Vec::new());
    for mut resource in template.resources {
        globals.merge_into(&mut resource, problems);
        match resource.kind.as_str() {
            "AWS::Serverless::Function" => function::expand(resource, &mut names, &mut routes, &mut made, problems),
            "AWS::Serverless::StateMachine" => function::expand_state_machine(resource, &mut routes, &mut made, problems),
            "AWS::Serverless::WebSocketApi" => {
                problems.error(&resource.path, "WebSocket APIs are not served", Some("import the other APIs of the template"));
            }
            kind => match Kind::of(kind) {
                Some(kind) => apis.push(Api::read(&resource, kind, &place, problems)),
                None => made.push(renamed(resource)),
            },
        }
    }
    implicit_apis(&mut apis, &routes, &globals, &place, problems);
    // Paths stand in the order of the events, and a policy of one method is about all methods of its path.
    for (event, _) in &routes {
        if let Some(api) = find(&mut apis, event).filter(|api| api.author == Author::Sam && api.kind == Kind::Rest)
            && let Some(definition) = &mut api.definition
        {
            definition.operation(&event.route, &event.method);
        }
    }
    for (event, target) in routes {
        add(event, &target, &mut apis, &made, problems);
    }
    let mut shared = Shared::default();
    let mut sharing = Vec::new();
    for api in apis {
        if api.auth("UsagePlan").and_then(|plan| plan.get("CreateUsagePlan")) == Some(&json!("SHARED")) {
            sharing.push(api.id.clone());
        }
        made.extend(match api.kind {
            Kind::Rest => rest::finish(api, &mut shared, &mut names, problems),
            Kind::Http => http::finish(api, &mut names, problems),
        });
    }
    made.extend(shared.finish(&sharing, &mut names));
    for resource in &mut made {
        names.resolve(&mut resource.properties);
    }
    once_each(made)
}

/// Adds the API that events share which name none, in the place of one that the user calls the same.
fn implicit_apis(apis: &mut Vec<Api>, routes: &[(Event, Target)], globals: &Globals, place: &Place, problems: &mut Problems) {
    for kind in [Kind::Rest, Kind::Http] {
        let Some((event, _)) = routes.iter().find(|(event, _)| event.kind == kind && event.api.is_none()) else { continue };
        let resource = Api::implicit(kind, &event.path, globals, problems);
        apis.retain(|api| api.id != resource.id);
        apis.push(Api::read(&resource, kind, place, problems));
    }
}

/// The API of an event.
fn find<'a>(apis: &'a mut [Api], event: &Event) -> Option<&'a mut Api> {
    let id = event.api.as_deref().unwrap_or_else(|| event.kind.implicit_id());
    apis.iter_mut().find(|api| api.id == id && api.kind == event.kind)
}

fn add(event: Event, target: &Target, apis: &mut [Api], others: &[Resource], problems: &mut Problems) {
    let Some(api) = find(apis, &event) else {
        let id = event.api.as_deref().unwrap_or_default();
        let property = match event.kind {
            Kind::Rest => "RestApiId",
            Kind::Http => "ApiId",
        };
        // An API that is written out says itself whom it calls, and SAM adds no route to it.
        let written_out = |resource: &Resource| resource.id == id && resource.kind.starts_with("AWS::ApiGateway");
        if others.iter().any(written_out) {
            return;
        }
        let help = format!("write `!Ref` and the logical id of an `{}` of this template", event.kind.as_str());
        return problems.error(&event.properties.path(property), format!("`{id}` is no API of this template"), Some(&help));
    };
    match (event.kind, target) {
        (Kind::Rest, target) => rest_event::add(event, target, api, problems),
        (Kind::Http, Target::Function(arn)) => http_event::add(event, arn, api, problems),
        (Kind::Http, Target::StateMachine { .. }) => {
            problems.error(&event.path, "SAM has no events of type `HttpApi` for state machines", Some("write `Type: Api`"));
        }
    }
}

/// Resources which are referred to, by the kind that they have in CloudFormation.
fn renamed(mut resource: Resource) -> Resource {
    let kind = match resource.kind.as_str() {
        "AWS::Serverless::Application" => "AWS::CloudFormation::Stack",
        "AWS::Serverless::SimpleTable" => "AWS::DynamoDB::Table",
        "AWS::Serverless::LayerVersion" => "AWS::Lambda::LayerVersion",
        "AWS::Serverless::GraphQLApi" => "AWS::AppSync::GraphQLApi",
        _ => return resource,
    };
    resource.kind = kind.to_owned();
    resource
}

/// What two APIs share (a domain) is made once.
fn once_each(made: Vec<Resource>) -> Vec<Resource> {
    let mut all: Vec<Resource> = Vec::new();
    for resource in made {
        if !all.iter().any(|known| known.id == resource.id && known.kind == resource.kind) {
            all.push(resource);
        }
    }
    all
}

// === impl Place ===

impl Place {
    fn of(settings: &Settings) -> Self {
        let (region, stack_name) = (settings.region.clone(), settings.stack_name.clone());
        Self { partition: settings.partition(), region, stack_name }
    }

    /// `arn:aws:apigateway:eu-west-1`
    fn of_api_gateway(&self) -> String {
        format!("arn:{}:apigateway:{}", self.partition, self.region)
    }

    /// How a function is called whose ARN is known later.
    fn invocation(&self, function: Value) -> Value {
        let before = format!("{}:lambda:path/2015-03-31/functions/", self.of_api_gateway());
        match function {
            Value::String(arn) => json!(format!("{before}{arn}/invocations")),
            function => json!({"Fn::Join": ["", [before, function, "/invocations"]]}),
        }
    }

    /// The same for text in which `Fn::Sub` puts the ARN.
    fn invocation_of(&self, arn: &str) -> String {
        format!("{}:lambda:path/2015-03-31/functions/{arn}/invocations", self.of_api_gateway())
    }
}

#[cfg(test)]
mod tests;
