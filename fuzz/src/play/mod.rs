//! Whole exchanges, as an input says: workers of one proxy with gateways that are swapped, streams on them, and every event in every
//! order, those that Envoy never produces among them. What must hold whatever happens is asserted on the way.

mod oracle;
mod stream;
mod words;

use crate::documents::{BURST, DOCUMENTS, QUOTA};
use crate::{Numbers, Reader, START_MILLIS, Worker, World, gateway, within_millis};
use std::cell::OnceCell;
use std::collections::hash_map::DefaultHasher;
use std::fmt::{self, Write};
use std::hash::Hasher;
use std::sync::Arc;
use stream::Stream;
use tollgate::flow::{Callout, Ticket};
use tollgate::gateway::Gateway;
use tollgate::usage::Now;

/// So many streams at once, on so many workers.
const STREAMS: usize = 4;
const WORKERS: usize = 2;

/// No input needs more.
const STEPS: usize = 120;

/// What one event may cost, in this build, which is several times slower than a release.
const MILLIS: u64 = 250;

/// Reads and writes of shared data that one event may make.
const ACCESSES: u64 = 8_000;

/// More time than this and buckets have one more token.
const SOON_MILLIS: u64 = 900_000;

/// All that happens.
struct Play<'w> {
    world: &'w World,
    /// The first document; a swap takes the next ones.
    first: usize,
    workers: [Place; WORKERS],
    streams: [Option<Stream<'w>>; STREAMS],
    oracle: oracle::Oracle,
    /// What happened, for another run of the same.
    trace: Trace,
    /// Somebody changed what is shared, or a clock: counts need not be what they would be.
    is_disturbed: bool,
    opened: u8,
}

/// A worker.
struct Place {
    number: usize,
    gateway: OnceCell<Arc<Gateway>>,
    /// Its calls for the keys of issuers.
    calls: Vec<(Ticket, Callout)>,
}

/// The hash of all that was said.
#[derive(Default)]
struct Trace(DefaultHasher);

impl Write for Trace {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// What becomes of an input: the same each time.
pub fn play(data: &[u8]) {
    let world = World::default();
    let first = run(data, &world);
    if Numbers::of(data).below(8) != 0 {
        return;
    }
    let again = World::default();
    assert_eq!(first, run(data, &again), "the same input twice");
    assert_eq!(*world.counters.borrow(), *again.counters.borrow());
}

fn run(data: &[u8], world: &World) -> u64 {
    let mut input = Reader::new(data);
    let first = input.below(DOCUMENTS.len());
    let mut play = Play {
        world,
        first,
        workers: [Place::new(first), Place::new(first)],
        streams: [const { None }; STREAMS],
        oracle: oracle::Oracle::default(),
        trace: Trace::default(),
        is_disturbed: false,
        opened: 0,
    };
    for _ in 0..STEPS {
        if input.is_empty() {
            break;
        }
        let before = world.accesses.get();
        within_millis(MILLIS, "one event", || play.step(&mut input));
        let accesses = world.accesses.get() - before;
        assert!(accesses <= ACCESSES, "{accesses} accesses to shared data");
    }
    play.end();
    play.trace.0.finish() ^ world.accesses.get() ^ world.lines.get() << 32
}

// === impl Place ===

impl Place {
    fn new(number: usize) -> Self {
        Self { number, gateway: OnceCell::new(), calls: Vec::new() }
    }

    /// Compiled when it is needed first: what it remembers is of one run alone.
    fn gateway(&self) -> &Arc<Gateway> {
        self.gateway.get_or_init(|| Arc::new(gateway(&DOCUMENTS[self.number])))
    }
}

// === impl Play ===

impl<'w> Play<'w> {
    fn step(&mut self, input: &mut Reader<'_>) {
        let (what, which) = (input.byte(), input.below(STREAMS));
        match what % 20 {
            0 | 1 => self.open(which, input),
            2..=13 => {
                let Some(mut stream) = self.streams[which].take() else { return };
                match what % 20 {
                    2 | 3 => stream.body(input, &mut self.oracle, &mut self.trace),
                    4 => stream.trailers(&mut self.oracle, &mut self.trace),
                    5..=7 => stream.answer(input, &mut self.oracle, &mut self.trace),
                    8 => stream.stray_answer(input, &mut self.oracle, &mut self.trace),
                    9 | 10 => stream.response(input, &mut self.oracle, &mut self.trace),
                    11 => stream.response_rest(input, &mut self.oracle, &mut self.trace),
                    12 => stream.head(input, &mut self.oracle, &mut self.trace),
                    _ => return stream.close(&mut self.oracle, &mut self.trace),
                }
                self.streams[which] = Some(stream);
            }
            14 => self.world.pass(input.number() % 40_000),
            15 => {
                self.is_disturbed = true;
                self.world.wall.set(input.number() % (2 * START_MILLIS));
                if input.flag() {
                    self.world.nanos.set(input.number());
                }
            }
            16 => self.tick(which % WORKERS),
            17 => self.issuer_answers(which % WORKERS, input),
            18 => self.swap(which % WORKERS, input),
            _ => self.disturb(input),
        }
    }

