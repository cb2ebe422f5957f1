//! The folder of a rehearsal: the page, the tables, the list of cards, and what decided them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use measures::manifest::Manifest;
use measures::source_files;
use measures::spreadsheet;
use measures_run::RunError;
use measures_run::rule_files::LIBRARY;
use rehearse::report::{self, Report, table as cells};
use rehearse::{Asked, Candidate, Line};
use sources::{RULES, TABLES, TERMINOLOGY};

use super::print::json;
use crate::failure::Failure;
use crate::staged::Staged;

/// What decides the numbers.
pub fn manifest(
    asked: &Asked<'_>,
    rules: &[PathBuf],
    value_sets: &[PathBuf],
) -> Result<Manifest, Failure> {
    let settings = &asked.settings;
    let moment = |millis| settings.zone.moment(millis).to_string();
    let canonical = |c: &Candidate| {
        let artifact = &c.rule.artifact;
        format!("{}|{}", artifact.url, artifact.version)
    };
    let against = asked.against.iter().map(|(_, candidate)| candidate);
    let mut manifest = Manifest {
        engine: concat!("tandem ", env!("CARGO_PKG_VERSION")).into(),
        command: Some("rule rehearse".into()),
        measures: asked
            .candidates
            .iter()
            .chain(against)
            .map(canonical)
            .collect(),
        snapshot: asked.lake.snapshot.number,
        period: (moment(settings.period.0), moment(settings.period.1)),
        time_zone: settings.zone.to_string(),
        ..Manifest::default()
    };
    let hooks: Vec<&str> = settings.hooks.iter().map(|h| h.as_str()).collect();
    for (name, value) in [
        ("hooks", hooks.join(" ")),
        ("seed", asked.seed.to_string()),
        ("samples", asked.samples.to_string()),
        ("repeat-days", asked.repeat_days.to_string()),
        ("active-days", settings.assumed_days.to_string()),
        ("last-updated", settings.last_updated.to_string()),
    ] {
        manifest.parameters.insert(name.to_owned(), value);
    }
    let mut sources = source_files::files(value_sets, TERMINOLOGY, &mut |_| {})?;
    let rules = source_files::files(rules, RULES, &mut |_| {})?;
    let mut beside = BTreeSet::new();
    for rule in &rules {
        let folder = rule.path.parent().filter(|f| !f.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        beside.extend(folder.ancestors().map(|f| f.join(LIBRARY)));
        let tables = source_files::files(&[folder], TABLES, &mut |_| {});
        sources.extend(tables.unwrap_or_default());
    }
    // What lies beside rules may be theirs.
    beside.retain(|file| file.is_file());
    let beside: Vec<PathBuf> = beside.into_iter().collect();
    sources.extend(source_files::files(&beside, RULES, &mut |_| {})?);
    sources.extend(rules);
    for source in sources {
        let bytes = source_files::bytes(&source)?;
        manifest.file(&source.path.display().to_string(), &bytes);
    }
    Ok(manifest)
}

/// `fired.csv`, a line a card and one for each time that a rule had none to show, as the rehearsal goes.
pub struct List(Option<csv::Writer<std::fs::File>>);

impl List {
    pub fn begin(staged: Option<&Staged>) -> Result<List, Failure> {
        let Some(staged) = staged else {
            return Ok(List(None));
        };
        let file = std::fs::File::create(staged.folder().join("fired.csv"));
        let mut out = csv::Writer::from_writer(file.map_err(RunError::from)?);
        out.write_record([
            "patient",
            "at",
            "hook",
            "rule",
            "version",
            "of",
            "card",
            "outcome",
            "indicator",
            "text",
            "encounter",
            "clinician",
            "site",
        ])?;
        Ok(List(Some(out)))
    }

    pub fn add(&mut self, line: &Line<'_>) -> std::io::Result<()> {
        let Some(out) = &mut self.0 else {
            return Ok(());
        };
        let artifact = &line.rule.artifact;
        let cells = [
            line.patient,
            line.at,
            line.hook,
            &artifact.id,
            &artifact.version,
            line.of,
            if line.card { "yes" } else { "no" },
            line.outcome,
            line.indicator,
            line.text,
            line.encounter,
            line.clinician,
            line.site,
        ];
        let cells = cells.map(spreadsheet::cell);
        let written = out.write_record(cells.iter().map(|cell| cell.as_bytes()));
        written.map_err(std::io::Error::other)
    }

    pub fn end(self) -> Result<(), Failure> {
        match self.0 {
            Some(mut out) => Ok(out.flush().map_err(RunError::from)?),
            None => Ok(()),
        }
    }
}
/// The files beside the list.
pub fn write(folder: &Path, report: &Report) -> Result<(), Failure> {
    let failed = RunError::from;
    let mut text = format!("{:#}", json(report)?);
    text.push('\n');
    std::fs::write(folder.join("report.json"), text).map_err(failed)?;
    std::fs::write(folder.join("report.html"), report::page(report)).map_err(failed)?;
    let all = cells::rules(report);
    let mut out = csv::Writer::from_path(folder.join("rules.csv"))?;
    out.write_record(all.heading.iter().map(|name| name.replace([' ', '-'], "_")))?;
    for row in &all.rows {
        out.write_record(row)?;
    }
    out.flush().map_err(failed)?;
    if report.differences.is_empty() {
        return Ok(());
    }
    let mut out = csv::Writer::from_path(folder.join("differences.csv"))?;
    out.write_record([
        "rule",
        "version",
        "against_version",
        "against_file",
        "patient",
        "only",
    ])?;
    for d in &report.differences {
        for (only, patients) in [
            ("this", &d.patients_only_this),
            ("against", &d.patients_only_other),
        ] {
            for patient in patients {
                let cells = [
                    &*d.rule,
                    &d.version,
                    &d.against_version,
                    &d.against_file,
                    patient,
                    only,
                ];
                let cells = cells.map(spreadsheet::cell);
                out.write_record(cells.iter().map(|cell| cell.as_bytes()))?;
            }
        }
    }
    Ok(out.flush().map_err(failed)?)
}
