//! Reads what the user points at and makes the one gateway document of it, in which every value still knows its line.
//!
//! A file is a gateway document (`apis`) or a bare definition (`openapi`, `swagger`), as JSON or YAML, told apart by what
//! is in it and not by its name. A bare definition becomes a document of one API with one stage; `definitionFile` is
//! replaced by what it points at.

mod document;
mod json;
mod scalar;
mod text;
mod tree;
mod version;
mod yaml;

use std::io::Read;
use std::path::Path;

use serde_json::Value;
use tollgate::problem::{About, JsonPath, Problem, Segment, Severity};

pub use self::document::{Choice, stage_variable};
pub use self::text::{FileId, Position, SourceFile, Span};
pub use self::tree::Finding;
use self::tree::{Node, Parsed, path_of};
pub use self::version::Version;
use self::yaml::Tags;
use super::Failure;

/// What a file argument turned out to be.
pub struct Source {
    files: Vec<SourceFile>,
    versions: Vec<Version>,
    document: Option<Node>,
    bare: bool,
    findings: Vec<Finding>,
    /// What the short forms of CloudFormation are in its YAML.
    tags: Tags,
}

// === impl Source ===

impl Source {
    /// Reads a file, `-` being the standard input. A file that cannot be read is a failure; one that is no definition is a
    /// source without a document, with findings that say why.
    pub fn load(file: &Path, choice: &Choice) -> Result<Self, Failure> {
        let mut source = Self::load_plain(file)?;
        if let Some(root) = source.document.take() {
            document::build(&mut source, root, file, choice);
        }
        Ok(source)
    }

    /// Reads a file that is neither a gateway document nor a definition, but has lines to point at all the same.
    pub fn load_plain(file: &Path) -> Result<Self, Failure> {
        Self::load_with(file, Tags::Refused)
    }

    /// Reads a file of infrastructure code, in which CloudFormation's functions have a meaning.
    pub fn load_template(file: &Path) -> Result<Self, Failure> {
        Self::load_with(file, Tags::Functions)
    }

    fn load_with(file: &Path, tags: Tags) -> Result<Self, Failure> {
        let mut versions = Vec::new();
        if file != Path::new("-") {
            versions.push(Version::now(file.to_owned()));
        }
        let (name, text) = read(file)?;
        let files = vec![SourceFile::new(name, &text)];
        let mut source = Self { files, versions, document: None, bare: false, findings: Vec::new(), tags };
        source.document = source.parse(FileId(0), &JsonPath::root());
        Ok(source)
    }

    /// Adds what its reader found wrong at a path.
    pub fn report(&mut self, path: &JsonPath, message: &str, help: Option<&str>) {
        self.error(path, None, message.to_owned(), help);
    }

    /// Goes on with a member in the place of the whole, where it is an object: what some tools wrap their answer into.
    pub fn enter(&mut self, name: &str) {
        let inner = self.document.as_ref().and_then(|document| document.get(name));
        if let Some(inner) = inner.filter(|inner| matches!(inner.content, tree::Content::Object(_))) {
            self.document = Some(inner.clone());
        }
    }

    /// Puts a file that the template names into it: the value at `holder` gets a member `name` with what is in the file. What is wrong
    /// with the file is told at the value.
    pub fn put_file(&mut self, holder: &JsonPath, name: &str, file: &Path) -> Result<(), Failure> {
        let (shown, text) = read(file)?;
        let id = FileId(self.files.len());
        self.files.push(SourceFile::new(shown, &text));
        let root = self.parse(id, &holder.key(name));
        let members = self.document.as_mut().and_then(|document| document.at_mut(holder)).and_then(Node::members_mut);
        if let (Some(root), Some(members)) = (root, members) {
            members.retain(|member| member.name != name);
            members.push(tree::Member { name: name.to_owned(), name_span: None, value: root });
        }
        Ok(())
    }

