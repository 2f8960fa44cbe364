//! Templates as API Gateway renders them: the rows of recorded tests that need no integration, and what the reference page says.

use super::*;
use crate::context::{Context, ErrorFacts, Ids, RouteFacts, StageFacts};
use crate::http::RequestHead;
use crate::platform::Still;
use crate::template::{Fault, Template};
use crate::value::Exhausted;
use std::sync::Arc;

const HOST: Still = Still { now_millis: 1_700_000_000_000, source_address: Some("192.0.2.7:1234") };

fn context() -> Context {
    let pairs = [
        (":method", "POST"),
        (":path", "/dev/a%2Fb?q=1&q=2+3&id=query"),
        (":authority", "api.example.com"),
        ("user-agent", "python/requests/tests"),
        ("x-a", "1"),
        ("x-a", "2"),
        ("te", "deflate"),
        ("q", "header"),
    ];
    let pairs = pairs.map(|(name, value)| (name, value.as_bytes()));
    let mut context = Context::new(Ids::new([1; 16]), RequestHead::from_pairs(pairs));
    let variables = [("host".to_owned(), "h".to_owned())].into();
    let stage = StageFacts { api_id: "abc".to_owned(), stage: "dev".to_owned(), variables, ..StageFacts::default() };
    context.stage = Some(Arc::new(stage));
    context.route = Some(Arc::new(RouteFacts { resource_path: "/{id}".to_owned(), ..RouteFacts::default() }));
    context.path_parameters = vec![("id".to_owned(), "a%2Fb".to_owned())];
    context
}

fn payload(body: &str) -> Option<&str> {
    Some(body)
}

fn render_with(template: &str, body: &str, context: &Context, overrides: &mut Overrides) -> Result<String, Fault> {
    render(&Template::parse(template).unwrap(), context, payload(body), overrides, &HOST)
}

fn text(template: &str, body: &str) -> Result<String, Fault> {
    render_with(template, body, &context(), &mut Overrides::default())
}

fn check(rows: &[(&str, &str, &str)]) {
    for (template, body, expected) in rows {
        assert_eq!(text(template, body).as_deref(), Ok(*expected), "{template} of {body}");
    }
}

#[test]
fn looking_through_a_long_query_is_paid_for() {
    let mut head = context().request;
    head.path = format!("/dev/a?{}", "a&".repeat(20_000)).into_bytes();
    let context = Context::new(Ids::new([1; 16]), head);
    let fault = render_with("#foreach($i in [1..1000])$input.params('x')#end", "", &context, &mut Overrides::default());
    assert_eq!(fault, Err(Fault::Exhausted(Exhausted::Steps)));
}

