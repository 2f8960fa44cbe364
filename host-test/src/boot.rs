//! How a VM comes to serve a configuration, and why it may not.

use crate::module::FilterModule;
use crate::state::{Context, HostState, LogLine};
use crate::vm::{Call, Trap, Vm};
use std::fmt;

/// Why a configuration is not served.
#[derive(Debug)]
pub enum StartError {
    /// The module trapped.
    Trap(Trap, Vec<LogLine>),
    /// `on_vm_start` or `on_configure` answered false.
    Refused(Vec<LogLine>),
}

pub(crate) enum ConfigureError {
    Trap(Trap),
    Refused,
}

/// Starts a VM: instantiates, creates the root context, runs `on_vm_start` and `on_configure`.
pub(crate) fn boot(module: &FilterModule, state: HostState) -> Result<(Vm, u32), (StartError, Box<HostState>)> {
    let mut vm = match Vm::start(module, state) {
        Ok(vm) => vm,
        Err(failed) => {
            let (trap, mut state) = *failed;
            let logs = state.journal.logs.iter().cloned().collect();
            state.guest.memory = None;
            return Err((StartError::Trap(trap, logs), Box::new(state)));
        }
    };
    let configured = configure_first_root(&mut vm);
    let logs = || vm.state().journal.logs.iter().cloned().collect();
    let error = match configured {
        Ok(root) => return Ok((vm, root)),
        Err(ConfigureError::Trap(trap)) => StartError::Trap(trap, logs()),
        Err(ConfigureError::Refused) => StartError::Refused(logs()),
    };
    Err((error, Box::new(vm.into_state())))
}

fn configure_first_root(vm: &mut Vm) -> Result<u32, ConfigureError> {
    let root = create_root(vm)?;
    let size = vm.state().settings.plugin.vm_configuration.len() as u32;
    if vm.call(root, Call::VmStart { size }).map_err(ConfigureError::Trap)? == Some(0) {
        return Err(ConfigureError::Refused);
    }
    configure(vm, root)
}

pub(crate) fn configure_root(vm: &mut Vm) -> Result<u32, ConfigureError> {
    let root = create_root(vm)?;
    configure(vm, root)
}

fn create_root(vm: &mut Vm) -> Result<u32, ConfigureError> {
    let root = vm.state_mut().new_context(Context::Root);
    vm.call(root, Call::ContextCreate { parent: 0 }).map_err(ConfigureError::Trap)?;
    Ok(root)
}

fn configure(vm: &mut Vm, root: u32) -> Result<u32, ConfigureError> {
    let configuration = vm.state().settings.plugin.configuration.clone();
    let size = configuration.len() as u32;
    vm.state_mut().guest.configuration = Some(configuration);
    let answer = vm.call(root, Call::Configure { size });
    vm.state_mut().guest.configuration = None;
    match answer {
        Ok(Some(0)) => Err(ConfigureError::Refused),
        Ok(_) => Ok(root),
        Err(trap) => Err(ConfigureError::Trap(trap)),
    }
}

// === impl StartError ===

impl StartError {
    /// What the guest logged on the way.
    pub fn logs(&self) -> &[LogLine] {
        match self {
            Self::Trap(_, logs) | Self::Refused(logs) => logs,
        }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trap(trap, _) => trap.fmt(f),
            Self::Refused(_) => f.write_str("the module refuses its configuration"),
        }
    }
}

impl std::error::Error for StartError {}
