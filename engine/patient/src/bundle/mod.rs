//! A Bundle: what its entries are called, what they refer to, what they delete.
//!
//! A reference is resolved in the *text* of a resource, before it becomes part of a record: logic
//! compares references as texts (CQL takes the last part of `Encounter/1`), so each must read
//! `Type/id`. [`Resolved`] keeps what stood there before, so that a resource can be given back as it
//! came.
//!
//! ```text
//! Bundle::read ─ entries: id, fullUrl, DELETE ─▶ resolved() ─ text, restore ─▶ PatientRecord, lake
//! ```
//!
//! Rules (FHIR R4 §2.36.4.1, "Resolving references in Bundles"):
//! - A reference to the `fullUrl` of an entry, `urn:uuid:`, `urn:oid:` or a URL, is that entry.
//! - A relative one is resolved against the server of its entry's `fullUrl`.
//! - A URL of the Bundle's own server is `Type/id`. That server is the one of its `self` link, else
//!   the one that most of its `fullUrl`s name; a caller may know more.
//! - A URL of another server names nothing here: its last slash is written `%2F`, so that no logic
//!   takes `https://other/Patient/x` for the `x` of this data. Servers are compared in the normal form of
//!   RFC 3986 (see [`server_key`]); a URL without `https://` is another server's too.
//! - An entry of another server is taken under its type and id, unless a resource of this server or of
//!   a third has them, or a reference of this server's resources means its own: see
//!   [`Entry::collides`].
//! - `_history/2` is left out: a record holds one version of a resource.
//! - Searches (`Patient?identifier=…`) and a urn that no entry has are left as they are, and counted.
//!
//! *Invariants:* nothing is lost: [`restored`] gives the text back byte for byte (white space between
//! tokens aside where one line was asked for); the same Bundle gives the same ids.

mod deletion;
mod identity;
mod one_patient;
mod reference;
mod rewrite;
mod servers;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::fhir::model::Model;
use crate::record::Element;

pub use deletion::{Deletion, NotDeletable};
pub use one_patient::{EntryError, LeftOut, push_entries};
pub use reference::{Form, References, Target, form, server_key};
pub use rewrite::{Damaged, Piece, Resolved, compact, resolved, restore_text, restored};

use identity::Ids;

/// Whether a text is a FHIR id: 1 to 64 of `A-Z a-z 0-9 - .`
pub fn is_id(text: &str) -> bool {
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    (1..=64).contains(&text.len()) && text.bytes().all(legal)
}

/// Where a resource stands: what its references are resolved by.
#[derive(Clone, Copy, Debug)]
pub enum Context<'b, 'r> {
    /// On a line of its own. `own` are the servers whose resources these are; without any, a URL is
    /// taken by its type and id, and counted by its server.
    Line {
        /// Without a slash at the end.
        own: &'b [String],
    },
    /// In a Bundle, by the number of its entry.
    Entry(&'b Bundle<'r>, usize),
}

/// An entry of a Bundle.
#[derive(Debug)]
pub struct Entry<'r> {
    /// The entry.
    pub element: Element<'r>,
    /// Its resource. None where it deletes.
    pub resource: Option<Element<'r>>,
    /// The id of a resource that has none of its own: see [`Bundle::read`].
    pub given_id: Option<String>,
    /// What it deletes, or why it cannot be told; `None` where its method is no DELETE.
    pub deletes: Option<Result<Deletion, NotDeletable>>,
    /// It is another server's, and its type and id are those of another resource: one that is here, of
    /// the Bundle's own server or of a third, or one of the own server that a reference names. It must
    /// not be taken under them, and nothing is resolved to it.
    pub collides: bool,
    /// The server that its `fullUrl` names.
    server: Option<String>,
}

/// A Bundle of any type, its entries named.
#[derive(Debug)]
pub struct Bundle<'r> {
    entries: Vec<Entry<'r>>,
    /// `Type/id` by `fullUrl`; `None` where two entries of one `fullUrl` are different resources.
    by_url: FxHashMap<String, Option<String>>,
    /// `Type/id` by id, for a `urn:uuid:` that is no `fullUrl`.
    by_id: FxHashMap<String, Option<String>>,
    /// Servers whose resources these are.
    own: Vec<String>,
    /// Type `history`: the newest stands first.
    newest_first: bool,
}

