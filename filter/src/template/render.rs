//! Renders the nodes of a template.

use super::ast::{Block, Expression, Node, Print, Slot};
use super::host::{Fault, Host};
use super::methods::Patterns;
use super::names::{COUNT, FOREACH, HAS_NEXT, Names};
use crate::value::{Exhausted, Heap, Text, Value, java_text};

/// How often one `#foreach` goes round; the items after that are left out (documented).
const LOOP_LIMIT: usize = 1000;

/// How deep a `#define` may be within itself (Velocity's own number).
const DEFINE_LIMIT: usize = 20;

/// Nodes within nodes, over all `#define`s. What was read is not nested deeper than a tenth of it.
const DEPTH_LIMIT: usize = 400;

/// How much text a template may make (documented for payloads).
pub const OUTPUT_LIMIT: usize = 10 * 1024 * 1024;

/// The steps of a node, and of once round a loop.
const NODE: u64 = 2;
const ROUND: u64 = 2;

/// What the names of a template's own objects begin with; no name in a template does.
const LOOP: &str = "#foreach ";
const DEFINED: &str = "#define ";

/// One rendering.
pub struct Renderer<'t, 'h> {
    pub names: &'t Names,
    pub host: &'h dyn Host,
    pub heap: &'h mut Heap,
    /// The variables; none: not set, nobody asked the host for it yet.
    pub slots: Vec<Option<Value>>,
    pub loops: Vec<Loop>,
    defined: Vec<&'t Block>,
    pub patterns: Patterns,
    /// What a reference to nothing is.
    pub empty: Text,
    depth: usize,
    defines: usize,
}

/// A `#foreach` that goes round.
pub struct Loop {
    pub index: usize,
    pub has_next: bool,
}

/// What ends a block before its end.
pub enum Halt {
    /// The rendering fails.
    Fault(Fault),
    /// `#break`: leaves the loop of this level, or the innermost thing that can be left.
    Break(Option<usize>),
    /// `#stop`: leaves everything.
    Stop,
}

/// Renders a template.
pub fn render(nodes: &Block, names: &Names, host: &dyn Host, heap: &mut Heap) -> Result<String, Fault> {
    let slots = vec![None; names.len()];
    let (loops, defined, empty) = (Vec::new(), Vec::new(), Text::default());
    let mut renderer =
        Renderer { names, host, heap, slots, loops, defined, patterns: Patterns::default(), empty, depth: 0, defines: 0 };
    let mut out = String::new();
    match renderer.block(nodes, &mut out) {
        Err(Halt::Fault(fault)) => Err(fault),
        // Outside of everything `#break` is `#stop`.
        Ok(()) | Err(Halt::Break(_) | Halt::Stop) => Ok(out),
    }
}

// === impl Halt ===

impl From<Fault> for Halt {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Exhausted> for Halt {
    fn from(exhausted: Exhausted) -> Self {
        Self::Fault(Fault::Exhausted(exhausted))
    }
}

// === impl Renderer ===

impl<'t> Renderer<'t, '_> {
    /// Renders a block behind what is there already.
    pub fn block(&mut self, nodes: &'t Block, out: &mut String) -> Result<(), Halt> {
        self.enter()?;
        for node in nodes {
            self.heap.spend(NODE)?;
            self.node(node, out)?;
        }
        self.leave();
        Ok(())
    }

