//! The operator: from selected pages of `facts` to result rows.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, EmissionType, ReplaceChildrenOptions,
};
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, Partitioning,
    PlanProperties,
};

use super::bucket::evaluate_bucket;
use super::facts::read_facts;
use super::metrics::EvaluateMetrics;
use super::output::Output;
use super::rows::result_schema;
use super::work::Work;

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

impl EvaluateExec {
    /// Partitioning is always taken from the child: a distributed run rebuilds this node over fewer.
    pub(super) fn new(
        facts: Arc<dyn ExecutionPlan>,
        work: Arc<Work>,
        pages: (usize, usize),
    ) -> Self {
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
            (Some(facts), true) => Ok(Arc::new(Self::new(
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
        let metrics = {
            let artifacts = 0..self.work.plan.artifacts.len();
            let counted = artifacts.map(|a| self.work.budgets.counts(a));
            EvaluateMetrics::new(&self.metrics, partition, self.work.counted(), counted)
        };
        let set = self.metrics.clone();
        let facts = Arc::clone(&self.facts);
        let work = Arc::clone(&self.work);
        let mut builder = RecordBatchReceiverStreamBuilder::new(result_schema(), 2);
        let batch = context.session_config().batch_size();
        let mut out = Output::new(batch, builder.tx());
        builder.spawn(async move {
            // One turn a core: a bucket's resources are in memory while it lasts.
            let turn = Arc::clone(&work.turns).acquire_owned().await;
            let _turn = turn.map_err(|e| DataFusionError::Execution(e.to_string()))?;
            let buckets = read_facts(&facts, partition, context, &work, &metrics).await?;
            for (bucket, facts) in buckets {
                if !evaluate_bucket(&work, bucket, facts, &metrics, &mut out).await? {
                    return Ok(());
                }
            }
            metrics.note(&set, &out.notes);
            Ok(())
        });
        Ok(builder.build())
    }
}
