//! The Lambda of `tollgate serve` and `tollgate explain`: a listener on loopback that outlives documents, and the functions of the current one behind it.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::watch;
use tollgate::definition::{Endpoint, Node};
use tollgate::problem::Problems;

use super::process::Processes;
use super::{Account, Functions, document, folder, invoke, named};
use crate::cli::serve::origins::{self, Override};
use crate::cli::{Failure, say, server};

/// A Lambda that listens.
pub struct Local {
    address: SocketAddr,
    processes: Processes,
    current: watch::Sender<Arc<Functions>>,
}

/// Whether a document has functions of this machine; without any, Lambda is where it always was.
pub fn are_in(document: &Value) -> bool {
    document.get("functions").is_some_and(|functions| !functions.is_null())
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

    /// What the user says, and for each Lambda of which the user says nothing what `--upstream` would say to come here.
    pub fn overrides(&self, document: &Value, endpoints: &[Endpoint], said: &[Override]) -> Vec<Override> {
        let mut overrides = said.to_vec();
        if are_in(document) {
            let lambdas = endpoints.iter().filter(|endpoint| is_lambda(endpoint));
            let unsaid = lambdas.filter(|endpoint| !origins::is_replaced(document, endpoint, said));
            overrides.extend(unsaid.filter_map(|endpoint| Override::here(&endpoint.name, self.address)));
        }
        overrides
    }

    /// Runs the functions of this document from now on. Those of the last one end with the invocations that they have.
    pub fn replace(&self, document: &Value, file: &Path) {
        // Its mistakes were told when it was checked.
        let functions = document::read(&Node::root(document), folder(file), &mut Problems::default());
        let functions = Arc::new(Functions::new(functions, Account::of(document), &self.processes));
        let called = if are_in(document) { named(document) } else { Default::default() };
        for name in called.iter().filter(|name| functions.get(name).is_none()) {
            say(&format!(
                "note: the definition calls the function `{name}`, which `functions` does not have: calls are answered 404\n"
            ));
        }
        self.current.send_replace(functions);
    }

    /// Says what runs here.
    pub fn introduce(&self) {
        self.current.borrow().introduce();
    }

    /// Ends all processes.
    pub fn stop(&self) {
        self.processes.stop();
    }
}
