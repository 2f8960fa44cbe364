//! `quota` of a usage plan.
//!
//! AWS: `QuotaSettings` of the API Gateway reference.

use crate::definition::Node;
use crate::problem::Problems;
use crate::usage::{Period, Quota};

const PERIODS: [(&str, Period); 3] = [("DAY", Period::Day), ("WEEK", Period::Week), ("MONTH", Period::Month)];

/// What a document can say of requests: YAML, JSON and a protobuf Struct all have it without loss.
const LIMIT: u64 = 1 << 53;

/// A limit has 32 bits on the way to a rate limit service.
const SHARED_LIMIT: u64 = u32::MAX as u64;

/// Reads it. `is_shared` where a rate limit service counts.
pub fn read(node: &Node<'_>, is_shared: bool, problems: &mut Problems) -> Option<Quota> {
    node.only(&["limit", "offset", "period"], problems);
    node.value.as_object()?;
    let mut required = |key: &str, help: &str| {
        let value = node.get(key);
        if value.is_none() {
            problems.error(&node.path, format!("no `{key}`"), Some(help));
        }
        value
    };
    let limit = required("limit", "requests in one period; 0 lets none pass");
    let period = required("period", "`DAY`, `WEEK` or `MONTH`");
    let most = if is_shared { SHARED_LIMIT } else { LIMIT };
    let limit = limit.and_then(|limit| limit.integer(0..=most, problems));
    let period = period.and_then(|period| period.one_of(&PERIODS, problems));
    let offset = match node.get("offset") {
        Some(offset) => read_offset(&offset, limit, period, is_shared, problems)?,
        None => 0,
    };
    Some(Quota { limit: limit?, offset, period: period? })
}

fn read_offset(
    node: &Node<'_>,
    limit: Option<u64>,
    period: Option<Period>,
    is_shared: bool,
    problems: &mut Problems,
) -> Option<u64> {
    let offset = node.integer(0..=LIMIT, problems)?;
    if limit.is_some_and(|limit| offset > limit) {
        let help = "requests of the first period that count as made already";
        problems.error(&node.path, "`offset` is more than `limit`", Some(help));
        return None;
    }
    if is_shared && offset > 0 {
        let message = "`offset` cannot be counted by a rate limit service: the service does not know which period is the first one";
        problems.error(&node.path, message, Some("take `offset` or `rateLimitService` away"));
        return None;
    }
    let most = match period {
        Some(Period::Day) => 0,
        Some(Period::Week) => 6,
        Some(Period::Month) => 27,
        None => LIMIT,
    };
    if let Some(period) = period.filter(|_| offset > most) {
        // Terraform's provider and CloudFormation's users quote the refusal; `QuotaSettings` does not tell of it.
        let message = format!("API Gateway takes no `offset` above {most} with period {}", period.as_str());
        problems.warning(&node.path, message, Some("it is served: as many requests count as made in the first period"));
    }
    Some(offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn quota(value: Value, is_shared: bool) -> (Option<Quota>, Vec<String>) {
        let mut problems = Problems::default();
        let quota = read(&Node::root(&value), is_shared, &mut problems);
        (quota, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_offset_is_0_unless_it_is_said_and_a_limit_of_0_is_one() {
        let day = |limit, offset| Some(Quota { limit, offset, period: Period::Day });
        assert_eq!(quota(json!({"limit": 0, "period": "day"}), false), (day(0, 0), vec![]));
        assert_eq!(quota(json!({"limit": "9", "offset": 0, "period": "DAY"}), true), (day(9, 0), vec![]));
        let month = Some(Quota { limit: 20, offset: 20, period: Period::Month });
        assert_eq!(quota(json!({"limit": 20, "offset": 20, "period": "MONTH"}), false), (month, vec![]));
    }

    #[test]
    fn an_offset_that_aws_refuses_is_served_with_a_warning() {
        for (offset, period, most) in [(1, "DAY", 0), (7, "WEEK", 6), (28, "MONTH", 27)] {
            let (quota, told) = quota(json!({"limit": 100, "offset": offset, "period": period}), false);
            assert_eq!(quota.map(|quota| quota.offset), Some(offset));
            assert!(
                told[0].starts_with(&format!("$.offset: API Gateway takes no `offset` above {most} with period {period}")),
                "{told:?}"
            );
        }
    }

    #[test]
    fn every_mistake_of_a_quota_is_told_once() {
        for (value, is_shared, start) in [
            (json!({"limit": 1}), false, "$: no `period`"),
            (json!({"period": "DAY"}), false, "$: no `limit`"),
            (json!({"limit": 1, "period": "YEAR"}), false, "$.period: `YEAR` is not known here"),
            (json!({"limit": -1, "period": "DAY"}), false, "$.limit: expected a whole number"),
            (json!({"limit": 1, "offset": 2, "period": "WEEK"}), false, "$.offset: `offset` is more than `limit`"),
            (
                json!({"limit": 9, "offset": 2, "period": "WEEK"}),
                true,
                "$.offset: `offset` cannot be counted by a rate limit service",
            ),
            (json!({"limit": 1, "period": "DAY", "burst": 1}), false, "$.burst: unknown key `burst`"),
            (json!({"limit": 1_u64 << 32, "period": "DAY"}), true, "$.limit: expected a whole number from 0 to 4294967295"),
            (json!([]), false, "$: expected an object"),
        ] {
            let (_, told) = quota(value, is_shared);
            assert_eq!(told.len(), 1, "{told:?}");
            assert!(told[0].starts_with(start), "{told:?}");
        }
    }
}
