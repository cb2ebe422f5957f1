//! The rows of a view from one file of the lake.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder,
    RecordBatch, StringBuilder,
};
use arrow::datatypes::SchemaRef;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchReceiverStreamBuilder;
use datafusion::physical_plan::streaming::PartitionStream;
use engine_fhirpath::views::{Storage, View, ViewValue};
use engine_patient::record::PatientRecord;
use object_store::ObjectStore;

use super::notes::ViewNotes;
use crate::lake::DataFile;
use crate::lake::reader::{fetch_raw, metadata, read_columns};

/// One file's share of a view.
#[derive(Debug)]
pub(super) struct ViewPartition {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) table: &'static str,
    pub(super) file: DataFile,
    pub(super) view: Arc<View>,
    pub(super) schema: SchemaRef,
    pub(super) notes: Arc<ViewNotes>,
}

/// Rows of a batch.
const BATCH: usize = 8192;

impl PartitionStream for ViewPartition {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let held = MemoryConsumer::new("rows of a view").register(context.memory_pool());
        let mut builder = RecordBatchReceiverStreamBuilder::new(Arc::clone(&self.schema), 2);
        let out = builder.tx();
        let (store, table, file) = (Arc::clone(&self.store), self.table, self.file.clone());
        let (view, schema) = (Arc::clone(&self.view), Arc::clone(&self.schema));
        let notes = Arc::clone(&self.notes);
        builder.spawn(async move {
            let partition = (table, &file, &*view);
            for batch in rows(&store, partition, &schema, &notes, &held).await? {
                let size = batch.get_array_memory_size();
                if out.send(Ok(batch)).await.is_err() {
                    return Ok(());
                }
                held.shrink(size);
            }
            Ok(())
        });
        builder.build()
    }
}

fn external(e: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(e))
}

async fn rows(
    store: &Arc<dyn ObjectStore>,
    (table, file, view): (&str, &DataFile, &View),
    schema: &SchemaRef,
    notes: &ViewNotes,
    held: &MemoryReservation,
) -> Result<Vec<RecordBatch>> {
    let mut rids: Vec<u32> = vec![];
    let mut row = 0u32;
    for batch in read_columns(store, table, file, &["resource_type"])
        .await
        .map_err(external)?
    {
        let types = batch
            .columns()
            .first()
            .and_then(|c| c.as_string_opt::<i32>());
        let types = types.ok_or_else(|| {
            DataFusionError::Internal("a table of resources has other columns".into())
        })?;
        for i in 0..types.len() {
            if types.value(i) == view.resource {
                rids.push(row);
            }
            row += 1;
        }
    }
    let mut builder = ViewBuilder::new(view);
    let (mut out, mut record, mut failed) = (vec![], PatientRecord::new(), None);
    let footer = metadata(store, table, file).await.map_err(external)?;
    let fetched = fetch_raw(store, table, file, footer, &rids, |_, text| {
        if failed.is_some() {
            return;
        }
        record.clear();
        let one = match record.push(text) {
            Ok(()) => record.resources().next().map_or(Ok(()), |resource| {
                let mut push = |values: &[ViewValue<'_>]| builder.push(values);
                view.rows(resource, &mut push, &mut |note| {
                    notes.add(view, resource, &note)
                })
                .map_err(external)
            }),
            Err(e) => Err(DataFusionError::Internal(format!(
                "a stored resource cannot be read: {e}"
            ))),
        };
        let one = one.and_then(|()| match builder.len >= BATCH {
            true => builder.finish(schema).and_then(|batch| {
                held.try_grow(batch.get_array_memory_size())?;
                out.push(batch);
                Ok(())
            }),
            false => Ok(()),
        });
        failed = one.err();
    });
    fetched.await.map_err(external)?;
    if let Some(error) = failed {
        return Err(error);
    }
    if builder.len > 0 {
        let batch = builder.finish(schema)?;
        held.try_grow(batch.get_array_memory_size())?;
        out.push(batch);
    }
    Ok(out)
}

/// A column as it grows.
enum Column {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Decimal(Float64Builder),
    Text(StringBuilder),
    Bools(ListBuilder<BooleanBuilder>),
    Ints(ListBuilder<Int64Builder>),
    Decimals(ListBuilder<Float64Builder>),
    Texts(ListBuilder<StringBuilder>),
}

fn bool_of(value: &ViewValue<'_>) -> Option<bool> {
    match value {
        ViewValue::Bool(b) => Some(*b),
        _ => None,
    }
}

fn int_of(value: &ViewValue<'_>) -> Option<i64> {
    match value {
        ViewValue::Int(i) => Some(*i),
        _ => None,
    }
}

fn decimal_of(value: &ViewValue<'_>) -> Option<f64> {
    match value {
        ViewValue::Decimal(text) => text.parse().ok(),
        #[expect(clippy::cast_precision_loss, reason = "a decimal column is a double")]
        ViewValue::Int(i) => Some(*i as f64),
        _ => None,
    }
}

fn text_of<'v>(value: &'v ViewValue<'_>) -> Option<&'v str> {
    match value {
        ViewValue::Str(text) | ViewValue::Decimal(text) => Some(text),
        _ => None,
    }
}

fn items<'v, 'r>(value: &'v ViewValue<'r>) -> Option<&'v [ViewValue<'r>]> {
    match value {
        ViewValue::List(items) => Some(items),
        _ => None,
    }
}

