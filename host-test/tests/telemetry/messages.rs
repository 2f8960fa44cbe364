//! What is read of the messages of `envoy.service.accesslog.v3` and of OpenTelemetry's collector. That the numbers are right is
//! shown by the real Envoy that sends them.

use std::collections::HashMap;

/// `envoy.service.accesslog.v3.StreamAccessLogsMessage`
#[derive(Clone, PartialEq, prost::Message)]
pub struct AccessLogs {
    #[prost(message, optional, tag = "2")]
    pub http_logs: Option<HttpEntries>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpEntries {
    #[prost(message, repeated, tag = "1")]
    pub log_entry: Vec<HttpEntry>,
}

/// `envoy.data.accesslog.v3.HTTPAccessLogEntry`
#[derive(Clone, PartialEq, prost::Message)]
pub struct HttpEntry {
    #[prost(message, optional, tag = "1")]
    pub common_properties: Option<CommonProperties>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct CommonProperties {
    #[prost(map = "string, message", tag = "21")]
    pub filter_state_objects: HashMap<String, Any>,
    #[prost(map = "string, string", tag = "22")]
    pub custom_tags: HashMap<String, String>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    pub value: Vec<u8>,
}

/// `opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest`, and that of traces: both are scopes within resources.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Export<T: prost::Message + Default + std::fmt::Debug> {
    #[prost(message, repeated, tag = "1")]
    pub resources: Vec<Resource<T>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Resource<T: prost::Message + Default + std::fmt::Debug> {
    #[prost(message, repeated, tag = "2")]
    pub scopes: Vec<Scope<T>>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Scope<T: prost::Message + Default + std::fmt::Debug> {
    #[prost(message, repeated, tag = "2")]
    pub records: Vec<T>,
}

/// `opentelemetry.proto.logs.v1.LogRecord`
#[derive(Clone, PartialEq, prost::Message)]
pub struct LogRecord {
    #[prost(message, optional, tag = "5")]
    pub body: Option<AnyValue>,
    #[prost(bytes = "vec", tag = "9")]
    pub trace_id: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct AnyValue {
    #[prost(string, optional, tag = "1")]
    pub string_value: Option<String>,
}

/// `opentelemetry.proto.trace.v1.Span`
#[derive(Clone, PartialEq, prost::Message)]
pub struct Span {
    #[prost(bytes = "vec", tag = "1")]
    pub trace_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    pub span_id: Vec<u8>,
    #[prost(bytes = "vec", tag = "4")]
    pub parent_span_id: Vec<u8>,
    #[prost(string, tag = "5")]
    pub name: String,
    /// 2 is a server, 3 a client.
    #[prost(int32, tag = "6")]
    pub kind: i32,
}
