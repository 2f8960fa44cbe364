//! The guest's memory, as a host function reaches it.

use super::Status;
use crate::state::HostState;
use bytes::Bytes;
use wasmtime::{AsContext, AsContextMut, Caller, Error, Memory};

/// What a host function answers.
pub(super) type Answer = Result<Status, Stop>;

/// Why a host function ends early.
pub(super) enum Stop {
    Status(Status),
    Trap(Error),
}

/// The calling guest.
pub(super) struct Guest<'a, 'c> {
    caller: &'a mut Caller<'c, HostState>,
}

// === impl Stop ===

impl From<Status> for Stop {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

const BAD_MEMORY: Stop = Stop::Status(Status::InvalidMemoryAccess);

// === impl Guest ===

impl<'a, 'c> Guest<'a, 'c> {
    pub fn new(caller: &'a mut Caller<'c, HostState>) -> Self {
        Self { caller }
    }

    pub fn state(&self) -> &HostState {
        self.caller.data()
    }

    pub fn state_mut(&mut self) -> &mut HostState {
        self.caller.data_mut()
    }

    fn memory(&mut self) -> Result<Memory, Stop> {
        if let Some(memory) = self.state().guest.memory {
            return Ok(memory);
        }
        let export = self.caller.get_export("memory");
        export.and_then(|export| export.into_memory()).ok_or(BAD_MEMORY)
    }

    /// Borrows guest memory.
    pub fn slice(&mut self, at: u32, length: u32) -> Result<&[u8], Stop> {
        let memory = self.memory()?;
        self.state_mut().journal.bytes_copied += u64::from(length);
        let data = memory.data(self.caller.as_context());
        let end = (at as usize).checked_add(length as usize).ok_or(BAD_MEMORY)?;
        data.get(at as usize..end).ok_or(BAD_MEMORY)
    }

    /// Copies guest memory.
    pub fn bytes(&mut self, at: u32, length: u32) -> Result<Bytes, Stop> {
        self.slice(at, length).map(Bytes::copy_from_slice)
    }

    pub fn write(&mut self, at: u32, bytes: &[u8]) -> Result<(), Stop> {
        let memory = self.memory()?;
        self.state_mut().journal.bytes_copied += bytes.len() as u64;
        let data = memory.data_mut(self.caller.as_context_mut());
        let end = (at as usize).checked_add(bytes.len()).ok_or(BAD_MEMORY)?;
        data.get_mut(at as usize..end).ok_or(BAD_MEMORY)?.copy_from_slice(bytes);
        Ok(())
    }

    pub fn write_u32(&mut self, at: u32, value: u32) -> Result<(), Stop> {
        self.write(at, &value.to_le_bytes())
    }

    pub fn write_u64(&mut self, at: u32, value: u64) -> Result<(), Stop> {
        self.write(at, &value.to_le_bytes())
    }

    /// Asks the guest for memory.
    pub fn allocate(&mut self, length: usize) -> Result<u32, Stop> {
        let length = u32::try_from(length).map_err(|_| BAD_MEMORY)?;
        let allocator = self.state().guest.allocator.clone().ok_or(BAD_MEMORY)?;
        let at = allocator.call(self.caller.as_context_mut(), length).map_err(Stop::Trap)?;
        if at == 0 { Err(BAD_MEMORY) } else { Ok(at) }
    }

    /// Gives the guest bytes in memory that it allocates, and tells it where they are. No bytes
    /// need no memory: the pointer is null then.
    pub fn give(&mut self, bytes: &[u8], at_out: u32, length_out: u32) -> Result<(), Stop> {
        let at = if bytes.is_empty() {
            0
        } else {
            let at = self.allocate(bytes.len())?;
            self.write(at, bytes)?;
            at
        };
        self.write_u32(at_out, at)?;
        self.write_u32(length_out, bytes.len() as u32)
    }
}
