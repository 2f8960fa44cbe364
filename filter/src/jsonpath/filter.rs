//! The filters of a path: `[?(@.price < 10 && @.name =~ /a.*/i)]`.

use super::compare::{Comparison, OPERATORS};
use super::compile::{Compiler, closing};
use super::literal::Literal;
use super::{InvalidPath, Path};
use crate::java_regex::JavaRegex;

/// A condition on a value.
#[derive(Debug, Clone)]
pub enum Expression {
    Or(Vec<Expression>),
    And(Vec<Expression>),
    Not(Box<Expression>),
    /// `@.a`, `!@.a`
    Exists(Path, bool),
    Compare(Operand, Comparison, Operand),
}

/// One side of a comparison.
#[derive(Debug, Clone)]
pub enum Operand {
    Path(Path),
    /// A place among the literals of the whole path.
    Literal(usize),
    /// `/…/i`
    Pattern(Box<JavaRegex>),
}

/// How deep conditions may stand in each other.
const DEPTH: usize = 32;

/// Reads the filter at the place of a compiler.
pub struct FilterReader<'r, 'a> {
    pub compiler: &'r mut Compiler<'a>,
}

// === impl FilterReader ===

impl FilterReader<'_, '_> {
    /// What stands between `?(` and `)`.
    pub fn expression(&mut self) -> Result<Expression, InvalidPath> {
        self.or(DEPTH)
    }

    fn or(&mut self, depth: usize) -> Result<Expression, InvalidPath> {
        let mut any = vec![self.and(depth)?];
        while self.takes("||") {
            any.push(self.and(depth)?);
        }
        Ok(if any.len() > 1 { Expression::Or(any) } else { any.pop().unwrap_or(Expression::Or(Vec::new())) })
    }

    fn and(&mut self, depth: usize) -> Result<Expression, InvalidPath> {
        let mut all = vec![self.operand_of_and(depth)?];
        while self.takes("&&") {
            all.push(self.operand_of_and(depth)?);
        }
        Ok(if all.len() > 1 { Expression::And(all) } else { all.pop().unwrap_or(Expression::And(Vec::new())) })
    }

    fn operand_of_and(&mut self, depth: usize) -> Result<Expression, InvalidPath> {
        let Some(depth) = depth.checked_sub(1) else { return Err(self.compiler.wrong("the filter is nested too deep")) };
        self.compiler.skip_space();
        if self.compiler.take(b'!') {
            self.compiler.skip_space();
            if matches!(self.compiler.peek(), Some(b'$' | b'@')) {
                return self.comparison(false);
            }
            return self.operand_of_and(depth).map(|expression| Expression::Not(Box::new(expression)));
        }
        if self.compiler.take(b'(') {
            let expression = self.or(depth)?;
            self.compiler.skip_space();
            return if self.compiler.take(b')') { Ok(expression) } else { Err(self.compiler.wrong("`)` is due")) };
        }
        self.comparison(true)
    }

    /// `left operator right`, or a path alone that has to be there; a `!` in front of a path counts only when it stands alone.
    fn comparison(&mut self, is_there: bool) -> Result<Expression, InvalidPath> {
        let left = self.operand()?;
        let place = self.compiler.at;
        if let Some(comparison) = self.operator() {
            return Ok(Expression::Compare(left, comparison, self.operand()?));
        }
        self.compiler.at = place;
        match left {
            Operand::Path(path) => Ok(Expression::Exists(path, is_there)),
            _ => Err(self.compiler.wrong("an operator such as `==` is due")),
        }
    }

