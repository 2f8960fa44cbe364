//! The routes beside the filter.

use std::time::Duration;

use serde_json::Value;
use tollgate::integration::CLUSTER_HEADER;

use super::Found;
use crate::cli::doctor::subject::{Chain, Subject};
use crate::cli::doctor::value::{at, duration, field, list, text};

/// Envoy's own, where a route says nothing.
const DEFAULT: Duration = Duration::from_secs(15);

pub fn header(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let names_it = |route: &[&Value; 3]| chooses(route[2]);
        // A sidecar, or a gateway of which only patches are seen, has routes of its own.
        let is_brought = subject.partial && chain.each_route().next().is_none();
        if !is_brought && !chain.each_route().any(|route| names_it(&route)) {
            found.error(chain.place(), format!("no route has `cluster_header: {CLUSTER_HEADER}`"));
            continue;
        }
        let leads_elsewhere = |parts: &[&Value; 3]| !chooses(parts[2]) && field(parts[2], "route").is_some();
        for [.., route] in chain.each_route().filter(leads_elsewhere) {
            let place = text(route, "name").map_or_else(|| chain.place(), |name| format!("{}, route `{name}`", chain.place()));
            found.warning(place, "it leads to a cluster of its own, whatever the filter says");
        }
    }
}

pub fn removed(subject: &Subject, found: &mut Found<'_>) {
    for (chain, parts) in chosen(subject) {
        let removes =
            |part: &&Value| list(part, "request_headers_to_remove").iter().any(|name| is_it(name.as_str().unwrap_or_default()));
        if !parts.iter().any(removes) {
            found.warning(chain.place(), format!("{CLUSTER_HEADER} is sent to backends"));
        }
    }
}

pub fn timeout(subject: &Subject, found: &mut Found<'_>) {
    for (chain, [_, _, route]) in chosen(subject) {
        let longest = chain.filters.iter().filter_map(|filter| filter.gateway.as_ref()).map(|gateway| gateway.longest).max();
        let longest = Duration::from_millis(longest.unwrap_or(0));
        let timeout = match at(route, "route.timeout") {
            None => DEFAULT,
            Some(_) => duration(route, "route.timeout").unwrap_or_default(),
        };
        if timeout.is_zero() {
            found.warning(chain.place(), "the route has no timeout");
        } else if timeout < longest {
            found.warning(chain.place(), format!("the route's timeout is {timeout:?}, and an integration may take {longest:?}"));
        }
    }
}

/// The routes that leave the choice to the filter, each with what is around it.
fn chosen(subject: &Subject) -> impl Iterator<Item = (&Chain, [&Value; 3])> {
    let routes = subject.chains.iter().flat_map(|chain| chain.each_route().map(move |parts| (chain, parts)));
    routes.filter(|(_, parts)| chooses(parts[2]))
}

/// Whether a route leaves the choice to the filter.
pub fn chooses(route: &Value) -> bool {
    text(route, "route.cluster_header").is_some_and(is_it)
}

fn is_it(name: &str) -> bool {
    name.eq_ignore_ascii_case(CLUSTER_HEADER)
}
