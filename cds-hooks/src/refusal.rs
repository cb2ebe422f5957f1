//! Why a call is not answered with cards. Nothing here ever holds patient data.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use thiserror::Error;

/// When a client that was turned away may come again, in seconds.
pub(crate) const RETRY: u16 = 2;

/// A call that got no cards, and the status that says so.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub(crate) enum Refusal {
    #[error("there is nothing here; the services are listed at `/cds-services`")]
    NotFound,
    /// With the services that there are.
    #[error("there is no service of this id; `/cds-services` lists those that there are: {0}")]
    NoService(String),
    #[error(
        "this address does not take that method (see the `Allow` header): `GET /cds-services` lists the services, `POST /cds-services/{{id}}` calls one"
    )]
    Method,
    #[error("{0}")]
    MediaType(&'static str),
    #[error(
        "the request is larger than {0} bytes: send less, or have the service started with a larger `--max-body` (bytes)"
    )]
    TooLarge(usize),
    #[error(
        "the request has more than {0} values; FHIR of this size has fewer (a larger `--max-body` allows more: one value in 8 bytes of it)"
    )]
    TooManyValues(usize),
    #[error("the request did not arrive in time")]
    Slow,
    #[error("the request could not be read to its end")]
    Broken,
    #[error("the service is busy with other large requests; try again in {RETRY} seconds")]
    Busy,
    #[error("the request is not valid HTTP: {0}")]
    Http(&'static str),
    #[error(
        "the transfer coding is not supported: send the body as it is, or with `Transfer-Encoding: chunked`"
    )]
    Coding,
    #[error("the request is not valid JSON: {what} at line {line}, column {column} (byte {byte})")]
    Malformed {
        what: String,
        line: usize,
        column: usize,
        byte: usize,
    },
    #[error("the request is not a CDS Hooks request: {}", .0.join("; "))]
    Invalid(Vec<String>),
    #[error(
        "cannot decide without data that the client did not supply as the templates of `/cds-services` ask for it: {}", .0.join("; ")
    )]
    Lacking(Vec<String>),
    #[error("the request is not CDS Hooks feedback: {}", .0.join("; "))]
    NoFeedback(Vec<String>),
    /// By consent; in the words of the filter.
    #[error("cannot decide without data that may not be seen: {0}")]
    Withheld(String),
    /// The reason is for the log.
    #[error("")]
    Unauthorized(String),
    /// The reason is for the log.
    #[error("this caller may not do that here")]
    Forbidden(String),
    /// The reason is for the log.
    #[error("it cannot be told now who calls; try again in {RETRY} seconds")]
    Unavailable(String),
    #[error(
        "it could not be recorded, and is not answered without that; try again in {RETRY} seconds"
    )]
    NotRecorded,
    #[error("there was no time to read the request; try again in {RETRY} seconds, or send less")]
    Late,
    #[error("an error of ours; please report it with the id {0}")]
    Internal(String),
}

impl Refusal {
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoService(_) => StatusCode::NOT_FOUND,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::MediaType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge(_) | Self::TooManyValues(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::Busy | Self::Unavailable(_) | Self::NotRecorded | Self::Late => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Forbidden(_) => StatusCode::FORBIDDEN,
            Self::Http(_)
            | Self::Broken
            | Self::Malformed { .. }
            | Self::Invalid(_)
            | Self::NoFeedback(_) => StatusCode::BAD_REQUEST,
            Self::Coding => StatusCode::NOT_IMPLEMENTED,
            Self::Lacking(_) | Self::Withheld(_) => StatusCode::PRECONDITION_FAILED,
            Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

/// What the log says of a refusal. Goes along with the answer.
#[derive(Clone)]
pub(crate) struct Logged(pub(crate) Option<String>);

impl Refusal {
    /// Without what the log has under names of its own.
    fn log_text(&self) -> Option<String> {
        match self {
            Self::Lacking(_) | Self::Internal(_) => None,
            Self::NoService(_) => Some("there is no service of this id".to_owned()),
            Self::Unauthorized(reason) | Self::Forbidden(reason) | Self::Unavailable(reason) => {
                Some(reason.clone())
            }
            other => Some(other.to_string()),
        }
    }

    /// The kind of the issue (FHIR R4 `issue-type`).
    fn issue(&self) -> &'static str {
        match self {
            Self::NotFound | Self::NoService(_) => "not-found",
            Self::Method | Self::MediaType(_) | Self::Coding => "not-supported",
            Self::TooLarge(_) => "too-long",
            Self::TooManyValues(_) => "too-costly",
            Self::Slow | Self::Late => "timeout",
            Self::Broken | Self::Lacking(_) => "incomplete",
            Self::Busy => "throttled",
            Self::Http(_) | Self::Malformed { .. } => "structure",
            Self::Invalid(_) | Self::NoFeedback(_) => "invalid",
            Self::Withheld(_) => "suppressed",
            Self::Unauthorized(_) => "login",
            Self::Forbidden(_) => "forbidden",
            Self::Unavailable(_) => "transient",
            Self::NotRecorded => "no-store",
            Self::Internal(_) => "exception",
        }
    }

    /// An OperationOutcome (CDS Hooks 3.0, "HTTP Status Codes"); what it says stands in `diagnostics`.
    pub(crate) fn body(&self) -> String {
        outcome(self.issue(), &self.to_string())
    }
}

/// An OperationOutcome with one error of a kind, and what it says; nothing where that is empty.
pub(crate) fn outcome(kind: &str, text: &str) -> String {
    let mut issue = json!({ "severity": "error", "code": kind });
    if let Some(members) = issue.as_object_mut().filter(|_| !text.is_empty()) {
        members.insert("diagnostics".into(), text.into());
    }
    json!({ "resourceType": "OperationOutcome", "issue": [issue] }).to_string()
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = [(CONTENT_TYPE, "application/fhir+json")];
        let mut response = (self.status(), kind, self.body()).into_response();
        // For whoever logs it.
        response.extensions_mut().insert(Logged(self.log_text()));
        let headers = response.headers_mut();
        match self {
            Self::Busy | Self::Unavailable(_) | Self::NotRecorded | Self::Late => {
                headers.insert(RETRY_AFTER, RETRY.into());
            }
            // No word of what is wrong with a token.
            Self::Unauthorized(_) => {
                let bearer = axum::http::HeaderValue::from_static("Bearer");
                headers.insert(WWW_AUTHENTICATE, bearer);
            }
            _ => {}
        }
        response
    }
}
