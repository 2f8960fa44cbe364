//! Runs case files on drivers: what each case expects is checked on every driver, and what the drivers saw must be the same.

use serde_json::Value;
use tollgate::compile::compile;
use tollgate::problem::{Problem, Severity};

use super::case::{Case, CaseFile, ExpectedProblem, ExpectedSeverity, cluster_of};
use super::expect::differences;
use super::observation::Observation;
use super::report::Report;
use super::{Clusters, Driver};

/// Runs every case of every file on every driver.
pub fn run(files: &[CaseFile], drivers: &mut [&mut dyn Driver], report: &mut Report) {
    for file in files {
        let document = file.document();
        check_problems(file, &document, report);
        let mut loaded = true;
        for driver in drivers.iter_mut() {
            loaded &= check_load(file, &document, *driver, report);
        }
        if loaded {
            for case in &file.cases {
                run_case(file, &document, case, drivers, report);
            }
        }
    }
}

/// What the compiler says is exactly what the file lists; without a list, it must not speak of errors.
fn check_problems(file: &CaseFile, document: &Value, report: &mut Report) {
    let problems = compile(document).problems;
    let Some(expected) = &file.problems else { return };
    report.count("documents with problems");
    let mut unexpected: Vec<&Problem> = problems.iter().collect();
    for wanted in expected {
        match unexpected.iter().position(|problem| is(wanted, problem)) {
            Some(index) => drop(unexpected.remove(index)),
            None => report.fail(&file.name, &format!("no problem at {}: {}", wanted.path, wanted.message)),
        }
    }
    for problem in unexpected {
        report.fail(&file.name, &format!("a problem that the file does not list: {problem}"));
    }
}

fn is(wanted: &ExpectedProblem, problem: &Problem) -> bool {
    let severity = match problem.severity {
        Severity::Error => ExpectedSeverity::Error,
        Severity::Warning => ExpectedSeverity::Warning,
    };
    wanted.severity == severity && wanted.path == problem.path.to_string() && problem.message.contains(&wanted.message)
}

/// Whether the cases can be run on this driver.
fn check_load(file: &CaseFile, document: &Value, driver: &mut dyn Driver, report: &mut Report) -> bool {
    let name = format!("{} [{}]", file.name, driver.name());
    match (driver.load(&file.name, document), file.must_not_compile()) {
        (Ok(()), false) => true,
        (Ok(()), true) => {
            report.fail(&name, "the document is served, and must not be");
            false
        }
        (Err(text), false) => {
            report.fail(&name, &format!("the document is refused:\n{text}"));
            false
        }
        (Err(text), true) => {
            for problem in file.problems.iter().flatten() {
                if !text.contains(&problem.path) || !text.contains(&problem.message) {
                    report.fail(&name, &format!("the operator does not read of {}:\n{text}", problem.path));
                }
            }
            false
        }
    }
}

fn run_case(file: &CaseFile, document: &Value, case: &Case, drivers: &mut [&mut dyn Driver], report: &mut Report) {
    let clusters: Clusters = file
        .backends
        .iter()
        .map(|(host, usual)| {
            let played = case.backends.get(host).or(case.backend.as_ref()).unwrap_or(usual);
            (cluster_of(document, host), played.clone())
        })
        .collect();
    let mut first: Option<(&'static str, Observation)> = None;
    report.count("cases");
    for driver in drivers.iter_mut() {
        let ring = driver.name();
        let name = format!("{}: {} [{ring}]", file.name, case.name);
        let mut send = || driver.observe(&file.name, &case.request.at(driver.now(), &file.tokens), &clusters);
        let before = (0..case.preceding).try_for_each(|_| send().map(drop));
        let seen = match before.and_then(|()| send()) {
            Ok(seen) => seen,
            Err(error) => {
                report.fail(&name, &error);
                continue;
            }
        };
        let bad = differences(&case.expect, &seen);
        match (&case.known_gap, bad.is_empty()) {
            (None, true) => report.count(ring),
            (None, false) => report.fail(&name, &bad.join("\n")),
            (Some(_), false) if first.is_none() => report.count("known gaps"),
            (Some(_), false) => {}
            (Some(gap), true) => report
                .fail(&name, &format!("passes, though it is a known gap (`{gap}`): take the mark away, and mend docs/parity.md")),
        }
        let seen = seen.masked();
        match &first {
            None => first = Some((ring, seen)),
            Some((other, expected)) => {
                let diff = expected.diff(other, &seen, ring);
                if !diff.is_empty() {
                    report.fail(&name, &diff);
                }
            }
        }
    }
}
