//! The quota: the calendar that it follows, told by a calendar of another kind (days counted one by one), and clocks that are set.

use crate::usage::{Period, Quota, State};
use proptest::prelude::*;

const DAY: u64 = 86_400;

/// 2026-01-01T00:00:00Z, a Thursday.
const NEW_YEAR: u64 = 1_767_225_600;

fn quota(limit: u64, period: Period) -> Quota {
    Quota { limit, offset: 0, period }
}

/// Takes so often; says how often it was let in.
fn take(state: &mut State, quota: Quota, now: u64, times: u64) -> u64 {
    let mut admitted = 0;
    for _ in 0..times {
        if let Some(counter) = quota.take(state.counter, now) {
            state.counter = Some(counter);
            admitted += 1;
        }
    }
    admitted
}

/// Every day from 1970 on: its year, month, day and weekday (0 is Sunday), found by counting.
fn days() -> impl Iterator<Item = (u64, u64, u64, u64)> {
    let length = |year: u64, month: u64| match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    let next = move |&(year, month, day, weekday): &(u64, u64, u64, u64)| {
        let weekday = (weekday + 1) % 7;
        Some(match (month, day) {
            (12, 31) => (year + 1, 1, 1, weekday),
            (month, day) if day == length(year, month) => (year, month + 1, 1, weekday),
            (month, day) => (year, month, day + 1, weekday),
        })
    };
    std::iter::successors(Some((1970, 1, 1, 4)), next)
}

#[test]
fn periods_begin_and_end_as_in_a_calendar_that_is_counted_day_by_day() {
    let calendar: Vec<_> = days().take(180 * 366).collect();
    let mut begins = [0_u64; 3];
    for (number, (_, _, day, weekday)) in calendar.iter().enumerate() {
        let today = number as u64;
        for (begin, is_new) in begins.iter_mut().zip([true, *weekday == 0, *day == 1]) {
            if is_new {
                *begin = today;
            }
        }
        for (period, begin) in [Period::Day, Period::Week, Period::Month].into_iter().zip(begins) {
            for second in [0, 1, DAY / 2, DAY - 1] {
                let now = today * DAY + second;
                assert_eq!(period.start_seconds(now), begin * DAY, "{} at {now}", period.as_str());
                let end = period.end_seconds(now);
                assert!(end > now && period.start_seconds(end) == end, "{} at {now} ends at {end}", period.as_str());
                assert_eq!(period.start_seconds(end - 1), begin * DAY, "{} at {now} ends at {end}", period.as_str());
            }
        }
    }
}

#[test]
fn the_count_begins_anew_with_the_period_and_not_a_second_earlier() {
    let leap_day = 1_709_164_800; // 2024-02-29T00:00:00Z
    for (period, last, first) in [
        (Period::Day, NEW_YEAR - 1, NEW_YEAR),
        (Period::Day, leap_day - 1, leap_day),
        (Period::Day, leap_day + DAY - 1, leap_day + DAY),
        (Period::Month, NEW_YEAR - 1, NEW_YEAR),
        (Period::Month, leap_day + DAY - 1, leap_day + DAY),
        // From Saturday 2026-01-03 to Sunday.
        (Period::Week, NEW_YEAR + 3 * DAY - 1, NEW_YEAR + 3 * DAY),
    ] {
        let mut state = State::default();
        let quota = quota(2, period);
        assert_eq!(take(&mut state, quota, period.start_seconds(last), 1), 1);
        assert_eq!(take(&mut state, quota, last, 5), 1, "{} before {first}", period.as_str());
        assert_eq!(take(&mut state, quota, first, 5), 2, "{} at {first}", period.as_str());
    }
    // A week and a month do not begin with every year, nor a month with the leap day.
    let mut state = State::default();
    assert_eq!(take(&mut state, quota(1, Period::Week), NEW_YEAR - 1, 1), 1);
    assert_eq!(take(&mut state, quota(1, Period::Week), NEW_YEAR, 1), 0);
    let mut state = State::default();
    assert_eq!(take(&mut state, quota(1, Period::Month), leap_day - 1, 1), 1);
    assert_eq!(take(&mut state, quota(1, Period::Month), leap_day, 1), 0);
}

#[test]
fn the_offset_counts_in_the_first_period_only() {
    let mut state = State::default();
    let quota = Quota { limit: 10, offset: 7, period: Period::Day };
    assert_eq!(quota.used(state.counter, NEW_YEAR), 7);
    assert_eq!(take(&mut state, quota, NEW_YEAR, 20), 3);
    assert_eq!(take(&mut state, quota, NEW_YEAR + DAY, 20), 10);
    let mut state = State::default();
    assert_eq!(take(&mut state, Quota { limit: 10, offset: 11, period: Period::Day }, NEW_YEAR, 1), 0);
}

#[test]
fn a_clock_that_is_set_forwards_and_back_again_finds_its_count() {
    for period in [Period::Day, Period::Week, Period::Month] {
        let (mut state, quota) = (State::default(), quota(5, period));
        assert_eq!(take(&mut state, quota, NEW_YEAR, 3), 3);
        let later = period.end_seconds(NEW_YEAR);
        assert_eq!(take(&mut state, quota, later, 4), 4);
        assert_eq!(take(&mut state, quota, NEW_YEAR, 9), 2);
        assert_eq!(take(&mut state, quota, later, 9), 1);
        assert_eq!(take(&mut state, quota, NEW_YEAR, 9), 0);
    }
}

