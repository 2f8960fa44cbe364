//! `tollgate doctor`: nothing is wrong with what the project ships, each change for the worse is found by its check and by no other,
//! and a running Envoy tells what no file does. Needs ENVOY and the module: `make test` brings them.

mod drivers;
mod pages;
mod process;

#[path = "doctor/bootstrap.rs"]
mod bootstrap;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use bootstrap::{cluster, document, filters, healthy, host, listener, manager, options, plugin, route, set_document};
use drivers::edge::Configuration;
use drivers::envoy::{Envoy, command, module};
use pages::Page;
use process::{TOLLGATE, printed, repository, tollgate};
use serde_json::{Value, json};

/// Runs it over a text on the standard input.
fn doctor(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(TOLLGATE);
    command.arg("doctor").args(arguments).current_dir(repository()).env("NO_COLOR", "1");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command can be run");
    // One that refuses its arguments reads nothing.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait_with_output().expect("it ends")
}

/// Id and severity of everything that is found.
fn found(output: &Output) -> BTreeSet<(String, String)> {
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(output)));
    let mut found = BTreeSet::new();
    for check in report["checks"].as_array().expect("it lists checks") {
        for finding in check["findings"].as_array().expect("it lists findings") {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.insert((text(&check["id"]), text(&finding["severity"])));
        }
    }
    let errors = found.iter().any(|(_, severity)| severity == "error");
    assert_eq!(output.status.code(), Some(i32::from(errors)), "{}", printed(output));
    found
}

fn wanted(list: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    list.iter().map(|(id, severity)| ((*id).to_owned(), (*severity).to_owned())).collect()
}

fn json_of(input: &Value) -> Output {
    doctor(&["--format", "json", "-"], &input.to_string())
}

// --- files ------------------------------------------------------------------------------------------------------------------

#[test]
fn nothing_is_wrong_with_what_the_project_ships() {
    let output = tollgate(&["doctor", "envoy/edge.yaml", "--module", module().to_str().expect("paths are UTF-8")]);
    let text = printed(&output);
    assert!(output.status.success() && text.ends_with("nothing is wrong\n"), "{text}");
    assert!(
        text.contains(
            "not looked at, for want of what they are about: envoy-version, cluster-health, vm-reloads, updates-rejected\n"
        ),
        "{text}"
    );
    assert_eq!(found(&json_of(&healthy(&module()))), wanted(&[]));
}

type Change = (&'static str, fn(&mut Value), &'static [(&'static str, &'static str)]);

fn lua(name: &str) -> Value {
    json!({"name": name, "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua"}})
}

fn changed(bootstrap: &mut Value, change: impl FnOnce(&mut Value)) {
    let mut document = document();
    change(&mut document);
    set_document(bootstrap, &document);
}

fn remove(value: &mut Value, name: &str) {
    value.as_object_mut().expect("it is an object").remove(name).expect("it is there");
}

