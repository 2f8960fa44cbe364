//! What is counted of requests, by AWS's names and dimensions. AWS: "Amazon API Gateway dimensions and metrics" (REST APIs),
//! "Monitoring metrics for HTTP APIs" (HTTP APIs).
//!
//! A request counts once: at its method where the stage asks for that (`metricsEnabled`, `detailedMetricsEnabled`), else at its
//! stage; what AWS shows for stages and APIs is the sum. Counts are kept here and handed over every [`PERIOD_MILLIS`], so that a
//! request does not pay for them; latencies are handed over at once, because a host makes its own histogram of them.

use crate::definition::Protocol;
use crate::platform::{MetricKind, Platform};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// How old counts become before they are handed over.
pub const PERIOD_MILLIS: u32 = 1000;

/// One set of dimensions, and what was counted of it.
#[derive(Debug)]
pub struct Series {
    /// The dimensions, as Envoy's `stats_tags` take them out of a name: `ApiName=.=petstore;.;Stage=.=prod;.;`
    tags: String,
    protocol: Protocol,
    counts: [AtomicU64; 4],
    /// What the host calls its metrics: none asked for yet is 0, and an id is one more than the host's.
    ids: [AtomicU32; 6],
    /// Nobody comes for the counts any more.
    retired: AtomicBool,
}

/// What became of one request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measured {
    /// None: the client went away before it was answered.
    pub status: Option<u16>,
    /// `Latency`, in milliseconds.
    pub latency: Option<u64>,
    /// `IntegrationLatency`, in milliseconds; none where nobody was asked.
    pub integration_latency: Option<u64>,
    /// `DataProcessed`, in bytes: what the client sent and got of bodies.
    pub data_processed: u64,
}

/// The order of names, ids and counts; counters come first.
const COUNT: usize = 0;
const CLIENT_ERRORS: usize = 1;
const SERVER_ERRORS: usize = 2;
const DATA_PROCESSED: usize = 3;
const LATENCY: usize = 4;
const INTEGRATION_LATENCY: usize = 5;

// === impl Series ===

impl Series {
    /// With dimensions and their values, in this order.
    pub fn new(protocol: Protocol, dimensions: &[(&str, &str)]) -> Self {
        let tags = dimensions.iter().map(|(name, value)| [name, "=.=", plain(value).as_str(), ";.;"].concat()).collect();
        Self { tags, protocol, counts: Default::default(), ids: Default::default(), retired: AtomicBool::new(false) }
    }

    /// Of a part of this one, with more dimensions.
    pub fn part(&self, dimensions: &[(&str, &str)]) -> Self {
        let mut part = Self::new(self.protocol, dimensions);
        part.tags.insert_str(0, &self.tags);
        part.retired = AtomicBool::new(self.retired.load(Ordering::Relaxed));
        part
    }

    /// Counts a request.
    pub fn record(&self, measured: Measured, platform: &dyn Platform) {
        self.count(COUNT, 1);
        match measured.status {
            Some(400..500) => self.count(CLIENT_ERRORS, 1),
            Some(500..) => self.count(SERVER_ERRORS, 1),
            _ => {}
        }
        if self.protocol == Protocol::Http {
            self.count(DATA_PROCESSED, measured.data_processed);
        }
        for (metric, latency) in [(LATENCY, measured.latency), (INTEGRATION_LATENCY, measured.integration_latency)] {
            if let Some((latency, id)) = latency.and_then(|latency| Some((latency, self.id(metric, platform)?))) {
                platform.record_in_histogram(id, latency);
            }
        }
        if self.retired.load(Ordering::Relaxed) {
            self.hand_over(platform);
        }
    }

    /// Hands the counts over.
    pub fn hand_over(&self, platform: &dyn Platform) {
        for (metric, count) in self.counts.iter().enumerate() {
            // The counts of most routes stand still most of the time.
            if count.load(Ordering::Relaxed) == 0 {
                continue;
            }
            if let Some(id) = self.id(metric, platform) {
                platform.add_to_counter(id, count.swap(0, Ordering::Relaxed));
            }
        }
    }

    /// Makes the host show all of its metrics, before the first request.
    pub fn define(&self, platform: &dyn Platform) {
        for metric in 0..self.ids.len() {
            self.id(metric, platform);
        }
    }

    /// Hands the counts over, and from now on each at once: for the requests that outlive their configuration.
    pub fn retire(&self, platform: &dyn Platform) {
        self.retired.store(true, Ordering::Relaxed);
        self.hand_over(platform);
    }

    fn count(&self, metric: usize, number: u64) {
        if let Some(count) = self.counts.get(metric) {
            count.fetch_add(number, Ordering::Relaxed);
        }
    }

    fn id(&self, metric: usize, platform: &dyn Platform) -> Option<u32> {
        let known = self.ids.get(metric)?;
        let id = match known.load(Ordering::Relaxed) {
            0 => {
                let name = self.name(metric)?;
                let kind = if metric < LATENCY { MetricKind::Counter } else { MetricKind::Histogram };
                let id = platform.metric(kind, &[self.tags.as_str(), "tollgate_", name].concat())?.checked_add(1)?;
                known.store(id, Ordering::Relaxed);
                id
            }
            id => id,
        };
        id.checked_sub(1)
    }

