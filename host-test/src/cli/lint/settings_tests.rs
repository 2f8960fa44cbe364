use super::*;
use crate::cli::source::Choice;
use crate::cli::testing::Folder;

fn settings(text: &str) -> Settings {
    let folder = Folder::new();
    let Ok(source) = Source::load(&folder.write("api.yaml", text), &Choice::default()) else { panic!("it can be read") };
    Settings::of(&source)
}

const DEFINITION: &str = "openapi: 3.0.1
info: {title: t, description: d}
tags: [{name: n, x-amazon-apigateway-tag-value: v}]
x-amazon-apigateway-documentation: {version: 1}
x-amazon-apigateway-endpoint-configuration: {vpcEndpointIds: [a, b], disableExecuteApiEndpoint: true}
components:
  schemas: {Pet: {type: object, properties: {name: {type: string}}}}
  securitySchemes: {s: {type: apiKey, name: a, in: header, description: d, x-amazon-apigateway-authorizer: {type: token}}}
paths:
  /pets:
    get:
      summary: s
      responses: {'200': {description: d}}
      parameters: [{name: q, in: query, required: true, description: d}]
      security: [{s: []}]
      x-amazon-apigateway-integration:
        type: http
        uri: {Fn::Sub: x}
        requestTemplates: {}
        responses: {default: {statusCode: 200, responseParameters: {a: b}}}
";

#[test]
fn what_api_gateway_acts_upon_counts_and_what_readers_read_does_not() {
    let settings = settings(DEFINITION);
    let get = r#"$.paths["/pets"].get"#;
    let integration = format!(r#"{get}["x-amazon-apigateway-integration"]"#);
    let mut wanted = vec![
        r#"$["x-amazon-apigateway-endpoint-configuration"].disableExecuteApiEndpoint"#.to_owned(),
        r#"$["x-amazon-apigateway-endpoint-configuration"].vpcEndpointIds"#.to_owned(),
        "$.components.schemas.Pet".to_owned(),
        get.to_owned(),
        format!("{get}.parameters[0]"),
        format!("{get}.security"),
    ];
    wanted.extend(["in", "name", "type"].map(|name| format!("$.components.securitySchemes.s.{name}")));
    wanted.push(r#"$.components.securitySchemes.s["x-amazon-apigateway-authorizer"].type"#.to_owned());
    wanted.extend(["requestTemplates", "type", "uri"].map(|name| format!("{integration}.{name}")));
    wanted.extend(["responseParameters.a", "statusCode"].map(|name| format!("{integration}.responses.default.{name}")));
    wanted.sort();
    assert_eq!(settings.all.keys().cloned().collect::<Vec<_>>(), wanted);
}

#[test]
fn a_problem_strikes_what_is_below_it_or_what_it_is_part_of() {
    let settings = settings(DEFINITION);
    let get = r#"$.paths["/pets"].get"#;
    let integration = format!(r#"{get}["x-amazon-apigateway-integration"]"#);
    let count = |path: &str, is_error| settings.struck(path, is_error).len();
    // The route, its parameter, its security and the five of the integration.
    assert_eq!(count(get, true), 8);
    assert_eq!(settings.struck(get, false), [get]);
    assert_eq!(count(&integration, true), 5);
    assert_eq!(count(&integration, false), 0);
    assert_eq!(count(&format!("{integration}.responses"), false), 2);
    assert_eq!(settings.struck("$.components.schemas.Pet.properties.name", false), ["$.components.schemas.Pet"]);
    assert_eq!(count("$", true), settings.len());
    assert_eq!(count("$.info.title", true), 0);
}

#[test]
fn a_gateway_document_has_settings_of_its_own_resources_and_not_of_ours() {
    let text = "apis:
- name: a
  definition: {openapi: 3.0.1, paths: {}}
  stages: [{stageName: s, throttle: {rateLimit: 1, burstLimit: 1}, variables: {v: x}}]
upstreams: {h: {cluster: c}}
usagePlans: [{usagePlanName: p, description: d, throttle: {rateLimit: 1, burstLimit: 2}, keys: [k]}]
apiKeys: [{name: k, value: 01234567890123456789}]
";
    let settings = settings(text);
    let mut counts = BTreeMap::new();
    for (_, kind) in settings.kinds() {
        *counts.entry(kind).or_insert(0) += 1;
    }
    let wanted = [(Kind::Apis, 1), (Kind::Stages, 2), (Kind::UsagePlans, 4), (Kind::ApiKeys, 2)];
    assert_eq!(counts, BTreeMap::from(wanted));
}
