//! The rows of a bucket in file order, and its patients by id.

use super::super::error::LakeError;
use super::super::paths::type_id;
use super::super::rows::{Row, Rows};

/// The sorted patient ids of a bucket, and each row's place among them.
pub(super) struct Prepared {
    pub patients: Vec<String>,
    pub pats: Vec<i32>,
}

/// Sorts the rows into file order.
pub(super) fn prepare(rows: &mut Rows) -> Result<Prepared, LakeError> {
    let mut patients: Vec<String> = rows
        .rows
        .iter()
        .map(|r| rows.str(&r.patient).to_owned())
        .collect();
    patients.sort_unstable();
    patients.dedup();
    let too_many = || LakeError::bug("a bucket with more than 2^31 rows");
    let mut list = std::mem::take(&mut rows.rows);
    i32::try_from(list.len()).map_err(|_| too_many())?;
    let pat_of = |row: &Row| {
        let found = patients.binary_search_by(|p| p.as_str().cmp(rows.str(&row.patient)));
        i32::try_from(found.unwrap_or_default()).unwrap_or(i32::MAX)
    };
    let mut keyed: Vec<(i16, i64, i32, Option<i64>, Row)> = list
        .drain(..)
        .map(|r| (type_id(r.ty), r.first_key, pat_of(&r), r.start, r))
        .collect();
    keyed.sort_by(|a, b| {
        let key = |k: &(i16, i64, i32, Option<i64>, Row)| (k.0, k.1, k.2, k.3);
        key(a)
            .cmp(&key(b))
            .then_with(|| rows.str(&a.4.id).cmp(rows.str(&b.4.id)))
    });
    let pats = keyed.iter().map(|k| k.2).collect();
    rows.rows = keyed.into_iter().map(|k| k.4).collect();
    Ok(Prepared { patients, pats })
}

/// A place among rows or patients, as it stands in a column.
pub(super) fn int(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

pub(super) fn bucket_int(bucket: u32) -> i32 {
    i32::try_from(bucket).unwrap_or(i32::MAX)
}
