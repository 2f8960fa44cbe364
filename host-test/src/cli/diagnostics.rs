//! How problems are shown: to people in the manner of rustc, with the line that is meant, and to programs as JSON.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use tollgate::problem::Severity;

use super::progress;
use super::source::{Finding, Position, Source, SourceFile};

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const BAR: Style = AnsiColor::Blue.on_default().bold();
const STRONG: Style = Style::new().bold();

/// Characters of a line that are shown: a definition on one line must not fill the screen.
const WIDTH: usize = 120;

/// A problem with everything that is shown of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Refused, or served with a word of warning.
    pub severity: Severity,
    /// The file, as the user named it.
    pub file: String,
    /// Where in the file, if it stands there at all.
    pub place: Option<Place>,
    /// The JSON path; empty in a text that has none.
    pub path: String,
    /// What.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// A place in a file and the line around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// From one.
    pub line: usize,
    /// From one, in characters.
    pub column: usize,
    excerpt: String,
    /// Where in the excerpt, in characters from zero, and how many of them.
    caret: (usize, usize),
}

/// How to show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Human,
    /// For programs: one JSON object
    Json,
}

/// How many of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// They forbid serving.
    pub errors: usize,
    /// They do not.
    pub warnings: usize,
}

// === impl Diagnostic ===

impl Diagnostic {
    /// Gives a finding its place in the files of a source.
    pub fn new(source: &Source, finding: &Finding) -> Self {
        let problem = &finding.problem;
        let span = finding.span.or_else(|| source.place(&problem.path, problem.about));
        let file = span.map_or(0, |span| span.file.0);
        let file = source.files().get(file).or_else(|| source.files().first());
        let place = span.zip(file).map(|(span, file)| Place::new(file, span.start, span.end));
        Self {
            severity: problem.severity,
            file: file.map_or_else(String::new, |file| file.name.clone()),
            place,
            path: source.shown(&problem.path).to_string(),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }

    /// For people.
    fn write(&self, out: &mut String) {
        let (style, word) = match self.severity {
            Severity::Error => (ERROR, "error"),
            Severity::Warning => (WARNING, "warning"),
        };
        let _ = writeln!(out, "{style}{word}{style:#}{STRONG}: {}{STRONG:#}", printable(&self.message));
        let file = printable(&self.file);
        let gutter = match &self.place {
            None => {
                let _ = writeln!(out, " {BAR}-->{BAR:#} {file}");
                1
            }
            Some(place) => {
                let gutter = place.line.to_string().len();
                let (before, width) = place.caret;
                let _ = writeln!(out, "{:gutter$}{BAR}-->{BAR:#} {file}:{}:{}", "", place.line, place.column);
                let _ = writeln!(out, "{:gutter$} {BAR}|{BAR:#}", "");
                let _ = writeln!(out, "{BAR}{} |{BAR:#} {}", place.line, place.excerpt);
                let _ = writeln!(out, "{:gutter$} {BAR}|{BAR:#} {:before$}{style}{:^<width$}{style:#}", "", "", "");
                gutter
            }
        };
        if !self.path.is_empty() {
            let _ = writeln!(out, "{:gutter$} {BAR}={BAR:#} {STRONG}path{STRONG:#}: {}", "", printable(&self.path));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{:gutter$} {BAR}={BAR:#} {STRONG}help{STRONG:#}: {}", "", printable(help));
        }
        out.push('\n');
    }

    /// For programs.
    pub fn to_json(&self) -> Value {
        json!({
            "severity": match self.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "file": self.file,
            "line": self.place.as_ref().map(|place| place.line),
            "column": self.place.as_ref().map(|place| place.column),
            "path": self.path,
            "message": self.message,
            "help": self.help,
        })
    }
}

// === impl Place ===

impl Place {
    /// The place of one character, by its line and column.
    pub fn at(file: &SourceFile, line: usize, column: usize) -> Self {
        let before: usize = file.cut(line, 0, column.saturating_sub(1)).map(char::len_utf8).sum();
        let start = file.line_start(line) + before;
        Self::new(file, start, start + 1)
    }

    /// Cuts out what is shown of a line: the whole of it if it is short, else what is around the place.
    fn new(file: &SourceFile, start: usize, end: usize) -> Self {
        let Position { line, column } = file.position(start);
        let length = file.line_length(line);
        let end = file.position(end);
        let until = if end.line == line { end.column } else { length + 1 };
        let at = column - 1;
        let from = if length <= WIDTH { 0 } else { at.saturating_sub(WIDTH / 3).min(length - WIDTH) };
        let mut excerpt: String = file.cut(line, from, WIDTH).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut before = at - from.min(at);
        if from > 0 {
            excerpt.insert_str(0, "...");
            before += 3;
        }
        if from + WIDTH < length {
            excerpt.push_str("...");
        }
        let shown = excerpt.chars().count();
        let width = until.saturating_sub(column).min(shown.saturating_sub(before)).max(1);
        Self { line, column, excerpt, caret: (before, width) }
    }
}

// === impl Count ===

impl Count {
    /// Counts them.
    pub fn of(diagnostics: &[Diagnostic]) -> Self {
        let errors = diagnostics.iter().filter(|d| d.severity == Severity::Error).count();
        Self { errors, warnings: diagnostics.len() - errors }
    }

    /// `3 errors, 1 warning in api.yaml`; nothing when there is nothing to say.
    fn summary(self, file: &str) -> Option<String> {
        let part = |count: usize, word: &str| match count {
            0 => None,
            1 => Some(format!("1 {word}")),
            _ => Some(format!("{count} {word}s")),
        };
        let parts: Vec<_> = part(self.errors, "error").into_iter().chain(part(self.warnings, "warning")).collect();
        if parts.is_empty() { None } else { Some(format!("{} in {}", parts.join(", "), printable(file))) }
    }
}

/// The problems of one file, for people, with a summary.
pub fn human(diagnostics: &[Diagnostic], file: &str) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        diagnostic.write(&mut out);
    }
    if let Some(summary) = Count::of(diagnostics).summary(file) {
        let _ = writeln!(out, "{STRONG}{summary}{STRONG:#}");
    }
    out
}

