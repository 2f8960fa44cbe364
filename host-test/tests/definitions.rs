//! Definitions that people really deploy, as `tollgate lint` sees them: what it says about each is a snapshot under
//! `tests/snapshots/`, reviewed by whoever changes it. `UPDATE=1 cargo test --test definitions` writes them anew.

#[path = "drivers/beside.rs"]
mod beside;

use std::path::{Path, PathBuf};
use std::process::Command;

use beside::beside;

#[test]
fn what_lint_says_about_every_definition_is_as_reviewed() {
    let Some(definitions) = beside("definitions") else { return };
    let snapshots = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut known = Vec::new();
    for file in files(&definitions) {
        let relative = file.strip_prefix(&definitions).expect("it is below");
        let name = format!("{}.txt", relative.display().to_string().replace('/', "__"));
        let said = lint(&definitions, relative);
        let snapshot = snapshots.join(&name);
        known.push(name);
        if update {
            std::fs::create_dir_all(&snapshots).expect("the folder of snapshots can be made");
            std::fs::write(&snapshot, &said).expect("a snapshot can be written");
        } else if std::fs::read_to_string(&snapshot).unwrap_or_default() != said {
            wrong.push(format!("{}:\n{said}", snapshot.display()));
        }
    }
    assert!(!known.is_empty(), "there is no definition under {}", definitions.display());
    for entry in std::fs::read_dir(&snapshots).expect("the snapshots are there") {
        let name = entry.expect("a folder can be read").file_name().into_string().expect("names are UTF-8");
        if !known.contains(&name) {
            wrong.push(format!("{name} is the snapshot of no definition"));
        }
    }
    assert!(wrong.is_empty(), "lint says something else (UPDATE=1 takes it over):\n{}", wrong.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let (mut files, mut folders) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder can be read") {
            let path = entry.expect("a folder can be read").path();
            match path.extension().and_then(|e| e.to_str()) {
                _ if path.is_dir() => folders.push(path),
                Some("json" | "yaml" | "yml") => files.push(path),
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Exit code and words of `tollgate lint`, run where the paths that it prints are short.
fn lint(folder: &Path, file: &Path) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_tollgate"))
        .arg("lint")
        .arg(file)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .expect("the command can be run");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("exit {}\n{}{}", output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
