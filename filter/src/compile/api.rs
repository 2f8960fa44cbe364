//! One API: its stages, and in each stage its routes. Routes are compiled once a stage, because stage variables are part of them.

use super::Parts;
use super::kinds::{compile_authorizer, compile_integration};
use crate::access_log::AccessLog;
use crate::authorizer::{Authorizer, AuthorizerScope, Demanded, Guard, Iam, Requirement};
use crate::context::{RouteFacts, StageFacts};
use crate::cors::Cors;
use crate::definition::{ApiDocument, Node, OpenApi, Operation, OperationKey, PathItem, Protocol, StageDocument, stable_id};
use crate::execution_log::ExecutionLog;
use crate::gateway::{Api, Gateway, Route, Stage};
use crate::gateway_response::GatewayResponses;
use crate::integration::Scope;
use crate::metrics::Series;
use crate::policy::{ApiArn, Kind, Policy};
use crate::problem::Problems;
use crate::route::{Pattern, RouteTable, Verb};
use crate::usage::{KeySource, Methods, Place, StageLimits, Usage, agree, method_name};
use crate::validation::Validators;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

/// Compiles an API into the gateway.
pub fn compile<'a>(document: &ApiDocument<'a>, parts: &mut Parts<'a>, gateway: &mut Gateway, problems: &mut Problems) {
    let definition = &document.definition;
    let patterns = compile_patterns(document.protocol, definition, problems);
    let api = Arc::new(Api {
        name: document.name.clone(),
        protocol: document.protocol,
        gateway_responses: compile_gateway_responses(document.protocol, definition, problems),
        cors: compile_cors(document.protocol, definition, problems),
    });
    let policy = compile_policy(document, definition, problems);
    let key_source = compile_key_source(document.protocol, definition, problems);
    let mut validators = Validators::read(document.protocol, definition, problems);
    let limits = compile_limits(document, parts, problems);
    for (stage, limits) in document.stages.iter().zip(limits) {
        let mut compiler = StageCompiler {
            document,
            definition,
            stage,
            policy: policy.clone(),
            key_source,
            limits,
            authorizers: BTreeMap::new(),
            validators: &mut validators,
            parts,
            problems,
        };
        let compiled = compiler.compile(&api, &patterns);
        if !gateway.insert(compiled) {
            let message = format!("another stage is served where stage `{}` of `{}` would be", stage.name, document.name);
            problems.error(&document.definition.root.path, message, Some("give it another `basePath` or other `hosts`"));
        }
    }
}

/// Of each stage. The names of all methods are there for as long as they are read.
fn compile_limits(document: &ApiDocument<'_>, parts: &Parts<'_>, problems: &mut Problems) -> Vec<StageLimits> {
    let methods = Methods::of(&document.definition.items);
    parts.plans.check_methods(&document.name, &methods, problems);
    let limits = |stage: &StageDocument<'_>| {
        let first = document.stages.iter().find(|first| first.name == stage.name).unwrap_or(stage);
        if !agree(first, stage) {
            let message = format!("stage `{}` has other limits here than at {}", stage.name, first.node.path);
            problems.error(&stage.node.path, message, Some("both count as one stage: say the same, or give one another name"));
        }
        StageLimits::read(document, stage, &methods, &parts.account, problems)
    };
    document.stages.iter().map(limits).collect()
}

fn compile_gateway_responses(protocol: Protocol, definition: &OpenApi<'_>, problems: &mut Problems) -> GatewayResponses {
    let Some(node) = &definition.gateway_responses else { return GatewayResponses::default() };
    if protocol == Protocol::Http {
        problems.error(&node.path, "HTTP APIs have no gateway responses", None);
    }
    GatewayResponses::compile(node, problems)
}

fn compile_key_source(protocol: Protocol, definition: &OpenApi<'_>, problems: &mut Problems) -> KeySource {
    let Some(node) = &definition.api_key_source else { return KeySource::default() };
    if protocol == Protocol::Http {
        problems.error(&node.path, "HTTP APIs have no API keys", None);
    }
    KeySource::read(node, problems).unwrap_or_default()
}

fn compile_cors(protocol: Protocol, definition: &OpenApi<'_>, problems: &mut Problems) -> Option<Cors> {
    let node = definition.cors.as_ref()?;
    if protocol == Protocol::Rest {
        // assumed(rest-ignores-cors): aws-samples/serverless-patterns deploys a REST API with it (apigw-kinesis-lambda-ddb).
        let help = "REST APIs do CORS with a MOCK integration on OPTIONS";
        problems.warning(&node.path, "`x-amazon-apigateway-cors` has no effect: it is for HTTP APIs only", Some(help));
        return None;
    }
    Some(Cors::compile(node, problems))
}

