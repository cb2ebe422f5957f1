//! `POST /cds-services/{id}/feedback`: taken, written down, acknowledged.

use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use engine_patient::system::zone::UTC;
use tokio::time::timeout;

use crate::feedback;
use crate::http::App;
use crate::refusal::Refusal;
use crate::seams::{Caller, FeedbackRecord, FeedbackTaken};

/// How long it may take to write feedback down.
const RECORDING: Duration = Duration::from_secs(10);

impl App {
    /// Takes feedback from a caller who was let in.
    pub(crate) async fn told(
        &self,
        id: &str,
        caller: &Caller,
        request: Request,
        start: Instant,
    ) -> Response {
        let taken = self.take(id, caller, request).await;
        let no_store = [(CACHE_CONTROL, "no-store")];
        let response = match taken {
            // The specification gives it no body.
            Ok(()) => (StatusCode::OK, no_store, Bytes::new()).into_response(),
            Err(refusal) => (no_store, refusal).into_response(),
        };
        self.seen("feedback", caller, response.status(), start);
        response
    }

    async fn take(&self, id: &str, caller: &Caller, request: Request) -> Result<(), Refusal> {
        let body = self.gate.receive(request).await?;
        let text = |text: &Option<std::sync::Arc<str>>| text.as_deref().map(str::to_owned);
        let record = FeedbackRecord {
            service: id.to_owned(),
            time: (self.config.clock)().earliest(&UTC),
            client: text(&caller.client),
            tenant: text(&caller.tenant),
            subject: text(&caller.subject),
            entries: feedback::entries(body.bytes())?,
        };
        drop(body);
        let seams = &self.config.seams;
        let Some(recorder) = &seams.recorder else {
            // Nobody remembers which cards there were.
            let taken = FeedbackTaken {
                unknown: record.entries.len(),
                ..FeedbackTaken::default()
            };
            seams.observer.feedback(&record, &taken);
            return Ok(());
        };
        let reason = match timeout(RECORDING, recorder.feedback(&record)).await {
            Ok(Ok(taken)) => {
                seams.observer.feedback(&record, &taken);
                return Ok(());
            }
            Ok(Err(not)) => not.0,
            Err(_) => "it took too long".to_owned(),
        };
        seams.observer.not_recorded(&reason);
        self.server_line(&format!("feedback could not be recorded: {reason}"));
        Err(Refusal::NotRecorded)
    }
}
