use std::path::Path;

use clap::Parser;
use tollgate::problem::{Segment, Severity};

use super::*;
use crate::cli::testing::Folder;

#[derive(Parser)]
struct CommandLine {
    #[command(flatten)]
    arguments: Arguments,
}

/// What a value may be that was meant to be another.
fn odd() -> Vec<Value> {
    let mut odd: Vec<Value> = ["", "x", "/", "${", "${A.B}", "{{resolve:ssm:", "arn:aws:elasticloadbalancing:::listener/", "ä€😀"]
        .map(Value::from)
        .into();
    odd.extend([json!(null), json!(-1.5), json!(true), json!([]), json!({}), json!([[1, { "a": "b" }]])]);
    odd.extend([
        json!({ "Ref": "Nowhere" }),
        json!({ "Fn::GetAtt": ["Api"] }),
        json!({ "Fn::If": [1, 2, 3] }),
        json!({ "Fn::Join": ["", [null]] }),
    ]);
    odd.push(json!({ "Fn::Sub": ["${a}", { "a": { "Ref": "AWS::NoValue" } }] }));
    odd
}

fn paths(value: &Value, path: &JsonPath, into: &mut Vec<JsonPath>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, value)| paths(value, &path.key(name), into)),
        Value::Array(elements) => elements.iter().enumerate().for_each(|(index, value)| paths(value, &path.index(index), into)),
        _ => {}
    }
    into.push(path.clone());
}

fn at<'v>(value: &'v mut Value, path: &JsonPath) -> &'v mut Value {
    path.segments().into_iter().fold(value, |value, segment| match segment {
        Segment::Key(name) => &mut value[name.as_str()],
        Segment::Index(index) => &mut value[*index],
    })
}

#[test]
fn a_template_with_anything_anywhere_is_imported_or_refused_with_a_reason() {
    let folder = Folder::new();
    let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/import/cloudformation");
    let (mut tried, mut refused) = (0, 0);
    for name in ["rest-full", "http-jwt", "http-services", "domains", "aws-services"] {
        let template = Source::load_template(&templates.join(name).join("template.yaml")).expect("it is there");
        let template = template.document().expect("it is YAML");
        let mut places = Vec::new();
        paths(&template, &JsonPath::root(), &mut places);
        for (index, (place, odd)) in places.iter().zip(odd().iter().cycle()).enumerate() {
            // Enough of them to meet each kind of place.
            if index % 4 != 0 {
                continue;
            }
            let mut template = template.clone();
            *at(&mut template, place) = odd.clone();
            let file = folder.write("template.json", &template.to_string());
            let arguments = ["tollgate", file.to_str().expect("UTF-8"), "--parameter", "Backend=pets.example.com"];
            let arguments = if name == "rest-full" { &arguments[..] } else { &arguments[..2] };
            let arguments = CommandLine::parse_from(arguments).arguments;
            let mut source = Source::load_template(&file).expect("it is there");
            let mut told = Vec::new();
            let imported = import(&mut source, &arguments, &mut arguments.settings(), &mut told);
            let is_wrong = told.iter().any(|problem| problem.severity == Severity::Error);
            assert!(imported.is_some() || is_wrong, "{name}: {place} as {odd} is refused without a word");
            tried += 1;
            refused += usize::from(is_wrong);
        }
    }
    assert!(tried > 250 && refused > 100 && refused < tried, "{refused} of {tried}");
}
