//! The rows of a query, with borders as DataFusion prints them. Values stay whole: they are wrapped, and
//! where the columns have no room beside each other a row is a block of lines.

use super::layout::{Layout, layout};
use super::rows::{lines_of, records, shown};
use crate::visible::in_line;
use crate::wrap::columns;

/// Between two columns: a space, the border, a space.
const GAP: usize = 3;

/// The borders at both ends.
const ENDS: usize = 4;

/// A row with a cell of more lines than about so many is a block.
const MOST_LINES: usize = 6;

/// Rows under a heading, no line wider than `width`.
pub fn bordered(heading: &[&str], rows: &[Vec<String>], width: usize) -> String {
    let heading: Vec<String> = heading.iter().map(|h| in_line(h).into_owned()).collect();
    let heading: Vec<&str> = heading.iter().map(String::as_str).collect();
    let rows = shown(rows);
    let mut out = String::new();
    let fitting = layout(&heading, &rows, width.saturating_sub(ENDS), GAP);
    let readable = |layout: &Layout| {
        let cells = rows.iter().flat_map(|row| row.iter().zip(&layout.widths));
        !layout.hanging
            && cells
                .into_iter()
                .all(|(cell, width)| columns(cell) <= MOST_LINES * width)
    };
    let Some(layout) = fitting.filter(readable) else {
        records(&mut out, &heading, &rows, width);
        return out;
    };
    let rule = layout.widths.iter().map(|w| "-".repeat(w + 2));
    let rule = format!("+{}+\n", rule.collect::<Vec<_>>().join("+"));
    let row = |cells: &[&str], out: &mut String| {
        for line in lines_of(cells, &layout.widths) {
            for (cell, width) in line.iter().zip(&layout.widths) {
                let pad = " ".repeat(width.saturating_sub(columns(cell)));
                out.extend(["| ", cell, &pad, " "]);
            }
            out.push_str("|\n");
        }
    };
    out.push_str(&rule);
    row(&heading, &mut out);
    out.push_str(&rule);
    for cells in &rows {
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        row(&cells, &mut out);
    }
    out.push_str(&rule);
    out
}
