//! The kinds of requests: what is asked, what the answer has to be, who gets it, and how long it may take.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::{Method, Request};
use serde_json::{Value, json};

use super::documents::{INTEGRATION_TIMEOUT, LIMITS_TIMEOUT};
use super::tokens::{Key, LONG, Signer};
use super::upstream::Address;

/// The header that carries the id of a request, in both directions.
pub const ID: &str = "x-id";

/// The longest that a Lambda authorizer of an HTTP API may take.
pub const AUTHORIZER_TIMEOUT: Duration = Duration::from_secs(10);

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// HTTP_PROXY, nothing asked of the caller.
    Open,
    /// HTTP_PROXY with a body, which comes back.
    Post,
    /// HTTP_PROXY, and the backend says 507: that is an answer as any other.
    BackendError,
    /// MOCK.
    Mock,
    /// HTTP, with templates in both directions.
    Template,
    /// AWS_PROXY.
    Lambda,
    /// An API key on a plan.
    Keyed,
    /// The same without a key.
    NoKey,
    /// A key whose quota is 0.
    OverQuota,
    /// A Lambda authorizer that is asked for each request, and says yes.
    Authorized,
    /// The same, and it says no.
    Denied,
    /// A Lambda authorizer whose answers are remembered.
    Remembered,
    /// The same whose function never answers.
    Hanging,
    /// A token, whose issuer publishes its keys.
    Jwt,
    /// Nothing in its place.
    NoToken,
    /// A token whose signature is wrong.
    ForgedToken,
    /// A token of a key that is published only after a rotation.
    RotatedKey,
    /// A token of a key that is never published.
    UnknownKey,
    /// A token of an issuer of whom nothing is known yet.
    NewIssuer,
    /// A token that counts from half an hour ago until in half an hour.
    ShortToken,
    /// A CORS preflight.
    Preflight,
    /// No such route.
    Unknown,
    /// A body that its model refuses.
    Invalid,
}

/// Which ones, and how many of each.
pub type Mix = &'static [(Kind, u32)];

/// What everybody asks of a gateway.
pub const EVERYDAY: Mix = &[
    (Kind::Open, 4),
    (Kind::Post, 3),
    (Kind::BackendError, 1),
    (Kind::Mock, 3),
    (Kind::Template, 3),
    (Kind::Lambda, 3),
    (Kind::Keyed, 4),
    (Kind::NoKey, 1),
    (Kind::OverQuota, 1),
    (Kind::Authorized, 3),
    (Kind::Denied, 1),
    (Kind::Remembered, 3),
    (Kind::Jwt, 5),
    (Kind::NoToken, 1),
    (Kind::ForgedToken, 1),
    (Kind::Preflight, 2),
    (Kind::Unknown, 1),
    (Kind::Invalid, 1),
];

/// Who gets a request that succeeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Exactly one upstream, once.
    Upstream,
    /// Nobody: the gateway answers.
    Gateway,
}

/// What requests are made of that is not the same in every run.
pub struct Maker {
    pub signer: Signer,
    pub issuer: Address,
    /// The path of the issuer of whom nothing is known.
    pub new_issuer: Mutex<String>,
}

/// The body of a request: its id, and more of another length.
pub fn payload(id: u32) -> Vec<u8> {
    let filler = "tollgate ".repeat((id.wrapping_mul(37) % 700) as usize);
    json!({"id": id.to_string(), "filler": filler}).to_string().into_bytes()
}

/// The body of a backend's answer.
pub fn echo(id: u32) -> Vec<u8> {
    json!({"id": id.to_string(), "said": "backend ".repeat((id % 150) as usize)}).to_string().into_bytes()
}

/// The n-th request of a mix.
pub fn pick(mix: Mix, number: u32) -> Kind {
    let total: u32 = mix.iter().map(|(_, weight)| weight).sum();
    // Neighbours are different ones, and each second is as any other.
    let mut place = number.wrapping_mul(2_654_435_761) % total;
    for (kind, weight) in mix {
        match place.checked_sub(*weight) {
            None => return *kind,
            Some(rest) => place = rest,
        }
    }
    Kind::Open
}

