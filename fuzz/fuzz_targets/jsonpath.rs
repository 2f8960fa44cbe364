//! JSONPath: [`JsonPath::parse`] and what a path, and each beginning of it, reads of a document.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::jsonpath::JsonPath;
use tollgate::value::{Budget, Exhausted, Heap, Value, json_text, parse};
use tollgate_fuzz::{text_parts, within};

const STEPS: u64 = 50_000;

/// The beginnings of a longer path are not read.
const SHORT: usize = 200;

/// What a path reads; it leaves the document as it was.
fn read(path: &JsonPath, document: &str) -> Option<Result<Option<String>, Exhausted>> {
    let mut heap = Heap::new(Budget::new(STEPS));
    let root = parse(&document.into(), &mut heap).ok()?;
    let before = json_text(&root, &mut heap).ok()?;
    heap.budget = Budget::new(STEPS);
    let found = path.read(&root, &mut heap);
    heap.budget = Budget::new(STEPS);
    assert_eq!(json_text(&root, &mut heap).as_deref(), Ok(before.as_str()));
    let found = match found {
        Ok(found) => found,
        Err(exhausted) => return Some(Err(exhausted)),
    };
    // Nowhere is where the definite beginning of a path leads, or an argument.
    if !path.is_definite() {
        assert!(matches!(found, None | Some(Value::List(_))), "{found:?}");
    }
    heap.budget = Budget::new(STEPS);
    Some(found.map(|found| json_text(&found, &mut heap)).transpose())
}

fn check(text: &str, document: &str) {
    let path = match within(1, "reading a path", || JsonPath::parse(text)) {
        Ok(path) => path,
        Err(invalid) => {
            return assert!(invalid.offset <= text.len() && !invalid.to_string().contains(char::is_control), "{invalid:?}");
        }
    };
    let found = within(1, "reading by a path", || read(&path, document));
    assert_eq!(found, read(&path, document));
    if let Some(Ok(Some(found))) = found {
        // Java has numbers that JSON has not.
        if !found.contains("Infinity") && !found.contains("NaN") {
            let mut heap = Heap::new(Budget::new(STEPS));
            let again = parse(&found.as_str().into(), &mut heap).expect("it is JSON");
            heap.budget = Budget::new(STEPS);
            assert_eq!(json_text(&again, &mut heap), Ok(found));
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let Some([path, document]) = text_parts(data) else { return };
    check(path, document);
    if path.len() <= SHORT {
        for (end, _) in path.char_indices() {
            check(&path[..end], document);
        }
    }
});
