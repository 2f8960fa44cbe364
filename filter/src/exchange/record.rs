//! What one request leaves behind: told step by step where its method has an execution log, kept while it is on its way, counted and
//! logged once its stream is over.

use crate::context::Context;
use crate::definition::Protocol;
use crate::execution_log::ExecutionLog;
use crate::flow::{Callout, CalloutOutcome, Question};
use crate::gateway::{Route, Stage};
use crate::gateway_response::Failure;
use crate::http::{Headers, RequestHead, Response, ResponseHead};
use crate::integration::is_of_backend;
use crate::metrics::Measured;
use crate::platform::Platform;
use std::sync::Arc;

/// A request without a stage is none of any API, and leaves nothing.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// On the monotonic clock.
    started: u64,
    /// When its answer began.
    answered: Option<u64>,
    stage: Option<Arc<Stage>>,
    route: Option<Arc<Route>>,
    status: Option<u16>,
    pub(super) authorizer: Asked,
    integration: Asked,
    /// Whether the guard let it in.
    admission: Admission,
    /// Bytes of the request's body, and of the response's.
    received: u64,
    sent: u64,
    /// Kept for the access log only.
    context: Option<Box<Context>>,
}

/// Somebody who was asked, and what came of it.
#[derive(Debug, Default)]
pub(super) struct Asked {
    since: Option<u64>,
    latency: Option<u64>,
    /// The status of the answer itself: Lambda's, and not the function's.
    status: Option<u16>,
    request_id: Option<String>,
    /// The second id of S3.
    second_id: Option<String>,
    /// What the integration made of it: the function's own status.
    answered: Option<u16>,
    error: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Admission {
    /// Nobody decided yet.
    #[default]
    Open,
    Granted,
    Refused,
}

const NANOS_A_MILLI: u64 = 1_000_000;

/// What access logs call `responseTransferMode: STREAM`.
const STREAMED: &str = "STREAMED";

// === impl Asked ===

impl Asked {
    pub(super) fn ask(&mut self, platform: &dyn Platform) {
        self.since = Some(platform.monotonic_nanos());
    }

    /// Before somebody is asked the proxy itself may answer.
    fn answer(&mut self, head: &ResponseHead, platform: &dyn Platform) {
        if self.since.is_none() {
            return;
        }
        self.ended(platform);
        self.status = Some(head.status);
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let id = |headers: &Headers, name: &str| headers.get(name).map(text);
        self.request_id = id(&head.headers, "x-amzn-requestid").or_else(|| id(&head.headers, "x-amz-request-id"));
        self.second_id = id(&head.headers, "x-amz-id-2");
    }

    pub(super) fn called(&mut self, outcome: &CalloutOutcome, platform: &dyn Platform) {
        match outcome {
            Ok(Response { head, .. }) if is_of_backend(head) => self.answer(head, platform),
            _ => self.ended(platform),
        }
    }

    /// Nobody fails who was not asked.
    fn fail(&mut self, failure: &Failure, platform: &dyn Platform) {
        if self.since.is_none() {
            return;
        }
        if self.latency.is_none() {
            self.ended(platform);
        }
        self.error = Some(failure.describe());
    }

    /// What the integration made of the answer.
    fn became(&mut self, status: u16) {
        self.answered = Some(status);
    }

    /// How long it took, in milliseconds.
    fn millis(&self) -> u64 {
        self.latency.unwrap_or_default()
    }

    fn ended(&mut self, platform: &dyn Platform) {
        self.latency = self.since.map(|since| platform.monotonic_nanos().saturating_sub(since) / NANOS_A_MILLI);
    }
}

// === impl Record ===

impl Record {
    pub(super) fn begin(&mut self, platform: &dyn Platform) {
        self.started = platform.monotonic_nanos();
    }

    /// It is one of this stage.
    pub(super) fn staged(&mut self, stage: &Arc<Stage>, context: &Context, platform: &dyn Platform) {
        if stage.access_log.is_some() {
            // The line has the time at which the request came, not that at which it was over.
            context.received_millis(platform);
        }
        self.stage = Some(Arc::clone(stage));
    }

    pub(super) fn routed(&mut self, route: &Arc<Route>, context: &Context, platform: &dyn Platform) {
        self.route = Some(Arc::clone(route));
        self.tell(|log| log.started(context, platform));
    }

    /// So much came of its body.
    pub(super) fn received(&mut self, size: usize) {
        self.received = size as u64;
    }

    /// So much more of the answer's body went to the client.
    pub(super) fn sent(&mut self, size: usize) {
        self.sent = self.sent.saturating_add(size as u64);
    }