// === impl Kind ===

impl Kind {
    /// The status of the right answer.
    pub fn status(self) -> u16 {
        match self {
            Self::BackendError => 507,
            Self::NoKey | Self::Denied | Self::Unknown => 403,
            Self::OverQuota => 429,
            Self::NoToken | Self::ForgedToken | Self::UnknownKey => 401,
            Self::Preflight => 204,
            Self::Invalid => 400,
            Self::Hanging => 500,
            _ => 200,
        }
    }

    /// Who gets it.
    pub fn goal(self) -> Goal {
        match self {
            Self::Mock
            | Self::NoKey
            | Self::OverQuota
            | Self::Denied
            | Self::Hanging
            | Self::NoToken
            | Self::ForgedToken
            | Self::UnknownKey
            | Self::Preflight
            | Self::Unknown
            | Self::Invalid => Goal::Gateway,
            _ => Goal::Upstream,
        }
    }

    /// Whether its integration is a function.
    pub fn is_function(self) -> bool {
        self == Self::Lambda
    }

    /// Whether a Lambda authorizer is asked.
    pub fn is_authorized(self) -> bool {
        matches!(self, Self::Authorized | Self::Denied | Self::Hanging)
    }

    /// How long the definition allows it to take, all in all.
    pub fn timeout(self) -> Duration {
        let integration = if self.goal() == Goal::Upstream { INTEGRATION_TIMEOUT } else { Duration::ZERO };
        integration
            + match self {
                Self::Authorized | Self::Denied | Self::Hanging => AUTHORIZER_TIMEOUT,
                // A REST API waits for its function as long as for an integration without a timeout of its own.
                Self::Remembered => Duration::from_secs(29),
                // Throttle and quota are two questions.
                Self::Keyed => 2 * LIMITS_TIMEOUT,
                _ => Duration::ZERO,
            }
    }

    /// The request.
    pub fn request(self, id: u32, maker: &Maker) -> Request<Full<Bytes>> {
        let (method, path) = match self {
            Self::Open => (Method::GET, "/prod/open"),
            Self::Post => (Method::POST, "/prod/post"),
            Self::BackendError => (Method::GET, "/prod/error"),
            Self::Mock => (Method::GET, "/prod/mock"),
            Self::Template => (Method::POST, "/prod/template"),
            Self::Lambda => (Method::POST, "/prod/lambda"),
            Self::Keyed | Self::NoKey | Self::OverQuota => (Method::GET, "/prod/keyed"),
            Self::Remembered => (Method::GET, "/prod/remembered"),
            Self::Invalid => (Method::POST, "/prod/valid"),
            Self::Unknown => (Method::GET, "/prod/no/such/route"),
            Self::Authorized | Self::Denied => (Method::GET, "/authorized"),
            Self::Hanging => (Method::GET, "/hanging"),
            Self::Jwt | Self::NoToken | Self::ForgedToken | Self::UnknownKey | Self::RotatedKey | Self::ShortToken => {
                (Method::GET, "/jwt")
            }
            Self::NewIssuer => (Method::GET, "/new"),
            Self::Preflight => (Method::OPTIONS, "/jwt"),
        };
        let mut builder = Request::builder().method(method).uri(format!("http://gateway.test{path}")).header(ID, id.to_string());
        let body = match self {
            Self::Post | Self::Lambda => payload(id),
            Self::Template => json!({"id": id.to_string(), "items": [id, 1, 2]}).to_string().into_bytes(),
            Self::Invalid => br#"{"name": 7}"#.to_vec(),
            _ => Vec::new(),
        };
        for (name, value) in self.headers(id, maker) {
            builder = builder.header(name, value);
        }
        if !body.is_empty() {
            builder = builder.header("content-type", "application/json");
        }
        builder.body(Full::new(body.into())).expect("names and values are plain")
    }

