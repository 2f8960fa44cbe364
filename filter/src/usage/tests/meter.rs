//! Meters on a store that many threads share, by Envoy's rules: what is counted is counted once, whatever the others do.

use crate::platform::{Level, Platform, Version};
use crate::usage::{Clock, Exceeded, Meter, Period, Quota, State, Throttle, slot};
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

/// 2026-01-01T12:00:00Z
const NOON_MILLIS: u64 = 1_767_268_800_000;

const SECOND: u64 = 1_000_000_000;

/// The values with their versions, and the last version.
type Data = (HashMap<String, (Vec<u8>, u32)>, u32);

/// A host: its shared data, its clocks and its log.
pub(super) struct Shared {
    data: Mutex<Data>,
    wall_millis: AtomicU64,
    nanos: AtomicU64,
    reads: AtomicU64,
    writes: AtomicU64,
    is_stuck: bool,
    /// Whether time passes by itself.
    runs: Option<Instant>,
    logs: Mutex<Vec<(Level, String)>>,
}

impl Default for Shared {
    fn default() -> Self {
        Self {
            data: Mutex::default(),
            wall_millis: NOON_MILLIS.into(),
            nanos: (1_000 * SECOND).into(),
            reads: 0.into(),
            writes: 0.into(),
            is_stuck: false,
            runs: None,
            logs: Mutex::default(),
        }
    }
}

impl Platform for Shared {
    fn now_millis(&self) -> u64 {
        self.wall_millis.load(Ordering::SeqCst)
    }
    fn monotonic_nanos(&self) -> u64 {
        let passed = self.runs.map_or(0, |start| u64::try_from(start.elapsed().as_nanos()).unwrap());
        self.nanos.load(Ordering::SeqCst) + passed
    }
    fn random(&mut self) -> [u8; 16] {
        [0; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        None
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        self.data.lock().unwrap().0.get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        self.writes.fetch_add(1, Ordering::Relaxed);
        let mut data = self.data.lock().unwrap();
        let number = match version {
            Version::Any => 0,
            Version::Missing => u32::MAX,
            Version::Is(number) => number,
        };
        // Envoy compares with what is there only if something is there.
        let is_other = data.0.get(key).is_some_and(|(_, current)| number != 0 && number != *current);
        if self.is_stuck || is_other {
            return false;
        }
        data.1 += 1;
        let next = data.1;
        data.0.insert(key.to_owned(), (value.to_vec(), next));
        true
    }
    fn log(&self, level: Level, message: &str) {
        self.logs.lock().unwrap().push((level, message.to_owned()));
    }
}

impl Shared {
    /// With a clock that goes.
    fn running() -> Self {
        Self { runs: Some(Instant::now()), ..Self::default() }
    }

    pub(super) fn state(&self, meter: &Meter) -> State {
        meter.state(self.shared_data(&meter.slot).as_ref().map(|(bytes, _)| bytes.as_slice()))
    }

    pub(super) fn used(&self, meter: &Meter) -> u64 {
        meter.quota.unwrap().used(self.state(meter).counter, self.now_millis() / 1000)
    }
}

fn meter(throttle: Option<Throttle>, quota: Option<Quota>) -> Meter {
    Meter { slot: slot(&["plan", "p", "k"]), throttle, quota }
}

fn daily(limit: u64) -> Option<Quota> {
    Some(Quota { limit, offset: 0, period: Period::Day })
}

#[test]
fn eight_threads_are_granted_exactly_the_quota() {
    const THREADS: u64 = 8;
    const ATTEMPTS: u64 = 150_000;
    const LIMIT: u64 = 1_000_000;
    let (shared, meter, admitted) = (Shared::running(), meter(None, daily(LIMIT)), AtomicU64::new(0));
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for _ in 0..ATTEMPTS {
                    match meter.take(&shared) {
                        Ok(()) => drop(admitted.fetch_add(1, Ordering::Relaxed)),
                        Err(exceeded) => assert_eq!(exceeded, Exceeded::Quota),
                    }
                }
            });
        }
    });
    let contended = shared.writes.load(Ordering::Relaxed) - LIMIT;
    println!("{} attempts in {:?}, {contended} writes lost to another thread", THREADS * ATTEMPTS, start.elapsed());
    assert_eq!(admitted.into_inner(), LIMIT);
    assert_eq!(shared.used(&meter), LIMIT);
    assert_eq!(*shared.logs.lock().unwrap(), []);
}

