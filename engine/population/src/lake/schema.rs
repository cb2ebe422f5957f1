//! The lake's tables. Types are those that Delta and every Parquet reader know.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// The retrieve index: a row per resource and coding, and one per resource with `path` 0. Sorted by
/// (`rtype`, `path`, `code_key`, `bucket`, `pat`, `start`).
pub const FACTS: &str = "facts";
/// A row per resource of a patient: its JSON with references resolved, and in `restore` what gives it
/// back as it came ([`engine_patient::bundle::restored`]). Sorted by (type, first code, patient,
/// start, id); the row number within the file is `facts.rid`.
pub const RESOURCES: &str = "resources";
/// A row per patient of a bucket, also of patients that only others refer to (`rid` is null).
pub const PATIENTS: &str = "patients";
/// Resources without a patient.
pub const SHARED: &str = "shared";
/// What each code key stands for.
pub const CODES: &str = "codes";

fn schema(fields: &[(&str, DataType, bool)]) -> SchemaRef {
    let fields = fields
        .iter()
        .map(|(name, ty, nullable)| Field::new(*name, ty.clone(), *nullable));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

static SCHEMAS: LazyLock<BTreeMap<String, SchemaRef>> = LazyLock::new(|| {
    use DataType::{Boolean, Int16, Int32, Int64, Utf8};
    let updated = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let tables = [
        (
            FACTS,
            schema(&[
                ("rtype", Int16, false),
                ("path", Int16, false),
                ("code_key", Int64, false),
                ("bucket", Int32, false),
                ("pat", Int32, false),
                ("rid", Int32, false),
                ("start_ms", Int64, true),
                ("end_ms", Int64, true),
            ]),
        ),
        (
            RESOURCES,
            schema(&[
                ("bucket", Int32, false),
                ("pat", Int32, false),
                ("patient_id", Utf8, false),
                ("resource_type", Utf8, false),
                ("id", Utf8, false),
                ("version_id", Utf8, true),
                ("last_updated", updated.clone(), true),
                ("raw", Utf8, false),
                ("restore", Utf8, true),
            ]),
        ),
        (
            PATIENTS,
            schema(&[
                ("bucket", Int32, false),
                ("pat", Int32, false),
                ("patient_id", Utf8, false),
                ("rid", Int32, true),
                ("birth_date", Utf8, true),
                ("gender", Utf8, true),
                ("deceased", Boolean, true),
                ("managing_organization", Utf8, true),
                ("general_practitioner", Utf8, true),
                ("resources", Int32, false),
                ("content_hash", Int64, false),
            ]),
        ),
        (
            SHARED,
            schema(&[
                ("resource_type", Utf8, false),
                ("id", Utf8, false),
                ("version_id", Utf8, true),
                ("last_updated", updated, true),
                ("raw", Utf8, false),
                ("restore", Utf8, true),
            ]),
        ),
        (
            CODES,
            schema(&[
                ("code_key", Int64, false),
                ("system", Utf8, false),
                ("code", Utf8, false),
                ("display", Utf8, true),
            ]),
        ),
    ];
    tables
        .into_iter()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
});

/// The schemas by table name.
pub fn schemas() -> &'static BTreeMap<String, SchemaRef> {
    &SCHEMAS
}

/// The schema of one of this module's tables.
pub fn of(table: &str) -> SchemaRef {
    SCHEMAS
        .get(table)
        .cloned()
        .unwrap_or_else(|| Arc::new(Schema::empty()))
}
