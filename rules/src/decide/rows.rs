//! The rows of a rule: the populations of a measure.

use std::sync::Arc;

use engine_cel::Evaluation;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_patient::systems::{CodedElement, Compared};
use engine_patient::value::Value;

use super::gap::due;
use super::outcome;
use crate::outcome::Outcome;
use crate::program::{Gap, Question};
use crate::rule::Rule;

/// The populations of a care gap.
const POPULATIONS: [PopulationCode; 4] = [
    PopulationCode::InitialPopulation,
    PopulationCode::Denominator,
    PopulationCode::DenominatorExclusion,
    PopulationCode::Numerator,
];

/// Of an alert and a family: of whom it is asked, and who has a card.
const ALERTED: [PopulationCode; 2] = [PopulationCode::InitialPopulation, PopulationCode::Numerator];

impl Rule {
    fn populations(&self) -> &'static [PopulationCode] {
        match &self.program.expressions.question {
            Question::Gap(_) => &POPULATIONS,
            Question::Alert(_) => &ALERTED,
        }
    }

    fn gap_rows<'r>(
        &'r self,
        gap: &'r Gap,
        evaluation: &Evaluation<'r>,
    ) -> Result<Vec<(Outcome, Value)>, EvaluationError> {
        let eligible = self.eligible(gap, evaluation)?;
        // Most of a population: nothing else needs to be looked at.
        let (exclusion, numerator, due) = if eligible.truth == Truth::False {
            (eligible.clone(), eligible.clone(), None)
        } else {
            let excluded = outcome(evaluation, &gap.excluded)?;
            let satisfied = outcome(evaluation, &gap.satisfied)?;
            let criteria = [
                ("eligible", eligible.clone()),
                ("excluded", excluded.not()),
                ("satisfied", satisfied),
            ];
            let numerator = all_named(&criteria);
            let exclusion = all_named(&[("eligible", eligible.clone()), ("excluded", excluded)]);
            (exclusion, numerator, due(gap, evaluation)?)
        };
        let due = due.map_or(Value::Null, Value::DateTime);
        Ok(vec![
            (eligible.clone(), Value::Null),
            (eligible, Value::Null),
            (exclusion, Value::Null),
            (numerator, due),
        ])
    }
}

impl PatientProgram for Rule {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.artifact)
    }

    fn absent(&self, _: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        let rows = (0..).zip(self.populations().iter().copied());
        out.extend(rows.map(|(index, p)| ResultRow::of_population(p, index, Truth::False)));
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn coded_elements(&self) -> &[CodedElement] {
        &self.coded_elements
    }

    fn compared(&self) -> &[Compared] {
        &self.compared
    }

    fn necessary_requirements(&self, _: usize, rows: RowOptions) -> Vec<Vec<usize>> {
        // What each clause comes to is told of every patient.
        if rows.clauses {
            return vec![];
        }
        match &self.program.expressions.question {
            Question::Gap(_) => self.needed.iter().map(|r| vec![*r]).collect(),
            // The first row of an alert is true of whoever is alive.
            Question::Alert(_) => vec![],
        }
    }

    /// Of a care gap four rows: `initial-population` and `denominator` (eligible), `denominator-exclusion`
    /// (eligible and excluded), `numerator` (eligible, not excluded, satisfied; its value is the due
    /// date, if there is one). `and` is Kleene's. Of an alert two: `initial-population` (alive, or the
    /// rule is for the dead) and `numerator` (there is a card; its value is how many). Where clauses are asked
    /// or the last evidence are asked for, rows of those of a care gap.
    fn evaluate(
        &self,
        record: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let evaluation = self.evaluation(record, wanted.context);
        let rows = match &self.program.expressions.question {
            Question::Gap(gap) => self.gap_rows(gap, &evaluation)?,
            Question::Alert(alert) => {
                let alive = self.alive(&evaluation)?;
                let decision = self.decide_alert(alert, &evaluation)?;
                let cards = decision.cards.len() - usize::from(decision.has_unknown_card);
                let mut criteria = decision.criteria.into_iter();
                let when = criteria.next().map(|(_, outcome)| outcome);
                let count = Value::Integer(i64::try_from(cards).unwrap_or(i64::MAX));
                let mut rows = vec![(alive, Value::Null)];
                rows.extend(when.map(|when| (when, count)));
                rows
            }
        };
        out.notes.merge(&evaluation.notes());
        let populations = self.populations().iter().copied();
        out.rows.extend((0..).zip(populations.zip(rows)).map(
            |(index, (population, (outcome, value)))| ResultRow {
                value,
                unknown_reason: outcome.reason.map(Arc::from),
                ..ResultRow::of_population(population, index, outcome.truth)
            },
        ));
        if wanted.rows.clauses
            && let Question::Gap(gap) = &self.program.expressions.question
        {
            out.rows.extend(self.clause_rows(gap, &evaluation)?);
        }
        if wanted.rows.evidence
            && let Question::Gap(gap) = &self.program.expressions.question
        {
            out.rows
                .extend(self.evidence_row(gap, record, wanted.context));
        }
        Ok(())
    }
}

/// All of the criteria; where that is unknown, why each of them is that could not be told, by its name:
/// the reason stands under the name of a population that may rest on several.
fn all_named(criteria: &[(&str, Outcome)]) -> Outcome {
    let outcomes: Vec<Outcome> = criteria.iter().map(|(_, o)| o.clone()).collect();
    let whole = Outcome::all(&outcomes);
    if whole.truth != Truth::Unknown {
        return whole;
    }
    let unknown = criteria.iter().filter(|(_, o)| o.truth == Truth::Unknown);
    let told: Vec<String> = unknown
        .map(|(name, o)| match &o.reason {
            Some(reason) => format!("{name}: {reason}"),
            None => format!("{name} could not be told"),
        })
        .collect();
    Outcome {
        reason: Some(told.join("; ")),
        ..whole
    }
}
