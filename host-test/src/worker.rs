//! One Envoy worker thread: a VM, its streams, its callouts and its timers, as a machine without
//! input or output. A driver feeds it what happened and carries out what it asks for.

use crate::boot::{ConfigureError, StartError, boot, configure_root};
use crate::clock::Clock;
use crate::module::FilterModule;
use crate::output::Output;
use crate::random::Random;
use crate::settings::{LogLevel, OnTrap, Settings};
use crate::shared::Shared;
use crate::state::{Context, GuestState, HostState, Journal, LogLine};
use crate::stream::{Half, Side, Stream, StreamId};
use crate::vm::{Call, Trap, Vm};
use bytes::Bytes;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// A worker. See the [crate's documentation](crate) for how to drive it.
pub struct Worker {
    module: FilterModule,
    vm: Vm,
    /// The root context that new streams belong to.
    root: u32,
    /// Root contexts of earlier configurations, kept while they have streams.
    retired: Vec<u32>,
    last_stream: u64,
    /// When the VM was started.
    loaded: Duration,
}

// === impl Worker ===

impl Worker {
    /// Starts a VM and configures the plugin.
    pub fn start(
        module: &FilterModule,
        settings: Settings,
        shared: Arc<Shared>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StartError> {
        let (worker, loaded) = (shared.join(), clock.now());
        let plugin = &settings.plugin;
        let state = HostState {
            random: Random::new(plugin.random_seed),
            journal: Journal::new(plugin.log_level),
            guest: GuestState::new(1, settings.limits.memory),
            settings: Arc::new(settings),
            shared,
            clock,
            worker,
            outputs: VecDeque::new(),
            streams: BTreeMap::new(),
            callouts: Default::default(),
        };
        match boot(module, state) {
            Ok((vm, root)) => Ok(Self { module: module.clone(), vm, root, retired: Vec::new(), last_stream: 0, loaded }),
            Err((error, _)) => Err(error),
        }
    }

    /// The next thing to do, if any.
    pub fn poll(&mut self) -> Option<Output> {
        self.vm.state_mut().outputs.pop_front()
    }

    /// When [`on_time`](Self::on_time) wants to be called next, on the worker's clock.
    pub fn next_deadline(&self) -> Option<Duration> {
        let state = self.vm.state();
        let tick = state.guest.tick.values().map(|tick| tick.next).min();
        let tick = tick.filter(|_| !self.vm.failed);
        let callouts = state.callouts.next_deadline();
        [tick, callouts, self.next_stream_deadline()].into_iter().flatten().min()
    }

    /// Time has passed: ends waits, runs ticks, delivers queue notices. Calling it early or for
    /// nothing does no harm.
    pub fn on_time(&mut self) {
        let now = self.now();
        self.expire_callouts(now);
        self.expire_streams(now);
        self.run_ticks(now);
        self.run_queues();
    }

    /// Has `wake` called, from any thread, when a queue that this worker listens to gets an item;
    /// [`on_time`](Self::on_time) then delivers it.
    pub fn set_waker(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        let state = self.vm.state();
        state.shared.set_waker(state.worker, wake);
    }

    /// Serves new streams by a new plugin configuration. As in Envoy it is tried in a VM of its
    /// own first: when that refuses it, nothing has changed.
    pub fn reconfigure(&mut self, configuration: Bytes) -> Result<(), StartError> {
        let mut settings = self.vm.state().settings.as_ref().clone();
        settings.plugin.configuration = configuration;
        let state = self.vm.state();
        let (shared, clock) = (state.shared.clone(), state.clock.clone());
        let mut canary = Self::start(&self.module, settings.clone(), shared, clock)?;
        let logs = canary.drain_logs();
        canary.shut_down();
        self.vm.state_mut().settings = Arc::new(settings);
        if self.vm.failed {
            return Ok(());
        }
        match configure_root(&mut self.vm) {
            Ok(root) => {
                self.retired.push(std::mem::replace(&mut self.root, root));
                self.retire_roots();
                Ok(())
            }
            Err(ConfigureError::Trap(trap)) => {
                self.trapped(trap.clone());
                Err(StartError::Trap(trap, logs))
            }
            Err(ConfigureError::Refused) => Err(StartError::Refused(logs)),
        }
    }

    /// Tells all root contexts that it is over.
    pub fn shut_down(&mut self) {
        let mut roots = std::mem::take(&mut self.retired);
        roots.push(self.root);
        for root in roots {
            self.end_root(root);
        }
        let state = self.vm.state();
        state.shared.forget_ready(state.worker);
    }

    /// Takes the log lines written so far.
    pub fn drain_logs(&mut self) -> Vec<LogLine> {
        self.vm.state_mut().journal.logs.drain(..).collect()
    }

    /// How often each host function was called so far.
    pub fn host_calls(&self) -> &BTreeMap<&'static str, u64> {
        &self.vm.state().journal.host_calls
    }

    /// The fuel that all callbacks have used so far.
    pub fn fuel_used(&self) -> u64 {
        self.vm.state().journal.fuel
    }

    /// How many bytes host functions have read from the guest's memory and written to it so far.
    pub fn bytes_copied(&self) -> u64 {
        self.vm.state().journal.bytes_copied
    }

    /// How often the VM was started anew after a trap.
    pub fn vm_reloads(&self) -> u64 {
        self.vm.state().journal.vm_reloads
    }

    /// The guest's linear memory, in bytes.
    pub fn memory_size(&mut self) -> usize {
        self.vm.memory_size()
    }

