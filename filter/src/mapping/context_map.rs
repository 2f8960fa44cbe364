//! `$context` as a template sees it: a map of texts and of maps. None of its maps prints as anything (recorded:
//! `test_sqs_amz_json_protocol`, which also has the names).

use crate::context::{Context, IDENTITY, IDENTITY_IF_KNOWN};
use crate::platform::Platform;
use crate::value::{Heap, Map, Text, Value, parse};

/// What is always there, with or without a value.
const NAMES: [&str; 15] = [
    "resourceId",
    "resourcePath",
    "httpMethod",
    "extendedRequestId",
    "requestTime",
    "path",
    "accountId",
    "protocol",
    "stage",
    "domainPrefix",
    "requestTimeEpoch",
    "requestId",
    "domainName",
    "deploymentId",
    "apiId",
];

/// What is there only with a value.
const SOMETIMES: [&str; 4] = ["isCanaryRequest", "awsEndpointRequestId", "wafResponseCode", "webaclArn"];
const ERROR: [&str; 4] = ["message", "messageString", "responseType", "validationErrorString"];

/// Reads variables of a request into maps.
struct Reader<'a> {
    context: &'a Context,
    platform: &'a dyn Platform,
}

/// The map, with the override maps that an earlier template left as JSON, else with empty ones.
pub fn context_map(context: &Context, overrides: Option<&str>, platform: &dyn Platform, heap: &mut Heap) -> Value {
    let reader = Reader { context, platform };
    let mut map = reader.map("", &NAMES, &SOMETIMES);
    let identity = silent(reader.map("identity.", &IDENTITY, &IDENTITY_IF_KNOWN), heap);
    map.insert(Text::from("identity"), identity);
    if let Some(authorizer) = reader.authorizer(heap) {
        map.insert(Text::from("authorizer"), authorizer);
    }
    if context.error.is_some() {
        let error = silent(reader.map("error.", &[], &ERROR), heap);
        map.insert(Text::from("error"), error);
    }
    let kept = overrides.and_then(|json| parse(&Text::from(json), heap).ok()).unwrap_or_default();
    for (name, parts) in [("requestOverride", ["header", "path", "querystring"].as_slice()), ("responseOverride", &["header"])] {
        let overrides = heap.member(&kept, name).cloned().unwrap_or_default();
        let overrides = silenced(overrides, heap);
        for part in parts {
            let inner = heap.member(&overrides, part).cloned().unwrap_or_default();
            let inner = silenced(inner, heap);
            if let Value::Map(id) = &overrides {
                if let Some(map) = heap.map_mut(*id) {
                    map.insert(Text::from(*part), inner);
                }
            }
        }
        map.insert(Text::from(name), overrides);
    }
    silent(map, heap)
}

/// A map that prints as nothing.
pub fn silent(mut map: Map, heap: &mut Heap) -> Value {
    map.silence();
    heap.new_map(map)
}

/// The same map, now printing as nothing; an empty one in the place of what is no map.
fn silenced(value: Value, heap: &mut Heap) -> Value {
    match &value {
        Value::Map(id) => {
            if let Some(map) = heap.map_mut(*id) {
                map.silence();
            }
            value
        }
        _ => silent(Map::new(), heap),
    }
}

// === impl Reader ===

impl Reader<'_> {
    fn map(&self, prefix: &str, always: &[&str], sometimes: &[&str]) -> Map {
        let mut map = Map::new();
        self.read(&mut map, prefix, always, true);
        self.read(&mut map, prefix, sometimes, false);
        map
    }

    fn read(&self, map: &mut Map, prefix: &str, names: &[&str], always: bool) {
        for name in names {
            let value = self.context.variable(&[prefix, name].concat(), self.platform);
            if always || value.is_some() {
                map.insert(Text::from(*name), value.map_or(Value::Null, Value::text));
            }
        }
    }

    /// What an authorizer said; nothing where none did.
    fn authorizer(&self, heap: &mut Heap) -> Option<Value> {
        let facts = &self.context.authorizer;
        if facts.principal_id.is_none() && facts.context.is_empty() && facts.claims.is_none() {
            return None;
        }
        let mut map = Map::new();
        let names: Vec<&str> = facts.context.keys().map(String::as_str).collect();
        self.read(&mut map, "authorizer.", &names, true);
        self.read(&mut map, "authorizer.", &["principalId"], false);
        if let Some(claims) = &facts.claims {
            let entries = claims.iter().map(|(name, value)| (Text::from(name), Value::text(value.as_str()))).collect();
            let claims = silent(Map::from_entries(entries), heap);
            map.insert(Text::from("claims"), claims);
        }
        Some(silent(map, heap))
    }
}
