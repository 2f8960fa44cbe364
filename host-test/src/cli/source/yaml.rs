//! Reads YAML by its core schema (YAML 1.2), so that `on`, `yes`, dates and account ids with a leading zero stay the
//! texts that they were meant to be, and keys such as `200` are texts too. Anchors and merge keys are resolved here.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, StrInput, Tag};
use tollgate::problem::{About, Problem, Segment, Severity};

use super::scalar;
use super::text::{FileId, SourceFile, Span};
use super::tree::{Content, Finding, Member, Node, Parsed, path_of};

/// As deep as a JSON file may be.
const MAX_DEPTH: usize = 512;

/// Values that aliases may add: a page of nested anchors must not become a gigabyte.
const MAX_ALIASED: usize = 1_000_000;

/// CloudFormation's short forms, which only make sense inside a template.
const CLOUDFORMATION: [&str; 20] = [
    "Ref",
    "Sub",
    "GetAtt",
    "Join",
    "Select",
    "Split",
    "If",
    "And",
    "Or",
    "Not",
    "Equals",
    "Condition",
    "FindInMap",
    "ImportValue",
    "Base64",
    "Cidr",
    "GetAZs",
    "Transform",
    "Length",
    "ToJsonString",
];

/// What becomes of CloudFormation's short forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tags {
    /// A mistake: the file is no template.
    Refused,
    /// `!Sub x` is `{"Fn::Sub": "x"}`, as in a template.
    Functions,
}

struct Reader<'f> {
    file: &'f SourceFile,
    id: FileId,
    tags: Tags,
    parser: Parser<'f, StrInput<'f>>,
    cursor: Cursor,
    anchors: HashMap<usize, (Node, usize)>,
    aliased: usize,
    /// Values made so far; the difference around a node is its size.
    made: usize,
    path: Vec<Segment>,
    findings: Vec<Finding>,
}

/// Where the last marker was, so that one long line is walked once and not once a value.
#[derive(Default, Clone, Copy)]
struct Cursor {
    line: usize,
    column: usize,
    offset: usize,
}

/// Reads a file as YAML.
pub fn parse(file: &SourceFile, id: FileId, tags: Tags) -> Result<Parsed, Finding> {
    let mut reader = Reader::new(file, id, tags);
    let root = reader.document()?;
    Ok(Parsed { root, findings: reader.findings })
}

/// Reads a file as a stream of YAML documents.
pub fn parse_stream(file: &SourceFile, id: FileId, tags: Tags) -> Result<(Vec<Node>, Vec<Finding>), Finding> {
    let mut reader = Reader::new(file, id, tags);
    let roots = reader.documents(usize::MAX)?;
    Ok((roots, reader.findings))
}

// === impl Reader ===

impl<'f> Reader<'f> {
    fn new(file: &'f SourceFile, id: FileId, tags: Tags) -> Self {
        let parser = Parser::new_from_str(&file.text);
        let (anchors, path, findings) = (HashMap::new(), Vec::new(), Vec::new());
        Self { file, id, tags, parser, cursor: Cursor::default(), anchors, aliased: 0, made: 0, path, findings }
    }

    fn document(&mut self) -> Result<Node, Finding> {
        let empty = Span { file: self.id, start: 0, end: 0 };
        self.documents(1)?.pop().ok_or_else(|| self.stop(empty, "the file is empty", None))
    }