    /// Its name in CloudWatch.
    fn name(&self, metric: usize) -> Option<&'static str> {
        Some(match (metric, self.protocol) {
            (COUNT, _) => "Count",
            (CLIENT_ERRORS, Protocol::Rest) => "4XXError",
            (CLIENT_ERRORS, Protocol::Http) => "4xx",
            (SERVER_ERRORS, Protocol::Rest) => "5XXError",
            (SERVER_ERRORS, Protocol::Http) => "5xx",
            (DATA_PROCESSED, Protocol::Http) => "DataProcessed",
            (LATENCY, _) => "Latency",
            (INTEGRATION_LATENCY, _) => "IntegrationLatency",
            _ => return None,
        })
    }
}

/// A value without what ends one in a name of Envoy.
fn plain(value: &str) -> String {
    value.chars().map(|c| if matches!(c, ';' | '=') || c.is_control() { '_' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Still;
    use std::cell::RefCell;

    /// A host that keeps metrics in the order in which they were asked for.
    #[derive(Default)]
    struct Kept(RefCell<Vec<(String, Vec<u64>)>>);

    impl Platform for Kept {
        fn now_millis(&self) -> u64 {
            0
        }
        fn monotonic_nanos(&self) -> u64 {
            0
        }
        fn random(&mut self) -> [u8; 16] {
            [0; 16]
        }
        fn source_address(&self) -> Option<String> {
            None
        }
        fn response_code_details(&self) -> Option<String> {
            None
        }
        fn request_body(&self) -> Vec<u8> {
            Vec::new()
        }
        fn verify_signature(&self, _: &str, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
            None
        }
        fn shared_data(&self, _: &str) -> Option<(Vec<u8>, u32)> {
            None
        }
        fn set_shared_data(&self, _: &str, _: &[u8], _: crate::platform::Version) -> bool {
            false
        }
        fn log(&self, _: crate::platform::Level, _: &str) {}
        fn metric(&self, _: MetricKind, name: &str) -> Option<u32> {
            let mut kept = self.0.borrow_mut();
            kept.push((name.to_owned(), Vec::new()));
            u32::try_from(kept.len() - 1).ok()
        }
        fn add_to_counter(&self, id: u32, number: u64) {
            self.0.borrow_mut()[id as usize].1.push(number);
        }
        fn record_in_histogram(&self, id: u32, value: u64) {
            self.0.borrow_mut()[id as usize].1.push(value);
        }
    }

    fn kept(host: Kept) -> Vec<(String, Vec<u64>)> {
        host.0.into_inner()
    }

    const PETS: [(&str, &str); 2] = [("ApiName", "pets; =all"), ("Stage", "prod")];

    #[test]
    fn counts_are_handed_over_together_and_latencies_at_once() {
        let (host, series) = (Kept::default(), Series::new(Protocol::Rest, &PETS));
        for (status, integration_latency) in [(Some(200), Some(7)), (Some(404), None), (Some(503), Some(9)), (None, None)] {
            let latency = status.map(|_| 11);
            series.record(Measured { status, latency, integration_latency, data_processed: 5 }, &host);
        }
        assert_eq!(host.0.borrow().len(), 2, "only the latencies are there yet");
        series.hand_over(&host);
        series.hand_over(&host);
        let name = |metric: &str| format!("ApiName=.=pets_ _all;.;Stage=.=prod;.;tollgate_{metric}");
        let expected = [
            ("Latency", vec![11, 11, 11]),
            ("IntegrationLatency", vec![7, 9]),
            ("Count", vec![4]),
            ("4XXError", vec![1]),
            ("5XXError", vec![1]),
        ];
        assert_eq!(kept(host), expected.map(|(metric, values)| (name(metric), values)));
    }

    #[test]
    fn http_apis_have_names_of_their_own_and_count_bytes() {
        let (host, series) = (Kept::default(), Series::new(Protocol::Http, &[("ApiId", "a")]));
        series.define(&host);
        series.record(Measured { status: Some(500), data_processed: 12, ..Measured::default() }, &host);
        series.hand_over(&host);
        let names = ["Count", "4xx", "5xx", "DataProcessed", "Latency", "IntegrationLatency"];
        let counts = [vec![1], vec![], vec![1], vec![12], vec![], vec![]];
        let expected: Vec<_> = names.iter().map(|name| format!("ApiId=.=a;.;tollgate_{name}")).zip(counts).collect();
        assert_eq!(kept(host), expected);
    }

    #[test]
    fn a_request_that_outlives_its_configuration_is_counted() {
        let (host, series) = (Kept::default(), Series::new(Protocol::Rest, &PETS));
        series.retire(&host);
        series.record(Measured { status: None, ..Measured::default() }, &host);
        assert_eq!(kept(host).into_iter().map(|(_, values)| values).collect::<Vec<_>>(), [vec![1]]);
    }

    #[test]
    fn a_part_is_counted_under_the_dimensions_of_both_and_retired_with_the_whole() {
        let (host, stage) = (Kept::default(), Series::new(Protocol::Rest, &[("Stage", "s")]));
        stage.part(&[("Method", "GET")]).define(&host);
        stage.retire(&host);
        stage.part(&[("Method", "PUT")]).record(Measured { status: None, ..Measured::default() }, &host);
        let kept = kept(host);
        assert_eq!(kept.first().unwrap().0, "Stage=.=s;.;Method=.=GET;.;tollgate_Count");
        assert_eq!(kept.last().unwrap(), &("Stage=.=s;.;Method=.=PUT;.;tollgate_Count".to_owned(), vec![1]));
    }

    #[test]
    fn a_host_without_metrics_is_no_trouble() {
        let series = Series::new(Protocol::Rest, &PETS);
        let host = Still { now_millis: 0, source_address: None };
        series.define(&host);
        series.record(Measured { status: Some(200), latency: Some(1), ..Measured::default() }, &host);
        series.hand_over(&host);
    }
}
