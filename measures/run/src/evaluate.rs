//! Running programs over a lake as measures.

use std::path::Path;
use std::sync::Arc;

use arrow::compute::kernels::coalesce::BatchCoalescer;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{displayable, execute_stream};
use datafusion::prelude::{SessionConfig, SessionContext, col};
use engine_patient::context::EvaluationContext;
use engine_patient::program::{Artifact, PatientProgram, RowOptions};
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable, GivenUp, store_url};
use engine_population::lake::Lake;
use engine_population::session::session;
use futures::TryStreamExt;
use measures::package::Basis;
use measures::result::{Improvement, MeasureResult};
use measures::structure::MeasureStructure;
use measures::totals::Totals;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use crate::error::RunError;
use crate::rows::{BatchGatherer, ORDER};

/// A program to run, and the measures that its rows are of.
pub struct ProgramMeasure {
    /// What is evaluated.
    pub program: Arc<dyn PatientProgram>,
    /// One per artifact of the program.
    pub structures: Vec<Arc<MeasureStructure>>,
}

impl ProgramMeasure {
    /// A care gap: a proportion of patients.
    pub fn care_gap(program: Arc<dyn PatientProgram>, improvement: Improvement) -> Self {
        let artifact = program
            .artifacts()
            .first()
            .cloned()
            .unwrap_or_else(|| Artifact {
                id: "".into(),
                url: "".into(),
                version: "".into(),
                title: "".into(),
            });
        let structure = MeasureStructure::simple(artifact, improvement, Basis::Boolean);
        ProgramMeasure {
            program,
            structures: vec![Arc::new(structure)],
        }
    }
}

/// What a run measured of itself.
#[derive(Clone, Debug, Default)]
pub struct RunStatistics {
    /// EXPLAIN, before the run.
    pub plan: String,
    /// What the operator counted.
    pub evaluate: EvaluateStatistics,
    /// Patients that the pass was over.
    pub patients: u64,
    /// Measures that used up what a run may spend on them, and why: everything about them is unknown.
    pub given_up: Vec<(Artifact, Arc<str>)>,
}

/// What is evaluated, on whom, and where the rows go.
#[derive(Clone, Copy)]
pub struct Pass<'p> {
    /// The data.
    pub lake: &'p Lake,
    /// What is evaluated.
    pub measures: &'p [ProgramMeasure],
    /// The moment, zone and period.
    pub context: &'p EvaluationContext,
    /// Which rows.
    pub rows: RowOptions,
    /// Only the patient of this id.
    pub subject: Option<&'p str>,
    /// Threads to work with.
    pub threads: usize,
    /// The file of the rows, in Parquet.
    pub file: &'p Path,
}

/// Evaluates programs over the lake, or one patient of it; writes every result row, sorted, to the file.
pub async fn run_programs(
    pass: &Pass<'_>,
) -> Result<(Vec<MeasureResult>, RunStatistics), RunError> {
    run_sorted(pass, SORTED_AT_ONCE).await
}

/// As [`run_programs`]; rows of more patients times measures than `at_once` are sorted in bounded memory.
/// The bytes are the same.
pub async fn run_sorted(
    pass: &Pass<'_>,
    at_once: u64,
) -> Result<(Vec<MeasureResult>, RunStatistics), RunError> {
    let measures = pass.measures.iter();
    let programs: Vec<_> = measures.clone().map(|m| Arc::clone(&m.program)).collect();
    let structures: Vec<_> = measures.flat_map(|m| m.structures.clone()).collect();
    let mut given_up = GivenUp::default();
    let mut bounded = None;
    loop {
        let mut table =
            EvaluateTable::new(pass.lake.clone(), programs.clone(), pass.context.clone());
        table.rows = pass.rows;
        table.given_up = given_up.clone();
        if let Some(subject) = pass.subject {
            table = table.of_patients([subject]);
        }
        let patients = table.patients();
        let many = patients.saturating_mul(structures.len() as u64) > at_once;
        let in_bounds = *bounded.get_or_insert(many);
        let session = match in_bounds {
            true => sorting(pass.lake, pass.threads, pass.file)?,
            false => session(pass.lake, pass.threads)?,
        };
        session.register_table("results", Arc::new(table))?;
        let mut statistics = RunStatistics::default();
        let done = write_rows(&session, pass.file, &structures, &mut statistics).await;
        let full = |e: &RunError| matches!(e, RunError::Internal(t) if t.starts_with(EXHAUSTED));
        let again = in_bounds && done.as_ref().is_err_and(full);
        bounded = Some(in_bounds && !again);
        // Each time round at least one measure is given up for good.
        if given_up.give_up(&programs, patients, &statistics.evaluate.spent) || again {
            continue;
        }
        let mut results = done?;
        // Patients of whom nothing holds may have no rows.
        for result in &mut results {
            result.patients = statistics.evaluate.patients;
        }
        statistics.patients = patients;
        let list = given_up.list(&programs);
        let list = list.map(|(artifact, why)| (artifact.clone(), Arc::clone(why)));
        statistics.given_up = list.collect();
        return Ok((results, statistics));
    }
}

