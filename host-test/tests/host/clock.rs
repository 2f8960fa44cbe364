//! The two clocks of WASI: the wall clock, which can be set, and the monotonic one, which all workers of a process share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tollgate_host::{
    Connection, FilterModule, HeaderMap, Host, Output, Request, Settings, Shared, StreamId, SystemClock, VirtualClock, Worker,
};

const WALL: u32 = 0;
const MONOTONIC: u32 = 1;
/// `__WASI_ENOTSUP`
const NOT_SUPPORTED: u8 = 58;

/// A guest that answers each request with what `clock_time_get` says of a clock: nine bytes, the error and the time.
fn guest(clock: u32) -> FilterModule {
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (import "env" "proxy_send_local_response" (func $reply (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) (i32.const 1024))
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (i32.store8 (i32.const 7) (call $time (i32.const {clock}) (i64.const 1) (i32.const 8)))
            (if (call $reply (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 7) (i32.const 9)
                  (i32.const 0) (i32.const 0) (i32.const -1))
              (then unreachable))
            (i32.const 1)))"#
    );
    FilterModule::from_bytes(&wat::parse_str(text).expect("the module is well formed")).expect("it is a filter")
}

/// What the guest answered.
fn read(body: &[u8]) -> Result<Duration, u8> {
    let (error, time) = body.split_first().expect("the guest answers nine bytes");
    match error {
        0 => Ok(Duration::from_nanos(u64::from_le_bytes(time.try_into().expect("the guest answers nine bytes")))),
        error => Err(*error),
    }
}

/// A host on this clock whose guest reads one of its own.
fn host(id: u32, clock: &VirtualClock) -> Host {
    Host::builder(&guest(id)).clock(clock.clone()).build().expect("the guest starts")
}

fn ask(host: &mut Host) -> Result<Duration, u8> {
    read(&host.send(Request::get("/")).response.body)
}

#[test]
fn time_that_passes_moves_both_clocks() {
    let clock = VirtualClock::starting_at(Duration::from_secs(1_700_000_000));
    let (mut wall, mut monotonic) = (host(WALL, &clock), host(MONOTONIC, &clock));
    let start = ask(&mut monotonic).unwrap();
    assert!(start > Duration::ZERO, "a guest may take zero for never");
    assert_eq!(ask(&mut wall), Ok(Duration::from_secs(1_700_000_000)));
    clock.advance(Duration::from_nanos(1_234_567_891));
    assert_eq!(ask(&mut wall), Ok(Duration::new(1_700_000_001, 234_567_891)));
    assert_eq!(ask(&mut monotonic), Ok(start + Duration::new(1, 234_567_891)));
}

#[test]
fn setting_the_wall_clock_moves_it_alone() {
    let clock = VirtualClock::starting_at(Duration::from_secs(1_700_000_000));
    let (mut wall, mut monotonic) = (host(WALL, &clock), host(MONOTONIC, &clock));
    let start = ask(&mut monotonic).unwrap();
    for (step, now) in [(3_600_000, 1_700_003_600), (-7_200_000, 1_699_996_400), (i64::MIN, 0)] {
        clock.step_wall(step);
        assert_eq!(ask(&mut wall), Ok(Duration::from_secs(now)));
        assert_eq!(ask(&mut monotonic), Ok(start), "no time has passed");
    }
}

#[test]
fn a_timer_does_not_fire_because_the_wall_clock_was_set() {
    let mut host = crate::probe::builder().plugin_configuration("configure:tick 1000").build().unwrap();
    let ticks = |host: &mut Host| host.take_logs().iter().filter(|line| line.message == "tick").count();
    host.clock().step_wall(3_600_000);
    host.advance(Duration::from_millis(900));
    assert_eq!(ticks(&mut host), 0);
    host.clock().step_wall(-7_200_000);
    host.advance(Duration::from_millis(200));
    assert_eq!(ticks(&mut host), 1);
}

#[test]
fn clocks_of_processor_time_are_not_offered() {
    let clock = VirtualClock::default();
    for id in [2, 3, 4, u32::MAX] {
        assert_eq!(ask(&mut host(id, &clock)), Err(NOT_SUPPORTED), "clock {id}");
    }
}

// --- the machine's clock ----------------------------------------------------------------------------------------------------

/// A worker with a clock of its own.
fn worker(id: u32) -> Worker {
    Worker::start(&guest(id), Settings::default(), Arc::new(Shared::default()), Arc::new(SystemClock::new())).expect("it starts")
}

/// What one of its requests is answered.
fn ask_worker(worker: &mut Worker) -> Result<Duration, u8> {
    let mut head = HeaderMap::new();
    for (name, value) in [(":method", "GET"), (":path", "/"), (":authority", "a"), (":scheme", "http")] {
        head.add(name, value);
    }
    let asked: StreamId = worker.begin(Connection::default(), head, true);
    let mut body = Vec::new();
    while let Some(output) = worker.poll() {
        if let Output::ResponseData { stream, data, .. } = output {
            assert_eq!(stream, asked);
            body.extend_from_slice(&data);
        }
    }
    read(&body)
}

#[test]
fn the_workers_of_a_process_agree_on_the_monotonic_clock() {
    const APART: Duration = Duration::from_millis(200);
    let mut one = worker(MONOTONIC);
    std::thread::sleep(APART);
    let first = ask_worker(&mut one).unwrap();
    // Started later, it does not begin to count then.
    let mut two = worker(MONOTONIC);
    let second = ask_worker(&mut two).unwrap();
    std::thread::sleep(APART);
    let third = ask_worker(&mut one).unwrap();
    assert!(first < second && second + APART <= third, "{first:?} {second:?} {third:?}");
}

#[test]
fn the_wall_clock_of_the_machine_is_the_time_of_day() {
    let now = || SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("it is after 1970");
    let before = now();
    let seen = ask_worker(&mut worker(WALL)).unwrap();
    assert!(before <= seen && seen <= now(), "{before:?} {seen:?}");
}
