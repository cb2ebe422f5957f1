//! What a DELETE entry deletes: of a transaction or batch (also the `deleted` files of a bulk export),
//! or of a history.

use super::is_id;
use super::reference::{Form, form, is_http, name_of, server_key};
use crate::fhir::names::Name;
use crate::record::{Age, Element};
use crate::system::date_time::instant_micros;

/// A resource that is to be gone.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Deletion {
    /// Its type.
    pub ty: Name,
    /// Its id.
    pub id: String,
    /// When, and as which version, as far as the entry's `response` says (history).
    pub age: Age,
}

/// Why it cannot be told what a DELETE entry deletes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotDeletable {
    /// `Patient?identifier=…`
    #[error("a conditional DELETE: which resource it deletes can only be told by its server")]
    Conditional,
    /// `Patient/1/_history/2`
    #[error("a DELETE of one version: the lake keeps the newest version only")]
    Version,
    /// Another server's.
    #[error("a DELETE of another server's resource")]
    AnotherServer,
    /// Neither `Type/id` nor a URL of it.
    #[error("a DELETE entry whose `request.url` is not Type/id")]
    Unreadable,
}

pub(super) fn is_delete(entry: Element<'_>) -> bool {
    let method = entry.path(&["request", "method"]);
    method.is_some_and(|m| m.is_str("DELETE"))
}

/// `None` where the entry deletes nothing.
pub(super) fn read(
    entry: Element<'_>,
    server: Option<&str>,
    own: &[String],
) -> Option<Result<Deletion, NotDeletable>> {
    if !is_delete(entry) {
        return None;
    }
    let url = entry.path(&["request", "url"]).and_then(Element::as_str);
    let url = url.or_else(|| entry.get_str("fullUrl"));
    Some(
        target(&url.unwrap_or_default(), server, own).map(|(ty, id)| {
            let response = entry.get_named("response");
            let text = |name| response.and_then(|r| r.get_str(name));
            let age = Age {
                updated: text("lastModified").and_then(|t| instant_micros(&t)),
                version: text("etag").and_then(|t| Age::number(&t)),
            };
            Deletion { ty, id, age }
        }),
    )
}

fn target(url: &str, server: Option<&str>, own: &[String]) -> Result<(Name, String), NotDeletable> {
    let is_own = |s: &str| own.is_empty() || own.iter().any(|o| *o == server_key(s));
    let (named, target) = match form(url) {
        // Not a compartment's.
        Form::Relative(target) if url.trim_start_matches('/').starts_with(&name_of(target)) => {
            (server, target)
        }
        Form::Absolute { server, target } if is_http(server) => (Some(server), target),
        Form::Search(_) => return Err(NotDeletable::Conditional),
        Form::Urn | Form::Relative(_) | Form::Absolute { .. } | Form::Other => {
            return Err(NotDeletable::Unreadable);
        }
    };
    if named.is_some_and(|s| !is_own(s)) {
        return Err(NotDeletable::AnotherServer);
    }
    if target.versioned {
        return Err(NotDeletable::Version);
    }
    let ty = Name::of(target.ty).filter(|_| is_id(target.id));
    let ty = ty.ok_or(NotDeletable::Unreadable)?;
    Ok((ty, target.id.to_owned()))
}
