//! Reads references and expressions. As in Velocity 1.7, arguments, items and keys are single values: a sum is for `#set` and `#if`.

use super::ast::{Expression, Link, Node, Operator, Reference};
use super::cursor::Cursor;
use super::statement;
use super::syntax::Wrong;

/// The signs and words of operators, from the weakest to the strongest level; a sign that begins another stands after it.
const LEVELS: [&[(&str, Operator)]; 6] = [
    &[("||", Operator::Or), ("or", Operator::Or)],
    &[("&&", Operator::And), ("and", Operator::And)],
    &[("==", Operator::Equal), ("eq", Operator::Equal), ("!=", Operator::NotEqual), ("ne", Operator::NotEqual)],
    &[
        ("<=", Operator::LessOrEqual),
        ("le", Operator::LessOrEqual),
        (">=", Operator::GreaterOrEqual),
        ("ge", Operator::GreaterOrEqual),
        ("<", Operator::Less),
        ("lt", Operator::Less),
        (">", Operator::Greater),
        ("gt", Operator::Greater),
    ],
    &[("+", Operator::Add), ("-", Operator::Subtract)],
    &[("*", Operator::Multiply), ("/", Operator::Divide), ("%", Operator::Modulo)],
];

// === impl Cursor ===

impl Cursor<'_, '_> {
    /// A reference at `$`; none: the `$`, and what belongs to it, is text.
    pub fn reference(&mut self) -> Result<Option<Reference>, Wrong> {
        let opener = self.at;
        self.at += 1;
        let slashes = self.run(0, |byte| byte == b'\\');
        if self.byte(slashes) == b'!' {
            self.at += slashes + 1;
        }
        let behind_mark = self.at;
        let braces = self.take("{");
        let Some(name) = self.identifier() else {
            self.at = behind_mark;
            return Ok(None);
        };
        if matches!(name, "true" | "false") {
            return Wrong::new(opener, format!("`{name}` is no name of a variable"));
        }
        let mut reference = Reference { slot: self.names.slot(name), links: Vec::new() };
        self.links(&mut reference.links)?;
        if braces && !self.take("}") {
            return self.unclosed(opener, "${", "}");
        }
        Ok(Some(reference))
    }

    /// What is asked of a reference, as far as it goes.
    pub fn links(&mut self, links: &mut Vec<Link>) -> Result<(), Wrong> {
        loop {
            let bracket = self.at;
            if self.take("[") {
                self.skip_space();
                let index = match self.byte(0) {
                    b'[' | b'{' | b'.' => None,
                    _ => Some(self.argument()?),
                };
                let Some(index) = index.filter(|_| self.take("]")) else {
                    return Wrong::new(bracket, "`[` behind a reference needs a string, a whole number or a reference, and `]`");
                };
                links.push(Link::Index(index));
            } else if self.byte(0) == b'.' && self.byte(1).is_ascii_alphabetic() {
                self.at += 1;
                let Some(name) = self.identifier() else { return Ok(()) };
                let bracket = self.at;
                let link = if self.take("(") {
                    Link::Method(name.into(), self.arguments_to(bracket, ")", "(")?)
                } else {
                    Link::Property(name.into())
                };
                links.push(link);
            } else {
                return Ok(());
            }
        }
    }

