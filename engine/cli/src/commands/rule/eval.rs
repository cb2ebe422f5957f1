//! `tandem rule eval`: a rule for one patient, and why.

mod drafts;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use datasets::patient_file;
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::finding::did_you_mean;
use engine_patient::hook_call::HookCall;
use engine_patient::now::Ahead;
use engine_patient::plural::several;
use engine_patient::program::EvaluationError;
use engine_patient::record::PatientRecord;
use engine_patient::system::date_time::DateTime;
use engine_patient::system::zone::{UTC, Zone};
use engine_population::lake::Lake;
use measures_run::rule_files::{load_file, load_rules, terminology};
use rehearse::history::Dating;
use rehearse::replay::record_as_of;
use rehearse::{ACTIVE_DAYS, Settings};
use rules::explanation::verdict;
use rules::{Applicability, Rule as ClinicalRule};
use sources::RULES;

use super::decision_json;
use super::explained::{Explained, line};
use crate::commands::measure::{parse_zone, tell};
use crate::failure::{Done, Failure};
use crate::format::Format;
use crate::visible::in_line;

/// What is asked of an evaluation.
pub struct Asked {
    pub rule: String,
    pub patient: String,
    pub lake: Option<PathBuf>,
    pub at: Option<String>,
    pub time_zone: Option<String>,
    pub terminology: Vec<PathBuf>,
    pub hook: Option<String>,
    pub drafts: Option<PathBuf>,
    pub select: Vec<String>,
    pub user: Option<String>,
    /// Tell also with which value set, drugs or class each part was compared.
    pub explain: bool,
    pub format: Format,
}

pub fn eval(asked: &Asked) -> Done {
    let rule = find_rule(&asked.rule, &asked.terminology)?;
    let zone = asked.time_zone.as_deref().map(parse_zone).transpose()?;
    let mut context = context(asked.at.as_deref(), zone)?;
    let record = match &asked.lake {
        Some(lake) => {
            let record = record_from_lake(lake, &asked.patient)?;
            match &asked.at {
                Some(_) => known_then(&record, &context)?,
                None => record,
            }
        }
        None => resources(Path::new(&asked.patient), patient_file::read)?,
    };
    let call = call(asked, &rule)?;
    drafts::check(asked.drafts.as_deref(), &rule, &call, &record)?;
    context = context.with_call(Arc::new(call));
    match asked.format {
        Format::Json => decision_json::print(&rule, &record, &context)?,
        _ => print_decision(&rule, &record, &context, asked.explain)?,
    }
    Ok(std::process::ExitCode::SUCCESS)
}

/// The resources of a file, what is left out told.
fn resources(
    path: &Path,
    read: impl Fn(&Path) -> Result<patient_file::PatientFile, String>,
) -> Result<PatientRecord, Failure> {
    let read = read(path).map_err(Failure::User)?;
    for note in &read.notes {
        note!("note: {note}");
    }
    Ok(read.record)
}

/// The call of a hook that the rule is asked by.
fn call(asked: &Asked, rule: &ClinicalRule) -> Result<HookCall, Failure> {
    let words: Vec<&str> = rule.hooks.iter().map(|hook| hook.as_str()).collect();
    let hook = match &asked.hook {
        None => words.first().copied().unwrap_or("patient-view").to_owned(),
        Some(hook) if words.contains(&hook.as_str()) => hook.clone(),
        Some(hook) => {
            let id = &rule.artifact.id;
            let known = words.join("`, `");
            let text = format!("--hook {hook}: `{id}` is asked at `{known}` only");
            return Err(Failure::User(text));
        }
    };
    let drafts = match &asked.drafts {
        Some(path) => resources(path, patient_file::read_any)?,
        None => PatientRecord::new(),
    };
    for selected in &asked.select {
        let of = |draft: engine_patient::record::Element<'_>| {
            let named = draft.resource_type().zip(draft.get_str("id"));
            named.is_some_and(|(ty, id)| selected.split_once('/') == Some((ty.as_str(), &*id)))
        };
        if !drafts.resources().any(of) {
            let text = format!(
                "--select {selected}: no draft is called so; write Type/id, as in MedicationRequest/draft-1"
            );
            return Err(Failure::User(text));
        }
    }
    Ok(HookCall {
        hook: hook.into(),
        user: asked.user.as_deref().map(Arc::from),
        encounter: None,
        drafts,
        selections: (!asked.select.is_empty()).then(|| asked.select.iter().cloned().collect()),
    })
}

