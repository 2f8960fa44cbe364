//! What the pages of the project name is there: paths, anchors, commands, options, targets of make, keys of the document.

mod capabilities;
mod pages;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::{Command, Stdio};

use pages::{Page, Row};
use process::{TOLLGATE, printed, repository, tollgate};
use serde_json::{Value, json};
use tollgate::compile::compile;
use tollgate::problem::Severity;

fn page(name: &str) -> Page {
    let repository = repository();
    Page::read(&repository, &repository.join(name))
}

// --- paths ------------------------------------------------------------------------------------------------------------------

#[test]
fn every_path_that_a_page_names_exists() {
    let repository = repository();
    let mut found = 0;
    for page in pages::all(&repository) {
        for link in page.links().iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target = if path.is_empty() { repository.join(&page.name) } else { page.folder(&repository).join(path) };
            assert!(target.exists(), "{}: `{link}` leads nowhere", page.name);
            let anchors = || Page::read(&repository, &target).anchors();
            assert!(anchor.is_empty() || anchors().iter().any(|known| known == anchor), "{}: no anchor `{link}`", page.name);
            found += 1;
        }
        for span in page.spans().iter().filter(|span| is_path(span)) {
            let below = page.folder(&repository);
            assert!(repository.join(span).exists() || below.join(span).exists(), "{}: there is no `{span}`", page.name);
            found += 1;
        }
    }
    assert!(found >= 35, "only {found} paths were found on the pages");
}

/// A code span that is the path of something in the repository; what is built is not.
fn is_path(span: &str) -> bool {
    const FOLDERS: [&str; 6] = ["filter/", "host-test/", "envoy/", "examples/", "docs/", ".ci/"];
    const FILES: [&str; 4] = [".yaml", ".rs", ".md", ".toml"];
    let plain = span.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b'_'));
    plain && (FOLDERS.iter().any(|folder| span.starts_with(folder)) || FILES.iter().any(|end| span.ends_with(end)))
}

#[test]
fn the_lines_of_envoy_that_the_readme_shows_are_those_of_the_bootstrap_in_their_order() {
    let bootstrap = std::fs::read_to_string(repository().join("envoy/edge.yaml")).expect("the bootstrap is there");
    let shown = page("README.md").blocks().into_iter().find(|block| block.language == "yaml").expect("the README shows some");
    assert!(shown.text.lines().count() >= 15);
    let read = serde_norway::from_str::<Value>(&shown.text);
    assert!(read.is_ok(), "{read:?}");
    // The README leaves out what stands between, and stands further left.
    let mut rest = bootstrap.lines().map(str::trim);
    for line in shown.text.lines().map(str::trim) {
        assert!(rest.any(|known| known == line), "envoy/edge.yaml has no line `{line}` behind those before it");
    }
}

#[test]
fn the_readme_is_short_and_its_features_are_known_by_what_the_page_of_parity_explains() {
    let readme = page("README.md");
    assert!(readme.text.lines().count() <= 250, "what is more belongs on a page of its own");
    let explained: Vec<Row> =
        page("docs/parity.md").rows().into_iter().filter(|row| row.has("evidence") && row.has("meaning")).collect();
    let words: BTreeSet<String> = explained.iter().map(|row| row.cell("evidence").to_owned()).collect();
    let rows: Vec<Row> = readme.rows().into_iter().filter(|row| row.has("known by")).collect();
    for row in &rows {
        let known = row.cell("known by").split(", ").filter(|word| !word.is_empty()).all(|word| words.contains(word));
        assert!(known, "`{}` is no evidence", row.cell("known by"));
    }
    assert!(rows.len() >= 15 && words.len() >= 5, "{} features and {} words were found", rows.len(), words.len());
}

// --- commands ---------------------------------------------------------------------------------------------------------------

/// The subcommands that the command itself lists.
fn subcommands() -> BTreeSet<String> {
    let help = printed(&tollgate(&["--help"]));
    let list = help.split("\nCommands:\n").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the help lists commands");
    let name = |line: &str| line.split_whitespace().next().unwrap_or_default().to_owned();
    list.lines().map(name).filter(|name| name != "help").collect()
}

/// The options of a subcommand, `--help` left out.
fn options(subcommand: &str) -> BTreeSet<String> {
    let output = tollgate(&[subcommand, "--help"]);
    assert!(output.status.success(), "`tollgate {subcommand} --help` fails");
    let help = printed(&output);
    let option = |line: &str| line.split_whitespace().find(|word| word.starts_with("--")).map(str::to_owned);
    let is_option = |line: &&str| line.trim_start().starts_with('-') && line.starts_with("  ");
    let all = help.split("\nOptions:\n").nth(1).unwrap_or_default().split("\nExamples:").next().unwrap_or_default();
    all.lines().filter(is_option).filter_map(option).filter(|option| option != "--help").collect()
}

