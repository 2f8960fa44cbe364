//! Times as `$context.requestTime` writes them, and as conditions of policies do.

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `dd/MMM/yyyy:HH:mm:ss +0000` (recorded: `test_lambda_aws_proxy_integration`).
pub fn common_log(millis: u64) -> String {
    let seconds = millis / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let name = MONTHS.get(month).copied().unwrap_or("Jan");
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{day:02}/{name}/{year}:{hour:02}:{minute:02}:{second:02} +0000")
}

/// `2026-01-02T03:04:05Z` (RFC 3339).
pub fn rfc3339(millis: u64) -> String {
    let seconds = millis / 1000;
    let (year, month, day) = civil(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z", month + 1)
}

/// Days since the epoch to year, month from 0, and day: the proleptic Gregorian calendar in eras of 400 years.
fn civil(days: u64) -> (u64, usize, u64) {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 2 } else { march_month - 10 };
    let year = year_of_era + era * 400 + u64::from(month < 2);
    (year, usize::try_from(month).unwrap_or(0), day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_in_the_common_log_format() {
        assert_eq!(common_log(0), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(rfc3339(1_893_455_999_000), "2029-12-31T23:59:59Z");
        assert_eq!(common_log(951_827_696_789), "29/Feb/2000:12:34:56 +0000");
        assert_eq!(common_log(1_893_455_999_000), "31/Dec/2029:23:59:59 +0000");
    }
}
