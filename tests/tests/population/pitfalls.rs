//! Silent wrong answers that were seen before (`design.md` §6). Each test fails without its cure.

use std::sync::Arc;

use arrow::array::{Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::physical_plan::{
    ExecutionPlan, ExecutionPlanProperties, Partitioning, displayable,
};
use datafusion::prelude::{SessionConfig, SessionContext};
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_population::evaluate::{EvaluateStatistics, EvaluateTable, store_url};
use engine_population::lake::{Lake, schema};
use futures::TryStreamExt;

use crate::fixture::{PATIENTS, care_gaps, context, fixture, id_of};

async fn lake() -> Lake {
    Lake::open(&fixture().lake, None).await.unwrap()
}

fn programs() -> Vec<Arc<dyn PatientProgram>> {
    // Few, so that what they read is a part of the lake.
    let few = [
        "hba1c-control",
        "colorectal-cancer-screening",
        "blood-pressure-control",
    ];
    let mut all = care_gaps();
    all.retain(|program| few.contains(&&*program.artifacts()[0].id));
    all
}

async fn with_results(config: SessionConfig, pin: bool) -> SessionContext {
    let lake = lake().await;
    let context_of = SessionContext::new_with_config(config);
    context_of.register_object_store(store_url().unwrap().as_ref(), Arc::clone(&lake.store));
    let mut table = EvaluateTable::new(lake, programs(), context());
    table.pin_partitions = pin;
    context_of
        .register_table("results", Arc::new(table))
        .unwrap();
    context_of
}

async fn count(context: &SessionContext, sql: &str) -> i64 {
    let batches = context.sql(sql).await.unwrap().collect().await.unwrap();
    batches[0]
        .column(0)
        .as_any()
        .downcast_ref::<Int64Array>()
        .unwrap()
        .value(0)
}

fn leaf(plan: &Arc<dyn ExecutionPlan>) -> Arc<dyn ExecutionPlan> {
    match plan.children().first() {
        Some(child) => leaf(child),
        None => Arc::clone(plan),
    }
}

/// Work stealing hands a partition the files of another, unless the scan declares its
/// partitioning. Every partition must give exactly the rows selected of its own file.
#[test]
fn a_partition_reads_its_own_file_and_no_other() {
    fixture();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let read = |pin: bool| {
        runtime.block_on(async {
            let context = with_results(SessionConfig::new().with_target_partitions(4), pin).await;
            let plan = context
                .table("results")
                .await
                .unwrap()
                .create_physical_plan()
                .await
                .unwrap();
            let scan = leaf(&plan);
            let partitions = scan.output_partitioning().partition_count();
            let mut tasks = vec![];
            for partition in 0..partitions {
                // The first partition is slow to be asked: with stealing, others take its file.
                let (scan, task) = (Arc::clone(&scan), context.task_ctx());
                tasks.push(tokio::spawn(async move {
                    if partition == 0 {
                        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
                    }
                    let batches: Vec<RecordBatch> = scan
                        .execute(partition, task)
                        .unwrap()
                        .try_collect()
                        .await
                        .unwrap();
                    let mut buckets: Vec<i32> = vec![];
                    for batch in batches {
                        let column = batch
                            .column(3)
                            .as_any()
                            .downcast_ref::<arrow::array::Int32Array>()
                            .unwrap()
                            .clone();
                        buckets.extend(column.values().iter());
                    }
                    buckets.sort_unstable();
                    buckets.dedup();
                    buckets
                }));
            }
            let mut out = vec![];
            for task in tasks {
                out.push(task.await.unwrap());
            }
            out
        })
    };
    let expected: Vec<Vec<i32>> = runtime.block_on(async {
        let lake = lake().await;
        let files = lake.files(schema::FACTS).iter();
        files
            .map(|f| f.buckets.iter().map(|b| *b as i32).collect())
            .collect()
    });
    assert!(expected.len() > 1);
    assert_eq!(read(true), expected);
    // The test sees the pitfall: without the declaration the files wander.
    assert_ne!(
        read(false),
        expected,
        "DataFusion no longer steals work: the cure may go"
    );
}

/// … and the answer does not depend on the number of partitions, or on where a file is read.
#[test]
fn every_patient_counts_once_whatever_the_partitions() {
    fixture();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .unwrap();
    let sql = "SELECT count(DISTINCT patient_id) FROM results";
    let rows = "SELECT count(*) FROM results";
    for (partitions, pin) in [(1, true), (3, true), (16, true), (2, false), (16, false)] {
        let (patients, rows) = runtime.block_on(async {
            let context =
                with_results(SessionConfig::new().with_target_partitions(partitions), pin).await;
            (count(&context, sql).await, count(&context, rows).await)
        });
        assert_eq!(
            (patients, rows),
            (PATIENTS as i64, PATIENTS as i64 * 12),
            "{partitions} partitions, pinned: {pin}"
        );
    }
}

/// Declaring `Partitioning::Hash` lets joins skip their shuffle and lose rows.
#[test]
fn a_partitioned_join_keeps_every_patient() {
    fixture();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let joined = runtime.block_on(async {
        let config = SessionConfig::new()
            .with_target_partitions(4)
            .set_usize(
                "datafusion.optimizer.hash_join_single_partition_threshold",
                0,
            )
            .set_usize(
                "datafusion.optimizer.hash_join_single_partition_threshold_rows",
                0,
            );
        let context = with_results(config, true).await;
        let schema = Arc::new(Schema::new(vec![Field::new(
            "patient_id",
            DataType::Utf8,
            false,
        )]));
        let ids = StringArray::from_iter_values((0..PATIENTS).map(id_of));
        let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(ids)]).unwrap();
        let other = MemTable::try_new(schema, vec![vec![batch]]).unwrap();
        context.register_table("other", Arc::new(other)).unwrap();
        let plan = context
            .table("results")
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap();
        assert!(matches!(
            plan.output_partitioning(),
            Partitioning::UnknownPartitioning(_)
        ));
        count(
            &context,
            "SELECT count(*) FROM results JOIN other USING (patient_id)",
        )
        .await
    });
    assert_eq!(joined, PATIENTS as i64 * 12);
}

