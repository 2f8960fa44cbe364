//! The plan check, measured: how long a key is looked for among few and many, and how long it takes to count a request.

#![expect(clippy::expect_used, missing_docs, reason = "a benchmark may panic; what the macro makes has no docs")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use hmac_sha256::Hash;
use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;
use tollgate::platform::{Level, Platform, Version};
use tollgate::usage::{Bucket, Clock, Key, KeyRing, Membership, Period, Place, Plan, PlanStage, Quota, Table, Throttle};

/// A host of one worker.
struct Host {
    data: RefCell<HashMap<String, (Vec<u8>, u32)>>,
    start: Instant,
}

impl Platform for Host {
    fn now_millis(&self) -> u64 {
        1_767_225_600_000
    }
    fn monotonic_nanos(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX).saturating_add(1)
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
        self.data.borrow().get(key).cloned()
    }
    fn set_shared_data(&self, key: &str, value: &[u8], _: Version) -> bool {
        let mut data = self.data.borrow_mut();
        match data.get_mut(key) {
            Some((bytes, version)) => {
                value.clone_into(bytes);
                *version = version.wrapping_add(1);
            }
            None => drop(data.insert(key.to_owned(), (value.to_vec(), 1))),
        }
        true
    }
    fn log(&self, _: Level, _: &str) {}
}

fn host() -> Host {
    Host { data: RefCell::default(), start: Instant::now() }
}

/// So many keys on one plan.
fn ring(keys: usize, throttle: Throttle, quota: Quota) -> KeyRing {
    let stage = PlanStage { api: "a".to_owned(), stage: "prod".to_owned(), methods: Default::default() };
    let mut stages = Table::default();
    stages.insert(stage.name(), stage);
    let plan = Arc::new(Plan { name: "gold".to_owned(), throttle: Some(throttle), quota: Some(quota), stages });
    let (mut ring, leases) = (KeyRing::default(), Arc::default());
    for number in 0..keys {
        let name = format!("key-{number}");
        let memberships = vec![Membership::new(Arc::clone(&plan), &name, &leases)];
        let digest = Hash::hash(value(number).as_bytes());
        assert!(ring.insert(Key { id: name.clone(), name, digest, enabled: true, memberships }));
    }
    ring
}

fn value(number: usize) -> String {
    format!("a-value-of-more-than-twenty-characters-{number}")
}

fn plan_check(criterion: &mut Criterion) {
    let place = Place { api: "a".to_owned(), stage: "prod".to_owned(), method: "/pets/GET".to_owned() };
    let quota = Quota { limit: u64::MAX, offset: 0, period: Period::Month };
    let passing = Throttle::new(1e9, u32::MAX);
    let mut group = criterion.benchmark_group("key and plan");
    for (outcome, throttle) in [("passes", passing), ("throttled", Throttle::new(0.0, 0))] {
        for keys in [10, 1_000, 10_000] {
            let (ring, host) = (ring(keys, throttle, quota), host());
            let mut number = 0;
            group.bench_function(BenchmarkId::new(outcome, keys), |bencher| {
                bencher.iter_batched(
                    || {
                        number = (number + 7) % keys;
                        value(number)
                    },
                    |value| {
                        let key = ring.find(black_box(value.as_bytes())).expect("it is one of them");
                        let membership = key.membership(&place).expect("it is on the plan");
                        membership.both.take(&Clock::new(&host)).is_ok()
                    },
                    criterion::BatchSize::SmallInput,
                );
            });
        }
    }
    let ring = ring(10_000, passing, quota);
    group.bench_function(BenchmarkId::new("unknown", 10_000), |bencher| bencher.iter(|| ring.find(black_box(b"no key")).is_none()));
    group.finish();
}

fn bucket(criterion: &mut Criterion) {
    let throttle = Throttle::new(10_000.0, 5_000);
    let (mut bucket, mut now) = (Bucket::full(throttle, 1), 1);
    criterion.bench_function("bucket take", |bencher| {
        bencher.iter(|| {
            now += 100_000;
            bucket = bucket.take(black_box(throttle), black_box(now)).unwrap_or(bucket);
            bucket
        });
    });
}

criterion_group!(benches, plan_check, bucket);
criterion_main!(benches);
