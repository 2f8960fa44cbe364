//! Every folder of `examples/` is checked and run: its definitions lint without an error, and each command of its README, typed
//! as it stands there, prints what stands below it. So does every command of the pages beside the examples. A page may write files
//! of its own, by `cat >target/NAME <<'EOF'` in an `sh` block, and serve them.
//!
//! Ports differ from run to run, and so do ids, times and the version of curl: those are compared by their form. The order of
//! header lines does not count.
//! `UPDATE=1 cargo test -p tollgate-host --test examples` writes what is printed now into the pages, to be reviewed.

mod pages;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use fancy_regex::Regex;
use pages::Page;
use process::moto::Moto;
use process::{Server, TOLLGATE, curl, printed, repository, shell, tollgate};

/// How pages write the command.
const COMMAND: &str = "target/debug/tollgate";

/// How pages write the server that stands for AWS, up to its port.
const MOTO: [&str; 2] = ["target/moto-venv/bin/moto_server", "-p"];

/// Where servers listen when a page does not say.
const DEFAULTS: [(&str, &str); 3] = [("serve", "127.0.0.1:8080"), ("stub", "127.0.0.1:9000"), ("functions", "127.0.0.1:9001")];

/// What `make run` starts.
const MAKE_RUN: [&str; 2] = [
    "target/debug/tollgate stub examples/petstore/backend.yaml",
    "target/debug/tollgate serve examples/petstore/gateway.yaml --upstream petstore.example.com=http://127.0.0.1:9000",
];

/// How pages call the definition that the reader has and the repository has not.
const READERS_OWN: &str = "api.yaml";

/// What differs from run to run, by its form; what has another form is compared as it is.
const VOLATILE: [(&str, &str); 7] = [
    (r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", "<uuid>"),
    (r"(?m)^( *(?:x-amz-apigw-id|apigw-requestid): )[A-Za-z0-9_-]{15}=$", "$1<id>"),
    (r"Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=[01]", "<trace>"),
    (r"[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT", "<date>"),
    (r"[0-9]{4}-[0-9]{2}-[0-9]{2}T00:00:00Z", "<midnight>"),
    (r"curl/[0-9]+\.[0-9]+\.[0-9]+", "curl/<version>"),
    (r"module sha256 [0-9a-f]{12}", "module sha256 <digest>"),
];

/// The pages whose commands are run.
fn runnable() -> Vec<Page> {
    pages::all(&repository()).into_iter().filter(|page| !page.steps().is_empty()).collect()
}

/// Every example has a page, so that none is left unrun.
fn folders() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(repository().join("examples")).expect("there are examples");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("a folder can be read").path()).collect();
    folders.sort();
    folders
}

#[test]
fn every_definition_of_an_example_lints_without_an_error() {
    let mut checked = 0;
    for folder in folders() {
        for entry in std::fs::read_dir(&folder).expect("an example is a folder") {
            let path = entry.expect("a folder can be read").path();
            let name = path.file_name().and_then(|name| name.to_str()).expect("file names are UTF-8");
            // Replies of a stub and bootstraps of Envoy are no definitions.
            if !name.ends_with(".yaml") || name == "backend.yaml" || name.starts_with("envoy") {
                continue;
            }
            let output = tollgate(&["lint", path.to_str().expect("paths are UTF-8")]);
            assert!(output.status.success(), "{}", printed(&output));
            checked += 1;
        }
    }
    assert!(checked >= 6, "only {checked} definitions were found under examples/");
}

#[test]
fn every_example_has_a_page_with_curl_lines_that_are_run() {
    let pages = runnable();
    for folder in folders() {
        let name = format!("examples/{}/README.md", folder.file_name().and_then(|name| name.to_str()).expect("UTF-8"));
        let page = pages.iter().find(|page| page.name == name).unwrap_or_else(|| panic!("`{name}` has no console block"));
        let steps = page.steps();
        assert!(steps.iter().any(|step| step.command.starts_with("curl ")), "{name} shows no curl line with its output");
        // `make run` prints curl lines of the petstore that stand by themselves: they are among those that are run.
        for line in page.text.lines().filter(|line| line.starts_with("curl ")) {
            assert!(steps.iter().any(|step| step.command == line), "{name}: `{line}` is shown without what it prints");
        }
    }
}

