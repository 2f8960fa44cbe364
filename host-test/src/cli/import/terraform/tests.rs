//! What the front end makes of small plans; whole files are in `tests/import/terraform`.
use std::collections::BTreeMap;

use serde_json::{Value, json};
use tollgate::problem::{Problem, Problems, Severity};

use super::super::Settings;
use super::super::resource::Resource;

/// A plan of these resources, as `planned_values`, and blocks of the configuration.
#[derive(Default)]
struct Plan {
    resources: Vec<Value>,
    changes: Vec<Value>,
    blocks: Vec<Value>,
    root: Value,
    values: Vec<(&'static str, &'static str)>,
}

/// What came of it.
struct Outcome {
    resources: Vec<Resource>,
    problems: Vec<Problem>,
}

// === impl Plan ===

impl Plan {
    fn new() -> Self {
        Self { root: json!({ "format_version": "1.2", "configuration": { "root_module": {} } }), ..Self::default() }
    }

    /// A resource with what is known of it, what is not, and its expressions.
    fn with(mut self, address: &str, values: Value, unknown: Value, expressions: Value) -> Self {
        let (kind, name) = address.split_once('.').unwrap();
        let (name, key) = match name.split_once('[') {
            Some((name, key)) => (name, serde_json::from_str(key.trim_end_matches(']')).unwrap()),
            None => (name, Value::Null),
        };
        let resource = json!({ "address": address, "mode": "managed", "type": kind, "name": name, "index": key, "values": values });
        self.resources.push(resource);
        self.changes.push(json!({ "address": address, "change": { "actions": ["create"], "after_unknown": unknown } }));
        if !self.blocks.iter().any(|block| block["type"] == kind && block["name"] == name) {
            self.blocks.push(json!({ "mode": "managed", "type": kind, "name": name, "expressions": expressions }));
        }
        self
    }

    fn api(self) -> Self {
        self.with("aws_api_gateway_rest_api.api", json!({ "name": "a" }), json!({ "id": true }), json!({}))
    }

    fn http_api(self) -> Self {
        let values = json!({ "name": "a", "protocol_type": "HTTP" });
        self.with("aws_apigatewayv2_api.api", values, json!({ "id": true }), json!({}))
    }

    fn lambda(self) -> Self {
        let values = json!({ "function_name": "f" });
        self.with("aws_lambda_function.f", values, json!({ "arn": true, "invoke_arn": true }), json!({}))
    }

    /// An integration of an HTTP API with this URI.
    fn integration(self, uri: Value) -> Self {
        let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]), "integration_uri": uri });
        let unknown = json!({ "api_id": true, "integration_uri": true });
        self.with("aws_apigatewayv2_integration.i", json!({ "integration_type": "AWS_PROXY" }), unknown, expressions)
    }

    fn value(mut self, name: &'static str, value: &'static str) -> Self {
        self.values.push((name, value));
        self
    }

    fn read(mut self) -> Outcome {
        self.root["planned_values"] = json!({ "root_module": { "resources": self.resources } });
        self.root["resource_changes"] = self.changes.into();
        self.root["configuration"]["root_module"]["resources"] = self.blocks.into();
        read(&self.root, &self.values)
    }
}

// === impl Outcome ===

impl Outcome {
    fn property(&self, id: &str, name: &str) -> &Value {
        let errors: Vec<String> = self.problems.iter().map(Problem::to_string).collect();
        let resource = self.resources.iter().find(|resource| resource.id == id);
        &resource.unwrap_or_else(|| panic!("there is no `{id}`: {errors:?}")).properties[name]
    }

    fn errors(&self) -> Vec<String> {
        self.problems.iter().filter(|problem| problem.severity == Severity::Error).map(Problem::to_string).collect()
    }
}

fn read(root: &Value, values: &[(&str, &str)]) -> Outcome {
    let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut settings = Settings {
        region: "eu-west-1".into(),
        account: "123456789012".into(),
        stack_name: "stack".into(),
        parameters: BTreeMap::new(),
        values,
    };
    super::learn(root, &mut settings);
    let mut problems = Problems::default();
    let resources = super::read(root, &settings, &mut problems);
    Outcome { resources, problems: problems.into_vec() }
}

