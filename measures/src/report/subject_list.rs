//! The subject-list MeasureReport: a summary that tells who is in which population.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::extension::MEMBER;
use super::fhir::{Contained, Extension, ExtensionValue, MeasureReport, Reference};
use super::frame::{Kind, ReportContext, frame};
use super::group::{Spot, groups};
use super::supplemental::of_summary;
use crate::package::PopulationCode;
use crate::result::MeasureResult;
use crate::structure::MeasureStructure;
use crate::subject::Subject;

/// Group, population, and stratifier and stratum.
type Key = (usize, usize, Option<(usize, Arc<str>)>);
/// Patients by number, with the resources that make them members.
type Entries = Vec<(u32, Vec<String>)>;

/// Who is in which population of a measure.
#[derive(Debug, Default, PartialEq)]
pub struct SubjectLists {
    patients: Vec<String>,
    lists: BTreeMap<Key, Entries>,
}

impl SubjectLists {
    /// One patient's results of the measure, in the order they are to stand.
    pub fn add(&mut self, structure: &MeasureStructure, subject: &Subject) {
        let Ok(number) = u32::try_from(self.patients.len()) else {
            return;
        };
        let mut any = false;
        for (group, own) in subject.groups.iter().enumerate() {
            let populations = structure
                .groups
                .get(group)
                .map(|g| g.populations.as_slice());
            let populations = own.populations.iter().zip(populations.unwrap_or_default());
            for (index, (population, definition)) in populations.enumerate() {
                let mut observed = own.observations.iter();
                let observed = definition.code == PopulationCode::MeasureObservation
                    && observed.any(|o| o.population.position() == index && o.value.is_some());
                if population.count == 0 && !observed {
                    continue;
                }
                any = true;
                let members = own.members.iter();
                let members = members.filter(|m| m.population.position() == index && m.counted);
                let members = members.map(|m| m.id.clone()).collect();
                let list = self.lists.entry((group, index, None)).or_default();
                list.push((number, members));
            }
            for row in own.strata.iter().filter(|r| r.count > 0) {
                let stratum = Some((row.stratifier, Arc::clone(&row.stratum)));
                let list = self
                    .lists
                    .entry((group, row.population.position(), stratum));
                list.or_default().push((number, vec![]));
            }
        }
        if any {
            self.patients.push(subject.patient.clone());
        }
    }

    fn id(&self, group: usize, (population, stratum): Spot) -> Option<String> {
        let stratum = stratum.map(|(stratifier, name)| (stratifier, Arc::from(name)));
        let key = (group, population, stratum);
        let position = self.lists.range(..&key).count();
        self.lists
            .contains_key(&key)
            .then(|| format!("subjects-{}", position + 1))
    }

    /// The Lists. Their entries are made as they are written: a list of a million patients is no
    /// tree of JSON.
    fn resources(&self) -> impl Iterator<Item = Contained<'_>> {
        let lists = self.lists.values().enumerate();
        lists.map(|(position, entries)| {
            Contained::List(List {
                entry: Each(entries, self),
                id: format!("subjects-{}", position + 1),
                mode: "snapshot",
                resource_type: "List",
                status: "current",
            })
        })
    }

    fn entry(&self, number: u32, members: &[String]) -> Option<Entry> {
        let patient = self.patients.get(usize::try_from(number).ok()?)?;
        let member = |id: &String| {
            let member = ExtensionValue::ValueReference(id.clone().into());
            Extension::new(MEMBER, member)
        };
        Some(Entry {
            extension: members.iter().map(member).collect(),
            item: format!("Patient/{patient}").into(),
        })
    }
}

/// A List of who is in a population.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct List<'l> {
    entry: Each<'l>,
    id: String,
    mode: &'static str,
    resource_type: &'static str,
    status: &'static str,
}

#[derive(Serialize)]
struct Entry {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    extension: Vec<Extension>,
    item: Reference,
}

/// The entries of a List.
#[derive(Clone, Debug, PartialEq)]
struct Each<'l>(&'l Entries, &'l SubjectLists);

impl Serialize for Each<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let entries = self.0.iter();
        serializer.collect_seq(entries.filter_map(|(n, members)| self.1.entry(*n, members)))
    }
}

/// A subject-list MeasureReport. Populations without anybody have no list.
pub fn subject_list_report<'l>(
    result: &MeasureResult,
    lists: &'l SubjectLists,
    context: &ReportContext,
) -> MeasureReport<'l> {
    let reference = |group: usize, spot: Spot| {
        let id = lists.id(group, spot)?;
        Some(format!("#{id}").into())
    };
    let groups = groups(result, reference);
    let mut report = frame(&result.structure, context, Kind::SubjectList, groups);
    report.contained.extend(lists.resources());
    of_summary(result, &mut report);
    report
}
