//! `tollgate render` as its users run it: what one template gives, byte for byte, and how it says what is wrong.

mod process;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use process::{TOLLGATE, printed, tollgate};
use serde_json::{Value, json};

/// A file of one test, gone with it.
struct File(PathBuf);

// === impl File ===

impl File {
    fn new(name: &str, text: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("tollgate-render-{}-{name}", std::process::id()));
        std::fs::write(&path, text).expect("a file can be written");
        Self(path)
    }

    fn path(&self) -> &str {
        self.0.to_str().expect("paths are UTF-8")
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

fn render(arguments: &[&str]) -> Output {
    tollgate(&[&["render"], arguments].concat())
}

/// What a template gives that renders.
fn text(template: &str, arguments: &[&str]) -> String {
    let output = render(&[&["--template", template], arguments].concat());
    assert!(output.status.success(), "{}", printed(&output));
    String::from_utf8(output.stdout).expect("it is text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_text_is_printed_byte_for_byte() {
    let file = File::new("exact.vtl", b"\r\n a\t\x1b[1m#set($x = 1)$x\n\n");
    let output = render(&[file.path()]);
    assert_eq!((output.stdout.as_slice(), stderr(&output).as_str()), (&b"\r\n a\t\x1b[1m1\n\n"[..], ""));
    assert_eq!(text("", &[]), "");
    assert_eq!(text("no line end", &[]), "no line end");
}

#[test]
fn a_template_comes_from_a_file_the_command_line_or_the_standard_input() {
    let file = File::new("file.vtl", b"$input.body");
    let body = File::new("body.json", b"{\"a\": 1}");
    let output = render(&[file.path(), "--body", &format!("@{}", body.path())]);
    assert_eq!(printed(&output), "{\"a\": 1}");
    let mut command = Command::new(TOLLGATE);
    command.args(["render", "-", "--body", "x"]).env("NO_COLOR", "1").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("the command can be run");
    child.stdin.take().expect("a pipe").write_all(b"<$input.body>").expect("the command reads");
    assert_eq!(printed(&child.wait_with_output().expect("the command ends")), "<x>");
    assert_eq!(render(&[file.path(), "--template", "x"]).status.code(), Some(2), "one of both");
}

#[test]
fn the_request_is_what_the_options_say() {
    let request = ["-H", "X-Shop: north", "--header", "X-Second=2", "--path-param", "id=3", "--query", "q=a b&c", "--query", "q=d"];
    let template = "$input.params('x-shop') $input.params('x-second') $input.params('id') $input.params('q') $stageVariables.queue";
    assert_eq!(text(template, &[&request[..], &["--stage-variable", "queue=orders"]].concat()), "north 2 3 d orders");
    assert_eq!(
        text("$input.json('$.a[1]') $input.path('$.b')", &["--body", "{\"a\": [1, {\"c\": 2}], \"b\": \"t\"}"]),
        "{\"c\":2} t"
    );
}

#[test]
fn what_nobody_sets_has_always_the_same_value() {
    let template = "$context.requestId $context.apiId $context.accountId $context.stage $context.httpMethod $context.resourcePath \
                    $context.identity.sourceIp $context.requestTimeEpoch";
    let sample = "c6af9ac6-7b61-41e6-9a41-93e8deadbeef a1b2c3d4e5 123456789012 prod POST / 127.0.0.1 1428582896000";
    assert_eq!(text(template, &[]), sample);
    // What the help and the page say of it.
    let help = printed(&tollgate(&["render", "--help"]));
    for value in
        ["c6af9ac6-7b61-41e6-9a41-93e8deadbeef", "a1b2c3d4e5", "123456789012", "`prod`", "127.0.0.1", "2015-04-09T12:34:56Z"]
    {
        assert!(help.contains(value), "{value} is not in the help");
    }
}

#[test]
fn the_context_is_what_the_user_gives_over_what_a_request_has() {
    let template =
        "$context.identity.sourceIp $context.authorizer.claims.sub $context.stage $context.anything.at[1] $context.httpMethod";
    let nested = r#"{"identity": {"sourceIp": "1.2.3.4"}, "authorizer": {"claims": {"sub": "ann"}}, "stage": "dev", "anything": {"at": [1, 2]}}"#;
    assert_eq!(text(template, &["--context", nested]), "1.2.3.4 ann dev 2 POST");
    let dotted = r#"{"identity.sourceIp": "1.2.3.4", "authorizer.claims.sub": "ann", "stage": "dev", "anything.at": [1, 2]}"#;
    let file = File::new("context.json", dotted.as_bytes());
    assert_eq!(text(template, &["--context", &format!("@{}", file.path())]), "1.2.3.4 ann dev 2 POST");
    // A part of an object leaves the rest of it.
    let agent = ["-H", "User-Agent: me", "--context", r#"{"identity": {"sourceIp": "::1"}}"#];
    assert_eq!(text("$context.identity.userAgent $context.identity.sourceIp", &agent), "me ::1");
    for (given, said) in [("{", "is not JSON"), ("[]", "is no JSON object"), (r#"{"a": 1, "a.b": 2}"#, "gives `a.b` two values")] {
        let output = render(&["--template", "", "--context", given]);
        assert!(output.status.code() == Some(2) && stderr(&output).contains(said), "{}", printed(&output));
    }
}

const OVERRIDES: &str = "#set($context.requestOverride.header.X-A = 'a')#set($context.requestOverride.path.id = '7')\
                         #set($context.responseOverride.status = 418)#set($context.responseOverride.header.X-B = 'b')text";

#[test]
fn what_a_template_overrides_is_told_beside_its_text() {
    let output = render(&["--template", OVERRIDES, "--response"]);
    assert_eq!(output.stdout, b"text");
    let lines =
        "requestOverride.header.X-A: a\nrequestOverride.path.id: 7\nresponseOverride.header.X-B: b\nresponseOverride.status: 418\n";
    assert_eq!(stderr(&output), lines);
    let output = render(&["--template", OVERRIDES, "--format", "json"]);
    let value: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(&output)));
    let overrides = json!({
        "requestOverride": {"header": {"X-A": "a"}, "path": {"id": "7"}},
        "responseOverride": {"header": {"X-B": "b"}, "status": 418},
    });
    assert_eq!(value, json!({"output": "text", "overrides": overrides}));
    assert!(stderr(&output).is_empty());
}

#[test]
fn a_mistake_is_shown_at_its_line_and_column() {
    let file = File::new("wrong.vtl", "{\n  \"ü\": #if($a\n".as_bytes());
    let output = render(&[file.path()]);
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    let shown = stderr(&output);
    let place = format!(" --> {}:2:8\n  |\n2 |   \"ü\": #if($a\n  |        ^", file.path());
    assert!(shown.starts_with("error: `#if` ") && shown.contains(&place), "{shown}");
    assert!(!shown.contains("path:") && shown.ends_with(&format!("1 error in {}\n", file.path())), "{shown}");
    assert!(stderr(&render(&["--template", "#if($a"])).contains(" --> <template>:1:1\n"));
}

#[test]
fn what_cannot_be_rendered_is_an_error_that_says_what_a_client_gets() {
    let binary = File::new("binary", b"\xff\xfe");
    let binary = format!("@{}", binary.path());
    for (arguments, said) in [
        (vec!["--template", "$input.json('$')", "--body", "{\"a\":"], "a client gets 400: Could not process payload"),
        (vec!["--template", "$input.json('$')", "--body", "{\"a\":", "--response"], "a client gets 500: Could not process payload"),
        (vec!["--template", "$input.body", "--body", &binary], "is not UTF-8 text"),
        (
            vec!["--template", "#foreach($i in [1..9999])#foreach($j in [1..9999])x#end#end"],
            "takes too much: more than 1000000 steps",
        ),
    ] {
        let output = render(&arguments);
        assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
        assert!(output.stdout.is_empty() && stderr(&output).contains(said), "{}", printed(&output));
    }
}

#[test]
fn wrong_usage_is_told() {
    for (arguments, said) in [
        (vec![], "required"),
        (vec!["/no/such/template"], "there is no such file"),
        (vec!["--template", "", "--body", "@/no/such/body"], "there is no such file"),
        (vec!["--template", "", "--query", "a"], "write `NAME=VALUE`"),
        (vec!["--template", "", "-H", "no header"], "write `Name: value`"),
    ] {
        let output = render(&arguments);
        assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
        assert!(stderr(&output).contains(said), "{}", printed(&output));
    }
}
