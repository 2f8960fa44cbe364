//! The settings of the plugin.

use std::time::Duration;

use super::Found;
use crate::cli::doctor::kubernetes::MANIFEST;
use crate::cli::doctor::subject::{Chain, Filter, Subject};
use crate::cli::doctor::value::{duration, field, text};

/// A longer backoff is felt.
const BACKOFF: Duration = Duration::from_secs(1);

pub fn failure_policy(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways() {
        let place = place(chain, filter);
        match text(&gateway.plugin, "failure_policy") {
            Some("FAIL_RELOAD") => {}
            Some("FAIL_OPEN") => found.error(place, "FAIL_OPEN: after a trap nobody is asked who calls"),
            None if field(&gateway.plugin, "fail_open") == Some(&true.into()) => {
                found.error(place, "`fail_open`: after a trap nobody is asked who calls")
            }
            Some("FAIL_CLOSED") => {
                found.warning(place, "FAIL_CLOSED: after a trap the worker answers 503 until Envoy is restarted")
            }
            _ => found.warning(
                place,
                "no `failure_policy`, which is FAIL_CLOSED: after a trap the worker answers 503 until Envoy is restarted",
            ),
        }
    }
}

pub fn backoff(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways() {
        if text(&gateway.plugin, "failure_policy") != Some("FAIL_RELOAD") {
            continue;
        }
        let base = duration(&gateway.plugin, "reload_config.backoff.base_interval");
        match base {
            None if field(&gateway.plugin, MANIFEST).is_some() => {}
            None => found.warning(place(chain, filter), "no `reload_config` with a `backoff`: the default is a second"),
            Some(base) if base >= BACKOFF => found.warning(place(chain, filter), format!("the backoff begins with {base:?}")),
            Some(_) => {}
        }
    }
}

pub fn stop_iteration(subject: &Subject, found: &mut Found<'_>) {
    for (chain, filter, gateway) in subject.gateways() {
        if field(&gateway.plugin, "allow_on_headers_stop_iteration") == Some(&true.into()) {
            continue;
        }
        match &gateway.holds {
            Some(reason) => found.error(place(chain, filter), format!("it is not on, and {reason}")),
            // Who has it in a manifest without a place for it has nothing to mend.
            None if field(&gateway.plugin, MANIFEST).is_some() => {}
            None => found.warning(place(chain, filter), "it is not on; no route of the document waits for a decision yet"),
        }
    }
}

fn place(chain: &Chain, filter: &Filter) -> String {
    format!("{}, filter `{}`", chain.place(), filter.name)
}
