//! Of SQLite: what commits put into the log beside the file is taken over into the file by a task of its own.
//! Left to SQLite, the commit that makes the log long enough does it, and all that wait behind it wait for
//! hundreds of writes here and there in the file.
//!
//! ```text
//! writer ── commit ──▶ log ── every [`BYTES`], beside the writer ──▶ file
//!                       └──── longer than [`PAGES`]: the writer, between two commits
//! ```
//!
//! SQLite begins the log anew only where all of it was taken over when the next commit begins. Under load that
//! never is so beside the writer: now and then it takes over the rest itself, which is little.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::job::Work;
use crate::StoreError;
use crate::db::{Connection, FileId, Mode, Place};

/// What goes to the log from one time to the next, about. While the file is brought to the disk commits wait, the
/// longer the more there is: in a file of 600 MB, at 500 calls a second, p99 of a call was 9 and 10 ms with 1 MiB at a
/// time, 16 to 50 with 8 MiB, and with half a MiB no better.
const BYTES: usize = 1 << 20;

/// A page: what a row changes at least.
const PAGE: usize = 4_096;

/// Pages of the log (4 KiB each) at which the writer takes over the rest.
const PAGES: i64 = 8_192;

/// The task, as the writer knows it.
pub(super) struct Log {
    wake: mpsc::Sender<()>,
    /// Pages of the log when the task last looked.
    pages: Arc<AtomicI64>,
    task: JoinHandle<()>,
    /// What went to the log since the task was last asked.
    bytes: usize,
}

impl Log {
    /// Starts the task; none for PostgreSQL, which has its own.
    pub(super) fn start(place: &Place) -> Option<Self> {
        place.file()?;
        let (wake, woken) = mpsc::channel(1);
        let pages = Arc::new(AtomicI64::new(0));
        let task = tokio::spawn(run(place.clone(), woken, Arc::clone(&pages)));
        Some(Log {
            wake,
            pages,
            task,
            bytes: 0,
        })
    }

    /// This was written.
    pub(super) fn wrote<'a>(&mut self, works: impl Iterator<Item = &'a Work>) {
        let bytes = works.map(|work| work.rows() * PAGE + work.size());
        self.bytes += bytes.sum::<usize>();
        // One that is at it is asked again with what comes next.
        if self.bytes >= BYTES && self.wake.try_send(()).is_ok() {
            self.bytes = 0;
        }
    }

    /// Whether the writer is to take over the rest; said once.
    pub(super) fn is_long(&self) -> bool {
        self.pages.load(Ordering::Relaxed) >= PAGES && {
            self.pages.store(0, Ordering::Relaxed);
            true
        }
    }

    /// Ends the task, and its connection: whoever closes the last one tidies up.
    pub(super) async fn end(self) {
        drop(self.wake);
        // It cannot have failed: it does nothing that could.
        let _ = self.task.await;
    }
}

async fn run(place: Place, mut woken: mpsc::Receiver<()>, pages: Arc<AtomicI64>) {
    let mut open: Option<(Option<FileId>, Connection)> = None;
    while woken.recv().await.is_some() {
        // The file may be another one by now.
        let file = place.file_id();
        let own = open.take().filter(|(known, _)| *known == file);
        let Ok(mut connection) = connection(&place, own).await else {
            continue;
        };
        // Where it does not go, the writer's commits do it, later (see `Place`), and say what is wrong.
        if let Ok(long) = connection.take_over_log().await {
            pages.store(long, Ordering::Relaxed);
            open = Some((file, connection));
        }
    }
    if let Some((_, connection)) = open {
        connection.close().await;
    }
}

async fn connection(
    place: &Place,
    own: Option<(Option<FileId>, Connection)>,
) -> Result<Connection, StoreError> {
    match own {
        Some((_, connection)) => Ok(connection),
        None => place.connect(Mode::Write).await,
    }
}
