//! Times as signatures write them: ISO 8601's basic format, in UTC, to the second.

/// `YYYYMMDDTHHMMSSZ` to seconds since 1970; nothing for any other text, or for a day that no calendar has.
pub(super) fn parse(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u64>().ok();
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    // The way back is the proof: the 31st of February, `+1` for a number or a 61st minute do not come back as they were.
    (format(seconds) == text).then_some(seconds)
}

/// The way back.
pub(super) fn format(seconds: u64) -> String {
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// Days since 1970 of a date of the proleptic Gregorian calendar, in eras of 400 years that begin in March.
fn days(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year / 400, year % 400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + u64::from(month <= 2), month, day)
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
