//! What a call is told of a failure: its kind. Where our network is meant, not even that.

use cds_hooks::seams::KeyFailure;
use outbound::{Failure, Family};

/// `has_token`: the server was shown one. `is_next`: further pages of a Bundle were wanted.
pub(super) fn key_failure(failure: &Failure, has_token: bool, is_next: bool) -> KeyFailure {
    let other = |text: &str| KeyFailure::Other(text.to_owned());
    match failure.family {
        Family::NotAllowed if is_next => {
            other("the next page of the Bundle that was sent is not on the FHIR server")
        }
        Family::NotAllowed => KeyFailure::NotAllowed,
        Family::NotAsked => match &failure.token {
            Some(token) => KeyFailure::NoValue(token.clone()),
            None => other("what it asks for cannot be asked of a FHIR server"),
        },
        Family::Busy => other("too much was being fetched at once"),
        Family::Unreachable => KeyFailure::Unreachable,
        Family::TimedOut => KeyFailure::TimedOut,
        Family::Status(401) if !has_token => KeyFailure::NoToken,
        Family::Status(status @ (401 | 403)) => KeyFailure::Refused(status),
        Family::Status(status) => KeyFailure::Status(status),
        Family::TooLarge => KeyFailure::TooLarge,
        Family::NotJson | Family::NotAsAsked => KeyFailure::NotFhir,
    }
}
