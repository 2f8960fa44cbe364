//! The token bucket against two models of other kinds: the definition itself (in every window no more than burst and rate allow,
//! and no refusal that the definition does not ask for), and a replay of everything that happened in exact fractions.

use crate::usage::{Bucket, State, Throttle};
use proptest::prelude::*;

/// A token in the fractions that the models count: nanoseconds times millionths of a token a second.
const TOKEN: i128 = 1_000_000_000_000_000;

/// What one change of a bucket may round away, downwards.
const ROUNDING: i128 = 1_000_000;

const SECOND: u64 = 1_000_000_000;

/// A moment at which a clock of an Envoy that runs for a while may stand.
const START: u64 = 86_400 * SECOND;

/// Millionths of a token a second: what a document says, and what the models count with.
fn rate() -> impl Strategy<Value = u64> {
    prop_oneof![
        Just(0),
        1..10_u64,
        Just(1_000),
        Just(333_333),
        1..10_000_000_u64,
        Just(9_999_990_000),
        1_000_000..1_000_000_000_000_u64,
        Just(1_000_000_000_000_000),
    ]
}

fn burst() -> impl Strategy<Value = u32> {
    prop_oneof![Just(0), Just(1), 1..5_u32, 1..10_000_u32, Just(u32::MAX)]
}

/// From no time at all to years.
fn idle() -> impl Strategy<Value = u64> {
    prop_oneof![
        3 => Just(0),
        3 => 0..1_000_u64,
        3 => 0..SECOND,
        3 => 0..100 * SECOND,
        1 => 0..100_000_000 * SECOND,
    ]
}

/// From one request to the next.
#[derive(Debug, Clone)]
enum Gap {
    Idle(u64),
    UntilTheNextToken,
    UntilJustBefore,
}

fn gap() -> impl Strategy<Value = Gap> {
    prop_oneof![4 => idle().prop_map(Gap::Idle), 1 => Just(Gap::UntilTheNextToken), 1 => Just(Gap::UntilJustBefore)]
}

fn throttle(rate_micros: u64, burst: u32) -> Throttle {
    #[expect(clippy::cast_precision_loss, reason = "rates stay far below 2^53")]
    let rate = rate_micros as f64 / 1e6;
    Throttle::new(rate, burst)
}

/// Takes; says whether there was a token. As a meter does: what is refused leaves no trace, but for a clock that was set back.
fn take(bucket: &mut Bucket, throttle: Throttle, now: u64) -> bool {
    match bucket.take(throttle, now) {
        Some(taken) => {
            *bucket = taken;
            true
        }
        None => {
            *bucket = bucket.set_back(throttle, now).unwrap_or(*bucket);
            false
        }
    }
}

#[derive(Debug, Clone)]
enum Event {
    Idle(u64),
    Take,
    GiveBack,
    Limits(u64, u32),
    ClockBack(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => Just(Event::Take),
        4 => idle().prop_map(Event::Idle),
        2 => Just(Event::GiveBack),
        1 => (rate(), burst()).prop_map(|(rate, burst)| Event::Limits(rate, burst)),
        1 => (0..=SECOND).prop_map(Event::ClockBack),
        1 => (SECOND..86_400 * SECOND).prop_map(Event::ClockBack),
    ]
}

/// What changed a bucket: when (who gives back looks at no clock), under which rate and burst, and by how much.
type Change = (Option<u64>, u64, u32, i128);

/// The level of a bucket after everything that ever happened to it, in exact fractions; what is left of the implementation is
/// its rule that time counts from the last change on.
struct Replay {
    changes: Vec<Change>,
    start: u64,
    first: i128,
}

impl Replay {
    fn new(start: u64, burst: u32) -> Self {
        Self { changes: Vec::new(), start, first: i128::from(burst) * TOKEN }
    }

