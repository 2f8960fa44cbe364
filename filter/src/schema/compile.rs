//! Definition to schema: every mistake is told with its place. Sub-schemas wait in a line instead of calling each other, so that
//! no definition is too deep.

use super::canonical::canonical;
use super::format::Format;
use super::number::Decimal;
use super::pattern::Pattern;
use super::reference::{Place, References};
use super::{Bound, Dependency, Id, Keyword, Measured, Number, Rules, Schema, Types};
use crate::definition::Node;
use crate::problem::Problems;
use crate::value::{Budget, Heap, parse};
use serde_json::Value;
use std::rc::Rc;

/// A compilation.
pub struct Compiler<'a, 'b> {
    references: References<'a>,
    /// The sub-schemas that are known, in the order of their addresses in memory.
    known: Vec<(*const Value, Id)>,
    /// Those that nobody has compiled yet, by their place.
    open: Vec<(Id, Place<'a>)>,
    rules: Vec<Rules>,
    problems: &'b mut Problems,
}

/// A sub-schema while it is read.
struct Reader<'a> {
    node: Node<'a>,
    /// What is in it is relative to this.
    base: Rc<str>,
}

/// One keyword: its name, and how it is read. In the order of the names, which is that of the findings.
type Read<'a, 'b> = fn(&mut Compiler<'a, 'b>, &Reader<'a>, &Node<'a>, &mut Rules) -> Option<Keyword>;

/// Keywords of later drafts and of OpenAPI that ask something of a value: an import drops them (recorded for unknown keywords:
/// `test_apigateway_import`), and so does this, with a word. assumed(later-keywords): that those that API Gateway might know are
/// unknown to it.
const DROPPED: [(&str, &str); 14] = [
    ("nullable", "say `oneOf: [{type: \"null\"}, …]`"),
    ("const", "say `enum` with one value"),
    ("contains", LATER),
    ("propertyNames", LATER),
    ("if", LATER),
    ("then", LATER),
    ("else", LATER),
    ("prefixItems", "say `items` with a list"),
    ("dependentRequired", "say `dependencies`"),
    ("dependentSchemas", "say `dependencies`"),
    ("unevaluatedItems", LATER),
    ("unevaluatedProperties", LATER),
    ("minContains", LATER),
    ("maxContains", LATER),
];

const LATER: &str = "models are draft 4 of JSON Schema, which does not have it";

// === impl Compiler ===

impl<'a, 'b> Compiler<'a, 'b> {
    /// Compiles a schema of a document; none when it is not there, or is no schema, which is told.
    pub fn compile(root: &Node<'a>, schema: &Node<'a>, problems: &'b mut Problems) -> Option<Schema> {
        let references = References::read(root, schema);
        let mut compiler = Self { references, known: Vec::new(), open: Vec::new(), rules: Vec::new(), problems };
        let root = compiler.reserve(Place { node: schema.clone(), base: "".into() })?;
        while let Some((id, place)) = compiler.open.pop() {
            let rules = compiler.read(place);
            if let Some(reserved) = compiler.rules.get_mut(id) {
                *reserved = rules;
            }
        }
        Some(Schema { rules: compiler.rules, root })
    }

    /// The place of a sub-schema.
    fn reserve(&mut self, place: Place<'a>) -> Option<Id> {
        let place = self.references.follow(place, self.problems)?;
        let address: *const Value = place.node.value;
        match self.known.binary_search_by_key(&address, |(known, _)| *known) {
            Ok(at) => self.known.get(at).map(|(_, id)| *id),
            Err(at) => {
                let id = self.rules.len();
                self.known.insert(at, (address, id));
                self.rules.push(Rules::default());
                self.open.push((id, place));
                Some(id)
            }
        }
    }

