//! Whose key signs: what AWS's own tools find in the environment, the profile, a web identity, the container or the instance.

use std::error::Error;
use std::time::{Duration, SystemTime};

use aws_config::Region;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::provider_config::ProviderConfig;
use aws_credential_types::Credentials;
use aws_credential_types::provider::ProvideCredentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::{Provider, rustls_provider::CryptoMode};
use tokio::sync::{Mutex, OnceCell};

/// How long before they end temporary credentials are renewed; as long as AWS's services keep the next ones ready.
const EARLY: Duration = Duration::from_secs(5 * 60);

/// How long those count that do not say when they end: a profile is read again then.
const ENDLESS: Duration = Duration::from_secs(15 * 60);

/// How long it counts that there are none.
const NONE: Duration = Duration::from_secs(30);

const HELP: &str = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (with temporary ones AWS_SESSION_TOKEN too) or AWS_PROFILE";

/// The credentials, looked for when they are needed first and renewed before they end.
pub struct Keys {
    /// Where STS is asked, if anybody.
    region: String,
    chain: OnceCell<DefaultCredentialsChain>,
    found: Mutex<Option<Found>>,
}

/// What a look found.
#[derive(Debug, Clone)]
struct Found {
    credentials: Result<Credentials, String>,
    /// When to look again.
    until: SystemTime,
}

// === impl Keys ===

impl Keys {
    /// Nothing is looked for yet.
    pub fn new(region: String) -> Self {
        Self { region, chain: OnceCell::new(), found: Mutex::new(None) }
    }

    /// A look that was had already.
    #[cfg(test)]
    pub fn fixed(credentials: Result<Credentials, String>) -> Self {
        let found = Found { credentials, until: SystemTime::now() + ENDLESS };
        Self { found: Mutex::new(Some(found)), ..Self::new(String::new()) }
    }

    /// The credentials of this moment, or why there are none and what to do.
    pub async fn get(&self) -> Result<Credentials, String> {
        let mut found = self.found.lock().await;
        let now = SystemTime::now();
        if let Some(found) = found.as_ref().filter(|found| now < found.until) {
            return found.credentials.clone();
        }
        let chain = self.chain.get_or_init(|| chain(self.region.clone())).await;
        let looked = chain.provide_credentials().await.map_err(|error| words(&error));
        let next = next(found.take(), looked, now);
        found.insert(next).credentials.clone()
    }
}

async fn chain(region: String) -> DefaultCredentialsChain {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
    let configuration = ProviderConfig::default().with_http_client(client);
    DefaultCredentialsChain::builder().region(Region::new(region)).configure(configuration).build().await
}

/// What counts after a look, and until when. Those that cannot be renewed count to their end.
fn next(before: Option<Found>, looked: Result<Credentials, String>, now: SystemTime) -> Found {
    let until = match &looked {
        Ok(credentials) => credentials.expiry().map_or(now + ENDLESS, |end| (end - EARLY).max(now + NONE)),
        Err(_) => now + NONE,
    };
    let still_good = |found: &Found| matches!(&found.credentials, Ok(old) if old.expiry().is_some_and(|end| now < end));
    match before.filter(|before| looked.is_err() && still_good(before)) {
        Some(before) => Found { until, ..before },
        None => Found { credentials: looked, until },
    }
}

/// The error and what caused it; the chain's own words name no cause.
fn words(error: &dyn Error) -> String {
    let causes: Vec<String> = std::iter::successors(Some(error), |&error| error.source()).map(ToString::to_string).collect();
    let looked = "no AWS credentials in the environment, the profile, a web identity, the container or the instance";
    format!("{looked} ({}); {HELP}", causes.join(": "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn at(seconds: u64) -> SystemTime {
        NOW + Duration::from_secs(seconds)
    }

    fn credentials(id: &str, end: Option<SystemTime>) -> Credentials {
        Credentials::new(id, "secret", None, end, "test")
    }

    fn id(found: &Found) -> Result<&str, &str> {
        found.credentials.as_ref().map(Credentials::access_key_id).map_err(String::as_str)
    }

    #[test]
    fn temporary_credentials_are_renewed_before_they_end_and_count_to_their_end_where_that_fails() {
        let first = next(None, Ok(credentials("a", Some(at(3600)))), NOW);
        assert_eq!(first.until, at(3300));
        let kept = next(Some(first.clone()), Err("gone".to_owned()), at(3300));
        assert_eq!((id(&kept), kept.until), (Ok("a"), at(3330)));
        let over = next(Some(first.clone()), Err("gone".to_owned()), at(3600));
        assert_eq!((id(&over), over.until), (Err("gone"), at(3630)));
        let renewed = next(Some(first), Ok(credentials("b", Some(at(7200)))), at(3300));
        assert_eq!((id(&renewed), renewed.until), (Ok("b"), at(6900)));
    }

    #[test]
    fn credentials_without_an_end_are_read_again_and_none_are_looked_for_soon() {
        let endless = next(None, Ok(credentials("a", None)), NOW);
        assert_eq!(endless.until, at(900));
        let gone = next(Some(endless), Err("gone".to_owned()), at(900));
        assert_eq!((id(&gone), gone.until), (Err("gone"), at(930)));
        let almost_over = next(None, Ok(credentials("a", Some(at(60)))), NOW);
        assert_eq!(almost_over.until, at(30), "not asked for at every request");
    }
}
