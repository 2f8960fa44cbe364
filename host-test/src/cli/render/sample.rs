//! The request that a template is rendered for: what the command line says of it, and for the rest a request that is always the
//! same.

use std::sync::Arc;

use tollgate::context::{Context, Ids, RouteFacts, StageFacts};
use tollgate::http::{RequestHead, percent_encode};
use tollgate::platform::Still;

use super::Arguments;

/// The request id that those examples have.
const RANDOM: [u8; 16] = [0xc6, 0xaf, 0x9a, 0xc6, 0x7b, 0x61, 0x11, 0xe6, 0x9a, 0x41, 0x93, 0xe8, 0xde, 0xad, 0xbe, 0xef];

/// The host of the request: its clock shows the moment of the examples in API Gateway's own pages, 2015-04-09T12:34:56Z.
pub const HOST: Still = Still { now_millis: 1_428_582_896_000, source_address: Some("127.0.0.1:51234") };

/// What is known of the request.
pub fn context(arguments: &Arguments) -> Context {
    let query: Vec<String> = arguments
        .query
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name.as_bytes()), percent_encode(value.as_bytes())))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    let mut head = RequestHead {
        method: "POST".to_owned(),
        path: format!("/prod/{mark}{}", query.join("&")).into_bytes(),
        authority: b"a1b2c3d4e5.execute-api.us-east-1.amazonaws.com".to_vec(),
        scheme: "https".to_owned(),
        ..RequestHead::default()
    };
    for (name, value) in &arguments.headers {
        match name.eq_ignore_ascii_case("host") {
            true => head.authority = value.as_bytes().to_vec(),
            false => head.headers.append(name.to_ascii_lowercase(), value.as_bytes()),
        }
    }
    let mut context = Context::new(Ids::new(RANDOM), head);
    context.stage = Some(Arc::new(StageFacts {
        deployment_id: "d1e2p3".to_owned(),
        api_id: "a1b2c3d4e5".to_owned(),
        account_id: "123456789012".to_owned(),
        region: "us-east-1".to_owned(),
        stage: "prod".to_owned(),
        variables: arguments.variables.iter().cloned().collect(),
    }));
    context.stage_path = "/".to_owned();
    context.route = Some(Arc::new(RouteFacts {
        resource_path: "/".to_owned(),
        route_key: "POST /".to_owned(),
        resource_id: "abc123".to_owned(),
    }));
    context.path_parameters.clone_from(&arguments.path_parameters);
    context
}
