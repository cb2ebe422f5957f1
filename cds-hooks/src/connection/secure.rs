//! TLS before HTTP: made by whoever serves, so that this crate knows no TLS library.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// The first byte of a TLS connection: a record with a handshake in it (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// Makes connections secure: the TLS server of a listener.
///
/// The server sees to the time and the number of handshakes: one counts as a connection, and has to be
/// done, with the head of the first request, within [`header_timeout`](crate::Limits::header_timeout).
pub trait Tls: Send + Sync {
    /// Does the handshake.
    ///
    /// # Errors
    /// Where there is none; the connection is closed then.
    fn accept(
        &self,
        stream: TcpStream,
    ) -> Pin<Box<dyn Future<Output = io::Result<Secured>> + Send>>;
}

/// What a TLS library makes of a connection.
pub trait SecureStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> SecureStream for S {}

/// A connection after its handshake.
pub struct Secured {
    /// What the client sends and gets, in clear.
    pub stream: Box<dyn SecureStream>,
    /// The client's own certificate (DER), where it showed one that was found to be valid.
    pub client_certificate: Option<ClientCertificate>,
}

/// The certificate (X.509, DER) of the client at the other end, its chain and its key verified in the
/// handshake. Stands among the extensions of each request of its connection.
#[derive(Clone, Debug)]
pub struct ClientCertificate(pub Arc<[u8]>);

/// A stream of either kind.
pub(super) enum Io {
    Plain(TcpStream),
    Secure(Box<dyn SecureStream>),
}

/// What a connection to a TLS port began with.
pub(super) enum Opened {
    Secure(Secured),
    /// HTTP in clear, still unread.
    Plain(TcpStream),
    /// Something else, or a handshake that failed.
    Neither,
    /// Nothing: a look whether the port is open.
    Nothing,
}

/// Does the handshake, unless the client speaks something else.
pub(super) async fn open(stream: TcpStream, tls: &dyn Tls) -> Opened {
    let mut first = [0];
    match (stream.peek(&mut first).await, first) {
        (Ok(1), [HANDSHAKE]) => match tls.accept(stream).await {
            Ok(secured) => Opened::Secure(secured),
            Err(_) => Opened::Neither,
        },
        (Ok(1), [first]) if first.is_ascii_alphabetic() => Opened::Plain(stream),
        (Ok(1), _) => Opened::Neither,
        _ => Opened::Nothing,
    }
}

impl AsyncRead for Io {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Io::Secure(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Io::Secure(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
            Io::Secure(stream) => Pin::new(stream).poll_write_vectored(cx, bytes),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Secure(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Secure(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Secure(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
