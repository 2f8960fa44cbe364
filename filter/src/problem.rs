//! What is wrong with a definition, and where: every problem carries the JSON path of its place, and all of them are
//! collected, because a user who mends five mistakes wants to hear of five.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// Whether the definition can be served all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Serving without it would be wrong: the document is refused.
    Error,
    /// Serving without it is safe: the document is served, and the user is told.
    Warning,
}

/// One step of a [`JsonPath`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An element of an array.
    Index(usize),
}

/// The place of a value in the gateway document, from its root. A list linked towards the root: a definition of thousands of
/// routes has many places, and most are never printed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct JsonPath(Option<Arc<Step>>);

#[derive(Debug, PartialEq, Eq, Hash)]
struct Step {
    parent: JsonPath,
    segment: Segment,
}

/// What of a member is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum About {
    /// Its name: it should not be there at all, whatever its value.
    Name,
    /// Its value.
    Value,
}

/// One finding about a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Problem {
    /// Refused, or served with a word of warning.
    pub severity: Severity,
    /// Where.
    pub path: JsonPath,
    /// What of it is meant.
    pub about: About,
    /// What: lower case, no trailing period, user input in backticks.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// The findings about one document, in the order they were met.
#[derive(Debug, Default)]
pub struct Problems {
    met: Vec<Problem>,
    known: HashSet<Problem>,
}

/// `a`, `b`
pub fn quoted(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        names => format!("`{}`", names.join("`, `")),
    }
}

/// The same with `\n` for a line feed, and so on: what somebody else wrote must not look like another line of a log.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() { line.extend(character.escape_debug()) } else { line.push(character) }
    }
    line
}

// === impl JsonPath ===

impl JsonPath {
    /// The document itself.
    pub fn root() -> Self {
        Self::default()
    }

    /// The path of a member.
    pub fn key(&self, name: &str) -> Self {
        self.with(Segment::Key(name.to_owned()))
    }

    /// The path of an element.
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        Self(Some(Arc::new(Step { parent: self.clone(), segment })))
    }

    /// The steps from the root.
    pub fn segments(&self) -> Vec<&Segment> {
        let mut segments = Vec::new();
        let mut place = self;
        while let Some(step) = &place.0 {
            segments.push(&step.segment);
            place = &step.parent;
        }
        segments.reverse();
        segments
    }
}

/// `$.apis[0].definition.paths["/pets"].get`
impl fmt::Display for JsonPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("$")?;
        for segment in self.segments() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, ".{key}")?,
                // As JSON writes it: on one line, whatever is in it.
                Segment::Key(key) => write!(f, "[{}]", serde_json::Value::from(key.as_str()))?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

// === impl Problem ===

/// `$.apis[0].name: message; help: …`
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, on_one_line(&self.message))?;
        match &self.help {
            Some(help) => write!(f, "; help: {}", on_one_line(help)),
            None => Ok(()),
        }
    }
}

// === impl Problems ===

impl Problems {
    /// Records that the document cannot be served.
    pub fn error(&mut self, path: &JsonPath, message: impl Into<String>, help: Option<&str>) {
        self.push(Severity::Error, path, About::Value, message.into(), help);
    }

    /// Records a member that should not be there.
    pub fn stray(&mut self, path: &JsonPath, message: impl Into<String>, help: Option<&str>) {
        self.push(Severity::Error, path, About::Name, message.into(), help);
    }

    /// Records something that is served differently from what was written.
    pub fn warning(&mut self, path: &JsonPath, message: impl Into<String>, help: Option<&str>) {
        self.push(Severity::Warning, path, About::Value, message.into(), help);
    }

    fn push(&mut self, severity: Severity, path: &JsonPath, about: About, message: String, help: Option<&str>) {
        let problem = Problem { severity, path: path.clone(), about, message, help: help.map(str::to_owned) };
        // One cause met twice (a shared `$ref`, a route compiled for two stages) is one problem.
        if self.known.insert(problem.clone()) {
            self.met.push(problem);
        }
    }

    /// True when at least one of them forbids serving.
    pub fn any_error(&self) -> bool {
        self.met.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// All of them, in the order met.
    pub fn into_vec(self) -> Vec<Problem> {
        self.met
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_plain_keys_with_dots_and_others_in_brackets() {
        let path = JsonPath::root().key("apis").index(0).key("paths").key("/pets/{id}").key("a\"b");
        assert_eq!(path.to_string(), r#"$.apis[0].paths["/pets/{id}"]["a\"b"]"#);
    }

    #[test]
    fn a_problem_is_one_line_whatever_the_document_says() {
        let mut problems = Problems::default();
        problems.error(&JsonPath::root(), "`a\r\nb\0` is \u{85} no é", Some("\t"));
        let told: Vec<_> = problems.into_vec().iter().map(ToString::to_string).collect();
        assert_eq!(told, [r"$: `a\r\nb\0` is \u{85} no é; help: \t"]);
    }

    #[test]
    fn the_same_problem_met_twice_is_told_once() {
        let mut problems = Problems::default();
        for _ in 0..2 {
            problems.warning(&JsonPath::root(), "x", None);
        }
        assert!(!problems.any_error());
        assert_eq!(problems.into_vec().len(), 1);
    }
}
