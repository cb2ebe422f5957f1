//! Data that the client did not send (CDS Hooks 2.0, "Providing FHIR Resources to a CDS Service").

use std::time::Instant;

use super::admission::Caller;
use super::boxed::BoxFuture;
use super::secret::Secret;

/// Fetches what is missing from the FHIR server of the request. Asked where the request has a
/// `fhirServer` and a key is absent or has an unread next page; never for what came as `null`, as an empty
/// Bundle or as an `OperationOutcome`: those are answers.
pub trait DataSource: Send + Sync {
    /// The answers to keys, in any order, each once; one that is left out counts as
    /// [`KeyFailure::TimedOut`]. Must be there by the deadline: afterwards nobody waits any more.
    ///
    /// What is fetched is read as if the client had sent it, so that data of another patient is left out
    /// and counted here, too.
    fn fetch<'a>(&'a self, ask: DataAsk<'a>) -> BoxFuture<'a, Vec<KeyAnswer>>;
}

/// What is missing, and where it may be had.
#[derive(Clone, Copy, Debug)]
pub struct DataAsk<'a> {
    /// Who calls: what is allowed depends on it.
    pub caller: &'a Caller,
    /// `fhirServer` as it came; a syntactically sound http or https URL without user name, query or
    /// fragment. Whether it may be contacted is for the source to say.
    pub server: &'a str,
    /// `fhirAuthorization`, where it has a token.
    pub authorization: Option<&'a Authorization>,
    /// `context.patientId`.
    pub patient: &'a str,
    /// The tokens of templates, without braces, with their values: `context.patientId`,
    /// `context.userId` (`Practitioner/1`), `context.encounterId`, other first-level primitives that the
    /// hook marks as tokens, `userPractitionerId`, `userPractitionerRoleId`, `userPatientId`,
    /// `userRelatedPersonId`. Values are not encoded. One without a value is not here.
    pub tokens: &'a [(String, String)],
    /// What is missing, in the order of discovery.
    pub keys: &'a [KeyAsk<'a>],
    /// When the answers must be there.
    pub deadline: Instant,
}

/// A key that is missing.
#[derive(Clone, Copy, Debug)]
pub struct KeyAsk<'a> {
    /// As in discovery.
    pub key: &'a str,
    /// As in discovery, its tokens not filled in: `Observation?patient={{context.patientId}}`.
    pub template: &'a str,
    /// The URL of the next page as the Bundle that was sent has it: only the pages from there on are
    /// wanted. `None`: all of it is.
    pub next: Option<&'a str>,
}

/// The answer to one key.
#[derive(Debug)]
pub struct KeyAnswer {
    /// As in the question.
    pub key: String,
    /// The data, or why there is none.
    pub answer: Result<KeyData, KeyFailure>,
}

/// Data as the client could have sent it.
#[derive(Clone)]
pub struct KeyData {
    /// A resource (of a read), or one searchset Bundle with the entries of all pages and without a next
    /// link; where it still has one, or a `total` of more than it holds, the rest counts as not sent. Of a
    /// question with `next`: a Bundle with the entries of the further pages.
    pub json: String,
    /// How many pages were read.
    pub pages: u32,
    /// How many resources there are in it.
    pub resources: u32,
}

impl std::fmt::Debug for KeyData {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyData({} resources)", self.resources)
    }
}

/// Why a key could not be fetched. Is told to the caller: holds no URL, no token and nothing of a patient.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum KeyFailure {
    /// The FHIR server is not one that may be contacted.
    #[error("this service may not contact that FHIR server")]
    NotAllowed,
    /// There is no token, or it is over, and the server takes none without.
    #[error("there was no valid token for the FHIR server")]
    NoToken,
    /// A token of the template has no value in this call.
    #[error("the call does not have what `{{{{{0}}}}}` stands for")]
    NoValue(String),
    /// 401 or 403.
    #[error("the FHIR server refused it ({0})")]
    Refused(u16),
    /// Another status, or an OperationOutcome.
    #[error("the FHIR server answered {0}")]
    Status(u16),
    /// No connection.
    #[error("the FHIR server could not be reached")]
    Unreachable,
    /// Nothing by the deadline.
    #[error("the FHIR server did not answer in time")]
    TimedOut,
    /// More than may be read.
    #[error("the FHIR server's answer was too large")]
    TooLarge,
    /// More pages than may be read, or pages that go in a circle.
    #[error("the FHIR server's answer had too many pages")]
    TooManyPages,
    /// What came is not what FHIR has there.
    #[error("the FHIR server's answer was not the FHIR data that was asked for")]
    NotFhir,
    /// Something else, in plain words.
    #[error("{0}")]
    Other(String),
}

impl KeyFailure {
    /// For metrics: one word of a few.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotAllowed => "not-allowed",
            Self::NoToken => "no-token",
            Self::NoValue(_) => "no-value",
            Self::Refused(_) => "refused",
            Self::Status(_) => "status",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed-out",
            Self::TooLarge => "too-large",
            Self::TooManyPages => "too-many-pages",
            Self::NotFhir => "not-fhir",
            Self::Other(_) => "other",
        }
    }
}

/// `fhirAuthorization` of a request. Its token is as short-lived as the call: it is never kept or printed.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// The bearer token.
    pub access_token: Secret,
    /// For how many seconds it is good; `None` where it is no whole number.
    pub expires_in: Option<i64>,
    /// SMART scopes, of version 1 (`user/Observation.read`) or 2 (`user/Observation.rs`).
    pub scope: String,
    /// The client id of the token.
    pub subject: String,
    /// The patient it is restricted to: the call's, or the call is refused.
    pub patient: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_plain_words() {
        let said = KeyFailure::NoValue("context.encounterId".into()).to_string();
        let stands = "the call does not have what `{{context.encounterId}}` stands for";
        assert_eq!(said, stands);
    }
}
