//! The page of each capability is whole: it says which page of AWS it follows, has a table of settings, a definition that is served
//! and calls of it that are run, what Envoy and Istio need, and what differs from AWS. And its tables have every key that the code
//! reads: those that the compiler itself says it knows where an unknown one stands.

mod envoy;
mod integrations;

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tollgate::compile::compile;

use crate::page;
use crate::pages::{Page, Row};

/// The pages of capabilities.
const PAGES: [&str; 12] = [
    "api-keys",
    "authorizers",
    "aws-services",
    "cors",
    "gateway-responses",
    "http",
    "integrations",
    "lambda",
    "mock",
    "parameter-mapping",
    "routing",
    "validation",
];

/// The headings that each has, in this order; what belongs to the capability alone stands between them.
const HEADINGS: [&str; 3] = ["Example", "In Envoy and Istio", "Limits and differences"];

/// The columns of a table of settings.
const COLUMNS: [&str; 5] = ["name", "type", "required", "default", "description"];

/// The part of a page below one of its headings.
fn section<'p>(page: &'p Page, heading: &str) -> &'p str {
    let start = page.text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{} has no `## {heading}`", page.name));
    let rest = &page.text[start + 1..];
    &rest[..rest[1..].find("\n## ").map_or(rest.len(), |end| end + 1)]
}

/// The names in the tables below a heading, several of one row one by one.
fn names(page: &Page, heading: &str) -> BTreeSet<String> {
    let of_it = |row: &&Row| row.section == heading && row.has("name");
    let rows = page.rows();
    let cells = rows.iter().filter(of_it).map(|row| row.cell("name"));
    cells.flat_map(|cell| cell.split(", ")).map(|name| name.trim_matches('`').to_owned()).collect()
}

/// What the compiler says it knows where the unknown key `none` stands.
fn known(document: &Value, place: &str) -> BTreeSet<String> {
    let problems = compile(document).problems;
    let problem = problems.iter().find(|problem| problem.path.to_string() == place);
    let help =
        problem.and_then(|problem| problem.help.as_deref()).unwrap_or_else(|| panic!("no problem at {place}: {problems:#?}"));
    help.strip_prefix("known here: ").expect("the help lists what is known").split(", ").map(str::to_owned).collect()
}

/// A gateway document of one definition.
fn document(protocol: &str, definition: &Value) -> Value {
    let mut whole = json!({"openapi": "3.0.1", "paths": {"/a": {"get": {}}}});
    let members = definition.as_object().expect("a definition is an object").clone();
    whole.as_object_mut().expect("it is one").extend(members);
    json!({
        "apis": [{"name": "a", "protocol": protocol, "definition": whole, "stages": [{"stageName": "s"}]}],
        "upstreams": {"b.test": {"cluster": "b"}, "link": {"cluster": "b"}, "lambda.us-east-1.amazonaws.com": {"cluster": "b"},
            "sqs.us-east-1.amazonaws.com": {"cluster": "b"}, "i.test": {"cluster": "i"}},
    })
}

#[test]
fn every_page_of_a_capability_has_all_of_its_parts() {
    for name in PAGES {
        let page = page(&format!("docs/{name}.md"));
        let intro = page.text.split("\n## ").next().unwrap_or_default();
        assert!(intro.contains("\nAWS: \""), "{name}: its beginning names no page of AWS");
        let mut after = 0;
        for heading in HEADINGS {
            let place = page.text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("{name} has no `## {heading}`"));
            assert!(place > after, "{name}: `{heading}` stands too early");
            after = place;
        }
        assert!(page.rows().iter().any(|row| COLUMNS.iter().all(|column| row.has(column))), "{name} has no table of settings");
        let example = section(&page, HEADINGS[0]);
        assert!(example.contains("```sh\n") && example.contains(" serve "), "{name}: nothing is served");
        assert!(example.contains("```console\n$ curl "), "{name}: nothing is called");
        assert!(section(&page, HEADINGS[1]).contains("```yaml\n"), "{name} shows nothing of Envoy's configuration");
        assert!(section(&page, HEADINGS[2]).contains("](parity.md#"), "{name} does not lead to the rows of parity.md");
    }
}

#[test]
fn the_index_leads_to_every_page() {
    let index = page("docs/README.md");
    let pages = crate::pages::all(&crate::process::repository());
    let named = pages.iter().filter_map(|page| page.name.strip_prefix("docs/")).filter(|name| *name != "README.md");
    let missing: Vec<&str> = named.filter(|name| !index.links().iter().any(|link| link == name)).collect();
    assert!(missing.is_empty(), "docs/README.md does not lead to {missing:?}");
}

#[test]
fn the_yaml_of_every_page_is_yaml() {
    for name in PAGES {
        let page = page(&format!("docs/{name}.md"));
        for block in page.blocks().iter().filter(|block| block.language == "yaml") {
            let read = serde_norway::from_str::<Value>(&block.text);
            assert!(read.is_ok(), "{}:{}: {read:?}", page.name, block.line);
        }
    }
}

#[test]
fn the_page_of_cors_lists_exactly_the_keys_that_the_reader_knows() {
    let definition = document("HTTP", &json!({"x-amazon-apigateway-cors": {"none": 1}}));
    let known = known(&definition, "$.apis[0].definition[\"x-amazon-apigateway-cors\"].none");
    assert_eq!(names(&page("docs/cors.md"), "Settings"), known);
}

