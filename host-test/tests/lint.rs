//! `tollgate lint --report`: what it counts, and the formats in which other programs take it. How many settings every example and
//! every definition has, and how many are served, is written down in `tests/lint/`; `UPDATE=1 cargo test --test lint` writes it anew.

#[path = "drivers/beside.rs"]
mod beside;
mod pages;
mod process;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use beside::beside;
use pages::Page;
use process::{TOLLGATE, printed, repository};
use serde_json::{Value, json};

/// Two settings that are refused, one that is ignored, and one thing to be known.
const DOCUMENT: &str = r#"apis:
- name: a
  definition:
    openapi: 3.0.1
    paths:
      /a:
        get:
          x-amazon-apigateway-integration: {type: http_proxy, uri: "http://h.test/", httpMethod: GET, credentials: x, timeoutInMillis: 5, connectionType: "100%,:" }
  stages: [{stageName: prod}]
"#;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lint")
}

/// Runs `lint` with a text on its standard input.
fn lint(arguments: &[&str], input: &str) -> Output {
    let mut command = Command::new(TOLLGATE);
    command.arg("lint").args(arguments).current_dir(repository()).env("NO_COLOR", "1");
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the command can be run");
    child.stdin.take().expect("it is piped").write_all(input.as_bytes()).expect("it is read");
    child.wait_with_output().expect("it ends")
}

fn parsed(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", printed(output)))
}

// --- the count --------------------------------------------------------------------------------------------------------------

