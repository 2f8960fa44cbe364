//! `tollgate bundle`: what it writes for Envoy runs in a real Envoy and answers as `tollgate serve` does; what it writes for
//! Kubernetes is what the CRDs take, and what it patches is what Envoy takes.

#[path = "bundle/definitions.rs"]
mod definitions;
mod drivers;
#[path = "../src/cli/bundle/minify.rs"]
mod minify;
mod pages;
mod process;
#[path = "bundle/proxy.rs"]
mod proxy;
#[path = "bundle/schema.rs"]
mod schema;
#[path = "bundle/xds.rs"]
mod xds;

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use definitions::Outcome;
use drivers::case::{CaseFile, Request};
use drivers::native::Native;
use drivers::observation::Observation;
use drivers::report::Report;
use drivers::stub::Stub;
use drivers::{Clusters, Driver};
use pages::Page;
use process::moto::Moto;
use process::{Server, TOLLGATE, printed, repository, tollgate};
use proxy::{Proxy, folder, refusal};
use schema::{Schemas, resources};
use serde_json::{Value, json};
use tollgate::compile::compile;

/// Every gateway document of the examples, that of each definition beside the repository, and one that only forwards.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(repository().join("examples")).expect("there are examples") {
        found.push(entry.expect("a folder can be read").path().join("gateway.yaml"));
    }
    assert!(found.len() >= 9, "only {} examples were found", found.len());
    found.extend(definitions::imported().iter().filter_map(|(_, document)| document.clone().ok()));
    found.push(forwarding());
    found.sort();
    found
}

/// A definition without a template around it, none of whose routes holds a request.
fn forwarding() -> PathBuf {
    repository().join("host-test/tests/bundle/forwarding.yaml")
}

/// Does it for each, several at once: an Envoy waits for V8, and moto for Python.
fn each<T: Sync>(items: &[T], work: impl Fn(&T) + Sync) {
    let next = AtomicUsize::new(0);
    let worker = || {
        while let Some(item) = items.get(next.fetch_add(1, Ordering::Relaxed)) {
            work(item);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, NonZero::get).min(4) {
            scope.spawn(worker);
        }
    });
}

fn text_of(value: &Value) -> String {
    value.as_str().expect("it is a text").to_owned()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("paths are UTF-8")
}

