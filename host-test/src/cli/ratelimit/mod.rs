//! `tollgate ratelimit`: a rate limit service such as Envoy asks, for development, tests and small deployments.
//!
//! ```text
//!   client -> server (hyper) -> service (tonic) -> request -> counters: memory (limitador) or redis
//! ```
//! Limits come with the requests, so there is nothing to configure but where to count.

pub mod counters;
mod memory;
mod messages;
mod redis;
mod request;
mod service;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use self::counters::Store;
use self::memory::Memory;
use self::redis::Link;
pub use self::redis::{Place, Redis};
use super::{Failure, Verdict, say, server};

/// Run a rate limit service for Envoy that counts in memory or in Redis
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate ratelimit
  tollgate ratelimit --redis redis://127.0.0.1:6379 --listen 0.0.0.0:8081

It serves envoy.service.ratelimit.v3.RateLimitService, and grpc.health.v1.Health. A descriptor is limited by the `limit` that it
brings; one without is not. A request with several descriptors counts for all of them, or for none when one is over its limit.

Without Redis, requests are answered UNAVAILABLE until it is back.

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the port is taken, 2 wrong usage.")]
pub struct Arguments {
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: String,
    /// Count in this Redis, and not in memory
    #[arg(long, value_name = "URL", value_parser = Place::parse)]
    redis: Option<Place>,
    /// How long a request waits for Redis
    #[arg(long, value_name = "MILLISECONDS", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=60_000), requires = "redis")]
    redis_timeout_millis: u32,
}

/// Serves until it is told to stop.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    server::runtime()?.block_on(async {
        let (reporter, health) = tonic_health::server::health_reporter();
        let store = match &arguments.redis {
            None => {
                reporter.set_service_status(service::NAME, ServingStatus::Serving).await;
                say("counting in memory\n");
                Store::Memory(Memory::new())
            }
            Some(place) => {
                let redis = Redis::connect(place, Duration::from_millis(arguments.redis_timeout_millis.into())).await;
                let link = redis.link();
                match &*link.borrow() {
                    Link::Up(_) => say(&format!("counting in redis at {place}\n")),
                    Link::Down(reason) => say(&lost(place, reason)),
                }
                tokio::spawn(follow(link, place.clone(), reporter));
                Store::Redis(redis)
            }
        };
        let store = Arc::new(store);
        // Nobody is let in who would have to wait for the first connection to Redis.
        let (listener, local) = server::bind(&arguments.listen).await?;
        say(&format!("listening on grpc://{local}\n"));
        server::serve(listener, server::stop_signal(), move |request, _| {
            service::answer(Arc::clone(&store), health.clone(), request)
        })
        .await;
        Ok(Verdict::Good)
    })
}

/// Says when Redis goes and comes, and tells the health of the service by it.
async fn follow(mut link: watch::Receiver<Link>, place: Place, reporter: HealthReporter) {
    let mut was_up = link.borrow_and_update().is_up();
    loop {
        let status = if was_up { ServingStatus::Serving } else { ServingStatus::NotServing };
        reporter.set_service_status(service::NAME, status).await;
        if link.changed().await.is_err() {
            return;
        }
        let now = link.borrow_and_update().clone();
        match (&now, was_up) {
            (Link::Up(_), false) => say(&format!("redis at {place} is there, counting goes on\n")),
            (Link::Down(reason), true) => say(&lost(&place, reason)),
            _ => {}
        }
        was_up = now.is_up();
    }
}

fn lost(place: &Place, reason: &str) -> String {
    format!("redis at {place} cannot be used: {reason}; requests are answered UNAVAILABLE until it can\n")
}
