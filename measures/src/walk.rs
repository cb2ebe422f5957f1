//! One streaming pass over sorted result rows: a measure's rows of one patient at a time.
//!
//! *Invariant:* rows come sorted by measure and patient ([`ORDER`]). Words are dictionary-encoded and
//! looked up once a batch; a row makes no text of its own, except where it is a member, a reason or a
//! value.

use std::sync::Arc;

use arrow::array::{Array, RecordBatch};
use engine_patient::program::Truth;
use rust_decimal::Decimal;

use crate::MeasureError;
use crate::columns::{Columns, Kind, number};
use crate::shape::MeasureShape;
use crate::subject::{
    Member, Membership, Observation, StratumCount, Subject, SubjectGroup, SupplementalValue,
};

/// How result rows are sorted.
pub const ORDER: [&str; 12] = [
    "measure",
    "version",
    "url",
    "patient_id",
    "group",
    "population",
    "index",
    "stratifier",
    "stratum",
    "basis_id",
    "value",
    "unit",
];

/// The pass.
#[derive(Debug)]
pub struct Walk<'s> {
    shapes: &'s [Arc<MeasureShape>],
    subject: Subject,
    any: bool,
}

impl<'s> Walk<'s> {
    /// Over rows of these measures.
    pub fn new(shapes: &'s [Arc<MeasureShape>]) -> Self {
        Walk {
            shapes,
            subject: Subject::default(),
            any: false,
        }
    }

    /// The next rows; `visit` gets every patient and measure that is complete. Populations
    /// without a row are false.
    pub fn push(
        &mut self,
        batch: &RecordBatch,
        visit: &mut dyn FnMut(&Subject),
    ) -> Result<(), MeasureError> {
        let columns = Columns::of(batch, self.shapes)?;
        for row in 0..batch.num_rows() {
            let measure = columns.measure(row)?;
            let patient = columns.patient.value(row);
            if !self.any || self.subject.measure != measure || self.subject.patient != patient {
                self.close(visit);
                self.open(measure, patient);
            }
            self.row(&columns, row)?;
        }
        Ok(())
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
        let subject = &mut self.subject;
        subject.patient.clear();
        subject.patient.push_str(patient);
        subject.supplemental.clear();
        subject.clauses.clear();
        subject.evaluated.clear();
        let shape = self.shapes.get(measure);
        let groups = shape.map_or(&[] as &[_], |s| s.groups.as_slice());
        subject
            .groups
            .resize_with(groups.len(), SubjectGroup::default);
        for (own, group) in subject.groups.iter_mut().zip(groups) {
            own.populations.clear();
            let all = group.populations.len();
            own.populations.resize_with(all, Membership::default);
            own.members.clear();
            own.observations.clear();
            own.strata.clear();
            own.strata_unknown.clear();
        }
        subject.measure = measure;
    }

    fn row(&mut self, columns: &Columns, row: usize) -> Result<(), MeasureError> {
        let foreign = || MeasureError::Internal("a result row of no population".into());
        let index = number(columns.index.value(row));
        let outcome = columns.outcome(row)?;
        let reason = || columns.reason.text(row);
        let group = number(columns.group.value(row));
        let kind = columns.kind(row)?;
        if kind == Kind::Supplemental {
            let value = match outcome {
                Truth::Unknown => Err(reason().unwrap_or_default()),
                Truth::True if columns.value.is_valid(row) => {
                    Ok(columns.value.value(row).to_owned())
                }
                Truth::True | Truth::False => return Ok(()),
            };
            self.subject.supplemental.push(SupplementalValue {
                index,
                value,
                coding: columns.coding.text(row),
            });
            return Ok(());
        }
        if kind == Kind::Clauses {
            let outcomes = columns.value.value(row).to_owned();
            self.subject.clauses.push((group, index, outcomes));
            return Ok(());
        }
        if kind == Kind::Evaluated {
            let references = columns.value.value(row).split(' ');
            let references = references.filter(|r| !r.is_empty()).map(str::to_owned);
            self.subject.evaluated.extend(references);
            return Ok(());
        }
        let own = self.subject.groups.get_mut(group).ok_or_else(foreign)?;
        let stratum = match columns.stratifier.is_valid(row) {
            true => Some(number(columns.stratifier.value(row))),
            false => None,
        };
        let count = match columns.count.is_valid(row) {
            true => u64::try_from(columns.count.value(row)).unwrap_or(0),
            false => 0,
        };
        let id = || {
            let valid = columns.basis.is_valid(row);
            valid.then(|| columns.basis.value(row).to_owned())
        };
        if kind == Kind::Stratifier {
            own.strata_unknown
                .push((index, reason().unwrap_or_default()));
            return Ok(());
        }
        let stratum = match stratum {
            Some(stratifier) => Some((stratifier, columns.stratum.text(row).ok_or_else(foreign)?)),
            None => None,
        };
        if kind == Kind::Observation {
            if outcome == Truth::False {
                return Ok(());
            }
            let text = columns
                .value
                .is_valid(row)
                .then(|| columns.value.value(row));
            // A value that is no number must not pass for a missing one.
            let no_number = || MeasureError::Internal("an observation that is no number".into());
            let value = text.map(|t| Decimal::from_str_exact(t).map_err(|_| no_number()));
            own.observations.push(Observation {
                population: index,
                stratum,
                id: id(),
                value: value.transpose()?,
                unit: columns.unit.text(row),
                reason: reason(),
            });
            return Ok(());
        }
        if let Some((stratifier, stratum)) = stratum {
            own.strata.push(StratumCount {
                stratifier,
                stratum,
                coding: columns.coding.text(row),
                population: index,
                outcome,
                count,
                reason: reason(),
            });
            return Ok(());
        }
        if let Some(id) = id() {
            own.members.push(Member {
                population: index,
                id,
                outcome,
                counted: count > 0,
                reason: reason(),
            });
            return Ok(());
        }
        let slot = own.populations.get_mut(index).ok_or_else(foreign)?;
        slot.outcome = outcome;
        slot.count = count;
        slot.reason = match outcome {
            Truth::Unknown => reason(),
            Truth::True | Truth::False => None,
        };
        let valid = columns.value.is_valid(row);
        slot.value = valid.then(|| columns.value.value(row).to_owned());
        Ok(())
    }
}