/// An expression with references as Terraform writes them: each with its beginning.
fn refers(references: &[&str]) -> Value {
    let all = references.iter().flat_map(|reference| [*reference, reference.rsplit_once('.').unwrap().0]);
    json!({ "references": all.collect::<Vec<_>>() })
}

const INVOCATION: &str =
    "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:123456789012:function:f/invocations";

#[test]
fn what_a_plan_does_not_know_is_made_by_rule_or_given_or_an_error_with_its_address() {
    let uri = |reference: &str| Plan::new().http_api().lambda().integration(refers(&[reference]));
    let known = |plan: Plan| plan.read().property("aws_apigatewayv2_integration.i", "IntegrationUri").clone();
    assert_eq!(known(uri("aws_lambda_function.f.invoke_arn")), INVOCATION);
    assert_eq!(known(uri("aws_lambda_function.f.arn")), "arn:aws:lambda:eu-west-1:123456789012:function:f");
    let alias = "aws_lambda_function.f.qualified_invoke_arn";
    assert_eq!(known(uri(alias).value(alias, "arn:given")), "arn:given");
    assert_eq!(known(uri("local.uri").value("aws_apigatewayv2_integration.i.integration_uri", "arn:given")), "arn:given");
    let errors = uri(alias).read().errors();
    assert_eq!(
        errors,
        [
            "$.planned_values.root_module.resources[2].values.integration_uri: `integration_uri` of `aws_apigatewayv2_integration.i` \
          is known only after apply: it takes `aws_lambda_function.f.qualified_invoke_arn`; help: say what it will be by \
          `--value 'aws_apigatewayv2_integration.i.integration_uri=…'` or \
          `--value 'aws_lambda_function.f.qualified_invoke_arn=…'`, or import the state after apply, as `terraform show -json` \
          prints it"
        ]
    );
}

#[test]
fn a_text_around_a_reference_is_never_guessed() {
    let two =
        json!({ "references": ["aws_lambda_function.f.arn", "aws_lambda_function.f", "aws_sqs_queue.q.arn", "aws_sqs_queue.q"] });
    let queue = |plan: Plan| plan.with("aws_sqs_queue.q", json!({ "name": "q" }), json!({ "arn": true }), json!({}));
    assert_eq!(queue(Plan::new().http_api().lambda()).integration(two).read().errors().len(), 1);
    // A template that takes an ARN of which the rule is known: the ARN is not the template.
    let expressions = json!({ "rest_api_id": refers(&["aws_api_gateway_rest_api.api.id"]),
        "response_type": { "constant_value": "THROTTLED" }, "response_templates": refers(&["aws_sqs_queue.q.arn"]) });
    let unknown = json!({ "rest_api_id": true, "response_templates": { "application/json": true } });
    let values = json!({ "response_type": "THROTTLED", "response_templates": {} });
    let plan = || {
        queue(Plan::new().api()).with("aws_api_gateway_gateway_response.r", values.clone(), unknown.clone(), expressions.clone())
    };
    let errors = plan().read().errors();
    assert!(errors[0].contains("`response_templates[\"application/json\"]` of `aws_api_gateway_gateway_response.r`"), "{errors:?}");
    assert!(!errors[0].contains("--value 'aws_sqs_queue.q.arn"), "{errors:?}");
    let given = plan().value("aws_api_gateway_gateway_response.r.response_templates[\"application/json\"]", "{}").read();
    assert_eq!(given.property("aws_api_gateway_gateway_response.r", "ResponseTemplates"), &json!({ "application/json": "{}" }));
}

