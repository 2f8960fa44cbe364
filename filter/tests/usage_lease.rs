//! Leases of several workers against models that know nothing of leases: a bucket in exact fractions, a count of each day.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may panic; helpers beside the test count as code"
)]

use proptest::prelude::*;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tollgate::platform::{Level, Platform, Version};
use tollgate::usage::{Clock, Exceeded, Lease, Leases, Meter, Period, Quota, State, Throttle};

const SECOND: u64 = 1_000_000_000;

/// 2026-01-01T00:00:00Z
const NEW_YEAR_MILLIS: u64 = 1_767_225_600_000;

const DAY_MILLIS: u64 = 86_400_000;

/// The largest lot, as docs/api-keys.md has it.
const LARGEST: u64 = 100;

/// What all workers share. Each of them has a thread in Envoy; here they take turns, and each turn is one change.
struct Host {
    data: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    nanos: Cell<u64>,
    wall_millis: Cell<u64>,
    calls: Cell<u64>,
}

impl Default for Host {
    fn default() -> Self {
        let (nanos, wall_millis) = (Cell::new(86_400 * SECOND), Cell::new(NEW_YEAR_MILLIS + DAY_MILLIS / 2));
        Self { data: RefCell::default(), nanos, wall_millis, calls: Cell::new(0) }
    }
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        self.calls.set(self.calls.get() + 1);
        self.wall_millis.get()
    }
    fn monotonic_nanos(&self) -> u64 {
        self.nanos.get()
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
        self.calls.set(self.calls.get() + 1);
        self.data.borrow().get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], version: Version) -> bool {
        self.calls.set(self.calls.get() + 1);
        let mut data = self.data.borrow_mut();
        let current = data.get(key).map(|(_, current)| *current);
        if matches!((version, current), (Version::Is(wanted), Some(current)) if wanted != current) {
            return false;
        }
        data.insert(key.to_owned(), (value.to_vec(), current.unwrap_or(0) + 1));
        true
    }
    fn log(&self, _: Level, message: &str) {
        panic!("{message}");
    }
}

/// Workers with one meter.
struct Workers {
    host: Host,
    meter: Meter,
    each: Vec<(Arc<Leases>, Arc<Lease>)>,
}

impl Workers {
    fn new(count: usize, throttle: Option<Throttle>, quota: Option<Quota>) -> Self {
        let mut workers = Self { host: Host::default(), meter: Meter { slot: "s".to_owned(), throttle, quota }, each: Vec::new() };
        workers.each = (0..count).map(|_| workers.worker()).collect();
        workers
    }

    fn worker(&self) -> (Arc<Leases>, Arc<Lease>) {
        let leases = Arc::<Leases>::default();
        let lease = Lease::new(self.meter.clone(), &leases);
        (leases, lease)
    }

    fn take(&self, worker: usize) -> Result<(), Exceeded> {
        self.each[worker].1.take(&Clock::new(&self.host))
    }

    fn give_back(&self, worker: usize) {
        self.each[worker].1.give_back(&self.host);
    }

    fn tick(&self, worker: usize) {
        self.each[worker].0.tick(&self.host);
    }

    /// A new configuration, or a new VM after a trap: what the old one had is lost then.
    fn reload(&mut self, worker: usize, traps: bool) {
        if !traps {
            self.each[worker].0.close(&self.host);
        }
        self.each[worker] = self.worker();
    }

    fn wait(&self, nanos: u64) {
        self.host.nanos.set(self.host.nanos.get() + nanos);
        self.host.wall_millis.set(self.host.wall_millis.get() + nanos / 1_000_000);
    }

    /// What is left goes back within two ticks.
    fn settle(&self) {
        self.wait(SECOND);
        (0..self.each.len()).for_each(|worker| self.tick(worker));
    }

    fn close(&self) {
        self.each.iter().for_each(|(leases, _)| leases.close(&self.host));
    }

    fn state(&self) -> State {
        self.meter.state(self.host.data.borrow().get("s").map(|(bytes, _)| bytes.as_slice()))
    }

    fn used(&self) -> u64 {
        self.meter.quota.unwrap().used(self.state().counter, self.host.wall_millis.get() / 1000)
    }

    fn available(&self) -> u64 {
        self.state().bucket.unwrap().available(self.meter.throttle.unwrap(), self.host.nanos.get())
    }

    fn calls(&self) -> u64 {
        self.host.calls.take()
    }
}

/// What a worker does, or what becomes of it.
#[derive(Debug, Clone)]
enum Event {
    Take(usize, usize),
    /// Another meter refuses it, at the same moment.
    TakeForNothing(usize),
    Idle(u64),
    Tick(usize),
    Reload(usize),
    Trap(usize),
}

