//! Reads texts, references and directives. The words and blanks of Velocity 1.7: `#end` is one only where no letter follows, a
//! directive takes the rest of a blank line with it, `#set` also blanks in front of it that stand at no line's begin.

use super::ast::{Block, Expression, Node, Print, Reference};
use super::cursor::Cursor;
use super::syntax::Wrong;

/// What ended a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closer {
    EndOfText,
    End,
    Else,
    ElseIf,
}

/// Directives that a backslash escapes. API Gateway has no `#include`, `#parse`, `#evaluate`: they stay as they are written (recorded).
const DIRECTIVES: [&str; 11] = ["if", "elseif", "else", "end", "set", "stop", "foreach", "break", "define", "macro", "literal"];

/// Reads a whole template.
pub fn template(cursor: &mut Cursor<'_, '_>) -> Result<Block, Wrong> {
    let mut reader = Reader::default();
    match reader.block(cursor)? {
        (closer @ (Closer::End | Closer::Else | Closer::ElseIf), at) => {
            let name = match closer {
                Closer::Else => "#else",
                Closer::ElseIf => "#elseif",
                _ => "#end",
            };
            Wrong::new(at, format!("`{name}` without a directive that it belongs to"))
        }
        (Closer::EndOfText, _) => Ok(reader.finish()),
    }
}

/// What was read of a block.
#[derive(Default)]
struct Reader {
    nodes: Block,
    /// Text that no node ended yet.
    text: String,
}

// === impl Reader ===

impl Reader {
    fn finish(mut self) -> Block {
        self.flush();
        self.nodes
    }

    fn flush(&mut self) {
        if !self.text.is_empty() {
            self.nodes.push(Node::Text(std::mem::take(&mut self.text).into_boxed_str()));
        }
    }

    fn push(&mut self, node: Node) {
        self.flush();
        self.nodes.push(node);
    }

