//! stub
use super::{Authorizer, Demand, Verdict};
use crate::definition::{Node, Operation};
use crate::gateway_response::Failure;
use crate::platform::Platform;
use crate::problem::Problems;
use std::sync::Arc;
/// x
#[derive(Debug)]
pub struct Iam;
/// x
pub struct Users;
impl Users {
    /// x
    pub fn read(_: Option<&Node<'_>>, _: &mut Problems) -> Self {
        Self
    }
}
impl Iam {
    /// x
    pub fn compile(_: &Operation<'_>, _: Arc<Users>, _: &str, _: &str, _: &mut Problems) -> Option<Self> {
        Some(Self)
    }
}
impl Authorizer for Iam {
    fn authorize(&self, _: &Demand<'_>, _: &mut dyn Platform) -> Verdict {
        Verdict::Refused(Failure::configuration())
    }
    fn summary(&self) -> String {
        "AWS_IAM".to_owned()
    }
}
