//! What the tables of a session are, for people: the answer to `SHOW TABLES`.

use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::datasource::MemTable;
use datafusion::error::{DataFusionError, Result};
use datafusion::prelude::SessionContext;

use crate::lake::schema;
use crate::views::built_in;

/// The table of all tables.
pub const TABLES: &str = "tables";

/// The lake's table of patients as SQL calls it: those of whom there is a Patient resource, and those
/// whom others only refer to. `patients` are the first alone: who counts patients means people.
pub const PATIENT_REFERENCES: &str = "patient_references";

/// A table, and what it is.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TableDescription {
    /// As queries call it.
    pub name: String,
    /// `table`, `view`, `results`
    pub kind: &'static str,
    /// What a row is, and what to look out for.
    pub description: String,
}

impl TableDescription {
    /// Of a table with these words.
    pub fn new(kind: &'static str, name: &str, description: &str) -> Self {
        TableDescription {
            name: name.to_owned(),
            kind,
            description: description.to_owned(),
        }
    }
}

const LAKE: [(&str, &str); 6] = [
    (
        schema::PATIENTS,
        "A row per patient with a Patient resource: id, birth date, gender, number of resources",
    ),
    (
        PATIENT_REFERENCES,
        "patients, and those whom others only refer to (their rid is null): no measure counts them",
    ),
    (
        schema::RESOURCES,
        "A row per resource of a patient, also of one who is only referred to: its JSON as raw",
    ),
    (
        schema::SHARED,
        "A row per resource without a patient: organizations, practitioners, locations",
    ),
    (
        schema::FACTS,
        "The index: a row per resource (path 0), and one more per code of it; not for counting",
    ),
    (
        schema::CODES,
        "A row per code in the lake: system, code, display; facts.code_key refers to it",
    ),
];

/// Those that every lake has, in the order of a list.
pub fn of_lake() -> Result<Vec<TableDescription>> {
    let views = built_in()
        .as_ref()
        .map_err(|e| DataFusionError::Internal(format!("a built-in view: {e:?}")))?;
    let tables = LAKE.map(|(name, words)| TableDescription::new("table", name, words));
    let views = views.iter().map(|view| {
        let words = view.description.as_deref().unwrap_or_default();
        TableDescription::new("view", &view.name, words.trim_end_matches('.'))
    });
    Ok(tables.into_iter().chain(views).collect())
}

/// Makes the list a table, which `SHOW TABLES` gives.
pub fn register_list(context: &SessionContext, all: &[TableDescription]) -> Result<()> {
    let fields = ["table_name", "kind", "description"];
    let fields = fields.map(|name| Field::new(name, DataType::Utf8, false));
    let schema = Arc::new(Schema::new(fields.to_vec()));
    let column = |of: &dyn Fn(&TableDescription) -> String| {
        let texts: Vec<String> = all.iter().map(of).collect();
        Arc::new(StringArray::from(texts)) as _
    };
    let columns = vec![
        column(&|t| t.name.clone()),
        column(&|t| t.kind.to_owned()),
        column(&|t| t.description.clone()),
    ];
    let rows = RecordBatch::try_new(Arc::clone(&schema), columns)?;
    let table = MemTable::try_new(schema, vec![vec![rows]])?;
    context.register_table(TABLES, Arc::new(table))?;
    Ok(())
}
