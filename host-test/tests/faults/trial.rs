//! One fault: the load before, while and after it, and the judgement over every request.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::future::Future;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use super::Where;
use super::authorizer::HANGING;
use crate::Arguments;
use crate::drivers::report::say;
use crate::service::Service;
use crate::traffic::kind::{EVERYDAY, Goal, Kind, Mix};
use crate::traffic::load::{Fate, Record};
use crate::traffic::scene::Scene;

/// What an answer may take on top of the timeouts of its definition.
const SLACK: Duration = Duration::from_millis(500);

/// After a fault has ended, everything is right again so soon.
const RECOVERY: Duration = Duration::from_secs(2);

/// What a fault takes to show, and what a request takes that is under way when it begins.
const GRACE: Duration = Duration::from_millis(300);

/// So many lines of complaints a fault.
const COMPLAINTS: usize = 24;

/// Requests to a function that never answers.
const HANGING_REQUESTS: usize = 20;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Length {
    pub fault: Duration,
    pub around: Duration,
    pub rate: u64,
    pub aborts: u32,
    pub swaps: u32,
    pub traps: u32,
}

/// What else a request may be answered while something is wrong.
#[derive(Debug, Clone, Copy)]
pub struct Allowed {
    pub status: Option<u16>,
    /// Whether the answer may break off.
    pub cut: bool,
}

/// Something that goes wrong.
pub trait Fault {
    /// What the table calls it.
    fn name(&self) -> &'static str;

    /// It goes wrong.
    fn begin(&self, trial: &mut Trial<'_>);

    /// What happens while it is wrong: nothing but time.
    fn during<'a>(&'a self, trial: &'a mut Trial<'_>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        let time = trial.length.fault.max(self.least());
        Box::pin(tokio::time::sleep(time))
    }

    /// It is right again.
    fn end(&self, trial: &mut Trial<'_>);

    /// What a kind may be answered beside what is right.
    fn allows(&self, kind: Kind) -> Allowed;

    /// Kinds that cannot be answered right while it lasts: if they are, it was no fault.
    fn has_to_show(&self, _: Kind) -> bool {
        false
    }

    /// Kinds of which nothing may reach the upstream unless they are answered right.
    fn fails_closed(&self, _: Kind) -> bool {
        false
    }

    /// What is asked from the beginning of the fault on, beside the everyday load.
    fn more(&self) -> Mix {
        &[]
    }

    /// How long it has to last.
    fn least(&self) -> Duration {
        Duration::ZERO
    }

    /// How long the load has to go on afterwards.
    fn after(&self) -> Duration {
        Duration::ZERO
    }

    /// Whether everything has to be right soon after the beginning.
    fn is_over_at_once(&self) -> bool {
        false
    }

    /// How long a request may take.
    fn timeout(&self, kind: Kind) -> Duration {
        kind.timeout()
    }

    /// VMs that have to fail.
    fn reloads(&self, _: &Trial<'_>) -> u64 {
        0
    }

    /// What else must be true; what is not, in words.
    fn judge<'a>(&'a self, _: &'a mut Trial<'_>, _: &'a [Record]) -> Pin<Box<dyn Future<Output = Vec<String>> + 'a>> {
        Box::pin(std::future::ready(Vec::new()))
    }
}

/// A scene, and what the faults need of it.
pub struct Trial<'a> {
    pub scene: &'a mut Scene,
    pub service: Service,
    pub length: Length,
    /// What a fault has to say about itself.
    pub remark: String,
}

/// What came of a fault.
pub struct Verdict {
    name: &'static str,
    requests: usize,
    during: BTreeMap<u16, usize>,
    cut: usize,
    unexpected: usize,
    lost: usize,
    doubled: usize,
    late: Duration,
    recovery: Duration,
    grown_kib: i64,
    reloads: u64,
    remark: String,
    complaints: Vec<String>,
}

// === impl Length ===

impl Length {
    pub fn of(arguments: &Arguments) -> Self {
        let fault = Duration::from_secs_f64(arguments.seconds);
        let around = (fault / 3).clamp(Duration::from_millis(300), Duration::from_secs(5));
        let Arguments { rate, aborts, swaps, traps, .. } = *arguments;
        Self { fault, around, rate, aborts, swaps, traps }
    }
}