/// What the command writes, and says.
fn bundle(arguments: &[&str]) -> Result<(String, String), String> {
    let output = tollgate(&[&["bundle"], arguments].concat());
    let (out, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if output.status.success() { Ok((out.into_owned(), said.into_owned())) } else { Err(said.into_owned()) }
}

/// The same; VPC links that it asks for lead to this machine.
fn bundle_anyhow(file: &Path, arguments: &[&str]) -> (String, String) {
    let mut links: Vec<String> = Vec::new();
    loop {
        let upstreams: Vec<&str> = links.iter().flat_map(|link| ["--upstream", link.as_str()]).collect();
        match bundle(&[&[text(file)], arguments, &upstreams].concat()) {
            Ok(written) => return written,
            Err(said) => {
                let name = said.split_once("write `--upstream ").and_then(|(_, rest)| rest.split_once('='));
                let (name, _) = name.unwrap_or_else(|| panic!("{}: {said}", file.display()));
                let link = format!("{name}=http://127.0.0.1:9");
                assert!(!links.contains(&link), "{}: {said}", file.display());
                links.push(link);
            }
        }
    }
}

const FREE_PORTS: [&str; 6] = ["--target", "envoy", "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0"];

fn label(file: &Path) -> String {
    file.strip_prefix(repository().parent().expect("it is in a folder")).unwrap_or(file).display().to_string().replace('/', "_")
}

// --- Envoy ------------------------------------------------------------------------------------------------------------------

#[test]
fn every_definition_runs_in_a_real_envoy_and_what_is_refused_is_known() {
    let folder = folder("envoy");
    each(definitions::imported(), |(definition, document)| {
        let name = definition.name;
        let Outcome::Served { host, request: [method, target, body], arrives: [line, part] } = &definition.outcome else {
            let Outcome::Refused(messages) = definition.outcome else { unreachable!("there are two outcomes") };
            let said = document.as_ref().expect_err(name);
            let errors: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("error: ")).collect();
            assert_eq!(errors, messages, "{name}");
            return;
        };
        let document = document.as_ref().unwrap_or_else(|said| panic!("{name}: {said}"));
        let mut backend = Stub::start();
        let answer = r#"{"statusCode": 200, "body": "{}"}"#;
        backend.play(&serde_json::from_value(json!({"status": 200, "body": answer})).expect("it is a backend"));
        let upstream = format!("{host}=http://{}", backend.address());
        let (bootstrap, said) = bundle(&[&[text(document), "--upstream", &upstream], &FREE_PORTS[..]].concat())
            .unwrap_or_else(|said| panic!("{name}: {said}"));
        assert!(!said.contains("nothing goes to"), "{name}: {said}");
        let own = folder.join(name);
        std::fs::create_dir_all(&own).expect("target/ can be written");
        let path = own.join("envoy.yaml");
        std::fs::write(&path, &bootstrap).expect("target/ can be written");
        // Ready, so that the filter has taken the document.
        let keys = [("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE"), ("AWS_SECRET_ACCESS_KEY", "secret")];
        let proxy = Proxy::start(&own, &path, &keys.map(|(name, value)| (name.to_owned(), value.to_owned())));
        let data = if body.is_empty() { String::new() } else { format!("-H 'content-type: application/json' -d '{body}'") };
        let answer = process::curl(&format!("curl -i -X {method} {data} 'http://{}{target}'", proxy.address));
        assert!(answer.starts_with("HTTP/1.1 200 "), "{name}: {answer}");
        let seen = backend.seen();
        let [message] = seen.as_slice() else { panic!("{name}: {seen:?}") };
        assert_eq!(message.start, format!("{line} HTTP/1.1"), "{name}");
        let all = format!("{:?} {}", message.headers, String::from_utf8_lossy(&message.body));
        assert!(all.contains(part), "{name}: no {part} in {all}");
        assert_eq!(message.header("authorization").is_some(), host.ends_with(".amazonaws.com"), "{name}: {all}");
    });
    let served = definitions::imported().iter().filter(|(_, document)| document.is_ok()).count();
    assert!(definitions::imported().is_empty() || served == 11, "{served} definitions are served");
}

/// The servers that a page says to start, and the gateway in one of two ways.
struct Session {
    _servers: Vec<Server>,
    _motos: Vec<Moto>,
    addresses: BTreeMap<String, String>,
    _gateway: Gateway,
}

