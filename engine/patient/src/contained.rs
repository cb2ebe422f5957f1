//! Contained resources beside the one that contains them.
//!
//! Official measures ask for all of a type (`[Medication]`) and compare ids with references: a contained
//! one (`"reference": "#m"`) they cannot see, and would take for none. What is made here is only
//! evaluated; nobody gets it back.

use std::collections::HashMap;

use memchr::memmem;
use xxhash_rust::xxh3::xxh3_64;

use crate::fhir::names::Name;
use crate::record::{Element, PatientRecord, ResourceError};

/// A resource whose contained ones stand on their own.
pub struct Beside {
    /// The resource, with references to those by type and id.
    pub resource: String,
    /// They, each with an id of its own.
    pub contained: Vec<(Name, String)>,
}

/// Adds a resource to a record, and beside it those of these types that it contains.
///
/// # Errors
/// Where it is no resource; the record may have it without what it contains.
pub fn push(record: &mut PatientRecord, json: &str, types: &[Name]) -> Result<(), ResourceError> {
    let none = types.is_empty() || memmem::find(json.as_bytes(), b"\"contained\"").is_none();
    if none {
        return record.push(json);
    }
    let mut alone = PatientRecord::new();
    alone.push(json)?;
    let resource = alone.resources().next();
    let Some(beside) = resource.and_then(|resource| Beside::of(resource, types, "")) else {
        return record.push(json);
    };
    record.push(&beside.resource)?;
    let mut inner = beside.contained.iter();
    inner.try_for_each(|(_, json)| record.push(json))
}

impl Beside {
    /// Of the contained resources those of these types; `None` where there are none. `place` names the
    /// resource where it has no id.
    pub fn of(resource: Element<'_>, types: &[Name], place: &str) -> Option<Self> {
        let all = resource
            .get_named("contained")
            .filter(|_| !types.is_empty())?;
        let owner = resource.get_str("id");
        let owner = owner.as_deref().unwrap_or(place);
        let kind = resource.resource_type()?.as_str();
        // Of thousands each is looked up, not looked for.
        let mut named: HashMap<String, String> = HashMap::new();
        let mut contained = vec![];
        for inner in all.items() {
            let (ty, id) = (inner.resource_type(), inner.get_named("id"));
            let (Some(ty), Some(id)) = (ty.filter(|ty| types.contains(ty)), id) else {
                continue;
            };
            let Some(local) = id.as_str() else { continue };
            let made = format!("contained-{}", short(kind, owner, &local));
            let text = replaced(inner, &[(id, &made)]);
            named
                .entry(format!("#{local}"))
                .or_insert_with(|| format!("{}/{made}", ty.as_str()));
            contained.push((ty, text));
        }
        let within = |e: Element<'_>| {
            let start = all.position();
            (start..start.saturating_add(u32::try_from(all.raw().len()).unwrap_or(u32::MAX)))
                .contains(&e.position())
        };
        let mut changes = vec![];
        for reference in resource.references().filter(|e| !within(*e)) {
            let found = reference.as_str().and_then(|text| named.get(&*text));
            changes.extend(found.map(|new| (reference, new.as_str())));
        }
        (!contained.is_empty()).then(|| Beside {
            resource: replaced(resource, &changes),
            contained,
        })
    }
}

/// A name made of these, each with its length, so that `("ab", "c")` is not `("a", "bc")`.
fn short(kind: &str, owner: &str, local: &str) -> String {
    let whole = format!("{}.{}.{kind}{owner}{local}", kind.len(), owner.len());
    format!("{:016x}", xxh3_64(whole.as_bytes()))
}

/// The JSON of an element with other texts at some strings within it, in their order. What is put in
/// needs no escapes.
fn replaced(whole: Element<'_>, changes: &[(Element<'_>, &str)]) -> String {
    let (raw, start) = (whole.raw(), whole.position());
    let (mut out, mut done) = (String::with_capacity(raw.len() + 64), 0);
    for (place, new) in changes {
        let from = place.position().saturating_sub(start) as usize;
        out.push_str(raw.get(done..from).unwrap_or_default());
        out.push_str(new);
        done = from + place.raw().len();
    }
    out.push_str(raw.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_them_beside_their_owner() {
        let medication = Name::of("Medication").unwrap();
        let json = r##"{"resourceType":"MedicationRequest","id":"1","contained":[{"resourceType":"Medication","id":"m"}],"medicationReference":{"reference":"#m"}}"##;
        let count = |types: &[Name]| {
            let mut record = PatientRecord::new();
            push(&mut record, json, types).unwrap();
            record.seal();
            record.of_type(medication).count()
        };
        assert_eq!((count(&[medication]), count(&[])), (1, 0));
        assert!(push(&mut PatientRecord::new(), r#"{"contained"}"#, &[medication]).is_err());
    }

    #[test]
    fn contained_resources_stand_beside_their_owner() {
        let medication = Name::of("Medication").unwrap();
        let text = r##"{"resourceType":"MedicationRequest","contained":[{"resourceType":"Medication","id":"m","code":{"text":"a"}},{"resourceType":"Practitioner","id":"p"}],"id":"1","requester":{"reference":"#p"},"medicationReference":{"reference":"#m"},"dose":1.50}"##;
        let mut record = PatientRecord::new();
        let resource = record.push_document(text).unwrap();
        assert!(Beside::of(resource, &[], "x").is_none());
        let beside = Beside::of(resource, &[medication], "x").unwrap();
        let (ty, inner) = &beside.contained[0];
        assert_eq!((*ty, beside.contained.len()), (medication, 1));
        let inner: serde_json::Value = serde_json::from_str(inner).unwrap();
        let id = inner["id"].as_str().unwrap();
        assert!(id.starts_with("contained-") && inner["code"]["text"] == "a");
        let expected = text.replace(r##""#m""##, &format!(r#""Medication/{id}""#));
        assert_eq!(beside.resource, expected);
        // Another owner's is another.
        let other = text.replace(r#""id":"1""#, r#""id":"2""#);
        let mut record = PatientRecord::new();
        let resource = record.push_document(&other).unwrap();
        let other = Beside::of(resource, &[medication], "x").unwrap();
        assert_ne!(other.contained[0].1, beside.contained[0].1);
    }
}