#[test]
fn the_page_of_gateway_responses_lists_exactly_the_keys_that_the_reader_knows() {
    let definition = document("REST", &json!({"x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": {"none": 1}}}));
    let place = "$.apis[0].definition[\"x-amazon-apigateway-gateway-responses\"].DEFAULT_4XX.none";
    assert_eq!(names(&page("docs/gateway-responses.md"), "Settings"), known(&definition, place));
}

#[test]
fn the_page_of_validation_lists_exactly_the_keys_that_the_reader_knows() {
    let definition = document("REST", &json!({"x-amazon-apigateway-request-validators": {"v": {"none": 1}}}));
    let place = "$.apis[0].definition[\"x-amazon-apigateway-request-validators\"].v.none";
    assert_eq!(names(&page("docs/validation.md"), "A validator"), known(&definition, place));
}

#[test]
fn the_page_of_authorizers_lists_exactly_the_keys_that_the_reader_knows() {
    let page = page("docs/authorizers.md");
    let check = |heading: &str, protocol: &str, authorizer: Value, below: &str| {
        let definition = document(
            protocol,
            &json!({
                "paths": {"/a": {"get": {"security": [{"s": []}], "x-amazon-apigateway-integration": {"type": "http_proxy",
                    "payloadFormatVersion": "1.0", "uri": "http://b.test"}}}},
                "components": {"securitySchemes": {"s": {"type": "apiKey", "name": "Authorization", "in": "header",
                    "x-amazon-apigateway-authorizer": authorizer}}},
            }),
        );
        let place = "$.apis[0].definition.components.securitySchemes.s[\"x-amazon-apigateway-authorizer\"]";
        assert_eq!(names(&page, heading), known(&definition, &format!("{place}{below}.none")), "{heading}");
    };
    let jwt = |configuration: Value| json!({"none": 1, "type": "jwt", "jwtConfiguration": configuration});
    check("JWT of an HTTP API", "HTTP", jwt(json!({})), "");
    check("Its jwtConfiguration", "HTTP", jwt(json!({"none": 1})), ".jwtConfiguration");
    check("JWT of a REST API", "REST", jwt(json!({})), "");
    let issuers = json!({"none": 1, "defaultAlgorithms": ["RS256"], "issuers": [{"none": 1, "additionalClaims": [{"none": 1}]}]});
    check("The jwtConfiguration of a REST API", "REST", jwt(issuers.clone()), ".jwtConfiguration");
    check("One of the issuers", "REST", jwt(issuers.clone()), ".jwtConfiguration.issuers[0]");
    check("A rule for a claim", "REST", jwt(issuers), ".jwtConfiguration.issuers[0].additionalClaims[0]");
    check("Cognito user pools", "REST", json!({"none": 1, "type": "cognito_user_pools"}), "");
    check("Lambda authorizers", "REST", json!({"none": 1, "type": "token"}), "");
    check("Lambda authorizers", "HTTP", json!({"none": 1, "type": "request"}), "");

    let guarded = document(
        "REST",
        &json!({
            "x-amazon-apigateway-policy": {"none": 1, "Statement": [{"none": 1}]},
            "paths": {"/a": {"get": {"x-amazon-apigateway-auth": {"none": 1, "type": "NONE"},
                "x-amazon-apigateway-integration": {"type": "mock"}}}},
        }),
    );
    let policy = "$.apis[0].definition[\"x-amazon-apigateway-policy\"]";
    let auth = "$.apis[0].definition.paths[\"/a\"].get[\"x-amazon-apigateway-auth\"].none";
    assert_eq!(names(&page, "A resource policy"), known(&guarded, &format!("{policy}.none")));
    assert_eq!(names(&page, "A statement"), known(&guarded, &format!("{policy}.Statement[0].none")));
    assert_eq!(names(&page, "AWS_IAM"), known(&guarded, auth));
}

#[test]
fn the_page_of_the_document_lists_the_settings_of_methods_and_routes_that_the_reader_knows() {
    let page = page("docs/document.md");
    let rows = page.rows();
    let of_it = rows.iter().filter(|row| row.section == "Limits of a stage" && row.has("setting"));
    let listed: BTreeSet<String> =
        of_it.flat_map(|row| row.cell("setting").split(", ")).map(|name| name.trim_matches('`').to_owned()).collect();
    let mut all = BTreeSet::new();
    for (protocol, settings, place) in [
        ("REST", json!({"methodSettings": {"*/*": {"none": 1}}}), "$.apis[0].stages[0].methodSettings[\"*/*\"].none"),
        ("HTTP", json!({"defaultRouteSettings": {"none": 1}}), "$.apis[0].stages[0].defaultRouteSettings.none"),
    ] {
        let mut document = document(protocol, &json!({}));
        document["apis"][0]["stages"][0]
            .as_object_mut()
            .expect("a stage is an object")
            .extend(settings.as_object().expect("they are, too").clone());
        all.extend(known(&document, place));
    }
    assert_eq!(listed, all);
}

#[test]
fn every_extension_that_the_code_reads_stands_on_the_page_of_a_capability() {
    let pages: Vec<Page> = PAGES.iter().map(|name| page(&format!("docs/{name}.md"))).collect();
    let text: String = pages.iter().map(|page| page.text.as_str()).chain([page("docs/templates.md").text.as_str()]).collect();
    let read = tollgate::definition::treatments().filter(|(_, treatment)| *treatment == "read");
    let missing: Vec<String> = read.map(|(name, _)| name).filter(|name| !text.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "no page says what these do: {missing:?}");
}
