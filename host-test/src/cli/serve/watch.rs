//! Tells when one of the served files has changed.
//!
//! Folders are watched, not files, because editors replace a file by a new one; and what counts is what the file *is*, not what
//! an event says of it. Where the system has no events to offer (network drives, some containers), the look that is taken once
//! a second anyway is all there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

/// Editors write in steps; the last of them is waited for.
const SETTLE: Duration = Duration::from_millis(80);

/// How often to look when nothing is heard.
const LOOK: Duration = Duration::from_secs(1);

/// A watch on some files.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
    files: Vec<PathBuf>,
    seen: Vec<Stamp>,
}

/// What tells one version of a file from the next without reading it.
type Stamp = Option<(SystemTime, u64)>;

// === impl Watch ===

impl Watch {
    /// Watches these files.
    pub fn new(files: &[PathBuf]) -> Self {
        let (hear, events) = mpsc::channel(1);
        // A full channel already says that something happened.
        let watcher = notify::recommended_watcher(move |_| {
            let _ = hear.try_send(());
        })
        .ok();
        let mut watch = Self { watcher, folders: BTreeSet::new(), events, files: Vec::new(), seen: Vec::new() };
        watch.follow(files);
        watch
    }

    /// Watches these files from now on, as they are now.
    pub fn follow(&mut self, files: &[PathBuf]) {
        self.seen = stamps(files);
        self.files = files.to_vec();
        for folder in files.iter().map(|file| folder(file)) {
            if self.folders.insert(folder.clone())
                && let Some(watcher) = &mut self.watcher
            {
                // A folder that cannot be watched is looked at instead.
                let _ = watcher.watch(&folder, RecursiveMode::NonRecursive);
            }
        }
    }

    /// Waits until a file has changed.
    pub async fn changed(&mut self) {
        loop {
            // Without a watcher the channel is closed, and a closed channel answers at once.
            let heard = async {
                if self.events.recv().await.is_none() {
                    std::future::pending::<()>().await;
                }
            };
            let _ = tokio::time::timeout(LOOK, heard).await;
            if stamps(&self.files) == self.seen {
                continue;
            }
            loop {
                let before = stamps(&self.files);
                tokio::time::sleep(SETTLE).await;
                let after = stamps(&self.files);
                if before == after {
                    self.seen = after;
                    return;
                }
            }
        }
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    files
        .iter()
        .map(|file| {
            let metadata = std::fs::metadata(file).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Folder;

    async fn soon(watch: &mut Watch) -> bool {
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.is_ok()
    }

    #[tokio::test]
    async fn a_file_that_an_editor_replaces_is_heard_of_again_and_again() {
        let folder = Folder::new();
        let file = folder.write("api.yaml", "a");
        let mut watch = Watch::new(std::slice::from_ref(&file));
        for text in ["bb", "ccc"] {
            std::fs::rename(folder.write("api.yaml~", text), &file).unwrap();
            assert!(soon(&mut watch).await, "{text}");
        }
    }

    #[tokio::test]
    async fn without_events_a_change_is_seen_all_the_same() {
        let folder = Folder::new();
        let file = folder.write("api.yaml", "a");
        let mut watch = Watch::new(std::slice::from_ref(&file));
        watch.watcher = None;
        folder.write("api.yaml", "bb");
        assert!(soon(&mut watch).await);
    }

    #[tokio::test]
    async fn another_file_of_the_folder_is_not_ours() {
        let folder = Folder::new();
        let file = folder.write("api.yaml", "a");
        let mut watch = Watch::new(std::slice::from_ref(&file));
        folder.write("other.yaml", "b");
        let heard = tokio::time::timeout(Duration::from_millis(1500), watch.changed()).await;
        assert!(heard.is_err());
    }
}
