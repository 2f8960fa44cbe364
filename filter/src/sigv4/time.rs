//! Times as signatures write them: ISO 8601's basic format, in UTC, to the second.

use crate::calendar::{Moment, days};

/// `YYYYMMDDTHHMMSSZ` to seconds since 1970; nothing for any other text, or for a day that no calendar has.
pub(super) fn parse(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<i64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = u64::try_from(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second).ok()?;
    // The way back is the proof: the 31st of February, `+1` for a number or a 61st minute do not come back as they were.
    (format(seconds) == text).then_some(seconds)
}

/// The way back.
pub(super) fn format(seconds: u64) -> String {
    let Moment { year, month, day, hour, minute, second } = Moment::of(seconds);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written_back() {
        for (text, seconds) in [
            ("19700101T000000Z", 0),
            ("20000229T123456Z", 951_827_696),
            ("20150830T123600Z", 1_440_938_160),
            ("20291231T235959Z", 1_893_455_999),
        ] {
            assert_eq!((parse(text), format(seconds).as_str()), (Some(seconds), text));
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "20150830",
            "20150830T123600",
            "20150830T123600z",
            "20150830 123600Z",
            "2015-08-30T12:36:00Z",
            "Sun, 30 Aug 2015 12:36:00 GMT",
            "20150231T000000Z",
            "20150830T240000Z",
            "20150830T126000Z",
            "20151330T000000Z",
            "20150800T000000Z",
            "19691231T235959Z",
            "+0150830T123600Z",
            "20150830T+23600Z",
            "20150830T123600Z,20150830T123600Z",
            "2015083\u{fc}123600Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
