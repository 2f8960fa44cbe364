//! The report: made by whoever counts, shown by whoever asks.

use serde_json::{Value, json};
use tollgate::context::rfc3339;
use tollgate::usage::{KeyUsage, QuotaUsage, ThrottleUsage};

use crate::cli::Failure;
use crate::cli::table::table;

/// `{"usage": [{plan, key, enabled, quota, throttle}]}`; times are RFC 3339, what a plan does not have is null.
pub fn to_json(usage: &[KeyUsage<'_>]) -> Value {
    let quota = |quota: QuotaUsage| {
        json!({
            "limit": quota.limit, "used": quota.used, "left": quota.left(), "period": quota.period.as_str(),
            "start": rfc3339(quota.start_seconds * 1000), "end": rfc3339(quota.end_seconds * 1000),
        })
    };
    let throttle = |throttle: ThrottleUsage| json!({ "burstLimit": throttle.burst, "left": throttle.left });
    let row = |row: &KeyUsage<'_>| {
        json!({
            "plan": row.plan, "key": row.key, "enabled": row.enabled,
            "quota": row.quota.map(quota), "throttle": row.throttle.map(throttle),
        })
    };
    json!({ "usage": usage.iter().map(row).collect::<Vec<_>>() })
}

/// A table for people.
pub fn text(report: &Value) -> String {
    let cell = |value: &Value| match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let row = |row: &Value| {
        let (quota, throttle) = (&row["quota"], &row["throttle"]);
        let key = if row["enabled"] == false { format!("{} (disabled)", cell(&row["key"])) } else { cell(&row["key"]) };
        let rest = [&quota["used"], &quota["left"], &quota["limit"], &quota["period"], &quota["end"], &throttle["left"]];
        [cell(&row["plan"]), key].into_iter().chain(rest.map(cell)).collect()
    };
    let rows: Vec<Vec<String>> = rows(report).iter().map(row).collect();
    if rows.is_empty() {
        return "no API key is on a plan\n".to_owned();
    }
    table(&["PLAN", "KEY", "USED", "LEFT", "LIMIT", "PERIOD", "BEGINS ANEW", "AT ONCE"], &rows)
}

fn rows(report: &Value) -> &[Value] {
    report["usage"].as_array().map_or(&[], Vec::as_slice)
}

/// What of a report is wanted.
pub struct Filter {
    /// The name of a plan.
    pub plan: Option<String>,
    /// The name of a key.
    pub key: Option<String>,
}

// === impl Filter ===

impl Filter {
    /// The part that is wanted; a name that nothing has is a mistake.
    pub fn apply(self, report: Value) -> Result<Value, Failure> {
        let mut kept = rows(&report).to_vec();
        for (member, wanted) in [("plan", self.plan), ("key", self.key)] {
            let Some(wanted) = wanted else { continue };
            kept.retain(|row| row[member] == wanted);
            if kept.is_empty() {
                return Err(Failure::new(format!("no {member} named `{wanted}` is there")).help("leave the option out to see all"));
            }
        }
        Ok(json!({ "usage": kept }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollgate::usage::Period;

    fn report() -> Value {
        let (start_seconds, end_seconds) = (1_767_312_000, 1_767_398_400);
        let quota = QuotaUsage { limit: 10, used: 4, period: Period::Day, start_seconds, end_seconds };
        let throttle = ThrottleUsage { burst: 5, left: 3 };
        to_json(&[
            KeyUsage { plan: "gold", key: "a", enabled: true, quota: Some(quota), throttle: Some(throttle) },
            KeyUsage { plan: "free", key: "b", enabled: false, quota: None, throttle: None },
        ])
    }

    #[test]
    fn used_and_left_stand_side_by_side() {
        let expected = "\
PLAN  KEY           USED  LEFT  LIMIT  PERIOD  BEGINS ANEW           AT ONCE
gold  a             4     6     10     DAY     2026-01-03T00:00:00Z  3
free  b (disabled)  -     -     -      -       -                     -
";
        assert_eq!(text(&report()), expected);
        assert!(text(&to_json(&[])).contains("no API key"));
    }

    #[test]
    fn a_filter_keeps_what_is_named_and_refuses_what_is_not_there() {
        let only = |plan: Option<&str>, key: Option<&str>| {
            Filter { plan: plan.map(str::to_owned), key: key.map(str::to_owned) }.apply(report()).map(|kept| rows(&kept).len())
        };
        assert_eq!(only(None, None).ok(), Some(2));
        assert_eq!(only(Some("gold"), None).ok(), Some(1));
        assert!(only(Some("gold"), Some("b")).is_err_and(|failure| failure.message.contains("no key named `b`")));
    }
}
