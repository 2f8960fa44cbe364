//! What a rate limit service said of a request.
//!
//! Envoy: `enable_x_ratelimit_headers` of its rate limit filter, `DRAFT_VERSION_03` of "RateLimit Header Fields for HTTP".

use crate::http::Headers;

/// How far a caller is from its limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimitFacts {
    /// Requests in one window of the limit that is nearest.
    limit: u64,
    /// Requests that are left in it.
    remaining: u64,
    /// When it ends.
    reset_seconds: u64,
    /// All limits: requests, and the seconds of their window, where it has such. A request has three at the most: its throttle is
    /// asked as two windows, its quota as one.
    policies: [Option<(u64, u64)>; 3],
}

// === impl RateLimitFacts ===

impl RateLimitFacts {
    /// One limit.
    pub fn new(limit: u64, window_seconds: Option<u64>, remaining: u64, reset_seconds: u64) -> Self {
        let policy = window_seconds.map(|seconds| (limit, seconds));
        Self { limit, remaining, reset_seconds, policies: [policy, None, None] }
    }

    /// The limits of both; the nearest one is that of which least is left, the earlier of two with as much.
    pub fn and(self, other: Self) -> Self {
        let nearest = if other.remaining < self.remaining { other } else { self };
        let mut both = self.policies.into_iter().chain(other.policies).flatten();
        Self { policies: std::array::from_fn(|_| both.next()), ..nearest }
    }

    /// Tells them to the client, as Envoy does, in the place of whatever a backend says of limits of its own.
    pub fn write(&self, headers: &mut Headers) {
        let mut limit = self.limit.to_string();
        for (requests, seconds) in self.policies.iter().flatten() {
            limit.push_str(&format!(", {requests};w={seconds}"));
        }
        headers.set("x-ratelimit-limit", limit);
        headers.set("x-ratelimit-remaining", self.remaining.to_string());
        headers.set("x-ratelimit-reset", self.reset_seconds.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(facts: RateLimitFacts) -> [String; 3] {
        let mut headers = Headers::new();
        facts.write(&mut headers);
        ["limit", "remaining", "reset"]
            .map(|name| String::from_utf8(headers.get(&format!("x-ratelimit-{name}")).unwrap().to_vec()).unwrap())
    }

    #[test]
    fn headers_read_as_envoys() {
        assert_eq!(written(RateLimitFacts::new(10, Some(60), 9, 42)), ["10, 10;w=60", "9", "42"]);
        assert_eq!(written(RateLimitFacts::new(10, None, 9, 0)), ["10", "9", "0"], "a window that nobody knows is not told");
    }

    #[test]
    fn the_nearest_limit_is_told_and_the_windows_of_all() {
        let [second, minute, quota] = [(5, Some(1), 4, 1), (100, Some(60), 4, 30), (1000, Some(86_400), 3, 7200)]
            .map(|(limit, window, remaining, reset)| RateLimitFacts::new(limit, window, remaining, reset));
        assert_eq!(written(second.and(minute)), ["5, 5;w=1, 100;w=60", "4", "1"], "of two that are as near, the first");
        assert_eq!(written(second.and(minute).and(quota)), ["1000, 5;w=1, 100;w=60, 1000;w=86400", "3", "7200"]);
    }

    #[test]
    fn a_backends_own_headers_give_way() {
        let mut headers = Headers::new();
        headers.append("X-RateLimit-Limit", "1");
        headers.append("x-ratelimit-limit", "2");
        RateLimitFacts::new(10, Some(60), 9, 42).write(&mut headers);
        assert_eq!(headers.get_all("x-ratelimit-limit").collect::<Vec<_>>(), [b"10, 10;w=60"]);
    }
}
