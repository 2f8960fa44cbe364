//! `docs/parity.md` is true: what it calls refused is refused in the words that it quotes, what it calls warned is warned of, the
//! lists on it are those in the code, each known gap has a case that fails because of it, and each assumption stands beside the
//! line that makes it.

mod pages;
mod process;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use fancy_regex::Regex;
use pages::{Page, Row, anchor};
use process::repository;
use serde_json::{Value, json};
use tollgate::compile::compile;
use tollgate::problem::Severity;

const STATES: [&str; 5] = ["served", "refused", "warned", "not yet", "n/a"];
const EVIDENCE: [&str; 6] = ["recorded", "measured", "documented", "emulator", "memory", "own"];

fn page() -> Page {
    let repository = repository();
    Page::read(&repository, &repository.join("docs/parity.md"))
}

/// The rows that say what becomes of a feature.
fn features(page: &Page) -> Vec<Row> {
    page.rows().into_iter().filter(|row| row.has("feature")).collect()
}

#[test]
fn every_row_uses_the_words_that_the_page_explains() {
    let page = page();
    let rows = features(&page);
    assert!(rows.len() > 90, "only {} features were found", rows.len());
    for row in &rows {
        for column in ["REST", "HTTP"] {
            assert!(STATES.contains(&row.cell(column)), "{}: `{}` is no state", row.cell("feature"), row.cell(column));
        }
        assert!(EVIDENCE.contains(&row.cell("evidence")), "{}: `{}` is no evidence", row.cell("feature"), row.cell("evidence"));
    }
    let explained: Vec<String> = page.rows().iter().filter(|row| row.has("meaning")).map(|row| row.cells[0].1.clone()).collect();
    assert_eq!(explained, [STATES.as_slice(), &EVIDENCE].concat());
}

// --- refusals and warnings --------------------------------------------------------------------------------------------------

fn document(protocol: &str, method: &str, operation: Value) -> Value {
    json!({
        "apis": [{
            "name": "a",
            "protocol": protocol,
            "definition": {"openapi": "3.0.1", "paths": {"/a": {method: operation}}},
            "stages": [{"stageName": "s"}],
        }],
        "upstreams": {"h": {"cluster": "h"}},
    })
}

fn integrated(protocol: &str, integration: Value) -> Value {
    document(protocol, "get", json!({"x-amazon-apigateway-integration": integration}))
}

/// An HTTP_PROXY with more members.
fn proxy(protocol: &str, more: Value) -> Value {
    let mut integration = json!({"type": "http_proxy", "uri": "http://h/"});
    merge(&mut integration, more);
    integrated(protocol, integration)
}

/// A subtype with more members.
fn subtype(more: Value) -> Value {
    let mut integration = json!({
        "type": "aws_proxy",
        "integrationSubtype": "SQS-PurgeQueue",
        "payloadFormatVersion": "1.0",
        "requestParameters": {"QueueUrl": "u"},
    });
    merge(&mut integration, more);
    let mut document = integrated("HTTP", integration);
    let cluster = json!({"cluster": "c"});
    merge(&mut document["upstreams"], json!({"sqs.us-east-1.amazonaws.com": cluster, "lambda.us-east-1.amazonaws.com": cluster}));
    document
}

const FUNCTION: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";

/// An AWS_PROXY with more members.
fn function(protocol: &str, more: Value) -> Value {
    let mut integration = json!({"type": "aws_proxy", "httpMethod": "POST", "uri": FUNCTION});
    merge(&mut integration, more);
    let mut document = integrated(protocol, integration);
    merge(&mut document["upstreams"], json!({"lambda.us-east-1.amazonaws.com": {"cluster": "l"}}));
    document
}

/// A MOCK with more members.
fn mock(more: Value) -> Value {
    let mut integration = json!({"type": "mock", "requestTemplates": {"application/json": "{\"statusCode\": 200}"}, "responses": {"default": {"statusCode": 200}}});
    merge(&mut integration, more);
    integrated("REST", integration)
}

/// A definition with more members at its root.
fn rooted(protocol: &str, more: Value) -> Value {
    let mut document = proxy(protocol, json!({}));
    merge(&mut document["apis"][0]["definition"], more);
    document
}