#[test]
fn paths_into_a_body_print_as_recorded() {
    let path = "#set($result = $input.path(\"$.json\"))$result";
    let nested = "#set($result = $input.path(\"$.json\"))$result.nested";
    let first = "#set($result = $input.path(\"$.json\"))$result[0]";
    let to_string = "#set($result = $input.path(\"$.json\"))$result.toString()";
    let missing = "#set($result = $input.path(\"$.json.listValue\")){\"body\": $result, \"nested\": $result.nested, \"isNull\": \
                   #if( $result == $null )\"true\"#else\"false\"#end, \"isEmptyString\": #if( $result == \"\" )\"true\"#else\"false\"#end}";
    let nothing = r#"{"body": , "nested": , "isNull": "true", "isEmptyString": "true"}"#;
    check(&[
        (path, r#"{"json": {"foo": "bar"}}"#, "{foo=bar}"),
        (path, r#"{"json": [{"foo": "bar"}]}"#, r#"[{"foo":"bar"}]"#),
        (path, r#"{"json": {"foo": [{"nested": "bar"}]}}"#, r#"{foo=[{"nested":"bar"}]}"#),
        (nested, r#"{"json": {"nested": {"foo": "bar"}}}"#, "{foo=bar}"),
        (first, r#"{"json": [{"foo": "bar"}]}"#, "{foo=bar}"),
        (first, r#"{"json": [[{"foo": "bar"}]]}"#, r#"[{"foo":"bar"}]"#),
        (to_string, r#"{"json": {"foo": "bar"}}"#, "{foo=bar}"),
        (to_string, r#"{"json": {"list": [{"foo": "bar"}]}}"#, r#"{list=[{"foo":"bar"}]}"#),
        (missing, r#"{"json": {"listValue": null}}"#, nothing),
        (missing, r#"{"json": {}}"#, nothing),
    ]);
}

#[test]
fn the_body_prints_as_recorded() {
    let raw = "#set($result = $input.body)$result";
    let access = "#set($result = $input.body.testAccess)$result";
    let encoded = "EncodedBody=$util.urlEncode($input.body)&EncodedBodyAccess=$util.urlEncode($input.body.testAccess)";
    check(&[
        (raw, "", "{}"),
        (raw, r#"{"some": "value"}"#, r#"{"some": "value"}"#),
        (raw, "some raw data", "some raw data"),
        (access, "", ""),
        (access, "some raw data", ""),
        ("Action=SendMessage&MessageBody=$input.body", "some raw data", "Action=SendMessage&MessageBody=some raw data"),
        (encoded, "", "EncodedBody=%7B%7D&EncodedBodyAccess="),
        (encoded, "some raw data", "EncodedBody=some+raw+data&EncodedBodyAccess="),
    ]);
}

#[test]
fn json_is_quoted_where_it_is_text_and_empty_quotes_where_it_is_missing() {
    check(&[
        ("$input.json('$')", "", "{}"),
        ("$input.json('$')", "a=b", r#""a=b""#),
        ("$input.json('$')", r#"{ "a" : [1, "x/y"] }"#, r#"{"a":[1,"x/y"]}"#),
        ("$input.json('$.a')", r#"{"a":"b\"c"}"#, r#""b\"c""#),
        ("$input.json('a')", r#"{"a":1}"#, "1"),
        ("$input.json('$.b')", r#"{"a":1}"#, "\"\""),
        ("$input.json('$..a')", r#"{"a":1,"b":{"a":2}}"#, "[1,2]"),
        ("$input.path('$')", "a{b", "a{b"),
        ("$input.path('$.x')", "a=b", ""),
        ("#foreach($i in $input.path('$.l'))$i.n;#end", r#"{"l":[{"n":1},{"n":2}]}"#, "1;2;"),
        ("$input.anythingElse|$input.other('x')|$nothing", "", "||"),
    ]);
}

#[test]
fn a_body_that_only_begins_as_json_is_refused_once_it_is_asked_for() {
    let end = "Could not process payloadnet.minidev.json.parser.ParseException: Unexpected End Of File position 1: null";
    assert_eq!(text("$input.json('$')", "{a").unwrap_err(), text("$input.path('$')", "{a").unwrap_err());
    assert_eq!(text("$input.json('$')", "{\""), Err(Fault::Body(end.to_owned())));
    assert!(matches!(text("$input.path('$')", " [a"), Err(Fault::Body(_))));
    assert_eq!(text("$input.body", "{a").as_deref(), Ok("{a"));
    let bytes = None;
    let template = Template::parse("$input.body").unwrap();
    assert_eq!(render(&template, &context(), bytes, &mut Overrides::default(), &HOST), Err(Fault::NotText));
    assert!(matches!(text("$input.json('$.[')", "{}"), Err(Fault::Method(_))));
}

#[test]
fn a_parameter_is_looked_for_in_path_then_query_then_header() {
    check(&[
        ("$input.params('id')", "", "a%2Fb"),
        ("$input.params('q')", "", "2 3"),
        ("$input.params('X-A')", "", "2"),
        ("$input.params('te')|$input.params('none')", "", "|"),
        ("$input.params().path|$input.params().querystring", "", "{id=a%2Fb}|{q=2 3, id=query}"),
        ("$input.params('Host')", "", "api.example.com"),
        ("$input.params().querystring.q|$input.params().path.get('id')|$input.params().header.get('x-a')", "", "2 3|a%2Fb|2"),
        (
            "#foreach($k in $input.params().header.keySet())$k=$input.params().header.get($k);#end",
            "",
            "host=api.example.com;q=header;user-agent=python/requests/tests;x-a=2;",
        ),
    ]);
}

#[test]
fn the_context_has_the_recorded_names_and_its_maps_print_as_nothing() {
    let keys = "#foreach($k in $context.keySet())$k #end";
    let names = text(keys, "").unwrap();
    let mut names: Vec<_> = names.split_whitespace().collect();
    names.sort_unstable();
    let recorded = "accountId apiId deploymentId domainName domainPrefix extendedRequestId httpMethod identity path protocol requestId \
                    requestOverride requestTime requestTimeEpoch resourceId resourcePath responseOverride stage";
    assert_eq!(names.join(" "), recorded);
    check(&[
        ("$context.stage $context.get('apiId') $context['httpMethod'] ${context.resourcePath}", "", "dev abc POST /{id}"),
        ("[$context.identity][$context.get(\"requestOverride\")][$context.requestOverride.get('path')][$context]", "", "[][][][]"),
        ("$context.requestOverride.keySet()|$context.responseOverride.keySet()", "", "[header, path, querystring]|[header]"),
        (
            "$context.identity.sourceIp $context.identity.userAgent ($context.identity.user)",
            "",
            "192.0.2.7 python/requests/tests ()",
        ),
        ("$context.identity.keySet().size()", "", "12"),
        ("#foreach($k in $context.authorizer.keySet())x#end($context.authorizer.claims.sub)($context.error.message)", "", "()()"),
        ("$stageVariables.host ${stageVariables['host']} $stageVariables.get('host') ($stageVariables.none)", "", "h h h ()"),
    ]);
}

#[test]
fn authorizers_and_errors_are_in_the_context_once_they_are_there() {
    let mut context = context();
    context.authorizer.principal_id = Some("user".to_owned());
    context.authorizer.context.insert("key".to_owned(), "value".into());
    context.authorizer.claims = Some(vec![("sub".to_owned(), "s".to_owned()), ("cognito:groups".to_owned(), "g".to_owned())]);
    context.error = Some(ErrorFacts { message: Some("m\"".to_owned()), response_type: "DEFAULT_4XX", validation_error: None });
    let template = "$context.authorizer.principalId $context.authorizer.key $context.authorizer.claims.sub \
                    $context.authorizer.claims.get('cognito:groups') ($context.authorizer.claims) $context.error.messageString";
    let rendered = render_with(template, "", &context, &mut Overrides::default());
    assert_eq!(rendered.as_deref(), Ok("user value s g () \"m\\\"\""));
}

#[test]
fn what_the_request_template_overrides_the_response_template_reads() {
    let context = context();
    let mut overrides = Overrides::default();
    let request = "#set($context.responseOverride.status = 444)#set($context.responseOverride.header.foo = \"bar\")\
                   #set($context.responseOverride.custom = \"is also passed around\")#set($n = \"p\")\
                   #set($context.requestOverride.querystring[$n] = \"1\")$context.requestOverride.querystring.put(\"x\", \"2\")\
                   #set($context[\"requestOverride\"].path[\"y\"] = 3)#set($context.requestOverride.header.multi = [\"a\", \"b\"])";
    assert_eq!(render_with(request, "", &context, &mut overrides).as_deref(), Ok(""));
    let one = |name: &str, value: &str| (name.to_owned(), vec![value.to_owned()]);
    assert_eq!((overrides.status, &overrides.response_headers), (Some(444), &vec![one("foo", "bar")]));
    assert_eq!(overrides.request_querystring, [one("p", "1"), one("x", "2")]);
    assert_eq!(overrides.request_path, [one("y", "3")]);
    assert_eq!(overrides.request_headers, [("multi".to_owned(), vec!["a".to_owned(), "b".to_owned()])]);
    let before = overrides.clone();
    assert_eq!(render_with("$input.body", "", &context, &mut overrides).as_deref(), Ok("{}"));
    assert_eq!(overrides, before);
    let response = "$context.responseOverride.status $context.responseOverride.header.foo $context.responseOverride.custom\
                    $context.requestOverride.querystring[\"x\"]$context.requestOverride#set($context.responseOverride.header.b = 5)";
    let rendered = render_with(response, "", &context, &mut overrides);
    assert_eq!(rendered.as_deref(), Ok("444 bar is also passed around2"));
    assert_eq!((overrides.status, overrides.response_headers), (Some(444), vec![one("foo", "bar"), one("b", "5")]));
}

#[test]
fn a_status_override_is_a_status_or_nothing() {
    for (value, status) in
        [("100", Some(100)), ("599", Some(599)), ("\"201\"", Some(201)), ("99", None), ("600", None), ("\"x\"", None)]
    {
        let mut overrides = Overrides::default();
        let template = format!("#set($context.responseOverride.status = {value})");
        render_with(&template, "", &context(), &mut overrides).unwrap();
        assert_eq!(overrides.status, status, "{value}");
    }
}

#[test]
fn a_path_parameter_that_is_base64_of_json_chooses_as_recorded() {
    let mut context = context();
    let request = "#set($body = $util.base64Decode($input.params('id')))#set($context.requestOverride.path.body = $body){}";
    let response = "#set($body = $util.parseJson($context.requestOverride.path.body))#set($m = $body.message)\
                    #if($m == \"path1\")one#elseif($m == \"path2\")two#{else}else#end";
    for (id, chosen) in [
        ("eyJtZXNzYWdlIjogInBhdGgxIn0=", "one"),
        ("eyJtZXNzYWdlIjogInBhdGgyIn0=", "two"),
        ("eyJtZXNzYWdlIjogIndoYXRldmVyIn0=", "else"),
    ] {
        context.path_parameters = vec![("id".to_owned(), id.to_owned())];
        let mut overrides = Overrides::default();
        assert_eq!(render_with(request, "", &context, &mut overrides).as_deref(), Ok("{}"));
        assert_eq!(render_with(response, "", &context, &mut overrides).as_deref(), Ok(chosen));
    }
}

#[test]
fn a_list_that_holds_itself_is_no_override() {
    let template = "#set($l = [])$l.add($l)#set($context.requestOverride.header.x = $l)";
    assert!(matches!(text(template, ""), Err(Fault::Exhausted(_))));
}

fn values(expression: &str, body: &str) -> Result<Vec<String>, InvalidBody> {
    let context = context();
    let sources = Sources::of(&context).with_body(body.as_bytes());
    let values = Expression::parse(expression).unwrap().values(&sources, &HOST)?;
    Ok(values.into_iter().map(|value| String::from_utf8(value).unwrap()).collect())
}

#[test]
fn a_body_maps_as_text_or_as_what_a_path_leads_to() {
    for (expression, body, expected) in [
        ("method.request.body", "<This is a body value>", Some("<This is a body value>")),
        ("method.request.body", "", Some("{}")),
        ("method.request.body.a", "", None),
        ("integration.response.body.petstore.pets[0].name", r#"{"petstore":{"pets":{"name":"x"}}}"#, None),
        ("integration.response.body.a.b", r#"{"a":{"b":"x"}}"#, Some("x")),
        ("method.request.body.a", r#"{"a":[1,{"b":null}]}"#, Some(r#"[1,{"b":null}]"#)),
        ("method.request.body.a", r#"{"a":null}"#, None),
        ("method.request.body.a", "text", None),
        ("method.request.body", "\"quoted\"", Some("quoted")),
    ] {
        let expected: Vec<String> = expected.map(str::to_owned).into_iter().collect();
        assert_eq!(values(expression, body), Ok(expected), "{expression} of {body}");
    }
    for body in ["\n{wrongjson", "[1", "'a", "\"a"] {
        assert_eq!(values("method.request.body", body), Err(InvalidBody), "{body}");
        assert_eq!(values("integration.response.body.a", body), Err(InvalidBody), "{body}");
    }
    assert_eq!(values("context.stage", "{wrong"), Ok(vec!["dev".to_owned()]));
}
