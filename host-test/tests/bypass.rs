//! Nobody gets through without permission.
#[path = "bypass/mod.rs"]
mod bypass;
mod drivers;

use std::collections::BTreeMap;

use bypass::apis::{Api, Guard, Protocol, Route};
use bypass::comparison::{Comparison, Seen};
use bypass::credentials::{self, Credential};
use bypass::documents::{BACKEND, DEFAULT_BACKEND, LAMBDA, document};
use bypass::functions::{WORDS, Word, backend};
use bypass::matrix::{self, Attempt};
use bypass::reference::{Verdict, judge};
use drivers::case::{Backend, Request};
use drivers::native::Native;
use drivers::report::say;
use drivers::{Clusters, Driver};

const SEED: u64 = 20_261_121;

/// A driver with both documents, and the functions as they speak of each identity.
struct Gateway<'a> {
    driver: &'a mut dyn Driver,
    clusters: BTreeMap<Word, Clusters>,
}

impl<'a> Gateway<'a> {
    fn new(driver: &'a mut dyn Driver, changed: &dyn Fn(&Api, &Route) -> Guard) -> Self {
        for protocol in [Protocol::Rest, Protocol::Http] {
            let document = document(protocol, changed);
            driver.load(protocol.document(), &document).unwrap_or_else(|problems| panic!("{}:\n{problems}", protocol.document()));
        }
        let clusters = |word: Word| {
            let all = [(BACKEND, Backend::default()), (DEFAULT_BACKEND, Backend::default()), (LAMBDA, backend(word))];
            all.map(|(host, backend)| (host.to_owned(), backend)).into()
        };
        Self { driver, clusters: WORDS.into_iter().map(|word| (word, clusters(word))).collect() }
    }

    fn run(&mut self, attempts: &[Attempt], credentials: &[Credential], judge: &dyn Fn(&Attempt, &Request) -> Verdict) -> Comparison {
        let mut comparison = Comparison::default();
        for attempt in attempts {
            let credential = &credentials[attempt.credential];
            let request = attempt.request(credentials, self.driver.now());
            let observed = self.driver.observe(attempt.protocol.document(), &request, &self.clusters[&credential.word]);
            let observed = observed.unwrap_or_else(|error| panic!("{}: {error}", attempt.name));
            let seen = observed.upstream.into_iter().filter(|seen| seen.cluster != LAMBDA);
            let seen: Vec<Seen> =
                seen.map(|seen| Seen { host: seen.cluster, method: seen.method, target: seen.path }).collect();
            comparison.add(attempt, &request, &judge(attempt, &request), &seen, &observed.status.to_string());
        }
        comparison
    }
}

fn as_is(_: &Api, route: &Route) -> Guard {
    route.guard
}

#[test]
fn natively() {
    let start = std::time::Instant::now();
    let mut native = Native::default();
    let credentials = credentials::all(native.now());
    let attempts = matrix::all(&credentials, SEED);
    say(&format!("{} credentials, {} attempts, {:?}\n", credentials.len(), attempts.len(), start.elapsed()));
    let comparison = Gateway::new(&mut native, &as_is).run(&attempts, &credentials, &|attempt, request| {
        judge(attempt.protocol, request, &credentials[attempt.credential])
    });
    say(&format!("natively: {}{:?}\n", comparison.told(), start.elapsed()));
    comparison.assert_none("native");
}
