//! Mixed traffic through a real Envoy, and the truth about it: every request has an id of its own, the client knows what it has to
//! be answered, the upstreams write down which ids reach them, and at the end both lists must agree.
//!
//! | file | what it holds |
//! |---|---|
//! | [`kind`] | the kinds of requests, what each is answered, where it goes |
//! | [`documents`] | the gateway document that serves them |
//! | [`client`] | kept connections, HTTP/1.1 and HTTP/2 |
//! | [`load`] | so many a second, or so many at once |
//! | [`upstream`] | backend, Lambda, authorizers and issuer, in this process, and what goes wrong with them |
//! | [`ledger`] | which ids arrived, and what must be true of them |
//! | [`scene`] | all of it together, with an Envoy |
#![allow(dead_code, reason = "each test target uses its own part of it")]

pub mod client;
pub mod documents;
pub mod kind;
pub mod ledger;
pub mod load;
pub mod scene;
pub mod tokens;
pub mod upstream;