#[test]
fn a_storm_of_refunds_leaves_exactly_what_was_not_given_back() {
    const LIMIT: u64 = 5_000;
    let throttle = Throttle::new(0.0, 20_000);
    let (shared, meter) = (Shared::running(), meter(Some(throttle), daily(LIMIT)));
    let (admitted, returned) = (AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for thread in 0..8_u64 {
            let (shared, meter, admitted, returned) = (&shared, &meter, &admitted, &returned);
            scope.spawn(move || {
                for attempt in 0..20_000 {
                    let Ok(()) = meter.take(shared) else { continue };
                    admitted.fetch_add(1, Ordering::Relaxed);
                    // Nine of ten, at other times in each thread.
                    if (attempt + thread) % 10 != 0 {
                        meter.give_back(shared);
                        returned.fetch_add(1, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let (admitted, returned) = (admitted.into_inner(), returned.into_inner());
    println!("{admitted} admitted, {returned} given back");
    assert!(returned > LIMIT, "no storm: {returned}");
    assert_eq!(shared.used(&meter), admitted - returned);
    // No rate: the bucket has lost exactly as many tokens.
    let available = shared.state(&meter).bucket.unwrap().available(throttle, shared.monotonic_nanos());
    assert_eq!(available, 20_000 - (admitted - returned));
    assert_eq!(*shared.logs.lock().unwrap(), []);
}

/// A worker that is slow: whatever it reads, another worker has taken in between.
struct Slow<'a> {
    shared: &'a Shared,
    other: &'a Meter,
    rushes: AtomicU64,
}

impl Platform for Slow<'_> {
    fn now_millis(&self) -> u64 {
        self.shared.now_millis()
    }
    fn monotonic_nanos(&self) -> u64 {
        self.shared.monotonic_nanos()
    }
    fn random(&mut self) -> [u8; 16] {
        [0; 16]
    }
    fn source_address(&self) -> Option<String> {
        None
    }
    fn response_code_details(&self) -> Option<String> {
        None
    }
    fn request_body(&self) -> Vec<u8> {
        Vec::new()
    }
    fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
    fn shared_data(&self, key: &str) -> Option<(Vec<u8>, u32)> {
        let seen = self.shared.shared_data(key);
        if self.rushes.load(Ordering::SeqCst) > 0 {
            self.rushes.fetch_sub(1, Ordering::SeqCst);
            assert_eq!(self.other.take(self.shared), Ok(()));
        }
        seen
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        self.shared.set_shared_data(key, value, version)
    }
    fn log(&self, level: Level, message: &str) {
        self.shared.log(level, message);
    }
}

#[test]
fn two_workers_that_find_nothing_do_not_both_begin() {
    for rushes in [1, 2, 40] {
        let (shared, meter) = (Shared::default(), meter(None, daily(100)));
        let slow = Slow { shared: &shared, other: &meter, rushes: rushes.into() };
        assert_eq!(meter.take(&slow), Ok(()));
        assert_eq!(shared.used(&meter), rushes + 1);
        slow.rushes.store(rushes, Ordering::SeqCst);
        meter.give_back(&slow);
        assert_eq!(shared.used(&meter), 2 * rushes);
    }
}

#[test]
fn a_store_that_takes_nothing_refuses_after_a_bounded_number_of_attempts_and_says_so() {
    let (shared, meter) = (Shared { is_stuck: true, ..Shared::default() }, meter(None, daily(5)));
    assert_eq!(meter.take(&shared), Err(Exceeded::Throttle));
    assert_eq!(shared.writes.load(Ordering::Relaxed), 256);
    let logs = shared.logs.lock().unwrap().clone();
    assert_eq!(
        logs,
        [(Level::Warn, r#"too many workers count `usage["plan","p","k"]` at once: the request is refused"#.to_owned())]
    );
}

#[test]
fn a_request_that_could_not_be_given_back_is_spoken_of() {
    let (mut shared, meter) = (Shared::default(), meter(None, daily(5)));
    assert_eq!(meter.take(&shared), Ok(()));
    shared.is_stuck = true;
    meter.give_back(&shared);
    assert_eq!(shared.used(&meter), 1);
    let logs = shared.logs.lock().unwrap().clone();
    assert!(matches!(logs.as_slice(), [(Level::Warn, line)] if line.ends_with("a request counts that was refused")), "{logs:?}");
}

#[test]
fn who_is_refused_looks_once_and_writes_nothing() {
    for (throttle, quota, exceeded) in
        [(Some(Throttle::new(0.0, 0)), daily(5), Exceeded::Throttle), (Some(Throttle::new(1.0, 9)), daily(0), Exceeded::Quota)]
    {
        let (shared, meter) = (Shared::default(), meter(throttle, quota));
        assert_eq!(meter.take(&shared), Err(exceeded));
        let counts = [&shared.reads, &shared.writes].map(|count| count.load(Ordering::Relaxed));
        assert_eq!(counts, [1, 0]);
    }
}

#[test]
fn an_offset_of_the_whole_quota_closes_the_first_period_and_no_other() {
    let shared = Shared::default();
    let meter = meter(None, Some(Quota { limit: 5, offset: 5, period: Period::Day }));
    for _ in 0..3 {
        assert_eq!(meter.take(&shared), Err(Exceeded::Quota));
    }
    assert_eq!(shared.writes.load(Ordering::SeqCst), 1, "that the first period has begun is written down once");
    shared.wall_millis.fetch_add(86_400_000, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(meter.take(&shared), Ok(()));
    }
    assert_eq!(meter.take(&shared), Err(Exceeded::Quota));
}

#[test]
fn a_throttled_request_does_not_count_towards_the_quota_nor_one_over_the_quota_towards_the_throttle() {
    let throttle = Throttle::new(1.0, 1);
    let (shared, plan) = (Shared::default(), meter(Some(throttle), daily(2)));
    assert_eq!(plan.take(&shared), Ok(()));
    assert_eq!(plan.take(&shared), Err(Exceeded::Throttle));
    assert_eq!(shared.used(&plan), 1);
    shared.nanos.fetch_add(SECOND, Ordering::SeqCst);
    assert_eq!(plan.take(&shared), Ok(()));
    shared.nanos.fetch_add(SECOND, Ordering::SeqCst);
    assert_eq!(plan.take(&shared), Err(Exceeded::Quota));
    assert_eq!(plan.take(&shared), Err(Exceeded::Quota));
    let available = shared.state(&plan).bucket.unwrap().available(throttle, shared.monotonic_nanos());
    assert_eq!(available, 1);
}

#[test]
fn a_meter_without_limits_asks_nothing_of_the_host() {
    let (shared, meter) = (Shared::default(), meter(None, None));
    assert_eq!(meter.take(&shared), Ok(()));
    assert_eq!(shared.reads.load(Ordering::Relaxed) + shared.writes.load(Ordering::Relaxed), 0);
}

#[test]
fn what_is_given_back_to_a_store_that_forgot_it_is_not_there_then() {
    let shared = Shared::default();
    let meter = meter(Some(Throttle::new(0.0, 1)), daily(1));
    meter.give_back(&shared);
    assert_eq!(shared.writes.load(Ordering::Relaxed), 0);
    assert_eq!(meter.take(&shared), Ok(()));
    assert_eq!(meter.take(&shared), Err(Exceeded::Throttle));
}

#[test]
fn bytes_that_are_no_state_count_as_none() {
    let (shared, meter) = (Shared::default(), meter(None, daily(1)));
    for bytes in [&b""[..], b"\x02\0\0", b"\x01\x01", b"\x01\0\0\0", b"{}"] {
        assert!(shared.set_shared_data(&meter.slot, bytes, Version::Any));
        assert_eq!(meter.take(&shared), Ok(()), "{bytes:?}");
        assert_eq!(meter.take(&shared), Err(Exceeded::Quota), "{bytes:?}");
    }
}

/// Regression: nothing was ever refilled there, so after one burst everybody was refused for ever.
#[test]
fn a_host_without_a_monotonic_clock_refills_by_the_one_that_it_has() {
    let shared = Shared { nanos: 0.into(), ..Shared::default() };
    let meter = meter(Some(Throttle::new(1.0, 2)), None);
    let takes = || (0..5).filter(|_| meter.take(&shared).is_ok()).count();
    assert_eq!(takes(), 2);
    shared.wall_millis.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!(takes(), 1);
    // That clock can be set: back by an hour, and a token a second from there on.
    shared.wall_millis.fetch_sub(3_600_000, Ordering::SeqCst);
    assert_eq!(takes(), 0);
    shared.wall_millis.fetch_add(1_000, Ordering::SeqCst);
    assert_eq!(takes(), 1);
}

#[test]
fn no_two_names_share_a_slot() {
    assert_eq!(slot(&["plan", "a", "b"]), r#"usage["plan","a","b"]"#);
    assert_ne!(slot(&["plan", "a\",\"b"]), slot(&["plan", "a", "b"]));
    assert_ne!(slot(&["plan", "a,b"]), slot(&["plan", "a", "b"]));
    assert_ne!(slot(&["plan", ""]), slot(&["plan"]));
}

#[test]
fn a_worker_that_was_stopped_after_it_looked_at_the_clock_does_not_fill_the_bucket_again() {
    let (shared, meter) = (Shared::default(), meter(Some(Throttle::new(10.0, 10)), None));
    let clock = Clock::new(&shared);
    clock.nanos();
    shared.nanos.fetch_add(5 * SECOND, Ordering::SeqCst);
    let taken = (0..20).filter(|_| meter.take(&shared).is_ok()).count();
    assert_eq!(taken, 10);
    assert_eq!(meter.take_at(&clock), Err(Exceeded::Throttle));
    assert_eq!(meter.take(&shared), Err(Exceeded::Throttle), "five seconds are not counted twice");
}

#[test]
fn a_request_that_was_given_back_is_not_spoken_of() {
    let host = Shared::default();
    let meter = Meter { slot: "m".to_owned(), throttle: None, quota: Some(Quota { limit: 9, offset: 0, period: Period::Day }) };
    // Nothing was counted yet: there is nothing to give back.
    meter.give_back(&host);
    assert_eq!(meter.take(&host), Ok(()));
    meter.give_back(&host);
    assert_eq!((host.used(&meter), host.logs.lock().unwrap().len()), (0, 0));
}
