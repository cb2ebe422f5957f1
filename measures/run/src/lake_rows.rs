//! Rows of a query over the lake as texts, made something of on all threads and handed over one after
//! another: the whole of them is never in memory.

use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::DataType;
use datafusion::common::runtime::JoinSet;
use datafusion::physical_plan::execute_stream_partitioned;
use datafusion::prelude::DataFrame;
use futures::channel::mpsc;
use futures::{SinkExt, StreamExt, TryStreamExt};

use crate::error::RunError;

/// Makes something of each row of a query with `N` columns of text (null is the empty text), in the
/// partitions of the query at once; `take` is given what there is, in no certain order.
pub(crate) async fn each_row<const N: usize, T: Send + 'static>(
    query: DataFrame,
    make: impl Fn([&str; N]) -> Result<Option<T>, RunError> + Send + Sync + 'static,
    take: &mut (dyn FnMut(T) + Send),
) -> Result<(), RunError> {
    let context = Arc::new(query.task_ctx());
    let plan = query.create_physical_plan().await?;
    let partitions = execute_stream_partitioned(plan, context)?;
    let make = Arc::new(make);
    // As many batches wait as are worked on.
    let (sender, mut made) = mpsc::channel(partitions.len());
    let mut working = JoinSet::new();
    for mut batches in partitions {
        let (mut sender, make) = (sender.clone(), Arc::clone(&make));
        working.spawn(async move {
            while let Some(batch) = batches.try_next().await? {
                let all = of_batch(&batch, make.as_ref())?;
                // Nobody waits any more where something else failed.
                if sender.send(all).await.is_err() {
                    break;
                }
            }
            Ok::<(), RunError>(())
        });
    }
    drop(sender);
    while let Some(all) = made.next().await {
        all.into_iter().for_each(&mut *take);
    }
    while let Some(done) = working.join_next().await {
        done.map_err(|_| RunError::Internal("a thread that read the lake ended".into()))??;
    }
    Ok(())
}

fn of_batch<const N: usize, T>(
    batch: &RecordBatch,
    make: &impl Fn([&str; N]) -> Result<Option<T>, RunError>,
) -> Result<Vec<T>, RunError> {
    let other = || RunError::Internal("a table of the lake has other columns".into());
    let columns = batch.columns().iter();
    let columns: Vec<_> = columns
        .map(|column| arrow::compute::cast(column, &DataType::Utf8))
        .collect::<Result<_, _>>()
        .map_err(|_| other())?;
    let columns: Option<Vec<_>> = columns.iter().map(|c| c.as_string_opt::<i32>()).collect();
    let columns: [_; N] = columns.ok_or_else(other)?.try_into().map_err(|_| other())?;
    let mut all = vec![];
    for row in 0..batch.num_rows() {
        let value = |column| {
            let column: &arrow::array::StringArray = column;
            match column.is_valid(row) {
                true => column.value(row),
                false => "",
            }
        };
        all.extend(make(columns.map(value))?);
    }
    Ok(all)
}
