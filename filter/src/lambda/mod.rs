//! Lambda's Invoke API, which authorizers and integrations call functions by. AWS: "Invoke" of the Lambda API reference.

mod function;

pub use function::Function;
