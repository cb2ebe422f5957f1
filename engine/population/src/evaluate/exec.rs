//! The operator: from selected pages of `facts` to result rows.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, Int16Array, Int32Array, Int64Array, RecordBatch};
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{
    BaselineMetrics, Count, ExecutionPlanMetricsSet, MetricBuilder, MetricsSet, Time,
};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::PatientProgram;
use engine_patient::record::PatientRecord;
use engine_patient::requirements::{DataRequirement, Match};
use futures::StreamExt;
use tokio::sync::{OnceCell, Semaphore};

use super::bucket::{BucketFacts, evaluate_bucket};
use super::rows::result_schema;
use super::table::Plan;
use crate::lake::reader::{FactsKey, read_shared};
use crate::lake::{Lake, schema};

/// Evaluates programs on every patient of the lake. Its child scans `facts`.
#[derive(Debug)]
pub struct EvaluateExec {
    facts: Arc<dyn ExecutionPlan>,
    work: Arc<Work>,
    /// Pages of `facts` selected, of how many.
    pages: (usize, usize),
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

/// What all partitions share.
#[derive(Debug)]
pub(super) struct Work {
    pub(super) lake: Lake,
    pub(super) programs: Vec<Arc<dyn PatientProgram>>,
    pub(super) plan: Arc<Plan>,
    pub(super) context: EvaluationContext,
    /// Evaluate only the patient of this id.
    pub(super) only: Option<String>,
    /// See [`super::EvaluateTable::working`].
    _working: Arc<()>,
    /// Resources that belong to no patient, of the types that programs may need; read once.
    shared: OnceCell<Shared>,
    /// Partitions in memory at once.
    turns: Arc<Semaphore>,
}

/// Resources without a patient, by type and id.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) types: Vec<Name>,
    pub(super) resources: HashMap<(Name, String), String>,
}

impl Shared {
    /// How many each requirement asks for. A resource is parsed once, whatever asks for it.
    fn matches(&self, requirements: &[DataRequirement]) -> Result<Vec<usize>> {
        let mut of_type: HashMap<Name, Vec<(usize, &DataRequirement)>> = HashMap::new();
        for (index, requirement) in requirements.iter().enumerate() {
            let all = of_type.entry(requirement.resource_type).or_default();
            all.push((index, requirement));
        }
        let (mut record, mut counts) = (PatientRecord::new(), vec![0; requirements.len()]);
        for ((ty, _), text) in &self.resources {
            let asked = of_type.get(ty).map_or(&[][..], Vec::as_slice);
            let coded = asked.iter().any(|(_, r)| r.codes.is_some());
            record.clear();
            if coded {
                record.push(text).map_err(|e| {
                    DataFusionError::Internal(format!("a stored resource cannot be read: {e}"))
                })?;
            }
            let resource = record.resources().next();
            for (index, requirement) in asked {
                let found = match requirement.codes {
                    None => true,
                    Some(_) => resource.map(|r| requirement.matches(r)) == Some(Match::Yes),
                };
                if let Some(count) = counts.get_mut(*index) {
                    *count += usize::from(found);
                }
            }
        }
        Ok(counts)
    }
}

impl Work {
    /// The resources of the lake that belong to no patient; nothing where no program asks for any.
    /// Whoever reads them counts what they match: `facts` has no rows of them.
    pub(super) async fn shared(&self, metrics: &EvaluateMetrics) -> Result<&Shared> {
        let read = async {
            let requirements = self.plan.requirements.iter();
            let mut types: Vec<Name> = requirements
                .filter_map(DataRequirement::shared_type)
                .collect();
            types.sort_unstable();
            types.dedup();
            if types.is_empty() {
                return Ok(Shared::default());
            }
            let files = self.lake.files(schema::SHARED);
            let read = read_shared(&self.lake.store, files, &types).await;
            let resources = read.map_err(|e| DataFusionError::External(Box::new(e)))?;
            let shared = Shared { types, resources };
            let counts = shared.matches(&self.plan.requirements)?;
            for (hits, count) in metrics.hits.iter().zip(counts) {
                hits.add(count);
            }
            Ok(shared)
        };
        self.shared.get_or_try_init(|| read).await
    }
}

