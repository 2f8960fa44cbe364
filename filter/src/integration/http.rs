//! HTTP: an endpoint behind mappings. AWS: "Set up HTTP integrations in API Gateway".

use super::backend::{self, Backend};
use super::custom::{Custom, Target, own_headers};
use super::parameters::Mapped;
use super::{Integration, Scope};
use crate::context::Context;
use crate::definition::Node;
use crate::gateway_response::Failure;
use crate::http::RequestHead;
use crate::platform::Platform;

/// Reads an integration of type `http`.
pub fn compile(node: &Node<'_>, scope: &mut Scope<'_, '_>) -> Box<dyn Integration> {
    backend::check_settings(node, scope);
    Custom::compile(node, scope, |parameters, scope| Box::new(Backend::compile(node, parameters, scope)))
}

impl Target for Backend {
    fn method(&self) -> Option<&'static str> {
        self.method
    }

    fn cluster(&self) -> &str {
        &self.cluster
    }

    fn timeout_millis(&self) -> u64 {
        self.timeout_millis
    }

    fn head(&self, method: &str, mapped: &Mapped, context: &Context, platform: &dyn Platform) -> Result<RequestHead, Failure> {
        let uri = self.uri()?;
        Ok(RequestHead {
            method: method.to_owned(),
            path: self.target(mapped, "", "")?,
            authority: uri.authority.clone().into_bytes(),
            scheme: uri.scheme.to_owned(),
            headers: own_headers(context, platform),
        })
    }

    fn summary(&self) -> String {
        format!("HTTP {self}")
    }
}
