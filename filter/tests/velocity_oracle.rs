//! Velocity itself says what templates give: thousands of them, rendered here and by Apache Velocity 1.7 (Debian's `velocity`), have to
//! agree to the byte, and on what does not parse. `make velocity` installs what it takes.

#![expect(clippy::panic, clippy::indexing_slicing, clippy::unwrap_used, reason = "a test may panic; helpers beside the test count as code")]

mod beside;
#[path = "velocity/grammar.rs"]
mod grammar;
#[path = "velocity/process.rs"]
mod process;

use beside::beside;
use process::{Answer, Oracle};
use serde_json::Value as Json;
use std::{env, fs};

/// The process; without it a test does not run, and says so; with `VELOCITY=required` that is a failure.
fn oracle() -> Option<Oracle> {
    match Oracle::start() {
        Ok(oracle) => Some(oracle),
        Err(why) => {
            let message = format!("NOT RUN: Apache Velocity: {why}");
            assert!(env::var_os("VELOCITY").is_none(), "{message}");
            println!("{message}");
            None
        }
    }
}

/// Otherwise the oracle would speak of another engine than API Gateway's.
#[test]
fn velocity_gives_what_was_recorded_of_api_gateway() {
    let (Some(folder), Some(mut oracle)) = (beside("conformance"), oracle()) else { return };
    let rows: Vec<Json> = serde_json::from_str(&fs::read_to_string(folder.join("vtl/dev.json")).unwrap()).unwrap();
    for row in &rows {
        let Answer::Rendered(text) = oracle.ask(row["template"].as_str().unwrap(), &row["context"]).unwrap() else { panic!("{row}") };
        let folded = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        match &row["aws"] {
            Json::String(aws) if row["ignore_ws"] == true => assert_eq!(folded(&text), folded(aws), "{row}"),
            Json::String(aws) => assert_eq!(text.trim(), aws.trim(), "{row}"),
            aws => assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), *aws, "{row}"),
        }
    }
    assert!(rows.len() >= 100);
}

#[test]
fn probe() {
    let mut oracle = oracle().unwrap();
    let context: Json = serde_json::from_str(grammar::CONTEXT).unwrap();
    let templates: Vec<String> = (0..5000).map(grammar::Writer::template).collect();
    let answers = oracle.ask_all(&templates, &context).unwrap();
    let mut counts = [0; 3];
    for (template, answer) in templates.iter().zip(&answers) {
        let (n, a) = match answer { Answer::Rendered(t) => (0, t), Answer::Refused(t) => (1, t), Answer::Ended(t) => (2, t) };
        counts[n] += 1;
        println!("{n} {template:?} => {:?}", a.chars().take(200).collect::<String>());
    }
    println!("{counts:?}");
}
