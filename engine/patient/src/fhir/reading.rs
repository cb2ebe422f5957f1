//! Whether what an element holds can be read: absent, there, or there and unreadable.
//!
//! A primitive that is there and is not of its type (`06/04/2019`, a number where a text belongs), or
//! whose value is withheld (a data-absent-reason extension beside it), is *unknown*. It must not be
//! taken for absent: no end means "ongoing".

use super::names::Name;
use crate::record::{Element, Kind};
use crate::system::date_time::{DateTime, Precision};

/// The extension that says why a value is not there (FHIR R4 "data-absent-reason").
pub const DATA_ABSENT_REASON: &str = "http://hl7.org/fhir/StructureDefinition/data-absent-reason";

/// What stands under a property.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reading<T> {
    /// Nothing.
    Absent,
    /// A value of its type.
    Value(T),
    /// Something that is no value of its type, or that the value is withheld.
    Unreadable,
}

/// Whether an element, or the shadow of a primitive, says that a value is withheld or unknown.
pub fn has_absent_reason(element: Element<'_>) -> bool {
    let extensions = element.get_named("extension");
    let mut extensions = extensions.into_iter().flat_map(Element::items);
    extensions.any(|e| {
        e.get_named("url")
            .is_some_and(|u| u.is_str(DATA_ABSENT_REASON))
    })
}

/// Whether the primitive of this name has no value, and its shadow says why.
pub fn is_withheld(parent: Element<'_>, name: Name) -> bool {
    let shadow = name.shadow().and_then(|shadow| parent.get(shadow));
    shadow.is_some_and(has_absent_reason)
}

