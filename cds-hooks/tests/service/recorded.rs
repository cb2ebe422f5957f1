//! What an answer waits for: a record that it must have, and no other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cds_hooks::Indicator;
use cds_hooks::seams::{
    BoxFuture, CallRecord, FeedbackRecord, FeedbackTaken, NotRecorded, Recorder,
};

use crate::fixture::{config, request};
use crate::parts::{Part, call, routes, service, summaries};

/// Takes its time.
struct Slow {
    is_required: bool,
    takes: Duration,
    written: AtomicUsize,
}

impl Recorder for Slow {
    fn call<'a>(&'a self, _: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        Box::pin(async move {
            tokio::time::sleep(self.takes).await;
            self.written.fetch_add(1, Ordering::Relaxed);
            Ok(())
        })
    }

    fn feedback<'a>(
        &'a self,
        _: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        Box::pin(async move { Ok(FeedbackTaken::default()) })
    }

    fn is_required(&self) -> bool {
        self.is_required
    }
}

/// A record that need not be is written beside the answer, which goes out by its deadline; one that must be is
/// waited for, and not for ever.
#[tokio::test]
async fn item_29_an_answer_waits_only_for_a_record_that_it_must_have() {
    let deadline = Duration::from_millis(200);
    let run = async |is_required, takes| {
        let slow = Arc::new(Slow {
            is_required,
            takes,
            written: AtomicUsize::new(0),
        });
        let mut config = config();
        config.limits.deadline = Some(deadline);
        config.seams.recorder = Some(slow.clone());
        let rule = Part::saying("a", Indicator::Info, "A.");
        let router = routes(config, vec![service("a", vec![rule])]);
        let start = Instant::now();
        let answer = call(&router, "a", &request()).await;
        (answer, start.elapsed(), slow)
    };
    let (answer, took, slow) = run(false, Duration::from_millis(1500)).await;
    assert_eq!(summaries(&answer), ["A."]);
    assert!(took < Duration::from_millis(1200), "{took:?}");
    assert_eq!(slow.written.load(Ordering::Relaxed), 0);
    tokio::time::sleep(Duration::from_millis(1800)).await;
    assert_eq!(slow.written.load(Ordering::Relaxed), 1);

    let (answer, took, slow) = run(true, Duration::from_millis(600)).await;
    assert_eq!(summaries(&answer), ["A."]);
    assert!(took >= Duration::from_millis(600), "{took:?}");
    assert_eq!(slow.written.load(Ordering::Relaxed), 1);

    let (answer, took, _) = run(true, Duration::from_secs(3600)).await;
    assert_eq!(answer.status, 503);
    assert!(took < Duration::from_secs(10), "{took:?}");
}
