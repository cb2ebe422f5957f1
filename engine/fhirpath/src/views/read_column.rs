//! Reading a `column`.

use serde_json::{Map, Value};

use super::column::{ColumnInfo, ColumnType};
use super::error::{doubtful, wrong};
use super::plan::Column;
use super::reader::{Reader, join};
use crate::{Kind, Type};
use engine_patient::finding::{Code, did_you_mean};

/// A column of a select that starts from `focus`.
pub(super) fn read(reader: &mut Reader, at: &str, value: &Value, focus: Type) -> Option<Column> {
    let map = reader.object(at, value)?;
    reader.only(
        at,
        map,
        &[
            "collection",
            "description",
            "extension",
            "id",
            "modifierExtension",
            "name",
            "path",
            "tag",
            "type",
        ],
    );
    let name = reader.name(at, map, true);
    let description = reader.text(at, map, "description");
    let collection = match map.get("collection") {
        None | Some(Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        Some(_) => {
            reader.error(
                Code::ViewWrongType,
                join(at, "collection"),
                "`true` or `false` was expected",
            );
            false
        }
    };
    let declared = declared(reader, at, map);
    let text = reader.required(at, map, "path");
    let at_path = join(at, "path");
    let path = text.and_then(|t| reader.path(&at_path, &t, focus));
    let ty = match (declared, &path) {
        (Some(ty), Some(path)) => ty.accepts(path.ty()).map(|()| ty),
        (Some(ty), None) => Ok(ty),
        (None, Some(path)) => ColumnType::inferred(path.ty()),
        (None, None) => Ok(ColumnType::String),
    };
    let ty = ty.unwrap_or_else(|reason| {
        reader.error(Code::ViewColumnType, at_path.as_str(), reason);
        ColumnType::String
    });
    if !collection
        && path
            .as_ref()
            .is_some_and(|p| p.ty().many && p.ty().kind != Kind::Unknown)
    {
        let warning = doubtful(
            Code::ViewCollection,
            at_path,
            "the path may give several values, which is an error when it does",
        );
        reader.warnings.push(
            warning.help("add `.first()`, or `\"collection\": true`, or iterate with `forEach`"),
        );
    }
    // Columns with mistakes count too, so that others are judged as they would be without them.
    let index = reader.columns.len();
    let info = ColumnInfo {
        name: name?,
        ty,
        collection,
        description,
    };
    reader.columns.push((info, at.to_owned()));
    Some(Column {
        index,
        path: path?,
        storage: ty.storage(),
        collection,
    })
}

fn declared(reader: &mut Reader, at: &str, map: &Map<String, Value>) -> Option<ColumnType> {
    let name = reader.text(at, map, "type")?;
    let ty = ColumnType::of(&name);
    if ty.is_none() {
        let error = wrong(
            Code::ViewColumnType,
            join(at, "type"),
            format!("`{name}` is no FHIR primitive type"),
        );
        let names = ColumnType::ALL.iter().map(|t| t.as_str());
        reader.errors.push(match did_you_mean(&name, names) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                error.help("columns hold primitives: `string`, `code`, `dateTime`, `decimal`, …")
            }
        });
    }
    ty
}
