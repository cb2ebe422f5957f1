//! Why a patient is in a population or is not, and where a population loses its patients.
//!
//! ```text
//! record ── evaluate, traced ──▶ Trace ─┬─ verdict ─────────▶ Verdict: in or out, and what decided it
//!                                       ├─ criteria_tree ───▶ Branch: criteria down to what decided them
//!                                       └─ clause_results ──▶ statements and clauses, with their text
//! rows with clause outcomes ── Funnel ──▶ which clause loses how many patients
//! ```
//!
//! What is said here holds patient data: it goes to the output that was asked for, never to a log.

mod clause_results;
pub(crate) mod clause_text;
mod criteria_tree;
pub mod funnel;
pub mod html;
pub mod plain_text;
mod resource_facts;
mod style;
#[cfg(test)]
mod tests;
pub mod verdict;

use std::collections::HashSet;
use std::sync::Arc;

use engine_elm::trace::Trace;
use engine_elm::value::Val;
use engine_elm::{Evaluator, with_evaluator};
use engine_patient::context::EvaluationContext;
use engine_patient::describe::{Described, described};
use engine_patient::program::{
    EvaluationError, PatientProgram, PopulationIndex, ResultRow, RowKind, RowOptions,
};
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::truth::Truth;
use serde::Serialize;

use self::verdict::{Verdict, Verdicts, of_group, of_population};
use crate::official::null_reason::null_reason;
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
#[derive(Clone, PartialEq, Eq, Default, Debug, Serialize)]
pub struct Fact {
    /// `Encounter/1`
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// That it was not done or does not count, as it says itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negated: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Fact {
    /// `Observation/123, Hemoglobin A1c, 2020-06-03, 9.6 %`
    pub fn line(&self) -> String {
        let negated = self.negated.map(str::to_owned);
        line(&[
            &self.resource,
            &self.code,
            &negated,
            &self.date,
            &self.value,
        ])
    }

    /// `Hemoglobin A1c, 2020-06-03, 9.6 %`: within a sentence.
    fn short(&self) -> String {
        let day = self.date.as_deref().map(days);
        let negated = self.negated.map(str::to_owned);
        line(&[self.name(), &negated, &day, &self.value])
    }

    /// Where its value stands beside it.
    fn short_without_value(&self) -> String {
        let negated = self.negated.map(str::to_owned);
        let day = self.date.as_deref().map(days);
        line(&[self.name(), &negated, &day])
    }

    /// Where its date stands beside it.
    fn short_without_date(&self) -> String {
        let negated = self.negated.map(str::to_owned);
        line(&[self.name(), &negated, &self.value])
    }

    /// Its code, and that it was not done.
    fn what(&self) -> Option<String> {
        let negated = self.negated.map(str::to_owned);
        let text = line(&[&self.code, &negated]);
        (!text.is_empty()).then_some(text)
    }

    /// What it is called: its code, and where it has none, which resource it is.
    fn name(&self) -> &Option<String> {
        if self.code.is_some() {
            &self.code
        } else {
            &self.resource
        }
    }

    /// Of something that happened: the patient is in every record.
    fn is_clinical(&self) -> bool {
        let resource = self.resource.as_deref();
        resource.is_some_and(|r| !r.starts_with("Patient/") && r != "Patient")
    }
}

/// The days of a date, or of a period as [`described`] writes it.
fn days(date: &str) -> String {
    let day = |text: &str| text.trim().chars().take(10).collect::<String>();
    match date.split_once('–') {
        Some((start, end)) if day(start) == day(end) => day(start),
        Some((start, end)) => format!("{} – {}", day(start), day(end)).trim().to_owned(),
        None => day(date),
    }
}

fn line(parts: &[&Option<String>]) -> String {
    let parts = parts.iter().copied().flatten().map(String::as_str);
    parts.collect::<Vec<_>>().join(", ")
}

