//! Times as `$context.requestTime` writes them, and as conditions of policies do.

use crate::calendar::Moment;

/// `dd/MMM/yyyy:HH:mm:ss +0000` (recorded: `test_lambda_aws_proxy_integration`).
pub fn common_log(millis: u64) -> String {
    let moment = Moment::of(millis / 1000);
    let Moment { year, day, hour, minute, second, .. } = moment;
    format!("{day:02}/{}/{year}:{hour:02}:{minute:02}:{second:02} +0000", moment.month_name())
}

/// `2026-01-02T03:04:05Z` (RFC 3339).
pub fn rfc3339(millis: u64) -> String {
    let Moment { year, month, day, hour, minute, second } = Moment::of(millis / 1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
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
