//! Arrow schema → Delta `schemaString`.
//! <https://github.com/delta-io/delta/blob/master/PROTOCOL.md#schema-serialization-format>

use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use serde_json::{Value, json};

use super::CommitError;

/// The schema as Delta writes it. A type that Delta lacks, or that other readers would see
/// differently, is an error naming the field.
pub(super) fn schema_string(table: &str, schema: &Schema) -> Result<String, CommitError> {
    Ok(fields(table, "", schema.fields())?.to_string())
}

fn fields(table: &str, within: &str, fields: &Fields) -> Result<Value, CommitError> {
    let list: Result<Vec<Value>, CommitError> = fields
        .iter()
        .map(|field| {
            let at = match within {
                "" => field.name().clone(),
                outer => format!("{outer}.{}", field.name()),
            };
            check_name(table, &at, field)?;
            Ok(
                json!({"name": field.name(), "type": data_type(table, &at, field.data_type())?,
                "nullable": field.is_nullable(), "metadata": {}}),
            )
        })
        .collect();
    Ok(json!({"type": "struct", "fields": list?}))
}

fn data_type(table: &str, at: &str, data_type: &DataType) -> Result<Value, CommitError> {
    let name = match data_type {
        DataType::Int8 => "byte",
        DataType::Int16 => "short",
        DataType::Int32 => "integer",
        DataType::Int64 => "long",
        DataType::Float64 => "double",
        DataType::Boolean => "boolean",
        DataType::Utf8 => "string",
        DataType::Binary => "binary",
        DataType::Date32 => "date",
        DataType::Timestamp(TimeUnit::Microsecond, Some(zone)) if is_utc(zone) => "timestamp",
        DataType::List(item) => {
            let element = self::data_type(table, &format!("{at}[]"), item.data_type())?;
            return Ok(json!({"type": "array", "elementType": element,
                "containsNull": item.is_nullable()}));
        }
        DataType::Struct(inner) => return fields(table, at, inner),
        other => {
            return Err(CommitError::NotExportable {
                table: table.to_owned(),
                what: format!(
                    "field `{at}` has Arrow type {other}; use a signed integer, Float64, Boolean, \
                     Utf8, Binary, Date32, a UTC timestamp in microseconds, a List or a Struct"
                ),
            });
        }
    };
    Ok(json!(name))
}

fn is_utc(zone: &str) -> bool {
    matches!(zone, "UTC" | "+00:00" | "Z")
}

/// Delta forbids these in column names (without column mapping).
fn check_name(table: &str, at: &str, field: &Field) -> Result<(), CommitError> {
    if field.name().is_empty()
        || field
            .name()
            .contains([' ', ',', ';', '{', '}', '(', ')', '\n', '\t', '='])
    {
        return Err(CommitError::NotExportable {
            table: table.to_owned(),
            what: format!("field `{at}` has a name Delta forbids; use letters, digits and `_`"),
        });
    }
    Ok(())
}
