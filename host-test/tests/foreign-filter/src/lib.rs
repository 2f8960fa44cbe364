//! A filter that knows nothing of Tollgate, written as the SDK's examples are, with the getters
//! that return `String`. It does what a request's `x-plan` header says, so that one module serves
//! every test of the host, and says what it saw in the log. The same module runs in Envoy.

#[cfg(target_os = "wasi")]
mod plan;
#[cfg(target_os = "wasi")]
mod probe;
