//! Rows of a query over the lake as texts, one after another: the whole of them is never in memory.

use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use engine_population::lake::Lake;
use engine_population::session::{register_tables, session};
use futures::TryStreamExt;

use crate::error::RunError;

/// Is shown a row.
pub(crate) type VisitRow<'v, const N: usize> =
    dyn FnMut([&str; N]) -> Result<(), RunError> + Send + 'v;

/// Shows the rows of a query with `N` columns of text; null is the empty text. In no certain order but
/// that of the query.
pub(crate) async fn each_row<const N: usize>(
    lake: &Lake,
    threads: usize,
    sql: &str,
    visit: &mut VisitRow<'_, N>,
) -> Result<(), RunError> {
    let session = session(lake, threads)?;
    register_tables(&session, lake)?;
    let mut rows = session.sql(sql).await?.execute_stream().await?;
    while let Some(batch) = rows.try_next().await? {
        let other = || RunError::Internal("a table of the lake has other columns".into());
        let columns = batch.columns().iter();
        let columns: Vec<_> = columns
            .map(|column| arrow::compute::cast(column, &DataType::Utf8))
            .collect::<Result<_, _>>()
            .map_err(|_| other())?;
        let columns: Option<Vec<_>> = columns.iter().map(|c| c.as_string_opt::<i32>()).collect();
        let columns: [_; N] = columns.ok_or_else(other)?.try_into().map_err(|_| other())?;
        for row in 0..batch.num_rows() {
            let value = |column: &arrow::array::StringArray| match column.is_valid(row) {
                true => column.value(row).to_owned(),
                false => String::new(),
            };
            let values = columns.map(value);
            visit(values.each_ref().map(String::as_str))?;
        }
    }
    Ok(())
}
