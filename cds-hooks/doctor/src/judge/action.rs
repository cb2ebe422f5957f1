//! Actions of suggestions and systemActions.

use serde_json::{Map, Value};

use super::{card_members, text, told};
use crate::chart::{drafts::references, kind};
use crate::check::{ACTION, ACTION_KEEPS, ACTION_RESOURCE, ACTION_SELECTION, ACTION_TARGET, Book};

/// The actions of a suggestion.
pub(crate) fn of_suggestion(
    book: &mut Book,
    suggestion: &Map<String, Value>,
    drafts: &[Value],
    place: &str,
) {
    if let Some(behavior) = suggestion.get("actionSelectionBehavior") {
        let fits = matches!(behavior.as_str(), Some("all" | "any" | "at-most-one"));
        book.judge(&ACTION_SELECTION, fits, place, || told(Some(behavior)));
    }
    let Some(value) = suggestion.get("actions") else {
        return;
    };
    let Some(list) = value.as_array() else {
        book.fail(&ACTION, place, told(Some(value)));
        return;
    };
    for (at, one) in list.iter().enumerate() {
        judge(book, one, drafts, true, &format!("{place}.actions[{at}]"));
    }
}

/// One action; `described` where it has to have a description.
pub(crate) fn judge(
    book: &mut Book,
    action: &Value,
    drafts: &[Value],
    described: bool,
    place: &str,
) {
    let Some(object) = action.as_object() else {
        book.fail(&ACTION, place, told(Some(action)));
        return;
    };
    card_members(
        book,
        object,
        &["type", "description", "resource", "resourceId"],
        place,
    );
    let ty = text(object, "type").unwrap_or_default();
    let named = matches!(ty, "create" | "update" | "delete");
    book.judge(&ACTION, named, place, || {
        format!("`type` is {}", told(object.get("type")))
    });
    let has = object.get("description").is_none_or(Value::is_string)
        && (!described || text(object, "description").is_some());
    let came = || format!("`description` is {}", told(object.get("description")));
    book.judge(&ACTION, has, place, came);
    let resource = object.get("resource");
    match ty {
        "create" | "update" => {
            let whole = resource.filter(|r| r.is_object() && !kind(r).is_empty());
            let came = || format!("`resource` is {}", told(resource));
            book.judge(&ACTION_RESOURCE, whole.is_some(), place, came);
            if let (Some(resource), "update") = (whole, ty) {
                update(book, resource, drafts, place);
            }
        }
        "delete" => {
            let id = text(object, "resourceId").or_else(|| resource.and_then(Value::as_str));
            let fits = id.is_some_and(is_reference)
                || resource.is_some_and(|r| r.get("id").is_some() && !kind(r).is_empty());
            let came = || format!("`resourceId` is {}", told(object.get("resourceId")));
            book.judge(&ACTION_TARGET, fits, place, came);
        }
        _ => {}
    }
}

fn update(book: &mut Book, resource: &Value, drafts: &[Value], place: &str) {
    let id = resource.get("id").and_then(Value::as_str);
    book.judge(&ACTION_TARGET, id.is_some(), place, || {
        "a resource without `id`".to_owned()
    });
    let named = references(std::slice::from_ref(resource));
    let of = |draft: &&Value| references(std::slice::from_ref(*draft)) == named;
    let Some(draft) = drafts.iter().find(of) else {
        return;
    };
    let names = |value: &Value| -> Vec<String> {
        let members = value.as_object();
        members.map_or_else(Vec::new, |m| m.keys().cloned().collect())
    };
    let kept = names(resource);
    // A choice may be made otherwise: medicationReference for medicationCodeableConcept.
    let choice = |name: &str| name.starts_with("medication");
    let gone: Vec<String> = names(draft)
        .into_iter()
        .filter(|name| !kept.contains(name) && !choice(name))
        .collect();
    let came = || format!("without `{}`", gone.join("`, `"));
    book.judge(&ACTION_KEEPS, gone.is_empty(), place, came);
}

/// `Type/id`.
fn is_reference(text: &str) -> bool {
    text.split_once('/').is_some_and(|(ty, id)| {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        ty.starts_with(|c: char| c.is_ascii_uppercase())
            && ty.bytes().all(|b| b.is_ascii_alphanumeric())
            && (1..=64).contains(&id.len())
            && id.bytes().all(legal)
    })
}