impl From<Described> for Fact {
    fn from(d: Described) -> Fact {
        Fact {
            resource: Some(d.resource),
            code: d.code,
            negated: d.negated,
            date: d.date,
            value: d.value,
        }
    }
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
    /// It is on the way to what decided: see the verdict.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub decides: bool,
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

/// Of a patient with more rows than an explanation keeps.
const CUT: &str = "This patient has more resources than an explanation keeps values of: what is nearest, and last or \
next, was looked for among those that were kept. Outcomes and counts are of all.";

/// Most items that are told of one list.
pub const FACTS: usize = 50;

/// A population of the patient.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PopulationExplanation {
    pub code: &'static str,
    /// In words, with what decided it.
    pub verdict: Verdict,
    /// The definition or function that it is computed by.
    pub expression: String,
    /// What counts in the measure: 1 or 0, or how many resources. `None`: nothing that can be counted.
    pub count: Option<i64>,
    /// Why it does not count although its own criterion holds: `excluded`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_back: Option<&'static str>,
    /// What is certain of it in the measure.
    pub outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Its members, of a resource basis.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<Fact>,
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
    /// What its populations come to, in words.
    pub verdict: Verdict,
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
#[derive(Clone, Debug, Serialize)]
pub struct Period {
    pub start: String,
    pub end: String,
}

impl Period {
    /// `2020`, or both days.
    pub fn words(&self) -> String {
        let year = |day: &str, rest: &str| day.strip_suffix(rest).map(str::to_owned);
        match (year(&self.start, "-01-01"), year(&self.end, "-12-31")) {
            (Some(first), Some(last)) if first == last => first,
            _ => format!("{}..{}", self.start, self.end),
        }
    }
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
    /// What the reader must know of it: something was too much to be kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notice: Option<&'static str>,
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
        let nulls = null_reasons(program, evaluator);
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
                    notice: trace.is_cut().then_some(CUT),
                    groups: groups(&GroupParts {
                        program,
                        measure: index,
                        structure,
                        rows: &own,
                        results: &results,
                        trace: &trace,
                        record,
                        period: period(context),
                        nulls: &nulls,
                        depth,
                    }),
                    definitions: results.statements,
                    clauses: results.clauses,
                }
            })
            .collect()
    })
    .map_err(EvaluationError::from)
}

/// `Patient/1`
pub fn subject(record: &PatientRecord) -> String {
    let id = record.patient().and_then(|p| p.get_str("id"));
    format!("Patient/{}", id.as_deref().unwrap_or("?"))
}

/// The days that an explanation is for.
pub fn period(context: &EvaluationContext) -> Period {
    let (start, end) = context.period.unwrap_or((context.at, context.at));
    let day = |at: DateTime| at.to_string().chars().take(10).collect();
    Period {
        start: day(start),
        end: day(end),
    }
}

/// What groups are explained by.
struct GroupParts<'g, 'a> {
    program: &'g ElmMeasures,
    measure: usize,
    structure: &'g MeasureStructure,
    rows: &'g [&'g ResultRow],
    results: &'g ClauseResults,
    trace: &'g Trace<'a>,
    record: &'g PatientRecord,
    period: Period,
    /// Reasons that say which part of a criterion is null.
    nulls: &'g HashSet<Arc<str>>,
    depth: usize,
}

/// The reasons of the criteria that are null and in no doubt.
fn null_reasons(program: &ElmMeasures, evaluator: &mut Evaluator<'_>) -> HashSet<Arc<str>> {
    let groups = program.measures.iter().flat_map(|m| &m.groups);
    let mut out = HashSet::new();
    for target in groups.flat_map(|g| &g.targets) {
        if let Target::Criterion(expression) = target
            && matches!(evaluator.expression(*expression), Ok(Val::Null))
            && evaluator.in_doubt(*expression).is_none()
        {
            out.insert(null_reason(evaluator, *expression));
        }
    }
    out
}

