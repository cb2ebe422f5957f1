//! What clinicians and sites are called: from the lake's Practitioners, Organizations and Locations, where
//! charts refer to them without a name.

use std::collections::{BTreeSet, HashMap};

use engine_patient::fhir::names::Name;
use engine_patient::record::{Element, PatientRecord};
use engine_patient::requirements::reference_target;
use engine_population::lake::reader::read_shared;
use engine_population::lake::{Lake, LakeError, schema};

/// Types of those who call, and of places.
const TYPES: [&str; 4] = [
    "Location",
    "Organization",
    "Practitioner",
    "PractitionerRole",
];

/// Names by reference, `Practitioner/1`.
#[derive(Debug, Default)]
pub(crate) struct Directory(HashMap<String, String>);

impl Directory {
    /// Of these, as far as the lake knows them.
    pub async fn read(lake: &Lake, wanted: &BTreeSet<&str>) -> Result<Directory, LakeError> {
        let mut directory = Directory::default();
        let types = TYPES.iter().filter_map(|ty| Name::of(ty));
        let types: Vec<Name> = types.collect();
        let mut targets = wanted.iter().filter_map(|one| reference_target(one));
        if !targets.any(|(ty, _)| TYPES.contains(&ty)) {
            return Ok(directory);
        }
        let shared = read_shared(&lake.store, lake.files(schema::SHARED), &types).await?;
        let mut record = PatientRecord::new();
        for ((ty, id), text) in &shared {
            let reference = format!("{}/{id}", ty.as_str());
            if wanted.contains(reference.as_str()) {
                record.clear();
                let damaged = |e| LakeError::Data(format!("a stored resource cannot be read: {e}"));
                record.push(text).map_err(damaged)?;
                if let Some(name) = record.resources().next().and_then(name_of) {
                    directory.0.insert(reference, name);
                }
            }
        }
        Ok(directory)
    }

    /// A name beside a bare reference; what has one already stays as it is.
    pub fn shown(&self, name: &str) -> String {
        match self.0.get(name) {
            Some(known) => format!("{known} ({name})"),
            None => name.to_owned(),
        }
    }
}

/// `name` of an organization or place; of a person the official one, else the first; of a role who has it.
fn name_of(resource: Element<'_>) -> Option<String> {
    let text = |e: Element<'_>, name: &str| {
        let found = e.get_str(name).map(|text| text.trim().to_owned());
        found.filter(|text| !text.is_empty())
    };
    match resource.resource_type()?.as_str() {
        "Practitioner" => {
            let all: Vec<Element<'_>> = resource.get_named("name")?.items().collect();
            let official = all.iter().find(|n| {
                let used = n.get_str("use");
                used.is_some_and(|used| used == "official")
            });
            let name = *official.or(all.first())?;
            let given = name.get_named("given");
            let given = given.into_iter().flat_map(Element::items);
            let given: Vec<String> = given
                .filter_map(|g| Some(g.as_str()?.into_owned()))
                .collect();
            let parts = [
                text(name, "family"),
                (!given.is_empty()).then(|| given.join(" ")),
            ];
            let parts: Vec<String> = parts.into_iter().flatten().collect();
            match parts.is_empty() {
                true => text(name, "text"),
                false => Some(parts.join(", ")),
            }
        }
        "PractitionerRole" => text(resource.get_named("practitioner")?, "display"),
        _ => text(resource, "name"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_people_and_places() {
        for (json, expected) in [
            (
                r#"{"resourceType":"Practitioner","id":"1","name":[{"family":"Old"},{"use":"official","family":"Doe","given":["Jo","M."]}]}"#,
                Some("Doe, Jo M."),
            ),
            (
                r#"{"resourceType":"Practitioner","id":"1","name":[{"text":"Dr. Doe"}]}"#,
                Some("Dr. Doe"),
            ),
            (r#"{"resourceType":"Practitioner","id":"1"}"#, None),
            (
                r#"{"resourceType":"Organization","id":"1","name":"Clinic"}"#,
                Some("Clinic"),
            ),
            (r#"{"resourceType":"Location","id":"1","name":" "}"#, None),
            (
                r#"{"resourceType":"PractitionerRole","id":"1","practitioner":{"display":"Jo Doe"}}"#,
                Some("Jo Doe"),
            ),
        ] {
            let mut record = PatientRecord::new();
            record.push(json).unwrap();
            let found = name_of(record.resources().next().unwrap());
            assert_eq!(found.as_deref(), expected, "{json}");
        }
    }
}
