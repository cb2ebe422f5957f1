//! A server on a free port, and a client that writes bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cds_hooks::{CardService, Config, serve_until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::fixture::{config, services};

/// Longer than anything takes; what takes as long has failed.
pub const LONG: Duration = Duration::from_secs(60);

pub struct Server {
    pub at: SocketAddr,
    end: oneshot::Sender<()>,
    serving: JoinHandle<std::io::Result<()>>,
}

impl Server {
    pub async fn start(config: Config) -> Server {
        Server::of(config, services()).await
    }

    pub async fn of(config: Config, services: Vec<Arc<dyn CardService>>) -> Server {
        let (listening, listens) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            ..config
        };
        let on_listening = |at| listening.send(at).unwrap();
        let until = async { drop(ended.await) };
        let serving = tokio::spawn(serve_until(config, services, on_listening, until));
        let at = listens.await.unwrap();
        Server { at, end, serving }
    }

    /// Ends it; it has to within this time.
    pub async fn end_within(self, time: Duration) {
        self.end.send(()).unwrap();
        let served = tokio::time::timeout(time, self.serving).await;
        served.unwrap().unwrap().unwrap();
    }

    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.at).await.unwrap()
    }

    /// Sends bytes and reads until the server closes.
    pub async fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes).await.unwrap();
        rest(&mut stream).await
    }

    /// A whole call on a connection of its own.
    pub async fn call(&self, body: &[u8]) -> String {
        self.raw(&post("a1c", body)).await
    }

    pub async fn health(&self) -> String {
        self.raw(b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            .await
    }
}

/// All that comes until the end, also where that is an error.
pub async fn rest(stream: &mut TcpStream) -> String {
    let (mut all, mut piece) = (vec![], [0; 4096]);
    let read = async {
        while let Ok(n @ 1..) = stream.read(&mut piece).await {
            all.extend_from_slice(&piece[..n]);
        }
    };
    assert!(tokio::time::timeout(LONG, read).await.is_ok(), "it hangs");
    String::from_utf8(all).unwrap()
}

/// A request that is the last of its connection.
pub fn post(service: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /cds-services/{service} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

pub fn limited(change: impl FnOnce(&mut cds_hooks::Limits)) -> Config {
    let mut config = config();
    change(&mut config.limits);
    config
}