/// Memory in which rows are sorted; what is more goes to files beside the result rows until they are
/// merged. A million patients have tens of millions of rows.
const SORTED: usize = 256 << 20;

/// Patients and measures whose rows are sorted at once, on all threads, as long as they are so few: that
/// takes less than a gigabyte, and half the time.
const SORTED_AT_ONCE: u64 = 600_000;

/// How DataFusion says that rows too large to be merged in [`SORTED`] have come: then all memory is used.
const EXHAUSTED: &str = "Resources exhausted";

/// A session whose one sort is over all partitions: its memory does not grow with their number.
fn sorting(lake: &Lake, threads: usize, rows_file: &Path) -> Result<SessionContext, RunError> {
    let mut config = SessionConfig::new().with_target_partitions(threads.max(1));
    config.options_mut().optimizer.repartition_sorts = false;
    // Half holds rows, half is for merging them: the keys of all of them at once.
    config.options_mut().execution.sort_spill_reservation_bytes = SORTED / 2;
    let mut runtime =
        RuntimeEnvBuilder::new().with_memory_pool(Arc::new(GreedyMemoryPool::new(SORTED)));
    if let Some(folder) = rows_file.parent() {
        runtime = runtime.with_temp_file_path(folder);
    }
    let context = SessionContext::new_with_config_rt(config, Arc::new(runtime.build()?));
    context.register_object_store(store_url()?.as_ref(), Arc::clone(&lake.store));
    Ok(context)
}

/// Sorted, so that the same inputs give the same bytes whatever the threads; counted on the way. The
/// statistics are there also where it fails.
async fn write_rows(
    session: &SessionContext,
    rows_file: &Path,
    structures: &[Arc<MeasureStructure>],
    statistics: &mut RunStatistics,
) -> Result<Vec<MeasureResult>, RunError> {
    let order = ORDER
        .iter()
        .map(|c| col(format!("\"{c}\"")).sort(true, true))
        .collect();
    let frame = session.table("results").await?.sort(order)?;
    let plan = frame.create_physical_plan().await?;
    statistics.plan = displayable(plan.as_ref()).indent(true).to_string();
    let stream = execute_stream(Arc::clone(&plan), session.task_ctx())?;
    let written = write_stream(stream, rows_file, structures).await;
    statistics.evaluate = EvaluateStatistics::of(plan.as_ref());
    written
}

/// How the Parquet files of a run are written.
pub(crate) fn rows_properties() -> WriterProperties {
    let zstd = ZstdLevel::try_new(1).map_or(Compression::SNAPPY, Compression::ZSTD);
    WriterProperties::builder()
        .set_compression(zstd)
        .set_created_by("tandem".into())
        .build()
}

/// Rows that are written at once.
const WRITTEN_AT_ONCE: usize = 8192;

async fn write_stream(
    stream: SendableRecordBatchStream,
    rows_file: &Path,
    structures: &[Arc<MeasureStructure>],
) -> Result<Vec<MeasureResult>, RunError> {
    #[allow(clippy::disallowed_types, reason = "rows go through a file")]
    let file = std::fs::File::create(rows_file)?;
    let mut writer = ArrowWriter::try_new(
        file,
        engine_population::evaluate::result_schema(),
        Some(rows_properties()),
    )?;
    let mut even = BatchCoalescer::new(
        engine_population::evaluate::result_schema(),
        WRITTEN_AT_ONCE,
    );
    futures::pin_mut!(stream);
    let mut totals = Totals::new(structures);
    let mut gatherer = BatchGatherer::new(structures);
    while let Some(batch) = stream.try_next().await? {
        gatherer.push(&batch, &mut |subject| totals.add(subject))?;
        // Pages end where what is written at once ends: it must not depend on how rows were sorted.
        even.push_batch(batch).map_err(DataFusionError::from)?;
        while let Some(batch) = even.next_completed_batch() {
            writer.write(&batch)?;
        }
    }
    even.finish_buffered_batch()
        .map_err(DataFusionError::from)?;
    while let Some(batch) = even.next_completed_batch() {
        writer.write(&batch)?;
    }
    gatherer.finish(&mut |subject| totals.add(subject));
    writer.close()?;
    Ok(totals.finish())
}
