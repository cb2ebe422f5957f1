//! SQL measures: YAML with a query over the flat views.

mod counts;

use std::sync::Arc;

use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::prelude::SessionContext;
use engine_patient::finding::{Code, Finding, did_you_mean};
use engine_patient::program::Artifact;
use engine_patient::system::date_time::DateTime;
use engine_population::lake::lake_error;
use engine_population::statement::{on_large_stack, query};
use measures::package::{Basis, PopulationCode};
use measures::result::{Counts, GroupResult, Improvement, MeasureResult};
use measures::structure::MeasureStructure;
use rules::yaml::{self, Node, Text, Value};

use crate::error::RunError;

/// A measure written in SQL.
#[derive(Clone, Debug)]
pub struct SqlMeasure {
    /// Its name.
    pub artifact: Artifact,
    /// What it is called in a run, see [`MeasureStructure::name`].
    pub name: Arc<str>,
    /// Which way is better.
    pub improvement: Improvement,
    /// What is counted, for people: `stays`.
    pub unit: String,
    /// What the strata are by.
    pub stratifier: String,
    sql: String,
}

const FIELDS: &[&str] = &[
    "id",
    "version",
    "title",
    "description",
    "source",
    "improvement",
    "unit",
    "stratifier",
    "sql",
];
/// The measures that come with Tandem.
pub fn built_in() -> Result<Vec<SqlMeasure>, Vec<Finding>> {
    let file = "measures/content/readmission-30-day/measure.yaml";
    Ok(vec![load(
        file,
        include_str!("../../../content/readmission-30-day/measure.yaml"),
    )?])
}

/// Reads a measure; tells all that is wrong at once.
pub fn load(file: &str, text: &str) -> Result<SqlMeasure, Vec<Finding>> {
    let (place, root) = yaml::read(file, text)?;
    let mut wrong = vec![];
    let Value::Mapping(entries) = &root.value else {
        let help = Some("start with `id: …`".into());
        return Err(vec![place.error(
            Code::NotAMapping,
            "a measure is a mapping of fields".into(),
            (root.at, root.end),
            help,
        )]);
    };
    for entry in entries.iter().filter(|e| !FIELDS.contains(&e.key.as_str())) {
        let help = match did_you_mean(&entry.key, FIELDS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known are `{}`", FIELDS.join("`, `")),
        };
        let end = entry.at + entry.key.chars().count();
        wrong.push(place.error(
            Code::UnknownField,
            format!("unknown field `{}`", entry.key),
            (entry.at, end),
            Some(help),
        ));
    }
    let mut field = |name: &'static str| text_of(&place, &root, entries, name, &mut wrong);
    let (id, version, title) = (field("id"), field("version"), field("title"));
    let (sql, stratifier, improvement) = (field("sql"), field("stratifier"), field("improvement"));
    let unit = field("unit");
    let improvement = match improvement.as_str() {
        "increase" => Improvement::Increase,
        "decrease" => Improvement::Decrease,
        other => {
            if !other.is_empty() {
                let help = Some("write `increase` or `decrease`: which way is better".into());
                wrong.push(place.error(
                    Code::WrongValue,
                    format!("`{other}` is no improvement notation"),
                    (root.at, root.at + 1),
                    help,
                ));
            }
            Improvement::Increase
        }
    };
    if !wrong.is_empty() {
        return Err(wrong);
    }
    let artifact = Artifact {
        url: format!("https://tandem-cds.dev/Measure/{id}").into(),
        id: id.into(),
        version: version.into(),
        title: title.into(),
    };
    Ok(SqlMeasure {
        name: Arc::clone(&artifact.id),
        artifact,
        improvement,
        unit,
        stratifier,
        sql,
    })
}

fn text_of(
    place: &Text,
    root: &Node,
    entries: &[yaml::Entry],
    name: &'static str,
    wrong: &mut Vec<Finding>,
) -> String {
    let found = entries.iter().find(|e| e.key == name);
    match found.map(|e| (e, e.value.scalar())) {
        Some((entry, Some(scalar))) if scalar.text.trim().is_empty() => {
            let span = (entry.value.at, entry.value.end);
            wrong.push(place.error(Code::WrongValue, format!("`{name}` is empty"), span, None));
            String::new()
        }
        Some((_, Some(scalar))) => scalar.text.trim_end().to_owned(),
        Some((entry, None)) => {
            let span = (entry.value.at, entry.value.end);
            wrong.push(place.error(
                Code::WrongType,
                format!("`{name}` must be a text"),
                span,
                None,
            ));
            String::new()
        }
        None => {
            wrong.push(place.error(
                Code::MissingField,
                format!("`{name}` is missing"),
                (root.at, root.at + 1),
                None,
            ));
            String::new()
        }
    }
}