enum Gateway {
    Serve(#[expect(dead_code, reason = "it serves until it is dropped")] Server),
    Envoy(#[expect(dead_code, reason = "it serves until it is dropped")] Proxy),
}

// === impl Session ===

impl Session {
    fn start(page: &Page, in_envoy: bool) -> Self {
        let blocks = page.blocks().into_iter().filter(|block| block.language == "sh");
        let lines: String = blocks.map(|block| block.text.replace("\\\n", " ")).collect();
        let lines: Vec<Vec<String>> = lines.lines().map(|line| line.split_whitespace().map(str::to_owned).collect()).collect();
        let (mut servers, mut motos, mut addresses) = (Vec::new(), Vec::new(), BTreeMap::new());
        let real = |addresses: &BTreeMap<String, String>, word: &str| {
            addresses.iter().fold(word.to_owned(), |word, (written, real)| word.replace(written.as_str(), real))
        };
        for words in &lines {
            match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["target/moto-venv/bin/moto_server", "-p", port] => {
                    let moto = Moto::start();
                    addresses.insert(format!("127.0.0.1:{port}"), moto.address().to_string());
                    motos.push(moto);
                }
                ["target/debug/tollgate", kind @ ("stub" | "functions"), file, ..] => {
                    let server = Server::start(&[kind, file]);
                    let port = if *kind == "stub" { 9000 } else { 9001 };
                    addresses.insert(format!("127.0.0.1:{port}"), server.address.clone());
                    servers.push(server);
                }
                _ => {}
            }
        }
        let command = |kind: &str| {
            let named = |words: &&Vec<String>| words.windows(2).any(|pair| pair[0] == "target/debug/tollgate" && pair[1] == kind);
            lines.iter().find(named)
        };
        // How a page itself makes a bootstrap, where it does.
        let line = command("bundle").filter(|_| in_envoy).or_else(|| command("serve"));
        let line = line.unwrap_or_else(|| panic!("{} starts nothing", page.name));
        let variables: Vec<(String, String)> = lines
            .iter()
            .filter(|words| words.windows(2).any(|pair| pair[0] == "target/debug/tollgate" && pair[1] == "serve"))
            .take(1)
            .flat_map(|words| words.iter().map_while(|word| word.split_once('=')))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let start = line.iter().position(|word| word == "target/debug/tollgate").expect("it is there");
        let mut arguments: Vec<String> = line[start + 2..].iter().map(|word| real(&addresses, word)).collect();
        arguments.retain(|word| !word.starts_with('>'));
        for option in ["--listen", "--admin", "--target", "--output"] {
            if let Some(index) = arguments.iter().position(|word| word == option) {
                arguments.drain(index..index + 2);
            }
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let gateway = if in_envoy {
            let folder = folder(&page.name.replace('/', "_"));
            let (bootstrap, _) =
                bundle(&[&arguments[..], &FREE_PORTS].concat()).unwrap_or_else(|said| panic!("{}: {said}", page.name));
            let path = folder.join("envoy.yaml");
            std::fs::write(&path, bootstrap).expect("target/ can be written");
            let proxy = Proxy::start(&folder, &path, &variables);
            addresses.insert("127.0.0.1:8080".to_owned(), proxy.address.clone());
            Gateway::Envoy(proxy)
        } else {
            let variables: Vec<(&str, &str)> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let server = Server::start_with(&[&["serve"], &arguments[..]].concat(), &variables);
            addresses.insert("127.0.0.1:8080".to_owned(), server.address.clone());
            Gateway::Serve(server)
        };
        Self { _servers: servers, _motos: motos, addresses, _gateway: gateway }
    }

    /// The statuses that a line of curl commands gets.
    fn statuses(&self, line: &str) -> String {
        let line = self.addresses.iter().fold(line.to_owned(), |line, (written, real)| line.replace(written.as_str(), real));
        // What a page does with an answer behind a pipe, it does with nothing.
        let own = "-o /dev/null -w '%{stderr}%{http_code} '";
        let script = format!("curl() {{ command curl --silent --max-time 30 \"$@\" {own}; }}; {line}");
        let output = Command::new("bash").args(["-c", &script]).current_dir(repository()).output().expect("bash can be run");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let is_status = |word: &&str| word.len() == 3 && word.bytes().all(|byte| byte.is_ascii_digit());
        let statuses: Vec<&str> = said.split_whitespace().filter(is_status).collect();
        assert!(!statuses.is_empty() && !statuses.contains(&"000"), "`{line}` ends in {}:\n{}", output.status, printed(&output));
        statuses.join(" ")
    }
}

#[test]
fn every_example_answers_in_envoy_as_it_does_when_it_is_served() {
    let pages: Vec<Page> = pages::all(&repository()).into_iter().filter(|page| page.name.starts_with("examples/")).collect();
    each(&pages, |page| {
        let steps = page.steps();
        // Those of the operator's own listener are no requests to the gateway; others make what it needs, such as a table.
        let lines = steps.iter().map(|step| step.command.as_str());
        let lines: Vec<&str> = lines.filter(|line| line.starts_with("curl ") && !line.contains("127.0.0.1:9901")).collect();
        let is_of_gateway = |line: &str| line.contains("127.0.0.1:8080");
        let answers = [false, true].map(|in_envoy| {
            let session = Session::start(page, in_envoy);
            lines.iter().map(|line| (*line, session.statuses(line))).collect::<Vec<_>>()
        });
        assert_eq!(answers[0], answers[1], "{}: served on the left, in Envoy on the right", page.name);
        let good = answers[0].iter().any(|(line, statuses)| is_of_gateway(line) && statuses.starts_with('2'));
        assert!(good, "{}: no good request in {answers:?}", page.name);
    });
}

#[test]
fn timeouts_grow_with_the_longest_integration_and_the_access_log_is_the_one_of_the_stage() {
    let folder = folder("log");
    let document = folder.join("gateway.json");
    let mock = json!({"type": "MOCK", "timeoutInMillis": 120_000, "requestTemplates": {"application/json": "{\"statusCode\": 200}"},
                      "responses": {"default": {"statusCode": "200"}}});
    let definition = json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1"},
        "paths": {"/a": {"get": {"responses": {"200": {"description": "ok"}}, "x-amazon-apigateway-integration": mock}}}});
    let stage = json!({"stageName": "prod", "accessLogSettings": {"format": "$context.requestId %REQ(x-secret)% %START_TIME%"}});
    let gateway = json!({"apis": [{"name": "a", "definition": definition, "stages": [stage]}]});
    std::fs::write(&document, gateway.to_string()).expect("target/ can be written");
    let (bootstrap, _) = bundle(&[&[text(&document)], &FREE_PORTS[..]].concat()).expect("it is a document");
    let path = folder.join("envoy.yaml");
    std::fs::write(&path, &bootstrap).expect("target/ can be written");
    let read: Value = serde_norway::from_str(&bootstrap).expect("it is YAML");
    let manager = &read["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    assert_eq!(manager["stream_idle_timeout"], "156s");
    assert_eq!(manager["route_config"]["virtual_hosts"][0]["routes"][0]["route"]["timeout"], "151s");
    let loggers = manager["access_log"].as_array().expect("there are loggers");
    assert_eq!(loggers.len(), 2);
    let line = &loggers[0]["typed_config"]["log_format"]["text_format_source"]["inline_string"];
    assert_eq!(line, "%FILTER_STATE(wasm.tollgate_access_log:PLAIN)%\n");
    let proxy = Proxy::start(&folder, &path, &[]);
    // What a stage writes is its own format, and no command of Envoy's.
    let answer =
        process::curl(&format!("curl -o /dev/null -w '%{{http_code}}' -H 'x-secret: secret' http://{}/prod/a", proxy.address));
    assert_eq!(answer, "200");
    // No stage is reached, so that none describes its line: the proxy's own.
    let answer = process::curl(&format!("curl -o /dev/null -w '%{{http_code}}' http://{}/nowhere", proxy.address));
    assert_eq!(answer, "403");
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !proxy.stdout().contains(r#""status":403"#) {
        assert!(std::time::Instant::now() < end, "nothing was logged: {}", proxy.stdout());
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    let logged = proxy.stdout();
    let line = logged.lines().next().unwrap_or_default();
    assert!(line.ends_with(" %REQ(x-secret)% %START_TIME%"), "{logged}");
    let (bootstrap, _) =
        bundle(&[&[text(&document), "--access-log", "/tmp/x.log"], &FREE_PORTS[..]].concat()).expect("it is a document");
    assert_eq!(bootstrap.matches("path: /tmp/x.log").count(), 2);
}

#[test]
fn what_nobody_says_is_an_error_that_names_its_place() {
    let folder = folder("errors");
    let write = |name: &str, value: &Value| {
        let path = folder.join(name);
        std::fs::write(&path, format!("{value:#}")).expect("target/ can be written");
        path
    };
    let link = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": "http://inner.example.com/x",
                      "connectionType": "VPC_LINK", "connectionId": "vl1"});
    let link = write(
        "link.json",
        &json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1"},
        "paths": {"/a": {"get": {"responses": {}, "x-amazon-apigateway-integration": link}}}}),
    );
    let said = bundle(&[text(&link), "--target", "envoy"]).expect_err("nobody knows the link");
    assert!(said.contains("error: nobody says where the VPC link `vl1` is") && said.contains("link.json:16:"), "{said}");
    assert!(said.contains(r#"path: $.paths["/a"].get["x-amazon-apigateway-integration"].connectionId"#), "{said}");
    let (bootstrap, _) =
        bundle(&[text(&link), "--target", "envoy", "--upstream", "vl1=https://nlb.example.com"]).expect("it is said");
    assert!(bootstrap.contains("address: nlb.example.com") && bootstrap.contains("auto_sni_san_validation: true"), "{bootstrap}");

    let limits = write(
        "limits.json",
        &json!({"apis": [{"name": "a", "definition": {"openapi": "3.0.1", "info": {"title": "a", "version": "1"},
        "paths": {"/a": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "MOCK"}}}}}, "stages": [{"stageName": "prod"}]}],
        "apiKeys": [{"name": "k", "value": "cQ3mZ8rT5vX1nB7kL2pW"}],
        "usagePlans": [{"usagePlanName": "p", "keys": ["k"], "apiStages": [{"api": "a", "stage": "prod"}], "quota": {"limit": 1, "period": "DAY"}}],
        "rateLimitService": {"cluster": "ratelimit", "domain": "d"}}),
    );
    let said = bundle(&[text(&limits), "--target", "envoy"]).expect_err("nobody knows the service");
    assert!(
        said.contains("where `ratelimit` is, the cluster of `rateLimitService`") && said.contains("--upstream ratelimit="),
        "{said}"
    );
    let (bootstrap, said) =
        bundle(&[text(&limits), "--target", "envoy", "--upstream", "ratelimit=http://127.0.0.1:8081"]).expect("it is said");
    assert!(bootstrap.contains("http2_protocol_options: {}"), "{bootstrap}");
    assert!(said.contains("note: the output holds keys of callers"), "{said}");

    let said =
        bundle(&[text(&limits), "--target", "istio", "--upstream", "ratelimit=http://127.0.0.1:8081"]).expect_err("no module");
    assert!(said.contains("--image oci://"), "{said}");
    let old = ["--target", "istio", "--istio", "1.26", "--image", "r/x:1", "--upstream", "ratelimit=http://127.0.0.1:8081"];
    let said = bundle(&[&[text(&limits)], &old[..]].concat()).expect_err("too old");
    assert!(said.contains("Istio 1.26 cannot"), "{said}");
}