    /// Before a change at that time under those limits.
    fn level(&self, now: u64, rate: u64, burst: u32) -> i128 {
        let (mut level, mut at) = (self.first, self.start);
        for (time, rate, burst, change) in self.changes.iter().copied().chain([(Some(now), rate, burst, 0)]) {
            let full = i128::from(burst) * TOKEN;
            if let Some(time) = time {
                let elapsed = i128::from(time) - i128::from(at);
                if !(-i128::from(SECOND)..0).contains(&elapsed) {
                    level += elapsed.max(0) * i128::from(rate);
                    at = time;
                }
                level = level.min(full);
            }
            level = (level + change).min(full);
        }
        level
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    /// The definition. A request may pass if it and the ones before it, back to any of them, are no more than the burst and what
    /// the rate adds in that time.
    #[test]
    fn a_request_passes_exactly_when_every_window_that_ends_with_it_allows_it(
        rate in rate(), burst in burst(), gaps in prop::collection::vec(gap(), 1..120)
    ) {
        let limits = throttle(rate, burst);
        let (mut now, mut admitted) = (START, Vec::<u64>::new());
        let mut bucket = Bucket::full(limits, now);
        for gap in gaps {
            let token = (TOKEN as u64).div_ceil(rate.max(1));
            now = match gap {
                Gap::Idle(nanos) => now + nanos,
                Gap::UntilTheNextToken => admitted.last().map_or(now, |last| now.max(last + token)),
                Gap::UntilJustBefore => admitted.last().map_or(now, |last| now.max(last + token - 1)),
            };
            let passes = take(&mut bucket, limits, now);
            // What is left over in the tightest window, if this one passes.
            let slack = (0..=admitted.len()).map(|since| {
                let start = admitted.get(since).copied().unwrap_or(now);
                let count = (admitted.len() - since + 1) as i128;
                i128::from(burst) * TOKEN + i128::from(now - start) * i128::from(rate) - count * TOKEN
            }).min().unwrap();
            if passes {
                prop_assert!(slack >= 0, "one too many, by {slack}");
                admitted.push(now);
            } else {
                let rounding = admitted.len() as i128 * ROUNDING;
                prop_assert!(slack < rounding, "refused with {slack} left");
            }
        }
    }

    /// Everything else that happens to a bucket.
    #[test]
    fn a_bucket_holds_what_a_replay_of_its_whole_life_says(
        rate in rate(), burst in burst(), events in prop::collection::vec(event(), 1..120)
    ) {
        let (mut rate, mut burst, mut now) = (rate, burst, START);
        let mut bucket = Bucket::full(throttle(rate, burst), now);
        let mut replay = Replay::new(now, burst);
        for event in events {
            let limits = throttle(rate, burst);
            match event {
                Event::Idle(nanos) => now += nanos,
                Event::ClockBack(nanos) => now = now.saturating_sub(nanos),
                Event::Limits(new_rate, new_burst) => (rate, burst) = (new_rate, new_burst),
                Event::GiveBack => {
                    bucket = bucket.give_back(limits);
                    replay.changes.push((None, rate, burst, TOKEN));
                }
                Event::Take => {
                    let level = replay.level(now, rate, burst);
                    let rounding = (replay.changes.len() as i128 + 1) * ROUNDING;
                    let before = bucket;
                    if take(&mut bucket, limits, now) {
                        prop_assert!(level >= TOKEN, "one too many: {level}");
                        replay.changes.push((Some(now), rate, burst, -TOKEN));
                    } else {
                        prop_assert!(level < TOKEN + rounding, "refused at {level}");
                        if bucket != before {
                            replay.changes.push((Some(now), rate, burst, 0));
                        }
                    }
                }
            }
        }
    }

    /// Whatever the clock does: burst, and rate times the time that it showed to pass; and nobody waits for the time from before
    /// it was set back.
    #[test]
    fn a_clock_that_is_set_grants_nothing_and_locks_nobody_out(
        rate in 1_000..10_000_000_000_u64, burst in 1..100_u32,
        steps in prop::collection::vec((prop_oneof![-3_600_000..3_600_000_i64, -1_500..1_500_i64, 0..50_i64], 1..30_usize), 1..40)
    ) {
        let limits = throttle(rate, burst);
        let mut now = START;
        let mut bucket = Bucket::full(limits, now);
        let (mut admitted, mut forward) = (0_i128, 0_i128);
        for (millis, takes) in steps {
            let before = now;
            now = now.saturating_add_signed(millis * 1_000_000);
            forward += i128::from(now.saturating_sub(before));
            for _ in 0..takes {
                admitted += i128::from(take(&mut bucket, limits, now));
            }
            prop_assert!(admitted * TOKEN <= i128::from(burst) * TOKEN + forward * i128::from(rate));
            if millis < 0 {
                // Asked once after the step (above), and then when the next token is there and everybody sees the same time.
                let later = now + SECOND + (TOKEN as u64).div_ceil(rate) + 1;
                let mut waiting = bucket;
                prop_assert!(take(&mut waiting, limits, later), "locked out after a step of {millis} ms");
            }
        }
    }

    #[test]
    fn bytes_of_any_kind_are_a_state_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        if let Some(state) = State::from_bytes(&bytes) {
            prop_assert_eq!(State::from_bytes(&state.to_bytes()), Some(state));
        }
    }

    /// What decodes is a state that everything can be done to, however mad its numbers.
    #[test]
    fn numbers_of_any_kind_are_counted_on(
        head in prop::collection::vec(any::<u8>(), 16..=16), rate in rate(), burst in burst(), now in any::<u64>()
    ) {
        let mut bytes = vec![1, 1];
        bytes.extend(head);
        bytes.push(0);
        let limits = throttle(rate, burst);
        let bucket = State::from_bytes(&bytes).unwrap().bucket.unwrap();
        let taken = bucket.give_back(limits).take(limits, now);
        prop_assert!(bucket.available(limits, now) <= u64::from(burst));
        if let Some(taken) = taken {
            prop_assert!(taken.available(limits, now) < u64::from(burst));
        }
    }
}

