//! `--results`: what measure runs wrote, as tables of a session. Several runs stand in the same tables,
//! told apart by the column `run`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::options::ParquetReadOptions;
use datafusion::prelude::{DataFrame, Expr, ident, lit};
use engine_population::evaluate::result_schema;
use engine_population::table_list::TableDescription;
use measures_run::count_files::{COUNTS, SCORES, counts_schema, scores_schema};
use measures_run::gap_list;

use super::words;
use crate::failure::Failure;

/// The rows of a run.
const ROWS: &str = "results.parquet";

/// The tables of a run, and what they are.
pub const TABLES: [(&str, &str); 4] = [
    (
        "result_counts",
        "A row per run, measure, group and population, and per stratum (null: the whole): the count as reported",
    ),
    (
        "result_scores",
        "A row per run, measure and group, and per stratum (null: the whole): the score as reported",
    ),
    (
        "result_subjects",
        "A row per run, measure, population and patient: who counts in what; add up count",
    ),
    (
        "results",
        "All rows of runs, also members, strata and observations: never add up count over all of them",
    ),
];

/// Who counts in what, of the rows that count for the whole. Patients of whom nothing holds have no rows.
const SUBJECTS: &str = "\
SELECT run, measure, version, url, \"group\", population, \"index\", patient_id,
       coalesce(\"count\", 0) AS \"count\", outcome, unknown_reason
FROM results
WHERE basis_id IS NULL AND stratifier IS NULL AND population IN (
  'initial-population', 'denominator', 'denominator-exclusion', 'denominator-exception', 'numerator',
  'numerator-exclusion', 'measure-population', 'measure-population-exclusion')";

/// Files of one run.
pub struct RunFiles {
    /// What the column `run` says.
    name: String,
    /// As the user gave it.
    shown: String,
    rows: Option<PathBuf>,
    counts: Option<PathBuf>,
    scores: Option<PathBuf>,
}

impl RunFiles {
    fn of(text: &str) -> Result<RunFiles, String> {
        let (name, path) = named(text);
        let path = Path::new(path);
        let there = |path: PathBuf| path.is_file().then_some(path);
        let folder = match path.is_dir() {
            true => Some(path),
            // What a run writes stands together.
            false if path.file_name().is_some_and(|n| n == ROWS) => path.parent(),
            false => None,
        };
        let beside = |file: &str| folder.and_then(|folder| there(folder.join(file)));
        let rows = match path.is_dir() {
            true => beside(ROWS),
            false => there(path.to_owned()),
        };
        let counts = beside(COUNTS);
        // A run of measures in SQL alone has counts and no rows.
        if rows.is_none() && (counts.is_none() || !path.is_dir()) {
            let what = match (path.is_dir(), path.exists()) {
                (true, _) if path.join(gap_list::NAME).is_file() => {
                    "this is a folder of `tandem measure gaps`, which has no tables".to_owned()
                }
                (true, _) => format!("there is no {} in it", ROWS),
                (false, false) => "there is no such folder".to_owned(),
                (false, true) => "it is neither a folder nor a file".to_owned(),
            };
            return Err(format!(
                "--results {text}: {what}; `tandem measure run --out DIR` writes one with results"
            ));
        }
        let own = || {
            let whole = folder.unwrap_or(path);
            let whole = whole.canonicalize().unwrap_or_else(|_| whole.to_owned());
            let name = match folder {
                Some(_) => whole.file_name(),
                None => whole.file_stem(),
            };
            name.map_or_else(|| "run".into(), |n| n.to_string_lossy().into_owned())
        };
        Ok(RunFiles {
            name: name.map_or_else(own, str::to_owned),
            shown: text.to_owned(),
            rows,
            counts,
            scores: beside(SCORES),
        })
    }
}

/// `NAME=PATH`, unless the whole is a path itself.
fn named(text: &str) -> (Option<&str>, &str) {
    match text.split_once('=') {
        Some((name, path)) if !name.is_empty() && !path.is_empty() && !Path::new(text).exists() => {
            (Some(name), path)
        }
        _ => (None, text),
    }
}

/// The runs that are given, or all that is wrong with them.
pub fn runs(given: &[String]) -> Result<Vec<RunFiles>, Failure> {
    let (mut runs, mut wrong) = (vec![], vec![]);
    for text in given {
        match RunFiles::of(text) {
            Ok(run) => runs.push(run),
            Err(why) => wrong.push(why),
        }
    }
    let mut names: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for run in &runs {
        names.entry(&run.name).or_default().push(&run.shown);
    }
    for (name, of) in names.iter().filter(|(_, of)| of.len() > 1) {
        let (_, first) = named(of.first().copied().unwrap_or_default());
        wrong.push(format!(
            "--results: {} runs are called `{name}` ({}): give each a name of its own, as in --results before={first}",
            of.len(),
            of.join(", ")
        ));
    }
    match wrong.is_empty() {
        true => Ok(runs),
        false => Err(Failure::User(wrong.join("\n"))),
    }
}

/// Makes tables of the runs; gives what there is to list.
pub async fn register(
    context: &SessionContext,
    runs: &[RunFiles],
) -> Result<Vec<TableDescription>, Failure> {
    if runs.is_empty() {
        return Ok(vec![]);
    }
    let results = all(context, runs, &result_schema(), |run| run.rows.as_deref()).await?;
    add(context, "results", results)?;
    let subjects = context.sql(SUBJECTS).await.map_err(bug)?;
    add(context, "result_subjects", subjects)?;
    let mut listed = TABLES.to_vec();
    if missing(runs).is_none() {
        let counts = all(context, runs, &counts_schema(), |run| run.counts.as_deref()).await?;
        add(context, "result_counts", counts)?;
        let scores = all(context, runs, &scores_schema(), |run| run.scores.as_deref()).await?;
        add(context, "result_scores", scores)?;
    } else {
        listed.retain(|(name, _)| !["result_counts", "result_scores"].contains(name));
    }
    let listed = listed.into_iter();
    let listed = listed.map(|(name, words)| TableDescription::new("results", name, words));
    Ok(listed.collect())
}

/// A run without counts.
fn missing(runs: &[RunFiles]) -> Option<&RunFiles> {
    runs.iter()
        .find(|run| run.counts.is_none() || run.scores.is_none())
}

/// That a query asks for a table that is not there, and what helps.
pub fn table_missing(
    runs: &[RunFiles],
    error: &str,
    listed: &[TableDescription],
) -> Option<String> {
    let table = words::table_missing(error)?;
    let of_run = TABLES.iter().any(|(name, _)| *name == table);
    let help = match (of_run, missing(runs)) {
        (true, _) if runs.is_empty() => format!(
            "`{table}` is of a measure run: give its folder, as in --results out (`tandem measure run --out out` writes it)"
        ),
        (true, Some(run)) => format!(
            "`{table}` comes from {COUNTS} and {SCORES}, which do not stand beside the rows of --results {}: give the folder of the run, or run the measures again with --out; `results` and `result_subjects` are there",
            run.shown
        ),
        _ if table == "patients_all" => {
            "those whom others only refer to, too, are in `patient_references`".to_owned()
        }
        _ => {
            let names: Vec<&str> = listed.iter().map(|t| t.name.as_str()).collect();
            let near = words::near_tables(table, &names);
            let near = match near.as_slice() {
                [] => String::new(),
                near => format!("did you mean `{}`? ", near.join("`, `")),
            };
            format!("{near}`tandem sql \"SHOW TABLES\"` lists the tables and views")
        }
    };
    Some(format!("there is no table `{table}`\n{help}"))
}

fn add(context: &SessionContext, name: &str, frame: DataFrame) -> Result<(), Failure> {
    let added = context.register_table(name, frame.into_view());
    added.map(|_| ()).map_err(bug)
}

fn bug(e: DataFusionError) -> Failure {
    Failure::Internal(format!("tables of --results: {}", e.strip_backtrace()))
}

/// One file of all runs, with the column `run` before the others.
async fn all<'r>(
    context: &SessionContext,
    runs: &'r [RunFiles],
    schema: &SchemaRef,
    file: impl Fn(&'r RunFiles) -> Option<&'r Path>,
) -> Result<DataFrame, Failure> {
    let mut whole: Option<DataFrame> = None;
    for run in runs {
        let frame = match file(run) {
            Some(file) => read(context, run, file, schema).await?,
            None => {
                let none = RecordBatch::new_empty(SchemaRef::clone(schema));
                context.read_batch(none).map_err(bug)?
            }
        };
        let columns = schema.fields().iter().map(|field| ident(field.name()));
        let columns: Vec<Expr> = std::iter::once(lit(run.name.as_str()).alias("run"))
            .chain(columns)
            .collect();
        let frame = frame.select(columns).map_err(bug)?;
        whole = Some(match whole {
            None => frame,
            Some(before) => before.union(frame).map_err(bug)?,
        });
    }
    whole.ok_or_else(|| Failure::Internal("no runs".into()))
}

async fn read(
    context: &SessionContext,
    run: &RunFiles,
    file: &Path,
    schema: &SchemaRef,
) -> Result<DataFrame, Failure> {
    crate::staged::verify(file)?;
    let shown = &run.shown;
    let name = file.to_string_lossy();
    let options = ParquetReadOptions::default();
    let frame = context.read_parquet(&*name, options).await.map_err(|e| {
        let why = e.strip_backtrace();
        Failure::User(format!(
            "--results {shown}: not a Parquet file of results: {why}"
        ))
    })?;
    let columns = frame.schema();
    let lacks = schema.fields().iter().map(|field| field.name());
    let lacks: Vec<&str> = lacks
        .filter(|name| !columns.has_column_with_unqualified_name(name))
        .map(String::as_str)
        .collect();
    match lacks.is_empty() {
        true => Ok(frame),
        false => Err(Failure::User(format!(
            "--results {shown}: {name} is not of a measure run: it has no column {}",
            lacks.join(", ")
        ))),
    }
}
