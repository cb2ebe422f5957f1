//! Rows that every format shows alike: a table for people, an array of objects in JSON, CSV with one heading.
//! A column has one name: `resource type` in a table, `resource_type` in CSV, `resourceType` in JSON.

use serde_json::{Map, Value, json};

use crate::failure::Failure;
use crate::format::Format;
use crate::table::{self, bytes, thousands};

/// A cell: numbers are for people or for programs.
#[derive(Clone, Debug)]
pub enum Cell {
    Text(String),
    Count(u64),
    /// A size; in bytes for programs.
    Bytes(u64),
    /// A number that is a name: a snapshot.
    Number(u64),
    Nothing,
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}

impl<T: Into<Cell>> From<Option<T>> for Cell {
    fn from(cell: Option<T>) -> Self {
        cell.map_or(Cell::Nothing, T::into)
    }
}

impl Cell {
    fn for_people(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(n) => thousands(*n),
            Cell::Bytes(n) => bytes(*n),
            Cell::Number(n) => n.to_string(),
            Cell::Nothing => String::new(),
        }
    }

    fn for_csv(&self) -> String {
        match self {
            Cell::Text(text) => text.clone(),
            Cell::Count(n) | Cell::Bytes(n) | Cell::Number(n) => n.to_string(),
            Cell::Nothing => String::new(),
        }
    }

    fn for_json(&self) -> Value {
        match self {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Count(n) | Cell::Bytes(n) | Cell::Number(n) => Value::from(*n),
            Cell::Nothing => Value::Null,
        }
    }
}

/// Rows under a heading.
#[derive(Debug)]
pub struct Listing {
    heading: &'static [&'static str],
    rows: Vec<Vec<Cell>>,
}

impl Listing {
    pub fn new(heading: &'static [&'static str]) -> Self {
        Listing {
            heading,
            rows: vec![],
        }
    }

    pub fn push(&mut self, row: Vec<Cell>) {
        self.rows.push(row);
    }

    /// The table for people; columns in which no row has anything are left out.
    pub fn print(&self) {
        let rows = self.rows.iter();
        let rows: Vec<Vec<String>> = rows
            .map(|row| row.iter().map(Cell::for_people).collect())
            .collect();
        let filled = |column: &usize| {
            let cell = |row: &Vec<String>| row.get(*column).is_some_and(|cell| !cell.is_empty());
            *column == 0 || rows.is_empty() || rows.iter().any(cell)
        };
        let kept: Vec<usize> = (0..self.heading.len()).filter(filled).collect();
        let heading = kept.iter().filter_map(|c| self.heading.get(*c).copied());
        let heading: Vec<&str> = heading.collect();
        let chosen = |row: &Vec<String>| {
            let cells = kept.iter().filter_map(|c| row.get(*c).cloned());
            cells.collect()
        };
        let rows: Vec<Vec<String>> = rows.iter().map(chosen).collect();
        table::print(&heading, &rows);
    }

    /// As it is asked for; in JSON as the field `name` of an object.
    pub fn print_as(&self, format: Format, name: &str) -> Result<(), Failure> {
        match format {
            Format::Json => data!("{:#}", json!({ name: self.json() })),
            Format::Csv => self.csv()?,
            _ => self.print(),
        }
        Ok(())
    }

    pub fn csv(&self) -> Result<(), Failure> {
        let mut out = crate::say::csv();
        out.write_record(self.heading.iter().map(|name| name.replace(' ', "_")))?;
        for row in &self.rows {
            out.write_record(row.iter().map(Cell::for_csv))?;
        }
        Ok(out.flush().map_err(measures_run::RunError::from)?)
    }

    /// An array of objects.
    pub fn json(&self) -> Value {
        let names: Vec<String> = self.heading.iter().map(|name| camel(name)).collect();
        let object = |row: &Vec<Cell>| -> Value {
            let fields = names.iter().cloned().zip(row.iter().map(Cell::for_json));
            Value::Object(fields.collect::<Map<String, Value>>())
        };
        self.rows.iter().map(object).collect()
    }
}

/// `resource type` as `resourceType`.
pub fn camel(name: &str) -> String {
    let mut out = String::new();
    for (number, word) in name.split(' ').enumerate() {
        let mut letters = word.chars();
        match letters.next().filter(|_| number > 0) {
            Some(first) => out.extend(first.to_uppercase().chain(letters)),
            None => out.push_str(word),
        }
    }
    out
}
