//! What the worst request does to a worker: every way that is known to make the module work long, with what is answered, in
//! wasmtime's fuel, which does not depend on the machine. No request keeps a worker longer than about 50 ms, and what is no
//! attack is served.

mod drivers;

use drivers::edge::Configuration;
use drivers::envoy::{Envoy, Plugins, module};
use drivers::http1;
use drivers::report::say;
use serde_json::{Value, json};
use std::sync::LazyLock;
use std::time::{Duration, Instant};
use tollgate_host::{FilterModule, Host, Request, Stub};

/// The fuel of 50 ms. What near this much fuel stands for takes Envoy 1.40 at most a millisecond for each 8 million (8.6 million was the
/// least that was seen, for a list that grows; 10 to 15 million are usual, and up to 75 for copying and scanning), and wasmtime a
/// little longer, for it counts fuel. `the_worst_requests_end_in_envoy_as_well` prints what they take on another machine.
const FUEL: u64 = 50 * 8_000_000;

/// Compiled once for all tests.
static MODULE: LazyLock<FilterModule> = LazyLock::new(|| FilterModule::from_file(module()).expect("the module is one"));

const MEGABYTE: usize = 1 << 20;

/// The most that a payload may have.
const PAYLOAD: usize = 10 * MEGABYTE;

/// How a request ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// 200
    Served,
    /// 500, and the operator is told that it was too much.
    Stopped,
    /// 400
    Refused,
}

use End::{Refused, Served, Stopped};

// === impl End ===

impl End {
    fn status(self) -> u16 {
        match self {
            Served => 200,
            Stopped => 500,
            Refused => 400,
        }
    }
}

/// One bad request.
struct Case {
    name: &'static str,
    /// Members of the integration; a template goes under `requestTemplates`.
    integration: Value,
    /// The model of the body.
    model: Option<Value>,
    body: String,
    /// What the backend answers.
    answer: String,
    end: End,
    /// How many budgets may be spent on it: validation, parameters and a template have one each.
    budgets: u64,
}

// === impl Case ===

impl Case {
    fn new(name: &'static str, end: End, integration: Value, body: impl Into<String>) -> Self {
        Self { name, integration, model: None, body: body.into(), answer: "{}".to_owned(), end, budgets: 1 }
    }

    /// The document that serves it.
    fn document(&self) -> Value {
        let mut integration = json!({"type": "http", "httpMethod": "POST", "uri": "http://b.test/",
            "responses": {"default": {"statusCode": 200}}});
        for (key, value) in self.integration.as_object().expect("members") {
            integration[key] = value.clone();
        }
        let mut operation = json!({"responses": {"default": {"description": ""}}, "x-amazon-apigateway-integration": integration});
        if let Some(model) = &self.model {
            operation["requestBody"] = json!({"content": {"application/json": {"schema": model}}});
        }
        let definition = json!({"openapi": "3.0.1", "paths": {"/{p}": {"post": operation}},
            "x-amazon-apigateway-binary-media-types": ["application/octet-stream"],
            "x-amazon-apigateway-request-validators": {"v": {"validateRequestBody": true}},
            "x-amazon-apigateway-request-validator": "v"});
        json!({"apis": [{"name": "a", "definition": definition, "stages": [{"stageName": "s"}]}], "upstreams": {"b.test": {"cluster": "b"}}})
    }

