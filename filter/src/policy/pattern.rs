//! Patterns: literal text, `*`, `?` and policy variables. AWS: "IAM JSON policy elements: Resource", "IAM policy elements:
//! Variables and tags".

use super::Request;
use super::key::Key;
use super::truth::Truth;

/// A text with wildcards and variables, read once.
#[derive(Debug)]
pub(super) struct Pattern {
    tokens: Box<[Token]>,
    /// Each with the number of tokens in front of it.
    variables: Box<[(usize, Variable)]>,
    fold: bool,
}

/// How the text of a pattern is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// As it stands, only variables are filled in.
    Exact,
    /// As it stands, in any case.
    Folded,
    /// `*` for any text, `?` for one character.
    Wild,
    /// Likewise, in any case.
    WildFolded,
    /// Likewise, for texts that went through [`separated`]: no `*` takes a colon of the path for the end of a part.
    Arn,
}

/// How many steps matching may still take.
#[derive(Debug)]
pub(super) struct Steps(usize);

#[derive(Debug, Clone, Copy)]
enum Token {
    Char(char),
    One,
    Any,
}

/// `${aws:username}`, `${aws:username, 'nobody'}`
#[derive(Debug)]
struct Variable {
    /// None: API Gateway knows no such key.
    key: Option<Key>,
    default: Option<String>,
}

/// An ARN has six parts, so five colons separate; any further colon belongs to the last part.
const SEPARATORS: usize = 5;
const SEPARATOR: char = '\0';

/// The ARN with other separators than colons, so that a colon in its last part is none.
pub(super) fn separated(arn: &str) -> String {
    let mut colons = 0;
    let separate = |c| match c {
        ':' if colons < SEPARATORS => {
            colons += 1;
            SEPARATOR
        }
        SEPARATOR => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    arn.chars().map(separate).collect()
}

/// Greedy matching that goes back to the last `*` only: at most the product of both lengths, each step counted.
fn matches(tokens: &[Token], text: &str, fold: bool, steps: &mut Steps) -> bool {
    let (mut tokens, mut text) = (tokens.iter(), text.chars());
    let mut retry = None;
    loop {
        if !steps.spend(1) {
            return false;
        }
        let here = text.clone();
        match (tokens.next(), text.next()) {
            (None, None) => return true,
            (Some(Token::Any), _) if tokens.as_slice().is_empty() => return true,
            (Some(Token::Any), _) => {
                text = here;
                retry = Some((tokens.clone(), text.clone()));
            }
            (Some(Token::One), Some(_)) => {}
            (Some(Token::Char(a)), Some(b)) if *a == b || (fold && a.eq_ignore_ascii_case(&b)) => {}
            // With the text at its end, a longer `*` leaves even less.
            (Some(_), None) => return false,
            _ => {
                let Some((behind_star, from)) = &mut retry else { return false };
                from.next();
                (tokens, text) = (behind_star.clone(), from.clone());
            }
        }
    }
}

// === impl Steps ===

impl Steps {
    pub(super) fn new(steps: usize) -> Self {
        Self(steps)
    }

    /// False when there are none left.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        self.0 = self.0.saturating_sub(steps);
        self.0 > 0
    }

    /// Whether some answer was cut short.
    pub(super) fn are_spent(&self) -> bool {
        self.0 == 0
    }
}

// === impl Pattern ===

