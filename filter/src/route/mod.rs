//! From host and path to stage, and from method and path to route. One match gives the route *and* everything that guards it.

mod pattern;
mod stage_table;
mod table;

pub use pattern::{InvalidPattern, Pattern};
pub use stage_table::{StageMatch, StageTable};
pub use table::{Conflict, RouteMatch, RouteTable, Verb};
