//! What stands beside the repository and is not part of it: recorded answers, public test vectors.

use std::path::PathBuf;

/// The folder of that name in `../shared`. Without it a test does not run, and says so; in CI that is a failure.
pub fn beside(name: &str) -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared")).join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("NOT RUN: there is no folder {}, which is not part of the repository", folder.display());
    assert!(std::env::var_os("CI").is_none(), "{message}");
    println!("{message}");
    None
}
