//! The table of result rows: planning pins the files and selects the pages.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::parquet::ParquetRowSelection;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::Expr;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::projection::ProjectionExec;
use datafusion::physical_plan::{ExecutionPlan, Partitioning};
use engine_patient::context::EvaluationContext;
use engine_patient::fhir::names::Name;
use engine_patient::program::{PatientProgram, RowOptions};
use engine_patient::systems::CodedElement;
use tokio::sync::{OnceCell, Semaphore};

use super::budget::{Budgets, GivenUp};
use super::exec::EvaluateExec;
use super::plan::Plan;
use super::rows::result_schema;
use super::subjects::Subjects;
use super::work::Work;
use crate::lake::reader::{FactsKey, Selection, metadata, select_facts};
use crate::lake::systems::{CodeSystems, code_systems};
use crate::lake::{Lake, LakeFiles, schema};

/// Programs over a lake at one snapshot.
#[derive(Debug, Clone)]
pub struct EvaluateTable {
    lake: Lake,
    programs: Vec<Arc<dyn PatientProgram>>,
    context: EvaluationContext,
    subjects: Option<Subjects>,
    /// Which rows are wanted.
    pub rows: RowOptions,
    /// What is not evaluated any more.
    pub given_up: GivenUp,
    /// Keep one partition one file. `false` only to show what happens without (see the tests).
    pub pin_partitions: bool,
}

/// The store of a lake within a DataFusion session.
pub fn store_url() -> Result<ObjectStoreUrl> {
    ObjectStoreUrl::parse("tandem://lake")
}

impl EvaluateTable {
    /// The lake's store must be registered in the session, see [`crate::session::session`].
    pub fn new(
        lake: Lake,
        programs: Vec<Arc<dyn PatientProgram>>,
        context: EvaluationContext,
    ) -> Self {
        EvaluateTable {
            lake,
            programs,
            context,
            subjects: None,
            rows: RowOptions::default(),
            given_up: GivenUp::default(),
            pin_partitions: true,
        }
    }

    /// Evaluates these patients only, by id or as `Patient/ID`; of `facts`, `patients` and `resources`
    /// no file is opened that does not hold their buckets. One that the lake does not have gives no rows.
    pub fn of_patients<'i>(mut self, ids: impl IntoIterator<Item = &'i str>) -> Self {
        self.subjects = Some(Subjects::of(&self.lake, ids));
        self
    }

    /// How many patients are evaluated.
    pub fn patients(&self) -> u64 {
        let all = || self.lake.rows(schema::PATIENTS);
        self.subjects.as_ref().map_or_else(all, Subjects::count)
    }

    /// The code systems of the elements that the programs go by; `None` where they go by none.
    async fn systems(&self) -> Result<Option<CodeSystems>> {
        let elements = self.programs.iter().flat_map(|p| p.coded_elements());
        let mut elements: Vec<CodedElement> = elements.copied().collect();
        elements.sort_unstable();
        elements.dedup();
        if elements.is_empty() {
            return Ok(None);
        }
        let found = code_systems(&self.lake, &elements).await;
        found
            .map(Some)
            .map_err(|e| DataFusionError::External(Box::new(e)))
    }

    /// The scan of `facts`: one partition a file, only pages that can match.
    async fn facts(&self, plan: &Plan) -> Result<(Arc<dyn ExecutionPlan>, usize, usize)> {
        let external = |e| DataFusionError::External(Box::new(e));
        let (mut groups, mut pages, mut selected) = (vec![], 0, 0);
        // The Patient itself is always needed.
        let mut keys = plan.keys.clone();
        keys.extend(Name::of("Patient").map(FactsKey::of_type));
        keys.extend(plan.asked_systems.iter().map(|(_, key)| key.clone()));
        let subjects = self.subjects.as_ref();
        let files = self.lake.files(schema::FACTS).iter();
        let files = files.filter(|f| subjects.is_none_or(|s| s.may_be_in(f)));
        for file in files {
            let footer = metadata(&self.lake.store, schema::FACTS, file)
                .await
                .map_err(external)?;
            let selection: Selection =
                select_facts(footer.metadata(), &keys, subjects.map(Subjects::buckets))
                    .map_err(external)?;
            pages += selection.pages;
            selected += selection.selected;
            let path = format!("{}/{}", schema::FACTS, file.path);
            let part = PartitionedFile::new(path, file.size);
            let part = part.with_extension(ParquetRowSelection::new(selection.rows));
            groups.push(FileGroup::new(vec![part]));
        }
        if groups.is_empty() {
            // Without a patient there is still a plan.
            groups.push(FileGroup::new(vec![]));
        }
        let files = self.lake.files(schema::FACTS);
        let files = LakeFiles::new(&self.lake.store, schema::FACTS, files);
        let source = ParquetSource::new(TableSchema::builder(schema::of(schema::FACTS)).build())
            .with_parquet_file_reader_factory(Arc::new(files));
        let partitions = groups.len();
        // When it was is asked for where only some moments count.
        let columns = match plan.within {
            None => (0..6).collect(),
            Some(_) => (0..8).collect(),
        };
        let config = FileScanConfigBuilder::new(store_url()?, Arc::new(source))
            .with_file_groups(groups)
            .with_projection_indices(Some(columns))?
            // Without a declaration DataFusion splits files by bytes and lets partitions steal
            // files from each other; `Unknown` promises nothing false.
            .with_output_partitioning(
                self.pin_partitions
                    .then_some(Partitioning::UnknownPartitioning(partitions)),
            )
            .build();
        Ok((DataSourceExec::from_data_source(config), pages, selected))
    }
}

#[async_trait]
impl TableProvider for EvaluateTable {
    fn schema(&self) -> SchemaRef {
        result_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let systems = self.systems().await?;
        let used = systems.as_ref().map(|s| &s.used);
        let plan = Plan::new(&self.programs, used, self.rows);
        let (facts, pages, selected) = self.facts(&plan).await?;
        let parallel = state.config().target_partitions().max(1);
        let work = Work {
            lake: self.lake.clone(),
            programs: self.programs.clone(),
            plan: Arc::new(plan),
            context: self.context.clone(),
            systems: systems.unwrap_or_default(),
            subjects: self.subjects.clone(),
            rows: self.rows,
            given_up: self.given_up.clone(),
            budgets: Budgets::new(&self.programs, self.patients()),
            shared: OnceCell::new(),
            turns: Arc::new(Semaphore::new(parallel)),
        };
        let exec = EvaluateExec::new(facts, Arc::new(work), (selected, pages));
        let exec: Arc<dyn ExecutionPlan> = Arc::new(exec);
        let Some(projection) = projection else {
            return Ok(exec);
        };
        let schema = exec.schema();
        let columns = projection.iter().map(|i| {
            let name = schema.field(*i).name().clone();
            (
                Arc::new(Column::new(&name, *i)) as Arc<dyn PhysicalExpr>,
                name,
            )
        });
        Ok(Arc::new(ProjectionExec::try_new(
            columns.collect::<Vec<_>>(),
            exec,
        )?))
    }
}
