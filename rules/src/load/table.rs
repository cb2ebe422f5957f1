//! The table of a family: the CSV file beside the rule.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use engine_cel::Val;
use engine_patient::finding::{Code, Finding, did_you_mean};
use engine_patient::terminology::{DrugDictionary, DrugSet};
use rust_decimal::Decimal;

use super::csv::{self, Cell};
use super::fields::Report;
use crate::document::TABLE;
use crate::surroundings::Surroundings;
use crate::table::{Column, ColumnType, Row, Table};
use crate::words::{Indicator, Word, words_of};
use crate::yaml::{Entry, Node, Text};

/// The most rows.
const MAX_ROWS: usize = 100_000;

/// Reads the table that a rule names. What is wrong in it is told at its place in the CSV.
pub(super) fn table(
    report: &mut Report<'_>,
    node: &Node,
    surroundings: &Surroundings<'_>,
) -> Option<Table> {
    let fields = report.fields(node, &TABLE, None)?;
    let named = fields.get("file")?;
    let name = report.line(named)?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.ends_with(".csv") || !name.chars().all(plain) {
        let message = format!("`{name}` is not the name of a CSV file beside the rule");
        let help = "letters, digits, `-`, `_`, and `.csv` at the end; no folder";
        return report.wrong(Code::WrongValue, message, named, help);
    }
    let typed = fields
        .get("columns")
        .map(|n| report.entries(n, "`columns`"))
        .unwrap_or_default();
    let mut types = vec![];
    for entry in typed {
        let ty = report.enumerated::<ColumnType>(&entry.value);
        types.push((entry, ty.unwrap_or(ColumnType::Text)));
    }
    let Some(bytes) = (surroundings.tables)(&name) else {
        let message = format!("there is no file `{name}` beside the rule");
        let help = "put the CSV into the folder of the rule, or correct its name";
        return report.wrong(Code::UnreadablePath, message, named, help);
    };
    let path = beside(report.text.file(), &name);
    let Ok(text) = String::from_utf8(bytes) else {
        let error = Finding::error(Code::UnreadablePath, "the table is not UTF-8");
        report.elsewhere(error.help("save it as \"CSV UTF-8\"").in_file(path));
        return None;
    };
    Reader {
        place: &Text::new(&path, &text),
        report,
        drugs: &surroundings.drugs,
        sets: BTreeMap::new(),
    }
    .table(&text, &types)
}

/// The name of a file in the folder of another.
fn beside(rule: &str, name: &str) -> String {
    match rule.rfind(['/', '\\']) {
        Some(at) => format!("{}{name}", rule.get(..=at).unwrap_or_default()),
        None => name.to_owned(),
    }
}

struct Reader<'r, 't> {
    place: &'r Text,
    report: &'r mut Report<'t>,
    drugs: &'r DrugDictionary,
    /// What cells stand for: the same terms stand in many.
    sets: BTreeMap<String, Arc<DrugSet>>,
}

impl Reader<'_, '_> {
    fn wrong(&mut self, code: Code, message: String, (from, to): (usize, usize), help: &str) {
        let to = to.max(from + 1);
        let help = Some(help.to_owned());
        let error = self.place.error(code, message, (from, to), help);
        self.report.elsewhere(error);
    }

    fn table(mut self, text: &str, types: &[(&Entry, ColumnType)]) -> Option<Table> {
        let chars: Vec<char> = text.chars().collect();
        let rows = match csv::rows(&chars) {
            Ok(rows) => rows,
            Err(at) => {
                let help = "a cell with a quote in it begins and ends with `\"`, and each quote in it is written twice";
                let message =
                    "a quote of this row is not closed, or stands in the middle of a cell";
                self.wrong(Code::WrongValue, message.into(), (at, at + 1), help);
                return None;
            }
        };
        let mut rows = rows.into_iter();
        let header = rows.next().unwrap_or_default();
        let columns = self.columns(&header, types);
        let mut read: Vec<Row> = vec![];
        for row in rows {
            if row.len() != columns.len() {
                let from = row.first().map_or(0, |c| c.at);
                let message = format!(
                    "the row has {} cells, the header has {}",
                    row.len(),
                    columns.len()
                );
                let help = "a cell with a comma in it stands in quotes";
                self.wrong(Code::WrongValue, message, (from, from + 1), help);
                continue;
            }
            let cells = row.iter().zip(&columns);
            let cells = cells.map(|(cell, column)| self.cell(cell, column));
            read.push(cells.collect());
        }
        if read.is_empty() {
            let help = "a header with the names of the columns, then a row for each";
            let message = "the table has no rows".to_owned();
            self.wrong(Code::WrongValue, message, (0, 1), help);
        }
        if read.len() > MAX_ROWS {
            let message = format!("the table has {} rows, {MAX_ROWS} is the most", read.len());
            self.wrong(Code::TooLarge, message, (0, 1), "split it into families");
        }
        // With what is wrong in it, so that expressions can be checked: the rule is refused anyway.
        Some(Table {
            columns,
            rows: read,
        })
    }

