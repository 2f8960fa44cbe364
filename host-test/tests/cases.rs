//! The case files on the two drivers that need no Envoy: the exchange itself, and the module in the wasmtime host.

mod drivers;

use std::path::Path;
use std::time::Duration;

use drivers::beside::beside;
use drivers::case::CaseFile;
use drivers::native::Native;
use drivers::report::Report;
use drivers::signer::{Parts, Signer, sha256};
use drivers::wasm::Wasm;

#[test]
fn every_case_holds_natively_and_as_wasm() {
    let files = CaseFile::all();
    let mut report = Report::default();
    drivers::ring::run(&files, &mut [&mut Native::default(), &mut Wasm::new()], &mut report);
    report.finish("cases");
}

#[test]
fn an_unknown_key_of_a_case_file_is_an_error() {
    for text in [
        "definition: {}\ncase: []",
        "definition: {}\ncases: [{ name: x, request: { path: /, heders: [] }, expect: { status: 200 } }]",
        "definition: {}\ncases: [{ name: x, request: { path: / }, expect: { status: 200, header: {} } }]",
        "definition: {}\ncases: [{ name: x, request: { path: / }, expect: { status: 200, upstream: { url: x } } }]",
        "definition: {}\nbackends: { a: { statuss: 200 } }\ncases: []",
        "definition: {}\nbackends: { a: { paths: { /x: { statuss: 200 } } } }\ncases: []",
        "definition: {}\ntokens: { a: { key: rs256, claim: {} } }\ncases: []",
        "definition: {}\ncases: [{ name: x, request: { path: /, sign: { regoin: x } }, expect: { status: 200 } }]",
    ] {
        let read = serde_norway::from_str::<CaseFile>(text);
        assert!(read.is_err(), "{text} is read as {read:?}");
    }
}

/// The vectors of AWS's own signing test suite: 30 August 2015, 12:36:00.
#[test]
fn the_signer_of_case_files_signs_like_those_of_aws() {
    let Some(suite) = beside("corpora/aws-signing-test-suite") else { return };
    let suite = suite.join("v4");
    for name in
        ["get-vanilla-with-session-token", "get-vanilla-query-order-encoded", "post-header-key-sort", "get-slashes-normalized"]
    {
        let read = |file: &str| read(&suite.join(name).join(file));
        let context: serde_json::Value = serde_json::from_str(&read("context.json")).expect("it is JSON");
        let credential = |key: &str| context["credentials"][key].as_str();
        let signer = Signer {
            access_key_id: credential("access_key_id").expect("there is one"),
            secret_access_key: credential("secret_access_key").expect("there is one"),
            session_token: credential("token"),
            region: "us-east-1",
            service: "service",
            at: Duration::from_secs(1_440_938_160),
        };
        let request = read("request.txt");
        let mut lines = request.lines();
        let first = lines.next().and_then(|line| line.strip_suffix(" HTTP/1.1"));
        let (method, target) = first.and_then(|line| line.split_once(' ')).expect("a request line");
        let line = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.to_owned()));
        let headers: Vec<_> = lines.by_ref().map_while(line).collect();
        let parts = Parts { method, target, headers: &headers, payload: &sha256(b""), signed_headers: None };
        let added = signer.sign(&parts);
        let authorization = added.iter().find(|(name, _)| name == "authorization").map(|(_, value)| value.as_str());
        let wanted = read("header-signed-request.txt");
        let wanted = wanted.lines().find_map(|line| line.strip_prefix("Authorization:"));
        assert_eq!(authorization, wanted, "{name}");
        let signature = format!("&X-Amz-Signature={}", read("query-signature.txt").trim());
        assert!(signer.presign(&parts, "3600").ends_with(&signature), "{name}");
    }
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}
