//! The text of a path as tokens.

use super::filter::FilterReader;
use super::function::Function;
use super::literal::Literal;
use super::{Argument, InvalidPath, Path, Token};

/// How many tokens a path may have: each is a call within a call when the path is walked.
pub const TOKENS: usize = 128;

/// How deep paths and filters may stand in each other.
const NESTING: usize = 8;

/// How long a path may be: a template may make one of what a request says.
const LENGTH: usize = 8 * 1024;

/// Reads a path that somebody wrote.
pub fn compile(text: &str, literals: &mut Vec<Literal>) -> Result<Path, InvalidPath> {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Err(InvalidPath { offset: 0, message: "a path has at least one character" });
    }
    if text.len() > LENGTH {
        return Err(InvalidPath { offset: LENGTH, message: "the path is too long" });
    }
    let prefix = if trimmed.starts_with(['$', '@']) { "" } else { "$." };
    let path = Compiler::new(&[prefix, trimmed].concat(), literals, 0)?.path();
    let blanks = text.len() - text.trim_start().len();
    path.map_err(|invalid| InvalidPath { offset: invalid.offset.saturating_sub(prefix.len()) + blanks, ..invalid })
}

/// Reads one path, and the filters in it.
pub struct Compiler<'a> {
    pub text: &'a str,
    pub at: usize,
    pub literals: &'a mut Vec<Literal>,
    pub nesting: usize,
}

// === impl Compiler ===

impl<'a> Compiler<'a> {
    /// Reads a text that stands so deep in others.
    pub fn new(text: &'a str, literals: &'a mut Vec<Literal>, nesting: usize) -> Result<Self, InvalidPath> {
        if nesting > NESTING {
            return Err(InvalidPath { offset: 0, message: "paths and filters are nested too deep" });
        }
        Ok(Self { text, at: 0, literals, nesting })
    }

    /// The whole text is a path.
    pub fn path(&mut self) -> Result<Path, InvalidPath> {
        let from_root = self.take(b'$');
        if !from_root && !self.take(b'@') {
            return Err(self.wrong("a path begins with `$`"));
        }
        if !matches!(self.peek(), None | Some(b'.' | b'[')) {
            return Err(self.wrong("`.` or `[` follows"));
        }
        let mut tokens = Vec::new();
        while self.peek().is_some() {
            if tokens.len() >= TOKENS {
                return Err(self.wrong("the path has too many steps"));
            }
            self.step(&mut tokens)?;
        }
        Ok(turned(Path::new(from_root, tokens)))
    }

    fn step(&mut self, tokens: &mut Vec<Token>) -> Result<(), InvalidPath> {
        if self.take(b'.') {
            if self.take(b'.') {
                tokens.push(Token::Scan);
            }
            if matches!(self.peek(), None | Some(b'.')) {
                return Err(self.wrong("a name is due behind `.`"));
            }
        }
        let token = match self.peek() {
            Some(b'[') => self.bracket()?,
            Some(b'*') => {
                self.at += 1;
                Token::Wildcard
            }
            _ => self.name()?,
        };
        tokens.push(token);
        Ok(())
    }

