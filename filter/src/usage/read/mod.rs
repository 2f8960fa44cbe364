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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_names_are_shown_and_the_others_counted() {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        for (count, shown) in [
            (1, "`a`"),
            (5, "`a`, `b`, `c`, `d`, `e`"),
            (6, "`a`, `b`, `c`, `d`, `e` and 1 more"),
            (7, "`a`, `b`, `c`, `d`, `e` and 2 more"),
        ] {
            assert_eq!(few(&names[..count]), shown);
        }
    }
}