/// A method whose bodies are validated by a schema.
fn modelled(schema: Value) -> Value {
    let mut document = rooted(
        "REST",
        json!({
            "x-amazon-apigateway-request-validators": {"v": {"validateRequestBody": true}},
            "x-amazon-apigateway-request-validator": "v",
        }),
    );
    let method = &mut document["apis"][0]["definition"]["paths"]["/a"]["get"];
    method["requestBody"] = json!({"content": {"application/json": {"schema": schema}}});
    document
}

/// A stage with more members.
fn staged(more: Value) -> Value {
    let mut document = proxy("REST", json!({}));
    merge(&mut document["apis"][0]["stages"][0], more);
    document
}

/// A gateway document with more members.
fn topped(more: Value) -> Value {
    let mut document = proxy("REST", json!({}));
    merge(&mut document, more);
    document
}

/// A method that asks for a security scheme, in the words of the definition.
fn secured(protocol: &str, security: Value, scheme: Value) -> Value {
    let integration = json!({"type": "http_proxy", "uri": "http://h/"});
    let mut document = document(protocol, "get", json!({"security": security, "x-amazon-apigateway-integration": integration}));
    merge(&mut document["apis"][0]["definition"], json!({"components": {"securitySchemes": {"s": scheme}}}));
    document
}

/// A method behind an authorizer.
fn authorized(protocol: &str, authorizer: Value) -> Value {
    let scheme = json!({"type": "apiKey", "name": "a", "in": "header", "x-amazon-apigateway-authorizer": authorizer});
    secured(protocol, json!([{"s": []}]), scheme)
}

/// The same, of type `request`, with more members.
fn lambda(protocol: &str, more: Value) -> Value {
    let version = if protocol == "HTTP" { "2.0" } else { "1.0" };
    let mut authorizer = json!({
        "type": "request",
        "authorizerUri": "http://h/",
        "authorizerPayloadFormatVersion": version,
        "authorizerResultTtlInSeconds": 0,
    });
    merge(&mut authorizer, more);
    authorized(protocol, authorizer)
}

/// The same of an HTTP API, of type `jwt`, with more members.
fn jwt(issuer: &str, more: Value) -> Value {
    let configuration = json!({"issuer": issuer, "audience": ["a"]});
    let mut authorizer =
        json!({"type": "jwt", "identitySource": "$request.header.Authorization", "jwtConfiguration": configuration});
    merge(&mut authorizer, more);
    authorized("HTTP", authorizer)
}

/// A method with AWS_IAM, with more members.
fn signed(more: Value) -> Value {
    let integration = json!({"type": "http_proxy", "uri": "http://h/"});
    let mut operation = json!({"x-amazon-apigateway-auth": {"type": "AWS_IAM"}, "x-amazon-apigateway-integration": integration});
    merge(&mut operation, more);
    document("REST", "get", operation)
}

/// A resource policy of one statement, with more members.
fn policed(protocol: &str, more: Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"});
    merge(&mut statement, more);
    rooted(protocol, json!({"x-amazon-apigateway-policy": {"Version": "2012-10-17", "Statement": [statement]}}))
}

const KEY: &str = "0123456789abcdefghij";

/// A plan of the stage, with the key `a`.
fn plan(name: &str) -> Value {
    json!({"usagePlanName": name, "apiStages": [{"api": "a", "stage": "s"}], "keys": ["a"]})
}

/// A gateway document with a key and a plan, with more members.
fn keyed(more: Value) -> Value {
    let mut document = topped(json!({"apiKeys": [{"name": "a", "value": KEY}], "usagePlans": [plan("p")]}));
    merge(&mut document, more);
    document
}

/// The same, with more members of the plan's stage.
fn planned(more: Value) -> Value {
    let mut document = keyed(json!({}));
    merge(&mut document["usagePlans"][0]["apiStages"][0], more);
    document
}

/// The same, with more members of the plan, counted by a service or not.
fn limited(more: Value, service: Value) -> Value {
    let mut document = keyed(json!({}));
    merge(&mut document["usagePlans"][0], more);
    if !service.is_null() {
        merge(&mut document, json!({"rateLimitService": service}));
    }
    document
}

