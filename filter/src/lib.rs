//! Amazon API Gateway's data plane as a proxy-wasm filter: the exported definition is the configuration.
//!
//! # The life of a request
//! ```text
//! Envoy             shell             exchange                                        integration
//!   | request head    |                  |                                               |
//!   |---------------->| Event            |                                               |
//!   |                 |----------------->| read, stage, preflight, route, authorize,     |
//!   |                 |                  | count, validate                               |
//!   | (call, its end) |<---------------->| (somebody may have to be asked)               |
//!   |                 |                  |---------------------------------------------->| IntegrationRequest
//!   |                 |           Effect |<----------------------------------------------|
//!   | forward / call /|<-----------------|                                               |
//!   | reply           |                  |                                               |
//!   |<----------------|                  |                                               |
//!   | response head   | Event            |                                               |
//!   |---------------->|----------------->| integration response or gateway response, ids |
//!   |<----------------|<-----------------| Effect                                        |
//! ```
//! [`exchange`] has the stages on one screen, and says why each stands where it stands.
//!
//! # The house
//! | file | what it holds |
//! |---|---|
//! | [`base64`] | binary payloads as text |
//! | [`hex`] | ids and digests as text |
//! | [`calendar`] | days and dates |
//! | [`protobuf`] | the wire format of protocol buffers |
//! | [`java_regex`] | regular expressions in Java's syntax |
//! | [`problem`] | what is wrong with a document, and where |
//! | [`cache`] | what is remembered between requests: bounded, and never past its time |
//! | [`definition`] | what users write: the gateway document, OpenAPI, raw |
//! | [`jose`] | JSON Web Tokens and JSON Web Keys: read strictly, verified |
//! | [`sigv4`] | AWS Signature Version 4, as a verifier |
//! | [`schema`] | JSON Schema, draft 4, as models are written in it |
//! | [`policy`] | IAM policy documents and how they are evaluated |
//! | [`event`] | the events that Lambda functions get |
//! | [`lambda`] | Lambda's Invoke API |
//! | [`http`] | heads, header multimap, paths, queries, media types |
//! | [`value`] | values that a body or a template brings; JSON in, JSON or Java's text out |
//! | [`jsonpath`] | JSONPath, as Jayway's library reads it |
//! | [`template`] | mapping templates: Velocity |
//! | [`platform`] | the port: what the gateway asks of its host |
//! | [`context`] | what is known of one request: `$context`, stage variables, ids, trace |
//! | [`mapping`] | where a mapping reads from, what a template looks at and leaves behind, the substitution of gateway responses |
//! | [`route`] | tables: host and path to stage, method and path to route |
//! | [`cors`] | CORS of HTTP APIs |
//! | [`reporting`] | what a stage says of metrics and execution logs |
//! | [`metrics`] | what is counted of requests, by AWS's names and dimensions |
//! | [`access_log`] | one line a request, in the stage's own format |
//! | [`execution_log`] | one request step by step, in the console's words |
//! | [`flow`] | events in, effects out |
//! | [`gateway_response`] | the only place where a failure becomes an answer |
//! | [`authorizer`] | who may call; the only place where an [`authorizer::Authorized`] is made |
//! | [`usage`] | how much a caller may call: API keys, plans, throttles, quotas; the only place where an [`usage::Admitted`] is made |
//! | [`validation`] | what a request must be like: parameters that are there, a body as its model says |
//! | [`integration`] | MOCK, HTTP, HTTP_PROXY, AWS, AWS_PROXY; one file or folder a kind |
//! | [`gateway`] | the compiled model |
//! | [`compile`] | definition to gateway; `kinds.rs` is the registry of authorizers and integrations |
//! | [`exchange`] | the pipeline |
//! | `shell` | on wasm only: the only code that names proxy_wasm |
//!
//! # Floors
//! A file uses only what is on floors below its own, so a reader goes down and never has to come back up (a test keeps it so):
//! ```text
//! 11 shell
//! 10 compile  exchange
//! 9  gateway
//! 8  integration
//! 7  usage
//! 6  authorizer  validation
//! 5  gateway_response
//! 4  route  mapping  cors  flow  event  lambda  access_log  execution_log
//! 3  context  policy  schema  reporting  metrics
//! 2  definition  jose  jsonpath  sigv4  template
//! 1  base64  hex  calendar  value  http  java_regex  platform  problem  cache  protobuf
//! ```

pub mod access_log;
pub mod authorizer;
pub mod base64;
pub mod cache;
pub mod calendar;
pub mod compile;
pub mod context;
pub mod cors;
pub mod definition;
pub mod event;
pub mod exchange;
pub mod execution_log;
pub mod flow;
pub mod gateway;
pub mod gateway_response;
pub mod hex;
pub mod http;
pub mod integration;
pub mod java_regex;
pub mod jose;
pub mod jsonpath;
pub mod lambda;
pub mod mapping;
pub mod metrics;
pub mod platform;
pub mod policy;
pub mod problem;
pub mod protobuf;
pub mod reporting;
pub mod route;
pub mod schema;
#[cfg(target_os = "wasi")]
mod shell;
pub mod sigv4;
pub mod template;
pub mod usage;
pub mod validation;
pub mod value;
