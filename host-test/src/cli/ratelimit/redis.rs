//! Counters in Redis, which many processes can share: a key for each, that ends with its window.
//!
//! One script looks and counts, and Redis runs one script at a time. The connection is made, watched and made again by a task
//! beside the requests, so that no request waits for more than its own answer, and one that comes while Redis is away is told so
//! at once.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, Script};
use tokio::sync::{Notify, watch};

use super::counters::{Found, Hit, Refusal, Standing, decide};

/// What every key begins with.
const PREFIX: &str = "tollgate:ratelimit:";

/// A key that is no counter: counting it shows that counting works.
const PROBE: &str = "tollgate:ratelimit:probe";

/// How long a connection may take to come up.
const CONNECT: Duration = Duration::from_secs(2);

/// How often a connection that nobody complains of is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How long after a failure the next connection is tried.
const RETRY: Duration = Duration::from_millis(200);

/// Counters in one Redis.
pub struct Redis {
    link: watch::Receiver<Link>,
    trouble: Arc<Notify>,
    commands: Commands,
}

/// The way to Redis.
#[derive(Clone)]
pub enum Link {
    Up(MultiplexedConnection),
    /// Why not.
    Down(Arc<str>),
}

/// What is asked of Redis, and for how long.
#[derive(Clone)]
struct Commands {
    count: Arc<Script>,
    timeout: Duration,
}

/// Where a Redis is.
#[derive(Clone)]
pub struct Place(Client);

// === impl Place ===

impl Place {
    /// Reads a URL such as `redis://127.0.0.1:6379/0`.
    pub fn parse(url: &str) -> Result<Self, String> {
        const HELP: &str = "write `redis://[user:password@]host[:port][/database]` or `unix:///path/to/socket`";
        let client = Client::open(url).map_err(|error| match url.starts_with("rediss:") {
            true => format!("redis over TLS is not served; {HELP}"),
            false => format!("{}; {HELP}", words(&error)),
        })?;
        Ok(Self(client))
    }
}

impl std::fmt::Debug for Place {
    /// Without the password, unlike the client's own.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, port) => write!(f, "{host}:{port}"),
            other => write!(f, "{other}"),
        }
    }
}

// === impl Redis ===

impl Redis {
    /// Connects, or says why not and goes on trying. A request is answered within `timeout`.
    pub async fn connect(place: &Place, timeout: Duration) -> Self {
        let trouble = Arc::new(Notify::new());
        let commands = Commands { count: Arc::new(Script::new(include_str!("count.lua"))), timeout };
        let keeper = Keeper { place: place.clone(), trouble: Arc::clone(&trouble), commands: commands.clone() };
        let (sender, link) = watch::channel(keeper.open().await);
        tokio::spawn(keeper.keep(sender));
        Self { link, trouble, commands }
    }

    /// Follows how the link is.
    pub fn link(&self) -> watch::Receiver<Link> {
        self.link.clone()
    }

    /// Counts all hits, or none.
    pub async fn count(&self, hits: &[Hit]) -> Result<Vec<Standing>, Refusal> {
        let link = self.link.borrow().clone();
        let connection = match link {
            Link::Up(connection) => connection,
            Link::Down(reason) => return Err(Refusal::Unavailable(format!("redis cannot be used: {reason}"))),
        };
        let rows = hits.iter().map(|hit| Row {
            key: format!("{PREFIX}{}", hit.counter.identity()),
            hits: hit.hits,
            limit: hit.counter.per_unit(),
            window: hit.counter.window(),
        });
        match self.commands.count(connection, rows).await {
            Ok(found) => Ok(decide(hits, &found)),
            Err(reason) => {
                self.trouble.notify_one();
                Err(Refusal::Unavailable(format!("redis did not count: {reason}")))
            }
        }
    }
}

// === impl Commands ===

/// A key, and what the script is told of it.
struct Row {
    key: String,
    hits: u64,
    limit: u32,
    window: Duration,
}

impl Commands {
    async fn count(&self, mut connection: MultiplexedConnection, rows: impl Iterator<Item = Row>) -> Result<Vec<Found>, String> {
        let mut call = self.count.prepare_invoke();
        for row in rows {
            call.key(row.key).arg(row.hits).arg(row.limit).arg(row.window.as_millis() as u64);
        }
        let answer = tokio::time::timeout(self.timeout, call.invoke_async::<Vec<i64>>(&mut connection)).await;
        let numbers = match answer {
            Ok(Ok(numbers)) => numbers,
            Ok(Err(error)) => return Err(words(&error)),
            Err(_) => return Err(format!("no answer within {} ms", self.timeout.as_millis())),
        };
        let pairs = numbers.as_chunks::<2>().0.iter();
        let found = pairs.map(|[used, left]| Found {
            used: u64::try_from(*used).unwrap_or_default(),
            left: u64::try_from(*left).ok().map(Duration::from_millis),
        });
        Ok(found.collect())
    }
}

