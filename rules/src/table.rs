//! The table of a family: typed columns, and rows of cells.

use std::collections::HashMap;

use engine_cel::{Ty, Val};
use engine_patient::terminology::Substances;

use crate::words::Word;

/// What the cells of a column are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ColumnType {
    /// A text; an empty cell is "".
    Text,
    /// A number; an empty cell is unknown.
    Number,
    /// A set of drugs; an empty cell is unknown.
    Drugs,
    /// `info`, `warning` or `critical`.
    Indicator,
}

impl Word for ColumnType {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("text", ColumnType::Text),
        ("number", ColumnType::Number),
        ("drugs", ColumnType::Drugs),
        ("indicator", ColumnType::Indicator),
    ];
}

impl ColumnType {
    /// The type of its cells in expressions.
    pub fn ty(self) -> Ty {
        match self {
            ColumnType::Text | ColumnType::Indicator => Ty::String,
            ColumnType::Number => Ty::Double,
            ColumnType::Drugs => Ty::Drugs,
        }
    }
}

/// A table, read and checked.
#[derive(Debug)]
pub(crate) struct Table {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

/// A column.
#[derive(Debug)]
pub(crate) struct Column {
    pub name: String,
    pub ty: ColumnType,
}

/// The rows of a table by the drugs in some of its columns.
#[derive(Debug)]
pub(crate) struct ByDrug {
    /// Ascending.
    rows: HashMap<u32, Vec<usize>>,
    /// Those without drugs in one of the columns: they are unknown for every drug.
    always: Vec<usize>,
    /// The columns of the drugs.
    pub columns: Vec<usize>,
}

impl ByDrug {
    /// Shorter tables are gone through.
    const SHORT: usize = 8;

    /// `None` for a short table, and without columns of drugs.
    pub fn of(table: &Table, columns: &[usize]) -> Option<Self> {
        if table.rows.len() < Self::SHORT || columns.is_empty() {
            return None;
        }
        let (mut rows, mut always): (HashMap<u32, Vec<usize>>, _) = (HashMap::new(), vec![]);
        for (number, row) in table.rows.iter().enumerate() {
            let cells = columns.iter().map(|column| match row.get(*column) {
                Some(Val::Drugs(set)) => Some(set),
                _ => None,
            });
            let Some(sets) = cells.collect::<Option<Vec<_>>>() else {
                always.push(number);
                continue;
            };
            for key in sets.iter().flat_map(|set| set.keys()) {
                let of = rows.entry(key).or_default();
                if of.last() != Some(&number) {
                    of.push(number);
                }
            }
        }
        let columns = columns.to_vec();
        Some(ByDrug {
            rows,
            always,
            columns,
        })
    }

    /// The numbers of the rows that may hold for a drug of these substances, ascending.
    pub fn rows(&self, substances: &Substances) -> Vec<usize> {
        let mut found = self.always.clone();
        for number in substances.numbers() {
            found.extend(self.rows.get(number).into_iter().flatten());
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// The cells of a row, in the order of the columns.
pub(crate) type Row = Vec<Val<'static>>;

impl Table {
    /// Names and types, as expressions see them.
    pub fn typed(&self) -> Vec<(String, Ty)> {
        let columns = self.columns.iter();
        columns.map(|c| (c.name.clone(), c.ty.ty())).collect()
    }
}