    /// A stream begins; one that is there already is broken off.
    fn open(&mut self, which: usize, input: &mut Reader<'_>) {
        if let Some(stream) = self.streams[which].take() {
            stream.close(&mut self.oracle, &mut self.trace);
        }
        let place = &self.workers[which % WORKERS];
        let mut host = self.world.worker();
        self.opened = self.opened.wrapping_add(1);
        host.seed = self.opened;
        host.source = input.one_of(&["192.0.2.1:1234", "192.0.2.255:1", "198.51.100.7:80", "[2001:db8::1]:9", "nonsense"]);
        let mut stream = Stream::new(place.number, Arc::clone(place.gateway()), host);
        stream.head(input, &mut self.oracle, &mut self.trace);
        self.streams[which] = Some(stream);
    }

    fn tick(&mut self, worker: usize) {
        let place = &mut self.workers[worker];
        let mut host = self.world.worker();
        place.gateway().tick(&host);
        let calls = place.gateway().issuer_keys.tick(&mut host);
        let _ = write!(self.trace, "{calls:?}");
        place.calls.extend(calls);
        assert!(place.calls.len() <= 64, "calls for keys pile up");
    }

    fn issuer_answers(&mut self, worker: usize, input: &mut Reader<'_>) {
        let place = &mut self.workers[worker];
        let is_stray = input.byte() == 255;
        let ticket = match place.calls.pop() {
            Some((ticket, _)) if !is_stray => ticket,
            _ => Ticket(u32::from(input.byte())),
        };
        let outcome = words::issuer_outcome(input);
        let calls = place.gateway().issuer_keys.called(ticket, outcome, &mut self.world.worker());
        let _ = write!(self.trace, "{calls:?}");
        place.calls.extend(calls);
    }

    /// Another configuration: streams keep the one that they began with.
    fn swap(&mut self, worker: usize, input: &mut Reader<'_>) {
        let number = (self.first + input.below(2)) % DOCUMENTS.len();
        let host = self.world.worker();
        let place = &mut self.workers[worker];
        place.gateway().retire(&host);
        *place = Place::new(number);
        place.gateway().issuer_keys.load(&host);
        place.gateway().define_metrics(&host);
    }

    /// Another module writes to what is shared, or is always faster.
    fn disturb(&mut self, input: &mut Reader<'_>) {
        self.is_disturbed = true;
        if input.flag() {
            return self.world.refusals.set(u32::from(input.byte()) * 2);
        }
        let keys = self.world.keys();
        if !keys.is_empty() {
            let key = &keys[input.below(keys.len())];
            let mut value = self.world.value(key).unwrap_or_default();
            match input.below(3) {
                0 => value.truncate(input.below(40)),
                1 => {
                    let (at, bytes) = (input.below(40), input.bytes());
                    value.iter_mut().skip(at).zip(bytes).for_each(|(byte, new)| *byte = *new);
                }
                _ => value = input.bytes().to_vec(),
            }
            self.oracle.note_shared(&value);
            self.world.put(key, &value);
        }
    }

    /// All streams are over, and so are the gateways: nothing of what was refused or broken off counts, and all else does.
    fn end(&mut self) {
        for which in 0..STREAMS {
            if let Some(stream) = self.streams[which].take() {
                stream.close(&mut self.oracle, &mut self.trace);
            }
        }
        let host: Worker<'w> = self.world.worker();
        self.workers.iter().filter_map(|place| place.gateway.get()).for_each(|gateway| gateway.retire(&host));
        let counted: u64 =
            self.world.counters.borrow().iter().filter(|(name, _)| name.ends_with("_Count")).map(|(_, count)| count).sum();
        assert!(counted <= u64::from(self.opened), "{counted} of {}", self.opened);
        assert!(counted >= self.oracle.forwarded, "{counted}, and {} were forwarded", self.oracle.forwarded);
        if !self.is_disturbed && self.world.wall.get() - START_MILLIS < SOON_MILLIS {
            self.check_usage();
        }
    }

    fn check_usage(&self) {
        let gateway = gateway(&DOCUMENTS[self.first]);
        let now = Now { seconds: self.world.wall.get() / 1000, nanos: self.world.nanos.get() };
        for usage in gateway.plans.report(now, |key| self.world.value(key)) {
            let admitted = self.oracle.admitted_by_key(self.first);
            if let Some(quota) = usage.quota {
                assert!(quota.used <= QUOTA, "{quota:?}");
                assert_eq!(quota.used, admitted, "{quota:?}");
            }
            if let Some(throttle) = usage.throttle {
                assert_eq!(throttle.left, BURST - self.oracle.admitted_by_keys(), "{throttle:?}");
            }
        }
    }
}
