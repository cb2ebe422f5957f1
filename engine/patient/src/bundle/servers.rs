//! Which server a Bundle is from.

use std::borrow::Cow;
use std::cmp::Reverse;

use rustc_hash::FxHashMap;

use super::reference::{Form, form, is_http, server_key};
use crate::fhir::model::Model;
use crate::record::Element;

/// The server of a RESTful URL: `https://a/fhir` of `https://a/fhir/Patient/1`, scheme and host in
/// lower case.
pub(super) fn of(url: &str) -> Option<String> {
    match form(url) {
        Form::Absolute { server, .. } if is_http(server) => Some(server_key(server).into_owned()),
        _ => None,
    }
}

/// The server of the `self` link where entries are of it, else that of most entries; of as many, the
/// one that stands first.
pub(super) fn own_of<'e>(
    bundle: Element<'_>,
    servers: impl Iterator<Item = &'e str>,
) -> Option<String> {
    // How many, and where the first stands.
    let mut counts: FxHashMap<&str, (usize, usize)> = FxHashMap::default();
    for (at, server) in servers.enumerate() {
        counts.entry(server).or_insert((0, at)).0 += 1;
    }
    let linked = self_link(bundle);
    if let Some(linked) = linked.map(|l| server_key(&l).into_owned())
        && counts.contains_key(linked.as_str())
    {
        return Some(linked);
    }
    let most = counts
        .into_iter()
        .max_by_key(|(_, (n, first))| (*n, Reverse(*first)))?;
    Some(most.0.to_owned())
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
