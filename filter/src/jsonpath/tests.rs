use super::*;
use crate::value::{Budget, json_text, parse};

fn read(json: &str, path: &str) -> Result<Option<String>, InvalidPath> {
    let mut heap = Heap::new(Budget::default());
    let root = parse(&json.into(), &mut heap).unwrap();
    let value = JsonPath::parse(path)?.read(&root, &mut heap).unwrap();
    Ok(value.map(|value| json_text(&value, &mut heap).unwrap()))
}
