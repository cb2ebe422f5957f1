//! What sees calls beside those who make them: numbers, spans, candidates, explanations.

use std::sync::Arc;
use std::time::SystemTime;

use cds_hooks::seams::{
    BoxFuture, CallRecord, CallSeen, Endpoint, FeedbackRecord, FeedbackTaken, KeySeen, NotRecorded,
    Observer, Recorder, RuleSeen,
};

use crate::explain::Explain;
use crate::metrics::Metrics;
use crate::shadow;
use crate::spans::Spans;

/// Counts, and makes spans.
pub struct Sight {
    /// The numbers.
    pub metrics: Metrics,
    /// Where spans are wanted.
    pub spans: Option<Arc<Spans>>,
}

impl Observer for Sight {
    fn began(&self) {
        self.metrics.began();
    }

    fn left(&self) {
        self.metrics.left();
    }

    fn ended(&self, call: &CallSeen<'_>) {
        self.metrics.ended(call);
        if let Some(spans) = &self.spans {
            spans.ended(call, SystemTime::now());
        }
    }

    fn key(&self, key: &KeySeen<'_>) {
        self.metrics.key(key);
    }

    fn rule(&self, rule: &RuleSeen<'_>) {
        self.metrics.rule(rule);
    }

    fn feedback(&self, feedback: &FeedbackRecord, taken: &FeedbackTaken) {
        self.metrics.feedback(feedback, taken);
    }

    fn not_admitted(&self, endpoint: Endpoint<'_>, status: u16, reason: &str) {
        self.metrics.not_admitted(endpoint, status, reason);
    }

    fn not_recorded(&self, reason: &str) {
        self.metrics.not_recorded(reason);
    }
}

/// Sees each call before it is written down, wherever that is, if anywhere.
pub struct Seen {
    /// Writes down.
    pub store: Option<Arc<dyn Recorder>>,
    /// The numbers.
    pub metrics: Metrics,
    /// Where spans are wanted.
    pub spans: Option<Arc<Spans>>,
    /// Keeps calls to be explained, where that is wanted.
    pub explain: Option<Arc<Explain>>,
}

impl Recorder for Seen {
    fn call<'a>(&'a self, call: &'a CallRecord) -> BoxFuture<'a, Result<(), NotRecorded>> {
        for comparison in shadow::comparisons(call) {
            self.metrics.compared(&comparison);
        }
        if let Some(spans) = &self.spans {
            spans.rules(&cds_hooks::instance_name(&call.hook_instance), call);
        }
        if let Some(explain) = &self.explain {
            explain.keep(call);
        }
        match &self.store {
            Some(store) => store.call(call),
            None => Box::pin(std::future::ready(Ok(()))),
        }
    }

    fn feedback<'a>(
        &'a self,
        feedback: &'a FeedbackRecord,
    ) -> BoxFuture<'a, Result<FeedbackTaken, NotRecorded>> {
        match &self.store {
            Some(store) => store.feedback(feedback),
            // Nobody knows the cards, and nothing is kept.
            None => Box::pin(std::future::ready(Ok(FeedbackTaken {
                new: 0,
                repeated: 0,
                unknown: feedback.entries.len(),
            }))),
        }
    }

    fn is_required(&self) -> bool {
        self.store.as_ref().is_some_and(|store| store.is_required())
    }

    fn wants_request(&self) -> bool {
        let store = self.store.as_ref();
        self.explain.is_some() || store.is_some_and(|store| store.wants_request())
    }
}
