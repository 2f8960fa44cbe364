//! A compiled wasm module that has been found to be a proxy-wasm filter this host can run.

use crate::abi;
use crate::state::HostState;
use sha2::{Digest, Sha256};
use std::fmt;
use std::path::{Path, PathBuf};
use wasmtime::{Cache, CacheConfig, Config, Engine, InstancePre, Linker, Module, UnknownImportError};

/// A compiled filter. Cheap to clone; many VMs run from one.
#[derive(Clone)]
pub struct FilterModule {
    pub(crate) instance: InstancePre<HostState>,
    sha256: String,
}

/// Why a file is no filter that this host can run.
#[derive(Debug)]
pub enum ModuleError {
    /// The file cannot be read.
    Read(PathBuf, std::io::Error),
    /// wasmtime refuses it: no wasm, or a feature that is off.
    Compile(String),
    /// The module imports what neither the ABI nor Envoy's part of WASI has.
    UnknownImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// An import exists, but with another type.
    ImportType(String),
    /// An export is missing without which no filter works.
    MissingExport(&'static str),
    /// The module speaks another version of the ABI.
    AbiVersion(String),
}

// === impl FilterModule ===

impl FilterModule {
    /// Reads and compiles a module.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, ModuleError> {
        Self::read(path.as_ref(), None)
    }

    /// As [`from_file`](Self::from_file); the compiled code is kept in, and found again in,
    /// `cache`. A relative directory is taken from where the process stands.
    pub fn from_file_cached(path: impl AsRef<Path>, cache: impl AsRef<Path>) -> Result<Self, ModuleError> {
        Self::read(path.as_ref(), Some(cache.as_ref()))
    }

    /// Compiles a module from its binary format.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ModuleError> {
        Self::compile(bytes, None)
    }

    fn read(path: &Path, cache: Option<&Path>) -> Result<Self, ModuleError> {
        let bytes = std::fs::read(path).map_err(|error| ModuleError::Read(path.to_owned(), error))?;
        Self::compile(&bytes, cache)
    }

    fn compile(bytes: &[u8], cache: Option<&Path>) -> Result<Self, ModuleError> {
        let failed = |error: wasmtime::Error| ModuleError::Compile(format!("{error:#}"));
        let mut config = Config::new();
        config.consume_fuel(true);
        if let Some(directory) = cache {
            let absolute = std::path::absolute(directory).map_err(|error| ModuleError::Read(directory.to_owned(), error))?;
            let mut cache = CacheConfig::new();
            cache.with_directory(absolute);
            config.cache(Some(Cache::new(cache).map_err(failed)?));
        }
        let engine = Engine::new(&config).map_err(failed)?;
        let module = Module::new(&engine, bytes).map_err(failed)?;
        let mut linker = Linker::new(&engine);
        abi::link(&mut linker).map_err(failed)?;
        check_exports(&module)?;
        let instance = linker.instantiate_pre(&module).map_err(|error| match error.downcast_ref::<UnknownImportError>() {
            Some(unknown) => ModuleError::UnknownImport { module: unknown.module().to_owned(), name: unknown.name().to_owned() },
            None => ModuleError::ImportType(format!("{error:#}")),
        })?;
        let digest = Sha256::digest(bytes);
        let sha256 = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { instance, sha256 })
    }

    /// The SHA-256 of the module's bytes, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }
}

impl fmt::Debug for FilterModule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilterModule").field("sha256", &self.sha256).finish()
    }
}

fn check_exports(module: &Module) -> Result<(), ModuleError> {
    let has = |name: &str| module.get_export(name).is_some();
    let version = module.exports().map(|export| export.name().to_owned()).find(|name| name.starts_with("proxy_abi_version_"));
    match version.as_deref() {
        Some("proxy_abi_version_0_2_1" | "proxy_abi_version_0_2_0") => {}
        Some(other) => return Err(ModuleError::AbiVersion(other.to_owned())),
        None => return Err(ModuleError::MissingExport("proxy_abi_version_0_2_1")),
    }
    if !has("memory") {
        return Err(ModuleError::MissingExport("memory"));
    }
    if !has("proxy_on_memory_allocate") && !has("malloc") {
        return Err(ModuleError::MissingExport("proxy_on_memory_allocate"));
    }
    Ok(())
}

// === impl ModuleError ===

impl fmt::Display for ModuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Read(path, error) => write!(f, "`{}`: {error}", path.display()),
            Self::Compile(error) => write!(f, "the module does not compile: {error}"),
            Self::UnknownImport { module, name } => {
                write!(f, "the module imports `{module}.{name}`, which Envoy 1.40 does not offer")
            }
            Self::ImportType(error) => write!(f, "an import has another type: {error}"),
            Self::MissingExport(name) => write!(f, "the module does not export `{name}`"),
            Self::AbiVersion(version) => {
                write!(f, "the module speaks `{version}`; this host speaks 0.2.0 and 0.2.1")
            }
        }
    }
}

impl std::error::Error for ModuleError {}
