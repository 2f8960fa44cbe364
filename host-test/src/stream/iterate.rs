//! The filter manager's iteration around one filter, for either direction.
//!
//! The order of steps follows Envoy's `ActiveStreamFilterBase`: a status is applied once the
//! callback and what it deferred are done; a resumed stream lets the head go first, then what is
//! held, then the trailers; after a stop of everything the filter sees what was held before it.

use super::{Iteration, Side, StreamId};
use crate::body::Body;
use crate::headers::HeaderMap;
use crate::settings::LogLevel;
use crate::state::{Deferred, LocalReply};
use crate::vm::Call;
use crate::worker::Worker;

/// What became of a callback.
pub(super) enum Ran {
    Status(u32),
    /// A callback sent a local reply: whatever it returned, nothing goes on.
    Replied,
    /// There is no filter any more, and the request has not been answered for it yet.
    Failed,
}

impl Worker {
    /// A head arrives before the filter.
    pub(super) fn head_in(&mut self, id: StreamId, side: Side, headers: HeaderMap, end: bool) {
        let count = headers.len() as u32;
        let Some(half) = self.half_mut(id, side) else { return };
        half.headers = Some(headers);
        half.headers_shown = true;
        half.ended = end;
        let ran = self.filter(
            id,
            match side {
                Side::Request => Call::RequestHeaders { count, end },
                Side::Response => Call::ResponseHeaders { count, end },
            },
        );
        let stop_is_stop_all = !self.settings().plugin.allow_on_headers_stop_iteration;
        let Some(half) = self.half_mut(id, side) else { return };
        match ran {
            Ran::Status(0) if half.headers_passed => {
                let message = "the stream was continued inside the callback that returned \
                    Continue: Envoy forwards such a request twice";
                self.log(LogLevel::Error, message);
            }
            Ran::Status(0) => {
                half.headers_shown = false;
                half.headers_passed = true;
                self.pass_head(id, side, end);
            }
            Ran::Status(1) if !stop_is_stop_all => half.iteration = Iteration::StopSingle,
            Ran::Status(_) | Ran::Replied | Ran::Failed => half.iteration = Iteration::StopAll,
        }
        self.after_callback(id);
    }

    /// Data arrives before the filter.
    pub(super) fn data_in(&mut self, id: StreamId, side: Side, data: Body, end: bool) {
        let Some(half) = self.half_mut(id, side) else { return };
        half.ended |= end;
        if half.iteration == Iteration::StopAll {
            self.hold(id, side, data, false);
        } else {
            self.filter_data(id, side, data, end, false);
        }
    }

    /// Trailers arrive before the filter; they end the body.
    pub(super) fn trailers_in(&mut self, id: StreamId, side: Side, trailers: HeaderMap) {
        let Some(half) = self.half_mut(id, side) else { return };
        half.ended = true;
        half.trailers = Some(trailers);
        if half.iteration != Iteration::StopAll {
            self.filter_trailers(id, side);
        }
    }

    /// Lets the filter see data: a new chunk, or what was held before it.
    fn filter_data(&mut self, id: StreamId, side: Side, data: Body, end: bool, was_held: bool) {
        let Some(half) = self.half_mut(id, side) else { return };
        if half.buffering {
            // The chunk joins what the filter asked to buffer, and it sees the whole.
            if !self.hold(id, side, data, true) {
                return;
            }
        } else {
            half.chunk = Some(data);
        }
        let Some(half) = self.half_mut(id, side) else { return };
        let size = half.shown_body().map_or(0, Body::len) as u32;
        let ran = self.filter(
            id,
            match side {
                Side::Request => Call::RequestBody { size, end },
                Side::Response => Call::ResponseBody { size, end },
            },
        );
        let Some(half) = self.half_mut(id, side) else { return };
        half.buffering = false;
        let chunk = half.chunk.take().unwrap_or_default();
        match ran {
            Ran::Status(0) if half.iteration == Iteration::Continue => {
                self.pass_data(id, side, chunk, end);
            }
            Ran::Status(0) => {
                if self.hold(id, side, chunk, false) {
                    self.resume(id, side);
                }
            }
            Ran::Status(1) => {
                half.buffering = true;
                half.iteration = Iteration::StopSingle;
                self.hold(id, side, chunk, !was_held);
            }
            Ran::Status(2) => {
                half.iteration = Iteration::StopSingle;
                self.hold(id, side, chunk, false);
            }
            Ran::Status(_) | Ran::Replied | Ran::Failed => {
                half.iteration = Iteration::StopSingle;
                // The chunk is dropped, but the end of the stream must not be lost with it.
                if was_held {
                    half.held = Some(chunk);
                } else if end && half.held.is_none() {
                    half.held = Some(Body::default());
                }
            }
        }
        self.after_callback(id);
    }

