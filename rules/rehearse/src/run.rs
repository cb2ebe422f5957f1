//! The pass over the lake, and what comes of it.

use std::sync::Arc;

use arrow::array::{Array, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::col;
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_patient::system::truth::Truth;
use engine_patient::systems::SystemsInUse;
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable};
use engine_population::lake::systems::systems_in_use;
use engine_population::session::{Limits, session_within};
use futures::TryStreamExt;
use rules::Rule;

use crate::asked::Asked;
use crate::directory::Directory;
use crate::history::Dating;
use crate::program::{Candidate, Chosen, Rehearsal};
use crate::report::{self, Report};
use crate::rows::{self, CallRow, Is, SaidRow};
use crate::samples::Sample;
use crate::settings::Settings;
use crate::tally::{CallSaid, Said, Tally};

/// What came of a rehearsal.
#[derive(Debug)]
pub struct Rehearsed {
    /// The counts, and the samples.
    pub report: Report,
    /// What the operator counted.
    pub statistics: EvaluateStatistics,
}

/// What a rule said at a call, for a list of all. It is patient data.
#[derive(Debug)]
pub struct Line<'l> {
    /// Id of the patient.
    pub patient: &'l str,
    /// When.
    pub at: &'l str,
    /// At which hook.
    pub hook: &'l str,
    /// Id of the visit.
    pub encounter: &'l str,
    /// Who called.
    pub clinician: &'l str,
    /// Where.
    pub site: &'l str,
    /// `this` for the rules that are rehearsed, `against` for what they are compared with, with the file where
    /// that is more than one.
    pub of: &'l str,
    /// The rule.
    pub rule: &'l Rule,
    /// Whether it is a card: else nothing was shown.
    pub card: bool,
    /// `true`, `unknown`, or `acted on`.
    pub outcome: &'l str,
    /// Indicator of the card; empty where there is none.
    pub indicator: &'l str,
    /// Its summary, or why it is unknown.
    pub text: &'l str,
}

/// Memory in which rows are sorted; what is more goes to the scratch folder.
const SORTED: usize = 512 << 20;

