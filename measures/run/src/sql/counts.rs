//! What the query of a SQL measure gives: a row a stratum, with whole numbers. Anything else is refused,
//! never counted as nothing.

use std::collections::BTreeSet;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, Schema, UInt64Type};

/// The columns that a query must give, and no others.
pub(super) const COLUMNS: [&str; 5] = [
    "stratum",
    "denominator",
    "numerator",
    "not_evaluable",
    "reason",
];

/// Those of them that are texts; the others are counts.
const TEXTS: [&str; 2] = ["stratum", "reason"];

/// One stratum.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct StratumRow {
    pub(super) stratum: String,
    pub(super) denominator: u64,
    pub(super) numerator: u64,
    pub(super) not_evaluable: u64,
    /// Why, where there are any.
    pub(super) reason: String,
}

/// Reads the rows; texts of errors name rows by their number, since a stratum may be patient data.
pub(super) fn rows(batches: &[RecordBatch]) -> Result<Vec<StratumRow>, String> {
    let mut out = vec![];
    let mut seen = BTreeSet::new();
    for batch in batches {
        let columns = Columns::of(batch)?;
        for row in 0..batch.num_rows() {
            let number = out.len() + 1;
            let own = columns.row(row).map_err(|e| format!("row {number}: {e}"))?;
            if !seen.insert(own.stratum.clone()) {
                return Err(format!(
                    "row {number}: its stratum has a row already; a stratum has one row, with all its counts"
                ));
            }
            out.push(own);
        }
    }
    Ok(out)
}

struct Columns {
    texts: [ArrayRef; 2],
    counts: [ArrayRef; 3],
}

/// What is wrong with the columns that a query gives, whether or not it gives rows.
pub(super) fn check(schema: &Schema) -> Result<(), String> {
    let all = COLUMNS.join(", ");
    let mut fields = schema.fields().iter();
    if let Some(extra) = fields.find(|f| !COLUMNS.contains(&f.name().as_str())) {
        return Err(format!(
            "the query gives a column `{}` too many: it must give {all}",
            extra.name()
        ));
    }
    for name in COLUMNS {
        let Ok(field) = schema.field_with_name(name) else {
            return Err(format!(
                "the query gives no column `{name}`: it must give {all}"
            ));
        };
        let is = field.data_type();
        match TEXTS.contains(&name) {
            true if !can_cast_types(is, &DataType::Utf8) => {
                return Err(format!("the column `{name}` must be a text"));
            }
            false if !is.is_integer() => {
                return Err(format!(
                    "the column `{name}` is {is}: counts are whole numbers; write CAST({name} AS BIGINT) where they are"
                ));
            }
            _ => {}
        }
    }
    Ok(())
}

impl Columns {
    fn of(batch: &RecordBatch) -> Result<Self, String> {
        check(&batch.schema())?;
        let column = |name: &str| {
            let found = batch.column_by_name(name);
            found.ok_or_else(|| format!("the query gives no column `{name}`"))
        };
        let strict = CastOptions {
            safe: false,
            ..CastOptions::default()
        };
        let text = |name: &str| {
            let cast = cast_with_options(column(name)?, &DataType::Utf8, &strict);
            cast.map_err(|_| format!("the column `{name}` must be a text"))
        };
        let count = |name: &str| {
            // What a cast cannot take is below zero: no integer type goes beyond this one.
            cast_with_options(column(name)?, &DataType::UInt64, &strict)
                .map_err(|_| format!("the column `{name}` has a negative count"))
        };
        Ok(Columns {
            texts: [text("stratum")?, text("reason")?],
            counts: [
                count("denominator")?,
                count("numerator")?,
                count("not_evaluable")?,
            ],
        })
    }

