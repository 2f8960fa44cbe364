//! SARIF 2.1.0, the format in which code scanning services and editors take findings.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::problem::Severity;

use super::report::{Item, Report, Tally};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// All reports as one run. `docs` is where the pages are published: a rule's `helpUri` has to be a whole URI.
pub fn sarif(reports: &[Report], docs: Option<&str>) -> String {
    let items: Vec<&Item> = reports.iter().flat_map(|report| &report.items).collect();
    let mut rules: BTreeMap<String, &Item> = BTreeMap::new();
    for item in &items {
        rules.entry(id(item)).or_insert(item);
    }
    let order: Vec<&String> = rules.keys().collect();
    let results = items.iter().map(|item| {
        let id = id(item);
        let index = order.iter().position(|known| **known == id);
        result(item, &id, index.unwrap_or(0))
    });
    let Tally { settings, served } = Tally::sum(reports.iter().map(Report::tally));
    let rules: Vec<Value> = rules.iter().map(|(id, item)| rule(id, item, docs)).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": "tollgate", "semanticVersion": env!("CARGO_PKG_VERSION"), "rules": rules}},
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
            "properties": {"settings": settings, "served": served},
        }],
    });
    format!("{log:#}\n")
}

/// The feature where the message is one of the parity page's, else the kind of setting: a name that stays the same.
fn id(item: &Item) -> String {
    let (name, prefix) = match item.feature {
        Some(feature) => (feature.name.as_str(), ""),
        None => (item.kind.as_str(), "invalid-"),
    };
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    format!("{prefix}{}", words.collect::<Vec<_>>().join("-").to_ascii_lowercase())
}

fn rule(id: &str, item: &Item, docs: Option<&str>) -> Value {
    let about = item.feature.map_or_else(|| format!("a mistake in the definition: {}", item.kind.as_str()), |f| f.name.clone());
    let mut rule = json!({
        "id": id,
        "shortDescription": {"text": about},
        "help": {"text": format!("see {}", item.link())},
        "defaultConfiguration": {"level": level(item)},
    });
    if let Some(docs) = docs {
        // The pages are named from the root of the repository, `docs` is their folder.
        let page = item.link().trim_start_matches("docs/");
        rule["helpUri"] = format!("{}/{page}", docs.trim_end_matches('/')).into();
    }
    rule
}

fn result(item: &Item, id: &str, index: usize) -> Value {
    let diagnostic = &item.diagnostic;
    let help = diagnostic.help.as_ref().map(|help| format!("; help: {help}")).unwrap_or_default();
    let mut physical = json!({"artifactLocation": {"uri": uri(&diagnostic.file)}});
    if let Some(place) = &diagnostic.place {
        physical["region"] = json!({"startLine": place.line, "startColumn": place.column});
    }
    json!({
        "ruleId": id,
        "ruleIndex": index,
        "level": level(item),
        "message": {"text": format!("{}{help} ({}: {})", diagnostic.message, item.fate.as_str(), item.consequence)},
        "locations": [{
            "physicalLocation": physical,
            "logicalLocations": [{"fullyQualifiedName": diagnostic.path}],
        }],
        "properties": {"settings": item.settings},
    })
}

fn level(item: &Item) -> &'static str {
    match item.diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

/// The path of a file as a URI reference.
fn uri(file: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let encoded = file.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") });
    let path: String = encoded.collect();
    // A whole path is one of the scheme `file`.
    if path.starts_with('/') { format!("file://{path}") } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_uri() {
        assert_eq!(uri("a b/ü%.yaml"), "a%20b/%C3%BC%25.yaml");
        assert_eq!(uri("/tmp/a.yaml"), "file:///tmp/a.yaml");
        assert_eq!(uri("<stdin>"), "%3Cstdin%3E");
    }
}
