//! A DataFusion session over a lake: its tables, and flat views of its resources.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::datasource::MemTable;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{
    ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl,
};
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::evaluate::store_url;
use crate::lake::{Lake, schema};
use crate::views::{ViewNotes, built_in, view_table};

/// A session that reads the lake's files, without tables yet. `threads` partitions are worked on at
/// once.
pub fn session(lake: &Lake, threads: usize) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads.max(1))
        .with_information_schema(true);
    // Texts stay `Utf8`, the type they were written with.
    config
        .options_mut()
        .execution
        .parquet
        .schema_force_view_types = false;
    let context = SessionContext::new_with_config(config);
    context.register_object_store(store_url()?.as_ref(), Arc::clone(&lake.store));
    Ok(context)
}

/// Registers the lake's tables (`resources`, `facts`, `patients`, `shared`, `codes`) and the built-in
/// views (`encounter_flat`, …). Gives what the views could not use of the resources: to be shown, once
/// a query has run, beside its answer.
pub fn register_tables(context: &SessionContext, lake: &Lake) -> Result<Arc<ViewNotes>> {
    let notes = Arc::new(ViewNotes::default());
    for (name, schema) in schema::schemas() {
        let urls = lake
            .files(name)
            .iter()
            .map(|f| ListingTableUrl::parse(format!("tandem://lake/{name}/{}", f.path)));
        let urls = urls.collect::<Result<Vec<_>>>()?;
        register_files(context, name, urls, schema)?;
    }
    let views = built_in()
        .as_ref()
        .map_err(|e| DataFusionError::Internal(format!("a built-in view: {e:?}")))?;
    for view in views {
        context.register_table(view.name.as_str(), view_table(lake, view, &notes)?)?;
    }
    Ok(notes)
}

fn register_files(
    context: &SessionContext,
    name: &str,
    urls: Vec<ListingTableUrl>,
    schema: &SchemaRef,
) -> Result<()> {
    if urls.is_empty() {
        let empty = MemTable::try_new(Arc::clone(schema), vec![vec![]])?;
        context.register_table(name, Arc::new(empty))?;
        return Ok(());
    }
    let options =
        ListingOptions::new(Arc::new(ParquetFormat::default())).with_file_extension(".parquet");
    let config = ListingTableConfig::new_with_multi_paths(urls)
        .with_listing_options(options)
        .with_schema(Arc::clone(schema));
    context.register_table(name, Arc::new(ListingTable::try_new(config)?))?;
    Ok(())
}
