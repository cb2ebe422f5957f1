//! A List of who is in a population. Its entries are made as they are written: a list of a million
//! patients is no tree of JSON.

use serde::{Serialize, Serializer};

use super::datatypes::{Extension, ExtensionValue, Reference};
use super::extension::MEMBER;

/// A patient by number, with the resources that make a member of the patient.
pub(super) type Member = (u32, Vec<String>);

/// A List of who is in a population.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List<'l> {
    entry: Entries<'l>,
    id: String,
    mode: &'static str,
    resource_type: &'static str,
    status: &'static str,
}

impl<'l> List<'l> {
    /// Of members whose numbers are places in `patients`.
    pub(super) fn new(id: String, members: &'l [Member], patients: &'l [String]) -> Self {
        List {
            entry: Entries { members, patients },
            id,
            mode: "snapshot",
            resource_type: "List",
            status: "current",
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
struct Entries<'l> {
    members: &'l [Member],
    patients: &'l [String],
}

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entry = |(number, resources): &Member| {
            let patient = self.patients.get(usize::try_from(*number).ok()?)?;
            Some(Entry::new(patient, resources))
        };
        serializer.collect_seq(self.members.iter().filter_map(entry))
    }
}

#[derive(Serialize)]
struct Entry {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension>,
    item: Reference,
}

impl Entry {
    fn new(patient: &str, resources: &[String]) -> Self {
        let member = |id: &String| {
            let member = ExtensionValue::ValueReference(id.clone().into());
            Extension::new(MEMBER, member)
        };
        Entry {
            extension: resources.iter().map(member).collect(),
            item: format!("Patient/{patient}").into(),
        }
    }
}
