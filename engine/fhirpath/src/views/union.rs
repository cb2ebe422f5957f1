//! Reading a `unionAll`.

use serde_json::Value;

use super::column::ColumnInfo;
use super::error::wrong;
use super::plan::Step;
use super::reader::Reader;
use engine_patient::finding::{Code, Finding};

/// The branches, with their places. `branch` reads one: it is a select.
pub(super) fn read(
    reader: &mut Reader,
    branches: Vec<(String, &Value)>,
    mut branch: impl FnMut(&mut Reader, &str, &Value) -> Vec<Step>,
) -> Step {
    let start = reader.columns.len();
    let mut first: Option<Vec<(ColumnInfo, String)>> = None;
    let mut steps = vec![];
    for (at, value) in branches {
        let before = reader.errors.len();
        steps.push(branch(reader, &at, value));
        let columns = reader.columns.split_off(start);
        match &first {
            None => first = Some(columns),
            Some(first) if reader.errors.len() == before => {
                if let Some(error) = mismatch(&at, first, &columns) {
                    reader.errors.push(error);
                }
            }
            Some(_) => {}
        }
    }
    reader.columns.extend(first.unwrap_or_default());
    Step::Union(steps)
}

/// Branches of a union must have the same columns: names, order, types, collections.
fn mismatch(
    at: &str,
    first: &[(ColumnInfo, String)],
    other: &[(ColumnInfo, String)],
) -> Option<Finding> {
    let names = |columns: &[(ColumnInfo, String)]| {
        let names: Vec<&str> = columns.iter().map(|(c, _)| c.name.as_str()).collect();
        names.join(", ")
    };
    let (expected, found) = (names(first), names(other));
    if expected != found {
        let message =
            format!("the columns of this branch are `{found}`, those of the first `{expected}`");
        return Some(
            wrong(Code::ViewUnion, at, message)
                .help("every branch needs the same columns in the same order"),
        );
    }
    let mut pairs = first.iter().zip(other);
    pairs.find_map(|((a, _), (b, place))| {
        let same = a.ty.storage() == b.ty.storage() && a.collection == b.collection;
        let shown = |c: &ColumnInfo| {
            format!(
                "{}{}",
                c.ty.as_str(),
                if c.collection { " collection" } else { "" }
            )
        };
        let message = || {
            format!(
                "`{}` is `{}` here and `{}` in the first branch",
                b.name,
                shown(b),
                shown(a)
            )
        };
        (!same).then(|| wrong(Code::ViewUnion, place.as_str(), message()))
    })
}
