//! What manifests for Kubernetes have in common.

use serde_json::{Map, Value, json};

use crate::cli::Failure;

/// What etcd stores of one object, by default, and the API server sends.
const LARGEST: usize = 1_500_000;

/// Where the module is fetched from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// `oci://…`, `https://…`, `http://…` or `file://…`
    pub url: String,
    /// Of the module, or the digest of the image.
    pub sha256: Option<String>,
}

/// A resource.
pub fn resource(api_version: &str, kind: &str, namespace: &str, name: &str, spec: Value) -> Value {
    json!({ "apiVersion": api_version, "kind": kind, "metadata": { "name": name, "namespace": namespace }, "spec": spec })
}

/// A name that Kubernetes takes, made of a host's.
pub fn name_of(prefix: &str, host: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let host: String = host.chars().map(plain).collect();
    let name = format!("{prefix}-{}", host.trim_matches('-'));
    // Room for a number behind it.
    name.chars().take(240).collect::<String>().trim_end_matches('-').to_owned()
}

/// A name of RFC 1123, as Kubernetes wants it of namespaces and most resources; it also stands within names of Envoy's filters.
pub fn name(text: &str) -> Result<String, String> {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_good = (1..=63).contains(&text.len()) && text.chars().all(is_plain) && !text.starts_with('-') && !text.ends_with('-');
    if is_good { Ok(text.to_owned()) } else { Err("names have a-z, 0-9 and `-` within, 63 characters at most".to_owned()) }
}

/// `app=edge,tier=front`
pub fn labels(text: &str) -> Result<Value, Failure> {
    let wrong = || Failure::usage(format!("`{text}` is no selector")).help("write labels as `istio=ingressgateway,tier=front`");
    let mut labels = Map::new();
    for label in text.split(',') {
        let (name, value) = label.split_once('=').filter(|(name, _)| !name.trim().is_empty()).ok_or_else(wrong)?;
        labels.insert(name.trim().to_owned(), value.trim().into());
    }
    Ok(Value::Object(labels))
}

/// All of them, as one stream of YAML, behind a comment.
pub fn stream(comment: &[String], resources: &[Value]) -> Result<String, Failure> {
    let mut text: String = comment.iter().map(|line| format!("# {line}\n").replace("# \n", "#\n")).collect();
    for resource in resources {
        text.push_str("---\n");
        text.push_str(&super::yaml(resource)?);
    }
    Ok(text)
}

/// What etcd does not take.
pub fn warning(resources: &[Value], is_minified: bool) -> Option<String> {
    let largest = resources.iter().max_by_key(|resource| resource.to_string().len())?;
    let size = largest.to_string().len();
    let help =
        if is_minified { "split the document into several, by stages or APIs" } else { "`--minify` makes it smaller; or split it" };
    (size > LARGEST).then(|| {
        let (kind, name) = (&largest["kind"], &largest["metadata"]["name"]);
        format!("warning: {kind} {name} has {size} bytes, and etcd takes 1.5 MB: {help}").replace('"', "`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_read_and_names_are_made_as_kubernetes_takes_them() {
        assert_eq!(labels("istio=ingressgateway, a=b").unwrap(), json!({"istio": "ingressgateway", "a": "b"}));
        assert!(labels("istio").is_err());
        assert_eq!(name_of("tollgate", "Pets.example.com:81"), "tollgate-pets-example-com-81");
    }

    #[test]
    fn what_is_no_name_of_kubernetes_is_refused() {
        assert_eq!(name("edge-2"), Ok("edge-2".to_owned()));
        for text in ["", "-a", "a-", "A", "a_b", "a.b", "a')]", &"a".repeat(64)] {
            assert!(name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_is_too_large_for_etcd_is_told_with_what_to_do() {
        let large = resource("v1", "EnvoyFilter", "n", "tollgate", "x".repeat(LARGEST).into());
        let told = warning(std::slice::from_ref(&large), false).unwrap();
        assert!(told.contains("`EnvoyFilter` `tollgate`") && told.contains("`--minify`"), "{told}");
        assert!(warning(&[large], true).unwrap().contains("split the document"));
        assert_eq!(warning(&[resource("v1", "A", "n", "a", json!({}))], false), None);
    }
}
