//! Parts of a judgement, each of three values; and by which day a date counts.

use std::borrow::Cow;

use crate::fhir::names::Name;
use crate::fhir::reading::{Reading, date_at, read_at};
use crate::now::{Begun, Now};
use crate::record::Element;
use crate::system::date_time::{DateTime, Precision};
use crate::system::zone::Zone;

/// Why something cannot be told.
pub type Reason = Cow<'static, str>;

/// True, false, or why not known.
pub(super) type Told = Result<bool, Reason>;

/// Whether all hold: one that does not decides whatever is unknown beside it.
pub(super) fn all(parts: impl IntoIterator<Item = Told>) -> Told {
    let mut unknown = None;
    for part in parts {
        match part {
            Ok(true) => {}
            Ok(false) => return Ok(false),
            Err(reason) => unknown = unknown.or(Some(reason)),
        }
    }
    unknown.map_or(Ok(true), Err)
}

/// Whether a code is one of those that mean yes; `unclear` are those that say nothing.
pub(super) fn code(
    ty: &str,
    resource: Element<'_>,
    element: &str,
    yes: &[&str],
    unclear: &[&str],
) -> Told {
    let name = Name::of(element);
    let read = |name| read_at(resource, name, |e| Some(e.as_str()?.into_owned()));
    match name.map_or(Reading::Absent, read) {
        Reading::Value(code) if unclear.contains(&&*code) => {
            Err(format!("`{ty}.{element}` says that it is not known").into())
        }
        Reading::Value(code) => Ok(yes.contains(&&*code)),
        Reading::Absent => Err(format!("`{ty}.{element}` is missing").into()),
        Reading::Unreadable => Err(format!("`{ty}.{element}` cannot be read").into()),
    }
}

/// Whether a code that was read before is one of these.
pub(super) fn is_one_of(resource: Element<'_>, element: &str, codes: &[&str]) -> bool {
    let element = resource.get_named(element);
    element.is_some_and(|element| codes.iter().any(|code| element.is_str(code)))
}

/// Whether a flag is not set.
pub(super) fn not_flagged(ty: &str, resource: Element<'_>, element: &str) -> Told {
    let name = Name::of(element);
    match name.map_or(Reading::Absent, |n| read_at(resource, n, |e| e.as_bool())) {
        Reading::Value(flag) => Ok(!flag),
        Reading::Absent => Ok(true),
        Reading::Unreadable => Err(format!("`{ty}.{element}` cannot be read").into()),
    }
}

/// The date of an element; `None` where it is absent.
pub(super) fn date(
    path: &str,
    parent: Element<'_>,
    element: &str,
) -> Result<Option<DateTime>, Reason> {
    let name = Name::of(element);
    match name.map_or(Reading::Absent, |n| date_at(parent, n, "dateTime")) {
        Reading::Value(date) => Ok(Some(date)),
        Reading::Absent => Ok(None),
        Reading::Unreadable => Err(format!("`{path}` cannot be read").into()),
    }
}

/// Whether what is recorded with a date has begun at a moment. It is recorded, so that a date that is known
/// to the month or year only is past unless all of it is to come.
///
/// # Errors
/// Where it is dated after a call in which it is there already.
pub(super) fn begun(path: &str, date: DateTime, now: Now<'_>) -> Told {
    match now.begun(date) {
        Begun::Yes => Ok(true),
        Begun::NotYet => Ok(false),
        Begun::Ahead => Err(format!("`{path}` lies in the future").into()),
    }
}

/// Whether what ends on a date still goes on at a moment: a day counts to its end.
pub(super) fn goes_on(path: &str, date: DateTime, at: DateTime, zone: &Zone) -> Told {
    let (from, to) = (date.earliest(zone), date.latest(zone));
    let at = at.earliest(zone);
    match (from >= at, to >= at) {
        (_, false) => Ok(false),
        (true, true) => Ok(true),
        (false, true) if date.precision() >= Precision::Day => Ok(true),
        (false, true) => Err(format!("`{path}` is too imprecise").into()),
    }
}