impl Pattern {
    /// Reads a pattern; says what is wrong with it.
    pub(super) fn read(text: &str, style: Style, variables: bool) -> Result<Self, &'static str> {
        let wild = matches!(style, Style::Wild | Style::WildFolded | Style::Arn);
        let (mut tokens, mut found, mut colons) = (Vec::new(), Vec::new(), 0);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if let Some(inner) = rest.strip_prefix("${").filter(|_| variables) {
                let (name, behind) = inner.split_once('}').ok_or("a policy variable without its `}`")?;
                match name {
                    "*" | "?" | "$" => tokens.extend(name.chars().map(Token::Char)),
                    _ => found.push((tokens.len(), Variable::read(name)?)),
                }
                rest = behind;
                continue;
            }
            tokens.push(match c {
                '*' if wild => Token::Any,
                '?' if wild => Token::One,
                ':' if style == Style::Arn && colons < SEPARATORS => {
                    colons += 1;
                    Token::Char(SEPARATOR)
                }
                c => Token::Char(c),
            });
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
        let fold = matches!(style, Style::Folded | Style::WildFolded);
        Ok(Self { tokens: tokens.into(), variables: found.into(), fold })
    }

    /// Whether the text is one that the pattern means. Unsure where a variable has no value: AWS says that this "might cause the
    /// entire statement to be invalid", assumed(policy-unresolved-variable) is that a Deny then applies and an Allow does not.
    pub(super) fn matches(&self, text: &str, request: &Request<'_>, steps: &mut Steps) -> Truth {
        if self.variables.is_empty() {
            return Truth::of(matches(&self.tokens, text, self.fold, steps));
        }
        let Some(tokens) = self.filled_in(request) else { return Truth::Unsure };
        steps.spend(tokens.len());
        Truth::of(matches(&tokens, text, self.fold, steps))
    }

    /// Whether it means one of these texts, whatever the request.
    pub(super) fn matches_one_of(&self, texts: &[&str]) -> bool {
        let steps = &mut Steps::new(usize::MAX);
        !self.variables.is_empty() || texts.iter().any(|text| matches(&self.tokens, text, self.fold, steps))
    }

    /// The keys of its variables that API Gateway does not know are told by their absence.
    pub(super) fn has_unknown_variable(&self) -> bool {
        self.variables.iter().any(|(_, variable)| variable.key.is_none())
    }

    /// A `*` in the value of a variable is no wildcard.
    fn filled_in(&self, request: &Request<'_>) -> Option<Vec<Token>> {
        let (mut tokens, mut start) = (Vec::with_capacity(self.tokens.len()), 0);
        for (at, variable) in &self.variables {
            tokens.extend(self.tokens.get(start..*at)?);
            tokens.extend(variable.value(request)?.chars().map(Token::Char));
            start = *at;
        }
        tokens.extend(self.tokens.get(start..)?);
        Some(tokens)
    }
}

// === impl Variable ===

