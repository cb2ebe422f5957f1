//! Ids for resources that come without one.

use rustc_hash::FxHashMap;
use xxhash_rust::xxh3::Xxh3;

use super::is_id;
use super::reference::{Form, form};
use super::rewrite::compact;
use crate::record::Element;

/// How often a content without an id was met in a Bundle.
#[derive(Default)]
pub(super) struct Ids {
    seen: FxHashMap<u128, u32>,
}

impl Ids {
    /// The id of a resource that has none, by the rules of [`super::Bundle::read`].
    pub(super) fn given(
        &mut self,
        entry: Element<'_>,
        resource: Element<'_>,
        ty: &str,
        url: Option<&str>,
    ) -> Option<String> {
        if resource.get_named("id").is_some() {
            return None;
        }
        let method = entry.path(&["request", "method"]);
        let is = |name: &str| method.is_some_and(|m| m.is_str(name));
        let of_type = |url: &str| match form(url) {
            Form::Relative(t) | Form::Absolute { target: t, .. } if t.ty == ty && is_id(t.id) => {
                Some(t.id.to_owned())
            }
            _ => None,
        };
        let put = entry.path(&["request", "url"]).filter(|_| is("PUT"));
        let located = [put, entry.path(&["response", "location"])];
        let located = located
            .into_iter()
            .flatten()
            .find_map(|u| of_type(&u.as_str()?));
        let named = || url.and_then(|url| of_type(url).or_else(|| urn_id(url)));
        let created = || (url.is_none() && is("POST")).then(|| self.of_content(ty, resource));
        located.or_else(named).or_else(created)
    }

    fn of_content(&mut self, ty: &str, resource: Element<'_>) -> String {
        let mut hash = Xxh3::new();
        hash.update(ty.as_bytes());
        hash.update(b"\n");
        hash.update(compact(resource.raw()).as_bytes());
        let hash = hash.digest128();
        let times = self.seen.entry(hash).or_default();
        *times += 1;
        // The same content twice is two resources.
        match *times {
            1 => format!("content-{hash:032x}"),
            n => format!("content-{hash:032x}-{n}"),
        }
    }
}

/// The id in `urn:uuid:…` and `urn:oid:…`.
fn urn_id(url: &str) -> Option<String> {
    let id = url
        .strip_prefix("urn:uuid:")
        .or_else(|| url.strip_prefix("urn:oid:"))?;
    is_id(id).then(|| id.to_owned())
}
