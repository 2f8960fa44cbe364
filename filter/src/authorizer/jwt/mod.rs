//! stub
use super::{Authorizer, AuthorizerScope, SchemeRequirement};
use crate::definition::{Directory, Node};
use crate::flow::{Callout, CalloutOutcome, Ticket};
use crate::platform::Platform;
use crate::problem::Problems;
use std::sync::Arc;
/// `type: jwt`
pub struct Jwt;
impl Jwt {
    /// x
    pub fn compile(_: &SchemeRequirement<'_>, _: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        None
    }
}
/// `type: cognito_user_pools`
pub struct Cognito;
impl Cognito {
    /// x
    pub fn compile(_: &SchemeRequirement<'_>, _: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        None
    }
}
/// `issuers` of the document, while it is compiled.
pub struct Issuers<'a> {
    _node: Option<Node<'a>>,
}
impl<'a> Issuers<'a> {
    /// Reads `issuers`
    pub fn read(node: Option<&Node<'a>>, _: &mut Problems) -> Self {
        Self { _node: node.cloned() }
    }
    /// The keys of all issuers that an authorizer named.
    pub fn into_keys(self, _: &Directory, _: &mut Problems) -> IssuerKeys {
        IssuerKeys::default()
    }
}
/// The keys of all issuers of a gateway: fetched, kept fresh, shared by all workers of the proxy.
#[derive(Debug, Default)]
pub struct IssuerKeys {}
impl IssuerKeys {
    /// How often `tick` wants to be asked; none when there is nothing to fetch.
    pub fn period_millis(&self) -> Option<u32> {
        None
    }
    /// Time has passed: what is to be fetched now.
    pub fn tick(&self, _: &mut dyn Platform) -> Vec<(Ticket, Callout)> {
        Vec::new()
    }
    /// One of those calls is over: what is to be fetched next (the keys, once discovery said where they are).
    pub fn called(&self, _: Ticket, _: CalloutOutcome, _: &mut dyn Platform) -> Vec<(Ticket, Callout)> {
        Vec::new()
    }
}
