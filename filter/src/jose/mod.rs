//! JSON Web Tokens and JSON Web Keys: read strictly, verified. RFC 7515 (JWS), 7517 (JWK), 7518 (algorithms), 7519 (JWT), 8725
//! (best practice).
//!
//! A token becomes [`Claims`] in two steps, and there is no third way: [`Unverified::parse`] reads it, [`Unverified::verify`] finds
//! the one key of a [`KeySet`] that may have signed it and checks the signature. What a token says before that is not to be asked,
//! but for the two things that choose the key.
//!
//! # What is refused
//! | where | what |
//! |---|---|
//! | token | more than 8 KiB, not three parts, base64 that is padded, of another alphabet, or with bits left over |
//! | header | `crit` and `b64` whatever they say, a nested token (`cty`), a `typ` that is no kind of JWT |
//! | algorithm | `none` and all that is not in [`Algorithm`]; one that the key is not for |
//! | signature | another length, r or s of 0 or >= n, DER |
//! | JSON | members twice at any depth, deeper than 16, bytes behind the end, what is not UTF-8 |
//! | key | RSA below 2048 or above 4096 bits, an exponent of 1, even or huge, ROCA; points off the curve; secrets of less than 32 bytes |
//! | key set | more than 256 KiB or 100 keys; secrets beside public keys |
//!
//! `jku`, `x5u`, `x5c` and `jwk` of a header choose no key, ever. Times, issuers and audiences are the caller's to check.
//!
//! # Two ways, one verdict
//! A host that verifies signatures ([`HostVerifier`]) does so for RSASSA-PKCS1-v1_5 and ECDSA; all else, and all of it without a
//! host, is verified here. The verdict is the same: whatever one way refuses, the reading before it refuses for both.

mod algorithm;
mod base64;
mod claims;
mod der;
mod key;
mod key_set;
mod roca;
mod strict_json;
#[cfg(test)]
mod testing;
mod token;
mod verify;

pub use algorithm::Algorithm;
pub use claims::Claims;
pub use key_set::{InvalidKeySet, KeySet, Origin, SkippedKey};
pub use token::{Rejection, Unverified};
pub use verify::HostVerifier;