/// The output of one who does not look is one in which a token goes in clear.
#[test]
fn a_host_that_is_asked_by_http_and_by_https_is_refused_until_somebody_says_which() {
    let folder = folder("mixed");
    let proxy = |uri: &str| {
        let integration = json!({"type": "HTTP_PROXY", "httpMethod": "GET", "uri": uri});
        json!({"get": {"responses": {}, "x-amazon-apigateway-integration": integration}})
    };
    let write = |plain: &str| {
        let paths = json!({"/a": proxy("https://API.example.com/a"), "/b": proxy(plain)});
        let path = folder.join("mixed.json");
        let definition = json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1"}, "paths": paths});
        std::fs::write(&path, definition.to_string()).expect("target/ can be written");
        path
    };
    let path = write("http://api.example.com/b");
    for target in
        [&["--target", "envoy"][..], &["--target", "istio", "--image", "r/x:1"], &["--target", "envoy-gateway", "--image", "r/x:1"]]
    {
        let said = bundle(&[&[text(&path)], target].concat()).expect_err("one of them would be wrong");
        assert!(said.contains("error: the cluster `api.example.com` is asked by http and by https"), "{said}");
    }
    let said = bundle(&[text(&path), "--target", "envoy", "--upstream", "api.example.com=https://api.example.com"]);
    assert_eq!(said.expect("it is said").0.matches("auto_sni_san_validation: true").count(), 1);
    let path = write("http://api.example.com:80/b");
    let (bootstrap, _) = bundle(&[text(&path), "--target", "envoy"]).expect("they are two clusters");
    assert_eq!(bootstrap.matches("auto_sni_san_validation: true").count(), 1);
    let (stream, _) = bundle(&[text(&path), "--target", "istio", "--image", "r/x:1"]).expect("they are two ports");
    assert_eq!((stream.matches("kind: DestinationRule").count(), stream.matches("mode: SIMPLE").count()), (1, 1), "{stream}");
}

