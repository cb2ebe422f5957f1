//! Leaving the thread to other tasks after so much work, whatever its kind: a patient may take
//! microseconds or milliseconds, so neither rows nor patients are counted. Where a task gives way it
//! also ends, once nobody wants its rows any more.

use std::time::{Duration, Instant};

/// Work between two points of giving way. A program's evaluation of one patient is never cut.
const SLICE: Duration = Duration::from_micros(500);

/// The work since the task last gave way.
pub(super) struct Slice(Instant);

impl Slice {
    pub(super) fn begin() -> Slice {
        Slice(Instant::now())
    }

    /// Lets others have the thread where it was held for long.
    pub(super) async fn give_way(&mut self) {
        if self.0.elapsed() >= SLICE {
            tokio::task::yield_now().await;
            self.0 = Instant::now();
        }
    }
}
