//! Tables for people: columns aligned, numbers to the right.

use crate::visible::in_line;

/// Prints rows under a heading.
pub fn print(heading: &[&str], rows: &[Vec<String>]) {
    say!("{}", text(heading, rows).trim_end_matches('\n'));
}

/// Rows under a heading, a line each. Columns that hold numbers only stand to the right.
/// A cell is one line, whatever is in it.
pub fn text(heading: &[&str], rows: &[Vec<String>]) -> String {
    let shown = |row: &Vec<String>| -> Vec<String> {
        let cells = row.iter().map(|cell| in_line(cell).into_owned());
        cells.collect()
    };
    let rows: Vec<Vec<String>> = rows.iter().map(shown).collect();
    let rows = rows.as_slice();
    let width = |column: usize| {
        let cells = rows
            .iter()
            .filter_map(|r| r.get(column))
            .map(|c| c.chars().count());
        cells
            .chain(heading.get(column).map(|h| h.chars().count()))
            .max()
            .unwrap_or(0)
    };
    let number = |cell: &str| {
        !cell.is_empty()
            && cell
                .chars()
                .all(|c| c.is_ascii_digit() || " ,.%-–".contains(c))
    };
    let right = |column: usize| {
        let mut cells = rows
            .iter()
            .filter_map(|r| r.get(column))
            .filter(|c| !c.is_empty())
            .peekable();
        cells.peek().is_some() && cells.all(|c| number(c))
    };
    let mut whole = String::new();
    let mut line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut out = String::new();
        for (column, cell) in cells.enumerate() {
            let pad = " ".repeat(width(column).saturating_sub(cell.chars().count()));
            if column > 0 {
                out.push_str("  ");
            }
            if right(column) {
                out.push_str(&pad);
                out.push_str(cell);
            } else {
                out.push_str(cell);
                out.push_str(&pad);
            }
        }
        whole.push_str(out.trim_end());
        whole.push('\n');
    };
    line(&mut heading.iter().copied());
    let rule: Vec<String> = (0..heading.len()).map(|c| "─".repeat(width(c))).collect();
    line(&mut rule.iter().map(String::as_str));
    for row in rows {
        line(&mut row.iter().map(String::as_str));
    }
    whole
}

/// `1234567` as `1,234,567`.
pub fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

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
