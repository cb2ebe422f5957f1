//! Which server a Bundle is from.

use std::borrow::Cow;

use super::reference::{Form, form};
use crate::fhir::model::Model;
use crate::record::Element;

/// The server of a RESTful URL: `https://a/fhir` of `https://a/fhir/Patient/1`.
pub(super) fn of(url: &str) -> Option<String> {
    match form(url) {
        Form::Absolute { server, .. } => Some(server.to_owned()),
        _ => None,
    }
}

/// The server of the `self` link where entries are of it, else that of most entries; of as many, the
/// one that stands first.
pub(super) fn own_of<'e>(
    bundle: Element<'_>,
    servers: impl Iterator<Item = &'e str>,
) -> Option<String> {
    let mut counts: Vec<(&str, usize)> = vec![];
    for server in servers {
        match counts.iter_mut().find(|(s, _)| *s == server) {
            Some((_, n)) => *n += 1,
            None => counts.push((server, 1)),
        }
    }
    let linked = self_link(bundle);
    if let Some((server, _)) = counts.iter().find(|(s, _)| Some(*s) == linked.as_deref()) {
        return Some((*server).to_owned());
    }
    let most = counts.iter().map(|(_, n)| *n).max()?;
    let first = counts.iter().find(|(_, n)| *n == most)?;
    Some(first.0.to_owned())
}

/// `https://a/fhir` of the self link `https://a/fhir/Patient?name=x`, or of `https://a/fhir`.
fn self_link(bundle: Element<'_>) -> Option<String> {
    let links = bundle.get_named("link")?;
    let own = |l: &Element<'_>| l.get_named("relation").is_some_and(|r| r.is_str("self"));
    let url: Cow<'_, str> = links.items().find(own)?.get_str("url")?;
    let path = url.split(['?', '#']).next()?.trim_end_matches('/');
    let mut base = path;
    // `…/Patient`, `…/Patient/1/$everything`, `…/Patient/1/_history`.
    while let Some((front, _)) = base.rsplit_once('/') {
        let ty = base.rsplit('/').next().unwrap_or("");
        if Model::r4().resource(ty).is_some() {
            return Some(front.to_owned());
        }
        base = front;
    }
    Some(path.strip_suffix("/_history").unwrap_or(path).to_owned())
}
