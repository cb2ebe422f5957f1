//! One connection from its first byte to its last.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request};
use axum::response::{IntoResponse, Response};
use http_body::{Body as HttpBody, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::timeout;
use tower_service::Service;

use super::head;
use super::phase::{Connection, Phase};
use super::secure::{self, ClientCertificate, Io, Opened, Secured, Tls};
use super::table::Place;
use super::watched::Watched;
use crate::refusal::{RETRY, outcome};

/// Bytes that wait to be understood or to be sent, and with it the largest head of a request.
const BUFFER: usize = 64 * 1024;

/// How long, and how many bytes of, what a client still sends is thrown away after it was answered: a
/// connection that is closed with bytes unread takes the answer with it.
const LINGER: Duration = Duration::from_secs(5);
const THROWN_AWAY: u64 = 32 << 20;

/// Serves a connection until it ends, until it has to make room, or until `ending` and its request
/// under way is answered.
pub(crate) async fn run(
    stream: TcpStream,
    place: Place,
    router: Router,
    ending: watch::Receiver<bool>,
    tls: Option<Arc<dyn Tls>>,
) {
    // Without it small answers would wait for more to send.
    let _ = stream.set_nodelay(true);
    let (connection, all) = (Arc::clone(&place.connection), Arc::clone(&place.all));
    let work = async move {
        let Some(tls) = tls else {
            let served = Served {
                router,
                client_certificate: None,
            };
            return http(Io::Plain(stream), connection, served, ending, NOT_TLS).await;
        };
        match secure::open(stream, tls.as_ref()).await {
            Opened::Secure(Secured {
                stream,
                client_certificate,
            }) => {
                let served = Served {
                    router,
                    client_certificate,
                };
                http(Io::Secure(stream), connection, served, ending, "").await;
            }
            Opened::Plain(stream) => {
                all.not_secure();
                let mut stream = Io::Plain(stream);
                let _ = stream.write_all(not_http(400, ONLY_TLS).as_bytes()).await;
                connection.enter(Phase::Linger);
                linger(&mut stream).await;
            }
            Opened::Neither => all.not_secure(),
            Opened::Nothing => {}
        }
    };
    tokio::select! {
        () = place.connection.close.notified() => {}
        () = work => {}
    }
}

/// What answers the requests of a connection, and what all of them carry.
#[derive(Clone)]
struct Served {
    router: Router,
    client_certificate: Option<ClientCertificate>,
}

/// Serves what is clear text by now. `hint` is what else a client that sends no HTTP may have meant.
async fn http(
    stream: Io,
    connection: Arc<Connection>,
    served: Served,
    mut ending: watch::Receiver<bool>,
    hint: &str,
) {
    let io = TokioIo::new(Watched::new(stream, Arc::clone(&connection)));
    let noticed = Arc::clone(&connection);
    let service = service_fn(move |request: Request<Incoming>| {
        let (served, connection) = (served.clone(), Arc::clone(&noticed));
        Box::pin(async move { Ok::<_, Infallible>(answer(served, request, connection).await) })
    });
    let mut http = http1::Builder::new()
        // A client may close its side once it has asked.
        .half_close(true)
        // Time is kept by `Connections::sweep`.
        .header_read_timeout(None)
        .max_buf_size(BUFFER)
        .serve_connection(io, service);
    let mut told = false;
    let done = loop {
        tokio::select! {
            done = poll_fn(|cx| http.poll_without_shutdown(cx)) => break done,
            _ = ending.wait_for(|ending| *ending), if !told => {
                told = true;
                Pin::new(&mut http).graceful_shutdown();
            }
        }
    };
    // Where the request was no HTTP, its client may be sending still.
    let refused = done.is_err_and(|e| e.is_parse());
    let mut watched = http.into_parts().io.into_inner();
    let status = watched.refused();
    let mut stream = watched.stream;
    if let Some(status) = status {
        let _ = stream.write_all(not_http(status, hint).as_bytes()).await;
        // A TLS library may hold it back until then.
        let _ = stream.flush().await;
    }
    if refused || connection.has_unread() {
        connection.enter(Phase::Linger);
        linger(&mut stream).await;
    } else {
        let _ = stream.shutdown().await;
    }
}

/// One request.
async fn answer(
    mut served: Served,
    mut request: Request<Incoming>,
    connection: Arc<Connection>,
) -> Response {
    if let Some(certificate) = served.client_certificate.take() {
        request.extensions_mut().insert(certificate);
    }
    connection.enter(Phase::Body);
    let checked = head::check(request.version(), request.headers(), &connection);
    let last = head::ends(request.headers());
    let request = request.map(|body| {
        Body::new(Noticed {
            body,
            connection: Arc::clone(&connection),
        })
    });
    let mut response = match checked {
        Ok(()) => match served.router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        },
        Err(refusal) => {
            drop(request);
            refusal.into_response()
        }
    };
    if let Some((name, value)) = last {
        response.headers_mut().insert(name, value);
    }
    // What is left of a body that nobody wanted stands between this answer and the next request. A
    // client that keeps connections has to know that this one ends.
    if connection.has_unread() {
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    connection.enter(Phase::Answer);
    response
}

/// A body that says when it is here.
struct Noticed {
    body: Incoming,
    connection: Arc<Connection>,
}

impl HttpBody for Noticed {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Noticed {
    fn drop(&mut self) {
        self.connection.body_done(self.body.is_end_stream());
    }
}

/// What a client that sends no HTTP to a plain port may have meant, and one that does to a TLS port.
const NOT_TLS: &str = " (this port speaks plain HTTP: call it with http://)";
const ONLY_TLS: &str = " in TLS (this port speaks TLS only: call it with https://)";

/// The answer to what hyper could not read as a request: it gives a status without a word.
fn not_http(status: u16, hint: &str) -> String {
    let wrong = format!("the request is not valid HTTP/1.1{hint}\n");
    let (reason, text) = match status {
        431 => (
            "Request Header Fields Too Large",
            "the head of the request is too large: at most 64 KiB, and 100 headers\n",
        ),
        414 => (
            "URI Too Long",
            "the address of the request is too long: `/cds-services` lists the services\n",
        ),
        _ => ("Bad Request", wrong.as_str()),
    };
    let body = outcome("structure", text.trim_end());
    format!(
        "HTTP/1.1 {status} {reason}\r\nconnection: close\r\n\
         content-type: application/fhir+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Says that there will be no more answers, and hears the client out.
async fn linger(stream: &mut Io) {
    let heard = async {
        stream.shutdown().await?;
        let (mut sink, mut left) = (vec![0; 16 * 1024], THROWN_AWAY);
        while left > 0 {
            match stream.read(&mut sink).await? {
                0 => break,
                n => left = left.saturating_sub(n as u64),
            }
        }
        std::io::Result::Ok(())
    };
    // Late or gone: either way it is over.
    let _ = timeout(LINGER, heard).await;
}

/// Tells a client that all connections are in use.
pub(crate) async fn turn_away(mut stream: TcpStream) {
    let text = format!("all connections are in use; try again in {RETRY} seconds");
    let body = outcome("throttled", &text);
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nretry-after: {RETRY}\r\nconnection: close\r\n\
         content-type: application/fhir+json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let told = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await?;
        let mut sink = [0; 4096];
        while stream.read(&mut sink).await? > 0 {}
        std::io::Result::Ok(())
    };
    let _ = timeout(Duration::from_secs(1), told).await;
}
