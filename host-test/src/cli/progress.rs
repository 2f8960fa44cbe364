//! What takes a while is told on the last line of a terminal, and is gone when it is done. Where the standard error is no terminal
//! nothing of it is written.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The one that is shown.
static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Something under way, until it is dropped. Where one is within another, the inner one is shown.
pub struct Progress {
    before: Option<ProgressBar>,
    own: ProgressBar,
}

/// Tells of something under way: `compiling the module`.
pub fn start(what: &str) -> Progress {
    let own = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}");
    own.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    own.set_message(what.to_owned());
    let before = shown().replace(own.clone());
    if let Some(before) = &before {
        before.disable_steady_tick();
        before.set_draw_target(ProgressDrawTarget::hidden());
    }
    own.enable_steady_tick(Duration::from_millis(100));
    Progress { before, own }
}

/// Writes lines above it.
pub fn above<R>(write: impl FnOnce() -> R) -> R {
    let shown = shown().clone();
    match shown {
        Some(shown) => shown.suspend(write),
        None => write(),
    }
}

fn shown() -> MutexGuard<'static, Option<ProgressBar>> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

// === impl Progress ===

impl Drop for Progress {
    fn drop(&mut self) {
        self.own.finish_and_clear();
        *shown() = self.before.take();
    }
}
