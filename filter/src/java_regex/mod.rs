//! Regular expressions in Java's syntax: selection patterns of integration responses, and `matches`, `replaceAll`, `split` of
//! templates. They run in time that is linear in the text, so what needs to look back is refused, by name.

mod translate;

use regex_lite::{Regex, RegexBuilder};
use std::sync::OnceLock;
use translate::Translator;

/// A pattern.
#[derive(Debug, Clone)]
pub struct JavaRegex {
    /// In the engine's syntax.
    pattern: String,
    /// Finds the pattern anywhere; made when that is asked for.
    find: OnceLock<Option<Regex>>,
    whole: Regex,
    /// About how many states the engine has to carry along.
    weight: usize,
    /// Whether it may look far beyond the end of what it finds.
    looks_ahead: bool,
}

/// How much a compiled pattern may have: `(a{1000}){1000}` is refused.
const SIZE_LIMIT: usize = 256 * 1024;

/// How long a pattern may be: a template may make one of what a request says. What is longer would not compile, but take memory
/// until that is known.
const LENGTH_LIMIT: usize = 16 * 1024;

/// The most states that fit into [`SIZE_LIMIT`], about.
const WEIGHT_LIMIT: usize = 8192;

// === impl JavaRegex ===

impl JavaRegex {
    /// Takes a pattern; else a message that names it and what is wrong.
    pub fn compile(pattern: &str) -> Result<Self, String> {
        if pattern.len() > LENGTH_LIMIT {
            return Err(format!("a pattern of {} bytes is not served: {LENGTH_LIMIT} are the most", pattern.len()));
        }
        let wrong = |why: &dyn std::fmt::Display| format!("the pattern `{pattern}` is not served: {why}");
        let mut translator = Translator::new(pattern);
        translator.run().map_err(|why| wrong(&why))?;
        let whole = build(&format!(r"\A(?:{})\z", translator.out)).map_err(|why| wrong(&why))?;
        let weight = translator.out.len().saturating_mul(translator.weight).min(WEIGHT_LIMIT);
        let repeats = translator.unbounded.unwrap_or(usize::MAX);
        let looks_ahead = repeats < translator.out.len() || (translator.alternates && repeats != usize::MAX);
        Ok(Self { pattern: translator.out, find: OnceLock::new(), whole, weight, looks_ahead })
    }

    /// Java's `matches`: whether the whole of a text is of the pattern.
    pub fn is_whole_match(&self, text: &str) -> bool {
        self.whole.is_match(text)
    }

    /// What going once through so many bytes takes, in the steps of a budget: each byte is a step to the engine, and about another
    /// for each state that it carries along; few of a long pattern are.
    pub fn steps(&self, bytes: usize) -> u64 {
        ((bytes as u64).saturating_mul(4 + self.weight as u64) / 32).saturating_add(1 + self.weight as u64)
    }

    /// What compiling the pattern took.
    pub fn compile_steps(&self) -> u64 {
        100 + 8 * self.weight as u64
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
            let Some(found) = self.find().and_then(|find| find.captures_at(text, from)) else { break };
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
            let Some(found) = self.find().and_then(|find| find.find_at(text, from)) else { break };
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

    fn find(&self) -> Option<&Regex> {
        self.find.get_or_init(|| build(&self.pattern).ok()).as_ref()
    }

    /// What is paid for looking beyond what is found.
    fn beyond(&self, text: &str, from: usize) -> usize {
        if self.looks_ahead { (text.len() - from.min(text.len())).saturating_mul(self.weight.min(64)) } else { self.weight }
    }
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
        let message = JavaRegex::compile(&"a".repeat(100_000)).unwrap_err();
        assert_eq!(message, "a pattern of 100000 bytes is not served: 16384 are the most");
        for pattern in ["(", ")", "a)(b", "*", "(a{1000}){1000}", "(?<n", "[b-a]"] {
            assert!(JavaRegex::compile(pattern).is_err(), "{pattern}");
        }
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
            assert_eq!(regex.replace_all(text, replacement).as_deref(), Ok(expected), "{text} {pattern} {replacement}");
        }
        let regex = JavaRegex::compile("a").unwrap();
        for replacement in ["$1", "$", "$x", "${n}", "\\"] {
            assert!(regex.replace_all("a", replacement).is_err(), "{replacement}");
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
        assert!(paid("a") < 10_000 && paid("a+") < 10_000, "{} {}", paid("a"), paid("a+"));
        assert!(paid("a.*b|a") > 1_000_000, "{}", paid("a.*b|a"));
    }
}
