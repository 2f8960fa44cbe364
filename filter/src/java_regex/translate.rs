//! From Java's syntax to the engine's.

/// What `\p{…}` stands for within `[` and `]`: ASCII, as in Java without its flags.
const CLASSES: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"!-/:-@\[-`{-~"),
    ("Graph", "!-~"),
    ("Print", " -~"),
    ("Blank", r" \t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", r" \t\n\x0B\x0C\r"),
];

/// What `.` is not.
const LINE_ENDS: &str = r"\n\r\x{85}\x{2028}\x{2029}";

/// Writes a pattern of Java in the engine's syntax.
#[derive(Default)]
pub struct Translator<'p> {
    rest: &'p str,
    pub out: String,
    /// Whether `.` is everything: in each group around.
    dot_all: Vec<bool>,
    /// Whether anything follows a repetition without an end.
    pub goes_on: bool,
    /// Whether there are alternatives, repeated groups among them.
    pub alternates: bool,
}

// === impl Translator ===

impl<'p> Translator<'p> {
    pub fn new(pattern: &'p str) -> Self {
        Self { rest: pattern, ..Self::default() }
    }

    pub fn run(&mut self) -> Result<(), String> {
        self.dot_all.push(false);
        while let Some(character) = self.next() {
            match character {
                '\\' => self.escape(false)?,
                '[' => self.class()?,
                '.' if self.dot_all.last() == Some(&false) => {
                    self.out.push_str("[^");
                    self.out.push_str(LINE_ENDS);
                    self.out.push(']');
                }
                '.' => self.out.push_str("(?s:.)"),
                '(' => self.group()?,
                ')' => {
                    // None may close the bracket that is put around the pattern.
                    if self.dot_all.len() < 2 {
                        return Err("a `)` that nothing opened".to_owned());
                    }
                    self.dot_all.pop();
                    self.out.push(')');
                }
                '*' | '+' | '?' | '{' => self.repetition(character)?,
                '|' => {
                    self.alternates = true;
                    self.out.push('|');
                }
                plain => self.out.push(plain),
            }
        }
        Ok(())
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next();
        self.rest = characters.as_str();
        next
    }

    fn take(&mut self, expected: &str) -> bool {
        let rest = self.rest.strip_prefix(expected);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// What is up to a character, and goes past it.
    fn until(&mut self, end: char) -> Result<&'p str, String> {
        let (inner, rest) = self.rest.split_once(end).ok_or_else(|| format!("a `{end}` is missing"))?;
        self.rest = rest;
        Ok(inner)
    }

    /// A character that stands for itself.
    fn literal(&mut self, character: char) {
        if character.is_ascii_alphanumeric() || !character.is_ascii() {
            self.out.push(character);
        } else {
            self.code(u32::from(character));
        }
    }

    fn code(&mut self, code: u32) {
        self.out.push_str(r"\x{");
        self.out.push_str(&format!("{code:X}"));
        self.out.push('}');
    }

    fn escape(&mut self, in_class: bool) -> Result<(), String> {
        let Some(character) = self.next() else { return Err("it ends with a `\\`".to_owned()) };
        match character {
            'Q' => {
                let (quoted, rest) = self.rest.split_once(r"\E").unwrap_or((self.rest, ""));
                self.rest = rest;
                quoted.chars().for_each(|literal| self.literal(literal));
            }
            'd' | 'D' | 'w' | 'W' | 's' | 'S' | 't' | 'n' | 'r' | 'f' | 'a' => {
                self.out.push('\\');
                self.out.push(character);
            }
            'b' | 'B' | 'A' | 'z' if !in_class => {
                self.out.push('\\');
                self.out.push(character);
            }
            'e' => self.code(0x1b),
            'h' if in_class => self.out.push_str(r" \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}"),
            'h' => self.out.push_str(r"[ \t\x{A0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}]"),
            'R' if !in_class => self.out.push_str(r"(?:\r\n|[\n\x0B\x0C\r\x{85}\x{2028}\x{2029}])"),
            'p' | 'P' => {
                let name = if self.take("{") { self.until('}')? } else { self.rest.get(..1).unwrap_or_default() };
                let known = CLASSES.iter().find(|(known, _)| *known == name);
                let Some((_, items)) = known else { return Err(format!("`\\p{{{name}}}` is no class of ASCII")) };
                match (in_class, character == 'P') {
                    (true, true) => return Err(format!("`\\P{{{name}}}` within `[` and `]`")),
                    (true, false) => self.out.push_str(items),
                    (false, negated) => {
                        self.out.push_str(if negated { "[^" } else { "[" });
                        self.out.push_str(items);
                        self.out.push(']');
                    }
                }
            }
            'x' | 'u' => {
                let braces = character == 'x' && self.take("{");
                let digits = if braces {
                    self.until('}')?
                } else {
                    let digits = self.rest.get(..if character == 'x' { 2 } else { 4 }).unwrap_or_default();
                    self.rest = self.rest.get(digits.len()..).unwrap_or_default();
                    digits
                };
                let code =
                    u32::from_str_radix(digits, 16).map_err(|_| format!("`\\{character}` without its hexadecimal digits"))?;
                self.code(code);
            }
            '0' => {
                let digits: String = self.rest.chars().take(3).take_while(|digit| ('0'..='7').contains(digit)).collect();
                let code = u32::from_str_radix(&digits, 8).map_err(|_| "`\\0` without its octal digits".to_owned())?;
                self.rest = self.rest.get(digits.len()..).unwrap_or_default();
                self.code(code);
            }
            '1'..='9' | 'k' => return Err("it refers back to a group".to_owned()),
            letter if letter.is_ascii_alphabetic() => return Err(format!("`\\{letter}` is no escape that is served")),
            plain => self.literal(plain),
        }
        Ok(())
    }

