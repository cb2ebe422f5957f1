//! Flat tables for SQL: SQL-on-FHIR ViewDefinitions, run over the lake when they are asked for.

mod notes;
mod stream;

use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::physical_plan::streaming::PartitionStream;
use engine_fhirpath::views::{Storage, View, ViewDefinition};
use engine_patient::finding::Finding;

use crate::lake::{Lake, schema};
pub use notes::{Unusable, ViewNotes};
use stream::ViewPartition;

/// The views that every lake has.
const BUILT_IN: &[&str] = &[
    include_str!("../../content/views/allergy_intolerance_flat.json"),
    include_str!("../../content/views/condition_flat.json"),
    include_str!("../../content/views/coverage_flat.json"),
    include_str!("../../content/views/diagnostic_report_flat.json"),
    include_str!("../../content/views/encounter_flat.json"),
    include_str!("../../content/views/immunization_flat.json"),
    include_str!("../../content/views/location_flat.json"),
    include_str!("../../content/views/medication_request_flat.json"),
    include_str!("../../content/views/observation_component_flat.json"),
    include_str!("../../content/views/observation_flat.json"),
    include_str!("../../content/views/organization_flat.json"),
    include_str!("../../content/views/patient_flat.json"),
    include_str!("../../content/views/practitioner_flat.json"),
    include_str!("../../content/views/procedure_flat.json"),
];

/// The built-in views, compiled; an error is our bug and is caught by a test.
pub fn built_in() -> &'static Result<Vec<Arc<View>>, Vec<Finding>> {
    static VIEWS: LazyLock<Result<Vec<Arc<View>>, Vec<Finding>>> = LazyLock::new(|| {
        let views = BUILT_IN
            .iter()
            .map(|text| ViewDefinition::from_json(text).map(Arc::new));
        views.collect()
    });
    &VIEWS
}

/// The Arrow schema of a view. Dates stay texts, with the precision they came with.
pub fn view_schema(view: &View) -> SchemaRef {
    let fields = view.columns.iter().map(|column| {
        let ty = match column.ty.storage() {
            Storage::Bool => DataType::Boolean,
            Storage::Int => DataType::Int64,
            Storage::Decimal => DataType::Float64,
            Storage::Text => DataType::Utf8,
        };
        let ty = match column.collection {
            true => DataType::List(Arc::new(Field::new_list_field(ty, true))),
            false => ty,
        };
        Field::new(&column.name, ty, true)
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A view over a lake: a partition a file. `notes` hears of values that it cannot use.
pub fn view_table(
    lake: &Lake,
    view: &Arc<View>,
    notes: &Arc<ViewNotes>,
) -> Result<Arc<dyn TableProvider>> {
    let schema = view_schema(view);
    let mut partitions: Vec<Arc<dyn PartitionStream>> = vec![];
    for table in [schema::SHARED, schema::RESOURCES] {
        for file in lake.files(table) {
            partitions.push(Arc::new(ViewPartition {
                store: Arc::clone(&lake.store),
                table,
                file: file.clone(),
                view: Arc::clone(view),
                schema: Arc::clone(&schema),
                notes: Arc::clone(notes),
            }));
        }
    }
    if partitions.is_empty() {
        return Ok(Arc::new(MemTable::try_new(schema, vec![vec![]])?));
    }
    Ok(Arc::new(StreamingTable::try_new(schema, partitions)?))
}

#[cfg(test)]
mod tests {

    #[test]
    fn the_built_in_views_are_without_fault() {
        match super::built_in() {
            Ok(views) => assert!(views.iter().all(|v| v.warnings.is_empty())),
            Err(errors) => panic!("{errors:?}"),
        }
    }
}