#[test]
fn every_command_of_a_page_prints_what_the_page_shows() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut wrong = Vec::new();
    let mut run = 0;
    for mut page in runnable() {
        let session = Session::start(&page);
        let mut changed = Vec::new();
        for step in page.steps() {
            let printed = session.run(&step.command);
            let (wanted, seen) = (comparable(&session.real(&step.output)), comparable(&printed));
            run += 1;
            if wanted != seen && update {
                changed.push((step, session.written(&printed)));
            } else if wanted != seen {
                let place = format!("{}:{}: $ {}", page.name, step.line, step.command);
                wrong.push(format!("{place}\n--- the page shows\n{wanted}\n--- it prints\n{seen}"));
            }
        }
        if !changed.is_empty() {
            changed.iter().rev().for_each(|(step, printed)| page.set_output(step, printed));
            std::fs::write(repository().join(&page.name), &page.text).expect("a page can be written");
        }
    }
    assert!(run >= 20, "only {run} commands were found");
    assert!(wrong.is_empty(), "a page shows something else (UPDATE=1 takes it over):\n{}", wrong.join("\n\n"));
}

#[test]
fn every_definition_that_a_page_writes_lints_without_a_problem() {
    let mut checked = 0;
    for page in runnable() {
        let files = Files::write(&page);
        for (written, real) in files.paths.iter().filter(|(written, _)| !written.contains("backend")) {
            let output = tollgate(&["lint", real]);
            assert!(output.status.success() && printed(&output).is_empty(), "{}: `{written}`: {}", page.name, printed(&output));
            checked += 1;
        }
    }
    assert!(checked >= 8, "only {checked} definitions are written by pages");
}

/// The files that a page tells its reader to write, in a folder that goes with them.
struct Files {
    folder: PathBuf,
    /// As the page names them, and where they really are.
    paths: BTreeMap<String, String>,
    /// The lines of its `sh` blocks that are left.
    commands: String,
}

// === impl Files ===

impl Files {
    fn write(page: &Page) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-page-{}-{number}", std::process::id()));
        std::fs::create_dir(&folder).expect("a folder can be made");
        let mut files = Self { folder, paths: BTreeMap::new(), commands: String::new() };
        for block in page.blocks().iter().filter(|block| block.language == "sh") {
            let mut lines = block.text.lines();
            while let Some(line) = lines.next() {
                let Some(path) = line.strip_prefix("cat >").and_then(|rest| rest.strip_suffix(" <<'EOF'")) else {
                    files.commands.push_str(&format!("{line}\n"));
                    continue;
                };
                let name = path.strip_prefix("target/").unwrap_or_else(|| panic!("{}: `{path}` is not below target/", page.name));
                let text: Vec<&str> = lines.by_ref().take_while(|line| *line != "EOF").collect();
                let real = files.folder.join(name);
                std::fs::write(&real, text.join("\n") + "\n").expect("a file can be written");
                files.paths.insert(path.to_owned(), real.to_str().expect("paths are UTF-8").to_owned());
            }
        }
        files.commands = files.commands.replace("\\\n", " ");
        files
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        // What is left in the folder of temporary files hurts nobody.
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// The servers of one page, and where they really listen.
struct Session {
    servers: Vec<Server>,
    motos: Vec<Moto>,
    /// What the page calls addresses and files, and what they really are.
    addresses: BTreeMap<String, String>,
    files: Files,
}

// === impl Session ===

impl Session {
    /// Starts the servers that the page says to start, in `sh` blocks; where it gives the commands behind `make run` too, those.
    fn start(page: &Page) -> Self {
        let files = Files::write(page);
        let mut session = Self { servers: Vec::new(), motos: Vec::new(), addresses: files.paths.clone(), files };
        let lines = session.files.commands.clone();
        for line in lines.lines().filter(|line| !line.contains(READERS_OWN)) {
            session.start_server(line);
        }
        if session.servers.is_empty() && lines.lines().any(|line| line == "make run") {
            MAKE_RUN.iter().for_each(|line| session.start_server(line));
        }
        session
    }

