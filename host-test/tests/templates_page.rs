//! `docs/templates.md` is true: every template on it gives what stands beside or below it.
//!
//! A `template` block is rendered of the last `body` block above it, and of the first one of the page where there is none since the
//! last template; what it gives is an `output` block, or a `message` block with what a client is told. Rows of tables that have the
//! column `gives` are templates, or JSONPaths, of the page's first body. Rows of `docs/validation.md` with the column `finding` are
//! models.

mod pages;
mod process;

use std::fmt::Write;
use std::sync::Arc;

use pages::{Page, Row};
use process::repository;
use tollgate::context::{Context, Ids, RouteFacts, StageFacts};
use tollgate::http::RequestHead;
use tollgate::mapping::{Overrides, render};
use tollgate::platform::Still;
use tollgate::schema::{Schema, Verdict};
use tollgate::template::{Fault, Template};
use tollgate::value::{Budget, Heap, parse};

const HOST: Still = Still { now_millis: 1_428_582_896_000, source_address: Some("192.0.2.7:1234") };

fn page() -> Page {
    page_of("docs/templates.md")
}

fn page_of(name: &str) -> Page {
    let repository = repository();
    Page::read(&repository, &repository.join(name))
}

/// The request of the page's `http` block.
fn context(page: &Page) -> Context {
    let block = page.blocks().into_iter().find(|block| block.language == "http").expect("the page shows the request");
    let mut lines = block.text.lines();
    let line: Vec<&str> = lines.next().expect("a request has a first line").split(' ').collect();
    let [method, path, "HTTP/1.1"] = line.as_slice() else { panic!("`{line:?}` is no request line") };
    let mut pairs = vec![(":method".to_owned(), method.as_bytes().to_vec()), (":path".to_owned(), path.as_bytes().to_vec())];
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name = if name == "Host" { ":authority".to_owned() } else { name.to_ascii_lowercase() };
        pairs.push((name, value.as_bytes().to_vec()));
    }
    let mut context = Context::new(Ids::new([1; 16]), RequestHead::from_pairs(pairs));
    let variables = [("backend".to_owned(), "orders.example.com".to_owned())].into();
    let stage = StageFacts { api_id: "a1b2c3d4e5".to_owned(), stage: "prod".to_owned(), variables, ..StageFacts::default() };
    context.stage = Some(Arc::new(stage));
    context.route = Some(Arc::new(RouteFacts { resource_path: "/orders/{id}".to_owned(), ..RouteFacts::default() }));
    context.path_parameters = vec![("id".to_owned(), "A%2F1".to_owned())];
    context
}

/// What a template gives, or where it ends, in the words of the page.
fn given(template: &str, body: &str, context: &Context) -> String {
    let template = match Template::parse(template) {
        Ok(template) => template,
        Err(_) => return "refused".to_owned(),
    };
    match render(&template, context, Some(body), &mut Overrides::default(), &HOST) {
        Ok(text) if text.is_empty() => "nothing".to_owned(),
        Ok(text) => format!("`{text}`"),
        Err(Fault::Body(message)) => message,
        Err(_) => "500".to_owned(),
    }
}

fn first_body(page: &Page) -> String {
    page.blocks().into_iter().find(|block| block.language == "body").expect("the page shows a body").text
}

#[test]
fn every_template_of_a_block_gives_what_stands_below_it() {
    let page = page();
    let (context, first) = (context(&page), first_body(&page));
    let (mut body, mut template, mut seen) = (None, None, 0);
    let mut wrong = String::new();
    for block in page.blocks() {
        match block.language.as_str() {
            "body" => body = Some(block.text),
            "template" => template = Some(block.text),
            "output" | "message" => {
                let template = template.take().unwrap_or_else(|| panic!("line {}: no template stands above", block.line));
                let text = block.text.trim_end_matches('\n');
                let wanted = if block.language == "output" { format!("`{text}`") } else { text.to_owned() };
                let body = body.take().unwrap_or_else(|| first.clone());
                let given = given(template.trim_end_matches('\n'), body.trim_end_matches('\n'), &context);
                seen += 1;
                if wanted != given {
                    let _ = writeln!(wrong, "line {}:\n{given}\n", block.line);
                }
            }
            _ => {}
        }
    }
    assert!(seen >= 4, "only {seen} templates were found");
    assert!(template.is_none(), "the last template has no output");
    assert!(wrong.is_empty(), "these templates give something else:\n{wrong}");
}

#[test]
fn every_row_of_a_table_gives_what_its_last_column_says() {
    let page = page();
    let (context, body) = (context(&page), first_body(&page));
    let rows: Vec<Row> = page.rows().into_iter().filter(|row| row.has("gives")).collect();
    let mut wrong = String::new();
    for row in &rows {
        let code = |column: &str| row.cell(column).trim_matches('`').to_owned();
        let template =
            if row.has("path") { format!("$input.json('{}')", code("path").replace('\'', "''")) } else { code("template") };
        let given = given(&template, body.trim_end_matches('\n'), &context);
        if row.cell("gives") != given {
            let _ = writeln!(wrong, "{template}   {given}");
        }
    }
    assert!(rows.len() >= 80, "only {} rows were found", rows.len());
    assert!(wrong.is_empty(), "these rows give something else:\n{wrong}");
}

#[test]
fn every_model_of_the_page_of_validation_finds_what_stands_beside_it() {
    let rows: Vec<Row> = page_of("docs/validation.md").rows().into_iter().filter(|row| row.has("finding")).collect();
    let mut wrong = String::new();
    for row in &rows {
        let code = |column: &str| row.cell(column).trim_matches('`').to_owned();
        let model = serde_json::from_str(&code("model")).expect("a model is JSON");
        let model = Schema::compile_value(&model).expect("it is a model");
        let mut heap = Heap::new(Budget::default());
        let body = parse(&code("body").into(), &mut heap).expect("a body is JSON");
        let found = match model.validate(&body, &mut heap).expect("it is little work") {
            Verdict::Valid => "nothing".to_owned(),
            Verdict::Invalid(why) => format!("`{why}`"),
        };
        if row.cell("finding") != found {
            let _ = writeln!(wrong, "{} {}   {found}", code("model"), code("body"));
        }
    }
    assert!(rows.len() >= 10, "only {} rows were found", rows.len());
    assert!(wrong.is_empty(), "these models find something else:\n{wrong}");
}
