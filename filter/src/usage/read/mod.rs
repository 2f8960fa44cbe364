//! Reads what a document says of keys, plans and limits, and every mistake in it. Nothing here looks at all of them for each of
//! them: there may be ten thousand keys.

pub mod keys;
pub mod overlaps;
pub mod plan;
pub mod quota;
pub mod rates;
pub mod settings;

use crate::problem::quoted;

/// How many names a message shows.
const SHOWN: usize = 5;

/// `a`, `b` and 3 more
fn few(names: &[&str]) -> String {
    match names.split_at_checked(SHOWN) {
        Some((shown, more @ [_, ..])) => format!("{} and {} more", quoted(shown), more.len()),
        _ => quoted(names),
    }
}