    fn filter_trailers(&mut self, id: StreamId, side: Side) {
        let Some(half) = self.half_mut(id, side) else { return };
        half.trailers_shown = true;
        let count = half.trailers.as_ref().map_or(0, HeaderMap::len) as u32;
        let ran = self.filter(
            id,
            match side {
                Side::Request => Call::RequestTrailers { count },
                Side::Response => Call::ResponseTrailers { count },
            },
        );
        let Some(half) = self.half_mut(id, side) else { return };
        match ran {
            Ran::Status(0) => {
                half.trailers_shown = false;
                if half.iteration == Iteration::Continue {
                    half.trailers_passed = true;
                    self.pass_trailers(id, side);
                } else {
                    self.resume(id, side);
                }
            }
            _ => half.iteration = Iteration::StopSingle,
        }
        self.after_callback(id);
    }

    /// Envoy's `commonContinue`.
    fn resume(&mut self, id: StreamId, side: Side) {
        let Some(half) = self.half_mut(id, side) else { return };
        let was_all = half.iteration == Iteration::StopAll;
        half.iteration = Iteration::Continue;
        half.buffering &= was_all;
        if !half.headers_passed {
            half.headers_passed = true;
            let end = half.ended && half.held.is_none() && half.trailers.is_none();
            self.pass_head(id, side, end);
        }
        self.unthrottle(id, side);
        let Some(half) = self.half_mut(id, side) else { return };
        if let Some(data) = half.held.take() {
            let end = half.ended && half.trailers.is_none();
            if was_all {
                half.buffering = false;
                self.filter_data(id, side, data, end, true);
            } else {
                self.pass_data(id, side, data, end);
            }
        }
        let Some(half) = self.half_mut(id, side) else { return };
        if half.trailers.is_some() && !half.trailers_passed {
            if was_all && half.iteration != Iteration::StopAll {
                self.filter_trailers(id, side);
            } else if half.iteration == Iteration::Continue {
                half.trailers_passed = true;
                self.pass_trailers(id, side);
            }
        }
    }

    /// Holds data back; false when the limit ended the stream. Without `limited` the source is
    /// told to wait instead.
    fn hold(&mut self, id: StreamId, side: Side, data: Body, limited: bool) -> bool {
        let limit = self.settings().listener.buffer_limit;
        let Some(half) = self.half_mut(id, side) else { return false };
        let held = half.held.get_or_insert_default();
        let before = held.len();
        held.append(data);
        // As Envoy's watermark, which fires when it is crossed, not while it is exceeded.
        let crossed = held.len() > limit && before <= limit;
        if !crossed || limit == 0 {
            return true;
        }
        if !limited {
            self.throttle(id, side);
            return true;
        }
        self.too_large(id, side);
        false
    }

    fn too_large(&mut self, id: StreamId, side: Side) {
        let (status, body, details) = match side {
            Side::Request => (413, "Payload Too Large", "request_payload_too_large"),
            Side::Response => (500, "Internal Server Error", "response_payload_too_large"),
        };
        self.local_reply(id, LocalReply::new(status, body, details));
    }

