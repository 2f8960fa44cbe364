//! Envoy itself: its version, the module, its bootstrap, and what it tells while it runs.

use std::net::IpAddr;

use super::{Check, Found, Sees};
use crate::cli::doctor::module::{Module, since};
use crate::cli::doctor::subject::Subject;
use crate::cli::doctor::value::{list, text};

/// What the module may weigh: the budget of its build.
const MODULE_BUDGET: usize = 1_500_000;

/// The dimensions of the filter's metrics.
const TAGS: [&str; 6] = ["ApiName", "ApiId", "Stage", "Resource", "Method", "Route"];

/// What only a running Envoy tells.
pub const RUNNING: [Check; 2] = [
    Check {
        id: "vm-reloads",
        sees: Sees::Running,
        run: reloads,
        what: "the counters of VMs that had to be made anew",
        why: "a trap costs the request that met it",
        mend: "look for the trap in Envoy's log (`--component-log-level wasm:info`), and report it",
    },
    Check {
        id: "updates-rejected",
        sees: Sees::Running,
        run: rejected,
        what: "updates of listeners, clusters and routes that Envoy refused",
        why: "Envoy goes on serving the configuration before them",
        mend: "mend what the reason says; `tollgate lint` tells more of a document",
    },
];

pub fn version(subject: &Subject, found: &mut Found<'_>) {
    match subject.version {
        None => found.warning("Envoy", "it does not say which version it is"),
        Some((1, minor, _)) if (36..=40).contains(&minor) => {}
        Some((1, 35, patch)) => found.warning("Envoy", format!("1.35.{patch} has all that is needed, but was never tried")),
        Some((1, minor, patch)) if minor < 35 => {
            found.error("Envoy", format!("1.{minor}.{patch} is too old: 1.35 is the first that can hold a request"));
        }
        Some((major, minor, patch)) => {
            found.warning("Envoy", format!("{major}.{minor}.{patch} is newer than what was tried, 1.40"))
        }
    }
}

pub fn imports(subject: &Subject, found: &mut Found<'_>) {
    for module in subject.modules.iter().filter(|module| module.trouble.is_none()) {
        for (from, name) in &module.imports {
            match (since(from, name), subject.version) {
                (None, _) => found.error(place(module), format!("it imports `{from}.{name}`, which no Envoy offers")),
                (Some(minor), Some((1, running, _))) if running < minor => {
                    found.error(
                        place(module),
                        format!("it imports `{from}.{name}`, which Envoy offers since 1.{minor}; this is 1.{running}"),
                    );
                }
                _ => {}
            }
        }
    }
}

pub fn abi(subject: &Subject, found: &mut Found<'_>) {
    for module in &subject.modules {
        if let Some(trouble) = &module.trouble {
            found.error(place(module), format!("it is no wasm module: {trouble}"));
        } else if !module
            .exports
            .iter()
            .any(|export| matches!(export.as_str(), "proxy_abi_version_0_2_0" | "proxy_abi_version_0_2_1"))
        {
            found.error(place(module), "it does not export `proxy_abi_version_0_2_1`");
        }
    }
}

pub fn size(subject: &Subject, found: &mut Found<'_>) {
    for module in subject.modules.iter().filter(|module| module.size > MODULE_BUDGET) {
        found
            .warning(place(module), format!("it has {} bytes, the module of a release has less than {MODULE_BUDGET}", module.size));
    }
}

pub fn admin(subject: &Subject, found: &mut Found<'_>) {
    let Some(address) = subject.bootstrap.as_ref().and_then(|bootstrap| text(bootstrap, "admin.address.socket_address.address"))
    else {
        return;
    };
    let is_loopback = address.parse::<IpAddr>().map_or(address == "localhost", |address| address.is_loopback());
    if !is_loopback {
        found.error("admin interface", format!("it listens on `{address}`, where others reach it"));
    }
}

