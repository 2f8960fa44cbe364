//! A body whose bytes come from the gateway's thread and go to a connection.
//!
//! The gateway never waits, so the pipe takes all it is given; it says when it holds too much, and tells the gateway when
//! enough has gone out, or when the reader went away.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::HeaderMap;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::mpsc;

use crate::cli::server::Aborted;

/// Bytes at which the writer is told to wait, and at which it may go on.
const HIGH: usize = 256 * 1024;
const LOW: usize = 64 * 1024;

/// What the reading end tells the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// There is room again.
    Drained,
    /// Nobody reads any more, though the body was not at its end.
    Gone,
}

/// The gateway's end. Dropped before [`finish`](Self::finish), it cuts the connection: half a body must not look whole.
pub struct Writer {
    pieces: mpsc::UnboundedSender<Piece>,
    waiting: Arc<AtomicUsize>,
}

/// The connection's end.
pub struct Reader {
    pieces: mpsc::UnboundedReceiver<Piece>,
    ready: VecDeque<Piece>,
    waiting: Arc<AtomicUsize>,
    finished: bool,
    /// The writer gave up, and the connection had the time to send what came before.
    flushed: bool,
    tell: Box<dyn Fn(Signal) + Send>,
}

enum Piece {
    Data(Bytes),
    Trailers(HeaderMap),
    End,
}

/// A pipe; `tell` hears from its reading end.
pub fn pipe(tell: impl Fn(Signal) + Send + 'static) -> (Writer, Reader) {
    let (sender, pieces) = mpsc::unbounded_channel();
    let waiting = Arc::new(AtomicUsize::new(0));
    let writer = Writer { pieces: sender, waiting: Arc::clone(&waiting) };
    (writer, Reader { pieces, ready: VecDeque::new(), waiting, finished: false, flushed: false, tell: Box::new(tell) })
}

// === impl Writer ===

impl Writer {
    /// Adds bytes; true while the writer has to wait for [`Signal::Drained`].
    ///
    /// Each piece says so anew and not only the one that filled the pipe: a signal of an earlier time may reach the writer after
    /// it has filled the pipe again, and then the next piece has to close what that signal opened.
    pub fn data(&self, data: Bytes) -> bool {
        let length = data.len();
        let before = self.waiting.fetch_add(length, Ordering::AcqRel);
        // A reader that went away has told so itself.
        let _ = self.pieces.send(Piece::Data(data));
        before + length >= HIGH
    }

    /// Ends the body with trailers.
    pub fn trailers(&self, trailers: HeaderMap) {
        let _ = self.pieces.send(Piece::Trailers(trailers));
    }

    /// Ends the body.
    pub fn finish(&self) {
        let _ = self.pieces.send(Piece::End);
    }
}

// === impl Reader ===

impl Reader {
    /// Takes what has already been written, so that a body that is whole is known to be.
    fn fill(&mut self, cx: &mut Context<'_>) -> Option<Poll<()>> {
        match self.pieces.poll_recv(cx) {
            Poll::Pending => Some(Poll::Pending),
            Poll::Ready(None) => None,
            Poll::Ready(Some(piece)) => {
                self.ready.push_back(piece);
                Some(Poll::Ready(()))
            }
        }
    }

    fn took(&self, length: usize) {
        let before = self.waiting.fetch_sub(length, Ordering::AcqRel);
        if before > LOW && before - length <= LOW {
            (self.tell)(Signal::Drained);
        }
    }
}

