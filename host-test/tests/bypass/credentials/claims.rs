//! What clients claim to be.

use super::Credential;

/// Headers that only somebody in front of the gateway, or the gateway itself, may be believed.
pub fn all() -> Vec<Credential> {
    let lists: [(&str, &[(&str, &str)]); 14] = [
        ("a cluster", &[("x-tollgate-cluster", "backend.test")]),
        ("a path of Envoy", &[("x-envoy-original-path", "/prod/other"), ("x-envoy-decorator-operation", "open")]),
        ("an internal address", &[("x-envoy-internal", "true"), ("x-forwarded-for", "127.0.0.1, 10.0.0.1")]),
        (
            "a trusted proxy",
            &[("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1"), ("forwarded", "for=10.0.0.1;host=live.test")],
        ),
        (
            "another path",
            &[("x-original-url", "/prod/other"), ("x-rewrite-url", "/prod/other"), ("x-forwarded-uri", "/prod/other")],
        ),
        ("another host", &[("x-forwarded-host", "fall.test"), ("x-host", "fall.test")]),
        ("another prefix", &[("x-forwarded-prefix", "/policed"), ("x-script-name", "/other")]),
        ("another method, not AWS's header", &[("x-method-override", "POST"), ("x-http-method", "POST")]),
        ("an authorizer's context", &[("x-amzn-authorizer", "{\"principalId\":\"root\"}"), ("x-apigw-principal", "root")]),
        ("ids", &[("x-amzn-requestid", "1"), ("x-amz-apigw-id", "1"), ("x-amzn-apigateway-api-id", "main")]),
        ("a preflight", &[("origin", "https://app.test"), ("access-control-request-method", "GET")]),
        ("half a preflight", &[("origin", "https://app.test")]),
        ("an upgrade", &[("connection", "Upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13")]),
        ("a user of TLS", &[("x-forwarded-client-cert", "By=x;Subject=\"CN=root\""), ("x-ssl-client-verify", "SUCCESS")]),
    ];
    let claim = |(name, lines): (&str, &[(&str, &str)])| {
        let credential = lines.iter().fold(Credential::new(&format!("claims {name}")), |c, (n, v)| c.header(n, v));
        // Envoy refuses what it cannot upgrade; nobody else looks at it.
        credential.worth(|w| w.unsure = (name == "an upgrade").then_some("upgrade"))
    };
    lists.map(claim).into()
}
