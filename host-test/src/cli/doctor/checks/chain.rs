//! The listener, its HTTP connection manager, and the filters beside ours.

use std::time::Duration;

use serde_json::Value;

use tollgate::integration::CLUSTER_HEADER;

use super::cluster::PAYLOAD;
use super::{Found, route};
use crate::cli::doctor::subject::{Chain, Subject};
use crate::cli::doctor::value::{at, duration, field, is_a, list, number, text};

/// Filters that leave the request as it is, or answer it themselves.
const HARMLESS: [&str; 16] = [
    ".BufferPerRoute",
    ".Cors",
    ".CorsPolicy",
    ".Compressor",
    ".Decompressor",
    ".HealthCheck",
    ".LocalRateLimit",
    ".RateLimit",
    ".RBAC",
    ".HTTPFault",
    ".CustomResponse",
    ".AdmissionControl",
    ".BandwidthLimit",
    ".Tap",
    ".AlpnFilterConfig",
    ".PluginConfig",
];

/// Filters that can change where a request goes, or what it says.
const REWRITING: [&str; 9] = [
    ".Lua",
    ".ExternalProcessor",
    ".HeaderMutation",
    ".Wasm",
    ".GolangFilter",
    ".Config",
    ".GrpcJsonTranscoder",
    ".ExtAuthz",
    ".DynamicModuleFilter",
];

/// The operator that prints what the filter wrote for the stage's own log.
const STATE: &str = "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%";

pub fn missing(subject: &Subject, found: &mut Found<'_>) {
    if subject.chains.is_empty() {
        let names: Vec<String> =
            subject.listeners.iter().filter_map(|listener| text(listener, "name")).map(|name| format!("`{name}`")).collect();
        let where_to =
            if names.is_empty() { "there is no listener".to_owned() } else { format!("looked at: {}", names.join(", ")) };
        found.error("listeners", format!("no filter chain has a wasm filter with a gateway document; {where_to}"));
    }
    for chain in subject.unguarded.iter().filter(|chain| chain.each_route().any(|[.., route]| route::chooses(route))) {
        found.error(
            chain.place(),
            format!("a route has `cluster_header: {CLUSTER_HEADER}`, and no filter: clients choose the cluster"),
        );
    }
}

pub fn disabled(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, _) in subject.gateways() {
        let mut is_on_somewhere = !filter.disabled;
        for parts in chain.each_route() {
            // The innermost that says something.
            let says = parts.iter().rev().find_map(|part| field(part, "typed_per_filter_config")?.get(&filter.name));
            let is_off = says.map_or(filter.disabled, |config| field(config, "disabled") == Some(&Value::Bool(true)));
            is_on_somewhere |= !is_off;
            // Where it is off by default, the other routes of a listener are somebody else's.
            let concerns = route::chooses(parts[2]) || (!filter.disabled && field(parts[2], "route").is_some());
            if is_off && concerns {
                let name = text(parts[2], "name").map_or_else(|| "a route".to_owned(), |name| format!("route `{name}`"));
                found.error(chain.place(), format!("`{}` is off for {name}", filter.name));
            }
        }
        if !is_on_somewhere && chain.each_route().next().is_none() {
            found.error(chain.place(), format!("`{}` is off", filter.name));
        }
    }
}

pub fn once(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let count = chain.filters.iter().filter(|filter| filter.gateway.is_some()).count();
        if count > 1 {
            found.error(chain.place(), format!("it stands there {count} times"));
        }
    }
}

pub fn position(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let Some(ours) = chain.filters.iter().position(|filter| filter.gateway.is_some()) else { continue };
        let behind = chain.filters.iter().skip(ours + 1).filter(|filter| !filter.is_router() && filter.gateway.is_none());
        for filter in behind {
            let message = format!("`{}` stands between the filter and the router", filter.name);
            match REWRITING.iter().any(|name| is_a(&filter.config, name)) {
                true => found.error(chain.place(), message),
                false => found.warning(chain.place(), message),
            }
        }
        if !chain.filters.last().is_some_and(|filter| filter.is_router()) {
            found.error(chain.place(), "the last filter is not the router");
        }
    }
}

pub fn rewritten(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let before = chain.filters.iter().take_while(|filter| filter.gateway.is_none());
        for filter in before.filter(|filter| !HARMLESS.iter().any(|name| is_a(&filter.config, name))) {
            if REWRITING.iter().any(|name| is_a(&filter.config, name)) {
                found.warning(chain.place(), format!("`{}` stands before the filter, and can change the request", filter.name));
            }
        }
    }
}

