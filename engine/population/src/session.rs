//! A DataFusion session over a lake: its tables, and flat views of its resources.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::prelude::{SessionConfig, SessionContext, col};

use crate::evaluate::store_url;
use crate::lake::{Lake, schema};
use crate::table::LakeTable;
use crate::table_list::PATIENT_REFERENCES;
use crate::views::{ViewNotes, built_in, view_table};

/// What a query may take.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// Bytes in memory, of sorts, groups, joins and rows of views; operators that can write to disk do
    /// so as they come near their share, others fail. No limit where there is none.
    pub memory: Option<usize>,
    /// Where they write to; it must exist. The system's folder for temporary files where there is none.
    pub spill: Option<PathBuf>,
}

/// A session that reads the lake's files, without tables yet. `threads` partitions are worked on at
/// once.
pub fn session(lake: &Lake, threads: usize) -> Result<SessionContext> {
    session_within(lake, threads, &Limits::default())
}

/// [`session`] within limits.
pub fn session_within(lake: &Lake, threads: usize, limits: &Limits) -> Result<SessionContext> {
    let mut config = SessionConfig::new()
        .with_target_partitions(threads.max(1))
        .with_information_schema(true);
    // Texts stay `Utf8`, the type they were written with.
    config
        .options_mut()
        .execution
        .parquet
        .schema_force_view_types = false;
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(memory) = limits.memory {
        // Shares are even, so that one sort does not starve the next, and each can spill.
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(memory)));
        // What each merge of spilled rows sets aside: with many threads it must fit.
        let aside = config.options().execution.sort_spill_reservation_bytes;
        let share = memory / (4 * threads.max(1));
        config.options_mut().execution.sort_spill_reservation_bytes = aside.min(share);
    }
    if let Some(folder) = &limits.spill {
        let mode = DiskManagerMode::Directories(vec![folder.clone()]);
        runtime = runtime.with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode));
    }
    let context = SessionContext::new_with_config_rt(config, runtime.build_arc()?);
    context.register_object_store(store_url()?.as_ref(), Arc::clone(&lake.store));
    Ok(context)
}

/// Registers the lake's tables (`resources`, `facts`, `patients`, `shared`, `codes`; all rows of the
/// table of patients as [`PATIENT_REFERENCES`]) and the built-in views (`encounter_flat`, …). Gives what the views could not use of the resources: to be shown, once
/// a query has run, beside its answer.
pub fn register_tables(context: &SessionContext, lake: &Lake) -> Result<Arc<ViewNotes>> {
    let notes = Arc::new(ViewNotes::default());
    register_stored(context, lake)?;
    let views = built_in()
        .as_ref()
        .map_err(|e| DataFusionError::Internal(format!("a built-in view: {e:?}")))?;
    for view in views {
        context.register_table(view.name.as_str(), view_table(lake, view, &notes)?)?;
    }
    Ok(notes)
}

/// Registers the lake's tables alone, as [`register_tables`] does: for questions that need no view.
pub fn register_stored(context: &SessionContext, lake: &Lake) -> Result<()> {
    for name in schema::schemas().keys() {
        let table = Arc::new(LakeTable::new(lake, name));
        if name == schema::PATIENTS {
            context.register_table(PATIENT_REFERENCES, Arc::clone(&table) as _)?;
            context.register_table(name.as_str(), Arc::new(there(table)?))?;
            continue;
        }
        context.register_table(name.as_str(), table)?;
    }
    Ok(())
}

/// Patients of whom there is a resource.
fn there(all: Arc<LakeTable>) -> Result<ViewTable> {
    let all = LogicalPlanBuilder::scan(PATIENT_REFERENCES, provider_as_source(all), None)?;
    let plan = all.filter(col("rid").is_not_null())?.build()?;
    let sql = format!("SELECT * FROM {PATIENT_REFERENCES} WHERE rid IS NOT NULL");
    Ok(ViewTable::new(plan, Some(sql)))
}
