//! IAM policy documents and how they are evaluated.
