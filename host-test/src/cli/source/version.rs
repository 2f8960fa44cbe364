//! Which version of a file was read: a change is a change from that, however soon after it comes.

use std::path::PathBuf;
use std::time::SystemTime;

/// A file as it was at some moment; two versions are told apart without reading either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// The file.
    pub path: PathBuf,
    /// None: it was not there.
    stamp: Option<(SystemTime, u64)>,
}

// === impl Version ===

impl Version {
    /// The file as it is now.
    pub fn now(path: PathBuf) -> Self {
        let metadata = std::fs::metadata(&path).ok();
        let stamp = metadata.and_then(|metadata| Some((metadata.modified().ok()?, metadata.len())));
        Self { path, stamp }
    }

    /// The same file as it is now.
    pub fn again(&self) -> Self {
        Self::now(self.path.clone())
    }
}
