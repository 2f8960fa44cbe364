//! One wasm VM: an instance of the module, and the callbacks it exports.

use crate::module::FilterModule;
use crate::state::{GuestState, HostState};
use std::fmt;
use wasmtime::{AsContextMut, Instance, Store, TypedFunc};

/// A running instance and the state its host functions see.
pub(crate) struct Vm {
    pub store: Store<HostState>,
    instance: Instance,
    callbacks: Callbacks,
    /// The guest has trapped: it is never called again.
    pub failed: bool,
}

/// The guest panicked, ran out of fuel or broke a rule of wasm.
#[derive(Clone, Debug)]
pub struct Trap {
    /// In what callback.
    pub callback: &'static str,
    /// What wasmtime says, with the guest's stack.
    pub message: String,
}

type F1 = Option<TypedFunc<u32, ()>>;
type F1R = Option<TypedFunc<u32, u32>>;
type F2 = Option<TypedFunc<(u32, u32), ()>>;
type F2R = Option<TypedFunc<(u32, u32), u32>>;
type F3 = Option<TypedFunc<(u32, u32, u32), ()>>;
type F3R = Option<TypedFunc<(u32, u32, u32), u32>>;
type F5 = Option<TypedFunc<(u32, u32, u32, u32, u32), ()>>;

/// The exports that are looked for; each is optional.
struct Callbacks {
    context_create: F2,
    vm_start: F2R,
    configure: F2R,
    tick: F1,
    queue_ready: F2,
    done: F1R,
    log: F1,
    delete: F1,
    request_headers: F3R,
    request_body: F3R,
    request_trailers: F2R,
    response_headers: F3R,
    response_body: F3R,
    response_trailers: F2R,
    http_call_response: F5,
    grpc_initial: F3,
    grpc_receive: F3,
    grpc_trailing: F3,
    grpc_close: F3,
}

/// A callback with its arguments; the context comes extra.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Call {
    ContextCreate { parent: u32 },
    VmStart { size: u32 },
    Configure { size: u32 },
    Tick,
    QueueReady { queue: u32 },
    Done,
    Log,
    Delete,
    RequestHeaders { count: u32, end: bool },
    RequestBody { size: u32, end: bool },
    RequestTrailers { count: u32 },
    ResponseHeaders { count: u32, end: bool },
    ResponseBody { size: u32, end: bool },
    ResponseTrailers { count: u32 },
    HttpCallResponse { token: u32, headers: u32, body: u32, trailers: u32 },
    GrpcInitialMetadata { token: u32, count: u32 },
    GrpcReceive { token: u32, size: u32 },
    GrpcTrailingMetadata { token: u32, count: u32 },
    GrpcClose { token: u32, status: u32 },
}

// === impl Vm ===

impl Vm {
    /// Instantiates the module and runs its start-up function.
    pub fn start(module: &FilterModule, state: HostState) -> Result<Self, Box<(Trap, HostState)>> {
        let mut store = Store::new(module.instance.module().engine(), state);
        store.limiter(|state| &mut state.guest.limits);
        let fuel = store.data().settings.limits.fuel_per_callback;
        let started = store.set_fuel(fuel).and_then(|()| {
            let instance = module.instance.instantiate(&mut store)?;
            let state = &mut store;
            let memory = instance.get_memory(state.as_context_mut(), "memory");
            let allocator = ["proxy_on_memory_allocate", "malloc"]
                .into_iter()
                .find_map(|name| instance.get_typed_func(state.as_context_mut(), name).ok());
            state.data_mut().guest.memory = memory;
            state.data_mut().guest.allocator = allocator;
            // `_initialize` is what libraries have, `_start` what programs have.
            for name in ["_initialize", "_start"] {
                if instance.get_func(state.as_context_mut(), name).is_some() {
                    let start = instance.get_typed_func::<(), ()>(state.as_context_mut(), name)?;
                    start.call(state.as_context_mut(), ())?;
                    break;
                }
            }
            let callbacks = Callbacks::find(&instance, state);
            Ok((instance, callbacks))
        });
        match started {
            Ok((instance, callbacks)) => Ok(Self { store, instance, callbacks, failed: false }),
            Err(error) => {
                let trap = Trap { callback: "_initialize", message: format!("{error:?}") };
                Err(Box::new((trap, store.into_data())))
            }
        }
    }

    pub fn state(&self) -> &HostState {
        self.store.data()
    }

    pub fn state_mut(&mut self) -> &mut HostState {
        self.store.data_mut()
    }

    /// Gives up the instance and keeps the state.
    pub fn into_state(self) -> HostState {
        self.store.into_data()
    }

    /// Moves what outlives a VM out of a failed one; `guest` is the new VM's part. What stays
    /// behind is an empty shell.
    pub fn take_state(&mut self, guest: GuestState) -> HostState {
        let shell = self.state().shell();
        let mut state = std::mem::replace(self.state_mut(), shell);
        state.guest = guest;
        state
    }

    /// Gives a failed VM its state back.
    pub fn put_state(&mut self, state: HostState) {
        *self.state_mut() = state;
    }

    /// The size of the guest's memory in bytes.
    pub fn memory_size(&mut self) -> usize {
        let memory = self.instance.get_memory(&mut self.store, "memory");
        memory.map_or(0, |memory| memory.data_size(&self.store))
    }

