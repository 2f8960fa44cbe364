//! The request that a template is rendered for: what the command line says of it, and for the rest a request that is always the
//! same.

use std::sync::Arc;

use tollgate::context::{Context, Ids, RouteFacts, StageFacts};
use tollgate::http::{RequestHead, percent_encode};
use tollgate::platform::{Level, Platform, Version};

use super::Arguments;

/// 2015-04-09T12:34:56Z, the moment of the examples in API Gateway's own pages.
const NOW_MILLIS: u64 = 1_428_582_896_000;

/// The request id that those examples have.
const RANDOM: [u8; 16] = [0xc6, 0xaf, 0x9a, 0xc6, 0x7b, 0x61, 0x11, 0xe6, 0x9a, 0x41, 0x93, 0xe8, 0xde, 0xad, 0xbe, 0xef];

/// A host at which time stands still.
pub struct Still;

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

impl Platform for Still {
    fn now_millis(&self) -> u64 {
        NOW_MILLIS
    }

    fn monotonic_nanos(&self) -> u64 {
        0
    }

    fn random(&mut self) -> [u8; 16] {
        RANDOM
    }

    fn source_address(&self) -> Option<String> {
        Some("127.0.0.1:51234".to_owned())
    }

    fn response_code_details(&self) -> Option<String> {
        None
    }

    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }

    fn verify_signature(&self, _hash: &str, _key: &[u8], _signature: &[u8], _text: &[u8]) -> Option<bool> {
        None
    }

    fn shared_data(&self, _key: &str) -> Option<(Vec<u8>, u32)> {
        None
    }

    fn set_shared_data(&self, _key: &str, _value: &[u8], _version: Version) -> bool {
        false
    }

    fn log(&self, _level: Level, _message: &str) {}
}
