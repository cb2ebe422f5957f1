//! Tables for people: columns aligned, numbers to the right, no line wider than the terminal. Nothing is
//! cut: cells are wrapped; ids that cannot be stand on a line of their own; what would take many lines
//! goes below as a numbered note; a table with too many columns goes on below itself, or has a block a row.

mod bordered;
mod layout;
mod rows;

use std::borrow::Cow;

pub use bordered::bordered;
use layout::{GAP, Layout, layout};
use rows::{lines_of, records, shown};

use crate::visible::in_line;
use crate::width::of_output;
use crate::wrap::{columns, wrap};

/// A cell of more lines than this is a note below the table.
const MOST_LINES: usize = 3;

/// So long a text is a note where there is no room.
const LONG: usize = 60;

/// Prints rows under a heading.
pub fn print(heading: &[&str], rows: &[Vec<String>]) {
    say!("{}", text(heading, rows).trim_end_matches('\n'));
}

/// Rows under a heading, as wide as standard output.
pub fn text(heading: &[&str], rows: &[Vec<String>]) -> String {
    within(heading, rows, of_output())
}

/// Whether the rows have room beside each other, without notes.
pub fn fits(heading: &[&str], rows: &[Vec<String>]) -> bool {
    layout(heading, &shown(rows), of_output(), GAP).is_some_and(|layout| !layout.hanging)
}

/// Rows under a heading, no line wider than `width`. A cell is one text, whatever is in it.
pub fn within(heading: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let heading: Vec<Cow<'_, str>> = heading.iter().map(|h| in_line(h)).collect();
    let heading: Vec<&str> = heading.iter().map(|h| &**h).collect();
    let mut rows = shown(rows);
    let notes = take_notes(&heading, &mut rows, width);
    let mut out = String::new();
    if let Some(layout) = layout(&heading, &rows, width, GAP) {
        one_table(&mut out, &heading, &rows, &layout);
    } else if !goes_on(&mut out, &heading, &rows, width) {
        out.clear();
        records(&mut out, &heading, &rows, width);
    }
    if !notes.is_empty() {
        out.push('\n');
    }
    for (number, note) in notes.iter().enumerate() {
        let mark = format!("[{}] ", number + 1);
        let lines = wrap(note, width.saturating_sub(mark.len()));
        for (line, text) in lines.iter().enumerate() {
            match line {
                0 => out.push_str(&mark),
                _ => out.push_str(&" ".repeat(mark.len())),
            }
            out.push_str(text);
            out.push('\n');
        }
    }
    out
}

/// Takes out what would fill many lines; the same text is one note.
fn take_notes(heading: &[&str], rows: &mut [Vec<String>], width: usize) -> Vec<String> {
    let mut notes: Vec<String> = vec![];
    // Where the columns have no room beside each other, long texts make room first.
    let widths = match layout(heading, rows, width, GAP) {
        Some(layout) => layout.widths,
        None => vec![LONG / MOST_LINES; heading.len()],
    };
    for (column, width) in widths.iter().enumerate().skip(1) {
        for row in rows.iter_mut() {
            let Some(cell) = row.get_mut(column) else {
                continue;
            };
            if columns(cell) <= *width || wrap(cell, *width).len() <= MOST_LINES {
                continue;
            }
            let place = notes.iter().position(|note| note == cell);
            let place = place.unwrap_or_else(|| {
                notes.push(cell.clone());
                notes.len() - 1
            });
            *cell = format!("[{}]", place + 1);
        }
    }
    notes
}