    fn documents(&mut self, most: usize) -> Result<Vec<Node>, Finding> {
        let mut roots = Vec::new();
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(roots),
                Event::StreamStart | Event::Nothing | Event::DocumentEnd => {}
                Event::DocumentStart(_) if roots.len() == most => {
                    return Err(self.stop(span, "a second YAML document starts here", Some("a file holds one document")));
                }
                Event::DocumentStart(_) => {
                    // An anchor is of its document.
                    self.anchors.clear();
                    let (event, span) = self.next()?;
                    roots.push(self.node(event, span)?);
                }
                _ => return Err(self.stop(span, "nothing is expected after the document", None)),
            }
        }
    }

    fn node(&mut self, event: Event<'f>, span: Span) -> Result<Node, Finding> {
        if self.path.len() > MAX_DEPTH {
            return Err(self.stop(span, &format!("values are nested deeper than {MAX_DEPTH}"), None));
        }
        let before = self.made;
        self.made += 1;
        let (event, function) = self.function(event);
        let (anchor, content) = match event {
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::Scalar(text, _, anchor, _) if function.is_some() => (anchor, Content::String(text.into_owned())),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref(), span)),
            Event::SequenceStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "seq", span);
                (anchor, Content::Array(self.elements()?))
            }
            Event::MappingStart(anchor, tag) => {
                self.collection_tag(tag.as_deref(), "map", span);
                (anchor, Content::Object(self.members()?))
            }
            _ => return Err(self.stop(span, "a value is expected here", None)),
        };
        let mut node = Node { span: Some(span), content };
        if let Some(name) = function {
            let member = Member { name, name_span: Some(span), value: node };
            node = Node { span: Some(span), content: Content::Object(vec![member]) };
        }
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.made - before));
        }
        Ok(node)
    }

    /// Takes the tag of a function away where there are functions.
    fn function(&self, event: Event<'f>) -> (Event<'f>, Option<String>) {
        let named = |tag: &Option<Cow<'f, Tag>>| {
            let tag = tag.as_deref().filter(|tag| self.tags == Tags::Functions && tag.handle == "!")?;
            let suffix = tag.suffix.as_str();
            let is_short = matches!(suffix, "Ref" | "Condition");
            CLOUDFORMATION.contains(&suffix).then(|| if is_short { suffix.to_owned() } else { format!("Fn::{suffix}") })
        };
        let name = match &event {
            Event::Scalar(_, _, _, tag) | Event::SequenceStart(_, tag) | Event::MappingStart(_, tag) => named(tag),
            _ => None,
        };
        match event {
            Event::SequenceStart(anchor, _) if name.is_some() => (Event::SequenceStart(anchor, None), name),
            Event::MappingStart(anchor, _) if name.is_some() => (Event::MappingStart(anchor, None), name),
            event => (event, name),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Result<Node, Finding> {
        let Some((node, size)) = self.anchors.get(&anchor) else {
            return Err(self.stop(span, "an alias stands inside the value that it names", None));
        };
        let (node, size) = (node.clone(), *size);
        self.aliased += size;
        self.made += size;
        if self.aliased > MAX_ALIASED {
            return Err(self.stop(span, &format!("aliases add more than {MAX_ALIASED} values"), None));
        }
        Ok(node)
    }

    fn elements(&mut self) -> Result<Vec<Node>, Finding> {
        let mut elements = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(elements);
            }
            self.path.push(Segment::Index(elements.len()));
            elements.push(self.node(event, span)?);
            self.path.pop();
        }
    }

    fn members(&mut self) -> Result<Vec<Member>, Finding> {
        let mut members: Vec<Member> = Vec::new();
        let mut merged: Vec<Member> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        loop {
            let (event, name_span) = self.next()?;
            let (name, style) = match event {
                Event::MappingEnd => break,
                Event::Scalar(text, style, ..) => (text.into_owned(), style),
                _ => return Err(self.stop(name_span, "a key must be a plain text", None)),
            };
            let (event, span) = self.next()?;
            self.path.push(Segment::Key(name.clone()));
            let value = self.node(event, span)?;
            if name == "<<" && style == ScalarStyle::Plain {
                self.merge(value, span, &mut merged);
                self.path.pop();
                continue;
            }
            let member = Member { name: name.clone(), name_span: Some(name_span), value };
            match seen.get(&name).and_then(|at| members.get_mut(*at)) {
                None => {
                    seen.insert(name, members.len());
                    members.push(member);
                }
                Some(first) => {
                    let line = first.name_span.map_or(0, |span| self.file.position(span.start).line);
                    *first = member;
                    let (message, help) = super::duplicate(&name, line);
                    self.error(name_span, message, Some(help), false);
                }
            }
            self.path.pop();
        }
        // What is written wins over what is merged, wherever the merge key stands; of two merged ones the first wins.
        for member in merged {
            if !seen.contains_key(&member.name) {
                seen.insert(member.name.clone(), members.len());
                members.push(member);
            }
        }
        Ok(members)
    }

    fn merge(&mut self, value: Node, span: Span, into: &mut Vec<Member>) {
        match value.content {
            Content::Object(members) => into.extend(members),
            Content::Array(elements) if elements.iter().all(|e| matches!(e.content, Content::Object(_))) => {
                for element in elements {
                    into.extend(element.members().iter().cloned());
                }
            }
            _ => self.error(span, "a merge key `<<` takes a mapping, or a list of mappings".to_owned(), None, true),
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: Span) -> Content {
        let plain = |text: &str| match style {
            ScalarStyle::Plain => scalar::resolve(text),
            _ => Content::String(text.to_owned()),
        };
        let Some(tag) = tag else { return plain(text) };
        if tag.is_yaml_core_schema() {
            match tag.suffix.as_str() {
                "str" => return Content::String(text.to_owned()),
                "int" | "float" | "bool" | "null" => {
                    let content = scalar::resolve(text);
                    let fits = match (&content, tag.suffix.as_str()) {
                        (Content::Number(number), "int") => number.is_i64() || number.is_u64(),
                        (Content::Number(_), "float") | (Content::Bool(_), "bool") | (Content::Null, "null") => true,
                        _ => false,
                    };
                    if !fits {
                        self.error(span, format!("`{text}` is not a value of the type `!!{}`", tag.suffix), None, true);
                    }
                    return content;
                }
                _ => {}
            }
        } else if tag.handle.is_empty() && tag.suffix == "!" || tag.handle == "!" && tag.suffix.is_empty() {
            // The non-specific tag: whatever it looks like, it is a text.
            return Content::String(text.to_owned());
        }
        self.unknown_tag(tag, span);
        plain(text)
    }

    fn collection_tag(&mut self, tag: Option<&Tag>, expected: &str, span: Span) {
        if let Some(tag) = tag {
            let fits = tag.is_yaml_core_schema() && tag.suffix == expected;
            if !fits {
                self.unknown_tag(tag, span);
            }
        }
    }

    fn unknown_tag(&mut self, tag: &Tag, span: Span) {
        if tag.handle == "!" && CLOUDFORMATION.contains(&tag.suffix.as_str()) {
            let help = "resolve the template first (`tollgate import` does it), or export the deployed API with `aws apigateway get-export` \
                        (HTTP APIs: `aws apigatewayv2 export-api`)";
            let message = format!("the CloudFormation function `!{}` has no value outside its template", tag.suffix);
            self.error(span, message, Some(help.to_owned()), true);
        } else {
            let written = if tag.is_yaml_core_schema() { format!("!!{}", tag.suffix) } else { tag.to_string() };
            self.error(span, format!("the YAML tag `{written}` has no meaning in a definition"), None, true);
        }
    }

    fn next(&mut self) -> Result<(Event<'f>, Span), Finding> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => {
                let start = self.offset(span.start.line(), span.start.col());
                let end = self.offset(span.end.line(), span.end.col()).max(start);
                Ok((event, Span { file: self.id, start, end }))
            }
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, Span { file: self.id, start: 0, end: 0 })),
        }
    }

    /// The byte of a marker, whose columns count characters.
    fn offset(&mut self, line: usize, column: usize) -> usize {
        if self.cursor.line != line || self.cursor.column > column {
            self.cursor = Cursor { line, column: 0, offset: self.file.line_start(line) };
        }
        let rest = self.file.text.get(self.cursor.offset..).unwrap_or("");
        let steps = column - self.cursor.column;
        self.cursor.offset += rest.chars().take(steps).map(char::len_utf8).sum::<usize>();
        self.cursor.column = column;
        self.cursor.offset
    }

    fn syntax(&mut self, error: &ScanError) -> Finding {
        let start = self.offset(error.marker().line(), error.marker().col());
        let tab = self.file.text.get(..start).is_some_and(|before| {
            before.rsplit(['\n', '\r']).next().is_some_and(|line| line.trim_start_matches(' ').starts_with('\t'))
        });
        let help = tab.then_some("YAML is indented with spaces, never with tabs");
        self.stop(Span { file: self.id, start, end: start }, &super::sentence(error.info()), help)
    }

    fn stop(&self, span: Span, message: &str, help: Option<&str>) -> Finding {
        let path = path_of(&self.path);
        let (message, help) = (message.to_owned(), help.map(str::to_owned));
        Finding {
            problem: Problem { severity: Severity::Error, path, about: About::Value, message, help },
            span: Some(span),
            spoils: true,
        }
    }

    fn error(&mut self, span: Span, message: String, help: Option<String>, spoils: bool) {
        let path = path_of(&self.path);
        let problem = Problem { severity: Severity::Error, path, about: About::Value, message, help };
        self.findings.push(Finding { problem, span: Some(span), spoils });
    }
}

#[cfg(test)]
#[path = "yaml_tests.rs"]
mod tests;
