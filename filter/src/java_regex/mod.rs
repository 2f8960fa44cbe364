//! Regular expressions in Java's syntax: selection patterns of integration responses, and `matches`, `replaceAll`, `split` of
//! templates. They run in time that is linear in the text, so what needs to look back is refused, by name.

mod translate;
mod weight;

pub use weight::{steps, weight};

use regex_lite::{Regex, RegexBuilder};
use std::sync::OnceLock;
use translate::Translator;

/// A pattern.
#[derive(Debug, Clone)]
pub struct JavaRegex {
    /// In the engine's syntax.
    pattern: String,
    /// The text that it is, where it is no more than one: most patterns of templates are, and a text is found much faster.
    literal: Option<String>,
    /// Finds the pattern anywhere; made when that is asked for.
    find: OnceLock<Option<Regex>>,
    whole: Regex,
    /// How many places it has, about.
    weight: u64,
    /// Whether it may look far beyond the end of each thing that it finds, again and again. Without alternatives it does not: what it
    /// looked at in vain for a longer one has no other in it.
    looks_ahead: bool,
}

/// How much a compiled pattern may have: `(a{1000}){1000}` is refused.
const SIZE_LIMIT: usize = 256 * 1024;

/// What finding something takes beside looking for it, in bytes that are paid for.
const MATCH: usize = 16 * 64;

/// How many bytes of a text are looked through for another one in a step.
const LITERAL_BYTES_A_STEP: u64 = 16;

/// How long a pattern may be: a template may make one of what a request says. What is longer would not compile, but take memory
/// until that is known.
const LENGTH_LIMIT: usize = 8 * 1024;

/// The most places that fit into [`SIZE_LIMIT`], about.
const WEIGHT_LIMIT: u64 = 8192;

// === impl JavaRegex ===

impl JavaRegex {
    /// Takes a pattern; else a message that names it and what is wrong.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LENGTH_LIMIT {
            let length = pattern.len();
            return Err(format!("the pattern of {length} bytes is not served: {LENGTH_LIMIT} are allowed"));
        }
        let wrong = |why: &dyn std::fmt::Display| format!("the pattern `{pattern}` is not served: {why}");
        let mut translator = Translator::new(pattern);
        translator.run().map_err(|why| wrong(&why))?;
        let whole = build(&format!(r"\A(?:{})\z", translator.out)).map_err(|why| wrong(&why))?;
        let weight = weight(pattern).clamp(1, WEIGHT_LIMIT);
        let looks_ahead = translator.goes_on && translator.alternates;
        Ok(Self { literal: literal(pattern), pattern: translator.out, find: OnceLock::new(), whole, weight, looks_ahead })
    }

    /// Java's `matches`: whether the whole of a text is of the pattern.
    pub fn is_whole_match(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// What going once through so many bytes takes, in the steps of a budget.
    pub fn steps(&self, bytes: usize) -> u64 {
        if self.literal.is_some() { 8 + bytes as u64 / LITERAL_BYTES_A_STEP } else { steps(bytes, self.weight) }
    }

    /// What compiling the pattern took.
    pub fn compile_steps(&self) -> u64 {
        100 + 8 * self.weight
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
            let Some(found) = self.next(text, from).and_then(|from| self.find()?.captures_at(text, from)) else { break };
            let Some(whole) = found.get(0) else { break };
            pay(MATCH + replacement.len() + self.beyond(text, from))?;
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
            let Some(found) = self.next(text, from).and_then(|from| self.find()?.find_at(text, from)) else { break };
            pay(MATCH + self.beyond(text, from))?;
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

    /// From where on the engine has to look; none: there is nothing any more.
    fn next(&self, text: &str, from: usize) -> Option<usize> {
        match &self.literal {
            Some(literal) => Some(from + text.get(from..)?.find(literal.as_str())?),
            None => Some(from),
        }
    }

    fn find(&self) -> Option<&Regex> {
        self.find.get_or_init(|| build(&self.pattern).ok()).as_ref()
    }

    /// What is paid for looking beyond what is found, in bytes of a text that is only copied.
    fn beyond(&self, text: &str, from: usize) -> usize {
        let rest = text.len().saturating_sub(from);
        if self.looks_ahead { usize::try_from(steps(rest, self.weight)).unwrap_or(usize::MAX).saturating_mul(64) } else { 0 }
    }
}

/// The text that a pattern stands for, where it has nothing but characters that stand for themselves.
fn literal(pattern: &str) -> Option<String> {
    let mut text = String::new();
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        text.push(match character {
            '\\' => characters.next().filter(|escaped| !escaped.is_alphanumeric())?,
            '.' | '[' | ']' | '{' | '}' | '(' | ')' | '*' | '+' | '?' | '^' | '$' | '|' => return None,
            character => character,
        });
    }
    Some(text).filter(|text| !text.is_empty())
}

