//! AWS Signature Version 4, as a verifier.