/// Rehearses over the whole lake. Each line of what rules said goes to `list`, by patient and call.
///
/// # Errors
/// Where the lake cannot be read, or `list` fails.
pub async fn rehearse(
    asked: &Asked<'_>,
    list: &mut (dyn FnMut(&Line<'_>) -> std::io::Result<()> + Send),
) -> Result<Rehearsed> {
    let all = asked.all();
    let elements = Rehearsal::coded_elements_of(&all);
    let used = systems_in_use(asked.lake, &elements).await;
    let used = used.map_err(|e| DataFusionError::External(Box::new(e)))?;
    let program = || Rehearsal::new(all.clone(), asked.settings.clone(), &used);
    let mut tally = Tally::new(asked);
    let statistics = pass(asked, program(), None, &mut |patient| {
        if let Some(dating) = &patient.dating {
            tally.dating.add(dating);
        }
        tally.failed += patient.failed;
        tally.add(asked, &patient.id, &patient.calls);
        for one in &patient.calls {
            write(asked, &all, &patient.id, one, list)?;
        }
        Ok(())
    })
    .await?;
    let samples = explain(asked, program(), &tally).await?;
    let span = match tally.patients_called {
        0 => span(asked, &used).await?,
        _ => None,
    };
    let mut report = report::of(asked, &tally, &statistics, &samples, span);
    name(&mut report, asked).await?;
    Ok(Rehearsed { report, statistics })
}

/// Gives clinicians and sites the names that the lake has for them.
async fn name(report: &mut Report, asked: &Asked<'_>) -> Result<()> {
    let wanted = report.people().map(|name| name.as_str()).collect();
    let directory = Directory::read(asked.lake, &wanted).await;
    let directory = directory.map_err(|e| DataFusionError::External(Box::new(e)))?;
    for name in report.people_mut() {
        *name = directory.shown(name);
    }
    Ok(())
}

/// First and last moment of all calls that there would be, whatever the period.
async fn span(asked: &Asked<'_>, used: &SystemsInUse) -> Result<Option<(String, String)>> {
    let settings = Settings {
        period: (i64::MIN, i64::MAX),
        ..asked.settings.clone()
    };
    let program = Rehearsal::new(vec![], settings, used);
    let mut found: Option<(CallRow, CallRow)> = None;
    pass(asked, program, None, &mut |patient| {
        for CallSaid { call, .. } in &patient.calls {
            let (first, last) = found.get_or_insert_with(|| (call.clone(), call.clone()));
            if call.at < first.at {
                first.clone_from(call);
            }
            if call.at > last.at {
                last.clone_from(call);
            }
        }
        Ok(())
    })
    .await?;
    Ok(found.map(|(first, last)| (first.moment, last.moment)))
}

fn write(
    asked: &Asked<'_>,
    all: &[Candidate],
    patient: &str,
    one: &CallSaid,
    list: &mut (dyn FnMut(&Line<'_>) -> std::io::Result<()> + Send),
) -> Result<()> {
    let call = &one.call;
    for said in &one.said {
        let Some(candidate) = all.get(said.rule) else {
            continue;
        };
        let several = asked.against.len() > 1;
        let of = match said.rule.checked_sub(asked.candidates.len()) {
            None => "this".to_owned(),
            Some(_) if several => format!("against {}", candidate.rule.file),
            Some(_) => "against".to_owned(),
        };
        let mut line = Line {
            patient,
            at: &call.moment,
            hook: &call.hook,
            encounter: call.encounter.as_deref().unwrap_or_default(),
            clinician: call.clinician.as_deref().unwrap_or_default(),
            site: call.site.as_deref().unwrap_or_default(),
            of: &of,
            rule: &candidate.rule,
            card: false,
            outcome: match said.truth {
                // A rule that does not apply has no line but for this.
                Truth::False => "acted on",
                truth => truth.as_str(),
            },
            indicator: "",
            text: said.reason.as_deref().unwrap_or_default(),
        };
        if said.row.cards.is_empty() {
            list(&line)?;
        }
        for (indicator, summary) in &said.row.cards {
            line.card = true;
            line.indicator = indicator;
            line.text = summary;
            list(&line)?;
        }
    }
    Ok(())
}

/// Goes over the chosen patients again, with reasons.
async fn explain(asked: &Asked<'_>, program: Rehearsal, tally: &Tally) -> Result<Vec<Sample>> {
    let mut chosen = Chosen::new();
    for (number, rule) in tally.rules.iter().enumerate() {
        for (patient, call) in rule.samples.chosen() {
            let own = chosen.entry(patient.to_owned()).or_default();
            own.insert((call, number));
        }
    }
    if chosen.is_empty() {
        return Ok(vec![]);
    }
    let patients: Vec<String> = chosen.keys().cloned().collect();
    let mut samples = vec![];
    let program = program.choosing(chosen);
    pass(asked, program, Some(&patients), &mut |patient| {
        for one in &patient.calls {
            for said in &one.said {
                let Some(explained) = &said.row.explained else {
                    continue;
                };
                samples.push(Sample {
                    rule: said.rule,
                    patient: patient.id.clone(),
                    call: one.call.clone(),
                    cards: said.row.cards.clone(),
                    explained: explained.clone(),
                });
            }
        }
        Ok(())
    })
    .await?;
    Ok(samples)
}

/// All rows of a patient.
#[derive(Debug, Default)]
struct PatientRows {
    id: String,
    calls: Vec<CallSaid>,
    dating: Option<Dating>,
    failed: u64,
}

/// Evaluates, and gives the rows of one patient after the other, sorted.
async fn pass(
    asked: &Asked<'_>,
    program: Rehearsal,
    patients: Option<&[String]>,
    each: &mut (dyn FnMut(&PatientRows) -> Result<()> + Send),
) -> Result<EvaluateStatistics> {
    // Each call has its own moment.
    let context = EvaluationContext::at(asked.settings.zone.moment(asked.settings.period.1));
    let program: Arc<dyn PatientProgram> = Arc::new(program);
    let mut table = EvaluateTable::new(asked.lake.clone(), vec![program], context);
    if let Some(patients) = patients {
        table = table.of_patients(patients.iter().map(String::as_str));
    }
    let limits = Limits {
        memory: Some(SORTED),
        spill: Some(asked.scratch.to_owned()),
    };
    let session = session_within(asked.lake, asked.threads, &limits)?;
    session.register_table("said", Arc::new(table))?;
    let order = ORDER.map(|c| col(format!("\"{c}\"")).sort(true, true));
    let columns = COLUMNS.map(|c| col(format!("\"{c}\"")));
    let frame = session.table("said").await?.select(columns.to_vec())?;
    let plan = frame.sort(order.to_vec())?.create_physical_plan().await?;
    let mut stream = execute_stream(Arc::clone(&plan), session.task_ctx())?;
    let mut patient = PatientRows::default();
    while let Some(batch) = stream.try_next().await? {
        gather(&batch, &mut patient, each)?;
    }
    if !patient.id.is_empty() {
        each(&patient)?;
    }
    Ok(EvaluateStatistics::of(plan.as_ref()))
}

const COLUMNS: [&str; 7] = [
    "patient_id",
    "group",
    "population",
    "index",
    "outcome",
    "value",
    "unknown_reason",
];

/// A call has the largest word of its group, `measure-population`: it comes after what rules said.
const ORDER: [&str; 4] = ["patient_id", "group", "population", "index"];

fn gather(
    batch: &RecordBatch,
    patient: &mut PatientRows,
    each: &mut (dyn FnMut(&PatientRows) -> Result<()> + Send),
) -> Result<()> {
    let bug = || DataFusionError::Internal("rows of a rehearsal have other columns".into());
    let texts = |name: &str| -> Result<StringArray> {
        let column = batch.column_by_name(name).ok_or_else(bug)?;
        let cast = arrow::compute::cast(column, &DataType::Utf8)?;
        let texts = cast.as_any().downcast_ref::<StringArray>().cloned();
        texts.ok_or_else(bug)
    };
    let numbers = |name: &str| -> Result<&Int32Array> {
        let column = batch.column_by_name(name).ok_or_else(bug)?;
        column.as_any().downcast_ref().ok_or_else(bug)
    };
    let (ids, kinds, outcomes) = (
        texts("patient_id")?,
        texts("population")?,
        texts("outcome")?,
    );
    let (values, reasons) = (texts("value")?, texts("unknown_reason")?);
    let (groups, indices) = (numbers("group")?, numbers("index")?);
    for row in 0..batch.num_rows() {
        if ids.value(row) != patient.id {
            if !patient.id.is_empty() {
                each(patient)?;
            }
            *patient = PatientRows {
                id: ids.value(row).to_owned(),
                ..PatientRows::default()
            };
        }
        let value = values.value(row);
        let number = u32::try_from(groups.value(row)).unwrap_or(0);
        match Is::of(kinds.value(row)).ok_or_else(bug)? {
            Is::Dated => patient.dating = Some(rows::read(value).ok_or_else(bug)?),
            // A row a rule.
            Is::Said if number == 0 => patient.failed = 1,
            Is::Said => {
                let said = Said {
                    rule: usize::try_from(indices.value(row)).unwrap_or(0),
                    truth: match outcomes.value(row) {
                        "true" => Truth::True,
                        "false" => Truth::False,
                        _ => Truth::Unknown,
                    },
                    row: rows::read::<SaidRow>(value).ok_or_else(bug)?,
                    reason: reasons.is_valid(row).then(|| reasons.value(row).to_owned()),
                };
                if let Some(call) = call_of(&mut patient.calls, number) {
                    call.said.push(said);
                }
            }
            Is::Call => {
                let read = rows::read(value).ok_or_else(bug)?;
                if let Some(call) = call_of(&mut patient.calls, number) {
                    call.call = read;
                }
            }
        }
    }
    Ok(())
}

/// The patient's call of a number, which is the last or a new one.
fn call_of(calls: &mut Vec<CallSaid>, number: u32) -> Option<&mut CallSaid> {
    if calls.last().is_none_or(|last| last.number != number) {
        calls.push(CallSaid {
            number,
            call: CallRow::default(),
            said: vec![],
        });
    }
    calls.last_mut()
}