pub fn buffer(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        match number(&chain.listener, "per_connection_buffer_limit_bytes") {
            Some(limit) if limit < PAYLOAD => found.warning(chain.place(), format!("it holds {limit} bytes")),
            None if !subject.partial => found.warning(chain.place(), "it holds 1048576 bytes, Envoy's default"),
            _ => {}
        }
    }
}

pub fn idle_timeout(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let longest = longest(chain);
        let timeout = match field(&chain.manager, "stream_idle_timeout") {
            None if subject.partial => continue,
            None => Duration::from_secs(300),
            Some(_) => duration(&chain.manager, "stream_idle_timeout").unwrap_or_default(),
        };
        if timeout.is_zero() {
            found.warning(chain.place(), "it is off");
        } else if timeout <= longest {
            found.error(chain.place(), format!("{timeout:?} is not more than the {longest:?} that an integration may take"));
        }
    }
}

pub fn request_timeout(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        match (field(&chain.manager, "request_timeout"), duration(&chain.manager, "request_timeout")) {
            (None, _) if subject.partial => {}
            (_, Some(timeout)) if !timeout.is_zero() => {}
            _ => found.warning(chain.place(), "there is none"),
        }
    }
}

pub fn normalisation(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        if field(&chain.manager, "normalize_path") == Some(&true.into()) {
            found.warning(chain.place(), "`normalize_path` is on: dot segments are folded before the filter can refuse them");
        }
        if field(&chain.manager, "merge_slashes") == Some(&true.into()) {
            found.warning(chain.place(), "`merge_slashes` is on: `{proxy+}` does not see `//` as it does on AWS");
        }
        let action = text(&chain.manager, "path_with_escaped_slashes_action").unwrap_or("KEEP_UNCHANGED");
        match action {
            "KEEP_UNCHANGED" | "IMPLEMENTATION_SPECIFIC_DEFAULT" => {}
            "REJECT_REQUEST" => {
                found.warning(chain.place(), "REJECT_REQUEST: a path with `%2F` is answered 400, and AWS serves it")
            }
            action => found.error(
                chain.place(),
                format!("{action}: a path with `%2F` becomes another route than the one that AWS would guard"),
            ),
        }
    }
}

pub fn client_address(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        match field(&chain.manager, "use_remote_address") {
            Some(Value::Bool(true)) => {}
            // The gateways of Istio and Envoy Gateway have it.
            None if subject.partial => {}
            _ if at(&chain.manager, "original_ip_detection_extensions").is_some() => {}
            _ => found.error(chain.place(), "it is off: a client may claim any address in x-forwarded-for"),
        }
    }
}

pub fn envoy_headers(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let router = chain.filters.iter().find(|filter| filter.is_router());
        if router.is_some_and(|router| field(&router.config, "suppress_envoy_headers") != Some(&true.into())) && !subject.partial {
            found.warning(chain.place(), "it is off");
        }
    }
}

pub fn local_replies(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let mappers = list(&chain.manager, "local_reply_config.mappers");
        let has = |flag: &str| {
            mappers.iter().any(|mapper| {
                let flags = list(mapper, "filter.response_flag_filter.flags");
                at(mapper, "body_format_override").is_some() && flags.iter().any(|known| known.as_str() == Some(flag))
            })
        };
        let missing: Vec<&str> = ["NC", "NR"].into_iter().filter(|flag| !has(flag)).collect();
        let is_brought = subject.partial && mappers.is_empty();
        if !missing.is_empty() && !is_brought {
            found.warning(chain.place(), format!("no mapper gives a body to replies with the flag {}", missing.join(" and ")));
        }
    }
}

pub fn access_log(subject: &Subject, found: &mut Found<'_>) {
    for chain in &subject.chains {
        let documents = chain.filters.iter().filter_map(|filter| filter.gateway.as_ref()?.document.as_ref().ok());
        let stages = documents.flat_map(|document| list(document, "apis")).flat_map(|api| list(api, "stages"));
        let mut names =
            stages.filter(|stage| field(stage, "accessLogSettings").is_some()).filter_map(|stage| text(stage, "stageName"));
        if let Some(stage) = names.next()
            && !list(&chain.manager, "access_log").iter().any(|log| log.to_string().contains(STATE))
            && !(subject.partial && field(&chain.manager, "access_log").is_none())
        {
            found.warning(chain.place(), format!("stage `{stage}` has `accessLogSettings`, and no access log has `{STATE}`"));
        }
    }
}

fn longest(chain: &Chain) -> Duration {
    let all = chain.filters.iter().filter_map(|filter| filter.gateway.as_ref()).map(|gateway| gateway.longest);
    Duration::from_millis(all.max().unwrap_or(0))
}