// === impl Allowed ===

impl Allowed {
    pub const NOTHING: Self = Self { status: None, cut: false };

    pub fn status(status: u16) -> Self {
        Self { status: Some(status), ..Self::NOTHING }
    }

    fn takes(self, fate: Fate) -> bool {
        match fate {
            Fate::Right(_) => true,
            Fate::Other(status) => self.status == Some(status),
            Fate::Cut(_) => self.cut,
            Fate::Broken | Fate::Wrong(_) | Fate::Silence => false,
        }
    }
}

// === impl Trial ===

impl<'a> Trial<'a> {
    pub fn new(scene: &'a mut Scene, service: Service, length: Length) -> Self {
        Self { scene, service, length, remark: String::new() }
    }

    /// Serves a route whose issuer nobody has asked for its keys yet.
    pub fn serve_new_issuer(&mut self, name: &str) {
        *self.scene.sending.maker.new_issuer.lock().unwrap_or_else(PoisonError::into_inner) = name.to_owned();
        self.scene.serve(|variant| variant.new_issuer = Some(name.to_owned()));
    }

    /// Lets it happen under load, and judges.
    pub async fn judge(&mut self, fault: &dyn Fault) -> Verdict {
        let memory = self.scene.envoy.resident_kib();
        let reloads = self.scene.reloads();
        let sending = Arc::clone(&self.scene.sending);
        self.remark.clear();
        let everyday = sending.at_rate(EVERYDAY, self.length.rate);
        tokio::time::sleep(self.length.around).await;
        let began = Instant::now();
        fault.begin(self);
        let more = fault.more();
        // Connections of before may still be served by the document of before.
        let more = if more.is_empty() {
            None
        } else {
            sending.client.forget().await;
            Some(sending.at_rate(more, self.length.rate / 3))
        };
        let started = Instant::now();
        fault.during(self).await;
        let until = Instant::now();
        fault.end(self);
        let ended = if fault.is_over_at_once() { started } else { Instant::now() };
        tokio::time::sleep(self.length.around.max(fault.after())).await;
        everyday.stop().await;
        if let Some(more) = more {
            more.stop().await;
        }
        let (records, oddities) = sending.take();
        let stall = sending.take_stall();
        let mut verdict = Verdict::of(fault, &records, &self.scene.ledger, (began, started, until, ended));
        verdict.complain_of_lateness(stall);
        verdict.grown_kib = self.scene.envoy.resident_kib() as i64 - memory as i64;
        verdict.reloads = self.scene.reloads() - reloads;
        let wanted = fault.reloads(self);
        if verdict.reloads != wanted {
            verdict.complaints.push(format!("{} reloads of a VM, and not {wanted}", verdict.reloads));
        }
        verdict.complaints.extend(self.scene.ledger.take_garbled().into_iter().take(5));
        verdict.complaints.extend(fault.judge(self, &records).await);
        if !verdict.complaints.is_empty() {
            let unlike = oddities.iter().filter(|oddity| !oddity.contains(": 50")).chain(&oddities).take(12);
            verdict.complaints.extend(unlike.map(|oddity| format!("such as {oddity}")));
        }
        verdict.remark = std::mem::take(&mut self.remark);
        verdict
    }

    /// Requests whose authorizer never answers, while other things happen.
    pub fn hang(&self) -> Vec<tokio::task::JoinHandle<(Fate, Duration)>> {
        let start = |_| {
            let (client, ledger) = (crate::traffic::client::Client::new(self.scene.sending.client.address()), &self.scene.ledger);
            let id = ledger.id();
            let request = Kind::Hanging.request(id, &self.scene.sending.maker);
            tokio::spawn(async move {
                let sent = Instant::now();
                let reply = client.send(request, false).await;
                let fate = match reply {
                    crate::traffic::client::Reply::Answer(500, headers, body)
                        if Kind::Hanging.judge(id, &headers, &body).is_ok() =>
                    {
                        Fate::Right(500)
                    }
                    crate::traffic::client::Reply::Answer(status, ..) => Fate::Other(status),
                    _ => Fate::Broken,
                };
                (fate, sent.elapsed())
            })
        };
        (0..HANGING_REQUESTS).map(start).collect()
    }