fn merge(into: &mut Value, more: Value) {
    let (Value::Object(into), Value::Object(more)) = (into, more) else { panic!("both are objects") };
    into.extend(more);
}

/// Documents that ask for what is not served, or for what AWS itself refuses: one thing each.
fn unserved() -> Vec<Value> {
    let any = "x-amazon-apigateway-any-method";
    let mut siblings = proxy("REST", json!({}));
    let item = siblings["apis"][0]["definition"]["paths"]["/a"].clone();
    siblings["apis"][0]["definition"]["paths"] = json!({"/{a}": item, "/{b}/c": item});
    let mut with_trace = proxy("REST", json!({}));
    with_trace["apis"][0]["definition"]["paths"]["/a"]["trace"] = json!({});
    vec![
        siblings,
        with_trace,
        rooted("REST", json!({"x-amazon-apigateway-none": 1})),
        proxy("REST", json!({"uri": {"Fn::Sub": "http://h/"}})),
        proxy("HTTP", json!({"uri": {"Fn::Sub": "http://h/"}})),
        rooted("HTTP", json!({"x-amazon-apigateway-gateway-responses": {}})),
        document(
            "REST",
            any,
            json!({"isDefaultRoute": true, "x-amazon-apigateway-integration": {"type": "http_proxy", "uri": "http://h/"}}),
        ),
        integrated("HTTP", json!({"type": "mock"})),
        integrated("HTTP", json!({"type": "http", "uri": "http://h/"})),
        integrated("HTTP", json!({"type": "aws"})),
        function("REST", json!({"payloadFormatVersion": "2.0"})),
        function("HTTP", json!({})),
        function("REST", json!({"responseTransferMode": "STREAM"})),
        function("REST", json!({"credentials": "arn:aws:iam::*:user/*"})),
        function("HTTP", json!({"payloadFormatVersion": "2.0", "credentials": "arn:aws:iam::*:user/*"})),
        function(
            "REST",
            json!({"type": "aws", "httpMethod": null, "uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/account-settings"}),
        ),
        function("REST", json!({"uri": "http://h/"})),
        function("HTTP", json!({"payloadFormatVersion": "2.0", "uri": "http://h/"})),
        function("REST", json!({"type": "aws", "uri": "http://h/"})),
        proxy("HTTP", json!({"integrationSubtype": "SQS-SendMessage"})),
        {
            let arn = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
            let mut function = subtype(json!({"httpMethod": "POST", "uri": arn, "requestParameters": {}}));
            function["apis"][0]["protocol"] = json!("REST");
            function
        },
        subtype(json!({"integrationSubtype": "SNS-Publish"})),
        subtype(json!({"requestParameters": {}})),
        subtype(json!({"requestParameters": {"QueueUrl": "u", "none": "x"}})),
        subtype(json!({"requestParameters": {"QueueUrl": "u", "Region": "$request.header.region"}})),
        proxy(
            "HTTP",
            json!({"uri": "arn:aws:elasticloadbalancing:us-east-1:1:listener/app/x/y/z", "connectionType": "VPC_LINK", "connectionId": "l"}),
        ),
        proxy("HTTP", json!({"requestParameters": {"append:header.authorization": "x"}})),
        proxy("HTTP", json!({"requestParameters": {"append:header.x-tollgate-cluster": "x"}})),
        proxy("HTTP", json!({"requestParameters": {"overwrite:statuscode": "200"}})),
        proxy("HTTP", json!({"requestParameters": {"append:header.x": "$response.header.y"}})),
        proxy("HTTP", json!({"requestParameters": {"append:header.x": "$request.body..y"}})),
        proxy("HTTP", json!({"requestParameters": {"overwrite:path": "/x?y"}})),
        proxy("HTTP", json!({"requestParameters": {"overwrite:path": "/x/../y"}})),
        proxy("HTTP", json!({"responseParameters": {"200": {"overwrite:path": "/x"}}})),
        proxy("HTTP", json!({"responseParameters": {"200": {"append:header.x": "$request.header.y"}}})),
        proxy("HTTP", json!({"responseParameters": {"200": {"overwrite:statuscode": "99"}}})),
        proxy("HTTP", json!({"responseParameters": {"2XX": {}}})),
        proxy("REST", json!({"requestParameters": {"integration.request.header.x": "integration.response.header.x"}})),
        proxy("REST", json!({"requestParameters": {"integration.request.header.x": "method.request.body.a["}})),
        proxy("REST", json!({"contentHandling": "CONVERT_TO_TEXT"})),
        proxy("REST", json!({"requestParameters": {"integration.request.header.x-tollgate-cluster": "'x'"}})),
        proxy("REST", json!({"uri": "http://{host}/"})),
        proxy("HTTP", json!({"uri": "http://{host}/"})),
        rooted(
            "REST",
            json!({"x-amazon-apigateway-gateway-responses": {"THROTTLED": {"responseParameters": {"gatewayresponse.header.content-length": "'1'"}}}}),
        ),
        mock(json!({"requestTemplates": {"application/json": "#if("}})),
        mock(json!({"requestTemplates": {"application/json": "{\"statusCode\": 200}".repeat(20_000)}})),
        mock(json!({"responses": {"default": {"statusCode": 200}, "2(?=00)": {"statusCode": 200}}})),
        rooted("HTTP", json!({"x-amazon-apigateway-cors": {"allowOrigins": ["*"], "allowCredentials": true}})),
        secured("HTTP", json!([{"s": []}]), json!({"type": "apiKey", "name": "x-api-key", "in": "header"})),
        secured("HTTP", json!([{"s": []}]), json!({"type": "oauth2"})),
        secured("HTTP", json!([{"none": []}]), json!({"type": "oauth2"})),
        secured("REST", Value::Null, json!({"type": "oauth2"})),
        secured("HTTP", Value::Null, json!({"type": "oauth2"})),
        document("REST", "security", json!([{"s": []}])),
        document("HTTP", "security", json!([{"s": []}])),
        secured("REST", json!([{"s": []}, {}]), json!({"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"})),
        secured("REST", json!([{"s": []}, {"s": []}]), json!({"type": "apiKey", "x-amazon-apigateway-authtype": "awsSigv4"})),
        signed(json!({"x-amazon-apigateway-auth": {"type": "NONE"}, "security": [{"none": []}]})),
        {
            let mut scoped = lambda("HTTP", json!({}));
            scoped["apis"][0]["definition"]["paths"]["/a"]["get"]["security"] = json!([{"s": ["x"]}]);
            scoped
        },
        authorized("HTTP", json!({"type": "token"})),
        authorized("HTTP", json!({"type": "cognito_user_pools"})),
        jwt("http://h", json!({})),
        lambda("REST", json!({"enableSimpleResponses": true})),
        lambda("REST", json!({"authorizerResultTtlInSeconds": 300})),
        policed("HTTP", json!({})),
        policed("REST", json!({"Condition": {"stringequals": {"aws:UserAgent": "x"}}})),
        modelled(json!({"pattern": "(?!x)"})),
        rooted("REST", json!({"x-amazon-apigateway-request-validator": "none"})),
        rooted("HTTP", json!({"x-amazon-apigateway-api-key-source": "HEADER"})),
        secured("REST", json!([{"s": []}]), json!({"type": "apiKey", "name": "x-api-key", "in": "query"})),
        keyed(json!({"apiKeys": [{"name": "a", "value": "short"}]})),
        keyed(json!({"apiKeys": [{"name": "a", "value": KEY}, {"name": "b", "value": KEY}]})),
        keyed(json!({"usagePlans": [plan("p"), plan("q")]})),
        planned(json!({"api": "b"})),
        planned(json!({"stage": "b"})),
        planned(json!({"throttle": {"/b/GET": {"rateLimit": 1, "burstLimit": 1}}})),
        {
            let mut web = keyed(json!({}));
            web["apis"][0]["protocol"] = json!("HTTP");
            web
        },
        keyed(json!({"usagePlans": [{"usagePlanName": "p", "apiStages": [{"api": "a", "stage": "s"}], "keys": ["a", "b"]}]})),
        limited(json!({"quota": {"limit": 5, "offset": 1, "period": "WEEK"}}), json!({"cluster": "c"})),
        limited(json!({"throttle": {"rateLimit": 1, "burstLimit": 0}}), Value::Null),
        limited(json!({"throttle": {"rateLimit": 1}}), Value::Null),
        staged(json!({"throttle": {"rateLimit": 1}})),
        staged(json!({"methodSettings": {"b/GET": {}}})),
        staged(json!({"methodSettings": {"*/*": {"cachingEnabled": true}}})),
        staged(json!({"defaultRouteSettings": {}})),
        {
            let mut web = proxy("HTTP", json!({}));
            merge(&mut web["apis"][0]["stages"][0], json!({"methodSettings": {}}));
            web
        },
        staged(json!({"cache": {}})),
        staged(json!({"canarySettings": {}})),
    ]
}