#[test]
fn an_arn_in_a_uri_is_taken_to_be_its_invocation_with_a_word_of_warning() {
    let plan = |reference: &str| {
        let expressions = json!({ "rest_api_id": refers(&["aws_api_gateway_rest_api.api.id"]),
            "authorizer_uri": refers(&[reference]) });
        let unknown = json!({ "rest_api_id": true, "authorizer_uri": true });
        Plan::new().api().lambda().with("aws_api_gateway_authorizer.a", json!({ "name": "a" }), unknown, expressions)
    };
    let outcome = plan("aws_lambda_function.f.arn").read();
    assert_eq!(outcome.property("aws_api_gateway_authorizer.a", "AuthorizerUri"), INVOCATION);
    assert_eq!(outcome.problems.len(), 1);
    assert!(plan("aws_lambda_function.f.invoke_arn").read().problems.is_empty());
}

#[test]
fn an_instance_named_by_its_own_key_is_found_although_the_plan_keeps_only_the_resource() {
    let mut plan = Plan::new().http_api();
    for key in ["a", "b"] {
        let values = json!({ "integration_type": "HTTP_PROXY", "integration_uri": "https://x.test" });
        let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]) });
        plan = plan.with(&format!("aws_apigatewayv2_integration.i[\"{key}\"]"), values, json!({ "api_id": true }), expressions);
        let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]),
            "target": { "references": ["aws_apigatewayv2_integration.i", "each.key"] } });
        let unknown = json!({ "api_id": true, "target": true });
        plan = plan.with(&format!("aws_apigatewayv2_route.r[\"{key}\"]"), json!({ "route_key": key }), unknown, expressions);
    }
    let target = json!({ "Fn::Join": ["/", ["integrations", { "Ref": "aws_apigatewayv2_integration.i[\"b\"]" }]] });
    assert_eq!(plan.read().property("aws_apigatewayv2_route.r[\"b\"]", "Target"), &target);
}

#[test]
fn a_local_is_followed_only_where_one_api_leaves_no_choice() {
    let route = |plan: Plan| {
        let expressions = json!({ "api_id": { "references": ["local.api"] }, "target": { "references": ["local.target"] } });
        let unknown = json!({ "api_id": true, "target": true });
        plan.with("aws_apigatewayv2_route.r", json!({ "route_key": "GET /" }), unknown, expressions)
    };
    let outcome = route(Plan::new().http_api()).read();
    let errors = outcome.errors();
    assert_eq!(outcome.property("aws_apigatewayv2_route.r", "ApiId"), &json!({ "Ref": "aws_apigatewayv2_api.api" }));
    assert_eq!(errors.len(), 1);
    assert!(
        errors[0].contains("`target` of `aws_apigatewayv2_route.r` is known only after apply: it takes `local.target`"),
        "{errors:?}"
    );
    let other = |plan: Plan| plan.with("aws_apigatewayv2_api.other", json!({ "name": "o" }), json!({ "id": true }), json!({}));
    assert_eq!(other(route(Plan::new().http_api())).read().errors().len(), 2);
    let given = other(route(Plan::new().http_api())).value("aws_apigatewayv2_route.r.api_id", "aws_apigatewayv2_api.other").read();
    assert_eq!(given.property("aws_apigatewayv2_route.r", "ApiId"), &json!({ "Ref": "aws_apigatewayv2_api.other" }));
}

#[test]
fn lists_keep_what_is_known_beside_what_is_not() {
    let plan = |unknown: Value, values: Value| {
        let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]),
            "jwt_configuration": [{ "issuer": { "constant_value": "https://x.test" },
                "audience": refers(&["aws_cognito_user_pool_client.c.id"]) }] });
        let unknown = json!({ "api_id": true, "jwt_configuration": [{ "audience": unknown }] });
        let values = json!({ "authorizer_type": "JWT", "jwt_configuration": [{ "issuer": "https://x.test", "audience": values }] });
        let client = |plan: Plan| plan.with("aws_cognito_user_pool_client.c", json!({}), json!({ "id": true }), json!({}));
        client(Plan::new().http_api()).with("aws_apigatewayv2_authorizer.a", values, unknown, expressions)
    };
    let mixed = || plan(json!([true, false]), json!([null, "other"]));
    let errors = mixed().read().errors();
    assert!(errors[0].contains("`jwt_configuration[0].audience` of `aws_apigatewayv2_authorizer.a`"), "{errors:?}");
    let given = mixed().value("aws_cognito_user_pool_client.c.id", "client").read();
    assert_eq!(given.property("aws_apigatewayv2_authorizer.a", "JwtConfiguration")["Audience"], json!(["client", "other"]));
    let given = mixed().value("aws_apigatewayv2_authorizer.a.jwt_configuration[0].audience", "[\"x\"]").read();
    assert_eq!(given.property("aws_apigatewayv2_authorizer.a", "JwtConfiguration")["Audience"], json!(["x"]));
    let whole = plan(json!(true), json!(null)).value("aws_cognito_user_pool_client.c.id", "client").read();
    assert_eq!(whole.property("aws_apigatewayv2_authorizer.a", "JwtConfiguration")["Audience"], json!(["client"]));
}

