//! What API Gateway was seen to answer, row by row: each row runs on the exchange and on the module in the wasmtime host, with
//! the same verdict. Rows whose features are not served yet run too, and fail; what must not happen is that fewer pass than did.

mod drivers;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use drivers::Driver;
use drivers::beside::beside;
use drivers::conformance::rows;
use drivers::native::Native;
use drivers::report::say;
use drivers::wasm::Wasm;

/// Passed rows an area, and passed rows in doubt. A floor only rises.
const FLOORS: [(&str, usize, usize); 21] = [
    ("api-mappings", 10, 0),
    ("cors", 4, 1),
    ("gateway-responses", 12, 3),
    ("header-remap", 4, 0),
    ("http-integration", 10, 0),
    ("http-lambda", 12, 10),
    ("http-parameter-mapping", 7, 0),
    ("integration-response", 24, 4),
    ("jwt", 9, 0),
    ("lambda-authorizer", 5, 0),
    ("lambda-proxy", 13, 0),
    ("mock", 16, 15),
    ("parameter-mapping", 13, 1),
    ("passthrough", 13, 0),
    ("payload-encodings", 16, 0),
    ("request-validation", 17, 0),
    ("resource-policy", 17, 0),
    ("routing", 17, 2),
    ("service-integration", 12, 0),
    ("templates", 25, 0),
    ("trace-id", 2, 0),
];

#[derive(Default)]
struct Tally {
    passed: usize,
    failed: usize,
    doubtful: usize,
    doubtful_failed: usize,
}

#[test]
fn no_fewer_rows_pass_than_did() {
    let Some(folder) = beside("conformance") else { return };
    let rows = rows(&folder);
    let (mut native, mut wasm) = (Native::default(), Wasm::new());
    let mut drivers: [&mut dyn Driver; 2] = [&mut native, &mut wasm];
    let mut tallies: BTreeMap<&str, Tally> = BTreeMap::new();
    let mut text = String::new();
    let mut disagreements = Vec::new();
    for row in &rows {
        let verdicts: Vec<Vec<String>> = drivers.iter_mut().map(|driver| row.verdict(&folder, *driver)).collect();
        if verdicts.iter().any(|bad| bad.is_empty() != verdicts[0].is_empty()) {
            disagreements.push(format!("{}/{}: {verdicts:?}", row.area, row.id));
        }
        let tally = tallies.entry(&row.area).or_default();
        match (verdicts[0].is_empty(), row.doubt) {
            (true, false) => tally.passed += 1,
            (false, false) => tally.failed += 1,
            (passed, true) => {
                tally.doubtful += 1;
                tally.doubtful_failed += usize::from(!passed);
            }
        }
        if !verdicts[0].is_empty() {
            let doubt = if row.doubt { " (doubt)" } else { "" };
            let _ = writeln!(text, "failed{doubt} {}/{}: {}", row.area, row.id, verdicts[0].join("; "));
        }
    }
    for (area, tally) in &tallies {
        let Tally { passed, failed, doubtful, doubtful_failed } = tally;
        let _ = writeln!(
            text,
            "{area:24} {passed:3} passed {failed:3} failed; in doubt: {} passed {doubtful_failed} failed",
            doubtful - doubtful_failed
        );
    }
    let passed: usize = tallies.values().map(|tally| tally.passed).sum();
    let _ = writeln!(text, "conformance: {} rows, {passed} passed, not counting rows in doubt", rows.len());
    say(&text);

    assert!(disagreements.is_empty(), "the drivers disagree:\n{}", disagreements.join("\n"));
    let passed = |area| tallies.get(area).map_or((0, 0), |tally: &Tally| (tally.passed, tally.doubtful - tally.doubtful_failed));
    let fallen: Vec<String> = FLOORS
        .iter()
        .map(|(area, floor, in_doubt)| (area, (*floor, *in_doubt), passed(area)))
        .filter(|(_, floor, passed)| passed.0 < floor.0 || passed.1 < floor.1)
        .map(|(area, floor, passed)| format!("{area}: {passed:?} passed (sure, in doubt), the floor is {floor:?}"))
        .collect();
    assert!(fallen.is_empty(), "fewer rows pass than did:\n{}", fallen.join("\n"));
}
