//! The type of a plain YAML scalar by the core schema of YAML 1.2, less its octal numbers: what starts with a zero is an
//! account id or a postcode far more often than a number, and API Gateway's importer keeps it a text.

use serde_json::Number;

use super::tree::Content;

/// What a plain scalar means.
pub fn resolve(text: &str) -> Content {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Content::Null,
        "true" | "True" | "TRUE" => return Content::Bool(true),
        "false" | "False" | "FALSE" => return Content::Bool(false),
        _ => {}
    }
    number(text).map_or_else(|| Content::String(text.to_owned()), Content::Number)
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_hexdigit());
        return if all { u64::from_str_radix(digits, 16).ok().map(Number::from) } else { None };
    }
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (rest, None),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let shape = digits(whole)
        && fraction.is_none_or(digits)
        && !(whole.is_empty() && fraction.is_none_or(str::is_empty))
        && exponent.is_none_or(|e| {
            let unsigned = e.strip_prefix(['+', '-']).unwrap_or(e);
            !unsigned.is_empty() && digits(unsigned)
        });
    let leading_zero = whole.len() > 1 && whole.starts_with('0');
    if !shape || leading_zero {
        return None;
    }
    // JSON wants a digit on both sides of the point.
    let whole = if whole.is_empty() { "0" } else { whole };
    let mut json = format!("{sign}{whole}");
    if let Some(fraction) = fraction {
        json.push('.');
        json.push_str(if fraction.is_empty() { "0" } else { fraction });
    }
    if let Some(exponent) = exponent {
        json.push('e');
        json.push_str(exponent);
    }
    serde_json::from_str(&json).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_yaml_1_1_dates_and_leading_zeros_stay_texts() {
        for text in [
            "on",
            "off",
            "yes",
            "no",
            "y",
            "2020-01-02",
            "2001-12-14t21:59:43.10-05:00",
            "0123",
            "0o17",
            "1_000",
            "12:30:45",
            "1.2.3",
            ".",
            "+",
            "-",
            "e5",
            "1e",
            "0x",
            "0xg",
            ".inf",
            ".nan",
            "NaN",
            "007.5",
        ] {
            assert!(matches!(resolve(text), Content::String(same) if same == text), "{text}");
        }
    }

    #[test]
    fn numbers_are_numbers() {
        for (text, json) in [
            ("0", "0"),
            ("-7", "-7"),
            ("+7", "7"),
            ("1.50", "1.5"),
            (".5", "0.5"),
            ("1.", "1.0"),
            ("1e3", "1000.0"),
            ("-1.5E-1", "-0.15"),
            ("0x1F", "31"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            match resolve(text) {
                Content::Number(number) => assert_eq!(number.to_string(), json, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }

    #[test]
    fn nulls_and_booleans_have_three_spellings() {
        assert!(["", "~", "null", "Null", "NULL"].iter().all(|text| matches!(resolve(text), Content::Null)));
        assert!(["true", "True", "TRUE"].iter().all(|text| matches!(resolve(text), Content::Bool(true))));
        assert!(matches!(resolve("tRUE"), Content::String(_)));
    }
}
