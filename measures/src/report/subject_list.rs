//! The subject-list MeasureReport: a summary that tells who is in which population.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value, json};

use super::extension::MEMBER;
use super::group::{Spot, groups};
use super::supplemental::{append, of_summary};
use super::{Kind, ReportContext, frame};
use crate::package::PopulationCode;
use crate::result::MeasureResult;
use crate::shape::MeasureShape;
use crate::subject::Subject;

/// Group, population, and stratifier and stratum.
type Key = (usize, usize, Option<(usize, Arc<str>)>);
/// Patients by number, with the resources that make them members.
type Entries = Vec<(u32, Vec<String>)>;

/// Who is in which population of a measure.
#[derive(Debug, Default)]
pub struct SubjectLists {
    patients: Vec<String>,
    lists: BTreeMap<Key, Entries>,
}

impl SubjectLists {
    /// One patient's results of the measure, in the order they are to stand.
    pub fn add(&mut self, shape: &MeasureShape, subject: &Subject) {
        let Ok(number) = u32::try_from(self.patients.len()) else {
            return;
        };
        let mut any = false;
        for (group, own) in subject.groups.iter().enumerate() {
            let populations = shape.groups.get(group).map(|g| g.populations.as_slice());
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

    /// The Lists, their entries left out.
    fn resources(&self) -> Vec<Value> {
        let frame = |position: usize| {
            json!({
                "resourceType": "List",
                "id": format!("subjects-{}", position + 1),
                "status": "current",
                "mode": "snapshot",
                "entry": [],
            })
        };
        (0..self.lists.len()).map(frame).collect()
    }

    fn entry(&self, number: u32, members: &[String]) -> Option<Value> {
        let patient = self.patients.get(usize::try_from(number).ok()?)?;
        let item = json!({ "reference": format!("Patient/{patient}") });
        let member = |id: &String| json!({ "url": MEMBER, "valueReference": { "reference": id } });
        let members: Vec<Value> = members.iter().map(member).collect();
        Some(match members.is_empty() {
            true => json!({ "item": item }),
            false => json!({ "extension": members, "item": item }),
        })
    }
}

/// A report that is written as it is made: a list of a million patients is no tree of JSON.
pub struct SubjectListReport<'l> {
    /// `contained` begins with the Lists, without entries.
    report: Map<String, Value>,
    lists: &'l SubjectLists,
}

impl Serialize for SubjectListReport<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.report.len()))?;
        for (key, value) in &self.report {
            match (key.as_str(), value.as_array()) {
                ("contained", Some(all)) => {
                    map.serialize_entry(key, &Contained(all, self.lists))?
                }
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

struct Contained<'l>(&'l [Value], &'l SubjectLists);

impl Serialize for Contained<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entries = self.1.lists.values();
        serializer.collect_seq(self.0.iter().map(|resource| One {
            resource,
            entries: entries.next(),
            lists: self.1,
        }))
    }
}

/// A contained resource; with entries a List.
struct One<'l> {
    resource: &'l Value,
    entries: Option<&'l Entries>,
    lists: &'l SubjectLists,
}

impl Serialize for One<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (Some(entries), Value::Object(list)) = (self.entries, self.resource) else {
            return self.resource.serialize(serializer);
        };
        let mut map = serializer.serialize_map(Some(list.len()))?;
        for (key, value) in list {
            match key.as_str() {
                "entry" => map.serialize_entry(key, &Each(entries, self.lists))?,
                _ => map.serialize_entry(key, value)?,
            }
        }
        map.end()
    }
}

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
) -> SubjectListReport<'l> {
    let reference = |group: usize, spot: Spot| {
        let id = lists.id(group, spot)?;
        Some(json!({ "reference": format!("#{id}") }))
    };
    let groups = groups(result, reference);
    let mut report = frame(&result.shape, context, Kind::SubjectList, groups);
    let resources = lists.resources();
    if !resources.is_empty() {
        append(&mut report, "contained", resources);
    }
    of_summary(result, &mut report);
    SubjectListReport { report, lists }
}
