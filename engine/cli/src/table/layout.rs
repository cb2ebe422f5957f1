//! Which column of a table gets how much of the line.

use crate::wrap::{Breaks, columns, is_number, widest_part};

/// Between two columns.
pub const GAP: usize = 2;

/// Cells that stand on a line of their own leave the first column at least this.
const LEAST_KEY: usize = 14;

/// How a table is laid out.
#[derive(Debug)]
pub struct Layout {
    pub widths: Vec<usize>,
    /// Columns of numbers stand to the right.
    pub right: Vec<bool>,
    /// What is wider than the first column stands on a line of its own, above the others of its row.
    pub hanging: bool,
}

/// What the cells of a column need.
#[derive(Clone, Copy, Default)]
struct Need {
    heading: usize,
    heading_word: usize,
    cells: usize,
    /// The widest part of a cell that is left whole.
    least: usize,
}

impl Need {
    /// With the heading on one line.
    fn natural(self) -> usize {
        self.cells.max(self.heading)
    }

    /// With the heading wrapped.
    fn body(self) -> usize {
        self.cells.max(self.heading_word)
    }

    fn least(self) -> usize {
        self.least.max(self.heading_word)
    }
}

/// A layout within `width`, with `gap` between columns; `None` where these columns have no room beside each other.
pub fn layout(heading: &[&str], rows: &[Vec<String>], width: usize, gap: usize) -> Option<Layout> {
    let right: Vec<bool> = (0..heading.len()).map(|c| is_right(rows, c)).collect();
    let needs: Vec<Need> = heading
        .iter()
        .zip(&right)
        .enumerate()
        .map(|(column, (heading, right))| need(heading, rows, column, *right))
        .collect();
    let room = width.saturating_sub(gap * heading.len().saturating_sub(1));
    let of = |f: fn(Need) -> usize| -> Vec<usize> { needs.iter().map(|n| f(*n)).collect() };
    let (natural, body, mut least) = (of(Need::natural), of(Need::body), of(Need::least));
    let mut hanging = false;
    if sum(&least) > room {
        // Ids that cannot be broken go above the rest of their row.
        let (key, need) = (least.first_mut()?, needs.first()?);
        *key = (*key).min(need.heading_word.max(LEAST_KEY));
        hanging = right.first() == Some(&false);
        if !hanging || sum(&least) > room {
            return None;
        }
    }
    let widths = match sum(&body) <= room {
        true => grown(&body, &natural, room),
        false => grown(&least, &body, room),
    };
    Some(Layout {
        widths,
        right,
        hanging,
    })
}

/// Between the least and what is wanted: the narrow columns have what they want first.
fn grown(least: &[usize], wanted: &[usize], room: usize) -> Vec<usize> {
    let capped = |cap: usize| -> Vec<usize> {
        let both = least.iter().zip(wanted);
        both.map(|(least, wanted)| (*least).max((*wanted).min(cap)))
            .collect()
    };
    // The sum grows with the cap.
    let (mut fits, mut beyond) = (0, room + 1);
    while beyond - fits > 1 {
        let cap = usize::midpoint(fits, beyond);
        match sum(&capped(cap)) <= room {
            true => fits = cap,
            false => beyond = cap,
        }
    }
    let mut widths = capped(fits);
    let mut left = room.saturating_sub(sum(&widths));
    for (own, wanted) in widths.iter_mut().zip(wanted) {
        let more = wanted.saturating_sub(*own).min(left);
        *own += more;
        left -= more;
    }
    widths
}

fn need(heading: &str, rows: &[Vec<String>], column: usize, right: bool) -> Need {
    let mut need = Need {
        heading: columns(heading),
        heading_word: widest_part(heading, Breaks::Marks),
        ..Need::default()
    };
    for cell in rows.iter().filter_map(|row| row.get(column)) {
        let own = columns(cell);
        need.cells = need.cells.max(own);
        if own > need.least {
            let part = match right {
                true => own,
                false => widest_part(cell, Breaks::Marks),
            };
            need.least = need.least.max(part);
        }
    }
    need
}

/// Whether a column holds numbers only.
fn is_right(rows: &[Vec<String>], column: usize) -> bool {
    let cells = rows.iter().filter_map(|row| row.get(column));
    let mut cells = cells.filter(|cell| !cell.is_empty()).peekable();
    cells.peek().is_some() && cells.all(|cell| is_number(cell) && !is_moment(cell))
}

/// Dates and times stand to the left, as texts do.
fn is_moment(cell: &str) -> bool {
    cell.contains(['T', 'Z', ':']) || cell.matches('-').count() == 2
}

fn sum(widths: &[usize]) -> usize {
    widths.iter().sum()
}
