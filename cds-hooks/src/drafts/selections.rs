//! What a selection means: `Type/id`, as the specification has it, or the other names that clients use.

use engine_patient::requirements::reference_target;

/// The names of drafts.
#[derive(Default)]
pub(super) struct Named(Vec<(String, String)>);

impl Named {
    /// A draft, under its id and its `fullUrl`.
    pub(super) fn add(&mut self, ty: &str, id: &str, url: Option<&str>) {
        let name = format!("{ty}/{id}");
        let mut known_as = |by: &str| self.0.push((by.to_owned(), name.clone()));
        known_as(&name);
        known_as(id);
        if let Some(url) = url {
            known_as(url);
            known_as(url.rsplit(':').next().unwrap_or(url));
        }
    }

    /// The drafts that a selection means, as `Type/id`: several where only an id says it.
    pub(super) fn meant_by(&self, selection: &str) -> Vec<String> {
        let of = |by: &str| -> Vec<String> {
            let found = self.0.iter().filter(|(key, _)| key == by);
            let mut names: Vec<String> = found.map(|(_, name)| name.clone()).collect();
            names.dedup();
            names
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
        let mut found = ways.into_iter().flatten().map(of);
        found.find(|names| !names.is_empty()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_known_by_several_names() {
        let mut named = Named::default();
        let uuid = "0a1b2c3d-0000-4000-8000-000000000001";
        named.add("MedicationRequest", "1", None);
        named.add("ServiceRequest", "1", None);
        named.add("MedicationRequest", uuid, Some(&format!("urn:uuid:{uuid}")));
        named.add(
            "ServiceRequest",
            "9",
            Some("https://ehr.example/fhir/ServiceRequest/9"),
        );
        let both = [
            "MedicationRequest/1".to_owned(),
            "ServiceRequest/1".to_owned(),
        ];
        let own = [format!("MedicationRequest/{uuid}")];
        for (selection, meant) in [
            ("MedicationRequest/1", &both[..1]),
            ("MedicationRequest/1/_history/2", &both[..1]),
            ("1", &both[..]),
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
            assert_eq!(named.meant_by(selection), meant, "{selection}");
        }
    }
}
