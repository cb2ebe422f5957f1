//! What happens to the lines of a file on import, up to the row that the lake would store.
#![no_main]

mod import;
mod json;
mod lake;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use engine_patient::fhir::clinical_time::{clinical_time, time_of};
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{DataRequirement, Match};
use engine_patient::terminology::{Code, ValueSet};
use lake::envelope::{Envelope, Owner};
use lake::paths::{PRESENCE, REFERENCE_KEY, path_id, type_id};
use libfuzzer_sys::fuzz_target;

/// Codes that the seeds use.
static VALUE_SET: LazyLock<Arc<ValueSet>> = LazyLock::new(|| {
    let codes = [
        ("http://loinc.org", "4548-4"),
        ("http://hl7.org/fhir/sid/icd-10-cm", "E11.9"),
        ("http://www.nlm.nih.gov/research/umls/rxnorm", "860975"),
        ("", "a"),
    ];
    let codes = codes.map(|(system, code)| Code::new(system, code)).to_vec();
    Arc::new(ValueSet::from_codes("urn:vs", None, codes, "fuzz"))
});

fuzz_target!(|data: &[u8]| {
    import::check(data);
    let mut record = PatientRecord::new();
    let mut lines = 0;
    for (number, line) in data.split(|b| *b == b'\n').enumerate() {
        let Ok(text) = simdutf8::basic::from_utf8(line) else { continue };
        let text = if number == 0 { text.trim_start_matches('\u{feff}') } else { text };
        let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
        if !text.is_empty() {
            lines += usize::from(json::check(&mut record, text));
        }
    }
    assert_eq!(record.len(), lines);
    for resource in record.resources() {
        store(resource);
    }
    sealed(&mut record);
    for ty in record.resources().filter_map(Element::resource_type).collect::<Vec<_>>() {
        retrieve(&record, ty);
    }
});

/// As the import's worker: a Bundle's entries, or the resource itself.
fn store(resource: Element<'_>) {
    let bundle = resource.get_named("resourceType").is_some_and(|t| t.is_str("Bundle"));
    if !bundle {
        return envelope(resource, &|_| None);
    }
    let entries = resource.get_named("entry");
    let entries = || entries.into_iter().flat_map(Element::items);
    let mut urns = BTreeMap::new();
    for entry in entries() {
        let target = entry.get_named("resource");
        let target = target.and_then(|r| r.get_str("resourceType").zip(r.get_str("id")));
        if let Some((url, (ty, id))) = entry.get_str("fullUrl").zip(target) {
            urns.insert(url.into_owned(), (ty.into_owned(), id.into_owned()));
        }
    }
    for entry in entries() {
        if let Some(resource) = entry.get_named("resource") {
            envelope(resource, &|urn| urns.get(urn).cloned());
        }
    }
}

fn envelope(resource: Element<'_>, resolve: lake::envelope::ResolveUrn<'_>) {
    let Some(ty) = resource.resource_type().filter(|ty| type_id(*ty) >= 0) else { return };
    let time = clinical_time(ty.as_str(), resource);
    resource.children().for_each(|child| {
        let _ = time_of(child);
    });
    let mut seen = 0;
    let envelope = match Envelope::read(ty, resource, resolve, &mut |_, _, _, _| seen += 1) {
        Ok(envelope) => envelope,
        Err(error) => {
            let _ = error.to_string();
            return;
        }
    };
    let id = |id: &str| {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
        (1..=64).contains(&id.len()) && id.bytes().all(legal)
    };
    assert!(id(&envelope.id) && (envelope.version.is_empty() || id(&envelope.version)));
    assert_eq!(resource.get_str("id").as_deref(), Some(envelope.id.as_str()));
    if let Owner::Patient(patient) = &envelope.owner {
        assert!(id(patient), "a patient's id that is none");
    }
    assert_eq!(envelope.codes.first().map(|c| (c.path, c.key)), Some((PRESENCE, 0)));
    assert!(envelope.first_key == 0 || envelope.codes.iter().any(|c| c.key == envelope.first_key));
    // What the lake prunes by must hold whatever the zone.
    for zone in [-720, 0, 840] {
        assert!(envelope.start <= time.start.map(|t| t.earliest(zone)));
        assert!(envelope.end >= time.end.map(|t| t.latest(zone)));
    }
    findable(ty, resource, &envelope);
}

/// What a retrieve takes from a record, the lake must find by its index.
fn findable(ty: Name, resource: Element<'_>, envelope: &Envelope) {
    let Some(requirement) = DataRequirement::coded(ty.as_str(), Arc::clone(&VALUE_SET)) else { return };
    let Some(filter) = &requirement.codes else { return };
    let Some(path) = path_id(ty, filter.path) else { return };
    if requirement.matches(resource) != Match::No {
        let hit = |key: i64| key == REFERENCE_KEY || VALUE_SET.contains(key);
        let found = envelope.codes.iter().any(|c| c.path == path && hit(c.key));
        assert!(found, "a retrieve takes it, the lake would not find it");
    }
}

/// Sealing puts in order, keeps one of each type and id, and changes nothing a second time.
fn sealed(record: &mut PatientRecord) {
    let before = record.len();
    let dropped = record.seal();
    assert_eq!(record.len() + dropped, before);
    let keys = |record: &PatientRecord| -> Vec<(Option<Name>, Option<String>)> {
        let key = |r: Element<'_>| (r.resource_type(), r.get_named("id").map(|i| i.raw().to_owned()));
        record.resources().map(key).collect()
    };
    let once = keys(record);
    assert!(once.is_sorted());
    assert!(once.windows(2).all(|w| w[0] != w[1] || w[0].1.is_none()), "one id twice");
    assert_eq!(record.seal(), 0);
    assert_eq!(keys(record), once);
}

fn retrieve(record: &PatientRecord, ty: Name) {
    let Some(all) = DataRequirement::of_type(ty.as_str()) else { return };
    let count = all.retrieve(record).map(|found| found.len());
    assert!(count.is_ok_and(|n| n <= record.of_type(ty).count()));
    if let Some(coded) = DataRequirement::coded(ty.as_str(), Arc::clone(&VALUE_SET)) {
        let _ = (coded.retrieve(record).is_ok(), coded.to_string());
    }
}
