//! The Lambda of `tollgate serve`: a listener on loopback that outlives documents, and the functions of the current one behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tollgate::definition::{Endpoint, Node};
use tollgate::problem::Problems;

use super::process::Processes;
use super::{Account, Functions, document, folder, invoke, named};
use crate::cli::serve::origins::Override;
use crate::cli::{Failure, say, server};

/// A Lambda that listens.
pub struct Local {
    address: SocketAddr,
    processes: Processes,
    current: watch::Sender<Arc<Functions>>,
}

/// Whether an upstream is Lambda: `lambda.REGION.amazonaws.com`, or the same of China.
pub fn is_lambda(endpoint: &Endpoint) -> bool {
    let host = endpoint.authority.to_ascii_lowercase();
    host.starts_with("lambda.") && [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|domain| host.ends_with(domain))
}

// === impl Local ===

impl Local {
    /// Listens on a port that nobody has, with no function yet.
    pub async fn start() -> Result<Self, Failure> {
        let (listener, address) = server::bind("127.0.0.1:0").await?;
        let processes = Processes::default();
        let account = Account { id: String::new(), region: String::new() };
        let (current, functions) = watch::channel(Arc::new(Functions::new(Vec::new(), account, &processes)));
        // As long as the process: requests that are under way when it is told to stop still call functions.
        tokio::spawn(server::serve(listener, std::future::pending(), move |request, _| {
            let functions = Arc::clone(&functions.borrow());
            async move { Ok(invoke::answer(functions, request).await) }
        }));
        Ok(Self { address, processes, current })
    }

    /// What `--upstream` would say to come here, for each Lambda that the definition names.
    pub fn overrides(&self, endpoints: &[Endpoint]) -> Vec<Override> {
        let here = |endpoint: &Endpoint| Override::here(&endpoint.name, self.address);
        endpoints.iter().filter(|endpoint| is_lambda(endpoint)).filter_map(here).collect()
    }

    /// Runs the functions of this document from now on. Those of the last one end with the invocations that they have.
    pub fn replace(&self, document: &Value, file: &Path) {
        // Its mistakes were told when it was checked.
        let functions = document::read(&Node::root(document), folder(file), &mut Problems::default());
        let functions = Arc::new(Functions::new(functions, Account::of(document), &self.processes));
        functions.introduce();
        for name in named(document).iter().filter(|name| functions.get(name).is_none()) {
            say(&format!(
                "note: the definition calls the function `{name}`, which `functions` does not have: calls are answered 404\n"
            ));
        }
        self.current.send_replace(functions);
    }

    /// Ends all processes.
    pub fn stop(&self) {
        self.processes.stop();
    }
}