fn event() -> impl Strategy<Value = Event> {
    let worker = || 0..4_usize;
    prop_oneof![
        8 => (worker(), prop_oneof![Just(1), 1..30_usize, 1..1_000_usize]).prop_map(|(worker, times)| Event::Take(worker, times)),
        1 => worker().prop_map(Event::TakeForNothing),
        4 => prop_oneof![0..1_000_u64, 0..SECOND, 0..5 * SECOND].prop_map(Event::Idle),
        2 => worker().prop_map(Event::Tick),
        1 => worker().prop_map(Event::Reload),
        1 => worker().prop_map(Event::Trap),
    ]
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    prop::collection::vec(event(), 1..80)
}

/// One bucket that everybody takes from, in exact fractions: nanoseconds times millionths of a token a second.
struct Exact {
    level: i128,
    full: i128,
    rate_micros: i128,
}

/// A token in such fractions.
const TOKEN: i128 = 1_000_000_000_000_000;

/// What one change of a bucket may round away.
const ROUNDING: i128 = 1_000_000;

impl Exact {
    fn new(tokens: u64, rate_micros: u64) -> Self {
        let full = i128::from(tokens) * TOKEN;
        Self { level: full, full, rate_micros: rate_micros.into() }
    }

    fn wait(&mut self, nanos: u64) {
        self.level = (self.level + i128::from(nanos) * self.rate_micros).min(self.full);
    }

    fn take(&mut self, tokens: i128) {
        self.level = (self.level - tokens * TOKEN).min(self.full);
    }
}