pub fn stats_tags(subject: &Subject, found: &mut Found<'_>) {
    let Some(bootstrap) = subject.bootstrap.as_ref().filter(|_| !subject.partial) else { return };
    let tags = list(bootstrap, "stats_config.stats_tags");
    let wanted = |tag: &str| format!(r"({tag}=\.=(.*?);\.;)");
    let is_there =
        |tag: &&str| tags.iter().any(|known| text(known, "tag_name") == Some(*tag) && text(known, "regex") == Some(&wanted(tag)));
    let missing: Vec<String> = TAGS.iter().filter(|tag| !is_there(tag)).map(|tag| format!("`{tag}`")).collect();
    if !missing.is_empty() {
        found.warning(
            "stats_config",
            format!("no tag for {}, by an expression such as `{}`", missing.join(", "), wanted("ApiName")),
        );
    }
}

fn reloads(subject: &Subject, found: &mut Found<'_>) {
    for (name, count) in subject.running.iter().flat_map(|running| &running.stats).filter(|(_, count)| **count > 0) {
        if !name.starts_with("wasm.") {
            continue;
        }
        match name.rsplit('.').next().unwrap_or_default() {
            "vm_reload_failure" | "vm_reload_backoff" | "remote_load_fetch_failures" => {
                found.error(format!("statistic `{name}`"), format!("it is {count}"))
            }
            "vm_reload" | "vm_reload_success" => {
                found.warning(format!("statistic `{name}`"), format!("it is {count}: so many times a VM was made anew"))
            }
            _ => {}
        }
    }
}

fn rejected(subject: &Subject, found: &mut Found<'_>) {
    let Some(running) = &subject.running else { return };
    for reason in &running.rejected {
        found.error("update", reason.clone());
    }
    let counted = running.stats.iter().filter(|(name, count)| **count > 0 && name.ends_with(".update_rejected"));
    // The same, where Envoy keeps the reason no longer, or never did.
    for (name, count) in counted.filter(|_| running.rejected.is_empty()) {
        found.warning(format!("statistic `{name}`"), format!("it is {count}: so many updates were refused since the start"));
    }
}

fn place(module: &Module) -> String {
    format!("module `{}`", module.name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::doctor::checks::Severity;
    use crate::cli::doctor::subject::Running;

    fn told(version: Option<(u64, u64, u64)>) -> Vec<Severity> {
        let mut findings = Vec::new();
        super::version(&Subject { version, ..Subject::default() }, &mut Found(&mut findings));
        findings.iter().map(|finding| finding.severity).collect()
    }

    #[test]
    fn old_versions_are_errors_and_untried_ones_warnings() {
        assert_eq!(told(Some((1, 34, 9))), [Severity::Error]);
        assert_eq!(told(Some((1, 35, 0))), [Severity::Warning]);
        assert_eq!(told(Some((1, 41, 0))), [Severity::Warning]);
        assert_eq!(told(Some((2, 0, 0))), [Severity::Warning]);
        for minor in 36..=40 {
            assert!(told(Some((1, minor, 0))).is_empty());
        }
    }

    #[test]
    fn a_vm_that_was_made_anew_is_a_warning_and_requests_that_it_cost_an_error() {
        let told = |name: &str, count: u64| {
            let running = Running { stats: [(name.to_owned(), count)].into(), ..Running::default() };
            let mut findings = Vec::new();
            reloads(&Subject { running: Some(running), ..Subject::default() }, &mut Found(&mut findings));
            findings.iter().map(|finding| finding.severity).collect::<Vec<_>>()
        };
        assert_eq!(told("wasm.edge.vm_reload_success", 1), [Severity::Warning]);
        assert_eq!(told("wasm.edge.vm_reload_backoff", 1), [Severity::Error]);
        assert!(told("wasm.edge.vm_reload_success", 0).is_empty() && told("wasm.envoy.wasm.runtime.v8.created", 3).is_empty());
    }
}
