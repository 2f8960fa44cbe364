//! A function's output, as it is looked over: an object is one where serde_json says so, and a member's text is the same.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::value::skim::{members, said, string};
use tollgate_fuzz::within;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut found = Vec::new();
    let ours = within(1, "looking over", || {
        members(text, &mut |name, value| {
            found.push((name, value));
            true
        })
    });
    match (ours, serde_json::from_str::<serde_json::Value>(text)) {
        (Some(()), Ok(theirs)) => {
            let theirs = theirs.as_object().expect("an object is told as one");
            for (name, value) in found {
                // The last of several members counts there, and a name may be written in several ways.
                let (Ok(value), Some(told)) = (serde_json::from_str::<String>(value), said(value)) else { continue };
                assert_eq!(told, value, "{name}");
            }
            assert!(theirs.len() <= text.len());
        }
        (Some(()), Err(theirs)) => {
            let why = theirs.to_string();
            let known = ["number out of range", "surrogate", "unexpected end of hex escape", "recursion limit exceeded"];
            assert!(known.iter().any(|known| why.contains(known)), "{why}: {text}");
        }
        // Deeper than we look: 120 against 128.
        (None, Ok(theirs)) => assert!(!theirs.is_object() || text.matches(['{', '[']).count() > 119, "{text}"),
        (None, Err(_)) => {}
    }
    if let Some(ours) = string(text) {
        assert_eq!(Ok(ours), serde_json::from_str::<String>(text).map_err(|error| error.to_string()));
    }
});
