//! The floors of `src/lib.rs` hold: a module uses only modules of floors below its own.

#![expect(clippy::unwrap_used, clippy::string_slice, reason = "a test may panic; helpers beside the test count as code")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Reads the drawing in the crate doc, so that the drawing is what is kept.
fn floors(source: &Path) -> BTreeMap<String, u32> {
    let doc = fs::read_to_string(source.join("lib.rs")).unwrap();
    let mut floors = BTreeMap::new();
    for line in doc.lines().filter_map(|line| line.strip_prefix("//! ")) {
        let mut words = line.split_whitespace();
        if let Some(Ok(floor)) = words.next().map(str::parse) {
            floors.extend(words.map(|module| (module.to_owned(), floor)));
        }
    }
    floors
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_file_uses_only_floors_below_its_own() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors = floors(&source);
    let mut found = Vec::new();
    files(&source, &mut found);
    let (mut uses, mut breaches) = (0, Vec::new());
    for file in found {
        let relative = file.strip_prefix(&source).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs").to_owned();
        if module == "lib" {
            continue;
        }
        let own = *floors.get(&module).unwrap_or_else(|| panic!("`{module}` stands on no floor of the crate doc"));
        let text = fs::read_to_string(&file).unwrap();
        for (start, _) in text.match_indices("crate::") {
            let used: String = text[start + 7..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(floor) = floors.get(&used).filter(|_| used != module) else { continue };
            uses += 1;
            if *floor >= own {
                breaches.push(format!("{}: `{used}` (floor {floor}) from floor {own}", relative.display()));
            }
        }
    }
    assert!(uses > 50, "only {uses} uses were found: the test does not look where the code is");
    assert!(breaches.is_empty(), "{breaches:#?}");
}
