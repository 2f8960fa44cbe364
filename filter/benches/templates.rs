//! Mapping templates, measured: three of the kinds that people deploy, of small bodies and of large ones.

#![expect(clippy::expect_used, clippy::panic, missing_docs, reason = "a benchmark may panic; what the macro makes has no docs")]

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use tollgate::context::{Context, Ids, StageFacts};
use tollgate::http::RequestHead;
use tollgate::mapping::{Overrides, render};
use tollgate::platform::Still;
use tollgate::template::Template;

/// Of `#foreach` over the items of an answer, of a form, of the body as it is with everything around it.
const TEMPLATES: [(&str, &str); 3] = [
    ("dynamodb-query", include_str!("templates/dynamodb-query.vtl")),
    ("sqs-send-message", include_str!("templates/sqs-send-message.vtl")),
    ("passthrough", include_str!("templates/passthrough.vtl")),
];

const SIZES: [usize; 3] = [1 << 10, 100 << 10, 1 << 20];

const HOST: Still = Still { now_millis: 1_767_225_600_000, source_address: Some("192.0.2.7:1234") };

fn context() -> Context {
    let mut head = RequestHead { method: "POST".to_owned(), path: b"/dev/a?q=1&r=2".to_vec(), ..RequestHead::default() };
    for (name, value) in [("content-type", "application/json"), ("user-agent", "curl/8"), ("accept", "*/*")] {
        head.headers.append(name, value);
    }
    let mut context = Context::new(Ids::new([1; 16]), head);
    let variables = [("table".to_owned(), "comments".to_owned())].into();
    context.stage =
        Some(Arc::new(StageFacts { api_id: "abc".to_owned(), stage: "dev".to_owned(), variables, ..StageFacts::default() }));
    context
}

/// What a query of DynamoDB answers, of about so many bytes: at most 500 items, as long as they must be.
fn body(size: usize) -> String {
    let count = (size / 200).min(500);
    let message = "so long, and \\\"thanks\\\" for all the fish ".repeat((size / count).saturating_sub(110) / 40 + 1);
    let items: Vec<String> = (0..count)
        .map(|n| format!(r#"{{"commentId":{{"S":"{n:08}"}},"userName":{{"S":"user {n}"}},"likes":{{"N":"{n}"}},"message":{{"S":"{message}"}}}}"#))
        .collect();
    format!(r#"{{"Count":{count},"Items":[{}],"ScannedCount":{count}}}"#, items.join(","))
}

fn templates(criterion: &mut Criterion) {
    let context = context();
    for (name, text) in TEMPLATES {
        let template = Template::parse(text).expect("a template");
        let mut group = criterion.benchmark_group(name);
        for size in SIZES {
            let body = body(size);
            group.throughput(Throughput::Bytes(body.len() as u64));
            group.bench_function(BenchmarkId::from_parameter(format!("{} KB", size >> 10)), |bencher| {
                bencher.iter(|| {
                    let rendered = render(&template, &context, black_box(Some(&body)), &mut Overrides::default(), &HOST);
                    rendered.unwrap_or_else(|fault| panic!("{fault:?}"))
                });
            });
        }
        group.finish();
    }
}

fn reading(criterion: &mut Criterion) {
    criterion.bench_function("reading a template", |bencher| {
        bencher.iter(|| Template::parse(black_box(include_str!("templates/passthrough.vtl"))));
    });
}

criterion_group!(benches, templates, reading);
criterion_main!(benches);
