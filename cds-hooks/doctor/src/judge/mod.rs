//! What comes from a service, held against the specification, member by member.

pub(crate) mod action;
pub(crate) mod card;
pub(crate) mod discovery;
pub(crate) mod template;

use serde_json::{Map, Value};

use crate::check::{Book, CARD_MEMBERS, Check, NO_EMPTY, STRICT_JSON};
use crate::json::Document;

/// Whether a text is a UUID of 8-4-4-4-12 hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|p| p.len()).collect();
    lengths == [8, 4, 4, 4, 12] && parts.concat().bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a URL is http or https, with a host.
pub(crate) fn is_absolute(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

/// A text that is not empty.
pub(crate) fn text<'v>(object: &'v Map<String, Value>, name: &str) -> Option<&'v str> {
    let text = object.get(name).and_then(Value::as_str);
    text.filter(|text| !text.trim().is_empty())
}

/// A value in short, for what came.
pub(crate) fn told(value: Option<&Value>) -> String {
    value.map_or_else(
        || "nothing".to_owned(),
        |value| crate::check_text(&value.to_string()),
    )
}

/// Members beyond those of the specification, and an `extension` that is no object.
pub(crate) fn members(
    book: &mut Book,
    check: &'static Check,
    object: &Map<String, Value>,
    known: &[&str],
    place: &str,
) {
    for name in object.keys().filter(|name| *name != "extension") {
        let fits = known.contains(&name.as_str());
        book.judge(check, fits, place, || format!("the member `{name}`"));
    }
    if let Some(extension) = object.get("extension") {
        let came = || format!("`extension` is {}", told(Some(extension)));
        book.judge(check, extension.is_object(), place, came);
    }
}

/// Members that cards, suggestions, actions, links and sources may have.
pub(crate) fn card_members(
    book: &mut Book,
    object: &Map<String, Value>,
    known: &[&str],
    place: &str,
) {
    members(book, &CARD_MEMBERS, object, known, place);
}

/// Whether values have members without a value.
pub(crate) fn has_empties(values: &[Value]) -> bool {
    let mut found = vec![];
    for value in values {
        empties(value, ".", Within::Document, &mut found);
    }
    !found.is_empty()
}

/// A whole document: nothing twice, nothing empty. `echoed` where its resources may be drafts of the call
/// that have empty members themselves: what came from the client may go back to it.
pub(crate) fn document(book: &mut Book, document: &Document, echoed: bool, place: &str) {
    let twice = &document.twice;
    book.judge(&STRICT_JSON, twice.is_empty(), place, || {
        format!("members that occur twice: {}", twice.join(", "))
    });
    let mut found = vec![];
    let within = if echoed {
        Within::Echo
    } else {
        Within::Document
    };
    empties(&document.value, "", within, &mut found);
    book.judge(&NO_EMPTY, found.is_empty(), place, || found.join(", "));
}

/// Where a value stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Document,
    /// The same, and resources in it are not looked at.
    Echo,
    Resource,
}

/// Where a document has members without a value. Lists of primitives in FHIR may have nulls.
fn empties(value: &Value, path: &str, within: Within, out: &mut Vec<String>) {
    const TOLD: usize = 5;
    if out.len() >= TOLD {
        return;
    }
    let top = matches!(path, ".cards" | ".services") && value.as_array().is_some_and(Vec::is_empty);
    let empty = match value {
        Value::Null => !(within == Within::Resource && path.ends_with(']')),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        _ => false,
    };
    if empty && !top && !path.is_empty() {
        out.push(format!("`{}` is {value}", path.trim_start_matches('.')));
    }
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                empties(item, &format!("{path}[{at}]"), within, out);
            }
        }
        Value::Object(members) => {
            let within = match (members.contains_key("resourceType"), within) {
                (true, Within::Echo) => return,
                (true, _) => Within::Resource,
                (false, within) => within,
            };
            for (name, value) in members {
                empties(value, &format!("{path}.{name}"), within, out);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_empty() {
        let found = |value: Value| {
            let mut out = vec![];
            empties(&value, "", Within::Document, &mut out);
            out
        };
        assert_eq!(found(json!({"cards": []})), [""; 0]);
        assert_eq!(found(json!({"services": []})), [""; 0]);
        assert_eq!(found(json!({"cards": null})), ["`cards` is null"]);
        assert_eq!(
            found(json!({"cards": [{"links": []}]})),
            ["`cards[0].links` is []"]
        );
        assert_eq!(found(json!({"cards": [], "systemActions": []})).len(), 1);
        let resource = json!({"r": {"resourceType": "Patient", "_given": [null, {"id": "a"}]}});
        assert_eq!(found(resource), [""; 0]);
    }

    #[test]
    fn uuids_and_urls() {
        assert!(is_uuid("d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"));
        for bad in [
            "",
            "d1577c69dfbe44adba6d3e05e953b2ea",
            "d1577c69-dfbe-44ad-ba6d-3e05e953b2eg",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
        assert!(is_absolute("https://example.org/a"));
        for bad in [
            "/a",
            "example.org",
            "javascript:alert(1)",
            "mailto:a@b",
            "https:",
        ] {
            assert!(!is_absolute(bad), "{bad}");
        }
    }
}
