//! `--watch`: a changed definition is served as soon as it is whole; a bad one changes nothing but the screen.

use std::sync::Arc;

use tokio::sync::watch;

use super::watch::Watch;
use super::{Current, Draft, Refused, Server};
use crate::cli::source::Version;
use crate::cli::{diagnostics, say};

/// Follows the files for as long as the process lives.
pub(super) async fn follow(server: Arc<Server>, files: Vec<Version>, current: watch::Sender<Current>) {
    let mut watch = Watch::new(&files);
    loop {
        watch.changed().await;
        // A large file takes its time, and requests go on meanwhile.
        let arguments = server.arguments.clone();
        let read = tokio::task::spawn_blocking(move || Draft::read(&arguments)).await;
        let draft = match read {
            Ok(Ok(draft)) => draft,
            Ok(Err(Refused::Failure(failure))) => {
                diagnostics::write_failure(&failure.message, failure.help.as_deref());
                keep();
                continue;
            }
            Ok(Err(Refused::Problems(files))) => {
                // The next mistake may be mended in a file that was not part of it before.
                watch.follow(&files);
                keep();
                continue;
            }
            // Its panic has been printed.
            Err(_) => {
                keep();
                continue;
            }
        };
        match draft.start(&server).await {
            Ok(serving) => {
                watch.follow(&serving.files);
                current.send_replace(serving.current);
                say(&format!("{}serving the changed definition\n", serving.routes));
            }
            Err(failure) => {
                diagnostics::write_failure(&failure.message, failure.help.as_deref());
                keep();
            }
        }
    }
}

fn keep() {
    say("the last good definition goes on serving\n");
}