    fn columns(&mut self, header: &[Cell], types: &[(&Entry, ColumnType)]) -> Vec<Column> {
        let mut columns: Vec<Column> = vec![];
        for cell in header {
            let name = cell.text.trim();
            let span = (cell.at, cell.at + name.chars().count());
            let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(good) {
                let help = "a small letter, then small letters, digits and `_`, as in `rxcui_a`";
                let message = format!("`{name}` is not a name for a column");
                self.wrong(Code::BadName, message, span, help);
            } else if columns.iter().any(|c| c.name == name) {
                let message = format!("there is another column `{name}`");
                self.wrong(Code::BadName, message, span, "give each its own name");
            }
            let typed = types.iter().find(|(entry, _)| entry.key == name);
            columns.push(Column {
                name: name.to_owned(),
                ty: typed.map_or(ColumnType::Text, |(_, ty)| *ty),
            });
        }
        for (entry, _) in types {
            if columns.iter().any(|c| c.name == entry.key) {
                continue;
            }
            let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
            let help = match did_you_mean(&entry.key, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("it has `{}`", names.join("`, `")),
            };
            let message = format!("the table has no column `{}`", entry.key);
            let span = (entry.at, entry.at + entry.key.chars().count().max(1));
            self.report
                .error(Code::UnknownElement, message, span, Some(help));
        }
        columns
    }

    fn cell(&mut self, cell: &Cell, column: &Column) -> Val<'static> {
        let text = cell.text.trim();
        let span = (cell.at, cell.at + cell.text.chars().count());
        let empty = || {
            let reason = format!("`{}` is empty in this row of the table", column.name);
            Val::Unknown(Cow::Owned(reason))
        };
        match column.ty {
            ColumnType::Text => Val::Str(Cow::Owned(text.to_owned())),
            ColumnType::Indicator => {
                if Indicator::of_word(text).is_none() {
                    let message = format!("`{text}` is not known in `{}`", column.name);
                    let help = format!("one of `{}`", words_of::<Indicator>().join("`, `"));
                    self.wrong(Code::WrongValue, message, span, &help);
                }
                Val::Str(Cow::Owned(text.to_owned()))
            }
            ColumnType::Number | ColumnType::Drugs if text.is_empty() => empty(),
            ColumnType::Number => match text.parse::<Decimal>() {
                Ok(number) => Val::Decimal(number),
                Err(_) => {
                    let message = format!(
                        "`{text}` is not a number, and `{}` has numbers",
                        column.name
                    );
                    let help = "digits with a `.`, as in `45` or `1.5`; leave the cell empty where there is none";
                    self.wrong(Code::WrongValue, message, span, help);
                    empty()
                }
            },
            ColumnType::Drugs => match self.drugs(cell) {
                Some(set) => Val::Drugs(set),
                None => empty(),
            },
        }
    }

    /// The drugs of a cell's terms, each of which must be known.
    fn drugs(&mut self, cell: &Cell) -> Option<Arc<DrugSet>> {
        if let Some(known) = self.sets.get(&cell.text) {
            return Some(Arc::clone(known));
        }
        match self.drugs.set_of_cell(&cell.text) {
            Ok(set) => {
                let set = Arc::new(set);
                self.sets.insert(cell.text.clone(), Arc::clone(&set));
                Some(set)
            }
            Err(wrong) => {
                let from = cell.at + usize::from(self.place.is_at(cell.at, '"'));
                for (span, error) in wrong {
                    let span = (from + span.start, from + span.end);
                    self.wrong(Code::WrongValue, error.message, span, &error.help);
                }
                None
            }
        }
    }
}
