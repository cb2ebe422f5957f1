//! One patient: the outcome for a card, and the rows for a measure.

use std::sync::Arc;

use engine_cel::explain::show;
use engine_cel::{Clause, Compiled, Evaluation, Val};
use engine_patient::context::EvaluationContext;
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::decimal;
use engine_patient::system::truth::Truth;
use engine_patient::systems::CodedElement;
use engine_patient::value::Value;

use crate::outcome::{Applicability, CardText, Decision, Outcome};
use crate::program::{Expressions, Fragment};
use crate::rule::Rule;
use crate::template::{SUMMARY_LENGTH, cut};
use crate::text;
use crate::words::{Indicator, OnUnknown};

impl Rule {
    pub(crate) fn evaluation<'r>(
        &'r self,
        expressions: &'r Expressions,
        record: &'r PatientRecord,
        context: &'r EvaluationContext,
    ) -> Evaluation<'r> {
        Evaluation::new(
            record,
            context,
            &self.requirements,
            &self.program.sets,
            &expressions.defines,
        )
    }

    /// The outcome for one patient at one moment, with the card if there is one to show.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn decide(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Decision, EvaluationError> {
        let expressions = &self.program.expressions;
        let evaluation = self.evaluation(expressions, record, context);
        let eligible = eligible(&evaluation, expressions)?;
        let excluded = outcome(&evaluation, &expressions.excluded)?;
        let satisfied = outcome(&evaluation, &expressions.satisfied)?;
        let applies = Outcome::all(&[eligible.clone(), excluded.not(), satisfied.not()]);
        let applicability = match applies.truth {
            Truth::True => Applicability::Applies,
            Truth::False => Applicability::DoesNotApply,
            Truth::Unknown => Applicability::Unknown,
        };
        // Nothing is due for whom it is not meant.
        let due = match eligible.truth {
            Truth::True => due(&evaluation, expressions)?,
            Truth::False | Truth::Unknown => None,
        };
        let card = match applicability {
            Applicability::Applies => {
                let summary = render(&evaluation, &expressions.summary, false)?;
                let detail = render(&evaluation, &expressions.detail, true)?;
                let summary = cut(&summary, SUMMARY_LENGTH);
                Some(CardText::text(self.indicator, summary, detail))
            }
            Applicability::Unknown if self.on_unknown == OnUnknown::Card => {
                Some(self.unknown_card(&[
                    ("whether it is for this patient", &eligible),
                    ("whether the patient is left out", &excluded),
                    ("whether it is done", &satisfied),
                ]))
            }
            _ => None,
        };
        let unknown_reason = applies.reason;
        Ok(Decision {
            criteria: vec![
                ("eligible", eligible),
                ("excluded", excluded),
                ("satisfied", satisfied),
            ],
            applicability,
            unknown_reason,
            due,
            cards: card.into_iter().collect(),
        })
    }

    fn unknown_card(&self, criteria: &[(&str, &Outcome)]) -> CardText {
        let mut detail = format!(
            "**{}** could not be checked, because data is missing or unclear:\n",
            text::markdown(&self.artifact.title)
        );
        for (question, outcome) in criteria {
            if let (Truth::Unknown, Some(reason)) = (outcome.truth, &outcome.reason) {
                detail.push_str(&format!("\n- {question}: {}", text::reason(reason)));
            }
        }
        let summary = cut(&self.unknown_summary, SUMMARY_LENGTH);
        CardText::text(Indicator::Info, summary, detail)
    }

    /// Why the criteria came out as they did, part by part. Shows values of the patient.
    ///
    /// # Errors
    /// Our bugs only.
    pub fn explain(
        &self,
        record: &PatientRecord,
        context: &EvaluationContext,
    ) -> Result<Vec<(&'static str, Clause)>, EvaluationError> {
        let expressions = &self.program.expressions;
        let evaluation = self.evaluation(expressions, record, context);
        let criteria = [
            ("eligible", &expressions.eligible),
            ("excluded", &expressions.excluded),
            ("satisfied", &expressions.satisfied),
        ];
        let explained = criteria
            .into_iter()
            .map(|(name, e)| Ok((name, evaluation.explain(e)?)));
        let mut clauses = explained.collect::<Result<Vec<(&'static str, Clause)>, _>>()?;
        if let (Some(alive), Some((_, clause))) = (&expressions.alive, clauses.first_mut()) {
            let whole = eligible(&evaluation, expressions)?;
            let written = clause.clone();
            *clause = Clause {
                text: format!("{} && ({})", alive.source, written.text),
                truth: Some(whole.truth),
                reason: whole.reason,
                clauses: vec![evaluation.explain(alive)?, written],
                ..Clause::default()
            };
        }
        Ok(clauses)
    }
}

fn outcome<'r>(
    evaluation: &Evaluation<'r>,
    expression: &'r Compiled,
) -> Result<Outcome, EvaluationError> {
    Ok(Outcome::of(&evaluation.evaluate(expression)?))
}