impl SqlMeasure {
    /// What its result is made of.
    pub fn structure(&self) -> MeasureStructure {
        let basis = Basis::Resource(self.unit.clone());
        let structure = MeasureStructure::simple(self.artifact.clone(), self.improvement, basis);
        MeasureStructure {
            name: Arc::clone(&self.name),
            ..structure.stratified(&self.stratifier)
        }
    }

    /// Runs the query in a session that has the lake's views.
    pub async fn run(
        &self,
        session: &SessionContext,
        period: (DateTime, DateTime),
    ) -> Result<MeasureResult, RunError> {
        let fault =
            |what: String| RunError::User(format!("measure `{}`: {what}", self.artifact.id));
        let day = |d: DateTime| ScalarValue::Utf8(Some(d.to_string()));
        // What is wrong with the lake is not the query's fault.
        let failed = |e: DataFusionError| match lake_error(&e) {
            Some(_) => RunError::from(e),
            None => fault(e.strip_backtrace()),
        };
        let frame = query(session, &self.sql).await.map_err(failed)?;
        let parameters = vec![
            ("period_start", day(period.0)),
            ("period_end", day(period.1)),
        ];
        let frame = frame.with_param_values(parameters).map_err(failed)?;
        // A query without rows must have the columns too.
        counts::check(frame.schema().as_arrow()).map_err(fault)?;
        let batches = on_large_stack(frame.collect()).await.map_err(failed)?;
        let structure = self.structure();
        let Some(group) = structure.groups.first() else {
            return Err(RunError::Internal("a measure without a group".into()));
        };
        let rows = counts::rows(&batches).map_err(fault)?;
        let mut strata: Vec<(Arc<str>, Counts)> = vec![];
        let mut total = Counts::of(group);
        for row in rows {
            let mut counts = Counts::of(group);
            counts.unknown = row.not_evaluable;
            for (population, slot) in group.populations.iter().zip(&mut counts.populations) {
                slot.count = match population.code {
                    PopulationCode::InitialPopulation | PopulationCode::Denominator => {
                        row.denominator
                    }
                    PopulationCode::Numerator => row.numerator,
                    _ => 0,
                };
            }
            if let Some(at) = group.position(PopulationCode::Denominator)
                && let Some(slot) = at.get_mut(&mut counts.populations)
            {
                slot.unknown = row.not_evaluable;
            }
            if counts.unknown > 0 {
                let reason = (
                    Arc::from(PopulationCode::Denominator.as_str()),
                    row.reason.into(),
                );
                counts.reasons.insert(reason, counts.unknown);
            }
            let sum = |all: &mut u64, own: u64| {
                let sum = all.checked_add(own);
                *all = sum.ok_or_else(|| fault("the counts of all strata are too large".into()))?;
                Ok::<_, RunError>(())
            };
            sum(&mut total.unknown, counts.unknown)?;
            for (slot, own) in total.populations.iter_mut().zip(&counts.populations) {
                sum(&mut slot.count, own.count)?;
                sum(&mut slot.unknown, own.unknown)?;
            }
            for (reason, n) in &counts.reasons {
                sum(total.reasons.entry(reason.clone()).or_default(), *n)?;
            }
            strata.push((row.stratum.into(), counts));
        }
        let group = GroupResult {
            counts: total,
            strata: vec![strata],
            codings: vec![],
            strata_unknown: vec![0],
        };
        Ok(MeasureResult {
            structure: Arc::new(structure),
            patients: 0,
            groups: vec![group],
            supplemental: vec![],
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_measures_load() {
        if let Err(errors) = built_in() {
            panic!("{errors:?}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let errors = load("m.yaml", "id: a\ntitel: x\nimprovement: up\nsql: [1]\n").unwrap_err();
        let shown: Vec<String> = errors.iter().map(ToString::to_string).collect();
        let all = shown.join("\n");
        for part in [
            "did you mean `title`",
            "`version` is missing",
            "`unit` is missing",
            "`sql` must be a text",
            "`up` is no improvement",
            "m.yaml:2:1",
        ] {
            assert!(all.contains(part), "{part} in {all}");
        }
    }
}