#[test]
fn nothing_drifts_over_a_million_requests() {
    for (rate, burst) in [(1_000_u64, 1), (333_333, 1), (333_333, 7), (9_999_990_000, 5_000)] {
        let limits = throttle(rate, burst);
        let mut now = START;
        let mut bucket = Bucket::full(limits, now);
        // Ten tries for each token, at times that no rate divides.
        let gap = (TOKEN as u64 / rate / 10).max(1) | 1;
        let (mut admitted, mut tries) = (0_u64, 0_u64);
        while admitted < 1_000_000 {
            admitted += u64::from(take(&mut bucket, limits, now));
            now += gap;
            tries += 1;
        }
        // The tries go on after the last one that passed: its time is what counts.
        let exact = i128::from(burst) + i128::from((tries - 1) * gap) * i128::from(rate) / TOKEN;
        let missed = exact - i128::from(admitted);
        assert!((0..=1).contains(&missed), "{missed} of a million are missed at {rate} millionths a second");
    }
}

#[test]
fn rates_are_read_to_a_millionth() {
    for (rate, in_an_hour) in [(0.001, 4), (1.0 / 3.0, 1_200), (9_999.99, 35_999_964), (0.0, 0), (f64::MAX, 3_600_000_000_000)] {
        assert_eq!(Throttle::new(rate, 1).in_seconds(3_600), in_an_hour, "{rate}");
    }
}

#[test]
fn a_burst_of_none_lets_nobody_in_at_any_rate() {
    let limits = Throttle::new(1_000.0, 0);
    let bucket = Bucket::full(limits, START);
    assert!((0..100).all(|hour| bucket.take(limits, START + hour * 3_600 * SECOND).is_none()));
}

#[test]
fn a_rate_of_none_lets_the_burst_in_and_then_nobody() {
    let limits = Throttle::new(0.0, 3);
    let mut bucket = Bucket::full(limits, START);
    let passed = (0..100).filter(|hour| take(&mut bucket, limits, START + hour * 3_600 * SECOND)).count();
    assert_eq!(passed, 3);
}

/// Regression: the refused request wrote nothing, so each look found a clock that had been set back just now, and nobody passed
/// until it stood where it had stood.
#[test]
fn an_empty_bucket_fills_again_on_a_clock_that_was_set_back() {
    let limits = Throttle::new(1.0, 1);
    let mut bucket = Bucket::full(limits, START);
    assert!(take(&mut bucket, limits, START));
    let back = START - 3_600 * SECOND;
    assert!(!take(&mut bucket, limits, back));
    assert!(!take(&mut bucket, limits, back + SECOND - 1));
    assert!(take(&mut bucket, limits, back + SECOND));
}

#[test]
fn a_lower_burst_counts_at_once_and_a_higher_one_is_filled_by_the_rate() {
    let (many, few) = (Throttle::new(1.0, 100), Throttle::new(1.0, 5));
    let bucket = Bucket::full(many, START);
    assert_eq!(bucket.available(few, START), 5);
    let taken = bucket.take(few, START).unwrap();
    assert_eq!(taken.available(many, START), 4);
    assert_eq!(taken.available(many, START + 10 * SECOND), 14);
}

#[test]
fn who_gives_back_never_fills_a_bucket_over_its_burst() {
    let limits = Throttle::new(0.0, 2);
    let bucket = Bucket::full(limits, START).give_back(limits).give_back(limits);
    assert_eq!(bucket.available(limits, START), 2);
    let taken = bucket.take(limits, START).unwrap().give_back(limits);
    assert_eq!(taken, bucket);
}

#[test]
fn a_rate_is_told_in_whole_requests_rounded_up() {
    for (rate, a_second, a_minute) in
        [(0.0, 0, 0), (0.001, 1, 1), (1.0, 1, 60), (1.5, 2, 90), (2.01, 3, 121), (1e12, 1_000_000_000, 60_000_000_000)]
    {
        let throttle = Throttle::new(rate, 7);
        assert_eq!((throttle.rate_ceiling(), throttle.in_seconds(60), throttle.burst()), (a_second, a_minute, 7), "{rate}");
    }
}

#[test]
fn a_bucket_is_later_than_a_clock_that_stands_before_it() {
    let bucket = Bucket::full(Throttle::new(1.0, 1), 10);
    assert_eq!([9, 10, 11].map(|now| bucket.is_later_than(now)), [true, false, false]);
}
