//! A stream that keeps its connection's phase.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::lengths::Lengths;
use super::phase::{Connection, Phase};
use super::secure::Io;

/// A stream whose bytes are noticed.
pub(super) struct Watched {
    pub(super) stream: Io,
    connection: Arc<Connection>,
    lengths: Lengths,
    /// hyper refused a request on its own: with this status. Its answer, which has no text, was not sent.
    refused: Option<u16>,
}

impl Watched {
    pub(super) fn new(stream: Io, connection: Arc<Connection>) -> Self {
        Watched {
            stream,
            connection,
            lengths: Lengths::default(),
            refused: None,
        }
    }

    /// The status of a request that could not be read; its client has no answer yet.
    pub(super) fn refused(&mut self) -> Option<u16> {
        self.refused.take()
    }

    /// Whether these bytes are hyper's own answer to what it could not read: no request is under way.
    fn is_refusal(&mut self, bytes: &[u8]) -> bool {
        if self.refused.is_none()
            && matches!(
                self.connection.phase(),
                Phase::New | Phase::Head | Phase::Idle
            )
            && bytes.starts_with(b"HTTP/1.")
            && bytes.get(9) == Some(&b'4')
        {
            let status = bytes.get(9..12).and_then(|b| std::str::from_utf8(b).ok());
            self.refused = status.and_then(|text| text.parse().ok());
        }
        self.refused.is_some()
    }

    fn came(&mut self, bytes: &[u8]) {
        if self.connection.phase() == Phase::Idle {
            self.connection.enter(Phase::Head);
        }
        if self.lengths.feed(bytes) {
            self.connection.both_lengths.store(true, Ordering::Relaxed);
        }
    }
}

impl AsyncRead for Watched {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if let (Poll::Ready(Ok(())), Some(new)) = (&read, buf.filled().get(before..))
            && !new.is_empty()
        {
            self.came(new);
        }
        read
    }
}

impl AsyncWrite for Watched {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_refusal(bytes) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.went(&written);
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = bytes.iter().find(|b| !b.is_empty());
        if first.is_some_and(|first| self.is_refusal(first)) {
            return Poll::Ready(Ok(bytes.iter().map(|b| b.len()).sum()));
        }
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.went(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when all of an answer is written.
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        if matches!(flushed, Poll::Ready(Ok(()))) && self.connection.phase() == Phase::Answer {
            self.connection.enter(Phase::Idle);
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

impl Watched {
    /// An answer that goes on is not stuck.
    fn went(&self, written: &Poll<io::Result<usize>>) {
        if matches!(written, Poll::Ready(Ok(n)) if *n > 0)
            && self.connection.phase() == Phase::Answer
        {
            self.connection.enter(Phase::Answer);
        }
    }
}