/// Where the time goes, and what was read.
#[derive(Clone)]
pub(super) struct EvaluateMetrics {
    pub(super) facts_time: Time,
    pub(super) fetch_time: Time,
    pub(super) parse_time: Time,
    pub(super) evaluate_time: Time,
    pub(super) patients: Count,
    /// Patients of whom a program was spared the evaluation: a decisive requirement has no match.
    pub(super) skipped: Count,
    pub(super) resources: Count,
    pub(super) pages: Count,
    pub(super) pages_total: Count,
    pub(super) bytes: Count,
    pub(super) failed: Count,
    pub(super) baseline: BaselineMetrics,
    /// Per requirement: what matches, of whatever patient or of none.
    hits: Vec<Count>,
}

/// How the metric of a requirement's hits is called.
pub(super) const HITS: &str = "matches of ";

impl EvaluateMetrics {
    fn new(set: &ExecutionPlanMetricsSet, partition: usize, plan: &Plan) -> Self {
        let count = |name: &'static str| MetricBuilder::new(set).counter(name, partition);
        let time = |name: &'static str| MetricBuilder::new(set).subset_time(name, partition);
        EvaluateMetrics {
            facts_time: time("facts_time"),
            fetch_time: time("fetch_time"),
            parse_time: time("parse_time"),
            evaluate_time: time("evaluate_time"),
            patients: count("patients"),
            skipped: count("program_patients_skipped"),
            resources: count("resources_fetched"),
            pages: count("raw_pages_decompressed"),
            pages_total: count("raw_pages_total"),
            bytes: count("raw_bytes_compressed"),
            failed: count("evaluations_failed"),
            baseline: BaselineMetrics::new(set, partition),
            hits: plan
                .requirements
                .iter()
                .map(|r| MetricBuilder::new(set).counter(format!("{HITS}{r}"), partition))
                .collect(),
        }
    }
}

impl EvaluateExec {
    #[expect(
        clippy::too_many_arguments,
        reason = "all that the planner hands over, once"
    )]
    pub(super) fn new(
        facts: Arc<dyn ExecutionPlan>,
        lake: Lake,
        programs: Vec<Arc<dyn PatientProgram>>,
        plan: Arc<Plan>,
        context: EvaluationContext,
        (only, working): (Option<String>, Arc<()>),
        pages: (usize, usize),
        parallel: usize,
    ) -> Self {
        let turns = Arc::new(Semaphore::new(parallel.max(1)));
        let work = Work {
            lake,
            programs,
            plan,
            context,
            only,
            _working: working,
            turns,
            shared: OnceCell::new(),
        };
        Self::over(facts, Arc::new(work), pages)
    }

    /// Partitioning is always taken from the child: a distributed run rebuilds this node over fewer.
    fn over(facts: Arc<dyn ExecutionPlan>, work: Arc<Work>, pages: (usize, usize)) -> Self {
        let partitions = facts.output_partitioning().partition_count();
        let properties = PlanProperties::new(
            EquivalenceProperties::new(result_schema()),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let metrics = ExecutionPlanMetricsSet::new();
        EvaluateExec {
            facts,
            work,
            pages,
            properties: Arc::new(properties),
            metrics,
        }
    }

    fn rebuilt(&self, mut children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        match (children.pop(), children.is_empty()) {
            (Some(facts), true) => Ok(Arc::new(Self::over(
                facts,
                Arc::clone(&self.work),
                self.pages,
            ))),
            _ => Err(DataFusionError::Internal(
                "EvaluateExec has one child".into(),
            )),
        }
    }
}

impl DisplayAs for EvaluateExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        let names = self
            .work
            .programs
            .iter()
            .flat_map(|p| p.artifacts())
            .map(|a| format!("{}|{}", a.id, a.version));
        let wanted = self.work.plan.requirements.iter().map(ToString::to_string);
        write!(
            f,
            "EvaluateExec: programs=[{}], requirements=[{}], facts_pages={}/{}",
            names.collect::<Vec<_>>().join(", "),
            wanted.collect::<Vec<_>>().join("; "),
            self.pages.0,
            self.pages.1,
        )
    }
}

impl ExecutionPlan for EvaluateExec {
    fn name(&self) -> &str {
        "EvaluateExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.facts]
    }

