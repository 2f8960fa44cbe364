//! Modules that are wrong, and guests that pass nonsense.

use tollgate_host::{FilterModule, Host, ModuleError, Request, Stub};

fn module(text: &str) -> Result<FilterModule, ModuleError> {
    FilterModule::from_bytes(&wat::parse_str(text).expect("the test's module is well formed"))
}

const REST: &str = r#"(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
    (func (export "malloc") (param i32) (result i32) (i32.const 1024))"#;

#[test]
fn an_unknown_import_is_named() {
    let error = module(&format!(r#"(module (import "env" "proxy_make_coffee" (func)) {REST})"#)).unwrap_err();
    assert!(error.to_string().contains("`env.proxy_make_coffee`"), "{error}");
    let error = module(&format!(r#"(module (import "wasi_snapshot_preview1" "proc_raise" (func)) {REST})"#)).unwrap_err();
    assert!(error.to_string().contains("`wasi_snapshot_preview1.proc_raise`"), "{error}");
    let error = module(&format!(r#"(module (import "env" "proxy_continue_request" (func (result i32))) {REST})"#)).unwrap_err();
    assert!(error.to_string().contains("proxy_continue_request"), "ABI 0.1.0 is not spoken: {error}");
}

#[test]
fn a_module_may_import_what_works_with_files_and_is_refused_when_it_calls_it() {
    let import = r#"(import "wasi_snapshot_preview1" "fd_prestat_get" (func $f (param i32 i32) (result i32)))
        (import "wasi_unstable" "path_open" (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))"#;
    let outcome = calls(import, "(i32.const 3) (i32.const 0)", 8).send(Request::get("/"));
    assert_eq!(outcome.response.status(), 200, "{:?}", outcome.logs);
}

#[test]
fn an_import_of_another_type_is_refused() {
    let error = module(&format!(r#"(module (import "env" "proxy_log" (func (param f64))) {REST})"#)).unwrap_err();
    assert!(matches!(error, ModuleError::ImportType(_)), "{error}");
}

#[test]
fn what_no_filter_works_without_is_asked_for_by_name() {
    let without = |part: &str, rest: &str| {
        let error = module(&format!("(module {rest})")).unwrap_err();
        assert!(error.to_string().contains(part), "{error}");
    };
    without("proxy_abi_version_0_2_1", r#"(memory (export "memory") 1)"#);
    without("memory", r#"(func (export "proxy_abi_version_0_2_1"))"#);
    without("proxy_on_memory_allocate", r#"(memory (export "memory") 1) (func (export "proxy_abi_version_0_2_0"))"#);
    without("proxy_abi_version_0_1_0", r#"(memory (export "memory") 1) (func (export "proxy_abi_version_0_1_0"))"#);
}

#[test]
fn bytes_that_are_no_wasm_are_refused() {
    assert!(matches!(FilterModule::from_bytes(b"hello"), Err(ModuleError::Compile(_))));
    assert!(matches!(FilterModule::from_file("/no/such/file.wasm"), Err(ModuleError::Read(..))));
}

#[test]
fn a_module_is_known_by_its_digest() {
    let one = crate::probe::module();
    let bytes = std::fs::read(crate::probe::path()).unwrap();
    assert_eq!(one.sha256().len(), 64);
    assert_eq!(one.sha256(), FilterModule::from_bytes(&bytes).unwrap().sha256());
}

#[test]
fn a_filter_without_callbacks_lets_everything_through() {
    let mut host = Host::builder(&module(&format!("(module {REST})")).unwrap())
        .cluster("be", Stub::reply(200, [], "hello"))
        .fixed_cluster("be")
        .build()
        .unwrap();
    let outcome = host.send(Request::post("/", "abc"));
    assert_eq!((outcome.response.text().as_str(), &outcome.upstream_requests[0].body[..]), ("hello", &b"abc"[..]));
    assert_eq!(outcome.total_host_calls(), 0);
}

/// A guest that makes one host call in its request callback and ends with unreachable unless the answer is as it should be.
fn calls(import: &str, arguments: &str, answer: u32) -> Host {
    let text = format!(
        r#"(module {import} {REST}
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (i32.ne (call $f {arguments}) (i32.const {answer})) (then unreachable))
            (i32.const 0)))"#
    );
    let module = module(&text).unwrap();
    Host::builder(&module).cluster("be", Stub::reply(200, [], "")).fixed_cluster("be").build().unwrap()
}

#[test]
fn bad_pointers_are_a_status_and_not_the_end_of_the_host() {
    const BAD: &str = "(i32.const -1)";
    let (ok, far) = ("(i32.const 0)", "(i32.const 65530)");
    let log = r#"(import "env" "proxy_log" (func $f (param i32 i32 i32) (result i32)))"#;
    let pairs = r#"(import "env" "proxy_set_header_map_pairs" (func $f (param i32 i32 i32) (result i32)))"#;
    let time = r#"(import "env" "proxy_get_current_time_nanoseconds" (func $f (param i32) (result i32)))"#;
    let buffer = r#"(import "env" "proxy_get_buffer_bytes" (func $f (param i32 i32 i32 i32 i32) (result i32)))"#;
    let get = r#"(import "env" "proxy_get_header_map_pairs" (func $f (param i32 i32 i32) (result i32)))"#;
    let random = r#"(import "wasi_snapshot_preview1" "random_get" (func $f (param i32 i32) (result i32)))"#;
    let write = r#"(import "wasi_snapshot_preview1" "fd_write" (func $f (param i32 i32 i32 i32) (result i32)))"#;
    let cases = [
        (log, format!("(i32.const 2) {BAD} (i32.const 10)"), 6),
        (log, format!("(i32.const 2) {far} (i32.const 10)"), 6),
        (log, format!("(i32.const 9) {ok} {ok}"), 2),
        (time, far.to_owned(), 6),
        (pairs, format!("{ok} {BAD} {BAD}"), 6),
        (pairs, format!("{BAD} {ok} {ok}"), 2),
        (get, format!("{ok} {far} {far}"), 0),
        (get, format!("{ok} {BAD} {BAD}"), 6),
        (buffer, format!("(i32.const 6) {BAD} {BAD} {ok} {ok}"), 2),
        (buffer, format!("(i32.const 99) {ok} {ok} {ok} {ok}"), 2),
        (random, format!("{BAD} {BAD}"), 21),
        (write, format!("(i32.const 1) {ok} {BAD} {ok}"), 21),
        (write, format!("(i32.const 7) {ok} {ok} {ok}"), 8),
    ];
    for (import, arguments, answer) in cases {
        let outcome = calls(import, &arguments, answer).send(Request::get("/"));
        assert_eq!(outcome.response.status(), 200, "{import} {arguments}: {:?}", outcome.logs);
    }
}

#[test]
fn pairs_that_do_not_fit_their_sizes_are_refused() {
    // The number of pairs says 2^32 - 1, the bytes hold none.
    let import = r#"(import "env" "proxy_set_header_map_pairs" (func $f (param i32 i32 i32) (result i32))) (data (i32.const 0) "\ff\ff\ff\ff")"#;
    let outcome = calls(import, "(i32.const 0) (i32.const 0) (i32.const 4)", 2).send(Request::get("/"));
    assert_eq!(outcome.response.status(), 200, "{:?}", outcome.logs);
}

/// A thousand vectors that all name the same 60,000 bytes: 60 MB from a guest of 64 KB, and more vectors would be more.
#[test]
fn a_write_of_more_than_a_line_is_cut_and_the_guest_is_told_how_much_went() {
    let vector: String = (0..1000).map(|_| r"\00\00\00\00\60\ea\00\00").collect();
    let text = format!(
        r#"(module (import "wasi_snapshot_preview1" "fd_write" (func $f (param i32 i32 i32 i32) (result i32))) {REST}
        (data (i32.const 0) "{vector}")
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
            (if (call $f (i32.const 1) (i32.const 0) (i32.const 1000) (i32.const 65000)) (then unreachable))
            (if (i32.gt_u (i32.load (i32.const 65000)) (i32.const 65536)) (then unreachable))
            (i32.const 0)))"#
    );
    let module = module(&text).unwrap();
    let mut host = Host::builder(&module).cluster("be", Stub::reply(200, [], "")).fixed_cluster("be").build().unwrap();
    let outcome = host.send(Request::get("/"));
    assert_eq!(outcome.response.status(), 200, "{:?}", outcome.logs.len());
}

#[test]
fn memory_beyond_the_limit_is_not_given() {
    let text = format!(
        r#"(module {REST} (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
        (if (i32.ne (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable)) (i32.const 0)))"#
    );
    let module = module(&text).unwrap();
    let build = |pages: usize| {
        let limit = move |settings: &mut tollgate_host::Settings| settings.limits.memory = pages * 65536;
        Host::builder(&module).cluster("be", Stub::reply(200, [], "")).fixed_cluster("be").with(limit).build().unwrap()
    };
    assert_eq!(build(32).send(Request::get("/")).response.status(), 200);
    assert_eq!(build(128).send(Request::get("/")).response.status(), 503);
}

#[test]
fn random_numbers_repeat_with_a_seed() {
    let ids = |seed| {
        let module = module(&format!("(module {REST})")).unwrap();
        let seed = move |settings: &mut tollgate_host::Settings| settings.plugin.random_seed = seed;
        let mut host =
            Host::builder(&module).cluster("be", Stub::reply(200, [], "")).fixed_cluster("be").with(seed).build().unwrap();
        host.send(Request::get("/")).upstream_requests[0].headers.get_str("x-request-id").unwrap().to_owned()
    };
    assert_eq!(ids(Some(7)), ids(Some(7)));
    assert_ne!(ids(Some(7)), ids(Some(8)));
    assert_ne!(ids(None), ids(None));
}
