//! Resources that an attribute names: in a state by their ids, in a plan by the references of the configuration.

use serde_json::{Value, json};

use super::cursor::Cursor;
use super::file::Instance;
use super::reader::Reader;
use super::references::Leaf;
use super::shape::Shape;

// === impl Reader ===

impl<'s, 'f> Reader<'s, 'f> {
    /// Another resource, by its id.
    pub(super) fn link(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<Value> {
        let target = self.target_of(at, kinds)?;
        Some(reference(target))
    }

    /// The instance of one of these kinds that an attribute names; an error if there is none.
    pub fn target_of(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<&'s Instance<'f>> {
        if let Some(id) = at.text() {
            let found = self.file.with_id(kinds, id);
            if found.is_none() {
                self.not_here(at, kinds, id);
            }
            return found;
        }
        if !at.is_unknown() {
            return None;
        }
        if let Some(address) = self.settings.values.get(&format!("{}.{}", at.instance.address, at.name)) {
            let found = self.file.at(address).or_else(|| self.file.with_id(kinds, address));
            if found.is_none() {
                let message = format!("`{address}` is the address or id of no {} in this file", kinds.join(" or "));
                self.problems.error(&at.path, message, None);
            }
            return found;
        }
        let leaves = self.unknown_leaves(at);
        let mut found: Vec<&'s Instance<'f>> = Vec::new();
        for leaf in &leaves {
            if let Leaf::Computed { instance, .. } = leaf
                && kinds.contains(&instance.kind)
                && !found.iter().any(|known| known.address == instance.address)
            {
                found.push(instance);
            }
        }
        if let [only] = found.as_slice() {
            return Some(only);
        }
        // A local says nothing, but a file with one API leaves no choice.
        let is_api = kinds.iter().all(|kind| matches!(*kind, "aws_api_gateway_rest_api" | "aws_apigatewayv2_api"));
        let all: Vec<&'s Instance<'f>> =
            self.file.instances.iter().filter(|it| kinds.contains(&it.kind) && !it.origin.is_data).collect();
        if let ([only], true) = (all.as_slice(), is_api) {
            return Some(only);
        }
        self.unresolved(at, &Shape::Link(&[]), &leaves);
        None
    }

    fn not_here(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str], id: &str) {
        let message =
            format!("`{}` of `{}` is `{id}`, and no {} of this file has that id", at.name, at.instance.address, kinds.join(" or "));
        let help = "an API is imported from one file: the state or plan that has it and all its parts";
        self.problems.error(&at.path, message, Some(help));
    }

    pub(super) fn vpc_link(&mut self, at: &Cursor<'s, 'f>, kinds: &[&str]) -> Option<Value> {
        match at.text() {
            Some(id) => Some(self.file.with_id(kinds, id).map_or_else(|| id.into(), reference)),
            None => self.link(at, kinds),
        }
    }

    /// A resource of a REST API, or the root of one.
    pub(super) fn parent(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        let root = |api: &Instance<'f>| json!({ "Fn::GetAtt": [api.address, "RootResourceId"] });
        if let Some(id) = at.text()
            && let Some(api) = self.file.instances.iter().find(|it| !it.origin.is_data && it.text("root_resource_id") == Some(id))
        {
            return Some(root(api));
        }
        let target = self.target_of(at, &["aws_api_gateway_resource", "aws_api_gateway_rest_api"])?;
        Some(if target.kind == "aws_api_gateway_rest_api" { root(target) } else { reference(target) })
    }

    /// `integrations/ID`
    pub(super) fn target(&mut self, at: &Cursor<'s, 'f>) -> Option<Value> {
        const KINDS: [&str; 1] = ["aws_apigatewayv2_integration"];
        let integration = match at.text() {
            None => self.target_of(at, &KINDS)?,
            Some(text) => {
                let id = text.strip_prefix("integrations/").unwrap_or(text);
                let Some(found) = self.file.with_id(&KINDS, id) else {
                    self.not_here(at, &KINDS, id);
                    return None;
                };
                found
            }
        };
        Some(json!({ "Fn::Join": ["/", ["integrations", reference(integration)]] }))
    }
}

fn reference(instance: &Instance<'_>) -> Value {
    json!({ "Ref": instance.address })
}