const CHANGES: &[Change] = &[
    ("no filter", |b| drop(filters(b).remove(0)), &[("plugin-missing", "error")]),
    (
        "two filters",
        |b| {
            let ours = filters(b)[0].clone();
            filters(b).insert(0, ours)
        },
        &[("filter-once", "error")],
    ),
    ("off", |b| filters(b)[0]["disabled"] = true.into(), &[("filter-disabled", "error")]),
    (
        "off for a route",
        |b| {
            let off = json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "disabled": true});
            host(b)["routes"][0]["typed_per_filter_config"] = json!({"tollgate": off});
        },
        &[("filter-disabled", "error")],
    ),
    (
        "off, and on for its route",
        |b| {
            filters(b)[0]["disabled"] = true.into();
            let on = json!({"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}});
            host(b)["routes"][0]["typed_per_filter_config"] = json!({"tollgate": on});
            let other = json!({"match": {"prefix": "/"}, "direct_response": {"status": 404}});
            host(b)["routes"].as_array_mut().expect("a list").push(other);
        },
        &[],
    ),
    (
        "its route without it",
        |b| {
            let mut other = listener(b).clone();
            other["name"] = "other".into();
            other["filter_chains"][0]["filters"][0]["typed_config"]["http_filters"].as_array_mut().expect("a list").remove(0);
            b["static_resources"]["listeners"].as_array_mut().expect("a list").push(other);
        },
        &[("plugin-missing", "error")],
    ),
    (
        "a route that leads elsewhere",
        |b| {
            let other = json!({"match": {"prefix": "/inner"}, "route": {"cluster": "pets"}});
            host(b)["routes"].as_array_mut().expect("a list").insert(0, other);
        },
        &[("cluster-header", "warning")],
    ),
    ("a filter behind", |b| filters(b).insert(1, lua("lua")), &[("filter-position", "error")]),
    ("no router", |b| drop(filters(b).pop()), &[("filter-position", "error")]),
    ("a filter in front", |b| filters(b).insert(0, lua("lua")), &[("path-rewritten", "warning")]),
    ("fail open", |b| plugin(b)["failure_policy"] = "FAIL_OPEN".into(), &[("failure-policy", "error")]),
    ("fail closed", |b| plugin(b)["failure_policy"] = "FAIL_CLOSED".into(), &[("failure-policy", "warning")]),
    ("no policy", |b| remove(plugin(b), "failure_policy"), &[("failure-policy", "warning")]),
    ("no backoff", |b| remove(plugin(b), "reload_config"), &[("reload-backoff", "warning")]),
    ("no holding", |b| remove(plugin(b), "allow_on_headers_stop_iteration"), &[("stop-iteration", "error")]),
    (
        "a document that does not compile",
        |b| changed(b, |d| d["apis"][0]["stages"] = json!([{"stageName": "prod", "cache": {}}])),
        &[("document-compiles", "error")],
    ),
    ("no document", |b| plugin(b)["configuration"]["value"] = "{".into(), &[("document-compiles", "error")]),
    (
        "a setting without effect",
        |b| {
            changed(b, |d| {
                d["apis"][0]["definition"]["paths"]["/pets"]["get"]["x-amazon-apigateway-integration"]["tlsConfig"] =
                    json!({"insecureSkipVerification": true})
            })
        },
        &[("document-warnings", "warning")],
    ),
    (
        "a Struct",
        |b| plugin(b)["configuration"] = json!({"@type": "type.googleapis.com/google.protobuf.Struct", "value": with_patterns()}),
        &[("document-form", "warning")],
    ),
    ("a small listener", |b| remove(listener(b), "per_connection_buffer_limit_bytes"), &[("listener-buffer", "warning")]),
    ("a small cluster", |b| remove(cluster(b, "pets"), "per_connection_buffer_limit_bytes"), &[("cluster-buffer", "warning")]),
    ("idle too soon", |b| manager(b)["stream_idle_timeout"] = "29s".into(), &[("stream-idle-timeout", "error")]),
    ("idle for ever", |b| manager(b)["stream_idle_timeout"] = "0s".into(), &[("stream-idle-timeout", "warning")]),
    (
        "an integration that takes long",
        |b| {
            changed(b, |d| {
                d["apis"][0]["definition"]["paths"]["/pets"]["get"]["x-amazon-apigateway-integration"]["timeoutInMillis"] =
                    120_000.into()
            })
        },
        &[("stream-idle-timeout", "error"), ("route-timeout", "warning")],
    ),
    ("requests for ever", |b| remove(manager(b), "request_timeout"), &[("request-timeout", "warning")]),
    ("a short route", |b| remove(route(b), "timeout"), &[("route-timeout", "warning")]),
    ("a route for ever", |b| route(b)["timeout"] = "0s".into(), &[("route-timeout", "warning")]),
    ("a route of its own", |b| *route(b) = json!({"cluster": "pets", "timeout": "60s"}), &[("cluster-header", "error")]),
    ("the header stays", |b| remove(host(b), "request_headers_to_remove"), &[("cluster-header-removed", "warning")]),
    ("paths are normalised", |b| manager(b)["normalize_path"] = true.into(), &[("path-normalisation", "warning")]),
    ("slashes are merged", |b| manager(b)["merge_slashes"] = true.into(), &[("path-normalisation", "warning")]),
    (
        "slashes are unescaped",
        |b| manager(b)["path_with_escaped_slashes_action"] = "UNESCAPE_AND_FORWARD".into(),
        &[("path-normalisation", "error")],
    ),
    ("an address is believed", |b| manager(b)["use_remote_address"] = false.into(), &[("client-address", "error")]),
    ("Envoy's headers", |b| remove(&mut filters(b)[1]["typed_config"], "suppress_envoy_headers"), &[("envoy-headers", "warning")]),
    ("replies without a body", |b| remove(manager(b), "local_reply_config"), &[("local-replies", "warning")]),
    (
        "a cluster less",
        |b| b["static_resources"]["clusters"].as_array_mut().expect("a list").retain(|c| c["name"] != "pets"),
        &[("upstream-clusters", "error")],
    ),
    ("no TLS", |b| remove(cluster(b, "pets"), "transport_socket"), &[("upstream-clusters", "error")]),
    (
        "any certificate",
        |b| remove(&mut cluster(b, "pets")["transport_socket"]["typed_config"]["common_tls_context"], "validation_context"),
        &[("upstream-clusters", "error")],
    ),
    (
        "a certificate for any name",
        |b| remove(&mut cluster(b, "pets")["transport_socket"]["typed_config"], "auto_sni_san_validation"),
        &[("upstream-clusters", "error")],
    ),
    (
        "an untrusted certificate",
        |b| {
            let tls = &mut cluster(b, "pets")["transport_socket"]["typed_config"]["common_tls_context"];
            tls["validation_context"]["trust_chain_verification"] = "ACCEPT_UNTRUSTED".into();
        },
        &[("upstream-clusters", "error")],
    ),
    (
        "the name in another place",
        |b| {
            let tls = &mut cluster(b, "pets")["transport_socket"]["typed_config"];
            remove(tls, "auto_sni_san_validation");
            tls["common_tls_context"]["validation_context"]["match_typed_subject_alt_names"] =
                json!([{"san_type": "DNS", "matcher": {"exact": "pets.example.com"}}]);
        },
        &[],
    ),
    ("no signature", |b| remove(options(cluster(b, "dynamodb")), "http_filters"), &[("upstream-signing", "error")]),
    (
        "another region",
        |b| options(cluster(b, "dynamodb"))["http_filters"][0]["typed_config"]["region"] = "us-east-1".into(),
        &[("upstream-signing", "error")],
    ),
    (
        "another service",
        |b| options(cluster(b, "dynamodb"))["http_filters"][0]["typed_config"]["service_name"] = "s3".into(),
        &[("upstream-signing", "error")],
    ),
    (
        "a signature for a backend",
        |b| {
            let signs = cluster(b, "dynamodb")["typed_extension_protocol_options"].clone();
            cluster(b, "pets")["typed_extension_protocol_options"] = signs;
        },
        &[("upstream-signing", "warning")],
    ),
    (
        "gRPC by HTTP/1.1",
        |b| *options(cluster(b, "ratelimit")) = json!({"explicit_http_config": {"http_protocol_options": {}}}),
        &[("rate-limit-http2", "error")],
    ),
    (
        "no service",
        |b| b["static_resources"]["clusters"].as_array_mut().expect("a list").retain(|c| c["name"] != "ratelimit"),
        &[("rate-limit-http2", "error")],
    ),
    (
        "an open admin interface",
        |b| b["admin"]["address"]["socket_address"]["address"] = "0.0.0.0".into(),
        &[("admin-interface", "error")],
    ),
    ("no tags", |b| remove(b, "stats_config"), &[("stats-tags", "warning")]),
];

/// A document whose answers are told apart by patterns, in their order.
fn with_patterns() -> Value {
    let mut document = document();
    let responses = json!({"default": {"statusCode": "200"}, "4..": {"statusCode": "400"}, "40.": {"statusCode": "400"}});
    document["apis"][0]["definition"]["paths"]["/pets"]["post"]["x-amazon-apigateway-integration"]["responses"] = responses;
    document["apis"][0]["definition"]["paths"]["/pets"]["post"]["responses"]["400"] = json!({"description": "d"});
    document
}

#[test]
fn each_change_for_the_worse_is_found_by_its_check_and_by_no_other() {
    let module = module();
    let mut wrong = Vec::new();
    for (name, change, ids) in CHANGES {
        let mut bootstrap = healthy(&module);
        change(&mut bootstrap);
        let output = json_of(&bootstrap);
        let found = found(&output);
        if found != wanted(ids) {
            wrong.push(format!("{name}: {found:?} instead of {ids:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What else is said of such a stage is not this check's matter.
#[test]
fn a_stage_with_a_log_of_its_own_wants_an_access_log_that_writes_it() {
    let mut bootstrap = healthy(&module());
    changed(&mut bootstrap, |d| {
        d["apis"][0]["stages"][0]["accessLogSettings"] =
            json!({"format": "$context.requestId", "destinationArn": "arn:aws:logs:us-east-1:000000000000:log-group:x"})
    });
    let told = |bootstrap: &Value| found(&json_of(bootstrap)).contains(&("access-log".to_owned(), "warning".to_owned()));
    assert!(told(&bootstrap));
    let format = json!({"text_format_source": {"inline_string": "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%\n"}});
    manager(&mut bootstrap)["access_log"][0]["typed_config"]["log_format"] = format;
    assert!(!told(&bootstrap));
}

#[test]
fn every_check_finds_something_in_some_test() {
    let output = tollgate(&["doctor", "--list", "--format", "json"]);
    let all: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let ids: BTreeSet<&str> = all["checks"].as_array().expect("a list").iter().filter_map(|check| check["id"].as_str()).collect();
    let by_change: BTreeSet<&str> = CHANGES.iter().flat_map(|(.., ids)| ids.iter().map(|(id, _)| *id)).collect();
    // These have tests of their own: `envoy-version` and `vm-reloads` beside the checks themselves, the others here.
    let apart = [
        "access-log",
        "document-size",
        "module-imports",
        "module-abi",
        "module-size",
        "envoy-version",
        "cluster-health",
        "vm-reloads",
        "updates-rejected",
    ];
    let tested: BTreeSet<&str> = by_change.into_iter().chain(apart).collect();
    assert_eq!(ids, tested);
}

#[test]
fn a_part_of_a_configuration_that_is_none_of_envoys_is_told_so() {
    for (input, code, says) in [
        ("apis: []\n", 2, "is no configuration of Envoy"),
        ("a: [", 2, "<stdin>:"),
        ("static_resources: {}\n---\na: {b: [}\n", 2, "<stdin>:3:9"),
        ("static_resources: {listeners: []}\n", 1, "plugin-missing"),
        ("apiVersion: v1\nkind: Namespace\nmetadata: {name: n}\n", 2, "is no configuration of Envoy"),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: n}\ndata: {envoy.yaml: 'static_resources: {listeners: [}'}\n",
            2,
            "ConfigMap n, envoy.yaml:1:",
        ),
    ] {
        let output = doctor(&["-"], input);
        assert_eq!(output.status.code(), Some(code), "{input}: {}", printed(&output));
        assert!(printed(&output).contains(says), "{input}: {}", printed(&output));
    }
    assert_eq!(doctor(&[], "").status.code(), Some(2));
    assert_eq!(doctor(&["--admin", "http://127.0.0.1:1"], "").status.code(), Some(2));
}

// --- Kubernetes -------------------------------------------------------------------------------------------------------------

#[test]
fn what_a_wasm_plugin_of_istio_cannot_say_is_told() {
    let plugin = json!({
        "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin", "metadata": {"name": "tollgate"},
        "spec": {"url": "oci://registry.example.com/tollgate:1.0", "failStrategy": "FAIL_OPEN", "pluginConfig": document()},
    });
    assert_eq!(found(&json_of(&plugin)), wanted(&[("failure-policy", "error"), ("stop-iteration", "error")]));
}

#[test]
fn the_patches_of_an_envoy_filter_are_looked_at_as_one() {
    let mut bootstrap = healthy(&module());
    let ours = filters(&mut bootstrap)[0].clone();
    let patch = |apply_to: &str, value: Value| json!({"applyTo": apply_to, "patch": {"operation": "ADD", "value": value}});
    let routes = host(&mut bootstrap).clone();
    let mut patches = vec![patch("HTTP_FILTER", ours), patch("VIRTUAL_HOST", routes)];
    patches.extend(["pets", "dynamodb", "ratelimit"].map(|name| patch("CLUSTER", cluster(&mut bootstrap, name).clone())));
    let manifest = |patches: &[Value]| {
        let spec = json!({"configPatches": patches});
        let filter = json!({"apiVersion": "networking.istio.io/v1alpha3", "kind": "EnvoyFilter", "metadata": {"name": "tollgate"}, "spec": spec});
        format!(
            "# two documents\n---\n{}\n---\n{filter}\n",
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
        )
    };
    assert_eq!(found(&doctor(&["--format", "json", "-"], &manifest(&patches))), wanted(&[]));
    patches[0]["patch"]["value"]["typed_config"]["config"]["failure_policy"] = "FAIL_OPEN".into();
    patches.push(patch(
        "NETWORK_FILTER",
        json!({"name": "hcm", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "merge_slashes": true}}),
    ));
    patches.remove(2);
    let expected = [("failure-policy", "error"), ("path-normalisation", "warning"), ("upstream-clusters", "error")];
    assert_eq!(found(&doctor(&["--format", "json", "-"], &manifest(&patches))), wanted(&expected));
}

#[test]
fn a_document_that_etcd_would_not_keep_is_told_and_one_in_a_config_map_is_found() {
    let mut bootstrap = healthy(&module());
    changed(&mut bootstrap, |d| d["apis"][0]["definition"]["info"] = json!({"description": "x".repeat(1_600_000)}));
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "envoy"}, "data": {"envoy.yaml": bootstrap.to_string()}});
    assert_eq!(found(&json_of(&map)), wanted(&[("document-size", "error")]));
}

