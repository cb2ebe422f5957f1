//! Which requests can be taken at all, whenever it is asked: those that are over are most of a long chart.

use super::taken::may_be_taken;
use crate::fhir::names::Name;
use crate::record::{Element, Gather, InOrder, PatientRecord};

/// The resources of a type that [`super::is_taken`] may say yes of, or that it cannot tell, by what does
/// not change with time; in the order of the record.
pub fn candidates(record: &PatientRecord, ty: Name) -> Vec<Element<'_>> {
    let found = record.gathered((ty, "", 0), Candidates::default, |all| all.0.of(record));
    match found {
        Some(found) => found.into_iter().map(|(resource, ())| resource).collect(),
        None => {
            let all = record.of_type(ty);
            all.filter(|resource| may_be_taken(*resource)).collect()
        }
    }
}

#[derive(Default)]
struct Candidates(InOrder<()>);

impl Gather for Candidates {
    fn elsewhere(&self, _: Element<'_>) -> Option<Name> {
        None
    }

    fn add(&mut self, resource: Element<'_>) {
        if may_be_taken(resource) {
            self.0.add(resource, ());
        }
    }

    fn remove(&mut self, resource: Element<'_>) {
        self.0.remove(resource);
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::medication::is_taken;
    use crate::now::Now;
    use crate::system::date_time::DateTime;
    use crate::system::zone::UTC;

    /// What is left out is never taken; what a newer version ends is left out from then on.
    #[test]
    fn none_is_left_out_that_may_be_taken() {
        let request = |id: &str, more: &str| {
            format!(r#"{{"resourceType":"MedicationRequest","id":"{id}"{more}}}"#)
        };
        let status = |status: &str| format!(r#","status":"{status}","intent":"order""#);
        let all = [
            ("active", status("active"), true),
            ("stopped", status("stopped"), false),
            ("unknown", status("unknown"), true),
            ("none", String::new(), true),
            (
                "proposal",
                r#","status":"active","intent":"proposal""#.to_owned(),
                false,
            ),
            (
                "plan",
                r#","status":"active","intent":"plan""#.to_owned(),
                true,
            ),
            ("not", status("active") + r#","doNotPerform":true"#, false),
            (
                "later",
                status("active") + r#","authoredOn":"2030-01-01""#,
                true,
            ),
        ];
        let mut record = PatientRecord::new();
        for (id, more, _) in &all {
            record.push(&request(id, more)).unwrap();
        }
        let ty = Name::of("MedicationRequest").unwrap();
        let ids = |record: &PatientRecord| {
            let found = candidates(record, ty).into_iter();
            let found = found.map(|r| r.get_str("id").unwrap().into_owned());
            found.collect::<Vec<_>>()
        };
        let mut expected: Vec<&str> = all.iter().filter(|a| a.2).map(|a| a.0).collect();
        assert_eq!(ids(&record), expected);
        record.seal();
        expected.sort_unstable();
        assert_eq!(ids(&record), expected);
        let at = DateTime::parse("2025-01-01T00:00:00Z").unwrap();
        for resource in record.of_type(ty) {
            let id = resource.get_str("id").unwrap();
            let is_left_out = !expected.contains(&&*id);
            let taken = is_taken(resource, Now::past(at, &UTC));
            assert!(!is_left_out || taken == Ok(false), "{id}: {taken:?}");
        }
        record
            .push(&request("active", &status("completed")))
            .unwrap();
        record.seal();
        expected.retain(|id| *id != "active");
        assert_eq!(ids(&record), expected);
    }
}