impl Variable {
    fn read(text: &str) -> Result<Self, &'static str> {
        let (name, default) = match text.split_once(',') {
            None => (text, None),
            Some((name, default)) => {
                let unquoted = default.trim().strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
                let default = unquoted.ok_or("the default of a policy variable stands in single quotes")?;
                (name, Some(default.to_owned()))
            }
        };
        match name.trim() {
            "" => Err("a policy variable without a name"),
            name => Ok(Self { key: Key::parse(name), default }),
        }
    }

    /// None where the request has no value, or several: AWS takes single-valued keys only.
    fn value(&self, request: &Request<'_>) -> Option<String> {
        let values = (request.keys)(self.key.as_ref()?).unwrap_or_default();
        match <[String; 1]>::try_from(values) {
            Ok([value]) => Some(value),
            Err(values) => self.default.clone().filter(|_| values.is_empty()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::asking;
    use super::*;

    fn read(text: &str, style: Style) -> Pattern {
        Pattern::read(text, style, true).unwrap()
    }

    fn wild(pattern: &str, text: &str) -> bool {
        let style = Style::Wild;
        asking(&[], |request| read(pattern, style).matches(text, request, &mut Steps::new(10_000)) == Truth::Yes)
    }

    #[test]
    fn stars_and_question_marks_match_whole_texts() {
        for (pattern, text) in [
            ("", ""),
            ("*", ""),
            ("**", "a/b:c"),
            ("a*", "a"),
            ("a*c", "abcbc"),
            ("*a?c*", "xxabcabc"),
            ("?", "é"),
            ("*?é", "aé"),
            ("a*b*c", "aXbXbXc"),
            ("test/*/GET/?ets", "test/a/b/GET/pets"),
        ] {
            assert!(wild(pattern, text), "`{pattern}` and `{text}`");
        }
        for (pattern, text) in
            [("", "a"), ("?", ""), ("a", "A"), ("a*c", "abcb"), ("*a", "ab"), ("??", "é"), ("a?", "a"), ("[ab]", "a")]
        {
            assert!(!wild(pattern, text), "`{pattern}` and `{text}`");
        }
    }

    #[test]
    fn only_wild_styles_have_wildcards_and_only_folded_ones_fold() {
        for (style, text, matching) in [
            (Style::Exact, "a*", true),
            (Style::Exact, "ab", false),
            (Style::Folded, "A*", true),
            (Style::Folded, "ab", false),
            (Style::WildFolded, "AB", true),
            (Style::Wild, "AB", false),
        ] {
            let truth = asking(&[], |request| read("a*", style).matches(text, request, &mut Steps::new(100)));
            assert_eq!(truth, Truth::of(matching), "{style:?} {text}");
        }
        for (style, matching) in [(Style::Exact, false), (Style::Folded, false), (Style::Wild, true), (Style::WildFolded, true)] {
            let truth = asking(&[], |request| read("a?", style).matches("ab", request, &mut Steps::new(100)));
            assert_eq!(truth, Truth::of(matching), "{style:?}");
        }
    }

    #[test]
    fn a_hostile_pattern_takes_no_more_steps_than_the_product_of_both_lengths() {
        let text = "a".repeat(10_240);
        for (pattern, most) in [
            ("*a".repeat(256), 2 * (512 + 10_240)),
            ("*a".repeat(256) + "b", 2 * (512 + 10_240)),
            ("*?".repeat(256) + "b*", 2 * (512 + 10_240)),
            (format!("*{}b", "a".repeat(510)), 512 * 10_241),
            (format!("*{}b*{}b", "a".repeat(255), "a".repeat(255)), 512 * 10_241),
        ] {
            let mut steps = Steps::new(usize::MAX);
            asking(&[], |request| read(&pattern, Style::Wild).matches(&text, request, &mut steps));
            let taken = usize::MAX - steps.0;
            assert!(taken <= most, "{taken} steps for `{pattern}`");
        }
    }

    #[test]
    fn a_star_at_the_end_takes_everything_in_one_step() {
        let mut steps = Steps::new(100);
        let truth = asking(&[], |request| read("a*", Style::Wild).matches(&"a".repeat(1_000), request, &mut steps));
        assert_eq!(truth, Truth::Yes);
    }

    #[test]
    fn steps_run_out_and_stay_out() {
        let mut steps = Steps::new(10);
        asking(&[], |request| {
            assert_eq!(read("*b", Style::Wild).matches(&"a".repeat(20), request, &mut steps), Truth::No);
            assert!(steps.are_spent());
            assert_eq!(read("a", Style::Wild).matches("a", request, &mut steps), Truth::No);
        });
    }

    #[test]
    fn variables_are_filled_in_and_their_values_are_no_wildcards() {
        let keys: &[(&str, &[&str])] = &[("aws:username", &["b*b"]), ("aws:PrincipalOrgPaths", &["x", "y"])];
        asking(keys, |request| {
            let matches = |pattern: &str, text: &str| read(pattern, Style::Wild).matches(text, request, &mut Steps::new(1000));
            assert_eq!(matches("/${aws:username}/*", "/b*b/c"), Truth::Yes);
            assert_eq!(matches("/${AWS:UserName}/*", "/bxb/c"), Truth::No);
            assert_eq!(matches("${aws:username}${aws:username}", "b*bb*b"), Truth::Yes);
            assert_eq!(matches("${*}${?}${$}{", "*?${"), Truth::Yes);
            assert_eq!(matches("${*}", "a"), Truth::No);
            assert_eq!(matches("${aws:userid, 'no body'}", "no body"), Truth::Yes);
            assert_eq!(matches("${aws:userid}", "x"), Truth::Unsure);
            assert_eq!(matches("${aws:PrincipalOrgPaths, 'x'}", "x"), Truth::Unsure);
            assert_eq!(matches("${aws:Unknown, 'x'}", "x"), Truth::Unsure);
        });
    }

    #[test]
    fn variables_that_do_not_read_are_mistakes_and_none_without_the_version() {
        for text in ["${", "a${aws:username", "${}", "${, 'x'}", "${aws:username, x}", "${aws:username,'}"] {
            assert!(Pattern::read(text, Style::Exact, true).is_err(), "{text}");
            assert!(Pattern::read(text, Style::Exact, false).is_ok(), "{text}");
        }
        let literal = Pattern::read("${aws:username}", Style::Exact, false).unwrap();
        let truth = asking(&[], |request| literal.matches("${aws:username}", request, &mut Steps::new(100)));
        assert_eq!(truth, Truth::Yes);
    }

    #[test]
    fn only_the_first_five_colons_separate() {
        assert_eq!(separated("arn:aws:s:r:a:b:c\0"), "arn\0aws\0s\0r\0a\0b:c\u{fffd}");
        let arn = separated("arn:aws:execute-api:us-east-1:000000000000:abc/test/GET/x:y:zzz/q");
        for (pattern, matching) in [
            ("arn:aws:execute-api:*:*:*", true),
            ("arn:aws:execute-api:*", true),
            ("arn:aws:execute-api:*:abc/*", true),
            ("arn:aws:execute-api:us-east-1:*/test/GET/*", true),
            ("arn:aws:execute-api:*:*:abc/*:y:*", true),
            ("arn:aws:execute-api:*:*:zzz/*", false),
            ("arn:aws:execute-api:*:zzz/*", false),
        ] {
            let truth = asking(&[], |request| read(pattern, Style::Arn).matches(&arn, request, &mut Steps::new(1000)));
            assert_eq!(truth, Truth::of(matching), "{pattern}");
        }
    }
}
