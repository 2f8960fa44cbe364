//! `tollgate import`: from the infrastructure code that the user already has to one gateway document.
//!
//! ```text
//!   CloudFormation, CDK ─ intrinsics ─┐
//!   SAM, serverless ─ transform ──────┼─> resources as CloudFormation writes them ─> assembled: one gateway document
//!   Terraform: plan or state ─────────┘
//! ```

#![allow(dead_code)]

pub mod resource;
