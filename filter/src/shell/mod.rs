//! The only code that names proxy_wasm: callbacks become events, effects become host calls. It decides nothing.

mod allocator;
mod callout;
mod header_map;
mod local_reply;
mod monotonic;
mod port;
mod root;
mod signature;
mod stream;
mod telemetry;
#[cfg(feature = "trap")]
mod trap;

use proxy_wasm::traits::RootContext;
use proxy_wasm::types::LogLevel;

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Info);
    proxy_wasm::set_root_context(|_| -> Box<dyn RootContext> { Box::new(root::Root::default()) });
}}