    fn read(&mut self, place: Place<'a>) -> Rules {
        let reader = Reader { base: place.inner_base(), node: place.node };
        let mut rules = Rules::default();
        // Anything but an object is told, and asks nothing.
        reader.node.members(self.problems);
        for (name, help) in DROPPED {
            if let Some(node) = reader.node.get(name).filter(|node| node.value != &Value::Bool(false)) {
                self.problems.warning(&node.path, format!("`{name}` has no effect"), Some(help));
            }
        }
        // Whether or not there is a limit beside it.
        for name in ["exclusiveMinimum", "exclusiveMaximum"] {
            if let Some(node) = reader.node.get(name).filter(|node| node.value.is_number()) {
                let help = Some("in draft 4 it is `true` beside the limit");
                self.problems.warning(&node.path, format!("`{name}` has no effect: it is a number"), help);
            }
        }
        let keywords: [(&str, Read<'a, 'b>); 23] = [
            ("additionalItems", Self::additional_items),
            ("additionalProperties", Self::additional_properties),
            ("allOf", |c, r, n, _| c.schemas(r, n).map(Keyword::AllOf)),
            ("anyOf", |c, r, n, _| c.schemas(r, n).map(Keyword::AnyOf)),
            ("dependencies", Self::dependencies),
            ("enum", |c, _, n, _| c.enumeration(n)),
            ("items", Self::items),
            ("maxItems", |c, _, n, _| c.size(n, Measured::Items, Bound::Maximum)),
            ("maxLength", |c, _, n, _| c.size(n, Measured::Length, Bound::Maximum)),
            ("maxProperties", |c, _, n, _| c.size(n, Measured::Properties, Bound::Maximum)),
            ("maximum", |c, r, n, _| c.range(r, n, Bound::Maximum)),
            ("minItems", |c, _, n, _| c.size(n, Measured::Items, Bound::Minimum)),
            ("minLength", |c, _, n, _| c.size(n, Measured::Length, Bound::Minimum)),
            ("minProperties", |c, _, n, _| c.size(n, Measured::Properties, Bound::Minimum)),
            ("minimum", |c, r, n, _| c.range(r, n, Bound::Minimum)),
            ("multipleOf", |c, _, n, _| c.multiple_of(n)),
            ("not", |c, r, n, _| c.schema(r, n).map(Keyword::Not)),
            ("oneOf", |c, r, n, _| c.schemas(r, n).map(Keyword::OneOf)),
            ("pattern", |c, _, n, _| Pattern::compile(n.string(c.problems)?, n, c.problems).map(Keyword::Pattern)),
            ("required", |c, _, n, _| c.required(n)),
            ("type", |c, _, n, _| c.types(n)),
            ("uniqueItems", |c, _, n, _| n.boolean(c.problems).filter(|unique| *unique).map(|_| Keyword::UniqueItems)),
            // Its validator looks at it last.
            ("format", |c, _, n, _| Format::named(n.string(c.problems)?).map(Keyword::Format)),
        ];
        for (name, read) in keywords {
            if let Some(node) = reader.node.get(name) {
                let keyword = read(self, &reader, &node, &mut rules);
                rules.keywords.extend(keyword);
            }
        }
        self.members(&reader, &mut rules);
        rules
    }

    fn members(&mut self, reader: &Reader<'a>, rules: &mut Rules) {
        if let Some(node) = reader.node.get("properties") {
            for (name, node) in node.members(self.problems) {
                let id = self.schema(reader, &node);
                rules.properties.extend(id.map(|id| (name.to_owned(), id)));
            }
            rules.properties.sort_unstable();
        }
        if let Some(node) = reader.node.get("patternProperties") {
            for (source, node) in node.members(self.problems) {
                let pattern = Pattern::compile(source, &node, self.problems);
                let id = self.schema(reader, &node);
                rules.patterns.extend(pattern.zip(id));
            }
        }
    }

    fn schema(&mut self, reader: &Reader<'a>, node: &Node<'a>) -> Option<Id> {
        self.reserve(Place { node: node.clone(), base: Rc::clone(&reader.base) })
    }

    fn schemas(&mut self, reader: &Reader<'a>, list: &Node<'a>) -> Option<Vec<Id>> {
        let elements = list.elements(self.problems);
        if elements.is_empty() {
            self.problems.error(&list.path, "no schema is named", None);
        }
        Some(elements.iter().filter_map(|node| self.schema(reader, node)).collect())
    }

    /// It counts beside a list of `items` only.
    fn additional_items(&mut self, reader: &Reader<'a>, node: &Node<'a>, rules: &mut Rules) -> Option<Keyword> {
        let is_beside_list = reader.node.get("items").is_some_and(|items| items.value.is_array());
        match node.value {
            _ if !is_beside_list => None,
            Value::Bool(true) => None,
            Value::Bool(false) => Some(Keyword::NoMoreItems),
            _ => {
                rules.more_items = self.schema(reader, node);
                None
            }
        }
    }