    fn headers(self, id: u32, maker: &Maker) -> Vec<(HeaderName, HeaderValue)> {
        let main = format!("http://{}/main", maker.issuer);
        let bearer = |token: String| vec![("authorization", format!("Bearer {token}"))];
        // A token is used some times, by clients as here.
        let who = id / 16;
        let headers = match self {
            Self::Keyed => vec![("x-api-key", super::documents::KEY.to_owned())],
            Self::OverQuota => vec![("x-api-key", super::documents::SPENT_KEY.to_owned())],
            Self::Authorized | Self::Hanging => vec![("x-who", "somebody".to_owned())],
            Self::Denied => vec![("x-who", "nobody".to_owned())],
            Self::Remembered => vec![("authorization", format!("desk-{}", id % 3_000))],
            Self::Jwt => bearer(maker.signer.token(&main, Key::First, who, LONG)),
            Self::ForgedToken => {
                let token = maker.signer.token(&main, Key::First, who, LONG);
                let (signed, signature) = token.rsplit_once('.').expect("a token has three parts");
                bearer(format!("{signed}.{}", signature.chars().rev().collect::<String>()))
            }
            Self::UnknownKey => bearer(maker.signer.token(&main, Key::Never, who, LONG)),
            Self::RotatedKey => bearer(maker.signer.token(&main, Key::Second, who, LONG)),
            Self::NewIssuer => {
                let path = maker.new_issuer.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let issuer = format!("http://{}/{path}", maker.issuer);
                bearer(maker.signer.token(&issuer, Key::First, who, LONG))
            }
            Self::ShortToken => bearer(maker.signer.token(&main, Key::First, who, (-1_800, 1_800))),
            Self::Preflight => {
                vec![("origin", "https://app.example.com".to_owned()), ("access-control-request-method", "GET".to_owned())]
            }
            _ => Vec::new(),
        };
        let named = |(name, value): (&'static str, String)| {
            (HeaderName::from_static(name), HeaderValue::try_from(value).expect("it is plain text"))
        };
        headers.into_iter().map(named).collect()
    }

    /// What is wrong with an answer whose status is the right one.
    pub fn judge(self, id: u32, headers: &HeaderMap, body: &[u8]) -> Result<(), String> {
        let json = || serde_json::from_slice::<Value>(body).map_err(|error| error.to_string());
        let same = |is: bool| if is { Ok(()) } else { Err(format!("another body: `{}`", shown(body))) };
        let says = |text: &str| json().and_then(|value| same(value["message"] == text));
        match self {
            Self::Post => same(body == payload(id)),
            Self::Open
            | Self::BackendError
            | Self::Keyed
            | Self::Authorized
            | Self::Remembered
            | Self::Jwt
            | Self::RotatedKey
            | Self::NewIssuer
            | Self::ShortToken => same(body == echo(id)),
            Self::Mock => json().and_then(|value| same(value["id"] == *id.to_string() && value["version"].is_u64())),
            Self::Template => same(json()? == json!({"id": id.to_string(), "count": 3, "first": id})),
            Self::Lambda => same(json()? == json!({"id": id.to_string()})),
            Self::NoKey | Self::Denied => says("Forbidden"),
            Self::OverQuota => says("Limit Exceeded"),
            Self::Hanging => says("Internal Server Error"),
            Self::NoToken | Self::ForgedToken | Self::UnknownKey => says("Unauthorized"),
            Self::Unknown => says("Missing Authentication Token"),
            Self::Invalid => says("Invalid request body"),
            Self::Preflight => match headers.get("access-control-allow-origin") {
                Some(origin) if origin == "https://app.example.com" => same(body.is_empty()),
                origin => Err(format!("a preflight that allows {origin:?}")),
            },
        }
    }
}

/// As much of a body as a line takes.
pub fn shown(body: &[u8]) -> String {
    String::from_utf8_lossy(body).chars().take(160).collect()
}