#[test]
fn an_output_that_was_there_is_closed_to_others() {
    use std::os::unix::fs::PermissionsExt;
    let path = folder("output").join("envoy.yaml");
    std::fs::write(&path, "x".repeat(100_000)).expect("target/ can be written");
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("it is ours");
    let file = forwarding();
    let (out, _) = bundle(&[text(&file), "--target", "envoy", "--output", text(&path)]).expect("it is a definition");
    assert_eq!(out, "");
    let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(serde_norway::from_str::<Value>(&std::fs::read_to_string(&path).expect("it is there")).is_ok());
}

// --- Kubernetes -------------------------------------------------------------------------------------------------------------

const IMAGE: [&str; 2] = ["--image", "oci://registry.example.com/tollgate:1.0"];

/// Options, and the names of Envoy Gateway's listener and routes.
const TARGETS: [(&[&str], [&str; 2]); 5] = [
    (&["--target", "istio"], ["", ""]),
    (&["--target", "istio", "--istio", "1.30", "--selector", "app=edge", "--namespace", "edge", "--minify"], ["", ""]),
    (&["--target", "istio", "--sidecar", "--selector", "app=shop", "--name", "shop"], ["", ""]),
    (&["--target", "envoy-gateway"], ["default/eg/http", "default/eg/http"]),
    (&["--target", "envoy-gateway", "--listener", "80", "--namespace", "edge", "--minify"], ["tcp-80", "http-80"]),
];

