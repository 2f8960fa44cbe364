//! What stands behind the gateway, in this process: a backend, Lambda (its Invoke API) for functions and for authorizers, and an
//! issuer of tokens. Each writes down which ids reach it, and each can be told what goes wrong from now on.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use socket2::{Domain, SockRef, Socket, Type};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};

use super::kind::{ID, echo, payload};
use super::ledger::Ledger;
use super::tokens::Key;

/// Where a server is.
pub type Address = SocketAddr;

/// What a host does from now on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing is wrong.
    None,
    /// The answer comes after that time.
    Slow(Duration),
    /// Half of the answer comes, then the connection is reset.
    Reset,
    /// Another status, with nothing that could be used.
    Status(u16),
    /// The function failed, as Lambda says it when a function runs out of time.
    TimedOut,
    /// An answer that means nothing.
    Garbage,
    /// An answer of that many bytes.
    Huge(usize),
}

/// Who a host is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Backend,
    Lambda,
    Authorizers,
    Issuer,
}

/// One of them.
pub struct Host {
    address: Address,
    /// Bound, and never listening: the port stays ours while nobody listens.
    _reservation: Socket,
    shared: Arc<Shared>,
    serving: Mutex<Option<JoinHandle<()>>>,
    runtime: Handle,
}

struct Shared {
    role: Role,
    address: Address,
    trouble: Mutex<Trouble>,
    /// Of the issuer: what each path publishes.
    keys: Mutex<BTreeMap<String, Vec<Key>>>,
    ledger: Arc<Ledger>,
}

/// All of them.
pub struct Upstreams {
    pub backend: Host,
    pub lambda: Host,
    pub authorizers: Host,
    pub issuer: Host,
}

/// A body that comes whole, or breaks off in its midst.
struct Answer {
    pieces: Vec<Bytes>,
    length: u64,
    breaks: Option<Pin<Box<tokio::time::Sleep>>>,
}

// === impl Upstreams ===

impl Upstreams {
    /// Starts them; each writes into this ledger.
    pub fn start(ledger: &Arc<Ledger>) -> Self {
        let host = |role| Host::start(role, ledger);
        Self {
            backend: host(Role::Backend),
            lambda: host(Role::Lambda),
            authorizers: host(Role::Authorizers),
            issuer: host(Role::Issuer),
        }
    }
}

// === impl Host ===

impl Host {
    fn start(role: Role, ledger: &Arc<Ledger>) -> Self {
        let reservation = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        let address = reservation.local_addr().expect("it is bound").as_socket().expect("it is an IP socket");
        let shared = Shared {
            role,
            address,
            trouble: Mutex::new(Trouble::None),
            keys: Mutex::new(BTreeMap::new()),
            ledger: Arc::clone(ledger),
        };
        let host = Self {
            address,
            _reservation: reservation,
            shared: Arc::new(shared),
            serving: Mutex::new(None),
            runtime: Handle::current(),
        };
        host.up();
        host
    }

    /// Where it listens.
    pub fn address(&self) -> Address {
        self.address
    }

    /// What goes wrong with the requests that come from now on.
    pub fn play(&self, trouble: Trouble) {
        *lock(&self.shared.trouble) = trouble;
    }

    /// What an issuer publishes at a path; [`Key::First`] until this is said.
    pub fn publish(&self, path: &str, keys: &[Key]) {
        lock(&self.shared.keys).insert(path.to_owned(), keys.to_vec());
    }