    /// Puts the members of a file into the object at `holder`, in the place of the `Fn::Transform` that includes it.
    pub fn put_include(&mut self, holder: &JsonPath, file: &Path) -> Result<(), Failure> {
        const INCLUDE: &str = "Fn::Transform";
        self.put_file(holder, INCLUDE, file)?;
        let Some(holder) = self.document.as_mut().and_then(|document| document.at_mut(holder)) else { return Ok(()) };
        let Some(members) = holder.members_mut() else { return Ok(()) };
        let Some(at) = members.iter().position(|member| member.name == INCLUDE) else { return Ok(()) };
        let included = members.remove(at).value;
        if members.is_empty() {
            *holder = included;
        } else {
            members.extend(included.members().iter().cloned());
        }
        Ok(())
    }

    /// The gateway document, if the files could be read as one.
    pub fn document(&self) -> Option<Value> {
        self.document.as_ref().map(Node::to_value)
    }

    /// Whether the file is a bare definition, which says nothing of clusters.
    pub fn is_definition(&self) -> bool {
        self.bare
    }

    /// The files that were read, the one named by the user first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The files as they were when they were read, for who wants to hear of changes.
    pub fn versions(&self) -> &[Version] {
        &self.versions
    }

    /// What is wrong with the files themselves.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Where the value at a path of the gateway document was written, or its name.
    pub fn place(&self, path: &JsonPath, about: About) -> Option<Span> {
        let document = self.document.as_ref()?;
        match about {
            About::Name => document.name_place(path),
            About::Value => document.place(path),
        }
    }

    /// A path as its reader knows it: a bare definition is its own root.
    pub fn shown(&self, path: &JsonPath) -> JsonPath {
        match path.segments().as_slice() {
            [Segment::Key(apis), Segment::Index(0), Segment::Key(definition), rest @ ..]
                if self.bare && apis == "apis" && definition == "definition" =>
            {
                path_of(rest.iter().copied())
            }
            _ => path.clone(),
        }
    }

    /// Reads one of the files; its findings are told under `mount`, the place of its root in the document.
    fn parse(&mut self, id: FileId, mount: &JsonPath) -> Option<Node> {
        let file = self.files.get(id.0)?;
        let (root, findings) = match parse(file, id, self.tags) {
            Ok(Parsed { root, findings }) => (Some(root), findings),
            Err(finding) => (None, vec![finding]),
        };
        self.findings.extend(findings.into_iter().map(|finding| finding.under(mount)));
        root
    }

    fn error(&mut self, path: &JsonPath, span: Option<Span>, message: String, help: Option<&str>) {
        let (path, help) = (path.clone(), help.map(str::to_owned));
        let problem = Problem { severity: Severity::Error, path, about: About::Value, message, help };
        self.findings.push(Finding { problem, span, spoils: true });
    }
}

/// JSON where it looks like JSON, YAML otherwise; a `.yaml` file may also hold a flow mapping that is no JSON.
fn parse(file: &SourceFile, id: FileId, tags: Tags) -> Result<Parsed, Finding> {
    if !file.text.trim_start().starts_with(['{', '[']) {
        return yaml::parse(file, id, tags);
    }
    let is_yaml = [".yaml", ".yml"].iter().any(|suffix| file.name.to_ascii_lowercase().ends_with(suffix));
    match json::parse(file, id) {
        Err(_) if is_yaml => yaml::parse(file, id, tags),
        result => result,
    }
}

/// What a text inside of a file says that is JSON or YAML itself; else what is wrong with it.
pub fn value_of(text: &str) -> Result<Value, String> {
    let file = SourceFile::new(String::new(), text);
    let (root, finding) = match parse(&file, FileId(0), Tags::Refused) {
        Ok(Parsed { root, findings }) => (Some(root), findings.into_iter().next()),
        Err(finding) => (None, Some(finding)),
    };
    match (root, finding) {
        (Some(root), None) => Ok(root.to_value()),
        (_, Some(finding)) => {
            let line = finding.span.map_or(1, |span| file.position(span.start).line);
            Err(format!("{}, on its line {line}", finding.problem.message))
        }
        (None, None) => Err("it is empty".to_owned()),
    }
}

