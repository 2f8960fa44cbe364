//! How streams begin, what wakes them, and how they end.

use super::{Connection, Side, Stream, StreamId, edge};
use crate::body::Body;
use crate::headers::HeaderMap;
use crate::output::{Output, StreamEnd};
use crate::state::{Context, LocalReply};
use crate::vm::Call;
use crate::worker::Worker;
use bytes::Bytes;
use std::time::Duration;

/// `response.flags` of a stream that was idle too long.
const STREAM_IDLE_TIMEOUT: u64 = 0x1_0000;

impl Worker {
    /// A request head arrived. With `end` there is neither a body nor trailers.
    pub fn begin(&mut self, connection: Connection, head: HeaderMap, end: bool) -> StreamId {
        self.reload_if_due();
        let (now, wall) = (self.now(), self.wall());
        let settings = self.settings();
        let mut stream = Stream::new(connection, now, wall);
        let mut head = head;
        let state = self.vm_mut().state_mut();
        edge::receive(&mut head, &stream, &settings.listener, &mut state.random);
        stream.is_head = head.get(":method") == Some(b"HEAD");
        stream.is_grpc = head
            .get("content-type")
            .is_some_and(|kind| kind.starts_with(b"application/grpc") && matches!(kind.get(16), None | Some(b'+')));
        stream.request_deadline = settings.listener.request_timeout.map(|timeout| now + timeout);
        stream.idle_deadline = settings.listener.stream_idle_timeout.map(|timeout| now + timeout);
        let id = self.new_stream_id();
        let (root, failed) = (self.root(), self.vm().failed);
        let state = self.vm_mut().state_mut();
        stream.generation = state.guest.generation;
        if !failed {
            stream.context = state.new_context(Context::Stream { root, stream: id });
        }
        let context = stream.context;
        state.streams.insert(id, stream);
        if !failed {
            self.call_plain(context, Call::ContextCreate { parent: root });
        }
        self.head_in(id, Side::Request, head, end);
        id
    }

    /// A request head as the filter would see it, which is not what came over the wire. An id that the listener makes is another
    /// one for each request.
    pub fn head_at_filter(&mut self, connection: &Connection, mut head: HeaderMap) -> HeaderMap {
        let stream = Stream::new(connection.clone(), Duration::ZERO, Duration::ZERO);
        let settings = self.settings();
        edge::receive(&mut head, &stream, &settings.listener, &mut self.vm_mut().state_mut().random);
        head
    }

    /// A part of the request body arrived.
    pub fn request_data(&mut self, id: StreamId, data: Bytes, end: bool) {
        self.touch(id);
        let Some(stream) = self.stream_mut(id) else { return };
        stream.request_bytes += data.len() as u64;
        if !stream.response_started || stream.router.exchange.is_some() {
            self.data_in(id, Side::Request, Body::from(data), end);
        }
    }

    /// The request's trailers arrived; they end it.
    pub fn request_trailers(&mut self, id: StreamId, trailers: HeaderMap) {
        self.touch(id);
        let Some(stream) = self.stream_mut(id) else { return };
        if !stream.response_started || stream.router.exchange.is_some() {
            self.trailers_in(id, Side::Request, trailers);
        }
    }

    /// The client is gone. Callouts that the stream has started go on.
    pub fn downstream_reset(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.code_details.get_or_insert_with(|| "downstream_remote_disconnect".into());
        }
        self.finish(id);
    }

    /// Cuts the client off.
    pub(super) fn reset_downstream(&mut self, id: StreamId) {
        if self.stream_mut(id).is_some() {
            self.output(Output::ResponseReset { stream: id });
            self.finish(id);
        }
    }

    /// The stream is over: the guest is told, and forgets it.
    pub(super) fn finish(&mut self, id: StreamId) {
        self.cancel_upstream(id);
        let now = self.now();
        let failed = self.vm().failed;
        let generation = self.vm().state().guest.generation;
        let Some(stream) = self.stream_mut(id) else { return };
        if stream.ended_at.is_some() {
            return;
        }
        stream.ended_at = Some(now);
        let alive = !failed && stream.generation == generation;
        let context = stream.context;
        // While the guest logs, it may read what there was.
        for half in [&mut stream.request, &mut stream.response] {
            half.freeze(true);
        }
        if alive {
            self.call_plain(context, Call::Log);
            for side in [Side::Request, Side::Response] {
                if let Some(half) = self.half_mut(id, side) {
                    half.freeze(false);
                }
            }
            self.call_plain(context, Call::Done);
            self.call_plain(context, Call::Delete);
            self.vm_mut().state_mut().guest.contexts.remove(&context);
        }
        if let Some(stream) = self.vm_mut().state_mut().streams.remove(&id) {
            let end = StreamEnd { filter_state: stream.filter_state, code_details: stream.code_details };
            self.output(Output::StreamEnded { stream: id, end });
        }
    }

    /// Runs a callback whose answer does not matter.
    pub(crate) fn call_plain(&mut self, context: u32, call: Call) {
        if self.vm().failed {
            return;
        }
        match self.vm_mut().call(context, call) {
            Ok(_) => self.run_deferred(),
            Err(trap) => {
                self.trapped(trap);
                self.run_deferred();
            }
        }
    }

    /// Something moved: the idle time starts again.
    pub(super) fn touch(&mut self, id: StreamId) {
        let now = self.now();
        let idle = self.settings().listener.stream_idle_timeout;
        if let Some(stream) = self.stream_mut(id) {
            stream.idle_deadline = idle.map(|idle| now + idle);
        }
    }

    /// Tells the source of a direction to wait or to go on.
    pub(super) fn flow(&mut self, id: StreamId, side: Side, go: bool) {
        let exchange = self.stream_mut(id).and_then(|stream| stream.router.exchange);
        match (side, exchange) {
            (Side::Request, _) => self.output(Output::RequestFlow { stream: id, go }),
            (Side::Response, Some(exchange)) => {
                self.output(Output::UpstreamFlow { exchange, go });
            }
            (Side::Response, None) => {}
        }
    }

    /// The earliest deadline of any stream.
    pub(crate) fn next_stream_deadline(&self) -> Option<Duration> {
        let streams = self.vm().state().streams.values();
        streams.flat_map(|s| [s.router.deadline, s.request_deadline, s.idle_deadline]).flatten().min()
    }

    /// Ends the waits whose time is over.
    pub(crate) fn expire_streams(&mut self, now: Duration) {
        let due = |deadline: Option<Duration>| deadline.is_some_and(|deadline| deadline <= now);
        let ids: Vec<StreamId> = self.vm().state().streams.keys().copied().collect();
        for id in ids {
            let Some(stream) = self.stream_mut(id) else { continue };
            if due(stream.router.deadline) {
                self.response_timed_out(id);
            } else if due(stream.request_deadline) {
                stream.request_deadline = None;
                // The client was slow, or the filter held what it had.
                let status = if stream.request.ended { 504 } else { 408 };
                self.local_reply(id, LocalReply::new(status, "request timeout", "request_overall_timeout"));
            } else if due(stream.idle_deadline) {
                stream.idle_deadline = None;
                stream.response_flags |= STREAM_IDLE_TIMEOUT;
                // The client was slow, or we were.
                let status = if stream.request.ended { 504 } else { 408 };
                self.local_reply(id, LocalReply::new(status, "stream timeout", "stream_idle_timeout"));
            }
        }
    }
}
