//! Cells of rows as lines: beside each other, or below each other.

use super::layout::GAP;
use crate::visible::in_line;
use crate::wrap::{columns, wrap};

/// Cells as they are shown.
pub fn shown(rows: &[Vec<String>]) -> Vec<Vec<String>> {
    let row = |row: &Vec<String>| row.iter().map(|cell| in_line(cell).into_owned()).collect();
    rows.iter().map(row).collect()
}

/// The cells of a row, line by line; where a cell has no more lines it is empty.
pub fn lines_of(cells: &[&str], widths: &[usize]) -> Vec<Vec<String>> {
    let wrapped: Vec<Vec<String>> = cells
        .iter()
        .zip(widths)
        .map(|(cell, width)| match columns(cell) <= *width {
            true => vec![(*cell).to_owned()],
            false => wrap(cell, *width),
        })
        .collect();
    let lines = wrapped.iter().map(Vec::len).max().unwrap_or(0).max(1);
    let line = |number: usize| {
        let own = (0..widths.len()).map(|column| wrapped.get(column)?.get(number).cloned());
        own.map(Option::unwrap_or_default).collect()
    };
    (0..lines).map(line).collect()
}

/// A block a row, with a line a column.
pub fn records(out: &mut String, heading: &[&str], rows: &[Vec<String>], width: usize) {
    let widest = heading.iter().map(|h| columns(h)).max().unwrap_or(0);
    let names = widest.min(width / 3).max(1);
    let room = width.saturating_sub(names + GAP).max(1);
    for (number, row) in rows.iter().enumerate() {
        let rule = format!("── row {} ", number + 1);
        let rest = "─".repeat(width.min(60).saturating_sub(columns(&rule)));
        out.extend([rule.as_str(), rest.as_str(), "\n"]);
        for (name, cell) in heading.iter().zip(row) {
            let (names_lines, cells) = (wrap(name, names), wrap(cell, room));
            for line in 0..names_lines.len().max(cells.len()) {
                let name = names_lines.get(line).map_or("", String::as_str);
                let cell = cells.get(line).map_or("", String::as_str);
                let pad = " ".repeat((names + GAP).saturating_sub(columns(name)));
                out.push_str(format!("{name}{pad}{cell}").trim_end());
                out.push('\n');
            }
        }
    }
    if rows.is_empty() {
        for name in heading {
            for line in wrap(name, width) {
                out.extend([line.as_str(), "\n"]);
            }
        }
    }
}
