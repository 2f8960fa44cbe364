//! Configurations that come one after another, a fifth of which does not compile.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use super::trial::{Allowed, Fault, Trial};
use crate::traffic::kind::Kind;
use crate::traffic::load::Record;

/// Every so manieth is bad.
const BAD: u32 = 5;

pub struct Swaps;

impl Fault for Swaps {
    fn name(&self) -> &'static str {
        "swaps"
    }

    fn begin(&self, _: &mut Trial<'_>) {}

    fn during<'a>(&'a self, trial: &'a mut Trial<'_>) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        Box::pin(async move {
            let rejected = |trial: &Trial<'_>| trial.scene.envoy.stats("lds.update_rejected").values().sum::<u64>();
            let before = rejected(trial);
            let total = trial.length.swaps;
            for number in 1..=total {
                if number % BAD == 0 {
                    trial.scene.serve_nonsense(number / BAD);
                } else {
                    trial.scene.serve(|variant| variant.version += 1);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            let refused = rejected(trial) - before;
            trial.remark = format!("{total} configurations, {refused} refused");
        })
    }

    fn end(&self, _: &mut Trial<'_>) {}

    fn allows(&self, _: Kind) -> Allowed {
        Allowed::NOTHING
    }

    fn judge<'a>(&'a self, trial: &'a mut Trial<'_>, _: &'a [Record]) -> Pin<Box<dyn Future<Output = Vec<String>> + 'a>> {
        Box::pin(async move {
            let mut complaints = Vec::new();
            let bad = trial.length.swaps / BAD;
            if !trial.remark.ends_with(&format!(", {bad} refused")) {
                complaints.push(format!("{}, and not {bad}", trial.remark));
            }
            let (served, wanted) = (trial.scene.version_served().await, u64::from(trial.scene.version()));
            if served != Some(wanted) {
                complaints.push(format!("version {served:?} is served, and not {wanted}"));
            }
            complaints
        })
    }
}
