//! The names of a template's variables, each with a place of its own, so that rendering looks nothing up.

use super::ast::Slot;

/// `$foreach`
pub const FOREACH: Slot = 0;
/// `$velocityCount`
pub const COUNT: Slot = 1;
/// `$velocityHasNext`
pub const HAS_NEXT: Slot = 2;

/// Names, and their order.
#[derive(Debug, PartialEq)]
pub struct Names {
    names: Vec<Box<str>>,
    sorted: Vec<u32>,
}

// === impl Names ===

impl Names {
    pub fn new() -> Self {
        let mut names = Self { names: Vec::new(), sorted: Vec::new() };
        for name in ["foreach", "velocityCount", "velocityHasNext"] {
            names.slot(name);
        }
        names
    }

    /// The place of a name, new or known.
    pub fn slot(&mut self, name: &str) -> Slot {
        let known = |slot: &u32| self.names.get(*slot as usize).map(|known| &**known).unwrap_or_default();
        match self.sorted.binary_search_by(|slot| known(slot).cmp(name)) {
            Ok(place) => self.sorted.get(place).map_or(0, |slot| *slot as usize),
            Err(place) => {
                let slot = self.names.len();
                self.sorted.insert(place, u32::try_from(slot).unwrap_or(u32::MAX));
                self.names.push(name.into());
                slot
            }
        }
    }

    /// Whether a name is among them.
    pub fn contains(&self, name: &str) -> bool {
        self.names.iter().any(|known| &**known == name)
    }

    /// The name at a place.
    pub fn name(&self, slot: Slot) -> &str {
        self.names.get(slot).map(|name| &**name).unwrap_or_default()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.names.len()
    }
}