    /// `name` or `name(…)`
    fn name(&mut self) -> Result<Token, InvalidPath> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        self.at += rest.find(['.', '[', '(', ' ']).unwrap_or(rest.len());
        let name = self.text.get(start..self.at).unwrap_or_default();
        match self.peek() {
            Some(b' ') => Err(self.wrong("a name with blanks is written as `['my name']`")),
            Some(b'(') => {
                let Some(function) = Function::named(name) else { return Err(self.wrong("there is no such function")) };
                let arguments = self.arguments(function)?;
                Ok(Token::Function(function, arguments))
            }
            _ if name.is_empty() => Err(self.wrong("a name is due")),
            _ => Ok(Token::Properties(vec![name.to_owned()])),
        }
    }

    fn arguments(&mut self, function: Function) -> Result<Vec<Argument>, InvalidPath> {
        let start = self.at + 1;
        self.at = closing(self.text, self.at).ok_or_else(|| self.wrong("`(` is not closed"))?;
        let inner = self.text.get(start..self.at).unwrap_or_default();
        self.at += 1;
        let mut arguments = Vec::new();
        let mut rest = inner.trim();
        while !rest.is_empty() {
            let (argument, tail) = split_at_comma(rest);
            let argument = argument.trim();
            if argument.starts_with(['$', '@']) {
                let mut path = Compiler::new(argument, self.literals, self.nesting + 1)?.path()?;
                if function.is_length() && arguments.is_empty() {
                    path = counted(path);
                }
                arguments.push(Argument::Path(path));
            } else if argument.starts_with(['{', '"', '-']) || argument.starts_with(|c: char| c.is_ascii_digit()) {
                let literal = Literal::parse(argument).ok_or_else(|| self.wrong("an argument is a path or JSON"))?;
                arguments.push(Argument::Literal(self.keep(literal)));
            }
            rest = tail.trim();
        }
        Ok(arguments)
    }

    /// `['a']`, `[0]`, `[*]`, `[?(…)]`
    fn bracket(&mut self) -> Result<Token, InvalidPath> {
        self.at += 1;
        self.skip_space();
        let token = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => self.names(quote)?,
            Some(b'0'..=b'9' | b'-' | b':') => self.indexes()?,
            Some(b'*') => {
                self.at += 1;
                Token::Wildcard
            }
            Some(b'?') => {
                self.at += 1;
                self.skip_space();
                if !self.take(b'(') {
                    return Err(self.wrong("`(` follows `?`"));
                }
                let expression = FilterReader { compiler: self }.expression()?;
                self.skip_space();
                if !self.take(b')') {
                    return Err(self.wrong("`)` ends a filter"));
                }
                Token::Filter(expression)
            }
            _ => return Err(self.wrong("a quoted name, a number, `*` or `?` follows `[`")),
        };
        self.skip_space();
        if self.take(b']') { Ok(token) } else { Err(self.wrong("`]` is due")) }
    }

    fn names(&mut self, quote: u8) -> Result<Token, InvalidPath> {
        let mut names = Vec::new();
        loop {
            self.skip_space();
            names.push(self.quoted(quote)?);
            self.skip_space();
            if !self.take(b',') {
                return Ok(Token::Properties(names));
            }
        }
    }

    /// A text in quotes, without its escapes.
    pub fn quoted(&mut self, quote: u8) -> Result<String, InvalidPath> {
        if !self.take(quote) {
            return Err(self.wrong("a text in the same quotes is due"));
        }
        let start = self.at;
        while let Some(byte) = self.peek() {
            if byte == quote {
                let text = self.text.get(start..self.at).unwrap_or_default();
                self.at += 1;
                return Ok(super::literal::unescaped(text));
            }
            self.at += if byte == b'\\' { 2 } else { 1 };
        }
        Err(self.wrong("a text in quotes is not closed"))
    }

    fn indexes(&mut self) -> Result<Token, InvalidPath> {
        let start = self.at;
        let rest = self.text.get(start..).unwrap_or_default();
        let expression = rest.split(']').next().unwrap_or_default();
        let number = |text: &str| text.parse::<i32>().map(i64::from).ok();
        let token = if expression.contains(':') {
            // A third part, a step, is read and has no effect.
            let mut parts = expression.trim().split(':');
            let mut bound = || match parts.next() {
                None | Some("") => Some(None),
                Some(text) => number(text).map(Some),
            };
            match (bound(), bound()) {
                (Some(from), Some(to)) if from.is_some() || to.is_some() => Some(Token::Slice(from, to)),
                _ => None,
            }
        } else {
            expression.split(',').map(|part| number(part.trim())).collect::<Option<_>>().map(Token::Indexes)
        };
        self.at += expression.len();
        token.ok_or_else(|| self.wrong("no index and no slice of a list"))
    }

    /// Puts a literal where the filters find it.
    pub fn keep(&mut self, literal: Literal) -> usize {
        self.literals.push(literal);
        self.literals.len() - 1
    }

    pub fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    pub fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    pub fn wrong(&self, message: &'static str) -> InvalidPath {
        // A `\` at the end was looked over with what it would escape.
        InvalidPath { offset: self.at.min(self.text.len()), message }
    }
}

/// Where the bracket at a place closes, looking over texts in quotes.
pub fn closing(text: &str, open: usize) -> Option<usize> {
    let (mut depth, mut quote, mut escaped) = (0usize, None, false);
    for (place, byte) in text.bytes().enumerate().skip(open) {
        match (quote, byte) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if byte == open => quote = None,
            (Some(_), _) => {}
            (None, b'\'' | b'"') => quote = Some(byte),
            (None, b'(' | b'[' | b'{') => depth += 1,
            (None, b')' | b']' | b'}') => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place);
                }
            }
            (None, _) => {}
        }
    }
    None
}

/// What stands in front of the first comma that is in no brackets or quotes, and what behind it.
fn split_at_comma(text: &str) -> (&str, &str) {
    let mut place = 0;
    while let Some(byte) = text.as_bytes().get(place) {
        match byte {
            b',' => return (text.get(..place).unwrap_or_default(), text.get(place + 1..).unwrap_or_default()),
            b'(' | b'[' | b'{' => place = closing(text, place).unwrap_or(text.len()),
            b'"' => {
                let rest = text.get(place + 1..).unwrap_or_default();
                place += 1 + rest.find('"').unwrap_or(rest.len());
            }
            _ => {}
        }
        place += 1;
    }
    (text, "")
}

/// `$..path.function()` means `$.function($..path)`: a function sees all that a scan finds, at once.
fn turned(mut path: Path) -> Path {
    let place = path.tokens.iter().position(|token| matches!(token, Token::Function(..)));
    if !path.is_function() || !matches!(path.tokens.first(), Some(Token::Scan)) {
        return path;
    }
    let Some(mut tail) = place.map(|place| path.tokens.split_off(place)) else { return path };
    let scan = Path::new(true, path.tokens);
    if let Some(Token::Function(function, arguments)) = tail.first_mut() {
        *arguments = vec![Argument::Path(if function.is_length() { counted(scan) } else { scan })];
    }
    Path::new(path.from_root, tail)
}

/// `length` counts what stands within that to which its argument leads.
fn counted(path: Path) -> Path {
    if path.is_function() || path.tokens.is_empty() {
        return path;
    }
    let mut tokens = path.tokens;
    tokens.push(Token::Wildcard);
    Path::new(path.from_root, tokens)
}