#[test]
fn the_issuer_of_a_user_pool_is_made_of_what_is_said_of_the_pool() {
    let issuer = |references: &[&str], name: &'static str, value: &'static str| {
        let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]),
            "jwt_configuration": [{ "issuer": refers(references), "audience": { "constant_value": ["a"] } }] });
        let unknown = json!({ "api_id": true, "jwt_configuration": [{ "issuer": true, "audience": [false] }] });
        let values = json!({ "authorizer_type": "JWT", "jwt_configuration": [{ "audience": ["a"] }] });
        let pool = json!({ "id": true, "arn": true, "endpoint": true });
        let plan = Plan::new().http_api().with("aws_cognito_user_pool.p", json!({ "name": "p" }), pool, json!({}));
        let plan = plan.with("aws_apigatewayv2_authorizer.a", values, unknown, expressions);
        plan.value(name, value).read().property("aws_apigatewayv2_authorizer.a", "JwtConfiguration")["Issuer"].clone()
    };
    let expected = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123";
    let pool = "eu-west-1_AbCdEf123";
    let endpoint = "cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEf123";
    assert_eq!(issuer(&["aws_cognito_user_pool.p.endpoint"], "aws_cognito_user_pool.p.endpoint", endpoint), expected);
    assert_eq!(issuer(&["aws_cognito_user_pool.p.id"], "aws_cognito_user_pool.p.id", pool), expected);
    let own = "aws_apigatewayv2_authorizer.a.jwt_configuration[0].issuer";
    assert_eq!(issuer(&["local.issuer"], own, expected), expected);
}

#[test]
fn what_was_known_before_stays_known_unless_the_resource_is_replaced() {
    for (action, errors) in [("update", 0), ("delete", 1)] {
        let mut plan = Plan::new().http_api().lambda().integration(refers(&["aws_lambda_function.f.qualified_invoke_arn"]));
        plan.changes[1]["change"]["actions"] = json!([action]);
        let before = json!({ "address": "aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function", "name": "f",
            "values": { "qualified_invoke_arn": "arn:before" } });
        plan.root["prior_state"] = json!({ "values": { "root_module": { "resources": [before] } } });
        let outcome = plan.read();
        assert_eq!(outcome.errors().len(), errors, "{action}");
        if errors == 0 {
            assert_eq!(outcome.property("aws_apigatewayv2_integration.i", "IntegrationUri"), "arn:before");
        }
    }
}

#[test]
fn what_a_vpc_link_leads_to_is_called_by_its_name() {
    let plan = |load_balancer: &str| {
        let balancer = |plan: Plan| plan.with("aws_lb.b", json!({ "name": "internal" }), json!({ "arn": true }), json!({}));
        let expressions = json!({ "load_balancer_arn": refers(&[load_balancer]) });
        let listener = json!({ "arn": true, "load_balancer_arn": true });
        let plan = balancer(Plan::new().http_api()).with("aws_lb_listener.l", json!({ "port": 80 }), listener, expressions);
        plan.integration(refers(&["aws_lb_listener.l.arn"])).read()
    };
    let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/internal/-/-";
    assert_eq!(plan("aws_lb.b.arn").property("aws_apigatewayv2_integration.i", "IntegrationUri"), arn);
    assert_eq!(plan("local.balancer").errors().len(), 1);
}

