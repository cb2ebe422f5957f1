//! A table of the lake for SQL. Which files it has, how large they are and how many rows is what the
//! snapshot's manifest says: no folder is listed, so that a file that is gone is an error and never
//! "no rows".

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::Statistics;
use datafusion::common::stats::Precision;
use datafusion::datasource::TableType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use futures::{FutureExt, StreamExt, TryStreamExt};

use crate::evaluate::store_url;
use crate::lake::{DataFile, Lake, LakeFiles, look, schema};

/// Files that are looked for at once.
const LOOKS_AT_ONCE: usize = 16;

/// One table at one snapshot.
#[derive(Debug)]
pub(crate) struct LakeTable {
    lake: Lake,
    name: String,
    schema: SchemaRef,
}

impl LakeTable {
    pub(crate) fn new(lake: &Lake, name: &str) -> Self {
        LakeTable {
            lake: lake.clone(),
            name: name.to_owned(),
            schema: schema::of(name),
        }
    }

    fn files(&self) -> &[DataFile] {
        self.lake.files(&self.name)
    }

    /// Rows are exact; what columns hold is told by the files, once they are open.
    fn counted<'f>(&self, files: impl IntoIterator<Item = &'f DataFile>) -> Statistics {
        let (mut rows, mut bytes) = (0u64, 0u64);
        for file in files {
            rows = rows.saturating_add(file.rows);
            bytes = bytes.saturating_add(file.size);
        }
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        Statistics {
            num_rows: Precision::Exact(count(rows)),
            total_byte_size: Precision::Inexact(count(bytes)),
            column_statistics: Statistics::unknown_column(&self.schema),
        }
    }

    /// Looks for every file, also for those that a query will not open: `count(*)` is answered by
    /// the manifest, and must not be where the rows are lost.
    async fn look(&self) -> Result<()> {
        let store = self.lake.store.as_ref();
        let mut looks = Vec::with_capacity(self.files().len());
        for file in self.files() {
            looks.push(look(store, &self.name, file).boxed());
        }
        futures::stream::iter(looks)
            .buffer_unordered(LOOKS_AT_ONCE)
            .try_collect::<()>()
            .await
            .map_err(|e| DataFusionError::External(Box::new(e)))
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.counted(self.files()))
    }

    /// By them row groups and pages are passed over; what is left is filtered by the query.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.look().await?;
        if self.files().is_empty() {
            let schema = match projection {
                Some(columns) => Arc::new(self.schema.project(columns)?),
                None => Arc::clone(&self.schema),
            };
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let parts = self.files().iter().map(|file| {
            PartitionedFile::new(format!("{}/{}", self.name, file.path), file.size)
                .with_statistics(Arc::new(self.counted([file])))
        });
        let groups =
            FileGroup::new(parts.collect()).split_files(state.config().target_partitions());
        let table = TableSchema::builder(Arc::clone(&self.schema)).build();
        let files = LakeFiles::new(&self.lake.store, &self.name, self.files());
        let source = ParquetSource::new(table).with_parquet_file_reader_factory(Arc::new(files));
        let config = FileScanConfigBuilder::new(store_url()?, Arc::new(source))
            .with_file_groups(groups)
            .with_statistics(self.counted(self.files()))
            .with_projection_indices(projection.cloned())?
            .with_limit(limit)
            .build();
        Ok(DataSourceExec::from_data_source(config))
    }
}