impl<'r> Bundle<'r> {
    /// Reads the entries. `own` are servers that are known to be this data's, beside the Bundle's.
    ///
    /// A resource without an id gets one: of `request.url` (PUT), of `response.location`, of its
    /// `fullUrl` (the uuid of `urn:uuid:`, the last part of a URL); and where it is to be created
    /// (POST) and has no `fullUrl`, a hash of its content, so that the same again is the same.
    pub fn read(bundle: Element<'r>, own: &[String]) -> Bundle<'r> {
        Self::of(bundle, own, true)
    }

    /// Reads the entries of data whose server is known: it is no other, whatever server the Bundle's
    /// link and most of its `fullUrl`s name.
    pub fn read_of_server(bundle: Element<'r>, server: &str) -> Bundle<'r> {
        Self::of(bundle, &[server.to_owned()], false)
    }

    fn of(bundle: Element<'r>, own: &[String], find_server: bool) -> Bundle<'r> {
        let mut ids = Ids::default();
        let mut out = Bundle {
            entries: vec![],
            by_url: FxHashMap::default(),
            by_id: FxHashMap::default(),
            own: own.iter().map(|s| server_key(s).into_owned()).collect(),
            newest_first: bundle
                .get_named("type")
                .is_some_and(|t| t.is_str("history")),
        };
        let mut names: Vec<Option<(String, String)>> = vec![];
        let mut urls: Vec<Option<Cow<'r, str>>> = vec![];
        let entries = bundle.get_named("entry");
        for element in entries.into_iter().flat_map(Element::items) {
            let url = element.get_str("fullUrl");
            let deletes = deletion::is_delete(element);
            let resource = element.get_named("resource").filter(|_| !deletes);
            let ty = resource
                .and_then(|r| r.get_str("resourceType"))
                .filter(|t| Model::r4().resource(t).is_some());
            let (mut name, mut given_id) = (None, None);
            if let (Some(resource), Some(ty)) = (resource, ty) {
                given_id = ids.given(element, resource, &ty, url.as_deref());
                let own = resource.get_str("id").map(Cow::into_owned);
                let id = own.or_else(|| given_id.clone()).filter(|id| is_id(id));
                name = id.map(|id| (ty.into_owned(), id));
            }
            let server = url.as_deref().and_then(servers::of);
            names.push(name);
            urls.push(url);
            out.entries.push(Entry {
                element,
                resource,
                given_id,
                deletes: None,
                collides: false,
                server,
            });
        }
        if find_server {
            let servers = out.entries.iter().filter_map(|e| e.server.as_deref());
            let server = servers::own_of(bundle, servers);
            let server = server.filter(|s| !out.own.contains(s));
            out.own.extend(server);
        }
        out.collisions(&names);
        out.index(&names, &urls);
        for index in 0..out.entries.len() {
            let entry = out.entries.get(index);
            let read = entry.and_then(|e| deletion::read(e.element, e.server.as_deref(), &out.own));
            if let Some(entry) = out.entries.get_mut(index) {
                entry.deletes = read;
            }
        }
        out
    }

    fn index(&mut self, names: &[Option<(String, String)>], urls: &[Option<Cow<'r, str>>]) {
        fn add(map: &mut FxHashMap<String, Option<String>>, key: String, name: &str) {
            let there = map.entry(key).or_insert_with(|| Some(name.to_owned()));
            if there.as_deref() != Some(name) {
                *there = None;
            }
        }
        let all = self.entries.iter().zip(names.iter().zip(urls));
        for (_, (name, url)) in all.filter(|(entry, _)| !entry.collides) {
            let Some((ty, id)) = name else { continue };
            let full = format!("{ty}/{id}");
            if let Some(url) = url {
                add(&mut self.by_url, reference::key(url).into_owned(), &full);
            }
            add(&mut self.by_id, id.to_ascii_lowercase(), &full);
        }
    }

    /// One type and id is one resource here: another server's must not become ours, nor a third's.
    fn collisions(&mut self, names: &[Option<(String, String)>]) {
        let foreign: Vec<bool> = self.entries.iter().map(|e| self.is_foreign(e)).collect();
        if !foreign.contains(&true) {
            return;
        }
        let mut own: FxHashSet<(String, String)> = FxHashSet::default();
        for ((entry, name), _) in self
            .entries
            .iter()
            .zip(names)
            .zip(&foreign)
            .filter(|(_, foreign)| !**foreign)
        {
            own.extend(name.clone());
            let references = entry.resource.into_iter().flat_map(Element::references);
            for text in references.filter_map(Element::as_str) {
                let target = match form(&text) {
                    Form::Relative(target) => Some(target),
                    Form::Absolute { server, target } => self.is_own(server).then_some(target),
                    _ => None,
                };
                own.extend(target.map(|t| (t.ty.to_owned(), t.id.to_owned())));
            }
        }
        // Of several other servers the one that comes first has the name.
        let mut others: FxHashMap<&(String, String), Option<String>> = FxHashMap::default();
        for ((entry, name), _) in self
            .entries
            .iter_mut()
            .zip(names)
            .zip(&foreign)
            .filter(|(_, foreign)| **foreign)
        {
            let Some(name) = name else { continue };
            let first = others.entry(name).or_insert_with(|| entry.server.clone());
            entry.collides = own.contains(name) || *first != entry.server;
        }
    }

    fn is_foreign(&self, entry: &Entry<'_>) -> bool {
        entry.server.as_ref().is_some_and(|s| !self.own.contains(s))
    }

    /// Counts the resources that are another server's, by their server.
    pub fn count_foreign(&self, found: &mut References) {
        let foreign = self.entries.iter().filter(|e| e.resource.is_some());
        for entry in foreign.filter(|e| self.is_foreign(e)) {
            found.add_foreign(entry.server.as_deref().unwrap_or(""));
        }
    }

    /// Whether an entry is another server's, by its `fullUrl`.
    pub fn is_of_another_server(&self, entry: usize) -> bool {
        self.entries.get(entry).is_some_and(|e| self.is_foreign(e))
    }

    /// The servers that this data is from, in the form of [`server_key`].
    pub fn servers(&self) -> &[String] {
        &self.own
    }

    /// Its entries, in their order.
    pub fn entries(&self) -> &[Entry<'r>] {
        &self.entries
    }

    /// Whether the newest entry stands first (type `history`).
    pub fn newest_first(&self) -> bool {
        self.newest_first
    }

    fn is_own(&self, server: &str) -> bool {
        let server = server_key(server);
        self.own.iter().any(|own| *own == server)
    }
}