#[test]
fn every_command_that_a_page_shows_has_its_subcommand_and_its_options() {
    let known = subcommands();
    let mut found = 0;
    for page in pages::all(&repository()) {
        let blocks: String = page.blocks().iter().map(|block| block.text.replace("\\\n", " ")).collect();
        let spans = page.spans();
        for line in blocks.lines().chain(spans.iter().map(String::as_str)) {
            let words: Vec<&str> = line.trim_start_matches("$ ").split_whitespace().collect();
            let [command, subcommand, rest @ ..] = words.as_slice() else { continue };
            // Not `tollgate.wasm`, nor a name in prose.
            if !matches!(*command, "tollgate" | "target/debug/tollgate") {
                continue;
            }
            found += 1;
            assert!(known.contains(*subcommand), "{}: `{line}` has no such subcommand", page.name);
            let options = options(subcommand);
            for option in rest.iter().filter(|word| word.starts_with("--")) {
                assert!(options.contains(*option), "{}: `{line}` has an option that `{subcommand}` does not know", page.name);
            }
        }
    }
    assert!(found >= 15, "only {found} commands were found on the pages");
}

#[test]
fn every_target_of_make_that_a_page_names_is_in_the_makefile_and_the_readme_names_all_that_make_help_shows() {
    let makefile = std::fs::read_to_string(repository().join("Makefile")).expect("there is a Makefile");
    let targets: BTreeSet<&str> = makefile
        .lines()
        .filter(|line| line.contains("## ") && line.starts_with(|c: char| c.is_ascii_lowercase()))
        .filter_map(|line| line.split_once(':').map(|(name, _)| name))
        .filter(|name| *name != "help")
        .collect();
    let named = |text: &str| -> Vec<String> {
        let words: Vec<&str> = text.split_whitespace().collect();
        match words.as_slice() {
            ["make", target, ..] => vec![(*target).to_owned()],
            _ => Vec::new(),
        }
    };
    let mut in_readme = BTreeSet::new();
    for page in pages::all(&repository()) {
        let blocks: String = page.blocks().into_iter().map(|block| block.text).collect();
        for target in blocks.lines().chain(page.spans().iter().map(String::as_str)).flat_map(named) {
            assert!(targets.contains(target.as_str()), "{}: the Makefile has no target `{target}` that it explains", page.name);
            if page.name == "README.md" {
                in_readme.insert(target);
            }
        }
    }
    assert_eq!(in_readme, targets.into_iter().map(str::to_owned).collect());
}

#[test]
fn the_page_of_the_command_has_a_section_for_each_subcommand_with_exactly_its_options() {
    let page = page("docs/cli.md");
    let rows = page.rows();
    for subcommand in subcommands() {
        assert!(page.text.contains(&format!("\n## {subcommand}\n")), "docs/cli.md has no section `{subcommand}`");
        let of_it = |row: &&Row| row.section == subcommand && row.has("option");
        let written: BTreeSet<String> =
            rows.iter().filter(of_it).map(|row| row.cell("option").trim_matches('`').to_owned()).collect();
        assert_eq!(written, options(&subcommand), "{subcommand}");
        // Where the help names a default, the page names the same.
        let help = printed(&tollgate(&[&subcommand, "--help"])).split_whitespace().collect::<Vec<_>>().join(" ");
        for row in rows.iter().filter(of_it) {
            let after = help.split(&format!("{} <", row.cell("option").trim_matches('`'))).nth(1);
            let own = after.map(|text| text.split(" --").next().unwrap_or_default());
            let default = own.and_then(|text| text.split("[default: ").nth(1)).and_then(|text| text.split(']').next());
            if let Some(default) = default {
                assert_eq!(row.cell("default").trim_matches('`'), default, "{subcommand} {}", row.cell("option"));
            }
        }
    }
}

