//! Running programs over a lake as measures.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::DataType;
use datafusion::physical_plan::{ExecutionPlan, displayable, execute_stream};
use datafusion::prelude::{ParquetReadOptions, SessionContext, col};
use engine_patient::context::EvaluationContext;
use engine_patient::program::PatientProgram;
use engine_population::evaluate::{EvaluateTable, HITS};
use engine_population::lake::Lake;
use engine_population::session::session;
use futures::TryStreamExt;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::MeasureError;
use crate::result::{Counts, Improvement, MeasureResult};

/// A program to run as a measure.
pub struct ProgramMeasure {
    /// What is evaluated.
    pub program: Arc<dyn PatientProgram>,
    /// Which way is better.
    pub improvement: Improvement,
}

/// What a run measured of itself.
#[derive(Clone, Debug, Default)]
pub struct RunStatistics {
    /// Wall time of evaluation and sorting.
    pub wall: Duration,
    /// EXPLAIN, before the run.
    pub plan: String,
    /// Metrics of the operator, summed over partitions: name, value as text.
    pub metrics: Vec<(String, String)>,
    /// Data requirements that nothing in the lake matches.
    pub unmatched: Vec<String>,
}

/// Evaluates programs over the lake; writes every result row, sorted, to `rows_file`.
pub async fn run_programs(
    lake: &Lake,
    measures: &[ProgramMeasure],
    context: &EvaluationContext,
    threads: usize,
    rows_file: &Path,
) -> Result<(Vec<MeasureResult>, RunStatistics), MeasureError> {
    let started = std::time::Instant::now();
    let session = session(lake, threads)?;
    let programs: Vec<_> = measures.iter().map(|m| Arc::clone(&m.program)).collect();
    let table = EvaluateTable::new(lake.clone(), programs, context.clone());
    session.register_table("results", Arc::new(table))?;
    let statistics = write_rows(&session, rows_file).await?;
    let statistics = RunStatistics {
        wall: started.elapsed(),
        ..statistics
    };
    let results = aggregate(rows_file, measures, threads).await?;
    Ok((results, statistics))
}

/// Sorted, so that the same inputs give the same bytes whatever the threads.
async fn write_rows(
    session: &SessionContext,
    rows_file: &Path,
) -> Result<RunStatistics, MeasureError> {
    let order = ["measure", "patient_id", "group", "population", "basis_id"];
    let order = order
        .iter()
        .map(|c| col(format!("\"{c}\"")).sort(true, true))
        .collect();
    let frame = session.table("results").await?.sort(order)?;
    let plan = frame.create_physical_plan().await?;
    let text = displayable(plan.as_ref()).indent(true).to_string();
    let stream = execute_stream(Arc::clone(&plan), session.task_ctx())?;
    let zstd = ZstdLevel::try_new(1).map_or(Compression::SNAPPY, Compression::ZSTD);
    let properties = WriterProperties::builder()
        .set_compression(zstd)
        .set_created_by("tandem".into())
        .build();
    let file = std::fs::File::create(rows_file)?;
    let mut writer = ArrowWriter::try_new(
        file,
        engine_population::evaluate::result_schema(),
        Some(properties),
    )?;
    futures::pin_mut!(stream);
    while let Some(batch) = stream.try_next().await? {
        writer.write(&batch)?;
    }
    writer.close()?;
    let (hits, metrics): (Vec<_>, Vec<_>) = metrics_of(plan.as_ref())
        .into_iter()
        .partition(|(name, _)| name.starts_with(HITS));
    let unmatched = hits.iter().filter(|(_, n)| n == "0");
    let unmatched = unmatched.filter_map(|(name, _)| name.strip_prefix(HITS).map(str::to_owned));
    let mut unmatched: Vec<String> = unmatched.collect();
    unmatched.sort();
    Ok(RunStatistics {
        wall: Duration::ZERO,
        plan: text,
        metrics,
        unmatched,
    })
}

fn metrics_of(plan: &dyn ExecutionPlan) -> Vec<(String, String)> {
    if plan.name() == "EvaluateExec" {
        let Some(metrics) = plan.metrics() else {
            return vec![];
        };
        let summed = metrics.aggregate_by_name();
        return summed
            .iter()
            .map(|m| (m.value().name().to_owned(), m.value().to_string()))
            .collect();
    }
    plan.children()
        .into_iter()
        .flat_map(|c| metrics_of(c.as_ref()))
        .collect()
}