    /// What came of them.
    pub async fn judge_hanging(&self, requests: Vec<tokio::task::JoinHandle<(Fate, Duration)>>) -> Verdict {
        let mut verdict = Verdict::empty(HANGING);
        for request in requests {
            let (fate, took) = request.await.expect("no client panics");
            verdict.requests += 1;
            verdict.late = verdict.late.max(took.saturating_sub(Kind::Hanging.timeout()));
            if fate == Fate::Right(500) {
                *verdict.during.entry(500).or_default() += 1;
            } else {
                verdict.unexpected += 1;
            }
            if fate != Fate::Right(500) || took < Kind::Hanging.timeout() - SLACK {
                verdict.complaints.push(format!("{fate:?} after {took:?}"));
            }
        }
        verdict.complain_of_lateness(self.scene.sending.take_stall());
        verdict
    }

    /// Nothing is left over.
    pub async fn finish(&mut self, place: Where) -> Option<Verdict> {
        self.scene.sending.client.forget().await;
        let left = self.scene.wait_until_nothing_is_active().await;
        let mut verdict = Verdict::empty(match place {
            Where::Shared => "nothing is left over",
            Where::Clock => "nothing is left (clock)",
            Where::Trap => "nothing is left (trap)",
        });
        let stats = self.scene.envoy.stats("rq_active");
        let which: Vec<_> = stats.into_iter().filter(|(_, count)| *count > 0).collect();
        verdict.complaints.push(format!("{left} requests are not over: {which:?}"));
        (left > 0).then_some(verdict)
    }
}

// === impl Verdict ===

impl Verdict {
    fn empty(name: &'static str) -> Self {
        Self {
            name,
            requests: 0,
            during: BTreeMap::new(),
            cut: 0,
            unexpected: 0,
            lost: 0,
            doubled: 0,
            late: Duration::ZERO,
            recovery: Duration::ZERO,
            grown_kib: 0,
            reloads: 0,
            remark: String::new(),
            complaints: Vec::new(),
        }
    }

    fn of(
        fault: &dyn Fault,
        records: &[Record],
        ledger: &crate::traffic::ledger::Ledger,
        (began, started, until, ended): (Instant, Instant, Instant, Instant),
    ) -> Self {
        let mut verdict = Self::empty(fault.name());
        verdict.requests = records.len();
        let mut examples = Vec::new();
        let mut first_right: BTreeMap<Kind, Instant> = BTreeMap::new();
        let mut last_other = None;
        let mut shown: BTreeMap<Kind, usize> = BTreeMap::new();
        for record in records {
            let Record { id, kind, fate, sent, took } = *record;
            let received = sent + took;
            let is_right = matches!(fate, Fate::Right(_));
            let is_quiet = received < began || sent > ended + RECOVERY;
            let allowed = if is_quiet { Allowed::NOTHING } else { fault.allows(kind) };
            if !allowed.takes(fate) {
                verdict.unexpected += 1;
                if examples.len() < 5 {
                    let at = sent.saturating_duration_since(began).as_secs_f64();
                    examples.push(format!("{kind:?} {id}: {fate:?}, sent {at:.3} s after the beginning, {took:?}"));
                }
            } else if !is_right {
                match fate {
                    Fate::Other(status) => *verdict.during.entry(status).or_default() += 1,
                    _ => verdict.cut += 1,
                }
            }
            if fault.has_to_show(kind) && sent > started + GRACE && received < until {
                *shown.entry(kind).or_default() += 1;
                if is_right {
                    verdict.complaints.push(format!("{kind:?} {id} was answered right in the midst of it"));
                }
            }
            if sent >= ended {
                if is_right {
                    let first = first_right.entry(kind).or_insert(received);
                    *first = received.min(*first);
                } else if fault.has_to_show(kind) || fault.is_over_at_once() || !allowed.takes(fate) {
                    last_other = last_other.max(Some(sent));
                }
            }
            let arrivals = ledger.arrivals(id);
            let must_arrive = is_right && kind.goal() == Goal::Upstream;
            let answered_by_gateway = matches!(fate, Fate::Right(400..=499) | Fate::Other(400..=499));
            let must_not = kind.goal() == Goal::Gateway || (!is_right && (fault.fails_closed(kind) || answered_by_gateway));
            if must_arrive && arrivals == 0 {
                verdict.lost += 1;
            }
            if arrivals > 1 || ledger.questions(id) > 1 {
                verdict.doubled += 1;
            }
            if must_not && arrivals > 0 {
                verdict.complaints.push(format!("{kind:?} {id} reached the upstream, and was answered {fate:?}"));
            }
            verdict.late = verdict.late.max(took.saturating_sub(fault.timeout(kind)));
        }
        let after = |moment: Instant| moment.saturating_duration_since(ended);
        for kind in shown.keys() {
            match first_right.get(kind) {
                Some(first) => verdict.recovery = verdict.recovery.max(after(*first)),
                None => verdict.complaints.push(format!("{kind:?} was never answered right again")),
            }
        }
        verdict.recovery = verdict.recovery.max(last_other.map(after).unwrap_or_default());
        if verdict.recovery > RECOVERY {
            verdict.complaints.push(format!("right again only after {:?}", verdict.recovery));
        }
        let silent = EVERYDAY.iter().chain(fault.more()).map(|(kind, _)| *kind);
        let silent: Vec<_> = silent.filter(|kind| fault.has_to_show(*kind) && !shown.contains_key(kind)).collect();
        if !silent.is_empty() {
            verdict.complaints.push(format!("no request of {silent:?} in the midst of it"));
        }
        if verdict.unexpected > 0 {
            verdict.complaints.push(format!("{} unexpected answers", verdict.unexpected));
        }
        for (what, count) in [("lost", verdict.lost), ("doubled", verdict.doubled)] {
            if count > 0 {
                verdict.complaints.push(format!("{count} requests are {what}"));
            }
        }
        verdict.complaints.extend(examples);
        verdict
    }

