//! `tollgate import`: from the infrastructure code that the user already has to one gateway document.
//!
//! ```text
//!   CloudFormation, CDK ─ parameters, conditions ─┐
//!   SAM ─ the same, and its transform ────────────┼─> resources ─ references ─> assembled ─> one gateway document ─> compiled
//!   Terraform: plan or state ─────────────────────┘
//! ```
//!
//! A front end ends in `Vec<Resource>`: resources as CloudFormation writes them, those of other services too, because they are what
//! is referred to. References among resources are resolved after that, once for all front ends. Whatever is wrong ends the import:
//! half a document would be a gateway with half of its guards.

mod assemble;
mod cloudformation;
mod report;
mod resolve;
pub mod resource;
mod sam;
mod terraform;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use serde_json::{Value, json};
use tollgate::problem::{JsonPath, Problem, Problems};

use self::assemble::{Assembled, Identities};
use self::report::Report;
use self::resolve::{Resolver, Template};
use self::resource::Resource;
use super::diagnostics::{self, Count};
use super::source::{Source, stage_variable};
use super::{Failure, Verdict, check, say};

/// Make a gateway document of a CloudFormation template or of Terraform's plan or state
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate import template.yaml --output gateway.yaml
  tollgate import template.yaml --parameter Stage=dev --value PartnerKey.Value=cQ3mZ8rT5vX1nB7kL2pW
  cdk synth --json | tollgate import - > gateway.yaml
  aws cloudformation get-template --template-stage Processed --stack-name pets | tollgate import -
  terraform show -json | tollgate import - --output gateway.yaml

The document is for `tollgate serve`, `tollgate lint` and Envoy. What is in the template and not in the document is told on the standard
error, and so is every name that the template leaves to AWS. Anything that cannot be carried over is an error with its line, and
nothing is written then.

Exit codes: 0 written (warnings may have been shown), 1 errors, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// A template of CloudFormation, CDK or SAM (YAML or JSON), or what `terraform show -json` prints; `-` is the standard input
    file: PathBuf,
    /// What the file is
    #[arg(long, value_enum, default_value_t = From::Auto)]
    from: From,
    /// A parameter of the template; can be given more than once
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = stage_variable)]
    parameters: Vec<(String, String)>,
    /// What only AWS knows: `Function.Arn=…`, `Queue=…` for what `Ref` gives, the name of an export; can be given more than once
    #[arg(long = "value", value_name = "LOGICALID[.ATTRIBUTE]=VALUE", value_parser = stage_variable)]
    values: Vec<(String, String)>,
    /// The region that the stack is in, unless the file says it: us-east-1
    #[arg(long)]
    region: Option<String>,
    /// The account that the stack is in, unless the file says it: 000000000000
    #[arg(long, value_parser = account)]
    account: Option<String>,
    /// The name of the stack
    #[arg(long, value_name = "NAME", default_value = "stack")]
    stack_name: String,
    /// Write to this file in the place of the standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How the document is written
    #[arg(long, value_enum, default_value_t = Format::Yaml)]
    format: Format,
}

/// The account of a stack of which nobody says it.
const NO_ACCOUNT: &str = "000000000000";

/// What a file can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum From {
    /// Told by what is in it
    Auto,
    /// A template of CloudFormation, CDK or SAM
    Cloudformation,
    /// What `terraform show -json` prints
    Terraform,
}

/// How a document is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// For people
    Yaml,
    /// For programs
    Json,
}

/// What the command line says of the stack.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `AWS::Region`
    pub region: String,
    /// `AWS::AccountId`
    pub account: String,
    /// `AWS::StackName`
    pub stack_name: String,
    /// `--parameter NAME=VALUE`
    pub parameters: BTreeMap<String, String>,
    /// `--value LOGICALID[.ATTRIBUTE]=VALUE`: what nobody but AWS knows.
    pub values: BTreeMap<String, String>,
}

/// Reads, resolves, assembles and compiles; what is wrong at one step ends it.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let shown = arguments.file.display().to_string();
    let mut source = Source::load_template(&arguments.file)?;
    let mut settings = arguments.settings();
    let mut problems = Vec::new();
    let imported = import(&mut source, arguments, &mut settings, &mut problems);
    if let Some(root) = source.document().filter(is_terraform) {
        problems.iter_mut().for_each(|problem| problem.path = terraform::place(&root, &problem.path));
    }
    // An API at two domains is compiled for both of them.
    let mut known = HashSet::new();
    problems.retain(|problem| known.insert(problem.clone()));
    report::fold(&mut problems);
    let diagnostics = check::diagnose(&source, &problems);
    diagnostics::write_to_stderr(&diagnostics, &shown);
    let Some((document, report)) = imported.filter(|_| Count::of(&diagnostics).errors == 0) else {
        return Ok(Verdict::Problems);
    };
    let text = match arguments.format {
        Format::Yaml => yaml(&document)?,
        Format::Json => format!("{document:#}\n"),
    };
    match &arguments.output {
        None => super::print(&text)?,
        Some(file) => std::fs::write(file, text)
            .map_err(|error| Failure::usage(format!("cannot write `{}`: {}", file.display(), super::source::plain(&error))))?,
    }
    say(&report.text(&settings, arguments.output.as_deref()));
    Ok(Verdict::Good)
}