// --- what `tollgate bundle` writes ------------------------------------------------------------------------------------------

#[test]
fn nothing_is_wrong_with_what_a_bundle_has_for_any_proxy() {
    let examples = std::fs::read_dir(repository().join("examples")).expect("there are examples");
    let digest = "0".repeat(64);
    let module = module();
    let module = module.to_str().expect("paths are UTF-8");
    let mut looked_at = 0;
    for example in examples {
        let document = example.expect("a folder can be read").path().join("gateway.yaml");
        let document = document.to_str().expect("paths are UTF-8");
        for target in ["envoy", "istio", "envoy-gateway"] {
            let source: &[&str] = match target {
                "envoy" => &["--module", module],
                _ => &["--module-url", "https://example.com/tollgate.wasm", "--sha256", &digest],
            };
            let bundle = tollgate(&[&["bundle", document, "--target", target], source].concat());
            assert!(bundle.status.success(), "{target} {document}: {}", printed(&bundle));
            let output = doctor(&["--format", "json", "-"], &String::from_utf8_lossy(&bundle.stdout));
            assert_eq!(found(&output), wanted(&[]), "{target} {document}: {}", printed(&output));
            looked_at += 1;
        }
    }
    assert!(looked_at >= 27, "{looked_at}");
}

// --- the module -------------------------------------------------------------------------------------------------------------