fn lot(of: u64, part: u64) -> u64 {
    if of < 2 * part { 0 } else { (of / part).min(LARGEST) }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// In every window no more than burst, rate and one lot of each worker; and nobody is refused but for tokens that others have, or
    /// that were lost with a VM.
    #[test]
    fn workers_let_in_what_one_bucket_would_but_for_a_lot_each(
        rate_micros in prop_oneof![Just(0), 1..10_000_000_u64, 1_000_000..20_000_000_000_u64],
        burst in prop_oneof![1..128_u32, 128..1_000_u32, 1_000..20_000_u32], events in events()
    ) {
        #[expect(clippy::cast_precision_loss, reason = "rates stay far below 2^53")]
        let mut workers = Workers::new(4, Some(Throttle::new(rate_micros as f64 / 1e6, burst)), None);
        let held = 4 * lot(burst.into(), 64);
        let (mut most, mut exact) = (Exact::new(u64::from(burst) + held, rate_micros), Exact::new(burst.into(), rate_micros));
        let (mut lost, mut changes) = (0, 0);
        for event in events {
            changes += 1;
            match event {
                Event::Take(worker, times) => for _ in 0..times {
                    changes += 1;
                    if workers.take(worker).is_ok() {
                        most.take(1);
                        exact.take(1);
                        prop_assert!(most.level >= 0, "one too many");
                    } else {
                        let others = i128::from(held + lost);
                        prop_assert!(exact.level < (1 + others) * TOKEN + changes * ROUNDING, "refused with {} left", exact.level);
                    }
                },
                Event::TakeForNothing(worker) => if workers.take(worker).is_ok() {
                    workers.give_back(worker);
                },
                Event::Idle(nanos) => {
                    workers.wait(nanos);
                    most.wait(nanos);
                    exact.wait(nanos);
                }
                Event::Tick(worker) => workers.tick(worker),
                Event::Reload(worker) => workers.reload(worker, false),
                Event::Trap(worker) => {
                    workers.reload(worker, true);
                    lost += lot(burst.into(), 64);
                }
            }
        }
        // Without a rate nothing comes but what was given back: whatever a VM did not take along is there.
        if rate_micros == 0 && lost == 0 {
            workers.close();
            let left = exact.level / TOKEN;
            prop_assert_eq!(workers.state().bucket.map_or(left, |_| i128::from(workers.available())), left);
        }
    }

    /// Small limits are what they would be if all workers were one.
    #[test]
    fn a_bucket_of_fewer_than_128_tokens_knows_no_leases(
        rate_micros in 0..20_000_000_000_u64, burst in 0..128_u32, events in events()
    ) {
        #[expect(clippy::cast_precision_loss, reason = "rates stay far below 2^53")]
        let throttle = Some(Throttle::new(rate_micros as f64 / 1e6, burst));
        let (mut workers, alone) = (Workers::new(4, throttle, None), Workers::new(0, throttle, None));
        for event in events {
            match event {
                Event::Take(worker, times) => for _ in 0..times {
                    prop_assert_eq!(workers.take(worker), alone.meter.take(&alone.host));
                },
                Event::TakeForNothing(_) => {}
                Event::Idle(nanos) => [&workers, &alone].iter().for_each(|workers| workers.wait(nanos)),
                Event::Tick(worker) => workers.tick(worker),
                Event::Reload(worker) => workers.reload(worker, false),
                Event::Trap(worker) => workers.reload(worker, true),
            }
            prop_assert_eq!(workers.state(), alone.state());
        }
    }

    /// Each day grants its limit and never more, whoever asks; what no VM took along is neither lost nor granted twice.
    #[test]
    fn workers_grant_a_quota_once(
        limit in prop_oneof![0..600_u64, 600..5_000_u64, 5_000..60_000_u64], with_throttle in any::<bool>(),
        events in prop::collection::vec((event(), prop::option::weighted(0.05, 0..DAY_MILLIS)), 1..80)
    ) {
        let quota = Quota { limit, offset: 0, period: Period::Day };
        let mut workers = Workers::new(4, with_throttle.then(|| Throttle::new(1e9, 1_000_000)), Some(quota));
        let (mut granted, mut lost) = (BTreeMap::<u64, u64>::new(), 0);
        for (event, millis) in events {
            if let Some(millis) = millis {
                workers.wait(millis * 1_000_000);
            }
            let today = workers.host.wall_millis.get() / DAY_MILLIS;
            let granted = granted.entry(today).or_default();
            match event {
                Event::Take(worker, times) => for _ in 0..times {
                    match workers.take(worker) {
                        Ok(()) => *granted += 1,
                        Err(exceeded) => {
                            prop_assert_eq!(exceeded, Exceeded::Quota);
                            prop_assert!(limit - *granted <= 4 * lot(limit, 256) + lost, "{} of {limit}", *granted);
                        }
                    }
                    prop_assert!(*granted <= limit, "{} of {limit}", *granted);
                },
                Event::TakeForNothing(worker) => if workers.take(worker).is_ok() {
                    workers.give_back(worker);
                },
                Event::Idle(nanos) => workers.wait(nanos / 1_000_000 * 1_000_000),
                Event::Tick(worker) => workers.tick(worker),
                Event::Reload(worker) => workers.reload(worker, false),
                Event::Trap(worker) => {
                    workers.reload(worker, true);
                    lost += lot(limit, 256);
                }
            }
        }
        workers.close();
        let today = workers.host.wall_millis.get() / DAY_MILLIS;
        let granted = granted.get(&today).copied().unwrap_or(0);
        prop_assert!((granted..=granted + lost).contains(&workers.used()), "{} used, {granted} granted, {lost} lost", workers.used());
    }

    /// However the calendar is set: as often as it shows another day, and not once more.
    #[test]
    fn a_calendar_that_is_set_grants_each_day_once(
        limit in 0..5_000_u64, steps in prop::collection::vec((0..4_usize, 1..600_usize, any::<bool>()), 1..60)
    ) {
        let mut workers = Workers::new(4, None, Some(Quota { limit, offset: 0, period: Period::Day }));
        let mut granted = 0;
        for (worker, times, is_tomorrow) in steps {
            workers.host.wall_millis.set(NEW_YEAR_MILLIS + DAY_MILLIS / 2 + u64::from(is_tomorrow) * DAY_MILLIS);
            granted += (0..times).filter(|_| workers.take(worker).is_ok()).count() as u64;
            prop_assert!(granted <= 2 * limit);
            if times % 7 == 0 {
                workers.reload(worker, false);
            }
        }
        workers.close();
        let mut used = 0;
        for day in [0, DAY_MILLIS] {
            workers.host.wall_millis.set(NEW_YEAR_MILLIS + DAY_MILLIS / 2 + day);
            used += workers.used();
        }
        prop_assert_eq!(used, granted);
    }
}

fn plan() -> Workers {
    let quota = Quota { limit: 1_000_000, offset: 0, period: Period::Month };
    Workers::new(1, Some(Throttle::new(10_000.0, 5_000)), Some(quota))
}

#[test]
fn a_busy_worker_asks_the_host_for_one_request_in_fifty() {
    let workers = plan();
    let mut most = 0;
    let calls: u64 = (0..1_000)
        .map(|_| {
            workers.wait(1_000_000);
            assert_eq!(workers.take(0), Ok(()));
            let calls = workers.calls();
            most = most.max(calls);
            calls
        })
        .sum();
    assert_eq!(most, 3, "a look, the calendar, a change");
    assert!(calls <= 3 * 20, "{calls} calls for 1,000 requests");
}

