//! Regular expressions in Java's syntax: selection patterns of integration responses, and `matches`, `replaceAll`, `split` of
//! templates. They run in time that is linear in the text, so what needs to look back is refused, by name.

use regex_lite::{Regex, RegexBuilder};

/// A pattern.
#[derive(Debug, Clone)]
pub struct JavaRegex {
    find: Regex,
    whole: Regex,
    /// About how many states the engine has to carry along.
    weight: usize,
    /// Whether it may look far beyond the end of what it finds.
    looks_ahead: bool,
}

/// How much a compiled pattern may have: `(a{1000}){1000}` is refused.
const SIZE_LIMIT: usize = 256 * 1024;

/// The most states that fit into [`SIZE_LIMIT`], about.
const WEIGHT_LIMIT: usize = 8192;

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

// === impl JavaRegex ===

impl JavaRegex {
    /// Takes a pattern; else a message that names it and what is wrong.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        let wrong = |why: &dyn std::fmt::Display| format!("the pattern `{pattern}` is not served: {why}");
        let mut translator = Translator { rest: pattern, out: String::new(), weight: 1, ..Translator::default() };
        translator.run().map_err(|why| wrong(&why))?;
        let build = |pattern: &str| RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build();
        // By itself first, so that no parenthesis of it closes ours.
        let find = build(&translator.out).map_err(|why| wrong(&why))?;
        let whole = build(&format!(r"\A(?:{})\z", translator.out)).map_err(|why| wrong(&why))?;
        let weight = translator.out.len().saturating_mul(translator.weight).min(WEIGHT_LIMIT);
        let repeats = translator.unbounded.unwrap_or(usize::MAX);
        let looks_ahead = repeats < translator.out.len() || (translator.alternates && repeats != usize::MAX);
        Ok(Self { find, whole, weight, looks_ahead })
    }

    /// Java's `matches`: whether the whole of a text is of the pattern.
    pub fn is_whole_match(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// What compiling the pattern and going once through so many bytes takes, in steps of [`crate::value::Budget`].
    pub fn steps(&self, bytes: usize) -> u64 {
        (bytes.saturating_mul(self.weight) as u64 / 64).saturating_add(1 + self.weight as u64)
    }

    /// Java's `replaceAll`.
    pub fn replace_all(&self, text: &str, replacement: &str) -> Result<String, String> {
        let free = &mut |_| Ok::<(), std::convert::Infallible>(());
        self.replace(text, replacement, usize::MAX, free).unwrap_or_else(|never| match never {})
    }

    /// Java's `replaceAll`, at most so many times, paying for each time by the bytes that are looked at or made: the whole text has
    /// been paid for. An error: the replacement names a group that there is not.
    pub fn replace<E>(
        &self,
        text: &str,
        replacement: &str,
        limit: usize,
        pay: &mut dyn FnMut(usize) -> Result<(), E>,
    ) -> Result<Result<String, String>, E> {
        let mut out = String::new();
        let (mut from, mut copied) = (0, 0);
        for _ in 0..limit {
            let Some(found) = self.find.captures_at(text, from) else { break };
            let Some(whole) = found.get(0) else { break };
            pay(replacement.len() + self.beyond(text, from))?;
            out.push_str(text.get(copied..whole.start()).unwrap_or_default());
            let before = out.len();
            if let Err(message) = expand(replacement, &found, &mut out) {
                return Ok(Err(message));
            }
            pay(out.len() - before)?;
            copied = whole.end();
            let Some(next) = after(text, whole.start(), whole.end()) else { break };
            from = next;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        Ok(Ok(out))
    }

    /// Java's `split`: empty parts at the end are left out where the limit is 0; a limit above 0 is the number of parts; nothing
    /// empty is found at the very beginning.
    pub fn split<'t, E>(&self, text: &'t str, limit: i64, pay: &mut dyn FnMut(usize) -> Result<(), E>) -> Result<Vec<&'t str>, E> {
        let most = usize::try_from(limit).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
        let mut parts = Vec::new();
        let (mut from, mut begin) = (0, 0);
        while parts.len() + 1 < most {
            let Some(found) = self.find.find_at(text, from) else { break };
            pay(1 + self.beyond(text, from))?;
            if found.end() > 0 {
                parts.push(text.get(begin..found.start()).unwrap_or_default());
                begin = found.end();
            }
            let Some(next) = after(text, found.start(), found.end()) else { break };
            from = next;
        }
        if parts.is_empty() {
            return Ok(vec![text]);
        }
        parts.push(text.get(begin..).unwrap_or_default());
        while limit == 0 && parts.last().is_some_and(|last| last.is_empty()) {
            parts.pop();
        }
        Ok(parts)
    }

    /// What is paid for looking beyond what is found.
    fn beyond(&self, text: &str, from: usize) -> usize {
        if self.looks_ahead { (text.len() - from.min(text.len())).saturating_mul(self.weight.min(64)) } else { self.weight }
    }
}

