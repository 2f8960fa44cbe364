//! IAM policy documents and how they are evaluated.
use crate::definition::Node;
use crate::problem::Problems;
/// x
#[derive(Debug)]
pub struct Policy;
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Decision {
    Allow,
    Deny,
    Neither,
}
/// x
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Principal {
    Anonymous,
    Aws { arn: String, account: String },
}
/// x
#[allow(missing_docs)]
pub struct ApiArn<'a> {
    pub region: &'a str,
    pub account_id: &'a str,
    pub api_id: &'a str,
}
/// x
#[allow(missing_docs)]
pub enum Kind<'a> {
    Resource(ApiArn<'a>),
    Identity,
    Authorizer,
}
impl Policy {
    /// x
    pub fn compile(_: &Node<'_>, _: Kind<'_>, _: &mut Problems) -> Option<Self> {
        None
    }
}
/// x
pub fn table_a(a: Decision, b: Decision) -> bool {
    a != Decision::Deny && b != Decision::Deny && (a == Decision::Allow || b == Decision::Allow)
}
/// x
pub fn table_b(a: Decision, b: Decision) -> bool {
    a == Decision::Allow && b == Decision::Allow
}