impl Column {
    fn push(&mut self, value: &ViewValue<'_>) {
        match self {
            Column::Bool(b) => b.append_option(bool_of(value)),
            Column::Int(b) => b.append_option(int_of(value)),
            Column::Decimal(b) => b.append_option(decimal_of(value)),
            Column::Text(b) => b.append_option(text_of(value)),
            Column::Bools(b) => {
                b.append_option(items(value).map(|v| v.iter().map(bool_of).collect::<Vec<_>>()))
            }
            Column::Ints(b) => {
                b.append_option(items(value).map(|v| v.iter().map(int_of).collect::<Vec<_>>()))
            }
            Column::Decimals(b) => {
                b.append_option(items(value).map(|v| v.iter().map(decimal_of).collect::<Vec<_>>()))
            }
            Column::Texts(b) => {
                b.append_option(items(value).map(|v| v.iter().map(text_of).collect::<Vec<_>>()))
            }
        }
    }

    fn finish(&mut self) -> ArrayRef {
        match self {
            Column::Bool(b) => Arc::new(b.finish()),
            Column::Int(b) => Arc::new(b.finish()),
            Column::Decimal(b) => Arc::new(b.finish()),
            Column::Text(b) => Arc::new(b.finish()),
            Column::Bools(b) => Arc::new(b.finish()),
            Column::Ints(b) => Arc::new(b.finish()),
            Column::Decimals(b) => Arc::new(b.finish()),
            Column::Texts(b) => Arc::new(b.finish()),
        }
    }
}

struct ViewBuilder {
    columns: Vec<Column>,
    len: usize,
}

impl ViewBuilder {
    fn new(view: &View) -> Self {
        let columns = view
            .columns
            .iter()
            .map(|c| match (c.ty.storage(), c.collection) {
                (Storage::Bool, false) => Column::Bool(BooleanBuilder::new()),
                (Storage::Int, false) => Column::Int(Int64Builder::new()),
                (Storage::Decimal, false) => Column::Decimal(Float64Builder::new()),
                (Storage::Text, false) => Column::Text(StringBuilder::new()),
                (Storage::Bool, true) => Column::Bools(ListBuilder::new(BooleanBuilder::new())),
                (Storage::Int, true) => Column::Ints(ListBuilder::new(Int64Builder::new())),
                (Storage::Decimal, true) => {
                    Column::Decimals(ListBuilder::new(Float64Builder::new()))
                }
                (Storage::Text, true) => Column::Texts(ListBuilder::new(StringBuilder::new())),
            });
        ViewBuilder {
            columns: columns.collect(),
            len: 0,
        }
    }

    fn push(&mut self, values: &[ViewValue<'_>]) {
        self.len += 1;
        for (column, value) in self.columns.iter_mut().zip(values) {
            column.push(value);
        }
    }

    fn finish(&mut self, schema: &SchemaRef) -> Result<RecordBatch> {
        self.len = 0;
        let columns = self.columns.iter_mut().map(Column::finish).collect();
        Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
    }
}