#[test]
fn a_worker_that_is_rarely_asked_has_nothing_that_it_would_have_to_give_back() {
    let workers = plan();
    for requests in 1..=20 {
        assert_eq!(workers.take(0), Ok(()));
        assert_eq!((workers.used(), workers.calls()), (requests, 3));
        workers.wait(SECOND);
        workers.tick(0);
        assert_eq!(workers.calls(), 0);
    }
}

#[test]
fn what_is_left_goes_back_within_a_second_and_a_tick() {
    let workers = plan();
    for _ in 0..100 {
        assert_eq!(workers.take(0), Ok(()));
    }
    assert!(workers.used() > 100);
    workers.wait(SECOND - 1);
    workers.tick(0);
    assert!(workers.used() > 100, "it may be spent yet");
    workers.wait(1);
    workers.tick(0);
    assert_eq!((workers.used(), workers.available()), (100, 5_000));
    workers.calls();
    workers.settle();
    assert_eq!(workers.calls(), 0, "nothing is left");
}

#[test]
fn what_is_left_goes_back_with_the_next_lot() {
    let workers = plan();
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    workers.wait(SECOND);
    workers.calls();
    assert_eq!(workers.take(0), Ok(()));
    assert_eq!(workers.calls(), 3);
    workers.close();
    assert_eq!(workers.used(), 101);
}

#[test]
fn a_configuration_that_goes_gives_everything_back_and_takes_one_by_one_from_there_on() {
    let workers = plan();
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    workers.close();
    for requests in 100..120 {
        assert_eq!((workers.used(), workers.available()), (requests, 5_000 - requests));
        assert_eq!(workers.take(0), Ok(()));
    }
    workers.give_back(0);
    assert_eq!(workers.used(), 119);
}

#[test]
fn a_request_that_was_not_made_goes_back_where_it_came_from() {
    let workers = plan();
    assert_eq!(workers.take(0), Ok(()));
    workers.give_back(0);
    assert_eq!((workers.used(), workers.available()), (0, 5_000), "it was taken by itself");
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    workers.calls();
    workers.give_back(0);
    assert_eq!(workers.calls(), 0, "it was one of a lot");
    workers.close();
    assert_eq!(workers.used(), 99);
}

#[test]
fn a_lot_ends_with_the_day_that_it_counts_in() {
    let workers = Workers::new(2, None, Some(Quota { limit: 100_000, offset: 0, period: Period::Day }));
    let midnight = NEW_YEAR_MILLIS + DAY_MILLIS;
    workers.host.wall_millis.set(midnight - 400);
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    let left = workers.used() - 100;
    assert!(left > 10, "{left}");
    workers.wait(399_000_000);
    workers.calls();
    assert_eq!((workers.take(0), workers.calls()), (Ok(()), 0));
    workers.wait(1_000_000);
    // Another worker begins the day.
    (0..10).for_each(|_| assert_eq!(workers.take(1), Ok(())));
    assert_eq!(workers.take(0), Ok(()));
    workers.close();
    assert_eq!(workers.used(), 11);
    workers.host.wall_millis.set(midnight - 1);
    assert_eq!(workers.used(), 101);
}

#[test]
fn a_clock_that_was_set_back_ends_a_lot() {
    let workers = plan();
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    workers.host.nanos.set(workers.host.nanos.get() - SECOND / 2);
    workers.calls();
    assert_eq!(workers.take(0), Ok(()));
    assert_eq!(workers.calls(), 3);
    workers.close();
    assert_eq!((workers.used(), workers.available()), (101, 4_899));
}

#[test]
fn leases_that_nobody_has_any_more_are_forgotten() {
    let mut workers = plan();
    (0..100).for_each(|_| assert_eq!(workers.take(0), Ok(())));
    let (leases, _) = workers.each.pop().unwrap();
    workers.wait(SECOND);
    workers.calls();
    leases.tick(&workers.host);
    assert_eq!(workers.calls(), 0);
}

#[test]
fn a_tick_gives_back_so_many_lots_and_the_next_one_the_others() {
    let workers = plan();
    let leases = Arc::<Leases>::default();
    let all: Vec<_> =
        (0..700).map(|number| Lease::new(Meter { slot: number.to_string(), ..workers.meter.clone() }, &leases)).collect();
    for lease in &all {
        (0..10).for_each(|_| assert_eq!(lease.take(&Clock::new(&workers.host)), Ok(())));
    }
    workers.wait(SECOND);
    workers.calls();
    let calls = [(); 3].map(|()| {
        leases.tick(&workers.host);
        workers.calls()
    });
    assert_eq!(calls, [1_000, 400, 0]);
}
