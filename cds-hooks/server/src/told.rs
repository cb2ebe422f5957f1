//! What the server tells of itself: a line of the log, in the shape that the lines of the server have there.

use std::sync::Arc;

use cds_hooks::{Clock, Log};

/// Takes a sentence. Must not block.
pub type Tell = Arc<dyn Fn(&str) + Send + Sync>;

/// Into a log: `{"time":"…","server":"…"}`.
pub fn into_log(log: Log, clock: Clock) -> Tell {
    Arc::new(move |what| {
        let line = serde_json::json!({ "time": clock().to_string(), "server": what });
        log.line(&line.to_string());
    })
}
