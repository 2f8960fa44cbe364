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
    /// How many characters start before each multiple of [`STEP`] bytes: a file may be one line, and have many problems.
    counted: Vec<usize>,
}

/// Bytes from one count of characters to the next.
const STEP: usize = 1024;

/// The bytes at which lines start. They end at line feeds, carriage returns and both together, as YAML has it.
pub fn line_starts(text: &[u8]) -> Vec<usize> {
    let ends = |at: usize| text[at] == b'\n' || text[at] == b'\r' && text.get(at + 1) != Some(&b'\n');
    std::iter::once(0).chain((0..text.len()).filter(|at| ends(*at)).map(|at| at + 1)).collect()
}

fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| !matches!(byte, 0x80..=0xbf)).count()
}

// === impl SourceFile ===

impl SourceFile {
    /// Takes the text of a file; an editor's byte order mark is not part of it.
    pub fn new(name: String, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).to_owned();
        let counted = text.as_bytes().chunks(STEP).scan(0, |before, chunk| {
            let here = *before;
            *before += characters(chunk);
            Some(here)
        });
        Self { name, line_starts: line_starts(text.as_bytes()), counted: counted.collect(), text }
    }

    /// Where a byte stands.
    pub fn position(&self, offset: usize) -> Position {
        let offset = self.clamp(offset);
        let line = self.line_starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = self.line_starts.get(line).copied().unwrap_or(0);
        let column = self.characters_before(offset) - self.characters_before(start);
        Position { line: line + 1, column: column + 1 }
    }

    /// The byte at which a line starts, lines counted from one.
    pub fn line_start(&self, line: usize) -> usize {
        self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len())
    }

    /// The characters of a line without its end, lines counted from one.
    pub fn line_length(&self, line: usize) -> usize {
        let (start, end) = self.line_bounds(line);
        self.characters_before(end) - self.characters_before(start)
    }

    /// Some characters of a line: `count` from the one that `from` others stand before.
    pub fn cut(&self, line: usize, from: usize, count: usize) -> impl Iterator<Item = char> {
        let (start, end) = self.line_bounds(line);
        let wanted = self.characters_before(start) + from;
        let known = self.counted.partition_point(|before| *before <= wanted).saturating_sub(1);
        let mut at = (known * STEP).min(end);
        while !self.text.is_char_boundary(at) {
            at += 1;
        }
        let skipped = wanted - self.counted.get(known).copied().unwrap_or(0);
        self.text.get(at..end).unwrap_or("").chars().skip(skipped).take(count)
    }

    fn line_bounds(&self, line: usize) -> (usize, usize) {
        let start = self.line_start(line);
        let text = self.text.get(start..self.line_start(line + 1)).unwrap_or("");
        (start, start + text.trim_end_matches(['\n', '\r']).len())
    }

    fn characters_before(&self, offset: usize) -> usize {
        let known = (offset / STEP).min(self.counted.len().saturating_sub(1));
        let rest = self.text.as_bytes().get(known * STEP..offset).unwrap_or(&[]);
        self.counted.get(known).copied().unwrap_or(0) + characters(rest)
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
    fn columns_count_characters_and_lines_end_at_line_feeds_and_carriage_returns() {
        let file = SourceFile::new("x".into(), "\u{feff}a: ü\r\nbé: 1\rc: 2\n\rd: 3");
        assert_eq!(file.position(0), Position { line: 1, column: 1 });
        for (character, line, column) in [('1', 2, 5), ('2', 3, 4), ('3', 5, 4)] {
            assert_eq!(file.position(file.text.find(character).unwrap()), Position { line, column });
        }
        let lines: Vec<String> = (1..=6).map(|line| file.cut(line, 0, 99).collect()).collect();
        assert_eq!(lines, ["a: ü", "bé: 1", "c: 2", "", "d: 3", ""]);
    }

    #[test]
    fn a_long_line_is_counted_and_cut_like_a_short_one() {
        let line: String = "aé€😀".chars().cycle().take(10_000).collect();
        let file = SourceFile::new("x".into(), &format!("{line}\n{line}\n"));
        for (before, (at, character)) in line.char_indices().enumerate() {
            assert_eq!(file.position(line.len() + 1 + at), Position { line: 2, column: before + 1 });
            assert!(file.cut(2, before, 1).eq([character]), "{before}");
        }
        assert_eq!(file.line_length(2), 10_000);
    }

    #[test]
    fn an_offset_past_the_end_is_the_end() {
        let file = SourceFile::new("x".into(), "ab");
        assert_eq!(file.position(99), Position { line: 1, column: 3 });
    }
}
