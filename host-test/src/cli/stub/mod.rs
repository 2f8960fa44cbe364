//! `tollgate stub`: a backend whose answers are written in a file, for examples, tests and work offline.

mod replies;

use std::path::PathBuf;
use std::sync::Arc;

use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};

use self::replies::{Asked, Replies, Reply};
use super::diagnostics::{self, Diagnostic};
use super::server::{self, Body, whole};
use super::source::Source;
use super::{Failure, Verdict};

/// More than API Gateway ever sends.
const MAX_BODY: usize = 16 * 1024 * 1024;

/// Run a backend whose answers are written in a file
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  tollgate stub replies.yaml --listen 127.0.0.1:9000
  tollgate serve api.yaml --upstream petstore.example.com=http://127.0.0.1:9000

The file lists replies; the first that fits the request is sent:

  replies:
    - method: GET                  # any method when it is left out
      path: /pets/{id}             # {name}: one segment, {name+}: all that follows
      status: 200                  # the default
      headers: {x-from: stub}
      body: {id: 7, type: dog}     # text is sent as it is, all else as JSON
      delayMillis: 50
    - path: /{rest+}
      echo: true                   # replies with the request, as JSON

Exit codes: 0 stopped by Ctrl-C or SIGTERM, 1 the file has errors or the port is taken, 2 wrong usage or an unreadable file.")]
pub struct Arguments {
    /// The replies, JSON or YAML
    file: PathBuf,
    /// Where to listen; port 0 takes any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:9000")]
    listen: String,
}

/// Serves the replies until it is told to stop.
pub fn run(arguments: &Arguments) -> Result<Verdict, Failure> {
    let mut source = Source::load_plain(&arguments.file)?;
    let replies = replies::read(&mut source);
    if !source.findings().is_empty() {
        let found: Vec<_> = source.findings().iter().map(|finding| Diagnostic::new(&source, finding)).collect();
        diagnostics::write_to_stderr(&found, &arguments.file.display().to_string());
        return Ok(Verdict::Problems);
    }
    let replies = Arc::new(replies);
    server::runtime()?.block_on(async {
        let (listener, local) = server::bind(&arguments.listen).await?;
        super::say(&format!("listening on http://{local}\n"));
        server::serve(listener, server::stop_signal(), move |request, _| {
            let replies = Arc::clone(&replies);
            async move { Ok(answer(replies, request).await) }
        })
        .await;
        Ok(Verdict::Good)
    })
}

async fn answer(replies: Arc<Replies>, request: Request<Incoming>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, MAX_BODY).collect().await {
        Ok(body) => body.to_bytes(),
        Err(_) => return message(StatusCode::PAYLOAD_TOO_LARGE, "the request body is larger than 16 MiB, or broken"),
    };
    let asked = Asked { head: &head, body: &body };
    let Some(reply) = replies.find(&head.method, head.uri.path()) else {
        return message(StatusCode::NOT_FOUND, &format!("no reply is written for {} {}", head.method, head.uri.path()));
    };
    // Even no time at all is a millisecond to a timer.
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    send(reply, &asked)
}

fn send(reply: &Reply, asked: &Asked<'_>) -> Response<Body> {
    let body = if reply.echo { asked.to_json().to_string() } else { reply.body.clone() };
    let mut response = Response::new(whole(body.into()));
    *response.status_mut() = reply.status;
    response.headers_mut().extend(reply.headers.clone());
    response
}

fn message(status: StatusCode, text: &str) -> Response<Body> {
    let mut response = Response::new(whole(serde_json::json!({"message": text}).to_string().into()));
    *response.status_mut() = status;
    let json = hyper::header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, json);
    response
}
