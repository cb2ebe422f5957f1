//! The table of a family: typed columns, and rows of cells.

use engine_cel::{Ty, Val};

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

/// The cells of a row, in the order of the columns.
pub(crate) type Row = Vec<Val<'static>>;

impl Table {
    /// Names and types, as expressions see them.
    pub fn typed(&self) -> Vec<(String, Ty)> {
        let columns = self.columns.iter();
        columns.map(|c| (c.name.clone(), c.ty.ty())).collect()
    }
}
