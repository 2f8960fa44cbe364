//! The rest of WASI preview 1: files, directories and sockets, of which there are none. Envoy 1.40 has these functions so that
//! modules load that were linked with them, and refuses every call. Two of them have other parameters there than in WASI's
//! documents (`path_link`, `path_symlink`); they have the same here.

use crate::state::HostState;
use wasmtime::{FuncType, Linker, Result, Val, ValType};

/// A name, its parameters (`i` 32 bits, `I` 64 bits) and what it answers.
type Refusal = (&'static str, &'static str, i32);

const BAD_FD: i32 = 8;
const NO_ENTRY: i32 = 44;
const NOT_IMPLEMENTED: i32 = 52;

const REFUSALS: &[Refusal] = &[
    ("clock_res_get", "ii", NOT_IMPLEMENTED),
    ("fd_advise", "iIIi", NOT_IMPLEMENTED),
    ("fd_allocate", "iII", NOT_IMPLEMENTED),
    ("fd_datasync", "i", NOT_IMPLEMENTED),
    ("fd_fdstat_set_rights", "iII", NOT_IMPLEMENTED),
    ("fd_filestat_get", "ii", NOT_IMPLEMENTED),
    ("fd_filestat_set_size", "iI", NOT_IMPLEMENTED),
    ("fd_filestat_set_times", "iIIi", NOT_IMPLEMENTED),
    ("fd_pread", "iiiIi", NOT_IMPLEMENTED),
    ("fd_prestat_dir_name", "iii", NOT_IMPLEMENTED),
    // There is no directory that was opened beforehand: this ends a guest's search for them.
    ("fd_prestat_get", "ii", BAD_FD),
    ("fd_pwrite", "iiiIi", NOT_IMPLEMENTED),
    ("fd_readdir", "iiiIi", NOT_IMPLEMENTED),
    ("fd_renumber", "ii", NOT_IMPLEMENTED),
    ("fd_sync", "i", NOT_IMPLEMENTED),
    ("fd_tell", "ii", NOT_IMPLEMENTED),
    ("path_create_directory", "iii", NOT_IMPLEMENTED),
    ("path_filestat_get", "iiiii", NOT_IMPLEMENTED),
    ("path_filestat_set_times", "iiiiIIi", NOT_IMPLEMENTED),
    ("path_link", "iiiiii", NOT_IMPLEMENTED),
    ("path_open", "iiiiiIIii", NO_ENTRY),
    ("path_readlink", "iiiiii", NOT_IMPLEMENTED),
    ("path_remove_directory", "iii", NOT_IMPLEMENTED),
    ("path_rename", "iiiiii", NOT_IMPLEMENTED),
    ("path_symlink", "iiii", NOT_IMPLEMENTED),
    ("path_unlink_file", "iii", NOT_IMPLEMENTED),
    ("sock_accept", "iii", NOT_IMPLEMENTED),
    ("sock_recv", "iiiiii", NOT_IMPLEMENTED),
    ("sock_send", "iiiii", NOT_IMPLEMENTED),
    ("sock_shutdown", "ii", NOT_IMPLEMENTED),
];

pub(super) fn link(linker: &mut Linker<HostState>, module: &str) -> Result<()> {
    for &(name, parameters, answer) in REFUSALS {
        let parameters = parameters.chars().map(|kind| if kind == 'I' { ValType::I64 } else { ValType::I32 });
        let ty = FuncType::new(linker.engine(), parameters, [ValType::I32]);
        linker.func_new(module, name, ty, move |mut caller, _, results| {
            *caller.data_mut().journal.host_calls.entry(name).or_default() += 1;
            results.iter_mut().for_each(|result| *result = Val::I32(answer));
            Ok(())
        })?;
    }
    Ok(())
}
