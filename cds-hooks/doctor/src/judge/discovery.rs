//! Discovery: the list of services, and each of them.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::{members, template, text, told};
use crate::chart::context;
use crate::check::{
    Book, DISCOVERY, HOOK_NAME, SERVICE_ID, SERVICE_MEMBERS, SERVICE_PREFETCH, SERVICE_REQUIRED,
    SERVICE_TEXTS, SERVICE_TITLE, SERVICE_UNIQUE, SERVICE_VERSION,
};
use crate::json::Document;

/// A service as far as it can be called.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    pub(crate) id: String,
    pub(crate) hook: String,
    /// Keys and templates, in the order in which they came.
    pub(crate) prefetch: Vec<(String, String)>,
}

const MEMBERS: &[&str] = &[
    "hook",
    "title",
    "description",
    "id",
    "prefetch",
    "usageRequirements",
    "version",
    "hookVersion",
];

/// The services of a document; those that cannot be called are left out.
pub(crate) fn services(book: &mut Book, document: &Document) -> Vec<Service> {
    let value = &document.value;
    let Some(object) = value.as_object() else {
        book.fail(&DISCOVERY, "GET /cds-services", told(Some(value)));
        return vec![];
    };
    let Some(list) = object.get("services").and_then(Value::as_array) else {
        let came = format!("`services` is {}", told(object.get("services")));
        book.fail(&DISCOVERY, "GET /cds-services", came);
        return vec![];
    };
    book.judge(&DISCOVERY, true, "", String::new);
    members(book, &SERVICE_MEMBERS, object, &["services"], "discovery");
    let (mut out, mut seen) = (vec![], HashSet::new());
    for (at, one) in list.iter().enumerate() {
        let place = match one.get("id").and_then(Value::as_str) {
            Some(id) => format!("service `{}`", crate::check_text(id)),
            None => format!("services[{at}]"),
        };
        let Some(one) = one.as_object() else {
            book.fail(&SERVICE_REQUIRED, &place, told(Some(one)));
            continue;
        };
        let keys = document.prefetch.get(at).map(Vec::as_slice);
        if let Some(service) = service(book, one, keys.unwrap_or_default(), &place) {
            let new = seen.insert((service.id.clone(), service.hook.clone()));
            let came = || format!("hook `{}` twice", service.hook);
            book.judge(&SERVICE_UNIQUE, new, &place, came);
            out.push(service);
        }
    }
    out
}

fn service(
    book: &mut Book,
    one: &Map<String, Value>,
    keys: &[String],
    place: &str,
) -> Option<Service> {
    for name in ["hook", "description", "id"] {
        let came = || format!("`{name}` is {}", told(one.get(name)));
        book.judge(&SERVICE_REQUIRED, text(one, name).is_some(), place, came);
    }
    for name in ["title", "usageRequirements", "hookVersion"] {
        if let Some(value) = one.get(name) {
            let came = || format!("`{name}` is {}", told(Some(value)));
            book.judge(&SERVICE_TEXTS, value.is_string(), place, came);
        }
    }
    book.judge(&SERVICE_TITLE, one.contains_key("title"), place, || {
        "none".to_owned()
    });
    if let Some(version) = one.get("version") {
        let is = version.as_str().is_some_and(is_semver);
        book.judge(&SERVICE_VERSION, is, place, || told(Some(version)));
    }
    let (hook, id) = (text(one, "hook")?, text(one, "id")?);
    let named = context::of(hook).is_some() || is_own_hook(hook);
    book.judge(&HOOK_NAME, named, place, || hook.to_owned());
    let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_.~".contains(&b);
    let fits = id.bytes().all(legal) && id != "." && id != "..";
    book.judge(&SERVICE_ID, fits, place, || {
        format!("`{id}` is no part of an address")
    });
    let known: Vec<&str> = MEMBERS.to_vec();
    let wrong_name = one
        .keys()
        .find(|name| *name != "prefetch" && name.eq_ignore_ascii_case("prefetch"));
    if let Some(name) = wrong_name {
        book.fail(&SERVICE_PREFETCH, place, format!("`{name}`"));
    }
    let mut others = one.clone();
    others.retain(|name, _| Some(name) != wrong_name);
    members(book, &SERVICE_MEMBERS, &others, &known, place);
    let prefetch = prefetch(book, one, keys, place);
    template::all(book, hook, &prefetch, place);
    Some(Service {
        id: id.to_owned(),
        hook: hook.to_owned(),
        prefetch,
    })
}

fn prefetch(
    book: &mut Book,
    one: &Map<String, Value>,
    keys: &[String],
    place: &str,
) -> Vec<(String, String)> {
    let Some(value) = one.get("prefetch") else {
        return vec![];
    };
    let Some(templates) = value.as_object() else {
        book.fail(
            &SERVICE_PREFETCH,
            place,
            format!("`prefetch` is {}", told(Some(value))),
        );
        return vec![];
    };
    let mut out = vec![];
    for key in keys {
        let template = text(templates, key);
        let came = || format!("`prefetch.{key}` is {}", told(templates.get(key)));
        book.judge(&SERVICE_PREFETCH, template.is_some(), place, came);
        out.extend(template.map(|template| (key.clone(), template.to_owned())));
    }
    out
}

/// `major.minor.patch`, perhaps with what semver allows behind it.
fn is_semver(text: &str) -> bool {
    let core = text.split(['-', '+']).next().unwrap_or_default();
    let parts: Vec<&str> = core.split('.').collect();
    let number = |p: &&str| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit());
    parts.len() == 3 && parts.iter().all(number)
}

/// `org.example.noun-verb`: a domain, reversed, and a name.
fn is_own_hook(hook: &str) -> bool {
    let parts: Vec<&str> = hook.split('.').collect();
    let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    parts.len() >= 3 && parts.iter().all(|p| !p.is_empty() && p.bytes().all(legal))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_versions() {
        assert!(is_semver("3.0.0") && is_semver("3.0.0-ballot"));
        assert!(!is_semver("STU3") && !is_semver("2.0") && !is_semver("v2.0.1"));
        assert!(is_own_hook("org.example.patient-transmogrify"));
        assert!(!is_own_hook("patient-sing") && !is_own_hook("a..b"));
    }
}