/// Documents that are served without something that they ask for: one thing each.
fn served_without() -> Vec<Value> {
    let gateway_response = |target: &str| {
        rooted("REST", json!({"x-amazon-apigateway-gateway-responses": {"THROTTLED": {"responseParameters": {target: "'x'"}}}}))
    };
    let mut undeclared = mock(json!({}));
    undeclared["apis"][0]["definition"]["paths"]["/a"]["get"]["responses"] = json!({"204": {}});
    vec![
        gateway_response("gatewayresponse.path.x"),
        gateway_response("gatewayresponse.querystring.x"),
        proxy("REST", json!({"tlsConfig": {"insecureSkipVerification": true}})),
        proxy("REST", json!({"credentials": "arn:aws:iam::1:role/x"})),
        function("REST", json!({"httpMethod": "GET"})),
        function("REST", json!({"uri": FUNCTION.replace("/f/", "/${stageVariables.none}/")})),
        function("REST", json!({"credentials": "arn:aws:iam::1:role/x"})),
        function("REST", json!({"contentHandling": "CONVERT_TO_TEXT"})),
        proxy("REST", json!({"integrationTarget": "arn:aws:elasticloadbalancing:us-east-1:1:loadbalancer/app/x/y"})),
        rooted("REST", json!({"security": [{"authorizer": []}]})),
        authorized(
            "REST",
            json!({"type": "jwt", "identitySource": "method.request.header.a", "jwtConfiguration": {
                "defaultAlgorithms": ["RS256", "ES512"],
                "issuers": [{"issuer": "https://h", "audiences": ["a"]}],
            }}),
        ),
        jwt("https://h", json!({"authorizerResultTtlInSeconds": 300})),
        lambda("HTTP", json!({"identitySource": "$stageVariables.none"})),
        lambda("REST", json!({"identityValidationExpression": "x"})),
        lambda("REST", json!({"authorizerCredentials": "arn:aws:iam::1:role/x"})),
        signed(json!({})),
        policed("REST", json!({"Principal": {"Service": "apigateway.amazonaws.com"}})),
        policed("REST", json!({"Action": "s3:GetObject"})),
        policed("REST", json!({"Resource": "arn:aws:execute-api:us-east-1:111122223333:other/*"})),
        policed("REST", json!({"Condition": {"StringEquals": {"aws:None": "x"}}})),
        proxy("REST", json!({"requestTemplates": {"application/json": "{}"}})),
        proxy("REST", json!({"requestParameters": {"integration.request.header.content-length": "'1'"}})),
        proxy("REST", json!({"requestParameters": {"integration.request.header.te": "'x'"}})),
        proxy("REST", json!({"responseParameters": {"200": {"overwrite:statuscode": "204"}}})),
        proxy("HTTP", json!({"requestParameters": {"append:header.x": ""}})),
        proxy("HTTP", json!({"requestParameters": {"remove:header.x": "y"}})),
        proxy("HTTP", json!({"requestParameters": {"append:header.x": "$request.path.none"}})),
        proxy("REST", json!({"uri": "http://h/{id}"})),
        proxy("REST", json!({"uri": "http://${stageVariables.none}/"})),
        mock(json!({"requestTemplates": {"application/json": "{}"}})),
        mock(json!({"uri": "http://h/"})),
        {
            let mut binary = mock(json!({}));
            binary["apis"][0]["definition"]["x-amazon-apigateway-binary-media-types"] = json!(["*/*"]);
            binary
        },
        integrated("REST", json!({"type": "http", "uri": "http://h/", "responseParameters": {"a": "'b'"}})),
        mock(
            json!({"responses": {"default": {"statusCode": 200, "responseParameters": {"method.response.header.x-amzn-requestid": "'x'"}}}}),
        ),
        undeclared,
        staged(json!({"accessLogSettings": {"destinationArn": "arn:aws:logs:x", "format": "$context.requestId"}})),
        staged(json!({"accessLogSettings": {"format": "$context.requestId $context.nothing"}})),
        staged(json!({"tracingEnabled": true})),
        {
            let mut logged = proxy("HTTP", json!({}));
            logged["apis"][0]["stages"][0]["defaultRouteSettings"] = json!({"loggingLevel": "INFO"});
            logged
        },
        staged(json!({"methodSettings": {"*/*": {"throttlingRateLimit": 0, "throttlingBurstLimit": 1}}})),
        secured("REST", json!([{"s": []}]), json!({"type": "apiKey", "name": "x-api-key", "in": "header"})),
        {
            let mut said = secured("REST", json!([{"s": []}]), json!({"type": "apiKey", "name": "x-api-key", "in": "header"}));
            merge(&mut said["apis"][0]["definition"], json!({"x-amazon-apigateway-api-key-source": "AUTHORIZER"}));
            merge(&mut said, json!({"apiKeys": [{"name": "a", "value": KEY}], "usagePlans": [plan("p")]}));
            said
        },
        keyed(json!({"usagePlans": []})),
        keyed(json!({"usagePlans": [{"usagePlanName": "p", "keys": ["a"]}]})),
        limited(json!({"quota": {"limit": 5, "offset": 1, "period": "DAY"}}), Value::Null),
        rooted("REST", json!({"x-amazon-apigateway-cors": {"allowOrigins": ["*"]}})),
        rooted("REST", json!({"x-amazon-apigateway-minimum-compression-size": 0})),
        rooted("REST", json!({"x-amazon-apigateway-endpoint-configuration": {}})),
        rooted("REST", json!({"x-amazon-apigateway-endpoint-access-mode": "STRICT"})),
        rooted("REST", json!({"x-amazon-apigateway-security-policy": "TLS_1_2"})),
        rooted("HTTP", json!({"x-amazon-apigateway-request-validators": {}})),
        modelled(json!({"nullable": true})),
        modelled(json!({"exclusiveMinimum": 3})),
    ]
}