fn build(pattern: &str) -> Result<Regex, regex_lite::Error> {
    RegexBuilder::new(pattern).size_limit(SIZE_LIMIT).build()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_a_text_is_found_as_one() {
        for (pattern, text) in [(r"\\'", Some(r"\'")), ("a b,", Some("a b,")), (r"\.\$", Some(".$")), ("é", Some("é"))] {
            assert_eq!(literal(pattern).as_deref(), text, "{pattern}");
        }
        for pattern in ["", ".", r"\d", r"\n", "a*", "[a]", "(a)", "a|b", "^a", "a$", "a{2}", r"a\", r"\Qa\E"] {
            assert_eq!(literal(pattern), None, "{pattern}");
        }
        let quotes = JavaRegex::compile(r"\\'").unwrap();
        let replaced = quotes.replace(r"O\'Hara \'x\'", "'$0", usize::MAX, &mut |_| Ok::<(), ()>(()));
        assert_eq!(replaced, Ok(Ok(r"O'\'Hara '\'x'\'".to_owned())));
        let parts = JavaRegex::compile(",").unwrap().split(",a,,b,,", 0, &mut |_| Ok::<(), ()>(()));
        assert_eq!(parts, Ok(vec!["", "a", "", "b"]));
        assert!(quotes.steps(1 << 20) < 100_000);
    }

    #[track_caller]
    fn whole(pattern: &str, matching: &[&str], other: &[&str]) {
        let regex = JavaRegex::compile(pattern).unwrap();
        for text in matching {
            assert!(regex.is_whole_match(text), "`{pattern}` {text:?}");
        }
        for text in other {
            assert!(!regex.is_whole_match(text), "`{pattern}` {text:?}");
        }
    }

    #[test]
    fn a_match_is_of_the_whole_text() {
        whole("4\\d{2}", &["404"], &["4040", "404\n", "x404"]);
        whole("a|b", &["a", "b"], &["ab", "xb"]);
        whole("", &[""], &["a"]);
        whole("Malformed.*", &["Malformed", "Malformed JSON"], &["Malformed\nJSON", "malformed", "Malformed\u{2028}"]);
        whole("(?s)a.b", &["a\nb"], &["ab"]);
        whole("(?:(?s).)x|.y", &["\nx", "ay"], &["\ny"]);
        whole("(?i)ab(?-i)c", &["ABc", "abc"], &["ABC"]);
        whole("(?iu:é)", &["é"], &["e"]);
        whole("^a$", &["a"], &["a\n"]);
    }

    #[test]
    fn classes_are_those_of_java() {
        whole("\\p{Alpha}+\\P{Digit}", &["ab-"], &["ab1", "é-"]);
        whole("[\\p{Upper}_\\d-]+", &["A_1-"], &["a"]);
        whole("[^\\s\\\\]", &["a"], &["\\", " "]);
        whole("\\p{Punct}+", &["!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"], &["a"]);
        whole("\\w\\s", &["a "], &["é "]);
        whole("[.+*?$^(){}|]+", &["a.+".get(1..).unwrap(), "$^"], &["a"]);
        whole("\\x41\\u0042\\x{43}\\0104\\t", &["ABCD\t"], &[]);
    }

    #[test]
    fn quoted_text_stands_for_itself() {
        whole("\\Qa.b(\\E+", &["a.b((("], &["axb("]);
        whole("a\\.b\\-c\\/\\\"", &["a.b-c/\""], &["axb-c/\""]);
        whole("\\Qa*", &["a*"], &["aa"]);
    }

    #[test]
    fn what_looks_around_is_refused_by_name() {
        for (pattern, why) in [
            ("a(?=b)", "`(?=` is look-around"),
            ("(?<!a)b", "`(?<!` is look-around"),
            ("(?>a)b", "`(?>` is an atomic group"),
            ("a++", "a possessive repetition"),
            ("a{2}+", "a possessive repetition"),
            ("(a)\\1", "it refers back to a group"),
            ("[a-z&&[^b]]", "an intersection of classes (`&&`)"),
            ("[a[bc]]", "a class within a class"),
            ("\\p{IsGreek}", "`\\p{IsGreek}` is no class of ASCII"),
            ("(?x)a", "the flag `x`"),
            ("a\\", "it ends with a `\\`"),
            ("[a", "a `[` is not closed"),
            ("a{", "a `}` is missing"),
        ] {
            let message = JavaRegex::compile(pattern).unwrap_err();
            assert_eq!(message, format!("the pattern `{pattern}` is not served: {why}"));
        }
        for pattern in ["(", ")", "a)(b", "*", "(a{1000}){1000}", "(?<n", "[b-a]"] {
            assert!(JavaRegex::compile(pattern).is_err(), "{pattern}");
        }
    }

    fn replaced(regex: &JavaRegex, text: &str, replacement: &str) -> Result<String, String> {
        let free = &mut |_| Ok::<(), std::convert::Infallible>(());
        regex.replace(text, replacement, usize::MAX, free).unwrap_or_else(|never| match never {})
    }

    #[test]
    fn replacements_are_those_of_java() {
        for (text, pattern, replacement, expected) in [
            ("baaac", "a*", "-", "-b--c-"),
            ("abc", "x*", "-", "-a-b-c-"),
            ("abc", "", "-", "-a-b-c-"),
            ("2020-01", "(\\d+)-(\\d+)", "$2/$1", "01/2020"),
            ("a", "(a)", "$12", "a2"),
            ("a", "a", "\\$1\\\\", "$1\\"),
            ("ab", "(?<n>a)", "<${n}>", "<a>b"),
            ("a\"b", "\"", "\\\\\"", "a\\\"b"),
            ("b", "(a)?b", "[$1]", "[]"),
            ("€x", "", ".", ".€.x."),
        ] {
            let regex = JavaRegex::compile(pattern).unwrap();
            assert_eq!(replaced(&regex, text, replacement).as_deref(), Ok(expected), "{text} {pattern} {replacement}");
        }
        let regex = JavaRegex::compile("a").unwrap();
        for replacement in ["$1", "$", "$x", "${n}", "\\"] {
            assert!(replaced(&regex, "a", replacement).is_err(), "{replacement}");
        }
    }

    #[test]
    fn splits_are_those_of_java() {
        for (text, pattern, limit, expected) in [
            ("a,b,,c,,", ",", 0, &["a", "b", "", "c"] as &[&str]),
            ("a,b,,c,,", ",", -1, &["a", "b", "", "c", "", ""]),
            ("a,b,c", ",", 2, &["a", "b,c"]),
            ("", ",", 0, &[""]),
            (",", ",", 0, &[]),
            (",a", ",", 0, &["", "a"]),
            ("abc", "", 0, &["a", "b", "c"]),
            ("abc", "", -1, &["a", "b", "c", ""]),
            ("a1b22c", "\\d+", 0, &["a", "b", "c"]),
            ("abc", "x", 0, &["abc"]),
        ] {
            let regex = JavaRegex::compile(pattern).unwrap();
            let parts = regex.split(text, limit, &mut |_| Ok::<(), ()>(()));
            assert_eq!(parts.as_deref(), Ok(expected), "{text} {pattern} {limit}");
        }
    }

    #[test]
    fn a_pattern_of_a_request_is_not_longer_than_a_reader_would_write() {
        let message = JavaRegex::compile(&"a".repeat(9000)).unwrap_err();
        assert_eq!(message, "the pattern of 9000 bytes is not served: 8192 are allowed");
    }

    #[test]
    fn a_megabyte_costs_what_the_engine_takes() {
        // Measured: 37, 78 and 163 ns a byte, which are steps of some 30 ns.
        for (pattern, least) in [("[a-z]+", 1_200_000), ("(x+x+)+y", 1_700_000), ("(?:a|b|c|d|e|f|g|h)*z", 3_300_000)] {
            assert!(JavaRegex::compile(pattern).unwrap().steps(1_000_000) >= least, "{pattern}");
        }
    }

    #[test]
    fn what_looks_far_pays_for_it() {
        let paid = |pattern: &str| {
            let mut paid = 0;
            let text = "a".repeat(1000);
            let regex = JavaRegex::compile(pattern).unwrap();
            let _ = regex.replace(&text, "", usize::MAX, &mut |bytes| {
                paid += bytes;
                Ok::<(), ()>(())
            });
            paid
        };
        for near in ["a", "a+", "a+|b", "(a+)", "a.*b", "(?:b|a+)", "a*?"] {
            assert!(paid(near) <= 1001 * MATCH, "{near}: {}", paid(near));
        }
        for far in ["a.*b|a", "a(.*b)?", "(a+b|a)", "(?:a*b){0,1}a", "((a*)b|a)"] {
            assert!(paid(far) > 100_000_000, "{far}: {}", paid(far));
        }
    }
}
