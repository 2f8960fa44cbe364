//! A gRPC client by hand, over hyper's HTTP/2: a connection is a connection.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{self, SendRequest};
use hyper_util::rt::{TokioExecutor, TokioIo};
use prost::Message;
use tokio::net::TcpStream;

use super::messages::{HealthRequest, HealthResponse, Request, Response};

/// Longer than any answer takes, shorter than a hang.
const PATIENCE: Duration = Duration::from_secs(20);

/// What gRPC calls the status of an answer that is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub code: u32,
    pub message: String,
}

pub const INVALID_ARGUMENT: u32 = 3;
pub const NOT_FOUND: u32 = 5;
pub const UNIMPLEMENTED: u32 = 12;
pub const UNAVAILABLE: u32 = 14;

/// One connection.
#[derive(Clone)]
pub struct Client(SendRequest<Full<Bytes>>);

// === impl Client ===

impl Client {
    pub async fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the service accepts");
        stream.set_nodelay(true).expect("an option of every socket");
        let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.expect("it speaks HTTP/2");
        tokio::spawn(connection);
        Self(sender)
    }

    /// Asks the service.
    pub async fn ask(&self, request: &Request) -> Result<Response, Refused> {
        self.call("/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit", request).await
    }

    /// The same, where an error is one of the test.
    pub async fn answer(&self, request: &Request) -> Response {
        self.ask(request).await.unwrap_or_else(|refused| panic!("{refused:?}"))
    }

    /// Whether a service is healthy: 1 is serving, 2 is not.
    pub async fn health(&self, service: &str) -> Result<i32, Refused> {
        let request = HealthRequest { service: service.to_owned() };
        self.call::<_, HealthResponse>("/grpc.health.v1.Health/Check", &request).await.map(|response| response.status)
    }

    pub async fn call<A: Message, B: Message + Default>(&self, path: &str, request: &A) -> Result<B, Refused> {
        let exchange = self.exchange(path, "application/grpc", request.encode_to_vec());
        let (head, body) = tokio::time::timeout(PATIENCE, exchange).await.expect("an answer comes");
        assert_eq!(head.status, 200);
        let code = head.headers.get("grpc-status").expect("a gRPC answer has a status").to_str().unwrap().parse().unwrap();
        if code != 0 {
            let message = head.headers.get("grpc-message").map_or("", |message| message.to_str().unwrap());
            return Err(Refused { code, message: percent_decoded(message) });
        }
        assert_eq!(body.first(), Some(&0), "not compressed");
        Ok(B::decode(&body[5..]).expect("it is the message"))
    }

    /// The head, with the trailers among its headers, and the body.
    pub async fn exchange(&self, path: &str, content_type: &str, message: Vec<u8>) -> (hyper::http::response::Parts, Bytes) {
        let mut framed = BytesMut::new();
        framed.put_u8(0);
        framed.put_u32(u32::try_from(message.len()).unwrap());
        framed.put_slice(&message);
        let request = hyper::Request::post(format!("http://service{path}"))
            .header("content-type", content_type)
            .header("te", "trailers")
            .body(Full::new(framed.freeze()))
            .unwrap();
        let response = self.0.clone().send_request(request).await.expect("an answer comes");
        let (mut head, body) = response.into_parts();
        let body = body.collect().await.expect("the body comes");
        head.headers.extend(body.trailers().cloned().unwrap_or_default());
        (head, body.to_bytes())
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [a, b, tail @ ..]) => {
                bytes.push(u8::from_str_radix(std::str::from_utf8(&[*a, *b]).unwrap(), 16).unwrap());
                rest = tail;
            }
            _ => bytes.push(*first),
        }
    }
    String::from_utf8(bytes).unwrap()
}
