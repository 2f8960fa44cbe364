//! Dates of conditions: the forms of <https://www.w3.org/TR/NOTE-datetime>, and seconds since 1970.

use crate::calendar::days;

/// What is left of a date.
struct Scan<'a>(&'a str);

const DAY: i64 = 86_400_000;

/// Milliseconds since 1970-01-01T00:00:00Z. A year alone (`2026`) is refused, as it could as well be a number of seconds, and so is
/// a time without its zone: assumed(policy-date-forms), AWS may read them.
pub fn parse(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return if digits.len() == 4 { None } else { text.parse::<i64>().ok()?.checked_mul(1000) };
    }
    let mut scan = Scan(text);
    let year = scan.digits(4)?;
    let month = scan.behind('-')?.number(1, 12)?;
    let day = if scan.is_done() { 1 } else { scan.behind('-')?.number(1, month_length(year, month))? };
    let midnight = days(year, month, day) * DAY;
    if scan.is_done() { Some(midnight) } else { Some(midnight + scan.behind('T')?.time()?) }
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

// === impl Scan ===

impl Scan<'_> {
    fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    fn behind(&mut self, mark: char) -> Option<&mut Self> {
        self.0 = self.0.strip_prefix(mark)?;
        Some(self)
    }

    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    fn number(&mut self, least: i64, most: i64) -> Option<i64> {
        self.digits(2).filter(|number| (least..=most).contains(number))
    }

    /// `hh:mm`, `hh:mm:ss` or `hh:mm:ss.s`, and the zone: `Z` or `+hh:mm`.
    fn time(&mut self) -> Option<i64> {
        let (hour, minute) = (self.number(0, 23)?, self.behind(':')?.number(0, 59)?);
        let second = if self.0.starts_with(':') { self.behind(':')?.number(0, 59)? } else { 0 };
        let millis = if self.0.starts_with('.') { self.behind('.')?.fraction()? } else { 0 };
        let zone = match self.behind('Z') {
            Some(_) => 0,
            None => {
                let (mark, sign) = if self.0.starts_with('-') { ('-', -1) } else { ('+', 1) };
                let hours = self.behind(mark)?.number(0, 23)?;
                sign * (hours * 60 + self.behind(':')?.number(0, 59)?)
            }
        };
        self.is_done().then_some(((hour * 60 + minute - zone) * 60 + second) * 1000 + millis)
    }

    /// One or more digits, of which three count.
    fn fraction(&mut self) -> Option<i64> {
        let rest = self.0.trim_start_matches(|c: char| c.is_ascii_digit());
        let digits = self.0.strip_suffix(rest).filter(|digits| !digits.is_empty())?;
        self.0 = rest;
        format!("{digits:0<3}").get(..3)?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_form_is_read() {
        for (text, millis) in [
            ("0", 0),
            ("-1", -1000),
            ("1767323045", 1_767_323_045_000),
            ("1970-01", 0),
            ("1970-01-02", DAY),
            ("2000-02-29", 951_782_400_000),
            ("2026-01-02T03:04Z", 1_767_323_040_000),
            ("2026-01-02T03:04:05Z", 1_767_323_045_000),
            ("2026-01-02T03:04:05.6Z", 1_767_323_045_600),
            ("2026-01-02T03:04:05.67891Z", 1_767_323_045_678),
            ("2026-01-02T04:34:05+01:30", 1_767_323_045_000),
            ("2026-01-01T22:04:05-05:00", 1_767_323_045_000),
            ("0000-03-01", -62_162_035_200_000),
            ("9999-12-31T23:59:59Z", 253_402_300_799_000),
        ] {
            assert_eq!(parse(text), Some(millis), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "-",
            "2026",
            "2026-",
            "2026-13",
            "2026-1-02",
            "2025-02-29",
            "1900-02-29",
            "2026-01-32",
            "2026-04-31",
            "2026-06-31",
            "2026-09-31",
            "2026-11-31",
            "2026-01-02T",
            "2026-01-02T03Z",
            "2026-01-02T03:04:05",
            "2026-01-02T24:00:00Z",
            "2026-01-02T03:60Z",
            "2026-01-02T03:04:60Z",
            "2026-01-02T03:04:05.Z",
            "2026-01-02T03:04:05Zx",
            "2026-01-02T03:04:05+0100",
            "2026-01-02 03:04:05Z",
            "+026-01-02",
            "2026-01-02T03:04:05é",
            "99999999999999999999",
            "9223372036854775807",
            "*",
            "1e9",
            "1.5",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
