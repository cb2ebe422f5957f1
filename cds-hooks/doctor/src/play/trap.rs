//! An address that nobody has a reason to call: whoever does was led there.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A listener that counts who comes, until it is dropped.
pub(crate) struct Trap {
    pub(crate) at: SocketAddr,
    came: Arc<AtomicUsize>,
    listening: JoinHandle<()>,
}

impl Drop for Trap {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Trap {
    /// On a free port of this machine.
    pub(crate) async fn set() -> std::io::Result<Trap> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let at = listener.local_addr()?;
        let came = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&came);
        let listening = tokio::spawn(async move {
            loop {
                if let Ok((mut stream, _)) = listener.accept().await {
                    counted.fetch_add(1, Ordering::Relaxed);
                    let answer =
                        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                    let _ = stream.write_all(answer).await;
                }
            }
        });
        Ok(Trap {
            at,
            came,
            listening,
        })
    }

    /// How often somebody came.
    pub(crate) fn came(&self) -> usize {
        self.came.load(Ordering::Relaxed)
    }
}