    fn row(&self, row: usize) -> Result<StratumRow, String> {
        let text = |column: &ArrayRef| {
            let texts = column.as_string_opt::<i32>();
            let texts = texts.filter(|t| t.is_valid(row));
            texts.map(|t| t.value(row).to_owned())
        };
        let count = |column: &ArrayRef, name: &str| {
            let numbers = column.as_primitive_opt::<UInt64Type>();
            let numbers = numbers.filter(|n| n.is_valid(row));
            numbers.map(|n| n.value(row)).ok_or_else(|| {
                format!("`{name}` is null; write coalesce({name}, 0) where nothing is meant")
            })
        };
        let [stratum, reason] = &self.texts;
        let [denominator, numerator, not_evaluable] = &self.counts;
        let own = StratumRow {
            stratum: text(stratum).ok_or("`stratum` is null")?,
            denominator: count(denominator, "denominator")?,
            numerator: count(numerator, "numerator")?,
            not_evaluable: count(not_evaluable, "not_evaluable")?,
            reason: text(reason).unwrap_or_default(),
        };
        if own.numerator > own.denominator {
            return Err(format!(
                "the numerator ({}) is more than the denominator ({})",
                own.numerator, own.denominator
            ));
        }
        if own.not_evaluable > 0 && own.reason.is_empty() {
            return Err("`not_evaluable` has a count, and `reason` does not say why".into());
        }
        Ok(own)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int64Array, StringArray};
    use arrow::datatypes::Field;

    use super::*;

    fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
        let fields: Vec<Field> = columns
            .iter()
            .map(|(name, a)| Field::new(*name, a.data_type().clone(), true))
            .collect();
        let arrays = columns.into_iter().map(|(_, a)| a).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).unwrap()
    }

    fn texts(all: &[Option<&str>]) -> ArrayRef {
        Arc::new(StringArray::from(all.to_vec()))
    }

    fn counts(all: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(all.to_vec()))
    }

    /// Two strata that are right, but for one column.
    fn but(name: &str, column: ArrayRef) -> Result<Vec<StratumRow>, String> {
        let mut columns = vec![
            ("stratum", texts(&[Some("a"), Some("b")])),
            ("denominator", counts(&[Some(3), Some(0)])),
            ("numerator", counts(&[Some(1), Some(0)])),
            ("not_evaluable", counts(&[Some(0), Some(2)])),
            ("reason", texts(&[None, Some("no date")])),
        ];
        for (own, array) in &mut columns {
            if *own == name {
                *array = Arc::clone(&column);
            }
        }
        if !COLUMNS.contains(&name) {
            columns.push((name, column));
        }
        rows(&[batch(columns)])
    }

    #[test]
    fn counts_are_taken_as_they_are() {
        let reason = texts(&[None, Some("no date")]);
        let all = but("reason", Arc::clone(&reason)).unwrap();
        let shown: Vec<_> = all
            .iter()
            .map(|r| (r.stratum.as_str(), r.denominator, r.not_evaluable))
            .collect();
        assert_eq!(shown, [("a", 3, 0), ("b", 0, 2)]);
        // A period of which there is nothing has no strata.
        assert_eq!(rows(&[]), Ok(vec![]));
    }

    #[test]
    fn what_is_no_count_is_refused() {
        let wrong = |name: &str, column: ArrayRef| but(name, column).unwrap_err();
        for (name, column, told) in [
            (
                "denominator",
                counts(&[Some(3), None]),
                "row 2: `denominator` is null",
            ),
            (
                "numerator",
                counts(&[Some(-1), Some(0)]),
                "`numerator` has a negative count",
            ),
            (
                "numerator",
                counts(&[Some(4), Some(0)]),
                "row 1: the numerator (4) is more",
            ),
            (
                "not_evaluable",
                counts(&[Some(1), Some(2)]),
                "`reason` does not say why",
            ),
            (
                "stratum",
                texts(&[Some("a"), Some("a")]),
                "row 2: its stratum has a row already",
            ),
            (
                "stratum",
                texts(&[None, Some("a")]),
                "row 1: `stratum` is null",
            ),
            (
                "denominatr",
                counts(&[Some(1), Some(1)]),
                "a column `denominatr` too many",
            ),
        ] {
            let text = wrong(name, column);
            assert!(text.contains(told), "{told}: {text}");
        }
        let halves: ArrayRef = Arc::new(Float64Array::from(vec![1.5, 0.0]));
        let text = wrong("numerator", halves);
        assert!(
            text.contains("is Float64: counts are whole numbers"),
            "{text}"
        );
        let some = batch(vec![("stratum", texts(&[Some("a")]))]);
        let text = rows(&[some]).unwrap_err();
        assert!(text.contains("gives no column `denominator`"), "{text}");
    }
}
