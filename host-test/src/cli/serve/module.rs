//! Where `tollgate.wasm` is.

use std::path::{Path, PathBuf};

use tollgate_host::FilterModule;

use crate::cli::Failure;

/// The variable that names it.
const VARIABLE: &str = "TOLLGATE_MODULE";

/// Finds and compiles the module; compiled code is kept for the next start.
pub fn load(named: Option<&Path>) -> Result<FilterModule, Failure> {
    let path = locate(named)?;
    let loaded = match cache() {
        Some(cache) => FilterModule::from_file_cached(&path, cache).or_else(|_| FilterModule::from_file(&path)),
        None => FilterModule::from_file(&path),
    };
    loaded.map_err(|error| {
        Failure::new(format!("`{}` cannot be run: {error}", path.display())).help("build it again with `make build`")
    })
}

/// Where it is.
pub fn locate(named: Option<&Path>) -> Result<PathBuf, Failure> {
    find(named, std::env::var_os(VARIABLE).map(PathBuf::from), std::env::current_exe().ok().as_deref())
}

/// What the user named, or the first place at which one is.
fn find(named: Option<&Path>, variable: Option<PathBuf>, command: Option<&Path>) -> Result<PathBuf, Failure> {
    let missing = |path: &Path, said: &str| {
        Failure::usage(format!("there is no module at `{}`, which {said} names", path.display())).help("build it with `make build`")
    };
    if let Some(path) = named {
        return if path.is_file() { Ok(path.to_owned()) } else { Err(missing(path, "`--module`")) };
    }
    if let Some(path) = variable.filter(|path| !path.as_os_str().is_empty()) {
        return if path.is_file() { Ok(path) } else { Err(missing(&path, VARIABLE)) };
    }
    let folder = command.and_then(Path::parent).unwrap_or(Path::new("."));
    let places = [folder.join("tollgate.wasm"), folder.join("../wasm32-wasip1/wasm/tollgate.wasm")];
    places.iter().find(|place| place.is_file()).cloned().ok_or_else(|| {
        Failure::new(format!("there is no `tollgate.wasm` beside the command, in `{}`", folder.display()))
            .help(format!("build it with `make build`, or name it with `--module` or the variable {VARIABLE}"))
    })
}

/// The user's own cache, by the XDG rules.
fn cache() -> Option<PathBuf> {
    let absolute = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_CACHE_HOME").or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
    Some(base.join("tollgate"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::testing::Folder;

    #[test]
    fn the_argument_wins_over_the_variable_and_the_variable_over_what_lies_beside() {
        let folder = Folder::new();
        let [argument, variable, beside] = ["a.wasm", "v.wasm", "bin/tollgate.wasm"].map(|name| folder.write(name, ""));
        let command = folder.path("bin/tollgate");
        let found = |named: Option<&Path>, set: Option<&PathBuf>| find(named, set.cloned(), Some(&command)).unwrap();
        assert_eq!(found(Some(&argument), Some(&variable)), argument);
        assert_eq!(found(None, Some(&variable)), variable);
        assert_eq!(found(None, None), beside);
    }

    #[test]
    fn the_module_of_a_cargo_build_is_found() {
        let folder = Folder::new();
        folder.write("target/debug/tollgate", "");
        folder.write("target/wasm32-wasip1/wasm/tollgate.wasm", "");
        let found = find(None, None, Some(&folder.path("target/debug/tollgate"))).unwrap();
        assert!(found.ends_with("wasm32-wasip1/wasm/tollgate.wasm"), "{}", found.display());
    }

    #[test]
    fn a_missing_module_is_told_with_the_way_to_build_it() {
        let folder = Folder::new();
        let failure = find(None, None, Some(&folder.path("tollgate"))).unwrap_err();
        assert!(failure.help.unwrap().contains("make build"));
        let failure = find(Some(&folder.path("x.wasm")), None, None).unwrap_err();
        assert!(failure.message.contains("`--module`"), "{}", failure.message);
    }
}