// === impl Link ===

impl Link {
    pub fn is_up(&self) -> bool {
        matches!(self, Self::Up(_))
    }
}

/// Keeps the link, as long as anybody follows it.
struct Keeper {
    place: Place,
    trouble: Arc<Notify>,
    commands: Commands,
}

// === impl Keeper ===

impl Keeper {
    async fn keep(self, sender: watch::Sender<Link>) {
        while !sender.is_closed() {
            let link = sender.borrow().clone();
            match link {
                Link::Up(connection) => {
                    tokio::select! {
                        () = self.trouble.notified() => {}
                        () = tokio::time::sleep(LOOK) => {}
                    }
                    if let Err(reason) = self.probe(connection).await {
                        // Something else may be there already, after a restart.
                        sender.send_replace(Link::Down(reason.into()));
                        sender.send_replace(self.open().await);
                    }
                }
                Link::Down(_) => {
                    tokio::time::sleep(RETRY).await;
                    sender.send_replace(self.open().await);
                }
            }
        }
    }

    /// A new connection, over which counting works.
    async fn open(&self) -> Link {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(self.commands.timeout))
            .set_pipeline_buffer_size(1024);
        let Self { place: Place(client), .. } = self;
        let connection = match client.get_multiplexed_async_connection_with_config(&config).await {
            Ok(connection) => connection,
            Err(error) => return Link::Down(words(&error).into()),
        };
        match self.probe(connection.clone()).await {
            Ok(()) => Link::Up(connection),
            Err(reason) => Link::Down(reason.into()),
        }
    }

    /// Counts, as requests do: a Redis that is full, loading or a replica lets itself be pinged, too.
    async fn probe(&self, connection: MultiplexedConnection) -> Result<(), String> {
        let row = Row { key: PROBE.to_owned(), hits: 1, limit: u32::MAX, window: LOOK };
        self.commands.count(connection, std::iter::once(row)).await.map(|_| ())
    }
}

/// An error in one line, without what this client calls its kind.
fn words(error: &RedisError) -> String {
    if error.is_timeout() {
        return "no answer in time".to_owned();
    }
    let text = match (error.code(), error.detail()) {
        (Some(code), Some(detail)) => format!("{code} {detail}"),
        _ => error.to_string(),
    };
    text.lines().next().unwrap_or_default().trim_end_matches(['.', ' ']).to_owned()
}

#[cfg(test)]
#[path = "../../../tests/process/redis.rs"]
mod process;

#[cfg(test)]
mod tests {
    use super::super::counters::{Counter, Unit};
    use super::*;

    #[tokio::test]
    async fn a_counter_is_read_and_not_hit() {
        let server = process::Redis::start();
        let redis = Redis::connect(&Place::parse(&server.url()).unwrap(), Duration::from_secs(20)).await;
        let counter = || Counter::new("d", [("key", "k")].into_iter(), Unit::Day, 5);
        let day = Duration::from_secs(24 * 60 * 60);
        let fresh = Standing { over: false, used: 0, remaining: 5, reset: day };
        assert_eq!(redis.read(counter()).await.unwrap(), fresh);
        redis.count(&[Hit::new(counter(), 2)]).await.unwrap();
        for _ in 0..2 {
            let read = redis.read(counter()).await.unwrap();
            assert_eq!((read.used, read.remaining), (2, 3));
            assert!(read.reset <= day && read.reset > day - Duration::from_secs(60), "{:?}", read.reset);
        }
    }

    #[test]
    fn a_place_is_shown_without_its_password() {
        let place = Place::parse("redis://user:secret@127.0.0.1:6380/2").unwrap();
        assert_eq!((place.to_string(), format!("{place:?}")), ("127.0.0.1:6380".to_owned(), "127.0.0.1:6380".to_owned()));
    }

    #[test]
    fn what_is_no_url_of_a_redis_is_refused_in_words() {
        for url in ["127.0.0.1:6379", "http://127.0.0.1", ""] {
            let message = Place::parse(url).unwrap_err();
            assert!(message.contains("; write `redis://"), "{message}");
        }
        assert!(Place::parse("rediss://127.0.0.1").unwrap_err().starts_with("redis over TLS is not served"));
    }
}
