//! Reads texts, references and directives. The words and blanks of Velocity 1.7: `#end` is one only where no letter follows, a
//! directive takes the rest of a blank line with it, `#set` also blanks in front of it that stand at no line's begin.

use super::ast::{Block, Expression, Link, Node, Print, Reference};
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
            if let Some(length) = cursor.set_ahead() {
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
        let (length, name) = if cursor.byte(0) == b'#' { cursor.directive_name() } else { (0, "") };
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
            self.lone_dollar(cursor, start, dollar);
            return Ok(());
        };
        let literal = cursor.since(dollar);
        self.text.extend(std::iter::repeat_n('\\', slashes / 2));
        let last = reference.links.last().map(|link| matches!(link, Link::Property(_)));
        let asked = reference.links.iter().rev().find(|link| !matches!(link, Link::Index(_)));
        let is_property = matches!(asked, Some(Link::Property(_)));
        if slashes % 2 == 1 {
            // An escaped reference prints as it is written, whether or not there is something behind it: to API Gateway there
            // always is, an empty text.
            self.text.push_str(literal);
        } else {
            self.push(Node::Print(Print { reference, literal: literal.into() }));
        }
        match last {
            _ if literal.ends_with('}') => {}
            // `{name}` that touches a reference is read as one without its `$`, and only its brace prints (measured with Velocity 1.7,
            // as all of these).
            _ if cursor.byte(0) == b'{' && (cursor.byte(1).is_ascii_alphabetic() || cursor.byte(1) == b'_') => {
                let opener = cursor.at;
                cursor.at += 1;
                self.text.push('{');
                cursor.identifier();
                cursor.links(&mut Vec::new())?;
                if !cursor.take("}") {
                    return cursor.unclosed(opener, "{", "}");
                }
            }
            // Behind a property `##` is no comment.
            Some(_) if is_property && cursor.take("##") => self.text.push_str("##"),
            // So is a name that touches an index or a call, and only its first word prints.
            Some(false) => {
                if let Some(name) = cursor.identifier() {
                    self.text.push_str(name);
                    cursor.links(&mut Vec::new())?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A `$` that begins no reference is text; of `$!` the `$` is. It goes away where it touches one of the directives that are words
    /// of the language (measured with Velocity 1.7). assumed(template-end-mark): a `$` or a `#` at the very end is text, too, which
    /// Velocity refuses: a template that ends so is meant so.
    fn lone_dollar(&mut self, cursor: &Cursor<'_, '_>, start: usize, dollar: usize) {
        let words = ["if", "elseif", "else", "end"];
        let is_directive = cursor.byte(0) == b'#' && words.contains(&cursor.directive_name().1);
        if is_directive || cursor.set_ahead().is_some_and(|_| cursor.byte(0) == b'#') {
            self.text.truncate(self.text.trim_end_matches('$').len());
            return;
        }
        let bang = cursor.since(dollar) == "$!" && !matches!(cursor.byte(0), b'$' | b'#' | b'{' | b'}');
        self.text.push_str(if bang { cursor.text.get(start..=dollar).unwrap_or_default() } else { cursor.since(start) });
    }

    fn set(&mut self, cursor: &mut Cursor<'_, '_>, length: usize) -> Result<(), Wrong> {
        let opener = cursor.at + cursor.run(0, |byte| matches!(byte, b' ' | b'\t'));
        cursor.at += length;
        cursor.skip_space();
        let target = self.target(cursor, "set")?;
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
            b'*' => {
                // One that is not closed goes on to the end.
                if self.until(cursor, "#*", "*#").is_err() {
                    cursor.at = cursor.text.len();
                }
                return Ok(None);
            }
            b'[' if cursor.byte(2) == b'[' => {
                let text = self.until(cursor, "#[[", "]]#")?;
                self.text.push_str(text);
                return Ok(None);
            }
            _ => {}
        }
        let (length, name) = cursor.directive_name();
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
                let variable = self.target(cursor, "foreach")?.slot;
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
                let variable = self.target(cursor, "define")?.slot;
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

    /// The reference that a directive sets. With `#set` and `#define`, `${name}` and `$!name` are no variable that a template could
    /// name: Velocity 1.7 takes what follows the `$` for the name.
    fn target(&mut self, cursor: &mut Cursor<'_, '_>, directive: &str) -> Result<Reference, Wrong> {
        cursor.skip_space();
        let start = cursor.at;
        let reference = if cursor.byte(0) == b'$' { cursor.reference()? } else { None };
        let Some(mut reference) = reference else {
            return Wrong::new(start, format!("{} where `#{directive}(` needs a reference", cursor.found()));
        };
        if directive != "foreach" && reference.links.is_empty() && cursor.since(start).contains(['{', '!']) {
            reference.slot = cursor.names.slot("{");
        }
        Ok(reference)
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
