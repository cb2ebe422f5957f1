//! How the operator works beside others: rows come as they fill batches, the thread is given away, and
//! nothing is computed for a stream that was dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::{SessionConfig, SessionContext};
use engine_patient::program::{
    Artifact, EvaluationError, EvaluationResult, PatientProgram, PopulationCode, ResultRow,
    RowOptions, Wanted,
};
use engine_patient::record::PatientRecord;
use engine_patient::requirements::DataRequirement;
use engine_patient::system::truth::Truth;
use engine_population::evaluate::{EvaluateTable, store_url};
use futures::StreamExt;

use crate::fixture::{context, fixture, open};

/// Takes a while for each patient, and counts them.
#[derive(Debug)]
struct Slow {
    artifact: Artifact,
    evaluated: AtomicUsize,
    /// Patients that get a row, the first ones.
    rows: usize,
    /// For each patient.
    time: Duration,
}

impl Slow {
    fn new(rows: usize, micros: u64) -> Arc<Slow> {
        let text = |t: &str| Arc::<str>::from(t);
        Arc::new(Slow {
            artifact: Artifact {
                id: text("slow"),
                url: text("https://example.org/slow"),
                version: text("1"),
                title: text("Slow"),
            },
            evaluated: AtomicUsize::new(0),
            rows,
            time: Duration::from_micros(micros),
        })
    }

    fn evaluated(&self) -> usize {
        self.evaluated.load(Ordering::SeqCst)
    }
}

impl PatientProgram for Slow {
    fn artifacts(&self) -> &[Artifact] {
        std::slice::from_ref(&self.artifact)
    }

    fn data_requirements(&self) -> &[DataRequirement] {
        &[]
    }

    fn absent(&self, _: usize, _: RowOptions, _: &mut Vec<ResultRow>) {}

    fn evaluate(
        &self,
        _: &PatientRecord,
        _: &Wanted<'_>,
        out: &mut EvaluationResult,
    ) -> Result<(), EvaluationError> {
        let out = &mut out.rows;
        let until = Instant::now() + self.time;
        while Instant::now() < until {
            std::hint::spin_loop();
        }
        if self.evaluated.fetch_add(1, Ordering::SeqCst) < self.rows {
            out.push(ResultRow::of_population(
                PopulationCode::InitialPopulation,
                0,
                Truth::True,
            ));
        }
        Ok(())
    }
}

/// The plan over the fixture, batches of so many rows.
async fn plan(program: &Arc<Slow>, batch: usize) -> (Arc<dyn ExecutionPlan>, Arc<TaskContext>) {
    let lake = open_here().await;
    let config = SessionConfig::new().with_target_partitions(2);
    let session = SessionContext::new_with_config(config.with_batch_size(batch));
    session.register_object_store(store_url().unwrap().as_ref(), Arc::clone(&lake.store));
    let programs = vec![Arc::clone(program) as Arc<dyn PatientProgram>];
    let table = EvaluateTable::new(lake, programs, context());
    session.register_table("results", Arc::new(table)).unwrap();
    let frame = session.table("results").await.unwrap();
    let plan = frame.create_physical_plan().await.unwrap();
    (plan, session.task_ctx())
}

async fn open_here() -> engine_population::lake::Lake {
    let lake = tokio::task::spawn_blocking(|| {
        fixture();
        std::thread::spawn(open).join().unwrap()
    });
    lake.await.unwrap()
}

/// The rows of the first partition.
async fn first(program: &Arc<Slow>, batch: usize) -> SendableRecordBatchStream {
    let (plan, task) = plan(program, batch).await;
    plan.execute(0, task).unwrap()
}

/// Patients of a bucket of the fixture, at the least: 5,000 in 16 buckets.
const BUCKET: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_batch_comes_before_the_bucket_ends() {
    let program = Slow::new(usize::MAX, 100);
    let mut stream = first(&program, 16).await;
    let batch = stream.next().await.unwrap().unwrap();
    assert_eq!(batch.num_rows(), 16);
    // One is taken, two wait in the channel, one waits to get in, one is being filled.
    let evaluated = program.evaluated();
    assert!((16..=16 * 5).contains(&evaluated), "{evaluated}");
    assert!(evaluated < BUCKET);
    let mut rest = 0;
    while let Some(batch) = stream.next().await {
        rest += batch.unwrap().num_rows();
    }
    assert_eq!(16 + rest, program.evaluated());
    assert!(rest > BUCKET);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_dropped_ends_the_evaluation() {
    // One row only: what stops it is not that nobody takes more.
    let program = Slow::new(1, 3000);
    let mut stream = first(&program, 1).await;
    stream.next().await.unwrap().unwrap();
    drop(stream);
    ended(&program).await;
}

/// Nothing is evaluated any more, and the bucket was not finished first.
async fn ended(program: &Slow) {
    tokio::time::sleep(Duration::from_millis(100)).await;
    let at = program.evaluated();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(program.evaluated(), at);
    assert!(at < BUCKET, "{at} were evaluated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_task_that_is_cancelled_ends_the_evaluation() {
    let program = Slow::new(0, 3000);
    let mut stream = first(&program, 8192).await;
    let task = tokio::spawn(async move { while stream.next().await.is_some() {} });
    while program.evaluated() < 20 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    ended(&program).await;
}

/// On one thread others get their turns while patients are evaluated.
#[tokio::test(flavor = "current_thread")]
async fn other_tasks_have_the_thread_in_between() {
    let program = Slow::new(0, 300);
    let mut stream = first(&program, 8192).await;
    let counted = Arc::clone(&program);
    // The most patients that were evaluated between two turns of another task.
    let other = tokio::spawn(async move {
        let (mut most, mut last, mut turns) = (0, 0, 0);
        while last < BUCKET {
            tokio::task::yield_now().await;
            let now = counted.evaluated();
            most = most.max(now - last);
            turns += usize::from(now > last);
            last = now;
        }
        (most, turns)
    });
    while let Some(batch) = stream.next().await {
        batch.unwrap();
    }
    let (most, turns) = other.await.unwrap();
    assert!(most <= 10 && turns >= 20, "{most} at once, {turns} turns");
}
