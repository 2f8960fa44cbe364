//! Which headers pass an HTTP_PROXY integration, and under which name.
//!
//! Recorded on a regional REST API: `TestApiGatewayHeaderRemapping`, `test_http_integration_with_lambda`. HTTP APIs: "Create HTTP
//! integrations for HTTP APIs"; assumed(http-api-headers): which of them pass there is from memory.

use crate::context::{Context, HIDDEN_HEADERS, METHOD_OVERRIDE, TRACE_HEADER, source_ip};
use crate::definition::Protocol;
use crate::http::{Headers, Response, ResponseHead};
use crate::platform::Platform;

/// Hidden from integrations, but what frames the body on its way to one.
const FRAMING: [&str; 2] = ["content-length", "transfer-encoding"];

/// Hop-by-hop fields (RFC 9110, section 7.6.1), for HTTP APIs.
const HOP_BY_HOP: [&str; 8] =
    ["connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer", "upgrade"];

/// What a client said of earlier hops: HTTP APIs translate it to `Forwarded`. `x-forwarded-proto` is translated and stays: Envoy
/// tells the scheme of a request by it, and finds no route for one that has lost it.
const FORWARDED: [&str; 3] = ["x-forwarded-for", "x-forwarded-host", "x-forwarded-port"];

/// What a REST API's client sees of a backend under another name.
const REMAPPED: [(&str, &str); 4] = [
    ("connection", "x-amzn-remapped-connection"),
    ("date", "x-amzn-remapped-date"),
    ("server", "x-amzn-remapped-server"),
    ("x-amzn-requestid", "x-amzn-remapped-x-amzn-requestid"),
];

/// The fields that go to the upstream.
pub fn upstream_request(protocol: Protocol, context: &Context, platform: &dyn Platform) -> Headers {
    let mut headers = context.headers().clone();
    match protocol {
        Protocol::Rest => {
            // The override header is passed on only when a mapping does (documented under known issues).
            let drops = |name: &str| HIDDEN_HEADERS.contains(&name) || name == "via" || name == METHOD_OVERRIDE;
            headers.retain(|name| FRAMING.contains(&name) || !drops(name));
            // assumed(rest-forwarded): x-forwarded-for and x-forwarded-proto pass, as the proxy wrote them; repeated fields stay
            // repeated, though an emulator joins them.
            // AWS drops Content-Encoding because it has decoded the body; a body that is passed on encoded keeps it.
            // assumed(chunked-get): one without a length has none where the method seldom has one (recorded: an empty chunked GET).
            let may_lack_body = matches!(context.request.method.as_str(), "GET" | "HEAD" | "OPTIONS" | "DELETE");
            if may_lack_body && headers.get("content-length").is_none_or(|length| length == b"0") {
                headers.remove("content-encoding");
            }
            if let Some(stage) = &context.stage {
                headers.set("x-amzn-apigateway-api-id", stage.api_id.as_str());
            }
        }
        Protocol::Http => {
            let proto = if headers.get("x-forwarded-proto") == Some(b"https") || context.request.scheme == "https" {
                "https"
            } else {
                "http"
            };
            headers.retain(|name| !HOP_BY_HOP.contains(&name) && !FORWARDED.contains(&name) && name != "expect");
            headers.set("forwarded", forwarded(context, proto, platform));
        }
    }
    headers.set(TRACE_HEADER, context.trace_id(platform));
    headers
}

/// `for=…;host=…;proto=…`. AWS writes `by=` with its own egress address too, which nobody here knows.
fn forwarded(context: &Context, proto: &str, platform: &dyn Platform) -> String {
    let client = match source_ip(platform) {
        Some(ip) if ip.contains(':') => format!("\"[{ip}]\""),
        Some(ip) => ip,
        None => "unknown".to_owned(),
    };
    let host = context.host();
    let host = if host.contains(':') { format!("\"{host}\"") } else { host };
    ["for=", &client, ";host=", &host, ";proto=", proto].concat()
}

/// What the client sees of the upstream's response.
pub fn client_response(protocol: Protocol, mut head: ResponseHead) -> ResponseHead {
    let headers = &mut head.headers;
    match protocol {
        Protocol::Rest => {
            for (name, remapped) in REMAPPED {
                headers.rename(name, remapped);
            }
            // Kept beside its remapped copy: it frames the body.
            if let Some(length) = headers.get("content-length").map(<[u8]>::to_vec) {
                headers.set("x-amzn-remapped-content-length", length);
            }
            // Content-Encoding stays: it was recorded as dropped behind a function URL only, is documented to pass, and a body
            // that lost it cannot be read.
            headers.retain(|name| {
                !matches!(name, "via" | "keep-alive" | "proxy-connection" | "trailer" | "transfer-encoding" | "upgrade")
            });
        }
        Protocol::Http => headers.retain(|name| !HOP_BY_HOP.contains(&name) && name != "transfer-encoding"),
    }
    head
}

/// The same of an answer that is there as a whole.
pub fn whole_response(protocol: Protocol, answer: Response) -> Response {
    let Response { head, body } = answer;
    let mut head = client_response(protocol, head);
    // Of the body as it is here.
    head.headers.remove("content-length");
    // The proxy says so of an answer that says nothing.
    if !body.is_empty() && !head.headers.contains("content-type") {
        head.headers.append("content-type", "text/plain");
    }
    Response { head, body }
}