    /// Connections are refused, and those that are there are reset.
    pub fn down(&self) {
        let Some(serving) = lock(&self.serving).take() else { return };
        serving.abort();
        while !serving.is_finished() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// It listens again.
    pub fn up(&self) {
        let socket = bind(self.address);
        socket.listen(1_024).expect("the port is ours");
        socket.set_nonblocking(true).expect("an option of every socket");
        let _inside = self.runtime.enter();
        let listener = tokio::net::TcpListener::from_std(socket.into()).expect("it listens");
        let shared = Arc::clone(&self.shared);
        *lock(&self.serving) = Some(self.runtime.spawn(serve(listener, shared)));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn bind(address: SocketAddr) -> Socket {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("there are sockets");
    socket.set_reuse_address(true).expect("an option of every socket");
    socket.bind(&address.into()).unwrap_or_else(|error| panic!("cannot bind {address}: {error}"));
    socket
}

/// The connections end with this.
async fn serve(listener: tokio::net::TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        while connections.try_join_next().is_some() {}
        // A connection that is closed is reset: none ever has a reason to be closed but a fault.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        connections.spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Answer>, Infallible> {
    let trouble = *lock(&shared.trouble);
    let path = request.uri().path().to_owned();
    let id = request.headers().get(ID).and_then(|id| id.to_str().ok()?.parse().ok());
    let Ok(body) = request.into_body().collect().await else { return Ok(respond(400, Vec::new(), &[])) };
    let body = body.to_bytes();
    let (status, headers, answer) = match shared.role {
        Role::Backend => shared.backend(&path, id, &body),
        Role::Lambda => shared.function(&body),
        Role::Authorizers => shared.authorizer(&path, &body).await,
        Role::Issuer => shared.issuer(&path),
    };
    let headers = &headers;
    let response = match trouble {
        Trouble::None => respond(status, answer, headers),
        Trouble::Slow(time) => {
            tokio::time::sleep(time).await;
            respond(status, answer, headers)
        }
        Trouble::Reset => {
            let mut response = respond(status, answer, headers);
            response.body_mut().break_off();
            response
        }
        Trouble::Status(status) => respond(status, br#"{"message":"it is broken"}"#.to_vec(), &[]),
        Trouble::TimedOut => {
            let failed = br#"{"errorMessage":"2026-11-21T00:00:00.000Z 1 Task timed out after 3.00 seconds"}"#;
            respond(200, failed.to_vec(), &[("x-amz-function-error", "Unhandled".to_owned())])
        }
        Trouble::Garbage => respond(200, b"\x00\xff<html>{\"isAuthorized\": true, \"keys\"".to_vec(), &[]),
        Trouble::Huge(size) => {
            let keys = json!({"keys": [Key::First.published()], "filler": "x".repeat(size)});
            respond(200, keys.to_string().into_bytes(), &[])
        }
    };
    Ok(response)
}

type Content = (u16, Vec<(&'static str, String)>, Vec<u8>);

// === impl Shared ===

impl Shared {
    fn backend(&self, path: &str, id: Option<u32>, body: &[u8]) -> Content {
        let Some(id) = id else {
            self.ledger.garbled(format!("the backend got {path} without an id"));
            return (400, Vec::new(), Vec::new());
        };
        self.ledger.arrived(id);
        let (is_right, status, answer) = match path {
            "/post" => (body == payload(id), 200, body.to_vec()),
            "/wrapped" => {
                let wanted = json!({"wrapped": [id, 1, 2], "id": id.to_string()});
                let is_right = serde_json::from_slice::<Value>(body).is_ok_and(|value| value == wanted);
                let answer = json!({"id": id.to_string(), "wrapped": {"size": 3, "items": [id, 1, 2]}});
                (is_right, 200, answer.to_string().into_bytes())
            }
            "/error" => (body.is_empty(), 507, echo(id)),
            "/valid" => (false, 200, Vec::new()),
            _ => (body.is_empty(), 200, echo(id)),
        };
        if !is_right {
            self.ledger.garbled(format!("the backend got {path} of {id} with `{}`", super::kind::shown(body)));
        }
        (status, vec![("content-type", "application/json".to_owned()), (ID, id.to_string())], answer)
    }

    fn function(&self, body: &[u8]) -> Content {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let Some(id) = id_of(&event) else {
            self.ledger.garbled(format!("a function got `{}`", super::kind::shown(body)));
            return (200, Vec::new(), b"{}".to_vec());
        };
        self.ledger.arrived(id);
        if event["body"].as_str().map(str::as_bytes) != Some(payload(id).as_slice()) {
            self.ledger.garbled(format!("a function got another body for {id}"));
        }
        let answer = json!({"statusCode": 200, "headers": {ID: id.to_string()}, "body": json!({"id": id.to_string()}).to_string()});
        (200, Vec::new(), answer.to_string().into_bytes())
    }

    async fn authorizer(&self, path: &str, body: &[u8]) -> Content {
        let event: Value = serde_json::from_slice(body).unwrap_or_default();
        let answer = if path.contains("function:desk/") {
            json!({"principalId": event["authorizationToken"], "policyDocument": {"Version": "2012-10-17", "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": "*"}]}})
        } else {
            match id_of(&event) {
                Some(id) => self.ledger.asked(id),
                None => self.ledger.garbled(format!("an authorizer got `{}`", super::kind::shown(body))),
            }
            if path.contains("function:hangs/") {
                std::future::pending::<()>().await;
            }
            json!({"isAuthorized": event["headers"]["x-who"] == "somebody", "context": {"who": event["headers"]["x-who"]}})
        };
        (200, Vec::new(), answer.to_string().into_bytes())
    }

    fn issuer(&self, path: &str) -> Content {
        let mut segments = path.trim_start_matches('/').split('/');
        let (issuer, file) = (segments.next().unwrap_or_default(), segments.next().unwrap_or_default());
        let url = format!("http://{}/{issuer}", self.address);
        let answer = match file {
            "jwks" => {
                let keys = lock(&self.keys).get(issuer).cloned().unwrap_or_else(|| vec![Key::First]);
                json!({"keys": keys.into_iter().map(Key::published).collect::<Vec<_>>()})
            }
            _ => json!({"issuer": url, "jwks_uri": format!("{url}/jwks")}),
        };
        (200, Vec::new(), answer.to_string().into_bytes())
    }
}

/// The id of the request that an event tells of.
fn id_of(event: &Value) -> Option<u32> {
    event["headers"][ID].as_str()?.parse().ok()
}

fn respond(status: u16, body: Vec<u8>, headers: &[(&'static str, String)]) -> Response<Answer> {
    let length = body.len() as u64;
    let mut builder = Response::builder().status(status).header("content-length", length);
    for (name, value) in headers {
        builder = builder.header(*name, value);
    }
    builder.body(Answer { pieces: vec![body.into()], length, breaks: None }).expect("names and values are plain")
}

// === impl Answer ===

impl Answer {
    /// Half of it comes, and a moment later the connection ends.
    fn break_off(&mut self) {
        for piece in &mut self.pieces {
            piece.truncate(piece.len() / 2);
        }
        self.breaks = Some(Box::pin(tokio::time::sleep(Duration::from_millis(20))));
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        if let Some(piece) = self.pieces.pop() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        match &mut self.breaks {
            None => Poll::Ready(None),
            Some(sleep) => sleep.as_mut().poll(context).map(|()| Some(Err(std::io::ErrorKind::ConnectionReset.into()))),
        }
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}
