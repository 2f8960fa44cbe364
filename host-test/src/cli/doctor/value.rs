//! Envoy's configuration as JSON: a field is found by its protobuf name, however it is spelt.

use std::time::Duration;

use serde_json::Value;

/// A field by its name in protobuf; JSON may have it in camelCase. One that is null is not there.
pub fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    let found = object.get(name).or_else(|| object.get(&camel(name)));
    found.filter(|value| !value.is_null())
}

/// A field some steps further down, `a.b.c`.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, field)
}

/// A text below.
pub fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    at(value, path)?.as_str()
}

/// A number below; 64 bits are texts in JSON.
pub fn number(value: &Value, path: &str) -> Option<u64> {
    let found = at(value, path)?;
    found.as_u64().or_else(|| found.as_f64().map(|number| number as u64)).or_else(|| found.as_str()?.parse().ok())
}

/// A duration below, as JSON writes it: `1.5s`
pub fn duration(value: &Value, path: &str) -> Option<Duration> {
    let seconds: f64 = text(value, path)?.strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// The elements of a list below; none where there is no list.
pub fn list<'a>(value: &'a Value, path: &str) -> &'a [Value] {
    at(value, path).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether an `Any` is of a type, by the end of its name: `v3.Wasm`
pub fn is_a(any: &Value, name: &str) -> bool {
    any.get("@type").and_then(Value::as_str).is_some_and(|url| url.ends_with(name))
}

/// What an `Any` holds; a `TypedStruct` stands for the type that it names.
pub fn unwrap(any: &Value) -> Value {
    let (Some(url), Some(inner)) = (text(any, "type_url"), any.get("value").filter(|_| is_a(any, ".TypedStruct"))) else {
        return any.clone();
    };
    let mut inner = inner.clone();
    if let Some(members) = inner.as_object_mut() {
        members.insert("@type".to_owned(), url.into());
    }
    inner
}

fn camel(name: &str) -> String {
    let mut upper = false;
    let mut out = String::new();
    for c in name.chars() {
        match c {
            '_' => upper = true,
            c if upper => {
                out.push(c.to_ascii_uppercase());
                upper = false;
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_field_is_found_in_both_spellings_and_a_null_is_none() {
        let value = json!({"merge_slashes": true, "routeConfig": {"virtualHosts": [1]}, "timeout": "1.5s", "max": "7", "x": null});
        assert_eq!(field(&value, "merge_slashes"), Some(&json!(true)));
        assert_eq!(list(&value, "route_config.virtual_hosts"), [json!(1)]);
        assert_eq!(duration(&value, "timeout"), Some(Duration::from_millis(1500)));
        assert_eq!((number(&value, "max"), field(&value, "x")), (Some(7), None));
    }

    #[test]
    fn a_typed_struct_is_what_it_names() {
        let any = json!({"@type": "type.googleapis.com/xds.type.v3.TypedStruct", "type_url": "t/v3.Wasm", "value": {"config": {}}});
        assert!(is_a(&unwrap(&any), "v3.Wasm"));
    }
}