/// The one problem of a document, without backticks: the page quotes it inside some.
fn problem(document: &Value, severity: Severity) -> String {
    let problems: Vec<_> = compile(document).problems.into_iter().filter(|problem| problem.severity == severity).collect();
    let [problem] = problems.as_slice() else { panic!("not one {severity:?}, but {problems:#?}, for {document:#}") };
    problem.message.replace('`', "")
}

/// What a row quotes.
fn quotes(row: &Row) -> Vec<&str> {
    row.cell("notes").split('`').skip(1).step_by(2).collect()
}

fn check_quotes(state: &str, documents: &[Value], severity: Severity) {
    let page = page();
    let said: Vec<String> = documents.iter().map(|document| problem(document, severity)).collect();
    let rows: Vec<Row> = features(&page).into_iter().filter(|row| row.cell("REST") == state || row.cell("HTTP") == state).collect();
    for row in &rows {
        let quoted = quotes(row).into_iter().any(|quote| said.iter().any(|message| message.contains(quote)));
        assert!(quoted, "`{}` is {state}, and no document shows it", row.cell("feature"));
    }
    for message in &said {
        let told = rows.iter().any(|row| quotes(row).into_iter().any(|quote| message.contains(quote)));
        assert!(told, "no row that is {state} quotes `{message}`");
    }
}