#[test]
fn every_manifest_is_as_the_crds_say_and_its_patches_are_taken_by_a_real_envoy() {
    let (schemas, folder) = (Schemas::read(), folder("kubernetes"));
    let module = drivers::envoy::module();
    let (kinds, bootstraps) = (Mutex::new(BTreeSet::new()), Mutex::new(Vec::new()));
    each(&documents(), |file| {
        for (index, (options, names)) in TARGETS.iter().enumerate() {
            let name = format!("{}-{index}", label(file));
            let (stream, said) = bundle_anyhow(file, &[&IMAGE[..], options].concat());
            let resources = resources(&stream);
            assert!(said.contains("document: "), "{said}");
            for resource in &resources {
                kinds.lock().expect("nobody panics").insert(text_of(&resource["kind"]));
                assert_eq!(schemas.errors(resource), [""; 0], "{name}");
            }
            let bootstrap = if names[0].is_empty() {
                let filter = resources.iter().find(|resource| resource["kind"] == "EnvoyFilter").expect("there is one");
                xds::of_istio(filter, &module)
            } else {
                xds::of_envoy_gateway(&resources, *names, &module)
            };
            bootstraps.lock().expect("nobody panics").push((name, bootstrap));
        }
    });
    let mut bootstraps = bootstraps.into_inner().expect("nobody panics");
    bootstraps.sort_by(|(a, _), (b, _)| a.cmp(b));
    // V8 compiles the module once for each process.
    let together: Vec<(usize, Value)> = xds::together(bootstraps).into_iter().enumerate().collect();
    each(&together, |(index, bootstrap)| {
        let path = folder.join(format!("{index}.json"));
        std::fs::write(&path, bootstrap.to_string()).expect("target/ can be written");
        assert_eq!(refusal(&path), None, "{}", path.display());
    });
    let kinds = kinds.into_inner().expect("nobody panics");
    for kind in [
        "WasmPlugin",
        "TrafficExtension",
        "EnvoyFilter",
        "ServiceEntry",
        "DestinationRule",
        "Gateway",
        "VirtualService",
        "EnvoyExtensionPolicy",
        "EnvoyPatchPolicy",
        "Backend",
        "HTTPRoute",
    ] {
        assert!(kinds.contains(kind), "no {kind} was written: {kinds:?}");
    }
}