    fn complain_of_lateness(&mut self, stall: Duration) {
        if self.late > SLACK + stall {
            self.complaints.push(format!("an answer {:?} beyond its timeout", self.late));
        }
    }

    pub fn heading() -> String {
        format!(
            "{:<22} {:>9} {:>34} {:>10} {:>5} {:>8} {:>10} {:>10} {:>8} {:>7}",
            "fault",
            "requests",
            "answers of the fault",
            "unexpected",
            "lost",
            "doubled",
            "late (ms)",
            "back (ms)",
            "RSS (KB)",
            "reloads"
        )
    }

    pub fn row(&self) -> String {
        let mut during = String::new();
        for (status, count) in &self.during {
            let _ = write!(during, "{}{status}: {count}", if during.is_empty() { "" } else { ", " });
        }
        if self.cut > 0 {
            let _ = write!(during, "{}cut: {}", if during.is_empty() { "" } else { ", " }, self.cut);
        }
        let mut row = format!(
            "{:<22} {:>9} {:>34} {:>10} {:>5} {:>8} {:>10} {:>10} {:>8} {:>7}",
            self.name,
            self.requests,
            if during.is_empty() { "-" } else { &during },
            self.unexpected,
            self.lost,
            self.doubled,
            self.late.as_millis(),
            self.recovery.as_millis(),
            self.grown_kib,
            self.reloads
        );
        if !self.remark.is_empty() {
            let _ = write!(row, "  {}", self.remark);
        }
        for complaint in self.complaints.iter().take(COMPLAINTS) {
            let _ = write!(row, "\n    BROKEN {complaint}");
        }
        row
    }
}

/// Prints the last line, and tells whether all is well.
pub fn conclude(verdicts: &[Verdict]) -> ExitCode {
    let requests: usize = verdicts.iter().map(|verdict| verdict.requests).sum();
    let broken: Vec<_> = verdicts.iter().filter(|verdict| !verdict.complaints.is_empty()).map(|verdict| verdict.name).collect();
    if broken.is_empty() {
        say(&format!("faults: {} of {} as they have to be, {requests} requests\n", verdicts.len(), verdicts.len()));
        return ExitCode::SUCCESS;
    }
    say(&format!("faults: broken: {}\n", broken.join(", ")));
    ExitCode::FAILURE
}
