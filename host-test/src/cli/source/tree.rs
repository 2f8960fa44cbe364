//! A JSON value that remembers where each of its parts was written, so that a problem's JSON path leads to a line of a file.

use serde_json::{Map, Number, Value};
use tollgate::problem::{JsonPath, Problem, Segment};

use super::text::Span;

/// A value and its place; a value that the command itself adds to the document has none.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it was written.
    pub span: Option<Span>,
    /// What was written.
    pub content: Content,
}

/// What JSON can say.
#[derive(Debug, Clone)]
pub enum Content {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number.
    Number(Number),
    /// Text.
    String(String),
    /// An array.
    Array(Vec<Node>),
    /// An object; names are unique.
    Object(Vec<Member>),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// Its name.
    pub name: String,
    /// Where its name was written.
    pub name_span: Option<Span>,
    /// Its value.
    pub value: Node,
}

/// What is wrong, and where it was written.
#[derive(Debug, Clone)]
pub struct Finding {
    /// The problem.
    pub problem: Problem,
    /// Its place, if it is nearer than its path would tell.
    pub span: Option<Span>,
    /// The value is not what the user meant: what else is wrong with it is only a consequence.
    pub spoils: bool,
}

/// A file that could be read as a tree, and what was odd about it.
#[derive(Debug)]
pub struct Parsed {
    /// The tree.
    pub root: Node,
    /// What a reader of the file has to mend although the tree could be made.
    pub findings: Vec<Finding>,
}

/// The path of these steps.
pub fn path_of<'a>(segments: impl IntoIterator<Item = &'a Segment>) -> JsonPath {
    segments.into_iter().fold(JsonPath::root(), |path, segment| match segment {
        Segment::Key(name) => path.key(name),
        Segment::Index(index) => path.index(*index),
    })
}

// === impl Node ===

impl Node {
    /// A text that stands in no file.
    pub fn made(text: impl Into<String>) -> Self {
        Self { span: None, content: Content::String(text.into()) }
    }

    /// An object that stands in no file.
    pub fn made_object(members: impl IntoIterator<Item = (&'static str, Node)>) -> Self {
        let members = members.into_iter().map(|(name, value)| Member { name: name.to_owned(), name_span: None, value }).collect();
        Self { span: None, content: Content::Object(members) }
    }

    /// An array that stands in no file.
    pub fn made_array(elements: Vec<Node>) -> Self {
        Self { span: None, content: Content::Array(elements) }
    }

    /// The members of an object; nothing else has any.
    pub fn members(&self) -> &[Member] {
        match &self.content {
            Content::Object(members) => members,
            _ => &[],
        }
    }

    /// The members of an object, to change them.
    pub fn members_mut(&mut self) -> Option<&mut Vec<Member>> {
        match &mut self.content {
            Content::Object(members) => Some(members),
            _ => None,
        }
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.members().iter().find(|member| member.name == name).map(|member| &member.value)
    }

    /// A member of an object, to change it.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Node> {
        self.members_mut()?.iter_mut().find(|member| member.name == name).map(|member| &mut member.value)
    }

    /// The value at a path, to change it.
    pub fn at_mut(&mut self, path: &JsonPath) -> Option<&mut Node> {
        path.segments().into_iter().try_fold(self, |node, segment| match segment {
            Segment::Key(name) => node.get_mut(name),
            Segment::Index(index) => node.elements_mut().get_mut(*index),
        })
    }

    /// The elements of an array, to change them; nothing else has any.
    pub fn elements_mut(&mut self) -> &mut [Node] {
        match &mut self.content {
            Content::Array(elements) => elements,
            _ => &mut [],
        }
    }

    /// The text of a string.
    pub fn as_str(&self) -> Option<&str> {
        match &self.content {
            Content::String(text) => Some(text),
            _ => None,
        }
    }

    /// The value without its places.
    pub fn to_value(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(value) => Value::Bool(*value),
            Content::Number(number) => Value::Number(number.clone()),
            Content::String(text) => Value::String(text.clone()),
            Content::Array(elements) => Value::Array(elements.iter().map(Node::to_value).collect()),
            Content::Object(members) => {
                let mut map = Map::with_capacity(members.len());
                for member in members {
                    map.insert(member.name.clone(), member.value.to_value());
                }
                Value::Object(map)
            }
        }
    }

    /// Where the name of the member at a path was written; for what has no name, where its value was.
    pub fn name_place(&self, path: &JsonPath) -> Option<Span> {
        let segments = path.segments();
        let (last, around) = segments.split_last()?;
        let member = match last {
            Segment::Key(name) => {
                let holder = around.iter().try_fold(self, |node, segment| node.step(segment))?;
                holder.members().iter().find(|member| member.name == *name)
            }
            Segment::Index(_) => None,
        };
        member.and_then(|member| member.name_span).or_else(|| self.place(path))
    }

    /// The value one step further.
    fn step(&self, segment: &Segment) -> Option<&Node> {
        match (segment, &self.content) {
            (Segment::Key(name), _) => self.get(name),
            (Segment::Index(index), Content::Array(elements)) => elements.get(*index),
            _ => None,
        }
    }

    /// Where the value at a path was written, or else the nearest value around it.
    ///
    /// A scalar is shown itself; an object or array is shown by the name of the member that holds it, because that is the
    /// line a reader looks for.
    pub fn place(&self, path: &JsonPath) -> Option<Span> {
        let mut node = self;
        let mut place = self.span;
        for segment in path.segments() {
            let (name_span, next) = match (segment, &node.content) {
                (Segment::Key(name), Content::Object(members)) => match members.iter().find(|m| m.name == *name) {
                    Some(member) => (member.name_span, &member.value),
                    None => break,
                },
                (Segment::Index(index), Content::Array(elements)) => match elements.get(*index) {
                    Some(element) => (None, element),
                    None => break,
                },
                _ => break,
            };
            let whole = matches!(next.content, Content::Array(_) | Content::Object(_));
            let shown = next.span.filter(|span| !whole && span.start < span.end);
            place = shown.or(name_span).or(next.span).or(place);
            node = next;
        }
        place
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::FileId;
    use super::*;

    fn at(start: usize) -> Option<Span> {
        Some(Span { file: FileId(0), start, end: start + 1 })
    }

    fn sample() -> Node {
        let text = Node { span: at(30), content: Content::String("x".into()) };
        let inner = Member { name: "type".into(), name_span: at(20), value: text };
        let object = Node { span: at(10), content: Content::Object(vec![inner]) };
        Node { span: at(0), content: Content::Object(vec![Member { name: "get".into(), name_span: at(5), value: object }]) }
    }

    #[test]
    fn a_scalar_is_shown_itself_and_an_object_by_its_name() {
        let path = JsonPath::root().key("get");
        assert_eq!(sample().place(&path), at(5));
        assert_eq!(sample().place(&path.key("type")), at(30));
    }

    #[test]
    fn what_is_missing_is_shown_at_what_should_hold_it() {
        assert_eq!(sample().place(&JsonPath::root().key("get").key("uri").key("x")), at(5));
        assert_eq!(sample().place(&JsonPath::root().key("paths")), at(0));
    }
}