#[test]
fn what_a_crd_does_not_have_is_refused() {
    let schemas = Schemas::read();
    let file = repository().join("examples/petstore/gateway.yaml");
    let (stream, _) = bundle(&[&[text(&file), "--target", "istio"], &IMAGE[..]].concat()).expect("it is a document");
    let good = resources(&stream).into_iter().find(|resource| resource["kind"] == "EnvoyFilter").expect("there is one");
    assert_eq!(schemas.errors(&good), [""; 0]);
    for (pointer, value) in [
        ("/spec/configPatches/0/applyto", json!("LISTENER")),
        ("/spec/priority", json!("ten")),
        ("/spec/configPatches/0/applyTo", json!("LISTENERS")),
        ("/metadata/name", json!("Not a name")),
    ] {
        let mut bad = good.clone();
        let (parent, key) = pointer.rsplit_once('/').expect("a pointer has a slash");
        bad.pointer_mut(parent).expect("it is there")[key] = value;
        assert!(!schemas.errors(&bad).is_empty(), "{pointer}");
    }
}

#[test]
fn a_gateway_that_only_forwards_needs_no_envoyfilter_for_the_filter_and_any_other_does() {
    let forwarding = forwarding();
    for (version, kind) in [("1.29", "WasmPlugin"), ("1.30", "TrafficExtension")] {
        let (stream, said) =
            bundle(&[&[text(&forwarding), "--target", "istio", "--istio", version], &IMAGE[..]].concat()).expect("good");
        assert!(said.contains(&format!("The filter is a {kind}")), "{said}");
        assert!(stream.starts_with("# Made by") && !stream.contains("EXTENSION_CONFIG"), "{stream}");
        // The service of the mesh is known to Istio; the other host is reached by TLS.
        assert!(stream.contains("cluster: outbound|443||pets.example.com"), "{stream}");
        assert!(stream.contains("cluster: outbound|8080||orders.shop.svc.cluster.local"), "{stream}");
        assert_eq!(stream.matches("kind: ServiceEntry").count(), 1);
        assert!(stream.contains("caCertificates: system") && stream.contains("sni: pets.example.com"), "{stream}");
    }
    // A service of the mesh that is asked by https is not asked in clear.
    let by_tls = "orders.shop.svc.cluster.local:8080=https://orders.shop.svc.cluster.local:8443";
    let (stream, _) =
        bundle(&[&[text(&forwarding), "--target", "istio", "--upstream", by_tls], &IMAGE[..]].concat()).expect("good");
    assert_eq!((stream.matches("kind: ServiceEntry").count(), stream.matches("mode: SIMPLE").count()), (1, 2), "{stream}");
    for example in ["petstore", "authorizers", "lambda"] {
        let file = repository().join("examples").join(example).join("gateway.yaml");
        let (stream, said) = bundle(&[&[text(&file), "--target", "istio"], &IMAGE[..]].concat()).expect("it is a document");
        assert!(said.contains("The filter is an EnvoyFilter: "), "{example}: {said}");
        assert!(stream.contains("allow_on_headers_stop_iteration: true"), "{example}");
    }
}

#[test]
fn aws_services_are_signed_for_in_every_target() {
    let file = repository().join("examples/dynamodb/gateway.yaml");
    for target in ["envoy", "istio", "envoy-gateway"] {
        let module = if target == "envoy" { vec![] } else { IMAGE.to_vec() };
        let (written, _) = bundle(&[&[text(&file), "--target", target], &module[..]].concat()).expect("it is a document");
        assert_eq!(written.matches("service_name: dynamodb").count(), 1, "{target}");
        assert!(written.contains("envoy.filters.http.upstream_codec"), "{target}");
    }
}

