//! Primitives that are there and cannot be read: a date that is none, a number written as a text. And
//! those that are masked (extension data-absent-reason). Logic takes both as unknown; here they are
//! found, to be counted when data is read.

use std::sync::LazyLock;

use rustc_hash::FxHashMap;

use super::model::{Cardinality, Model};
use super::names::{Name, choice_name};
use super::reading::{has_absent_reason, moment};
use crate::record::{Element, Kind};

/// What is wrong with an element.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Problem {
    /// It is there, and is not of its type; the type as FHIR names it.
    Unreadable(&'static str),
    /// It is not there, and the extension data-absent-reason says why.
    Masked,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreadable(ty) => write!(f, "not a FHIR {ty}"),
            Self::Masked => write!(f, "masked (data-absent-reason)"),
        }
    }
}

/// What an element holds.
#[derive(Clone, Copy, Debug)]
enum What {
    Primitive(&'static str),
    /// A type with elements, by its place among the tables.
    Complex(usize, &'static str),
    /// Any resource.
    Resource,
}

#[derive(Clone, Copy, Debug)]
struct Field {
    what: What,
    many: bool,
}

type Table = FxHashMap<Name, Field>;

/// The elements of each type, at the type's place in the model.
static TABLES: LazyLock<Vec<Table>> = LazyLock::new(|| {
    let model = Model::r4();
    let what = |ty: &'static str| {
        let ty = match ty {
            "SimpleQuantity" | "MoneyQuantity" => "Quantity",
            ty => ty,
        };
        match (ty, model.index_of(ty)) {
            ("Resource" | "DomainResource", _) => Some(What::Resource),
            _ if ty.starts_with(|c: char| c.is_ascii_lowercase()) => Some(What::Primitive(ty)),
            ("System.String", _) => Some(What::Primitive("string")),
            (_, Some(index)) => Some(What::Complex(index, ty)),
            _ => None,
        }
    };
    let table = |ty: &'static str| {
        let mut table = Table::default();
        for element in model.elements(ty) {
            let many = element.cardinality == Cardinality::Many;
            let mut add = |name: &str, ty: &'static str| {
                if let (Some(name), Some(what)) = (Name::of(name), what(ty)) {
                    table.entry(name).or_insert(Field { what, many });
                }
            };
            match element.cardinality {
                Cardinality::Choice => {
                    for ty in &element.types {
                        add(&choice_name(element.name, ty), ty);
                    }
                }
                _ => {
                    if let Some(ty) = element.types.first() {
                        add(element.name, ty);
                    }
                }
            }
        }
        table
    };
    model.types().map(|t| table(t.name)).collect()
});

/// Looks through a resource of this type. `told` hears of each element, by its path without indices
/// (`Encounter.period.end`, `Observation.valueDateTime`), and what is wrong.
pub fn unreadable(ty: Name, resource: Element<'_>, told: &mut dyn FnMut(&str, Problem)) {
    let mut search = Search {
        path: vec![ty],
        told,
    };
    search.resource(resource);
}

struct Search<'t> {
    path: Vec<Name>,
    told: &'t mut dyn FnMut(&str, Problem),
}

impl Search<'_> {
    fn resource(&mut self, resource: Element<'_>) {
        let ty = resource.resource_type();
        if let Some(index) = ty.and_then(|t| Model::r4().index_of(t.as_str())) {
            self.object(resource, index);
        }
    }

    fn object(&mut self, object: Element<'_>, table: usize) {
        let Some(table) = TABLES.get(table) else {
            return;
        };
        for child in object.children() {
            if let Some(field) = table.get(&child.name()) {
                self.path.push(child.name());
                self.field(child, *field);
                self.path.pop();
                continue;
            }
            // `_birthDate` stands beside `birthDate`.
            let property = child.property();
            let beside = property.strip_prefix('_').and_then(Name::of);
            if let Some(name) = beside.filter(|n| table.contains_key(n)) {
                let value = object.get(name).filter(|v| v.kind() != Kind::Null);
                let absent = value.is_none() && child.items().any(has_absent_reason);
                if absent {
                    self.path.push(name);
                    self.tell(Problem::Masked);
                    self.path.pop();
                }
            }
        }
    }

    fn field(&mut self, value: Element<'_>, field: Field) {
        if value.kind() != Kind::Array {
            return self.one(value, field.what);
        }
        if !field.many {
            // An array where one value is expected: nobody reads it.
            let ty = match field.what {
                What::Primitive(ty) | What::Complex(_, ty) => ty,
                What::Resource => "resource",
            };
            return self.tell(Problem::Unreadable(ty));
        }
        for item in value.children() {
            self.one(item, field.what);
        }
    }

    fn one(&mut self, value: Element<'_>, what: What) {
        match (what, value.kind()) {
            // Nothing is there.
            (_, Kind::Null) => {}
            (What::Primitive(ty), _) if !reads(ty, value) => self.tell(Problem::Unreadable(ty)),
            (What::Primitive(_), _) => {}
            (What::Complex(table, _), Kind::Object) => self.object(value, table),
            (What::Complex(_, ty), _) => self.tell(Problem::Unreadable(ty)),
            (What::Resource, _) => self.resource(value),
        }
    }

    fn tell(&mut self, problem: Problem) {
        let names: Vec<&str> = self.path.iter().map(|n| n.as_str()).collect();
        (self.told)(&names.join("."), problem);
    }
}

