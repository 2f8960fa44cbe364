//! The gateway document: [`compile_bytes`], and a request to each route of what comes of it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tollgate::compile::compile_bytes;
use tollgate::gateway::Gateway;
use tollgate::problem::Severity;
use tollgate_fuzz::{Outcome, reply, request, send};

/// Of each document.
const STAGES: usize = 4;
const ROUTES: usize = 6;

const PRESIGNED: &str =
    "X-Amz-Algorithm=%0D%0Ax:y%00&X-Amz-Credential=%0A&X-Amz-Date=%0D&X-Amz-SignedHeaders=%0A&X-Amz-Signature=%00";

/// The place of each parameter taken by a value.
fn filled(pattern: &str) -> String {
    let value = |segment: &str| if segment.starts_with('{') { "v%20w" } else { segment }.to_owned();
    pattern.split('/').map(value).collect::<Vec<_>>().join("/")
}

fn call(gateway: &Arc<Gateway>) {
    for stage in gateway.stages().take(STAGES) {
        let host = stage.hosts.first().map_or("api.test", String::as_str);
        for route in stage.routes().take(ROUTES) {
            let method = if matches!(route.method, "ANY" | "$default") { "POST" } else { route.method };
            let path = format!("{}{}", stage.base_path, filled(route.resource_path()));
            let headers = [("content-type", "application/json"), ("x-h", "1"), ("x-h", "2"), ("authorization", "Bearer a.b.c")];
            // Presigned, so that a guard says again what it was sent.
            for (query, headers) in [("q=1&q=a%20b", &headers[..]), (PRESIGNED, &headers[..3])] {
                let head = request(method, &format!("{path}?{query}"), host, headers);
                let (outcome, _) = send(gateway, head, br#"{"statusCode": 200}"#, &reply(200, &[], br#"{"isAuthorized":true}"#));
                assert_ne!(outcome, Outcome::Held, "{method} {path}");
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let (compiled, again) = (compile_bytes(data), compile_bytes(data));
    assert_eq!(compiled.problems, again.problems);
    assert_eq!(compiled.endpoints.len(), again.endpoints.len());
    let is_refused = compiled.problems.iter().any(|problem| problem.severity == Severity::Error);
    assert_eq!(compiled.gateway.is_none(), is_refused, "{:?}", compiled.problems);
    for problem in &compiled.problems {
        assert!(!problem.to_string().is_empty());
    }
    if let Some(gateway) = compiled.gateway {
        call(&Arc::new(gateway));
    }
});
