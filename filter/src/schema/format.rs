//! The formats that a string can be asked for. Models on AWS turn down what is no e-mail address (reported by a user of AWS:
//! dod-ccpo/atat-web-api, pull request 204), and take anything for `byte` (recorded:
//! `test_import_with_circular_models_and_request_validation`): that is what its validator does, which knows the formats of draft 4
//! and lets others pass. assumed(schema-format): that it looks at `date-time`, `ipv4` and `ipv6` as well; it may look at `hostname`
//! and `uri`, which ask nothing here.

use crate::calendar::days;
use std::net::{Ipv4Addr, Ipv6Addr};

/// One format.
#[derive(Debug)]
pub struct Format {
    name: &'static str,
    /// What is said of a text that is not of it.
    pub finding: &'static str,
    /// Whether a text is of it.
    pub is_fine: fn(&str) -> bool,
}

/// Longer texts are of no format.
pub const LIMIT: usize = 1024;

static FORMATS: [Format; 4] = [
    Format {
        name: "date-time",
        finding: "string \"%\" is invalid against requested date format(s) [yyyy-MM-dd'T'HH:mm:ssZ, yyyy-MM-dd'T'HH:mm:ss.[0-9]{1,12}Z]",
        is_fine: |text| is_date_time(text).is_some(),
    },
    Format { name: "email", finding: "string \"%\" is not a valid email address", is_fine: is_email },
    Format { name: "ipv4", finding: "string \"%\" is not a valid IPv4 address", is_fine: |text| text.parse::<Ipv4Addr>().is_ok() },
    Format { name: "ipv6", finding: "string \"%\" is not a valid IPv6 address", is_fine: |text| text.parse::<Ipv6Addr>().is_ok() },
];

// === impl Format ===

impl Format {
    /// The format of a name; none where it asks nothing.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }
}

/// A name, an `@`, and a domain: what every reader of addresses agrees on.
fn is_email(text: &str) -> bool {
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '<' | '>' | '(' | ')' | ',' | ';' | ':' | '"');
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let is_quoted = local.len() > 2 && local.starts_with('"') && local.ends_with('"');
    let dots = |part: &str| part.split('.').all(|label| !label.is_empty());
    let is_literal = domain.starts_with('[') && domain.ends_with(']');
    (is_quoted || dots(local) && !local.contains(is_odd)) && (is_literal || dots(domain) && !domain.contains(is_odd))
}

/// `2026-02-28T12:00:00.5+01:00`
fn is_date_time(text: &str) -> Option<()> {
    let digits = |part: &str, count: usize| part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
    let number = |part: &str, count: usize| part.parse::<i64>().ok().filter(|_| digits(part, count));
    let (date, time) = text.split_once('T')?;
    let mut date = date.split('-');
    let (year, month, day) = (number(date.next()?, 4)?, number(date.next()?, 2)?, number(date.next()?, 2)?);
    let (next_year, next_month) = if month == 12 { (year + 1, 1) } else { (year, month + 1) };
    let length = days(next_year, next_month, 1) - days(year, month, 1);
    let zone_at = time.find(['Z', '+', '-'])?;
    let (time, zone) = time.split_at_checked(zone_at)?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.split(':');
    let (hour, minute, second) = (number(time.next()?, 2)?, number(time.next()?, 2)?, number(time.next()?, 2)?);
    let zone = zone.replacen(':', "", 1);
    let offset = zone.trim_start_matches(['+', '-']);
    let has_zone =
        zone == "Z" || zone.len() == offset.len() + 1 && number(offset, 4).is_some_and(|offset| offset < 2400 && offset % 100 < 60);
    let is_date = (1..=12).contains(&month) && (1..=length).contains(&day) && date.next().is_none();
    let is_time = hour < 24 && minute < 60 && second < 60 && time.next().is_none();
    let is_fraction = (1..=12).contains(&fraction.len()) && digits(fraction, fraction.len());
    (is_date && is_time && is_fraction && has_zone).then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_of_a_format_or_not() {
        for (name, fine, wrong) in [
            (
                "email",
                ["joe.bloggs@example.com", "te~st@example.com", "\"joe bloggs\"@example.com", "a@[127.0.0.1]"],
                ["2962", "@example.com", "a b@example.com", "a..b@example.com"],
            ),
            (
                "date-time",
                ["1963-06-19T08:30:06.283185Z", "2024-02-29T23:59:59+0100", "1937-01-01T12:00:27.87-08:00", "1990-12-31T15:59:50Z"],
                ["2023-02-29T00:00:00Z", "1998-1-20T17:54:00Z", "1990-12-31T24:00:00Z", "1963-06-19"],
            ),
            ("ipv4", ["127.0.0.1", "0.0.0.0", "255.255.255.255", "1.2.3.4"], ["256.0.0.1", "127.0", "01.2.3.4", "1.2.3.4 "]),
            ("ipv6", ["::1", "::", "::ffff:1.2.3.4", "1:2:3:4:5:6:7:8"], ["12345::", ":2:3:4:5:6:7:8", "fe80::a%eth1", "1::2::3"]),
        ] {
            let format = Format::named(name).unwrap();
            fine.iter().for_each(|text| assert!((format.is_fine)(text), "{text} is {name}"));
            wrong.iter().for_each(|text| assert!(!(format.is_fine)(text), "{text} is not {name}"));
        }
        assert!(["byte", "date", "uuid", "Email"].iter().all(|name| Format::named(name).is_none()));
    }
}
