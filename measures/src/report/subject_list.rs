//! The subject-list MeasureReport: a summary that tells who is in which population.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

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
                    && observed.any(|o| o.population == index && o.value.is_some());
                if population.count == 0 && !observed {
                    continue;
                }
                any = true;
                let members = own.members.iter();
                let members = members.filter(|m| m.population == index && m.counted);
                let members = members.map(|m| m.id.clone()).collect();
                let list = self.lists.entry((group, index, None)).or_default();
                list.push((number, members));
            }
            for row in own.strata.iter().filter(|r| r.count > 0) {
                let stratum = Some((row.stratifier, Arc::clone(&row.stratum)));
                let list = self.lists.entry((group, row.population, stratum));
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

    fn resources(&self) -> Vec<Value> {
        let lists = self.lists.values().enumerate().map(|(position, entries)| {
            let entries = entries.iter().filter_map(|(number, members)| {
                let patient = self.patients.get(usize::try_from(*number).ok()?)?;
                let item = json!({ "reference": format!("Patient/{patient}") });
                let member =
                    |id: &String| json!({ "url": MEMBER, "valueReference": { "reference": id } });
                let members: Vec<Value> = members.iter().map(member).collect();
                Some(match members.is_empty() {
                    true => json!({ "item": item }),
                    false => json!({ "extension": members, "item": item }),
                })
            });
            json!({
                "resourceType": "List",
                "id": format!("subjects-{}", position + 1),
                "status": "current",
                "mode": "snapshot",
                "entry": entries.collect::<Vec<_>>(),
            })
        });
        lists.collect()
    }
}

/// A subject-list MeasureReport. Populations without anybody have no list.
pub fn subject_list_report(
    result: &MeasureResult,
    lists: &SubjectLists,
    context: &ReportContext,
) -> Value {
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
    Value::Object(report)
}
