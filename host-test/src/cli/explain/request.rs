//! The request as the command line writes it, made into the head that the filter would see behind Envoy.

use tollgate::gateway::{Gateway, Stage};
use tollgate::http::RequestHead;

use super::Arguments;
use crate::cli::{Failure, given};

/// What is asked.
pub struct Asked {
    /// The head.
    pub head: RequestHead,
    /// The body, empty for none.
    pub body: Vec<u8>,
    /// What was made of the path, where it is not what was written.
    pub remark: Option<String>,
}

// === impl Asked ===

impl Asked {
    /// Reads it; the gateway says which domain and base path are meant where none is written.
    pub fn read(arguments: &Arguments, gateway: &Gateway) -> Result<Self, Failure> {
        if !arguments.method.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'-') || arguments.method.is_empty() {
            return Err(
                Failure::usage(format!("`{}` is no method", arguments.method)).help("write the method first, such as `GET`")
            );
        }
        let (host, path) = target(&arguments.path)?;
        let header = arguments.headers.iter().rev().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let host = header.map(|(_, value)| value.as_str()).or(host).unwrap_or_else(|| domain(gateway)).to_owned();
        let (path, remark) = match below_stage(gateway, &host, &path) {
            Some(whole) => {
                let remark = format!("`{path}` is below no stage; what follows is of `{whole}`");
                (whole, Some(remark))
            }
            None => (path, None),
        };
        let body = arguments.body.as_deref().map(given::bytes).transpose()?.unwrap_or_default();
        let mut head = RequestHead {
            method: arguments.method.to_ascii_uppercase(),
            path: path.into_bytes(),
            authority: host.into_bytes(),
            scheme: "http".to_owned(),
            ..RequestHead::default()
        };
        for (name, value) in arguments.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("host")) {
            head.headers.append(name.to_ascii_lowercase(), value.as_bytes());
        }
        if !body.is_empty() && !head.headers.contains("content-length") {
            head.headers.append("content-length", body.len().to_string());
        }
        // What Envoy adds at the edge.
        if !head.headers.contains("x-forwarded-for") {
            head.headers.append("x-forwarded-for", "127.0.0.1");
        }
        head.headers.set("x-forwarded-proto", "http");
        Ok(Self { head, body, remark })
    }
}

/// `/path`, `domain/path` or a URL: the domain, where there is one, and the path.
fn target(text: &str) -> Result<(Option<&str>, String), Failure> {
    if text.is_empty() || text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
        let help = "write it as a client sends it, such as `/prod/pets/3?a=b%20c`";
        return Err(Failure::usage(format!("`{text}` is no path")).help(help));
    }
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text);
    let start = rest.find(['/', '?']).unwrap_or(rest.len());
    let (host, path) = rest.split_at_checked(start).unwrap_or((rest, ""));
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok(((!host.is_empty()).then_some(host), format!("{slash}{path}")))
}

/// The one domain that the first stage is limited to, or this machine.
fn domain(gateway: &Gateway) -> &str {
    gateway.stages().next().and_then(|stage| stage.hosts.first()).map_or("localhost", String::as_str)
}

/// The path below the only stage, where that is a path of it and what was written is none: the console's Test knows resources and no
/// stages.
fn below_stage(gateway: &Gateway, host: &str, path: &str) -> Option<String> {
    let mut stages = gateway.stages();
    let (Some(Stage { base_path, .. }), None) = (stages.next(), stages.next()) else { return None };
    let is_found = |path: &str| gateway.find(host, path.split('?').next().unwrap_or_default()).is_some();
    let whole = format!("{base_path}{path}");
    (!is_found(path) && is_found(&whole)).then_some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_path_or_a_domain_and_a_path() {
        for (text, host, path) in [
            ("/a/b?c=/d", None, "/a/b?c=/d"),
            ("api.test/a", Some("api.test"), "/a"),
            ("https://api.test:81/a?b", Some("api.test:81"), "/a?b"),
            ("http://api.test", Some("api.test"), "/"),
            ("api.test?a=b", Some("api.test"), "/?a=b"),
        ] {
            assert_eq!(target(text).unwrap(), (host, path.to_owned()), "{text}");
        }
        assert!(target("").is_err() && target("/a b").is_err());
    }
}