    pub(super) fn admitted(&mut self) {
        self.admission = Admission::Granted;
    }

    pub(super) fn not_admitted(&mut self, failure: &Failure) {
        self.admission = Admission::Refused;
        self.authorizer.error = Some(failure.describe());
    }

    /// The integration answers by itself; a body that is not there in whole is not known.
    pub(super) fn arrived(&self, context: &Context, is_whole: bool, platform: &dyn Platform) {
        self.tell(|log| log.admitted(context, is_whole, platform));
    }

    /// It goes on to the upstream.
    pub(super) fn forwarded(&mut self, context: &Context, is_whole: bool, head: &RequestHead, platform: &dyn Platform) {
        self.integration.ask(platform);
        self.arrived(context, is_whole, platform);
        self.tell(|log| log.sending(context, head, None, platform));
    }

    /// The integration makes a call of its own.
    pub(super) fn called(&mut self, context: &Context, is_whole: bool, callout: &Callout, platform: &dyn Platform) {
        self.integration.ask(platform);
        self.arrived(context, is_whole, platform);
        if let Question::Http { head, body } = &callout.question {
            self.tell(|log| log.sending(context, head, Some(body), platform));
        }
    }

    /// The upstream answered.
    pub(super) fn upstream_answered(&mut self, context: &Context, head: &ResponseHead, platform: &dyn Platform) {
        self.integration.answer(head, platform);
        self.tell(|log| log.received(context, head, None, self.integration.millis(), platform));
    }

    /// The integration's call is over.
    pub(super) fn call_ended(&mut self, context: &Context, outcome: &CalloutOutcome, platform: &dyn Platform) {
        self.integration.called(outcome, platform);
        if let Ok(Response { head, body }) = outcome {
            if is_of_backend(head) {
                self.tell(|log| log.received(context, head, Some(body), self.integration.millis(), platform));
            }
        }
    }

    /// The function itself said this status.
    pub(super) fn integration_became(&mut self, status: u16) {
        self.integration.became(status);
    }

    /// The integration, or its backend, is why a gateway response comes.
    pub(super) fn integration_failed(&mut self, failure: &Failure, platform: &dyn Platform) {
        self.integration.fail(failure, platform);
    }

    /// The integration's answer goes to the client; a body that streams is not known.
    pub(super) fn succeeded(&self, context: &Context, head: &ResponseHead, body: Option<&[u8]>, platform: &dyn Platform) {
        self.tell(|log| log.succeeded(context, head, body, platform));
    }

    /// A gateway response goes to the client.
    pub(super) fn failed(&self, context: &Context, failure: &Failure, response: &Response, platform: &dyn Platform) {
        self.tell(|log| log.failed(context, &failure.describe(), response, platform));
    }

    /// It is answered, with the status that the client sees, and the body that is there already.
    pub(super) fn answered(&mut self, status: u16, body: &[u8], context: Context, platform: &dyn Platform) {
        self.answered = Some(platform.monotonic_nanos());
        self.status = Some(status);
        self.carried(body, context.client_sent_head);
        self.keep(context);
    }

    /// The answer has this body, and an answer to HEAD none.
    pub(super) fn carried(&mut self, body: &[u8], client_sent_head: bool) {
        self.sent = if client_sent_head { 0 } else { body.len() as u64 };
    }

    /// What the access log wants to know.
    pub(super) fn keep(&mut self, context: Context) {
        if self.stage.as_ref().is_some_and(|stage| stage.access_log.is_some()) {
            self.context = Some(Box::new(context));
        }
    }

    /// The stream is over.
    pub(super) fn close(&self, platform: &dyn Platform) {
        let Some(stage) = &self.stage else { return };
        let series = self.route.as_ref().map_or(&stage.series, |route| route.series(stage));
        let measured = Measured {
            status: self.status,
            latency: self.latency(),
            integration_latency: self.integration.latency,
            data_processed: self.received.saturating_add(self.sent),
        };
        series.record(measured, platform);
        if let (Some(log), Some(context)) = (&stage.access_log, &self.context) {
            platform.write_access_log(&log.line(&|name| self.variable(name, stage, context, platform)));
        }
    }

    /// For the execution log of its method, where that has one.
    fn tell(&self, what: impl FnOnce(&ExecutionLog)) {
        if let Some(log) = self.route.as_ref().and_then(|route| route.execution_log.as_ref()) {
            what(log);
        }
    }

    /// From the request's first byte to the answer's, in milliseconds.
    fn latency(&self) -> Option<u64> {
        Some(self.answered?.saturating_sub(self.started) / NANOS_A_MILLI)
    }

