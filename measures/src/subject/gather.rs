//! From result rows to subjects: a measure's rows of one patient at a time, wherever the rows are, in
//! columns of Arrow or in memory.
//!
//! *Invariant:* rows come sorted by measure and patient. A row makes no text of its own, except where
//! it is a member, a reason or a value.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use engine_patient::program::{PopulationCode, ResultRow, RowKind};
use engine_patient::system::truth::Truth;
use engine_patient::value::Value;
use rust_decimal::Decimal;

use super::{
    Member, Membership, Observation, StratumCount, Subject, SubjectGroup, SupplementalValue,
};
use crate::structure::MeasureStructure;

/// A row that does not belong to the measures it is gathered for: our bug, or a damaged file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Foreign(pub &'static str);

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Foreign {}

const NO_POPULATION: Foreign = Foreign("a result row of no population");

/// A result row, wherever it is. What only few rows have is asked for only of those.
pub trait RowView {
    /// What it is of.
    fn kind(&self) -> Result<RowKind, Foreign>;
    /// Group of the measure.
    fn group(&self) -> usize;
    /// Whether it holds.
    fn outcome(&self) -> Result<Truth, Foreign>;
    /// What is counted; nothing where that is not known.
    fn count(&self) -> Option<i64>;
    /// Of a count within a stratum: the stratifier.
    fn stratifier(&self) -> Option<usize>;
    /// And the stratum.
    fn stratum(&self) -> Option<Arc<str>>;
    /// The member it is about.
    fn basis_id(&self) -> Option<&str>;
    /// A number, date or text.
    fn value(&self) -> Option<Cow<'_, str>>;
    /// The value's unit.
    fn unit(&self) -> Option<Arc<str>>;
    /// The codings of the stratum, else of the value.
    fn coding(&self) -> Option<Arc<str>>;
    /// Why it is unknown.
    fn reason(&self) -> Option<Arc<str>>;
}

impl RowView for ResultRow {
    fn kind(&self) -> Result<RowKind, Foreign> {
        Ok(self.kind)
    }

    fn group(&self) -> usize {
        self.group as usize
    }

    fn outcome(&self) -> Result<Truth, Foreign> {
        Ok(self.outcome)
    }

    fn count(&self) -> Option<i64> {
        self.count
    }

    fn stratifier(&self) -> Option<usize> {
        self.stratifier.map(|s| s as usize)
    }

    fn stratum(&self) -> Option<Arc<str>> {
        self.stratum.clone()
    }

    fn basis_id(&self) -> Option<&str> {
        self.basis_id.as_deref()
    }

    fn value(&self) -> Option<Cow<'_, str>> {
        self.value.text()
    }

    fn unit(&self) -> Option<Arc<str>> {
        match &self.value {
            Value::Quantity { unit, .. } => Some(Arc::clone(unit)),
            _ => None,
        }
    }

    fn coding(&self) -> Option<Arc<str>> {
        self.coding.clone()
    }

    fn reason(&self) -> Option<Arc<str>> {
        self.unknown_reason.clone()
    }
}

/// Gathers rows.
#[derive(Debug)]
pub struct Gatherer<'s> {
    structures: &'s [Arc<MeasureStructure>],
    subject: Subject,
    any: bool,
}

/// Subjects of one patient's rows in memory: of those measures of the program that have rows, in
/// their order.
pub fn subjects(
    structures: &[Arc<MeasureStructure>],
    patient: &str,
    rows: &[ResultRow],
) -> Result<Vec<Subject>, Foreign> {
    let mut out = vec![];
    let mut gatherer = Gatherer::new(structures);
    let mut order: Vec<&ResultRow> = rows.iter().collect();
    order.sort_by_key(|row| row.artifact);
    for row in order {
        let measure = usize::from(row.artifact);
        gatherer.push(measure, patient, row, &mut |subject| {
            out.push(subject.clone());
        })?;
    }
    gatherer.finish(&mut |subject| out.push(subject.clone()));
    Ok(out)
}

impl<'s> Gatherer<'s> {
    /// Of rows of these measures.
    pub fn new(structures: &'s [Arc<MeasureStructure>]) -> Self {
        Gatherer {
            structures,
            subject: Subject::default(),
            any: false,
        }
    }

    /// The next row; `visit` gets every patient and measure that is complete. Populations without a
    /// row are false.
    pub fn push(
        &mut self,
        measure: usize,
        patient: &str,
        row: &impl RowView,
        visit: &mut dyn FnMut(&Subject),
    ) -> Result<(), Foreign> {
        if !self.any || self.subject.measure != measure || self.subject.patient != patient {
            self.close(visit);
            self.open(measure, patient);
        }
        self.row(row)
    }

    /// The last one.
    pub fn finish(mut self, visit: &mut dyn FnMut(&Subject)) {
        self.close(visit);
    }