#[test]
fn what_has_no_effect_may_stay_unknown() {
    let expressions =
        json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]), "credentials_arn": refers(&["aws_iam_role.r.arn"]) });
    let values = json!({ "integration_type": "HTTP_PROXY", "integration_uri": "https://x.test" });
    let plan = |role: Value| {
        let plan = Plan::new().http_api().with("aws_iam_role.r", role, json!({ "arn": true }), json!({}));
        let unknown = json!({ "api_id": true, "credentials_arn": true });
        plan.with("aws_apigatewayv2_integration.i", values.clone(), unknown, expressions.clone()).read()
    };
    let named = plan(json!({ "name": "gateway", "path": "/a/" }));
    assert_eq!(named.property("aws_apigatewayv2_integration.i", "CredentialsArn"), "arn:aws:iam::123456789012:role/a/gateway");
    let prefixed = plan(json!({ "name_prefix": "gateway" }));
    assert_eq!(prefixed.errors(), Vec::<String>::new());
    assert_eq!(
        prefixed.problems[0].message,
        "`credentials_arn` of `aws_apigatewayv2_integration.i` is known only after apply, and left out"
    );
}

#[test]
fn what_is_not_read_is_told_and_what_is_no_part_of_rest_and_http_apis_is_refused() {
    let values = json!({ "rest_api_id": "x", "stage_name": "s", "novel_setting": "y", "other": "", "off": false });
    let outcome = Plan::new().api().with("aws_api_gateway_stage.s", values, json!({}), json!({})).read();
    let told: Vec<String> = outcome.problems.iter().map(|problem| problem.message.clone()).collect();
    assert_eq!(
        told,
        [
            "`rest_api_id` of `aws_api_gateway_stage.s` is `x`, and no aws_api_gateway_rest_api of this file has that id",
            "`novel_setting` of `aws_api_gateway_stage.s` is not read"
        ]
    );
    for (kind, message) in [
        ("aws_apigatewayv2_route_response", "`aws_apigatewayv2_route_response.x` is a part of a WebSocket API"),
        ("aws_apigatewayv2_routing_rule", "`aws_apigatewayv2_routing_rule` is not imported"),
    ] {
        let outcome = Plan::new().http_api().with(&format!("{kind}.x"), json!({}), json!({}), json!({})).read();
        assert_eq!(outcome.problems[0].message, message);
    }
    let acl = json!({ "resource_arn": "arn:aws:apigateway:eu-west-1::/restapis/a/stages/s" });
    let outcome = Plan::new().api().with("aws_wafv2_web_acl_association.w", acl, json!({}), json!({})).read();
    assert_eq!(outcome.problems[0].severity, Severity::Warning);
}

#[test]
fn what_is_not_set_although_it_is_known_after_apply_is_not_missed() {
    let unknown = json!({ "id": true, "policy": true, "binary_media_types": true, "endpoint_configuration": true });
    let outcome = Plan::new().with("aws_api_gateway_rest_api.api", json!({ "name": "a" }), unknown, json!({})).read();
    assert_eq!(outcome.problems, []);
    assert_eq!(outcome.resources[0].properties, json!({ "Name": "a" }));
}

#[test]
fn a_plan_knows_the_variables_and_outputs_of_modules() {
    let module = json!({
        "resources": [{ "mode": "managed", "type": "aws_lambda_function", "name": "f", "expressions": {} }],
        "outputs": { "uri": { "expression": refers(&["aws_lambda_function.f.invoke_arn"]) } },
    });
    let mut plan = Plan::new().http_api().integration(refers(&["module.functions[\"a\"].uri"]));
    plan.root["configuration"]["root_module"]["module_calls"] = json!({ "functions": { "expressions": {}, "module": module } });
    let function = json!({ "address": "module.functions[\"a\"].aws_lambda_function.f", "mode": "managed", "type": "aws_lambda_function",
        "name": "f", "values": { "function_name": "f" } });
    plan.root["planned_values"] = json!(null);
    let root = {
        let mut root = plan.root;
        root["planned_values"] = json!({ "root_module": { "resources": plan.resources, "child_modules": [
            { "address": "module.functions[\"a\"]", "resources": [function] } ] } });
        root["resource_changes"] = plan.changes.into();
        root["configuration"]["root_module"]["resources"] = plan.blocks.into();
        root
    };
    assert_eq!(read(&root, &[]).property("aws_apigatewayv2_integration.i", "IntegrationUri"), INVOCATION);
}

