//! Prints an Envoy configuration: `envoy/edge.yaml` with another document, listener and backends put in. `make envoy` runs it.
//!
//! ```text
//! cargo run -p tollgate-host --example edge -- TEMPLATE DOCUMENT --listen ADDR [--upstream HOST=ADDR]...
//! ```

#[path = "../tests/drivers/edge.rs"]
#[expect(dead_code, reason = "the tests hand documents over as a Struct too")]
mod edge;

use edge::{Configuration, Template};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const MODULE: &str = "target/wasm32-wasip1/wasm/tollgate.wasm";
const USAGE: &str = "usage: edge TEMPLATE DOCUMENT --listen ADDR [--upstream HOST=ADDR]...";

/// What the command line says.
#[derive(Default)]
struct Arguments {
    files: Vec<PathBuf>,
    listen: Option<SocketAddr>,
    upstreams: Vec<(String, SocketAddr)>,
}

fn main() -> ExitCode {
    match Arguments::read(std::env::args().skip(1)).and_then(|arguments| arguments.configuration()) {
        Ok(configuration) => {
            println!("{configuration}");
            ExitCode::SUCCESS
        }
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

// === impl Arguments ===

impl Arguments {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let address = |text: &str| text.parse().map_err(|_| format!("`{text}` is no address: write it as `127.0.0.1:8080`"));
        let mut arguments = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--listen" => arguments.listen = Some(address(&words.next().ok_or(USAGE)?)?),
                "--upstream" => {
                    let text = words.next().ok_or(USAGE)?;
                    let (host, place) = text.split_once('=').ok_or(USAGE)?;
                    arguments.upstreams.push((host.to_owned(), address(place)?));
                }
                _ => arguments.files.push(word.into()),
            }
        }
        Ok(arguments)
    }

    fn configuration(&self) -> Result<Value, String> {
        let [template, document] = self.files.as_slice() else { return Err(USAGE.to_owned()) };
        let (template, document) = (Template::read(template)?, read_document(document)?);
        let listen = self.listen.ok_or(USAGE)?;
        let clusters = self.upstreams.iter().map(|(host, place)| {
            let name = document["upstreams"][host]["cluster"].as_str();
            let name = name.ok_or_else(|| format!("the document has no cluster for `{host}` under `upstreams`"))?;
            Ok(template.cluster(name, &place.ip().to_string(), place.port()))
        });
        let clusters = clusters.collect::<Result<Vec<_>, String>>()?;
        let configuration = Configuration::Text(document.to_string());
        let listener = template.listener("edge", listen, Path::new(MODULE), &configuration);
        // Port 0: a free one, so that two of them can run.
        Ok(template.bootstrap(SocketAddr::from(([127, 0, 0, 1], 0)), vec![listener], clusters))
    }
}

/// The gateway document, each `definitionFile` inlined.
fn read_document(path: &Path) -> Result<Value, String> {
    let mut document = read_yaml(path)?;
    for api in document["apis"].as_array_mut().into_iter().flatten() {
        let Some(members) = api.as_object_mut() else { continue };
        if let Some(file) = members.remove("definitionFile") {
            let file = file.as_str().ok_or("`definitionFile` is no text")?;
            let definition = read_yaml(&path.parent().unwrap_or(Path::new("")).join(file))?;
            members.insert("definition".to_owned(), definition);
        }
    }
    Ok(document)
}

fn read_yaml(path: &Path) -> Result<Value, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_norway::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))
}
