//! Files of this machine that a template names, before `aws cloudformation package` or `sam package` puts them into a bucket: they
//! are read in the place where their content counts.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tollgate::problem::JsonPath;

use crate::cli::Failure;
use crate::cli::source::Source;

/// Where a file is looked for.
const RELATIVE: &str = "the path is relative to the template, and leads to a file below its folder or below the current one";

/// Type, the property that names a file, and the property that the content is.
const NAMED: [(&str, &str, &str); 4] = [
    ("AWS::ApiGateway::RestApi", "BodyS3Location", "Body"),
    ("AWS::ApiGatewayV2::Api", "BodyS3Location", "Body"),
    ("AWS::Serverless::Api", "DefinitionUri", "DefinitionBody"),
    ("AWS::Serverless::HttpApi", "DefinitionUri", "DefinitionBody"),
];

/// Reads them all. One that lies in a bucket, or cannot be read, is a mistake where API Gateway needs it.
pub fn put_files(source: &mut Source, root: &Value, file: &Path) {
    let folder = if file == Path::new("-") { PathBuf::new() } else { file.parent().unwrap_or(Path::new("")).to_owned() };
    for (id, resource) in root.get("Resources").and_then(Value::as_object).into_iter().flatten() {
        let kind = resource.get("Type").and_then(Value::as_str).unwrap_or_default();
        let properties = JsonPath::root().key("Resources").key(id).key("Properties");
        for (_, from, to) in NAMED.iter().filter(|(named, ..)| *named == kind) {
            let Some(named) = resource.get("Properties").and_then(|properties| properties.get(from)) else { continue };
            let Some(name) = named.as_str().filter(|name| !name.starts_with("s3://") && !name.starts_with("https://")) else {
                if !named.is_null() {
                    let message = format!("`{from}` is in a bucket, which is not looked into");
                    source.report(&properties.key(from), &message, Some("name a file, or put its content into the template"));
                }
                continue;
            };
            let read = beside(&folder, name).and_then(|file| source.put_file(&properties, to, &file));
            if let Err(failure) = read {
                source.report(&properties.key(from), &failure.message, Some(RELATIVE));
            }
        }
        includes(source, resource, &JsonPath::root().key("Resources").key(id), &folder);
    }
}

/// The file that a template names. A template may come from anywhere, and what is wrong with a file is shown with its lines: only what
/// lies below the folder of the template or the current one is read, wherever links lead, and no devices.
fn beside(folder: &Path, name: &str) -> Result<PathBuf, Failure> {
    let file = folder.join(name);
    let Ok(real) = file.canonicalize() else { return Ok(file) };
    let is_below = |folder: &Path| folder.canonicalize().is_ok_and(|folder| real.starts_with(folder));
    let here = Path::new(".");
    if !is_below(here) && !is_below(if folder == Path::new("") { here } else { folder }) {
        let message = format!("`{name}` is neither below the folder of the template nor below the current one, and is not read");
        return Err(Failure::usage(message));
    }
    if !real.is_file() && !real.is_dir() {
        return Err(Failure::usage(format!("`{name}` is no regular file")));
    }
    Ok(file)
}

/// `Fn::Transform: {Name: AWS::Include, Parameters: {Location: FILE}}` where the file is of this machine.
fn includes(source: &mut Source, value: &Value, path: &JsonPath, folder: &Path) {
    match value {
        Value::Object(members) => {
            let transform = members.get("Fn::Transform").filter(|transform| transform.get("Name") == Some(&"AWS::Include".into()));
            let location = transform.and_then(|transform| transform.get("Parameters")?.get("Location")?.as_str());
            if let Some(name) = location.filter(|name| !name.starts_with("s3://")) {
                let read = beside(folder, name).and_then(|file| source.put_include(path, &file));
                if let Err(failure) = read {
                    source.report(&path.key("Fn::Transform"), &failure.message, Some(RELATIVE));
                }
                return;
            }
            members.iter().for_each(|(name, value)| includes(source, value, &path.key(name), folder));
        }
        Value::Array(elements) => {
            elements.iter().enumerate().for_each(|(index, value)| includes(source, value, &path.index(index), folder));
        }
        _ => {}
    }
}