#[test]
fn what_the_page_calls_refused_does_not_compile_in_the_words_that_it_quotes() {
    check_quotes("refused", &unserved(), Severity::Error);
}

#[test]
fn what_the_page_calls_warned_is_served_with_the_warning_that_it_quotes() {
    for document in served_without() {
        assert!(compile(&document).gateway.is_some(), "{document:#}");
    }
    check_quotes("warned", &served_without(), Severity::Warning);
}

#[test]
fn nothing_that_the_code_calls_not_served_yet_is_missing_among_the_refusals() {
    let said: Vec<String> = unserved()
        .iter()
        .map(|document| problem(document, Severity::Error))
        .chain(served_without().iter().map(|document| problem(document, Severity::Warning)))
        .collect();
    let mut found = 0;
    for (file, text) in sources() {
        for (start, _) in text.match_indices("\"not served") {
            let message: String = text[start + 1..].chars().take_while(|c| *c != '"').collect();
            found += 1;
            // What a placeholder stands for is anything.
            let form = fancy_regex::escape(&message.replace('`', "")).replace("\\{", "{").replace("\\}", "}");
            let form = Regex::new(&Regex::new(r"\{[^}]*\}").expect("constant").replace_all(&form, ".*")).expect("escaped");
            let known = said.iter().any(|said| form.is_match(said).expect("it ends"));
            assert!(known, "{}: `{message}` is said of no document in this test", file.display());
        }
    }
    assert!(found >= 8, "only {found} were found: the test does not look where the code is");
}

