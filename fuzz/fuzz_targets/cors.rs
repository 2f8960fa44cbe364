//! CORS of HTTP APIs: the settings of an operator, the origin of a client, the headers of a backend.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use tollgate::cors::Cors;
use tollgate::definition::Node;
use tollgate::http::Headers;
use tollgate::problem::Problems;
use tollgate_fuzz::{check_fields, parts, request};

/// What the settings allow, read a second time.
fn allows(settings: &Value, origin: &[u8]) -> Option<Vec<u8>> {
    let origins = settings["allowOrigins"].as_array()?;
    let texts: Vec<&str> = origins.iter().filter_map(Value::as_str).collect();
    texts.iter().find_map(|allowed| match *allowed {
        "*" => Some(b"*".to_vec()),
        "http://*" | "https://*" => {
            let start = allowed.trim_end_matches('*').as_bytes();
            (origin.starts_with(start) && origin.len() > start.len()).then(|| origin.to_vec())
        }
        exact => (exact.as_bytes() == origin).then(|| origin.to_vec()),
    })
}

fn check(settings: &Value, origin: Option<&[u8]>, headers: &Headers) {
    check_fields(headers);
    let allowed: Vec<_> = headers.get_all("access-control-allow-origin").collect();
    let wanted = origin.and_then(|origin| allows(settings, origin));
    assert_eq!(allowed, wanted.iter().map(Vec::as_slice).collect::<Vec<_>>());
    let credentials = headers.get_all("access-control-allow-credentials").count();
    let flag = settings["allowCredentials"].to_string().trim_matches('"').eq_ignore_ascii_case("true");
    assert_eq!(credentials, usize::from(flag && wanted.is_some()));
    assert!(credentials == 0 || wanted.as_deref() != Some(b"*"), "credentials for everybody");
    let varies = headers.get_all("vary").any(|value| {
        value.split(|byte| *byte == b',').any(|name| matches!(name.trim_ascii().to_ascii_lowercase().as_slice(), b"origin" | b"*"))
    });
    assert!(varies && headers.get_all("vary").count() == 1);
    let own = ["origin", "credentials", "methods", "headers"].map(|name| format!("access-control-allow-{name}"));
    for (name, _) in headers.iter().filter(|(name, _)| name.starts_with("access-control-")) {
        let is_own =
            own.iter().any(|own| own == name) || ["access-control-expose-headers", "access-control-max-age"].contains(&name);
        assert!(is_own && wanted.is_some(), "{name}");
    }
}

fuzz_target!(|data: &[u8]| {
    let [settings, origin, method, backend] = parts::<4>(data);
    let Ok(settings) = serde_json::from_slice::<Value>(settings) else { return };
    let mut problems = Problems::default();
    let cors = Cors::compile(&Node::root(&settings), &mut problems);
    let refused = problems.any_error();
    problems.into_vec().iter().for_each(|problem| assert!(!problem.to_string().is_empty()));
    if refused {
        return;
    }
    let is_sent = |byte: &u8| !byte.is_ascii_control();
    if !origin.iter().chain(backend).all(is_sent) {
        return;
    }
    let mut head = request("OPTIONS", "/", "h", &[("access-control-request-method", "GET")]);
    let origin = (!origin.is_empty()).then_some(origin);
    origin.into_iter().for_each(|origin| head.headers.append("origin", origin));
    head.method = String::from_utf8_lossy(method).into_owned();
    let answer = cors.preflight(&head);
    assert_eq!(answer.is_some(), head.method == "OPTIONS" && origin.is_some());
    if let Some(answer) = answer {
        assert!(answer.body.is_empty() && answer.head.status == 204);
        check(&settings, origin, &answer.head.headers);
    }
    let mut response = Headers::new();
    for line in backend.split(|byte| *byte == b';') {
        let name = ["access-control-allow-origin", "vary", "access-control-allow-credentials", "access-control-x"][line.len() % 4];
        response.append(name, line);
    }
    cors.apply(&head.headers, &mut response);
    check(&settings, origin, &response);
    let once = response.clone();
    cors.apply(&head.headers, &mut response);
    let set = |headers: &Headers| {
        headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect::<std::collections::BTreeSet<_>>()
    };
    assert_eq!(set(&once), set(&response), "a second time changes nothing");
});