    /// Reads up to what ends the block; where that is.
    fn block(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(Closer, usize), Wrong> {
        loop {
            let start = cursor.at;
            if let Some(length) = set_ahead(cursor) {
                self.set(cursor, length)?;
                continue;
            }
            match cursor.byte(0) {
                b'$' => self.reference(cursor, start)?,
                b'#' => {
                    if let Some(closer) = self.hash(cursor)? {
                        return Ok((closer, start));
                    }
                }
                b'\\' => self.backslashes(cursor)?,
                _ if cursor.rest().is_empty() => return Ok((Closer::EndOfText, start)),
                _ => {
                    cursor.at += cursor.run(0, |byte| !matches!(byte, b'$' | b'#' | b'\\'));
                    self.text.push_str(cursor.since(start));
                }
            }
        }
    }

    /// A block of its own, up to its `#end`.
    fn body(&mut self, cursor: &mut Cursor<'_, '_>, opener: usize, name: &str) -> Result<Block, Wrong> {
        cursor.enter(opener)?;
        let mut inner = Self::default();
        let (closer, at) = inner.block(cursor)?;
        cursor.leave();
        match closer {
            Closer::End => Ok(inner.finish()),
            Closer::EndOfText => Wrong::new(opener, format!("`#{name}` has no `#end`")),
            Closer::Else => Wrong::new(at, format!("`#else` within `#{name}` without an `#if`")),
            Closer::ElseIf => Wrong::new(at, format!("`#elseif` within `#{name}` without an `#if`")),
        }
    }

    /// Backslashes mean something in front of references and directives only.
    fn backslashes(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<(), Wrong> {
        let start = cursor.at;
        let count = cursor.run(0, |byte| byte == b'\\');
        cursor.at += count;
        let (length, name) = if cursor.byte(0) == b'#' { directive_name(cursor) } else { (0, "") };
        let known = DIRECTIVES.contains(&name);
        let braces = cursor.byte(1) == b'{';
        // Two in front of a directive are one; in front of `#set` and of most names in braces Velocity leaves both.
        let control = ["if", "elseif", "else", "end", "stop"].contains(&name) || (!braces && name != "set");
        match cursor.byte(0) {
            b'$' => return self.reference(cursor, start),
            b'#' if count % 2 == 1 && known => {
                self.text.extend(std::iter::repeat_n('\\', count / 2));
                let start = cursor.at;
                cursor.at += length;
                self.text.push_str(cursor.since(start));
            }
            b'#' if count % 2 == 1 => {
                cursor.at += length;
                self.text.push_str(cursor.since(start));
            }
            b'#' if known && control => self.text.extend(std::iter::repeat_n('\\', count / 2)),
            _ => self.text.push_str(cursor.since(start)),
        }
        Ok(())
    }

    /// A reference at `$`; what is none is text.
    fn reference(&mut self, cursor: &mut Cursor<'_, '_>, start: usize) -> Result<(), Wrong> {
        let dollar = cursor.at;
        let slashes = dollar - start;
        let Some(reference) = cursor.reference()? else {
            // `$!` alone is `$` (measured with Velocity 1.7).
            let bang = cursor.since(dollar) == "$!";
            self.text.push_str(if bang { cursor.text.get(start..=dollar).unwrap_or_default() } else { cursor.since(start) });
            return Ok(());
        };
        let literal = cursor.since(dollar);
        self.text.extend(std::iter::repeat_n('\\', slashes / 2));
        if slashes % 2 == 1 {
            // An escaped reference prints as it is written, whether or not there is something behind it: to API Gateway there
            // always is, an empty text.
            self.text.push_str(literal);
        } else {
            self.push(Node::Print(Print { reference, literal: literal.into() }));
        }
        Ok(())
    }

    fn set(&mut self, cursor: &mut Cursor<'_, '_>, length: usize) -> Result<(), Wrong> {
        let opener = cursor.at + cursor.run(0, |byte| matches!(byte, b' ' | b'\t'));
        cursor.at += length;
        cursor.skip_space();
        let target = match cursor.byte(0) {
            b'$' => cursor.reference()?,
            _ => None,
        };
        let Some(target) = target else {
            return Wrong::new(cursor.at, format!("{} where `#set(` needs a reference", cursor.found()));
        };
        cursor.skip_space();
        if cursor.byte(1) == b'=' || !cursor.take("=") {
            return Wrong::new(cursor.at, format!("{} where `#set` needs `=`", cursor.found()));
        }
        let value = cursor.expression()?;
        cursor.close(opener, "#set(")?;
        self.push(Node::Set(target, value));
        Ok(())
    }

    /// Something that begins with `#`.
    fn hash(&mut self, cursor: &mut Cursor<'_, '_>) -> Result<Option<Closer>, Wrong> {
        let start = cursor.at;
        match cursor.byte(1) {
            b'#' => {
                cursor.at += cursor.run(0, |byte| !matches!(byte, b'\n' | b'\r'));
                cursor.skip_line_end();
                return Ok(None);
            }
            b'*' => return self.until(cursor, "#*", "*#").map(|_| None),
            b'[' if cursor.byte(2) == b'[' => {
                let text = self.until(cursor, "#[[", "]]#")?;
                self.text.push_str(text);
                return Ok(None);
            }
            _ => {}
        }
        let (length, name) = directive_name(cursor);
        if length == 0 {
            self.text.push('#');
            cursor.at += 1;
            return Ok(None);
        }
        cursor.at += length;
        match name {
            "end" => {
                cursor.skip_line_end();
                return Ok(Some(Closer::End));
            }
            "else" => {
                cursor.skip_line_end();
                return Ok(Some(Closer::Else));
            }
            "elseif" => return Ok(Some(Closer::ElseIf)),
            "stop" => self.push(Node::Stop),
            "if" => self.if_directive(cursor, start)?,
            _ => self.directive(cursor, start, name)?,
        }
        Ok(None)
    }

    fn until<'t>(&mut self, cursor: &mut Cursor<'t, '_>, opener: &str, closer: &str) -> Result<&'t str, Wrong> {
        let start = cursor.at;
        let inner = cursor.rest().get(opener.len()..).unwrap_or_default();
        let Some(length) = inner.find(closer) else {
            return Wrong::new(start, format!("`{opener}` has no `{closer}`"));
        };
        cursor.at += opener.len() + length + closer.len();
        Ok(inner.get(..length).unwrap_or_default())
    }

    fn if_directive(&mut self, cursor: &mut Cursor<'_, '_>, opener: usize) -> Result<(), Wrong> {
        cursor.enter(opener)?;
        let (mut arms, mut closer, mut start) = (Vec::new(), Closer::ElseIf, opener);
        while closer == Closer::ElseIf {
            let name = if arms.is_empty() { "#if" } else { "#elseif" };
            cursor.skip_space();
            if !cursor.take("(") {
                return Wrong::new(start, format!("`{name}` needs a condition in brackets"));
            }
            let condition = cursor.expression()?;
            cursor.close(start, name)?;
            let mut inner = Self::default();
            (closer, start) = inner.block(cursor)?;
            arms.push((condition, inner.finish()));
        }
        let mut otherwise = Block::new();
        if closer == Closer::Else {
            let mut inner = Self::default();
            (closer, start) = inner.block(cursor)?;
            otherwise = inner.finish();
        }
        cursor.leave();
        match closer {
            Closer::End => {}
            Closer::EndOfText => return Wrong::new(opener, "`#if` has no `#end`"),
            Closer::Else => return Wrong::new(start, "a second `#else` of one `#if`"),
            Closer::ElseIf => return Wrong::new(start, "`#elseif` after the `#else`"),
        }
        self.push(Node::If(arms, otherwise));
        Ok(())
    }

    /// The other directives, and names that are none. The cursor is behind the name.
    fn directive(&mut self, cursor: &mut Cursor<'_, '_>, start: usize, name: &str) -> Result<(), Wrong> {
        let blanks = cursor.run(0, |byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r'));
        let brackets = cursor.byte(blanks) == b'(';
        match name {
            "break" if !brackets => self.push(Node::Break(None)),
            "foreach" | "define" | "macro" if !brackets => {
                return Wrong::new(start, format!("`#{name}` needs arguments in brackets"));
            }
            _ if !brackets => self.text.push_str(cursor.since(start)),
            "foreach" => {
                cursor.at += blanks + 1;
                let variable = self.variable(cursor, "foreach")?;
                cursor.skip_space();
                if cursor.word(0) != 2 || !cursor.take("in") {
                    return Wrong::new(cursor.at, format!("{} where `#foreach` needs `in`", cursor.found()));
                }
                let items = cursor.argument()?;
                cursor.close(start, "#foreach")?;
                let body = self.body(cursor, start, name)?;
                self.push(Node::Foreach(variable, items, body));
            }
            "define" => {
                cursor.at += blanks + 1;
                let variable = self.variable(cursor, "define")?;
                cursor.close(start, "#define")?;
                let body = self.body(cursor, start, name)?;
                self.push(Node::Define(variable, body));
            }
            _ => {
                cursor.at += blanks + 1;
                let mut arguments = self.arguments(cursor, start, name)?;
                if name == "break" {
                    self.push(Node::Break(arguments.pop()));
                    return Ok(());
                }
                let inner = cursor.at;
                let mut end = cursor.at;
                if matches!(name, "macro" | "literal") || name.starts_with('@') {
                    self.body(cursor, start, name)?;
                    let text = cursor.since(inner);
                    end = inner + text.rfind('#').unwrap_or(text.len());
                }
                match name {
                    // A macro is read, but not known afterwards: its calls stay as they are written (recorded).
                    "macro" => {}
                    "literal" => self.text.push_str(cursor.text.get(inner..end).unwrap_or_default()),
                    _ => self.text.push_str(cursor.since(start)),
                }
            }
        }
        Ok(())
    }

    fn variable(&mut self, cursor: &mut Cursor<'_, '_>, name: &str) -> Result<usize, Wrong> {
        cursor.skip_space();
        let at = cursor.at;
        match cursor.byte(0) {
            b'$' => match cursor.reference()? {
                Some(Reference { slot, links }) if links.is_empty() => Ok(slot),
                _ => Wrong::new(at, format!("`#{name}` needs the plain name of a variable")),
            },
            _ => Wrong::new(at, format!("{} where `#{name}` needs a variable", cursor.found())),
        }
    }

    /// What stands in the brackets of a directive that nobody asks for its arguments, of `#break`, of `#macro`.
    fn arguments(&mut self, cursor: &mut Cursor<'_, '_>, start: usize, name: &str) -> Result<Vec<Expression>, Wrong> {
        let mut arguments = Vec::new();
        loop {
            cursor.skip_space();
            if cursor.take(",") {
                cursor.skip_space();
            } else if cursor.byte(0) == b')' || cursor.rest().is_empty() {
                cursor.close(start, &format!("#{name}("))?;
                return Ok(arguments);
            }
            match cursor.word(0) {
                0 => arguments.push(cursor.argument()?),
                length => cursor.at += length,
            }
        }
    }
}

/// How long `#set(` with the blanks in front of it is, if it is here.
fn set_ahead(cursor: &Cursor<'_, '_>) -> Option<usize> {
    let blanks = cursor.run(0, |byte| matches!(byte, b' ' | b'\t'));
    let rest = cursor.rest().get(blanks..)?;
    let after = rest.strip_prefix("#set").or_else(|| rest.strip_prefix("#{set}"))?.trim_start_matches(' ');
    let after = after.strip_prefix('(')?;
    Some(cursor.rest().len() - after.len())
}

/// The name behind a `#`, and how long both and braces are; no name: 0.
fn directive_name<'t>(cursor: &Cursor<'t, '_>) -> (usize, &'t str) {
    let name = |from: usize, length: usize| cursor.rest().get(from..from + length).unwrap_or_default();
    if cursor.byte(1) == b'{' {
        let length = cursor.word(2);
        let whole = length > 0 && cursor.byte(2) != b'@' && cursor.byte(2 + length) == b'}';
        return if whole { (length + 3, name(2, length)) } else { (0, "") };
    }
    match cursor.word(1) {
        0 => (0, ""),
        length => (length + 1, name(1, length)),
    }
}
