//! What a selection means: `Type/id`, as the specification has it, or the other names that clients use.

use std::collections::HashMap;

use engine_patient::requirements::reference_target;

/// The drafts, as `Type/id`, by the names that clients use.
#[derive(Default)]
pub(super) struct Named(HashMap<String, Vec<String>>);

impl Named {
    /// A draft, under its id, if it has one, and its `fullUrl`.
    pub(super) fn add(&mut self, ty: &str, id: &str, url: Option<&str>, name: &str) {
        let mut known_as = |by: &str| {
            let all = self.0.entry(by.to_owned()).or_default();
            if all.iter().all(|known| known != name) {
                all.push(name.to_owned());
            }
        };
        known_as(name);
        if !id.is_empty() {
            known_as(&format!("{ty}/{id}"));
            known_as(id);
        }
        if let Some(url) = url {
            known_as(url);
            known_as(url.rsplit(':').next().unwrap_or(url));
        }
    }

    /// The drafts that a selection means, as `Type/id`, and the name that says so: several where only an id
    /// says it, none where it names no draft.
    pub(super) fn meant_by(&self, selection: &str) -> Option<(&str, &[String])> {
        let of = |by: &str| {
            // What was no text names nothing, whatever else came without a name.
            let (name, drafts) = self.0.get_key_value(by).filter(|_| !by.is_empty())?;
            Some((name.as_str(), drafts.as_slice()))
        };
        let selection = selection.trim();
        let literal = selection
            .split_once("/_history/")
            .map_or(selection, |(reference, _)| reference);
        let typed = reference_target(literal).map(|(ty, id)| format!("{ty}/{id}"));
        let urn = literal
            .strip_prefix("urn:")
            .and_then(|u| u.split(':').next_back());
        let ways = [Some(literal), typed.as_deref(), urn];
        ways.into_iter().flatten().find_map(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_known_by_several_names() {
        let mut named = Named::default();
        let uuid = "0a1b2c3d-0000-4000-8000-000000000001";
        for (ty, id, url) in [
            ("MedicationRequest", "1", None),
            ("ServiceRequest", "1", None),
            ("MedicationRequest", uuid, Some(format!("urn:uuid:{uuid}"))),
            (
                "ServiceRequest",
                "9",
                Some("https://ehr.example/fhir/ServiceRequest/9".to_owned()),
            ),
        ] {
            named.add(ty, id, url.as_deref(), &format!("{ty}/{id}"));
        }
        // One that has no id of its own is known by what it came with.
        named.add("DeviceRequest", "1", None, "DeviceRequest/draft-2");
        let device = ["DeviceRequest/draft-2".to_owned()];
        let both = [
            "MedicationRequest/1".to_owned(),
            "ServiceRequest/1".to_owned(),
            "DeviceRequest/draft-2".to_owned(),
        ];
        let own = [format!("MedicationRequest/{uuid}")];
        for (selection, meant) in [
            ("MedicationRequest/1", &both[..1]),
            ("MedicationRequest/1/_history/2", &both[..1]),
            ("1", &both[..]),
            ("DeviceRequest/1", &device[..]),
            (uuid, &own[..]),
            (&format!("urn:uuid:{uuid}"), &own[..]),
            (
                "https://ehr.example/fhir/ServiceRequest/9",
                &["ServiceRequest/9".to_owned()],
            ),
            ("https://other.example/MedicationRequest/1", &both[..1]),
            ("MedicationRequest/2", &[]),
            ("", &[]),
        ] {
            let found = named.meant_by(selection);
            let found = found.map_or(&[][..], |(_, drafts)| drafts);
            assert_eq!(found, meant, "{selection}");
        }
    }
}