/// Where to look on after a match: behind it, one character further when it was empty.
fn after(text: &str, start: usize, end: usize) -> Option<usize> {
    if end > start {
        return Some(end);
    }
    Some(end + text.get(end..)?.chars().next()?.len_utf8())
}

/// Java's replacement text: `$1`, `${name}`, and `\` in front of what stands for itself.
fn expand(replacement: &str, found: &regex_lite::Captures<'_>, out: &mut String) -> Result<(), String> {
    let no_group =
        |name: &str| format!("the replacement `{replacement}` names the group `{name}`, which the pattern does not have");
    let mut rest = replacement;
    while let Some(at) = rest.find(['$', '\\']) {
        let (plain, mark) = rest.split_at_checked(at).unwrap_or_default();
        out.push_str(plain);
        let is_group = mark.starts_with('$');
        let behind = mark.get(1..).unwrap_or_default();
        let mut characters = behind.chars();
        if !is_group {
            let Some(literal) = characters.next() else {
                return Err(format!("the replacement `{replacement}` ends with a `\\`"));
            };
            out.push(literal);
            rest = characters.as_str();
            continue;
        }
        if let Some((name, after)) = behind.strip_prefix('{').and_then(|name| name.split_once('}')) {
            let group = found.name(name).map(|group| group.as_str());
            out.push_str(group.ok_or_else(|| no_group(name))?);
            rest = after;
            continue;
        }
        let Some(first) = characters.next().and_then(|digit| digit.to_digit(10)) else {
            return Err(format!("the replacement `{replacement}` has a `$` without the number of a group; write `\\$`"));
        };
        let mut group = first as usize;
        if group >= found.len() {
            return Err(no_group(&group.to_string()));
        }
        rest = characters.as_str();
        // More digits belong to the number as long as there is such a group.
        while let Some(digit) = rest.chars().next().and_then(|digit| digit.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if longer >= found.len() {
                break;
            }
            group = longer;
            rest = rest.get(1..).unwrap_or_default();
        }
        out.push_str(found.get(group).map(|group| group.as_str()).unwrap_or_default());
    }
    out.push_str(rest);
    Ok(())
}

/// Writes a pattern of Java in the engine's syntax.
#[derive(Default)]
struct Translator<'p> {
    rest: &'p str,
    out: String,
    /// What the counts of repetitions multiply up to.
    weight: usize,
    /// Whether `.` is everything: in each group around.
    dot_all: Vec<bool>,
    /// Where the first repetition without an end ends.
    unbounded: Option<usize>,
    alternates: bool,
}

// === impl Translator ===

impl<'p> Translator<'p> {
    fn run(&mut self) -> Result<(), String> {
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
                    if self.dot_all.len() > 1 {
                        self.dot_all.pop();
                    }
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
                if name.len() == 1 && !self.rest.is_empty() && self.rest.starts_with(name) {
                    self.rest = self.rest.get(1..).unwrap_or_default();
                }
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
        self.out.push(mark);
        let mut unbounded = matches!(mark, '*' | '+');
        if mark == '{' {
            let counts = self.until('}')?;
            let most = counts.rsplit(',').next().unwrap_or_default();
            let least = counts.split(',').next().unwrap_or_default();
            unbounded = most.is_empty();
            let count = if unbounded { least } else { most }.parse().unwrap_or(1usize);
            self.weight = self.weight.saturating_mul(count.max(1));
            self.out.push_str(counts);
            self.out.push('}');
        }
        if self.take("?") {
            self.out.push('?');
        } else if self.rest.starts_with('+') {
            return Err("a possessive repetition".to_owned());
        }
        if unbounded && self.unbounded.is_none() {
            self.unbounded = Some(self.out.len());
        }
        Ok(())
    }
}

const LOOK_AROUND: &str = "look-around";
