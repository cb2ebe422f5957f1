//! The subject-list MeasureReport: a summary that tells who is in which population.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::datatypes::{Extension, ExtensionValue, Reference};
use super::extension::NOT_EVALUABLE;
use super::fhir::{Contained, MeasureReport};
use super::frame::{Kind, ReportContext, frame};
use super::group::{Spot, groups};
use super::list::{List, Member};
use super::supplemental::of_summary;
use crate::package::PopulationCode;
use crate::result::MeasureResult;
use crate::structure::MeasureStructure;
use crate::subject::Subject;

/// Group, population, and stratifier and stratum.
type Key = (usize, usize, Option<(usize, Arc<str>)>);

/// Who is in which population of a measure.
#[derive(Debug, Default, PartialEq)]
pub struct SubjectLists {
    patients: Vec<String>,
    lists: BTreeMap<Key, Vec<Member>>,
    /// By group: of whom something could not be told.
    not_evaluable: BTreeMap<usize, Vec<Member>>,
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
            if own.is_unknown() {
                any = true;
                let list = self.not_evaluable.entry(group).or_default();
                list.push((number, vec![]));
            }
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

    fn resources(&self) -> impl Iterator<Item = Contained<'_>> {
        let lists = self.lists.values().enumerate();
        let lists = lists.map(|(position, entries)| {
            let id = format!("subjects-{}", position + 1);
            Contained::List(List::new(id, entries, &self.patients))
        });
        let not_evaluable = self.not_evaluable.iter().map(|(group, entries)| {
            Contained::List(List::new(not_evaluable_id(*group), entries, &self.patients))
        });
        lists.chain(not_evaluable)
    }
}

fn not_evaluable_id(group: usize) -> String {
    format!("not-evaluable-{}", group + 1)
}

/// A subject-list MeasureReport. Populations without anybody have no list; those of whom something could
/// not be told are in one that the extension `not-evaluable` refers to.
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
    for index in lists.not_evaluable.keys() {
        let group = result.structure.groups.get(*index);
        let name = group.map(|group| group.name(*index));
        let list = Reference::from(format!("#{}", not_evaluable_id(*index)));
        let parts = vec![
            Extension::text("group", name.unwrap_or_default()),
            Extension::new("subjects", ExtensionValue::ValueReference(list)),
        ];
        report.extension.push(Extension::of(NOT_EVALUABLE, parts));
    }
    report.contained.extend(lists.resources());
    of_summary(result, &mut report);
    report
}