/// One table, whose columns have room.
fn one_table(out: &mut String, heading: &[&str], rows: &[Vec<String>], layout: &Layout) {
    row_of(out, heading, layout);
    let rule: Vec<String> = layout.widths.iter().map(|w| "─".repeat(*w)).collect();
    let rule: Vec<&str> = rule.iter().map(String::as_str).collect();
    row_of(out, &rule, layout);
    for row in rows {
        let mut cells: Vec<&str> = row.iter().map(String::as_str).collect();
        let key = layout.widths.first().copied().unwrap_or(0);
        if let Some(first) = cells
            .first_mut()
            .filter(|c| layout.hanging && columns(c) > key)
        {
            let whole: usize =
                layout.widths.iter().sum::<usize>() + GAP * (layout.widths.len() - 1);
            for line in wrap(first, whole) {
                out.push_str(&line);
                out.push('\n');
            }
            *first = "";
        }
        row_of(out, &cells, layout);
    }
}

/// The lines of a row.
fn row_of(out: &mut String, cells: &[&str], layout: &Layout) {
    for cells in lines_of(cells, &layout.widths) {
        let mut line = String::new();
        let places = layout.widths.iter().zip(&layout.right).zip(&cells);
        for (column, ((width, right), own)) in places.enumerate() {
            let pad = " ".repeat(width.saturating_sub(columns(own)));
            if column > 0 {
                line.push_str(&" ".repeat(GAP));
            }
            match right {
                true => line.extend([pad.as_str(), own]),
                false => line.extend([own, pad.as_str()]),
            }
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
}

/// Several tables, each with the first columns and as many others as have room; whether it can be.
fn goes_on(out: &mut String, heading: &[&str], rows: &[Vec<String>], width: usize) -> bool {
    let keys = keys(rows);
    let (keys, heading, rows) = match keys {
        Some(keys) => (keys, heading.to_vec(), Cow::Borrowed(rows)),
        // Rows that begin alike are told apart by their number.
        None => {
            let heading = std::iter::once("row").chain(heading.iter().copied());
            let numbered = (1..).zip(rows).map(|(number, row): (usize, _)| {
                let number = std::iter::once(number.to_string());
                number.chain(row.iter().cloned()).collect()
            });
            (1, heading.collect(), Cow::Owned(numbered.collect()))
        }
    };
    let (heading, rows): (&[&str], &[Vec<String>]) = (&heading, &rows);
    let pick = |chosen: &[usize]| -> (Vec<&str>, Vec<Vec<String>>) {
        let heading = chosen.iter().filter_map(|c| heading.get(*c).copied());
        let cells = |row: &Vec<String>| {
            let cells = chosen.iter().filter_map(|c| row.get(*c).cloned());
            cells.collect()
        };
        (heading.collect(), rows.iter().map(cells).collect())
    };
    let mut next = keys;
    let mut first = true;
    while next < heading.len() {
        let mut chosen: Vec<usize> = (0..keys).collect();
        let mut found = None;
        while next < heading.len() {
            chosen.push(next);
            let (heading, rows) = pick(&chosen);
            match layout(&heading, &rows, width, GAP) {
                Some(layout) => found = Some((heading, rows, layout)),
                None => break,
            }
            next += 1;
        }
        let Some((heading, rows, layout)) = found else {
            return false;
        };
        if !first {
            out.push_str("\nThe same rows, further columns:\n");
        }
        first = false;
        one_table(out, &heading, &rows, &layout);
    }
    !first
}

/// How many of the first columns tell the rows apart: one, or two.
fn keys(rows: &[Vec<String>]) -> Option<usize> {
    [1, 2].into_iter().find(|keys| {
        let mut seen = std::collections::BTreeSet::new();
        rows.iter().all(|row| seen.insert(row.get(..*keys)))
    })
}

pub use engine_patient::plural::thousands;

/// Bytes for people.
pub fn bytes(n: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "for people, one decimal")]
    let n = n as f64;
    match n {
        n if n >= 1e9 => format!("{:.1} GB", n / 1e9),
        n if n >= 1e6 => format!("{:.1} MB", n / 1e6),
        n if n >= 1e3 => format!("{:.1} kB", n / 1e3),
        n => format!("{n:.0} B"),
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