/// The property of this name; JSON null is nothing.
pub fn present(parent: Element<'_>, name: Name) -> Option<Element<'_>> {
    parent.get(name).filter(|e| e.kind() != Kind::Null)
}

/// The primitive of this name; `read` gives the value of one that is there, if it has one.
pub fn read_at<T>(
    parent: Element<'_>,
    name: Name,
    read: impl Fn(Element<'_>) -> Option<T>,
) -> Reading<T> {
    match present(parent, name) {
        Some(found) => read(found).map_or(Reading::Unreadable, Reading::Value),
        None if is_withheld(parent, name) => Reading::Unreadable,
        None => Reading::Absent,
    }
}

/// The `date`, `dateTime` or `instant` (`ty`) of this name.
pub fn date_at(parent: Element<'_>, name: Name, ty: &str) -> Reading<DateTime> {
    read_at(parent, name, |found| moment(ty, &found.as_str()?))
}

/// The moment that a text says as a `date`, `dateTime`, `instant` or `time` (of an unsaid day); `None`
/// where it is not of that type. By FHIR R4, "Primitive Types": a `date` has no time, an `instant` and
/// a `time` have seconds, a `time` has no offset. Without an offset, times are of the run's zone.
pub fn moment(ty: &str, text: &str) -> Option<DateTime> {
    let at = match ty {
        "time" => DateTime::parse(&format!("2000-01-01T{text}"))?,
        _ => DateTime::parse(text)?,
    };
    let fits = match ty {
        "date" => at.precision() <= Precision::Day,
        "instant" => at.precision() >= Precision::Second,
        "time" => at.precision() >= Precision::Second && at.offset().is_none(),
        _ => true,
    };
    fits.then_some(at)
}

/// `Encounter.period.end`: where an element stands, from the resource of its own. Names that FHIR does
/// not have are `…`, since they could be anything; the shadow of a primitive has the name of that.
pub fn path_of(element: Element<'_>) -> String {
    let record = element.record;
    let mut at = Element {
        record,
        index: record.root_of(element.index),
    };
    let mut path = at.resource_type().map_or("…", Name::as_str).to_owned();
    while at.index < element.index {
        let Some(next) = at
            .children()
            .take_while(|c| c.index <= element.index)
            .last()
        else {
            break;
        };
        let name = next.name();
        if name != Name::NONE {
            let text = name.as_str().trim_start_matches('_');
            path.push('.');
            path.push_str(if text.is_empty() { "…" } else { text });
        }
        at = next;
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PatientRecord;

    #[test]
    fn what_is_there_and_cannot_be_read_is_not_absent() {
        let end = Name::of("end").unwrap();
        let masked = format!(
            r#"{{"_end":{{"extension":[{{"url":"{DATA_ABSENT_REASON}","valueCode":"masked"}}]}}}}"#
        );
        let cases = [
            (r#"{"end":"2019-06-04"}"#, "value"),
            ("{}", "absent"),
            (r#"{"end":null}"#, "absent"),
            // An id or a rendering says nothing of the value.
            (r#"{"_end":{"id":"e"}}"#, "absent"),
            (&masked, "unreadable"),
            (r#"{"end":""}"#, "unreadable"),
            (r#"{"end":"06/04/2019"}"#, "unreadable"),
            (r#"{"end":"20190604"}"#, "unreadable"),
            (r#"{"end":"2019-02-30"}"#, "unreadable"),
            (r#"{"end":"2019-06-04T11:00:00-0500"}"#, "unreadable"),
            (r#"{"end":"2019-06-04T24:00:00Z"}"#, "unreadable"),
            (r#"{"end":20190604}"#, "unreadable"),
            (r#"{"end":["2019-06-04"]}"#, "unreadable"),
            (r#"{"end":{}}"#, "unreadable"),
            (r#"{"end":true}"#, "unreadable"),
        ];
        for (period, expected) in cases {
            let mut record = PatientRecord::new();
            let json = format!(r#"{{"resourceType":"Encounter","id":"e","period":{period}}}"#);
            record.push(&json).unwrap();
            let encounter = record.of_type_named("Encounter").next().unwrap();
            let found = match date_at(encounter.get_named("period").unwrap(), end, "dateTime") {
                Reading::Absent => "absent",
                Reading::Value(_) => "value",
                Reading::Unreadable => "unreadable",
            };
            assert_eq!(found, expected, "{period}");
        }
    }

    /// FHIR R4, "Primitive Types".
    #[test]
    fn a_moment_is_as_precise_as_its_type() {
        for (ty, text, is) in [
            ("date", "1970", true),
            ("date", "1970-01-01", true),
            ("date", "1970-01-01T00:00:00Z", false),
            ("dateTime", "1970", true),
            ("dateTime", "1970-01-01T00:00:00Z", true),
            ("instant", "1970-01-01T00:00:00Z", true),
            ("instant", "1970-01-01T00:00:00.5+02:00", true),
            ("instant", "1970-01-01T00:00Z", false),
            ("instant", "1970-01-01", false),
            ("time", "08:30:00", true),
            ("time", "08:30", false),
            ("time", "08", false),
            ("time", "08:30:00Z", false),
            ("time", "25:00:00", false),
        ] {
            assert_eq!(moment(ty, text).is_some(), is, "{ty} {text}");
        }
    }

    #[test]
    fn a_path_holds_names_of_fhir_only() {
        let mut record = PatientRecord::new();
        let json = r#"{"resourceType":"Encounter","id":"e","Smith":{"a":1},"location":[{"period":{"start":"x"}},{"period":{"_end":{"id":"z"}}}]}"#;
        record
            .push(r#"{"resourceType":"Patient","id":"p"}"#)
            .unwrap();
        record.push(json).unwrap();
        record.seal();
        let encounter = record.of_type_named("Encounter").next().unwrap();
        let locations = encounter.get_named("location").unwrap();
        let last = locations.items().last().unwrap();
        let end = last.path(&["period", "_end"]).unwrap();
        assert_eq!(path_of(end), "Encounter.location.period.end");
        let strange = encounter
            .get_named("Smith")
            .unwrap()
            .children()
            .next()
            .unwrap();
        assert!(!path_of(strange).contains("Smith"));
        assert_eq!(path_of(encounter), "Encounter");
    }
}