    /// A variable by its name without `$context.`. AWS: "Variables for access logging for API Gateway".
    fn variable(&self, name: &str, stage: &Stage, context: &Context, platform: &dyn Platform) -> Option<String> {
        let (integration, authorizer) = (&self.integration, &self.authorizer);
        let number = |number: Option<u64>| number.map(|number| number.to_string());
        let status = |status: Option<u16>| number(status.map(u64::from));
        match name {
            "status" => status(self.status),
            "responseLatency" => number(self.latency()),
            "responseLength" => number(self.status.map(|_| self.sent)),
            "integrationLatency" | "integration.latency" => number(integration.latency),
            // Lambda's, and the function's.
            "integrationStatus" | "integration.integrationStatus" => status(integration.status),
            "integration.status" => status(integration.answered.or(integration.status)),
            "integration.responseTransferMode" => integration.since.map(|_| self.transfer_mode().to_owned()),
            "integration.timeToAllHeaders" => number(integration.latency).filter(|_| self.transfer_mode() == STREAMED),
            "integration.requestId" | "awsEndpointRequestId" => integration.request_id.clone(),
            "awsEndpointRequestId2" => integration.second_id.clone(),
            "integration.error" | "integrationErrorMessage" => integration.error.clone(),
            "authorizer.latency" | "authorizer.integrationLatency" => number(authorizer.latency),
            "authorizer.integrationStatus" => status(authorizer.status),
            "authorizer.requestId" => authorizer.request_id.clone(),
            "authorizer.status" => status(self.authorization(Decider::Authorizer)),
            "authorizer.error" => self.authorization(Decider::Authorizer).and(authorizer.error.clone()),
            "authorize.status" => status(self.permission(context)),
            "authenticate.status" => status(self.authentication(context)),
            // A signature and a policy are looked at here, in no time.
            "authenticate.latency" => self.authentication(context).map(|_| "0".to_owned()),
            "authorize.latency" => self.permission(context).map(|_| "0".to_owned()),
            "authorize.error" => self.permission(context).and(authorizer.error.clone()),
            "authenticate.error" => self.authentication(context).filter(|status| *status != 200).and(authorizer.error.clone()),
            "customDomain.basePathMatched" if !stage.hosts.is_empty() => Some(stage.base_path.trim_start_matches('/').to_owned()),
            // assumed(log-endpoint-type): a definition does not say what kind of endpoint it is served at.
            "endpointType" => Some("REGIONAL".to_owned()),
            "tlsVersion" => platform.tls_version(),
            // assumed(log-data-processed): AWS says "the amount of data processed in bytes", and not of what.
            "dataProcessed" if context.protocol == Protocol::Http => number(Some(self.received.saturating_add(self.sent))),
            // assumed(log-trace-id): the root alone, as it is seen in logs.
            "xrayTraceId" => root_of(&context.trace_id(platform)),
            name => context.variable(name, platform),
        }
    }

    fn transfer_mode(&self) -> &'static str {
        if self.route.as_ref().is_some_and(|route| route.streams) { STREAMED } else { "BUFFERED" }
    }

    /// 200, or what the caller got who was not let in. assumed(log-authorization): which statuses these are, and that without an
    /// authorizer there is none.
    fn authorization(&self, decider: Decider) -> Option<u16> {
        let guard = &self.route.as_ref()?.guard;
        let is_iam = guard.authorizer.as_ref()?.summary() == "AWS_IAM";
        if is_iam != (decider == Decider::Iam) {
            return None;
        }
        match self.admission {
            Admission::Open => None,
            Admission::Granted => Some(200),
            Admission::Refused => self.status,
        }
    }

    /// Whether a known caller may do what he asks for; nobody asks that of an unknown one.
    fn permission(&self, context: &Context) -> Option<u16> {
        self.authentication(context).filter(|status| *status == 200).and(self.authorization(Decider::Iam))
    }

    /// Whether a signature was that of a known caller, whatever he may do.
    fn authentication(&self, context: &Context) -> Option<u16> {
        let status = self.authorization(Decider::Iam)?;
        let is_known = context.error.as_ref().is_none_or(|error| error.response_type == "ACCESS_DENIED");
        Some(if is_known { 200 } else { status })
    }
}

/// Of whom a log asks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decider {
    Authorizer,
    Iam,
}

/// `1-…-…` of `Root=1-…-…;Parent=…`
fn root_of(trace: &str) -> Option<String> {
    trace.strip_prefix("Root=")?.split(';').next().map(str::to_owned)
}
