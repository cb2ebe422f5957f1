//! Value sets as a table: a row a code, as people fill it in a spreadsheet.
//!
//! Columns `value_set`, `system` and `code` must be there, `display` may be; others are left alone. So a
//! list of unmapped codes (`tandem terminology coverage --out`) is read back when it is filled: a row
//! without a value set is a code that nobody has placed yet.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use super::bind::{BUILT_IN_VALUE_SETS, Named};
use super::code::Code;
use super::code_damage::{Damage, damage};
use super::csv_rows::Rows as CsvRows;
use super::read::Read;
use super::read_system::{known_names, system_named};
use super::value_set_definition::{Expansion, SpotOf, ValueSetDefinition};
use crate::finding::{Code as FindingCode, Finding, Place, did_you_mean};

/// The columns that must be there.
const REQUIRED: [&str; 3] = ["value_set", "system", "code"];

/// Whether the first line of a file names the columns of such a table.
#[must_use]
pub fn is_value_set_table(bytes: &[u8]) -> bool {
    let names = header(without_mark(bytes)).1;
    names.iter().any(|name| name == "value_set") && names.iter().any(|name| name == "code")
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// What separates the columns, and their names in small letters. Spreadsheets of much of Europe write `;`.
fn header(bytes: &[u8]) -> (u8, Vec<String>) {
    let line = bytes.split(|b| *b == b'\n').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let separators = [',', ';', '\t'];
    let most = separators
        .into_iter()
        .rev()
        .max_by_key(|s| line.matches(*s).count());
    let separator = most.unwrap_or(',');
    let names = line.trim_end().split(separator);
    let names = names.map(|name| name.trim().trim_matches('"').trim().to_ascii_lowercase());
    (u8::try_from(separator).unwrap_or(b','), names.collect())
}

/// One table that is being read.
struct Table<'t> {
    source: &'t Arc<str>,
    /// The lines of the file, to find columns in.
    lines: Vec<&'t str>,
    separator: char,
    columns: Vec<String>,
}

/// A row: its line, from 1, and its cells.
struct Row<'f> {
    line: u64,
    cells: Vec<Cow<'f, str>>,
}

/// The codes of a value set, each with the line of its first row.
type Rows = BTreeMap<(Arc<str>, Arc<str>), (u64, Code)>;

impl Table<'_> {
    fn index(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    fn cell<'r>(&self, row: &'r Row<'_>, name: &str) -> &'r str {
        let cell = self.index(name).and_then(|at| row.cells.get(at));
        cell.map_or("", |cell| cell.trim())
    }

    /// Where a cell stands; of a row over several lines only the line is known.
    fn place(&self, row: &Row<'_>, name: &str) -> Place {
        let line = usize::try_from(row.line).unwrap_or(usize::MAX);
        let text = self
            .lines
            .get(line.saturating_sub(1))
            .copied()
            .unwrap_or_default();
        let column = self
            .index(name)
            .and_then(|at| column(text, self.separator, at));
        Place::known(Arc::clone(self.source), Some(line), column, None)
    }

    fn error(&self, row: &Row<'_>, column: &str, message: String, help: &str) -> Finding {
        let finding = Finding::error(FindingCode::ValueSetRow, message);
        finding.help(help).placed(self.place(row, column))
    }
}

/// The column, from 1, in which the cell of this number begins.
fn column(line: &str, separator: char, cell: usize) -> Option<usize> {
    let (mut seen, mut quoted) = (0, false);
    if cell == 0 {
        return Some(1);
    }
    for (at, c) in line.chars().enumerate() {
        match c {
            '"' => quoted = !quoted,
            c if c == separator && !quoted => {
                seen += 1;
                if seen == cell {
                    return Some(at + 2);
                }
            }
            _ => {}
        }
    }
    None
}

impl Read {
    /// Reads a table. Short names of value sets are given back with where they stand: whether they are
    /// known shows later.
    pub fn table(
        &mut self,
        source: &Arc<str>,
        text: &str,
    ) -> (Vec<ValueSetDefinition>, Vec<Named>) {
        let (separator, columns) = header(text.as_bytes());
        let table = Table {
            source,
            lines: text.lines().collect(),
            separator: char::from(separator),
            columns,
        };
        if !self.columns(&table) {
            return (vec![], vec![]);
        }
        let mut rows = CsvRows::separated(text.as_bytes(), separator);
        let columns = match rows.next() {
            Some((_, Ok(row))) => row.len(),
            Some((line, Err(why))) => {
                self.issues.push(unreadable(source, line, why));
                return (vec![], vec![]);
            }
            None => 0,
        };
        let mut sets: BTreeMap<Arc<str>, Rows> = BTreeMap::new();
        let mut names: BTreeMap<Arc<str>, Named> = BTreeMap::new();
        let mut open = 0;
        for (line, cells) in rows {
            let cells = match cells {
                Ok(cells) => cells,
                Err(why) => {
                    self.issues.push(unreadable(source, line, why));
                    continue;
                }
            };
            if cells.iter().all(|cell| cell.trim().is_empty()) {
                continue;
            }
            if cells.len() != columns {
                self.issues
                    .push(of_another_length(source, line, cells.len(), columns));
                continue;
            }
            let row = Row { line, cells };
            let set = table.cell(&row, "value_set");
            if set.is_empty() {
                open += 1;
                continue;
            }
            let Some(code) = self.row(&table, &row) else {
                continue;
            };
            let url: Arc<str> = match set.contains(':') {
                true => Arc::from(set),
                false => {
                    names.entry(Arc::from(set)).or_insert_with(|| Named {
                        name: Arc::from(set),
                        place: table.place(&row, "value_set"),
                    });
                    Arc::from(format!("{BUILT_IN_VALUE_SETS}{set}"))
                }
            };
            let key = (Arc::clone(&code.system), Arc::clone(&code.code));
            let rows = sets.entry(url).or_default();
            match rows.get(&key) {
                None => {
                    rows.insert(key, (line, code));
                }
                Some((first, _)) => {
                    let message =
                        format!("`{}` stands in value set `{set}` a second time", code.code);
                    let finding = Finding::warning(FindingCode::ValueSetRowTwice, message);
                    let help = format!("remove one of the rows; the other is line {first}");
                    self.issues
                        .push(finding.help(help).placed(table.place(&row, "code")));
                }
            }
        }
        if open > 0 {
            let (rows, have) = if open == 1 {
                ("row", "has")
            } else {
                ("rows", "have")
            };
            let message = format!("{open} {rows} {have} no value set yet: left out");
            let finding =
                Finding::info(FindingCode::ValueSetRow, message).in_file(Arc::clone(source));
            self.issues.push(finding);
        }
        let sets = sets.into_iter().map(|(url, rows)| ValueSetDefinition {
            url,
            version: None,
            id: None,
            name: None,
            title: None,
            spot: SpotOf {
                source: Arc::clone(source),
                line: None,
                root: "ValueSet".to_owned(),
            },
            expansion: Some(Expansion {
                codes: rows.into_values().map(|(_, code)| code).collect(),
                partial: None,
                surplus: None,
            }),
            compose: None,
        });
        (sets.collect(), names.into_values().collect())
    }

