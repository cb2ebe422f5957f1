//! A composed server on a free port.

use std::future::Future;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cds_hooks::Log;
use cds_server::settings::Settings;
use cds_server::{NotLoaded, Start};
use cds_store::{AuditFilter, Reader, StoredEntry};
use engine_patient::system::zone::UTC;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::rules_of_test::load;

/// Longer than anything takes; what takes as long has failed.
pub const LONG: Duration = Duration::from_secs(60);

/// What the log says.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

/// What starts with these settings, in this folder.
pub fn start(folder: &Path, settings: &str, insecure: bool) -> (Start, Lines) {
    let file = folder.join("tandem.toml");
    std::fs::write(&file, settings).unwrap();
    let settings = Settings::load(&file).unwrap_or_else(|e| panic!("{e}"));
    let lines = Lines::default();
    let start = Start {
        settings,
        insecure,
        load: load(),
        clock: Arc::new(|| UTC.moment(now() * 1000)),
        at: None,
        log: Log::to(lines.clone()),
    };
    (start, lines)
}

pub struct Server {
    pub at: SocketAddr,
    pub log: Lines,
    end: oneshot::Sender<()>,
    serving: JoinHandle<Result<(), NotLoaded>>,
}

impl Server {
    pub async fn start(folder: &Path, settings: &str, insecure: bool) -> Server {
        let (starting, log) = start(folder, settings, insecure);
        let (listening, listens) = oneshot::channel();
        let (end, ended) = oneshot::channel::<()>();
        let until = async { drop(ended.await) };
        let serving = tokio::spawn(async move {
            let told = |at: &cds_server::Listening<'_>| listening.send(at.address).unwrap();
            starting.serve(told, until).await
        });
        match listens.await {
            Ok(at) => Server {
                at,
                log,
                end,
                serving,
            },
            Err(_) => panic!("{:?}", serving.await.unwrap()),
        }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }

    /// Ends it in good order.
    pub async fn end(self) {
        let _ = self.end.send(());
        let served = tokio::time::timeout(LONG, self.serving).await;
        served.unwrap().unwrap().unwrap();
    }
}

/// What a server that has ended kept in `t.db` of this folder: a reader, and the audit log.
pub async fn kept_in(folder: &Path) -> (Reader, Vec<StoredEntry>) {
    let place = folder.join("t.db").display().to_string();
    let reader = Reader::open(&place.parse().unwrap()).await.unwrap();
    let all = AuditFilter::default();
    let entries = reader.entries(&all, 0, 1_000).await.unwrap();
    (reader, entries)
}

/// Waits until something is so.
pub async fn until<F: Future<Output = bool>>(what: &str, is_so: impl Fn() -> F) {
    let start = std::time::Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < LONG, "{what} does not happen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
