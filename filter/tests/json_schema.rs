//! The tests of JSON Schema, draft 4, that all validators share. Every required one holds, except those whose schemas lie on another
//! machine; they are listed here by name. What is optional is counted.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may panic; helpers beside the test count as code")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use tollgate::schema::Schema;
use tollgate::value::{Budget, Heap, Value, parse};

/// Groups whose schema points at another machine: a gateway fetches no schema, and refuses the definition.
const REMOTE: [(&str, &str); 10] = [
    ("definitions.json", "validate definition against metaschema"),
    ("ref.json", "remote ref, containing refs itself"),
    ("refRemote.json", "remote ref"),
    ("refRemote.json", "fragment within remote ref"),
    ("refRemote.json", "ref within remote ref"),
    ("refRemote.json", "base URI change"),
    ("refRemote.json", "base URI change - change folder"),
    ("refRemote.json", "base URI change - change folder in subschema"),
    ("refRemote.json", "root ref in remote ref"),
    ("refRemote.json", "Location-independent identifier in remote ref"),
];

/// What came of the tests of one file.
#[derive(Default)]
struct Outcome {
    passed: usize,
    failed: Vec<String>,
    /// Groups whose schema does not compile.
    refused: Vec<(String, String)>,
}

fn folder() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpora/json-schema-draft4");
    if !folder.is_dir() {
        println!("{} is not there: nothing was tested", folder.display());
        return None;
    }
    Some(folder)
}

fn run(folder: &Path) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "json") {
            outcomes.insert(path.file_name().unwrap().to_str().unwrap().to_owned(), run_file(&path));
        }
    }
    outcomes
}

/// The schemas are what a definition is read as, the values what a body is read as.
fn run_file(path: &Path) -> Outcome {
    let text = fs::read_to_string(path).unwrap();
    let schemas: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut heap = Heap::new(Budget::default());
    let groups = parse(&text.as_str().into(), &mut heap).unwrap();
    let mut outcome = Outcome::default();
    for (index, group) in schemas.as_array().unwrap().iter().enumerate() {
        let name = group["description"].as_str().unwrap().to_owned();
        let schema = match Schema::compile_value(&group["schema"]) {
            Ok(schema) => schema,
            Err(problems) => {
                outcome.refused.push((name, problems[0].to_string()));
                continue;
            }
        };
        for (place, test) in group["tests"].as_array().unwrap().iter().enumerate() {
            let value = data(&groups, index, place, &heap);
            heap.budget = Budget::default();
            let wanted = test["valid"].as_bool().unwrap();
            match schema.is_valid(&value, &mut heap) {
                Ok(valid) if valid == wanted => outcome.passed += 1,
                other => outcome.failed.push(format!("{name}: {} (found {other:?}, expected {wanted})", test["description"])),
            }
        }
    }
    outcome
}

fn data(groups: &Value, index: usize, place: usize, heap: &Heap) -> Value {
    let item = |list: &Value, index: usize| match list {
        Value::List(id) => heap.list(*id)[index].clone(),
        _ => Value::Null,
    };
    let tests = heap.member(&item(groups, index), "tests").cloned().unwrap();
    heap.member(&item(&tests, place), "data").cloned().unwrap()
}

#[test]
fn every_required_test_of_draft_4_holds() {
    let Some(folder) = folder() else { return };
    let outcomes = run(&folder);
    let passed: usize = outcomes.values().map(|outcome| outcome.passed).sum();
    let failed: Vec<&String> = outcomes.values().flat_map(|outcome| &outcome.failed).collect();
    let refused: Vec<(&str, &str)> =
        outcomes.iter().flat_map(|(file, o)| o.refused.iter().map(|(group, _)| (file.as_str(), group.as_str()))).collect();
    println!("required: {passed} passed, {} failed, {} groups refused", failed.len(), refused.len());
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(refused, REMOTE);
    for (_, why) in outcomes.values().flat_map(|outcome| &outcome.refused) {
        assert!(why.contains("nothing stands at `"), "{why}");
    }
    assert_eq!(passed, 597);
}

#[test]
fn the_optional_tests_are_counted() {
    let Some(folder) = folder() else { return };
    let (mut passed, mut missed) = (0, 0);
    for folder in [folder.join("optional"), folder.join("optional/format")] {
        for (file, outcome) in run(&folder) {
            passed += outcome.passed;
            missed += outcome.failed.len() + outcome.refused.len();
            println!("optional/{file}: {} passed, {} failed", outcome.passed, outcome.failed.len());
            outcome.refused.iter().for_each(|(group, why)| println!("optional/{file}: {group}: refused: {why}"));
        }
    }
    println!("optional: {passed} passed, {missed} failed or refused");
    assert!(passed >= 169, "only {passed} optional tests passed");
}
