//! What Prometheus would see.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use prometheus_parse::{Scrape, Value};

use crate::drivers::envoy::Envoy;

/// Counts are handed over every second, and Envoy merges the histograms of its workers every five.
const PATIENCE: Duration = Duration::from_secs(30);

/// Series and their values: `name{label="value",…}`, labels in their order, without those of Envoy's own.
pub type Seen = BTreeMap<String, f64>;

pub fn scrape(envoy: &Envoy) -> Seen {
    let text = envoy.prometheus();
    // The parser knows no empty list of labels, which Prometheus does.
    let scrape = Scrape::parse(text.lines().map(|line| Ok(line.replacen("{} ", " ", 1)))).expect("the format of Prometheus");
    let mut seen = Seen::new();
    for sample in scrape.samples {
        let labels: BTreeMap<&str, &str> = sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let mut add = |name: &str, more: Option<(&str, String)>, value: f64| {
            let mut labels: BTreeMap<&str, String> = labels.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            labels.extend(more);
            let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            seen.insert(format!("{name}{{{}}}", labels.join(",")), value);
        };
        match sample.value {
            Value::Counter(value) | Value::Gauge(value) | Value::Untyped(value) => add(&sample.metric, None, value),
            Value::Histogram(buckets) => {
                for bucket in buckets {
                    let end = ("le", bucket.less_than.to_string());
                    add(&format!("{}_bucket", sample.metric), Some(end), bucket.count);
                }
            }
            Value::Summary(_) => {}
        }
    }
    seen
}

/// Waits until these series have these values, and stay at them.
pub fn await_counts(envoy: &Envoy, wanted: &[(&str, u32)]) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let seen = scrape(envoy);
        let wrong: Vec<String> = wanted
            .iter()
            .filter(|(name, value)| seen.get(*name) != Some(&f64::from(*value)))
            .map(|(name, value)| format!("{name} is {:?}, not {value}", seen.get(*name)))
            .collect();
        if wrong.is_empty() {
            break;
        }
        if Instant::now() > deadline {
            let all: Vec<_> = seen.keys().filter(|name| name.contains("tollgate") && !name.contains("_bucket")).collect();
            panic!("{}\n{all:#?}", wrong.join("\n"));
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    // Nothing is handed over twice.
    std::thread::sleep(Duration::from_millis(1500));
    let seen = scrape(envoy);
    for (name, value) in wanted {
        assert_eq!(seen.get(*name), Some(&f64::from(*value)), "{name}, a moment later");
    }
}