fn compile_policy(document: &ApiDocument<'_>, definition: &OpenApi<'_>, problems: &mut Problems) -> Option<Arc<Policy>> {
    let node = definition.policy.as_ref()?;
    if document.protocol == Protocol::Http {
        problems.error(&node.path, "HTTP APIs have no resource policy", None);
    }
    let api = ApiArn { region: &document.region, account: &document.account_id, api: &document.api_id };
    insist(Policy::compile(node, Kind::Resource(api), problems), node, problems).map(Arc::new)
}

/// What guards an API is there, or the document has an error: nothing that gives none can open a route by saying nothing.
fn insist<T>(compiled: Option<T>, node: &Node<'_>, problems: &mut Problems) -> Option<T> {
    if compiled.is_none() && !problems.any_error() {
        problems.error(&node.path, "what guards this does not compile", None);
    }
    compiled
}

/// The resource path of each path item; none where it is not one.
fn compile_patterns(protocol: Protocol, definition: &OpenApi<'_>, problems: &mut Problems) -> Vec<Option<Arc<Pattern>>> {
    // In a REST API the resources are a tree, and a place of it has one variable child (AWS refuses the import in the same words).
    let mut variables: BTreeMap<String, String> = BTreeMap::new();
    let mut pattern = |path: &str| {
        let pattern = Pattern::parse(path).map_err(|invalid| invalid.to_string())?;
        for (place, variable) in pattern.variable_places() {
            let sibling = variables.entry(place).or_insert_with(|| variable.clone());
            if protocol == Protocol::Rest && *sibling != variable {
                let rule = "already has a variable path part: only one is allowed";
                return Err(format!("a sibling (`{sibling}`) of `{variable}` {rule}"));
            }
        }
        Ok(pattern)
    };
    let of_item = |item: &PathItem<'_>| {
        // A resource that nobody can ask for may be called anything.
        let pattern = if item.methods.is_empty() { return None } else { pattern(&item.path) };
        let tell = |message: String| {
            item.places(&definition.root).iter().for_each(|(_, place)| problems.error(place, message.clone(), None));
        };
        pattern.map_err(tell).ok().map(Arc::new)
    };
    definition.items.iter().map(of_item).collect()
}

struct StageCompiler<'a, 'b> {
    document: &'b ApiDocument<'a>,
    definition: &'b OpenApi<'a>,
    stage: &'b StageDocument<'a>,
    policy: Option<Arc<Policy>>,
    key_source: KeySource,
    limits: StageLimits,
    /// By the name of their security scheme: one is shared by all routes that name it, and so is what it remembers. None: it does
    /// not compile, and that is told.
    authorizers: BTreeMap<&'a str, Option<Arc<dyn Authorizer>>>,
    validators: &'b mut Validators<'a>,
    parts: &'b mut Parts<'a>,
    problems: &'b mut Problems,
}

// === impl StageCompiler ===

