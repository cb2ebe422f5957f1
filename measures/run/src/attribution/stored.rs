//! What attribution asks of the lake: few fields of few types, and of few patients only where they are.

use std::collections::{BTreeSet, HashSet};
use std::fmt;

use datafusion::prelude::{DataFrame, Expr, col, lit};
use engine_population::lake::{Lake, bucket_of};
use engine_population::session::{register_tables, session};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::RunError;

/// So many patients are looked for by what files say of their columns; of more the files are read whole.
const FEW: usize = 20;

/// Resources of these types without a patient: type, id, JSON.
pub(super) async fn shared(
    lake: &Lake,
    threads: usize,
    types: &[&str],
) -> Result<DataFrame, RunError> {
    let session = session(lake, threads)?;
    register_tables(&session, lake)?;
    let rows = session.table("shared").await?.filter(of_types(types))?;
    Ok(rows.select_columns(&["resource_type", "id", "raw"])?)
}

/// Resources of these types with a patient: type, id of the patient, JSON. Of few patients theirs; of
/// more also those of others.
pub(super) async fn of_patients(
    lake: &Lake,
    threads: usize,
    types: &[&str],
    patients: &HashSet<String>,
) -> Result<DataFrame, RunError> {
    let session = session(lake, threads)?;
    register_tables(&session, lake)?;
    let mut rows = session.table("resources").await?.filter(of_types(types))?;
    if patients.len() <= FEW {
        let ids: BTreeSet<&String> = patients.iter().collect();
        let count = lake.snapshot.buckets;
        let buckets: BTreeSet<u32> = ids.iter().map(|id| bucket_of(id, count)).collect();
        let buckets = buckets.into_iter().filter_map(|b| i32::try_from(b).ok());
        rows = rows.filter(col("bucket").in_list(buckets.map(lit).collect(), false))?;
        let ids = ids.into_iter().map(|id| lit(id.as_str())).collect();
        rows = rows.filter(col("patient_id").in_list(ids, false))?;
    }
    Ok(rows.select_columns(&["resource_type", "patient_id", "raw"])?)
}

fn of_types(types: &[&str]) -> Expr {
    let types = types.iter().map(|ty| lit(*ty)).collect();
    col("resource_type").in_list(types, false)
}

/// These elements of a resource of the lake, which is JSON. What is wrong with it may repeat patient data.
pub(super) fn parsed(ty: &str, raw: &str, elements: &[&str]) -> Result<Value, RunError> {
    let mut json = serde_json::Deserializer::from_str(raw);
    let of = Elements(elements).deserialize(&mut json);
    let of = of.and_then(|of| json.end().map(|()| of));
    of.map_err(|_| RunError::Internal(format!("a stored {ty} is no JSON")))
}

/// Reads an object, and passes over all elements but these.
struct Elements<'e>(&'e [&'e str]);

impl<'de> DeserializeSeed<'de> for Elements<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Value, D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Elements<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a resource")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = map.next_key::<std::borrow::Cow<'_, str>>()? {
            match self.0.contains(&&*name) {
                true => {
                    kept.insert(name.into_owned(), map.next_value()?);
                }
                false => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Value::Object(kept))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn elements_that_are_asked_for() {
        let raw = r#"{"a": [1, {"b": 2}], "b": {"a": 3}, "c": null}"#;
        let kept = parsed("X", raw, &["a", "c"]).unwrap();
        assert_eq!(kept, json!({"a": [1, {"b": 2}], "c": null}));
        for raw in ["", "[]", "{} {}", r#"{"a": }"#, r#"{"z": 1"#] {
            assert!(parsed("X", raw, &["a"]).is_err(), "{raw}");
        }
    }
}
