//! A rate and a burst, as plans, stages and the account say them.
//!
//! AWS: `ThrottleSettings` and `MethodSetting` of the API Gateway reference, `RouteSettings` of version 2. Method settings write -1
//! for "not limited here".

use crate::definition::Node;
use crate::problem::Problems;
use crate::usage::Throttle;

/// What the two are called.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    pub rate: &'static str,
    pub burst: &'static str,
}

/// Requests a second, and requests at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rates {
    pub rate: f64,
    pub burst: u32,
}

/// What is said of a method, a route or an account.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Limit {
    /// Neither of the two.
    Unsaid,
    /// -1
    Unlimited,
    /// So much.
    To(Rates),
}

/// Of plans, of the account, and of a whole stage.
pub const SETTINGS: Names = Names { rate: "rateLimit", burst: "burstLimit" };

/// Of methods and routes.
pub const THROTTLING: Names = Names { rate: "throttlingRateLimit", burst: "throttlingBurstLimit" };

/// One request in eleven and a half days.
const SLOWEST: f64 = 0.000_001;

/// One of the two numbers.
enum Said<T> {
    Unlimited,
    Number(T),
}

/// An object that says both, and nothing else.
pub fn read_both(node: &Node<'_>, problems: &mut Problems) -> Option<Throttle> {
    node.only(&[SETTINGS.rate, SETTINGS.burst], problems);
    node.value.as_object()?;
    let (rate, burst) = (node.get(SETTINGS.rate), node.get(SETTINGS.burst));
    let (Some(rate), Some(burst)) = (&rate, &burst) else {
        let missing = if rate.is_none() { SETTINGS.rate } else { SETTINGS.burst };
        problems.error(&node.path, format!("no `{missing}`"), Some("say both, `rateLimit` and `burstLimit`"));
        return None;
    };
    let (rate, burst) = (read_rate(rate, false, problems), read_burst(burst, false, problems));
    match (rate?, burst?) {
        (Said::Number(rate), Said::Number(burst)) => check(Rates { rate, burst }, node, SETTINGS, problems).map(Rates::throttle),
        _ => None,
    }
}

/// The two among other settings: one that is not said is `otherwise`, -1 for one of them is no limit at all.
pub fn read_limit(node: &Node<'_>, names: Names, otherwise: Option<Rates>, problems: &mut Problems) -> Option<Limit> {
    let rate = node.get(names.rate).map(|rate| read_rate(&rate, true, problems));
    let burst = node.get(names.burst).map(|burst| read_burst(&burst, true, problems));
    let (rate, burst) = match (rate, burst) {
        (None, None) => return Some(Limit::Unsaid),
        (Some(rate), Some(burst)) => (rate?, burst?),
        (Some(rate), None) => (rate?, missing(node, names.burst, otherwise, problems).map(|rates| Said::Number(rates.burst))?),
        (None, Some(burst)) => (missing(node, names.rate, otherwise, problems).map(|rates| Said::Number(rates.rate))?, burst?),
    };
    match (rate, burst) {
        (Said::Number(rate), Said::Number(burst)) => check(Rates { rate, burst }, node, names, problems).map(Limit::To),
        _ => Some(Limit::Unlimited),
    }
}

fn missing(node: &Node<'_>, name: &str, otherwise: Option<Rates>, problems: &mut Problems) -> Option<Rates> {
    if otherwise.is_none() {
        let message = format!("no `{name}`, and the account has none to take its place");
        problems.error(&node.path, message, Some("say both"));
    }
    otherwise
}

fn read_rate(node: &Node<'_>, or_unlimited: bool, problems: &mut Problems) -> Option<Said<f64>> {
    let number = node.number(problems)?;
    if or_unlimited && number == -1.0 {
        return Some(Said::Unlimited);
    }
    // What is counted is millionths of a token: less would be a bucket that nobody refills, and nobody is told of.
    if number < 0.0 || (number > 0.0 && number < SLOWEST) {
        let help = format!("requests a second: 0, or from {SLOWEST} on");
        problems.error(&node.path, format!("`{number}` is no rate"), Some(&help));
        return None;
    }
    Some(Said::Number(number))
}