/// The problems of all files, for programs.
pub fn json(diagnostics: &[Diagnostic]) -> String {
    let count = Count::of(diagnostics);
    let problems: Vec<_> = diagnostics.iter().map(Diagnostic::to_json).collect();
    format!("{:#}\n", json!({"problems": problems, "errors": count.errors, "warnings": count.warnings}))
}

/// Shows problems where they do not get into the way of what the command prints.
pub fn write_to_stderr(diagnostics: &[Diagnostic], file: &str) {
    use std::io::Write as _;
    // A closed standard error leaves nobody to tell.
    let _ = progress::above(|| anstream::stderr().write_all(human(diagnostics, file).as_bytes()));
}

/// Shows why a command could not do its work.
pub fn write_failure(message: &str, help: Option<&str>) {
    use std::io::Write as _;
    let mut text = format!("{ERROR}error{ERROR:#}{STRONG}: {}{STRONG:#}\n", printable(message));
    if let Some(help) = help {
        let _ = writeln!(text, "  {BAR}={BAR:#} {STRONG}help{STRONG:#}: {}", printable(help));
    }
    let _ = progress::above(|| anstream::stderr().write_all(text.as_bytes()));
}

/// A file under test must not be able to move the cursor of whoever reads about it.
pub fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn diagnostic(line: &str, column: usize, width: usize) -> Diagnostic {
        let file = SourceFile::new("api.yaml".into(), &format!("{}{line}", "\n".repeat(11)));
        let start = 11 + column - 1;
        Diagnostic {
            severity: Severity::Error,
            file: "api.yaml".into(),
            place: Some(Place::new(&file, start, start + width)),
            path: "$.paths".into(),
            message: "`htpp` is no integration type".into(),
            help: Some("one of `http`, `mock`".into()),
        }
    }

    fn plain(diagnostics: &[Diagnostic]) -> String {
        anstream::adapter::strip_str(&human(diagnostics, "api.yaml")).to_string()
    }

    #[test]
    fn a_problem_shows_its_place_its_line_its_path_and_its_help() {
        assert_eq!(
            plain(&[diagnostic("\ttype: htpp", 8, 4)]),
            "error: `htpp` is no integration type
  --> api.yaml:12:8
   |
12 |  type: htpp
   |        ^^^^
   = path: $.paths
   = help: one of `http`, `mock`

1 error in api.yaml
"
        );
    }

    #[test]
    fn a_long_line_is_cut_around_the_place() {
        let line = format!("{}NEEDLE{}", "a".repeat(5000), "b".repeat(5000));
        let text = plain(&[diagnostic(&line, 5001, 6)]);
        let shown: Vec<_> = text.lines().skip(3).take(2).collect();
        assert!(shown[0].len() < 150, "{}", shown[0]);
        assert_eq!(shown[0].find("NEEDLE"), shown[1].find("^^^^^^"));
    }

    #[test]
    fn the_problems_of_one_long_line_do_not_each_cost_the_line() {
        let file = SourceFile::new("api.json".into(), &"é".repeat(1_000_000));
        let started = std::time::Instant::now();
        for n in 0..4000 {
            let start = 1_990_000 - 2 * n;
            let place = Place::new(&file, start, start + 2);
            assert_eq!((place.line, place.column), (1, start / 2 + 1));
        }
        assert!(started.elapsed() < std::time::Duration::from_secs(5), "{:?}", started.elapsed());
    }

    #[test]
    fn a_problem_without_a_place_names_the_file() {
        let text = plain(&[Diagnostic { place: None, help: None, ..diagnostic("", 1, 1) }]);
        assert!(text.contains("\n --> api.yaml\n  = path: $.paths\n"), "{text}");
    }

    #[test]
    fn the_summary_counts_and_uses_the_plural() {
        assert_eq!(Count { errors: 3, warnings: 1 }.summary("f").as_deref(), Some("3 errors, 1 warning in f"));
        assert_eq!(Count { errors: 0, warnings: 2 }.summary("f").as_deref(), Some("2 warnings in f"));
        assert_eq!(Count { errors: 0, warnings: 0 }.summary("f"), None);
    }

    #[test]
    fn control_characters_of_a_file_do_not_reach_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
        let text = plain(&[diagnostic("a\u{1b}[31mb", 1, 1)]);
        assert!(!text.contains('\u{1b}'));
    }

    #[test]
    fn programs_get_one_object_with_every_field() {
        let value: Value = serde_json::from_str(&json(&[diagnostic("type: htpp", 7, 4)])).unwrap();
        assert_eq!(value["errors"], 1);
        assert_eq!(
            value["problems"][0],
            json!({"severity": "error", "file": "api.yaml", "line": 12, "column": 7, "path": "$.paths",
                   "message": "`htpp` is no integration type", "help": "one of `http`, `mock`"})
        );
    }
}
