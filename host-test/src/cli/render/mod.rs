//! `tollgate render`: one mapping template, and the text that it makes of a request or of an integration's response.

mod given;
mod overrides;
mod sample;

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde_json::json;
use tollgate::mapping::{Overrides, Side, render_with};
use tollgate::problem::Severity;
use tollgate::template::{Fault, SyntaxError, Template};
use tollgate::value::{Heap, Value};

use self::given::GivenContext;
use self::sample::HOST;
use super::diagnostics::{self, Diagnostic, Place};
use super::source::{SourceFile, read_text, stage_variable};
use super::{Failure, Verdict, say};

/// Show what a mapping template makes of a request
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate render order.vtl --body '{\"pet\": {\"id\": 3}}'
  tollgate render --template '$input.params(\"id\")' --path-param id=3
  tollgate render order.vtl --body @order.json --header 'X-Shop: north' --stage-variable queue=orders
  tollgate render answer.vtl --response --body @answer.json --context '{\"identity\": {\"sourceIp\": \"1.2.3.4\"}}' --format json

The text is printed as it is, without a line end of its own. What the template sets in `$context.requestOverride` and
`$context.responseOverride` goes to the standard error.

What nobody sets has always the same value: a POST of `/` to stage `prod` of the API `a1b2c3d4e5` of account 123456789012, from
127.0.0.1, at 2015-04-09T12:34:56Z, as request c6af9ac6-7b61-41e6-9a41-93e8deadbeef.

Exit codes: 0 rendered, 1 the template is wrong, or cannot read the body, or takes too much, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// The template; `-` is the standard input
    #[arg(value_name = "TEMPLATE", required_unless_present = "template", conflicts_with = "template")]
    file: Option<PathBuf>,
    /// The template itself
    #[arg(long, value_name = "TEXT")]
    template: Option<String>,
    /// The body that the template looks at; `@` and a file is what is in it
    #[arg(long, value_name = "TEXT|@FILE", default_value = "", hide_default_value = true)]
    body: String,
    /// Values of `$context`, as JSON: `{"identity": {"sourceIp": "1.2.3.4"}}` or `{"identity.sourceIp": "1.2.3.4"}`
    #[arg(long, value_name = "JSON|@FILE")]
    context: Option<String>,
    /// A header of the request; can be given more than once
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE", value_parser = super::given::header)]
    headers: Vec<(String, String)>,
    /// A path parameter; can be given more than once
    #[arg(long = "path-param", value_name = "NAME=VALUE", value_parser = stage_variable)]
    path_parameters: Vec<(String, String)>,
    /// A parameter of the query; can be given more than once, also for one name
    #[arg(long = "query", value_name = "NAME=VALUE", value_parser = stage_variable)]
    query: Vec<(String, String)>,
    /// Set a stage variable; can be given more than once
    #[arg(long = "stage-variable", value_name = "NAME=VALUE", value_parser = stage_variable)]
    variables: Vec<(String, String)>,
    /// The template is one of an integration response: the body is the backend's
    #[arg(long)]
    response: bool,
    /// How the text is shown
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// How a rendering is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// The text itself
    Text,
    /// One JSON object with the text and what it overrides
    Json,
}

/// Prints the text.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let body = super::given::bytes(&arguments.body)?;
    let given = GivenContext::read(arguments.context.as_deref())?;
    let (name, text) = match (&arguments.template, &arguments.file) {
        (Some(text), _) => ("<template>".to_owned(), text.clone()),
        (None, file) => {
            let file = file.as_deref().unwrap_or(Path::new("-"));
            read_text(file, "name a file with a template, or give its text behind `--template`; `-` reads the standard input")?
        }
    };
    let template = match Template::parse(&text) {
        Ok(template) => template,
        Err(wrong) => {
            diagnostics::write_to_stderr(&[place(&name, &text, wrong)], &name);
            return Ok(Verdict::Problems);
        }
    };
    let side = if arguments.response { Side::Response } else { Side::Request };
    let mut overrides = Overrides::default();
    let context = sample::context(arguments);
    let amend = |context: &Value, heap: &mut Heap| given.merge(context, heap);
    let rendered = render_with(&template, &context, std::str::from_utf8(&body).ok(), &mut overrides, &HOST, Some(&amend));
    let output = rendered.map_err(|fault| failure(&fault, side))?;
    match arguments.format {
        Format::Json => super::print(&format!("{:#}\n", json!({"output": output, "overrides": overrides::to_json(&overrides)})))?,
        Format::Text => {
            print_exactly(&output)?;
            say(&overrides::lines(&overrides));
        }
    }
    Ok(Verdict::Good)
}

/// As the file of a definition shows its mistakes.
fn place(name: &str, text: &str, wrong: SyntaxError) -> Diagnostic {
    let file = SourceFile::new(name.to_owned(), text);
    let place = Place::at(&file, wrong.line, wrong.column);
    Diagnostic {
        severity: Severity::Error,
        file: name.to_owned(),
        place: Some(place),
        path: String::new(),
        message: wrong.message,
        help: None,
    }
}

/// What a client would get, and why.
fn failure(fault: &Fault, side: Side) -> Failure {
    match (fault, side) {
        (Fault::Body(message), Side::Request) => {
            Failure::new(format!("the template cannot read the body, and a client gets 400: {message}"))
        }
        (Fault::Body(message), _) => {
            Failure::new(format!("the template cannot read the backend's body, and a client gets 500: {message}"))
        }
        (Fault::NotText, _) => Failure::new("the body is not UTF-8 text, and a client gets 500")
            .help("`contentHandling: CONVERT_TO_TEXT` gives a template the base64 of it"),
        (Fault::Method(message), _) => Failure::new(format!("the template fails, and a client gets 500: {message}")),
        (Fault::Exhausted(limit), _) => Failure::new(format!("the template takes too much: {limit}")),
    }
}

/// Byte for byte: what looks like a colour is the template's own. A reader that went away is no error.
fn print_exactly(text: &str) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write the text: {error}")))
        }
        _ => Ok(()),
    }
}