#[test]
fn the_page_of_the_command_lists_exactly_the_keys_of_a_reply_that_the_stub_knows() {
    let file = std::env::temp_dir().join(format!("tollgate-docs-{}.yaml", std::process::id()));
    std::fs::write(&file, "replies: [{ path: /, none: 1 }]").expect("a file can be written");
    let output = tollgate(&["stub", file.to_str().expect("paths are UTF-8"), "--listen", "127.0.0.1:0"]);
    std::fs::remove_file(&file).expect("it is there");
    let said = printed(&output);
    let list = said.split("known: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_else(|| panic!("{said}"));
    let known: BTreeSet<String> = list.split(", ").map(str::to_owned).collect();
    let rows = page("docs/cli.md").rows();
    let of_it = rows.iter().filter(|row| row.has("key of a reply"));
    let listed: BTreeSet<String> = of_it.map(|row| row.cell("key of a reply").trim_matches('`').to_owned()).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_page_of_the_document_lists_exactly_the_keys_of_a_function_that_the_command_knows() {
    let file = std::env::temp_dir().join(format!("tollgate-docs-functions-{}.yaml", std::process::id()));
    std::fs::write(&file, "functions: {f: {none: 1, command: [x]}}").expect("a file can be written");
    let output = tollgate(&["functions", file.to_str().expect("paths are UTF-8"), "--listen", "127.0.0.1:0"]);
    std::fs::remove_file(&file).expect("it is there");
    let said = printed(&output);
    let list = said.split("known here: ").nth(1).and_then(|rest| rest.lines().next()).unwrap_or_else(|| panic!("{said}"));
    let known: BTreeSet<String> = list.split(", ").map(str::to_owned).collect();
    let rows = page("docs/document.md").rows();
    let of_it = rows.iter().filter(|row| row.section == "A function" && row.has("name"));
    let listed: BTreeSet<String> = of_it.map(|row| row.cell("name").trim_matches('`').to_owned()).collect();
    assert_eq!(listed, known);
}

// --- the gateway document ---------------------------------------------------------------------------------------------------

#[test]
fn the_page_of_the_document_lists_exactly_the_keys_that_the_reader_knows() {
    let definition = json!({"openapi": "3.0.1", "paths": {}});
    let mut document = json!({
        "none": 1,
        "apis": [{"none": 1, "name": "a", "definition": definition, "stages": [{"none": 1, "stageName": "s"}]}],
        "upstreams": {"h": {"none": 1, "cluster": "h"}},
        "issuers": {"https://i": {"none": 1}},
        "iam": {"none": 1, "users": [{"none": 1, "accessKeyId": "a", "secretAccessKey": "b"}]},
        "account": {"none": 1},
        "rateLimitService": {"none": 1, "cluster": "c"},
        "apiKeys": [{"none": 1, "name": "k", "value": "0123456789abcdefghij"}],
        "usagePlans": [{"none": 1, "usagePlanName": "p", "apiStages": [{"none": 1}], "throttle": {"none": 1}, "quota": {"none": 1}}],
    });
    let mut known = known_keys(&document);
    // The command replaces these before the document is compiled.
    for (section, key) in [("An API", "definitionFile"), ("An issuer", "jwksFile")] {
        known.get_mut(section).expect("it is a section").insert(key.to_owned());
    }
    let rows = page("docs/document.md").rows();
    for (section, keys) in &known {
        let of_it = |row: &&Row| row.section == *section && row.has("name");
        let listed: BTreeSet<String> = rows.iter().filter(of_it).map(|row| row.cell("name").trim_matches('`').to_owned()).collect();
        assert_eq!(&listed, keys, "{section}");
    }
    // What the page calls an error or a warning is one.
    for row in rows.iter().filter(|row| row.has("name") && row.cell("description").starts_with("not served yet")) {
        let key = row.cell("name").trim_matches('`');
        let place = if row.section == "A stage" { &mut document["apis"][0]["stages"][0] } else { &mut document };
        place[key] = json!({});
        let problems = compile(&document).problems;
        let is_error = row.cell("description").ends_with("an error");
        let severity = if is_error { Severity::Error } else { Severity::Warning };
        let told = problems.iter().any(|problem| {
            problem.message.starts_with("not served yet") && problem.path.to_string().ends_with(key) && problem.severity == severity
        });
        assert!(told, "`{key}` is not told as a {severity:?}: {problems:#?}");
    }
}

/// What the reader says it knows at each level, from the help of the problem about the key `none`.
fn known_keys(document: &Value) -> BTreeMap<&'static str, BTreeSet<String>> {
    let problems = compile(document).problems;
    let places = [
        ("The document", "$.none"),
        ("An API", "$.apis[0].none"),
        ("A stage", "$.apis[0].stages[0].none"),
        ("An upstream", "$.upstreams.h.none"),
        ("An issuer", "$.issuers[\"https://i\"].none"),
        ("IAM", "$.iam.none"),
        ("A user", "$.iam.users[0].none"),
        ("Account", "$.account.none"),
        ("An API key", "$.apiKeys[0].none"),
        ("A rate limit service", "$.rateLimitService.none"),
        ("Usage plans", "$.usagePlans[0].none"),
        ("A stage of a plan", "$.usagePlans[0].apiStages[0].none"),
        ("A throttle", "$.usagePlans[0].throttle.none"),
        ("A quota", "$.usagePlans[0].quota.none"),
    ];
    let keys = |place: &str| {
        let problem = problems.iter().find(|problem| problem.path.to_string() == place);
        let help = problem.and_then(|problem| problem.help.as_deref()).unwrap_or_else(|| panic!("no problem at {place}"));
        let list = help.strip_prefix("known here: ").expect("the help lists what is known");
        list.split(", ").map(str::to_owned).collect()
    };
    places.map(|(section, place)| (section, keys(place))).into()
}

#[test]
fn the_example_of_the_document_page_lints_without_a_problem_and_uses_every_key_that_is_served() {
    let page = page("docs/document.md");
    let example = page.blocks().into_iter().find(|block| block.language == "yaml").expect("the page has an example");
    let mut lint = Command::new(TOLLGATE)
        .args(["lint", "-"])
        .current_dir(repository().join("docs"))
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command can be run");
    lint.stdin.take().expect("it is a pipe").write_all(example.text.as_bytes()).expect("the command reads it");
    let output = lint.wait_with_output().expect("it ends");
    assert!(output.status.success() && printed(&output).is_empty(), "{}", printed(&output));
    for row in page.rows().iter().filter(|row| row.has("name") && !row.cell("description").starts_with("not served yet")) {
        let key = row.cell("name").trim_matches('`');
        assert!(example.text.contains(&format!("{key}:")), "the example does not show `{key}`");
    }
}