    fn class(&mut self) -> Result<(), String> {
        self.out.push('[');
        if self.take("^") {
            self.out.push('^');
        }
        let mut first = true;
        loop {
            let Some(character) = self.next() else { return Err("a `[` is not closed".to_owned()) };
            match character {
                ']' if !first => break,
                '[' => return Err("a class within a class".to_owned()),
                '&' if self.rest.starts_with('&') => return Err("an intersection of classes (`&&`)".to_owned()),
                '\\' => self.escape(true)?,
                '-' => self.out.push('-'),
                plain => self.literal(plain),
            }
            first = false;
        }
        self.out.push(']');
        Ok(())
    }

    fn group(&mut self) -> Result<(), String> {
        let dot_all = self.dot_all.last().copied().unwrap_or_default();
        self.out.push('(');
        if !self.take("?") {
            self.dot_all.push(dot_all);
            return Ok(());
        }
        for (mark, why) in
            [("=", LOOK_AROUND), ("!", LOOK_AROUND), ("<=", LOOK_AROUND), ("<!", LOOK_AROUND), (">", "an atomic group")]
        {
            if self.rest.starts_with(mark) {
                return Err(format!("`(?{mark}` is {why}"));
            }
        }
        self.out.push('?');
        if self.take("<") {
            let name = self.until('>')?;
            self.out.push('<');
            self.out.push_str(name);
            self.out.push('>');
            self.dot_all.push(dot_all);
            return Ok(());
        }
        let (mut flags, mut on, mut all) = (String::new(), true, dot_all);
        let end = loop {
            match self.next() {
                Some(end @ (')' | ':')) => break end,
                // Upper and lower case of all languages: the engine's are ASCII's.
                Some('u') => {}
                Some(flag @ ('i' | 'm' | 's' | '-')) => {
                    match flag {
                        's' => all = on,
                        '-' => on = false,
                        _ => {}
                    }
                    flags.push(flag);
                }
                Some(flag) => return Err(format!("the flag `{flag}`")),
                None => return Err("a `(` is not closed".to_owned()),
            }
        };
        if end == ':' {
            self.dot_all.push(all);
        } else if let Some(current) = self.dot_all.last_mut() {
            *current = all;
        }
        if flags.is_empty() && end == ')' {
            // No flag is left: nothing is written of it.
            self.out.truncate(self.out.len() - 2);
            return Ok(());
        }
        self.out.push_str(&flags);
        self.out.push(end);
        Ok(())
    }

    fn repetition(&mut self, mark: char) -> Result<(), String> {
        self.alternates |= self.out.ends_with(')');
        self.out.push(mark);
        let mut unbounded = matches!(mark, '*' | '+');
        if mark == '{' {
            let counts = self.until('}')?;
            let most = counts.rsplit(',').next().unwrap_or_default();
            unbounded = most.is_empty();
            self.out.push_str(counts);
            self.out.push('}');
        }
        if self.take("?") {
            self.out.push('?');
        } else if self.rest.starts_with('+') {
            return Err("a possessive repetition".to_owned());
        }
        self.goes_on |= unbounded && self.is_followed();
        Ok(())
    }

    /// Whether more than the ends of groups follows, and then the end, or an alternative to the whole.
    fn is_followed(&self) -> bool {
        let groups = self.dot_all.len().saturating_sub(1);
        let rest = self.rest.trim_start_matches([')', '*', '+', '?']);
        let closed = self.rest.len() - rest.len();
        let closed = self.rest.get(..closed).unwrap_or_default().matches(')').count();
        !(rest.is_empty() || rest.starts_with('|') && closed == groups)
    }
}

const LOOK_AROUND: &str = "look-around";
