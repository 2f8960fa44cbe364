//! `requestParameters` of a subtype: a value of HTTP APIs for each parameter of the service.

use super::call::{Filled, Unusable};
use super::table::Row;
use crate::definition::Node;
use crate::integration::Scope;
use crate::integration::uri::with_stage_variables;
use crate::mapping::{HttpExpression, Origin, Side, Sources};
use crate::platform::Platform;
use crate::problem::quoted;
use serde_json::Value;
use std::cell::Cell;

/// A compiled parameter.
#[derive(Debug)]
pub struct Parameter {
    name: &'static str,
    value: HttpExpression,
    /// Its static text begins as JSON does.
    is_json: bool,
}

/// Taken by every subtype, and part of the host.
const REGION: &str = "Region";

/// Where a piece of a JSON text ends.
#[derive(Debug, Clone, Copy, Default)]
struct Place {
    in_string: bool,
    escaped: bool,
    /// Something was put in that would change the text around it.
    is_broken: bool,
}

/// Reads the parameters of a subtype.
pub fn compile_all(row: &Row, node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Vec<Parameter> {
    let help = || {
        let optional = [row.optional, &[REGION]].concat();
        format!("`{}` needs {}, and takes {}", row.name, quoted(row.required), quoted(&optional))
    };
    let given = node.get("requestParameters");
    let mut parameters = Vec::new();
    for (name, value) in given.as_ref().map(|given| given.members(scope.problems)).unwrap_or_default() {
        if name == REGION {
            continue;
        }
        let Some(known) = row.required.iter().chain(row.optional).find(|known| **known == name) else {
            scope.problems.stray(&value.path, format!("`{}` has no parameter `{name}`", row.name), Some(&help()));
            continue;
        };
        parameters.extend(Parameter::compile(known, &value, scope));
    }
    let place = given.as_ref().unwrap_or(node);
    for name in row.required.iter().filter(|name| place.get(name).is_none()) {
        scope.problems.error(&place.path, format!("no `{name}`"), Some(&help()));
    }
    parameters
}

/// The region that is called: `Region`, or the API's own. assumed(subtype-region): whatever the URL of a queue, or an ARN, says.
pub fn region(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> String {
    let own = scope.region.to_owned();
    let Some(value) = node.get("requestParameters").and_then(|parameters| parameters.get(REGION)) else { return own };
    let Some(text) = value.text(scope.problems) else { return own };
    let region = with_stage_variables(&text, scope.variables);
    if region.contains('$') {
        let help = "name the region, or take it from a stage variable: `${stageVariables.NAME}`";
        scope.problems.error(&value.path, "not served: a region that is made of a request's values", Some(help));
        return own;
    }
    if region.is_empty() || !region.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
        scope.problems.error(&value.path, format!("`{region}` is no region"), Some("write it as in `us-east-1`"));
        return own;
    }
    region
}

// === impl Parameter ===

impl Parameter {
    fn compile(name: &'static str, node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Option<Self> {
        let value = HttpExpression::compile(node, Side::Request, scope.problems)?;
        if node.value.as_str().is_some_and(str::is_empty) {
            scope.problems.error(&node.path, format!("`{name}` is empty"), None);
        }
        let is_json = value.texts().next().is_some_and(|text| text.trim_start().starts_with(['{', '[']));
        Some(Self { name, value, is_json })
    }

    pub fn needs_body(&self) -> bool {
        self.value.needs_body()
    }

    /// What it holds for this request. Bytes that are no UTF-8 are replaced.
    pub fn fill(&self, sources: &Sources<'_>, platform: &dyn Platform) -> Result<Filled, Unusable> {
        let place = Cell::new(Place::default());
        let value = if self.is_json {
            self.value.value_with(sources, platform, &|origin, piece| place.get().put(origin, piece, &place))
        } else {
            self.value.value(sources, platform)
        };
        let text = value.filter(|value| !value.is_empty() && !place.get().is_broken).ok_or(Unusable(self.name))?;
        let text = String::from_utf8(text).unwrap_or_else(|invalid| String::from_utf8_lossy(invalid.as_bytes()).into_owned());
        Ok((self.name, text))
    }
}

// === impl Place ===

impl Place {
    /// A piece of a JSON text. A value within a string of it never ends that string, and one outside of them is JSON itself:
    /// assumed(subtype-json-text), AWS may put it in as it is.
    fn put(self, origin: Origin, piece: Vec<u8>, after: &Cell<Self>) -> Vec<u8> {
        if origin == Origin::Text {
            after.set(piece.iter().fold(self, |place, byte| place.behind(*byte)));
            return piece;
        }
        if !self.in_string {
            let is_json = serde_json::from_slice::<Value>(&piece).is_ok();
            after.set(Self { is_broken: self.is_broken || !is_json, ..self });
            return piece;
        }
        // Behind a `\` it would begin with an escape of its own.
        after.set(Self { is_broken: self.is_broken || self.escaped, ..self });
        let quoted = Value::String(String::from_utf8_lossy(&piece).into_owned()).to_string();
        quoted.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or_default().as_bytes().to_vec()
    }

    fn behind(self, byte: u8) -> Self {
        match byte {
            _ if self.escaped => Self { escaped: false, ..self },
            b'\\' => Self { escaped: self.in_string, ..self },
            b'"' => Self { in_string: !self.in_string, ..self },
            _ => self,
        }
    }
}
