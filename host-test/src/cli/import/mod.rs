//! `tollgate import`: from the infrastructure code that the user already has to one gateway document.
//!
//! ```text
//!   CloudFormation, CDK ─ parameters, conditions ─┐
//!   SAM ─ the same, and its transform ────────────┼─> resources ─ references ─> assembled ─> one gateway document ─> compiled
//!   Terraform: plan or state ─────────────────────┘
//! ```
//!
//! A front end ends in `Vec<Resource>`: resources as CloudFormation writes them, those of other services too, because they are what
//! is referred to. References among resources are resolved after that, once for all front ends.

#![allow(dead_code)]

pub mod resource;
mod terraform;

use std::collections::BTreeMap;

use serde_json::Value;
use tollgate::problem::{JsonPath, Problems};

use self::resource::Resource;

/// What the command line says of the stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AWS::Region`
    pub region: String,
    /// `AWS::AccountId`
    pub account: String,
    /// `AWS::StackName`
    pub stack_name: String,
    /// `--parameter NAME=VALUE`
    pub parameters: BTreeMap<String, String>,
    /// `--value LOGICALID[.ATTRIBUTE]=VALUE`: what nobody but AWS knows.
    pub values: BTreeMap<String, String>,
}

/// Between a template's parameters, conditions and mappings, which are resolved, and its references among resources, which are not:
/// `Ref`, `Fn::GetAtt`, `Fn::Sub` and `Fn::Join` of resources still stand in the properties, and so does what depends on them.
/// `globals` is the section `Globals` of the template, `null` where it has none. The resources include those of other kinds.
fn expand_sam(resources: Vec<Resource>, globals: &Value, settings: &Settings, problems: &mut Problems) -> Vec<Resource> {
    let _ = (globals, settings);
    problems.error(&JsonPath::root().key("Transform"), "templates of SAM are not read yet", None);
    resources
}

/// `root` is what `terraform show -json` prints, of a plan or a state.
fn read_terraform(root: &Value, settings: &Settings, problems: &mut Problems) -> Vec<Resource> {
    terraform::read(root, settings, problems)
}