    /// Values with commas between them, up to a bracket.
    fn arguments_to(&mut self, opener: usize, closer: &str, what: &str) -> Result<Vec<Expression>, Wrong> {
        let mut arguments = Vec::new();
        if self.take(closer) {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.argument()?);
            if self.take(closer) {
                return Ok(arguments);
            }
            if !self.take(",") {
                return self.unclosed(opener, what, closer);
            }
        }
    }

    /// One value without operators, and the blanks around it.
    pub fn argument(&mut self) -> Result<Expression, Wrong> {
        self.skip_space();
        let start = self.at;
        self.enter(start)?;
        let value = self.value(start)?;
        self.leave();
        self.skip_space();
        Ok(value)
    }

    fn value(&mut self, start: usize) -> Result<Expression, Wrong> {
        match self.byte(0) {
            b'"' | b'\'' => self.string(start),
            b'$' => match self.reference()? {
                Some(reference) => Ok(Expression::Reference(reference)),
                None => Wrong::new(start, "a name follows `$` in an expression"),
            },
            b'[' => self.list(start),
            b'{' => self.map(start),
            _ => {
                if let Some(number) = self.number() {
                    return Ok(number);
                }
                for (word, value) in [("true", true), ("false", false)] {
                    if self.word(0) == word.len() && self.take(word) {
                        return Ok(Expression::Boolean(value));
                    }
                }
                Wrong::new(start, format!("{} where a value is due", self.found()))
            }
        }
    }

    fn string(&mut self, start: usize) -> Result<Expression, Wrong> {
        let double = self.byte(0) == b'"';
        let mut text = self.quoted()?;
        if !double {
            return Ok(Expression::Text(text.into()));
        }
        if text.contains("\\u") {
            text = unescape(&text);
        }
        if !text.contains(['$', '#']) {
            return Ok(Expression::Text(text.into()));
        }
        let depth = self.depth();
        let mut inner = Cursor::new(&text, self.names, depth);
        let mut nodes = statement::template(&mut inner)
            .map_err(|wrong| Wrong { at: start, message: format!("in this string: {}", wrong.message) })?;
        match (nodes.pop(), nodes.is_empty()) {
            (None, _) => Ok(Expression::Text("".into())),
            (Some(Node::Text(only)), true) => Ok(Expression::Text(only)),
            (Some(last), _) => {
                nodes.push(last);
                Ok(Expression::Interpolated(nodes))
            }
        }
    }

    fn list(&mut self, opener: usize) -> Result<Expression, Wrong> {
        self.at += 1;
        let mut items = self.items(opener)?;
        if items.len() == 1 && self.take("..") {
            let last = self.argument()?;
            if !self.take("]") {
                return self.unclosed(opener, "[", "]");
            }
            return match items.pop().filter(is_bound).filter(|_| is_bound(&last)) {
                Some(first) => Ok(Expression::Range(Box::new((first, last)))),
                None => Wrong::new(opener, "a range goes from one whole number or reference to another"),
            };
        }
        if !self.take("]") {
            return self.unclosed(opener, "[", "]");
        }
        Ok(Expression::List(items))
    }

    fn items(&mut self, opener: usize) -> Result<Vec<Expression>, Wrong> {
        let mut items = Vec::new();
        if self.byte(0) == b']' {
            return Ok(items);
        }
        self.skip_space();
        if self.byte(0) == b']' {
            return Wrong::new(opener, "an empty list is `[]`, without blanks");
        }
        loop {
            items.push(self.argument()?);
            if !self.take(",") {
                return Ok(items);
            }
        }
    }

    fn map(&mut self, opener: usize) -> Result<Expression, Wrong> {
        self.at += 1;
        let mut entries = Vec::new();
        self.skip_space();
        if self.take("}") {
            return Ok(Expression::Map(entries));
        }
        loop {
            let key = self.argument()?;
            if !self.take(":") {
                return Wrong::new(self.at, format!("{} where a `:` follows the key of a map", self.found()));
            }
            entries.push((key, self.argument()?));
            if self.take("}") {
                return Ok(Expression::Map(entries));
            }
            if !self.take(",") {
                return self.unclosed(opener, "{", "}");
            }
        }
    }

    /// A number; the sign belongs to it.
    fn number(&mut self) -> Option<Expression> {
        let start = self.at;
        let sign = usize::from(self.byte(0) == b'-');
        let whole = self.run(sign, |byte| byte.is_ascii_digit());
        let mut end = sign + whole;
        let mut is_whole = true;
        if self.byte(end) == b'.' && self.byte(end + 1) != b'.' {
            let fraction = self.run(end + 1, |byte| byte.is_ascii_digit());
            if whole + fraction == 0 {
                return None;
            }
            is_whole = false;
            end += 1 + fraction;
        } else if whole == 0 {
            return None;
        }
        if matches!(self.byte(end), b'e' | b'E') {
            let sign = usize::from(matches!(self.byte(end + 1), b'+' | b'-'));
            let digits = self.run(end + 1 + sign, |byte| byte.is_ascii_digit());
            if digits > 0 {
                is_whole = false;
                end += 1 + sign + digits;
            }
        }
        self.at += end;
        let text = self.since(start);
        if !is_whole {
            return text.parse().ok().map(Expression::Double);
        }
        // Java drops the zeros in front; what computes reads all digits each time.
        let whole = || [if sign > 0 { "-" } else { "" }, text.trim_start_matches(['-', '0'])].concat().into();
        Some(text.parse().map_or_else(|_| Expression::BigInteger(whole()), Expression::Integer))
    }

    /// Anything with a value, with operators.
    pub fn expression(&mut self) -> Result<Expression, Wrong> {
        let opener = self.at;
        self.enter(opener)?;
        let value = self.level(0)?;
        self.leave();
        Ok(value)
    }

    fn level(&mut self, level: usize) -> Result<Expression, Wrong> {
        let Some(operators) = LEVELS.get(level) else { return self.unary() };
        let first = self.level(level + 1)?;
        let mut rest = Vec::new();
        while let Some(operator) = self.operator(operators)? {
            rest.push((operator, self.level(level + 1)?));
        }
        Ok(if rest.is_empty() { first } else { Expression::Chain(Box::new(first), rest) })
    }

    fn operator(&mut self, operators: &[(&str, Operator)]) -> Result<Option<Operator>, Wrong> {
        self.skip_space();
        for (sign, operator) in operators {
            let word = sign.starts_with(|c: char| c.is_ascii_alphabetic());
            if word && self.word(0) != sign.len() {
                continue;
            }
            if *operator == Operator::Subtract && (self.byte(1).is_ascii_digit() || self.byte(1) == b'.') && self.byte(0) == b'-' {
                return Wrong::new(self.at, "a blank stands between `-` and a number that it takes away: this one is negative");
            }
            if self.take(sign) {
                return Ok(Some(*operator));
            }
        }
        Ok(None)
    }

    fn unary(&mut self) -> Result<Expression, Wrong> {
        self.skip_space();
        let start = self.at;
        if self.byte(0) == b'!' || (self.word(0) == 3 && self.rest().starts_with("not")) {
            self.at += if self.byte(0) == b'!' { 1 } else { 3 };
            self.enter(start)?;
            let value = self.unary()?;
            self.leave();
            return Ok(Expression::Not(Box::new(value)));
        }
        if self.take("(") {
            let value = self.expression()?;
            self.close(start, "(")?;
            return Ok(value);
        }
        self.argument()
    }
}

fn is_bound(bound: &Expression) -> bool {
    matches!(bound, Expression::Integer(_) | Expression::BigInteger(_) | Expression::Reference(_))
}

/// `\u0041` in a string in double quotes; no other escape is one to Velocity.
fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u") {
        out.push_str(before);
        let code = after.get(..4).and_then(|digits| u32::from_str_radix(digits, 16).ok());
        rest = match code {
            Some(code) => {
                out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
                after.get(4..).unwrap_or_default()
            }
            None => {
                out.push_str("\\u");
                after
            }
        };
    }
    out.push_str(rest);
    out
}