impl Body for Reader {
    type Data = Bytes;
    type Error = Aborted;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        loop {
            if self.finished {
                return Poll::Ready(None);
            }
            match self.ready.pop_front() {
                Some(Piece::Data(data)) => {
                    self.took(data.len());
                    return Poll::Ready(Some(Ok(Frame::data(data))));
                }
                Some(Piece::Trailers(trailers)) => {
                    self.finished = true;
                    return Poll::Ready(Some(Ok(Frame::trailers(trailers))));
                }
                Some(Piece::End) => self.finished = true,
                None => match self.fill(cx) {
                    Some(Poll::Pending) => return Poll::Pending,
                    Some(Poll::Ready(())) => {}
                    // At an error hyper drops what it has not yet written; while a body has nothing to offer it writes.
                    None if !self.flushed => {
                        self.flushed = true;
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                    None => {
                        self.finished = true;
                        return Poll::Ready(Some(Err(Aborted)));
                    }
                },
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.finished || matches!(self.ready.front(), Some(Piece::End))
    }

    fn size_hint(&self) -> SizeHint {
        if self.is_end_stream() { SizeHint::with_exact(0) } else { SizeHint::default() }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        let mut pieces = std::iter::from_fn(|| self.ready.pop_front().or_else(|| self.pieces.try_recv().ok()));
        let at_end = self.finished || pieces.any(|piece| matches!(piece, Piece::End | Piece::Trailers(_)));
        if !at_end {
            (self.tell)(Signal::Gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use http_body_util::BodyExt;

    use super::*;

    fn told() -> (Arc<Mutex<Vec<Signal>>>, impl Fn(Signal) + Send + 'static) {
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        (told, move |signal| tell.lock().unwrap().push(signal))
    }

    #[tokio::test]
    async fn bytes_and_trailers_arrive_in_order() {
        let (told, tell) = told();
        let (writer, reader) = pipe(tell);
        writer.data(Bytes::from_static(b"ab"));
        writer.data(Bytes::from_static(b"c"));
        writer.trailers(HeaderMap::from_iter([(hyper::header::ETAG, "x".parse().unwrap())]));
        let whole = reader.collect().await.unwrap();
        assert_eq!(whole.trailers().unwrap()["etag"], "x");
        assert_eq!(whole.to_bytes(), "abc");
        assert!(told.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_writer_that_gives_up_is_an_error_and_not_an_end() {
        let (writer, reader) = pipe(|_| {});
        writer.data(Bytes::from_static(b"half"));
        drop(writer);
        assert!(reader.collect().await.is_err());
    }

    #[tokio::test]
    async fn before_the_error_the_connection_can_write_what_came_first() {
        let (writer, mut reader) = pipe(|_| {});
        writer.data(Bytes::from_static(b"half"));
        drop(writer);
        assert!(reader.frame().await.unwrap().is_ok());
        assert!(look(&mut reader).await.is_pending());
        assert!(reader.frame().await.unwrap().is_err());
    }

    /// One look at the next frame.
    async fn look(reader: &mut Reader) -> Poll<Option<Result<Frame<Bytes>, Aborted>>> {
        std::future::poll_fn(|cx| Poll::Ready(Pin::new(&mut *reader).poll_frame(cx))).await
    }

    #[tokio::test]
    async fn a_full_pipe_asks_to_wait_and_tells_when_it_has_drained() {
        let (told, tell) = told();
        let (writer, mut reader) = pipe(tell);
        let chunk = Bytes::from(vec![0; HIGH / 4]);
        let full: Vec<bool> = (0..5).map(|_| writer.data(chunk.clone())).collect();
        assert_eq!(full, [false, false, false, true, true]);
        for _ in 0..5 {
            reader.frame().await.unwrap().unwrap();
        }
        assert_eq!(*told.lock().unwrap(), [Signal::Drained]);
    }

    #[tokio::test]
    async fn a_pipe_that_is_full_again_when_its_signal_is_heard_asks_again() {
        let (told, tell) = told();
        let (writer, mut reader) = pipe(tell);
        let chunk = Bytes::from(vec![0; HIGH]);
        assert!(writer.data(chunk.clone()));
        reader.frame().await.unwrap().unwrap();
        // What was under way when the writer was told to wait fills the pipe before the writer hears that it may go on.
        assert!(writer.data(chunk));
        assert_eq!(*told.lock().unwrap(), [Signal::Drained]);
        assert!(writer.data(Bytes::from_static(b"on")));
        reader.frame().await.unwrap().unwrap();
        assert_eq!(told.lock().unwrap().len(), 2);
    }

    #[tokio::test]
    async fn a_reader_that_goes_away_early_is_told_of_and_a_satisfied_one_is_not() {
        let (told, tell) = told();
        let (writer, reader) = pipe(tell);
        writer.data(Bytes::from_static(b"a"));
        drop(reader);
        assert_eq!(*told.lock().unwrap(), [Signal::Gone]);
        let (told, tell) = super::tests::told();
        let (writer, reader) = pipe(tell);
        writer.finish();
        drop(reader);
        assert!(told.lock().unwrap().is_empty());
    }
}
