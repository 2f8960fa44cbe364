//! Tells when one of the served files has changed.
//!
//! Folders are watched, not files, because editors replace a file by a new one; and what counts is what the file *is*, not what
//! an event says of it. Where the system has no events to offer (network drives, some containers), the look that is taken once
//! a second anyway is all there is.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use crate::cli::source::Version;

/// Editors write in steps; the last of them is waited for.
const SETTLE: Duration = Duration::from_millis(80);

/// How often to look when nothing is heard.
const LOOK: Duration = Duration::from_secs(1);

/// A watch on some files.
pub struct Watch {
    watcher: Option<RecommendedWatcher>,
    folders: BTreeSet<PathBuf>,
    events: mpsc::Receiver<()>,
    seen: Vec<Version>,
}

// === impl Watch ===

impl Watch {
    /// Watches these files for what differs from these versions of them.
    pub fn new(files: &[Version]) -> Self {
        let (hear, events) = mpsc::channel(1);
        // A full channel already says that something happened.
        let watcher = notify::recommended_watcher(move |_| {
            let _ = hear.try_send(());
        })
        .ok();
        let mut watch = Self { watcher, folders: BTreeSet::new(), events, seen: Vec::new() };
        watch.follow(files);
        watch
    }

    /// Watches these files from now on.
    pub fn follow(&mut self, files: &[Version]) {
        self.seen = files.to_vec();
        for folder in files.iter().map(|file| folder(&file.path)) {
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
            if self.look() == self.seen {
                continue;
            }
            loop {
                let before = self.look();
                tokio::time::sleep(SETTLE).await;
                let after = self.look();
                if before == after {
                    self.seen = after;
                    return;
                }
            }
        }
    }

    fn look(&self) -> Vec<Version> {
        self.seen.iter().map(Version::again).collect()
    }
}

fn folder(file: &Path) -> PathBuf {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
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
        let mut watch = Watch::new(&[Version::now(file.clone())]);
        for text in ["bb", "ccc"] {
            std::fs::rename(folder.write("api.yaml~", text), &file).unwrap();
            assert!(soon(&mut watch).await, "{text}");
        }
    }

    #[tokio::test]
    async fn a_change_between_the_reading_and_the_watching_is_not_missed() {
        let folder = Folder::new();
        let read = Version::now(folder.write("api.yaml", "a"));
        folder.write("api.yaml", "bb");
        assert!(soon(&mut Watch::new(&[read])).await);
    }

    #[tokio::test]
    async fn without_events_a_change_is_seen_all_the_same() {
        let folder = Folder::new();
        let file = folder.write("api.yaml", "a");
        let mut watch = Watch::new(&[Version::now(file.clone())]);
        watch.watcher = None;
        folder.write("api.yaml", "bb");
        assert!(soon(&mut watch).await);
    }

    #[tokio::test]
    async fn another_file_of_the_folder_is_not_ours() {
        let folder = Folder::new();
        let file = folder.write("api.yaml", "a");
        let mut watch = Watch::new(&[Version::now(file.clone())]);
        folder.write("other.yaml", "b");
        let heard = tokio::time::timeout(Duration::from_millis(1500), watch.changed()).await;
        assert!(heard.is_err());
    }
}