/// What the author wrote, of the living; of the dead too where the file says so.
fn eligible<'r>(
    evaluation: &Evaluation<'r>,
    expressions: &'r Expressions,
) -> Result<Outcome, EvaluationError> {
    let Some(alive) = &expressions.alive else {
        return outcome(evaluation, &expressions.eligible);
    };
    let alive = outcome(evaluation, alive)?;
    if alive.truth == Truth::False {
        return Ok(alive);
    }
    let written = outcome(evaluation, &expressions.eligible)?;
    // What the author asks for comes first among reasons.
    Ok(Outcome::all(&[written, alive]))
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

fn due<'r>(
    evaluation: &Evaluation<'r>,
    expressions: &'r Expressions,
) -> Result<Option<DateTime>, EvaluationError> {
    let Some(due) = &expressions.due else {
        return Ok(None);
    };
    Ok(match evaluation.evaluate(due)? {
        Val::Time(time) => Some(time),
        _ => None,
    })
}

/// A text with its values. An unknown value is the word "unknown"; a date is shown to the day. In
/// Markdown a line whose values are all unknown is left out: it would say nothing.
fn render<'r>(
    evaluation: &Evaluation<'r>,
    fragments: &'r [Fragment],
    markdown: bool,
) -> Result<String, EvaluationError> {
    let mut out = String::new();
    let (mut line, mut known, mut unknown) = (0, 0, 0);
    for fragment in fragments {
        let compiled = match fragment {
            Fragment::Value(compiled) => compiled,
            Fragment::Text(text) => {
                for piece in text.split_inclusive('\n') {
                    out.push_str(piece);
                    if piece.ends_with('\n') {
                        if markdown && unknown > 0 && known == 0 {
                            out.truncate(line);
                        }
                        (line, known, unknown) = (out.len(), 0, 0);
                    }
                }
                continue;
            }
        };
        let value = evaluation.evaluate(compiled)?;
        match &value {
            Val::Unknown(_) => unknown += 1,
            _ => known += 1,
        }
        match value {
            Val::Unknown(_) => out.push_str("unknown"),
            Val::Time(time) => out.extend(time.to_string().chars().take_while(|c| *c != 'T')),
            Val::Decimal(d) => {
                out.push_str(&show(&Val::Decimal(decimal::for_people(d))));
            }
            Val::Int(_) | Val::Bool(_) => out.push_str(&show(&value)),
            value if markdown => {
                let shown = text::value(&show(&value), &out);
                out.push_str(&shown);
            }
            value => out.push_str(&text::plain(&show(&value))),
        }
    }
    if markdown && unknown > 0 && known == 0 {
        out.truncate(line);
    }
    Ok(out)
}

/// The populations of a care gap.
const POPULATIONS: [PopulationCode; 4] = [
    PopulationCode::InitialPopulation,
    PopulationCode::Denominator,
    PopulationCode::DenominatorExclusion,
    PopulationCode::Numerator,
];

impl PatientProgram for Rule {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.artifact)
    }

    fn absent(&self, _: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        let rows = (0..).zip(POPULATIONS);
        out.extend(rows.map(|(index, p)| ResultRow::of_population(p, index, Truth::False)));
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &self.requirements
    }

    fn coded_elements(&self) -> &[CodedElement] {
        &self.coded_elements
    }

    fn necessary_requirements(&self, _: usize, _: RowOptions) -> Vec<Vec<usize>> {
        self.needed.iter().map(|r| vec![*r]).collect()
    }

    /// Four rows: `initial-population` and `denominator` (eligible), `denominator-exclusion`
    /// (eligible and excluded), `numerator` (eligible, not excluded, satisfied; its value is the due
    /// date, if there is one). `and` is Kleene's.
    fn evaluate(
        &self,
        record: &PatientRecord,
        wanted: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let context = wanted.context;
        let expressions = &self.program.expressions;
        let evaluation = self.evaluation(expressions, record, context);
        let eligible = eligible(&evaluation, expressions)?;
        // Most of a population: nothing else needs to be looked at.
        let (exclusion, numerator, due) = if eligible.truth == Truth::False {
            (eligible.clone(), eligible.clone(), None)
        } else {
            let excluded = outcome(&evaluation, &expressions.excluded)?;
            let satisfied = outcome(&evaluation, &expressions.satisfied)?;
            let criteria = [
                ("eligible", eligible.clone()),
                ("excluded", excluded.not()),
                ("satisfied", satisfied),
            ];
            let numerator = all_named(&criteria);
            let exclusion = all_named(&[("eligible", eligible.clone()), ("excluded", excluded)]);
            (exclusion, numerator, due(&evaluation, expressions)?)
        };
        let due = due.map_or(Value::Null, Value::DateTime);
        let rows = [
            (eligible.clone(), Value::Null),
            (eligible, Value::Null),
            (exclusion, Value::Null),
            (numerator, due),
        ];
        out.rows
            .extend((0..).zip(POPULATIONS.into_iter().zip(rows)).map(
                |(index, (population, (outcome, value)))| ResultRow {
                    value,
                    unknown_reason: outcome.reason.map(Arc::from),
                    ..ResultRow::of_population(population, index, outcome.truth)
                },
            ));
        Ok(())
    }
}