impl<'a> StageCompiler<'a, '_> {
    fn compile(&mut self, api: &Arc<Api>, patterns: &[Option<Arc<Pattern>>]) -> Stage {
        let facts = Arc::new(StageFacts {
            api_id: self.document.api_id.clone(),
            deployment_id: stable_id(&format!("{}/{}", self.document.name, self.stage.name), 6),
            account_id: self.document.account_id.clone(),
            region: self.document.region.clone(),
            stage: self.stage.name.clone(),
            variables: self.stage.variables.clone(),
        });
        // The table first: the room that it gives back when it stands is enough for the routes.
        let table = self.compile_table(patterns);
        let mut routes = Vec::with_capacity(table.len());
        for (item, pattern) in self.definition.items.iter().zip(patterns) {
            let Some(pattern) = pattern else { continue };
            let tree = item.open();
            for operation in item.operations(&tree, &self.definition.root, self.problems) {
                routes.extend(self.compile_route(&operation, pattern).map(Arc::new));
            }
        }
        // The numbers of the table count the routes when none is missing; where one is there is an error, and nobody asks.
        let is_whole = routes.len() == table.len();
        if !is_whole && !self.problems.any_error() {
            self.problems.error(&self.definition.root.path, "not every route compiles", None);
        }
        let stage = Stage {
            api: Arc::clone(api),
            facts,
            base_path: self.stage.base_path.clone(),
            hosts: self.stage.hosts.clone(),
            series: self.series(),
            access_log: self.stage.node.get("accessLogSettings").and_then(|node| AccessLog::read(&node, self.problems)),
            table,
            routes,
        };
        if api.cors.is_some() && is_whole {
            self.warn_of_guarded_preflights(&stage);
        }
        stage
    }

    /// The numbers of the routes, which count in the order of the definition.
    fn compile_table(&mut self, patterns: &[Option<Arc<Pattern>>]) -> RouteTable<usize> {
        let items = self.definition.items.iter().zip(patterns).filter_map(|(item, pattern)| Some((item, pattern.as_ref()?)));
        let routes = items.flat_map(|(item, pattern)| item.methods.iter().map(move |key| (item, pattern, *key)));
        let mut table = RouteTable::new(self.document.protocol);
        for (number, (item, pattern, key)) in routes.enumerate() {
            let inserted = match key {
                OperationKey::Method(method) => table.insert(Arc::clone(pattern), Verb::Method(method), number),
                OperationKey::Any => table.insert(Arc::clone(pattern), Verb::Any, number),
                OperationKey::Default => table.set_default(number),
            };
            if inserted.is_err() {
                self.refuse_twin(item, key);
            }
        }
        table.settled()
    }

    fn refuse_twin(&mut self, item: &PathItem<'_>, key: OperationKey) {
        let message = format!("`{} {}` answers requests that another route answers already", key.as_str(), item.path);
        let places = item.places(&self.definition.root);
        places.iter().filter(|(other, _)| *other == key).for_each(|(_, place)| self.problems.error(place, message.clone(), None));
    }

    fn compile_route(&mut self, operation: &Operation<'_>, pattern: &Pattern) -> Option<Route> {
        let is_http = self.document.protocol == Protocol::Http;
        if operation.key == OperationKey::Default && !is_http {
            self.problems.error(
                &operation.node.path,
                "REST APIs have no `$default` route",
                Some("use `/{proxy+}`, and `/` for the root"),
            );
        }
        let protocol = self.document.protocol;
        let demanded = Demanded::read(operation, self.definition, protocol, self.problems);
        let api_key = demanded.as_ref().is_some_and(|demanded| demanded.api_key);
        let guard = demanded.and_then(|demanded| self.compile_guard(operation, demanded.requirement));
        let guard = insist(guard, &operation.node, self.problems);
        if api_key {
            self.warn_of_closed_doors(operation, guard.as_ref());
        }
        let usage = self.compile_usage(operation, api_key);
        let validation = self.validators.compile(operation, self.definition, self.problems);
        let node: &Node<'_> = match &operation.integration {
            Some(node) => node,
            // A reference that leads nowhere, and is told already.
            None if operation.node.get("x-amazon-apigateway-integration").is_some() => return None,
            None => {
                let message = format!("no integration for `{} {}`", operation.key.as_str(), operation.path);
                self.problems.error(&operation.node.path, message, Some("add `x-amazon-apigateway-integration`"));
                return None;
            }
        };
        let mut scope = Scope {
            protocol: self.document.protocol,
            region: &self.document.region,
            variables: &self.stage.variables,
            directory: &mut self.parts.directory,
            binary_media_types: &self.definition.binary_media_types,
            pattern,
            operation,
            problems: self.problems,
        };
        let integration = compile_integration(node, &mut scope)?;
        let method = operation.key.as_str();
        let route_key =
            if operation.key == OperationKey::Default { method.to_owned() } else { format!("{method} {}", operation.path) };
        let reporting = self.limits.reporting(method, &operation.path);
        let guard: Guard = guard?;
        let credentials = guard.authorizer.as_ref().map(|authorizer| authorizer.credentials()).unwrap_or_default();
        let facts = RouteFacts { resource_id: stable_id(&operation.path, 6), resource_path: operation.path.clone(), route_key };
        Some(Route {
            method,
            facts: Arc::new(facts),
            guard,
            usage,
            validation,
            integration,
            streams: node
                .get("responseTransferMode")
                .and_then(|mode| mode.value.as_str())
                .is_some_and(|mode| mode.eq_ignore_ascii_case("STREAM")),
            series: (reporting.metrics == Some(true)).then(OnceLock::new),
            execution_log: ExecutionLog::new(reporting, &credentials),
        })
    }

    /// What is counted of this stage.
    fn series(&self) -> Series {
        let api = match self.document.protocol {
            Protocol::Rest => ("ApiName", self.document.name.as_str()),
            Protocol::Http => ("ApiId", self.document.api_id.as_str()),
        };
        Series::new(self.document.protocol, &[api, ("Stage", &self.stage.name)])
    }

    /// What counts the requests of a route, and whether it asks for an API key.
    fn compile_usage(&self, operation: &Operation<'_>, api_key: bool) -> Usage {
        let method = operation.key.as_str();
        let place = || Place {
            api: self.document.name.clone(),
            stage: self.stage.name.clone(),
            method: method_name(&operation.path, method),
        };
        let key = api_key.then(|| Box::new(self.parts.plans.demand(self.key_source, place())));
        Usage { key, meters: self.limits.meters(method, &operation.path) }
    }

    /// What nobody can call, whatever key he has.
    fn warn_of_closed_doors(&mut self, operation: &Operation<'_>, guard: Option<&Guard>) {
        let names_keys = |guard: &Guard| guard.authorizer.as_ref().is_some_and(|authorizer| authorizer.names_api_keys());
        if self.key_source == KeySource::Authorizer && guard.is_some_and(|guard| !names_keys(guard)) {
            let message =
                "nobody can call this: the API's keys are what an authorizer says, and no Lambda authorizer is asked here";
            self.problems.warning(&operation.node.path, message, None);
        }
        // The same at each method, and told once.
        if !self.parts.plans.opens(&self.document.name, &self.stage.name) {
            let message = "nobody can call methods that require an API key: no usage plan has this stage and a key that counts";
            let help = format!("name it under `usagePlans`: `{{api: {}, stage: {}}}`", self.document.name, self.stage.name);
            self.problems.warning(&self.stage.node.path, message, Some(&help));
        }
    }

    /// A guarded route that takes OPTIONS takes preflights, which have neither token nor signature: no page gets past it.
    fn warn_of_guarded_preflights(&mut self, stage: &Stage) {
        for item in &self.definition.items {
            for key in item.methods.iter().filter(|key| !matches!(key, OperationKey::Method(_))) {
                // Any path that only the default route has, and any that fits the pattern: a variable takes its own name.
                let path = if *key == OperationKey::Default { "/{proxy+}" } else { &item.path };
                if stage.find("OPTIONS", path).is_none_or(|found| found.route.guard.is_open()) {
                    continue;
                }
                let message =
                    "browsers cannot send a preflight here: it goes to a route with an authorizer, and has no credentials";
                let help = "add a route for OPTIONS without an authorizer, such as `OPTIONS /{proxy+}` beside `$default`";
                let places = item.places(&self.definition.root);
                let places = places.iter().filter(|(other, _)| other == key);
                places.for_each(|(_, place)| self.problems.warning(place, message, Some(help)));
            }
        }
    }

    /// None when something is wrong, which is told: a route is never served without what guards it.
    fn compile_guard(&mut self, operation: &Operation<'_>, requirement: Requirement<'a>) -> Option<Guard> {
        let protocol = self.document.protocol;
        let policy = self.policy.clone();
        match requirement {
            Requirement::Open => Some(Guard { policy, ..Guard::default() }),
            Requirement::Iam => {
                let users = Arc::clone(&self.parts.users);
                let iam = Iam::compile(operation, users, &self.document.region, self.problems);
                Some(Guard { policy, authorizer: Some(Arc::new(iam)), scopes: Vec::new() })
            }
            Requirement::Scheme(scheme) => {
                if !self.authorizers.contains_key(scheme.name) {
                    let mut scope = AuthorizerScope {
                        protocol,
                        variables: &self.stage.variables,
                        directory: &mut self.parts.directory,
                        issuers: &mut self.parts.issuers,
                        problems: self.problems,
                    };
                    let compiled = compile_authorizer(&scheme, &mut scope);
                    self.authorizers.insert(scheme.name, compiled);
                }
                let authorizer = self.authorizers.get(scheme.name).cloned().flatten()?;
                if !scheme.scopes.is_empty() && !authorizer.knows_scopes() {
                    let message = format!("security scheme `{}` knows no scopes", scheme.name);
                    self.problems.error(&operation.node.path.key("security"), message, Some("write `[]`"));
                }
                Some(Guard { policy, authorizer: Some(authorizer), scopes: scheme.scopes })
            }
        }
    }
}
