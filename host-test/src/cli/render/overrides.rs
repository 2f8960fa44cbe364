//! What a template set in `$context.requestOverride` and `$context.responseOverride`, as far as API Gateway does something about it.

use serde_json::{Map, Value, json};
use tollgate::mapping::Overrides;

use crate::cli::diagnostics::printable;

/// A line each.
pub fn lines(overrides: &Overrides) -> String {
    let mut lines = String::new();
    for (map, part, entries) in parts(overrides) {
        for (name, values) in entries {
            for value in values {
                lines.push_str(&format!("{map}.{part}.{}: {}\n", printable(name), printable(value)));
            }
        }
    }
    if let Some(status) = overrides.status {
        lines.push_str(&format!("responseOverride.status: {status}\n"));
    }
    lines
}

/// As templates write it; a name of several values has a list.
pub fn to_json(overrides: &Overrides) -> Value {
    let mut root = Map::new();
    for (map, part, entries) in parts(overrides).into_iter().filter(|(.., entries)| !entries.is_empty()) {
        let value = |values: &Vec<String>| match values.as_slice() {
            [value] => json!(value),
            values => json!(values),
        };
        let entries: Map<String, Value> = entries.iter().map(|(name, values)| (name.clone(), value(values))).collect();
        root.entry(map).or_insert_with(|| json!({}))[part] = Value::Object(entries);
    }
    if let Some(status) = overrides.status {
        root.entry("responseOverride").or_insert_with(|| json!({}))["status"] = json!(status);
    }
    Value::Object(root)
}

type Entries = [(String, Vec<String>)];

fn parts(overrides: &Overrides) -> [(&'static str, &'static str, &Entries); 4] {
    [
        ("requestOverride", "header", &overrides.request_headers),
        ("requestOverride", "path", &overrides.request_path),
        ("requestOverride", "querystring", &overrides.request_querystring),
        ("responseOverride", "header", &overrides.response_headers),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_overridden_is_shown_in_both_forms_and_nothing_else() {
        let mut overrides = Overrides::default();
        assert_eq!((lines(&overrides), to_json(&overrides)), (String::new(), json!({})));
        overrides.response_headers = vec![("X-A".to_owned(), vec!["1".to_owned(), "2\n".to_owned()])];
        overrides.request_path = vec![("id".to_owned(), vec!["3".to_owned()])];
        overrides.status = Some(400);
        let shown = "requestOverride.path.id: 3\nresponseOverride.header.X-A: 1\nresponseOverride.header.X-A: 2\\n\nresponseOverride.status: 400\n";
        assert_eq!(lines(&overrides), shown);
        let object =
            json!({"requestOverride": {"path": {"id": "3"}}, "responseOverride": {"header": {"X-A": ["1", "2\n"]}, "status": 400}});
        assert_eq!(to_json(&overrides), object);
    }
}
