//! Parameter mapping of HTTP APIs: what `append:`, `overwrite:` and `remove:` make of headers, queries, paths and statuses. AWS:
//! "Transform API requests and responses for HTTP APIs in API Gateway".

mod request;
mod response;

pub use request::HttpRequestParameters;
pub use response::HttpResponseParameters;

use super::is_reserved;
use crate::definition::Node;
use crate::http::{Headers, is_field_name, is_field_value};
use crate::mapping::{HttpExpression, Origin, Side, Sources};
use crate::platform::Platform;
use crate::problem::Problems;

/// What is done to the values of a name, in this order, whichever was written first: assumed(http-mapping-order).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Action {
    Remove,
    Overwrite,
    Append,
}

const ACTIONS: [(&str, Action); 3] = [("append", Action::Append), ("overwrite", Action::Overwrite), ("remove", Action::Remove)];

/// One mapping to a header or a parameter of the query.
#[derive(Debug)]
struct Mapping {
    action: Action,
    name: String,
    /// None: what is there is removed.
    value: Option<HttpExpression>,
}

/// What a mapping came to.
#[derive(Debug)]
struct Mapped<'a> {
    action: Action,
    name: &'a str,
    value: Option<Vec<u8>>,
}

/// Names that AWS lets nobody map, in either direction; those that end in a dash begin a family.
const RESERVED: [&str; 22] = [
    "access-control-",
    "apigw-",
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-location",
    "forwarded",
    "keep-alive",
    "origin",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailers",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-amz-",
    "x-amzn-",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
];

/// Names that say something of one connection, which no mapping of ours may either.
const OWN_RESERVED: [&str; 3] = ["expect", "proxy-connection", "trailer"];

/// `append:header.x` as what is done, and to what.
fn target(key: &str) -> Option<(Action, &str)> {
    let (action, what) = key.split_once(':')?;
    ACTIONS.iter().find(|(name, _)| *name == action).map(|(_, action)| (*action, what))
}

/// Reads the value of a mapping. One without a value is none: so AWS takes a mapping away from an integration (documented).
fn compile_value(node: &Node<'_>, side: Side, problems: &mut Problems) -> Option<HttpExpression> {
    if node.value.as_str() == Some("") {
        problems.warning(&node.path, "a mapping without a value is none", Some("write what the value is made of"));
        return None;
    }
    HttpExpression::compile(node, side, problems)
}

// === impl Mapping ===

impl Mapping {
    /// Reads a mapping to a header.
    fn header(action: Action, name: &str, node: &Node<'_>, side: Side, problems: &mut Problems) -> Option<Self> {
        let name = name.to_ascii_lowercase();
        let name = name.as_str();
        if !is_field_name(name) {
            problems.error(&node.path, format!("`{name}` is no header name"), None);
            return None;
        }
        let listed = |reserved: &&str| if reserved.ends_with('-') { name.starts_with(*reserved) } else { name == *reserved };
        if RESERVED.iter().any(listed) || OWN_RESERVED.contains(&name) {
            let help = "AWS's page has the list of headers that no HTTP API maps";
            problems.error(&node.path, format!("`{name}` is reserved and cannot be mapped"), Some(help));
            return None;
        }
        if is_reserved(name) {
            problems.error(&node.path, format!("`{name}` is the gateway's own and cannot be mapped"), None);
            return None;
        }
        let mapping = Self::compile(action, name, node, side, problems)?;
        if mapping.value.iter().flat_map(HttpExpression::texts).any(|text| !is_field_value(text.as_bytes())) {
            problems.error(
                &node.path,
                "a text with a line end or another control character in it, which no header can carry",
                None,
            );
            return None;
        }
        Some(mapping)
    }

    fn compile(action: Action, name: &str, node: &Node<'_>, side: Side, problems: &mut Problems) -> Option<Self> {
        let value = if action == Action::Remove {
            if !matches!(node.value.as_str(), Some("" | "''")) {
                problems.warning(&node.path, "what is removed has no value", Some("write `''`"));
            }
            None
        } else {
            Some(compile_value(node, side, problems)?)
        };
        Some(Self { action, name: name.to_owned(), value })
    }
}

/// What mappings come to, in the order in which they are applied.
fn evaluate<'a>(
    mappings: &'a [Mapping],
    sources: &Sources<'_>,
    platform: &dyn Platform,
    written: &dyn Fn(Origin, Vec<u8>) -> Vec<u8>,
) -> Vec<Mapped<'a>> {
    let mut mapped = Vec::with_capacity(mappings.len());
    for action in [Action::Remove, Action::Overwrite, Action::Append] {
        for Mapping { name, value, .. } in mappings.iter().filter(|mapping| mapping.action == action) {
            let value = value.as_ref().and_then(|value| value.value_with(sources, platform, written));
            mapped.push(Mapped { action, name, value });
        }
    }
    mapped
}

/// What mappings to headers come to. What no header can carry is no value.
fn evaluate_headers<'a>(mappings: &'a [Mapping], sources: &Sources<'_>, platform: &dyn Platform) -> Vec<Mapped<'a>> {
    let mut mapped = evaluate(mappings, sources, platform, &|_, piece| piece);
    for mapped in &mut mapped {
        mapped.value = mapped.value.take().filter(|value| is_field_value(value));
    }
    mapped
}

/// Changes header fields.
fn apply(mapped: &[Mapped<'_>], headers: &mut Headers) {
    for Mapped { action, name, value } in mapped {
        // Also where the new value is missing: assumed(http-missing-source). What only the gateway knows of a caller, no client may
        // say in its place.
        if *action != Action::Append {
            headers.remove(name);
        }
        if let Some(value) = value {
            headers.append(*name, value.as_slice());
        }
    }
}

/// A line a mapping, for people.
fn describe(place: &str, mapped: &[Mapped<'_>], lines: &mut Vec<String>) {
    for Mapped { action, name, value } in mapped {
        let action = ACTIONS.iter().find(|(_, known)| known == action).map_or("", |(name, _)| *name);
        let value = String::from_utf8_lossy(value.as_deref().unwrap_or_default());
        lines.push(format!("{action}:{place}.{name}: {value}"));
    }
}

#[cfg(test)]
mod tests;