fn read_burst(node: &Node<'_>, or_unlimited: bool, problems: &mut Problems) -> Option<Said<u32>> {
    let number = node.number(problems)?;
    if or_unlimited && number == -1.0 {
        return Some(Said::Unlimited);
    }
    if number < 0.0 || number > f64::from(u32::MAX) || number.fract() != 0.0 {
        let help = format!("requests at once, a whole number from 0 to {}", u32::MAX);
        problems.error(&node.path, format!("`{number}` is no burst"), Some(&help));
        return None;
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is a whole number in the range of u32")]
    Some(Said::Number(number as u32))
}

/// What of the two makes no sense together.
fn check(rates: Rates, node: &Node<'_>, names: Names, problems: &mut Problems) -> Option<Rates> {
    let Rates { rate, burst } = rates;
    if burst == 0 && rate > 0.0 {
        let message = format!("`{}` 0 lets no request pass, whatever the rate", names.burst);
        problems.error(&node.path.key(names.burst), message, Some("at least 1; 0 for both refuses every request"));
        return None;
    }
    if burst > 0 && rate == 0.0 {
        let message = format!("a rate of 0 is served: after {burst} requests all are refused, for ever");
        problems.warning(&node.path.key(names.rate), message, Some("a rate adds so many requests a second"));
    }
    Some(rates)
}

// === impl Rates ===

impl Rates {
    /// As it is counted.
    pub fn throttle(self) -> Throttle {
        Throttle::new(self.rate, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const ACCOUNT: Option<Rates> = Some(Rates { rate: 10_000.0, burst: 5_000 });

    fn limit(value: Value, otherwise: Option<Rates>) -> (Option<Limit>, Vec<String>) {
        let mut problems = Problems::default();
        let limit = read_limit(&Node::root(&value), THROTTLING, otherwise, &mut problems);
        (limit, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn both(value: Value) -> (Option<Throttle>, Vec<String>) {
        let mut problems = Problems::default();
        let throttle = read_both(&Node::root(&value), &mut problems);
        (throttle, problems.into_vec().iter().map(ToString::to_string).collect())
    }

    fn to(rate: f64, burst: u32) -> Option<Limit> {
        Some(Limit::To(Rates { rate, burst }))
    }

    #[test]
    fn a_limit_of_one_number_takes_the_other_from_the_account() {
        assert_eq!(limit(json!({"throttlingRateLimit": 0.5}), ACCOUNT), (to(0.5, 5_000), vec![]));
        assert_eq!(limit(json!({"throttlingBurstLimit": "7"}), ACCOUNT), (to(10_000.0, 7), vec![]));
        let (none, told) = limit(json!({"throttlingBurstLimit": 7}), None);
        assert_eq!(
            (none, told.as_slice()),
            (
                None,
                ["$: no `throttlingRateLimit`, and the account has none to take its place; help: say both".to_owned()].as_slice()
            )
        );
    }

    #[test]
    fn minus_one_is_no_limit_and_nothing_is_nothing() {
        for said in [
            json!({"throttlingRateLimit": -1, "throttlingBurstLimit": -1.0}),
            json!({"throttlingRateLimit": -1}),
            json!({"throttlingRateLimit": 5, "throttlingBurstLimit": "-1"}),
        ] {
            assert_eq!(limit(said, ACCOUNT), (Some(Limit::Unlimited), vec![]));
        }
        assert_eq!(limit(json!({}), ACCOUNT), (Some(Limit::Unsaid), vec![]));
    }

    #[test]
    fn a_burst_may_be_above_or_below_the_rate_and_both_may_be_zero() {
        for (rate, burst) in [(5.0, 10), (10.0, 5), (0.0, 0), (0.25, 1)] {
            let (throttle, told) = both(json!({"rateLimit": rate, "burstLimit": burst}));
            assert_eq!((throttle, told), (Some(Throttle::new(rate, burst)), vec![]));
        }
    }

    #[test]
    fn a_bucket_that_is_never_refilled_is_served_with_a_warning() {
        let mut problems = Problems::default();
        let value = json!({"rateLimit": 0, "burstLimit": 3});
        assert_eq!(read_both(&Node::root(&value), &mut problems), Some(Throttle::new(0.0, 3)));
        assert!(!problems.any_error());
        assert_eq!(problems.into_vec()[0].message, "a rate of 0 is served: after 3 requests all are refused, for ever");
    }

    #[test]
    fn what_is_no_rate_or_no_burst_is_told_once() {
        for (value, start) in [
            (json!({"rateLimit": -1, "burstLimit": 1}), "$.rateLimit: `-1` is no rate"),
            (
                json!({"rateLimit": 0.000_000_9, "burstLimit": 1}),
                "$.rateLimit: `0.0000009` is no rate; help: requests a second: 0, or from 0.000001 on",
            ),
            (json!({"rateLimit": 1, "burstLimit": -1}), "$.burstLimit: `-1` is no burst"),
            (json!({"rateLimit": 1, "burstLimit": 1.5}), "$.burstLimit: `1.5` is no burst"),
            (json!({"rateLimit": 1, "burstLimit": 4_294_967_296_u64}), "$.burstLimit: `4294967296` is no burst"),
            (json!({"rateLimit": "inf", "burstLimit": 1}), "$.rateLimit: expected a number, found a string"),
            (json!({"rateLimit": "NaN", "burstLimit": 1}), "$.rateLimit: expected a number, found a string"),
            (json!({"rateLimit": {"Ref": "x"}, "burstLimit": 1}), "$.rateLimit: unresolved CloudFormation function `Ref`"),
            (json!({"rateLimit": 1, "burstLimit": 0}), "$.burstLimit: `burstLimit` 0 lets no request pass"),
            (json!({"rateLimit": 1}), "$: no `burstLimit`"),
            (json!({"burstLimit": 1}), "$: no `rateLimit`"),
            (json!({}), "$: no `rateLimit`"),
            (json!(7), "$: expected an object"),
        ] {
            let (throttle, told) = both(value);
            assert_eq!((throttle, told.len()), (None, 1), "{told:?}");
            assert!(told[0].starts_with(start), "{told:?}");
        }
    }

    #[test]
    fn the_slowest_rate_and_the_largest_burst_are_some() {
        let rate = |number: f64| read_rate(&Node::root(&json!(number)), false, &mut Problems::default()).is_some();
        assert_eq!([SLOWEST, SLOWEST / 2.0, 0.0, -1.0].map(rate), [true, false, true, false]);
        let burst = |number: f64| read_burst(&Node::root(&json!(number)), false, &mut Problems::default()).is_some();
        assert_eq!([4_294_967_295.0, 4_294_967_296.0, 0.0, 1.5, -1.0].map(burst), [true, false, true, false, false]);
    }
}