    /// How many streams are open.
    pub fn open_streams(&self) -> usize {
        self.vm.state().streams.len()
    }

    /// A property `wasm.<name>` that the guest has set on an open stream, for access logs.
    pub fn filter_state(&self, stream: StreamId, name: &str) -> Option<Bytes> {
        self.vm.state().streams.get(&stream)?.filter_state.get(name.as_bytes()).cloned()
    }

    // --- for the parts of this crate ---

    pub(crate) fn vm(&self) -> &Vm {
        &self.vm
    }

    pub(crate) fn vm_mut(&mut self) -> &mut Vm {
        &mut self.vm
    }

    pub(crate) fn settings(&self) -> Arc<Settings> {
        self.vm.state().settings.clone()
    }

    pub(crate) fn now(&self) -> Duration {
        self.vm.state().clock.now()
    }

    pub(crate) fn wall(&self) -> Duration {
        self.vm.state().clock.wall()
    }

    pub(crate) fn root(&self) -> u32 {
        self.root
    }

    pub(crate) fn log(&mut self, level: LogLevel, message: impl Into<String>) {
        self.vm.state_mut().log(level, message);
    }

    pub(crate) fn output(&mut self, output: Output) {
        self.vm.state_mut().outputs.push_back(output);
    }

    pub(crate) fn stream_mut(&mut self, id: StreamId) -> Option<&mut Stream> {
        self.vm.state_mut().streams.get_mut(&id)
    }

    pub(crate) fn half_mut(&mut self, id: StreamId, side: Side) -> Option<&mut Half> {
        self.stream_mut(id).map(|stream| stream.half_mut(side))
    }

    pub(crate) fn new_stream_id(&mut self) -> StreamId {
        self.last_stream += 1;
        StreamId(self.last_stream)
    }

    pub(crate) fn trapped(&mut self, trap: Trap) {
        self.vm.failed = true;
        self.log(LogLevel::Critical, trap.to_string());
        let guest = &mut self.vm.state_mut().guest;
        guest.tick.clear();
    }

    /// Starts a new VM for new streams, if the last one failed and the policy allows it now.
    pub(crate) fn reload_if_due(&mut self) {
        if !self.vm.failed {
            self.retire_roots();
            return;
        }
        let now = self.now();
        let settings = self.settings();
        match settings.plugin.on_trap {
            OnTrap::FailClosed => return,
            OnTrap::Reload { backoff } => {
                if now < self.loaded + backoff {
                    return;
                }
            }
        }
        self.loaded = now;
        self.vm.state_mut().journal.vm_reloads += 1;
        let generation = self.vm.state().guest.generation + 1;
        // The streams of the old VM stay, and wait for their timeouts; its callouts are forgotten.
        let module = self.module.clone();
        self.replace_vm(&module, generation, settings.limits.memory);
    }

    fn replace_vm(&mut self, module: &FilterModule, generation: u64, memory: usize) {
        self.forget_callouts();
        let guest = GuestState::new(generation, memory);
        let state = self.vm.take_state(guest);
        match boot(module, state) {
            Ok((vm, root)) => {
                self.vm = vm;
                self.root = root;
                self.retired.clear();
            }
            Err((error, state)) => {
                // The failed VM stays, with everything the new one would have carried on.
                self.vm.put_state(*state);
                self.log(LogLevel::Critical, error.to_string());
            }
        }
    }

    fn run_ticks(&mut self, now: Duration) {
        let due: Vec<u32> = {
            let ticks = &mut self.vm.state_mut().guest.tick;
            ticks.retain(|_, tick| !tick.period.is_zero());
            ticks.iter().filter(|(_, tick)| tick.next <= now).map(|(root, _)| *root).collect()
        };
        for root in due {
            // Envoy arms the timer again after the callback, from then on.
            self.call_plain(root, Call::Tick);
            if let Some(tick) = self.vm.state_mut().guest.tick.get_mut(&root)
                && tick.next <= now
            {
                tick.next = now + tick.period;
            }
        }
    }

    fn run_queues(&mut self) {
        loop {
            let state = self.vm.state();
            let Some((context, queue)) = state.shared.next_ready(state.worker) else { return };
            if self.vm.state().guest.contexts.contains_key(&context) {
                self.call_plain(context, Call::QueueReady { queue });
            }
        }
    }

    /// Ends the root contexts of earlier configurations that no stream needs any more.
    fn retire_roots(&mut self) {
        if self.retired.is_empty() {
            return;
        }
        let guest = &self.vm.state().guest;
        let used =
            |root: u32| guest.contexts.values().any(|context| matches!(context, Context::Stream { root: of, .. } if *of == root));
        let (keep, over) = self.retired.iter().partition(|root| used(**root));
        self.retired = keep;
        let over: Vec<u32> = over;
        for root in over {
            self.end_root(root);
        }
    }

    fn end_root(&mut self, root: u32) {
        if self.vm.failed {
            return;
        }
        match self.vm.call(root, Call::Done) {
            // The guest wants to finish something first, and says so by `proxy_done`. Nobody
            // waits for it here: the root is of no use to anyone any more.
            Ok(answer) => {
                if answer == Some(0) {
                    self.vm.state_mut().guest.done.insert(root);
                }
                self.run_deferred();
            }
            Err(trap) => return self.trapped(trap),
        }
        self.call_plain(root, Call::Delete);
        let guest = &mut self.vm.state_mut().guest;
        guest.contexts.remove(&root);
        guest.tick.remove(&root);
    }
}