#[test]
fn a_module_is_looked_at_before_envoy_refuses_it() {
    let folder = std::env::temp_dir().join(format!("tollgate-doctor-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let file = folder.join("module.wasm");
    let look = |text: &str| {
        std::fs::write(&file, wat::parse_str(text).expect("it is wasm")).expect("a file can be written");
        found(&doctor(&["--format", "json", "--module", file.to_str().expect("paths are UTF-8")], ""))
    };
    let good = r#"(import "env" "proxy_log" (func (param i32 i32 i32) (result i32))) (func (export "proxy_abi_version_0_2_1"))"#;
    assert_eq!(look(&format!("(module {good})")), wanted(&[]));
    assert_eq!(look(&format!(r#"(module (import "env" "proxy_nothing" (func)) {good})"#)), wanted(&[("module-imports", "error")]));
    assert_eq!(
        look(&format!(r#"(module (import "wasi_snapshot_preview1" "path_open" (func)) {good})"#)),
        wanted(&[("module-imports", "error")])
    );
    assert_eq!(look("(module)"), wanted(&[("module-abi", "error")]));
    let large = format!(r#"(module {good} (memory 1) (data (i32.const 0) "{}"))"#, "x".repeat(1_500_000));
    assert_eq!(look(&large), wanted(&[("module-size", "warning")]));
    std::fs::write(&file, "no wasm").expect("a file can be written");
    let output = doctor(&["--format", "json", "--module", file.to_str().expect("paths are UTF-8")], "");
    assert_eq!(found(&output), wanted(&[("module-abi", "error")]));
    let ours = doctor(&["--format", "json", "--module", module().to_str().expect("paths are UTF-8")], "");
    assert_eq!(found(&ours), wanted(&[]));
    std::fs::remove_dir_all(&folder).expect("it is there");
}

// --- a running Envoy --------------------------------------------------------------------------------------------------------

fn ask(admin: SocketAddr) -> Output {
    tollgate(&["doctor", "--format", "json", "--admin", &format!("http://{admin}")])
}

fn proxied(cluster: &str, more: Value) -> Configuration {
    let mut integration = json!({"type": "http_proxy", "httpMethod": "GET", "uri": "http://b.test/"});
    integration.as_object_mut().expect("it is an object").extend(more.as_object().cloned().unwrap_or_default());
    let paths = json!({"/x": {"get": {"responses": {}, "x-amazon-apigateway-integration": integration}}});
    let document = json!({
        "apis": [{"name": "a", "protocol": "REST", "definition": {"openapi": "3.0.1", "paths": paths}, "stages": [{"stageName": "s"}]}],
        "upstreams": {"b.test": {"cluster": cluster}},
    });
    Configuration::Text(document.to_string())
}

#[test]
fn a_running_envoy_tells_what_it_lacks_and_what_it_refused() {
    let clusters = BTreeSet::from(["backend".to_owned()]);
    let plugins = |name: &str, configuration: Configuration| BTreeMap::from([(name.to_owned(), configuration)]);
    let good = plugins("good", proxied("backend", json!({})));
    let mut envoy = Envoy::start("doctor", &clusters, &good);
    let output = ask(envoy.admin());
    assert_eq!(found(&output), wanted(&[]), "{}", printed(&output));
    let report: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let unseen: Vec<_> =
        report["checks"].as_array().expect("a list").iter().filter(|check| check["state"] == "not looked at").collect();
    assert!(unseen.is_empty(), "{unseen:#?}");

    envoy.update(&plugins("good", proxied("nowhere", json!({}))));
    assert_eq!(found(&ask(envoy.admin())), wanted(&[("upstream-clusters", "error")]));

    // The listener is there as it was, and Envoy says why the new one is not.
    envoy.update(&plugins("good", proxied("backend", json!({"timeoutInMillis": 1}))));
    let output = ask(envoy.admin());
    assert_eq!(found(&output), wanted(&[("updates-rejected", "error"), ("upstream-clusters", "error")]), "{}", printed(&output));
}

/// An Envoy with a bootstrap of our own; killed when it is dropped.
struct Own {
    process: Child,
    folder: PathBuf,
}

impl Own {
    fn start(bootstrap: &Value) -> (Self, SocketAddr) {
        let folder = repository().join("target/envoy").join(format!("doctor-own-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("target/ can be written");
        std::fs::write(folder.join("bootstrap.json"), bootstrap.to_string()).expect("a file can be written");
        let process = command(&folder, 1).spawn().expect("the Envoy binary can be run");
        let own = Self { process, folder };
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let address = std::fs::read_to_string(own.folder.join("admin")).ok().and_then(|text| text.trim().parse().ok());
            if let Some(address) = address {
                return (own, address);
            }
            assert!(Instant::now() < deadline, "Envoy does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // Gone already is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_running_envoy_tells_which_backends_are_down() {
    // A port on which nobody listens.
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a port is free");
    let mut bootstrap = healthy(&module());
    bootstrap["admin"]["address"]["socket_address"]["port_value"] = 0.into();
    listener(&mut bootstrap)["address"]["socket_address"]["port_value"] = 0.into();
    let mut backend = cluster(&mut bootstrap, "pets").clone();
    backend["name"] = "backend".into();
    backend["type"] = "STATIC".into();
    remove(&mut backend, "transport_socket");
    let address = json!({"socket_address": {"address": "127.0.0.1", "port_value": free.port()}});
    backend["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]["address"] = address;
    backend["health_checks"] = json!([{
        "timeout": "1s", "interval": "1s", "no_traffic_interval": "1s", "unhealthy_threshold": 1, "healthy_threshold": 1,
        "tcp_health_check": {},
    }]);
    bootstrap["static_resources"]["clusters"] = json!([backend]);
    let Configuration::Text(text) = proxied("backend", json!({})) else { panic!("it is a text") };
    plugin(&mut bootstrap)["configuration"]["value"] = text.into();
    let (_envoy, admin) = Own::start(&bootstrap);
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let found = found(&ask(admin));
        if found == wanted(&[("cluster-health", "error")]) {
            return;
        }
        // Its first check, and the module, take a moment.
        assert!(Instant::now() < deadline, "{found:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

// --- the page ---------------------------------------------------------------------------------------------------------------

#[test]
fn the_page_lists_every_check_in_its_own_words() {
    let output = tollgate(&["doctor", "--list", "--format", "json"]);
    let all: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let known: Vec<[String; 4]> = all["checks"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|check| ["id", "what", "why", "mend"].map(|name| text(&check[name])))
        .collect();
    let rows = Page::read(&repository(), &repository().join("docs/doctor.md")).rows();
    let listed: Vec<[String; 4]> = rows
        .iter()
        .filter(|row| row.has("check"))
        .map(|row| {
            ["check", "what is looked at", "why", "how it is mended"].map(|column| row.cell(column).trim_matches('`').to_owned())
        })
        .collect();
    let trimmed: Vec<[String; 4]> = known.into_iter().map(|row| row.map(|cell| cell.trim_matches('`').to_owned())).collect();
    assert_eq!(listed, trimmed);
}
