//! What stands beside the repository and is not part of it: recorded answers of API Gateway, definitions of other people.

use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folder of that name in `../shared`. Without it a test does not run, and says so past the test harness, which swallows what
/// a passing test prints; in CI that is a failure.
pub fn beside(name: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a member of the workspace");
    let folder = workspace.join("../shared").join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("NOT RUN: there is no folder {}, which is not part of the repository\n", folder.display());
    assert!(std::env::var_os("CI").is_none(), "{message}");
    std::io::stdout().lock().write_all(message.as_bytes()).expect("there is a standard output");
    None
}