    /// Repartitioning below would tear patients apart.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.rebuilt(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.rebuilt(children)
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let metrics = EvaluateMetrics::new(&self.metrics, partition, &self.work.plan);
        let facts = Arc::clone(&self.facts);
        let work = Arc::clone(&self.work);
        let mut builder = RecordBatchReceiverStreamBuilder::new(result_schema(), 2);
        let out = builder.tx();
        builder.spawn(async move {
            // One turn a core: a bucket's resources are in memory while it lasts.
            let turn = Arc::clone(&work.turns).acquire_owned().await;
            let _turn = turn.map_err(|e| DataFusionError::Execution(e.to_string()))?;
            let buckets = read_facts(&facts, partition, context, &work, &metrics).await?;
            let mut rows = super::rows::RowsBuilder::default();
            for (bucket, facts) in buckets {
                if !evaluate_bucket(&work, bucket, facts, &metrics, &mut rows, &out).await? {
                    return Ok(());
                }
            }
            Ok(())
        });
        Ok(builder.build())
    }
}

/// Reads the partition's selected pages and keeps the rows that are asked for, by bucket. All
/// buckets of the partition's file are there, also those without a match: their patients count.
async fn read_facts(
    facts: &Arc<dyn ExecutionPlan>,
    partition: usize,
    context: Arc<TaskContext>,
    work: &Work,
    metrics: &EvaluateMetrics,
) -> Result<std::collections::BTreeMap<u32, BucketFacts>> {
    let timer = metrics.facts_time.timer();
    let mut stream = facts.execute(partition, context)?;
    let mut buckets = std::collections::BTreeMap::<u32, BucketFacts>::new();
    let patient = Name::of("Patient").map(FactsKey::of_type);
    // Rows are sorted by type, path and key: what a run of them answers is looked up once.
    let mut run: Option<(i16, i16, i64)> = None;
    let mut answers: Vec<usize> = vec![];
    let mut is_patient = false;
    while let Some(batch) = stream.next().await {
        let batch = batch?;
        let columns = FactsColumns::of(&batch)?;
        for row in 0..batch.num_rows() {
            let key = (
                columns.rtype.value(row),
                columns.path.value(row),
                columns.key.value(row),
            );
            if run != Some(key) {
                run = Some(key);
                let keys = work.plan.keys.iter().enumerate();
                answers.clear();
                answers.extend(
                    keys.filter(|(_, k)| k.matches(key.0, key.1, key.2))
                        .map(|(i, _)| i),
                );
                is_patient = patient
                    .as_ref()
                    .is_some_and(|p| p.matches(key.0, key.1, key.2));
            }
            if answers.is_empty() && !is_patient {
                continue;
            }
            let number = |v: i32| u32::try_from(v).unwrap_or(0);
            let bucket = buckets
                .entry(number(columns.bucket.value(row)))
                .or_default();
            let (pat, rid) = (
                number(columns.pat.value(row)),
                number(columns.rid.value(row)),
            );
            for hits in answers.iter().filter_map(|a| metrics.hits.get(*a)) {
                hits.add(1);
            }
            bucket.add(pat, rid, &answers, is_patient);
        }
    }
    timer.done();
    Ok(buckets)
}

struct FactsColumns<'b> {
    rtype: &'b Int16Array,
    path: &'b Int16Array,
    key: &'b Int64Array,
    bucket: &'b Int32Array,
    pat: &'b Int32Array,
    rid: &'b Int32Array,
}

impl<'b> FactsColumns<'b> {
    fn of(batch: &'b RecordBatch) -> Result<Self> {
        fn typed<T: Array + 'static>(batch: &RecordBatch, column: usize) -> Result<&T> {
            let found = batch
                .columns()
                .get(column)
                .and_then(|c| c.as_any().downcast_ref::<T>());
            found.ok_or_else(|| {
                DataFusionError::Internal("the table `facts` has other columns".into())
            })
        }
        Ok(FactsColumns {
            rtype: typed(batch, 0)?,
            path: typed(batch, 1)?,
            key: typed(batch, 2)?,
            bucket: typed(batch, 3)?,
            pat: typed(batch, 4)?,
            rid: typed(batch, 5)?,
        })
    }
}