    /// Its fuel in the wasmtime host, and whether it ended as it must.
    fn run(&self) -> Result<(), String> {
        let fields = [("content-type", "application/json"), ("x-envoy-upstream-service-time", "1")];
        let mut host = Host::builder(&MODULE)
            .plugin_configuration(self.document().to_string())
            .allow_on_headers_stop_iteration(true)
            .buffer_limit(PAYLOAD + MEGABYTE)
            .cluster("b", Stub::reply(200, fields, self.answer.clone()))
            .build()
            .unwrap_or_else(|e| panic!("{}: {e}: {:?}", self.name, e.logs()));
        let request = Request::post("/s/x", self.body.clone()).header("content-type", "application/json");
        let start = Instant::now();
        let outcome = host.send(request);
        let (took, status) = (start.elapsed(), outcome.response.status());
        let logs: Vec<&str> = outcome.logs.iter().map(|line| line.message.as_str()).collect();
        say(&format!("{:<55} {:>10} fuel {:>6.1} ms {status} {}\n", self.name, outcome.fuel, millis(took), logs.join("; ")));
        let told = ["a mapping template was stopped: ", "cannot be validated: "];
        let is_told = logs.iter().any(|line| told.iter().any(|words| line.contains(words)));
        if status != self.end.status() || is_told != (self.end == Stopped) {
            return Err(format!("{}: {status} {} {logs:?}, not {:?}", self.name, outcome.response.text(), self.end));
        }
        if outcome.fuel > self.budgets * FUEL {
            return Err(format!("{}: {} fuel of {}", self.name, outcome.fuel, self.budgets * FUEL));
        }
        Ok(())
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A request template.
fn request(name: &'static str, end: End, template: impl AsRef<str>, body: impl Into<String>) -> Case {
    Case::new(name, end, json!({"requestTemplates": {"application/json": template.as_ref()}}), body)
}

/// A response template, for an answer of the backend.
fn response(name: &'static str, end: End, template: impl AsRef<str>, answer: impl Into<String>) -> Case {
    let responses = json!({"default": {"statusCode": 200, "responseTemplates": {"application/json": template.as_ref()}}});
    Case { answer: answer.into(), ..Case::new(name, end, json!({"responses": responses}), "{}") }
}

fn model(name: &'static str, end: End, model: Value, body: impl Into<String>) -> Case {
    Case { model: Some(model), ..Case::new(name, end, json!({}), body) }
}

/// `[0,1,2,…]` up to so many bytes.
fn numbers(bytes: usize) -> String {
    list(bytes, |n| n.to_string())
}

fn list(bytes: usize, item: impl Fn(usize) -> String) -> String {
    let mut out = String::from("[");
    let mut n = 0;
    loop {
        let next = item(n);
        if out.len() + next.len() + 2 > bytes {
            break;
        }
        if n > 0 {
            out.push(',');
        }
        out.push_str(&next);
        n += 1;
    }
    out + "]"
}

fn members(bytes: usize, item: impl Fn(usize) -> String) -> String {
    let list = list(bytes, |n| format!("\"k{:07}\":{}", n * 7_919 % 10_000_000, item(n)));
    format!("{{{}}}", &list[1..list.len() - 1])
}

/// `{"a":"xxx…"}` of so many bytes.
fn long_text(bytes: usize, piece: &str) -> String {
    format!("{{\"a\":\"{}\"}}", piece.repeat((bytes - 8) / piece.len()))
}

fn nested(bytes: usize) -> String {
    let unit = format!("{}{}", "[".repeat(200), "]".repeat(200));
    list(bytes, |_| unit.clone())
}

fn records(bytes: usize) -> String {
    let list =
        list(bytes - 12, |n| format!(r#"{{"id":{n},"name":"item {n}","price":{}.5,"tags":["a","b"],"a":{{"b":null}}}}"#, n % 100));
    format!("{{\"items\":{list}}}")
}

#[rustfmt::skip]
fn templates() -> Vec<Case> {
    let thousand = "#set($l=[1..1000])";
    vec![
        request("nested #foreach", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)x#end#end"), "{}"),
        request("nested #foreach, references", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$a$b#end#end"), "{}"),
        request("nested #foreach, #set and #if", Stopped, format!("{thousand}#set($n=0)#foreach($a in $l)#foreach($b in $l)#set($n=$n+1)#if($n%2==0)x#end#end#end"), "{}"),
        request("nested #foreach, empty", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)#end#end"), "{}"),
        request("nested #foreach, $foreach.index", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$foreach.parent.index#end#end"), "{}"),
        request("nested #foreach, nothing there", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$nothing.there#end#end"), "{}"),
        request("nested #foreach, doubles", Stopped, format!("{thousand}#set($d=1.1)#foreach($a in $l)#foreach($b in $l)#set($d=$d*1.0000001)$d#end#end"), "{}"),
        request("nested #foreach, $input", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$input.body#end#end"), "{}"),
        request("nested #foreach, $input.params", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$input.params('p')#end#end"), "{}"),
        request("nested #foreach, $util.urlEncode", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$util.urlEncode('a b')#end#end"), "{}"),
        request("nested #foreach, $util.parseJson", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$util.parseJson('{{\"a\":1}}')#end#end"), "{}"),
        request("nested #foreach, lists made", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)#set($m=[$a,$b])#end#end"), "{}"),
        request("nested #foreach, maps made", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)#set($m={{\"a\":$a}})#end#end"), "{}"),
        request("nested #foreach, methods", Stopped, format!("{thousand}#set($s=\"abc\")#foreach($a in $l)#foreach($b in $l)$s.toUpperCase()#end#end"), "{}"),
        request("nested #foreach, strings made", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)#set($m=\"$a$b\")#end#end"), "{}"),
        request("nested #foreach, $context", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)$context.identity.sourceIp#end#end"), "{}"),
        request("nested #foreach, list grows", Stopped, format!("{thousand}#set($m=[])#foreach($a in $l)#foreach($b in $l)#set($x=$m.add($a))#end#end"), "{}"),
        request("nested #foreach, list grows at its front", Stopped, format!("{thousand}#set($m=[])#foreach($a in $l)#foreach($b in $l)#set($x=$m.add(0,$a))#end#end"), "{}"),
        request("nested #foreach, map grows", Stopped, format!("{thousand}#set($m={{}})#foreach($a in $l)#foreach($b in $l)#set($m[\"$a.$b\"]=1)#end#end"), "{}"),
        request("nested #foreach, map grows backwards", Stopped, "#set($l=[1000..1])#set($m={})#foreach($a in $l)#foreach($b in $l)#set($m[\"$a.$b\"]=1)#end#end", "{}"),
        request("nested #foreach, $foreach set and read", Stopped, format!("{thousand}#foreach($a in $l)#foreach($b in $l)#foreach($c in [1])$velocityCount#end#end#end"), "{}"),
        request("100 KB of texts in a loop", Stopped, format!("{thousand}#foreach($a in $l){}#end", "text$a ".repeat(100 * 1024 / 7)), "{}"),
        request("template of 100k $", Served, "$".repeat(100_000), "{}"),
        request("template of 50k references", Served, "$a ".repeat(50_000), "{}"),
        request("template of $input.json", Stopped, "$input.json('$')".repeat(300 * 1024 / 16), numbers(1000)),
        request("doubling a text", Stopped, "#set($s=\"0123456789abcdef\")#foreach($a in [1..1000])#set($s=$s+$s)#end", "{}"),
        request("doubling a text by \"$s$s\"", Stopped, "#set($s=\"0123456789abcdef\")#foreach($a in [1..1000])#set($s=\"$s$s\")#end", "{}"),
        request("doubling a text by concat", Stopped, "#set($s=\"0123456789abcdef\")#foreach($a in [1..1000])#set($s=$s.concat($s))#end", "{}"),
        request("doubling a text by replace", Stopped, "#set($s=\"aaaaaaaaaaaaaaaa\")#foreach($a in [1..1000])#set($s=$s.replace(\"a\",\"aa\"))#end", "{}"),
        request("a 5 MB text again and again", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])#set($t=$s.toLowerCase())#end", "x".repeat(PAYLOAD / 2)),
        request("a 5 MB text compared again and again", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])#if($s.equalsIgnoreCase($s))#end#end", "é".repeat(PAYLOAD / 4)),
        request("a 5 MB text searched again and again", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])$s.indexOf(\"ab\")#end", "a".repeat(PAYLOAD / 2)),
        request("a 5 MB text searched for one like it", Stopped, "#set($s=$input.body)#set($t=$s.substring(1,2000000).concat(\"b\"))#foreach($a in [1..1000])$s.indexOf($t)#end", "a".repeat(PAYLOAD / 2)),
        request("a 5 MB text cut again and again", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])$s.substring(4,5)#end", "é".repeat(PAYLOAD / 4)),
        request("a 5 MB text hashed again and again", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])$s.hashCode()#end", "é".repeat(PAYLOAD / 4)),
        request("a 5 MB text to characters", Stopped, "#set($s=$input.body)#foreach($a in [1..1000])#set($c=$s.toCharArray())#end", "a".repeat(PAYLOAD / 2)),
        request("a list in itself", Stopped, "#set($l=[1])#foreach($i in [1..1000])#set($x=$l.add($l))#end$l", "{}"),
        request("a list in itself twice, compared", Stopped, "#set($l=[1])#set($m=[1])#foreach($i in [1..20])#set($x=$l.add($m))#set($x=$m.add($l))#end$l.equals($m)", "{}"),
        request("a list that doubles", Stopped, "#set($l=[1..1000])#foreach($i in [1..1000])#set($x=$l.addAll($l))#end$l.size()", "{}"),
        request("a tree of lists", Stopped, "#set($l=[1])#foreach($i in [1..60])#set($l=[$l,$l])#end$l", "{}"),
        request("a list looked through", Stopped, "#set($l=[1..100000])#foreach($i in [1..1000])$l.contains($i.toString())#end", "{}"),
        request("a range of a million", Stopped, "#set($l=[1..100000000])", "{}"),
        request("ranges of a thousand", Stopped, "#foreach($i in [1..1000])#foreach($j in [1..1000])#set($l=[1..1000])#end#end", "{}"),
        request("replaceAll, one by one, 10 MB", Stopped, "$input.body.replaceAll(\"a\",\"b\")", "a".repeat(PAYLOAD)),
        request("replaceAll, one by one, 100 KB", Stopped, "$input.body.replaceAll(\"a\",\"b\")", "a".repeat(100 * 1024)),
        request("replaceAll that looks far, 1 MB", Stopped, "$input.body.replaceAll(\"a.*b|a\",\"\")", "a".repeat(MEGABYTE)),
        request("replaceAll (a|a)*b, 1 MB", Stopped, "$input.body.replaceAll(\"(a|a)*b\",\"\")", "a".repeat(MEGABYTE)),
        request("replaceAll (a|a)*b, 16 KB", Served, "$input.body.replaceAll(\"(a|a)*b\",\"\")", "a".repeat(16 * 1024)),
        request("matches, many states", Stopped, "$input.body.matches(\"(a?){200}a{200}\")", "a".repeat(100 * 1024)),
        request("matches, many states, little", Stopped, "#foreach($i in [1..1000])$input.body.matches(\"(a?){200}a{200}\")#end", "a".repeat(1024)),
        request("matches, classes", Stopped, "$input.body.matches(\"([a-z]|[b-y]|[c-x]|[d-w])*\")", "m".repeat(MEGABYTE)),
        request("patterns made", Stopped, "#foreach($i in [1..1000])$input.body.matches(\"(a?){200}a{200}$i\")#end", "a"),
        request("patterns refused", Stopped, "#foreach($i in [1..1000])$input.body.matches(\"(a{1000}){1000}$i\")#end", "a"),
        request("split, one by one", Stopped, "$input.body.split(\"\").size()", "a".repeat(PAYLOAD)),
        request("$input.json('$') of 10 MB text", Served, "$input.json('$')", long_text(PAYLOAD, "x")),
        request("$input.json('$') of 10 MB escapes", Stopped, "$input.json('$')", long_text(PAYLOAD, "\\n")),
        request("$input.json('$') of 10 MB of escaped characters", Stopped, "$input.json('$')", long_text(PAYLOAD, "\\u0001")),
        request("$input.json('$') of 10 MB numbers", Stopped, "$input.json('$')", numbers(PAYLOAD)),
        request("$input.json('$') of 10 MB blanks", Stopped, "$input.json('$')", format!("[{}]", " ".repeat(PAYLOAD - 2))),
        request("$input.json('$') of a number of 10 MB", Stopped, "$input.json('$')", format!("[{}]", "1".repeat(PAYLOAD - 2))),
        request("$input.json('$') of a fraction of 10 MB", Stopped, "$input.json('$')", format!("[0.{}]", "1".repeat(PAYLOAD - 4))),
        request("$input.json('$') of 10 MB that is no JSON", Refused, "$input.json('$')", format!("[\"{}", "é".repeat(PAYLOAD / 2 - 2))),
        request("$input.json('$') of 1 MB nesting", Stopped, "$input.json('$')", nested(MEGABYTE)),
        request("$input.json('$') of 10 MB nesting", Stopped, "$input.json('$')", nested(PAYLOAD)),
        request("$input.json('$') of 1 MB members", Stopped, "$input.json('$')", members(MEGABYTE, |_| "1".to_owned())),
        request("$input.json('$') of 5 MB members", Stopped, "$input.json('$')", members(PAYLOAD / 2, |_| "1".to_owned())),
        request("$input.json('$') of 10 MB empty lists", Stopped, "$input.json('$')", list(PAYLOAD, |_| "[]".to_owned())),
        request("$input.json('$') of 10 MB empty objects", Stopped, "$input.json('$')", list(PAYLOAD, |_| "{}".to_owned())),
        request("$input.json('$') of 10 MB empty texts", Stopped, "$input.json('$')", list(PAYLOAD, |_| "\"\"".to_owned())),
        request("$input.json('$') of 1 MB fractions", Stopped, "$input.json('$')", list(MEGABYTE, |n| format!("{n}.{n}"))),
        request("$input.json('$') of 1 MB long fractions", Stopped, "$input.json('$')", list(MEGABYTE, |n| format!("1.{n}1234567890123456789e-{}", n % 300))),
        request("$input.json('$') of 3 MB small objects", Stopped, "$input.json('$')", records(3 * MEGABYTE)),
        request("$input.path('$') of 3 MB small objects", Stopped, "$input.path('$')", records(3 * MEGABYTE)),
        request("$input.path('$..a') of 10 MB lists", Stopped, "$input.path('$..a')", numbers(PAYLOAD)),
        request("$input.path('$..a') of 1 MB objects", Served, "$input.path('$..a').size()", records(MEGABYTE)),
        request("$input.path('$..*..*') of 1 MB objects", Stopped, "$input.path('$..*..*').size()", records(MEGABYTE)),
        request("$input.path('$..[?(@..b)]') of 1 MB objects", Stopped, "$input.path('$..[?(@..b)]').size()", records(MEGABYTE)),
        request("filters over 1 MB of numbers", Served, "$input.path('$[?(@ > 50000)]').size()", numbers(MEGABYTE / 2)),
        request("filters over 1 MB of objects", Served, "$input.path('$.items[?(@.price < 10 && @.id > 3)]').size()", records(MEGABYTE)),
        request("filters with lists, 100k items", Stopped, "$input.path('$[?(@ in $)]').size()", numbers(MEGABYTE / 2)),
        request("filters with patterns, 100k items", Stopped, "$input.path('$[?(@ =~ /([0-9]?){40}[0-9]{40}/)]').size()", numbers(MEGABYTE / 2)),
        request("filters that compare lists, 1000 items", Stopped, "$input.path('$[?($ == $)]').size()", numbers(MEGABYTE / 2)),
        request("filters that contain, 100k items", Stopped, "$input.path('$[?($ contains @)]').size()", numbers(MEGABYTE / 2)),
        request("filters that ask for the size of a list, 100k items", Stopped, "$input.path('$[?($ anyof $)]').size()", numbers(MEGABYTE / 2)),
        request("sums in a loop", Stopped, "#foreach($i in [1..1000])$input.path('$.sum()')#end", numbers(MEGABYTE / 2)),
        request("keys in a loop", Stopped, "#foreach($i in [1..1000])$input.path('$.keys()').size()#end", members(MEGABYTE / 2, |_| "1".to_owned())),
        request("append in a loop", Stopped, "#foreach($i in [1..1000])$input.path('$.append(1)').size()#end", numbers(MEGABYTE / 2)),
        request("$input.path in a loop over 1 MB", Stopped, "#foreach($i in [1..1000])$input.path('$[*]').size()#end", numbers(MEGABYTE / 2)),
        request("$input.path('$.x') in a loop over 1 MB", Served, "#foreach($i in [1..1000])$input.path('$.x')#end", records(MEGABYTE)),
        request("$input.json in a loop over 1 MB", Stopped, "#foreach($i in [1..1000])$input.json('$')#end", long_text(MEGABYTE, "x")),
        request("long paths in loops", Stopped, format!("#foreach($i in [1..1000])#foreach($j in [1..1000])$input.path('$.{}')#end#end", "a.".repeat(1000) + "a"), "{}"),
        request("short paths in loops", Stopped, "#foreach($i in [1..1000])#foreach($j in [1..1000])$input.path('$.a.b')#end#end", "{}"),
        request("$util.escapeJavaScript of 10 MB", Stopped, "$util.escapeJavaScript($input.body)", "x".repeat(PAYLOAD)),
        request("$util.escapeJavaScript of 10 MB of é", Stopped, "$util.escapeJavaScript($input.body)", "é".repeat(PAYLOAD / 2)),
        request("$util.escapeJavaScript of 1 MB", Served, "$util.escapeJavaScript($input.body)", "x".repeat(MEGABYTE)),
        request("$util.escapeJavaScript of 1 MB of é", Served, "$util.escapeJavaScript($input.body)", "é".repeat(MEGABYTE / 2)),
        request("$util.escapeJavaScript of 1 MB of quotes", Served, "$util.escapeJavaScript($input.body)", "\"".repeat(MEGABYTE)),
        request("$util.urlEncode of 10 MB", Stopped, "$util.urlEncode($input.body)", "%".repeat(PAYLOAD)),
        request("$util.urlEncode of 1 MB", Served, "$util.urlEncode($input.body)", "%".repeat(MEGABYTE)),
        request("$util.urlEncode of 1 MB of blanks and ~*", Served, "$util.urlEncode($input.body)", " ~*".repeat(MEGABYTE / 3)),
        request("$util.urlDecode of 1 MB", Served, "$util.urlDecode($input.body)", "%20".repeat(MEGABYTE / 3)),
        request("$util.base64Encode of 1 MB", Served, "$util.base64Encode($input.body)", "x".repeat(MEGABYTE)),
        request("$util.base64Encode of 10 MB", Stopped, "$util.base64Encode($input.body)", "x".repeat(PAYLOAD)),
        request("$util.base64Decode of 1 MB", Served, "$util.base64Decode($input.body)", "eHh4".repeat(MEGABYTE / 4)),
        request("$util.base64Decode of 10 MB", Stopped, "$util.base64Decode($input.body)", "eHh4".repeat(PAYLOAD / 4)),
        request("$util.parseJson of 10 MB of numbers", Stopped, "$util.parseJson($input.body)", numbers(PAYLOAD)),
        request("$util.parseJson of 10 MB text", Stopped, "$util.parseJson($input.body).a.length()", long_text(PAYLOAD, "x")),
        request("$util.parseJson of 1 MB in a loop", Stopped, "#foreach($i in [1..1000])$util.parseJson($input.body).size()#end", records(MEGABYTE)),
        request("$util.parseJson of a small one in a loop", Stopped, "#foreach($i in [1..1000])#foreach($j in [1..1000])$util.parseJson('[]')#end#end", "{}"),
        request("#define recursion", Stopped, "#define($a)$a$a#end$a", "{}"),
        request("#define recursion, wide", Stopped, format!("#define($a){}#end$a", "$a".repeat(100)), "{}"),
        request("#define recursion, compared", Stopped, format!("#define($a){}#end$a", "#if($a==$a)x#end".repeat(10)), "{}"),
        request("$input.body of 10 MB", Served, "$input.body", "x".repeat(PAYLOAD)),
        request("$input.body of 10 MB of é", Served, "$input.body", "é".repeat(PAYLOAD / 2)),
        request("$input.body of 10 MB twice", Stopped, "$input.body$input.body", "x".repeat(PAYLOAD)),
        request("1 MB of JSON through $input.json", Served, "$input.json('$')", records(MEGABYTE)),
        request("1 MB of numbers through $input.json", Served, "$input.json('$')", numbers(MEGABYTE)),
        request("1000 items by #foreach", Served, "#set($r=$input.path('$'))[#foreach($i in $r.items){\"id\":$i.id,\"name\":\"$util.escapeJavaScript($i.name)\",\"price\":$i.price,\"tags\":[#foreach($t in $i.tags)\"$t\"#if($foreach.hasNext),#end#end]}#if($foreach.hasNext),#end#end]", records(80 * 1024)),
        request("overrides of many headers", Stopped, "#foreach($i in [1..1000])#foreach($j in [1..1000])#set($context.requestOverride.header[\"h$i.$j\"]=\"x\")#end#end", "{}"),
    ]
}

#[rustfmt::skip]
fn response_templates() -> Vec<Case> {
    vec![
        response("response: 10 MB through $input.body", Served, "$input.body", "x".repeat(PAYLOAD)),
        response("response: 1 MB through $input.json", Served, "$input.json('$')", records(MEGABYTE)),
        response("response: 10 MB of numbers", Stopped, "$input.json('$')", numbers(PAYLOAD)),
    ]
}

#[rustfmt::skip]
fn parameters() -> Vec<Case> {
    let of = |name, end, source: &str, body: String| {
        Case::new(name, end, json!({"requestParameters": {"integration.request.header.x": source, "integration.request.header.y": source}}), body)
    };
    vec![
        of("parameters of 10 MB of numbers", Refused, "method.request.body.a", numbers(PAYLOAD)),
        of("parameters of 1 MB of objects", Served, "method.request.body.items[3].name", records(MEGABYTE)),
        of("parameters of 10 MB text", Served, "method.request.body.b", long_text(PAYLOAD, "x")),
        of("parameters by $..a of 1 MB", Refused, "method.request.body..nothing", records(MEGABYTE)),
    ]
}

/// All that looks at one body, each with a budget of its own: together they take Envoy less than 50 ms as well.
fn everything() -> Vec<Case> {
    let integration = json!({
        "requestParameters": {"integration.request.header.x": "method.request.body.items[3].name"},
        "requestTemplates": {"application/json": "$input.json('$')"},
    });
    let model = json!({"properties": {"items": {"items": {"required": ["id"], "properties": {"name": {"type": "string"}}}}}});
    vec![Case {
        model: Some(model),
        budgets: 2,
        ..Case::new("1 MB validated, mapped and made anew", Served, integration, records(MEGABYTE))
    }]
}

#[rustfmt::skip]
fn contents() -> Vec<Case> {
    let to = |name, end, handling: &str, body: String| Case::new(name, end, json!({"contentHandling": handling}), body);
    let base64 = "eHh4".repeat(PAYLOAD / 4);
    let answer = |name, handling: &str, answer: String| {
        let responses = json!({"default": {"statusCode": 200, "contentHandling": handling}});
        Case { answer, ..Case::new(name, Served, json!({"responses": responses}), "{}") }
    };
    vec![
        to("passthrough of 10 MB", Served, "CONVERT_TO_TEXT", "x".repeat(PAYLOAD)),
        to("CONVERT_TO_BINARY of 10 MB", Served, "CONVERT_TO_BINARY", base64.clone()),
        answer("response: CONVERT_TO_BINARY of 10 MB", "CONVERT_TO_BINARY", base64),
    ]
}

#[rustfmt::skip]
fn models() -> Vec<Case> {
    let any_of = |depth: usize| {
        (0..depth).fold(json!({"type": "string"}), |inner, _| json!({"anyOf": [inner.clone(), {"not": {"type": "integer"}}, {"anyOf": [inner, {"type": "integer"}]}]}))
    };
    vec![
        model("model: type of 10 MB numbers", Stopped, json!({"type": "array"}), numbers(PAYLOAD)),
        model("model: type of 10 MB text", Served, json!({"type": "object"}), long_text(PAYLOAD, "x")),
        model("model: items of 1 MB numbers", Served, json!({"type": "array", "items": {"type": "integer", "minimum": 0}}), numbers(MEGABYTE / 2)),
        model("model: nested anyOf over 1 MB", Stopped, json!({"type": "array", "items": any_of(8)}), numbers(MEGABYTE)),
        model("model: oneOf over 1 MB objects", Refused, json!({"properties": {"items": {"items": {"oneOf": (0..30).map(|n| json!({"required": ["id"], "properties": {"id": {"enum": [n, n + 1]}}})).collect::<Vec<_>>()}}}}), records(MEGABYTE)),
        model("model: uniqueItems over 1 MB", Stopped, json!({"uniqueItems": true}), numbers(MEGABYTE)),
        model("model: uniqueItems over 1 MB of objects", Stopped, json!({"properties": {"items": {"uniqueItems": true}}}), records(MEGABYTE)),
        model("model: uniqueItems over equal beginnings", Served, json!({"uniqueItems": true}), list(MEGABYTE, |n| format!("\"{}{n:06}\"", "x".repeat(200)))),
        model("model: pattern over 10 MB", Stopped, json!({"properties": {"a": {"pattern": "^(a|b|x)*$"}}}), long_text(PAYLOAD, "x")),
        model("model: pattern over 1 MB", Stopped, json!({"properties": {"a": {"pattern": "(x?){50}x{50}$"}}}), long_text(MEGABYTE, "x")),
        model("model: pattern over 100 KB", Refused, json!({"properties": {"a": {"pattern": "^[a-w]+$"}}}), long_text(100 * 1024, "x")),
        model("model: patternProperties over 1 MB members", Stopped, json!({"patternProperties": {"^k[0-9]+x$": {}, "^k[0-9]+y$": {}}, "additionalProperties": false}), members(MEGABYTE, |_| "1".to_owned())),
        model("model: additionalProperties over 1 MB members", Stopped, json!({"additionalProperties": false}), members(MEGABYTE, |_| "1".to_owned())),
        model("model: enum of 1 MB numbers", Refused, json!({"items": {"enum": (0..200).map(|n| json!(n.to_string())).chain([json!({})]).collect::<Vec<_>>()}}), numbers(MEGABYTE)),
        model("model: enum with the whole", Stopped, json!({"allOf": (0..30).map(|n| json!({"not": {"enum": [n]}})).collect::<Vec<_>>()}), records(MEGABYTE)),
        model("model: multipleOf of long numbers", Refused, json!({"items": {"multipleOf": 0.01}}), list(MEGABYTE, |n| format!("{n}{}", "7".repeat(1000)))),
        model("model: multipleOf of a number of 1 MB", Stopped, json!({"items": {"multipleOf": 7}}), format!("[{}]", "7".repeat(MEGABYTE))),
        model("model: minimum of fractions", Refused, json!({"items": {"minimum": 0.5, "multipleOf": 0.1}}), list(MEGABYTE, |n| format!("{n}.5e-200"))),
        model("model: $ref that leads to itself", Stopped, json!({"definitions": {"a": {"allOf": [{"$ref": "#/paths/~1{p}/post/requestBody/content/application~1json/schema"}]}}, "allOf": [{"$ref": "#/paths/~1{p}/post/requestBody/content/application~1json/schema"}]}), "{}"),
        model("model: format over 1 MB", Refused, json!({"properties": {"a": {"format": "email"}}}), long_text(MEGABYTE, "x")),
        model("model: format hostname over 1 MB", Served, json!({"properties": {"a": {"format": "hostname"}}}), long_text(MEGABYTE, "x.")),
        model("model: dependencies over 1 MB", Served, json!({"properties": {"items": {"items": {"dependencies": {"id": ["name"]}}}}}), records(MEGABYTE / 2)),
        model("model: maxLength of 10 MB", Refused, json!({"properties": {"a": {"maxLength": 3}}}), long_text(PAYLOAD, "é")),
    ]
}

/// One bad request to a function, or one bad answer of it.
struct Call {
    name: &'static str,
    status: u16,
    /// `REST` or `HTTP`
    protocol: &'static str,
    /// Members of the integration.
    integration: Value,
    request: Request,
    answer: String,
    /// Whether the function raised it.
    raised: bool,
}

// === impl Call ===

impl Call {
    /// A request to a function behind a REST API.
    fn new(name: &'static str, status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        let body: Vec<u8> = body.into();
        let request = Request::post("/s/x", body).header("content-type", content_type);
        let answer = r#"{"statusCode":200}"#.to_owned();
        Self { name, status, protocol: "REST", integration: json!({"type": "aws_proxy"}), request, answer, raised: false }
    }

    /// The same of an HTTP API, format 2.0.
    fn http(name: &'static str, status: u16, request: Request) -> Self {
        let integration = json!({"type": "aws_proxy", "payloadFormatVersion": "2.0"});
        Self { protocol: "HTTP", integration, request, ..Self::new(name, status, "a/b", "") }
    }

    /// What a function behind a REST API answers.
    fn answer(name: &'static str, status: u16, answer: impl Into<String>) -> Self {
        Self { answer: answer.into(), ..Self::new(name, status, "a/b", "") }
    }

    /// What a function behind mappings raises, and what selects the response.
    fn raised(name: &'static str, status: u16, patterns: &[&str], message: impl Into<String>) -> Self {
        let mut responses: serde_json::Map<String, Value> =
            patterns.iter().map(|pattern| ((*pattern).to_owned(), json!({"statusCode": 400}))).collect();
        responses.insert("default".to_owned(), json!({"statusCode": 200}));
        Self {
            integration: json!({"type": "aws", "responses": responses}),
            answer: json!({"errorMessage": message.into()}).to_string(),
            raised: true,
            ..Self::new(name, status, "a/b", "")
        }
    }

    fn run(&self) -> Result<(), String> {
        const FUNCTION: &str = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/f/invocations";
        let mut integration = json!({"httpMethod": "POST", "uri": FUNCTION});
        for (key, value) in self.integration.as_object().expect("members") {
            integration[key] = value.clone();
        }
        let operation = json!({"responses": {"default": {"description": ""}}, "x-amazon-apigateway-integration": integration});
        let mut definition = json!({"openapi": "3.0.1", "paths": {"/{p+}": {"post": operation}}});
        if self.protocol == "REST" {
            definition["x-amazon-apigateway-binary-media-types"] = json!(["application/octet-stream"]);
        }
        let host = "lambda.us-east-1.amazonaws.com";
        let document = json!({"apis": [{"name": "a", "protocol": self.protocol, "definition": definition, "stages": [{"stageName": "s"}]}],
            "upstreams": {host: {"cluster": "f"}}});
        let error = if self.raised { "x-amz-function-error" } else { "x-no-error" };
        let fields = [("content-type", "application/json"), ("x-envoy-upstream-service-time", "1"), (error, "Unhandled")];
        let mut host = Host::builder(&MODULE)
            .plugin_configuration(document.to_string())
            .allow_on_headers_stop_iteration(true)
            .buffer_limit(PAYLOAD + MEGABYTE)
            .cluster("f", Stub::reply(200, fields, self.answer.clone()))
            .build()
            .unwrap_or_else(|e| panic!("{}: {e}: {:?}", self.name, e.logs()));
        let start = Instant::now();
        let outcome = host.send(self.request.clone());
        let (took, status) = (start.elapsed(), outcome.response.status());
        let logs: Vec<&str> = outcome.logs.iter().map(|line| line.message.as_str()).collect();
        say(&format!("{:<55} {:>10} fuel {:>6.1} ms {status} {}\n", self.name, outcome.fuel, millis(took), logs.join("; ")));
        if status != self.status {
            return Err(format!("{}: {status} {} {logs:?}, not {}", self.name, outcome.response.text(), self.status));
        }
        if outcome.fuel > FUEL {
            return Err(format!("{}: {} fuel of {FUEL}", self.name, outcome.fuel));
        }
        Ok(())
    }
}

/// What a function may be sent, and may answer: 6 MB.
const EVENT: usize = 6 * MEGABYTE;

#[rustfmt::skip]
fn calls() -> Vec<Call> {
    let (text, bytes) = ("text/plain", "application/octet-stream");
    let post = |path: &str| Request::post(path, "").header("content-type", "text/plain");
    let query = |pair: &str| post(&format!("/s/x?{}", pair.repeat(50_000 / pair.len())));
    let output = |members: &str| format!("{{\"statusCode\":200,{members}}}");
    let many = |item: &dyn Fn(usize) -> String| { let list = list(EVENT, item); list[1..list.len() - 1].to_owned() };
    let body = |piece: &str| output(&format!("\"body\":\"{}\"", piece.repeat((EVENT - 100) / piece.len())));
    vec![
        Call::new("event: 6 MB text", 200, text, "x".repeat(EVENT - 10_000)),
        Call::new("event: 10 MB text", 413, text, "x".repeat(PAYLOAD)),
        Call::new("event: 10 MB of é", 413, text, "é".repeat(PAYLOAD / 2)),
        Call::new("event: 1 MB of NUL", 200, text, vec![0; 1_000_000]),
        Call::new("event: 10 MB of NUL", 413, text, vec![0; PAYLOAD]),
        Call::new("event: 3 MB of quotes", 200, text, "\"".repeat(3_000_000)),
        Call::new("event: 10 MB of quotes", 413, text, "\"".repeat(PAYLOAD)),
        Call::new("event: 2 MB that are no UTF-8", 200, text, vec![0xff; 2_000_000]),
        Call::new("event: 10 MB that are no UTF-8", 413, text, vec![0xff; PAYLOAD]),
        Call::new("event: 4.5 MB as base64", 200, bytes, vec![0xff; 4_500_000]),
        Call::new("event: 10 MB as base64", 413, bytes, vec![0xff; PAYLOAD]),
        Call { request: query("a&"), ..Call::new("event: a query of 25,000 names", 200, text, "") },
        Call { request: query("%61=%62&"), ..Call::new("event: an encoded query", 200, text, "") },
        Call { request: post(&format!("/s/x?{}", (0..8_000).map(|n| format!("{n:x}=&")).collect::<String>())), ..Call::new("event: a query of 8,000 different names", 200, text, "") },
        Call { request: post(&format!("/s/{}", "%C3%A9".repeat(8_000))), ..Call::new("event: an encoded path", 200, text, "") },
        Call::http("event 2.0: a query of 25,000 names", 200, query("a&")),
        Call::http("event 2.0: an encoded query", 200, query("%61=%62&")),
        Call::http("event 2.0: an encoded path", 200, post(&format!("/s/{}", "%C3%A9".repeat(8_000)))),
        Call::http("event 2.0: 25,000 cookies", 200, post("/s/x").header("cookie", "a;".repeat(25_000))),
        Call::http("event 2.0: 10 MB that are no UTF-8", 413, Request::post("/s/x", vec![0xff; PAYLOAD]).header("content-type", text)),
        Call::http("event 2.0: 10 MB of NUL", 413, Request::post("/s/x", vec![0; PAYLOAD]).header("content-type", text)),
        Call::answer("answer: 6 MB of [", 502, "[".repeat(EVENT)),
        Call::answer("answer: 6 MB of {", 502, "{\"body\":".repeat(EVENT / 8)),
        Call::answer("answer: 6 MB of empty lists", 502, list(EVENT, |_| "[]".to_owned())),
        Call::answer("answer: 6 MB of numbers", 502, numbers(EVENT)),
        Call::answer("answer: 6 MB of fractions", 502, list(EVENT, |n| format!("{n}.{n}e-300"))),
        Call::answer("answer: 6 MB of a number", 502, "1".repeat(EVENT)),
        Call::answer("answer: 6 MB of members", 502, members(EVENT, |_| "1".to_owned())),
        Call::answer("answer: 6 MB of members within an answer", 502, output(&format!("\"body\":{}", members(EVENT, |_| "{}".to_owned())))),
        Call::answer("answer: 6 MB that end early", 502, output(&format!("\"body\":[{}", many(&|_| "{}".to_owned())))),
        Call::answer("answer: a body of 6 MB", 200, body("x")),
        Call::answer("answer: a body of 6 MB of escapes", 200, body("\\u0001")),
        Call::answer("answer: a body of 6 MB of line breaks", 200, body("\\n")),
        Call::answer("answer: a body of 6 MB of pairs", 200, body("\\ud83d\\ude00")),
        Call { request: Request::post("/s/x", "").header("accept", bytes), ..Call::answer("answer: 6 MB of base64", 200, output(&format!("\"isBase64Encoded\":true,\"body\":\"{}\"", "eHh4".repeat((EVENT - 100) / 4)))) },
        Call::answer("answer: 6 MB of headers", 502, output(&format!("\"headers\":{{{}}}", many(&|n| format!("\"x{n}\":\"\""))))),
        Call::answer("answer: 6 MB of values of a header", 502, output(&format!("\"multiValueHeaders\":{{\"x\":[{}]}}", many(&|_| "\"\"".to_owned())))),
        Call::answer("answer: a header of 6 MB", 502, output(&format!("\"headers\":{{\"x\":\"{}\"}}", "x".repeat(EVENT - 100)))),
        Call { answer: "[".repeat(EVENT), ..Call::http("answer 2.0: 6 MB of [", 200, post("/s/x")) },
        Call { answer: numbers(EVENT), ..Call::http("answer 2.0: 6 MB of numbers", 200, post("/s/x")) },
        Call { answer: members(EVENT, |_| "1".to_owned()), ..Call::http("answer 2.0: 6 MB of members", 200, post("/s/x")) },
        Call { answer: output(&format!("\"cookies\":[{}]", many(&|_| "\"a=1\"".to_owned()))), ..Call::http("answer 2.0: 6 MB of cookies, taken for a body", 200, post("/s/x")) },
        Call { answer: body("\\n"), ..Call::http("answer 2.0: a body of 6 MB of line breaks", 200, post("/s/x")) },
        Call::raised("raised: 6 MB, no pattern", 200, &[], "x".repeat(EVENT)),
        Call::raised("raised: 6 MB, several patterns", 500, &["Malformed.*", ".*NotFound.*", "(a|x)*b", "([a-z]?){50}y"], "x".repeat(EVENT)),
        Call::raised("raised: 10 KB, many places", 500, &["(a?){200}a{200}"], "a".repeat(10_000)),
        Call::raised("raised: 2 KB, several patterns", 400, &["Malformed.*", ".*NotFound.*", "(a|x)*b", "[\\s\\S]*x"], "x".repeat(2_000)),
        Call { answer: numbers(EVENT), ..Call::raised("raised: 6 MB of numbers", 200, &["x"], "") },
    ]
}

#[test]
fn no_event_and_no_answer_of_a_function_keeps_a_worker_for_long() {
    let wrong: Vec<String> = calls().into_iter().filter_map(|call| call.run().err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn cases() -> impl Iterator<Item = Case> {
    templates().into_iter().chain(response_templates()).chain(parameters()).chain(contents()).chain(models()).chain(everything())
}

#[test]
fn no_request_keeps_a_worker_for_long() {
    let wrong: Vec<String> = cases().filter_map(|case| case.run().err()).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A template that is nested too deep is no template: the document is refused, with the place.
#[test]
fn nesting_is_refused_before_any_request_comes() {
    for (open, close) in
        [("#if(true)", "#end"), ("#foreach($i in [1])", "#end"), ("#define($d)", "#end"), ("#set($x=", ")"), ("#set($x=(", "))")]
    {
        let depth = 100 * 1024 / (open.len() + close.len());
        let case = request("nesting", Served, open.repeat(depth) + &close.repeat(depth), "{}");
        let built = Host::builder(&MODULE)
            .plugin_configuration(case.document().to_string())
            .cluster("b", Stub::reply(200, [("a", "b")], ""))
            .build();
        let logs = built
            .err()
            .map(|error| error.logs().iter().map(|line| line.message.clone()).collect::<Vec<_>>().join("\n"))
            .unwrap_or_default();
        let place = "requestTemplates[\"application/json\"]: line 1, column ";
        assert!(logs.contains(place), "{open}: {logs:?}");
    }
}

/// Measures, and asserts that Envoy answers the same: how long a client waits, less than what the same body takes that no template
/// looks into.
#[test]
fn the_worst_requests_end_in_envoy_as_well() {
    let cases: Vec<Case> = cases().filter(|case| case.answer == "{}").collect();
    let text = |case: &Case| Configuration::Text(case.document().to_string());
    let mut plugins: Plugins = cases.iter().enumerate().map(|(n, case)| (n.to_string(), text(case))).collect();
    plugins.insert("unread".to_owned(), text(&request("", Served, "#if(false)$input.body#end", "")));
    let mut envoy = Envoy::start("worst-case", &["b".to_owned()].into(), &plugins);
    let backend = json!({"status": 200, "headers": [["content-type", "application/json"]], "body": "{}"});
    envoy.play("b", &serde_json::from_value(backend).expect("a backend"));
    let ask = |listener: &str, body: &str| {
        let address = envoy.address(listener).unwrap_or_else(|| panic!("{listener}: {}", envoy.log_of_refused(listener)));
        let head = "POST /s/x HTTP/1.1\r\nhost: a.test\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let wire = format!("{head}content-length: {}\r\n\r\n{body}", body.len());
        let start = Instant::now();
        let answer = http1::exchange_raw(address, wire.as_bytes(), "POST").expect("an answer");
        (millis(start.elapsed()), answer.status().expect("a status"))
    };
    for (n, case) in cases.iter().enumerate() {
        let best = |listener: &str| (0..2).map(|_| ask(listener, &case.body)).min_by(|a, b| a.0.total_cmp(&b.0)).expect("two");
        let (unread, (took, status)) = (best("unread").0, best(&n.to_string()));
        say(&format!("Envoy: {:<55} {:>6.1} ms more than {unread:.1} ms, {status}\n", case.name, took - unread));
        assert_eq!(status, case.end.status(), "{}", case.name);
    }
    envoy.assert_no_reloads();
}