#[test]
fn references_in_a_circle_end() {
    let both = refers(&["module.a.x", "module.a.y"]);
    let outputs = json!({ "x": { "expression": refers(&["var.x", "var.y"]) }, "y": { "expression": refers(&["var.x", "var.y"]) } });
    let call = json!({ "expressions": { "x": both.clone(), "y": both }, "module": { "outputs": outputs } });
    let mut plan = Plan::new().http_api().integration(refers(&["module.a.x"]));
    plan.root["configuration"]["root_module"]["module_calls"] = json!({ "a": call });
    assert_eq!(plan.read().errors().len(), 1);
}

#[test]
fn only_what_show_prints_is_read() {
    for (root, message) in [
        (
            json!({ "version": 4, "lineage": "x", "resources": [] }),
            "this is a state as Terraform keeps it, not as `terraform show -json` prints it",
        ),
        (json!({ "a": 1 }), "this is not what `terraform show -json` prints: it has no `format_version`"),
        (json!({ "format_version": "2.0" }), "the format `2.0` of Terraform's output is not read"),
        (json!({ "format_version": "1.0" }), "there is no API in it"),
    ] {
        let outcome = read(&root, &[]);
        assert_eq!(outcome.problems[0].message, message);
        assert!(outcome.resources.is_empty());
    }
}

#[test]
fn two_zeros_are_no_limit_and_a_set_finds_its_block_by_its_constants() {
    let settings = json!([
        { "route_key": "GET /a", "throttling_burst_limit": 5, "throttling_rate_limit": 2 },
        { "route_key": "GET /b", "throttling_burst_limit": 0, "throttling_rate_limit": 0 },
    ]);
    let values = json!({ "name": "s", "default_route_settings": [{ "throttling_burst_limit": 0, "throttling_rate_limit": 0 }],
        "route_settings": settings });
    let expressions = json!({ "api_id": refers(&["aws_apigatewayv2_api.api.id"]) });
    let outcome = Plan::new().http_api().with("aws_apigatewayv2_stage.s", values, json!({ "api_id": true }), expressions).read();
    assert_eq!(outcome.property("aws_apigatewayv2_stage.s", "DefaultRouteSettings"), &json!(null));
    // Limits of a route are there because somebody wrote them: zero is nobody.
    let routes = outcome.property("aws_apigatewayv2_stage.s", "RouteSettings");
    assert_eq!(routes["GET /b"], json!({ "ThrottlingBurstLimit": 0, "ThrottlingRateLimit": 0 }));

    // The configuration has the blocks in another order.
    let stage = |api: &str, stage: &str| json!({ "api_id": refers(&[api]), "stage": { "constant_value": stage } });
    let expressions = json!({ "name": { "constant_value": "p" }, "api_stages": [
        stage("aws_api_gateway_rest_api.other.id", "two"), stage("aws_api_gateway_rest_api.api.id", "one") ] });
    let values = json!({ "name": "p", "api_stages": [{ "stage": "one" }, { "stage": "two" }] });
    let unknown = json!({ "api_stages": [{ "api_id": true }, { "api_id": true }] });
    let plan = Plan::new().api().with("aws_api_gateway_rest_api.other", json!({ "name": "o" }), json!({ "id": true }), json!({}));
    let outcome = plan.with("aws_api_gateway_usage_plan.p", values, unknown, expressions).read();
    let expected = json!([
        { "Stage": "one", "ApiId": { "Ref": "aws_api_gateway_rest_api.api" } },
        { "Stage": "two", "ApiId": { "Ref": "aws_api_gateway_rest_api.other" } },
    ]);
    assert_eq!(outcome.property("aws_api_gateway_usage_plan.p", "ApiStages"), &expected);
}