    fn start_server(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let [program, option, port] = words.as_slice()
            && [*program, *option] == MOTO
        {
            let moto = Moto::start();
            self.addresses.insert(format!("127.0.0.1:{port}"), moto.address().to_string());
            self.motos.push(moto);
        }
        let variables: Vec<(&str, &str)> = words.iter().map_while(|word| word.split_once('=')).collect();
        let words = words.get(variables.len()..).unwrap_or_default();
        let [COMMAND, kind, ..] = words else { return };
        let Some((_, default)) = DEFAULTS.iter().find(|(command, _)| command == kind) else { return };
        let mut arguments: Vec<String> = words.iter().skip(1).map(|word| self.real(word)).collect();
        let written = match arguments.iter().position(|word| word == "--listen") {
            Some(index) => {
                arguments.remove(index);
                arguments.remove(index)
            }
            None => (*default).to_owned(),
        };
        if let Some(index) = arguments.iter().position(|word| word == "--admin") {
            let free = free_address();
            let written = std::mem::replace(&mut arguments[index + 1], free.clone());
            self.addresses.insert(written, free);
        }
        let server = Server::start_with(&arguments.iter().map(String::as_str).collect::<Vec<_>>(), &variables);
        self.addresses.insert(written, server.address.clone());
        self.servers.push(server);
    }

    /// A text of the page with the addresses that its servers really have.
    fn real(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (written, real)| text.replace(written.as_str(), real))
    }

    /// The other way round.
    fn written(&self, text: &str) -> String {
        self.addresses.iter().fold(text.to_owned(), |text, (written, real)| text.replace(real.as_str(), written))
    }

    fn run(&self, command: &str) -> String {
        if command.starts_with("curl ") {
            return curl(&self.real(command));
        }
        assert!(
            command.contains(COMMAND),
            "`{command}` is neither curl nor `{COMMAND}`: put it into an `sh` block, which is not run"
        );
        shell(&self.real(command).replace(COMMAND, TOLLGATE))
    }
}

/// An address where nobody listens.
fn free_address() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there is a free port");
    listener.local_addr().expect("it has an address").to_string()
}

/// Volatile values by their form, header lines in the order of the alphabet.
fn comparable(text: &str) -> String {
    let text = VOLATILE.iter().fold(text.trim_end().to_owned(), |text, (form, name)| {
        Regex::new(form).expect("the form is a regular expression").replace_all(&text, *name).into_owned()
    });
    if !text.starts_with("HTTP/") {
        return text;
    }
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines: Vec<&str> = head.lines().collect();
    lines[1..].sort_unstable();
    format!("{}\n\n{body}", lines.join("\n"))
}

#[test]
fn what_differs_from_run_to_run_is_compared_by_its_form_and_nothing_else_is() {
    let a = comparable("x-amzn-requestid: 0d9e8a1c-1111-4222-8333-444455556666\ndate: Sat, 21 Nov 2026 01:02:03 GMT\nage: 1\n");
    assert_eq!(a, "x-amzn-requestid: <uuid>\ndate: <date>\nage: 1");
    assert_ne!(comparable("x-amz-apigw-id: short="), comparable("x-amz-apigw-id: ABCDEFGHIJKLMNO="));
    assert_ne!(comparable("{\"id\":1}"), comparable("{\"id\":2}"));
    assert_eq!(comparable("HTTP/1.1 200 OK\nb: 1\na: 2\n\nb\na"), comparable("HTTP/1.1 200 OK\na: 2\nb: 1\n\nb\na\n"));
    assert_ne!(comparable("HTTP/1.1 200 OK\na: 1\n\nb\na"), comparable("HTTP/1.1 200 OK\na: 1\n\na\nb"));
}

#[test]
fn make_run_starts_what_this_test_starts_in_its_place() {
    let makefile = std::fs::read_to_string(repository().join("Makefile")).expect("there is a Makefile");
    let words = ["PETSTORE := examples/petstore", "LISTEN   := 127.0.0.1:8080", "BACKEND  := 127.0.0.1:9000"];
    let commands = [
        "$(CLI) stub $(PETSTORE)/backend.yaml --listen $(BACKEND)",
        "$(CLI) serve $(PETSTORE)/gateway.yaml --listen $(LISTEN) --upstream petstore.example.com=http://$(BACKEND)",
    ];
    for text in words.iter().chain(&commands) {
        assert!(makefile.contains(text), "the Makefile has no `{text}`");
    }
}