/// The document, and what is told of it; none where an error ended the way to it.
fn import(source: &mut Source, arguments: &Arguments, settings: &mut Settings, told: &mut Vec<Problem>) -> Option<(Value, Report)> {
    source.enter("TemplateBody");
    let root = source.document()?;
    let is_terraform = match arguments.from {
        From::Auto => is_terraform(&root),
        from => from == From::Terraform,
    };
    if is_terraform {
        terraform::learn(&root, settings);
        // What the user says outweighs what the file says.
        arguments.region.iter().for_each(|region| settings.region.clone_from(region));
        arguments.account.iter().for_each(|account| settings.account.clone_from(account));
    } else {
        cloudformation::put_files(source, &root, &arguments.file);
    }
    let root = source.document()?;
    let mut problems = Problems::default();
    let (template, resources) = if is_terraform {
        (Template::default(), terraform::read(&root, settings, &mut problems))
    } else {
        read_template(&root, settings, &mut problems)
    };
    settle(problems, told)?;
    let mut resolver = Resolver::with_resources(&template, settings, &resources);
    let (ours, others): (Vec<&Resource>, Vec<&Resource>) = resources.iter().partition(|resource| resource.is_of_api_gateway());
    let identities = identities(&mut resolver, &ours, &others);
    let resolved = ours
        .iter()
        .map(|resource| Resource { properties: resolver.properties(resource, assemble::is_read), ..(*resource).clone() })
        .collect();
    let made_up = std::mem::take(&mut resolver.made_up);
    settle(std::mem::take(&mut resolver.problems), told)?;
    let mut problems = Problems::default();
    if ours.is_empty() {
        problems.error(
            &JsonPath::root(),
            "there is no API of API Gateway in it",
            Some("one of AWS::ApiGateway::RestApi, AWS::ApiGatewayV2::Api, AWS::Serverless::Api, …"),
        );
    }
    let Assembled { document, origins, nothing_to_serve } = assemble::assemble(resolved, identities, settings, &mut problems);
    settle(problems, told)?;
    let compiled = check::compiled(&document).into_iter();
    told.extend(compiled.map(|problem| Problem { path: origins.of(&problem.path, &root), ..problem }));
    let report = Report::new(&document, others.len(), nothing_to_serve, made_up);
    Some((document, report))
}

/// Tells what a step found; none where that ends the way.
fn settle(problems: Problems, told: &mut Vec<Problem>) -> Option<()> {
    let is_over = problems.any_error();
    told.extend(problems.into_vec());
    (!is_over).then_some(())
}

/// What references to the resources give.
fn identities(resolver: &mut Resolver<'_>, ours: &[&Resource], others: &[&Resource]) -> Identities {
    let mut identities = Identities::default();
    for resource in ours {
        let own = resolver.quietly(&json!({ "Ref": resource.id }));
        identities.references.extend(own.map(|own| (resource.id.clone(), own)));
        if resource.kind == "AWS::ApiGateway::RestApi" {
            let root = resolver.quietly(&json!({ "Fn::GetAtt": [resource.id, "RootResourceId"] }));
            identities.roots.extend(root.map(|root| (resource.id.clone(), root)));
        }
    }
    for resource in others {
        let named = resolver.quietly(&json!({ "Ref": resource.id }));
        identities.others.extend(named.map(|named| (named, format!("`{}` is an {}", resource.id, resource.kind))));
    }
    identities
}

fn is_terraform(root: &Value) -> bool {
    root.get("terraform_version").is_some() || root.get("format_version").is_some()
}

fn read_template(root: &Value, settings: &Settings, problems: &mut Problems) -> (Template, Vec<Resource>) {
    if !cloudformation::is_template(root) {
        let (message, help) = not_a_template(root);
        problems.error(&JsonPath::root(), message, Some(help));
        return Default::default();
    }
    let read = cloudformation::read(root, settings, problems);
    let cloudformation::Read { template, resources, globals, ignored, is_sam } = read;
    let resources = if is_sam { sam::expand(sam::Sam { resources, globals, ignored }, settings, problems) } else { resources };
    (template, resources)
}

fn not_a_template(root: &Value) -> (&'static str, &'static str) {
    let has = |name: &str| root.get(name).is_some();
    if has("apis") {
        ("this is a gateway document already", "`tollgate serve` takes it as it is")
    } else if has("openapi") || has("swagger") {
        ("this is a definition, not a template", "`tollgate serve` takes it as it is")
    } else if has("service") && has("provider") {
        (
            "this is a file of the serverless framework, not a template",
            "run `serverless package`, and import `.serverless/cloudformation-template-update-stack.json`",
        )
    } else if has("StagesAvailable") {
        ("the template is a text in this file", "add `--query TemplateBody --output text` to `aws cloudformation get-template`")
    } else {
        (
            "neither a template of CloudFormation nor Terraform's plan or state",
            "a template has a member `Resources`; `terraform show -json` prints plans and states",
        )
    }
}

/// An account has twelve digits.
fn account(text: &str) -> Result<String, String> {
    let is_one = text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_one { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

fn yaml(document: &Value) -> Result<String, Failure> {
    serde_norway::to_string(document).map_err(|error| Failure::new(format!("cannot write the document: {error}")))
}

// === impl Arguments ===

impl Arguments {
    fn settings(&self) -> Settings {
        Settings {
            region: self.region.clone().unwrap_or_else(|| "us-east-1".to_owned()),
            account: self.account.clone().unwrap_or_else(|| NO_ACCOUNT.to_owned()),
            stack_name: self.stack_name.clone(),
            parameters: self.parameters.iter().cloned().collect(),
            values: self.values.iter().cloned().collect(),
        }
    }
}

// === impl Settings ===

impl Settings {
    /// `AWS::Partition`
    pub fn partition(&self) -> &'static str {
        match self.region.as_str() {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// `AWS::URLSuffix`
    pub fn url_suffix(&self) -> &'static str {
        if self.partition() == "aws-cn" { "amazonaws.com.cn" } else { "amazonaws.com" }
    }
}

#[cfg(test)]
#[path = "import_tests.rs"]
mod tests;