/// A file that is neither a gateway document nor a definition, and may be several documents of YAML, without places.
pub fn read_documents(file: &Path) -> Result<Vec<Value>, Failure> {
    let (name, text) = read_text(file, "name a file of JSON or YAML; `-` reads the standard input")?;
    documents_of(&name, &text)
}

/// The same of a text; a document with nothing but comments is none.
pub fn documents_of(name: &str, text: &str) -> Result<Vec<Value>, Failure> {
    let file = SourceFile::new(name.to_owned(), text);
    let stream = || yaml::parse_stream(&file, FileId(0), Tags::Refused);
    let read = match file.text.trim_start().starts_with(['{', '[']) {
        // A stream may be of flow mappings; where it is neither, it was meant to be JSON.
        true => json::parse(&file, FileId(0))
            .map(|Parsed { root, findings }| (vec![root], findings))
            .or_else(|wrong| stream().map_err(|_| wrong)),
        false => stream(),
    };
    let wrong = match read {
        Ok((roots, findings)) => match findings.into_iter().next() {
            None => return Ok(roots.iter().map(Node::to_value).filter(|value| !value.is_null()).collect()),
            Some(finding) => finding,
        },
        Err(finding) => finding,
    };
    let start = wrong.span.map(|span| file.position(span.start));
    let place = start.map(|at| format!(":{}:{}", at.line, at.column)).unwrap_or_default();
    Err(Failure::usage(format!("{name}{place}: {}", wrong.problem.message)))
}

/// A file, or the standard input, and what to call it.
pub(super) fn read_bytes(file: &Path, help: &str) -> Result<(String, Vec<u8>), Failure> {
    let (name, read) = if file == Path::new("-") {
        let mut bytes = Vec::new();
        ("<stdin>".to_owned(), std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes))
    } else {
        (file.display().to_string(), std::fs::read(file))
    };
    match read {
        Ok(bytes) => Ok((name, bytes)),
        Err(error) => Err(Failure::usage(format!("cannot read `{name}`: {}", plain(&error))).help(help)),
    }
}

fn read(file: &Path) -> Result<(String, String), Failure> {
    read_text(file, "name a gateway document or an OpenAPI definition, as JSON or YAML; `-` reads the standard input")
}

/// The same as text.
pub(super) fn read_text(file: &Path, help: &str) -> Result<(String, String), Failure> {
    let (name, bytes) = read_bytes(file, help)?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = text::line_starts(error.as_bytes().get(..valid).unwrap_or(&[])).len();
        Failure::usage(format!("`{name}` is not UTF-8 text: line {line} has a byte that no character starts with"))
    })?;
    Ok((name, text))
}

/// What went wrong with a file, without the number of the error.
pub fn plain(error: &std::io::Error) -> String {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        ErrorKind::PermissionDenied => "permission denied".to_owned(),
        ErrorKind::IsADirectory => "it is a directory".to_owned(),
        _ => sentence(&error.to_string()),
    }
}

/// A library's message in the style of ours: lower case, no full stop.
fn sentence(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let mut chars = message.chars();
    match chars.next() {
        Some(first) if !chars.as_str().starts_with(char::is_uppercase) => first.to_lowercase().chain(chars).collect(),
        _ => message.to_owned(),
    }
}

/// The words for a name that stands twice in one object.
fn duplicate(name: &str, first_line: usize) -> (String, String) {
    (format!("`{name}` is written twice in one object"), format!("the first one is on line {first_line}: keep one of them"))
}

// === impl Finding ===

impl Finding {
    fn under(mut self, mount: &JsonPath) -> Self {
        self.problem.path = path_of(mount.segments().into_iter().chain(self.problem.path.segments()));
        self
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
