//! Why a patient is in a population or is not, and where a population loses its patients.
//!
//! ```text
//! record ── evaluate, traced ──▶ Trace ─┬─ criteria_tree ───▶ Branch: criteria down to what decided them
//!                                       └─ clause_results ──▶ statements and clauses, with their text
//! rows with clause outcomes ── Funnel ──▶ which clause loses how many patients
//! ```
//!
//! What is said here holds patient data: it goes to the output that was asked for, never to a log.

mod clause_results;
mod clause_text;
mod criteria_tree;
pub mod funnel;
pub mod html;
pub mod plain_text;
mod resource_facts;
mod style;
#[cfg(test)]
mod tests;

use engine_elm::trace::Trace;
use engine_elm::with_evaluator;
use engine_patient::context::EvaluationContext;
use engine_patient::program::{
    EvaluationError, PatientProgram, PopulationIndex, ResultRow, RowKind, RowOptions,
};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use serde::Serialize;

use crate::official::{ElmMeasures, Target};
use crate::structure::MeasureStructure;
use clause_results::ClauseResults;

/// The outcome of an expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    True,
    False,
    Unknown,
    #[default]
    NotEvaluated,
}

impl Outcome {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Outcome::True => "true",
            Outcome::False => "false",
            Outcome::Unknown => "unknown",
            Outcome::NotEvaluated => "not evaluated",
        }
    }

    /// Readable without colour.
    pub fn symbol(self) -> &'static str {
        match self {
            Outcome::True => "✓",
            Outcome::False => "✗",
            Outcome::Unknown => "?",
            Outcome::NotEvaluated => "·",
        }
    }

    fn of(truth: Option<bool>) -> Outcome {
        match truth {
            Some(true) => Outcome::True,
            Some(false) => Outcome::False,
            None => Outcome::Unknown,
        }
    }
}

/// How often an expression had which outcome.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct Times {
    pub times: u32,
    #[serde(rename = "true")]
    pub holds: u32,
    #[serde(rename = "false")]
    pub fails: u32,
    pub null: u32,
}

impl Times {
    /// Of several times: true if it was so once.
    pub fn outcome(self) -> Outcome {
        match self {
            Times { times: 0, .. } => Outcome::NotEvaluated,
            Times { holds: 1.., .. } => Outcome::True,
            Times { fails: 1.., .. } => Outcome::False,
            _ => Outcome::Unknown,
        }
    }
}

/// A resource or value that an expression gave.
#[derive(Clone, PartialEq, Eq, Default, Serialize)]
pub struct Fact {
    /// `Encounter/1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A criterion, and what it is made of.
#[derive(Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Branch {
    /// What it is in the query above it: `from E`, `where`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The definition, or the text of the logic.
    pub label: String,
    /// How its parts make it: `all of`, `any of`, `not`, `exists`.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub operator: &'static str,
    pub outcome: Outcome,
    /// How often it was evaluated: once a patient, or for every item of a query.
    #[serde(flatten)]
    pub times: Times,
    /// How many items its list has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    /// What decided it: the items, at most [`FACTS`].
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// What was compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub library: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    /// Its parts stand where it came first.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub seen: bool,
    /// Parts that were left out: the tree is as deep as it may be.
    #[serde(skip_serializing_if = "is_zero")]
    pub cut: usize,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Branch>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}

/// Most items that are told of one list.
pub const FACTS: usize = 50;

/// A population of the patient.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PopulationExplanation {
    pub code: &'static str,
    /// The definition or function that it is computed by.
    pub expression: String,
    /// What counts in the measure: 1 or 0, or how many resources. `None`: nothing that can be counted.
    pub count: Option<i64>,
    /// What is certain of it in the measure.
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its members, of a resource basis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Its observations.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub observations: Vec<String>,
    /// Its own criterion, whatever the other populations say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub criterion: Option<Branch>,
}

/// A group of the measure.
#[derive(Clone, Serialize)]
pub struct GroupExplanation {
    pub name: String,
    pub populations: Vec<PopulationExplanation>,
}

/// A piece of the text of a definition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Token {
    /// A clause begins: its place among [`Explanation::clauses`].
    Open(Option<usize>),
    Text(String),
    Close,
}

/// A definition or function that the measure reaches.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StatementResult {
    pub library: String,
    pub name: String,
    pub function: bool,
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<usize>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// The text is the author's, not ours.
    pub annotated: bool,
    pub text: String,
    #[serde(skip)]
    pub tokens: Vec<Token>,
}

/// A clause, with its outcome.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ClauseResult {
    pub library: String,
    pub definition: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub local_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locator: Option<String>,
    pub node: &'static str,
    pub outcome: Outcome,
    #[serde(flatten)]
    pub times: Times,
    /// It decides something: it is true, false, a list or nothing, not a code or date to compare with.
    #[serde(skip)]
    pub criterion: bool,
}

/// First and last day.
#[derive(Clone, Serialize)]
pub struct Period {
    pub start: String,
    pub end: String,
}

