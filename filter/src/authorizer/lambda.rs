//! stub
use super::{Authorizer, AuthorizerScope, SchemeRequirement};
use std::sync::Arc;
/// x
pub struct LambdaAuthorizer;
impl LambdaAuthorizer {
    /// x
    pub fn compile(_: &SchemeRequirement<'_>, _: &mut AuthorizerScope<'_, '_>) -> Option<Arc<dyn Authorizer>> {
        None
    }
}
