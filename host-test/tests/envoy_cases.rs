//! The case files on all three drivers: natively, as wasm in the wasmtime host, and in a real Envoy, whose observations must be
//! the same. Needs ENVOY and the module: `make test` brings both.

mod drivers;

use std::collections::BTreeSet;

use drivers::case::{CaseFile, cluster_of};
use drivers::edge::Configuration;
use drivers::envoy::{Envoy, Plugins};
use drivers::native::Native;
use drivers::report::Report;
use drivers::wasm::Wasm;

#[test]
fn every_case_holds_in_all_three_drivers_and_they_agree() {
    let files = CaseFile::all();
    let mut plugins = Plugins::new();
    let mut clusters = BTreeSet::new();
    for file in &files {
        let document = file.document();
        clusters.extend(file.backends.keys().map(|host| cluster_of(&document, host)));
        plugins.insert(file.name.clone(), Configuration::Text(document.to_string()));
    }
    let mut envoy = Envoy::start("cases", &clusters, &plugins);
    let mut report = Report::default();
    drivers::ring::run(&files, &mut [&mut Native::default(), &mut Wasm::new(), &mut envoy], &mut report);
    envoy.assert_no_reloads();
    report.finish("three drivers");
}