#[test]
fn a_report_counts_by_kind_and_says_of_each_problem_what_follows() {
    let output = lint(&["--report", "-"], DOCUMENT);
    assert_eq!(output.status.code(), Some(1));
    let text = printed(&output);
    let head = "-: 6 of 9 settings served; these are not:\n  APIs 1 of 1, stages 1 of 1, routes 1 of 1, integrations 3 of 6\n\nintegrations\n";
    assert!(text.starts_with(head), "{text}");
    for part in [
        "  <stdin>:8:116  $.apis[0].definition.paths[\"/a\"].get[\"x-amazon-apigateway-integration\"].credentials\n",
        "    ignored: `credentials` has no effect",
        "    what: `credentials` on HTTP_PROXY\n    consequence: a client and the backend notice nothing: HTTP backends get no AWS signature (1 setting)\n",
        "    refused: no upstream for `h.test`\n    consequence: Envoy refuses the document",
        "    see: docs/parity.md#integrations\n",
        "\nAs long as anything is refused, nothing of the document is served.\n",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn the_report_of_several_files_is_one_object_for_programs() {
    let output = lint(&["--report", "--format", "json", "examples/petstore/gateway.yaml", "-"], DOCUMENT);
    let report = parsed(&output);
    let files = report["files"].as_array().expect("it lists files");
    assert_eq!(files.len(), 2);
    let sum = |name: &str| files.iter().map(|file| file[name].as_u64().unwrap_or_default()).sum::<u64>();
    assert_eq!((report["settings"].as_u64(), report["served"].as_u64()), (Some(sum("settings")), Some(sum("served"))));
    let refused = &files[1]["problems"][1];
    assert_eq!(refused["kind"], "integrations", "{refused:#}");
    assert_eq!(files[1]["kinds"][3], json!({"kind": "integrations", "settings": 6, "served": 3}));
    for file in files {
        for problem in file["problems"].as_array().expect("it lists problems") {
            for name in [
                "severity",
                "file",
                "line",
                "column",
                "path",
                "message",
                "help",
                "kind",
                "feature",
                "fate",
                "consequence",
                "settings",
                "link",
            ] {
                assert!(problem.get(name).is_some(), "no `{name}`: {problem:#}");
            }
        }
    }
}

#[test]
fn a_file_that_cannot_be_read_as_a_document_has_no_settings_and_a_problem() {
    let output = lint(&["--report", "-"], "a: [");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        printed(&output).starts_with("-: 0 of 0 settings served; to be known:\n\ndocument\n  <stdin>:"),
        "{}",
        printed(&output)
    );
    let output = lint(&["--report", "gone.yaml", "-"], DOCUMENT);
    assert_eq!(output.status.code(), Some(2), "{}", printed(&output));
}

// --- formats ----------------------------------------------------------------------------------------------------------------

fn sarif_schema() -> jsonschema::Validator {
    let text = std::fs::read_to_string(folder().join("sarif-2.1.0-rtm.5.json")).expect("the schema is there");
    let mut schema: Value = serde_json::from_str(&text).expect("the schema is JSON");
    // As published it has a bracket too many, which only some readers of regular expressions forgive.
    for owner in ["run", "toolComponent"] {
        schema["definitions"][owner]["properties"]["language"].as_object_mut().expect("it is there").remove("pattern");
    }
    let options = jsonschema::options().should_validate_formats(true);
    options.build(&schema).expect("the schema is one")
}

#[test]
fn what_is_printed_as_sarif_is_valid_by_the_published_schema_and_leads_to_the_place_and_the_page() {
    let schema = sarif_schema();
    for arguments in
        [&["--report", "--format", "sarif", "--docs", "https://example.com/docs/", "-"][..], &["--format", "sarif", "-"]]
    {
        let log = parsed(&lint(arguments, DOCUMENT));
        let wrong: Vec<String> = schema.iter_errors(&log).map(|error| format!("{}: {error}", error.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:#?}");
        let run = &log["runs"][0];
        assert_eq!(run["properties"], json!({"settings": 9, "served": 6}));
        let results = run["results"].as_array().expect("it lists results");
        assert_eq!(results.len(), 4, "{results:#?}");
        for result in results {
            let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().expect("it has one") as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            let region = &result["locations"][0]["physicalLocation"]["region"];
            assert!(region["startLine"] == 8 && region["startColumn"].as_u64() > Some(40), "{region}");
            match arguments.contains(&"--docs") {
                true => assert!(
                    rule["helpUri"].as_str().is_some_and(|uri| uri.starts_with("https://example.com/docs/parity.md#")),
                    "{rule}"
                ),
                false => assert!(
                    rule.get("helpUri").is_none() && rule["help"]["text"].as_str().is_some_and(|text| text.contains("docs/"))
                ),
            }
        }
    }
    let mut broken = parsed(&lint(&["--format", "sarif", "-"], DOCUMENT));
    broken["runs"][0]["results"][0]["level"] = "fatal".into();
    assert!(!schema.is_valid(&broken), "the schema refuses nothing");
}

#[test]
fn github_gets_a_command_for_each_problem_on_one_line_and_a_notice_with_the_count() {
    let output = lint(&["--report", "--format", "github", "-"], DOCUMENT);
    let text = printed(&output);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 5, "{text}");
    assert!(
        lines[0].starts_with("::warning file=<stdin>,line=8,col=116,title=tollgate%3A integrations::`credentials` has no effect"),
        "{text}"
    );
    assert!(lines.iter().any(|line| line.starts_with("::error file=<stdin>,line=8,") && line.contains("`100%25,:`")), "{text}");
    assert_eq!(lines[4], "::notice file=-::6 of 9 settings served");
    assert_eq!(printed(&lint(&["--format", "github", "-"], DOCUMENT)).lines().count(), 4);
}

#[test]
fn the_links_lead_to_pages_and_sections_that_are_there() {
    let output = lint(&["--report", "--format", "json", "-"], DOCUMENT);
    for problem in parsed(&output)["files"][0]["problems"].as_array().expect("it lists problems") {
        let (page, anchor) = problem["link"].as_str().and_then(|link| link.split_once('#')).expect("a link has both");
        let page = Page::read(&repository(), &repository().join(page));
        assert!(page.anchors().iter().any(|known| known == anchor), "{problem:#}");
    }
}

// --- what people have -------------------------------------------------------------------------------------------------------

/// One line a file: its name, what is served of all, and of which kind something is not.
fn counts(root: &Path, files: &[PathBuf]) -> String {
    let mut out = String::new();
    for file in files {
        let mut command = Command::new(TOLLGATE);
        let output = command.args(["lint", "--report", "--format", "json"]).arg(file).current_dir(root).output();
        let report = parsed(&output.expect("the command can be run"));
        let kinds = report["files"][0]["kinds"].as_array().cloned().unwrap_or_default();
        let kinds: Vec<String> = kinds
            .iter()
            .map(|kind| format!("{} {} of {}", kind["kind"].as_str().unwrap_or_default(), kind["served"], kind["settings"]))
            .collect();
        out += &format!("{}: {} of {}: {}\n", file.display(), report["served"], report["settings"], kinds.join(", "));
    }
    out
}

fn check(name: &str, counted: &str) {
    let snapshot = folder().join(name);
    if std::env::var_os("UPDATE").is_some_and(|value| value == "1") {
        std::fs::write(&snapshot, counted).expect("the snapshot can be written");
    }
    assert!(counted.lines().count() >= 8, "{counted}");
    let known = std::fs::read_to_string(&snapshot).unwrap_or_default();
    assert_eq!(known, counted, "the counts are others (UPDATE=1 takes them over)");
}

/// The files below a folder that are named so, or so end.
fn files(root: &Path, wanted: impl Fn(&str) -> bool) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.file_name().and_then(|name| name.to_str()).is_some_and(&wanted) {
                files.push(path.strip_prefix(root).expect("it is below").to_owned());
            }
        }
    }
    files.sort();
    files
}

#[test]
fn the_settings_of_every_example_are_counted_as_written_down() {
    let examples = repository().join("examples");
    check("examples.txt", &counts(&examples, &files(&examples, |name| name == "gateway.yaml")));
}

#[test]
fn the_settings_of_every_definition_of_other_people_are_counted_as_written_down() {
    let Some(definitions) = beside("definitions") else { return };
    let is_definition = |name: &str| [".json", ".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    check("definitions.txt", &counts(&definitions, &files(&definitions, is_definition)));
}
