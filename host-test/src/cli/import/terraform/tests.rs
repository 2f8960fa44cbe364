//! What the front end makes of small files.
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::problem::{Problem, Problems};

use super::super::Settings;
use super::super::resource::Resource;

fn read_with(root: &Value, values: &[(&str, &str)]) -> (Vec<Resource>, Vec<Problem>) {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut settings = Settings {
        region: "us-east-1".into(),
        account: "000000000000".into(),
        stack_name: "stack".into(),
        parameters: BTreeMap::new(),
        values,
    };
    super::learn(root, &mut settings);
    let mut problems = Problems::default();
    let resources = super::read(root, &settings, &mut problems);
    (resources, problems.into_vec())
}

#[test]
fn dump() {
    let path = std::env::var("TF_DUMP").unwrap();
    let root: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let (resources, problems) = read_with(&root, &[]);
    for r in resources {
        println!("{} {} {}", r.id, r.kind, r.properties);
    }
    for p in problems {
        println!("{p}");
    }
    let _ = json!({});
}