    fn close(&mut self, visit: &mut dyn FnMut(&Subject)) {
        if self.any {
            visit(&self.subject);
        }
    }

    fn open(&mut self, measure: usize, patient: &str) {
        self.any = true;
        let structure = self.structures.get(measure);
        self.subject.clear(structure.map(AsRef::as_ref));
        self.subject.patient.push_str(patient);
        self.subject.measure = measure;
    }

    fn row(&mut self, row: &impl RowView) -> Result<(), Foreign> {
        let kind = row.kind()?;
        let group = row.group();
        let outcome = row.outcome()?;
        let (code, index) = match kind {
            RowKind::SupplementalData(index) | RowKind::RiskAdjustment(index) => {
                let value = match outcome {
                    Truth::Unknown => Err(row.reason().unwrap_or_default()),
                    Truth::True => match row.value() {
                        Some(value) => Ok(value.into_owned()),
                        None => return Ok(()),
                    },
                    Truth::False => return Ok(()),
                };
                self.subject.supplemental.push(SupplementalValue {
                    index: index as usize,
                    value,
                    coding: row.coding(),
                });
                return Ok(());
            }
            RowKind::Clauses(index) => {
                let outcomes = row.value().unwrap_or_default().into_owned();
                self.subject.clauses.push((group, index, outcomes));
                return Ok(());
            }
            RowKind::EvaluatedResources => {
                let references = row.value().unwrap_or_default();
                let references = references.split(' ').filter(|r| !r.is_empty());
                self.subject.evaluated.extend(references.map(str::to_owned));
                return Ok(());
            }
            RowKind::Evidence => {
                let evidence = row.value().map(Cow::into_owned);
                self.subject.evidence = evidence;
                return Ok(());
            }
            RowKind::Stratifier(index) => {
                let own = self.subject.groups.get_mut(group).ok_or(NO_POPULATION)?;
                let why = row.reason().unwrap_or_default();
                own.strata_unknown.push((index as usize, why));
                return Ok(());
            }
            RowKind::Population(code, index) => (code, index),
        };
        let own = self.subject.groups.get_mut(group).ok_or(NO_POPULATION)?;
        // Nothing is counted of what is unknown; a negative count is none that a row has.
        let count = row.count().unwrap_or(0);
        let count =
            u64::try_from(count).map_err(|_| Foreign("a result row with a negative count"))?;
        let stratum = match row.stratifier() {
            Some(stratifier) => Some((stratifier, row.stratum().ok_or(NO_POPULATION)?)),
            None => None,
        };
        if code == PopulationCode::MeasureObservation {
            if outcome == Truth::False {
                return Ok(());
            }
            // A value that is no number must not pass for a missing one.
            let no_number = |_| Foreign("an observation that is no number");
            let value = row.value();
            let value = value.map(|text| Decimal::from_str_exact(&text).map_err(no_number));
            own.observations.push(Observation {
                population: index,
                stratum,
                id: row.basis_id().map(str::to_owned),
                value: value.transpose()?,
                unit: row.unit(),
                reason: row.reason(),
            });
            return Ok(());
        }
        if let Some((stratifier, stratum)) = stratum {
            own.strata.push(StratumCount {
                stratifier,
                stratum,
                coding: row.coding(),
                population: index,
                outcome,
                count,
                reason: row.reason(),
            });
            return Ok(());
        }
        if let Some(id) = row.basis_id() {
            own.members.push(Member {
                population: index,
                id: id.to_owned(),
                outcome,
                counted: count > 0,
                reason: row.reason(),
            });
            return Ok(());
        }
        let slot = index.get_mut(&mut own.populations).ok_or(NO_POPULATION)?;
        slot.outcome = outcome;
        slot.count = count;
        slot.reason = match outcome {
            Truth::Unknown => row.reason(),
            Truth::True | Truth::False => None,
        };
        slot.value = row.value().map(Cow::into_owned);
        Ok(())
    }
}

impl Subject {
    /// A patient who is in no population of a measure.
    pub fn nobody(structure: &MeasureStructure) -> Self {
        let mut subject = Subject::default();
        subject.clear(Some(structure));
        subject
    }

    /// Nothing yet, of a patient in a measure.
    fn clear(&mut self, structure: Option<&MeasureStructure>) {
        self.patient.clear();
        self.supplemental.clear();
        self.clauses.clear();
        self.evaluated.clear();
        self.evidence = None;
        let groups = structure.map_or(&[] as &[_], |s| s.groups.as_slice());
        self.groups.resize_with(groups.len(), SubjectGroup::default);
        for (own, group) in self.groups.iter_mut().zip(groups) {
            own.populations.clear();
            let all = group.populations.len();
            own.populations.resize_with(all, Membership::default);
            own.members.clear();
            own.observations.clear();
            own.strata.clear();
            own.strata_unknown.clear();
        }
    }
}