// --- lists ------------------------------------------------------------------------------------------------------------------

#[test]
fn the_page_lists_the_extensions_that_the_code_knows_and_what_becomes_of_them() {
    let rows = page().rows();
    let listed: BTreeMap<String, String> = rows
        .iter()
        .filter(|row| row.has("extension"))
        .map(|row| (row.cell("extension").trim_matches('`').to_owned(), row.cell("treatment").to_owned()))
        .collect();
    let known: BTreeMap<String, String> =
        tollgate::definition::treatments().map(|(name, treatment)| (name, treatment.to_owned())).collect();
    assert_eq!(listed, known);
}

#[test]
fn the_page_has_the_gateway_response_types_of_the_code_with_their_status_and_evidence() {
    let rows = page().rows();
    let listed: Vec<[String; 3]> = rows
        .iter()
        .filter(|row| row.has("raised"))
        .map(|row| [row.cell("type").to_owned(), row.cell("status").to_owned(), row.cell("evidence").to_owned()])
        .collect();
    let status = |status: Option<u16>| status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    let known: Vec<[String; 3]> = tollgate::gateway_response::evidence_table()
        .iter()
        .map(|row| [row.name.to_owned(), status(row.status), row.evidence.as_str().to_owned()])
        .collect();
    assert_eq!(listed, known);
}

#[test]
fn the_page_says_which_gateway_responses_the_code_can_raise() {
    let code: String = sources()
        .into_iter()
        .filter(|(file, _)| !file.ends_with("gateway_response/table.rs") && !file.ends_with("gateway_response/customization.rs"))
        .map(|(_, text)| text)
        .collect();
    for row in page().rows().iter().filter(|row| row.has("raised")) {
        let name = variant(row.cell("type"));
        // The arm of a match looks at a type; everything else makes a failure of it.
        let name = format!("ResponseType::{name}");
        let uses = code.match_indices(&name).filter(|(start, found)| {
            let after = &code[start + found.len()..];
            !after.starts_with(|c: char| c.is_alphanumeric()) && !after.trim_start().starts_with("=>")
        });
        let raised = if uses.count() > 0 { "yes" } else { "no" };
        assert_eq!(row.cell("raised"), raised, "{}", row.cell("type"));
    }
}

/// `DEFAULT_4XX` -> `Default4xx`
fn variant(name: &str) -> String {
    let capital = |word: &str| word[..1].to_owned() + &word[1..].to_lowercase();
    name.split('_').map(capital).collect()
}

// --- assumptions ------------------------------------------------------------------------------------------------------------

/// Every file of the filter, tests cut off.
fn sources() -> Vec<(PathBuf, String)> {
    files_below(&["filter/src"])
}

fn files_below(roots: &[&str]) -> Vec<(PathBuf, String)> {
    let (mut files, mut folders) = (Vec::new(), roots.iter().map(|root| repository().join(root)).collect::<Vec<_>>());
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let text = std::fs::read_to_string(&path).expect("a source file can be read");
                let code = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
                files.push((path, code));
            }
        }
    }
    assert!(files.len() > 30, "only {} files were found", files.len());
    files
}

