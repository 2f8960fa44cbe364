//! Days and dates: the proleptic Gregorian calendar, in eras of 400 years that begin in March. All times are UTC.

/// A moment to the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    /// `2026`
    pub year: u64,
    /// From 1.
    pub month: u64,
    /// From 1.
    pub day: u64,
    /// From 0 to 23.
    pub hour: u64,
    /// From 0 to 59.
    pub minute: u64,
    /// From 0 to 59.
    pub second: u64,
}

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

// === impl Moment ===

impl Moment {
    /// From seconds since 1970-01-01T00:00:00Z.
    pub fn of(seconds: u64) -> Self {
        let days = seconds / 86_400 + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let march_month = (5 * day_of_year + 2) / 153;
        let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
        Self {
            year: year_of_era + era * 400 + u64::from(month <= 2),
            month,
            day: day_of_year - (153 * march_month + 2) / 5 + 1,
            hour: seconds / 3600 % 24,
            minute: seconds / 60 % 60,
            second: seconds % 60,
        }
    }

    /// `Jan`
    pub fn month_name(&self) -> &'static str {
        let index = usize::try_from(self.month).ok().and_then(|month| month.checked_sub(1));
        index.and_then(|index| MONTHS.get(index)).copied().unwrap_or("Jan")
    }
}

/// Days from 1970-01-01 to a date, which may be before it.
pub fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_of_two_eras_is_found_again() {
        for day in 0..(2 * 146_097) {
            let moment = Moment::of(day * 86_400 + 3_661);
            let [year, month, date] = [moment.year, moment.month, moment.day].map(|number| i64::try_from(number).unwrap());
            assert_eq!(days(year, month, date), i64::try_from(day).unwrap());
            assert_eq!((moment.hour, moment.minute, moment.second), (1, 1, 1));
        }
        let leap = Moment::of(951_827_696);
        assert_eq!((leap.year, leap.month_name(), leap.day), (2000, "Feb", 29));
    }
}
