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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::{Document, Outline};
    use crate::flow::NoReply;
    use crate::http::{Response, ResponseHead};
    use crate::problem::Problems;
    use serde_json::json;

    #[test]
    fn only_a_200_of_at_most_256_kib_is_an_answer() {
        let answer = |status, length| {
            let outcome = Ok(Response { head: ResponseHead { status, ..ResponseHead::default() }, body: vec![b' '; length] });
            body(&outcome).map(<[u8]>::len)
        };
        assert_eq!([answer(200, 0), answer(200, 262_144)], [Ok(0), Ok(262_144)]);
        assert_eq!(answer(200, 262_145), Err("has more than 256 KiB".to_owned()));
        for status in [0, 199, 201, 204, 301, 404, 500] {
            assert_eq!(answer(status, 2), Err(format!("came with status {status}")));
        }
        assert_eq!(body(&Err(NoReply)).map(<[u8]>::len), Err("did not come".to_owned()));
    }

    #[test]
    fn an_issuer_speaks_for_itself_only() {
        let read = |document: Value| read_discovery(document.to_string().as_bytes(), "https://i.test");
        let told = |text: &str| Err(text.to_owned());
        assert_eq!(read(json!({"issuer": "https://i.test", "jwks_uri": "u"})), Ok("u".to_owned()));
        assert_eq!(read(json!({"issuer": "https://i.test/", "jwks_uri": "u"})), told("names another issuer: `https://i.test/`"));
        assert_eq!(read(json!({"issuer": 1, "jwks_uri": "u"})), told("names no `issuer`"));
        assert_eq!(read(json!({"jwks_uri": "u"})), told("names no `issuer`"));
        assert_eq!(read(json!({"issuer": "https://i.test"})), told("names no `jwks_uri`"));
        assert_eq!(read_discovery(b"{", "https://i.test"), told("is not JSON"));
    }

    #[test]
    fn keys_come_from_a_host_of_the_document_and_over_no_less_than_the_issuer() {
        let document = json!({"upstreams": {"keys.test": {"cluster": "keys"}}});
        let outline = Outline::from_value(&document);
        let directory = Document::read(&outline, &mut Problems::default()).directory;
        let place = |home: &str, uri: &str| {
            let home = Place { url: Url::parse(home).unwrap(), cluster: "home".to_owned() };
            place_of(uri, &home, &directory).map(|place| (place.cluster, place.url.path))
        };
        let found = || Ok(("keys".to_owned(), "/jwks?x=1".to_owned()));
        assert_eq!(place("https://i.test", "https://keys.test/jwks?x=1"), found());
        assert_eq!(place("http://i.test", "https://keys.test/jwks?x=1"), found());
        assert_eq!(place("http://i.test", "http://keys.test/jwks?x=1"), found());
        for (home, uri, told) in [
            ("https://i.test", "http://keys.test/jwks", "its `jwks_uri` is no https URL: `http://keys.test/jwks`"),
            ("http://i.test", "ftp://keys.test/jwks", "its `jwks_uri` is no https URL: `ftp://keys.test/jwks`"),
            ("https://i.test", "https://other.test/jwks", "no upstream for `other.test`, where its keys are"),
        ] {
            let refused = place(home, uri).unwrap_err();
            assert!(refused.starts_with(told), "{refused}");
        }
    }
}
