//! Reads what `tollgate ratelimit --redis` counted, under the names that the filter asks it by.

use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tollgate::usage::{Descriptor, KeyUsage, QuotaUsage, SharedQuota};

use super::report;
use crate::cli::check::Checked;
use crate::cli::ratelimit::counters::{Counter, Refusal, Unit};
use crate::cli::ratelimit::{Place, Redis};
use crate::cli::source::{Choice, Source};
use crate::cli::{Failure, diagnostics};

/// How long Redis may take over one counter.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The report of a document; none when it has errors, which are shown.
pub async fn count(file: &Path, place: &Place) -> Result<Option<Value>, Failure> {
    let choice = Choice::default();
    let checked = Checked::new(Source::load(file, &choice)?, &choice);
    diagnostics::write_to_stderr(&checked.diagnostics, &file.display().to_string());
    let Some(gateway) = &checked.gateway else { return Ok(None) };
    let Some(service) = gateway.plans.service() else {
        let help = "add `rateLimitService`, or ask the server that counts: `tollgate usage --admin URL`";
        return Err(Failure::new("the document names no rate limit service, so nothing is counted in Redis").help(help));
    };
    let redis = Redis::connect(place, TIMEOUT).await;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut rows = Vec::new();
    for SharedQuota { plan, key, enabled, asked } in gateway.plans.shared_quotas(now) {
        let mut quota = None;
        if let Some((asked, descriptor)) = asked
            && let Some(counter) = counter(service.domain(), &descriptor)
        {
            let standing = redis.read(counter).await;
            let standing = standing.map_err(|(Refusal::Unavailable(why) | Refusal::Full(why))| {
                Failure::new(format!("redis at {place} cannot be read: {why}")).help("is it the one of `tollgate ratelimit`?")
            })?;
            quota = Some(QuotaUsage::new(asked, standing.used, now));
        }
        rows.push(KeyUsage { plan, key, enabled, quota, throttle: None });
    }
    Ok(Some(report::to_json(&rows)))
}

/// The counter that the service keeps for what the filter asks; both number units as Envoy does.
fn counter(domain: &str, descriptor: &Descriptor) -> Option<Counter> {
    let entries = descriptor.entries.iter().map(|(name, value)| (*name, value.as_str()));
    Some(Counter::new(domain, entries, Unit::from_number(descriptor.unit as i32)?, descriptor.limit))
}
