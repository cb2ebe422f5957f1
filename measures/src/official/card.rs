//! One measure for the patient in front of you: the same program, the gap it leaves open.

use std::sync::Arc;

use engine_patient::context::EvaluationContext;
use engine_patient::program::{
    EvaluationError, EvaluationResult, PatientProgram, RowKind, RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;

use super::program::ElmMeasures;
use crate::gaps::{GapRow, gaps};
use crate::structure::MeasureStructure;
use crate::subject::{Subject, subjects};

impl ElmMeasures {
    /// The gaps of a patient in one of its measures, for the period of the context.
    pub fn gaps_of(
        &self,
        measure: usize,
        structure: &Arc<MeasureStructure>,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<GapRow>, EvaluationError> {
        let wanted: Vec<bool> = (0..self.artifacts().len()).map(|i| i == measure).collect();
        let wanted = Wanted {
            context,
            artifacts: &wanted,
            rows: RowOptions::default(),
        };
        let mut result = EvaluationResult::default();
        self.evaluate(record, &wanted, &mut result)?;
        let mut rows = result.rows;
        // Strata and members do not bear on gaps of patients.
        rows.retain(|row| {
            let population = matches!(row.kind, RowKind::Population(..));
            population && row.stratifier.is_none() && row.basis_id.is_none()
        });
        for row in &mut rows {
            row.artifact = 0;
        }
        let found = subjects(std::slice::from_ref(structure), "", &rows);
        let found = found.map_err(|e| EvaluationError(e.to_string()))?;
        let subject = found.into_iter().next();
        let subject = subject.unwrap_or_else(|| Subject::nobody(structure));
        Ok(gaps(structure, &subject))
    }
}
