//! The template rows of `shared/conformance/vtl`, recorded on AWS: each renders as it was recorded.

#![expect(clippy::unwrap_used, reason = "a test may panic; helpers beside the test count as code")]

use serde_json::Value as Json;
use tollgate::template::{Fault, Host, Template};
use tollgate::value::{Budget, Heap, Value, parse};

mod beside;

/// A row's context: its members are the objects that a template finds.
struct Context<'a>(&'a Json);

impl Host for Context<'_> {
    fn root(&self, name: &str, heap: &mut Heap) -> Value {
        let member = self.0.get(name).filter(|member| !member.is_null());
        member.map_or(Value::Null, |member| parse(&member.to_string().into(), heap).unwrap())
    }

    fn property(&self, _: &str, _: &str, _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }

    fn call(&self, _: &str, _: &str, _: &[Value], _: &mut Heap) -> Result<Value, Fault> {
        Ok(Value::Null)
    }
}

/// Rows that do not render as recorded, and why.
const MISSES: [(&str, &str); 0] = [];

#[test]
fn every_recorded_row_renders_as_on_aws() {
    let Some(folder) = beside::beside("conformance/vtl") else { return };
    let rows: Vec<Json> = serde_json::from_str(&std::fs::read_to_string(folder.join("dev.json")).unwrap()).unwrap();
    let mut missed = Vec::new();
    for row in &rows {
        let (template, aws) = (row["template"].as_str().unwrap(), &row["aws"]);
        let rendered = match Template::parse(template) {
            Ok(template) => {
                template.render(&Context(&row["context"]), &mut Heap::new(Budget::default())).map_err(|fault| format!("{fault:?}"))
            }
            Err(error) => Err(error.to_string()),
        };
        let same = match (&rendered, aws) {
            (Ok(rendered), Json::String(aws)) if row["ignore_ws"] == true => rendered.split_whitespace().eq(aws.split_whitespace()),
            (Ok(rendered), Json::String(aws)) => rendered == aws,
            (Ok(rendered), aws) => serde_json::from_str::<Json>(rendered).is_ok_and(|rendered| rendered == *aws),
            (Err(_), _) => false,
        };
        if !same {
            println!("{}: {template:?} gives {rendered:?}, on AWS {aws}", row["id"]);
            missed.push(row["id"].as_str().unwrap());
        }
    }
    println!("{} of {} rows", rows.len() - missed.len(), rows.len());
    assert_eq!(missed, MISSES.map(|(id, _)| id));
}
