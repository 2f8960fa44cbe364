//! Asks a `tollgate serve` at its admin address.

use std::time::Duration;

use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::{StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::cli::Failure;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The report of a server.
pub async fn fetch(admin: &Uri) -> Result<Value, Failure> {
    let Some(authority) = admin.authority().filter(|_| admin.scheme_str() == Some("http")) else {
        return Err(Failure::usage(format!("`{admin}` is no address")).help("write it as `http://127.0.0.1:9901`"));
    };
    let help = "start the server with `tollgate serve FILE --admin 127.0.0.1:9901`";
    let failed = |why: String| Failure::new(format!("no answer from http://{authority}/usage: {why}")).help(help);
    let uri = Uri::builder().scheme("http").authority(authority.clone()).path_and_query("/usage").build();
    let uri = uri.map_err(|error| failed(error.to_string()))?;
    let client: Client<_, Empty<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let answer = async {
        let response = client.get(uri).await.map_err(|error| failed(root_cause(&error)))?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|error| failed(error.to_string()))?.to_bytes();
        match serde_json::from_slice::<Value>(&body) {
            Ok(report) if status == StatusCode::OK && report["usage"].is_array() => Ok(report),
            _ => Err(failed(format!("what answers with status {status} there is no `tollgate serve`"))),
        }
    };
    tokio::time::timeout(TIMEOUT, answer).await.unwrap_or_else(|_| Err(failed(format!("nothing within {} s", TIMEOUT.as_secs()))))
}

/// The innermost error says what happened; those around it say only that something did.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
