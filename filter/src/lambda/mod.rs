//! Lambda's Invoke API, which authorizers and integrations call functions by. AWS: "Invoke" of the Lambda API reference.

mod function;
mod invocation;

pub use function::Function;
pub use invocation::{EVENT_LIMIT, FUNCTION_ERROR, Invoked};
