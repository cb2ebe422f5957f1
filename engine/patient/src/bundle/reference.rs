//! What a reference names, and what it is resolved to.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::{Bundle, Context};
use crate::fhir::model::Model;

/// The forms of `Reference.reference`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form<'t> {
    /// `Patient/1`
    Relative(Target<'t>),
    /// `https://a/fhir/Patient/1`, with or without a scheme.
    Absolute {
        /// `https://a/fhir`
        server: &'t str,
        /// `Patient/1`
        target: Target<'t>,
    },
    /// `urn:uuid:…`, `urn:oid:…`
    Urn,
    /// `Patient?identifier=…`, by its type.
    Search(&'t str),
    /// `#contained`, and whatever FHIR R4 does not know.
    Other,
}

/// Type and id, with or without `_history/…`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Target<'t> {
    /// A type of R4.
    pub ty: &'t str,
    /// Not empty.
    pub id: &'t str,
    /// One version is named.
    pub versioned: bool,
}

/// Takes a reference apart.
pub fn form(text: &str) -> Form<'_> {
    let known = |ty: &str| Model::r4().resource(ty).is_some();
    if is_urn(text) {
        return Form::Urn;
    }
    if let Some((path, _)) = text.split_once('?') {
        let ty = path.rsplit('/').next().unwrap_or("");
        return if known(ty) {
            Form::Search(ty)
        } else {
            Form::Other
        };
    }
    if text.contains('#') {
        return Form::Other;
    }
    let (literal, versioned) = match text.split_once("/_history/") {
        Some((literal, _)) => (literal, true),
        None => (text, false),
    };
    let Some((front, id)) = literal.rsplit_once('/') else {
        return Form::Other;
    };
    let (server, ty) = match front.rsplit_once('/') {
        Some((server, ty)) => (server, ty),
        None => ("", front),
    };
    if id.is_empty() || !known(ty) {
        return Form::Other;
    }
    let target = Target { ty, id, versioned };
    // A compartment's, `Patient/1/Encounter/2`, is no part of the server.
    let mut server = server;
    while let Some((front, _)) = server.rsplit_once('/') {
        let (front, ty) = front.rsplit_once('/').unwrap_or(("", front));
        if !known(ty) {
            break;
        }
        server = front;
    }
    match server {
        // A server's root is the same server.
        "" => Form::Relative(target),
        server => Form::Absolute { server, target },
    }
}

/// Whether a URL starts with `http://` or `https://`, in any case (RFC 3986 §3.1).
pub(super) fn is_http(url: &str) -> bool {
    let scheme = url.split_once("://").map_or("", |(scheme, _)| scheme);
    scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http")
}

/// A server or a URL on it in the normal form of RFC 3986 §6.2: scheme and host in lower case, without
/// the port that the scheme has anyway and without slashes at the end, percent-encoding in capitals and
/// only where it is needed. The case of the path counts. What is no http or https URL stays as it is.
pub fn server_key(url: &str) -> Cow<'_, str> {
    if !is_http(url) {
        return Cow::Borrowed(url);
    }
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url
        .get(host..)
        .and_then(|rest| rest.find('/'))
        .map_or(url.len(), |at| host + at);
    let (front, path) = url.split_at_checked(end).unwrap_or((url, ""));
    // Nearly all are in it already: looked at quickly.
    let plain = |b: u8| !b.is_ascii_uppercase() && b != b':';
    let rest = front.split_once("://").map_or("", |(_, rest)| rest);
    let lower_scheme = url.starts_with("http");
    if lower_scheme
        && rest.bytes().all(plain)
        && !url.ends_with('/')
        && memchr::memchr(b'%', url.as_bytes()).is_none()
    {
        return Cow::Borrowed(url);
    }
    let front = front.to_ascii_lowercase();
    let (scheme, rest) = front.split_once("://").unwrap_or(("", ""));
    let port = if scheme == "https" { ":443" } else { ":80" };
    let rest = rest.strip_suffix(port).unwrap_or(rest);
    let rest = rest.strip_suffix(':').unwrap_or(rest);
    let path = unescaped(path.trim_end_matches('/'));
    Cow::Owned(format!("{scheme}://{rest}{path}"))
}

