//! What happens to the lines of a file on import, up to the row that the lake would store.
#![no_main]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a target fails by panicking"
)]

mod import;
mod json;
mod lake;

use std::sync::{Arc, LazyLock};

use engine_patient::bundle::{
    Bundle, Context, References, compact, resolved, restore_text, restored,
};
use engine_patient::fhir::clinical_time::{clinical_time, time_of};
use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::{DataRequirement, Match};
use engine_patient::system::zone::Zone;
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
        let Ok(text) = simdutf8::basic::from_utf8(line) else {
            continue;
        };
        let text = if number == 0 {
            text.trim_start_matches('\u{feff}')
        } else {
            text
        };
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
    for ty in record
        .resources()
        .filter_map(Element::resource_type)
        .collect::<Vec<_>>()
    {
        retrieve(&record, ty);
    }
});

/// As the import's worker: a Bundle's entries, or the resource itself; references resolved.
fn store(resource: Element<'_>) {
    unreadable_everywhere(resource);
    let bundle = resource
        .get_named("resourceType")
        .is_some_and(|t| t.is_str("Bundle"));
    if !bundle {
        return evaluated(resource, None, &Context::Line { own: &[] });
    }
    let bundle = Bundle::read(resource, &[]);
    for (index, entry) in bundle.entries().iter().enumerate() {
        if let Some(resource) = entry.resource {
            evaluated(
                resource,
                entry.given_id.as_deref(),
                &Context::Entry(&bundle, index),
            );
        }
    }
    let mut record = PatientRecord::new();
    let _ = engine_patient::bundle::push_entries(&mut record, &bundle, &mut References::default());
}

fn unreadable_everywhere(resource: Element<'_>) {
    if let Some(ty) = resource.resource_type() {
        engine_patient::fhir::unreadable::unreadable(ty, resource, &mut |path, problem| {
            assert!(path.starts_with(ty.as_str()) && !problem.to_string().is_empty());
        });
    }
}

/// The text that is evaluated is JSON on one line, and the resource comes back from it.
fn evaluated(resource: Element<'_>, id: Option<&str>, context: &Context<'_, '_>) {
    let new = resolved(resource, id, true, context, &mut References::default());
    let restore = restore_text(&new.restore);
    let back = restored(&new.text, restore.as_deref()).expect("a restore text of ours");
    assert_eq!(back, compact(resource.raw()));
    let mut record = PatientRecord::new();
    if record.push(&new.text).is_ok() {
        record.resources().for_each(envelope);
    }
}

fn envelope(resource: Element<'_>) {
    let Some(ty) = resource.resource_type().filter(|ty| type_id(*ty) >= 0) else {
        return;
    };
    let time = clinical_time(ty.as_str(), resource);
    resource.children().for_each(|child| {
        let _ = time_of(child);
    });
    let mut seen = 0;
    let envelope = match Envelope::read(ty, resource, &mut |_, _, _, _| seen += 1) {
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
    assert!(id(&envelope.id));
    assert_eq!(
        resource.get_str("id").as_deref(),
        Some(envelope.id.as_str())
    );
    if let Owner::Patient(patient) = &envelope.owner {
        assert!(id(patient), "a patient's id that is none");
    }
    assert_eq!(
        envelope.codes.first().map(|c| (c.path, c.key)),
        Some((PRESENCE, 0))
    );
    assert!(envelope.first_key == 0 || envelope.codes.iter().any(|c| c.key == envelope.first_key));
    // What the lake prunes by must hold whatever the zone.
    for zone in ["-12:00", "+00:00", "America/New_York", "+14:00"] {
        let zone = &Zone::parse(zone).expect("a zone");
        assert!(envelope.start <= time.start.map(|t| t.earliest(zone)));
        assert!(envelope.end >= time.end.map(|t| t.latest(zone)));
    }
    findable(ty, resource, &envelope);
}

/// What a retrieve takes from a record, the lake must find by its index.
fn findable(ty: Name, resource: Element<'_>, envelope: &Envelope) {
    let Some(requirement) = DataRequirement::coded(ty.as_str(), Arc::clone(&VALUE_SET)) else {
        return;
    };
    let Some(filter) = &requirement.codes else {
        return;
    };
    let Some(path) = path_id(ty, filter.path) else {
        return;
    };
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
        let key = |r: Element<'_>| {
            (
                r.resource_type(),
                r.get_named("id").map(|i| i.raw().to_owned()),
            )
        };
        record.resources().map(key).collect()
    };
    let once = keys(record);
    assert!(once.is_sorted());
    assert!(
        once.windows(2).all(|w| w[0] != w[1] || w[0].1.is_none()),
        "one id twice"
    );
    assert_eq!(record.seal(), 0);
    assert_eq!(keys(record), once);
}

fn retrieve(record: &PatientRecord, ty: Name) {
    let Some(all) = DataRequirement::of_type(ty.as_str()) else {
        return;
    };
    let count = all.retrieve(record).map(|found| found.len());
    assert!(count.is_ok_and(|n| n <= record.of_type(ty).count()));
    if let Some(coded) = DataRequirement::coded(ty.as_str(), Arc::clone(&VALUE_SET)) {
        let _ = (coded.retrieve(record).is_ok(), coded.to_string());
    }
}
