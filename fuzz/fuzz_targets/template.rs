//! Mapping templates: [`Template::parse`], and [`render_with`] as both sides of an exchange call it.

#![no_main]

use libfuzzer_sys::fuzz_target;
use std::sync::Arc;
use tollgate::context::{Context, ErrorFacts, Ids, RouteFacts, StageFacts};
use tollgate::http::RequestHead;
use tollgate::mapping::{Overrides, render, render_with};
use tollgate::template::{Fault, Template};
use tollgate::value::{Budget, Exhausted, Heap, Value};
use tollgate_fuzz::{Host, Numbers, parts, request, within};

/// A whole budget would make a run take long: so much is enough to go wrong with.
const STEPS: u64 = 20_000;

/// One run in so many has all of it, also with a large body.
const WHOLE: usize = 256;
const LARGE: usize = 500 * 1024;

const OUTPUT_LIMIT: usize = 10 * 1024 * 1024;

/// A request whose path, query and headers come from the input, as the flags say.
fn context(target: &[u8]) -> Context {
    let (flags, target) = target.split_first().unwrap_or((&0, &[]));
    let target = String::from_utf8_lossy(target);
    let (path, header) = target.split_once('\n').unwrap_or((&target, "v"));
    let headers = [("x-a", "1"), ("x-a", header), ("user-agent", "curl/8"), ("te", "deflate"), ("q", "header")];
    let head: RequestHead = request("POST", &format!("/prod/{path}"), "api.example.com:8443", &headers);
    let mut context = Context::new(Ids::new([1; 16]), head);
    if flags & 1 == 0 {
        let variables = [("host".to_owned(), "h".to_owned()), ("x".to_owned(), header.to_owned())].into();
        context.stage =
            Some(Arc::new(StageFacts { api_id: "abc".to_owned(), stage: "prod".to_owned(), variables, ..StageFacts::default() }));
        context.route = Some(Arc::new(RouteFacts { resource_path: "/{id}".to_owned(), ..RouteFacts::default() }));
    }
    if flags & 2 == 0 {
        context.path_parameters = vec![("id".to_owned(), path.to_owned()), ("proxy".to_owned(), "a/b".to_owned())];
    }
    if flags & 4 != 0 {
        let (message, validation_error) = (Some(header.to_owned()), Some(path.to_owned()));
        context.error = Some(ErrorFacts { message, response_type: "DEFAULT_4XX", validation_error });
    }
    if flags & 8 != 0 {
        context.authorizer.principal_id = Some(header.to_owned());
    }
    context
}

/// What both sides of one exchange make of a template, and what it leaves behind.
fn exchange(template: &Template, context: &Context, body: &[u8], steps: Option<u64>) -> Vec<(Result<String, Fault>, Overrides)> {
    let mut overrides = Overrides::default();
    let amend = |_: &Value, heap: &mut Heap| {
        heap.budget = Budget::new(steps.unwrap_or(Budget::DEFAULT_STEPS));
        Ok::<(), Exhausted>(())
    };
    let both = [(); 2].map(|()| {
        let (body, host) = (std::str::from_utf8(body).ok(), Host { body: Vec::new() });
        let text = render_with(template, context, body, &mut overrides, &host, steps.is_some().then_some(&amend));
        (text, overrides.clone())
    });
    both.into()
}

/// The same body again and again, in a list: what costs too little shows.
fn large(body: &[u8]) -> Vec<u8> {
    let times = LARGE / (body.len() + 1);
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(_) => [b"[", vec![body; times.max(1)].join(&b',').as_slice(), b"]"].concat(),
        Err(_) => body.repeat(times),
    }
}

fn check(text: &Result<String, Fault>, overrides: &Overrides) {
    match text {
        Ok(text) => assert!(text.len() <= OUTPUT_LIMIT),
        Err(Fault::Body(message) | Fault::Method(message)) => assert!(!message.is_empty()),
        Err(Fault::NotText | Fault::Exhausted(_)) => {}
    }
    if let Some(status) = overrides.status {
        assert!((100..600).contains(&status));
    }
    let named = [&overrides.request_headers, &overrides.request_path, &overrides.request_querystring, &overrides.response_headers];
    let bytes = |(name, values): &(String, Vec<String>)| name.len() + values.iter().map(String::len).sum::<usize>();
    let all: usize = named.into_iter().flatten().map(bytes).sum();
    assert!(all <= 2 * OUTPUT_LIMIT, "{all}");
    for overrides in named {
        let mut names: Vec<_> = overrides.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), overrides.len(), "a map has each name once");
    }
}

fuzz_target!(|data: &[u8]| {
    let [text, body, target] = parts(data);
    let Ok(text) = std::str::from_utf8(text) else { return };
    let template = match within(1, "reading the template", || Template::parse(text)) {
        Ok(template) => template,
        Err(wrong) => {
            let line = text.split('\n').nth(wrong.line - 1).expect("a line of the template");
            assert!((1..=line.chars().count() + 1).contains(&wrong.column), "{wrong} of {line:?}");
            return assert!(!wrong.message.is_empty() && !wrong.message.ends_with('.'), "{wrong}");
        }
    };
    assert_eq!(Template::parse(text).as_ref(), Ok(&template));
    let context = context(target);

    if let Some(plain) = template.as_plain() {
        let host = Host { body: Vec::new() };
        assert_eq!(render(&template, &context, Some(""), &mut Overrides::default(), &host).as_deref(), Ok(plain));
        assert!(plain.len() <= text.len());
    }
    let done = within(1, "rendering", || exchange(&template, &context, body, Some(STEPS)));
    for (text, overrides) in &done {
        check(text, overrides);
        if let (Ok(text), None) = (text, template.as_plain()) {
            assert!(text.len() as u64 <= STEPS * 64, "{} bytes of {STEPS} steps", text.len());
        }
    }
    assert_eq!(done, exchange(&template, &context, body, Some(STEPS)));
    if Numbers::of(data).below(WHOLE) == 0 {
        for body in [body, &large(body)] {
            for (text, overrides) in within(4, "rendering with all steps", || exchange(&template, &context, body, None)) {
                check(&text, &overrides);
            }
        }
    }
});
