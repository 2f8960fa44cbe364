//! Reads JSON: strictly, as API Gateway's own export writes it, with the place of every value.

use std::collections::HashMap;

use jsonc_parser::ast::{Object, Value};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use tollgate::problem::{About, JsonPath, Problem, Segment, Severity};

use super::text::{FileId, SourceFile, Span};
use super::tree::{Content, Finding, Member, Node, Parsed, path_of};

/// RFC 8259 and nothing beside it.
const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

struct Reader<'f> {
    file: &'f SourceFile,
    id: FileId,
    path: Vec<Segment>,
    findings: Vec<Finding>,
}

/// Reads a file as JSON.
pub fn parse(file: &SourceFile, id: FileId) -> Result<Parsed, Finding> {
    let syntax = |start: usize, end: usize, message: String| Finding {
        problem: Problem { severity: Severity::Error, path: JsonPath::root(), about: About::Value, message, help: None },
        span: Some(Span { file: id, start, end }),
        spoils: true,
    };
    let ast = parse_to_ast(&file.text, &CollectOptions::default(), &STRICT)
        .map_err(|error| syntax(error.range().start, error.range().end, super::sentence(&error.kind().to_string())))?;
    let value = ast.value.ok_or_else(|| syntax(0, 0, "the file is empty".to_owned()))?;
    let mut reader = Reader { file, id, path: Vec::new(), findings: Vec::new() };
    let root = reader.node(value);
    Ok(Parsed { root, findings: reader.findings })
}

// === impl Reader ===

impl Reader<'_> {
    fn node(&mut self, value: Value<'_>) -> Node {
        let span = self.span(value.range().start, value.range().end);
        let content = match value {
            Value::NullKeyword(_) => Content::Null,
            Value::BooleanLit(literal) => Content::Bool(literal.value),
            Value::StringLit(literal) => Content::String(literal.value.into_owned()),
            Value::NumberLit(literal) => match serde_json::from_str(literal.value) {
                Ok(number) => Content::Number(number),
                Err(_) => {
                    self.error(span, format!("`{}` is not a number of JSON", literal.value), None, true);
                    Content::String(literal.value.to_owned())
                }
            },
            Value::Array(array) => {
                let mut elements = Vec::with_capacity(array.elements.len());
                for (index, element) in array.elements.into_iter().enumerate() {
                    elements.push(self.within(Segment::Index(index), element));
                }
                Content::Array(elements)
            }
            Value::Object(object) => Content::Object(self.members(object)),
        };
        Node { span: Some(span), content }
    }

    fn members(&mut self, object: Object<'_>) -> Vec<Member> {
        let mut members: Vec<Member> = Vec::with_capacity(object.properties.len());
        let mut seen: HashMap<String, usize> = HashMap::with_capacity(object.properties.len());
        for property in object.properties {
            let name_span = self.span(property.name.range().start, property.name.range().end);
            let name = property.name.into_string();
            let value = self.within(Segment::Key(name.clone()), property.value);
            let member = Member { name: name.clone(), name_span: Some(name_span), value };
            match seen.get(&name).and_then(|at| members.get_mut(*at)) {
                None => {
                    seen.insert(name, members.len());
                    members.push(member);
                }
                Some(first) => {
                    let line = first.name_span.map_or(0, |span| self.file.position(span.start).line);
                    *first = member;
                    self.path.push(Segment::Key(name.clone()));
                    let (message, help) = super::duplicate(&name, line);
                    self.error(name_span, message, Some(help), false);
                    self.path.pop();
                }
            }
        }
        members
    }

    fn within(&mut self, segment: Segment, value: Value<'_>) -> Node {
        self.path.push(segment);
        let node = self.node(value);
        self.path.pop();
        node
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span { file: self.id, start, end }
    }

    fn error(&mut self, span: Span, message: String, help: Option<String>, spoils: bool) {
        let path = path_of(&self.path);
        let problem = Problem { severity: Severity::Error, path, about: About::Value, message, help };
        self.findings.push(Finding { problem, span: Some(span), spoils });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::source::text::Position;

    fn read(text: &str) -> Result<(SourceFile, Parsed), Box<(SourceFile, Finding)>> {
        let file = SourceFile::new("api.json".into(), text);
        match parse(&file, FileId(0)) {
            Ok(parsed) => Ok((file, parsed)),
            Err(finding) => Err(Box::new((file, finding))),
        }
    }

    #[test]
    fn tabs_surrogate_pairs_and_numbers_arrive_as_written() {
        let (_, parsed) = read("{\t\"a\":\t\"\\ud83d\\ude00\",\n\t\"b\": [1, -2.5e3, null, true]}").unwrap();
        assert_eq!(parsed.root.to_value(), serde_json::json!({"a": "😀", "b": [1, -2.5e3, null, true]}));
        assert!(parsed.findings.is_empty());
    }

    #[test]
    fn a_value_is_found_at_its_line_and_column() {
        let (file, parsed) = read("{\n  \"é\": {\"x\": [1,\n    22]}}").unwrap();
        let span = parsed.root.place(&JsonPath::root().key("é").key("x").index(1)).unwrap();
        assert_eq!(file.position(span.start), Position { line: 3, column: 5 });
        let span = parsed.root.place(&JsonPath::root().key("é").key("x")).unwrap();
        assert_eq!(file.position(span.start), Position { line: 2, column: 9 });
    }

    #[test]
    fn a_name_written_twice_is_told_with_both_places() {
        let (file, parsed) = read("{\"get\": 1,\n \"get\": 2}").unwrap();
        let finding = &parsed.findings[0];
        assert_eq!(finding.problem.message, "`get` is written twice in one object");
        assert_eq!(finding.problem.help.as_deref(), Some("the first one is on line 1: keep one of them"));
        assert_eq!(file.position(finding.span.unwrap().start), Position { line: 2, column: 2 });
    }

    #[test]
    fn what_is_not_json_is_an_error_at_its_place() {
        for (text, line, column) in [
            ("{\n \"a\": 1,\n}", 2, 8),
            ("{\n \"a\" 1}", 2, 6),
            ("{'a': 1}", 1, 2),
            ("{\"a\": 1} x", 1, 10),
            ("{ // c\n \"a\": 1}", 1, 3),
        ] {
            let (file, finding) = *read(text).expect_err(text);
            assert_eq!(file.position(finding.span.unwrap().start), Position { line, column }, "{text}");
        }
    }

    #[test]
    fn a_number_that_json_does_not_know_is_an_error() {
        for text in ["[01]", "[1.]", "[.5]", "[+1]", "[0x10]", "[NaN]", "[-]"] {
            assert!(read(text).map_or(true, |(_, parsed)| !parsed.findings.is_empty()), "{text} was taken");
        }
    }

    #[test]
    fn nesting_without_end_is_refused_and_does_not_overflow_the_stack() {
        assert!(read(&"[".repeat(200_000)).is_err());
    }

    #[test]
    fn ten_megabytes_are_read() {
        let row = format!("{{\"k\": \"{}\"}}", "v".repeat(1000));
        let text = format!("[{}]", vec![row; 10_000].join(","));
        assert!(text.len() > 10_000_000);
        let (_, parsed) = read(&text).unwrap();
        assert_eq!(parsed.root.to_value().as_array().unwrap().len(), 10_000);
    }
}
