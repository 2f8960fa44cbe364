//! The mapping templates and models that people really deploy: each is read, and each template makes a text of a body that has what
//! it asks for. Integrations of kinds that are not served yet are among them; whether a definition is served as a whole is another
//! test's.

#[path = "drivers/beside.rs"]
mod beside;
#[path = "drivers/report.rs"]
mod report;

use beside::beside;
use fancy_regex::Regex;
use report::Report;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use tollgate::context::{Context, Ids};
use tollgate::definition::Node;
use tollgate::http::RequestHead;
use tollgate::mapping::{Overrides, render};
use tollgate::platform::Still;
use tollgate::problem::Problems;
use tollgate::schema::Schema;
use tollgate::template::Template;

/// Each folder, and how many templates and models it has at least.
const FOLDERS: [(&str, usize, usize); 2] = [("definitions", 15, 8), ("conformance/apis", 170, 10)];

/// What ends without a text, and why.
const REFUSED: [(&str, &str); 1] = [(
    "mock-request-override-passing.json responseTemplates application/json",
    "it parses what the template of the request put into `$context`, and there was no request",
)];

#[test]
fn every_template_and_model_that_people_deploy_is_read_and_rendered() {
    let mut report = Report::default();
    for (folder, least_templates, least_models) in FOLDERS {
        let Some(folder) = beside(folder) else { continue };
        let (mut templates, mut models) = (0, 0);
        for file in files(&folder) {
            let name = file.strip_prefix(&folder).expect("it is below").display().to_string();
            let text = std::fs::read_to_string(&file).expect("it can be read");
            let document = plain(serde_norway::from_str(&text).unwrap_or_else(|e| panic!("{name}: {e}")));
            each(&document, &mut |key, value| match (key, value) {
                ("requestTemplates" | "responseTemplates", Value::Object(found)) => {
                    for (media_type, template) in found {
                        templates += 1;
                        report.count("templates");
                        let name = format!("{name} {key} {media_type}");
                        let Some(template) = template_text(template) else {
                            report.fail(&name, "no text");
                            continue;
                        };
                        match try_out(template) {
                            Err(_) if REFUSED.iter().any(|(known, _)| *known == name) => report.count("refused as known"),
                            Err(why) => report.fail(&name, &format!("{why}\n{template}")),
                            Ok(()) => {}
                        }
                    }
                }
                ("schemas" | "definitions", Value::Object(found)) => {
                    for model in found.keys() {
                        models += 1;
                        report.count("models");
                        let mut problems = Problems::default();
                        let schema =
                            Node::root(value).get(model).and_then(|node| Schema::compile(&root(&document), &node, &mut problems));
                        if schema.is_none() || problems.any_error() {
                            report.fail(&format!("{name} {model}"), &format!("{:?}", problems.into_vec()));
                        }
                    }
                }
                _ => {}
            });
        }
        report::say(&format!("{}: {templates} templates, {models} models\n", folder.display()));
        assert!(templates >= least_templates, "{}: {templates} templates, {least_templates} are known", folder.display());
        assert!(models >= least_models, "{}: {models} models, {least_models} are known", folder.display());
    }
    report.finish("deployed templates and models");
}

fn root(document: &Value) -> Node<'_> {
    Node::root(document)
}

/// Reads a template and renders it twice: of a body with what it asks for, and of none.
fn try_out(text: &str) -> Result<(), String> {
    // CloudFormation's, who replaces them before API Gateway reads the template.
    let text = &Regex::new(r"\$\{AWS::\w+\}").expect("a pattern").replace_all(text, "of-aws");
    let template = Template::parse(text).map_err(|error| error.to_string())?;
    for body in [sample(text).to_string(), String::new()] {
        let mut head = RequestHead { method: "POST".to_owned(), path: b"/".to_vec(), ..RequestHead::default() };
        head.headers.append("content-type", "application/json");
        let context = Context::new(Ids::new([1; 16]), head);
        let rendered = render(&template, &context, Some(&body), &mut Overrides::default(), &HOST);
        rendered.map_err(|fault| format!("{fault:?} of {body}"))?;
    }
    Ok(())
}

/// An object with all members that a template names: in paths, and behind its own variables.
fn sample(template: &str) -> Value {
    let pattern =
        r#"\$input\.(?:path|json)\(\s*["']\$\.?([^"']*)["']|\$!?\{?(?!input\b|util\b|context\b|stageVariables\b)\w+\.([\w.]+)"#;
    let paths = Regex::new(pattern).expect("a pattern");
    let mut body = json!({});
    for found in paths.captures_iter(template) {
        let found = found.expect("it is not hard to look for");
        let path = found.get(1).or_else(|| found.get(2)).map(|path| path.as_str()).unwrap_or_default();
        let mut place = &mut body;
        for name in path.split(['.', '[', ']', '*', '\'']).filter(|name| name.starts_with(|c: char| c.is_alphabetic())) {
            if !place.is_object() {
                *place = json!({});
            }
            let members = place.as_object_mut().expect("it is one");
            place = members.entry(name).or_insert_with(|| json!("a text"));
        }
    }
    body
}

/// A template is a text, or CloudFormation's `Fn::Sub` of one.
fn template_text(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("Fn::Sub")?.as_str())
}

fn each(value: &Value, visit: &mut dyn FnMut(&str, &Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| each(item, visit)),
        Value::Object(members) => {
            for (key, member) in members {
                visit(key, member);
                each(member, visit);
            }
        }
        _ => {}
    }
}

/// YAML as JSON: names that are numbers become texts.
fn plain(value: serde_norway::Value) -> Value {
    match value {
        serde_norway::Value::Mapping(members) => {
            let name = |key: serde_norway::Value| match plain(key) {
                Value::String(name) => name,
                other => other.to_string(),
            };
            Value::Object(members.into_iter().map(|(key, member)| (name(key), plain(member))).collect::<Map<_, _>>())
        }
        serde_norway::Value::Sequence(items) => items.into_iter().map(plain).collect(),
        serde_norway::Value::Tagged(tagged) => plain(tagged.value),
        other => serde_json::to_value(other).expect("it is a scalar"),
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            match path.extension().and_then(|extension| extension.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("json" | "yaml" | "yml") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

const HOST: Still = Still { now_millis: 1_700_000_000_000, source_address: None };