const COUNTS: &str = "
  SELECT cast(measure AS VARCHAR), cast(population AS VARCHAR), cast(outcome AS VARCHAR), count(*) AS n
  FROM rows GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
const UNKNOWN: &str = "
  SELECT cast(measure AS VARCHAR), count(DISTINCT patient_id) AS n
  FROM rows WHERE outcome = 'unknown' GROUP BY 1 ORDER BY 1";
const REASONS: &str = "
  SELECT cast(measure AS VARCHAR), cast(population AS VARCHAR), coalesce(cast(unknown_reason AS VARCHAR), ''), count(*) AS n
  FROM rows WHERE outcome = 'unknown' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3";
/// Eligible, not excluded, and the numerator is unknown.
const OPEN: &str = "
  SELECT cast(n.measure AS VARCHAR), count(*) AS n
  FROM rows n
  JOIN rows d ON d.measure = n.measure AND d.patient_id = n.patient_id AND d.population = 'denominator' AND d.outcome = 'true'
  JOIN rows x ON x.measure = n.measure AND x.patient_id = n.patient_id AND x.population = 'denominator-exclusion' AND x.outcome <> 'true'
  WHERE n.population = 'numerator' AND n.outcome = 'unknown' GROUP BY 1 ORDER BY 1";

/// The counts of each measure, from the result rows.
async fn aggregate(
    rows_file: &Path,
    measures: &[ProgramMeasure],
    threads: usize,
) -> Result<Vec<MeasureResult>, MeasureError> {
    let config = datafusion::prelude::SessionConfig::new().with_target_partitions(threads.max(1));
    let session = SessionContext::new_with_config(config);
    let path = rows_file.to_string_lossy();
    session
        .register_parquet("rows", path.as_ref(), ParquetReadOptions::default())
        .await?;
    let (counts, unknown) = (
        table(&session, COUNTS).await?,
        table(&session, UNKNOWN).await?,
    );
    let (reasons, open) = (
        table(&session, REASONS).await?,
        table(&session, OPEN).await?,
    );
    let results = measures.iter().map(|measure| {
        let artifact = measure.program.artifact().clone();
        let id = artifact.id.as_ref();
        let of = |rows: &[(Vec<String>, u64)], words: &[&str]| -> u64 {
            let same = |row: &&(Vec<String>, u64)| {
                row.0
                    .iter()
                    .map(String::as_str)
                    .eq([id].into_iter().chain(words.iter().copied()))
            };
            rows.iter().filter(same).map(|r| r.1).sum()
        };
        let own = reasons
            .iter()
            .filter(|(words, _)| words.first().is_some_and(|m| m == id));
        let own = own.filter_map(|(words, n)| match words.as_slice() {
            [_, population, reason] => Some(((population.clone(), reason.clone()), *n)),
            _ => None,
        });
        MeasureResult {
            improvement: measure.improvement,
            basis: "patients",
            counts: Counts {
                eligible: of(&counts, &["denominator", "true"]),
                excluded: of(&counts, &["denominator-exclusion", "true"]),
                satisfied: of(&counts, &["numerator", "true"]),
                unknown: of(&unknown, &[]),
                unknown_satisfied: of(&open, &[]),
                reasons: own.collect(),
            },
            strata: None,
            artifact,
        }
    });
    Ok(results.collect())
}

/// Rows of texts and, last, a number.
async fn table(
    session: &SessionContext,
    sql: &str,
) -> Result<Vec<(Vec<String>, u64)>, MeasureError> {
    let batches = session.sql(sql).await?.collect().await?;
    let mut out = vec![];
    for batch in batches {
        let Some((numbers, words)) = batch.columns().split_last() else {
            continue;
        };
        let numbers = numbers.as_any().downcast_ref::<Int64Array>();
        let numbers =
            numbers.ok_or_else(|| MeasureError::Internal("a count of another type".into()))?;
        let words = words
            .iter()
            .map(texts)
            .collect::<Result<Vec<ArrayRef>, _>>()?;
        for row in 0..batch.num_rows() {
            let words = words
                .iter()
                .filter_map(|w| w.as_string_opt::<i32>())
                .map(|w| w.value(row).to_owned());
            out.push((
                words.collect(),
                u64::try_from(numbers.value(row)).unwrap_or(0),
            ));
        }
    }
    Ok(out)
}

fn texts(column: &ArrayRef) -> Result<ArrayRef, MeasureError> {
    let cast = arrow::compute::cast(column, &DataType::Utf8);
    cast.map_err(|e| MeasureError::Internal(format!("a column of another type: {e}")))
}
