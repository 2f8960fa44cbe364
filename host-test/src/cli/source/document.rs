//! Makes the gateway document: wraps a bare definition, and puts files in the place of each `definitionFile` and `jwksFile`.

use std::path::{Path, PathBuf};

use tollgate::definition::Protocol;
use tollgate::problem::JsonPath;

use super::text::{FileId, SourceFile};
use super::tree::{Content, Member, Node};
use super::{Source, Version, read};

/// What the command line says about stages.
#[derive(Debug, Clone, Default)]
pub struct Choice {
    /// `--stage`: the stage to serve; the name of a bare definition's one.
    pub stage: Option<String>,
    /// `--stage-variable`, in the order given.
    pub variables: Vec<(String, String)>,
}

/// Reads `--stage-variable NAME=VALUE`.
pub fn stage_variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write `NAME=VALUE`".to_owned()),
    }
}

/// Turns the root of the file named by the user into the gateway document.
pub fn build(source: &mut Source, root: Node, file: &Path, choice: &Choice) {
    let is_definition = root.get("openapi").is_some() || root.get("swagger").is_some();
    let mut document = if is_definition {
        source.bare = true;
        // What was found while the file was read is told by the paths of the document that it becomes.
        let mount = JsonPath::root().key("apis").index(0).key("definition");
        let findings = std::mem::take(&mut source.findings);
        source.findings = findings.into_iter().map(|finding| finding.under(&mount)).collect();
        wrap(root, file, choice)
    } else if root.get("apis").is_some() {
        root
    } else {
        refuse(source, &root);
        return;
    };
    inline_files(source, &mut document, file);
    set_variables(&mut document, choice);
    source.document = Some(document);
}

/// One API, named after the file, with one stage.
fn wrap(definition: Node, file: &Path, choice: &Choice) -> Node {
    let name = match file.file_stem().and_then(|stem| stem.to_str()) {
        Some(stem) if file != Path::new("-") => stem,
        _ => "api",
    };
    let protocol = Protocol::of(&definition.to_value());
    let usual = if protocol == Protocol::Http { "$default" } else { "prod" };
    let stage = Node::made_object([("stageName", Node::made(choice.stage.as_deref().unwrap_or(usual)))]);
    let api = Node::made_object([
        ("name", Node::made(name)),
        ("protocol", Node::made(protocol.as_str())),
        ("definition", definition),
        ("stages", Node::made_array(vec![stage])),
    ]);
    Node::made_object([("apis", Node::made_array(vec![api]))])
}

fn refuse(source: &mut Source, root: &Node) {
    let template = root.get("Resources").is_some() || root.get("AWSTemplateFormatVersion").is_some();
    let (message, help) = if !matches!(root.content, Content::Object(_)) {
        ("the file holds no object", "a gateway document starts with `apis`, a definition with `openapi` or `swagger`")
    } else if template {
        ("this is a CloudFormation template, not a definition", "`tollgate import` makes a gateway document of it")
    } else {
        (
            "neither a gateway document nor a definition",
            "a gateway document has a member `apis`, a definition `openapi` or `swagger`",
        )
    };
    source.error(&JsonPath::root(), root.span, message.to_owned(), Some(help));
}

/// A member that names a file, and the member that the file becomes.
struct Inlined {
    file: &'static str,
    value: &'static str,
    /// What has them.
    owner: &'static str,
}

const DEFINITION: Inlined = Inlined { file: "definitionFile", value: "definition", owner: "an api" };
const JWKS: Inlined = Inlined { file: "jwksFile", value: "jwks", owner: "an issuer" };

fn inline_files(source: &mut Source, document: &mut Node, file: &Path) {
    let folder = if file == Path::new("-") { PathBuf::new() } else { file.parent().unwrap_or(Path::new("")).to_owned() };
    if let Some(apis) = document.get_mut("apis") {
        for (index, api) in apis.elements_mut().iter_mut().enumerate() {
            inline_file(source, api, &DEFINITION, &folder, &JsonPath::root().key("apis").index(index));
        }
    }
    for issuer in document.get_mut("issuers").and_then(Node::members_mut).into_iter().flatten() {
        let path = JsonPath::root().key("issuers").key(&issuer.name);
        inline_file(source, &mut issuer.value, &JWKS, &folder, &path);
    }
}

/// Turns the member that names a file into what is in it; what cannot be read becomes a null that is already told of.
fn inline_file(source: &mut Source, owner: &mut Node, inlined: &Inlined, folder: &Path, place: &JsonPath) {
    let inline = owner.get(inlined.value).is_some();
    let Some(member) = owner.members_mut().and_then(|members| members.iter_mut().find(|m| m.name == inlined.file)) else {
        return;
    };
    let path = place.key(inlined.file);
    let span = member.value.span.or(member.name_span);
    if inline {
        let message = format!("{} has `{}` or `{}`, not both", inlined.owner, inlined.value, inlined.file);
        source.error(&path, span, message, Some("keep one of them"));
        return;
    }
    let Some(name) = member.value.as_str().map(str::to_owned) else {
        source.error(&path, span, format!("`{}` is the path of a file", inlined.file), None);
        return;
    };
    member.name = inlined.value.to_owned();
    let target = folder.join(&name);
    source.versions.push(Version::now(target.clone()));
    match read(&target) {
        Err(failure) => {
            member.value.content = Content::Null;
            source.error(&place.key(inlined.value), span, failure.message, Some("the path is relative to this document"));
        }
        Ok((shown, text)) => {
            let id = FileId(source.files.len());
            source.files.push(SourceFile::new(shown, &text));
            member.value = match source.parse(id, &place.key(inlined.value)) {
                Some(root) => root,
                None => Node { span: member.value.span, content: Content::Null },
            };
        }
    }
}

fn set_variables(document: &mut Node, choice: &Choice) {
    if choice.variables.is_empty() {
        return;
    }
    let Some(apis) = document.get_mut("apis") else { return };
    for api in apis.elements_mut() {
        let Some(stages) = api.get_mut("stages") else { continue };
        for stage in stages.elements_mut() {
            let name = stage.get("stageName").and_then(Node::as_str);
            if choice.stage.is_some() && name != choice.stage.as_deref() {
                continue;
            }
            set_stage_variables(stage, &choice.variables);
        }
    }
}

fn set_stage_variables(stage: &mut Node, variables: &[(String, String)]) {
    let Some(members) = stage.members_mut() else { return };
    if !members.iter().any(|member| member.name == "variables") {
        let value = Node::made_object([]);
        members.push(Member { name: "variables".to_owned(), name_span: None, value });
    }
    let Some(set) = stage.get_mut("variables").and_then(Node::members_mut) else { return };
    for (name, value) in variables {
        set.retain(|member| member.name != *name);
        set.push(Member { name: name.clone(), name_span: None, value: Node::made(value.clone()) });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_variable_has_a_name_and_any_value() {
        assert_eq!(stage_variable("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert_eq!(stage_variable("a="), Ok(("a".to_owned(), String::new())));
        assert!(stage_variable("a").is_err() && stage_variable("=b").is_err());
    }
}
