//! Whom an issuer is asked through, and how its answers are read.
//!
//! OpenID Connect Discovery 1.0, section 4.

use super::url::Url;
use crate::definition::Directory;
use crate::flow::CalloutOutcome;
use serde_json::Value;

/// A URL and the cluster that reaches it.
#[derive(Debug, Clone)]
pub struct Place {
    /// What to ask for.
    pub url: Url,
    /// Whom to ask.
    pub cluster: String,
}

/// The longest answer that is read.
pub const BODY_LIMIT: usize = 256 * 1024;

/// The body of an answer; an error says what came instead.
pub fn body(outcome: &CalloutOutcome) -> Result<&[u8], String> {
    match outcome {
        Err(_) => Err("did not come".to_owned()),
        Ok(response) if response.head.status != 200 => Err(format!("came with status {}", response.head.status)),
        Ok(response) if response.body.len() > BODY_LIMIT => Err("has more than 256 KiB".to_owned()),
        Ok(response) => Ok(&response.body),
    }
}

/// Where the keys are. OpenID Connect Discovery 1.0, section 4.3: the issuer must be exactly the one that was asked.
pub fn read_discovery(body: &[u8], issuer: &str) -> Result<String, String> {
    let document: Value = serde_json::from_slice(body).map_err(|_| "is not JSON")?;
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    match text("issuer") {
        Some(named) if named == issuer => {}
        Some(named) => return Err(format!("names another issuer: `{}`", named.escape_debug())),
        None => return Err("names no `issuer`".to_owned()),
    }
    text("jwks_uri").map(str::to_owned).ok_or_else(|| "names no `jwks_uri`".to_owned())
}

/// Only who is in the document may be called, over no less than what the issuer itself is called over.
pub fn place_of(uri: &str, home: &Place, directory: &Directory) -> Result<Place, String> {
    let url = Url::parse(uri).filter(|url| url.scheme == "https" || url.scheme == home.url.scheme);
    let url = url.ok_or_else(|| format!("its `jwks_uri` is no https URL: `{}`", uri.escape_debug()))?;
    match directory.find(&url.authority) {
        Some(cluster) => Ok(Place { cluster: cluster.to_owned(), url }),
        None => {
            let host = &url.authority;
            Err(format!("no upstream for `{host}`, where its keys are; help: add `upstreams: {{\"{host}\": {{cluster: NAME}}}}`"))
        }
    }
}