fn groups(of: &GroupParts<'_, '_>) -> Vec<GroupExplanation> {
    let libraries = &of.program.libraries;
    let compiled = of.program.measures.get(of.measure);
    let compiled = compiled.into_iter().flat_map(|m| &m.groups);
    let mut out = vec![];
    let texts = &of.results.texts;
    let mut trees = criteria_tree::CriteriaTrees::new(libraries, of.trace, texts);
    for (number, (definition, group)) in of.structure.groups.iter().zip(compiled).enumerate() {
        let mut populations: Vec<PopulationExplanation> = vec![];
        let both = definition.populations.iter().zip(&group.targets);
        for (position, (population, target)) in both.enumerate() {
            let index = PopulationIndex::new(position);
            let own: Vec<&&ResultRow> = of
                .rows
                .iter()
                .filter(|r| {
                    let kind = RowKind::Population(population.code, index);
                    r.group as usize == number && r.kind == kind && r.stratum.is_none()
                })
                .collect();
            let observed = matches!(target, Target::Observation(_));
            let mut made = counted(&own, observed, of.record);
            let mut verdicts = Verdicts::new(libraries, of.trace, texts, of.period.clone());
            let (causes, criterion) = match target {
                Target::Criterion(expression) => {
                    let mut causes = verdicts.of_criterion(*expression);
                    verdicts.by_members(*expression, &made.members, &mut causes);
                    trees.decided = std::mem::take(&mut verdicts.decided);
                    (causes, trees.criterion(*expression, of.depth))
                }
                Target::Observation(_) => (vec![], None),
            };
            made.code = population.code.as_str();
            made.expression.clone_from(&population.expression);
            made.criterion = criterion;
            made.verdict = {
                let reason = made.reason.as_deref();
                let null = reason.is_some_and(|reason| of.nulls.contains(reason));
                of_population(&made, causes, null)
            };
            populations.push(made);
        }
        verdict::dependent(&mut populations, definition.scoring);
        let targets = definition.populations.iter().zip(&group.targets);
        let numerator = targets
            .filter(|(p, _)| p.code == crate::package::PopulationCode::Numerator)
            .find_map(|(_, target)| match target {
                Target::Criterion(expression) => Some(*expression),
                Target::Observation(_) => None,
            });
        let missing = match (numerator, open_members(&populations)) {
            (Some(expression), open) if !open.is_empty() => {
                let mut verdicts = Verdicts::new(libraries, of.trace, texts, of.period.clone());
                verdicts.left_out(expression, &open)
            }
            _ => vec![],
        };
        out.push(GroupExplanation {
            name: definition.name(number),
            verdict: of_group(&populations, missing),
            populations,
        });
    }
    out
}

/// The members of the denominator that no other population takes: they fail the numerator.
fn open_members(populations: &[PopulationExplanation]) -> Vec<Fact> {
    const TAKEN: [&str; 3] = [
        "denominator-exclusion",
        "denominator-exception",
        "numerator",
    ];
    let members = |code: &'static str| {
        let own = populations.iter().filter(move |p| p.code == code);
        own.flat_map(|p| &p.members)
    };
    let taken: Vec<&Fact> = TAKEN.into_iter().flat_map(members).collect();
    let open = members("denominator");
    let open = open.filter(|m| taken.iter().all(|t| t.resource != m.resource));
    open.cloned().collect()
}

/// A population as its rows have it.
fn counted(own: &[&&ResultRow], observed: bool, record: &PatientRecord) -> PopulationExplanation {
    let whole = own.iter().find(|r| r.basis_id.is_none());
    let members = own.iter().filter(|r| !observed && r.count > Some(0));
    PopulationExplanation {
        code: "",
        verdict: Verdict::default(),
        expression: String::new(),
        count: match observed {
            true => i64::try_from(own.len()).ok(),
            false => whole.map_or(Some(0), |r| r.count),
        },
        held_back: None,
        outcome: match whole.map(|r| r.outcome) {
            Some(Truth::True) => Outcome::True,
            Some(Truth::Unknown) => Outcome::Unknown,
            // Without a row nobody is in it.
            Some(Truth::False) | None => Outcome::False,
        },
        reason: whole.and_then(|r| r.unknown_reason.as_deref().map(str::to_owned)),
        members: members
            .filter_map(|r| Some(member(r.basis_id.as_deref()?, record)))
            .collect(),
        observations: own
            .iter()
            .filter(|_| observed)
            .map(|r| observation(r, record))
            .collect(),
        criterion: None,
    }
}

/// The resource that counts, with what a reader knows it by.
fn member(id: &str, record: &PatientRecord) -> Fact {
    let found = id.split_once('/').and_then(|(ty, own)| {
        let mut all = record.of_type_named(ty);
        all.find(|r| r.get_str("id").is_some_and(|i| i == own))
    });
    match found.and_then(described) {
        Some(described) => Fact::from(described),
        None => Fact {
            resource: Some(id.to_owned()),
            ..Fact::default()
        },
    }
}

fn observation(row: &ResultRow, record: &PatientRecord) -> String {
    let value = match &row.value {
        engine_patient::value::Value::Null => "null".to_owned(),
        engine_patient::value::Value::Decimal(d) => d.normalize().to_string(),
        engine_patient::value::Value::String(text) => text.to_string(),
        _ => "a value".to_owned(),
    };
    match &row.basis_id {
        Some(id) => format!("{value} ({})", member(id, record).line()),
        None => value,
    }
}