/// EXPLAIN names the programs and what they need; only pages that can match are read.
#[test]
fn the_plan_shows_requirements_and_only_matching_pages_are_read() {
    fixture();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let context = with_results(SessionConfig::new().with_target_partitions(2), true).await;
        let plan = context
            .table("results")
            .await
            .unwrap()
            .create_physical_plan()
            .await
            .unwrap();
        let text = displayable(plan.as_ref()).indent(false).to_string();
        assert!(
            text.contains("EvaluateExec: programs=[") && text.contains("hba1c-control|"),
            "{text}"
        );
        assert!(
            text.contains("Condition: code in https://tandem-cds.dev/ValueSet/diabetes"),
            "{text}"
        );
        let stream =
            datafusion::physical_plan::execute_stream(Arc::clone(&plan), context.task_ctx())
                .unwrap();
        let _: Vec<RecordBatch> = stream.try_collect().await.unwrap();
        let exec = find(&plan, "EvaluateExec");
        let metrics = exec.metrics().unwrap().aggregate_by_name();
        let value = |name: &str| {
            let found = metrics.iter().find(|m| m.value().name() == name);
            found
                .unwrap_or_else(|| panic!("no metric {name}"))
                .value()
                .as_usize()
        };
        let (read, total) = (value("raw_pages_decompressed"), value("raw_pages_total"));
        println!(
            "raw pages {read} of {total}, patients {}, resources {}",
            value("patients"),
            value("resources_fetched")
        );
        assert!(read > 0 && read * 2 < total, "{read} of {total} pages");
        assert_eq!(value("patients"), PATIENTS as usize);
        // As numbers: 5,000 is shown as `5.00 K`.
        let counted = EvaluateStatistics::of(plan.as_ref());
        assert_eq!(counted.patients, PATIENTS);
        assert_eq!(counted.resources, value("resources_fetched") as u64);
        assert!(
            counted.hits.iter().any(|(_, n)| *n > 1000),
            "{:?}",
            counted.hits
        );
        for name in ["facts_time", "fetch_time", "parse_time", "evaluate_time"] {
            assert!(value(name) > 0, "{name}");
        }
    });
}

fn find(plan: &Arc<dyn ExecutionPlan>, name: &str) -> Arc<dyn ExecutionPlan> {
    if plan.name() == name {
        return Arc::clone(plan);
    }
    find(plan.children().first().unwrap(), name)
}

/// Fails for every patient whose id ends in 7.
#[derive(Debug)]
struct Failing(Artifact);

impl PatientProgram for Failing {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.0)
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &[]
    }

    fn absent(&self, _: usize, _: RowOptions, out: &mut Vec<ResultRow>) {
        out.push(ResultRow::of_population(
            PopulationCode::InitialPopulation,
            0,
            Truth::False,
        ));
    }

    fn evaluate(
        &self,
        record: &PatientRecord,
        _: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let out = &mut out.rows;
        // What was written before the failure must not stay.
        out.push(ResultRow::of_population(
            PopulationCode::InitialPopulation,
            0,
            Truth::True,
        ));
        let id = record.patient().and_then(|p| p.get_str("id")).unwrap();
        match id.ends_with('7') {
            true => Err(EvaluationError::Budget("the budget is used up".into())),
            false => Ok(()),
        }
    }
}

/// One patient whose evaluation fails has a row that says so; all others have theirs.
#[tokio::test]
async fn a_patient_whose_evaluation_fails_does_not_end_the_run() {
    let lake = lake().await;
    let context_of = SessionContext::new();
    context_of.register_object_store(store_url().unwrap().as_ref(), Arc::clone(&lake.store));
    let artifact = Artifact {
        id: "failing".into(),
        url: "failing".into(),
        version: "1".into(),
        title: "failing".into(),
    };
    let programs: Vec<Arc<dyn PatientProgram>> = vec![Arc::new(Failing(artifact))];
    let table = EvaluateTable::new(lake, programs, context());
    context_of
        .register_table("results", Arc::new(table))
        .unwrap();
    let all = |what: &str| format!("SELECT count(*) FROM results WHERE {what}");
    let failed = "outcome = 'unknown' AND count IS NULL AND unknown_reason = 'the evaluation failed: the budget is used up'";
    let fails = count(&context_of, &all("patient_id LIKE '%7'")).await;
    assert!(fails > 0);
    assert_eq!(count(&context_of, &all(failed)).await, fails);
    let rest = count(&context_of, &all("outcome = 'true'")).await;
    assert_eq!(count(&context_of, &all("true")).await, rest + fails);
}
