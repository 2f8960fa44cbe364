//! What `tollgate.wasm` asks of its host. A missing import stops Envoy at boot, even with FAIL_OPEN, so the module keeps to what
//! every host has: the proxy-wasm ABI 0.2.1, and the system calls that the oldest of them know.

mod drivers;

use drivers::envoy::module;

/// The WASI functions that all hosts since Envoy 1.17 have. (Envoy >= 1.36 adds `fd_fdstat_set_flags`, `sched_yield` and
/// `poll_oneoff`.)
const WASI: [&str; 12] = [
    "args_get",
    "args_sizes_get",
    "clock_time_get",
    "environ_get",
    "environ_sizes_get",
    "fd_close",
    "fd_fdstat_get",
    "fd_read",
    "fd_seek",
    "fd_write",
    "proc_exit",
    "random_get",
];

#[test]
fn the_module_imports_nothing_that_an_old_host_lacks() {
    let path = module();
    let wasm = std::fs::read(&path).expect("the module can be read");
    let imports = imports(&wasm).expect("the module has a well-formed import section");
    assert!(!imports.is_empty(), "{} imports nothing: is it a filter?", path.display());
    let unknown: Vec<_> = imports
        .iter()
        .filter(|(from, name)| match from.as_str() {
            "env" => !name.starts_with("proxy_"),
            "wasi_snapshot_preview1" => !WASI.contains(&name.as_str()),
            _ => true,
        })
        .collect();
    assert!(unknown.is_empty(), "an old host has no {unknown:?}");
}

/// Module and name of every import.
fn imports(wasm: &[u8]) -> Option<Vec<(String, String)>> {
    const IMPORT_SECTION: u8 = 2;
    let mut rest = wasm.strip_prefix(b"\0asm\x01\0\0\0")?;
    while let Some((id, tail)) = rest.split_first() {
        let (size, tail) = number(tail)?;
        let (section, tail) = tail.split_at_checked(size)?;
        if *id == IMPORT_SECTION {
            return entries(section);
        }
        rest = tail;
    }
    Some(Vec::new())
}

fn entries(section: &[u8]) -> Option<Vec<(String, String)>> {
    let (count, mut rest) = number(section)?;
    let mut found = Vec::new();
    for _ in 0..count {
        let (from, tail) = text(rest)?;
        let (name, tail) = text(tail)?;
        let (kind, tail) = tail.split_first()?;
        // A function names its type; a filter imports nothing else.
        let 0 = kind else { return None };
        let (_, tail) = number(tail)?;
        found.push((from, name));
        rest = tail;
    }
    Some(found)
}

fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (size, tail) = number(bytes)?;
    let (text, tail) = tail.split_at_checked(size)?;
    Some((String::from_utf8(text.to_vec()).ok()?, tail))
}

/// A number in LEB128.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut value = 0;
    for (index, byte) in bytes.iter().enumerate().take(5) {
        value |= usize::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[index + 1..]));
        }
    }
    None
}
