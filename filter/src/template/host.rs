//! What a template asks of whoever renders it: `$input`, `$context`, `$util`, `$stageVariables` are the host's, everything else is
//! Velocity.

use crate::value::{Exhausted, Heap, Value};

/// Why a rendering ended without a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It took too much.
    Exhausted(Exhausted),
    /// The body cannot be read as what the template takes it for; a message for the client.
    Body(String),
    /// The body is no text (UTF-8), which a template cannot look at.
    NotText,
    /// A method was called with what it cannot take, or with a pattern that is not served; a message for the log.
    Method(String),
}

/// The objects of a rendering. An object is named by a text that the host chose, and travels as [`Value::Host`]; names that begin
/// with `#` are the template's own.
pub trait Host {
    /// `$input`, `$context`: the object that a template finds under a name nobody has set; `null` when there is none.
    fn root(&self, name: &str, heap: &mut Heap) -> Value;

    /// `$input.body`, `$context.identity`; `null` when there is none.
    fn property(&self, object: &str, name: &str, heap: &mut Heap) -> Result<Value, Fault>;

    /// `$input.json('$.a')`; `null` when there is no such method.
    fn call(&self, object: &str, method: &str, arguments: &[Value], heap: &mut Heap) -> Result<Value, Fault>;
}

// === impl Fault ===

impl From<Exhausted> for Fault {
    fn from(exhausted: Exhausted) -> Self {
        Self::Exhausted(exhausted)
    }
}