/// The moment, and the zone that it is in. A date stands for its end, as a measurement period does.
fn context(at: Option<&str>, zone: Option<Zone>) -> Result<EvaluationContext, Failure> {
    let (at_moment, zone) = match at {
        None => {
            let zone = zone.unwrap_or(UTC.clone());
            (zone.moment(crate::commands::now_ms()), zone)
        }
        Some(text) => {
            let parsed = DateTime::parse(text).ok_or_else(|| Failure::User(format!("--at {text}: write a date such as 2025-12-31, or a date-time such as 2025-12-31T10:00:00-05:00")))?;
            let zone = zone.unwrap_or(Zone::fixed(parsed.offset().unwrap_or(0)));
            (zone.moment(parsed.latest(&zone)), zone)
        }
    };
    let mut context = EvaluationContext::at(at_moment);
    context.zone = zone;
    // The data may go on after a moment that is given.
    Ok(match at {
        Some(_) => context.with_ahead(Ahead::GIVEN),
        None => context,
    })
}

pub fn find_rule(name: &str, value_sets: &[PathBuf]) -> Result<Arc<ClinicalRule>, Failure> {
    if RULES.takes(Path::new(name)) {
        let store = terminology(value_sets, &mut tell)?;
        return load_file(Path::new(name), &store, &mut tell)
            .map(Arc::new)
            .map_err(|found| Failure::of(&found));
    }
    if Path::new(name).is_dir() {
        return Err(Failure::User(format!(
            "`{name}` is a folder: name one rule in it, as in `{}`",
            Path::new(name).join("RULE.yaml").display()
        )));
    }
    let file = format!("{name}.yaml");
    if Path::new(&file).is_file() {
        return Err(Failure::User(format!(
            "there is no rule `{name}`: did you mean the file `{file}`?"
        )));
    }
    let all = load_rules(&[], value_sets, &mut tell)?;
    let found = all.iter().find(|r| *r.artifact.id == *name).cloned();
    found.ok_or_else(|| {
        let near = did_you_mean(name, all.iter().map(|r| r.artifact.id.as_ref()));
        let known: Vec<_> = all.iter().map(|r| r.artifact.id.to_string()).collect();
        let help = near.map_or(
            format!(
                "built in are {}; a file must end in .yaml",
                known.join(", ")
            ),
            |n| format!("did you mean `{n}`?"),
        );
        Failure::User(format!("there is no rule `{name}`: {help}"))
    })
}

/// All resources of one patient of the lake.
fn record_from_lake(folder: &Path, patient: &str) -> Result<PatientRecord, Failure> {
    let patient = patient.strip_prefix("Patient/").unwrap_or(patient);
    let runtime = crate::commands::runtime()?;
    runtime.block_on(async {
        let lake = Lake::open(folder, None).await?;
        // Rules read the codes of medications, and no other resource without a patient.
        let types: Vec<Name> = Name::of("Medication").into_iter().collect();
        let record = engine_population::patient::record(&lake, patient, &types).await?;
        record.ok_or_else(|| Failure::User(format!("the lake has no patient `{patient}`")))
    })
}