    /// Runs a callback of the stream's filter, and what it deferred. Local replies wait until
    /// [`after_callback`](Self::after_callback), which must follow.
    pub(super) fn filter(&mut self, id: StreamId, call: Call) -> Ran {
        let failed = self.vm().failed;
        let generation = self.vm().state().guest.generation;
        let Some(stream) = self.stream_mut(id) else { return Ran::Replied };
        stream.in_callback += 1;
        if stream.filter_gone {
            return Ran::Status(0);
        }
        if failed || stream.generation != generation {
            return self.filter_failed(id);
        }
        let context = stream.context;
        match self.vm_mut().call(context, call) {
            Ok(status) => {
                let stopped = self.vm().state().guest.stop_iteration;
                self.run_deferred();
                if stopped { Ran::Replied } else { Ran::Status(status.unwrap_or(0)) }
            }
            Err(trap) => {
                self.trapped(trap);
                let failed = self.filter_failed(id);
                // What the callback had asked for before it trapped still happens, but the
                // answer to this stream is 503.
                self.run_deferred();
                failed
            }
        }
    }

    /// Envoy's `failStream`: the first time the stream gets 503, later the filter is no more.
    fn filter_failed(&mut self, id: StreamId) -> Ran {
        let Some(stream) = self.stream_mut(id) else { return Ran::Failed };
        stream.filter_gone = true;
        if stream.prepared.is_none() {
            stream.prepared = Some(LocalReply::new(503, "", "wasm_fail_stream"));
        }
        Ran::Failed
    }

    /// Does what the callbacks so far left to be done.
    pub(crate) fn run_deferred(&mut self) {
        while let Some(deferred) = self.vm_mut().state_mut().guest.deferred.pop_front() {
            match deferred {
                Deferred::Continue { stream, side } => self.continue_stream(stream, side),
                Deferred::LocalReply { stream, reply } => self.local_reply(stream, reply),
                Deferred::Reset { stream: id } => {
                    if let Some(stream) = self.stream_mut(id) {
                        stream.code_details.get_or_insert_with(|| "wasm_close_stream".into());
                    }
                    self.reset_downstream(id);
                }
            }
        }
    }

    fn continue_stream(&mut self, id: StreamId, side: Side) {
        let Some(stream) = self.stream_mut(id) else { return };
        if side == Side::Request && stream.response_started {
            // The request was answered: what is left of it goes nowhere.
            return;
        }
        let half = stream.half_mut(side);
        let nothing_to_do = half.headers.is_none() || (half.iteration == Iteration::Continue && half.headers_passed);
        if nothing_to_do {
            self.log(LogLevel::Debug, "a stream that is not paused cannot be continued");
        } else {
            self.resume(id, side);
            self.settle(id);
        }
    }

    fn after_callback(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id) {
            stream.in_callback = stream.in_callback.saturating_sub(1);
            self.settle(id);
        }
    }

    /// Sends the local reply that had to wait for a callback to end.
    pub(super) fn settle(&mut self, id: StreamId) {
        if let Some(stream) = self.stream_mut(id)
            && stream.in_callback == 0
            && let Some(reply) = stream.prepared.take()
        {
            self.execute_local_reply(id, reply);
        }
    }

    fn throttle(&mut self, id: StreamId, side: Side) {
        if let Some(half) = self.half_mut(id, side)
            && !half.throttled
        {
            half.throttled = true;
            self.flow(id, side, false);
        }
    }

    fn unthrottle(&mut self, id: StreamId, side: Side) {
        if let Some(half) = self.half_mut(id, side)
            && half.throttled
        {
            half.throttled = false;
            self.flow(id, side, true);
        }
    }

    fn pass_head(&mut self, id: StreamId, side: Side, end: bool) {
        match side {
            Side::Request => self.route_head(id, end),
            Side::Response => self.send_head(id, end),
        }
    }

    fn pass_data(&mut self, id: StreamId, side: Side, data: Body, end: bool) {
        match side {
            Side::Request => self.route_data(id, data, end),
            Side::Response => self.send_data(id, data, end),
        }
    }

    fn pass_trailers(&mut self, id: StreamId, side: Side) {
        match side {
            Side::Request => self.route_trailers(id),
            Side::Response => self.send_trailers(id),
        }
    }
}