/// RFC 3986 §6.2.2.1 and §6.2.2.2: `%7e` is `~`, and `%2f` is `%2F`.
fn unescaped(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut parts = path.split('%');
    out.push_str(parts.next().unwrap_or(""));
    for part in parts {
        let digits = part
            .get(..2)
            .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
        let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        match (byte, digits) {
            (Some(byte), _) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                out.push(char::from(byte));
                out.push_str(part.get(2..).unwrap_or(""));
            }
            (Some(_), Some(digits)) => {
                out.push('%');
                out.push_str(&digits.to_ascii_uppercase());
                out.push_str(part.get(2..).unwrap_or(""));
            }
            _ => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

fn is_urn(text: &str) -> bool {
    text.starts_with("urn:uuid:") || text.starts_with("urn:oid:")
}

/// As a key of `fullUrl`s: without a version; the digits of a uuid are the same in both cases
/// (RFC 9562 §4).
pub(super) fn key(url: &str) -> Cow<'_, str> {
    let url = url.split_once("/_history/").map_or(url, |(u, _)| u);
    match url.starts_with("urn:uuid:") && url.bytes().any(|b| b.is_ascii_uppercase()) {
        true => Cow::Owned(url.to_ascii_lowercase()),
        false => server_key(url),
    }
}

/// What became of the references that are not `Type/id` already. Holds no ids.
#[derive(Clone, Default, PartialEq, Eq, Debug, serde::Serialize)]
pub struct References {
    /// Resolved within their Bundle, or to their own server.
    pub resolved: u64,
    /// On lines, by server: URLs that were taken by type and id, since nothing says whose they are.
    pub assumed: BTreeMap<String, u64>,
    /// By server: URLs of another server.
    pub elsewhere: BTreeMap<String, u64>,
    /// By server: resources in a Bundle that are another server's. Not references.
    pub foreign_entries: BTreeMap<String, u64>,
    /// `urn:uuid:` and `urn:oid:` that no entry has.
    pub unknown_urns: u64,
    /// By type: searches, which are not run.
    pub searches: BTreeMap<String, u64>,
}

/// Servers that are told apart; the rest is counted together.
const SERVERS: usize = 1000;

/// Servers that are counted apart before that.
const COUNTED: usize = 20_000;

/// The rest.
const OTHERS: &str = "(others)";

impl References {
    /// Adds up.
    pub fn add(&mut self, other: &References) {
        self.resolved += other.resolved;
        self.unknown_urns += other.unknown_urns;
        for (own, others) in [
            (&mut self.assumed, &other.assumed),
            (&mut self.elsewhere, &other.elsewhere),
            (&mut self.searches, &other.searches),
            (&mut self.foreign_entries, &other.foreign_entries),
        ] {
            for (name, n) in others {
                *own.entry(name.clone()).or_default() += n;
            }
        }
    }

    /// Counts a resource of another server.
    pub(super) fn add_foreign(&mut self, server: &str) {
        count(&mut self.foreign_entries, shown(server));
    }

    /// Keeps memory bounded however many servers the data names: beyond 20,000 of a kind the last by
    /// name are counted as `(others)`. Which those are does not depend on who counted what.
    pub fn bound(&mut self) {
        for counts in [
            &mut self.assumed,
            &mut self.elsewhere,
            &mut self.foreign_entries,
            &mut self.searches,
        ] {
            while counts.len() > COUNTED {
                // `(` is before every name of a server.
                if let Some((_, n)) = counts.pop_last() {
                    *counts.entry(OTHERS.to_owned()).or_default() += n;
                }
            }
        }
    }

    /// The 1,000 most frequent servers of each kind (of as many, the first by name); the rest is summed
    /// up as `(others)`.
    pub fn most_frequent(mut self) -> References {
        for counts in [
            &mut self.assumed,
            &mut self.elsewhere,
            &mut self.foreign_entries,
        ] {
            if counts.len() <= SERVERS {
                continue;
            }
            let mut all: Vec<(String, u64)> = std::mem::take(counts).into_iter().collect();
            all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            let rest: u64 = all.drain(SERVERS..).map(|(_, n)| n).sum();
            counts.extend(all);
            *counts.entry(OTHERS.to_owned()).or_default() += rest;
        }
        self
    }

    /// Those that name nothing that is here.
    pub fn unresolved(&self) -> u64 {
        let sum = |counts: &BTreeMap<String, u64>| counts.values().sum::<u64>();
        self.unknown_urns + sum(&self.elsewhere) + sum(&self.searches)
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    *counts.entry(name.to_owned()).or_default() += 1;
}

/// A server's URL as it may be shown, without what follows a type of R4 (it may be a patient's id);
/// anything that does not look like one is left out.
fn shown(server: &str) -> &str {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/%[]".contains(&b);
    let mut end = 0;
    for part in server.split('/') {
        if Model::r4().resource(part).is_some() {
            break;
        }
        end += part.len() + 1;
    }
    let server = server.get(..end.saturating_sub(1)).unwrap_or(server);
    match is_http(server) && server.len() <= 200 && server.bytes().all(plain) {
        true => server,
        false => "(another URL)",
    }
}

/// `https://other/Patient%2Fx`: no logic takes it for `Patient/x`.
fn of_another(server: &str, target: Target<'_>) -> String {
    format!("{server}/{}%2F{}", target.ty, target.id)
}

/// What to write instead of a reference; `None` to leave it.
pub(super) fn resolve(
    text: &str,
    context: &Context<'_, '_>,
    found: &mut References,
) -> Option<String> {
    let server = match context {
        Context::Line { .. } => None,
        Context::Entry(bundle, entry) => {
            bundle.entries.get(*entry).and_then(|e| e.server.as_deref())
        }
    };
    if server.is_none() && is_plain(text) {
        return None;
    }
    match (form(text), context) {
        (Form::Other, _) => None,
        (Form::Search(ty), _) => {
            count(&mut found.searches, ty);
            None
        }
        (Form::Urn, Context::Line { .. }) => {
            found.unknown_urns += 1;
            None
        }
        (Form::Urn, Context::Entry(bundle, _)) => {
            let name = bundle.urn(text);
            match name {
                Some(_) => found.resolved += 1,
                None => found.unknown_urns += 1,
            }
            name
        }
        (Form::Relative(target), Context::Line { .. }) => plain(text, target),
        (Form::Relative(target), Context::Entry(bundle, _)) => {
            let Some(server) = server else {
                return plain(text, target);
            };
            match bundle.at(server, target) {
                Some(name) => (name != text).then(|| {
                    found.resolved += 1;
                    name
                }),
                None if bundle.is_own(server) => plain(text, target),
                None => {
                    count(&mut found.elsewhere, shown(server));
                    Some(of_another(server, target))
                }
            }
        }
        (Form::Absolute { server, target }, Context::Line { own }) => {
            let key = server_key(server);
            let is_own = own.iter().any(|o| server_key(o) == key);
            match (is_own, own.is_empty()) {
                (true, _) => found.resolved += 1,
                (_, true) => count(&mut found.assumed, shown(&key)),
                _ => {
                    count(&mut found.elsewhere, shown(&key));
                    return Some(of_another(server, target));
                }
            }
            Some(name_of(target))
        }
        (Form::Absolute { server, target }, Context::Entry(bundle, _)) => {
            let there = bundle.by_url.get(&*key(text)).cloned().flatten();
            let there = there.or_else(|| bundle.at(server, target));
            let name = there.or_else(|| bundle.is_own(server).then(|| name_of(target)));
            match &name {
                Some(_) => found.resolved += 1,
                None => count(&mut found.elsewhere, shown(&server_key(server))),
            }
            name.or_else(|| Some(of_another(server, target)))
        }
    }
}

/// `Type/id` and no more, as nearly all references are: looked at quickly.
fn is_plain(text: &str) -> bool {
    text.split_once('/')
        .is_some_and(|(ty, id)| super::is_id(id) && ty.bytes().all(|b| b.is_ascii_alphabetic()))
}

pub(super) fn name_of(target: Target<'_>) -> String {
    format!("{}/{}", target.ty, target.id)
}

/// `Type/id` where more stands there: a version, a slash before it.
fn plain(text: &str, target: Target<'_>) -> Option<String> {
    (text.len() != target.ty.len() + 1 + target.id.len()).then(|| name_of(target))
}

impl Bundle<'_> {
    /// The entry of a `fullUrl` on a server.
    fn at(&self, server: &str, target: Target<'_>) -> Option<String> {
        let url = format!("{server}/{}/{}", target.ty, target.id);
        self.by_url.get(&*key(&url))?.clone()
    }

    /// The entry of a urn: by its `fullUrl`, else the one resource whose id it is.
    fn urn(&self, text: &str) -> Option<String> {
        if let Some(found) = self.by_url.get(&*key(text)) {
            return found.clone();
        }
        let id = text
            .strip_prefix("urn:uuid:")
            .or_else(|| text.strip_prefix("urn:oid:"))?;
        self.by_id.get(&id.to_ascii_lowercase())?.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_server_has_one_form() {
        for url in [
            "https://ehr.example/fhir/r4~x",
            "HTTPS://EHR.Example/fhir/r4~x",
            "https://ehr.example:443/fhir/r4~x/",
            "https://ehr.example:/fhir/r4~x//",
            "https://ehr.example/fhir/r4%7ex",
            "https://ehr.example/fhir/%72%34%7Ex",
        ] {
            assert_eq!(server_key(url), "https://ehr.example/fhir/r4~x", "{url}");
        }
        for (url, key) in [
            ("http://a:80", "http://a"),
            ("http://a:443/", "http://a:443"),
            ("https://a:80/x", "https://a:80/x"),
            ("https://a:8443/Fhir", "https://a:8443/Fhir"),
            ("https://a/b%2fc%zz%", "https://a/b%2Fc%zz%"),
            ("https://[::1]:443/x", "https://[::1]/x"),
            ("https://[FE80::1]/x", "https://[fe80::1]/x"),
            ("urn:uuid:A", "urn:uuid:A"),
            ("ftp://A/", "ftp://A/"),
        ] {
            assert_eq!(server_key(url), key, "{url}");
        }
    }
}
