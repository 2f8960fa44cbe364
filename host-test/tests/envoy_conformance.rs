//! The recorded rows once more, in a real Envoy: a row that holds on the exchange holds there, and the other way round. Needs
//! ENVOY and the module: `make test` brings both.

mod drivers;

use std::collections::BTreeSet;

use drivers::beside::beside;
use drivers::conformance::rows;
use drivers::edge::Configuration;
use drivers::envoy::{Envoy, Plugins};
use drivers::native::Native;
use drivers::report::Report;

#[test]
fn envoy_gives_every_row_the_verdict_of_the_exchange() {
    let Some(folder) = beside("conformance") else { return };
    let rows = rows(&folder);
    let mut plugins = Plugins::new();
    let mut clusters = BTreeSet::new();
    for row in &rows {
        plugins.insert(row.id.clone(), Configuration::Text(row.document(&folder).to_string()));
        clusters.extend(row.clusters().into_keys());
    }
    let mut envoy = Envoy::start("conformance", &clusters, &plugins);
    let mut native = Native::default();
    let mut report = Report::default();
    for row in &rows {
        let (expected, seen) = (row.verdict(&folder, &mut native), row.verdict(&folder, &mut envoy));
        report.count(if seen.is_empty() { "rows hold" } else { "rows do not" });
        if expected.is_empty() != seen.is_empty() {
            let differences = format!("native: {}\nenvoy: {}", expected.join("; "), seen.join("; "));
            report.fail(&format!("{}/{}", row.area, row.id), &differences);
        }
    }
    envoy.assert_no_reloads();
    report.finish("conformance in Envoy");
}