#[test]
fn every_assumption_in_the_source_is_on_the_page_and_every_one_on_the_page_is_in_the_source() {
    let slug = Regex::new(r"assumed\([a-z0-9-]+\)").expect("constant");
    let mut in_source = BTreeSet::new();
    // An import knows AWS as the filter does.
    for (_, text) in files_below(&["filter/src", "host-test/src"]) {
        for found in slug.find_iter(&text) {
            let found = found.expect("it ends").as_str();
            in_source.insert(found.trim_start_matches("assumed(").trim_end_matches(')').to_owned());
        }
    }
    let rows = page().rows();
    let on_page: BTreeSet<String> = rows.iter().filter(|row| row.has("slug")).map(|row| row.cell("slug").to_owned()).collect();
    assert_eq!(in_source, on_page);
}

#[test]
fn a_comment_that_says_assumed_or_from_memory_or_names_an_emulator_carries_a_slug() {
    let mut looked_at = 0;
    for (file, text) in sources() {
        // Its rows carry their evidence each, and the page has them all.
        let is_table = file.ends_with("gateway_response/table.rs");
        for (line, comment) in comments(&text) {
            // A kind of principal has the word in its name.
            let lower = comment.to_lowercase().replace("assumed-role", "");
            let weak =
                ["assumed", "from memory"].iter().any(|word| lower.contains(word)) || (lower.contains("emulator") && !is_table);
            if weak {
                looked_at += 1;
                assert!(
                    comment.contains("assumed("),
                    "{}:{line}: say `assumed(slug)`, and add the slug to docs/parity.md",
                    file.display()
                );
            }
        }
    }
    assert!(looked_at >= 15, "only {looked_at} comments were found: the test does not look where the code is");
}

/// Blocks of comment lines, each with its first line.
fn comments(text: &str) -> Vec<(usize, String)> {
    let mut blocks: Vec<(usize, String)> = Vec::new();
    let mut inside = false;
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("//") else {
            inside = false;
            continue;
        };
        match blocks.last_mut() {
            Some((_, block)) if inside => block.push_str(comment),
            _ => blocks.push((index + 1, comment.to_owned())),
        }
        inside = true;
    }
    blocks
}

// --- known gaps -------------------------------------------------------------------------------------------------------------

/// Case file and anchor of every case that is marked as a known gap.
fn marked_cases() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let (mut marked, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).expect("a case file can be read");
            let file: Value = serde_norway::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let name = path.strip_prefix(&root).expect("it is below").with_extension("").display().to_string();
            for case in file["cases"].as_array().into_iter().flatten() {
                let Some(gap) = case["knownGap"].as_str() else { continue };
                let anchor = gap.strip_prefix("docs/parity.md#").and_then(|rest| rest.split_once(':')).map(|(anchor, _)| anchor);
                let anchor = anchor.unwrap_or_else(|| panic!("{name}: a knownGap reads `docs/parity.md#anchor: why`, not `{gap}`"));
                marked.push((name.clone(), anchor.to_owned()));
            }
        }
    }
    marked
}

#[test]
fn every_known_gap_on_the_page_has_a_failing_case_and_every_such_case_a_gap_on_the_page() {
    let page = page();
    let (_, gaps) = page.text.split_once("\n## Known gaps\n").expect("the page has a section on known gaps");
    let gaps = gaps.split("\n## ").next().unwrap_or_default();
    let mut told = BTreeSet::new();
    for gap in gaps.split("\n### ").skip(1) {
        let (heading, text) = gap.split_once('\n').expect("a heading is followed by its text");
        let (_, case) = text.rsplit_once("Case: `").unwrap_or_else(|| panic!("`{heading}` names no case"));
        let case = case.split('`').next().unwrap_or_default();
        told.insert((case.to_owned(), anchor(heading)));
    }
    let marked: BTreeSet<_> = marked_cases().into_iter().collect();
    assert!(!told.is_empty() && !marked.is_empty());
    assert_eq!(told, marked, "left: what the page tells, right: what the case files mark");
}
