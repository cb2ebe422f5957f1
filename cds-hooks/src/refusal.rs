//! Why a call is not answered with cards. Nothing here ever holds patient data.

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
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
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Http(_) | Self::Broken | Self::Malformed { .. } | Self::Invalid(_) => {
                StatusCode::BAD_REQUEST
            }
            Self::Coding => StatusCode::NOT_IMPLEMENTED,
            Self::Lacking(_) => StatusCode::PRECONDITION_FAILED,
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
            other => Some(other.to_string()),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = [(CONTENT_TYPE, "text/plain; charset=utf-8")];
        let mut response = (self.status(), kind, format!("{self}\n")).into_response();
        // For whoever logs it.
        response.extensions_mut().insert(Logged(self.log_text()));
        if self == Self::Busy {
            response.headers_mut().insert(RETRY_AFTER, RETRY.into());
        }
        response
    }
}
