//! Result rows as Arrow.

use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, Int32Builder, Int64Builder, RecordBatch, StringBuilder, StringDictionaryBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::error::Result;
use engine_patient::program::{Artifact, ResultRow};
use engine_patient::value::Value;

/// A row per patient, measure and population, and what [`ResultRow`] tells beside.
pub fn result_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let words = || DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
        Arc::new(Schema::new(vec![
            Field::new("patient_id", DataType::Utf8, false),
            Field::new("measure", words(), false),
            Field::new("version", words(), false),
            // With the version the canonical: two measures may have one id.
            Field::new("url", words(), false),
            Field::new("group", DataType::Int32, false),
            Field::new("population", words(), false),
            Field::new("index", DataType::Int32, false),
            // Of a count within a stratum.
            Field::new("stratifier", DataType::Int32, true),
            Field::new("stratum", words(), true),
            // Of a detail row, which is never counted.
            Field::new("basis_id", DataType::Utf8, true),
            // true, false, unknown
            Field::new("outcome", words(), false),
            Field::new("count", DataType::Int64, true),
            Field::new("value", DataType::Utf8, true),
            // Of a value that is a quantity.
            Field::new("unit", words(), true),
            // The codings of the stratum, else of the value, as JSON.
            Field::new("coding", words(), true),
            Field::new("unknown_reason", words(), true),
        ]))
    });
    Arc::clone(&SCHEMA)
}

type Words = StringDictionaryBuilder<Int32Type>;

/// Collects result rows.
#[derive(Default)]
pub(super) struct RowsBuilder {
    patient: StringBuilder,
    measure: Words,
    version: Words,
    url: Words,
    group: Int32Builder,
    population: Words,
    index: Int32Builder,
    stratifier: Int32Builder,
    stratum: Words,
    basis: StringBuilder,
    outcome: Words,
    count: Int64Builder,
    value: StringBuilder,
    unit: Words,
    coding: Words,
    reason: Words,
    pub(super) len: usize,
}

impl RowsBuilder {
    pub(super) fn push(&mut self, patient: &str, artifact: &Artifact, row: &ResultRow) {
        self.len += 1;
        self.patient.append_value(patient);
        self.measure.append_value(artifact.id.as_ref());
        self.version.append_value(artifact.version.as_ref());
        self.url.append_value(artifact.url.as_ref());
        let number = |n: u32| i32::try_from(n).unwrap_or(i32::MAX);
        self.group.append_value(number(row.group));
        self.population.append_value(row.kind.as_str());
        self.index.append_value(number(row.kind.index()));
        self.stratifier.append_option(row.stratifier.map(number));
        self.stratum.append_option(row.stratum.as_deref());
        self.basis.append_option(row.basis_id.as_deref());
        self.outcome.append_value(row.outcome.as_str());
        self.count.append_option(row.count);
        self.value.append_option(row.value.text());
        self.unit.append_option(match &row.value {
            Value::Quantity { unit, .. } => Some(unit.as_ref()),
            _ => None,
        });
        self.coding.append_option(row.coding.as_deref());
        self.reason.append_option(row.unknown_reason.as_deref());
    }

    pub(super) fn finish(&mut self) -> Result<RecordBatch> {
        self.len = 0;
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.patient.finish()),
            Arc::new(self.measure.finish()),
            Arc::new(self.version.finish()),
            Arc::new(self.url.finish()),
            Arc::new(self.group.finish()),
            Arc::new(self.population.finish()),
            Arc::new(self.index.finish()),
            Arc::new(self.stratifier.finish()),
            Arc::new(self.stratum.finish()),
            Arc::new(self.basis.finish()),
            Arc::new(self.outcome.finish()),
            Arc::new(self.count.finish()),
            Arc::new(self.value.finish()),
            Arc::new(self.unit.finish()),
            Arc::new(self.coding.finish()),
            Arc::new(self.reason.finish()),
        ];
        Ok(RecordBatch::try_new(result_schema(), columns)?)
    }
}
