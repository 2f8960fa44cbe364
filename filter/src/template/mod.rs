//! Mapping templates without Velocity: the text itself. A template that contains a directive or a reference is refused when the
//! definition is compiled, because serving its source text would look like an answer.

mod host;

pub use host::{Fault, Host};

/// A template that renders to its own text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(String);

/// The template needs the Velocity engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeedsVelocity {
    /// The directive or reference, as written.
    pub found: String,
    /// Its line in the template, from 1.
    pub line: usize,
}

impl std::fmt::Display for NeedsVelocity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "not served yet: the template needs Velocity, `{}` in its line {}", self.found, self.line)
    }
}

const DIRECTIVES: [&str; 12] =
    ["set", "if", "elseif", "else", "end", "foreach", "break", "stop", "define", "macro", "include", "parse"];

// === impl Template ===

impl Template {
    /// Takes a text that Velocity would leave as it is.
    pub fn parse(text: &str) -> Result<Self, NeedsVelocity> {
        for (line, content) in text.lines().enumerate() {
            if let Some(found) = velocity(content) {
                return Err(NeedsVelocity { found, line: line + 1 });
            }
        }
        Ok(Self(text.to_owned()))
    }

    /// The text, where there is nothing to evaluate.
    pub fn as_plain(&self) -> Option<&str> {
        Some(&self.0)
    }

    /// The rendered text.
    pub fn render(&self) -> &str {
        &self.0
    }
}

/// The first thing on a line that Velocity would act on.
fn velocity(line: &str) -> Option<String> {
    for (index, mark) in line.match_indices(['$', '#']) {
        let after = line.get(index + 1..).unwrap_or_default();
        let name: String = after.trim_start_matches(['!', '{']).chars().take_while(char::is_ascii_alphanumeric).collect();
        let acts = match mark {
            "$" => name.starts_with(|c: char| c.is_ascii_alphabetic()),
            _ => DIRECTIVES.contains(&name.as_str()) || after.starts_with(['#', '*', '[']),
        };
        if acts {
            return Some(format!("{mark}{name}"));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_renders_to_itself() {
        for text in ["", "{\"statusCode\": 200}", "costs $5, #1, a$ #", "{\"color\": \"#fff\"}"] {
            assert_eq!(Template::parse(text).unwrap().render(), text);
        }
    }

    #[test]
    fn velocity_is_named_with_its_line() {
        for (text, found, line) in [
            ("a\n$input.json('$')", "$input", 2),
            ("#if(true)", "#if", 1),
            ("${x}", "$x", 1),
            ("$!{x}", "$x", 1),
            ("\n\n## note", "#", 3),
            ("#[[x]]#", "#", 1),
        ] {
            assert_eq!(Template::parse(text), Err(NeedsVelocity { found: found.to_owned(), line }));
        }
    }
}