    /// Goes one level deeper. Who comes back in good order takes it away again.
    pub fn enter(&mut self) -> Result<(), Halt> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT { Err(Exhausted::Depth.into()) } else { Ok(()) }
    }

    pub fn leave(&mut self) {
        self.depth -= 1;
    }

    fn node(&mut self, node: &'t Node, out: &mut String) -> Result<(), Halt> {
        match node {
            Node::Text(text) => self.write(text, out),
            Node::Print(print) => self.print(print, out),
            Node::Set(target, value) => match self.evaluate(value)? {
                // It is not assigned: the variable keeps what it has.
                Value::Null => Ok(()),
                value => self.assign(target, value),
            },
            Node::If(arms, otherwise) => {
                for (condition, block) in arms {
                    if self.truth(condition)? {
                        return self.block(block, out);
                    }
                }
                self.block(otherwise, out)
            }
            Node::Foreach(slot, items, body) => self.foreach(*slot, items, body, out),
            Node::Define(slot, body) => {
                let name = format!("{DEFINED}{}", self.defined.len());
                self.defined.push(body);
                self.set(*slot, Some(Value::Host(name.into())));
                Ok(())
            }
            Node::Break(None) => Err(Halt::Break(None)),
            Node::Break(Some(scope)) => {
                let scope = self.evaluate(scope)?;
                Err(Halt::Break(loop_level(&scope)))
            }
            Node::Stop => Err(Halt::Stop),
        }
    }

    fn write(&mut self, text: &str, out: &mut String) -> Result<(), Halt> {
        if out.len() + text.len() > OUTPUT_LIMIT {
            return Err(Exhausted::Output.into());
        }
        self.heap.budget.spend_bytes(text.len())?;
        out.push_str(text);
        Ok(())
    }

    fn print(&mut self, print: &'t Print, out: &mut String) -> Result<(), Halt> {
        let value = self.reference(&print.reference)?;
        if let Some(body) = self.defined(&value) {
            if self.defines >= DEFINE_LIMIT {
                return self.write(&print.literal, out);
            }
            return self.render_defined(body, out);
        }
        match value {
            Value::Text(text) => self.write(&text, out),
            // `$foreach` is an empty map, too.
            value if loop_level(&value).is_some() => self.write("{}", out),
            value => {
                let text = java_text(&value, self.heap)?;
                self.write(&text, out)
            }
        }
    }

    /// The block of a `#define` behind a value.
    pub fn defined(&self, value: &Value) -> Option<&'t Block> {
        let Value::Host(name) = value else { return None };
        self.defined.get(name.strip_prefix(DEFINED)?.parse::<usize>().ok()?).copied()
    }

    /// Renders what a `#define` has; `#break` leaves it.
    pub fn render_defined(&mut self, body: &'t Block, out: &mut String) -> Result<(), Halt> {
        let depth = self.depth;
        self.heap.spend(NODE)?;
        self.defines += 1;
        let done = if self.defines > DEFINE_LIMIT { Ok(()) } else { self.block(body, out) };
        self.defines -= 1;
        if let Err(Halt::Break(None)) = done {
            self.depth = depth;
            return Ok(());
        }
        done
    }

    pub fn set(&mut self, slot: Slot, value: Option<Value>) {
        if let Some(place) = self.slots.get_mut(slot) {
            *place = value;
        }
    }

    fn foreach(&mut self, slot: Slot, items: &'t Expression, body: &'t Block, out: &mut String) -> Result<(), Halt> {
        // What is gone through is what is there at the beginning.
        let items: Vec<Value> = match self.evaluate(items)? {
            Value::List(id) => self.heap.list(id).iter().take(LOOP_LIMIT + 1).cloned().collect(),
            Value::Map(id) => self.heap.map(id).iter().take(LOOP_LIMIT + 1).map(|(_, value)| value.clone()).collect(),
            _ => return Ok(()),
        };
        self.heap.spend(8 + items.len() as u64)?;
        let saved = [slot, FOREACH, COUNT, HAS_NEXT].map(|slot| (slot, self.slots.get(slot).cloned().flatten()));
        let (level, depth) = (self.loops.len(), self.depth);
        self.loops.push(Loop { index: 0, has_next: false });
        self.set(FOREACH, Some(loop_value(level)));
        let mut done = Ok(());
        for (index, item) in items.iter().take(LOOP_LIMIT).enumerate() {
            let has_next = index + 1 < items.len();
            self.heap.spend(ROUND)?;
            if let Some(this) = self.loops.last_mut() {
                *this = Loop { index, has_next };
            }
            self.set(COUNT, Some(Value::Integer(i64::try_from(index + 1).unwrap_or(i64::MAX))));
            self.set(HAS_NEXT, Some(Value::Boolean(has_next)));
            self.set(slot, Some(item.clone()));
            done = self.block(body, out);
            if done.is_err() {
                break;
            }
        }
        self.loops.pop();
        for (slot, value) in saved {
            self.set(slot, value);
        }
        match done {
            Err(Halt::Break(wanted)) if wanted.is_none_or(|wanted| wanted >= level) => {
                self.depth = depth;
                Ok(())
            }
            done => done,
        }
    }
}

/// `$foreach`
pub fn loop_value(level: usize) -> Value {
    Value::Host(format!("{LOOP}{level}").into())
}

/// Which loop a `$foreach` is of.
pub fn loop_level(value: &Value) -> Option<usize> {
    let Value::Host(name) = value else { return None };
    name.strip_prefix(LOOP)?.parse().ok()
}
