//! Somebody sets the clock, an hour ahead or back. The kernel's stays as it is: a small library in front of libc's shows another one
//! to Envoy, and to nobody else.

use std::path::PathBuf;
use std::process::Command;

use super::trial::{Allowed, Fault, Trial};
use crate::drivers::case::Request;
use crate::drivers::envoy::workspace;
use crate::drivers::http1::exchange;
use crate::traffic::kind::{Kind, Mix};
use crate::traffic::scene::Scene;

/// Seconds.
const HOUR: i64 = 3_600;

struct Clock(i64);

pub fn all() -> Vec<Box<dyn Fault>> {
    vec![Box::new(Clock(HOUR)), Box::new(Clock(-HOUR))]
}

/// Where the offset stands.
fn file() -> PathBuf {
    workspace().join("target/envoy").join(format!("clock-{}", std::process::id()))
}

fn set(seconds: i64) {
    // In place: a new file would be one that nobody has mapped.
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(file()).expect("target/ can be written");
    std::os::unix::fs::FileExt::write_all_at(&file, &seconds.to_ne_bytes(), 0).expect("eight bytes can be written");
}

/// What makes an Envoy look at that clock. Panics with what the compiler says where it cannot be made.
pub fn environment() -> Vec<(&'static str, PathBuf)> {
    std::fs::create_dir_all(workspace().join("target/envoy")).expect("target/ can be written");
    set(0);
    let library = workspace().join("target/envoy").join(format!("clock-{}.so", std::process::id()));
    let source = workspace().join("host-test/tests/faults/clock.c");
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", "-Wall", "-Werror", "-o"]).arg(&library).arg(source);
    let output = command.output().expect("cc can be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    vec![("LD_PRELOAD", library), ("TOLLGATE_TEST_CLOCK", file())]
}

/// Panics if this Envoy does not look at it: what follows would show nothing.
pub fn assert_it_is_there(scene: &Scene) {
    let date = || {
        let answer = exchange(scene.envoy.admin(), &Request::new("GET", "/ready")).expect("it is up");
        httpdate::parse_http_date(answer.header("date").expect("an answer has a date")).expect("a date is one")
    };
    let before = date();
    set(HOUR);
    // It looks at the clock for the header once in half a second.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let after = date();
    set(0);
    let moved = after.duration_since(before).unwrap_or_default().as_secs();
    assert!(moved >= HOUR as u64, "Envoy's clock moved by {moved} s and not by an hour");
}

impl Fault for Clock {
    fn name(&self) -> &'static str {
        if self.0 > 0 { "clock-ahead" } else { "clock-back" }
    }

    fn more(&self) -> Mix {
        &[(Kind::ShortToken, 1)]
    }

    fn begin(&self, _: &mut Trial<'_>) {
        set(self.0);
    }

    fn end(&self, _: &mut Trial<'_>) {
        set(0);
    }

    fn allows(&self, kind: Kind) -> Allowed {
        // It counts no longer, or not yet. Everything else goes on, buckets and quotas and remembered answers among it.
        if kind == Kind::ShortToken { Allowed::status(401) } else { Allowed::NOTHING }
    }

    fn has_to_show(&self, kind: Kind) -> bool {
        kind == Kind::ShortToken
    }

    fn fails_closed(&self, kind: Kind) -> bool {
        kind == Kind::ShortToken
    }
}
