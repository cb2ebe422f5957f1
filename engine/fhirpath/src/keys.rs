//! Keys that join views: `getResourceKey()` of a resource equals `getReferenceKey()` of what points
//! at it. The key is the resource's `id`.

use std::borrow::Cow;
use std::sync::LazyLock;

use engine_patient::fhir::names::Name;
use engine_patient::record::Element;

/// Names that are read at run time, looked up once.
struct Names {
    id: Name,
    reference: Name,
    resource_type: Name,
    ty: Name,
    url: Name,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let name = |text| Name::of(text).unwrap_or(Name::UNKNOWN);
    Names {
        id: name("id"),
        reference: name("reference"),
        resource_type: name("resourceType"),
        ty: name("type"),
        url: name("url"),
    }
});

pub(super) fn has_url(extension: Element<'_>, url: &str) -> bool {
    extension.get(NAMES.url).is_some_and(|u| u.is_str(url))
}

/// Whether an element is a resource of this type.
pub(crate) fn is_of_type(element: Element<'_>, ty: &str) -> bool {
    element
        .get(NAMES.resource_type)
        .is_some_and(|t| t.is_str(ty))
}

pub(super) fn resource_key(resource: Element<'_>) -> Option<Cow<'_, str>> {
    resource.get(NAMES.id)?.as_str()
}

/// The id in `Patient/1`, `Patient/1/_history/2`, `http://…/Patient/1` and `urn:uuid:…`. Nothing for
/// what points into the resource (`#…`), searches (`Patient?…`), or to another type than `target`.
///
/// `urn:uuid:…` does not tell the type: it is taken for `target` unless `Reference.type` says
/// otherwise. It is unique, so it can join no row of a wrong type.
pub(super) fn reference_key<'a>(
    reference: Element<'a>,
    target: Option<&str>,
) -> Option<Cow<'a, str>> {
    match reference.get(NAMES.reference)?.as_str()? {
        Cow::Borrowed(text) => key(reference, text, target).map(Cow::Borrowed),
        Cow::Owned(text) => key(reference, &text, target).map(|k| Cow::Owned(k.to_owned())),
    }
}

fn key<'t>(reference: Element<'_>, text: &'t str, target: Option<&str>) -> Option<&'t str> {
    let (ty, id) = match text
        .strip_prefix("urn:uuid:")
        .or_else(|| text.strip_prefix("urn:oid:"))
    {
        Some(id) => (None, id),
        None => {
            let path = text.split_once("/_history/").map_or(text, |(path, _)| path);
            let (front, id) = path.rsplit_once('/')?;
            (Some(front.rsplit('/').next()?), id)
        }
    };
    let fits = match (ty, target) {
        (Some(ty), Some(target)) => ty == target,
        (Some(ty), None) => ty.starts_with(|c: char| c.is_ascii_uppercase()),
        (None, Some(target)) => reference.get(NAMES.ty).is_none_or(|t| t.is_str(target)),
        (None, None) => true,
    };
    let plain = !id.is_empty()
        && id
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'));
    (fits && plain).then_some(id)
}