/// What was known of a patient at the moment of evaluation, as in a rehearsal: a lake has what came later.
fn known_then(
    record: &PatientRecord,
    context: &EvaluationContext,
) -> Result<PatientRecord, Failure> {
    let at = context.at.latest(&context.zone);
    let settings = Settings {
        period: (at, at),
        zone: context.zone.clone(),
        hooks: vec![],
        last_updated: false,
        assumed_days: ACTIVE_DAYS,
    };
    let mut dating = Dating::default();
    let then = record_as_of(record, at, &settings, &mut dating);
    let (then, later) = then.map_err(|bug| Failure::Internal(bug.to_string()))?;
    if later > 0 {
        let what = several(later as u64, "resource that came", "resources that came");
        note!("note: without {what} after {}", context.at);
    }
    if dating.day_of_call > 0 {
        let what = several(dating.day_of_call, "of these bears", "of these bear");
        note!("note: {what} the day of that moment without a time: it counts from its end on");
    }
    if dating.imprecise > 0 {
        let what = several(
            dating.imprecise,
            "resource is dated (or ended)",
            "resources are dated (or ended)",
        );
        note!(
            "note: {what} by a month or year only that {} falls into: kept, for the rule to judge",
            context.at
        );
    }
    if dating.taken_back > 0 {
        let what = several(dating.taken_back, "resource", "resources");
        note!(
            "note: what became of {what} after {} is taken back",
            context.at
        );
    }
    Ok(then)
}

fn print_decision(
    rule: &ClinicalRule,
    record: &PatientRecord,
    context: &EvaluationContext,
    whole: bool,
) -> Result<(), Failure> {
    let bug = |bug: EvaluationError| Failure::Internal(bug.to_string());
    let decision = rule.decide(record, context).map_err(bug)?;
    let explained = rule.explain(record, context).map_err(bug)?;
    line(0, &verdict(&decision, &explained));
    let state = match decision.applicability {
        Applicability::Applies => "applies".to_owned(),
        Applicability::DoesNotApply => "does not apply".to_owned(),
        Applicability::Unknown => format!(
            "could not be checked: {}",
            decision.unknown_reason.as_deref().unwrap_or("")
        ),
    };
    let (id, version) = (&rule.artifact.id, &rule.artifact.version);
    line(0, &format!("{id} {version} at {}: {state}", context.at));
    if let Some(due) = decision.due {
        say!("due: {due}");
    }
    for card in &decision.cards {
        say!(
            "\n┌ {} ─ {}",
            card.indicator.as_str(),
            in_line(&card.summary)
        );
        for line in card.detail.lines() {
            say!("│ {}", in_line(line));
        }
        for suggestion in &card.suggestions {
            say!("│ ▸ {}", in_line(&suggestion.label));
        }
        match &card.source {
            Some(source) => say!("└ {}", in_line(&source.label)),
            None => say!(
                "└ {} ({}, {})",
                rule.source.title,
                rule.source.publisher,
                rule.source.year
            ),
        }
    }
    say!("\nwhy (⇐ stands before the part of the rule that has the value):");
    let mut printed = Explained::whole(whole);
    for (criterion, clause) in &explained {
        let truth = clause.truth.map_or("", |t| t.as_str());
        say!("{criterion}: {truth}");
        match clause.clauses.is_empty() || !clause.tried.is_empty() {
            true => printed.print(clause, &[], 1),
            false => {
                let parts = clause.clauses.iter();
                parts.for_each(|c| printed.print(c, &clause.items, 1));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `serve --time-zone` has it at that moment.
    #[test]
    fn the_moment_is_by_the_clock_of_the_zone() {
        let of = |at: &str, zone: Option<&str>| {
            let zone = zone.map(|z| Zone::parse(z).unwrap());
            let context = context(Some(at), zone).unwrap();
            format!("{} {}", context.at, context.zone)
        };
        let ny = Some("America/New_York");
        for (at, zone, expected) in [
            ("2025-12-31", None, "2025-12-31T23:59:59.999Z +00:00"),
            (
                "2025-12-31",
                ny,
                "2025-12-31T23:59:59.999-05:00 America/New_York",
            ),
            (
                "2025-07-01T03:30:00.000Z",
                ny,
                "2025-06-30T23:30:00.000-04:00 America/New_York",
            ),
            (
                "2025-07-01T03:30:00.000-05:00",
                None,
                "2025-07-01T03:30:00.000-05:00 -05:00",
            ),
        ] {
            assert_eq!(of(at, zone), expected, "{at}");
        }
        assert!(context(Some("soon"), None).is_err());
    }
}