    /// Whether all columns that must be there are, each once.
    fn columns(&mut self, table: &Table<'_>) -> bool {
        let before = self.issues.len();
        for name in REQUIRED {
            let place = Place::known(Arc::clone(table.source), Some(1), Some(1), None);
            match table.columns.iter().filter(|c| *c == name).count() {
                1 => {}
                0 => {
                    let message = format!("this table has no column `{name}`");
                    let others = table.columns.iter().map(String::as_str);
                    let near = did_you_mean(name, others.filter(|c| !REQUIRED.contains(c)));
                    let help = match near {
                        Some(near) => format!("rename the column `{near}` to `{name}`"),
                        None => "the first line names the columns: value_set,system,code,display"
                            .to_owned(),
                    };
                    let finding = Finding::error(FindingCode::ValueSetTable, message);
                    self.issues.push(finding.help(help).placed(place));
                }
                _ => {
                    let message = format!("this table has several columns `{name}`");
                    let finding = Finding::error(FindingCode::ValueSetTable, message);
                    self.issues
                        .push(finding.help("keep one of them").placed(place));
                }
            }
        }
        self.issues.len() == before
    }

    /// The code of a row, or what is wrong with it.
    fn row(&mut self, table: &Table<'_>, row: &Row<'_>) -> Option<Code> {
        let before = self.issues.len();
        let (written, code) = (table.cell(row, "system"), table.cell(row, "code"));
        let (written, code) = (plain(written), plain(code));
        let system = system_named(written);
        if written.is_empty() {
            let message = "this row has no `system`, so its code cannot be compared".to_owned();
            let help = "write the url of the code system, or one of its short names, such as loinc or snomed";
            self.issues.push(table.error(row, "system", message, help));
        } else if system.is_none() && !written.contains(':') {
            let message = format!("`{written}` is no code system");
            let near = did_you_mean(written, known_names());
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "write its url, or one of {}",
                    known_names().collect::<Vec<_>>().join(", ")
                ),
            };
            self.issues.push(table.error(row, "system", message, &help));
        }
        if code.is_empty() {
            let message = "this row has no `code`".to_owned();
            let help = "write the code, or remove the row";
            self.issues.push(table.error(row, "code", message, help));
        }
        let damage = damage(system.unwrap_or(written), code);
        if let Some(Damage::Spoiled(message)) = &damage {
            let help =
                "format the column as text before the codes are put in, and put the code in again";
            let message = message.clone();
            self.issues.push(table.error(row, "code", message, help));
        }
        if self.issues.len() > before {
            return None;
        }
        if let Some(Damage::Doubtful(message, help)) = damage {
            let finding = Finding::warning(FindingCode::ValueSetRow, message);
            let finding = finding.help(help).placed(table.place(row, "code"));
            self.issues.push(finding);
        }
        let system = match system {
            Some(url) => self.system(url),
            None => self.system(written),
        };
        let display = Some(plain(table.cell(row, "display"))).filter(|text| !text.is_empty());
        Some(Code {
            system,
            version: None,
            code: Arc::from(code),
            display: display.map(Arc::from),
        })
    }
}

/// A cell without the apostrophe that keeps a spreadsheet from calculating it: our own lists have it.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest,
        _ => cell,
    }
}

fn unreadable(source: &Arc<str>, line: u64, why: &str) -> Finding {
    let line = usize::try_from(line).ok();
    Finding::error(FindingCode::ValueSetRow, why)
        .help("put a quote behind the text as well, and write one that belongs to the text twice: \"5\"\" cuff\"")
        .placed(Place::known(Arc::clone(source), line, None, None))
}

fn of_another_length(source: &Arc<str>, line: u64, cells: usize, columns: usize) -> Finding {
    let message = format!("this row has {cells} cells, the first line has {columns}");
    Finding::error(FindingCode::ValueSetRow, message)
        .help("put a cell that has a separator in it in quotes: \"a, b\"")
        .placed(Place::known(
            Arc::clone(source),
            usize::try_from(line).ok(),
            None,
            None,
        ))
}
