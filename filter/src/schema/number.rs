//! Numbers of any size, compared and divided exactly.

use crate::value::{Value, decimal};
use std::cmp::Ordering;

/// A number: 0.DIGITS × 10^point. Zero has no digits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decimal {
    negative: bool,
    digits: String,
    point: i32,
}

// === impl Decimal ===

impl Decimal {
    /// A number as JSON writes it.
    pub fn parse(text: &str) -> Self {
        let (digits, point) = decimal(text.trim_start_matches('-'));
        if digits.is_empty() {
            return Self { negative: false, digits, point: 0 };
        }
        Self { negative: text.starts_with('-'), digits, point }
    }

    /// The number of a value; none of anything else.
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Integer(number) => Some(Self::parse(&number.to_string())),
            Value::BigInteger(digits) => Some(Self::parse(digits)),
            Value::Double(number) => Some(match serde_json::Number::from_f64(*number) {
                Some(number) => Self::parse(&number.to_string()),
                // More than a double can hold.
                None => Self { negative: *number < 0.0, digits: "1".to_owned(), point: i32::MAX },
            }),
            _ => None,
        }
    }

    /// Whether it is more than nothing.
    pub fn is_positive(&self) -> bool {
        !self.negative && !self.digits.is_empty()
    }

    /// Whether it is so many times another, which is more than nothing.
    pub fn is_multiple_of(&self, divisor: &Self) -> bool {
        if self.digits.is_empty() {
            return true;
        }
        let last = |number: &Self| i64::from(number.point) - i64::try_from(number.digits.len()).unwrap_or(i64::MAX);
        // Neither ends in a zero: what has the smaller last place is no multiple.
        let shift = last(self) - last(divisor);
        let (Ok(modulus), true) = (divisor.digits.parse::<u64>().map(u128::from), shift >= 0) else { return false };
        if modulus == 0 {
            return false;
        }
        let rest = self.digits.bytes().fold(0, |rest, digit| (rest * 10 + u128::from(digit.wrapping_sub(b'0'))) % modulus);
        let (mut power, mut base, mut exponent) = (1 % modulus, 10 % modulus, shift);
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = power * base % modulus;
            }
            base = base * base % modulus;
            exponent >>= 1;
        }
        rest * power % modulus == 0
    }

    /// The same text for the same number, however it was written.
    pub fn write(&self, out: &mut String) {
        if self.negative {
            out.push('-');
        }
        out.push_str(&self.digits);
        out.push('e');
        out.push_str(&self.point.to_string());
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        let size = || self.point.cmp(&other.point).then_with(|| self.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| match sign(self) {
            0 => Ordering::Equal,
            1 => size(),
            _ => size().reverse(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_compare_by_their_size_however_they_are_written() {
        let sorted = [
            "-1e400",
            "-18446744073709551616",
            "-2",
            "-1.5",
            "-0.001",
            "0",
            "1e-400",
            "0.2",
            "0.25",
            "1",
            "1.5",
            "9",
            "10",
            "1e19",
        ];
        for (place, number) in sorted.iter().enumerate() {
            for (other_place, other) in sorted.iter().enumerate() {
                assert_eq!(Decimal::parse(number).cmp(&Decimal::parse(other)), place.cmp(&other_place), "{number} {other}");
            }
        }
        for (one, other) in
            [("1", "1.0"), ("100", "1e2"), ("0", "-0.0"), ("0.5", "5e-1"), ("18446744073709551616", "1.8446744073709551616e19")]
        {
            assert_eq!(Decimal::parse(one), Decimal::parse(other));
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, divisor, is_multiple) in [
            ("0.0075", "0.0001", true),
            ("0.00751", "0.0001", false),
            ("12391239123", "1e-8", true),
            ("1e308", "0.5", true),
            ("1e308", "3", false),
            ("123456789012345678901234567890", "10", true),
            ("123456789012345678901234567891", "10", false),
            ("-9", "3", true),
            ("0", "7", true),
            ("4.5", "1.5", true),
            ("35", "1.5", false),
        ] {
            assert_eq!(Decimal::parse(number).is_multiple_of(&Decimal::parse(divisor)), is_multiple, "{number} {divisor}");
        }
    }
}
