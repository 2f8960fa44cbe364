//! What is wrong with a value, in the words that API Gateway says it in: those of its validator, json-schema-validator. Of these
//! texts three are seen in answers of AWS (missing and unknown members, `oneOf`), the others are that library's:
//! assumed(validation-error-texts).

use crate::value::{Heap, Value, json_text};

/// The findings about one value.
#[derive(Debug)]
pub struct Report {
    has_failed: bool,
    /// None: nobody wants to know.
    text: Option<String>,
}

/// What stands in the place of a `%` of a text.
pub enum Argument<'a> {
    Number(u64),
    Text(&'a str),
    /// As JSON.
    Value(&'a Value),
    /// As a JSON array of strings.
    Names(&'a [&'a str]),
}

/// A text that is longer ends here: assumed(validation-error-length).
const LIMIT: usize = 4096;

// === impl Report ===

impl Report {
    /// One that only says whether.
    pub fn quiet() -> Self {
        Self { has_failed: false, text: None }
    }

    /// One that says what.
    pub fn loud() -> Self {
        Self { has_failed: false, text: Some(String::new()) }
    }

    /// Whether anything is wrong.
    pub fn has_failed(&self) -> bool {
        self.has_failed
    }

    /// Whether nothing that is still found would be heard.
    pub fn is_over(&self) -> bool {
        self.has_failed && self.text.as_ref().is_none_or(|text| text.len() >= LIMIT)
    }

    /// The findings in brackets.
    pub fn into_text(self) -> String {
        format!("[{}]", self.text.unwrap_or_default())
    }

    /// Adds a finding.
    pub fn fail(&mut self, template: &str, arguments: &[Argument<'_>], heap: &mut Heap) {
        self.has_failed = true;
        let Some(text) = self.text.as_mut().filter(|text| text.len() < LIMIT) else { return };
        if !text.is_empty() {
            text.push_str(", ");
        }
        let mut arguments = arguments.iter();
        for (place, part) in template.split('%').enumerate() {
            if place > 0 {
                arguments.next().into_iter().for_each(|argument| argument.write(text, heap));
            }
            text.push_str(part);
        }
        let end = (0..=LIMIT).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        text.truncate(end);
    }
}

// === impl Argument ===

impl Argument<'_> {
    fn write(&self, out: &mut String, heap: &mut Heap) {
        match self {
            Self::Number(number) => out.push_str(&number.to_string()),
            Self::Text(text) => out.push_str(text),
            // Too much for the budget is too much for an answer as well.
            Self::Value(value) => out.push_str(&json_text(value, heap).unwrap_or_default()),
            Self::Names(names) => out.push_str(&serde_json::Value::from(*names).to_string()),
        }
    }
}