    fn items(&mut self, reader: &Reader<'a>, node: &Node<'a>, rules: &mut Rules) -> Option<Keyword> {
        if node.value.is_array() {
            rules.items = node.elements(self.problems).iter().filter_map(|node| self.schema(reader, node)).collect();
        } else {
            rules.more_items = self.schema(reader, node);
        }
        None
    }

    fn additional_properties(&mut self, reader: &Reader<'a>, node: &Node<'a>, rules: &mut Rules) -> Option<Keyword> {
        match node.value {
            Value::Bool(true) => None,
            Value::Bool(false) => Some(Keyword::NoMoreProperties),
            _ => {
                rules.more_properties = self.schema(reader, node);
                None
            }
        }
    }

    fn dependencies(&mut self, reader: &Reader<'a>, node: &Node<'a>, _: &mut Rules) -> Option<Keyword> {
        let mut dependencies = Vec::new();
        for (name, node) in node.members(self.problems) {
            let dependency = if node.value.is_array() {
                Some(Dependency::Members(names(&node, self.problems)))
            } else {
                self.schema(reader, &node).map(Dependency::Schema)
            };
            dependencies.extend(dependency.map(|dependency| (name.to_owned(), dependency)));
        }
        Some(Keyword::Dependencies(dependencies))
    }

    fn enumeration(&mut self, node: &Node<'a>) -> Option<Keyword> {
        let mut texts = Vec::new();
        for element in node.elements(self.problems) {
            let mut heap = Heap::new(Budget::default());
            let value = parse(&element.value.to_string().into(), &mut heap).ok();
            match value.and_then(|value| canonical(&value, &mut heap).ok()) {
                Some(text) => texts.push(text),
                None => self.problems.error(&element.path, "a value that is too large to be compared with", None),
            }
        }
        if texts.is_empty() {
            self.problems.error(&node.path, "no value is named", None);
        }
        Some(Keyword::Enum(texts, node.value.to_string()))
    }

    fn size(&mut self, node: &Node<'a>, of: Measured, bound: Bound) -> Option<Keyword> {
        Some(Keyword::Size { of, bound, limit: node.integer(0..=u64::MAX, self.problems)? })
    }

    fn range(&mut self, reader: &Reader<'a>, node: &Node<'a>, bound: Bound) -> Option<Keyword> {
        let limit = self.number(node)?;
        let name = if bound == Bound::Minimum { "exclusiveMinimum" } else { "exclusiveMaximum" };
        let exclusive = reader.node.get(name).filter(|node| !node.value.is_number());
        let exclusive = exclusive.and_then(|node| node.boolean(self.problems));
        Some(Keyword::Range { bound, limit, exclusive: exclusive.unwrap_or(false) })
    }

    fn multiple_of(&mut self, node: &Node<'a>) -> Option<Keyword> {
        let number = self.number(node)?;
        if !number.decimal.is_positive() {
            self.problems.error(&node.path, "a number is a multiple of what is more than 0 only", None);
            return None;
        }
        Some(Keyword::MultipleOf(number))
    }

    fn number(&mut self, node: &Node<'a>) -> Option<Number> {
        let text = match node.value {
            Value::Number(number) => number.to_string(),
            _ => node.number(self.problems)?.to_string(),
        };
        Some(Number { decimal: Decimal::parse(&text), text })
    }

    fn required(&mut self, node: &Node<'a>) -> Option<Keyword> {
        if node.value.is_boolean() {
            let help = Some("the object around it names those that it requires");
            self.problems.warning(&node.path, "`required` has no effect: it is no list", help);
            return None;
        }
        Some(Keyword::Required(names(node, self.problems)))
    }

    fn types(&mut self, node: &Node<'a>) -> Option<Keyword> {
        let named = |node: &Node<'a>, problems: &mut Problems| {
            let name = node.string(problems)?;
            let named = Types::named(name);
            if named.is_none() {
                let help = format!("use one of {}", Types::NAMES.join(", "));
                problems.error(&node.path, format!("`{name}` is no type"), Some(&help));
            }
            named
        };
        if !node.value.is_array() {
            return named(node, self.problems).map(Keyword::Type);
        }
        let types = node.elements(self.problems);
        types.iter().filter_map(|node| named(node, self.problems)).reduce(Types::with).map(Keyword::Type)
    }
}

/// A set of names, in their order.
fn names(node: &Node<'_>, problems: &mut Problems) -> Vec<String> {
    let mut names: Vec<String> = node.strings(problems).into_iter().map(str::to_owned).collect();
    names.sort_unstable();
    names.dedup();
    names
}
