//! The pages of the project, as far as tests read Markdown: fenced blocks, headings, tables, code spans and links.
#![allow(dead_code, reason = "each test target uses its own part of it")]

use std::path::{Path, PathBuf};

/// One page.
pub struct Page {
    /// Where it is, from the root of the repository.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// What stands behind the fence.
    pub language: String,
    /// The line of its fence, from 1.
    pub line: usize,
    /// What stands between the fences.
    pub text: String,
}

/// A command of a `console` block and what it prints.
pub struct Step {
    /// Without `$ `, continuation lines joined.
    pub command: String,
    /// Up to the next command.
    pub output: String,
    /// Where it stands, from 1.
    pub line: usize,
    /// How many lines the command takes.
    pub height: usize,
}

/// A row of a table, by its column headings.
pub struct Row {
    /// The heading above the table.
    pub section: String,
    /// Heading and cell.
    pub cells: Vec<(String, String)>,
}

/// README.md, docs/*.md, examples/*/README.md.
pub fn all(repository: &Path) -> Vec<Page> {
    let mut paths = vec![repository.join("README.md")];
    for folder in ["docs", "examples"] {
        for entry in std::fs::read_dir(repository.join(folder)).expect("the folder is there") {
            let path = entry.expect("a folder can be read").path();
            let page = if path.is_dir() { path.join("README.md") } else { path };
            if page.extension().is_some_and(|extension| extension == "md") {
                paths.push(page);
            }
        }
    }
    paths.sort();
    paths.iter().map(|path| Page::read(repository, path)).collect()
}

// === impl Page ===

impl Page {
    /// Reads one page.
    pub fn read(repository: &Path, path: &Path) -> Self {
        let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let name = path.strip_prefix(repository).unwrap_or(path).display().to_string();
        Self { name, text }
    }

    /// The folder that its links start from.
    pub fn folder(&self, repository: &Path) -> PathBuf {
        repository.join(&self.name).parent().expect("a page is in a folder").to_owned()
    }

    /// Its fenced blocks.
    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (index, line) in self.text.lines().enumerate() {
            match (&mut open, line.strip_prefix("```")) {
                (Some(_), Some("")) => blocks.extend(open.take()),
                (Some(block), _) => block.text.push_str(&format!("{line}\n")),
                (None, Some(language)) => {
                    open = Some(Block { language: language.trim().to_owned(), line: index + 1, text: String::new() });
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a fence is left open", self.name);
        blocks
    }

    /// The commands of its `console` blocks.
    pub fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for block in self.blocks().iter().filter(|block| block.language == "console") {
            let first = steps.len();
            let mut continued = false;
            for (index, line) in block.text.lines().enumerate() {
                let command = line.strip_prefix("$ ");
                match (command, steps.get_mut(first..).and_then(<[Step]>::last_mut)) {
                    (None, Some(step)) if continued => {
                        step.command.push_str(&format!(" {}", line.trim()));
                        step.height += 1;
                    }
                    (None, Some(step)) => step.output.push_str(&format!("{line}\n")),
                    (None, None) => panic!("{}:{}: a console block starts with `$ `", self.name, block.line + 1),
                    (Some(command), _) => {
                        let line = block.line + index + 1;
                        steps.push(Step { command: command.to_owned(), output: String::new(), line, height: 1 });
                    }
                }
                let step = steps.last_mut().expect("a command stands first");
                continued = step.output.is_empty() && step.command.ends_with('\\');
                if continued {
                    step.command.truncate(step.command.trim_end_matches('\\').trim_end().len());
                }
            }
        }
        steps
    }

    /// Puts other output below a step. Steps above it stay where they are, so a page is mended from its end.
    pub fn set_output(&mut self, step: &Step, output: &str) {
        let mut lines: Vec<&str> = self.text.lines().collect();
        let start = step.line - 1 + step.height;
        lines.splice(start..start + step.output.lines().count(), output.trim_end().lines());
        self.text = lines.join("\n") + "\n";
    }

    /// Its lines without those of fenced blocks.
    pub fn prose(&self) -> Vec<&str> {
        let mut fenced = false;
        let mut lines = Vec::new();
        for line in self.text.lines() {
            if line.starts_with("```") {
                fenced = !fenced;
            } else if !fenced {
                lines.push(line);
            }
        }
        lines
    }

    /// The texts of its headings.
    pub fn headings(&self) -> Vec<&str> {
        let text = |line: &&str| line.starts_with('#');
        self.prose().into_iter().filter(text).map(|line| line.trim_start_matches('#').trim()).collect()
    }

    /// Where its headings can be linked to, as GitHub makes it.
    pub fn anchors(&self) -> Vec<String> {
        self.headings().into_iter().map(anchor).collect()
    }

    /// The rows of its tables, head rows left out.
    pub fn rows(&self) -> Vec<Row> {
        let (mut rows, mut section, mut columns) = (Vec::new(), String::new(), Vec::new());
        let mut before: Vec<String> = Vec::new();
        for line in self.prose() {
            if line.starts_with('#') {
                line.trim_start_matches('#').trim().clone_into(&mut section);
            }
            let Some(inner) = line.trim().strip_prefix('|').and_then(|rest| rest.strip_suffix('|')) else {
                columns.clear();
                before.clear();
                continue;
            };
            // A pipe in a cell is written `\|`.
            let cells: Vec<String> =
                inner.replace("\\|", "\u{1}").split('|').map(|cell| cell.trim().replace('\u{1}', "|")).collect();
            if cells.iter().all(|cell| !cell.is_empty() && cell.bytes().all(|byte| matches!(byte, b'-' | b':'))) {
                columns = std::mem::take(&mut before);
            } else if columns.is_empty() {
                before = cells;
            } else {
                assert_eq!(cells.len(), columns.len(), "{}: a row has not as many cells as its head: {line}", self.name);
                rows.push(Row { section: section.clone(), cells: columns.iter().cloned().zip(cells).collect() });
            }
        }
        rows
    }

    /// Texts between single backticks outside fenced blocks.
    pub fn spans(&self) -> Vec<String> {
        self.prose().into_iter().flat_map(|line| line.split('`').skip(1).step_by(2)).map(str::to_owned).collect()
    }

    /// Targets of its links.
    pub fn links(&self) -> Vec<String> {
        let target = |part: &str| part.split_once(')').map(|(target, _)| target.to_owned());
        self.prose().into_iter().flat_map(|line| line.split("](").skip(1)).filter_map(target).collect()
    }
}

/// `Known gaps` -> `known-gaps`
pub fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

// === impl Row ===

impl Row {
    /// The cell of a column; panics when the table has no such column.
    pub fn cell(&self, column: &str) -> &str {
        let cell = self.cells.iter().find(|(heading, _)| heading.eq_ignore_ascii_case(column));
        &cell.unwrap_or_else(|| panic!("the table under `{}` has no column `{column}`", self.section)).1
    }

    /// Whether the table has a column.
    pub fn has(&self, column: &str) -> bool {
        self.cells.iter().any(|(heading, _)| heading.eq_ignore_ascii_case(column))
    }
}
