//! What workers share of a meter: any bytes in its slot, clocks that jump, somebody who is always faster. Without these, no more passes
//! than the definition of throttle and quota lets pass.

#![no_main]

use libfuzzer_sys::fuzz_target;
use tollgate::usage::{Exceeded, Meter, Period, Quota, State, Throttle, slot};
use tollgate_fuzz::{Reader, World, within_millis};

const STEPS: usize = 200;
const DAYS: u64 = 86_400_000;

/// What passed.
#[derive(Default)]
struct Count {
    taken: u64,
    given: u64,
    millis: u64,
    /// Somebody else wrote, or a clock was set.
    is_disturbed: bool,
}

fn meter(input: &mut Reader<'_>) -> (Meter, u64, u64) {
    let rate = input.one_of(&[0_u64, 1, 7, 1_000, 1_000_000, 1_000_000_000]);
    let burst = input.one_of(&[0_u32, 1, 3, 100, u32::MAX]);
    let throttle = input.flag().then(|| Throttle::new(rate as f64 / 1000.0, burst));
    let period = input.one_of(&[Period::Day, Period::Week, Period::Month]);
    let limit = input.one_of(&[0, 1, 5, u64::MAX]);
    let quota = input.flag().then(|| Quota { limit, offset: input.number().min(limit), period });
    (Meter { slot: slot(&["plan", "p", "k"]), throttle, quota }, rate, u64::from(burst))
}

fn used(meter: &Meter, world: &World) -> u64 {
    let state = meter.state(world.value(&meter.slot).as_deref());
    meter.quota.map_or(0, |quota| quota.used(state.counter, world.wall.get() / 1000))
}

/// What is read of any bytes is read again of what is written of it.
fn slot_bytes(bytes: &[u8]) {
    if let Some(state) = State::from_bytes(bytes) {
        let written = state.to_bytes();
        assert_eq!(State::from_bytes(&written), Some(state));
        assert!(written.len() == bytes.len());
    }
}

/// Whatever was in the slot, it opens again.
fn recovers(meter: &Meter, rate: u64, burst: u64, world: &World) {
    if meter.throttle.is_some() && (rate == 0 || burst == 0) || meter.quota.is_some_and(|quota| quota.limit == 0) {
        return;
    }
    world.refusals.set(0);
    let host = world.worker();
    // A year, and a clock that can still go on.
    world.wall.set(world.wall.get().min(1 << 42) + 400 * DAYS);
    world.nanos.set(world.nanos.get().min(1 << 60));
    for _ in 0..3 {
        if meter.take(&host).is_ok() {
            return;
        }
        world.pass(40 * DAYS);
    }
    panic!("closed for ever: {:?}", meter.state(world.value(&meter.slot).as_deref()));
}

fuzz_target!(|data: &[u8]| {
    let mut input = Reader::new(data);
    let (meter, rate, burst) = meter(&mut input);
    let world = World::default();
    let workers = [world.worker(), world.worker()];
    let mut count = Count::default();
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let host = &workers[input.below(2)];
        match input.below(9) {
            0..=2 => {
                let before = used(&meter, &world);
                let taken = within_millis(50, "taking", || meter.take(host));
                let after = used(&meter, &world);
                match taken {
                    Ok(()) => {
                        count.taken += 1;
                        assert!(meter.quota.is_none() || after == before.saturating_add(1), "{before} {after}");
                        assert!(meter.quota.is_none_or(|quota| before < quota.limit));
                    }
                    Err(exceeded) => {
                        assert_eq!(after, before, "what is refused counts nowhere");
                        let is_full = meter.quota.is_some_and(|quota| before >= quota.limit);
                        assert!(exceeded != Exceeded::Quota || is_full);
                    }
                }
            }
            3 => {
                let before = used(&meter, &world);
                within_millis(50, "giving back", || meter.give_back(host));
                count.given += 1;
                assert!(used(&meter, &world) <= before);
            }
            4 => {
                let millis = input.number() % 100_000_000;
                world.pass(millis);
                count.millis += millis;
            }
            5 => {
                count.is_disturbed = true;
                world.wall.set(input.number());
            }
            6 => {
                count.is_disturbed = true;
                world.nanos.set(input.number());
            }
            7 => {
                count.is_disturbed = true;
                world.refusals.set(u32::from(input.byte()) * 2);
            }
            _ => {
                count.is_disturbed = true;
                let mut bytes = world.value(&meter.slot).unwrap_or_default();
                if input.flag() {
                    bytes = input.bytes().to_vec();
                } else {
                    let at = input.below(52);
                    bytes.iter_mut().skip(at).zip(input.bytes()).for_each(|(byte, new)| *byte = *new);
                }
                slot_bytes(&bytes);
                world.put(&meter.slot, &bytes);
            }
        }
        if !count.is_disturbed && meter.throttle.is_some() {
            let most = u128::from(burst) + u128::from(count.given) + u128::from(count.millis) * u128::from(rate) / 1_000_000 + 1;
            assert!(u128::from(count.taken) <= most, "{} of {most}", count.taken);
        }
    }
    recovers(&meter, rate, burst, &world);
});