/// A measure, for one patient.
#[derive(Clone, Serialize)]
pub struct Explanation {
    pub measure: String,
    pub canonical: String,
    pub title: String,
    /// `Patient/1`
    pub subject: String,
    pub period: Period,
    pub groups: Vec<GroupExplanation>,
    pub definitions: Vec<StatementResult>,
    pub clauses: Vec<ClauseResult>,
}

/// Explains every measure of a program for one patient. `depth` is how deep trees go.
pub fn explain(
    program: &ElmMeasures,
    structures: &[std::sync::Arc<MeasureStructure>],
    record: &PatientRecord,
    context: &EvaluationContext,
    depth: usize,
) -> Result<Vec<Explanation>, EvaluationError> {
    // What counts comes from the evaluation that a run does, not from the traced one.
    let rows = program.rows(record, context)?;
    let settings = program.settings(context);
    with_evaluator(&program.libraries, record, &settings, |evaluator| {
        evaluator.trace = Some(Box::default());
        for index in 0..program.measures.len() {
            // One that uses up its budget leaves the others theirs.
            evaluator.cx.renew(settings.steps);
            program.measure(index, RowOptions::default(), evaluator, &mut vec![]);
        }
        let trace = evaluator.trace.take().unwrap_or_default();
        let measures = program.measures.iter().zip(structures).enumerate();
        measures
            .map(|(index, (measure, structure))| {
                let own: Vec<&ResultRow> = rows
                    .iter()
                    .filter(|r| usize::from(r.artifact) == index)
                    .collect();
                let results = ClauseResults::of(&program.libraries, measure, &trace);
                Explanation {
                    measure: structure.name.to_string(),
                    canonical: structure.canonical(),
                    title: structure.artifact.title.to_string(),
                    subject: subject(record),
                    period: period(context),
                    groups: groups(program, index, structure, &own, &results, &trace, depth),
                    definitions: results.statements,
                    clauses: results.clauses,
                }
            })
            .collect()
    })
    .map_err(|fault| EvaluationError(fault.to_string()))
}

fn subject(record: &PatientRecord) -> String {
    let id = record.patient().and_then(|p| p.get_str("id"));
    format!("Patient/{}", id.as_deref().unwrap_or("?"))
}

fn period(context: &EvaluationContext) -> Period {
    let (start, end) = context.period.unwrap_or((context.at, context.at));
    let day = |at: DateTime| at.to_string().chars().take(10).collect();
    Period {
        start: day(start),
        end: day(end),
    }
}

fn groups(
    program: &ElmMeasures,
    measure: usize,
    structure: &MeasureStructure,
    rows: &[&ResultRow],
    results: &ClauseResults,
    trace: &Trace<'_>,
    depth: usize,
) -> Vec<GroupExplanation> {
    let compiled = program.measures.get(measure);
    let compiled = compiled.into_iter().flat_map(|m| &m.groups);
    let mut out = vec![];
    let mut trees = criteria_tree::CriteriaTrees::new(&program.libraries, trace, &results.texts);
    for (number, (definition, group)) in structure.groups.iter().zip(compiled).enumerate() {
        let mut populations = vec![];
        let both = definition.populations.iter().zip(&group.targets);
        for (position, (population, target)) in both.enumerate() {
            let index = PopulationIndex::new(position);
            let code = population.code.as_str();
            let own: Vec<&&ResultRow> = rows
                .iter()
                .filter(|r| {
                    let kind = RowKind::Population(population.code, index);
                    r.group as usize == number && r.kind == kind && r.stratum.is_none()
                })
                .collect();
            let whole = own.iter().find(|r| r.basis_id.is_none());
            let observed = matches!(target, Target::Observation(_));
            let members = own.iter().filter(|r| !observed && r.count > Some(0));
            populations.push(PopulationExplanation {
                code,
                expression: population.expression.clone(),
                count: match observed {
                    true => i64::try_from(own.len()).ok(),
                    false => whole.map_or(Some(0), |r| r.count),
                },
                outcome: match whole.map(|r| r.outcome) {
                    Some(Truth::True) => Outcome::True,
                    Some(Truth::Unknown) => Outcome::Unknown,
                    // Without a row nobody is in it.
                    Some(Truth::False) | None => Outcome::False,
                },
                reason: whole.and_then(|r| r.unknown_reason.as_deref().map(str::to_owned)),
                members: members
                    .filter_map(|r| r.basis_id.as_deref().map(str::to_owned))
                    .collect(),
                observations: own
                    .iter()
                    .filter(|_| observed)
                    .map(|r| observation(r))
                    .collect(),
                criterion: match target {
                    Target::Criterion(expression) => trees.criterion(*expression, depth),
                    Target::Observation(_) => None,
                },
            });
        }
        out.push(GroupExplanation {
            name: definition.name(number),
            populations,
        });
    }
    out
}

fn observation(row: &ResultRow) -> String {
    let value = match &row.value {
        engine_patient::value::Value::Null => "null".to_owned(),
        engine_patient::value::Value::Decimal(d) => d.normalize().to_string(),
        engine_patient::value::Value::String(text) => text.to_string(),
        _ => "a value".to_owned(),
    };
    match &row.basis_id {
        Some(id) => format!("{value} ({id})"),
        None => value,
    }
}
