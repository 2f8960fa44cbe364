//! The compiled model: what the hot path reads and nothing writes.

use crate::access_log::AccessLog;
use crate::authorizer::{Guard, IssuerKeys};
use crate::context::{RouteFacts, StageFacts};
use crate::cors::Cors;
use crate::definition::Protocol;
use crate::execution_log::ExecutionLog;
use crate::gateway_response::GatewayResponses;
use crate::integration::Integration;
use crate::metrics::Series;
use crate::platform::Platform;
use crate::route::{RouteMatch, RouteTable, StageMatch, StageTable};
use crate::usage::{Leases, Usage, UsagePlans};
use crate::validation::Validation;
use std::sync::{Arc, OnceLock};

/// Everything that one document serves.
#[derive(Debug, Default)]
pub struct Gateway {
    stages: Vec<Arc<Stage>>,
    table: StageTable<Arc<Stage>>,
    /// The keys of those whose tokens are taken: fetched, and kept fresh, by whoever owns the gateway.
    pub issuer_keys: IssuerKeys,
    /// The plans that its keys are on.
    pub plans: UsagePlans,
    /// What this worker has of the limits of methods, stages and accounts.
    pub leases: Arc<Leases>,
}

/// What the stages of one API share.
#[derive(Debug)]
pub struct Api {
    /// Its name in the document.
    pub name: String,
    /// REST or HTTP.
    pub protocol: Protocol,
    /// What it says when something fails.
    pub gateway_responses: GatewayResponses,
    /// CORS of an HTTP API.
    pub cors: Option<Cors>,
}

/// One stage with its routes.
#[derive(Debug)]
pub struct Stage {
    /// Its API.
    pub api: Arc<Api>,
    /// Its names, ids and variables.
    pub facts: Arc<StageFacts>,
    /// In front of every path; empty for none.
    pub base_path: String,
    /// The domains it is limited to.
    pub hosts: Vec<String>,
    /// What is counted of its requests.
    pub series: Series,
    /// The line of each of its requests.
    pub access_log: Option<AccessLog>,
    /// The numbers of its routes.
    pub(crate) table: RouteTable<usize>,
    pub(crate) routes: Vec<Arc<Route>>,
}

/// One method of one resource, with what guards it and what stands behind it.
#[derive(Debug)]
pub struct Route {
    /// `GET`, `ANY` or `$default`
    pub method: &'static str,
    /// Its names.
    pub facts: Arc<RouteFacts>,
    /// What guards it.
    pub guard: Guard,
    /// What counts its requests.
    pub usage: Usage,
    /// What its requests must be like.
    pub validation: Validation,
    /// What stands behind it.
    pub integration: Box<dyn Integration>,
    /// Whether `responseTransferMode` is `STREAM`.
    pub streams: bool,
    /// What is counted of its requests, where they do not count as the stage's; made with the first of them.
    pub(crate) series: Option<OnceLock<Box<Series>>>,
    /// What is told of each of its requests.
    pub execution_log: Option<ExecutionLog>,
}

// === impl Gateway ===

impl Gateway {
    /// Adds a stage; false when another stands at the same host and base path.
    pub(crate) fn insert(&mut self, stage: Stage) -> bool {
        let stage = Arc::new(stage);
        let everywhere = [String::new()];
        let hosts = if stage.hosts.is_empty() { everywhere.as_slice() } else { &stage.hosts };
        let mut alone = true;
        for host in hosts {
            alone &= self.table.insert(host, &stage.base_path, Arc::clone(&stage)).is_none();
        }
        self.stages.push(stage);
        alone
    }

    /// All stages, in the order of the document.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.stages.iter().map(AsRef::as_ref)
    }

    /// Shows the metrics of all stages before their first request; those of a method are there from its first one on.
    pub fn define_metrics(&self, platform: &dyn Platform) {
        self.stages.iter().for_each(|stage| stage.series.define(platform));
    }

    /// Hands over what was counted, and gives back what was not; it wants to be asked every
    /// [`PERIOD_MILLIS`](crate::metrics::PERIOD_MILLIS).
    pub fn tick(&self, platform: &dyn Platform) {
        self.series().for_each(|series| series.hand_over(platform));
        self.leases().for_each(|leases| leases.tick(platform));
    }

    /// Another configuration takes its place, and nobody asks any more.
    pub fn retire(&self, platform: &dyn Platform) {
        self.series().for_each(|series| series.retire(platform));
        self.leases().for_each(|leases| leases.close(platform));
    }

    fn leases(&self) -> impl Iterator<Item = &Leases> {
        [&*self.plans.leases, &*self.leases].into_iter()
    }

    fn series(&self) -> impl Iterator<Item = &Series> {
        self.stages.iter().flat_map(|stage| {
            let of_routes = stage.routes.iter().filter_map(|route| route.series.as_ref()?.get());
            let of_routes = of_routes.map(AsRef::as_ref);
            std::iter::once(&stage.series).chain(of_routes)
        })
    }

    /// The stage that serves a host and path.
    pub fn find(&self, host: &str, path: &str) -> Option<StageMatch<'_, Arc<Stage>>> {
        self.table.find(host, path)
    }

    /// Whether a domain is one that stages are limited to.
    pub fn is_custom_domain(&self, host: &str) -> bool {
        self.table.lists(host)
    }

    /// Whose manners to keep where no stage is found: HTTP's when the domain serves nothing else.
    pub fn protocol_at(&self, host: &str) -> Protocol {
        let mut stages = self.table.any_of(host).peekable();
        let http = stages.peek().is_some() && stages.all(|stage| stage.api.protocol == Protocol::Http);
        if http { Protocol::Http } else { Protocol::Rest }
    }
}

// === impl Stage ===

impl Stage {
    /// `prod`
    pub fn name(&self) -> &str {
        &self.facts.stage
    }

    /// The route of a request, by its path within the stage.
    pub fn find(&self, method: &str, path: &str) -> Option<RouteMatch<'_, Arc<Route>>> {
        let RouteMatch { route, parameters } = self.table.find(method, path)?;
        Some(RouteMatch { route: self.routes.get(*route)?, parameters })
    }

    /// Its routes, in the order of the definition.
    pub fn routes(&self) -> impl Iterator<Item = &Route> {
        self.routes.iter().map(AsRef::as_ref)
    }
}

// === impl Route ===

impl Route {
    /// `/pets/{id}`
    pub fn resource_path(&self) -> &str {
        &self.facts.resource_path
    }

    /// Where its requests are counted.
    pub fn series<'a>(&'a self, stage: &'a Stage) -> &'a Series {
        let facts = &self.facts;
        let own = || match stage.api.protocol {
            Protocol::Rest => stage.series.part(&[("Resource", &facts.resource_path), ("Method", self.method)]),
            Protocol::Http => stage.series.part(&[("Route", &facts.route_key)]),
        };
        self.series.as_ref().map_or(&stage.series, |series| series.get_or_init(|| Box::new(own())))
    }
}