    /// Runs a callback; `None` when the guest does not export it.
    pub fn call(&mut self, context: u32, call: Call) -> Result<Option<u32>, Trap> {
        let fuel = self.state().settings.limits.fuel_per_callback;
        let guest = &mut self.state_mut().guest;
        // Calls do not nest, except into the allocator, which calls no host function of a context.
        guest.current = context;
        guest.effective = 0;
        guest.stop_iteration = false;
        let result = self.store.set_fuel(fuel).and_then(|()| self.run(context, call));
        let left = self.store.get_fuel().unwrap_or(0);
        let state = self.state_mut();
        state.journal.fuel += fuel.saturating_sub(left);
        state.guest.current = 0;
        state.guest.effective = 0;
        result.map_err(|error| {
            self.failed = true;
            Trap { callback: call.name(), message: format!("{error:?}") }
        })
    }

    fn run(&mut self, context: u32, call: Call) -> wasmtime::Result<Option<u32>> {
        let s = &mut self.store;
        let c = &self.callbacks;
        macro_rules! run {
            ($function:expr, $arguments:expr) => {
                match $function {
                    Some(function) => function.call(s, $arguments).map(|_| Some(0)),
                    None => Ok(None),
                }
            };
        }
        macro_rules! ask {
            ($function:expr, $arguments:expr) => {
                match $function {
                    Some(function) => function.call(s, $arguments).map(Some),
                    None => Ok(None),
                }
            };
        }
        match call {
            Call::ContextCreate { parent } => run!(&c.context_create, (context, parent)),
            Call::VmStart { size } => ask!(&c.vm_start, (context, size)),
            Call::Configure { size } => ask!(&c.configure, (context, size)),
            Call::Tick => run!(&c.tick, context),
            Call::QueueReady { queue } => run!(&c.queue_ready, (context, queue)),
            Call::Done => ask!(&c.done, context),
            Call::Log => run!(&c.log, context),
            Call::Delete => run!(&c.delete, context),
            Call::RequestHeaders { count, end } => {
                ask!(&c.request_headers, (context, count, end.into()))
            }
            Call::RequestBody { size, end } => ask!(&c.request_body, (context, size, end.into())),
            Call::RequestTrailers { count } => ask!(&c.request_trailers, (context, count)),
            Call::ResponseHeaders { count, end } => {
                ask!(&c.response_headers, (context, count, end.into()))
            }
            Call::ResponseBody { size, end } => ask!(&c.response_body, (context, size, end.into())),
            Call::ResponseTrailers { count } => ask!(&c.response_trailers, (context, count)),
            Call::HttpCallResponse { token, headers, body, trailers } => {
                run!(&c.http_call_response, (context, token, headers, body, trailers))
            }
            Call::GrpcInitialMetadata { token, count } => {
                run!(&c.grpc_initial, (context, token, count))
            }
            Call::GrpcReceive { token, size } => run!(&c.grpc_receive, (context, token, size)),
            Call::GrpcTrailingMetadata { token, count } => {
                run!(&c.grpc_trailing, (context, token, count))
            }
            Call::GrpcClose { token, status } => run!(&c.grpc_close, (context, token, status)),
        }
    }
}

// === impl Callbacks ===

impl Callbacks {
    fn find(instance: &Instance, store: &mut Store<HostState>) -> Self {
        macro_rules! export {
            ($name:literal) => {
                instance.get_typed_func(store.as_context_mut(), $name).ok()
            };
        }
        Self {
            context_create: export!("proxy_on_context_create"),
            vm_start: export!("proxy_on_vm_start"),
            configure: export!("proxy_on_configure"),
            tick: export!("proxy_on_tick"),
            queue_ready: export!("proxy_on_queue_ready"),
            done: export!("proxy_on_done"),
            log: export!("proxy_on_log"),
            delete: export!("proxy_on_delete"),
            request_headers: export!("proxy_on_request_headers"),
            request_body: export!("proxy_on_request_body"),
            request_trailers: export!("proxy_on_request_trailers"),
            response_headers: export!("proxy_on_response_headers"),
            response_body: export!("proxy_on_response_body"),
            response_trailers: export!("proxy_on_response_trailers"),
            http_call_response: export!("proxy_on_http_call_response"),
            grpc_initial: export!("proxy_on_grpc_receive_initial_metadata"),
            grpc_receive: export!("proxy_on_grpc_receive"),
            grpc_trailing: export!("proxy_on_grpc_receive_trailing_metadata"),
            grpc_close: export!("proxy_on_grpc_close"),
        }
    }
}

// === impl Call ===

impl Call {
    fn name(self) -> &'static str {
        match self {
            Self::ContextCreate { .. } => "proxy_on_context_create",
            Self::VmStart { .. } => "proxy_on_vm_start",
            Self::Configure { .. } => "proxy_on_configure",
            Self::Tick => "proxy_on_tick",
            Self::QueueReady { .. } => "proxy_on_queue_ready",
            Self::Done => "proxy_on_done",
            Self::Log => "proxy_on_log",
            Self::Delete => "proxy_on_delete",
            Self::RequestHeaders { .. } => "proxy_on_request_headers",
            Self::RequestBody { .. } => "proxy_on_request_body",
            Self::RequestTrailers { .. } => "proxy_on_request_trailers",
            Self::ResponseHeaders { .. } => "proxy_on_response_headers",
            Self::ResponseBody { .. } => "proxy_on_response_body",
            Self::ResponseTrailers { .. } => "proxy_on_response_trailers",
            Self::HttpCallResponse { .. } => "proxy_on_http_call_response",
            Self::GrpcInitialMetadata { .. } => "proxy_on_grpc_receive_initial_metadata",
            Self::GrpcReceive { .. } => "proxy_on_grpc_receive",
            Self::GrpcTrailingMetadata { .. } => "proxy_on_grpc_receive_trailing_metadata",
            Self::GrpcClose { .. } => "proxy_on_grpc_close",
        }
    }
}

// === impl Trap ===

impl fmt::Display for Trap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the module trapped in `{}`: {}", self.callback, self.message)
    }
}

impl std::error::Error for Trap {}
