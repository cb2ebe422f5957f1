//! One measure for the patient in front of you: the same program, the gap it leaves open.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::program::{EvaluationError, PatientProgram};
use engine_patient::record::PatientRecord;

use super::program::ElmMeasures;
use crate::gaps::{GapRow, gaps};
use crate::shape::MeasureShape;
use crate::subject::{Membership, Subject, SubjectGroup};

impl ElmMeasures {
    /// The gaps of a patient in one of its measures, for the period of the context.
    pub fn gaps_of(
        &self,
        measure: usize,
        shape: &Arc<MeasureShape>,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<GapRow>, EvaluationError> {
        let wanted: Vec<bool> = (0..self.artifacts().len()).map(|i| i == measure).collect();
        let mut rows = vec![];
        self.evaluate(record, context, &wanted, &mut rows)?;
        let mut subject = Subject::default();
        for group in &shape.groups {
            let populations = vec![Membership::default(); group.populations.len()];
            subject.groups.push(SubjectGroup {
                populations,
                ..SubjectGroup::default()
            });
        }
        for row in rows
            .iter()
            .filter(|r| r.stratifier.is_none() && r.basis_id.is_none())
        {
            let group = subject.groups.get_mut(row.group as usize);
            let Some(slot) = group.and_then(|g| g.populations.get_mut(row.index as usize)) else {
                continue;
            };
            if crate::package::PopulationCode::of(row.population).is_none() {
                continue;
            }
            slot.outcome = row.outcome;
            slot.count = row.count.and_then(|c| u64::try_from(c).ok()).unwrap_or(0);
            slot.reason.clone_from(&row.unknown_reason);
        }
        Ok(gaps(shape, &subject))
    }
}