#[test]
fn a_clock_that_stood_in_another_century_locks_nobody_out() {
    let (mut state, quota) = (State::default(), quota(5, Period::Month));
    assert_eq!(take(&mut state, quota, NEW_YEAR, 5), 5);
    assert_eq!(take(&mut state, quota, 7_258_118_400, 5), 5);
    assert_eq!(take(&mut state, quota, NEW_YEAR, 5), 0);
    assert_eq!(take(&mut state, quota, NEW_YEAR + 31 * DAY, 5), 5);
    assert_eq!(take(&mut state, quota, 0, 5), 5);
}

#[test]
fn a_limit_that_changes_within_a_period_counts_at_once() {
    let mut state = State::default();
    assert_eq!(take(&mut state, quota(10, Period::Day), NEW_YEAR, 6), 6);
    assert_eq!(take(&mut state, quota(5, Period::Day), NEW_YEAR, 9), 0);
    assert_eq!(take(&mut state, quota(8, Period::Day), NEW_YEAR, 9), 2);
    assert_eq!(take(&mut state, quota(5, Period::Day), NEW_YEAR + DAY, 9), 5);
}

#[test]
fn another_kind_of_period_counts_anew_and_the_old_one_is_found_again() {
    let mut state = State::default();
    // All three begin with it: 2023-01-01 was a Sunday.
    let first = 1_672_531_200;
    assert_eq!(take(&mut state, quota(3, Period::Day), first, 9), 3);
    assert_eq!(take(&mut state, quota(4, Period::Month), first, 9), 4);
    assert_eq!(take(&mut state, quota(3, Period::Day), first, 9), 0);
    assert_eq!(take(&mut state, quota(5, Period::Week), first, 9), 5);
}

/// Regression: what was counted yesterday was taken off the count of today.
#[test]
fn what_is_given_back_after_midnight_is_given_back_to_yesterday() {
    let (mut state, quota) = (State::default(), quota(5, Period::Day));
    assert_eq!(take(&mut state, quota, NEW_YEAR - 1, 5), 5);
    state.counter = Some(state.counter.unwrap().give_back());
    assert_eq!(quota.used(state.counter, NEW_YEAR - 1), 4);
    assert_eq!(quota.used(state.counter, NEW_YEAR), 0);
    assert_eq!(take(&mut state, quota, NEW_YEAR, 9), 5);
}

#[test]
fn nothing_is_given_back_twice() {
    let (mut state, quota) = (State::default(), quota(2, Period::Day));
    assert_eq!(take(&mut state, quota, NEW_YEAR, 1), 1);
    for _ in 0..3 {
        state.counter = Some(state.counter.unwrap().give_back());
    }
    assert_eq!(take(&mut state, quota, NEW_YEAR, 9), 2);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// As long as the clock goes forwards: never more than the limit in a period, and never fewer if they are asked for.
    #[test]
    fn each_period_grants_its_limit(
        limit in 0..20_u64, period in prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month)],
        steps in prop::collection::vec((0..40 * DAY, 0..30_u64), 1..60)
    ) {
        let (mut state, quota, mut now) = (State::default(), quota(limit, period), NEW_YEAR);
        let mut granted = std::collections::BTreeMap::<u64, (u64, u64)>::new();
        for (gap, times) in steps {
            now += gap;
            let admitted = take(&mut state, quota, now, times);
            let (asked, sum) = granted.entry(period.start_seconds(now)).or_default();
            *asked += times;
            *sum += admitted;
            prop_assert_eq!(*sum, limit.min(*asked));
            prop_assert_eq!(quota.used(state.counter, now), *sum);
        }
    }

    /// A clock that is set between two periods, as often as it likes.
    #[test]
    fn a_clock_between_two_periods_grants_each_of_them_once(
        limit in 0..20_u64, steps in prop::collection::vec((any::<bool>(), 0..DAY, 0..5_u64), 1..60)
    ) {
        let (mut state, quota) = (State::default(), quota(limit, Period::Day));
        let (mut asked, mut granted) = ([0; 2], [0; 2]);
        for (is_tomorrow, second, times) in steps {
            let day = usize::from(is_tomorrow);
            asked[day] += times;
            granted[day] += take(&mut state, quota, NEW_YEAR + day as u64 * DAY + second, times);
            prop_assert_eq!(granted, asked.map(|asked| asked.min(limit)));
        }
    }

    #[test]
    fn numbers_of_any_kind_are_counted_on(
        numbers in prop::collection::vec(any::<u8>(), 32..=32), limit in any::<u64>(), offset in any::<u64>(), now in any::<u64>(),
        period in prop_oneof![Just(Period::Day), Just(Period::Week), Just(Period::Month)]
    ) {
        let bytes: Vec<u8> = [1, 0, 1].into_iter().chain(numbers).collect();
        let state = State::from_bytes(&bytes).unwrap();
        let quota = Quota { limit, offset, period };
        let used = quota.used(state.counter, now);
        let taken = quota.take(state.counter, now);
        prop_assert_eq!(taken.is_some(), used < limit);
        if let Some(taken) = taken {
            prop_assert_eq!(quota.used(Some(taken.give_back()), now), used);
        }
        prop_assert!(period.start_seconds(now) <= now);
        prop_assert!(period.end_seconds(now) > now || now > u64::MAX - 32 * DAY);
    }
}

#[test]
fn a_plan_whose_period_becomes_another_one_counts_anew_on_every_day() {
    let periods = [Period::Day, Period::Week, Period::Month];
    for day in 0..62 {
        let now = NEW_YEAR + day * DAY;
        for before in periods {
            let counter = quota(9, before).take(None, now);
            for after in periods {
                let used = quota(9, after).used(counter, now);
                assert_eq!(used, u64::from(before == after), "{} to {} on day {day}", before.as_str(), after.as_str());
            }
        }
    }
}