#[test]
fn a_large_document_is_warned_of_for_kubernetes_and_minify_makes_it_small() {
    let folder = folder("large");
    let description = "x".repeat(2_000_000);
    let path = folder.join("large.json");
    let definition = json!({"openapi": "3.0.1", "info": {"title": "a", "version": "1", "description": description},
        "paths": {"/a": {"get": {"responses": {}, "x-amazon-apigateway-integration": {"type": "MOCK"}}}}});
    std::fs::write(&path, definition.to_string()).expect("target/ can be written");
    for target in ["istio", "envoy-gateway"] {
        let (_, said) = bundle(&[&[text(&path), "--target", target], &IMAGE[..]].concat()).expect("it is a document");
        assert!(said.contains("etcd takes 1.5 MB: `--minify` makes it smaller"), "{said}");
        let (_, said) = bundle(&[&[text(&path), "--target", target, "--minify"], &IMAGE[..]].concat()).expect("it is a document");
        assert!(!said.contains("etcd"), "{said}");
    }
}

// --- minify -----------------------------------------------------------------------------------------------------------------

/// The exchange with a document that was minified.
#[derive(Default)]
struct Minified(Native);

impl Driver for Minified {
    fn name(&self) -> &'static str {
        "minified"
    }

    fn now(&self) -> std::time::Duration {
        self.0.now()
    }

    fn load(&mut self, name: &str, document: &Value) -> Result<(), String> {
        let mut document = document.clone();
        minify::minify(&mut document);
        self.0.load(name, &document)
    }

    fn observe(&mut self, name: &str, request: &Request, clusters: &Clusters) -> Result<Observation, String> {
        self.0.observe(name, request, clusters)
    }
}

#[test]
fn every_case_holds_for_its_minified_document() {
    let mut files = CaseFile::all();
    files.retain(|file| compile(&file.document()).gateway.is_some());
    assert!(files.len() > 50, "only {} case files compile", files.len());
    let mut report = Report::default();
    drivers::ring::run(&files, &mut [&mut Native::default(), &mut Minified::default()], &mut report);
    report.finish("cases of minified documents");
}

#[test]
fn a_minified_definition_has_the_same_routes_and_is_smaller() {
    let folder = folder("minify");
    let mut smaller = 0;
    for file in documents() {
        let document = |options: &[&str]| {
            let (bootstrap, _) = bundle_anyhow(&file, &[&FREE_PORTS[..], options].concat());
            let read: Value = serde_norway::from_str(&bootstrap).expect("it is YAML");
            let manager = &read["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
            let configuration = &manager["http_filters"][0]["typed_config"]["config"]["configuration"]["value"];
            configuration.as_str().expect("it is a text").to_owned()
        };
        let routes = |name: &str, text_of: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text_of).expect("target/ can be written");
            let output = tollgate(&["routes", "--format", "json", text(&path)]);
            assert!(output.status.success(), "{}", printed(&output));
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let (whole, minified) = (document(&[]), document(&["--minify"]));
        assert_eq!(routes("whole.json", &whole), routes("minified.json", &minified), "{}", file.display());
        let compact = serde_json::from_str::<Value>(&whole).expect("it is JSON").to_string();
        smaller += usize::from(minified.len() < compact.len());
    }
    assert!(smaller >= 5, "only {smaller} definitions have something to leave out");
}

/// The command is what Cargo built for this test.
#[test]
fn the_help_shows_an_example_of_each_target() {
    let help = printed(&tollgate(&["bundle", "--help"]));
    for target in ["--target envoy ", "--target istio ", "--target envoy-gateway "] {
        assert!(help.contains(target), "{TOLLGATE}: {help}");
    }
}