    fn operator(&mut self) -> Option<Comparison> {
        self.compiler.skip_space();
        let rest = self.compiler.text.get(self.compiler.at..)?;
        let is_symbol = |c: char| matches!(c, '<' | '>' | '=' | '~' | '!');
        let word = if rest.starts_with(is_symbol) { rest.split(|c| !is_symbol(c)).next() } else { rest.split(' ').next() }?;
        let (_, comparison) = OPERATORS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word))?;
        self.compiler.at += word.len();
        Some(*comparison)
    }

    fn operand(&mut self) -> Result<Operand, InvalidPath> {
        self.compiler.skip_space();
        let start = self.compiler.at;
        let rest = self.compiler.text.get(start..).unwrap_or_default();
        let literal = match self.compiler.peek() {
            Some(b'$' | b'@') => return self.path().map(Operand::Path),
            Some(b'/') => return self.pattern().map(|pattern| Operand::Pattern(Box::new(pattern))),
            Some(quote @ (b'\'' | b'"')) => Some(Literal::Text(self.compiler.quoted(quote)?)),
            Some(b'[' | b'{') => {
                let end = closing(self.compiler.text, start).ok_or_else(|| self.compiler.wrong("a bracket is not closed"))?;
                self.compiler.at = end + 1;
                Literal::parse(self.compiler.text.get(start..=end).unwrap_or_default())
            }
            _ => {
                let words = [("true", Literal::Boolean(true)), ("false", Literal::Boolean(false)), ("null", Literal::Null)];
                match words.into_iter().find(|(word, _)| rest.starts_with(word)) {
                    Some((word, literal)) => {
                        self.compiler.at += word.len();
                        Some(literal)
                    }
                    None => {
                        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '.' | 'e' | 'E');
                        let digits = rest.split(|c| !is_number(c)).next().unwrap_or_default();
                        self.compiler.at += digits.len();
                        Literal::number(digits)
                    }
                }
            }
        };
        let literal = literal.ok_or_else(|| self.compiler.wrong("a path, a text, a number, a pattern or JSON is due"))?;
        Ok(Operand::Literal(self.compiler.keep(literal)))
    }

    /// A path goes on to the next blank, operator or bracket that it did not open.
    fn path(&mut self) -> Result<Path, InvalidPath> {
        let start = self.compiler.at;
        self.compiler.at += 1;
        while let Some(byte) = self.compiler.peek() {
            match byte {
                b'[' | b'(' => {
                    let end = closing(self.compiler.text, self.compiler.at);
                    self.compiler.at = end.ok_or_else(|| self.compiler.wrong("a bracket is not closed"))?;
                }
                b' ' | b')' | b'<' | b'>' | b'=' | b'~' | b'!' => break,
                _ => {}
            }
            self.compiler.at += 1;
        }
        let text = self.compiler.text.get(start..self.compiler.at).unwrap_or_default();
        let inner = Compiler::new(text, self.compiler.literals, self.compiler.nesting + 1)?.path();
        inner.map_err(|invalid| InvalidPath { offset: start + invalid.offset, ..invalid })
    }

    fn pattern(&mut self) -> Result<JavaRegex, InvalidPath> {
        let start = self.compiler.at + 1;
        self.compiler.at = start;
        while let Some(byte) = self.compiler.peek().filter(|byte| *byte != b'/') {
            self.compiler.at += if byte == b'\\' { 2 } else { 1 };
        }
        let text = self.compiler.text.get(start..self.compiler.at).unwrap_or_default();
        if !self.compiler.take(b'/') {
            return Err(self.compiler.wrong("a pattern is not closed"));
        }
        let flags = self.compiler.text.get(self.compiler.at..).unwrap_or_default();
        let flags = flags.split(|c: char| !matches!(c, 'i' | 'd' | 'm' | 's' | 'u')).next().unwrap_or_default();
        self.compiler.at += flags.len();
        // The other flags change what `^`, `$` and classes mean, not what a whole text is.
        let prefix = ["", "(?i)", "(?s)", "(?is)"];
        let prefix =
            prefix.get(usize::from(flags.contains('i')) + 2 * usize::from(flags.contains('s'))).copied().unwrap_or_default();
        JavaRegex::compile(&[prefix, text].concat()).map_err(|_| self.compiler.wrong("a pattern that is not served"))
    }

    fn takes(&mut self, operator: &str) -> bool {
        self.compiler.skip_space();
        let is_there = self.compiler.text.get(self.compiler.at..).is_some_and(|rest| rest.starts_with(operator));
        self.compiler.at += if is_there { operator.len() } else { 0 };
        is_there
    }
}
