//! What no filter in Envoy's Wasm extension can be faster than: modules that decide nothing, written by hand, so that nothing of
//! an SDK is measured.

use std::path::PathBuf;

use crate::drivers::envoy::workspace;

/// What a module that does nothing goes through all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Floor {
    /// It has no callbacks.
    Loaded,
    /// Envoy calls it when a request begins, with its head, with that of the response, and when all is over.
    Called,
    /// It asks for both heads.
    Reads,
    /// It asks for both heads, and writes both.
    Writes,
    /// And it looks at the clock and records twice with both, as what is measured must.
    Measures,
    /// It makes one host call again and again.
    Repeats(Call),
}

/// A host call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Clock,
    Record,
    Header,
    Headers,
    ReplaceHeader,
    SetHeaders,
    Property,
    SharedData,
    SetSharedData,
}

/// How often it is made.
pub const REPEATS: u32 = 100;

// === impl Call ===

impl Call {
    /// All that a request may need.
    pub const ALL: [Self; 9] = [
        Self::Clock,
        Self::Record,
        Self::Header,
        Self::Headers,
        Self::ReplaceHeader,
        Self::SetHeaders,
        Self::Property,
        Self::SharedData,
        Self::SetSharedData,
    ];

    /// What proxy-wasm calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Clock => "get_current_time",
            Self::Record => "record_metric",
            Self::Header => "get_header_map_value",
            Self::Headers => "get_header_map_pairs",
            Self::ReplaceHeader => "replace_header_map_value",
            Self::SetHeaders => "set_header_map_pairs",
            Self::Property => "get_property",
            Self::SharedData => "get_shared_data",
            Self::SetSharedData => "set_shared_data",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Clock => "(call $now (i32.const 16))",
            Self::Record => "(call $record (global.get $metric) (i64.const 7))",
            Self::Header => "(call $one (i32.const 0) (i32.const 80) (i32.const 5) (i32.const 0) (i32.const 4))",
            Self::Headers => "(call $get (i32.const 0) (i32.const 0) (i32.const 4))",
            Self::ReplaceHeader => "(call $replace (i32.const 0) (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 5))",
            Self::SetHeaders => "(call $set (i32.const 0) (i32.load (i32.const 0)) (i32.load (i32.const 4)))",
            Self::Property => "(call $property (i32.const 96) (i32.const 14) (i32.const 0) (i32.const 4))",
            Self::SharedData => "(call $shared (i32.const 64) (i32.const 5) (i32.const 0) (i32.const 4) (i32.const 8))",
            Self::SetSharedData => "(call $share (i32.const 64) (i32.const 5) (i32.const 64) (i32.const 32) (i32.const 0))",
        }
    }
}

// === impl Floor ===

impl Floor {
    /// As a file that Envoy loads.
    pub fn module(self) -> PathBuf {
        let name: String = format!("{self:?}").to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
        let file = workspace().join("target/bench").join(format!("floor-{name}.wasm"));
        let bytes = wat::parse_str(self.text()).expect("it is a module");
        std::fs::create_dir_all(file.parent().expect("it has a folder")).expect("target/ can be written");
        std::fs::write(&file, bytes).expect("target/ can be written");
        file
    }

    fn text(self) -> String {
        let callbacks = if self == Self::Loaded { "" } else { CALLBACKS };
        let head = match self {
            Self::Loaded | Self::Called => String::new(),
            Self::Reads => "(call $read (local.get $map))".to_owned(),
            Self::Writes => "(call $read (local.get $map)) (call $write (local.get $map))".to_owned(),
            Self::Measures => "(call $read (local.get $map)) (call $write (local.get $map)) (call $measure)".to_owned(),
            Self::Repeats(call) => {
                let calls = format!("(drop {})", call.text()).repeat(REPEATS as usize);
                // Headers that are written have to be read first, and data that is read has to be there.
                let first = match call {
                    Call::SetHeaders => "(call $read (i32.const 0))".to_owned(),
                    Call::SharedData => format!("(drop {})", Call::SetSharedData.text()),
                    _ => String::new(),
                };
                format!("(if (i32.eqz (local.get $map)) (then {first} {calls}))")
            }
        };
        MODULE.replace("CALLBACKS", &callbacks.replace("HEAD", &head))
    }
}

/// Memory is given out from one place again and again: one head at a time is read and written.
const MODULE: &str = r#"(module
  (import "env" "proxy_get_header_map_pairs" (func $get (param i32 i32 i32) (result i32)))
  (import "env" "proxy_set_header_map_pairs" (func $set (param i32 i32 i32) (result i32)))
  (import "env" "proxy_get_current_time_nanoseconds" (func $now (param i32) (result i32)))
  (import "env" "proxy_define_metric" (func $define (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_record_metric" (func $record (param i32 i64) (result i32)))
  (import "env" "proxy_get_header_map_value" (func $one (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_replace_header_map_value" (func $replace (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_property" (func $property (param i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_get_shared_data" (func $shared (param i32 i32 i32 i32 i32) (result i32)))
  (import "env" "proxy_set_shared_data" (func $share (param i32 i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 16)
  (data (i32.const 64) "floor")
  (data (i32.const 80) ":path")
  (data (i32.const 96) "source\00address")
  (global $metric (mut i32) (i32.const 0))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 4096))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32) (i32.const 1))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $define (i32.const 2) (i32.const 64) (i32.const 5) (i32.const 32)))
    (global.set $metric (i32.load (i32.const 32)))
    (i32.const 1))
  (func $read (param $map i32) (drop (call $get (local.get $map) (i32.const 0) (i32.const 4))))
  (func $write (param $map i32)
    (drop (call $set (local.get $map) (i32.load (i32.const 0)) (i32.load (i32.const 4)))))
  (func $measure
    (drop (call $now (i32.const 16)))
    (drop (call $record (global.get $metric) (i64.const 7)))
    (drop (call $record (global.get $metric) (i64.const 8))))
  CALLBACKS)"#;

const CALLBACKS: &str = r#"
  (func (export "proxy_on_context_create") (param i32 i32))
  (func $head (param $map i32) HEAD)
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (call $head (i32.const 0)) (i32.const 0))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32) (call $head (i32.const 2)) (i32.const 0))
  (func (export "proxy_on_log") (param i32))"#;
