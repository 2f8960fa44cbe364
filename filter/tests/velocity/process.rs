//! The Java process that knows what Velocity does; `Oracle.java` says how the frames look.

use serde_json::Value;
use std::env;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

/// What Velocity made of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Rendered(String),
    /// It does not parse.
    Refused(String),
    /// An exception ended the rendering.
    Ended(String),
}

/// A running process.
pub struct Oracle {
    child: Child,
    input: Option<BufWriter<ChildStdin>>,
    output: BufReader<ChildStdout>,
}

/// Where Debian's package `velocity` and those that it needs put their classes.
const DEBIAN: [&str; 3] =
    ["/usr/share/java/velocity.jar", "/usr/share/java/commons-collections3.jar", "/usr/share/java/commons-lang.jar"];

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/velocity/Oracle.java");

// === impl Oracle ===

impl Oracle {
    /// Starts Java; why it cannot, otherwise.
    pub fn start() -> Result<Self, String> {
        let classpath = match env::var("VELOCITY_CLASSPATH") {
            Ok(classpath) if !classpath.is_empty() => classpath,
            _ => match DEBIAN.iter().find(|jar| !Path::new(jar).exists()) {
                Some(jar) => return Err(format!("there is no {jar}, and VELOCITY_CLASSPATH is not set")),
                None => DEBIAN.join(":"),
            },
        };
        let mut java = Command::new("java");
        java.args(["-Xmx512m", "-XX:TieredStopAtLevel=1", "-cp", &classpath, SOURCE]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = java.spawn().map_err(|error| format!("java: {error}"))?;
        let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else { return Err("java: no pipes".into()) };
        let mut oracle = Self { child, input: Some(BufWriter::new(input)), output: BufReader::new(output) };
        match oracle.ask("$a", &serde_json::json!({"a": 1})) {
            Ok(Answer::Rendered(text)) if text == "1" => Ok(oracle),
            other => Err(format!("java answers `$a` with {other:?}; it has to be a JDK, which can run a source file")),
        }
    }

    /// Asks for one.
    pub fn ask(&mut self, template: &str, context: &Value) -> io::Result<Answer> {
        if let Some(input) = &mut self.input {
            write_question(input, template, context)?;
            input.flush()?;
        }
        self.answer()
    }

    /// Asks for all at once.
    pub fn ask_all(&mut self, templates: &[String], context: &Value) -> io::Result<Vec<Answer>> {
        let Some(mut input) = self.input.take() else { return Ok(Vec::new()) };
        thread::scope(|scope| {
            let writer = scope.spawn(move || {
                for template in templates {
                    write_question(&mut input, template, context)?;
                }
                input.flush()?;
                io::Result::Ok(input)
            });
            let answers = templates.iter().map(|_| self.answer()).collect();
            self.input = writer.join().ok().and_then(Result::ok);
            answers
        })
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let mut head = [0; 5];
        self.output.read_exact(&mut head)?;
        let [verdict, length @ ..] = head;
        let mut text = vec![0; u32::from_be_bytes(length) as usize];
        self.output.read_exact(&mut text)?;
        let text = String::from_utf8_lossy(&text).into_owned();
        match verdict {
            b'o' => Ok(Answer::Rendered(text)),
            b'p' => Ok(Answer::Refused(text)),
            b'x' => Ok(Answer::Ended(text)),
            other => Err(io::Error::other(format!("a verdict {other}"))),
        }
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        drop(self.input.take());
        let _ = self.child.wait();
    }
}

fn write_question(out: &mut impl Write, template: &str, context: &Value) -> io::Result<()> {
    write_text(out, template)?;
    write_value(out, context)
}

fn write_length(out: &mut impl Write, length: usize) -> io::Result<()> {
    out.write_all(&u32::try_from(length).map_err(io::Error::other)?.to_be_bytes())
}

fn write_text(out: &mut impl Write, text: &str) -> io::Result<()> {
    write_length(out, text.len())?;
    out.write_all(text.as_bytes())
}

fn write_value(out: &mut impl Write, value: &Value) -> io::Result<()> {
    match value {
        Value::Null => out.write_all(b"n"),
        Value::Bool(true) => out.write_all(b"t"),
        Value::Bool(false) => out.write_all(b"f"),
        Value::Number(number) => {
            let number = number.as_i64().ok_or_else(|| io::Error::other(format!("{number} is no whole number")))?;
            out.write_all(b"i")?;
            out.write_all(&number.to_be_bytes())
        }
        Value::String(text) => {
            out.write_all(b"s")?;
            write_text(out, text)
        }
        Value::Array(items) => {
            out.write_all(b"l")?;
            write_length(out, items.len())?;
            items.iter().try_for_each(|item| write_value(out, item))
        }
        Value::Object(entries) => {
            out.write_all(b"m")?;
            write_length(out, entries.len())?;
            entries.iter().try_for_each(|(key, item)| {
                write_text(out, key)?;
                write_value(out, item)
            })
        }
    }
}