/// Whether a value that is there can be read as the primitive type, as evaluation reads it.
fn reads(ty: &str, value: Element<'_>) -> bool {
    match ty {
        "boolean" => value.as_bool().is_some(),
        "decimal" => value.as_decimal().is_some(),
        "integer" | "positiveInt" | "unsignedInt" => {
            value.as_i64().is_some_and(|n| i32::try_from(n).is_ok())
        }
        "date" | "dateTime" | "instant" | "time" => {
            value.as_str().is_some_and(|t| moment(ty, &t).is_some())
        }
        _ => value.kind() == Kind::String,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::PatientRecord;

    fn found(resource: &str) -> Vec<String> {
        let mut record = PatientRecord::new();
        record.push(resource).unwrap();
        let resource = record.resources().next().unwrap();
        let mut out = vec![];
        unreadable(
            resource.resource_type().unwrap(),
            resource,
            &mut |path, problem| {
                out.push(format!("{path}: {problem}"));
            },
        );
        out
    }

    /// The ten forms of `../shared/cases/bad-dates`, and those that are no fault.
    #[test]
    fn dates() {
        let end = |end: &str| {
            found(&format!(
                r#"{{"resourceType":"Encounter","id":"e","period":{{"start":"2019","end":{end}}}}}"#
            ))
        };
        for bad in [
            "\"2019-06-04T11:00:00-0500\"",
            "\"2019-06-04T11:00:00z\"",
            "\"2019-06-04 11:00:00\"",
            "\"06/04/2019\"",
            "\"\"",
            "20190604",
            "\"2019-06-04T24:00:00Z\"",
            "\"2019-02-30\"",
            "\"20190604\"",
            "[\"2019\"]",
            "{}",
            "true",
        ] {
            assert_eq!(
                end(bad),
                ["Encounter.period.end: not a FHIR dateTime"],
                "{bad}"
            );
        }
        for good in ["\"2019\"", "\"2019-06-04T11:00:00-05:00\"", "null"] {
            assert_eq!(end(good), [""; 0], "{good}");
        }
    }

    #[test]
    fn every_type_wherever_it_stands() {
        let all = r#"{"resourceType":"Patient","id":"p","active":"true","birthDate":"1970-01-01T00:00:00Z",
            "multipleBirthInteger":2.5,"deceasedDateTime":"soon","gender":7,"name":{"family":"x"},
            "meta":{"lastUpdated":"2024-01-01"},"contact":[{"period":"2019"}],
            "extension":[{"url":"u","valueDecimal":"1.5"},{"url":"u","valueTime":"25:00:00"},{"url":"u","valueTime":"08:30:00"}],
            "contained":[{"resourceType":"Observation","id":"o","valueQuantity":{"value":"high"}}],
            "unknown":{"period":1}}"#;
        assert_eq!(
            found(all),
            [
                "Patient.active: not a FHIR boolean",
                "Patient.birthDate: not a FHIR date",
                "Patient.multipleBirthInteger: not a FHIR integer",
                "Patient.deceasedDateTime: not a FHIR dateTime",
                "Patient.gender: not a FHIR code",
                "Patient.meta.lastUpdated: not a FHIR instant",
                "Patient.contact.period: not a FHIR Period",
                "Patient.extension.valueDecimal: not a FHIR decimal",
                "Patient.extension.valueTime: not a FHIR time",
                "Patient.contained.valueQuantity.value: not a FHIR decimal",
            ]
        );
        let good = r#"{"resourceType":"Observation","id":"o","status":"final","valueQuantity":{"value":1.20e2},
            "issued":"2024-01-01T10:00:00Z","component":[{"valueInteger":-3}]}"#;
        assert_eq!(found(good), [""; 0]);
    }

    #[test]
    fn masked_is_told_apart() {
        let absent = r#"{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"masked"}]}"#;
        let masked = format!(
            r#"{{"resourceType":"Encounter","id":"e","period":{{"start":"2019","_end":{absent}}}}}"#
        );
        assert_eq!(
            found(&masked),
            ["Encounter.period.end: masked (data-absent-reason)"]
        );
        let other = r#"{"resourceType":"Patient","id":"p","birthDate":"1970","_birthDate":{"extension":[{"url":"u"}]}}"#;
        assert_eq!(found(other), [""; 0]);
    }
}
