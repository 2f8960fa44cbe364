//! The first bytes of a connection have their time: until it is known which HTTP they begin, hyper itself sets no limit.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;

/// What a connection of HTTP/2 starts with; what differs from it anywhere is HTTP/1.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection that fails when it has not shown its protocol in time.
pub struct Opening<S> {
    stream: S,
    /// Bytes of the preface that were read.
    seen: usize,
    /// None: the protocol is known.
    limit: Option<Pin<Box<Sleep>>>,
}

// === impl Opening ===

impl<S> Opening<S> {
    pub fn new(stream: S, time: Duration) -> Self {
        Self { stream, seen: 0, limit: Some(Box::pin(tokio::time::sleep(time))) }
    }

    fn look_at(&mut self, bytes: &[u8]) {
        let rest = PREFACE.get(self.seen..).unwrap_or(&[]);
        if rest.starts_with(bytes) && rest.len() > bytes.len() {
            self.seen += bytes.len();
        } else {
            self.limit = None;
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(limit) = &mut self.limit else {
            return Pin::new(&mut self.stream).poll_read(cx, buffer);
        };
        if limit.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buffer))?;
        self.look_at(buffer.filled().get(before..).unwrap_or(&[]));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const TIME: Duration = Duration::from_millis(50);

    /// What a server reads that gives a client `TIME` and gets these bytes, and no more for four times as long.
    async fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let (mut client, server) = duplex(1024);
        client.write_all(bytes).await?;
        tokio::spawn(async move {
            tokio::time::sleep(4 * TIME).await;
            drop(client);
        });
        let mut all = Vec::new();
        Opening::new(server, TIME).read_to_end(&mut all).await.map(|_| all)
    }

    #[tokio::test]
    async fn nothing_and_half_a_preface_are_not_waited_for_without_end() {
        for bytes in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n\r\nSM"] {
            assert_eq!(read(bytes).await.unwrap_err().kind(), io::ErrorKind::TimedOut, "{bytes:?}");
        }
    }

    #[tokio::test]
    async fn a_connection_that_has_shown_its_protocol_may_be_slow() {
        for bytes in [PREFACE, b"GET", b"PRI * HTTP/1.1"] {
            assert_eq!(read(bytes).await.unwrap(), bytes);
        }
    }
}
