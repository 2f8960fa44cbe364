//! A module, as far as Envoy looks at it before it runs it: what it imports, what it exports, how much there is to compile.

use std::path::Path;

use wasmparser::{Parser, Payload};

use crate::cli::Failure;
use crate::cli::source::read_bytes;

/// A module.
pub struct Module {
    /// The file.
    pub name: String,
    /// Its size in bytes.
    pub size: usize,
    /// What it asks of its host: module and name.
    pub imports: Vec<(String, String)>,
    /// What it offers.
    pub exports: Vec<String>,
    /// Why it is none.
    pub trouble: Option<String>,
}

/// The functions of proxy-wasm 0.2.1, which every Envoy since 1.20 has.
const PROXY: [&str; 39] = [
    "add_header_map_value",
    "call_foreign_function",
    "close_stream",
    "continue_stream",
    "define_metric",
    "dequeue_shared_queue",
    "done",
    "enqueue_shared_queue",
    "get_buffer_bytes",
    "get_buffer_status",
    "get_current_time_nanoseconds",
    "get_header_map_pairs",
    "get_header_map_size",
    "get_header_map_value",
    "get_log_level",
    "get_metric",
    "get_property",
    "get_shared_data",
    "get_status",
    "grpc_call",
    "grpc_cancel",
    "grpc_close",
    "grpc_send",
    "grpc_stream",
    "http_call",
    "increment_metric",
    "log",
    "record_metric",
    "register_shared_queue",
    "remove_header_map_value",
    "replace_header_map_value",
    "resolve_shared_queue",
    "send_local_response",
    "set_buffer_bytes",
    "set_effective_context",
    "set_header_map_pairs",
    "set_property",
    "set_shared_data",
    "set_tick_period_milliseconds",
];

/// The part of WASI that every Envoy has.
const WASI: [&str; 12] = [
    "fd_write",
    "fd_read",
    "fd_seek",
    "fd_close",
    "fd_fdstat_get",
    "environ_get",
    "environ_sizes_get",
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "random_get",
    "proc_exit",
];

/// And what came with Envoy 1.36.
const WASI_SINCE_1_36: [&str; 3] = ["fd_fdstat_set_flags", "sched_yield", "poll_oneoff"];

/// Since which minor version of Envoy 1 an import is there; none for one that no Envoy has.
pub fn since(module: &str, name: &str) -> Option<u64> {
    match module {
        "env" => name.strip_prefix("proxy_").filter(|name| PROXY.contains(name)).map(|_| 0),
        "wasi_snapshot_preview1" | "wasi_unstable" if WASI.contains(&name) => Some(0),
        "wasi_snapshot_preview1" | "wasi_unstable" if WASI_SINCE_1_36.contains(&name) => Some(36),
        _ => None,
    }
}

// === impl Module ===

impl Module {
    /// Reads a file.
    pub fn load(path: &Path) -> Result<Self, Failure> {
        let (name, bytes) = read_bytes(path, "name the module, `tollgate.wasm`")?;
        let mut module = Self { name, size: bytes.len(), imports: Vec::new(), exports: Vec::new(), trouble: None };
        if let Err(error) = module.parse(&bytes) {
            module.trouble = Some(error.to_string());
        }
        Ok(module)
    }

    fn parse(&mut self, bytes: &[u8]) -> wasmparser::Result<()> {
        for payload in Parser::new(0).parse_all(bytes) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        self.imports.push((import.module.to_owned(), import.name.to_owned()));
                    }
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        self.exports.push(export?.name.to_owned());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
