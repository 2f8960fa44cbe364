//! The case files on the two drivers that need no Envoy: the exchange itself, and the module in the wasmtime host.

mod drivers;

use drivers::case::CaseFile;
use drivers::native::Native;
use drivers::report::Report;
use drivers::wasm::Wasm;

#[test]
fn every_case_holds_natively_and_as_wasm() {
    let files = CaseFile::all();
    let mut report = Report::default();
    drivers::ring::run(&files, &mut [&mut Native::default(), &mut Wasm::new()], &mut report);
    report.finish("cases");
}

#[test]
fn an_unknown_key_of_a_case_file_is_an_error() {
    for text in [
        "definition: {}\ncase: []",
        "definition: {}\ncases: [{ name: x, request: { path: /, heders: [] }, expect: { status: 200 } }]",
        "definition: {}\ncases: [{ name: x, request: { path: / }, expect: { status: 200, header: {} } }]",
        "definition: {}\ncases: [{ name: x, request: { path: / }, expect: { status: 200, upstream: { url: x } } }]",
        "definition: {}\nbackends: { a: { statuss: 200 } }\ncases: []",
    ] {
        let read = serde_norway::from_str::<CaseFile>(text);
        assert!(read.is_err(), "{text} is read as {read:?}");
    }
}
