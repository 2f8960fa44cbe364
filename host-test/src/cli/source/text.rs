//! The text of a file, and where in it a byte stands: lines and columns are what people and editors count in.

use std::fmt;

/// Which of the files of a [`Source`](super::Source).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub usize);

/// A run of bytes in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Its first byte.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// A line and a column, both from one; columns count characters, as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// From one.
    pub line: usize,
    /// From one.
    pub column: usize,
}

/// A file that was read.
pub struct SourceFile {
    /// As the user wrote it; `<stdin>` for `-`.
    pub name: String,
    /// Its text, without a byte order mark.
    pub text: String,
    line_starts: Vec<usize>,
}

// === impl SourceFile ===

impl SourceFile {
    /// Takes the text of a file; an editor's byte order mark is not part of it.
    pub fn new(name: String, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1));
        Self { name, text, line_starts }
    }

    /// Where a byte stands.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.clamp(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count());
        Position { line: line + 1, column: column + 1 }
    }

    /// The byte at which a line starts, lines counted from one.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// A line without its end, lines counted from one.
    pub fn line(&self, line: usize) -> &str {
        let rest = self.text.get(self.line_start(line)..).unwrap_or("");
        rest.split('\n').next().unwrap_or("").trim_end_matches('\r')
    }

    fn clamp(&self, offset: usize) -> usize {
        let mut offset = offset.min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        offset
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_at_line_feeds() {
        let file = SourceFile::new("x".into(), "\u{feff}a: ü\r\nbé: 1\n");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        assert_eq!(file.position(file.text.find('1').unwrap()), Position { line: 2, column: 5 });
        assert_eq!(file.line(1), "a: ü");
        assert_eq!(file.line(2), "bé: 1");
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let file = SourceFile::new("x".into(), "ab");
        assert_eq!(file.position(99), Position { line: 1, column: 3 });
    }
}
