//! A real Chromium without a window, told what to do over its debugging pipe: it opens pages, types, and says what went wrong.
//! Chrome DevTools Protocol, `--remote-debugging-pipe`: JSON messages that each end in a NUL.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::process::signal;

/// Longer than anything takes that it does.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may take to end when it is asked to.
const FAREWELL: Duration = Duration::from_secs(5);

/// A browser with one page.
pub struct Browser {
    process: Child,
    folder: PathBuf,
    commands: ChildStdin,
    messages: Receiver<Value>,
    session: String,
    last: u64,
    /// What its console said that is an error or a warning.
    complaints: Vec<String>,
}

// === impl Browser ===

impl Browser {
    /// Starts it; panics with what to do where there is no Chromium.
    pub fn start() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("tollgate-console-{}-{number}", std::process::id()));
        let binary = std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into());
        // The pipes are its third and fourth file, which only a shell can give it.
        let mut command = Command::new("sh");
        command.args(["-c", r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >/dev/null"#]).arg(&binary);
        command
            .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars"])
            .args(["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-breakpad"])
            .args(["--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost"])
            .args(["--remote-debugging-pipe", &format!("--user-data-dir={}", folder.display()), "about:blank"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut process = command.spawn().expect("a shell can be run");
        let commands = process.stdin.take().expect("it is a pipe");
        let answers = BufReader::new(process.stdout.take().expect("it is a pipe"));
        let (tell, messages) = mpsc::channel();
        std::thread::spawn(move || {
            let texts = answers.split(0).map_while(Result::ok);
            texts.filter_map(|text| serde_json::from_slice(&text).ok()).for_each(|message: Value| drop(tell.send(message)));
        });
        let (session, complaints) = Default::default();
        let mut browser = Self { process, folder, commands, messages, session, last: 0, complaints };
        let target = browser.call("Target.createTarget", json!({"url": "about:blank"}))["targetId"].clone();
        let attached = browser.call("Target.attachToTarget", json!({"targetId": target, "flatten": true}));
        browser.session = attached["sessionId"].as_str().expect("a session has a name").to_owned();
        for domain in ["Page", "Runtime", "Log", "Network"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        browser
    }

    /// Opens a page, and waits until it is there.
    pub fn open(&mut self, url: &str) {
        self.call("Page.navigate", json!({"url": url}));
        self.wait_for("Page.loadEventFired");
    }

    /// How wide its window is, in pixels of CSS.
    pub fn resize(&mut self, width: u32, height: u32) {
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// Whether its user wants dark pages.
    pub fn dark(&mut self, dark: bool) {
        let value = if dark { "dark" } else { "light" };
        self.call("Emulation.setEmulatedMedia", json!({"features": [{"name": "prefers-color-scheme", "value": value}]}));
    }

    /// What an expression is in the page.
    pub fn value(&mut self, expression: &str) -> Value {
        let answer = self.call("Runtime.evaluate", json!({"expression": expression, "returnByValue": true}));
        assert!(answer.get("exceptionDetails").is_none(), "{expression}: {answer:#}");
        answer["result"]["value"].clone()
    }

    /// The text of the page, as it is seen.
    pub fn text(&mut self) -> String {
        self.value("document.body.innerText").as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key: `Tab`, `Enter`.
    pub fn press(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "ArrowDown" => (40, None),
            other => panic!("nobody has taught it the key {other}"),
        };
        let mut event = json!({"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": code});
        if let Some(text) = text {
            event["text"] = json!(text);
        }
        self.call("Input.dispatchKeyEvent", event);
        self.call("Input.dispatchKeyEvent", json!({"type": "keyUp", "key": key, "code": key, "windowsVirtualKeyCode": code}));
    }

    /// Types into what has the focus.
    pub fn write(&mut self, text: &str) {
        self.call("Input.insertText", json!({"text": text}));
    }

    /// Waits for the page to be another one.
    pub fn wait_for_page(&mut self) {
        self.wait_for("Page.loadEventFired");
    }

    /// Writes what it shows, all of it, into a file.
    pub fn screenshot(&mut self, file: &Path) {
        let picture = self.call("Page.captureScreenshot", json!({"format": "png", "captureBeyondViewport": true}));
        let bytes = tollgate::base64::decode(picture["data"].as_str().expect("a picture").as_bytes()).expect("it is base64");
        std::fs::create_dir_all(file.parent().expect("it is in a folder")).expect("a folder can be made");
        std::fs::write(file, bytes).expect("a file can be written");
    }

    /// What it has complained of: errors, and what a policy has kept from happening.
    pub fn complaints(&mut self) -> Vec<String> {
        // Whatever it has to say was said before this answer.
        self.value("1");
        std::mem::take(&mut self.complaints)
    }

    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.last += 1;
        let mut message = json!({"id": self.last, "method": method, "params": parameters});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        let sent = self.commands.write_all(format!("{message}\0").as_bytes()).and_then(|()| self.commands.flush());
        sent.expect("Chromium takes commands: run `make test`, which installs it, or set CHROMIUM to its path");
        loop {
            let message = self.next(method);
            if message["id"] == json!(self.last) {
                assert!(message.get("error").is_none(), "{method}: {message:#}");
                return message["result"].clone();
            }
        }
    }

    fn wait_for(&mut self, event: &str) {
        while self.next(event)["method"] != event {}
    }

    fn next(&mut self, wanted: &str) -> Value {
        let message = self.messages.recv_timeout(PATIENCE);
        let message = message.unwrap_or_else(|_| {
            panic!("Chromium does not say `{wanted}`: run `make test`, which installs it, or set CHROMIUM to its path")
        });
        let of = &message["params"];
        match message["method"].as_str().unwrap_or_default() {
            "Log.entryAdded" if of["entry"]["level"] != "verbose" => self.complaints.push(of["entry"].to_string()),
            "Runtime.exceptionThrown" => self.complaints.push(of.to_string()),
            "Runtime.consoleAPICalled" => self.complaints.push(of.to_string()),
            "Network.loadingFailed" => self.complaints.push(of.to_string()),
            _ => {}
        }
        message
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        signal(&self.process, "-TERM");
        let end = Instant::now() + FAREWELL;
        while matches!(self.process.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        // One of its processes may have something to write yet, and make the folder anew.
        while self.folder.exists() && Instant::now() < end {
            let _ = std::fs::remove_dir_all(&self.folder);
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}
